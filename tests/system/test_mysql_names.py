#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""How an unmodified Postfix, through the plug-ins, finds a MySQL server whose
certificate is checked for its name, when a name server is slow to answer: a login never
waits longer than its deadline. The name server is tests/support/slow_names.c."""

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
from tap import case, contains, equal

PASSWORD = "Kaninchenbau-7"
TIMEOUT = 2
LATEST = 3 * TIMEOUT

postfix.require()
plugins.require_drivers("mysql")
RESOLVER = os.path.join(os.environ.get("SASL_SQLCRYPT_BUILD", ""), "tests", "support", "slow_names.so")
mail = postfix.Postfix()
USERS = {"alice": database.crypt(PASSWORD)}
server = scripted_mysql.Server(USERS)
# MariaDB Connector/C from 3.4 on takes 127.0.0.1 for itself, and looks at no name there.
elsewhere = scripted_mysql.Server(USERS, host="127.0.0.3")
authority = certificates.Authority(tap.directory())

# The host, the names in the certificate of the server, and whether they fit
HOSTS = {
    "a name": ("db.test", ["DNS:db.test"], True),
    "a name among others": ("db.test", ["DNS:other.test", "DNS:db.test"], True),
    "another name": ("db.test", ["DNS:other.test"], False),
    "the address of a name": ("db.test", ["IP:127.0.0.1"], False),
    "a wildcard": ("db.wild.test", ["DNS:*.wild.test"], True),
    "a wildcard of another level": ("a.db.wild.test", ["DNS:*.wild.test"], False),
    "an address": ("127.0.0.3", ["IP:127.0.0.3"], True),
    "another address": ("127.0.0.3", ["IP:127.0.0.1"], False),
    "a name with several addresses": ("several.test", ["DNS:several.test"], True),
    "a name with several addresses, and another name": (
        "several.test", ["DNS:db.test"], False),
}


def start(at, host, names):
    if not os.path.exists(RESOLVER):
        raise tap.Skip("tests/support/slow_names.so is not built")
    at.encrypt(*authority.issue("localhost", "root", names))
    at.reset()
    at.forget()
    mail.start(
        configuration.canonical(at, f"{host}:{at.port}", sql_timeout=str(TIMEOUT),
                                sql_ssl_mode="verify-full", sql_ssl_ca=authority.certificate,
                                sql_persistent="no"),
        import_environment="MAIL_CONFIG MAIL_LOGTAG TZ LANG=C POSTLOG_SERVICE POSTLOG_HOSTNAME "
        f"SASL_PATH={mail.sasl_path} LD_PRELOAD={RESOLVER}")


def login():
    mail.lines()
    with mail.session() as session:
        session.ehlo()
        began = time.monotonic()
        reply = session.auth("PLAIN", "alice", PASSWORD)
        took = time.monotonic() - began
    if took > LATEST:
        raise AssertionError(f"the reply came after {took:.2f} s")
    return reply, postfix.problems(mail.lines())


def check_password_unsent(at, what):
    at.settle()
    equal(at.logins, [], f"{what}: logins to the database")
    for record in at.records:
        equal(at.user.encode() in record.plain, False, f"{what}: it knows the user")


def check_host(what, host, names, fits):
    at = elsewhere if host == elsewhere.server_address[0] else server
    start(at, host, names)
    reply, problems = login()
    if fits:
        expect(reply, WELCOME, f"{what}: {problems}")
        # No server is at the first address of that name.
        if host == "several.test":
            problems = [line for line in problems if "at 127.0.0.2: " not in line]
        equal(problems, [], what)
    else:
        expect(reply, OUTAGE, what)
        equal(len(problems), 1, f"{what}: {problems}")
        contains(problems[0], f"the certificate of the server is not for the name {host}")
        check_password_unsent(at, what)


for label, row in HOSTS.items():
    case(f"a certificate for {label}", check_host, label, *row)


@case("a name server that answers once")
def _():
    start(server, "once.test", ["DNS:once.test"])
    reply, problems = login()
    expect(reply, WELCOME, str(problems))
    reply, problems = login()
    expect(reply, WELCOME, str(problems))
    equal(len(mail.smtpd_pids()), 1, "processes that served this")


@case("a name server that does not answer")
def _():
    start(server, "never.test", ["DNS:never.test"])
    reply, problems = login()
    expect(reply, OUTAGE)
    equal(len(problems), 1, f"problems {problems}")
    contains(problems[0], "waiting for the name server")


tap.run(mail.close, server.stop, elsewhere.stop)
