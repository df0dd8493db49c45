#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The programs that come with libsasl2: its sample server and client, which log in by
each mechanism, saslpasswd2, which sets passwords, and saslpluginviewer, which shows
what a program sees of the plug-ins."""

import os
import select
import shutil
import subprocess

import database
import guard
import plugins
import tap
from tap import case, contains, equal, lacks

PROGRAMS = ("sasl-sample-server", "sasl-sample-client", "saslpasswd2", "saslpluginviewer")

for program in PROGRAMS:
    if shutil.which(program) is None:
        tap.skip_all(f"{program} is not installed")

directory = tap.directory()
stock_path = plugins.stock(directory)
with_ours = plugins.under_test() + ":" + stock_path
table = database.Table(os.path.join(directory, "users.sqlite"))
configurations = os.path.join(directory, "sasl2")
os.mkdir(configurations)

SELECT = "SELECT password FROM mailbox WHERE local_part='%u' AND active='1'"
CONFIGURATION = """\
pwcheck_method: auxprop
auxprop_plugin: sqlcrypt
password_format: {format}
password_store_scheme: SHA256-CRYPT
sql_engine: sqlite3
sql_database: {database}
sql_select: {select}
sql_insert: INSERT INTO mailbox (local_part, domain, password) VALUES ('%u', '%r', '%v')
sql_update: UPDATE mailbox SET password='%v' WHERE local_part='%u'
"""


def configure(application="sample", select=SELECT, password_format="crypt", text=None):
    if text is None:
        text = CONFIGURATION.format(database=table.path, select=select, format=password_format)
    for path in os.listdir(configurations):
        os.unlink(os.path.join(configurations, path))
    with open(os.path.join(configurations, application + ".conf"), "w", encoding="utf-8") as file:
        file.write(text)


def environment(sasl_path):
    return dict(os.environ, LC_ALL="C", SASL_CONF_PATH=configurations, SASL_PATH=sasl_path)


class Program:
    """A sample program at the other end of two pipes. It writes each piece at once, and
    has no terminal on which to ask for a password."""

    def __init__(self, name, arguments):
        self.process = subprocess.Popen(
            ["stdbuf", "-o0", name] + arguments, cwd=directory, env=environment(with_ours),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, bufsize=0,
            start_new_session=True)
        self.output = self.process.stdout
        self.pending = b""
        self.said = ""

    def read(self):
        """Reads its output. Returns the messages for the other side, or None at the
        end."""
        piece = os.read(self.output.fileno(), 65536)
        self.said += piece.decode("utf-8", "backslashreplace")
        self.pending += piece
        *lines, self.pending = self.pending.split(b"\n")
        return [line for line in lines if line[:3] in (b"S: ", b"C: ")] if piece else None

    def asked_for_password(self):
        if not self.pending.endswith(b"Password: "):
            return False
        self.pending = b""
        return True

    def write(self, line):
        try:
            self.process.stdin.write(line + b"\n")
        except BrokenPipeError:
            pass

    def end(self):
        """Closes its input, and returns its exit status."""
        self.process.stdin.close()
        try:
            return self.process.wait(10)
        finally:
            tap.end_group(self.process)
            self.output.close()


def talk(mechanism, user, password, server=(), client=()):
    """Lets the client log in at the server. Returns whether the server accepts,
    and its side of the log."""
    asks = Program("sasl-sample-client", ["-m", mechanism, "-s", "sample", "-a", user,
                                          "-n", "mail.example.com", "-p", with_ours, *client])
    serves = Program("sasl-sample-server", ["-m", mechanism, "-s", "sample", "-d",
                                            "mail.example.com", "-u", "example.com",
                                            "-p", with_ours, *server])
    other = {asks: serves, serves: asks}
    running = {asks.output: asks, serves.output: serves}
    while running:
        ready, _, _ = select.select(list(running), [], [], 20)
        if not ready:
            break  # They wait for each other: their input is closed below.
        for output in ready:
            program = running[output]
            messages = program.read()
            if messages is None:
                del running[output]
                other[program].process.stdin.close()
                continue
            for message in messages:
                if not other[program].process.stdin.closed:
                    other[program].write(message)
            if program is asks and program.asked_for_password():
                program.write(guard.keep(password).encode())
    status = serves.end()
    asks.end()
    if running:
        raise AssertionError("neither side goes on:\n" + serves.said + asks.said)
    log = "\n".join(line for line in serves.said.splitlines()
                    if line.startswith("sasl-sample-server: "))
    guard.check(log, "log of the server")
    return status == 0 and "Negotiation complete" in serves.said, log


def accepted(mechanism, user, password, **arguments):
    yes, log = talk(mechanism, user, password, **arguments)
    equal(yes, True, f"{mechanism}: {user} is accepted, log:\n{log}")
    return log


def refused(mechanism, user, password, **arguments):
    yes, log = talk(mechanism, user, password, **arguments)
    equal(yes, False, f"{mechanism}: {user} is accepted, log:\n{log}")
    return log


# --- sample server and client

PASSWORD = "Kaninchenbau-7"
MECHANISMS = ("PLAIN", "LOGIN")
# Debian 11 has SCRAM in a package of its own.
HAS_SCRAM = os.path.exists(os.path.join(stock_path, "libscram.so"))
CHALLENGES = ("CRAM-MD5", "DIGEST-MD5") + (("SCRAM-SHA-1", "SCRAM-SHA-256") if HAS_SCRAM else ())


@case("users with hashes")
def _():
    configure()
    table.add("alice", database.crypt(PASSWORD, "$6$", 1000))
    table.add("yves", database.crypt(PASSWORD, "$y$", 1))


def password_mechanism(mechanism):
    for user in ("alice", "yves"):
        accepted(mechanism, user, PASSWORD)
        log = refused(mechanism, user, "not-the-password")
        contains(log, "authentication failure")
        refused(mechanism, user, table.stored(user)[0])
    log = refused(mechanism, "nobody-knows-me", PASSWORD)
    # libsasl2 treats both alike, so that the answer does not reveal who exists.
    contains(log, "authentication failure")
    lacks(log, "user not found")


for name in MECHANISMS:
    case(f"{name} accepts and refuses", password_mechanism, name)


def hash_is_no_shared_secret(mechanism):
    for user in ("alice", "yves"):
        refused(mechanism, user, PASSWORD)
        refused(mechanism, user, table.stored(user)[0])


for name in CHALLENGES:
    case(f"{name} does not take a stored hash for the password", hash_is_no_shared_secret, name)


@case("an outage is not a wrong password")
def _():
    os.rename(table.path, table.path + ".away")
    try:
        for mechanism in MECHANISMS + CHALLENGES:
            log = refused(mechanism, "alice", PASSWORD)
            contains(log, table.path, mechanism)
            contains(log, "remote authentication server unavailable", mechanism)
    finally:
        os.rename(table.path + ".away", table.path)
    accepted("PLAIN", "alice", PASSWORD)


@case("password_format: plain serves all mechanisms")
def _():
    configure(password_format="plain")
    table.add("clara", "Klartext-11")
    for mechanism in MECHANISMS + CHALLENGES:
        accepted(mechanism, "clara", "Klartext-11")
        refused(mechanism, "clara", "Klartext-12")
        refused(mechanism, "alice", table.stored("alice")[0])
        refused(mechanism, "alice", PASSWORD)


@case("a SCRAM verifier serves SCRAM, and is no password")
def _():
    if not HAS_SCRAM:
        raise tap.Skip("libsasl2's SCRAM is not installed")
    table.add("sven", database.scram_verifier("Salzwasser-14"))
    for password_format in ("plain", "crypt"):
        configure(password_format=password_format)
        accepted("SCRAM-SHA-256", "sven", "Salzwasser-14")
        refused("SCRAM-SHA-256", "sven", "Salzwasser-15")
        for mechanism in MECHANISMS + CHALLENGES:
            refused(mechanism, "sven", table.stored("sven")[0])


@case("a template that cannot be read: EXTERNAL works on, PLAIN and LOGIN do not")
def _():
    outside = ["-e", "ssf=128,id=alice"]
    for select_text in (SELECT, SELECT.replace("%u", "%x")):
        configure(select=select_text)
        accepted("EXTERNAL", "alice", PASSWORD, server=outside, client=outside)
    for mechanism in MECHANISMS:
        log = refused(mechanism, "alice", PASSWORD)
        contains(log, "position")
        contains(log, "remote authentication server unavailable")


@case("PLAIN with an authorization identity")
def _():
    configure()
    accepted("PLAIN", "alice", PASSWORD, client=["-u", "alice"])
    refused("PLAIN", "alice", "not-the-password", client=["-u", "yves"])


# --- saslpasswd2


def saslpasswd2(*arguments, password=None):
    run = subprocess.run(["saslpasswd2", *arguments], env=environment(with_ours), cwd=directory,
                         input=guard.keep(password) if password else "", capture_output=True,
                         text=True, check=False, start_new_session=True, timeout=60)
    return run.returncode, run.stdout + run.stderr


def set_password(user, password, *arguments):
    status, said = saslpasswd2("-p", "-a", "sample", "-u", "example.com", *arguments, user,
                               password=password)
    equal(status, 0, f"exit status of saslpasswd2, {said}")
    rows = table.stored(user)
    equal(len(rows), 1, "rows of the user")
    return guard.keep(rows[0])


def holds(stored, start):
    """The column holds a hash of this kind."""
    equal(stored[:len(start)], start, "start of what is stored")


def logs_in_with(user, right, wrong):
    for mechanism in MECHANISMS:
        accepted(mechanism, user, right)
        refused(mechanism, user, wrong)
        refused(mechanism, user, table.stored(user)[0])


@case("saslpasswd2 -c stores a hash of a new user, never the password")
def _():
    configure()
    stored = set_password("eva", "Paradiesapfel-1", "-c")
    holds(stored, "$5$")
    equal(table.run("SELECT domain FROM mailbox WHERE local_part = 'eva'"), [("example.com",)])
    logs_in_with("eva", "Paradiesapfel-1", "Paradiesapfel-2")


@case("saslpasswd2 updates it")
def _():
    before = table.stored("eva")[0]
    stored = set_password("eva", "Paradiesapfel-2")
    holds(stored, "$5$")
    if stored == before:
        raise AssertionError("it is the old one")
    logs_in_with("eva", "Paradiesapfel-2", "Paradiesapfel-1")


@case("saslpasswd2 for a user whose hash is of another kind")
def _():
    holds(set_password("alice", "Spiegelland-8"), "$5$")
    logs_in_with("alice", "Spiegelland-8", PASSWORD)


@case("the same password is stored with another salt")
def _():
    first = set_password("eva", "Paradiesapfel-3")
    if first == set_password("eva", "Paradiesapfel-3"):
        raise AssertionError("the same salt twice")


@case("saslpasswd2 -d leaves NULL, with which nobody logs in")
def _():
    status, said = saslpasswd2("-d", "-a", "sample", "-u", "example.com", "eva")
    equal(status, 0, f"exit status of saslpasswd2, {said}")
    equal(table.stored("eva"), [None])
    for mechanism in MECHANISMS:
        for password in ("Paradiesapfel-3", "", "NULL"):
            refused(mechanism, "eva", password)


@case("saslpasswd2 -d of an unknown user")
def _():
    rows = table.run("SELECT * FROM mailbox")
    status, said = saslpasswd2("-d", "-a", "sample", "-u", "example.com", "nobody-knows-me")
    if status == 0:
        raise AssertionError(f"it succeeds: {said}")
    equal(table.run("SELECT * FROM mailbox"), rows)


@case("a new password after the old one was deleted")
def _():
    holds(set_password("eva", "Paradiesapfel-4"), "$5$")
    logs_in_with("eva", "Paradiesapfel-4", "Paradiesapfel-3")


@case("a user name full of SQL is stored as it is")
def _():
    name = "o'hara\"; DROP TABLE mailbox; --%u%v"
    holds(set_password(name, "Vom-Winde-verweht-1", "-c"), "$5$")
    accepted("PLAIN", name, "Vom-Winde-verweht-1")
    refused("PLAIN", name, "Vom-Winde-verweht-2")


@case("password_store_scheme decides what is stored")
def _():
    for scheme, start in (("SHA512-CRYPT", "$6$"), ("BLF-CRYPT", "$2"), ("YESCRYPT", "$y$"),
                          ("MD5-CRYPT", "$1$")):
        configure(text=CONFIGURATION.format(database=table.path, select=SELECT, format="crypt")
                  .replace("SHA256-CRYPT", scheme))
        holds(set_password("eva", f"Baumschule-{scheme}"), start)
        accepted("PLAIN", "eva", f"Baumschule-{scheme}")


@case("without password_store_scheme it is a strong hash")
def _():
    configure(text=CONFIGURATION.format(database=table.path, select=SELECT, format="crypt")
              .replace("password_store_scheme: SHA256-CRYPT\n", ""))
    stored = set_password("eva", "Baumschule-20")
    if not stored.startswith(("$y$", "$6$")):
        raise AssertionError(f"it is {stored}")
    accepted("PLAIN", "eva", "Baumschule-20")


@case("password_format: plain stores the password itself")
def _():
    configure(password_format="plain")
    equal(set_password("eva", "Klartext-21"), "Klartext-21")
    accepted("CRAM-MD5", "eva", "Klartext-21")


@case("saslpasswd2 fails where nothing can be stored, and changes nothing")
def _():
    configure()
    rows = table.run("SELECT * FROM mailbox")
    lock = table.lock()
    configure(text=CONFIGURATION.format(database=table.path, select=SELECT, format="crypt")
              + "sql_timeout: 0.3\n")
    try:
        status, said = saslpasswd2("-p", "-c", "-a", "sample", "eva", password="Zugesperrt-22")
        if status == 0:
            raise AssertionError(f"it succeeds on a locked table: {said}")
    finally:
        lock.close()
    configure(text=CONFIGURATION.format(database=table.path + ".missing", select=SELECT,
                                        format="crypt"))
    status, said = saslpasswd2("-p", "-c", "-a", "sample", "eva", password="Unauffindbar-23")
    if status == 0:
        raise AssertionError(f"it succeeds without a table: {said}")
    equal(os.path.exists(table.path + ".missing"), False, "a file was made")
    equal(table.run("SELECT * FROM mailbox"), rows)


# --- saslpluginviewer


def view(sasl_path):
    run = subprocess.run(["saslpluginviewer", "-a", "-s", "-c"], env=environment(sasl_path),
                         cwd=directory, capture_output=True, text=True, check=False, timeout=60)
    equal(run.returncode, 0, "exit status of saslpluginviewer")
    return run.stdout + run.stderr


@case("saslpluginviewer shows us to a program that asks for us")
def _():
    configure("pluginviewer")
    shown = view(with_ours)
    contains(shown, 'Plugin "sqlcrypt"')
    contains(shown, 'Plugin "pwverify"')
    # libsasl2 takes the first of two mechanisms of the same name.
    for mechanism in MECHANISMS:
        first = shown[:shown.index(f"SASL mechanism: {mechanism},")].rindex("Plugin ")
        contains(shown[first:first + 20], '"pwverify"', f"first of {mechanism}")


NOT_ASKED = {
    "no configuration at all": None,
    "sasldb": "auxprop_plugin: sasldb\n",
    "the stock sql plug-in": "auxprop_plugin: sql\nsql_engine: sqlite3\n"
                             f"sql_database: {table.path}\nsql_select: {SELECT}\n",
    "all plug-ins, and a statement for the stock one":
        f"sql_engine: sqlite3\nsql_database: {table.path}\nsql_select: {SELECT}\n",
    "sql_select: dummy": "auxprop_plugin: sqlcrypt\nsql_select: dummy\n",
    "sql_select: dummy select": "auxprop_plugin: sqlcrypt\nsql_select: dummy select\n",
    "misspelt options": "pwcheck_methd: authdaemond\nsql_password: x\nmech_lists: PLAIN\n"
                        "auxprop_plugin: 'sqlcrypt'\nlog_level: DEBUG\nsql_select: x\n",
    "no statement": "auxprop_plugin: sqlcrypt\nsql_engine: sqlite3\n",
    "saslauthd": "pwcheck_method: saslauthd\n",
    "the name of another engine": "auxprop_plugin: mysql\nsql_engine: sqlite3\n"
                                  f"sql_database: {table.path}\nsql_select: {SELECT}\n",
}


def not_asked(text):
    configure("other" if text is None else "pluginviewer", text=text or "")
    equal(view(with_ours), view(stock_path))


for label, content in NOT_ASKED.items():
    case(f"saslpluginviewer does not notice us: {label}", not_asked, content)


tap.run()
