#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""PgBouncer between Postfix and PostgreSQL: sessions share connections to the
server, where statements that one has prepared are unknown to the others, or
belong to somebody else. Each login gets the answer to its own question."""

import configuration
import database
import plugins
import postfix
import servers
import tap
from daemon import wait_for
from postfix import OUTAGE, WELCOME, WRONG, expect
from tap import case, equal

ALICE = "Kaninchenbau-7"
ELSEWHERE = "Spiegelland-8"

postfix.require()
plugins.require_drivers("pgsql")
servers.require(servers.Postgres, servers.PgBouncer)
# Two programs at the same pool, with questions of their own
mails = [postfix.Postfix(), postfix.Postfix()]
server = servers.Postgres()
bouncer = servers.PgBouncer(server)

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
    server.start()
    server.create_mail()
    server.add("alice", database.crypt(ALICE))
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


def close_mails():
    for mail in mails:
        mail.close()


def stop_servers():
    bouncer.stop()
    server.stop()


tap.run(close_mails, stop_servers)
