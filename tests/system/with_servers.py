#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Runs a command while a PostgreSQL and a MariaDB of its own are there, and ends
with its status: with_servers.py COMMAND...

The command finds in its environment, for E = PGSQL and MYSQL:

    TEST_E_HOST TEST_E_TCP      for sql_hostnames: over the socket, over TCP
    TEST_E_USER TEST_E_PASSWORD
    TEST_E_DATABASE             one in which this user may do everything

The user may make further databases. Where a server is not installed, its
variables are missing.
"""

import os
import signal
import subprocess
import sys

import servers
import tap


def make_postgres(server):
    server.start(max_connections=200)
    server.create_user()
    server.run(f"ALTER ROLE {server.user} CREATEDB", database="postgres")
    server.run(f"CREATE DATABASE {server.database} OWNER {server.user}", database="postgres")


def make_mariadb(server):
    server.start(max_connections=200)
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
    try:
        for kind, make in ((servers.Postgres, make_postgres), (servers.MariaDB, make_mariadb)):
            if kind.installed():
                started.append(kind())
                make(started[-1])
                variables.update(environment(started[-1]))
        return subprocess.run(sys.argv[1:], env=variables, check=False).returncode
    finally:
        for server in started:
            server.stop()
        tap.remove_directories()


if __name__ == "__main__":
    code = main()
    sys.exit(128 - code if code < 0 else code)
