#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""How an unmodified Postfix, through the plug-ins, logs in to a MySQL 8 that follows a
test's script: the methods of MySQL 8, in a jail too; a server, or an attacker in
between, that wants the password or files; and a server that stalls, breaks off, or
talks nonsense at each step of the protocol.

This complements the tests with a real MariaDB, for what that cannot be made to do. The
server is scripted_mysql.py: nothing here shows that a real MySQL agrees."""

import base64
import os
import pty
import random
import re
import select
import shutil
import signal
import termios
import threading
import time

import certificates
import configuration
import database
import guard
import plugins
import postfix
import scripted_mysql
import tap
from daemon import wait_for
from postfix import OUTAGE, WELCOME, WRONG, expect
from scripted_mysql import (CACHING, CLEAR, DIALOG, NATIVE, SHA256, close, half, instead, part,
                            stall, trickle)
from tap import case, contains, equal, lacks

ALICE = "Kaninchenbau-7"
RIGHT = ("alice", ALICE)
INCORRECT = ("alice", "not-the-password")
UNKNOWN = ("nobody-knows-me", ALICE)
VERDICTS = {RIGHT: WELCOME, INCORRECT: WRONG, UNKNOWN: WRONG}

postfix.require()
plugins.require_drivers("mysql")
mail = postfix.Postfix()
server = scripted_mysql.Server({"alice": database.crypt(ALICE)})
authority = certificates.Authority(tap.directory())
stranger = certificates.Authority(tap.directory(), "Strange Authority")
NAMES = ["DNS:localhost", "IP:127.0.0.1"]
trusted = authority.issue("localhost", "root", NAMES)
strange = stranger.issue("localhost", "root", NAMES)


def play(wants=None, certificate=()):
    """Starts a script: what the server wants, and what it encrypts with."""
    server.encrypt(*certificate)
    server.reset(**(wants or {}))
    server.forget()


def start(chroot=False, **options):
    mail.start(configuration.canonical(server, **options), chroot=chroot)
    play()


def login(user=RIGHT, mechanism="PLAIN"):
    """The reply, the lines about problems, and the time that it took."""
    mail.lines()
    with mail.session() as session:
        session.ehlo()
        began = time.monotonic()
        reply = session.auth(mechanism, *user)
        took = time.monotonic() - began
    return reply, postfix.problems(mail.lines()), took


def check_works(users=tuple(VERDICTS), mechanisms=("PLAIN", "LOGIN")):
    for mechanism in mechanisms:
        for user in users:
            reply, problems, _ = login(user, mechanism)
            expect(reply, VERDICTS[user], f"{mechanism} {user}, {problems}")
            equal(problems, [], "problems in the log")


def check_works_again():
    """Over a new connection to a server that behaves."""
    server.cut()
    check_works((RIGHT, INCORRECT), ("PLAIN",))


checked_lines = []  # since check_readable()


def check_line(problems, reason="", what="line"):
    """`reason` is a pattern. The line also names the host, or the option."""
    equal(len(problems), 1, f"{what}: number of problems {problems}")
    if not re.search(f"({re.escape(server.address)}|sql_ssl_mode): .*{reason}", problems[0]):
        raise AssertionError(f"{what}: {reason!r} is not in {problems[0]!r}")
    checked_lines.append(f"{what}: {problems[0]}")


def check_readable():
    """The log has exactly these lines, and nothing that happens to be in memory."""
    lines, checked_lines[:] = checked_lines[:], []
    for line in lines:
        if not line.isascii() or not line.isprintable() or "??" in line:
            raise AssertionError(f"a line that nobody can read: {line!r}")


def check_outage(reason, users=(RIGHT, INCORRECT), what="login"):
    for user in users:
        reply, problems, _ = login(user)
        expect(reply, OUTAGE, f"{what} {user}")
        check_line(problems, reason, what)


def check_same_process():
    equal(len(mail.smtpd_pids()), 1, "processes that served all of this")


def check_password_unseen(what):
    """The password of the database, by who can read along."""
    server.settle()
    for record in server.records:
        lacks(record.wire, server.password.encode(), what)
        for nonce in record.nonces:
            lacks(record.wire, scripted_mysql.xor(server.password.encode(), nonce), what)


# --- the methods

# What the server wants, whether it encrypts, and the login that comes of it
WAYS = {
    "caching_sha2_password, cached": ({"cached": True}, False, CACHING, "fast"),
    "caching_sha2_password, cached, over TLS": ({"cached": True}, True, CACHING, "fast"),
    "caching_sha2_password, by RSA": ({}, False, CACHING, "rsa"),
    "caching_sha2_password, over TLS": ({}, True, CACHING, "clear"),
    "caching_sha2_password, switched to, by RSA": ({"greets_with": NATIVE}, False, CACHING, "rsa"),
    "caching_sha2_password, switched to, cached, over TLS": (
        {"greets_with": NATIVE, "cached": True}, True, CACHING, "fast"),
    "sha256_password, switched to, by RSA": ({"plugin": SHA256}, False, SHA256, "rsa"),
    # In the greeting, over TLS, the library takes this for a connection without.
    "sha256_password, switched to, over TLS": ({"plugin": SHA256}, True, SHA256, "clear"),
    "sha256_password, by RSA": (
        {"plugin": SHA256, "greets_with": SHA256}, False, SHA256, "rsa"),
}


def method(wants, encrypted, plugin, way):
    play(wants, trusted if encrypted else ())
    check_works()
    equal(server.logins, [(server.user, plugin, way, encrypted)], "logins to the database")
    server.cut()
    check_password_unseen("what went over the wire")
    server.forget()
    server.expected = b"another-password"
    check_outage(f"Access denied for user '{server.user}'")
    equal(server.logins, [], "logins to the database")
    check_password_unseen("what went over the wire")
    server.reset(**wants)
    check_works((RIGHT,))


def methods(chroot, **options):
    """All of them in the same smtpd. What the client library loads for them comes from
    outside the jail: it is loaded before smtpd enters the jail."""
    start(chroot, **options)
    if chroot:
        with mail.session() as session:
            session.ehlo()
            (pid,) = wait_for(mail.connected_pids, "a line about the connection")
            equal(os.path.realpath(f"/proc/{pid}/root"), os.path.realpath(mail.path("queue")))
    for name, way in WAYS.items():
        if way[1] or not options:
            tap.note(name)
            method(*way)
    check_same_process()


def no_password():
    for options in ({"sql_passwd": None}, {"sql_passwd": "incorrect"}):
        start(**options)
        for wants, encrypted, _, _ in WAYS.values():
            play(wants, trusted if encrypted else ())
            check_outage("Access denied", (RIGHT,))
            equal(server.logins, [], "logins to the database")


case("every method", methods, False)
case("every method over TLS, if it must be", lambda: methods(
    False, sql_ssl_mode="verify-full", sql_ssl_ca=authority.certificate))
case("every method in a jail", methods, True)
case("every method over TLS in a jail", lambda: methods(True, sql_ssl_mode="require"))
case("no password, and a wrong one, for each method", no_password)


# --- a server that is after the password

MODES = ("disable", "prefer", "require", "verify-ca", "verify-full")
SECURE = MODES[2:]
NO_TLS = "the server does not support TLS"

# What it wants, and why it does not get it. Two of them get what they cannot
# read without their key: the client may trust an unencrypted server so far.
PHISHING = {
    "caching_sha2_password": ({}, None),
    "sha256_password": ({"plugin": SHA256}, None),
    "sha256_password in the greeting": ({"plugin": SHA256, "greets_with": SHA256}, None),
    "mysql_clear_password": ({"plugin": CLEAR}, "[Pp]lug-?in|method"),
    "mysql_clear_password in the greeting": (
        {"plugin": CLEAR, "greets_with": CLEAR}, "[Pp]lug-?in|method"),
    "dialog, for a password": (
        {"plugin": DIALOG, "question": b"\x05Password, please: "}, "[Pp]lug-?in|method"),
    "dialog, for anything": (
        {"plugin": DIALOG, "question": b"\x03Anything, please: "}, "[Pp]lug-?in|method"),
}


def tls_options(mode, with_ca):
    """With a persistent session, the next server would not be asked."""
    return {"sql_ssl_mode": mode, "sql_ssl_ca": authority.certificate if with_ca else None,
            "sql_persistent": "no"}


def no_tls_reason(mode, with_ca):
    return NO_TLS if with_ca or mode == "require" else f"{mode} needs sql_ssl_ca"


def check_silence(what):
    """The client has read the greeting and left."""
    server.settle()
    for record in server.records:
        equal(record.wire, b"", what + ": what the client has sent")


def unencrypted(mode, with_ca):
    start(**tls_options(mode, with_ca))
    for what, (wants, refusal) in PHISHING.items():
        play(wants)
        if mode in SECURE:
            check_outage(no_tls_reason(mode, with_ca), what=what)
            check_silence(what)
        elif refusal:
            check_outage(refusal, what=what)
        else:
            check_works((RIGHT, INCORRECT), ("PLAIN",))
            equal({login.way for login in server.logins}, {"rsa"}, what)
        check_password_unseen(what)
    check_readable()


for ssl_mode in MODES:
    for ca in (True, False):
        case(f"no password in clear text, {ssl_mode} {'with' if ca else 'without'} sql_ssl_ca",
             unencrypted, ssl_mode, ca)


@case("TLS that is not wanted is not used, and the password is sent for a key")
def _():
    start(**tls_options("disable", True))
    play({}, trusted)
    check_works()
    equal(set(server.logins), {(server.user, CACHING, "rsa", False)}, "logins to the database")
    check_password_unseen("what went over the wire")


def two_readings(mode, wire, seems_to_encrypt):
    """The plug-in checks the greeting before the library reads it: a greeting that can
    be read in two ways must not give the sender any advantage. `wire` turns what a
    server that does not encrypt would send into what is sent."""
    def fault(conversation, data):
        conversation.write(wire(data))

    start(**tls_options(mode, True))
    for what, (wants, _) in PHISHING.items():
        play(wants)
        with server.script("greeting", fault):
            reply, problems, _ = login()
        check_password_unseen(what)
        if mode in SECURE:
            expect(reply, OUTAGE, what)
            check_line(problems, what=what)
            equal(server.logins, [], what + ": logins to the database")
            if not seems_to_encrypt:
                check_silence(what)


def long_version(data):
    """A packet with a longer server version than any real one."""
    end = data.index(b"\0", 5)
    payload = data[4:end] + b"x" * 300 + data[end:]
    return len(payload).to_bytes(3, "little") + data[3:4] + payload


def only_seems_to_encrypt(data):
    """The packet ends where a client would read whether the server encrypts. The bytes
    after it say so."""
    end = data.index(b"\0", 5) + 1 + 4 + 8 + 1
    return (end - 4).to_bytes(3, "little") + data[3:end] + b"\xff\xff\0\2" + data[end:]


for ssl_mode in MODES:
    case(f"no password for a greeting that is too long, {ssl_mode}", two_readings, ssl_mode,
         long_version, False)
    case(f"no password for a greeting that ends too early, {ssl_mode}", two_readings, ssl_mode,
         only_seems_to_encrypt, True)


def of_a_stranger():
    """Encrypted, but by the wrong server."""
    for mode in MODES[1:]:
        start(**tls_options(mode, True))
        for what, (wants, _) in PHISHING.items():
            play(wants, strange)
            reply, problems, _ = login()
            what = f"{mode}, {what}"
            check_password_unseen(what)
            if mode in SECURE:
                expect(reply, OUTAGE, what)
                check_line(problems, "certificate|[Pp]lug-?in|method", what)
                for record in server.records:
                    lacks(record.plain, server.password.encode(), what + ", decrypted")
                    lacks(record.plain, server.user.encode(), what + ", decrypted")


case("no password for who has another certificate", of_a_stranger)


@case("what is refused is not sent over TLS either")
def _():
    start(**tls_options("verify-full", True))
    for what, (wants, refusal) in PHISHING.items():
        if refusal:
            play(wants, trusted)
            check_outage(refusal, what=what)
            for record in server.records:
                lacks(record.plain, server.password.encode(), what + ", decrypted")
    check_readable()


@case("no piece of a long password is logged")
def _():
    """The library has just sent it, from its message buffer, when it is asked for
    another method."""
    before = server.password
    server.password = guard.keep("-".join(f"{n * n + 12345}" for n in range(12)))
    try:
        start(**tls_options("verify-full", True))
        play({}, trusted)
        with server.script("verdict", packet=b"\xfedialog\0\x05And now? "):
            reply, problems, _ = login()
        expect(reply, OUTAGE)
        for at in range(len(server.password) - 6):
            lacks("\n".join(problems), server.password[at:at + 6], "the log")
        # MariaDB Connector/C 3.1 takes it for a word that the login goes on.
        check_line(problems, "[Pp]lug-?in|method|timed out")
        check_readable()
    finally:
        server.password = before


# --- a server that has a question

QUESTION = "Which word, stranger? "


def asks_nothing_of_postfix():
    start()
    for kind in (b"\x03", b"\x05", b"\x02", b"\x04"):
        play({"plugin": DIALOG, "question": kind + QUESTION.encode()})
        with mail.session() as session:
            session.ehlo()
            expect(session.auth("PLAIN", *RIGHT), OUTAGE)
        with open(mail.path("master.out"), encoding="utf-8") as file:
            lacks(file.read(), QUESTION, "what smtpd has printed")
    play()
    check_works_again()


class AtTerminal:
    """The sample server of libsasl2, with a terminal that it could ask at."""

    def __init__(self, configuration_text):
        folder = tap.directory()
        with open(os.path.join(folder, "sample.conf"), "w", encoding="utf-8") as file:
            file.write(configuration_text)
        environment = dict(os.environ, LC_ALL="C", SASL_CONF_PATH=folder,
                           SASL_PATH=mail.sasl_path)
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.execvpe("sasl-sample-server", [
                "sasl-sample-server", "-m", "PLAIN", "-s", "sample", "-p", mail.sasl_path],
                environment)
        attributes = termios.tcgetattr(self.terminal)
        attributes[3] &= ~termios.ECHO
        termios.tcsetattr(self.terminal, termios.TCSANOW, attributes)
        self.said = ""

    def read_until(self, wanted):
        """Or until the end."""
        while not re.search(wanted, self.said, re.MULTILINE):
            if not select.select([self.terminal], [], [], 10)[0]:
                raise AssertionError("it waits, and has said:\n" + self.said)
            try:
                piece = os.read(self.terminal, 65536)
            except OSError:  # the client has left
                piece = b""
            if not piece:
                return
            self.said += piece.decode("utf-8", "backslashreplace")

    def say(self, message):
        os.write(self.terminal, b"C: " + base64.b64encode(message) + b"\n")

    def end(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.terminal)


def sample_login(user):
    """Everything on its terminal in the end."""
    sample = AtTerminal(configuration.canonical(server))
    try:
        sample.read_until(r"^S: ")
        sample.say(b"PLAIN\0\0" + "\0".join(user).encode())
        sample.read_until("Negotiation complete")  # or until it gives up
        return sample.said
    finally:
        sample.end()


@case("a question to the user is not asked, by smtpd")
def _():
    asks_nothing_of_postfix()


@case("a question to the user is not asked, at a terminal")
def _():
    if shutil.which("sasl-sample-server") is None:
        raise tap.Skip("sasl-sample-server is not installed")
    play()
    contains(sample_login(RIGHT), "Negotiation complete")
    lacks(sample_login(INCORRECT), "Negotiation complete")
    for kind in (b"\x03", b"\x05"):
        play({"plugin": DIALOG, "question": kind + QUESTION.encode()})
        said = sample_login(RIGHT)
        lacks(said, "Negotiation complete")
        lacks(said, QUESTION)
        equal(server.reached["switch"], 1, "questions")


# --- a server that is after a file


@case("no file is sent to a server that asks for it")
def _():
    path = os.path.join(tap.directory(), "secret.txt")
    with open(path, "w", encoding="utf-8") as file:
        file.write("Who reads this, reads a file.\n" * 200)
    # Other answers are the beginning of something longer, which does not come.
    start(sql_timeout="0.3")
    for certificate in ((), trusted):
        for step in ("verdict", "query", "prepare", "execute"):
            play({}, certificate)
            with server.script(step, packet=scripted_mysql.local_file(path)):
                check_outage("", (RIGHT,), step)
            equal(server.reached[step] > 0, True, f"{step} was reached")
            server.settle()
            for record in server.records:
                lacks(record.plain, b"reads a file", step)
            check_works_again()
    check_same_process()
    check_readable()


# --- a server that is slow

TIMEOUT = 0.5
LATEST = TIMEOUT * 1.1 + 0.3  # and what this machine may take by itself
TRICKLE = 0.02  # seconds between two bytes: slower than the deadline allows

SLOW = {
    "stalls before its greeting": ("greeting", stall, LATEST),
    "stalls at the beginning of its greeting": ("greeting", part(9, stall), LATEST),
    "stalls within its greeting": ("greeting", half(stall), LATEST),
    "trickles its greeting": ("greeting", trickle(TRICKLE), LATEST),
    "stalls when it is to admit the client": ("verdict", stall, LATEST),
    "trickles when it is to admit the client": ("verdict", trickle(0.1), LATEST),
    "stalls after authentication": ("query", stall, LATEST),
    "stalls within a result": ("execute", half(stall), LATEST),
    "trickles a result": ("execute", trickle(TRICKLE), LATEST),
}
SLOW_WITH_TLS = {
    "stalls before TLS": ("tls", stall, LATEST),
    "stalls within the handshake of TLS": ("tls", half(stall), LATEST),
    "trickles the handshake of TLS": ("tls", trickle(0.002), LATEST),
    "stalls when it is to admit the client": ("verdict", stall, LATEST),
    "trickles when it is to admit the client": ("verdict", trickle(0.05), LATEST),
    "trickles a result": ("execute", trickle(TRICKLE), LATEST),
}


def slow(certificate, step, fault, latest):
    play({}, certificate)
    with server.script(step, fault):
        reply, problems, took = login()
    try:
        equal(server.reached[step] > 0, True, f"{step} was reached")
        expect(reply, OUTAGE)
        check_line(problems, "time")
        if not TIMEOUT * 0.9 < took < latest:
            raise AssertionError(f"454 came after {took:.2f} s")
    finally:
        check_works_again()
    check_same_process()


case("a server that is slow: Postfix starts", lambda: start(sql_timeout=str(TIMEOUT)))
for label, script in SLOW.items():
    case(f"a server that {label}", slow, (), *script)
for label, script in SLOW_WITH_TLS.items():
    case(f"a server with TLS that {label}", slow, trusted, *script)


# --- a server that has no room


def too_many(state, **options):
    """`state` depends on the version of the server."""
    start(sql_timeout=str(TIMEOUT), **options)
    certificate = trusted if options else ()
    play({}, certificate)
    error = scripted_mysql.error(1040, state, "Too many connections")
    with server.script("greeting", packet=error):
        reply, problems, took = login()
        expect(reply, OUTAGE)
        check_line(problems, "Too many connections")
        tries = server.reached["greeting"]
        if not (3 <= tries <= 40 and TIMEOUT / 2 < took < LATEST):
            raise AssertionError(f"{tries} tries in {took:.2f} s")
    check_works_again()
    check_same_process()


@case("a server that has room in time")
def _():
    """It is used."""
    start(sql_timeout=str(TIMEOUT))
    with server.script("greeting", packet=scripted_mysql.TOO_MANY):
        room = threading.Timer(TIMEOUT / 3, server.packets.clear)
        room.start()
        reply, problems, _ = login()
        room.join()
        expect(reply, WELCOME, str(problems))
        equal(problems, [], "problems in the log")


@case("a server that does not admit this host")
def _():
    for options in ({}, {"sql_ssl_mode": "require"}):
        start(**options)
        play({}, trusted if options else ())
        with server.script("greeting", packet=scripted_mysql.error(
                1130, "HY000", "Host '127.0.0.1' is not allowed to connect to this server")):
            check_outage("is not allowed to connect")
        check_works_again()


case("a server with too many connections", too_many, "")
case("a server with too many connections, where it must encrypt",
     lambda: too_many("08004", sql_ssl_mode="require"))


# --- a server that breaks off, or talks nonsense

STEPS = [step for step in scripted_mysql.STEPS if step != "tls"]
STEPS_WITH_TLS = ("tls", "verdict", "execute")
NONSENSE = {
    "SSH": b"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n",
    "SMTP": b"220 mail.example.net ESMTP\r\n",
    "HTTP": b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n",
    "zeros": bytes(64),
    "ones": b"\xff" * 64,
    "an empty packet": b"\0\0\0\0",
    "a large packet": b"\xff\xff\xff\0\x0a" + b"x" * 100,
    "an error without a text": b"\x01\0\0\0\xff",
    "an error of a client": b"\x09\0\0\0\xff\xdd\x07#HY000",
    "a switch to nothing": b"\x01\0\0\0\xfe",
}


def wants_for(step):
    """The script in which a step is reached."""
    return {"greets_with": NATIVE} if step == "switch" else {}


def check_broken(step, fault, what):
    server.forget()
    with server.script(step, fault):
        reply, problems, took = login()
    equal(server.reached[step] > 0, True, f"{what}: {step} was reached")
    expect(reply, OUTAGE, what)
    check_line(problems, what=what)
    if took > LATEST:
        raise AssertionError(f"{what}: 454 came after {took:.2f} s")


def breaks_off(step, certificate):
    play(wants_for(step), certificate)
    for what, fault in (("at once", close), ("within", half(close)), ("early", part(3, close))):
        check_broken(step, fault, what)
        check_works_again()
        # The loss of an existing connection goes unnoticed at first.
        check_broken(step, fault, what)
    check_works_again()
    check_same_process()


def talks_nonsense(step, certificate):
    play(wants_for(step), certificate)
    for what, data in NONSENSE.items():
        check_broken(step, instead(data, close), what)
    check_works_again()
    check_same_process()
    check_readable()


def stalls_after_nonsense():
    play()
    for step, what in (("greeting", "SSH"), ("execute", "a large packet")):
        check_broken(step, instead(NONSENSE[what], stall), what)
    check_works_again()
    check_same_process()


def misunderstands():
    """The server reports no parameters. Once it understands, all is well."""
    play()
    with server.script("prepare", packet=b"\0\1\0\0\0" + bytes(7)):
        check_outage("", (RIGHT,))
    check_works_again()
    check_same_process()


def talks_almost_sense(step, certificate, randomness, rounds):
    """The outcome is not defined, since a right hash may be damaged. But smtpd
    survives, and logs at most one line."""
    play(wants_for(step), certificate)
    for count in range(rounds):
        server.forget()
        with server.script(step, scripted_mysql.damage(randomness)):
            reply, problems, took = login()
        if not reply.startswith((OUTAGE, WELCOME, WRONG)) or len(problems) > 1 or took > LATEST:
            raise AssertionError(f"round {count}: {reply!r} after {took:.2f} s, {problems}")
    check_works_again()
    check_same_process()


case("a server that fails: Postfix starts", lambda: start(sql_timeout=str(TIMEOUT)))
for name in STEPS:
    case(f"a server that breaks off: {name}", breaks_off, name, ())
    case(f"a server that talks nonsense: {name}", talks_nonsense, name, ())
for name in STEPS_WITH_TLS:
    case(f"a server with TLS that breaks off: {name}", breaks_off, name, trusted)
    case(f"a server with TLS that talks nonsense: {name}", talks_nonsense, name, trusted)
case("a server that talks nonsense and stalls", stalls_after_nonsense)
case("a server that has misunderstood a statement", misunderstands)
case("a server that makes mistakes: Postfix starts", lambda: start(sql_timeout="0.1"))
for name in STEPS:
    case(f"a server that makes mistakes: {name}", talks_almost_sense, name, (),
         random.Random(name), 6)


def late(data):
    """Another packet comes first, which the library skips: a progress report."""
    payload = b"\xff\xff\xff\1\1\1" + bytes(3) + b"\4late"
    return len(payload).to_bytes(3, "little") + b"\0" + payload + data[:3] + b"\1" + data[4:]


# The last: there may be no smtpd left after it.
case("no password for a greeting that is late, and no crash", lambda: [
    two_readings(mode, late, False) for mode in MODES])

tap.run(mail.close, server.stop)
