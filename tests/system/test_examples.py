#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Every file of sasl2-conf-examples works as printed, except for the place and the
password of the database."""

import glob
import os
import re
import sqlite3
import subprocess

import authdaemond
import certificates
import database
import guard
import many_hosts
import plugins
import postfix
import servers
import tap
from examples import EXAMPLES, MANUAL, printed_table, read, with_options
from postfix import WELCOME, WRONG, expect
from tap import case, contains, equal, lacks

PASSWORD = guard.keep("Beispiel-Passwort-3")
OTHER_PASSWORD = guard.keep("Beispiel-Passwort-4")
USERS = "CREATE TABLE users (name TEXT, realm TEXT, password TEXT, PRIMARY KEY (name, realm))"

postfix.require()
server = postfix.Postfix()


def run(path, statement, *values):
    connection = sqlite3.connect(path)
    with connection:
        connection.execute(statement, values)
    connection.close()
    os.chmod(path, 0o644)


def at(example, path):
    """The example with a different place for its database."""
    return with_options(example, sql_database=path)


def check_logins(user):
    for mechanism in ("PLAIN", "LOGIN"):
        expect(server.login(mechanism, user, PASSWORD), WELCOME, mechanism)
        expect(server.login(mechanism, user, "not-the-password"), WRONG, mechanism)
        expect(server.login(mechanism, "nobody-knows-me", PASSWORD), WRONG, mechanism)
    equal(postfix.problems(server.lines()), [])


@case("smtpd-sqlite.conf")
def _():
    example = read("smtpd-sqlite.conf")
    path = server.path("users.db")
    run(path, printed_table(example))
    run(path, "INSERT INTO users VALUES ('ann', 'example.com', ?)", database.crypt(PASSWORD))
    server.start(at(example, path), smtpd_sasl_local_domain="example.com")
    check_logins("ann")
    check_logins("ann@example.com")


@case("smtpd-sqlite-chroot.conf")
def _():
    example = read("smtpd-sqlite-chroot.conf")
    # It says where the file is, inside of the jail.
    path = server.path("queue") + re.search(r"(?m)^sql_database: (.*)$", example).group(1)
    os.makedirs(os.path.dirname(path), 0o755)
    run(path, USERS)
    run(path, "INSERT INTO users VALUES ('ann', 'example.com', ?)", database.crypt(PASSWORD))
    server.start(example, chroot=True, smtpd_sasl_local_domain="example.com")
    check_logins("ann")


@case("smtpd-sqlite-mailbox.conf")
def _():
    example = read("smtpd-sqlite-mailbox.conf")
    path = server.path("mailboxes.db")
    run(path, printed_table(example))
    run(path, "INSERT INTO mailbox VALUES ('ann@example.com', ?, 1)", database.crypt(PASSWORD))
    run(path, "INSERT INTO mailbox VALUES ('old@example.com', ?, 0)", database.crypt(PASSWORD))
    server.start(at(example, path))
    check_logins("ann@example.com")
    expect(server.login("PLAIN", "old@example.com", PASSWORD), WRONG, "a mailbox out of use")


@case("smtpd-sqlite-saslauthd.conf, its table")
def _():
    example = read("smtpd-sqlite-saslauthd.conf")
    path = server.path("both.db")
    run(path, printed_table(example))
    run(path, "INSERT INTO users VALUES ('ann', 'example.com', ?)", database.crypt(PASSWORD))
    # Nothing listens there: test_saslauthd.py tests with the real saslauthd.
    server.start(at(example, path) + "saslauthd_path: /nonexistent/mux\n",
                 smtpd_sasl_local_domain="example.com")
    expect(server.login("PLAIN", "ann", PASSWORD), WELCOME)
    expect(server.login("PLAIN", "ann", "not-the-password"), postfix.OUTAGE)


# --- servers

LOCAL_DOMAIN = {"smtpd_sasl_local_domain": "example.com"}
running = []


def start_database(kind, **settings):
    """One with the database and the user that the examples name."""
    servers.require(kind)
    host = kind()
    running.append(host)
    host.start(**settings)
    host.create_user()
    host.database = "mail"
    host.run("CREATE DATABASE mail", database=host.system_database)
    return host


def fill(host, example):
    """Creates the table that the comment of an example prints."""
    host.run(printed_table(example))
    host.run("GRANT SELECT ON users TO postfix")
    host.run("INSERT INTO users VALUES ('ann', 'example.com', ?)", database.crypt(PASSWORD))


def stop_databases():
    while running:
        running.pop().stop()


def try_server(name, kind):
    example = read(name)
    host = start_database(kind)
    fill(host, example)
    server.start(with_options(example, sql_hostnames=host.address, sql_passwd=host.password),
                 **LOCAL_DOMAIN)
    check_logins("ann")
    check_logins("ann@example.com")
    stop_databases()


case("smtpd-pgsql.conf", try_server, "smtpd-pgsql.conf", servers.Postgres)
case("smtpd-mysql.conf", try_server, "smtpd-mysql.conf", servers.MariaDB)


@case("smtpd-mysql-chroot.conf")
def _():
    example = read("smtpd-mysql-chroot.conf")
    inside = re.search(r"(?m)^sql_hostnames: (.*)$", example).group(1)
    host = start_database(servers.MariaDB, plugin_load_add="auth_socket")
    fill(host, read("smtpd-mysql.conf"))
    printed = re.search(r"(?m)^#   (CREATE USER .*;)$", example).group(1)
    host.run(printed + "GRANT SELECT ON users TO postfix@localhost")
    socket = server.path("queue") + inside
    os.makedirs(os.path.dirname(socket), 0o755, exist_ok=True)
    os.link(host.socket, socket)
    server.start(example, chroot=True, **LOCAL_DOMAIN)
    check_logins("ann")
    stop_databases()


@case("smtpd-pgsql-replicas.conf")
def _():
    example = read("smtpd-pgsql-replicas.conf")
    authority = certificates.Authority(server.directory)
    encrypted = authority.issue("database", "postgres", ["IP:127.0.0.1", "IP:127.0.0.2",
                                                         "IP:127.0.0.3"])
    servers.require(servers.Postgres)
    primary = many_hosts.Primary("127.0.0.1")
    running.append(primary)
    primary.start(**primary.tls(*encrypted))
    primary.create_user()
    primary.database = "mail"
    primary.run("CREATE DATABASE mail", database=primary.system_database)
    fill(primary, read("smtpd-pgsql.conf"))
    primary.run(re.search(r"(?m)^#   (GRANT .*;)$", example).group(1))
    standbys = [many_hosts.Standby(primary, address) for address in ("127.0.0.2", "127.0.0.3")]
    for standby in standbys:
        running.append(standby)
        standby.database = "mail"
        standby.start(max_wal_senders="4", **standby.tls(*encrypted))
    hosts = [*standbys, primary]
    # The printed names do not exist.
    addresses = ", ".join(host.address for host in hosts)
    example = with_options(example, sql_hostnames=addresses, sql_ssl_ca=authority.certificate,
                           sql_passwd=primary.password)
    server.start(example, **LOCAL_DOMAIN)
    check_logins("ann")
    equal([host.sessions() for host in hosts], [1, 0, 0], "sessions")
    # A new password goes to the primary, and comes back from there.
    check_stores(example, primary)
    for standby in standbys:
        standby.follow()
    expect(server.login("PLAIN", "ann", OTHER_PASSWORD), WELCOME, "the new password")
    standbys[0].kill()
    expect(server.login("PLAIN", "ann", OTHER_PASSWORD), WELCOME, "by the second standby")
    primary.kill()
    expect(server.login("PLAIN", "ann", PASSWORD), WRONG, "with one standby")
    expect(server.login("PLAIN", "ann", OTHER_PASSWORD), WELCOME, "with one standby")
    stop_databases()


def check_stores(example, host):
    """saslpasswd2 changes the password of ann."""
    folder = server.path("keeper")
    os.mkdir(folder)
    with open(os.path.join(folder, "keeper.conf"), "w", encoding="utf-8") as file:
        file.write(example)
    run = subprocess.run(
        ["saslpasswd2", "-p", "-a", "keeper", "-u", "example.com", "ann"], text=True,
        env=dict(os.environ, SASL_CONF_PATH=folder, SASL_PATH=plugins.under_test()),
        input=OTHER_PASSWORD, capture_output=True, check=False, timeout=60)
    equal(run.returncode, 0, f"exit status, {run.stderr}")
    (row,) = host.run("SELECT password FROM users WHERE name = 'ann'")
    guard.keep(row[0])


@case("smtpd-pgbouncer.conf")
def _():
    example = read("smtpd-pgbouncer.conf")
    host = start_database(servers.Postgres)
    fill(host, read("smtpd-pgsql.conf"))
    pooler = servers.PgBouncer(host)
    running.append(pooler)
    settings = dict(re.findall(r"(?m)^#   (\w+) = (\w[\w-]*)$",
                               example.split("[pgbouncer]")[1]))
    equal(settings["pool_mode"], "transaction")
    pooler.start(**{name: settings[name] for name in
                    ("pool_mode", "auth_type", "default_pool_size", "max_client_conn",
                     "query_timeout", "ignore_startup_parameters")})
    server.start(with_options(example, sql_hostnames=pooler.address, sql_passwd=host.password),
                 **LOCAL_DOMAIN)
    check_logins("ann")
    lacks(pooler.log(), "pooler error")
    stop_databases()


@case("smtpd-authdaemond.conf")
def _():
    if authdaemond.obstacle() is not None:
        raise tap.Skip(authdaemond.obstacle())
    example = read("smtpd-authdaemond.conf")
    daemon = authdaemond.Authdaemond()
    running.append(daemon)
    daemon.add("ann@example.com", PASSWORD)
    daemon.add("old@example.com", PASSWORD, options="disablesmtp=1")
    daemon.publish()
    daemon.start()
    server.start(with_options(example, authdaemond_path=daemon.socket))
    check_logins("ann@example.com")
    expect(server.login("PLAIN", "old@example.com", PASSWORD), WRONG, "disablesmtp=1")
    stop_databases()


@case("the manual prints what these files have")
def _():
    with open(MANUAL, encoding="utf-8") as file:
        section = file.read().split("\n.SH EXAMPLES\n")[1].split("\n.SH ")[0]
    printed = re.findall(r"(?s)\n\.EX\n(.*?)\n\.EE", section)
    names = ("smtpd-pgsql.conf", "smtpd-mysql.conf", "smtpd-sqlite.conf", "smtpd-authdaemond.conf",
             "smtpd-sqlite-saslauthd.conf")
    equal(len(printed), len(names), "examples")
    for name, text in zip(names, printed):
        options = re.findall(r"(?m)^\w+: .*$", read(name))
        equal([line.strip().replace("\\-", "-") for line in text.splitlines()], options, name)


@case("no example is left out")
def _():
    here = os.path.dirname(os.path.abspath(__file__))
    programs = ""
    for path in glob.glob(os.path.join(here, "test_*.py")):
        with open(path, encoding="utf-8") as file:
            programs += file.read()
    for name in sorted(os.listdir(EXAMPLES)):
        contains(programs, f'"{name}"', "tests of this folder")


tap.run(server.close, stop_databases)
