# SPDX-License-Identifier: BSD-3-Clause
"""What database servers count: statements and connections."""


def of(server):
    """The counters of a server of servers.py: read() returns their values, and
    difference() what was added between two readings."""
    return {"pgsql": PostgresCounters, "mysql": MariaDBCounters}[server.engine](server)


class PostgresCounters:
    """Counts for the user of the plug-in alone. The server has to preload
    pg_stat_statements."""

    def __init__(self, server):
        self.server = server
        self.server.run("CREATE EXTENSION IF NOT EXISTS pg_stat_statements", database="postgres")
        self.counts_sessions = self.server.version() >= 140000

    def _sessions(self):
        if not self.counts_sessions:
            return self.server.log().count(f"connection authorized: user={self.server.user} ")
        (sessions,), = self.server.run("SELECT sessions FROM pg_stat_database WHERE datname = ?",
                                       self.server.database, database="postgres")
        return int(sessions)

    def read(self):
        (calls,), = self.server.run(
            "SELECT coalesce(sum(calls), 0) FROM pg_stat_statements"
            " JOIN pg_roles ON oid = userid WHERE rolname = ?",
            self.server.user, database="postgres")
        return {"statements": int(calls), "connects": self._sessions()}

    def difference(self, before, after):
        return {name: after[name] - before[name] for name in before}


class MariaDBCounters:
    """Counts for all users, without the cost of reading the counters."""

    NAMES = {"Com_stmt_prepare": "prepared", "Com_stmt_execute": "executed",
             "Com_select": "selects", "Questions": "statements", "Connections": "connects"}

    def __init__(self, server):
        self.server = server
        self.own = dict.fromkeys(self.NAMES.values(), 0)
        self.own = self.difference(self.read(), self.read())

    def read(self):
        rows = self.server.run("SHOW GLOBAL STATUS WHERE Variable_name IN ("
                               + ",".join(f"'{name}'" for name in self.NAMES) + ")",
                               database="mysql")
        return {self.NAMES[name]: int(value) for name, value in rows}

    def difference(self, before, after):
        return {name: after[name] - before[name] - self.own[name] for name in before}
