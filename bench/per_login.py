# SPDX-License-Identifier: BSD-3-Clause
"""What one login costs in a process that has its connection: time, beside the
bare client library and beside the stock plug-in."""

import tables
from bench import table_of
from report import quartiles, ratios, spread

# Of the floor that a kept connection may cost
LIMITS = {"pgsql": 1.10, "mysql": 1.10, "sqlite3": 1.25}

# How many times faster than the stock plug-in
FASTER = {"pgsql": 60, "mysql": 8, "sqlite3": 10}

# Without a hash, and with one that is cheap
CHEAP = ("plain", "$1$")

TURN_NS = 40e6
ROUNDS = 61
ROUNDS_OF_HASHES = 11


class _Subject:
    """A worker with the times that its logins took, one of each turn."""

    def __init__(self, worker, turn_ns):
        self.worker = worker
        self.times = []
        worker.warm(20)
        each = worker.run(3)
        each = worker.run(min(max(int(turn_ns / each), 1), 1000))
        self.count = max(int(turn_ns / each), 1)

    def turn(self):
        self.times.append(self.worker.run(self.count) / 1e3)


class _Comparison:
    """By one route to one engine: ours and the floor for each format, and the stock
    plug-in."""

    def __init__(self, bench, engine, route, formats, with_stock):
        turn_ns = bench.few(TURN_NS, 2e6)
        self.engine = engine.engine
        self.route = route
        self.ours, self.floor = {}, {}
        for position, name in enumerate(tables.FORMATS):
            if name in formats:
                options = (bench.clear_text(engine, route) if name == "plain" else
                           bench.options(engine, route, table_of(position)))
                self.ours[name] = _Subject(bench.our_worker(options), turn_ns)
                self.floor[name] = _Subject(bench.floor_worker(engine, route, table_of(position)),
                                            turn_ns)
        self.stock = (_Subject(bench.stock_worker(bench.stock_options(engine, route)), turn_ns)
                      if with_stock else None)

    def run(self, rounds):
        for turn in range(rounds):
            for name in self.ours if turn < ROUNDS_OF_HASHES else self.ours.keys() & CHEAP:
                both = (self.ours[name], self.floor[name])
                for subject in both if turn % 2 == 0 else reversed(both):
                    subject.turn()
            if self.stock is not None:
                self.stock.turn()
        for subject in self._all():
            subject.worker.close()

    def _all(self):
        return (list(self.ours.values()) + list(self.floor.values())
                + ([self.stock] if self.stock is not None else []))

    def ratios(self, name):
        return ratios(self.ours[name].times, self.floor[name].times)

    def rows(self):
        where = f"{self.engine}, {self.route}"
        found = [[where, name, spread(self.ours[name].times, "{:.1f}"),
                  spread(self.floor[name].times, "{:.1f}"), spread(self.ratios(name))]
                 for name in self.ours]
        if self.stock is not None:
            found.append([where, "plain, stock plug-in", spread(self.stock.times, "{:.1f}"), "", ""])
        return found

    def plot_rows(self):
        return [[f"{self.engine}, {self.route}: {name}", quartiles(self.ours[name].times)[0],
                 quartiles(self.floor[name].times)[0],
                 quartiles(self.stock.times)[0] if self.stock and name == "plain" else None]
                for name in self.ours]


def measure(bench, report):
    report.title("One login in one process, connection kept")
    rounds = bench.few(ROUNDS, 2)
    with bench.placed(apart=True):
        _print_nothing(bench, report, rounds)
        found = []
        for engine in bench.engines:
            for route in engine.routes:
                comparison = _Comparison(bench, engine, route, list(tables.FORMATS),
                                         route != "socket")
                comparison.run(rounds)
                found.append(comparison)
    _print(report, "Process and server on a processor of their own:" if bench.processors > 1 else
           "Process and server, for there is but one processor:", found)
    report.plot_data("per_login.tsv", ["login", "ours", "floor", "stock plug-in"],
                     [row for comparison in found for row in comparison.plot_rows()])
    for comparison in found:
        _judge(report, comparison)

    with bench.placed(apart=False):
        found = []
        for engine in bench.engines[:2]:
            for route in engine.routes:
                comparison = _Comparison(bench, engine, route, CHEAP, False)
                comparison.run(rounds)
                found.append(comparison)
    _print(report, "Process and server sharing one processor, and its caches:", found)


def _print_nothing(bench, report, rounds):
    nothing = _Subject(bench.floor_worker(), bench.few(TURN_NS, 2e6))
    for _ in range(rounds):
        nothing.turn()
    nothing.worker.close()
    report.say(f"libsasl2 alone, with a mechanism that says yes: "
               f"{spread(nothing.times, '{:.1f}')} us. It is part of the floor.\n")


def _print(report, text, found):
    report.say(text + "\n")
    report.table(["engine", "format", "us a login", "us, floor", "of the floor"],
                 [row for comparison in found for row in comparison.rows()])


def _judge(report, comparison):
    engine, route = comparison.engine, comparison.route
    for name in CHEAP:
        report.at_most(f"{engine}, {route}, {name}: time of the floor",
                       quartiles(comparison.ratios(name))[0], LIMITS[engine])
    if comparison.stock is not None:
        times = ratios(comparison.stock.times, comparison.ours["plain"].times)
        report.at_least(f"{engine}, {route}, clear text: faster than the stock plug-in",
                        quartiles(times)[0], FASTER[engine], "{:.0f}")
