#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""An smtpd that has no memory left for a hash: the right password is an outage, which
the log reports as a lack of memory, and never a wrong password. The limit is that of
"ulimit -v", set on the running process."""

import pwd
import resource
import subprocess

import database
import postfix
import tap
from postfix import OUTAGE, WELCOME, WRONG, expect
from tap import case, contains, equal

CONFIGURATION = """\
pwcheck_method: auxprop
auxprop_plugin: sqlcrypt
mech_list: PLAIN LOGIN
password_format: crypt
password_store_scheme: SHA256-CRYPT
sql_engine: sqlite3
sql_database: {database}
sql_select: SELECT password FROM mailbox WHERE username = '%u@%r'
"""

PASSWORD = "Kaninchenbau-7"
MECHANISMS = ("PLAIN", "LOGIN")

# What libcrypt allocates memory for, at the costs of new hashes, and what it does not.
HUNGRY = {"yescrypt": "$y$", "gost-yescrypt": "$gy$", "scrypt": "$7$"}
FRUGAL = {"sha-256": "$5$", "bcrypt": "$2y$"}

SPARE = 4 << 20

postfix.require()
server = postfix.Postfix()
table = database.Table(server.path("users.sqlite"))


def check(user, password, want):
    for mechanism in MECHANISMS:
        expect(server.login(mechanism, user + "@example.com", password), want, mechanism)


def limit(spare):
    """Leaves smtpd that many bytes; with None, no limit."""
    (pid,) = server.smtpd_pids()
    with open(f"/proc/{pid}/statm", encoding="ascii") as file:
        used = int(file.read().split()[0]) * resource.getpagesize()
    soft = "unlimited" if spare is None else str(used + spare)
    # Without CAP_SYS_RESOURCE, only its own user may.
    user = pwd.getpwnam("postfix")
    subprocess.run(["prlimit", f"--pid={pid}", f"--as={soft}:unlimited"], check=True,
                   user=user.pw_uid, group=user.pw_gid, extra_groups=[])


def right_password(user):
    if not table.stored(user):
        raise tap.Skip("this libcrypt lacks the method")
    check(user, PASSWORD, WELCOME)
    server.lines()
    limit(SPARE)
    try:
        check(user, PASSWORD, OUTAGE)
        problems = postfix.problems(server.lines())
        equal(len(problems), len(MECHANISMS), "problems in the log")
        for line in problems:
            contains(line, "out of memory")
    finally:
        limit(None)
    check(user, PASSWORD, WELCOME)


@case("Postfix starts")
def _():
    for user, prefix in {**HUNGRY, **FRUGAL}.items():
        stored = database.crypt(PASSWORD, prefix, 0)
        if stored is not None:
            table.add(user, stored)
    table.add("damaged", "$y$j9T$LdJMENpBABJJ3hIHjB1B2$U8a2MaK.yesqWySK8Owk6PWeWmp/XuagMbpP45q1/q1")
    server.start(CONFIGURATION.format(database=table.path))
    check("sha-256", PASSWORD, WELCOME)


for name in HUNGRY:
    case(f"{name}: without memory, the right password is an outage", right_password, name)


@case("without much memory, hashes that need none are judged")
def _():
    limit(SPARE)
    try:
        for user in FRUGAL:
            check(user, PASSWORD, WELCOME)
            check(user, "not-the-password", WRONG)
        check("nobody", PASSWORD, WRONG)
    finally:
        limit(None)


@case("a damaged hash is no outage, with memory or without")
def _():
    check("damaged", PASSWORD, WRONG)
    server.lines()
    limit(SPARE)
    try:
        check("damaged", PASSWORD, WRONG)
        for line in postfix.problems(server.lines()):
            contains(line, "truncated or malformed")
    finally:
        limit(None)


tap.run(server.close)
