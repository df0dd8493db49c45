#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Runs a command while a PostgreSQL and a MariaDB of its own are there, and ends
with its status: with_servers.py COMMAND...

The command finds in its environment, for E = PGSQL and MYSQL:

    TEST_E_HOST TEST_E_TCP      for sql_hostnames: over the socket, over TCP
    TEST_E_USER TEST_E_PASSWORD
    TEST_E_DATABASE             one in which this user may do everything

and where openssl(1) is installed, of the certificates of both servers, which encrypt:

    TEST_TLS_NAME               the name that they are for, besides localhost and the
                                address of TEST_E_TCP
    TEST_TLS_CA                 the authority that has signed them, and that of
    TEST_TLS_CERT TEST_TLS_KEY  one for clients
    TEST_TLS_OTHER_CA           another one, which has signed nothing

The user may make further databases. Where a server is not installed, its
variables are missing.
"""

import os
import pwd
import shutil
import signal
import subprocess
import sys

import certificates
import servers
import tap


NAME = "db.test"


class Certificates:
    """Of one authority, for servers and for clients."""

    def __init__(self):
        directory = tap.directory()
        self.authority = certificates.Authority(directory)
        self.other = certificates.Authority(directory, "Other Authority")
        self.client = self.authority.issue("client", pwd.getpwuid(os.geteuid()).pw_name)

    def settings(self, server):
        files = self.authority.issue(NAME, server.owner, [f"DNS:{NAME}", "DNS:localhost", "IP:127.0.0.1"])
        return server.tls(*files, self.authority.certificate)

    def environment(self):
        return {"TEST_TLS_NAME": NAME, "TEST_TLS_CA": self.authority.certificate,
                "TEST_TLS_CERT": self.client[0], "TEST_TLS_KEY": self.client[1],
                "TEST_TLS_OTHER_CA": self.other.certificate}


def make_postgres(server, tls):
    server.start(max_connections=200, **tls)
    server.create_user()
    server.run(f"ALTER ROLE {server.user} CREATEDB", database="postgres")
    server.run(f"CREATE DATABASE {server.database} OWNER {server.user}", database="postgres")


def make_mariadb(server, tls):
    server.start(max_connections=200, **tls)
    server.create_user()
    server.run(f"CREATE DATABASE {server.database}; GRANT ALL ON *.* TO {server.user}",
               database="mysql")


def environment(server):
    values = {"HOST": server.socket_address, "TCP": server.address, "USER": server.user,
              "PASSWORD": server.password, "DATABASE": server.database}
    return {f"TEST_{server.engine.upper()}_{name}": value for name, value in values.items()}


def main():
    if len(sys.argv) < 2:
        sys.exit("usage: with_servers.py COMMAND...")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    started = []
    variables = dict(os.environ)
    issued = None
    try:
        if shutil.which("openssl") is not None:
            issued = Certificates()
            variables.update(issued.environment())
        for kind, make in ((servers.Postgres, make_postgres), (servers.MariaDB, make_mariadb)):
            if kind.installed():
                started.append(kind())
                make(started[-1], issued.settings(started[-1]) if issued is not None else {})
                variables.update(environment(started[-1]))
        return subprocess.run(sys.argv[1:], env=variables, check=False).returncode
    finally:
        for server in started:
            server.stop()
        tap.remove_directories()


if __name__ == "__main__":
    code = main()
    sys.exit(128 - code if code < 0 else code)
