# SPDX-License-Identifier: BSD-3-Clause
"""Large tables, a million logins of one process, many threads, many processes."""

import contextlib
import itertools
import shutil
import time

import counters
import tables
from bench import table_of
from report import quartiles, ratios, spread
from through_postfix import Subject

# What a table of ten million rows takes, in three databases
ROOM = 8e9

THREADS = (1, 4, 16, 64)

CHEAP_HASHES = (1, 2)  # of tables.FORMATS

CROWDS = (20, 100)


def measure(bench, report):
    report.title("Large tables, clear text")
    _large_tables(bench, report)
    report.title("A million logins of one process")
    _many_logins(bench, report)
    report.title("Statements and connections of a login, by the servers' statistics")
    _statements(bench, report)
    report.title("Threads of one process")
    _threads(bench, report)
    report.title("Crowds of smtpd, and what the database sees")
    _crowds(bench, report)


def _large_tables(bench, report):
    sizes = [10 ** power for power in bench.few((3, 4, 5, 6, 7), (2, 3))]
    if shutil.disk_usage(bench.directory).free < ROOM and sizes[-1] == 10 ** 7:
        report.say("There is no room on the disk for ten million rows: left out.\n")
        sizes.pop()
    rows, plot = [], []
    for engine in bench.engines:
        route = engine.routes[0]
        for size in sizes:
            table = f"large_{size}"
            engine.create(table, size, tables.PASSWORD)
            with bench.placed(apart=False):
                ours = bench.our_worker({**bench.clear_text(engine, route), "sql_select":
                                         tables.statement(table, "'%u'")}, rows=size)
                floor = bench.floor_worker(engine, route, table, rows=size)
                for worker in (ours, floor):
                    worker.warm(bench.few(20000, 20))
                mine, bare = [], []
                for turn in range(bench.few(15, 2)):
                    both = ((ours, mine), (floor, bare))
                    for worker, times in both if turn % 2 == 0 else reversed(both):
                        times.append(worker.run(bench.few(1000, 20)) / 1e3)
                ours.close()
                floor.close()
            rows.append([engine.engine, f"{size:,}", spread(mine, "{:.1f}"),
                         spread(bare, "{:.1f}"), spread(ratios(mine, bare))])
            plot.append([engine.engine, size, quartiles(mine)[0], quartiles(bare)[0]])
    report.table(["engine", "rows", "us a login", "us, floor", "of the floor"], rows)
    report.plot_data("scale.tsv", ["engine", "rows", "ours", "floor"], plot)


def _many_logins(bench, report):
    steps = bench.few((10 ** 4, 10 ** 5, 10 ** 6), (50, 100))
    rows = []
    for engine in bench.engines:
        done, memory = 0, []
        with bench.placed(apart=False):
            worker = bench.our_worker(bench.clear_text(engine, engine.routes[-1]))
            for step in steps:
                worker.warm(step - done)
                done = step
                memory.append(worker.memory() / 1e3)
            worker.close()
        rows.append([engine.engine] + [f"{kilobytes:.0f}" for kilobytes in memory])
        report.at_most(f"{engine.engine}: private kB more after the last login than after "
                       f"{steps[0]:,}", memory[-1] - memory[0], 16, "{:.0f}")
    report.table(["private kB after"] + [f"{step:,}" for step in steps], rows)


def _statements(bench, report):
    logins = bench.few(2000, 20)
    rows = []
    for engine in bench.engines[:2]:
        worker = bench.our_worker(bench.clear_text(engine, "TCP"))
        worker.warm(10)
        count = counters.of(engine.server)
        before = _settled(count)
        worker.run(logins)
        spent = count.difference(before, _settled(count))
        worker.close()
        rows.append([engine.engine, f"{spent['statements'] / logins:.3f}",
                     f"{spent['connects'] / logins:.3f}"])
        report.at_most(f"{engine.engine}: statements of a login", spent["statements"] / logins, 1)
        report.at_most(f"{engine.engine}: connections of a login", spent["connects"] / logins, 0)
    report.table(["engine", "statements", "connections"], rows)


def _busy():
    """Time of all processors, in which they worked and in all. What was stolen by
    another machine is left out."""
    with open("/proc/stat", encoding="ascii") as file:
        fields = [int(field) for field in file.readline().split()[1:8]]
    idle = fields[3] + fields[4]
    return sum(fields) - idle, sum(fields)


def _threads(bench, report):
    rows = []
    for engine, position in itertools.product(bench.engines, CHEAP_HASHES):
        name = f"{engine.engine}, {list(tables.FORMATS)[position]}"
        worker = bench.our_worker(bench.options(engine, engine.routes[-1], table_of(position)))
        rates = {threads: [] for threads in THREADS}
        busy = {threads: [] for threads in THREADS}
        worker.warm(50)
        for _ in range(bench.few(7, 1)):
            for threads in THREADS:
                before = _busy()
                each = worker.run(max(bench.few(8000, 128) // threads, 1), threads)
                after = _busy()
                rates[threads].append(1e9 / each)
                busy[threads].append((after[0] - before[0]) / max(after[1] - before[1], 1))
        worker.close()
        rows.append([name] + [
            f"{spread(rates[threads], '{:.0f}')} {quartiles(busy[threads])[0]:.0%}"
            for threads in THREADS])
        useful = min(bench.processors, 4)
        report.at_least(f"{name}, 4 threads: part that is used of {useful} processors",
                        quartiles(busy[4])[0] * bench.processors / useful, 0.9)
        report.at_least(f"{name}, 64 threads: logins a second, of those with 4",
                        quartiles(ratios(rates[64], rates[4]))[0], 0.9)
    report.say("Logins a second, and what part of all processors was used.\n")
    report.table(["threads"] + [str(threads) for threads in THREADS], rows)


def _crowds(bench, report):
    rows = []
    for size in bench.few(CROWDS, (2, 4)):
        for engine in bench.engines[:2]:
            with contextlib.ExitStack() as stack:
                subject = Subject(bench, stack, bench.ours + ":" + bench.stock,
                                  bench.clear_text(engine, "TCP"))
                subject.turn(size, bench.few(3, 0.3))
                count = counters.of(engine.server)
                before = _settled(count)
                logins = subject.turn(size, bench.few(3, 0.3))
                spent = count.difference(before, _settled(count))
                rows.append([engine.engine, str(size), f"{subject.rates[size][-1]:.0f}",
                             str(engine.server.sessions()), f"{spent['statements'] / logins:.3f}",
                             f"{spent['connects'] / logins:.4f}"])
    report.table(["engine", "smtpd", "logins a second", "sessions", "statements a login",
                  "connects a login"], rows)


def _settled(count):
    """Sessions of PostgreSQL tell what they have done once a second at most."""
    time.sleep(1.2)
    return count.read()
