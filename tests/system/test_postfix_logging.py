#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""What an operator sees in the mail log of an unmodified Postfix, without "smtpd -v":
the steps of a login if asked for, errors always, secrets never. Each stop of Postfix
checks that no secret is in the log."""

import os

import database
import guard
import postfix
import tap
from postfix import OUTAGE, WELCOME, WRONG, expect
from tap import case, contains, equal

CONFIGURATION = """\
pwcheck_method: auxprop
auxprop_plugin: sqlcrypt
mech_list: PLAIN LOGIN
password_format: {format}
sql_engine: sqlite3
sql_user: postfix
sql_passwd: {database_password}
sql_database: {database}
sql_select: {select}
"""

SELECT = "SELECT password FROM mailbox WHERE username='%u@%r'"
PASSWORD = "Kaninchenbau-7"
MECHANISMS = ("PLAIN", "LOGIN")

postfix.require()
server = postfix.Postfix()
table = database.Table(server.path("users.sqlite"))


def start(log_level=None, select=SELECT, password_format="crypt"):
    text = CONFIGURATION.format(database=table.path, select=select, format=password_format,
                                database_password=guard.keep("Datenbank-Kennwort-3"))
    if log_level is not None:
        text += f"log_level: {log_level}\n"
    server.start(text, smtpd_sasl_local_domain="example.com")


def sasl_lines(mechanism, user, password, want):
    """What the plug-ins log about one login."""
    server.lines()
    expect(server.login(mechanism, user, password), want)
    lines = server.lines()
    return postfix.problems(lines) + postfix.refusals(lines)


def one_line_about(mechanism, user, password, want, *parts):
    lines = sasl_lines(mechanism, user, password, want)
    equal(len(lines), 1, f"number of {lines}")
    for part in parts:
        contains(lines[0], part)
    return lines[0]


def steps(user, password, want, *parts):
    """log_level: 5: there are several lines, and they show the steps."""
    for mechanism in MECHANISMS:
        lines = sasl_lines(mechanism, user, password, want)
        if len(lines) < 2:
            raise AssertionError(f"{mechanism}: the steps are not shown: {lines}")
        for part in parts + (mechanism,):
            contains("\n".join(lines), part, mechanism)


@case("users with hashes of several kinds")
def _():
    for user, prefix, cost in (("alice", "$6$", 1000), ("bob", "$2b$", 4), ("carol", "", 0),
                               ("dora", "$y$", 1)):
        table.add(user, database.crypt(f"{PASSWORD}-{user}", prefix, cost))
    table.add("garbage", "ThisIsNoHashAtAll")
    table.add("locked", "!" + database.crypt(PASSWORD))
    for _ in range(2):
        table.add("twin", database.crypt(PASSWORD))


def all_outcomes(log_level):
    """Logs in in every possible way, so that the stop can check the log."""
    start(log_level)
    for mechanism in MECHANISMS:
        for user in ("alice", "bob", "carol", "dora"):
            expect(server.login(mechanism, user, f"{PASSWORD}-{user}"), WELCOME)
            expect(server.login(mechanism, user, "not-the-" + PASSWORD), WRONG)
            stored = table.stored(user)[0]
            expect(server.login(mechanism, user, stored), WRONG)
        for user in ("garbage", "locked", "nobody-knows-me"):
            expect(server.login(mechanism, user, "not-the-" + PASSWORD), WRONG)
        expect(server.login(mechanism, "twin", PASSWORD), OUTAGE)
        expect(server.login(mechanism, "alice", "x" * 600), WRONG)
    server.stop()


for level in (None, 0, 1, 2, 3, 4, 5, 6, 7):
    case(f"no secret in the log, log_level {'not set' if level is None else level}",
         all_outcomes, level)


@case("log_level: 5 shows the steps of a login")
def _():
    start(5)
    steps("alice", f"{PASSWORD}-alice", WELCOME, "sqlite3", "alice")


@case("log_level: 5 shows the steps of a login that is refused")
def _():
    steps("alice", "not-the-password", WRONG, "sqlite3", "alice", "wrong password")


@case("log_level: 5 tells an unknown user")
def _():
    steps("nobody-knows-me", "not-the-password", WRONG, "sqlite3", "no such user")


@case("log_level: 5 tells a locked account")
def _():
    steps("locked", PASSWORD, WRONG, "sqlite3", "locked")


@case("log_level: 0: nothing about logins")
def _():
    start(0)
    for mechanism in MECHANISMS:
        equal(sasl_lines(mechanism, "alice", f"{PASSWORD}-alice", WELCOME), [])
        equal(sasl_lines(mechanism, "alice", "not-the-password", WRONG), [])
        equal(sasl_lines(mechanism, "nobody-knows-me", "not-the-password", WRONG), [])
        equal(sasl_lines(mechanism, "locked", PASSWORD, WRONG), [])


@case("log_level: 0: errors are there")
def _():
    for mechanism in MECHANISMS:
        one_line_about(mechanism, "twin", PASSWORD, OUTAGE, "more than one row", table.path)
        one_line_about(mechanism, "garbage", PASSWORD, WRONG, "truncated or malformed")
    os.rename(table.path, table.path + ".away")
    try:
        for mechanism in MECHANISMS:
            one_line_about(mechanism, "alice", PASSWORD, OUTAGE, "No such file", table.path)
    finally:
        os.rename(table.path + ".away", table.path)


@case("without log_level: one line about a login that is refused, none about others")
def _():
    start()
    for mechanism in MECHANISMS:
        equal(sasl_lines(mechanism, "alice", f"{PASSWORD}-alice", WELCOME), [])
        one_line_about(mechanism, "alice", "not-the-password", WRONG, mechanism, "alice",
                       "wrong password")
        one_line_about(mechanism, "nobody-knows-me", "not-the-password", WRONG, mechanism,
                       "nobody-knows-me", "no such user")
        one_line_about(mechanism, "locked", PASSWORD, WRONG, mechanism, "locked")


BY_ADDRESS = SELECT
BY_NAME = "SELECT password FROM mailbox WHERE local_part='%u'"
BY_BOTH = "SELECT password FROM mailbox WHERE local_part='%u' AND domain='%r'"

# What was typed, the template, smtpd_sasl_local_domain, and what the line says of it
SEARCHES = {
    "a bare name": ("nobody", BY_BOTH, "example.com",
                    ['user "nobody": no such user; looked for %u "nobody" and %r "example.com"']),
    "a whole address": ("nobody@example.net", BY_BOTH, "example.com",
                        ['looked for %u "nobody" and %r "example.net"']),
    "a wrong realm": ("alice@example.net", BY_ADDRESS, "",
                      ['no such user; looked for %u "alice" and %r "example.net"']),
    "an @, and no %r": ("nobody@example.com", BY_NAME, "",
                        ['looked for %u "nobody" alone: sql_select has no %r']),
    "neither @ nor %r": ("nobody", BY_NAME, "", ['looked for %u "nobody"']),
    "the realm is the host's name": (
        "alice", BY_BOTH, "", [f'looked for %u "alice" and %r "{postfix.HOST}", the name of this '
                               "host: the login has no @", "smtpd_sasl_local_domain"]),
    "a name that is to look like another line": (
        'x": authenticated', BY_NAME, "", ['user "x\\": authenticated": no such user']),
    "a name in UTF-8": ("jörg", BY_NAME, "", ['user "jörg": no such user']),
    "controls beyond ASCII": (
        "a\x85b\u2028c", BY_NAME, "", ['user "a?b?c": the user name holds a control character']),
    "what separates lines": ("a\u2028c", BY_NAME, "", ['user "a?c": no such user']),
    "a long name, cut between characters": (
        "x" + "ä" * 40, BY_NAME, "", ['user "x' + "ä" * 31 + '"...: no such user']),
}


def tells_who(user, select, realm, parts):
    server.start(CONFIGURATION.format(database=table.path, select=select, format="crypt",
                                      database_password="none"), smtpd_sasl_local_domain=realm)
    hints = ("the name of this host", "alone: sql_select has no %r")
    for mechanism in MECHANISMS:
        line = one_line_about(mechanism, user, "not-the-password", WRONG, *parts)
        for hint in hints:
            equal(hint in line, hint in "".join(parts), f"{hint} in {line}")


for label, search in SEARCHES.items():
    case(f"the line of a refused login tells who was looked for: {label}", tells_who, *search)


@case("so does that of a wrong password")
def _():
    server.start(CONFIGURATION.format(database=table.path, select=BY_NAME, format="crypt",
                                      database_password="none"))
    for mechanism in MECHANISMS:
        lines = sasl_lines(mechanism, "alice", "not-the-password", WRONG)
        contains(lines[0], 'user "alice": wrong password; looked for %u "alice"')
        equal(lines[0].count("%r"), 0, "mentions of %r")


@case("a NUL in a name is called a control character")
def _():
    expect(server.login("LOGIN", "alice\0x", "not-the-password"), WRONG)
    contains("\n".join(server.lines()), "the user name holds a control character")


@case("log_level: 2: the same as without")
def _():
    start(2)
    for mechanism in MECHANISMS:
        equal(sasl_lines(mechanism, "alice", f"{PASSWORD}-alice", WELCOME), [])
        one_line_about(mechanism, "alice", "not-the-password", WRONG, mechanism, "alice",
                       "wrong password")


@case("a user name cannot forge a line of the log")
def _():
    start(5)
    name = "mallory\r\nNov 11 11:11:11 mail postfix/smtpd[1]: forged"
    for mechanism in MECHANISMS:
        expect(server.login(mechanism, name, "not-the-password"), WRONG)
    server.settle()
    for line in server.log().splitlines():
        if line.startswith("Nov 11 11:11:11 mail postfix/smtpd[1]: forged"):
            raise AssertionError(f"forged: {line}")


@case("an error of the database that quotes a stored hash is not passed on")
def _():
    # SQLite says: JSON path error near '...', with all but the first character
    # of the column.
    guard.keep(table.stored("alice")[0][1:])
    start(5, "SELECT json_extract('{}', password) FROM mailbox WHERE username='%u@%r'")
    for mechanism in MECHANISMS:
        expect(server.login(mechanism, "alice", f"{PASSWORD}-alice"), OUTAGE)
    equal(len(postfix.problems(server.lines())) >= len(MECHANISMS), True, "it is reported")
    server.stop()


@case("passwords in clear text are not in the log either")
def _():
    table.add("clara", guard.keep("Klartext-Kennwort-11"))
    for log_level in (0, 5, 7):
        start(log_level, password_format="plain")
        for mechanism in MECHANISMS:
            expect(server.login(mechanism, "clara", "Klartext-Kennwort-11"), WELCOME)
            expect(server.login(mechanism, "clara", "Klartext-Kennwort-12"), WRONG)
        server.stop()


@case("the judgement of the log finds what it looks for")
def _():
    for text in ("Klartext-Kennwort-11", postfix.smtp.b64("Klartext-Kennwort-11")):
        try:
            guard.check(f"first line\nit is {text}!\n")
        except AssertionError:
            continue
        raise AssertionError(f"{text} was overlooked")


tap.run(server.close)
