#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""An unmodified svnserve, which forks after libsasl2 has started, or uses threads, with
sasl2-conf-examples/svnserve-sqlite.conf, and the real client."""

import re

import guard
import logins
import svnserve
import tap
from examples import printed_lines, printed_table, read, with_options
from logins import NOT_THE_PASSWORD, PASSWORDS, RIGHT, WRONG
from tap import case, contains, equal, lacks

svnserve.require()

EXAMPLE = read("svnserve-sqlite.conf")
LINES = printed_lines(EXAMPLE, "In conf/svnserve.conf of the repository:")

server = svnserve.Svnserve()
users = logins.SqliteUsers(server.path("users.db"), printed_table(EXAMPLE))
CONFIGURATION = with_options(EXAMPLE, sql_database=users.path) + logins.CHEAP

MODES = {"forking": False, "-T": True}


def right_and_wrong(threads):
    server.start(CONFIGURATION, LINES, threads)
    logins.check(server.login, users.hashes)
    contains(server.system_log.wait_for("nobody-knows-me"),
             'PLAIN: user "ann": wrong password; looked for %u "ann" and %r "example.com"')


def at_once():
    logins.at_once(server.login)
    logins.outage_at_once(server.login, users)
    equal(server.running, True, "svnserve is running")
    guard.check(server.log() + server.system_log.text())


for mode, with_threads in MODES.items():
    case(f"{mode}: the right password is accepted, and another refused", right_and_wrong,
         with_threads)
    case(f"{mode}: an outage is no wrong password",
         lambda: logins.check_outage(server.login, users, server.system_log.text))
    case(f"{mode}: twenty at once, and during an outage", at_once)


# --- what the comment of the example says


def without(option):
    return re.sub(rf"(?m)^{option}: .*\n", "", CONFIGURATION)


@case("without log_level, a refused login is not in the log, but an outage is")
def _():
    server.start(without("log_level"), LINES)
    equal(server.login("ann", NOT_THE_PASSWORD), WRONG)
    equal(server.login("ann", PASSWORDS["ann"]), RIGHT)
    logins.check_outage(server.login, users, lambda: server.system_log.wait_for("sqlcrypt: "))
    lacks(server.system_log.text(), "wrong password")


@case("without mech_list, nobody logs in by the mechanism that the client prefers")
def _():
    server.start(without("mech_list"), LINES)
    equal(server.login("ann", PASSWORDS["ann"]), WRONG)
    lacks(server.system_log.text(), "PLAIN")


tap.run(server.stop)
