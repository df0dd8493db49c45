#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""PostgreSQL and MariaDB fail in every way in which servers and networks fail, under an
unmodified Postfix. In each case, no wrong password is accepted and no right one
refused, the answer comes before the deadline, the log has one line with the reason, and
the same smtpd works again as soon as the server does."""

import contextlib
import re
import threading
import time

import certificates
import configuration
import daemon
import database
import plugins
import postfix
import proxy
import servers
import tap
from daemon import wait_for
from postfix import OUTAGE, WELCOME, WRONG, expect
from tap import case, contains, equal

KINDS = (servers.Postgres, servers.MariaDB)

TIMEOUT = 1.0  # sql_timeout of configuration.canonical()
LATEST = TIMEOUT * 1.1 + 0.3  # and what this machine may take by itself

ALICE = "Kaninchenbau-7"
RIGHT = ("alice", ALICE)
INCORRECT = ("alice", "not-the-password")
UNKNOWN = ("nobody-knows-me", ALICE)
ALL = [(mechanism, login) for mechanism in ("PLAIN", "LOGIN")
       for login in (RIGHT, INCORRECT, UNKNOWN)]
# For faults of which each try takes the whole time.
SOME = [("PLAIN", RIGHT), ("LOGIN", INCORRECT), ("PLAIN", UNKNOWN)]
VERDICTS = {RIGHT: WELCOME, INCORRECT: WRONG, UNKNOWN: WRONG}

postfix.require()
plugins.require_drivers("pgsql", "mysql")
servers.require(*KINDS)
mail = postfix.Postfix()
tables = {}
networks = {}
standbys = {}  # networks that lead to the same server
started = []


# --- logins


class Attempt:
    """One login, which may be checked before it is answered."""

    def __init__(self, mechanism, login, instance=None):
        self.session = (instance or mail).session()
        self.session.ehlo()
        self.began = time.monotonic()
        self.answer = None
        self.thread = threading.Thread(target=self._run, args=(mechanism, login))
        self.thread.start()

    def _run(self, mechanism, login):
        try:
            self.answer = self.session.auth(mechanism, *login)
        except (OSError, AssertionError) as error:
            self.answer = f"no reply: {error}"
        self.took = time.monotonic() - self.began

    def reply(self):
        """Waits for the reply, and checks the time that it took."""
        self.thread.join()
        self.session.close()
        if self.took > LATEST:
            raise AssertionError(f"{self.answer!r} came after {self.took:.2f} s")
        return self.answer


def try_login(mechanism, login, want, instance=None):
    """The lines about problems that it causes, and the time that it took."""
    instance = instance or mail
    instance.lines()
    attempt = Attempt(mechanism, login, instance)
    expect(attempt.reply(), want, f"{mechanism} {login}")
    return postfix.problems(instance.lines()), attempt.took


def check_works(instance=None):
    for mechanism, login in ALL:
        problems, _ = try_login(mechanism, login, VERDICTS[login], instance)
        equal(problems, [], "problems in the log")


def check_one_line(problems, reason):
    equal(len(problems), 1, f"number of problems {problems}")
    if not re.search(reason, problems[0]):
        raise AssertionError(f"{reason!r} is not in {problems[0]!r}")


def check_outage(tries, reason, instance=None):
    for mechanism, login in tries:
        problems, _ = try_login(mechanism, login, OUTAGE, instance)
        check_one_line(problems, reason)


# --- one fault after the other, under the same smtpd


def start(kind):
    server = tables[kind] = kind()
    started.append(server)
    server.start()
    server.create_mail()
    server.add("alice", database.crypt(ALICE))
    networks[kind] = proxy.Proxy(server.port)
    standbys[kind] = proxy.Proxy(server.port)
    started.extend([networks[kind], standbys[kind]])
    mail.start(configuration.canonical(server, networks[kind].address))


def outage(kind, fault, tries, reasons):
    """`fault` is entered while it lasts."""
    check_works()
    with fault(tables[kind], networks[kind]):
        check_outage(tries, reasons[kind])
    check_works()
    equal(len(mail.smtpd_pids()), 1, "processes that served all of this")


@contextlib.contextmanager
def refused(_, network):
    network.refuse()
    network.cut()
    try:
        yield
    finally:
        network.resume()


@contextlib.contextmanager
def frozen(server, _):
    server.freeze()
    try:
        yield
    finally:
        server.thaw()


@contextlib.contextmanager
def dropped(_, network):
    network.drop()
    try:
        yield
    finally:
        network.resume()


@contextlib.contextmanager
def blocked(server, _):
    with server.shell() as shell:
        shell.run(server.lock_statement)
        yield
        # The server does not work on an answer that no client waits for.
        wait_for(lambda: server.blocked() == 0, "the end of the queries that were given up", 5)


@contextlib.contextmanager
def dropped_table(server, _):
    (stored,) = server.stored("alice")
    server.run("DROP TABLE mailbox")
    try:
        yield
    finally:
        server.create_table()
        server.add("alice", stored)


@contextlib.contextmanager
def renamed_column(server, _):
    server.run("ALTER TABLE mailbox RENAME COLUMN password TO pw")
    try:
        yield
    finally:
        server.run("ALTER TABLE mailbox RENAME COLUMN pw TO password")


@contextlib.contextmanager
def revoked(server, _):
    server.run(f"REVOKE SELECT ON mailbox FROM {server.user}")
    try:
        yield
    finally:
        server.run(f"GRANT SELECT ON mailbox TO {server.user}")


@contextlib.contextmanager
def other_password(server, _):
    """Affects only new connections."""
    server.set_password("another-password")
    try:
        check_works()
        server.cut_sessions()
        yield
    finally:
        server.set_password(server.password)


@contextlib.contextmanager
def full(server, _):
    """All connections that the server admits are in use."""
    server.restart(max_connections=10)
    shells = []
    try:
        while True:
            try:
                shells.append(server.shell(as_user=True))
            except AssertionError:
                break
        yield
        # One that comes free in time is used.
        attempt = Attempt(*SOME[0])
        shells.pop().close()
        expect(attempt.reply(), WELCOME)
    finally:
        for shell in shells:
            shell.close()
        server.restart(max_connections=100)


FAULTS = {
    "refused": (refused, ALL, {
        servers.Postgres: "127.0.0.1:.*Connection refused",
        servers.MariaDB: "127.0.0.1:.*Connection refused"}),
    "stopped": (frozen, SOME, {
        servers.Postgres: "127.0.0.1:.*time", servers.MariaDB: "127.0.0.1:.*time"}),
    "packets dropped": (dropped, SOME, {
        servers.Postgres: "127.0.0.1:.*time", servers.MariaDB: "127.0.0.1:.*time"}),
    "blocked by a lock": (blocked, SOME, {
        servers.Postgres: "127.0.0.1:.*time", servers.MariaDB: "127.0.0.1:.*time"}),
    "table dropped and recreated": (dropped_table, ALL, {
        servers.Postgres: 'relation "mailbox" does not exist',
        servers.MariaDB: r"mailbox' doesn't exist"}),
    "column renamed": (renamed_column, ALL, {
        servers.Postgres: 'column "password" does not exist',
        servers.MariaDB: "Unknown column 'password'"}),
    "permission revoked": (revoked, ALL, {
        servers.Postgres: "permission denied for table mailbox",
        servers.MariaDB: "SELECT command denied to user"}),
    "password of the database user changed": (other_password, ALL, {
        servers.Postgres: "127.0.0.1:.*password authentication failed",
        servers.MariaDB: "127.0.0.1:.*Access denied for user"}),
    "max_connections reached": (full, SOME, {
        servers.Postgres: "127.0.0.1:.*(too many clients|connection slots)",
        servers.MariaDB: "127.0.0.1:.*Too many connections"}),
}


def not_started(kind):
    """Before the first login, and later; over TCP and over a socket."""
    server = tables[kind]
    for hosts, reason in ((server.address, server.address + ": .*Connection refused"),
                          (server.socket_address, f"{server.home}.*: .*No such file or directory")):
        server.stop()
        mail.start(configuration.canonical(server, hosts))
        try:
            check_outage(ALL, reason)
        finally:
            server.start()
        check_works()
        server.kill()
        try:
            # The socket is left over.
            check_outage(ALL, f"{reason}|{server.home}.*: .*Connection refused")
        finally:
            server.start()
        check_works()
        equal(len(mail.smtpd_pids()), 1, "processes that served all of this")


# --- faults in the middle of a login


@contextlib.contextmanager
def while_asking(kind, login):
    """A login whose query waits for a lock. Yields it and the lock."""
    server = tables[kind]
    check_works()
    mail.lines()
    with server.shell() as shell:
        shell.run(server.lock_statement)
        attempt = Attempt("PLAIN", login)
        wait_for(lambda: server.blocked() == 1, "a query that waits", 5)
        yield attempt, shell


def killed_while_asking(kind, login):
    server = tables[kind]
    with while_asking(kind, login) as (attempt, _):
        server.kill()
        try:
            expect(attempt.reply(), OUTAGE)
            check_one_line(postfix.problems(mail.lines()), "127.0.0.1:")
        finally:
            server.start()
    check_works()
    equal(len(mail.smtpd_pids()), 1, "processes that served all of this")


def session_ended_while_asking(kind, login):
    """The query is asked again, over another connection."""
    with while_asking(kind, login) as (attempt, shell):
        tables[kind].end_sessions()
        shell.close()
        expect(attempt.reply(), VERDICTS[login])
        equal(postfix.problems(mail.lines()), [])
    check_works()
    equal(len(mail.smtpd_pids()), 1, "processes that served all of this")


def lock_gone_in_time(kind, login):
    with while_asking(kind, login) as (attempt, shell):
        shell.close()
        expect(attempt.reply(), VERDICTS[login])
        equal(postfix.problems(mail.lines()), [])
    equal(tables[kind].sessions(), 1, "sessions")


# --- unnoticed faults: the next login works, and the log is silent


def unnoticed(kind, change):
    for login in (RIGHT, INCORRECT, UNKNOWN):
        check_works()
        change(tables[kind], networks[kind])
        problems, _ = try_login("LOGIN", login, VERDICTS[login])
        equal(problems, [], "problems in the log")
    check_works()
    equal(len(mail.smtpd_pids()), 1, "processes that served all of this")


def recreate(column):
    def change(server, _):
        (stored,) = server.stored("alice")
        server.run("DROP TABLE mailbox")
        server.column, before = column, server.column
        try:
            server.create_table()
        finally:
            server.column = before
        server.add("alice", stored)
    return change


UNNOTICED = {
    "restarted between logins": lambda server, _: server.restart(),
    "killed and started between logins": lambda server, _: (server.kill(), server.start()),
    "connections cut by the network": lambda _, network: network.cut(),
    "sessions ended by the server": lambda server, _: server.cut_sessions(),
    "table replaced by one like it": lambda server, _: recreate(server.column)(server, _),
    "table replaced by one with other types": recreate("VARCHAR(200)"),
    "table replaced by one with the types of before": lambda server, _: recreate(server.column)(
        server, _),
    "a column more": lambda server, _: server.run(
        "ALTER TABLE mailbox ADD COLUMN IF NOT EXISTS more INTEGER"),
}


# --- several hosts


def start_failover(kind, first=None):
    mail.start(configuration.canonical(
        tables[kind], f"{first or networks[kind].address}, {standbys[kind].address}"))


def check_failed_over(kind, reason):
    """The first login logs it; the others are as fast as ever."""
    for mechanism, login in ALL:
        problems, took = try_login(mechanism, login, VERDICTS[login])
        if (mechanism, login) == ALL[0]:
            check_one_line(problems, reason)
        else:
            equal(problems, [], "problems in the log")
            if took > TIMEOUT / 3:
                raise AssertionError(f"{took:.2f} s for a login while the first host is down")


def failover(kind, fault, reason):
    start_failover(kind)
    check_works()
    equal(tables[kind].sessions(), 1, "sessions")
    with fault(tables[kind], networks[kind]):
        check_failed_over(kind, networks[kind].address + ".*" + reason)
        # Now the other: the first is asked again at once.
        with fault(tables[kind], standbys[kind]):
            check_outage(SOME, f"{networks[kind].address}.*{standbys[kind].address}"
                         f"|{standbys[kind].address}.*{networks[kind].address}")
    with fault(tables[kind], standbys[kind]):
        problems, _ = try_login("PLAIN", RIGHT, WELCOME)
        equal(len([line for line in problems if standbys[kind].address not in line]), 0,
              f"lines about other hosts {problems}")
        check_works()
    check_works()
    equal(len(mail.smtpd_pids()), 1, "processes that served all of this")


def black_hole(kind):
    """Alone, and before a host that works; then a server listens there."""
    hole = proxy.BlackHole()
    try:
        mail.start(configuration.canonical(tables[kind], hole.address))
        check_outage(SOME, hole.address + ".*time")
        pids = mail.smtpd_pids()
        hole.stop()
        started.append(proxy.Proxy(tables[kind].port, hole.port))
        check_works()
        equal(mail.smtpd_pids(), pids, "processes that served all of this")
    finally:
        hole.stop()
    hole = proxy.BlackHole()
    try:
        start_failover(kind, hole.address)
        check_failed_over(kind, hole.address + ".*time")
    finally:
        hole.stop()


# A host that was down is asked again after a while: what these have noticed
# when the tests begin is over when they end.
DOWN_FOR = 30
lasting = {}


def failover_begins(kind):
    instance = postfix.Postfix()
    first = proxy.Proxy(tables[kind].port)
    started.extend([first])
    first.refuse()
    lasting[kind] = (instance, first, time.monotonic())
    # The same process is to be there at the end.
    instance.start(configuration.canonical(
        tables[kind], f"{first.address} {standbys[kind].address}"), max_idle="1h")
    problems, _ = try_login("PLAIN", RIGHT, WELCOME, instance)
    check_one_line(problems, first.address + ".*refused")
    contains(problems[0], standbys[kind].address)
    first.resume()
    check_works(instance)
    equal(first.connections, 0, "connections to a host that was down a moment ago")


def failover_ends(kind):
    instance, first, since = lasting[kind]
    time.sleep(max(0, since + DOWN_FOR + 1 - time.monotonic()))
    check_works(instance)
    equal(first.connections, 1, "connections to the first host")
    equal(len(instance.smtpd_pids()), 1, "processes that served all of this")


def stop_lasting():
    for instance, _, _ in lasting.values():
        instance.close()


# --- faults that need servers of another kind


def expired_certificate(kind):
    server = tables[kind]
    authority = certificates.Authority(server.directory)
    names = ["DNS:localhost", "IP:127.0.0.1"]
    good = authority.issue("localhost", server.owner, names)
    expired = authority.issue("localhost", server.owner, names, expired=True)
    server.restart(**server.tls(*good))
    mail.start(configuration.canonical(server, sql_usessl="yes", sql_ssl_mode="verify-full",
                                       sql_ssl_ca=authority.certificate))
    check_works()
    server.replace_certificate(*expired)
    check_works()  # over the connection that is there
    server.cut_sessions()
    # libpq says no more than that.
    check_outage(ALL, server.address + ".*(certificate verify failed|certificate has expired)")
    server.replace_certificate(*good)
    check_works()
    equal(len(mail.smtpd_pids()), 1, "processes that served all of this")


# Tables that cannot be read without room on a disk
NEEDS_ROOM = {
    servers.Postgres: "CREATE VIEW mailbox AS SELECT * FROM mailbox_rows WHERE (SELECT count(*)"
                      " FROM (SELECT DISTINCT md5(g::text) FROM generate_series(1, 9999) g"
                      " ORDER BY 1) sorted) > 0",
    servers.MariaDB: "CREATE ALGORITHM = TEMPTABLE VIEW mailbox AS SELECT DISTINCT *"
                     " FROM mailbox_rows",
}
WITH_LITTLE_MEMORY = {
    servers.Postgres: lambda folder: {"work_mem": "64kB"},
    servers.MariaDB: lambda folder: {"tmpdir": folder},
}


def disk_full(kind):
    if not daemon.can_mount():
        raise tap.Skip("a disk of its own cannot be mounted here")
    server = tables[kind]
    # PostgreSQL's folder for data that does not fit into memory
    folder = server.path("data", "base", "pgsql_tmp")
    server.prepare(["mkdir", "-p", folder])
    server.put_on_small_disk(folder, "4m")
    server.restart(**WITH_LITTLE_MEMORY[kind](folder))
    server.run(f"ALTER TABLE mailbox RENAME TO mailbox_rows; {NEEDS_ROOM[kind]};"
               f"GRANT SELECT ON mailbox TO {server.user}")
    mail.start(configuration.canonical(server))
    check_works()
    make_room = server.fill_small_disk()
    try:
        check_outage(ALL, "No space left on device|[Dd]isk")
    finally:
        make_room()
    check_works()
    equal(len(mail.smtpd_pids()), 1, "processes that served all of this")


for server_kind in KINDS:
    name = server_kind.program
    case(f"{name}: starts", start, server_kind)
    case(f"{name}: failover, which lasts for a while", failover_begins, server_kind)
    for label, (fault_of_server, attempts, why) in FAULTS.items():
        case(f"{name}: {label}", outage, server_kind, fault_of_server, attempts, why)
    for what, user in (("a right", RIGHT), ("a wrong", INCORRECT)):
        case(f"{name}: killed while a query runs, {what} password", killed_while_asking,
             server_kind, user)
        case(f"{name}: its session ended while a query runs, {what} password",
             session_ended_while_asking, server_kind, user)
        case(f"{name}: a lock that is gone in time, {what} password", lock_gone_in_time,
             server_kind, user)
    for label, change_of_server in UNNOTICED.items():
        case(f"{name}: {label}", unnoticed, server_kind, change_of_server)
    case(f"{name}: failover to the second host and back, refused", failover, server_kind,
         refused, "refused")
    case(f"{name}: failover to the second host and back, packets dropped", failover, server_kind,
         dropped, "time")
    case(f"{name}: a host that answers no attempt to connect", black_hole, server_kind)
    case(f"{name}: not started, and killed", not_started, server_kind)
    case(f"{name}: TLS certificate expired", expired_certificate, server_kind)
    case(f"{name}: disk full", disk_full, server_kind)
for server_kind in KINDS:
    case(f"{server_kind.program}: back to the first host", failover_ends, server_kind)


def stop_servers():
    for one in reversed(started):
        one.stop()


tap.run(mail.close, stop_lasting, stop_servers)
