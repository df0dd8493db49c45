#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""PgBouncer between Postfix and PostgreSQL: sessions share connections to the server,
on which statements that a session has prepared are unknown, or belong to another
session. Each login gets the answer to its own question."""

import os
import signal

import configuration
import database
import plugins
import poolers
import postfix
import servers
import tap
from daemon import wait_for
from poolers import ALICE, OTHER as ELSEWHERE
from postfix import OUTAGE, WELCOME, WRONG, expect
from tap import case, contains, equal

postfix.require()
plugins.require_drivers("pgsql")
servers.require(servers.Postgres, servers.PgBouncer)
# Two programs at the same pool, with questions of their own
mails = [postfix.Postfix(), postfix.Postfix()]
server = servers.Postgres()
bouncer = servers.PgBouncer(server)
seconds = []

ONE_CONNECTION = {"default_pool_size": 1, "server_login_retry": 1}


def start_bouncer(**settings):
    bouncer.stop()
    bouncer.start(**ONE_CONNECTION, **settings)


def check(mail, password, other):
    """By both mechanisms, and nothing in the log."""
    mail.lines()
    for mechanism in ("PLAIN", "LOGIN"):
        expect(mail.login(mechanism, "alice", password), WELCOME, mechanism)
        expect(mail.login(mechanism, "alice", other), WRONG, mechanism)
        expect(mail.login(mechanism, "nobody-knows-me", password), WRONG, mechanism)
    equal(postfix.problems(mail.lines()), [], "problems in the log")


def check_both():
    for _ in range(3):
        check(mails[0], ALICE, ELSEWHERE)
        check(mails[1], ELSEWHERE, ALICE)
    for mail in mails:
        equal(len(mail.smtpd_pids()), 1, "processes")


@case("starts")
def _():
    poolers.create(server)
    server.run("CREATE TABLE elsewhere (LIKE mailbox INCLUDING ALL);"
               f"GRANT SELECT ON elsewhere TO {server.user}")
    server.run("INSERT INTO elsewhere VALUES ('alice@example.net', 'alice', 'alice',"
               "                              'example.net', ?)", database.crypt(ELSEWHERE))
    start_bouncer()


def two_programs(mode):
    """Alternately over the same connection."""
    start_bouncer(pool_mode=mode)
    mails[0].start(configuration.canonical(server, bouncer.address))
    mails[1].start(configuration.canonical(
        server, bouncer.address, sql_select=configuration.BY_NAME.replace("mailbox", "elsewhere")))
    check_both()
    equal(server.sessions(), 1, "connections to the server")


for pool_mode in ("transaction", "statement"):
    case(f"two programs share a connection, pool_mode = {pool_mode}", two_programs, pool_mode)


@case("the same with parameters that the server finds no type for")
def _():
    start_bouncer()
    for mail, table in zip(mails, ("mailbox", "elsewhere")):
        mail.start(configuration.canonical(
            server, bouncer.address, sql_select=f"SELECT password FROM {table} WHERE"
            " concat_ws('@', local_part) = CONCAT('%u') AND '%r' IS NOT NULL"))
    check_both()


@case("pool_mode = session: who comes second waits in vain, and is told so")
def _():
    start_bouncer(pool_mode="session")
    for mail in mails:
        mail.start(configuration.canonical(server, bouncer.address))
    check(mails[0], ALICE, ELSEWHERE)
    for password in (ALICE, ELSEWHERE):
        mails[1].lines()
        expect(mails[1].login("PLAIN", "alice", password), OUTAGE)
        equal(len(postfix.problems(mails[1].lines())), 1, "problems in the log")
    mails[0].stop()
    check(mails[1], ALICE, ELSEWHERE)


@case("with sql_persistent: no, they take turns")
def _():
    for mail in mails:
        mail.start(configuration.canonical(server, bouncer.address, sql_persistent="no"))
    for _ in range(3):
        for mail in mails:
            check(mail, ALICE, ELSEWHERE)


@case("the options are refused once: other sessions of the process do without them")
def _():
    start_bouncer()
    mails[0].start(configuration.canonical(server, bouncer.address, sql_persistent="no"))
    for _ in range(2):
        check(mails[0], ALICE, ELSEWHERE)
    equal(len(mails[0].smtpd_pids()), 1, "processes")
    equal(bouncer.log().count("login attempt"), 12, "sessions")
    equal(bouncer.log().count("pooler error: unsupported startup parameter"), 1, "refusals")


@case("with ignore_startup_parameters = options, they are not refused")
def _():
    start_bouncer(ignore_startup_parameters="options")
    mails[0].start(configuration.canonical(server, bouncer.address))
    check(mails[0], ALICE, ELSEWHERE)
    equal(bouncer.log().count("pooler error"), 0, "refusals")


def standard_strings(mode, settings):
    """A backslash stands for itself in the template, whatever the server's settings and
    the pooler make of it."""
    text = configuration.BY_NAME + " AND '\\' = chr(92)"
    server.run(f"ALTER ROLE {server.user} SET standard_conforming_strings = off")
    try:
        start_bouncer(pool_mode=mode, **settings)
        for mail, table in zip(mails, ("mailbox", "elsewhere")):
            mail.start(configuration.canonical(
                server, bouncer.address, sql_select=text.replace("mailbox", table)))
        check_both()
    finally:
        server.run(f"ALTER ROLE {server.user} RESET standard_conforming_strings")


for what, chosen in {"refused": {}, "ignored": {"ignore_startup_parameters": "options"}}.items():
    for pool_mode in ("transaction", "statement"):
        case(f"strings are standard where the options are {what}, pool_mode = {pool_mode}",
             standard_strings, pool_mode, chosen)


@case("PostgreSQL restarts behind PgBouncer")
def _():
    start_bouncer()
    for mail in mails:
        mail.start(configuration.canonical(server, bouncer.address))
        check(mail, ALICE, ELSEWHERE)
    server.restart()
    for mail in mails:
        check(mail, ALICE, ELSEWHERE)
        equal(len(mail.smtpd_pids()), 1, "processes")


@case("PgBouncer restarts")
def _():
    start_bouncer()
    for mail in mails:
        check(mail, ALICE, ELSEWHERE)
        equal(len(mail.smtpd_pids()), 1, "processes")


@case("PostgreSQL is away behind PgBouncer")
def _():
    server.stop()
    try:
        for mail in mails:
            for password in (ALICE, ELSEWHERE):
                mail.lines()
                expect(mail.login("PLAIN", "alice", password), OUTAGE)
                equal(len(postfix.problems(mail.lines())), 1, "problems in the log")
    finally:
        server.start()

    def is_back():
        # PgBouncer tries again after a while (server_login_retry).
        return mails[0].login("PLAIN", "alice", ALICE) == WELCOME
    wait_for(is_back, "the next login that works", 30)
    for mail in mails:
        check(mail, ALICE, ELSEWHERE)
        equal(len(mail.smtpd_pids()), 1, "processes")


@case("a client that PgBouncer finds idle: the next login has a new session")
def _():
    start_bouncer(client_idle_timeout="0.2")
    mails[0].start(poolers.settings(bouncer))
    for _ in range(2):
        poolers.check(mails[0])
        wait_for(lambda: bouncer.log().count("closing because: client_idle_timeout") ==
                 bouncer.log().count("login attempt"), "the end of the session")
    poolers.check(mails[0])


@case("a second host starts")
def _():
    seconds.append(poolers.second_of(server))


def with_second(**settings):
    """A new PgBouncer, and a program that knows both hosts and has a session with the
    first."""
    start_bouncer(**settings)
    mails[0].start(poolers.settings(bouncer, seconds[0]))
    poolers.check(mails[0])


def check_failover(login=None):
    poolers.check_failover(mails[0], bouncer, seconds[0], login)


@case("query_wait_timeout: the second host answers")
def _():
    start_bouncer(pool_mode="session", query_wait_timeout="0.2")
    mails[1].start(poolers.settings(bouncer))
    poolers.check(mails[1])
    mails[0].start(poolers.settings(bouncer, seconds[0]))
    check_failover()
    contains(bouncer.log(), "query_wait_timeout")
    mails[1].stop()


@case("query_wait_timeout while a session is opened: the second host answers")
def _():
    start_bouncer(query_wait_timeout="0.2")
    mails[0].start(poolers.settings(bouncer, seconds[0]))
    server.freeze()
    try:
        check_failover()
    finally:
        server.thaw()
    equal(bouncer.log().count("closing because: query_wait_timeout"), 1, "tries")


@case("query_timeout: the second host answers")
def _():
    with_second(query_timeout="0.2")
    with server.shell() as shell:
        shell.run(server.lock_statement)
        check_failover()
    contains(bouncer.log(), "query timeout")


@case("the process of the server is killed under a statement: either host answers")
def _():
    with_second()
    with server.shell() as shell:
        shell.run(server.lock_statement)
        login = poolers.Login(mails[0], server, ELSEWHERE)
        for pid in server.backends():
            os.kill(pid, signal.SIGKILL)
        expect(login.finish(), WRONG)
    contains(bouncer.log(), "server conn crashed?")
    expect(mails[0].login("PLAIN", "alice", ALICE), WELCOME)


@case("PostgreSQL is killed under a statement: the second host answers")
def _():
    with_second()
    with server.shell() as shell:
        shell.run(server.lock_statement)
        login = poolers.Login(mails[0], server)
        server.kill()
    try:
        check_failover(login)
    finally:
        server.start()


@case("PostgreSQL is away: the second host answers")
def _():
    with_second()
    server.stop()
    try:
        check_failover()
    finally:
        server.start()


@case("PgBouncer is full: the second host answers")
def _():
    start_bouncer(max_client_conn=1)
    mails[1].start(poolers.settings(bouncer))
    poolers.check(mails[1])
    mails[0].start(poolers.settings(bouncer, seconds[0]))
    mails[0].lines()
    expect(mails[0].login("PLAIN", "alice", ALICE), WELCOME)
    contains("".join(postfix.problems(mails[0].lines())), "no more connections allowed")
    # Full for a moment only: without a second host, it is asked again.
    mails[0].start(poolers.settings(bouncer, sql_timeout="0.5"))
    for password in (ALICE, ELSEWHERE):
        expect(mails[0].login("PLAIN", "alice", password), OUTAGE)
    mails[1].stop()
    poolers.check(mails[0])


def close_mails():
    for mail in mails:
        mail.close()


def stop_servers():
    bouncer.stop()
    for each in [server] + seconds:
        each.stop()


tap.run(close_mails, stop_servers)
