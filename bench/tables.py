# SPDX-License-Identifier: BSD-3-Clause
"""Tables of users, the same in each database: u0, u1, ... with one password,
stored in one format."""

import os
import sqlite3

import database
import servers

PASSWORD = "Kaninchenbau-7"

# Formats of passwords: what crypt(3) is to be given.
FORMATS = {
    "plain": None,
    "$1$": ("$1$", 0),
    "$5$rounds=1000$": ("$5$", 1000),
    "$6$": ("$6$", 0),
    "yescrypt": ("$y$", 0),
}


def stored(format_name):
    method = FORMATS[format_name]
    return PASSWORD if method is None else database.crypt(PASSWORD, *method)


def statement(table, parameter):
    return f"SELECT password FROM {table} WHERE name = {parameter}"


class _Server:
    """A database server with tables."""

    settings = {}

    def __init__(self, kind):
        self.server = kind()

    def start(self):
        self.server.start(**self.settings)
        self.server.create_user()
        self.server.run(f"CREATE DATABASE {self.server.database}",
                        database=self.server.system_database)

    engine = property(lambda self: self.server.engine)

    def create(self, table, rows, value):
        self.server.run(self.fill.format(table=table, last=rows - 1), value, timeout=None)
        self.server.run(f"GRANT SELECT ON {table} TO {self.server.user}")
        self.server.run(self.tidy.format(table=table), timeout=None)

    def options(self, route):
        """Of sql_..., for smtpd.conf."""
        return {"sql_engine": self.engine, "sql_hostnames": self._host(route),
                "sql_user": self.server.user, "sql_passwd": self.server.password,
                "sql_database": self.server.database}

    def _host(self, route):
        return self.server.address if route == "TCP" else self.server.socket_address

    def processes(self):
        return self.server.family()

    def stop(self):
        self.server.stop()


class Pgsql(_Server):
    routes = ("TCP", "socket")
    settings = {"shared_buffers": "256MB", "max_connections": 500, "log_connections": "off",
                "shared_preload_libraries": "pg_stat_statements"}
    fill = ("CREATE TABLE {table} AS SELECT 'u' || i AS name, ?::text AS password"
            " FROM generate_series(0, {last}) AS i; ALTER TABLE {table} ADD PRIMARY KEY (name)")
    tidy = "VACUUM ANALYZE {table}"

    def __init__(self):
        super().__init__(servers.Postgres)

    def floor(self, route, table):
        server = self.server
        host = "127.0.0.1" if route == "TCP" else server.socket_directory
        return (f"host={host} port={server.port} user={server.user} password={server.password}"
                f" dbname={server.database}", statement(table, "$1"))


class Mysql(_Server):
    routes = ("TCP", "socket")
    settings = {"innodb_buffer_pool_size": "1G", "innodb_log_file_size": "256M",
                "max_connections": 150}
    fill = ("CREATE TABLE {table} (name VARCHAR(20) PRIMARY KEY, password VARCHAR(200))"
            " AS SELECT CONCAT('u', seq) AS name, ? AS password FROM seq_0_to_{last}")
    tidy = "ANALYZE TABLE {table}"

    def __init__(self):
        super().__init__(servers.MariaDB)

    def floor(self, route, table):
        server = self.server
        host, port = ("127.0.0.1", str(server.port)) if route == "TCP" else (server.socket, "0")
        return (host, port, server.user, server.password, server.database, statement(table, "?"))


class Sqlite3:
    engine = "sqlite3"
    routes = ("file",)

    def __init__(self, directory):
        self.path = os.path.join(directory, "users.db")

    def start(self):
        pass

    def create(self, table, rows, value):
        connection = sqlite3.connect(self.path)
        with connection:
            connection.execute(f"CREATE TABLE {table} (name TEXT PRIMARY KEY, password TEXT)"
                               f" WITHOUT ROWID")
            connection.execute(
                f"INSERT INTO {table} WITH RECURSIVE counter(i) AS (SELECT 0 UNION ALL"
                f" SELECT i + 1 FROM counter WHERE i < {rows - 1}) SELECT 'u' || i, ?"
                f" FROM counter ORDER BY 1", (value,))
        connection.close()
        os.chmod(self.path, 0o644)

    def options(self, _route):
        return {"sql_engine": "sqlite3", "sql_database": self.path}

    def floor(self, _route, table):
        return (self.path, statement(table, "?"))

    def processes(self):
        return []

    def stop(self):
        pass
