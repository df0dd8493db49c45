# SPDX-License-Identifier: BSD-3-Clause
"""Whether the time of a refusal tells an unknown user from a wrong password, where all
users have hashes of one kind, and where each has another."""

import math
import sqlite3

import database
import tables
from bench import table_of
from report import quartiles


# Letters of the password that is typed, which some hashes take longer for
LONG = 300


def _standard(scheme, cost=None):
    return {"password_store_scheme": scheme, "password_store_cost": cost}


# That of a site which has nothing but such hashes
STANDARDS = {"$1$": _standard("MD5-CRYPT"), "$5$rounds=1000$": _standard("SHA256-CRYPT", 1000),
             "$6$": _standard("SHA512-CRYPT"), "yescrypt": _standard("YESCRYPT")}

# For the table of mixed hashes
MIXED_STANDARDS = {"yescrypt": _standard("YESCRYPT"), "SHA-512": _standard("SHA512-CRYPT"),
                   "bcrypt-10": _standard("BLF-CRYPT", 10)}

# Who is in a table in the middle of a migration: the prefix and the cost of the hash
HASHED = {"DES": ("", 0), "MD5": ("$1$", 0), "SHA-512": ("$6$", 0), "yescrypt": ("$y$", 0),
          "bcrypt-10": ("$2b$", 10)}
OTHERS = {"locked": "!", "NULL": None, "clear-text": "hunter2", "unknown-method": "$9$salt$hash"}
UNKNOWN = "nobody"

# Whose right password comes before each turn
ATTACKERS = (None, "DES", "bcrypt-10")


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
    _measure_mixed(bench, report)


def _row(bench, engine, name, typed):
    route = engine.routes[0]
    options = (bench.clear_text(engine, route) if name == "plain" else
               {**bench.options(engine, route, table_of(list(tables.FORMATS).index(name))),
                **STANDARDS[name]})
    worker = bench.our_worker(options, password=typed)
    # The first refusals find out what the standard takes.
    worker.alternate(3)
    unknown, wrong = worker.alternate(bench.few(60 if name == "yescrypt" else 2000, 5))
    worker.close()
    one, other = quartiles(unknown)[0] / 1e3, quartiles(wrong)[0] / 1e3
    return [engine.engine, name, str(len(typed)), f"{one:.1f}", f"{other:.1f}",
            f"{one - other:+.1f}", f"{(one - other) / other:+.1%}",
            f"{likelier(unknown, wrong):.3f}", f"{rank_test(unknown, wrong):+.1f}"]


def _measure_mixed(bench, report):
    report.title("Time of a refusal in a table of mixed hashes, of that of an unknown user")
    connection = sqlite3.connect(bench.engines[-1].path)
    with connection:
        connection.execute("CREATE TABLE mixed (name TEXT PRIMARY KEY, password TEXT)")
        for name, method in HASHED.items():
            connection.execute("INSERT INTO mixed VALUES (?, ?)",
                               (name, database.crypt(tables.PASSWORD, *method)))
        connection.executemany("INSERT INTO mixed VALUES (?, ?)", OTHERS.items())
    connection.close()
    names = [UNKNOWN, *HASHED, *OTHERS]
    rows = [[standard, attacker or "nobody",
             *_mixed_row(bench, MIXED_STANDARDS[standard], attacker, names)]
            for standard in MIXED_STANDARDS for attacker in ATTACKERS]
    report.table(["standard", "who logs in meanwhile", "ms, unknown", *names[1:]], rows)
    report.say("The hashes that are no dearer than the standard are to be at 1.00, within 0.05, and so\n"
               "is everybody who has none. Those that are dearer stand out.")


def _mixed_row(bench, standard, attacker, names):
    engine = bench.engines[-1]
    worker = bench.our_worker({**bench.options(engine, engine.routes[0], "mixed"), **standard})
    times = {name: [] for name in names}
    worker.refuse(1, names)
    for _ in range(bench.few(20, 2)):
        if attacker is not None:
            worker.enter(attacker)
        for name, taken in worker.refuse(2, names).items():
            times[name] += taken
    worker.close()
    middle = {name: quartiles(taken)[0] for name, taken in times.items()}
    return [f"{middle[UNKNOWN] / 1e6:.2f}",
            *(f"{middle[name] / middle[UNKNOWN]:.3f}" for name in names[1:])]


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
