#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""An unmodified memcached -S with sasl2-conf-examples/memcached-mysql.conf, whose four
threads ask MariaDB: many clients at once, outages, and clients that pause in the
middle."""

import concurrent.futures

import guard
import logins
import memcached
import plugins
import servers
import tap
from examples import printed_table, read, with_options
from logins import NOT_THE_PASSWORD, PASSWORDS, RIGHT, WRONG
from memcached import CONTINUES, GET, MISSING, OK, REFUSED
from tap import case, contains, equal

memcached.require()
plugins.require_drivers("mysql")
servers.require(servers.MariaDB)

EXAMPLE = read("memcached-mysql.conf")
SERVED, TURNED_AWAY = MISSING, REFUSED  # what a client gets that asks for an unknown key

host = servers.MariaDB()
host.user, host.database = "memcached", "cache"
server = memcached.Memcached()
users = None


def outcome(client, result):
    """The outcome of a login. Clients see no difference between a wrong password and an
    outage. memcached serves only clients that have logged in."""
    equal(client.ask(GET, b"no-such-key")[0], SERVED if result == OK else TURNED_AWAY)
    return {OK: RIGHT, REFUSED: WRONG}.get(result, result)


def message(user, password):
    return f"\0{user}\0{password}".encode()


def login(user, password):
    with server.client() as client:
        return outcome(client, client.auth("PLAIN", message(user, password))[0])


def refusals():
    """How many logins the log calls refused, and how many failed because of an
    outage."""
    log = server.log()
    return log.count(": wrong password"), log.count("sqlcrypt: mysql: ")


@case("the right password is accepted, and another refused")
def _():
    global users
    users = logins.ServerUsers(host, printed_table(EXAMPLE), realm=None)
    server.start(with_options(EXAMPLE, sql_hostnames=host.address, sql_passwd=host.password)
                 + "sql_timeout: 1\n" + logins.CHEAP)
    logins.check(login, users.hashes)
    contains(server.log(), 'PLAIN: user "ann": wrong password; looked for %u "ann"')


@case("twenty at once")
def _():
    wrong, failed = refusals()
    logins.at_once(login)
    equal(refusals(), (wrong + 30, failed), "wrong passwords and outages in the log")
    if host.sessions() > 8:
        raise AssertionError(f"{host.sessions()} sessions of one process")


@case("twenty at once, each in two steps that the others come in between")
def _():
    clients = [server.client() for _ in range(20)]
    try:
        for client in clients:
            equal(client.auth("PLAIN"), (CONTINUES, b""))
        with concurrent.futures.ThreadPoolExecutor(20) as pool:
            results = list(pool.map(
                lambda number: clients[number].step("PLAIN", message(
                    f"user{number}", PASSWORDS[f"user{number}"] if number % 2 == 0
                    else PASSWORDS[f"user{number - 1}"]))[0], range(20)))
        for number, client in enumerate(clients):
            equal(outcome(client, results[number]), (RIGHT, WRONG)[number % 2], f"{number}")
    finally:
        for client in clients:
            client.socket.close()


@case("during an outage, clients are refused, and the log says why")
def _():
    users.stop()
    wrong, failed = refusals()
    try:
        for user, password in (("ann", PASSWORDS["ann"]), ("ann", NOT_THE_PASSWORD),
                               ("nobody-knows-me", PASSWORDS["ann"])):
            equal(login(user, password), WRONG, user)
        with concurrent.futures.ThreadPoolExecutor(20) as pool:
            equal(set(pool.map(lambda number: login(f"user{number}", PASSWORDS["user0"]),
                               range(20))), {WRONG})
    finally:
        users.start()
    equal(refusals(), (wrong, failed + 23), "wrong passwords and outages in the log")
    logins.check(login, users.hashes)


@case("a database that does not answer")
def _():
    host.freeze()
    wrong, failed = refusals()
    try:
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            equal(set(pool.map(lambda number: login(f"user{number}", PASSWORDS[f"user{number}"]),
                               range(4))), {WRONG})
    finally:
        host.thaw()
    equal(refusals(), (wrong, failed + 4), "wrong passwords and outages in the log")
    logins.at_once(login, rounds=1)
    server.check_alive()
    guard.check(server.log())


tap.run(server.stop, host.stop)
