#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""saslauthd is not affected: a host that does not ask for our plug-ins must not notice
that they are installed, and a host that lists saslauthd as well as the table has the
users of both."""

import os
import shutil
import socket
import subprocess

import checkpass
import database
import guard
import plugins
import postfix
import saslauthd
import smtp
import tap
from postfix import OUTAGE, WELCOME, WRONG, expect
from tap import case, contains, equal

MECHANISMS = ("PLAIN", "LOGIN")

postfix.require()
if saslauthd.why_not() is not None:
    tap.skip_all(saslauthd.why_not())

server = postfix.Postfix()
stock_path = plugins.stock(server.directory)
with_ours = plugins.under_test() + ":" + stock_path

CAROL, DAVE, SHARED = "Weihnachtslied-5", "Kupferfeld-6", "Zweimal-daheim-8"
shadow_hashes = {
    "carol": database.crypt(CAROL, "$6$", 1000),
    "dave": database.crypt(DAVE, "$y$", 1),
    "shared": database.crypt(SHARED, "$6$", 1000),
    "locked": "!" + database.crypt(DAVE),
}
daemon = saslauthd.Saslauthd(server.directory, shadow_hashes)

# smtpd writes here when it takes over users, and SQLite needs to write next to it.
os.mkdir(server.path("db"))
shutil.chown(server.path("db"), "postfix")
table = database.Table(server.path("db", "users.sqlite"))
shutil.chown(table.path, "postfix")
clear = database.Table(server.path("clear.sqlite"))
DES = database.crypt("Holland-3", "", 0)

ALICE, SHARED_IN_TABLE = "Kaninchenbau-7", "Einmal-im-Netz-9"
table.add("alice", database.crypt(ALICE))
table.add("shared", database.crypt(SHARED_IN_TABLE))
clear.add("clara", "Klartext-Kennwort-11")
clear.add("desmond", DES)


# --- a host that does not ask for our plug-ins

SASLAUTHD = f"pwcheck_method: saslauthd\nsaslauthd_path: {daemon.mux}\n"
STOCK_SQL = f"""\
pwcheck_method: auxprop
auxprop_plugin: sql
sql_engine: sqlite3
sql_database: {clear.path}
sql_select: SELECT password FROM mailbox WHERE username='%u@%r'
"""
SOME = "mech_list: PLAIN LOGIN\n"

FOREIGN = {
    "saslauthd": SASLAUTHD + SOME,
    "saslauthd, without mech_list": SASLAUTHD,
    "saslauthd, log_level: 5": SASLAUTHD + SOME + "log_level: 5\n",
    "saslauthd, sql_select: dummy": SASLAUTHD + SOME + "sql_select: dummy\n",
    "saslauthd, sql_select: dummy select": SASLAUTHD + SOME + "sql_select: dummy select\n",
    "saslauthd that is not there": SASLAUTHD.replace("/mux", "/nowhere") + SOME,
    "saslauthd and the stock sql plug-in": STOCK_SQL.replace(
        "pwcheck_method: auxprop", f"pwcheck_method: saslauthd auxprop\n"
        f"saslauthd_path: {daemon.mux}") + SOME,
    "stock sql plug-in": STOCK_SQL + SOME,
    "stock sql plug-in, without mech_list": STOCK_SQL,
    "stock sql plug-in, CRAM-MD5, log_level: 5":
        STOCK_SQL + "mech_list: PLAIN CRAM-MD5 LOGIN\nlog_level: 5\n",
    "stock sql plug-in, no database": STOCK_SQL.replace(clear.path, "/nonexistent/file") + SOME,
    "stock sql plug-in, among all, password_format: plain":
        STOCK_SQL.replace("auxprop_plugin: sql\n", "password_format: plain\n") + SOME,
    "sasldb": "pwcheck_method: auxprop\nauxprop_plugin: sasldb\n" + SOME
              + f"sasldb_path: {server.path('sasldb')}\n",
    "nothing": "",
}

# Files that were written for old patches to libsasl2, and kept: an unmodified one does not
# know these names, and PLAIN and LOGIN ask saslauthd alone.
OLD = f"""\
pwcheck_method: saslauthd
saslauthd_path: {daemon.mux}
mech_list: PLAIN LOGIN CRAM-MD5 DIGEST-MD5
sql_select: SELECT password FROM mailbox WHERE local_part='%u'
sql_database: {clear.path}
"""
silent = socket.create_server(("127.0.0.1", 0))  # a database that never answers
SILENT = f"sql_hostnames: 127.0.0.1:{silent.getsockname()[1]}\n"

FOREIGN.update({
    "mysql, an old name": OLD + "auxprop_plugin: mysql\nsql_engine: mysql\n" + SILENT,
    "mysql, an old name, without sql_engine": OLD + "auxprop_plugin: mysql\n" + SILENT,
    "pgsql, an old name": OLD + "auxprop_plugin: pgsql\nsql_engine: pgsql\n" + SILENT,
    "sqlite, an old name": OLD + "auxprop_plugin: sqlite\nsql_engine: sqlite\n",
    "sqlite3, an old name": OLD + "auxprop_plugin: sqlite3\nsql_engine: sqlite3\n",
    "sqlite3, an old name, log_level: 5":
        OLD + "auxprop_plugin: sqlite3\nsql_engine: sqlite3\nlog_level: 5\n",
    "sqlite3, an old name, auxprop alone":
        OLD.replace("saslauthd\n", "auxprop\n") + "auxprop_plugin: sqlite3\nsql_engine: sqlite3\n",
    "sql and a database that never answers": OLD + "auxprop_plugin: mysql sasldb\n" + SILENT,
    "sql, password_format: plain":
        OLD + "auxprop_plugin: sql\nsql_engine: sqlite3\npassword_format: plain\n",
})


def observe(sasl_path, configuration):
    """Everything that can be seen of a Postfix: announcements, replies and log."""
    seen = []
    server.sasl_path = sasl_path
    server.start(configuration, smtpd_sasl_local_domain="example.com",
                 broken_sasl_auth_clients="yes")
    with server.session() as session:
        greeting = session.ehlo()
        seen += smtp.capabilities(greeting)
    offered = [name for name in ("CRAM-MD5", "DIGEST-MD5") if name in smtp.mechanisms(greeting)]
    for user, password in (("desmond", DES), ("clara", "Klartext-Kennwort-11")):
        for mechanism in offered:
            seen.append((user, mechanism, server.login(mechanism, user, password)))
    for user, password in (("carol", CAROL), ("carol", "not-the-password"),
                           ("carol", shadow_hashes["carol"]), ("locked", DAVE),
                           ("clara", "Klartext-Kennwort-11"), ("clara", "not-the-password"),
                           ("clara@example.com", "Klartext-Kennwort-11"),
                           ("nobody-knows-me", CAROL), ("carol", "")):
        for mechanism in MECHANISMS:
            seen.append((user, mechanism, server.login(mechanism, user, password)))
    for line in ("AUTH PLAIN =", "AUTH PLAIN " + smtp.b64("carol"), "AUTH PLAIN !",
                 "AUTH PLAIN " + smtp.b64(f"clara\0carol\0{CAROL}"), "AUTH NONSENSE"):
        with server.session() as session:
            session.ehlo()
            seen.append((line, session.command(line)))
    return seen, server.lines()


def unnoticed(configuration):
    without, with_them = observe(stock_path, configuration), observe(with_ours, configuration)
    for position, part in enumerate(("replies", "log")):
        for before, after in zip(without[position], with_them[position]):
            equal(after, before, part)
        equal(len(with_them[position]), len(without[position]), f"number of {part}")


@case("saslauthd verifies")
def _():
    daemon.start()
    equal(daemon.verifies("carol", CAROL), True, "the right password")
    equal(daemon.verifies("carol", "not-the-password"), False, "a wrong password")
    equal(daemon.verifies("nobody-knows-me", CAROL), False, "an unknown user")


for label, text in FOREIGN.items():
    case(f"as without our plug-ins: {label}", unnoticed, text)


@case("those comparisons compare something")
def _():
    replies, _ = observe(with_ours, FOREIGN["saslauthd"])
    contains(replies, ("carol", "PLAIN", WELCOME))
    contains(replies, ("carol", "LOGIN", WELCOME))
    equal([reply for reply in replies if reply == "AUTH PLAIN LOGIN"], ["AUTH PLAIN LOGIN"])
    replies, _ = observe(with_ours, FOREIGN["stock sql plug-in"])
    contains(replies, ("clara", "PLAIN", WELCOME))
    replies, _ = observe(with_ours, FOREIGN["sql, password_format: plain"])
    for mechanism in ("CRAM-MD5", "DIGEST-MD5"):
        contains(replies, ("clara", mechanism, WELCOME))
    replies, _ = observe(with_ours, FOREIGN["sqlite3, an old name"])
    contains(replies, ("carol", "PLAIN", WELCOME))
    for mechanism in ("CRAM-MD5", "DIGEST-MD5"):
        equal([reply[:3] for user, name, reply in [seen for seen in replies if len(seen) == 3]
               if (user, name) == ("desmond", mechanism)], ["535"], mechanism)


# --- a table and saslauthd

BOTH = f"""\
pwcheck_method: {{methods}}
saslauthd_path: {daemon.mux}
auxprop_plugin: sqlcrypt
password_format: crypt
mech_list: PLAIN LOGIN
sql_engine: sqlite3
sql_database: {table.path}
sql_select: SELECT password FROM mailbox WHERE local_part='%u'
"""


def check(user, password, want):
    for mechanism in MECHANISMS:
        expect(server.login(mechanism, user, password), want, f"{mechanism} {user}")


def check_both():
    server.lines()
    check("alice", ALICE, WELCOME)
    check("carol", CAROL, WELCOME)
    check("dave", DAVE, WELCOME)
    check("shared", SHARED, WELCOME)
    check("shared", SHARED_IN_TABLE, WELCOME)
    check("alice", CAROL, WRONG)
    check("carol", ALICE, WRONG)
    check("shared", "not-the-password", WRONG)
    check("locked", DAVE, WRONG)
    check("nobody-knows-me", ALICE, WRONG)
    equal(postfix.problems(server.lines()), [])


def list_of_methods(methods):
    server.sasl_path = with_ours
    daemon.start()
    server.start(BOTH.format(methods=methods))
    check_both()


def hashes_do_not_log_in():
    for user in ("alice", "shared"):
        check(user, table.stored(user)[0], WRONG)
    for user, stored in shadow_hashes.items():
        check(user, stored, WRONG)


def daemon_stopped():
    """Users of the table log in. For all others, it is unknown whether they exist."""
    daemon.stop()
    try:
        check("alice", ALICE, WELCOME)
        check("shared", SHARED_IN_TABLE, WELCOME)
        check("carol", CAROL, OUTAGE)
        check("shared", SHARED, OUTAGE)
        check("alice", "not-the-password", OUTAGE)
        check("nobody-knows-me", ALICE, OUTAGE)
    finally:
        daemon.start()
    check_both()


def table_gone():
    os.rename(table.path, table.path + ".away")
    try:
        check("carol", CAROL, WELCOME)
        check("shared", SHARED, WELCOME)
        check("alice", ALICE, OUTAGE)
        check("shared", SHARED_IN_TABLE, OUTAGE)
        check("carol", "not-the-password", OUTAGE)
        check("nobody-knows-me", CAROL, OUTAGE)
        contains("\n".join(postfix.problems(server.lines())), table.path)
    finally:
        os.rename(table.path + ".away", table.path)
    check_both()


def both_gone():
    daemon.stop()
    os.rename(table.path, table.path + ".away")
    try:
        for user, password in (("alice", ALICE), ("carol", CAROL), ("alice", CAROL)):
            check(user, password, OUTAGE)
    finally:
        os.rename(table.path + ".away", table.path)
        daemon.start()
    check_both()


for order in ("auxprop saslauthd", "saslauthd auxprop"):
    case(f"pwcheck_method: {order}: users of either source log in", list_of_methods, order)
    case(f"pwcheck_method: {order}: a hash never does", hashes_do_not_log_in)
    case(f"pwcheck_method: {order}: saslauthd is stopped", daemon_stopped)
    case(f"pwcheck_method: {order}: the table is gone", table_gone)
    case(f"pwcheck_method: {order}: both are gone", both_gone)


def logged_reason(user, password):
    """One line per mechanism, the same for both except for its name."""
    server.lines()
    check(user, password, WRONG)
    lines = postfix.refusals(server.lines())
    equal(len(lines), 2, f"number of {lines}")
    return lines[0]


def reason_of_who_knows(methods):
    """The log has the answer of the source that knows the user."""
    server.start(BOTH.format(methods=methods))
    contains(logged_reason("carol", "not-the-password"),
             'user "carol": saslauthd: refused; asked for "carol"')
    contains(logged_reason("alice", "not-the-password"),
             'user "alice": wrong password; looked for %u "alice"')


for order in ("auxprop saslauthd", "saslauthd auxprop"):
    case(f"pwcheck_method: {order}: the reason in the log", reason_of_who_knows, order)


@case("a realm that Postfix adds is told")
def _():
    server.start(BOTH.format(methods="saslauthd"), smtpd_sasl_local_domain="example.com")
    contains(logged_reason("eve", "not-the-password"),
             'asked for "eve@example.com", with the realm of the program')
    contains(logged_reason("eve@example.com", "not-the-password"),
             'asked for "eve@example.com"')


@case("an outage of saslauthd is in the log")
def _():
    daemon.stop()
    try:
        server.lines()
        expect(server.login("PLAIN", "carol", CAROL), OUTAGE)
        contains("\n".join(postfix.problems(server.lines())), "saslauthd")
    finally:
        daemon.start()


@case("pwcheck_method: saslauthd with hashes in the table: the table is not asked")
def _():
    server.start(BOTH.format(methods="saslauthd"))
    check("carol", CAROL, WELCOME)
    check("carol", "not-the-password", WRONG)
    check("alice", ALICE, WRONG)
    check("alice", table.stored("alice")[0], WRONG)
    check("shared", SHARED_IN_TABLE, WRONG)


# --- users of saslauthd are taken over into the table

TRANSITION = """\
auto_transition: yes
sql_insert: INSERT INTO mailbox (local_part, password) VALUES ('%u', '%v')
sql_update: UPDATE mailbox SET password='%v' WHERE local_part='%u'
"""


def taken_over(methods, user, password, mechanism):
    server.sasl_path = with_ours
    daemon.start()
    server.start(BOTH.format(methods=methods) + TRANSITION
                 + "password_store_scheme: SHA256-CRYPT\n")
    equal(table.stored(user), [], "before the first login")
    expect(server.login(mechanism, user, "not-the-password"), WRONG)
    equal(table.stored(user), [], "after a wrong password")
    expect(server.login(mechanism, user, password), WELCOME)
    rows = table.stored(user)
    equal(len(rows), 1, "rows after the first login")
    guard.keep(rows[0])
    equal(rows[0][:3], "$5$", "what is stored")
    expect(server.login(mechanism, user, password), WELCOME)
    equal(len(table.stored(user)), 1, "rows after the second login")


def knows_him_by_itself(user, password):
    """This user logs in only through the table."""
    daemon.stop()
    server.start(BOTH.format(methods="auxprop"))
    check(user, password, WELCOME)
    check(user, "not-the-password", WRONG)
    check(user, table.stored(user)[0], WRONG)


case("auto_transition stores a hash at the first login by PLAIN", taken_over,
     "auxprop saslauthd", "carol", CAROL, "PLAIN")
case("who was taken over needs saslauthd no more", knows_him_by_itself, "carol", CAROL)
case("auto_transition stores a hash at the first login by LOGIN", taken_over,
     "saslauthd", "dave", DAVE, "LOGIN")
case("who was taken over by LOGIN needs saslauthd no more", knows_him_by_itself, "dave", DAVE)


@case("a table that cannot be written does not keep a user of saslauthd out")
def _():
    table.run("DELETE FROM mailbox WHERE local_part = 'carol'")
    shutil.chown(table.path, "root")
    os.chmod(table.path, 0o444)
    daemon.start()
    server.start(BOTH.format(methods="auxprop saslauthd") + TRANSITION)
    check("carol", CAROL, WELCOME)
    equal(table.stored("carol"), [])
    contains("\n".join(postfix.problems(server.lines())), table.path)


# --- a program that calls sasl_checkpass

HASHES = """\
pwcheck_method: {method}
auxprop_plugin: sqlcrypt
password_format: crypt
sql_engine: sqlite3
sql_database: {database}
sql_select: SELECT password FROM mailbox WHERE username = '%u@%r'
saslauthd_path: {mux}
"""


def checkpass_by(method, *logins):
    return checkpass.check(server.directory, with_ours,
                           HASHES.format(method=method, database=table.path, mux=daemon.mux),
                           *logins)


@case("sasl_checkpass and hashes: no login, and a line that says why, once")
def _():
    results, lines = checkpass_by("auxprop", ("alice", ALICE), ("alice", ALICE),
                                  ("alice", table.stored("alice")[0]), ("nobody", ALICE))
    equal(results, [checkpass.NOUSER] * 4)
    warnings = [line for line in lines if "sqlcrypt: " in line]
    equal(len(warnings), 1, f"lines of ours in {lines}")
    contains(warnings[0], "a hash is stored, but this program compares clear text")


@case("sasl_checkpass, pwcheck_method: saslauthd")
def _():
    daemon.start()
    results, lines = checkpass_by("saslauthd", ("carol", CAROL), ("carol", "not-the-password"),
                                  ("dave", DAVE), ("nobody", CAROL))
    equal(results, [checkpass.OK, checkpass.BADAUTH, checkpass.OK, checkpass.BADAUTH])
    equal([line for line in lines if "sqlcrypt" in line or "pwverify" in line], [])


@case("saslauthd -a pam")
def _():
    if subprocess.run(saslauthd.IN_NAME_SPACE + daemon.accounts + ["true"], capture_output=True,
                      check=False).returncode != 0:
        raise tap.Skip("name spaces for mounts are not allowed here")
    daemon.start("pam")
    equal(daemon.verifies("carol", CAROL), True, "the right password")
    server.start(FOREIGN["saslauthd"])
    expect(server.login("PLAIN", "carol", CAROL), WELCOME)
    server.start(BOTH.format(methods="auxprop saslauthd"))
    expect(server.login("PLAIN", "carol", CAROL), WELCOME)
    expect(server.login("PLAIN", "alice", ALICE), WELCOME)
    expect(server.login("LOGIN", "alice", "not-the-password"), WRONG)


tap.run(server.close, daemon.stop)
