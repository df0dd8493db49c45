#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""How an unmodified Postfix, through the plug-ins, logs in to PostgreSQL and MariaDB
themselves: every usual method, and every kind of TLS, with which no wrong server is
trusted."""

import ctypes
import re

import certificates
import configuration
import database
import plugins
import postfix
import servers
import tap
from daemon import wait_for
from postfix import OUTAGE, WELCOME, WRONG, expect
from tap import case, equal

KINDS = (servers.Postgres, servers.MariaDB)
ALICE = "Kaninchenbau-7"

postfix.require()
plugins.require_drivers("pgsql", "mysql")
servers.require(*KINDS)
mail = postfix.Postfix()
tables = {kind: kind() for kind in KINDS}
postgres, mariadb = tables[servers.Postgres], tables[servers.MariaDB]


def check_works(server, hosts=None, **options):
    mail.start(configuration.canonical(server, hosts, **options))
    for mechanism in ("PLAIN", "LOGIN"):
        expect(mail.login(mechanism, "alice", ALICE), WELCOME, mechanism)
        expect(mail.login(mechanism, "alice", "not-the-password"), WRONG, mechanism)
    equal(postfix.problems(mail.lines()), [], "problems in the log")


def check_outage(server, reason, hosts=None, **options):
    mail.start(configuration.canonical(server, hosts, **options))
    for password in (ALICE, "not-the-password"):
        mail.lines()
        expect(mail.login("PLAIN", "alice", password), OUTAGE)
        problems = postfix.problems(mail.lines())
        equal(len(problems), 1, f"number of problems {problems}")
        if not re.search(reason, problems[0]):
            raise AssertionError(f"{reason!r} is not in {problems[0]!r}")


@case("the servers start")
def _():
    for server in tables.values():
        server.start()
        server.create_mail()
        server.add("alice", database.crypt(ALICE))


# --- methods of PostgreSQL


def postgres_password(method, lines):
    """`method` is that of the server, and of the stored password."""
    postgres.run(f"SET password_encryption = '{method}';"
                 f"ALTER ROLE {postgres.user} PASSWORD ?", postgres.password)
    ((stored,),) = postgres.run("SELECT rolpassword FROM pg_authid WHERE rolname = ?",
                                postgres.user)
    equal(stored.lower().startswith(method), True, "the stored password is of this kind")
    postgres.pg_hba(lines)
    for hosts in (postgres.address, postgres.socket_address):
        check_works(postgres, hosts)
        check_outage(postgres, "password authentication failed", hosts, sql_passwd="incorrect")
        check_outage(postgres, "password|28", hosts, sql_passwd=None)


for name in ("md5", "scram-sha-256"):
    case(f"postgres: {name}", postgres_password, name,
         [f"local all all {name}", f"host all all all {name}"])


@case("postgres: peer")
def _():
    postgres.pg_hba(["local all all peer"])
    check_works(postgres, postgres.socket_address, sql_passwd=None)
    postgres.run("CREATE ROLE reader LOGIN; GRANT SELECT ON mailbox TO reader")
    check_outage(postgres, "[Pp]eer authentication failed", postgres.socket_address,
                 sql_user="reader")


@case("postgres: peer, with a map of names")
def _():
    # The system's user postfix may be reader.
    postgres.write("data/pg_ident.conf", "mail postfix reader\n" + postgres.IDENTITIES)
    postgres.pg_hba(["local all all peer map=mail"])
    check_works(postgres, postgres.socket_address, sql_passwd=None, sql_user="reader")
    check_outage(postgres, "[Pp]eer authentication failed", postgres.socket_address)


@case("postgres: the server refuses this host")
def _():
    postgres.pg_hba(["host all all 192.0.2.1/32 scram-sha-256"])
    check_outage(postgres, "pg_hba.conf")
    postgres.pg_hba(postgres.ACCESS)


@case("postgres: a database and a user that do not exist")
def _():
    check_outage(postgres, 'database "elsewhere" does not exist', sql_database="elsewhere")
    check_outage(postgres, "password authentication failed", sql_user="nobody_here")


# --- methods of MariaDB


def mariadb_user(user, how):
    mariadb.run(f"CREATE OR REPLACE USER {user}@'%' IDENTIFIED {how};"
                f"GRANT SELECT ON mailbox TO {user}")


def mariadb_password(plugin):
    mariadb_user(mariadb.user, f"VIA {plugin} USING PASSWORD('{mariadb.password}')")
    for hosts in (mariadb.address, mariadb.socket_address):
        check_works(mariadb, hosts)
        check_outage(mariadb, "Access denied", hosts, sql_passwd="incorrect")
        check_outage(mariadb, "Access denied", hosts, sql_passwd=None)


for name in ("ed25519", "mysql_native_password"):
    case(f"mariadbd: {name}", mariadb_password, name)


@case("mariadbd: unix_socket")
def _():
    mariadb_user(mariadb.user, "VIA unix_socket")
    check_works(mariadb, mariadb.socket_address, sql_passwd=None)
    check_outage(mariadb, "Access denied", mariadb.address, sql_passwd=None)
    mariadb_user("reader", "VIA unix_socket")
    check_outage(mariadb, "Access denied", mariadb.socket_address, sql_user="reader",
                 sql_passwd=None)


@case("mariadbd: a database and a user that do not exist")
def _():
    mariadb_user(mariadb.user, f"BY '{mariadb.password}'")
    check_outage(mariadb, "elsewhere", sql_database="elsewhere")
    check_outage(mariadb, "Access denied", sql_user="nobody_here")


# --- TLS

authority = certificates.Authority(tap.directory())
stranger = certificates.Authority(tap.directory(), "Strange Authority")
MODES = ("disable", "prefer", "require", "verify-ca", "verify-full")
NAMES = ["DNS:localhost", "IP:127.0.0.1"]


def encrypted_sessions(server):
    """How many sessions the plug-in has, or has had since the start, without those of
    the administrator."""
    statement = "SELECT count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)" \
        f" WHERE ssl AND usename = '{server.user}'" if server.engine == "pgsql" else \
        "SELECT variable_value FROM information_schema.global_status" \
        " WHERE variable_name = 'Ssl_finished_accepts'"
    return int(server.run(statement)[0][0])


def check_encrypted(server, want, hosts=None, **options):
    mail.stop()
    wait_for(lambda: server.sessions() == 0, "the end of the sessions before")
    before = encrypted_sessions(server)
    check_works(server, hosts, **options)
    equal(server.sessions(), 1, "sessions")
    equal(encrypted_sessions(server) > before, want, f"{options}: encrypted")


def tls_of(mode, ca=authority):
    return {"sql_usessl": "yes", "sql_ssl_mode": mode, "sql_ssl_ca": ca.certificate}


def without_tls(kind):
    server = tables[kind]
    if kind is servers.MariaDB:
        server.restart(skip_ssl=None)
    for mode in ("disable", "prefer"):
        check_encrypted(server, False, sql_ssl_mode=mode)
    check_encrypted(server, False)
    check_encrypted(server, False, sql_usessl="no")
    for mode in ("require", "verify-ca", "verify-full"):
        check_outage(server, "(?i:ssl|tls)", **tls_of(mode))
    check_outage(server, "(?i:ssl|tls)", sql_usessl="yes")


def restart_with(server, names, issuer=authority, client_ca=None, **settings):
    server.stop()
    server.start(**server.tls(*issuer.issue(names[0].partition(":")[2], server.owner, names),
                              authority=client_ca), **settings)


def right_certificate(kind):
    server = tables[kind]
    restart_with(server, NAMES)
    for mode in MODES:
        check_encrypted(server, mode != "disable", **tls_of(mode))
    for hosts in (f"localhost:{server.port}", server.address):
        check_encrypted(server, True, hosts, **tls_of("verify-full"))
    check_encrypted(server, True, sql_usessl="yes")
    check_encrypted(server, True, sql_ssl_mode="require")


def who_wants_tls(kind):
    """The server refuses sessions that are not encrypted."""
    server = tables[kind]
    if kind is servers.Postgres:
        server.pg_hba(["hostssl all all all scram-sha-256"])
    else:
        server.run(f"ALTER USER {server.user} REQUIRE SSL")
    check_works(server, **tls_of("require"))
    check_works(server)
    check_outage(server, "pg_hba.conf|Access denied", sql_ssl_mode="disable")
    if kind is servers.Postgres:
        server.pg_hba(server.ACCESS)
    else:
        server.run(f"ALTER USER {server.user} REQUIRE NONE")


UNTRUSTED = "(?i:certificate verify failed|unable to get|self.signed|unknown ca|issuer)"
MISNAMED = "(?i:does not match|host ?name|mismatch|name)"


def strange_authority(kind):
    """The signature is for the right name, but by an unknown authority."""
    server = tables[kind]
    restart_with(server, NAMES, stranger)
    for mode in ("verify-ca", "verify-full"):
        check_outage(server, server.address + ".*" + UNTRUSTED, **tls_of(mode))
        check_works(server, **tls_of(mode, stranger))
    check_encrypted(server, True, sql_ssl_mode="require")


def checks_all_or_nothing():
    """Whether MariaDB Connector/C checks a certificate either together with its name or
    not at all: since 3.4, which is 11.4 if it was built with the server."""
    version = ctypes.CDLL("libmariadb.so.3").mysql_get_client_version()
    return 30400 <= version < 100000 or version >= 110400


def strange_name(kind):
    server = tables[kind]
    # MariaDB Connector/C from 3.4 on takes 127.0.0.1 for itself, and looks at no name there.
    listening = {"listen_addresses" if kind is servers.Postgres else "bind_address": "127.0.0.3"}
    for host, settings in (("127.0.0.3", listening), ("localhost", {})):
        restart_with(server, ["DNS:elsewhere.example.com"], **settings)
        hosts = f"{host}:{server.port}"
        misnamed = re.escape(hosts) + ".*" + MISNAMED
        check_outage(server, misnamed, hosts, **tls_of("verify-full"))
        if kind is servers.MariaDB and checks_all_or_nothing():
            check_outage(server, misnamed, hosts, **tls_of("verify-ca"))
        else:
            check_encrypted(server, True, hosts, **tls_of("verify-ca"))
        check_encrypted(server, True, hosts, sql_ssl_mode="require")


def missing_authority(kind):
    server = tables[kind]
    for mode in ("verify-ca", "verify-full"):
        check_outage(server, "/nonexistent/ca.pem.*(No such file|does not exist)",
                     sql_ssl_mode=mode, sql_ssl_ca="/nonexistent/ca.pem")


def unnamed_authority(kind):
    """A server that must be verified is not trusted without an authority."""
    server = tables[kind]
    restart_with(server, NAMES)
    for mode in ("verify-ca", "verify-full"):
        check_outage(server, "(?i:ca|certificate)", sql_ssl_mode=mode)


def client_certificate(kind):
    server = tables[kind]
    restart_with(server, NAMES, client_ca=authority.certificate)
    if kind is servers.Postgres:
        server.pg_hba(["hostssl all all all cert"])
    else:
        server.run(f"ALTER USER {server.user} REQUIRE X509")
    try:
        check_client_certificates(server)
    finally:
        if kind is servers.Postgres:
            server.pg_hba(server.ACCESS)
        else:
            server.run(f"ALTER USER {server.user} REQUIRE NONE")


def check_client_certificates(server):
    certificate, key = authority.issue(server.user, "postfix")
    options = {**tls_of("verify-full"), "sql_ssl_cert": certificate, "sql_ssl_key": key}
    check_encrypted(server, True, **options)
    check_outage(server, "(?i:certificate|Access denied)", **tls_of("verify-full"))
    strange_certificate, strange_key = stranger.issue(server.user, "postfix")
    # MariaDB just closes the connection then.
    check_outage(server, "(?i:unknown ca|Lost connection)", **{
        **options, "sql_ssl_cert": strange_certificate, "sql_ssl_key": strange_key})
    check_outage(server, "(?i:key)", **{**options, "sql_ssl_key": strange_key})
    _, unreadable = authority.issue(server.user, "root")
    check_outage(server, unreadable + ".*Permission denied",
                 **{**options, "sql_ssl_key": unreadable})
    check_outage(server, "/nonexistent/client.pem",
                 **{**options, "sql_ssl_cert": "/nonexistent/client.pem"})


def over_a_socket(kind):
    """Nobody can listen in on a socket, and no other server can answer at it."""
    server = tables[kind]
    for mode in MODES:
        check_works(server, server.socket_address, **tls_of(mode))


for server_kind in KINDS:
    program = server_kind.program
    case(f"{program}: without TLS", without_tls, server_kind)
    case(f"{program}: with TLS, every mode", right_certificate, server_kind)
    case(f"{program}: a server that wants TLS", who_wants_tls, server_kind)
    case(f"{program}: a certificate of another authority", strange_authority, server_kind)
    case(f"{program}: a certificate for another name", strange_name, server_kind)
    case(f"{program}: an authority that is not there", missing_authority, server_kind)
    case(f"{program}: no authority", unnamed_authority, server_kind)
    case(f"{program}: certificates of clients", client_certificate, server_kind)
    case(f"{program}: a socket", over_a_socket, server_kind)


@case("an unknown mode is an outage that says so")
def _():
    check_outage(postgres, "sql_ssl_mode.*verify-nothing", sql_ssl_mode="verify-nothing")


def stop_servers():
    for server in tables.values():
        server.stop()


tap.run(mail.close, stop_servers)
