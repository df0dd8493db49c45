#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""An unmodified libvirtd, which has threads, with
sasl2-conf-examples/libvirtd-sqlite.conf, and virsh."""

import guard
import libvirtd
import logins
import tap
from examples import printed_lines, printed_table, read, with_options
from libvirtd import BADAUTH, REFUSED, UNAVAILABLE
from logins import NOT_THE_PASSWORD, PASSWORDS, RIGHT
from tap import case, contains, equal

libvirtd.require()

EXAMPLE = read("libvirtd-sqlite.conf")
LINES = printed_lines(EXAMPLE, "In libvirtd.conf:")

server = libvirtd.Libvirtd()
users = logins.SqliteUsers(server.path("users.db"), printed_table(EXAMPLE), realm=None)
CONFIGURATION = with_options(EXAMPLE, sql_database=users.path) + logins.CHEAP


@case("the right password is accepted, and another refused")
def _():
    server.start(CONFIGURATION, LINES)
    logins.check(server.login, users.hashes)
    contains(server.system_log.wait_for("nobody-knows-me"),
             'PLAIN: user "ann": wrong password; looked for %u "ann"')
    equal(set(server.results()), {BADAUTH})


@case("during an outage, clients are refused, and the log says why")
def _():
    server.start(CONFIGURATION, LINES)
    users.stop()
    try:
        for user, password in (("ann", PASSWORDS["ann"]), ("ann", NOT_THE_PASSWORD),
                               ("nobody-knows-me", PASSWORDS["ann"])):
            equal(server.login(user, password), REFUSED, user)
    finally:
        users.start()
    server.system_log.wait_for(f"{users.path}: No such file or directory")
    equal(server.results(), {UNAVAILABLE: 3})
    equal(server.login("ann", PASSWORDS["ann"]), RIGHT)
    equal(server.login("ann", NOT_THE_PASSWORD), REFUSED)


@case("twenty at once")
def _():
    server.start(CONFIGURATION, LINES)
    logins.at_once(server.login)
    equal(server.results(), {BADAUTH: 30})
    equal(server.running, True, "libvirtd is running")
    guard.check(server.log() + server.system_log.text())


tap.run(server.stop)
