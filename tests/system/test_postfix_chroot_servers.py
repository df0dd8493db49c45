#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""smtpd in a chroot jail, the default of Debian's master.cf, with PostgreSQL and
MariaDB: they work over TCP and over a socket inside the jail, and a socket outside is
an outage that explains itself."""

import os
import pwd
import re
import shutil

import certificates
import configuration
import database
import plugins
import postfix
import servers
import tap
from daemon import wait_for
from postfix import OUTAGE, WELCOME, WRONG, expect
from tap import case, contains, equal, lacks

KINDS = (servers.Postgres, servers.MariaDB)
ALICE = "Kaninchenbau-7"

# The default sockets of the client libraries on Debian
DEFAULT_FOLDERS = {servers.Postgres: "/var/run/postgresql", servers.MariaDB: "/run/mysqld"}

postfix.require()
plugins.require_drivers("pgsql", "mysql")
servers.require(*KINDS)
mail = postfix.Postfix()
tables = {}


def inside(path):
    """A path in the jail, as seen from outside."""
    return mail.path("queue") + path


def start_mail(server, hosts=None, **options):
    mail.start(configuration.canonical(server, hosts, **options), chroot=True)


def check_works():
    mail.lines()
    for mechanism in ("PLAIN", "LOGIN"):
        expect(mail.login(mechanism, "alice", ALICE), WELCOME, mechanism)
        expect(mail.login(mechanism, "alice", "not-the-password"), WRONG, mechanism)
        expect(mail.login(mechanism, "nobody-knows-me", ALICE), WRONG, mechanism)
    equal(postfix.problems(mail.lines()), [], "problems in the log")


def check_outage(*parts):
    """Returns the line of the log about it."""
    for password in (ALICE, "not-the-password"):
        mail.lines()
        expect(mail.login("PLAIN", "alice", password), OUTAGE)
        problems = postfix.problems(mail.lines())
        equal(len(problems), 1, f"number of {problems}")
        for part in parts:
            contains(problems[0], part)
    return problems[0]


def make_folder(path, owner):
    os.makedirs(path, 0o755)
    os.chown(path, pwd.getpwnam(owner).pw_uid, pwd.getpwnam(owner).pw_gid)


def start(kind):
    server = tables[kind] = kind()
    server.start()
    server.create_mail()
    server.add("alice", database.crypt(ALICE))


def over_tcp(kind):
    server = tables[kind]
    start_mail(server)
    with mail.session() as session:
        session.ehlo()
        (pid,) = wait_for(mail.connected_pids, "the process in the log")
        equal(os.path.realpath(f"/proc/{pid}/root"), os.path.realpath(mail.path("queue")))
    check_works()
    server.stop()
    try:
        lacks(check_outage("127.0.0.1", "Connection refused"), "jail")
    finally:
        server.start()
    check_works()
    equal(len(mail.smtpd_pids()), 1, "processes that served all of this")


def by_name(kind):
    """Debian's Postfix copies this file into its jail."""
    server = tables[kind]
    start_mail(server, f"localhost:{server.port}")
    problem = check_outage(f"localhost:{server.port}: ", "etc/hosts and etc/resolv.conf")
    # glibc 2.31 has an error of the system for it.
    if not re.search("name resolution|cannot look up the name: ", problem):
        raise AssertionError(problem)
    os.makedirs(inside("/etc"), exist_ok=True)
    shutil.copy("/etc/hosts", inside("/etc/hosts"))
    try:
        check_works()
    finally:
        os.unlink(inside("/etc/hosts"))


def socket_outside(kind):
    """And then inside, for the same smtpd: the path is the one that smtpd sees."""
    server = tables[kind]
    start_mail(server, server.socket_address)
    contains(check_outage(server.home), "chroot jail")
    make_folder(inside(server.home), server.owner)
    move_socket(server, inside(server.home))
    check_works()
    equal(len(mail.smtpd_pids()), 1, "processes that served all of this")
    move_socket(server, server.home)


def move_socket(server, folder, **settings):
    """Restarts with the socket in another folder, under the usual name."""
    if server.engine == "pgsql":
        settings["unix_socket_directories"] = f"{folder}, {server.home}"
    else:
        settings["socket"] = os.path.join(folder, os.path.basename(server.socket))
    server.stop()
    server.start(**settings)


def socket_of_the_library(kind):
    """Without sql_hostnames, inside and outside the jail"""
    server = tables[kind]
    folder = DEFAULT_FOLDERS[kind]
    start_mail(server, sql_hostnames=None)
    contains(check_outage(), "chroot jail")
    make_folder(inside(folder), server.owner)
    server.stop()
    if kind is servers.Postgres:
        # The port is part of the name of the socket. Nothing listens at the TCP port.
        server.start(unix_socket_directories=inside(folder), port=5432, listen_addresses="")
    else:
        server.start(socket=inside(folder) + "/mysqld.sock")
    check_works()
    equal(len(mail.smtpd_pids()), 1, "processes that served all of this")
    server.stop()
    server.start()


def authority_in_jail(kind):
    """The file of an authority is looked up inside, too."""
    server = tables[kind]
    authority = certificates.Authority(server.directory)
    files = authority.issue("localhost", server.owner, ["DNS:localhost", "IP:127.0.0.1"])
    server.stop()
    server.start(**server.tls(*files))
    start_mail(server, sql_ssl_mode="verify-full", sql_ssl_ca="/etc/db-ca.pem")
    check_outage("/etc/db-ca.pem", "chroot jail")
    os.makedirs(inside("/etc"), exist_ok=True)
    shutil.copy(authority.certificate, inside("/etc/db-ca.pem"))
    check_works()
    equal(len(mail.smtpd_pids()), 1, "processes that served all of this")
    os.unlink(inside("/etc/db-ca.pem"))


def ed25519():
    """The library loads it from outside, before smtpd enters the jail."""
    server = tables[servers.MariaDB]
    server.run(f"CREATE OR REPLACE USER {server.user}@'%' IDENTIFIED VIA ed25519"
               f" USING PASSWORD('{server.password}'); GRANT SELECT ON mailbox TO {server.user}")
    start_mail(server)
    check_works()
    start_mail(server, sql_passwd="incorrect")
    contains(check_outage(), "Access denied")


for server_kind in KINDS:
    name = server_kind.program
    case(f"{name}: starts", start, server_kind)
    case(f"{name}: over TCP", over_tcp, server_kind)
    case(f"{name}: over TCP, by a name", by_name, server_kind)
    case(f"{name}: a socket outside the jail, and inside", socket_outside, server_kind)
    case(f"{name}: the socket of the client library", socket_of_the_library, server_kind)
    case(f"{name}: TLS", authority_in_jail, server_kind)
case("mariadbd: ed25519", ed25519)


def stop_servers():
    for server in tables.values():
        server.stop()


tap.run(mail.close, stop_servers)
