#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The dialogue between an unmodified Postfix and its clients, word by word:
announcements, challenges and answers, what is relayed, and what happens with clients
and configurations that do not make sense."""


import database
import guard
import plugins
import postfix
import smtp
import tap
from postfix import OUTAGE, WELCOME, WRONG, expect
from smtp import b64
from tap import case, contains, equal, lacks

SELECT = "SELECT password FROM mailbox WHERE local_part='%u' AND active='1'"

CONFIGURATION = """\
pwcheck_method: auxprop
auxprop_plugin: sqlcrypt
password_format: crypt
mech_list: {mechanisms}
sql_engine: sqlite3
sql_database: {database}
sql_select: {select}
"""

USER, PASSWORD = "alice", "Kaninchenbau-7"
FRIEND = "friend@example.net"

postfix.require()
server = postfix.Postfix()
table = database.Table(server.path("users.sqlite"))
table.add(USER, database.crypt(PASSWORD))
table.add("bob", database.crypt("Baumeister-9"))


def configuration(select=SELECT, mechanisms="PLAIN LOGIN"):
    return CONFIGURATION.format(database=table.path, select=select, mechanisms=mechanisms)


def send_message(session, mark):
    """Submits a message to another domain, up to the end of its text."""
    expect(session.command(f"MAIL FROM:<{USER}@example.com>"), "250 2.1.0 Ok")
    expect(session.command(f"RCPT TO:<{FRIEND}>"), "250 2.1.5 Ok")
    expect(session.command("DATA"), "354 ")
    expect(session.command(f"From: {USER}@example.com\r\nTo: {FRIEND}\r\nSubject: {mark}\r\n"
                           "\r\nWith kind regards\r\n."), "250 2.0.0 Ok: queued as")


# --- the dialogue that guides print


@case("the telnet dialogue with HELO and AUTH LOGIN")
def _():
    guard.keep(PASSWORD)
    server.start(configuration(), smtpd_sasl_authenticated_header="yes")
    with server.session() as session:
        equal(session.greeting, f"220 {postfix.HOST} ESMTP Postfix")
        equal(session.command("HELO example.com"), f"250 {postfix.HOST}")
        equal(session.command("AUTH LOGIN"), "334 VXNlcm5hbWU6")
        equal(session.command(b64(USER)), "334 UGFzc3dvcmQ6")
        equal(session.command(b64(PASSWORD)), "235 2.7.0 Authentication successful")
        send_message(session, "telnet")
        equal(session.command("QUIT"), "221 2.0.0 Bye")


@case("the message arrives, with the name of the sender who has logged in")
def _():
    message = server.sink.message("Subject: telnet")
    contains(message, "With kind regards")
    contains(smtp.header(message, "Received"), f"(Authenticated sender: {USER})")


@case("without AUTH nothing is relayed")
def _():
    with server.session() as session:
        session.ehlo()
        expect(session.command(f"MAIL FROM:<{USER}@example.com>"), "250 2.1.0 Ok")
        expect(session.command(f"RCPT TO:<{FRIEND}>"), "554 5.7.1 ")
        expect(session.command(f"RCPT TO:<{USER}@example.com>"), "250 2.1.5 Ok")


@case("after a refused login nothing is relayed")
def _():
    with server.session() as session:
        session.ehlo()
        expect(session.auth_plain(USER, "not-the-password"), WRONG)
        expect(session.command(f"MAIL FROM:<{USER}@example.com>"), "250 2.1.0 Ok")
        expect(session.command(f"RCPT TO:<{FRIEND}>"), "554 5.7.1 ")


@case("a second try in the same session, and no third after success")
def _():
    with server.session() as session:
        session.ehlo()
        expect(session.auth_login(USER, "not-the-password"), WRONG)
        expect(session.auth_plain(USER, "not-the-password"), WRONG)
        expect(session.auth_plain("nobody-knows-me", PASSWORD), WRONG)
        expect(session.auth_login(USER, PASSWORD), WELCOME)
        expect(session.command("AUTH LOGIN"), "503 ")
        send_message(session, "second-try")


@case("PLAIN without an initial response")
def _():
    with server.session() as session:
        session.ehlo()
        equal(session.command("AUTH PLAIN").rstrip(), "334")
        equal(session.command(b64(f"\0{USER}\0{PASSWORD}")), WELCOME)


@case("LOGIN with the user name as the initial response")
def _():
    with server.session() as session:
        session.ehlo()
        equal(session.command("AUTH LOGIN " + b64(USER)), "334 UGFzc3dvcmQ6")
        equal(session.command(b64(PASSWORD)), WELCOME)
    with server.session() as session:
        session.ehlo()
        expect(session.auth_login(USER, "not-the-password", initial=True), WRONG)
        expect(session.auth_login("nobody-knows-me", PASSWORD, initial=True), WRONG)


@case("names of mechanisms in small letters")
def _():
    for command in ("auth plain", "Auth Plain"):
        with server.session() as session:
            session.ehlo()
            expect(session.command(f"{command} " + b64(f"\0{USER}\0{PASSWORD}")), WELCOME)


@case("PLAIN with an authorization identity")
def _():
    for authzid, want in ((USER, WELCOME), ("bob", WRONG), ("nobody-knows-me", WRONG)):
        with server.session() as session:
            session.ehlo()
            expect(session.auth_plain(USER, PASSWORD, authzid), want, authzid)


@case("a client that gives up")
def _():
    for start in ("AUTH PLAIN", "AUTH LOGIN", "AUTH LOGIN " + b64(USER)):
        with server.session() as session:
            session.ehlo()
            expect(session.command(start), "334 ")
            expect(session.command("*"), "501 ", start)
            expect(session.auth_plain(USER, PASSWORD), WELCOME)


@case("a client that hangs up in the middle")
def _():
    for start in ("AUTH PLAIN", "AUTH LOGIN", "AUTH LOGIN " + b64(USER)):
        with server.session() as session:
            session.ehlo()
            expect(session.command(start), "334 ")
            session.socket.shutdown(1)
    expect(server.login("LOGIN", USER, PASSWORD), WELCOME)


# --- what is announced


@case("EHLO announces each mechanism once")
def _():
    with server.session() as session:
        offered = smtp.capabilities(session.ehlo())
    equal([line for line in offered if line.startswith("AUTH")], ["AUTH PLAIN LOGIN"])


@case("broken_sasl_auth_clients: each mechanism once, in both forms")
def _():
    server.start(configuration(), broken_sasl_auth_clients="yes",
                 smtpd_sasl_authenticated_header="no")
    with server.session() as session:
        offered = smtp.capabilities(session.ehlo())
        equal([line for line in offered if line.startswith("AUTH")],
              ["AUTH PLAIN LOGIN", "AUTH=PLAIN LOGIN"])
        expect(session.auth_login(USER, PASSWORD), WELCOME)
        send_message(session, "broken-client")


@case("smtpd_sasl_authenticated_header = no: the name is not in the message")
def _():
    message = server.sink.message("Subject: broken-client")
    contains(smtp.header(message, "Received"), postfix.HOST)
    lacks(message, "Authenticated sender")


@case("mech_list decides what is announced")
def _():
    for names in ("PLAIN", "LOGIN", "LOGIN PLAIN"):
        server.start(configuration(mechanisms=names))
        with server.session() as session:
            equal(sorted(smtp.mechanisms(session.ehlo())), sorted(names.split()))


# --- messages that make no sense

LONG = 9000  # its base64 form is just below what Postfix takes
COMMAND = 1500  # more does not fit into a command of Postfix 3.10

PLAIN_MESSAGES = {
    "empty": b"",
    "no NUL": f"{USER}{PASSWORD}".encode(),
    "one NUL": f"{USER}\0{PASSWORD}".encode(),
    "one NUL, in front": f"\0{USER}{PASSWORD}".encode(),
    "three NULs": f"\0{USER}\0{PASSWORD}\0".encode(),
    "three NULs, one in the password": f"\0{USER}\0{PASSWORD[:4]}\0{PASSWORD[4:]}".encode(),
    "NULs alone": b"\0\0",
    "a hundred NULs": b"\0" * 100,
    "empty user": f"\0\0{PASSWORD}".encode(),
    "empty user, with an authorization identity": f"{USER}\0\0{PASSWORD}".encode(),
    "empty password": f"\0{USER}\0".encode(),
}

USERS = {
    "blanks": b"   ",
    "a line end": b"\r\n",
    "not UTF-8": b"ali\xffce",
    "half a character of UTF-8": b"alice\xc3",
    "an overlong form of UTF-8": b"\xc1\xa1lice",
    "a surrogate in UTF-8": b"\xed\xa0\x80",
    "control characters": b"\x01\x02\x1b[2J",
    "quote": b"'",
    "many quotes": b"'" * 500,
    "always true": b"' OR '1'='1",
    "always true, commented": b"alice' --",
    "union": b"x' UNION SELECT '*",
    "drop": b"x'; DROP TABLE mailbox; --",
    "backslash": b"\\' OR 1=1 --",
    "double quotes": b"\" OR \"\"=\"",
    "brackets and backticks": b"`[alice]`",
    "placeholders": b"?1 :u @u $u",
    "percent u": b"%u",
    "all macros": b"%u%r%v%p%a%%",
    "percent formats": b"%s%s%s%n%x%1000000d",
    "a percent sign": b"100%",
    "wildcards": b"%",
    "other wildcards": b"_____",
    "capital letters": b"ALICE",
    "many at signs": b"@" * 200,
    "10 kB": b"u" * LONG,
}


def next_login_works():
    """On its own connection, in the same process, from the same table."""
    expect(server.login("PLAIN", USER, PASSWORD), WELCOME, "the next login by PLAIN")
    expect(server.login("LOGIN", USER, PASSWORD), WELCOME, "the next login by LOGIN")
    equal(len(server.smtpd_pids()), 1, "processes that served all of this")


def raw_plain(message, want=WRONG):
    with server.session() as session:
        session.ehlo()
        if len(message) > COMMAND:
            expect(session.command("AUTH PLAIN"), "334 ")
            expect(session.command(b64(guard.keep(message))), want)
        else:
            # An empty initial response is written "=".
            expect(session.command("AUTH PLAIN " + (b64(guard.keep(message)) or "=")), want)
        expect(session.command("NOOP"), "250 ")


def strange_message(message):
    raw_plain(message)
    next_login_works()


def strange_user(user):
    raw_plain(b"\0" + user + b"\0" + PASSWORD.encode())
    raw_plain(user + b"\0" + USER.encode() + b"\0not-the-password")
    for initial in (True, False) if len(user) <= COMMAND else (False,):
        with server.session() as session:
            session.ehlo()
            expect(session.auth_login(user, PASSWORD, initial), WRONG)
    next_login_works()
    equal(table.run("SELECT count(*) FROM mailbox"), [(2,)], "rows in the table")


@case("one smtpd for all the nonsense")
def _():
    server.start(configuration())
    next_login_works()


for label, text in PLAIN_MESSAGES.items():
    case(f"PLAIN message: {label}", strange_message, text)
for label, text in USERS.items():
    case(f"user name: {label}", strange_user, text)


@case("CRAM-MD5: a stored hash is no secret to share")
def _():
    server.start(configuration(mechanisms="PLAIN LOGIN CRAM-MD5"))
    for password in (PASSWORD, table.stored(USER)[0]):
        with server.session() as session:
            session.ehlo()
            expect(session.auth_cram_md5(USER, password), WRONG)
            expect(session.auth_plain(USER, PASSWORD), WELCOME)


@case("LOGIN: an empty user, an empty password, a NUL in either")
def _():
    for user, password in ((b"", PASSWORD), (USER, b""), (USER.encode() + b"\0", PASSWORD),
                           (USER.encode() + b"\0x", PASSWORD),
                           (USER, PASSWORD.encode() + b"\0"), (USER, PASSWORD.encode() + b"\0x")):
        with server.session() as session:
            session.ehlo()
            expect(session.auth_login(user, password), WRONG, f"{user!r} {password!r}")
        next_login_works()


def long_password(length):
    password = b"p" * length
    for mechanism in ("PLAIN", "LOGIN"):
        reply = server.login(mechanism, USER, password)
        if not reply.startswith("5"):
            raise AssertionError(f"{mechanism}: got {reply!r}")
    next_login_works()


for size in (513, 2000, LONG, 10240, 50000):
    case(f"a password of {size} bytes", long_password, size)


@case("what is not base64")
def _():
    for command in ("AUTH PLAIN !!!!", "AUTH PLAIN AAA", "AUTH LOGIN !!!!", "AUTH PLAIN = ="):
        with server.session() as session:
            session.ehlo()
            expect(session.command(command), "5", command)
    with server.session() as session:
        session.ehlo()
        expect(session.command("AUTH LOGIN"), "334 ")
        expect(session.command(b64(USER)), "334 ")
        expect(session.command("!!!!"), "5")
    next_login_works()


# --- configurations that cannot work: PLAIN and LOGIN are out of order, and the
# --- rest of smtpd is not

TEMPLATES = {
    "an open quote": ("SELECT password FROM mailbox WHERE local_part='%u", "not closed"),
    "an open comment": ("SELECT password FROM mailbox /* WHERE local_part='%u'", "position"),
    "an unknown macro": ("SELECT password FROM mailbox WHERE local_part='%x'", "%x"),
    "an unknown macro outside quotes": ("SELECT password FROM mailbox WHERE local_part=%x", "%x"),
    "a macro of Postfix": ("SELECT password FROM mailbox WHERE username='%s'", "%u@%r"),
    "%v in a SELECT": ("SELECT password FROM mailbox WHERE password='%v'", "%v"),
}

ALL = "PLAIN LOGIN ANONYMOUS CRAM-MD5"


def check_out_of_order(*reasons):
    """What everyone sees while the configuration cannot work."""
    with server.session() as session:
        equal(sorted(smtp.mechanisms(session.ehlo())), sorted(ALL.split()))
    # What is logged before there is a connection goes to syslog, for libsasl2
    # does not ask the program then: so each login has to say it again.
    server.lines()
    for mechanism in ("PLAIN", "LOGIN"):
        for password in (PASSWORD, "not-the-password"):
            expect(server.login(mechanism, USER, password), OUTAGE, mechanism)
            lines = server.lines()
            equal(len(postfix.problems(lines)), 1, f"problems in {lines}")
            for reason in reasons:
                contains(postfix.problems(lines)[0], reason)
    # What needs the table is out of order too. What does not is answered as
    # libsasl2 does where no auxprop plug-in is found.
    with server.session() as session:
        session.ehlo()
        expect(session.auth_cram_md5(USER, PASSWORD), OUTAGE, "CRAM-MD5")
        equal(session.command("AUTH ANONYMOUS " + b64("guest@example.org")),
              WRONG + "Error: authentication failed: no mechanism available", "ANONYMOUS")
    equal(len(server.smtpd_pids()), 1, "processes that served all of this")


def unreadable(select, reason):
    server.start(configuration(select, ALL), smtpd_sasl_security_options="")
    check_out_of_order("sql_select: position ", reason)


for label, (template, why) in TEMPLATES.items():
    case(f"sql_select with {label}", unreadable, template, why)


@case("sql_update that cannot be read")
def _():
    server.start(configuration(mechanisms=ALL) + "sql_insert: INSERT INTO mailbox VALUES ('%u\n"
                 "sql_update: UPDATE mailbox SET password='%v' WHERE local_part='%u'\n",
                 smtpd_sasl_security_options="")
    check_out_of_order("sql_insert: position ", "not closed")


@case("an engine that is not known")
def _():
    server.start(configuration(mechanisms=ALL).replace("sqlite3", "oracle"),
                 smtpd_sasl_security_options="")
    check_out_of_order("sql_engine", "oracle")


@case("a driver that is not installed")
def _():
    server.sasl_path = plugins.without_driver(server.directory) + ":" + \
        plugins.stock(server.directory)
    server.start(configuration(mechanisms=ALL), smtpd_sasl_security_options="")
    check_out_of_order("install", "sqlcrypt/sqlite3.so")


tap.run(server.close)
