#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Courier's authdaemond is missing, not accessible, or does not answer an unmodified
Postfix. No wrong password is accepted and no right one refused, the answer comes before
the deadline, the log has one line with the reason, and the same smtpd works again as
soon as the daemon does. The same in a chroot jail, and with fifty of them at once."""

import contextlib
import grp
import os
import resource
import socket
import threading
import time

import authdaemond
import database
import postfix
import smtp
import tap
from authdaemond import configuration
from crowd import Crowd, check_never_confused
from daemon import wait_for
from postfix import OUTAGE, WELCOME, WRONG, expect
from tap import case, contains, equal, lacks

TIMEOUT = 1.0  # authdaemond_timeout of authdaemond.configuration()
SLACK = 0.3  # what this machine may take by itself
LONGEST_PATH = 107  # of a socket

ALICE = ("alice@example.com", "Kaninchenbau-7")
INCORRECT = (ALICE[0], "not-the-password")
UNKNOWN = ("nobody-knows-me", ALICE[1])
ALL = [(mechanism, login) for mechanism in ("PLAIN", "LOGIN")
       for login in (ALICE, INCORRECT, UNKNOWN)]
# For faults of which each try takes the whole time.
SOME = [("PLAIN", ALICE), ("LOGIN", INCORRECT)]
VERDICTS = {ALICE: WELCOME, INCORRECT: WRONG, UNKNOWN: WRONG}

postfix.require()
authdaemond.require()
mail = postfix.Postfix()
daemon = authdaemond.Authdaemond()
daemon.add(*ALICE)
daemon.publish()


def try_login(mechanism, login, want, timeout=TIMEOUT):
    """The lines about problems that it causes, and the time that it took."""
    mail.lines()
    with mail.session() as session:
        session.ehlo()
        began = time.monotonic()
        expect(session.auth(mechanism, *login), want, f"{mechanism} {login}")
        took = time.monotonic() - began
    if took > timeout * 1.1 + SLACK:
        raise AssertionError(f"{mechanism} {login}: {want!r} came after {took:.2f} s")
    return postfix.problems(mail.lines()), took


def check_works():
    for mechanism, login in ALL:
        problems, _ = try_login(mechanism, login, VERDICTS[login])
        equal(problems, [], "problems in the log")


def check_outage(tries, *parts):
    """Returns the last line about it."""
    for mechanism, login in tries:
        problems, _ = try_login(mechanism, login, OUTAGE)
        equal(len(problems), 1, f"number of {problems}")
        for part in (mechanism, "authdaemond: ") + parts:
            contains(problems[0], part)
        lacks(problems[0], "jail")
    return problems[0]


def check_one_process():
    equal(len(mail.smtpd_pids()), 1, "processes that served all of this")


# --- one fault after the other, under the same smtpd


@contextlib.contextmanager
def renamed(path):
    os.rename(path, path + ".away")
    try:
        yield
    finally:
        os.rename(path + ".away", path)


@contextlib.contextmanager
def stopped():
    daemon.stop()
    equal(os.path.exists(daemon.socket), True, "the socket that is left")
    try:
        yield
    finally:
        daemon.start()


@contextlib.contextmanager
def killed():
    daemon.kill()
    try:
        yield
    finally:
        daemon.start()


@contextlib.contextmanager
def frozen():
    daemon.freeze()
    try:
        yield
    finally:
        daemon.thaw()


def fill_backlog():
    """Connects as often as the frozen daemon allows, and returns the sockets."""
    fillers = []
    try:
        while True:
            filler = socket.socket(socket.AF_UNIX)
            fillers.append(filler)
            filler.setblocking(False)
            filler.connect(daemon.socket)
    except BlockingIOError:
        return fillers
    except BaseException:
        close_all(fillers)
        raise


def close_all(sockets):
    for one in sockets:
        one.close()


@contextlib.contextmanager
def full():
    with frozen():
        fillers = fill_backlog()
        try:
            yield
        finally:
            close_all(fillers)


@contextlib.contextmanager
def replaced(make):
    """Something else is in the place of the socket."""
    with renamed(daemon.socket):
        remains = make(daemon.socket)
        try:
            yield
        finally:
            if remains is not None:
                remains.close()
            if os.path.isdir(daemon.socket):
                os.rmdir(daemon.socket)
            else:
                os.unlink(daemon.socket)


def datagram_socket(path):
    other = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    other.bind(path)
    os.chmod(path, 0o777)
    return other


def closes_at_once(path):
    """A server that accepts connections and closes them, whatever it is asked."""
    server = socket.socket(socket.AF_UNIX)
    server.bind(path)
    os.chmod(path, 0o777)
    server.listen()

    def serve():
        with contextlib.suppress(OSError):
            while True:
                server.accept()[0].close()

    threading.Thread(target=serve, daemon=True).start()
    return server


def plain_file(path):
    with open(path, "w", encoding="utf-8"):
        os.chmod(path, 0o777)


FAULTS = {
    "the socket is missing": (lambda: renamed(daemon.socket), ALL, ["No such file or directory"]),
    "its directory is missing": (lambda: renamed(daemon.folder), ALL,
                                 ["No such file or directory"]),
    "authdaemond is stopped, and its socket is left": (stopped, ALL, ["Connection refused"]),
    "authdaemond is killed": (killed, ALL, ["Connection refused"]),
    "authdaemond is frozen": (frozen, SOME, ["timed out waiting for an answer"]),
    "authdaemond is frozen, and its backlog is full": (full, SOME,
                                                       ["timed out waiting for an answer"]),
    "another kind of socket": (lambda: replaced(datagram_socket), ALL, ["wrong type for socket"]),
    "a server that closes at once": (lambda: replaced(closes_at_once), ALL,
                                     ["closed without a verdict"]),
    "a directory": (lambda: replaced(os.mkdir), ALL, []),
    "a file": (lambda: replaced(plain_file), ALL, ["not a socket"]),
}


def outage(fault, tries, parts):
    check_works()
    with fault():
        check_outage(tries, daemon.socket, *parts)
    check_works()
    check_one_process()


@case("authdaemond and Postfix start")
def _():
    # For a full backlog.
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    daemon.start()
    mail.start(configuration(daemon.socket))
    check_works()


for label, arguments in FAULTS.items():
    case(label, outage, *arguments)


# --- faults that pass in time


class Attempt:
    """A login in the background."""

    def __init__(self, mechanism, login):
        self.problems = self.error = None
        self.login = (mechanism, login, VERDICTS[login])
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self):
        try:
            self.problems, _ = try_login(*self.login)
        except (OSError, AssertionError) as error:
            self.error = error

    def check_went_well(self):
        self.thread.join()
        if self.error is not None:
            raise AssertionError(str(self.error))
        equal(self.problems, [], "problems in the log")


@case("frozen, with a full backlog or without, for less than authdaemond_timeout")
def _():
    for fault in (frozen, full):
        for mechanism, login in SOME:
            with fault():
                attempt = Attempt(mechanism, login)
                time.sleep(TIMEOUT / 3)
            attempt.check_went_well()
    check_one_process()


@case("killed while a login waits for the answer")
def _():
    for login in (ALICE, INCORRECT):
        mail.lines()
        daemon.freeze()
        with mail.session() as session:
            session.ehlo()
            killer = threading.Timer(TIMEOUT / 3, daemon.kill)
            killer.start()
            began = time.monotonic()
            expect(session.auth("PLAIN", *login), OUTAGE)
            took = time.monotonic() - began
            killer.join()
        if took > TIMEOUT * 1.1 + SLACK:
            raise AssertionError(f"the reply came after {took:.2f} s")
        problems = postfix.problems(mail.lines())
        equal(len(problems), 1, f"number of {problems}")
        contains(problems[0], "closed without a verdict")
        daemon.start()
        check_works()
    check_one_process()


@case("restarted between logins: nobody notices")
def _():
    for restart in (daemon.restart, lambda: (daemon.kill(), daemon.start())):
        check_works()
        restart()
        check_works()
    check_one_process()


# --- rights


def foreign_group():
    """A group of this system to which Postfix does not belong, Courier's if it
    exists."""
    for name in ("courier", "daemon", "bin"):
        with contextlib.suppress(KeyError):
            group = grp.getgrnam(name)
            if "postfix" not in group.gr_mem:
                return group
    raise tap.Skip("postfix is a member of all groups")


@contextlib.contextmanager
def rights(path, mode, gid):
    before = os.stat(path)
    os.chown(path, -1, gid)
    os.chmod(path, mode)
    try:
        yield
    finally:
        os.chown(path, -1, before.st_gid)
        os.chmod(path, before.st_mode & 0o7777)


@case("the directory belongs to a group without postfix: the line names both")
def _():
    group = foreign_group()
    with rights(daemon.folder, 0o750, group.gr_gid):
        check_outage(ALL, daemon.socket, "Permission denied", daemon.folder + " ", "750",
                     f"group {group.gr_name}")
    check_works()
    check_one_process()


@case("the same, with the longest path that a socket may have")
def _():
    group = foreign_group()
    folder = daemon.folder
    folder += (LONGEST_PATH - len(folder + "/socket")) // 2 * "/."
    mail.start(configuration(folder + "/socket"))
    check_works()
    with rights(daemon.folder, 0o750, group.gr_gid):
        check_outage(SOME, daemon.folder, "Permission denied", "750", f"group {group.gr_name}")
    mail.start(configuration(daemon.socket))


@case("the directory belongs to the group of postfix")
def _():
    with rights(daemon.folder, 0o750, grp.getgrnam("postfix").gr_gid):
        check_works()
    check_one_process()


@case("a group that has no name")
def _():
    with rights(daemon.folder, 0o750, 54321):
        check_outage(SOME, daemon.socket, "Permission denied", "54321")
    check_works()


@case("a directory further up that lets nobody in")
def _():
    with rights(daemon.run, 0o700, 0):
        check_outage(SOME, daemon.socket, "Permission denied", daemon.run + " ", "700",
                     "group root")
    check_works()


@case("the socket itself lets nobody in")
def _():
    group = foreign_group()
    with rights(daemon.socket, 0o660, group.gr_gid):
        check_outage(ALL, "Permission denied: " + daemon.socket + " ", "660",
                     f"group {group.gr_name}")
    check_works()
    check_one_process()


# --- options that cannot be used


def check_broken(*parts):
    with mail.session() as session:
        equal(sorted(smtp.mechanisms(session.ehlo())), ["LOGIN", "PLAIN"])
    for mechanism, login in ALL:
        problems, _ = try_login(mechanism, login, OUTAGE)
        equal(len(problems), 1, f"number of {problems}")
        for part in parts:
            contains(problems[0], part)
    check_one_process()


def too_long(length):
    path = "/" + "x" * (length - 1)
    mail.start(configuration(path))
    check_broken("/xxx", "too long" if length > LONGEST_PATH else "No such file")


for size in (LONGEST_PATH, LONGEST_PATH + 1, LONGEST_PATH + 2, 300, 2000):
    case(f"a path of {size} bytes", too_long, size)


def broken(name, value, *parts):
    mail.start(configuration(daemon.socket, **{name: value}))
    check_broken(name, *parts)
    mail.start(configuration(daemon.socket))
    check_works()


for text in ("soon", "0", "-1", "1s", "4000"):
    case(f"authdaemond_timeout: {text}", broken, "authdaemond_timeout", text, f'"{text}"')
for text in ("nonsense", "disablesmtp=0,nonsense", "=0"):
    case(f"authdaemond_require_options: {text}", broken, "authdaemond_require_options", text,
         f'"{text}"')


@case("what is broken for authdaemond is not so for others in the list")
def _():
    table = database.Table(mail.path("users.sqlite"))
    table.add("tabea", database.crypt("Tafelspitz-7"))
    mail.start(configuration(
        daemon.socket, authdaemond_timeout="soon", pwcheck_method="authdaemond auxprop",
        auxprop_plugin="sqlcrypt", password_format="crypt", sql_engine="sqlite3",
        sql_database=table.path,
        sql_select="SELECT password FROM mailbox WHERE local_part = '%u'"))
    for mechanism in ("PLAIN", "LOGIN"):
        expect(mail.login(mechanism, "tabea", "Tafelspitz-7"), WELCOME)
        expect(mail.login(mechanism, "tabea", "not-the-password"), OUTAGE)
        expect(mail.login(mechanism, *ALICE), OUTAGE)


@case("authdaemond_timeout with decimals")
def _():
    for timeout in (0.3, 0.75):
        mail.start(configuration(daemon.socket, authdaemond_timeout=str(timeout)))
        check_works()
        with frozen():
            for mechanism, login in SOME:
                problems, took = try_login(mechanism, login, OUTAGE, timeout)
                equal(len(problems), 1, f"number of {problems}")
                if took < timeout:
                    raise AssertionError(f"given up after {took:.2f} s, before {timeout} s")
        check_works()
        check_one_process()


# --- in a chroot jail

jailed = []


def inside(path):
    """A path in the jail, as seen from outside."""
    return mail.path("queue") + path


def start_jailed(path):
    mail.start(configuration(path), chroot=True)
    with mail.session() as session:
        session.ehlo()
        (pid,) = wait_for(mail.connected_pids, "smtpd in the log")
        equal(os.path.realpath(f"/proc/{pid}/root"), os.path.realpath(mail.path("queue")))


def check_outage_in_jail(*parts):
    for mechanism, login in SOME:
        problems, _ = try_login(mechanism, login, OUTAGE)
        equal(len(problems), 1, f"number of {problems}")
        for part in parts:
            contains(problems[0], part)
    return problems[0]


@case("in a jail, with the socket inside of it")
def _():
    os.makedirs(inside("/run/courier"), 0o755)
    jailed.append(authdaemond.Authdaemond(run=inside("/run/courier")))
    jailed[0].add(*ALICE)
    jailed[0].publish()
    jailed[0].start()
    start_jailed("/run/courier/authdaemon/socket")
    check_works()
    check_one_process()


@case("in a jail, where the plug-in looks if nobody tells it")
def _():
    os.makedirs(inside("/var"), 0o755)
    os.symlink("../run", inside("/var/run"))
    start_jailed(None)
    check_works()


@case("in a jail, all other faults do not mention it")
def _():
    start_jailed("/run/courier/authdaemon/socket")
    jailed[0].stop()
    lacks(check_outage_in_jail("/run/courier/authdaemon/socket", "Connection refused"), "jail")
    jailed[0].start()
    jailed[0].freeze()
    lacks(check_outage_in_jail("/run/courier/authdaemon/socket", "timed out"), "jail")
    jailed[0].thaw()
    # The names of groups are outside.
    group = foreign_group()
    with rights(jailed[0].folder, 0o750, group.gr_gid):
        line = check_outage_in_jail("Permission denied", "/run/courier/authdaemon ", "750")
    lacks(line, "jail")
    if f"group {group.gr_name}" not in line:
        contains(line, str(group.gr_gid))
    check_works()
    check_one_process()


@case("in a jail, with the socket outside: the line mentions the jail")
def _():
    start_jailed(daemon.socket)
    check_outage_in_jail(daemon.socket, "No such file or directory", "chroot jail")
    # A path that includes the jail is as wrong.
    start_jailed(jailed[0].socket)
    check_outage_in_jail(jailed[0].socket, "No such file or directory", "chroot jail")


@case("in a jail, it works as soon as the socket is inside, in the same smtpd")
def _():
    start_jailed(daemon.socket)
    check_outage_in_jail("chroot jail")
    os.makedirs(inside(daemon.folder), 0o755)
    os.link(daemon.socket, inside(daemon.socket))
    check_works()
    check_one_process()


# --- fifty at once

SIZE = 50
CROWD = {f"user{number}@example.com": f"Gedraenge-Nummer-{number}" for number in range(SIZE)}


def crowd_logins():
    """Every user logs in with the right password, or with that of a neighbour."""
    passwords = list(CROWD.values())
    return {position: (user, passwords[position - (position % 3 == 2)])
            for position, user in enumerate(CROWD)}


def crowd(daemons):
    for user, password in CROWD.items():
        daemon.add(user, password)
    daemon.publish()
    daemon.start(daemons=daemons)
    mail.start(configuration(daemon.socket, authdaemond_timeout="10"), processes=SIZE)
    logins = crowd_logins()
    with Crowd(mail, SIZE) as many:
        for _ in range(4):
            codes, took = many.login({position: login for position, login in logins.items()
                                      if login not in CROWD.items()})
            count = check_never_confused(codes, logins, set(CROWD.items()))
            equal(set(count), {"535"}, "answers to wrong passwords")
        codes, took = many.login(logins)
        count = check_never_confused(codes, logins, set(CROWD.items()))
        tap.note(f"{dict(count)}, {took:.2f} s")
        equal(count["454"], 0, "logins without an answer")
    equal(postfix.problems(mail.lines()), [], "problems in the log")


for number_of_daemons in (5, 1):
    case(f"{SIZE} logins at once, daemons={number_of_daemons}", crowd, number_of_daemons)


@case(f"{SIZE} logins at once while it is frozen, and again when it is not")
def _():
    mail.start(configuration(daemon.socket), processes=SIZE)
    logins = crowd_logins()
    with Crowd(mail, SIZE) as many:
        daemon.freeze()
        try:
            codes, took = many.login(logins)
        finally:
            daemon.thaw()
        equal(set(codes.values()), {"454"}, "answers")
        if took > 2 * TIMEOUT:
            raise AssertionError(f"an answer came after {took:.1f} s")
        codes, _ = many.login(logins)
        count = check_never_confused(codes, logins, set(CROWD.items()))
        equal(count["454"], 0, "logins without an answer")
    equal(len(postfix.problems(mail.lines())), SIZE, "problems in the log")


def stop_servers():
    for server in [daemon] + jailed:
        server.stop()


tap.run(mail.close, stop_servers)
