#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Passwords are stored in PostgreSQL and MariaDB: by saslpasswd2, and by the login of a
user whom saslauthd knows (auto_transition). If something cannot be stored, the old
value stays as it was."""

import os
import shutil
import subprocess

import configuration
import database
import guard
import plugins
import postfix
import saslauthd
import servers
import tap
from postfix import OUTAGE, WELCOME, WRONG, expect
from tap import case, contains, equal

MECHANISMS = ("PLAIN", "LOGIN")
KINDS = (servers.Postgres, servers.MariaDB)
CAROL = "Weihnachtslied-5"

postfix.require()
servers.require(*KINDS)
plugins.require_drivers("pgsql", "mysql")
if shutil.which("saslpasswd2") is None:
    tap.skip_all("saslpasswd2 is not installed")
if saslauthd.why_not() is not None:
    tap.skip_all(saslauthd.why_not())

mail = postfix.Postfix()
shadow = saslauthd.Saslauthd(mail.directory, {"carol": database.crypt(CAROL, "$6$", 1000)})
tables = {}
replicas = {}


def settings(server, hosts=None):
    text = configuration.canonical(
        server, hosts, pwcheck_method="auxprop saslauthd", saslauthd_path=shadow.mux,
        auto_transition="yes", password_store_scheme="SHA256-CRYPT", sql_timeout="5",
        sql_select="SELECT password FROM mailbox WHERE username = CONCAT('%u', '@', '%r')",
        sql_insert="INSERT INTO mailbox (username, password)"
                   " VALUES (CONCAT('%u', '@', '%r'), '%v')",
        sql_update="UPDATE mailbox SET password = '%v' WHERE username = CONCAT('%u', '@', '%r')")
    guard.keep(server.password)
    return text


def stored(server, user):
    return [row[0] for row in server.run("SELECT password FROM mailbox WHERE username = ?",
                                         f"{user}@example.com")]


def saslpasswd2(server, user, password, *options, hosts=None):
    """Exit status and output."""
    folder = mail.path("sasl2")
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "keeper.conf"), "w", encoding="utf-8") as file:
        file.write(settings(server, hosts))
    run = subprocess.run(
        ["saslpasswd2", "-p", "-a", "keeper", "-u", "example.com", *options, user],
        env=dict(os.environ, SASL_CONF_PATH=folder, SASL_PATH=plugins.under_test()),
        input=guard.keep(password), capture_output=True, text=True, check=False, timeout=60)
    guard.check(run.stdout + run.stderr, "output of saslpasswd2")
    return run.returncode, run.stdout + run.stderr


def check(user, password, want):
    for mechanism in MECHANISMS:
        expect(mail.login(mechanism, user, password), want, mechanism)


def start(kind):
    server = tables[kind] = kind()
    server.start()
    server.create_mail()
    server.run(f"GRANT INSERT, UPDATE ON mailbox TO {server.user}")
    shadow.start()
    mail.start(settings(server), smtpd_sasl_local_domain="example.com")


def new_user(kind):
    server = tables[kind]
    equal(saslpasswd2(server, "eva", "Paradiesapfel-1", "-c")[0], 0, "exit status")
    (value,) = stored(server, "eva")
    equal(guard.keep(value)[:3], "$5$", "start of what is stored")
    check("eva", "Paradiesapfel-1", WELCOME)
    check("eva", value, WRONG)


def known_user(kind):
    server = tables[kind]
    before = stored(server, "eva")
    equal(saslpasswd2(server, "eva", "Paradiesapfel-2")[0], 0, "exit status")
    (value,) = stored(server, "eva")
    guard.keep(value)
    if [value] == before:
        raise AssertionError("it is the old one")
    check("eva", "Paradiesapfel-2", WELCOME)
    check("eva", "Paradiesapfel-1", WRONG)
    # That a row has the value already does not mean that there is none.
    equal(saslpasswd2(server, "eva", "Paradiesapfel-2")[0], 0, "exit status, once more")
    equal(len(stored(server, "eva")), 1, "rows")


def taken_over(kind):
    server = tables[kind]
    equal(stored(server, "carol"), [])
    expect(mail.login("PLAIN", "carol", CAROL), WELCOME)
    (value,) = stored(server, "carol")
    equal(guard.keep(value)[:3], "$5$", "start of what is stored")
    shadow.stop()
    check("carol", CAROL, WELCOME)
    expect(mail.login("PLAIN", "carol", "not-the-password"), OUTAGE, "saslauthd cannot tell")
    shadow.start()
    check("carol", "not-the-password", WRONG)


def forbidden(kind):
    """The login succeeds, and one line says what could not be stored."""
    server = tables[kind]
    before = stored(server, "eva")
    server.run("DELETE FROM mailbox WHERE username = ?", "carol@example.com")
    server.run(f"REVOKE INSERT, UPDATE ON mailbox FROM {server.user}")
    try:
        if saslpasswd2(server, "eva", "Paradiesapfel-3")[0] == 0:
            raise AssertionError("saslpasswd2 says that it is done")
        equal(stored(server, "eva"), before)
        mail.lines()
        expect(mail.login("PLAIN", "carol", CAROL), WELCOME)
        problems = [line for line in postfix.problems(mail.lines()) if "sqlcrypt:" in line]
        equal(len(problems), 1, f"problems: {problems}")
        contains(problems[0], "nothing was stored")
        contains(problems[0], "denied")
        equal(stored(server, "carol"), [])
    finally:
        server.run(f"GRANT INSERT, UPDATE ON mailbox TO {server.user}")
    check("eva", "Paradiesapfel-2", WELCOME)


def away(kind):
    server = tables[kind]
    before = stored(server, "eva")
    server.stop()
    if saslpasswd2(server, "eva", "Paradiesapfel-4")[0] == 0:
        raise AssertionError("saslpasswd2 says that it is done")
    server.start()
    equal(stored(server, "eva"), before)


def replica_first(kind):
    """A read-only host is asked for passwords, but stores none."""
    server = tables[kind]
    replica = replicas[kind] = kind()
    replica.start()
    replica.create_mail()
    replica.set_password(server.password)
    replica.run(f"GRANT INSERT, UPDATE ON mailbox TO {server.user}")
    replica.run("INSERT INTO mailbox (username, password) VALUES (?, ?)", "eva@example.com",
                database.crypt("Spiegelbild-6"))
    replica.restart(**({"default_transaction_read_only": "on"} if kind is servers.Postgres
                       else {"read_only": "ON"}))
    hosts = f"{replica.address}, {server.address}"
    status, said = saslpasswd2(server, "eva", "Paradiesapfel-5", hosts=hosts)
    equal(status, 0, f"exit status, {said}")
    check("eva", "Paradiesapfel-5", WELCOME)
    mail.start(settings(server, hosts), smtpd_sasl_local_domain="example.com")
    check("eva", "Spiegelbild-6", WELCOME)
    mail.lines()
    expect(mail.login("PLAIN", "carol", CAROL), WELCOME)
    equal(len(stored(server, "carol")), 1, "rows at the host that stores")
    equal(stored(replica, "carol"), [], "rows at the replica")
    # Which goes on answering.
    check("eva", "Spiegelbild-6", WELCOME)
    replica.stop()


for database_kind in KINDS:
    name = database_kind.program
    case(f"{name}: starts", start, database_kind)
    case(f"{name}: saslpasswd2 -c adds a user, hashed", new_user, database_kind)
    case(f"{name}: saslpasswd2 changes a password", known_user, database_kind)
    case(f"{name}: a user of saslauthd is taken over", taken_over, database_kind)
    case(f"{name}: without the right to store", forbidden, database_kind)
    case(f"{name}: the server is away", away, database_kind)
    case(f"{name}: the first host is a replica", replica_first, database_kind)


def stop_servers():
    shadow.stop()
    for server in list(tables.values()) + list(replicas.values()):
        server.stop()


tap.run(mail.close, stop_servers)
