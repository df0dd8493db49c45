# SPDX-License-Identifier: BSD-3-Clause
"""How many instructions a login takes, by callgrind: other than times, these are
the same in each run."""

import collections
import os

from bench import table_of

LIMIT = 25000

LOGINS = 200

OURS = ("libsqlcrypt.so", "libpwverify.so", "pgsql.so", "mysql.so", "sqlite3.so")  # files


def measure(bench, report):
    report.title("Instructions of one login, clear text, connection kept")
    rows = []
    for engine in bench.engines:
        route = engine.routes[0]
        ours = _count(bench, lambda command, engine=engine, route=route: bench.our_worker(
            bench.clear_text(engine, route), command=command))
        floor = _count(bench, lambda command, engine=engine, route=route: bench.floor_worker(
            engine, route, table_of(0), command=command))
        own = sum(ours.get(name, 0) for name in OURS)
        more = sum(ours.values()) - sum(floor.values())
        rows.append([engine.engine, f"{sum(ours.values()):.0f}", f"{sum(floor.values()):.0f}",
                     f"{more:.0f}", f"{own:.0f}"])
        report.at_most(f"{engine.engine}: instructions more than the floor", more, LIMIT, "{:.0f}")
    report.table(["engine", "all", "floor", "more", "in our files"], rows)


def _count(bench, start):
    """Instructions of one login, by the file that they are in."""
    path = os.path.join(bench.directory, "callgrind.out")
    worker = start(["valgrind", "-q", "--tool=callgrind", "--toggle-collect=measured",
                    "--compress-strings=no", "--compress-pos=no",
                    f"--callgrind-out-file={path}"])
    worker.warm(20)
    worker.run(LOGINS)
    worker.close()
    with open(path, encoding="utf-8") as file:
        return {name: count / LOGINS for name, count in _by_object(file).items()}


def _by_object(lines):
    """Own costs of each object in an output file of callgrind."""
    counts = collections.Counter()
    current = None
    is_call = False  # the next line is what a call has cost
    for line in lines:
        if line.startswith("ob="):
            current = os.path.basename(line[3:].strip())
        elif line.startswith("calls="):
            is_call = True
        elif line[:1].isdigit():
            if not is_call:
                counts[current] += int(line.split()[1])
            is_call = False
    return counts
