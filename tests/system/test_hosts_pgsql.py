#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""An unmodified Postfix with several PostgreSQL servers: names with several addresses,
standbys, full hosts, a balancer, and servers that are injured during logins.

With --long, each server of each kind of site is injured in each way, several times."""

import os
import shutil
import socket
import subprocess
import sys
import time

import certificates
import configuration
import database
import guard
import plugins
import postfix
import saslauthd
import servers
import tap
from certificates import libpq_version
from crowd import Crowd
from daemon import wait_for
from many_hosts import HAProxy, Host, Load, Names, Primary, Standby
from postfix import OUTAGE, WELCOME, WRONG, expect
from proxy import Proxy
from tap import case, contains, equal

LONG = "--long" in sys.argv[1:]
TIMEOUT = 2  # seconds, where one of two hosts may take half of it
PATIENT = 10  # and where all of it would be too long
ALICE = "Kaninchenbau-7"
RIGHT = ("alice", ALICE)
INCORRECT = ("alice", "not-the-password")
UNKNOWN = ("nobody-knows-me", ALICE)
VERDICTS = {RIGHT: WELCOME, INCORRECT: WRONG, UNKNOWN: WRONG}
NAME = "db.test"
NOBODY_AT = "127.0.0.9"

postfix.require()
plugins.require_drivers("pgsql")
servers.require(servers.Postgres)
mail = postfix.Postfix()
names = Names(mail)
one = Primary("127.0.0.1")
two = Host("127.0.0.2", one.port)
started = [one, two]  # and what follows


def start(*hosts, processes=1, **options):
    """Postfix, with these hosts: servers, or entries of sql_hostnames."""
    entries = [host if isinstance(host, str) else host.address for host in hosts]
    options = {"sql_timeout": str(TIMEOUT), **options}
    mail.start(configuration.canonical(one, ", ".join(entries), **options), processes=processes,
               import_environment=names.environment())


def log_in(login):
    """One login and its verdict. Returns what smtpd logs."""
    mail.lines()
    expect(mail.login("PLAIN", *login), VERDICTS[login], str(login[0]))
    return postfix.problems(mail.lines())


def goes_well():
    """Logs in without a line in the log."""
    for login in VERDICTS:
        equal(log_in(login), [], "problems in the log")


def fails(*parts):
    """Right or wrong, it is an outage, and one line gives the reason."""
    for login in (RIGHT, INCORRECT):
        mail.lines()
        expect(mail.login("PLAIN", *login), OUTAGE)
        problem, = postfix.problems(mail.lines())
        for part in parts:
            contains(problem, part)


def is_passed_over(hosts, first, why, second):
    """Whichever login comes first, the second host judges it in time, which is logged
    once; then the first host is not asked any more."""
    for login in (RIGHT, INCORRECT):
        start(*hosts)
        began = time.monotonic()
        problem, = log_in(login)
        if time.monotonic() - began > TIMEOUT:
            raise AssertionError(f"it took {time.monotonic() - began:.1f} s")
        contains(problem, f"{first}: ")
        contains(problem, why)
        contains(problem, f"; asked {second} instead")
        goes_well()


@case("servers start")
def _():
    Names.require()
    one.start()
    one.create_mail()
    one.add("alice", database.crypt(ALICE))
    two.password = one.password
    two.start()
    two.create_mail()
    two.add("alice", database.crypt(ALICE))
    standby = Standby(one, "127.0.0.3")
    started.append(standby)
    standby.start()
    standby.follow()


def the_standby():
    return started[2]


# --- a name with several addresses


class Ill:
    """Something that happens to the first of two servers: how to cause it, how to end
    it, and what is logged about it."""

    def __init__(self, begin, end, why, ip=one.ip):
        self.begin, self.end, self.why, self.ip = begin, end, why, ip


def admit_nobody():
    one.run(f"ALTER ROLE {one.user} CONNECTION LIMIT 0")


def admit_all():
    one.run(f"ALTER ROLE {one.user} CONNECTION LIMIT -1")


def never_be_ready():
    the_standby().restart(hot_standby="off")


def be_ready():
    the_standby().restart(hot_standby="on")


class Mute:
    """A listener that says nothing."""

    def __init__(self):
        self.listener = None

    def begin(self):
        self.listener = socket.create_server((NOBODY_AT, one.port))

    def end(self):
        self.listener.close()


mute = Mute()
ILLS = {
    "is frozen": Ill(one.freeze, one.thaw, "timed out"),
    "says nothing": Ill(mute.begin, mute.end, "timed out", NOBODY_AT),
    "is full": Ill(admit_nobody, admit_all, "too many connections"),
    "is starting": Ill(never_be_ready, be_ready, "FATAL:  57P03: ", "127.0.0.3"),
    "is not there": Ill(lambda: None, lambda: None, "refused", NOBODY_AT),
    "has another password": Ill(lambda: one.set_password("another-password"),
                                lambda: one.set_password(one.password),
                                "password authentication failed"),
    "has no such database": Ill(lambda: one.run("ALTER DATABASE postfix RENAME TO elsewhere",
                                                database="postgres"),
                                lambda: one.run("ALTER DATABASE elsewhere RENAME TO postfix",
                                                database="postgres"), "does not exist"),
}


def first_address(ill):
    entry = f"{NAME}:{one.port}"
    names.set({NAME: [ill.ip, two.ip]})
    mail.stop()
    ill.begin()
    try:
        is_passed_over([entry], f"{entry} at {ill.ip}", ill.why, f"{entry} at {two.ip}")
    finally:
        ill.end()


for label, row in ILLS.items():
    case(f"the first address of a name {label}", first_address, row)


@case("all addresses of a name are well: the first one is asked")
def _():
    names.set({NAME: [one.ip, two.ip]})
    start(f"{NAME}:{one.port}")
    goes_well()
    equal((one.sessions(), two.sessions()), (1, 0), "sessions")


@case("no address of a name answers: each one is named")
def _():
    entry = f"{NAME}:{one.port}"
    names.set({NAME: [NOBODY_AT, "127.0.0.8"]})
    start(entry)
    fails(f"{entry} at {NOBODY_AT}: ", f"{entry} at 127.0.0.8: ")


@case("a name that has moved is followed while its old server still answers")
def _():
    names.set({NAME: [one.ip]})
    start(f"{NAME}:{one.port}")
    goes_well()
    names.set({NAME: [two.ip]})
    goes_well()
    equal((one.sessions(), two.sessions()), (1, 0), "sessions")
    names.be_late(61)
    try:
        goes_well()
    finally:
        mail.stop()
        names.be_late(0)


@case("a name that has moved is followed at once when its old server is away")
def _():
    entry = f"{NAME}:{one.port}"
    names.set({NAME: [one.ip]})
    start(entry, sql_timeout=str(PATIENT))
    goes_well()
    one.stop()
    try:
        names.set({NAME: [two.ip]})
        equal(log_in(RIGHT), [], "problems in the log")
        goes_well()
        equal(len(mail.smtpd_pids()), 1, "processes")
    finally:
        one.start_again()


authority = certificates.Authority(mail.directory)


def certified(entry_of_certificate, fits):
    names.set({NAME: [NOBODY_AT, two.ip]})
    two.restart(**two.tls(*authority.issue("localhost", two.owner, [entry_of_certificate])))
    try:
        start(f"{NAME}:{one.port}", sql_ssl_mode="verify-full", sql_ssl_ca=authority.certificate)
        if fits:
            problem, = log_in(RIGHT)
            contains(problem, f"asked {NAME}:{one.port} at {two.ip} instead")
            goes_well()
        else:
            fails(f"{NAME}:{one.port} at {two.ip}: ", "certificate")
            equal(two.sessions(), 0, "sessions")
    finally:
        two.restart(ssl="off")


for label, row in {"that name": (f"DNS:{NAME}", True), "another name": ("DNS:other.test", False),
                   "the address": (f"IP:{two.ip}", False)}.items():
    case(f"verify-full: a certificate for {label}", certified, *row)


# --- a single entry


def away_under_load(entry, injure, **options):
    """While `injure` runs, no login is refused and none is an outage."""
    start(entry, processes=4, **{"sql_timeout": str(PATIENT), **options})
    with Load(mail, RIGHT, INCORRECT, 4) as load:
        load.await_more()
        injure()
        load.await_more()
    right, wrong = load.counts()
    tap.note(f"right {dict(right)}, wrong {dict(wrong)}, longest {load.longest():.1f} s")
    equal(right["454"] + wrong["454"], 0, "logins without an answer")


def with_proxy(function):
    network = Proxy(one.port)
    started.append(network)
    try:
        function(network)
    finally:
        network.stop()


@case("a single entry: a balancer that is away for 2 s")
def _():
    def run(network):
        def be_away():
            network.refuse()
            network.cut()
            time.sleep(2)
            network.resume()
        away_under_load(network.address, be_away, sql_timeout="4")
    with_proxy(run)


@case("a single entry: a server that restarts")
def _():
    away_under_load(one, one.restart)


@case("a single entry: HAProxy that has marked its server down")
def _():
    if not HAProxy.installed():
        raise tap.Skip("haproxy is not installed")
    balancer = HAProxy()
    started.append(balancer)
    balancer.start(one)

    def injure():
        one.kill()
        balancer.wait_until(0, "DOWN")
        time.sleep(1)
        one.start_again()
        balancer.wait_until(0, "UP")
    try:
        away_under_load(balancer.address, injure)
    finally:
        balancer.stop()


@case("a single entry: a lasting outage is waited for once")
def _():
    def run(network):
        start(network.address)
        goes_well()
        one.stop()
        try:
            tries = []
            for _ in range(3):
                before = network.connections
                fails(f"{network.address}: ")
                tries.append(network.connections - before)
            tap.note(f"connections tried by two logins each: {tries}")
            if tries[0] < 5 or max(tries[1:]) > 2:
                raise AssertionError(f"connections tried: {tries}")
        finally:
            one.start_again()
        goes_well()
        equal(len(mail.smtpd_pids()), 1, "processes")
    with_proxy(run)


# --- a primary and its standby


def notes_login():
    """A function that writes."""
    one.run(f"ALTER TABLE mailbox ADD seen INTEGER DEFAULT 0;"
            f"CREATE FUNCTION log_in(login TEXT) RETURNS TEXT LANGUAGE SQL SECURITY DEFINER AS"
            f" $$UPDATE mailbox SET seen = seen + 1 WHERE local_part = login"
            f" RETURNING password$$; GRANT EXECUTE ON FUNCTION log_in TO {one.user}")
    the_standby().follow()


@case("a standby answers lookups")
def _():
    start(the_standby(), one)
    goes_well()
    equal((the_standby().sessions(), one.sessions()), (1, 0), "sessions")


@case("a lookup that writes goes to the primary")
def _():
    notes_login()
    is_passed_over_with([the_standby(), one], "25006", one,
                        sql_select="SELECT log_in('%u')")
    ((seen,),) = one.run("SELECT seen FROM mailbox WHERE local_part = 'alice'")
    equal(int(seen) > 0, True, "written")


def is_passed_over_with(hosts, why, second, **options):
    """As is_passed_over(), for the first one."""
    for login in (RIGHT, INCORRECT):
        start(*hosts, **options)
        problem, = log_in(login)
        contains(problem, f"{hosts[0].address}: ")
        contains(problem, why)
        contains(problem, f"; asked {second.address} instead")
        for each in (RIGHT, INCORRECT):
            equal(log_in(each), [], "problems in the log")


@case("a table that has not been replicated yet")
def _():
    the_standby().pause()
    try:
        one.run(f"CREATE TABLE users AS SELECT * FROM mailbox; GRANT SELECT ON users"
                f" TO {one.user}")
        options = {"sql_select": "SELECT password FROM users WHERE local_part = '%u'"}
        is_passed_over_with([the_standby(), one], '"users" does not exist', one, **options)
        start(the_standby(), **options)
        fails("statement refused", '"users" does not exist')
    finally:
        the_standby().resume()
    the_standby().follow()
    start(the_standby(), one, **options)
    goes_well()
    equal((the_standby().sessions(), one.sessions()), (1, 0), "sessions")


@case("a right that has not been replicated yet")
def _():
    one.run("CREATE TABLE hidden AS SELECT * FROM mailbox")
    the_standby().follow()
    the_standby().pause()
    try:
        one.run(f"GRANT SELECT ON hidden TO {one.user}")
        is_passed_over_with([the_standby(), one], "permission denied", one,
                            sql_select="SELECT password FROM hidden WHERE local_part = '%u'")
    finally:
        the_standby().resume()
    the_standby().follow()


def conflicts():
    ((count,),) = the_standby().run(
        "SELECT sum(confl_lock + confl_snapshot + confl_bufferpin + confl_deadlock)"
        " FROM pg_stat_database_conflicts")
    return int(count)


def conflict_with(*hosts):
    """Slow logins on a standby, which gives priority to what it replicates."""
    statement = (configuration.BY_NAME +
                 " AND CASE WHEN pg_sleep(0.1) IS NULL THEN FALSE ELSE TRUE END")
    before = conflicts()

    def injure():
        end = time.monotonic() + (10 if LONG else 1.5)
        while time.monotonic() < end or conflicts() == before:
            one.run("ALTER TABLE mailbox ALTER local_part SET STATISTICS 100;"
                    "VACUUM FULL mailbox")
            time.sleep(0.1)
    start(*hosts, processes=6, sql_timeout=str(PATIENT), sql_select=statement)
    with Load(mail, RIGHT, INCORRECT) as load:
        load.await_more()
        injure()
        load.await_more()
    right, wrong = load.counts()
    tap.note(f"{conflicts() - before} conflicts, right {dict(right)}, wrong {dict(wrong)}")
    equal(right["454"] + wrong["454"], 0, "logins without an answer")


def with_conflicts(function, *hosts):
    the_standby().restart(max_standby_streaming_delay=0, max_standby_archive_delay=0)
    try:
        function(*hosts)
    finally:
        the_standby().restart(max_standby_streaming_delay="30s")


@case("conflicts with replication, at a standby before its primary")
def _():
    with_conflicts(conflict_with, the_standby(), one)


@case("conflicts with replication, at a standby alone")
def _():
    with_conflicts(conflict_with, the_standby())


# --- storing


def saslpasswd2(password, *hosts, sql_timeout=PATIENT):
    """Exit status and output."""
    folder = mail.path("sasl2")
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "keeper.conf"), "w", encoding="utf-8") as file:
        file.write(configuration.canonical(
            one, ", ".join(host.address for host in hosts), password_store_scheme="SHA256-CRYPT",
            sql_timeout=str(sql_timeout),
            sql_insert="INSERT INTO mailbox (local_part, password) VALUES ('%u', '%v')",
            sql_update="UPDATE mailbox SET password = '%v' WHERE local_part = '%u'"))
    run = subprocess.run(
        ["saslpasswd2", "-p", "-a", "keeper", "-u", "example.com", "alice"],
        env=dict(os.environ, SASL_CONF_PATH=folder, SASL_PATH=plugins.under_test()),
        input=guard.keep(password), capture_output=True, text=True, check=False, timeout=60)
    guard.check(run.stdout + run.stderr, "output of saslpasswd2")
    return run.returncode, run.stdout + run.stderr


def require_saslpasswd2():
    if shutil.which("saslpasswd2") is None:
        raise tap.Skip("saslpasswd2 is not installed")
    one.run(f"GRANT INSERT, UPDATE ON mailbox TO {one.user}")
    the_standby().follow()


@case("a password is stored at the primary, though the standby comes first")
def _():
    require_saslpasswd2()
    (before,) = one.stored("alice")
    try:
        status, said = saslpasswd2("Spiegelland-8", the_standby(), one)
        equal(status, 0, f"exit status, {said}")
        (value,) = one.stored("alice")
        equal(guard.keep(value)[:3], "$5$", "start of what is stored")
        the_standby().follow()
        equal(the_standby().stored("alice"), [value], "what the standby has")
    finally:
        one.run("UPDATE mailbox SET password = ? WHERE local_part = 'alice'", before)
        the_standby().follow()


@case("standbys alone store nothing, which is certain")
def _():
    require_saslpasswd2()
    (before,) = the_standby().stored("alice")
    sessions = "connection authorized: user=" + one.user
    count = the_standby().log().count(sessions)
    equal(saslpasswd2("Spiegelland-8", the_standby())[0] == 0, False, "stored")
    equal(the_standby().log().count(sessions) - count, 1, "sessions that it took")
    equal(the_standby().stored("alice"), [before], "what the standby has")


CAROL = ("carol", "Weihnachtslied-5")


@case("without a primary, users log in, and what was not stored names each host")
def _():
    if saslauthd.why_not() is not None:
        raise tap.Skip(saslauthd.why_not())
    network = Proxy(one.port)
    shadow = saslauthd.Saslauthd(mail.directory, {CAROL[0]: database.crypt(CAROL[1], "$6$")})
    started.extend([network, shadow])
    shadow.start()
    start(the_standby(), network.address, pwcheck_method="auxprop saslauthd",
          saslauthd_path=shadow.mux, auto_transition="yes", password_store_scheme="SHA256-CRYPT",
          sql_insert="INSERT INTO mailbox (local_part, password) VALUES ('%u', '%v')",
          sql_update="UPDATE mailbox SET password = '%v' WHERE local_part = '%u'")
    one.stop()
    try:
        tries = []
        for _ in range(3):
            before = network.connections
            expect(mail.login("PLAIN", *CAROL), WELCOME)
            tries.append(network.connections - before)
            problem, = [line for line in postfix.problems(mail.lines()) if "sqlcrypt: " in line]
            contains(problem, "nothing was stored: ")
            contains(problem, f"{the_standby().address}: ")
            contains(problem, "could not make a writable connection"
                     if libpq_version() < 140000 else "read-only")
            contains(problem, f"{network.address}: ")
        # The primary may come back: one login waits for that.
        tap.note(f"connections tried: {tries}")
        if tries[0] < 4 or max(tries[1:]) > 2:
            raise AssertionError(f"connections tried: {tries}")
    finally:
        shadow.stop()
        one.start_again()
        network.stop()


# --- full hosts


def refusals(server):
    return server.log().count("too many connections for role")


@case("full hosts: all log in, and nobody goes on knocking")
def _():
    size, places, rounds = 10, 5, 4
    logins = {position: INCORRECT if position % 4 == 3 else RIGHT for position in range(size)}
    for server in (one, two):
        server.run(f"ALTER ROLE {server.user} CONNECTION LIMIT {places}")
    start(one, two, processes=size, sql_timeout=str(PATIENT))
    before = refusals(one)
    try:
        began = time.monotonic()
        for turn in range(rounds):
            # The last one is after the moment for which a full host comes last.
            time.sleep(2.1 if turn == rounds - 1 else 0)
            with Crowd(mail, size) as crowd:
                codes, _ = crowd.login(logins)
            equal(codes, {position: VERDICTS[login][:3] for position, login in logins.items()},
                  "replies")
        moments = int((time.monotonic() - began) / 2) + 1
        equal((one.sessions(), two.sessions()), (places, places), "sessions")
        lines = [line for line in mail.log().splitlines()
                 if "SASL authentication problem: " in line]
        equal(len(lines), size - places, f"lines in the log: {lines}")
        equal(len({line.split("smtpd[")[1].split("]")[0] for line in lines}), size - places,
              "processes that have said so")
        knocks = refusals(one) - before
        tap.note(f"{knocks} refusals in {moments} moments")
        if not size - places <= knocks <= moments * (size - places):
            raise AssertionError(f"{knocks} refusals")
    finally:
        for server in (one, two):
            server.run(f"ALTER ROLE {server.user} CONNECTION LIMIT -1")


# --- the order


def sessions_of(order, size=24):
    """How many sessions each of two hosts has."""
    start(one, two, processes=size, sql_timeout=str(PATIENT), sql_host_order=order)
    with Crowd(mail, size) as crowd:
        codes, _ = crowd.login({position: RIGHT for position in range(size)})
        equal(set(codes.values()), {"235"}, "replies")
        equal(postfix.problems(mail.log().splitlines()), [], "problems in the log")
        return one.sessions(), two.sessions()


@case("sql_host_order: listed has all begin with the first host")
def _():
    equal(sessions_of("listed"), (24, 0), "sessions")


@case("sql_host_order: random spreads them")
def _():
    found = sessions_of("random")
    tap.note(f"sessions: {found}")
    equal(sum(found), 24, "sessions")
    if min(found) < 2:
        raise AssertionError(f"sessions: {found}")


# --- injuries under load


def power_cycle(server):
    server.kill()
    server.start_again()


def freeze_for_a_while(server):
    server.freeze()
    time.sleep(2)
    server.thaw()


INJURIES = {
    "killed, and started": power_cycle,
    "frozen for 2 s": freeze_for_a_while,
    "restarted": lambda server: server.restart(),
    "sessions ended": lambda server: server.end_sessions(),
}


def sites():
    """Their entries, and the servers to injure."""
    names.set({NAME: [one.ip, two.ip]})
    return {
        "apart": ([one, two], [one, two]),
        "one name": ([f"{NAME}:{one.port}"], [one, two]),
        "apart, in random order": ([one, two], [one, two]),
        "standby and primary": ([the_standby(), one], [the_standby(), one]),
        "alone": ([one], [one]),
    }


def injured(site, which, injuries, rounds):
    entries, victims = sites()[site]
    server = victims[which]
    order = "random" if "random" in site else "listed"
    for injury in injuries:
        start(*entries, processes=6, sql_timeout="6", sql_host_order=order)
        with Load(mail, RIGHT, INCORRECT) as load:
            for _ in range(rounds):
                load.await_more()
                INJURIES[injury](server)
                load.await_more()
        right, wrong = load.counts()
        tap.note(f"{site:22} | {server.address:15} | {injury:19} | right {right['235']:4} 235"
                 f" {right['454']:4} 454 | wrong {wrong['535']:4} 535 {wrong['454']:4} 454"
                 f" | longest {load.longest():.1f} s")
        equal(right["454"] + wrong["454"], 0, f"{injury}: logins without an answer")


ALL = tuple(INJURIES)
# What to injure: the host, in which ways. The rest only takes its time.
SHORT = {("apart", 0): ALL, ("one name", 0): ("killed, and started",),
         ("standby and primary", 0): ("frozen for 2 s",)}
for label in ("apart", "one name", "apart, in random order", "standby and primary", "alone"):
    for number in range(1 if label == "alone" else 2):
        ways = ALL if LONG else SHORT.get((label, number))
        if ways is not None:
            case(f"injuries under load: {label}, host {number + 1}", injured, label, number, ways,
                 5 if LONG else 1)


def stop_servers():
    for server in reversed(started):
        server.stop()


tap.run(mail.close, stop_servers)
