#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""smtpd in a chroot jail, the default of Debian's master.cf: a database inside the jail
works, and one outside is an outage that explains itself."""

import os

import database
import postfix
import tap
from daemon import wait_for
from postfix import OUTAGE, WELCOME, WRONG, expect
from tap import case, contains, equal

CONFIGURATION = """\
pwcheck_method: auxprop
auxprop_plugin: sqlcrypt
password_format: crypt
mech_list: PLAIN LOGIN
sql_engine: sqlite3
sql_database: {database}
sql_select: SELECT password FROM mailbox WHERE local_part='%u'
"""

PASSWORD = "Kaninchenbau-7"
MECHANISMS = ("PLAIN", "LOGIN")

postfix.require()
server = postfix.Postfix()
outside = database.Table(server.path("users.sqlite"))
outside.add("alice", database.crypt(PASSWORD, "$y$", 1))
# The jail is the queue directory.
os.mkdir(server.path("queue", "lib"), 0o755)
inside = database.Table(server.path("queue", "lib", "users.sqlite"))
inside.add("alice", database.crypt(PASSWORD, "$y$", 1))


def check_logins():
    for mechanism in MECHANISMS:
        expect(server.login(mechanism, "alice", PASSWORD), WELCOME, mechanism)
        expect(server.login(mechanism, "alice", "not-the-password"), WRONG, mechanism)
        expect(server.login(mechanism, "alice", inside.stored("alice")[0]), WRONG, mechanism)
        expect(server.login(mechanism, "nobody-knows-me", PASSWORD), WRONG, mechanism)


def check_outage(path, *parts):
    """Returns the line of the log about it."""
    for mechanism in MECHANISMS:
        server.lines()
        expect(server.login(mechanism, "alice", PASSWORD), OUTAGE, mechanism)
        problems = postfix.problems(server.lines())
        equal(len(problems), 1, f"{mechanism}: number of {problems}")
        for part in (path,) + parts:
            contains(problems[0], part)
    return problems[0]


@case("smtpd is in the jail")
def _():
    server.start(CONFIGURATION.format(database="/lib/users.sqlite"), chroot=True)
    with server.session() as session:
        session.ehlo()
        (pid,) = wait_for(server.connected_pids, "the process in the log")
        equal(os.path.realpath(f"/proc/{pid}/root"), os.path.realpath(server.path("queue")))


@case("a database inside the jail, by its path inside")
def _():
    check_logins()
    equal(postfix.problems(server.lines()), [])


@case("a database outside the jail is an outage, and the log says so")
def _():
    server.start(CONFIGURATION.format(database=outside.path), chroot=True)
    check_outage(outside.path, "chroot jail")


@case("it works as soon as it is inside, in the same smtpd")
def _():
    os.makedirs(os.path.dirname(server.path("queue") + outside.path), 0o755)
    os.link(outside.path, server.path("queue") + outside.path)
    check_logins()
    equal(len(server.smtpd_pids()), 1, "processes that served all of this")


@case("inside the jail, a path that includes the jail is an outage too")
def _():
    server.start(CONFIGURATION.format(database=inside.path), chroot=True)
    check_outage(inside.path, "chroot jail")


@case("the other ways to fail do not mention the jail")
def _():
    server.start(CONFIGURATION.format(database="/lib/users.sqlite"), chroot=True)
    check_logins()
    inside.run("ALTER TABLE mailbox RENAME TO other")
    line = check_outage("/lib/users.sqlite", "no such table")
    inside.run("ALTER TABLE other RENAME TO mailbox")
    tap.lacks(line, "jail")
    check_logins()


@case("without a jail nothing mentions one")
def _():
    server.start(CONFIGURATION.format(database=outside.path + ".missing"))
    tap.lacks(check_outage(outside.path, "No such file"), "jail")


tap.run(server.close)
