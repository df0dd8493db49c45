#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Every file of sasl2-conf-examples works as printed, but for the place of the
database."""

import os
import re
import sqlite3

import database
import guard
import postfix
import tap
from postfix import WELCOME, WRONG, expect
from tap import case, equal

EXAMPLES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..",
                        "sasl2-conf-examples")
PASSWORD = guard.keep("Beispiel-Passwort-3")
USERS = "CREATE TABLE users (name TEXT, realm TEXT, password TEXT, PRIMARY KEY (name, realm))"

postfix.require()
server = postfix.Postfix()


def read(name):
    with open(os.path.join(EXAMPLES, name), encoding="utf-8") as file:
        return file.read()


def printed_table(example):
    """The CREATE TABLE of its comment."""
    comment = " ".join(re.findall(r"^# ?(.*)$", example, re.MULTILINE))
    return re.search(r"CREATE TABLE .*?;", comment).group(0)


def run(path, statement, *values):
    connection = sqlite3.connect(path)
    with connection:
        connection.execute(statement, values)
    connection.close()
    os.chmod(path, 0o644)


def at(example, path):
    """The example with another place for its database."""
    changed, count = re.subn(r"(?m)^sql_database: .*$", f"sql_database: {path}", example)
    equal(count, 1, "lines with sql_database")
    return changed


def check_logins(user):
    for mechanism in ("PLAIN", "LOGIN"):
        expect(server.login(mechanism, user, PASSWORD), WELCOME, mechanism)
        expect(server.login(mechanism, user, "not-the-password"), WRONG, mechanism)
        expect(server.login(mechanism, "nobody-knows-me", PASSWORD), WRONG, mechanism)
    equal(postfix.problems(server.lines()), [])


@case("smtpd-sqlite.conf")
def _():
    example = read("smtpd-sqlite.conf")
    path = server.path("users.db")
    run(path, printed_table(example))
    run(path, "INSERT INTO users VALUES ('ann', 'example.com', ?)", database.crypt(PASSWORD))
    server.start(at(example, path), smtpd_sasl_local_domain="example.com")
    check_logins("ann")
    check_logins("ann@example.com")


@case("smtpd-sqlite-chroot.conf")
def _():
    example = read("smtpd-sqlite-chroot.conf")
    # It says where the file is, inside of the jail.
    path = server.path("queue") + re.search(r"(?m)^sql_database: (.*)$", example).group(1)
    os.makedirs(os.path.dirname(path), 0o755)
    run(path, USERS)
    run(path, "INSERT INTO users VALUES ('ann', 'example.com', ?)", database.crypt(PASSWORD))
    server.start(example, chroot=True, smtpd_sasl_local_domain="example.com")
    check_logins("ann")


@case("smtpd-sqlite-mailbox.conf")
def _():
    example = read("smtpd-sqlite-mailbox.conf")
    path = server.path("mailboxes.db")
    run(path, printed_table(example))
    run(path, "INSERT INTO mailbox VALUES ('ann@example.com', ?, 1)", database.crypt(PASSWORD))
    run(path, "INSERT INTO mailbox VALUES ('old@example.com', ?, 0)", database.crypt(PASSWORD))
    server.start(at(example, path))
    check_logins("ann@example.com")
    expect(server.login("PLAIN", "old@example.com", PASSWORD), WRONG, "a mailbox out of use")


@case("smtpd-sqlite-saslauthd.conf, its table")
def _():
    example = read("smtpd-sqlite-saslauthd.conf")
    path = server.path("both.db")
    run(path, printed_table(example))
    run(path, "INSERT INTO users VALUES ('ann', 'example.com', ?)", database.crypt(PASSWORD))
    # Nobody listens there: what saslauthd would say, test_saslauthd.py asks the real one.
    server.start(at(example, path) + "saslauthd_path: /nonexistent/mux\n",
                 smtpd_sasl_local_domain="example.com")
    expect(server.login("PLAIN", "ann", PASSWORD), WELCOME)
    expect(server.login("PLAIN", "ann", "not-the-password"), postfix.OUTAGE)


@case("no example is left out")
def _():
    equal(sorted(os.listdir(EXAMPLES)),
          ["smtpd-sqlite-chroot.conf", "smtpd-sqlite-mailbox.conf", "smtpd-sqlite-saslauthd.conf",
           "smtpd-sqlite.conf"])


tap.run(server.close)
