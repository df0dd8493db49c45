#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Logins at an unmodified Postfix whose users are in a SQLite table: with the
configuration that a widespread guide prints, and with the one that we recommend."""

import hashlib
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import time

import database
import guard
import postfix
import tap
from postfix import OUTAGE, WELCOME, WRONG, expect
from tap import case, contains, equal, lacks

# As the guide prints it, wrong prefixes included, but for the engine and the
# database.
GUIDE = """\
sasl_pwcheck_method: auxprop
sasl_auxprop_plugin: sqlite3
password_format: crypt
mech_list: LOGIN PLAIN
sql_engine: sqlite3
#sql_hostnames: localhost
sql_database: {database}
sql_user: postfix
sql_passwd: $password
sql_select: SELECT password FROM mailbox WHERE local_part='%u' AND active='1'
sql_timeout: 1
"""

CANONICAL = """\
pwcheck_method: auxprop
auxprop_plugin: sqlcrypt
mech_list: PLAIN LOGIN
password_format: {format}
sql_engine: sqlite3
sql_database: {database}
sql_select: {select}
sql_timeout: 1
"""

BY_MAILBOX = "SELECT password FROM mailbox WHERE username='%u@%r'"
BY_NAME = "SELECT password FROM mailbox WHERE name='%u' AND active='1'"

MECHANISMS = ("PLAIN", "LOGIN")

postfix.require()
server = postfix.Postfix()
table = database.Table(server.path("users.sqlite"))
hashes = {}


def slug(method):
    return method.lower().replace(" ", "-")


def password_of(user):
    return f"Geheim-{user}-1"


def canonical(select=BY_NAME, password_format="crypt"):
    return CANONICAL.format(database=table.path, select=select, format=password_format)


def check(user, password, want):
    """Logs in by both mechanisms, each on its own connection."""
    for mechanism in MECHANISMS:
        expect(server.login(mechanism, user, password), want, mechanism)


def check_cleanly(user, password, want):
    """The same, and no line calls for action."""
    server.lines()
    check(user, password, want)
    equal(ours(server.lines()), [], "problems in the log")


def ours(lines):
    """Problems that our plug-ins report. With the guide's wrong prefixes,
    libsasl2 asks every auxprop plug-in, and the stock ones complain too."""
    stock = re.compile("Berkeley db|sql plugin|Unable to begin transaction")
    return [line for line in postfix.problems(lines) if not stock.search(line)]


# --- the guide's configuration


@case("Postfix starts with the guide's configuration")
def _():
    for name, prefix, cost in database.METHODS:
        stored = database.crypt(password_of(slug(name)), prefix, cost)
        if stored is not None:
            hashes[name] = stored
            table.add(slug(name), stored)
    server.start(GUIDE.format(database=table.path))


def kind_is_there(name):
    if name not in hashes:
        raise tap.Skip("this libcrypt lacks the method")


def right_password(name):
    kind_is_there(name)
    check_cleanly(slug(name), password_of(slug(name)), WELCOME)


def wrong_password(name):
    kind_is_there(name)
    check_cleanly(slug(name), "not-the-password", WRONG)


def hash_as_password(name):
    kind_is_there(name)
    check_cleanly(slug(name), hashes[name], WRONG)


for method, _, _ in database.METHODS:
    case(f"{method}: the right password is accepted", right_password, method)
    case(f"{method}: a wrong password is refused", wrong_password, method)
    case(f"{method}: the hash as the password is refused", hash_as_password, method)


@case("a hash with {CRYPT} in front")
def _():
    table.add("prefixed", "{CRYPT}" + database.crypt("Vorsilbe-1"))
    check_cleanly("prefixed", "Vorsilbe-1", WELCOME)
    check_cleanly("prefixed", "Vorsilbe-2", WRONG)
    check_cleanly("prefixed", table.stored("prefixed")[0], WRONG)


@case("a password that is not ASCII")
def _():
    table.add("umlaut", database.crypt("Grüße-für-alle"))
    check_cleanly("umlaut", "Grüße-für-alle", WELCOME)
    check_cleanly("umlaut", "Grusse-fur-alle", WRONG)


@case("an unknown user is refused")
def _():
    check_cleanly("nobody-knows-me", "some-password", WRONG)


@case("a user whom the statement leaves out is refused")
def _():
    table.add("inactive", database.crypt("Ruhestand-1"), active="0")
    check_cleanly("inactive", "Ruhestand-1", WRONG)


LOCKED_PASSWORD = "Gesperrt-123"
LOCKED = {
    "NULL": None,
    "empty": "",
    "!x": "!x",
    "*": "*",
    "*0": "*0",
    "*1": "*1",
    "! and the right hash": "!" + database.crypt(LOCKED_PASSWORD),
    "!! and the right hash": "!!" + database.crypt(LOCKED_PASSWORD),
    "* and the right hash": "*" + database.crypt(LOCKED_PASSWORD),
}


def locked_account(number, stored):
    user = f"locked{number}"
    table.add(user, stored)
    for password in (LOCKED_PASSWORD, stored or "", "NULL"):
        check(user, password, WRONG)


for position, (label, column) in enumerate(LOCKED.items()):
    case(f"locked account, {label} in the column", locked_account, position, column)


@case("a stored value that is no hash is refused, and reported")
def _():
    table.add("garbage", "ThisIsNoHashAtAll")
    server.lines()
    expect(server.login("PLAIN", "garbage", "ThisIsNoHashAtAll"), WRONG)
    lines = server.lines()
    equal(len(ours(lines)), 1, f"problems in {lines}")


@case("a password of 511 bytes is accepted, longer ones are refused")
def _():
    table.add("long", database.crypt("x" * 511))
    check_cleanly("long", "x" * 511, WELCOME)
    for length in (512, 513, 600):
        check("long", "x" * length, WRONG)


@case("two rows for one user")
def _():
    for _ in range(2):
        table.add("twin", database.crypt("Zwilling-1"))
    check_outage("twin", "Zwilling-1", "more than one row")


# --- outages: each is repaired afterwards, and smtpd goes on

ALICE = "Kaninchenbau-7"


def check_outage(user, password, reason):
    """Each login is answered with a temporary failure and one line that gives
    the reason and the file."""
    for mechanism in MECHANISMS:
        server.lines()
        expect(server.login(mechanism, user, password), OUTAGE, mechanism)
        reported = ours(server.lines())
        equal(len(reported), 1, f"{mechanism}: number of problems in the log {reported}")
        contains(reported[0], table.path)
        contains(reported[0], reason)


def outage(reason, damage, repair):
    check("alice", ALICE, WELCOME)
    damage()
    try:
        check_outage("alice", ALICE, reason)
        check_outage("alice", "not-the-password", reason)
        check_outage("nobody-knows-me", ALICE, reason)
    finally:
        repair()
    check_cleanly("alice", ALICE, WELCOME)
    check_cleanly("alice", "not-the-password", WRONG)
    equal(len(server.smtpd_pids()), 1, "processes that served all of this")


def remove():
    os.rename(table.path, table.path + ".away")


def restore():
    os.rename(table.path + ".away", table.path)


def replace(content):
    remove()
    with open(table.path, "wb") as file:
        file.write(content)


def rename_table(old, new):
    table.run(f"ALTER TABLE {old} RENAME TO {new}")


def forbid():
    shutil.copy(table.path, table.path + ".away")
    os.chmod(table.path + ".away", 0o600)
    os.rename(table.path + ".away", table.path)


locks = []
in_use = []


def wal(on):
    table.run(f"PRAGMA journal_mode = {'WAL' if on else 'DELETE'}")


def wal_in_use(suffix):
    """Another user's program has the file open, and only that user may use the files
    beside it."""
    def begin():
        wal(True)
        in_use.append(sqlite3.connect(table.path))
        in_use[-1].execute("SELECT * FROM mailbox").fetchall()
        os.chmod(table.path + suffix, 0o600)
    return begin


def wal_not_in_use():
    in_use.pop().close()
    wal(False)


INTERRUPTED = """\
import os, signal, sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.executescript("PRAGMA cache_size = 1; BEGIN; CREATE TABLE other (text)")
for _ in range(2000):
    connection.execute("INSERT INTO other VALUES (?)", ("x" * 200,))
os.kill(os.getpid(), signal.SIGKILL)
"""


def interrupt_a_change():
    subprocess.run([sys.executable, "-c", INTERRUPTED, table.path], check=False)
    equal(os.path.exists(table.path + "-journal"), True, "there is a journal")


OUTAGES = {
    "the table is missing": (
        "no such table", lambda: rename_table("mailbox", "other"),
        lambda: rename_table("other", "mailbox")),
    "a column is missing": (
        "no such column", lambda: table.run("ALTER TABLE mailbox RENAME COLUMN password TO pw"),
        lambda: table.run("ALTER TABLE mailbox RENAME COLUMN pw TO password")),
    "the file is missing": ("No such file", remove, restore),
    "the file is no database": ("not a database", lambda: replace(b"This is text.\n" * 99),
                                restore),
    "the file is empty": ("no such table", lambda: replace(b""), restore),
    "the file is a folder": ("", lambda: (remove(), os.mkdir(table.path)),
                             lambda: (os.rmdir(table.path), restore())),
    "the file may not be read": (f"Permission denied: {table.path} (mode 600) is not"
                                 " accessible to user ", forbid,
                                 lambda: os.chmod(table.path, 0o644)),
    "WAL mode in a folder that cannot be written": (
        "PRAGMA journal_mode = DELETE", lambda: wal(True), lambda: wal(False)),
    "WAL mode, -wal may not be read": (
        "users.sqlite-wal beside it is not accessible to user ", wal_in_use("-wal"),
        wal_not_in_use),
    "WAL mode, -shm may not be read": (
        "users.sqlite-shm beside it is not accessible to user ", wal_in_use("-shm"),
        wal_not_in_use),
    "a change that was interrupted": (
        "users.sqlite-journal", interrupt_a_change, lambda: table.run("SELECT * FROM mailbox")),
    "the file is locked": ("locked", lambda: locks.append(table.lock()),
                           lambda: locks.pop().close()),
}


@case("a user for the outages")
def _():
    table.add("alice", database.crypt(ALICE))
    check_cleanly("alice", ALICE, WELCOME)


for label, (why, break_it, mend_it) in OUTAGES.items():
    case(f"outage: {label}", outage, why, break_it, mend_it)


@case("a missing file is not created")
def _():
    remove()
    try:
        expect(server.login("PLAIN", "alice", ALICE), OUTAGE)
        equal(os.path.exists(table.path), False, "the file exists")
    finally:
        restore()


@case("a locked file is given up when sql_timeout is over")
def _():
    lock = table.lock()
    try:
        began = time.monotonic()
        expect(server.login("PLAIN", "alice", ALICE), OUTAGE)
        took = time.monotonic() - began
    finally:
        lock.close()
    if not 0.8 <= took <= 3:
        raise AssertionError(f"sql_timeout is 1 s, but the answer took {took:.1f} s")


@case("a lock that is gone in time does no harm")
def _():
    lock = table.lock()
    with server.session() as session:
        session.ehlo()
        session.socket.sendall(b"AUTH PLAIN " + postfix.smtp.b64(f"\0alice\0{ALICE}").encode()
                               + b"\r\n")
        time.sleep(0.3)
        lock.close()
        expect(session.reply(), WELCOME)


# --- the configuration that we recommend


@case("full mailbox names, realm from smtpd_sasl_local_domain")
def _():
    table.add("alice", database.crypt("Spiegelland-8"), domain="example.net")
    server.start(canonical(BY_MAILBOX), smtpd_sasl_local_domain="example.com")
    check_cleanly("alice@example.com", ALICE, WELCOME)
    check_cleanly("alice", ALICE, WELCOME)
    check_cleanly("alice@example.net", "Spiegelland-8", WELCOME)
    check_cleanly("alice@example.net", ALICE, WRONG)
    check_cleanly("alice@example.org", ALICE, WRONG)
    check_cleanly("alice@", ALICE, WRONG)
    check_cleanly("@example.com", ALICE, WRONG)


@case("without a local domain the realm is the name of the server")
def _():
    table.add("bob", database.crypt("Baumeister-9"), domain=postfix.HOST)
    server.start(canonical(BY_MAILBOX))
    check_cleanly("bob", "Baumeister-9", WELCOME)
    check_cleanly("alice", ALICE, WRONG)
    check_cleanly("alice@example.com", ALICE, WELCOME)


@case("locked accounts are nobody's problem")
def _():
    server.start(canonical(BY_NAME))
    for number, stored in enumerate(LOCKED.values()):
        for password in (LOCKED_PASSWORD, stored or "", "NULL"):
            check_cleanly(f"locked{number}", password, WRONG)


@case("two rows for one user, with no other auxprop plug-in about")
def _():
    check_outage("twin", "Zwilling-1", "more than one row")
    check_outage("twin", "not-the-password", "more than one row")


@case("names without realm")
def _():
    server.start(canonical(BY_NAME), smtpd_sasl_local_domain="example.com")
    check_cleanly("bob", "Baumeister-9", WELCOME)
    check_cleanly("bob@example.com", "Baumeister-9", WELCOME)
    check_cleanly("bob@elsewhere.example", "Baumeister-9", WELCOME)
    check_cleanly("bob", "not-the-password", WRONG)


@case("log of a right password: nothing but what Postfix says")
def _():
    server.lines()
    check("bob", "Baumeister-9", WELCOME)
    lines = server.lines()
    equal([line for line in lines if "warning:" in line], [])
    lacks("\n".join(lines), "SASL")


@case("log of a wrong password: one line, and that of Postfix with the name")
def _():
    for mechanism in MECHANISMS:
        server.lines()
        expect(server.login(mechanism, "bob", "not-the-password"), WRONG)
        lines = server.lines()
        equal(len(postfix.refusals(lines)), 1, "refusals in the log")
        contains(postfix.refusals(lines)[0], "bob")
        equal(postfix.problems(lines), [])
        contains("\n".join(lines), f"SASL {mechanism} authentication failed:")
        contains("\n".join(lines), "sasl_username=bob")


@case("log of an outage: one line, and that of Postfix")
def _():
    remove()
    try:
        for mechanism in MECHANISMS:
            server.lines()
            expect(server.login(mechanism, "bob", "Baumeister-9"), OUTAGE)
            lines = server.lines()
            equal(len(postfix.problems(lines)), 1, f"problems in the log {lines}")
            equal(postfix.refusals(lines), [])
    finally:
        restore()
    check_cleanly("bob", "Baumeister-9", WELCOME)


@case("several words in the statement stand for the same user")
def _():
    server.start(canonical("SELECT password FROM mailbox"
                           " WHERE (username='%u@%r' OR username=%u) AND active='1'"),
                 smtpd_sasl_local_domain="example.com")
    check_cleanly("alice", ALICE, WELCOME)
    check_cleanly("alice@example.com", ALICE, WELCOME)


@case("the address of the client in the statement")
def _():
    for address, want in (("127.0.0.1", WELCOME), ("192.0.2.7", WRONG)):
        server.start(canonical(BY_NAME + f" AND '%a' = '{address}'"))
        check_cleanly("bob", "Baumeister-9", want)


@case("sql_statement, the old name of sql_select, and sqlite, that of the engine")
def _():
    server.start(canonical(BY_NAME).replace("sql_select:", "sql_statement:")
                 .replace("sql_engine: sqlite3", "sql_engine: sqlite")
                 .replace("auxprop_plugin: sqlcrypt", "auxprop_plugin: sqlite"))
    check_cleanly("bob", "Baumeister-9", WELCOME)
    check_cleanly("bob", "not-the-password", WRONG)


@case("sql_persistent: no")
def _():
    server.start(canonical(BY_NAME) + "sql_persistent: no\n")
    for _ in range(3):
        check_cleanly("bob", "Baumeister-9", WELCOME)
        check_cleanly("bob", "not-the-password", WRONG)


# --- users of other auxprop plug-ins

FOREIGN = """\
pwcheck_method: auxprop
auxprop_plugin: {plugin}
mech_list: PLAIN LOGIN
password_format: crypt
sql_engine: sqlite3
sql_database: {database}
sql_select: {select}
sasldb_path: {sasldb}
"""


def start_foreign(plugin):
    server.start(FOREIGN.format(plugin=plugin, database=table.path, select=BY_NAME,
                                sasldb=server.path("sasldb")))


@case("the stock sql plug-in returns hashes: they are judged as hashes")
def _():
    start_foreign("sql")
    check_cleanly("bob", "Baumeister-9", WELCOME)
    check_cleanly("bob", "not-the-password", WRONG)
    check_cleanly("bob", table.stored("bob")[0], WRONG)
    check_cleanly("nobody-knows-me", "Baumeister-9", WRONG)
    # What it makes of NULL is the text NULL.
    check("locked0", "NULL", WRONG)


@case("sasldb returns hashes: they are judged as hashes")
def _():
    if shutil.which("saslpasswd2") is None:
        raise tap.Skip("saslpasswd2 is not installed")
    stored = database.crypt("Berkeley-15")
    os.makedirs(server.path("sasl2"))
    with open(server.path("sasl2", "keeper.conf"), "w", encoding="utf-8") as file:
        file.write("auxprop_plugin: sasldb\n")
    subprocess.run(["saslpasswd2", "-p", "-c", "-a", "keeper", "-f", server.path("sasldb"),
                    "-u", postfix.HOST, "bert"], input=stored, text=True, check=True,
                   env=dict(os.environ, SASL_CONF_PATH=server.path("sasl2")))
    os.chmod(server.path("sasldb"), 0o644)
    start_foreign("sasldb")
    check_cleanly("bert", "Berkeley-15", WELCOME)
    check_cleanly("bert", "not-the-password", WRONG)
    check_cleanly("bert", stored, WRONG)


@case("a table of ours and sasldb: users of either log in")
def _():
    if not os.path.exists(server.path("sasldb")):
        raise tap.Skip("there is no sasldb")
    for order in ("sqlcrypt sasldb", "sasldb sqlcrypt"):
        start_foreign(order)
        check_cleanly("bob", "Baumeister-9", WELCOME)
        check_cleanly("bert", "Berkeley-15", WELCOME)
        check_cleanly("bob", "Berkeley-15", WRONG)
        check_cleanly("bert", "Baumeister-9", WRONG)
        check_cleanly("bob", table.stored("bob")[0], WRONG)
        check_cleanly("nobody-knows-me", "Berkeley-15", WRONG)


# --- other formats of passwords


@case("password_format: plain")
def _():
    table.add("clara", "Klartext-11")
    table.add("hashed-clara", database.crypt("Klartext-12"))
    server.start(canonical(BY_NAME, "plain"))
    check_cleanly("clara", "Klartext-11", WELCOME)
    check_cleanly("clara", "Klartext-12", WRONG)
    check_cleanly("nobody-knows-me", "Klartext-11", WRONG)
    check("hashed-clara", "Klartext-12", WRONG)
    check("hashed-clara", table.stored("hashed-clara")[0], WRONG)


@case("password_format: plain: no password matches NULL, in the guide's configuration either")
def _():
    for text in (canonical(BY_NAME, "plain"),
                 GUIDE.format(database=table.path).replace("format: crypt", "format: plain")):
        server.start(text)
        check("clara", "Klartext-11", WELCOME)
        for number, stored in enumerate(LOCKED.values()):
            for password in ("NULL", stored or ""):
                check(f"locked{number}", password, WRONG)


@case("password_format: md5")
def _():
    digest = hashlib.md5(b"Einweg-13", usedforsecurity=False).hexdigest()
    table.add("marta", guard.keep(digest))
    table.add("martha", guard.keep(digest.upper()))
    server.start(canonical(BY_NAME, "md5"))
    for user in ("marta", "martha"):
        check_cleanly(user, "Einweg-13", WELCOME)
        check_cleanly(user, "Einweg-14", WRONG)
        check_cleanly(user, digest, WRONG)
        check_cleanly(user, digest.upper(), WRONG)


@case("password_format: crypt_trad")
def _():
    server.start(canonical(BY_NAME, "crypt_trad"))
    check_cleanly("des", password_of("des"), WELCOME)
    check_cleanly("des", "not-the-password", WRONG)
    check_cleanly("des", hashes["DES"], WRONG)
    check("sha-512", password_of("sha-512"), WRONG)


@case("a password_format that is not known: an outage that says so")
def _():
    server.start(canonical(BY_NAME, "rot13"))
    check("bob", "Baumeister-9", OUTAGE)
    contains("\n".join(postfix.problems(server.lines())), "rot13")


tap.run(server.close)
