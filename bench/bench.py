# SPDX-License-Identifier: BSD-3-Clause
"""What all measurements share: the programs of a build, plug-ins, tables and
configurations."""

import contextlib
import os

import plugins
import tables
import tap
from worker import Worker

ROWS = 1000


class Bench:
    """`build` holds the programs; `ours` the installed plug-ins. With `smoke`,
    everything is done as little as it can be."""

    def __init__(self, build, ours, smoke):
        self.build = build
        self.smoke = smoke
        self.directory = tap.directory()
        self.ours = ours
        self.always_yes = os.path.join(build, "bench", "always-yes")
        self.floor_pgsql = os.path.join(build, "bench", "floor-pgsql")
        self.with_sql = plugins.stock(self.directory)
        self.stock = self._without_sql()
        self.engines = []
        self.processors = len(os.sched_getaffinity(0))
        self._folders = 0

    def few(self, many, few):
        """A count, for a real run and for one that only shows that all is well."""
        return few if self.smoke else many

    def folder(self, name):
        """Makes a new one, that everybody can enter."""
        self._folders += 1
        path = os.path.join(self.directory, f"{name}-{self._folders}")
        os.mkdir(path)
        os.chmod(path, 0o755)
        return path

    def _without_sql(self):
        """The stock plug-ins that everybody has."""
        copy = os.path.join(self.directory, "without-sql")
        os.mkdir(copy)
        for name in os.listdir(self.with_sql):
            if name != "libsql.so":
                os.symlink(os.path.join(self.with_sql, name), os.path.join(copy, name))
        return copy

    def start_engines(self, stack):
        """Starts the servers, to be stopped by `stack` (contextlib.ExitStack), and
        makes a table for each format."""
        self.engines = [tables.Pgsql(), tables.Mysql(), tables.Sqlite3(self.directory)]
        for engine in self.engines:
            stack.callback(engine.stop)
            engine.start()
            for position, name in enumerate(tables.FORMATS):
                engine.create(table_of(position), ROWS, tables.stored(name))

    @contextlib.contextmanager
    def placed(self, apart):
        """Meanwhile, who asks and the servers have a processor each, or share one.
        Otherwise chance decides, and costs more than what is to be measured."""
        everywhere = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {everywhere[-1]})
        try:
            self._confine_servers({everywhere[0] if apart else everywhere[-1]})
            yield
        finally:
            os.sched_setaffinity(0, everywhere)
            self._confine_servers(everywhere)

    def _confine_servers(self, processors):
        for engine in self.engines:
            for pid in engine.processes():
                with contextlib.suppress(OSError):  # it may just have ended
                    for thread in os.listdir(f"/proc/{pid}/task"):
                        os.sched_setaffinity(int(thread), processors)

    # --- configurations

    def options(self, engine, route, table):
        """smtpd.conf for our plug-ins, the password in `table`."""
        return {"pwcheck_method": "auxprop", "auxprop_plugin": "sqlcrypt",
                "mech_list": "PLAIN LOGIN", "password_format": "crypt",
                "sql_select": tables.statement(table, "'%u'"), **engine.options(route)}

    def clear_text(self, engine, route):
        return {**self.options(engine, route, table_of(0)), "password_format": "plain"}

    def stock_options(self, engine, route):
        return {**self.clear_text(engine, route), "auxprop_plugin": "sql",
                "password_format": None}

    @staticmethod
    def text(options):
        return "".join(f"{name}: {value}\n" for name, value in options.items()
                       if value is not None)

    # --- workers

    def worker(self, path, options, *floor, program="logins", rows=ROWS,
               password=tables.PASSWORD, command=()):
        """A process with the plug-ins of `path`."""
        directory = self.folder("configuration")
        with open(os.path.join(directory, "bench.conf"), "w", encoding="utf-8") as file:
            file.write(self.text(options))
        return Worker([*command, os.path.join(self.build, "bench", program)], path, directory,
                      rows, password, *floor)

    def our_worker(self, options, **more):
        return self.worker(self.ours + ":" + self.stock, options, **more)

    def stock_worker(self, options, **more):
        return self.worker(self.with_sql, options, **more)

    def floor_worker(self, engine=None, route=None, table=None, **more):
        """libsasl2 and a mechanism that says yes, and then the client library."""
        if engine is None:
            return self.worker(self.always_yes, {"mech_list": "PLAIN"}, **more)
        return self.worker(self.always_yes, {"mech_list": "PLAIN"}, *engine.floor(route, table),
                           program="floor_" + engine.engine, **more)


def table_of(position):
    """The table with passwords in the format of this position."""
    return f"users_{position}"
