#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""How an unmodified Postfix, through the plug-ins, handles a MySQL server that never
stops sending: a login ends by its deadline, and smtpd does not grow. A real server
cannot be made to do this: see scripted_mysql.py."""

import os
import time

import certificates
import configuration
import database
import plugins
import postfix
import scripted_mysql
import tap
from postfix import OUTAGE, WELCOME, expect
from scripted_mysql import NATIVE, column, end, flood, progress, row
from tap import case, equal

PASSWORD = "Kaninchenbau-7"
TIMEOUT = 1
LATEST = 3 * TIMEOUT  # a deadline is kept or not: how exactly is not measured here
MOST_GROWTH = 256 << 10  # kilobytes

postfix.require()
plugins.require_drivers("mysql")
mail = postfix.Postfix()
server = scripted_mysql.Server({"alice": database.crypt(PASSWORD)})
authority = certificates.Authority(tap.directory())
trusted = authority.issue("localhost", "root", ["IP:127.0.0.1"])
socket_path = os.path.join(tap.directory(), "mysqld.sock")
server.listen_at(socket_path)

HUGE = (1 << 24) - 1  # bytes: more is said to come in another packet

AUTOCOMMIT_AND_MORE = b"\x0a\0"
MORE = b"\0\0\0" + AUTOCOMMIT_AND_MORE + b"\0\0"


def end_with_more(conversation):
    """Ends the columns, and the rows, of which there are none."""
    whole = end(conversation)
    if conversation.flags & scripted_mysql.CLIENT_DEPRECATE_EOF:
        return whole[:3] + AUTOCOMMIT_AND_MORE + whole[5:]
    return whole[:3] + AUTOCOMMIT_AND_MORE


FLOODS = {
    "columns without end": ("execute", flood(column, b"\x01")),
    "columns of a statement without end": (
        "prepare", flood(column, b"\0\1\0\0\0\1\0\0\0\0\0\0")),
    "columns of a setting without end": ("query", flood(column, b"\x01")),
    "rows without end": ("execute", flood(row(b"x" * 40), b"\x01", column, end)),
    "long rows without end": ("execute", flood(row(b"x" * 60000), b"\x01", column, end)),
    "results without columns, without end": ("execute", flood(MORE)),
    "results without end": ("execute", flood(MORE, b"\x01", column, end_with_more)),
    "progress without end": ("execute", flood(progress)),
    "progress of a login without end": ("verdict", flood(progress)),
    "methods without end": ("verdict", flood(
        b"\xfe" + NATIVE.encode() + b"\0" + b"12345678901234567890\0")),
    "a row that is said to be huge": ("execute", flood(b"x" * HUGE, b"\x01", column, end)),
    "a greeting that is said to be huge": ("greeting", flood(b"\x0a" + b"x" * (HUGE - 1))),
}


def peak(pid):
    """The most kilobytes of memory that a process has had since the last call."""
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        kilobytes = next(int(line.split()[1]) for line in file if line.startswith("VmHWM:"))
    with open(f"/proc/{pid}/clear_refs", "w", encoding="ascii") as file:
        file.write("5")
    return kilobytes


def login():
    with mail.session() as session:
        session.ehlo()
        began = time.monotonic()
        reply = session.auth("PLAIN", "alice", PASSWORD)
        return reply, time.monotonic() - began


def check_flood(what, step, fault):
    """Over a new connection, so that each step occurs."""
    server.forget()
    pids = mail.smtpd_pids()
    (pid,) = pids
    before = peak(pid)
    mail.lines()
    with server.script(step, fault):
        reply, took = login()
    lines = postfix.problems(mail.lines())
    equal(server.reached[step] > 0, True, f"{what}: {step} was reached")
    expect(reply, OUTAGE, what)
    equal(len(lines), 1, f"{what}: number of problems {lines}")
    growth = peak(pid) - before
    tap.note(f"{what}: {took:.2f} s, {growth} KB, {lines[0].partition('mysql: ')[2]}")
    if took > LATEST:
        raise AssertionError(f"{what}: 454 came after {took:.2f} s")
    if growth > MOST_GROWTH:
        raise AssertionError(f"{what}: smtpd grew by {growth} KB")
    equal(mail.smtpd_pids(), pids, f"{what}: processes")
    server.cut()


def floods(address, certificate, **options):
    mail.start(configuration.canonical(server, address, sql_timeout=str(TIMEOUT), **options))
    server.reset()
    server.encrypt(*certificate)
    expect(login()[0], WELCOME)
    for what, (step, fault) in FLOODS.items():
        check_flood(what, step, fault)
        server.reset()
        expect(login()[0], WELCOME, f"after {what}")


case("a server that never stops sending", floods, server.address, ())
case("a server that never stops sending over TLS", lambda: floods(
    server.address, trusted, sql_ssl_mode="verify-full", sql_ssl_ca=authority.certificate))
case("a server that never stops sending over a socket", floods, socket_path, ())

tap.run(mail.close, server.stop)
