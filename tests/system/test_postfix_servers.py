#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Logins at an unmodified Postfix whose users are in PostgreSQL and in MariaDB: with
the configuration that a widespread guide prints, over every kind of address, and the
cost of a login by the servers' statistics."""

import re

import configuration
import counters
import database
import plugins
import postfix
import proxy
import servers
import tap
from daemon import has_ipv6, wait_for
from postfix import OUTAGE, WELCOME, WRONG, expect
from tap import case, contains, equal

MECHANISMS = ("PLAIN", "LOGIN")
KINDS = (servers.Postgres, servers.MariaDB)

postfix.require()
plugins.require_drivers("pgsql", "mysql")
servers.require(*KINDS)
mail = postfix.Postfix()
tables = {}
networks = {}
hashes = {}


def slug(method):
    return method.lower().replace(" ", "-")


def password_of(user):
    return f"Geheim-{user}-1"


def check(user, password, want):
    """Logs in by both mechanisms, each on its own connection."""
    for mechanism in MECHANISMS:
        expect(mail.login(mechanism, user, password), want, mechanism)


def check_cleanly(user, password, want):
    """The same, and no line calls for action."""
    mail.lines()
    check(user, password, want)
    equal(ours(mail.lines()), [], "problems in the log")


def ours(lines):
    """Problems that our plug-ins report. With the guide's wrong prefixes,
    libsasl2 asks every auxprop plug-in, and the stock ones complain too."""
    stock = re.compile("Berkeley db|sql plugin|Unable to begin transaction")
    return [line for line in postfix.problems(lines) if not stock.search(line)]


def for_each(name):
    """A decorator: adds a case for each server, which it passes to the function."""
    def add(function):
        for kind in KINDS:
            case(f"{kind.program}: {name}", lambda kind=kind: function(tables[kind]))
        return function
    return add


# --- the guide's configuration

LOCKED_PASSWORD = "Gesperrt-123"
LOCKED = {
    "NULL": None,
    "empty": "",
    "!": "!",
    "*": "*",
    "! and the right hash": "!" + database.crypt(LOCKED_PASSWORD),
    "* and the right hash": "*" + database.crypt(LOCKED_PASSWORD),
}
ALICE = "Kaninchenbau-7"

for method, prefix, cost in database.METHODS:
    hashes[method] = database.crypt(password_of(slug(method)), prefix, cost)


def start(kind):
    server = tables[kind] = kind()
    server.start(**({"shared_preload_libraries": "pg_stat_statements"}
                    if kind is servers.Postgres else {}))
    server.create_mail()
    networks[kind] = proxy.Proxy(server.port)
    for name, stored in hashes.items():
        if stored is not None:
            server.add(slug(name), stored)
    for number, stored in enumerate(LOCKED.values()):
        server.add(f"locked{number}", stored)
    server.add("alice", database.crypt(ALICE))
    server.add("inactive", database.crypt("Ruhestand-1"), active="0")
    server.add("umlaut", database.crypt("Grüße-für-alle"))
    server.add("jürgen-🔑", database.crypt("Schlüssel-🔑"))
    server.add("long", "$5$" + "x" * 65536)
    server.add("garbage", "ThisIsNoHashAtAll")
    for _ in range(2):
        server.add("twin", database.crypt("Zwilling-1"))
    mail.start(configuration.guide(server))


def hash_of(name):
    if hashes[name] is None:
        raise tap.Skip("this libcrypt lacks the method")
    return hashes[name]


def one_method(name):
    hash_of(name)
    check_cleanly(slug(name), password_of(slug(name)), WELCOME)
    check_cleanly(slug(name), "not-the-password", WRONG)
    check_cleanly(slug(name), hash_of(name), WRONG)


def locked_account(number, stored):
    for password in (LOCKED_PASSWORD, stored or "", "NULL"):
        check(f"locked{number}", password, WRONG)


def not_ascii():
    check_cleanly("umlaut", "Grüße-für-alle", WELCOME)
    check_cleanly("umlaut", "Grusse-fur-alle", WRONG)
    check_cleanly("jürgen-🔑", "Schlüssel-🔑", WELCOME)
    check_cleanly("jörgen-🔑", "Schlüssel-🔑", WRONG)


def not_utf8():
    """Mistakes of the client, not outages."""
    check_cleanly(b"\xff\xfe", ALICE, WRONG)
    check_cleanly(b"alice\xc3", ALICE, WRONG)


def not_sql():
    for user in ("x' OR '1'='1", "alice' -- ", "alice'; --", "alice' #", "\\' OR 1=1 -- ",
                 "alice\\", "%u", "$1", "?", '" OR ""="'):
        check_cleanly(user, ALICE, WRONG)


def no_hash():
    for user, stored in (("garbage", "ThisIsNoHashAtAll"), ("long", "$5$xxx")):
        for mechanism in MECHANISMS:
            mail.lines()
            expect(mail.login(mechanism, user, stored), WRONG, user)
            equal(len(ours(mail.lines())), 1, f"{user}: problems in the log")
    check_cleanly("alice", ALICE, WELCOME)


def two_rows():
    for password in ("Zwilling-1", "not-the-password"):
        for mechanism in MECHANISMS:
            mail.lines()
            expect(mail.login(mechanism, "twin", password), OUTAGE)
            problems = ours(mail.lines())
            equal(len(problems), 1, f"problems {problems}")
            contains(problems[0], "more than one row")
    check_cleanly("alice", ALICE, WELCOME)


for server_kind in KINDS:
    engine = server_kind.program
    case(f"{engine}: Postfix starts with the guide's configuration", start, server_kind)
    for method in hashes:
        case(f"{engine}: {method}: the right password, a wrong one, and the hash", one_method,
             method)
    for position, (label, column) in enumerate(LOCKED.items()):
        case(f"{engine}: locked account, {label} in the column", locked_account, position, column)
    case(f"{engine}: an unknown user is refused", check_cleanly, "nobody-knows-me", ALICE, WRONG)
    case(f"{engine}: a user whom the statement leaves out is refused", check_cleanly, "inactive",
         "Ruhestand-1", WRONG)
    case(f"{engine}: names and passwords that are not ASCII", not_ascii)
    case(f"{engine}: names that are not UTF-8 are wrong", not_utf8)
    case(f"{engine}: names that look like SQL are unknown", not_sql)
    case(f"{engine}: stored values that are no hashes, one of 64 kB", no_hash)
    case(f"{engine}: two rows for one user", two_rows)


# --- addresses


def check_addresses(server, addresses):
    for hosts in addresses:
        mail.start(configuration.canonical(server, hosts))
        try:
            check_cleanly("alice", ALICE, WELCOME)
            check_cleanly("alice", "not-the-password", WRONG)
        except AssertionError as error:
            raise AssertionError(f"sql_hostnames: {hosts}: {error}") from None


@for_each("every way to write a host")
def _(server):
    check_addresses(server, [
        f"localhost:{server.port}", server.socket_address,
        f" {server.address}", f"{server.address} {server.address}",
        f"{server.address},{server.socket_address}", f"{server.address}, {server.socket_address}"])
    if server.engine == "mysql":
        # A file; and the folder that holds it, under the name that Debian uses.
        tap.equal(server.socket_address, server.socket)
        server.restart(socket=server.path("mysqld.sock"))
        try:
            check_addresses(server, [server.home])
        finally:
            server.restart(socket=server.socket)


@for_each("IPv6")
def _(server):
    if not has_ipv6():
        raise tap.Skip("there is no IPv6 here")
    check_addresses(server, [f"[::1]:{server.port}"])


@for_each("a host that cannot be read is an outage that says so")
def _(server):
    mail.start(configuration.canonical(server, "127.0.0.1:notaport"))
    mail.lines()
    expect(mail.login("PLAIN", "alice", ALICE), OUTAGE)
    problems = postfix.problems(mail.lines())
    equal(len(problems), 1, f"problems {problems}")
    contains(problems[0], "127.0.0.1:notaport")


# --- what one login costs


def cost(server, logins):
    """How much the counters change while `logins` runs."""
    statistics, network = counters.of(server), networks[type(server)]
    before, flights, sockets = statistics.read(), network.flights, network.connections
    logins()
    return {**statistics.difference(before, statistics.read()),
            "flights": network.flights - flights, "sockets": network.connections - sockets}


def each_way_once():
    """Six logins."""
    check("alice", ALICE, WELCOME)
    check("alice", "not-the-password", WRONG)
    check("nobody-knows-me", ALICE, WRONG)


@for_each("one login is one statement and one round trip, and no connect")
def _(server):
    mail.start(configuration.canonical(server, networks[type(server)].address))
    check("alice", ALICE, WELCOME)
    equal(server.sessions(), 1, "sessions")
    want = {"statements": 6, "connects": 0, "sockets": 0, "flights": 6}
    if server.engine == "mysql":
        want.update(executed=6, prepared=0, selects=6)
    equal(cost(server, each_way_once), want)
    equal(server.sessions(), 1, "sessions")
    equal(len(mail.smtpd_pids()), 1, "processes that served all of this")


@for_each("the first login connects once")
def _(server):
    mail.start(configuration.canonical(server, networks[type(server)].address))
    spent = cost(server, lambda: expect(mail.login("PLAIN", "alice", ALICE), WELCOME))
    tap.note(spent)
    equal((spent["connects"], spent["sockets"]), (1, 1), "connects")


@for_each("sql_persistent: no connects for each lookup, and closes after it")
def _(server):
    mail.start(configuration.canonical(server, networks[type(server)].address,
                                       sql_persistent="no"))
    spent = cost(server, each_way_once)
    tap.note(spent)
    equal((spent["connects"], spent["sockets"]), (6, 6), "connects")
    wait_for(lambda: server.sessions() == 0, "the end of the last session", 5)


@for_each("sessions end when smtpd does")
def _(server):
    mail.start(configuration.canonical(server))
    check_cleanly("alice", ALICE, WELCOME)
    equal(server.sessions(), 1, "sessions")
    mail.stop()
    wait_for(lambda: server.sessions() == 0, "the end of the last session", 5)


def stop_servers():
    for server in list(networks.values()) + list(tables.values()):
        server.stop()


tap.run(mail.close, stop_servers)
