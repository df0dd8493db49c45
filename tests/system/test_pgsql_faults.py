#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Whatever a PostgreSQL server says, and however long it keeps talking, an unmodified
Postfix answers in time and needs little memory for it; then it logs in over a new
connection.

The server is scripted: no real one would do most of this."""

import os
import shutil
import struct
import subprocess
import time

import certificates
import configuration
import database
import guard
import plugins
import postfix
import scripted_pgsql as script
import tap
from postfix import OUTAGE, WELCOME, WRONG, expect
from scripted_pgsql import (ADMITTED, ASKS_FOR_PASSWORD, BOUND, GIGABYTE, answer_with, before, behind, close,
                            columns, error, error_of_pooler, instead, message, notice, notification, parameter,
                            part, ready, row, slowly, stall, without_end)
from tap import case, contains, equal

ALICE = "Kaninchenbau-7"
RIGHT = ("alice", ALICE)
TIMEOUT = 0.4  # seconds
MARGIN = 20  # seconds: this is about an end, not about speed
MOST_MEMORY = 384 << 20  # bytes more than before: what comes in between two looks counts

postfix.require()
plugins.require_drivers("pgsql")
mail = postfix.Postfix()
STORED = database.crypt(ALICE)
server = script.Server({"alice": STORED})
server.encrypt(*certificates.Authority(mail.directory).issue("localhost", "root"))
tls = server.context


# --- memory of smtpd


def _status(pid, name):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        for line in file:
            if line.startswith(name + ":"):
                return int(line.split()[1]) << 10
    raise AssertionError(f"no {name}")


class Memory:
    """The most memory that a process needs, from now on."""

    def __init__(self, pid):
        self.pid = pid
        with open(f"/proc/{pid}/clear_refs", "w", encoding="ascii") as file:
            file.write("5")
        self.before = _status(pid, "VmRSS")

    def check(self):
        more = _status(self.pid, "VmHWM") - self.before
        if more > MOST_MEMORY:
            raise AssertionError(f"{more >> 20} MiB of memory")


def smtpd():
    pid, = mail.smtpd_pids()
    return pid


# --- cases


def start(sql_usessl):
    server.context = tls if sql_usessl == "yes" else None
    mail.start(configuration.canonical(server, sql_timeout=str(TIMEOUT), sql_usessl=sql_usessl))
    works()


def works(connections=1):
    mail.lines()
    logins = server.logins
    expect(mail.login("PLAIN", *RIGHT), WELCOME)
    expect(mail.login("LOGIN", "alice", "not-the-password"), WRONG)
    expect(mail.login("PLAIN", "nobody-knows-me", ALICE), WRONG)
    equal(postfix.problems(mail.lines()), [], "problems in the log")
    equal(server.logins, logins + connections, "connections")


def fails(step, fault, reason="", refused=None, goes_on=False):
    """And the faulty connection is not used any more, unless the dialogue continues.
    Before that, the statement itself may have been refused."""
    server.cut()
    server.reached.clear()
    memory = Memory(smtpd())
    begin = time.monotonic()
    with server.script("execute", refused), server.script(step, fault):
        expect(mail.login("PLAIN", *RIGHT), OUTAGE)
        took = time.monotonic() - begin
        if not goes_on:
            server.settle()
    equal(server.reached[step] > 0, True, f"{step} was reached")
    equal(took < TIMEOUT + MARGIN, True, f"{took} seconds")
    memory.check()
    problems = postfix.problems(mail.lines())
    equal(len(problems), 1, f"number of problems {problems}")
    contains(problems[0], f"{server.address}: ")
    contains(problems[0], reason)
    works(0 if goes_on else 1)


LATE = "timed out"
LONG = "the answer is too long"
BEGUN = BOUND + columns("password")


def numbered(number):
    return parameter(f"p{number}", "x")


SAID = {
    "notices": notice(),
    "long notices": notice("x" * 100000),
    "one parameter": parameter(),
    "one long parameter": parameter(value="x" * 100000),
    "many parameters": numbered,
    "notifications": notification(),
    "long notifications": notification("x" * 100000),
}
PLACES = {
    "after authentication": ("verdict", ADMITTED),
    "before a statement is prepared": ("prepare", b""),
    "within a statement": ("execute", BEGUN),
}

FAULTS = {
    # before there is a session
    "a notice before authentication": ("password", without_end(notice())),
    "asks for the password again and again": ("password", without_end(ASKS_FOR_PASSWORD)),
    "a long error instead of authentication": (
        "password", instead(message(b"E", length=GIGABYTE), without_end(b"x"))),
    "an error without end after authentication": (
        "verdict", instead(ADMITTED + message(b"E", length=GIGABYTE), without_end(b"x"))),
    "a message of an unknown type, to log in": ("password", instead(message(b"x"))),

    # one message
    "a row announced as a gigabyte, fast": (
        "execute", instead(BEGUN + message(b"D", length=GIGABYTE), without_end(b"x")), LONG),
    "a row announced as a gigabyte, slowly": (
        "execute", slowly(b"x", 0.02, BEGUN + message(b"D", length=GIGABYTE)), LATE),
    "a row announced as a gigabyte, and no more": (
        "execute", instead(BEGUN + message(b"D", length=GIGABYTE)), LATE),
    "a row of a length below zero": (
        "execute", instead(BEGUN + message(b"D", length=-5 & 0xffffffff))),
    # Much more than is allowed: the driver looks every few milliseconds.
    "a row of sixty megabytes": ("execute", before(BEGUN + row(b"x" * (60 << 20))), LONG),
    "a row with too many values": ("execute", before(BEGUN + row(b"x", b"y"))),
    "a row that is cut off": ("execute", before(BEGUN + message(b"D", b"\0\1\0\0\0\7x"))),
    "a row before its columns": ("execute", before(BOUND + row(b"x"))),
    "65535 columns that are not there": (
        "execute", instead(BOUND + message(b"T", struct.pack(">H", 65535)))),
    "columns announced as a gigabyte": (
        "execute", instead(BOUND + message(b"T", length=GIGABYTE), without_end(b"x")), LONG),
    "an error announced as a gigabyte": (
        "execute", instead(BEGUN + message(b"E", length=GIGABYTE), without_end(b"x")), LONG),
    "a notice announced as a gigabyte": (
        "execute", instead(BEGUN + message(b"N", length=GIGABYTE), without_end(b"x")), LONG),
    "an error that is cut off": ("execute", instead(BEGUN + message(b"E", b"SERROR"))),
    "an error of nothing": ("execute", instead(BEGUN + message(b"E", b"\0") + ready())),
    "the end of a command announced as a gigabyte": (
        "execute", instead(BEGUN + message(b"C", length=GIGABYTE), without_end(b"x"))),
    "a message of an unknown type": ("execute", instead(BEGUN + message(b"x"))),
    "a message of type NUL": ("execute", instead(BEGUN + bytes(10))),
    "authentication within a statement": ("execute", instead(BEGUN + ADMITTED)),
    "noise": ("execute", without_end(bytes(range(256)))),

    # many
    "rows without end": ("execute", without_end(row(b"x" * 10), BEGUN)),
    "long rows without end": ("execute", without_end(row(b"x" * 100000), BEGUN), LONG),
    "empty rows without end": ("execute", without_end(row(), BOUND + columns())),
    "errors without end": ("execute", without_end(error("XX000", "x"), BEGUN), "XX000"),
    "refusals without end": ("execute", without_end(error("42P01", "x" * 100000), BEGUN), LONG),
    "columns without end": ("execute", without_end(columns("password"), BOUND), LONG),
    "results without end": (
        "execute", without_end(columns("a") + message(b"C", b"SELECT 0\0"), BOUND)),
    "bindings without end": ("execute", without_end(BOUND), LONG),

    # what no lookup is for
    "COPY from the client": (
        "execute", instead(BOUND + message(b"G", bytes(3))), "of this kind cannot be used"),
    "COPY to the client": (
        "execute", instead(BOUND + message(b"H", bytes(3)), without_end(message(b"d", b"x"))),
        "of this kind cannot be used"),
    "COPY both ways": (
        "execute", instead(BOUND + message(b"W", bytes(3))), "of this kind cannot be used"),
    "nothing to run": ("execute", instead(BOUND + message(b"I") + ready()),
                       "of this kind cannot be used"),
    "an error of a pooler": (
        "execute", instead(error_of_pooler("58000", "pgbouncer"), close), "pgbouncer"),
    "an error of a pooler, about the protocol": (
        "execute", answer_with(error_of_pooler("08P01", "no idea") + ready()), "no idea"),
    "an error of a pooler, which is fatal": (
        "execute", answer_with(error_of_pooler("42000", "no more", "FATAL") + ready()), "no more"),
    "an error of a pooler, a panic": (
        "execute", answer_with(error_of_pooler("42000", "no more", "PANIC") + ready()), "no more"),
    "a fatal error": (
        "execute", answer_with(error("57P01", "administrator", "FATAL") + ready()),
        "administrator"),
    "no word that it is ready": ("execute", part(-6, stall), LATE),
}


REFUSED = answer_with(BOUND + error("22P02", "no number") + ready())


def until_works(step, count, then):
    """The first bytes of an answer and no more; returns whether they were the whole
    answer."""
    lengths = []

    def fault(conversation, data):
        lengths.append(len(data))
        conversation.write(data[:count])
        if count < len(data):
            then(conversation, b"")

    server.cut()
    with server.script(step, fault):
        reply = mail.login("PLAIN", *RIGHT)
    if count >= lengths[0]:
        expect(reply, WELCOME, f"all {count} bytes of {step}")
        return True
    # That a statement was prepared is known once the first message of the answer is there.
    expect(reply, OUTAGE, f"{count} of {lengths[0]} bytes of {step}")
    return False


DONE = message(b"C", b"SELECT 1\0") + ready()
REFUSALS = {
    "a long value": ("execute", answer_with(BEGUN + row(b"x" * ((1 << 20) + 1)) + DONE),
                     "the value is longer than 1048576 bytes"),
    "no column": ("execute", answer_with(BOUND + columns() + row() + DONE),
                  "the statement returns no column"),
    "no row, and no columns": ("execute", answer_with(BOUND + message(b"n") + DONE),
                               "the statement returns no column"),
    "several rows": ("execute", answer_with(BEGUN + row(b"x") + row(b"y") + DONE),
                     "more than one row"),
    "many rows": ("execute", answer_with(BEGUN + row(b"x" * 1000) * 2000 + DONE),
                  "more than one row"),
    "65535 columns": ("execute", answer_with(BOUND + columns(*["c"] * 65535) + error(
        "42703", "no such column") + ready()), "no such column"),
    "a refusal of a pooler": (
        "execute", answer_with(error_of_pooler("42703", "no such column") + ready()),
        "no such column"),
    "a refusal, several times": (
        "execute", answer_with(BOUND + error("42703", "no such column") * 3 + ready()),
        "no such column"),
    "asked about the parameters, knows none": (
        "describe", answer_with(message(b"t", bytes(2)) + message(b"n") + ready()), "22P02",
        REFUSED),
    "asked about the parameters, knows no statement": (
        "describe", answer_with(error("26000", "no such statement") + ready()), "22P02", REFUSED),
    "asked about the parameters, can read them": (
        "describe", before(b""), "22P02", script.once(REFUSED)),
}


def refuses(step, fault, reason, refused=None):
    """The session is in order."""
    fails(step, fault, reason, refused, goes_on=True)


def reads_long_rows():
    """However the row is split on its way."""
    for length in (*range(0, 65536, 2039), 1 << 18, 1 << 20, (4 << 20) - 65536):
        answer = BOUND + columns("password", "other") + row(STORED.encode(), b"x" * length) + DONE
        with server.script("execute", answer_with(answer)):
            expect(mail.login("PLAIN", *RIGHT), WELCOME, f"{length} bytes")
    equal(postfix.problems(mail.lines()), [], "problems in the log")


def reads_full_records():
    """OpenSSL may hold the end of an answer when the socket has no more data."""
    answer = BEGUN + row(STORED.encode()) + DONE
    room = 2 * 16384 - len(answer)
    for length in (100, 1000, 3000, 5000, 7000, 11000):
        said = notice("x" * length)
        fill = said * (room // len(said) - 1)
        fill += notice("x" * (room - len(fill) - len(notice(""))))
        # libpq begins with little room for it.
        server.cut()
        with server.script("execute", answer_with(fill + answer)):
            expect(mail.login("PLAIN", *RIGHT), WELCOME, f"notices of {length} bytes")


def ends_everywhere(step):
    count = 0
    while not until_works(step, count, close):
        count += 1
    equal(count > 0, True, "bytes")
    server.cut()
    works()


# --- a server that finds no type for a parameter


def gets_types(text):
    """Then they are text."""
    server.cut()
    refusal = answer_with(error("42P18", text) + ready())
    with server.script("prepare", script.once(refusal)):
        works()
    with server.script("prepare", refusal):
        server.cut()
        expect(mail.login("PLAIN", *RIGHT), OUTAGE)
    problem, = postfix.problems(mail.lines())
    contains(problem, f"statement refused: {text}")
    server.cut()


# --- passwords are stored


def saslpasswd2():
    """The exit status of a program that stores a password."""
    folder = mail.path("sasl2")
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "keeper.conf"), "w", encoding="utf-8") as file:
        file.write(configuration.canonical(
            server, sql_timeout=str(TIMEOUT), password_store_scheme="SHA256-CRYPT",
            sql_insert="INSERT INTO mailbox (local_part, password) VALUES ('%u', '%v')",
            sql_update="UPDATE mailbox SET password = '%v' WHERE local_part = '%u'"))
    run = subprocess.run(
        ["saslpasswd2", "-p", "-a", "keeper", "-u", "example.com", "alice"],
        env=dict(os.environ, SASL_CONF_PATH=folder, SASL_PATH=plugins.under_test()),
        input=guard.keep("Paradiesapfel-1"), capture_output=True, text=True, check=False,
        timeout=60)
    guard.check(run.stdout + run.stderr, "output of saslpasswd2")
    return run.returncode


def stores(step=None, fault=None):
    """Without a fault, it does."""
    if shutil.which("saslpasswd2") is None:
        raise tap.Skip("saslpasswd2 is not installed")
    server.reached.clear()
    with server.script(step, fault):
        equal(saslpasswd2() == 0, fault is None, "stored")
    if step is not None:
        equal(server.reached[step] > 0, True, f"{step} was reached")


# --- whom the server admits


def busy(packet, reason):
    """It is asked again until the deadline."""
    fails("password", instead(packet, close), reason)


SETTING_FAULTS = (
    (answer_with(error("42501", "permission denied") + ready()), "permission denied"),
    (close, "closed"),
    (stall, LATE),
)


def misunderstood():
    """A pooler may not know the parameters besides name and database."""
    refused = []

    def fault(conversation, data):
        if "options" not in conversation.options:
            conversation.write(data)
            return
        refused.append(True)
        conversation.write(error("08P01", "unsupported startup parameter: options", "FATAL"))
        script.close(conversation, b"")

    server.cut()
    with server.script("password", fault):
        works()
    equal(len(refused), 1, "connections with options")
    # Without them, strings are made standard by a statement.
    for scripted, text in SETTING_FAULTS:
        with server.script("password", fault):
            fails("execute", scripted, text)
    fails("password", instead(error("08P01", "unsupported", "FATAL"), close), "unsupported")


case("Postfix starts", start, "no")
for what, said in SAID.items():
    for where, (at, opening) in PLACES.items():
        case(f"without end, {where}: {what}", fails, at, without_end(said, opening))
    case(f"without end, before a statement comes: {what}", fails, "verdict",
         behind(without_end(said)))
for label, scripted in FAULTS.items():
    case(label, fails, *scripted)
for label, scripted in REFUSALS.items():
    case(f"refused: {label}", refuses, *scripted)
for at in ("password", "verdict", "prepare", "execute"):
    case(f"says nothing: {at}", fails, at, stall, LATE)
    case(f"ends everywhere: {at}", ends_everywhere, at)
for label, scripted in {
        "says nothing": (stall, LATE, REFUSED), "ends": (close, "", REFUSED),
        "notices": (without_end(notice()), "", REFUSED),
}.items():
    case(f"asked about the parameters: {label}", fails, "describe", *scripted)
for label, (packet, text) in {
        "too many": (error("53300", "sorry, too many clients already", "FATAL"), "too many"),
        "not yet": (error("57P03", "the database system is starting up", "FATAL"), "starting up"),
        "PgBouncer": (error("08P01", "no more connections allowed (max_client_conn)", "FATAL"),
                      "no more connections allowed"),
}.items():
    case(f"admits nobody: {label}", busy, packet, text)
case("does not understand the options", misunderstood)
for label, (packet, text) in {
        "wrong password": (error("28P01", "wrong password", "FATAL"), "wrong password"),
        "words that look like a server's": (
            error("28000", "connection to server 53300 failed: x", "FATAL"), "28000"),
        "another protocol": (error("0A000", "unsupported frontend protocol", "FATAL"),
                             "unsupported frontend protocol"),
}.items():
    case(f"admits nobody: {label}", busy, packet, text)
for label in ("could not determine data type", "could not determine $1 and $2",
              "could not determine $", "could not determine $7", "could not determine $123456"):
    case(f"finds no type: {label}", gets_types, label)
case("stores", stores)
for at in ("BEGIN", "COMMIT", "execute"):
    for label, scripted in {
            "says nothing": stall, "ends": close, "notices": without_end(notice()),
            "is refused": answer_with(error("42501", "permission denied") + ready()),
            "was rolled back": answer_with(BOUND + message(b"C", b"ROLLBACK\0") + ready()),
    }.items():
        if at != "execute" or label != "was rolled back":
            case(f"stores, {at}: {label}", stores, at, scripted)

case("reads long rows", reads_long_rows)

case("with TLS: Postfix starts", start, "yes")
case("with TLS: reads long rows", reads_long_rows)
case("with TLS: reads full records", reads_full_records)
for what in ("notices", "many parameters"):
    for where, (at, opening) in PLACES.items():
        case(f"with TLS, without end, {where}: {what}", fails, at,
             without_end(SAID[what], opening))
for label in ("a row announced as a gigabyte, fast", "a row announced as a gigabyte, slowly",
              "a row of sixty megabytes", "rows without end", "an error announced as a gigabyte",
              "COPY to the client"):
    case(f"with TLS: {label}", fails, *FAULTS[label])
for at in ("encryption", "verdict", "execute"):
    case(f"with TLS, says nothing: {at}", fails, at, stall, LATE)

tap.run(mail.close, server.stop)
