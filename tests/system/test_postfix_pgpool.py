#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""pgpool between Postfix and PostgreSQL: its own errors have different codes from
PostgreSQL's, and none of them is about the statement."""

import socket
import threading

import plugins
import poolers
import postfix
import servers
import tap
from daemon import connections, wait_for
from poolers import ALICE, OTHER
from postfix import OUTAGE, expect
from tap import case, equal

# A PostgreSQL that was away is asked again.
KEEPS_BACKEND = {"backend_flag0": "DISALLOW_TO_FAILOVER"}

postfix.require()
plugins.require_drivers("pgsql")
servers.require(servers.Postgres, servers.Pgpool)
mail = postfix.Postfix()
server = servers.Postgres()
pool = servers.Pgpool(server)
seconds = []


def start(second=None, **settings):
    pool.stop()
    pool.start(**settings)
    mail.start(poolers.settings(pool, second))
    poolers.check(mail)


@case("starts")
def _():
    poolers.create(server)
    seconds.append(poolers.second_of(server))
    start()


@case("client_idle_limit: the next login has a new session")
def _():
    start(client_idle_limit=1)
    wait_for(lambda: connections(pool.port) == 0, "the end of the session")
    poolers.check(mail)


@case("reserved_connections: a full pgpool is waited for, and is one for sure")
def _():
    pool.stop()
    pool.start(num_init_children=2, reserved_connections=1)
    mail.start(poolers.settings(pool))
    mail.lines()
    with socket.create_connection(("127.0.0.1", pool.port)):
        expect(mail.login("PLAIN", "alice", ALICE), OUTAGE)
        equal(len(postfix.problems(mail.lines())), 1, "problems in the log")
    # The same process does not wait again for what it has waited for without success.
    mail.start(poolers.settings(pool))
    held = socket.create_connection(("127.0.0.1", pool.port))
    threading.Timer(2, held.close).start()
    poolers.check(mail)


@case("PostgreSQL ends the session")
def _():
    start(**KEEPS_BACKEND)
    server.cut_sessions()
    poolers.check(mail)


@case("PostgreSQL restarts behind pgpool")
def _():
    start(**KEEPS_BACKEND)
    server.restart()
    poolers.check(mail)


@case("pgpool restarts")
def _():
    start()
    pool.stop()
    pool.start()
    poolers.check(mail)


@case("PostgreSQL is away behind pgpool: an outage")
def _():
    start(**KEEPS_BACKEND)
    server.stop()
    try:
        for password in (ALICE, OTHER):
            mail.lines()
            expect(mail.login("PLAIN", "alice", password), OUTAGE)
            equal(len(postfix.problems(mail.lines())), 1, "problems in the log")
    finally:
        server.start()
    poolers.check(mail)


def is_away(flag):
    start(seconds[0], backend_flag0=flag)
    server.stop()
    try:
        poolers.check_failover(mail, pool, seconds[0])
    finally:
        server.start()


for backend_flag in ("DISALLOW_TO_FAILOVER", "ALLOW_TO_FAILOVER"):
    case(f"PostgreSQL is away, {backend_flag}: the second host answers", is_away, backend_flag)


@case("PostgreSQL is killed under a statement: the second host answers")
def _():
    start(seconds[0], **KEEPS_BACKEND)
    with server.shell() as shell:
        shell.run(server.lock_statement)
        login = poolers.Login(mail, server)
        server.kill()
    try:
        poolers.check_failover(mail, pool, seconds[0], login)
    finally:
        server.start()


@case("pgpool is away: the second host answers")
def _():
    start(seconds[0])
    pool.stop()
    poolers.check_failover(mail, pool, seconds[0])


def stop_servers():
    pool.stop()
    for each in [server] + seconds:
        each.stop()


tap.run(mail.close, stop_servers)
