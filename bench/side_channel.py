# SPDX-License-Identifier: BSD-3-Clause
"""Whether the time of a refusal tells an unknown user from a wrong password."""

import math

import tables
from bench import table_of
from report import quartiles


# Letters of the password that is typed, which some hashes take longer for
LONG = 300


def measure(bench, report):
    report.title("Time of a refusal: unknown user, wrong password")
    rows = []
    for engine in bench.engines:
        rows += [_row(bench, engine, name, tables.PASSWORD) for name in tables.FORMATS]
    rows += [_row(bench, bench.engines[-1], name, "x" * LONG) for name in tables.FORMATS]
    report.table(["engine", "format", "letters", "us, unknown", "us, wrong", "difference", "",
                  "P(unknown takes longer)", "z of the rank test"], rows)
    report.say("Who times a single login, and guesses, is right by chance at P = 0.5. |z| above 3 is\n"
               "a difference that so many logins show, by an observer in the same process.")


def _row(bench, engine, name, typed):
    route = engine.routes[0]
    options = (bench.clear_text(engine, route) if name == "plain" else
               bench.options(engine, route, table_of(list(tables.FORMATS).index(name))))
    worker = bench.our_worker(options, password=typed)
    # The policy goes by the last hash that was judged.
    worker.alternate(3)
    unknown, wrong = worker.alternate(bench.few(60 if name == "yescrypt" else 2000, 5))
    worker.close()
    one, other = quartiles(unknown)[0] / 1e3, quartiles(wrong)[0] / 1e3
    return [engine.engine, name, str(len(typed)), f"{one:.1f}", f"{other:.1f}",
            f"{one - other:+.1f}", f"{(one - other) / other:+.1%}",
            f"{likelier(unknown, wrong):.3f}", f"{rank_test(unknown, wrong):+.1f}"]


def _rank_sum(ones, others):
    """The sum of the ranks of `ones` among all. Equal values share their ranks."""
    values = sorted([(value, 0) for value in ones] + [(value, 1) for value in others])
    total = 0.0
    start = 0
    while start < len(values):
        end = start
        while end < len(values) and values[end][0] == values[start][0]:
            end += 1
        rank = (start + 1 + end) / 2
        total += rank * sum(1 for _, which in values[start:end] if which == 0)
        start = end
    return total


def likelier(ones, others):
    """How likely one of `ones` is greater than one of `others`: U of Mann and
    Whitney in relation to its greatest value."""
    u = _rank_sum(ones, others) - len(ones) * (len(ones) + 1) / 2
    return u / (len(ones) * len(others))


def rank_test(ones, others):
    """Mann and Whitney's U, as the z of its normal approximation."""
    n, m = len(ones), len(others)
    u = _rank_sum(ones, others) - n * (n + 1) / 2
    return (u - n * m / 2) / math.sqrt(n * m * (n + m + 1) / 12)
