# SPDX-License-Identifier: BSD-3-Clause
"""What a process pays for when it starts: time of sasl_server_init(), memory of its
own, and the libraries of databases."""

import os

from bench import table_of
from report import quartiles, spread

CLIENT_LIBRARIES = ("libpq.", "libmariadb.", "libmysqlclient.", "libsqlite3.")

NOT_CONFIGURED = {"pwcheck_method": "saslauthd", "mech_list": "PLAIN LOGIN"}


def measure(bench, report):
    report.title("Start of a process")
    subjects = _subjects(bench)
    os.sync()  # Pages of files that were just written would count as dirty.
    times = {name: [] for name in subjects}
    memory = {name: [] for name in subjects}
    libraries = {}
    for _ in range(bench.few(41, 3)):
        for name, start in subjects.items():
            worker = start()
            times[name].append(worker.start_ns / 1e6)
            memory[name].append(worker.memory() / 1e3)
            libraries[name] = sorted(library for library in worker.libraries()
                                     if library.startswith(CLIENT_LIBRARIES))
            worker.close()
    report.table(["", "ms", "private kB", "client libraries"],
                 [[name, spread(times[name]), spread(memory[name], "{:.0f}"),
                   " ".join(libraries[name]) or "-"] for name in subjects])
    report.plot_data("startup.tsv", ["subject", "milliseconds", "private kB"],
                     [[name, quartiles(times[name])[0], quartiles(memory[name])[0]]
                      for name in subjects])
    _judge(report, {name: quartiles(values)[0] for name, values in times.items()},
           {name: quartiles(values)[0] for name, values in memory.items()}, libraries)


def _subjects(bench):
    """What is started, by name."""
    subjects = {
        "libsasl2 alone": lambda: bench.worker(bench.stock, NOT_CONFIGURED),
        "ours, not configured": lambda: bench.our_worker(NOT_CONFIGURED),
    }
    for engine in bench.engines:
        route = engine.routes[0]
        subjects[f"ours, {engine.engine}"] = lambda engine=engine, route=route: bench.our_worker(
            bench.options(engine, route, table_of(0)))
        subjects[f"stock, {engine.engine}"] = lambda engine=engine, route=route: (
            bench.stock_worker(bench.stock_options(engine, route)))
    return subjects


def _judge(report, times, memory, libraries):
    alone, idle = "libsasl2 alone", "ours, not configured"
    report.at_most("not configured: client libraries", len(libraries[idle]), 0, "{:.0f}")
    report.at_most("not configured: ms more", times[idle] - times[alone], 0.3)
    report.at_most("not configured: private kB more", memory[idle] - memory[alone], 200, "{:.0f}")
    report.at_most("sqlite3: ms more", times["ours, sqlite3"] - times[alone], 1)
    for engine in ("pgsql", "mysql", "sqlite3"):
        ours, stock = f"ours, {engine}", f"stock, {engine}"
        report.at_most(f"{engine}: start, time of the stock plug-in's",
                       times[ours] / times[stock], 1)
        report.at_most(f"{engine}: start, memory of the stock plug-in's",
                       memory[ours] / memory[stock], 1)
