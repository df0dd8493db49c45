# SPDX-License-Identifier: BSD-3-Clause
"""What mail programs see: logins through Postfix, beside Dovecot's auth service,
libsasl2's own means, and a mechanism that lets everybody in."""

import collections
import contextlib
import os
import subprocess

import authdaemond
import tables
from bench import ROWS, table_of
from dovecot import Dovecot
from postfix import Postfix
from report import quartiles, ratios, spread
from worker import private_dirty

CONNECTIONS = (1, 8, 64)
ROUNDS = 5

# Accounts of authdaemond
ACCOUNTS = 20

CEILING = "always yes"
FLOOR = "bare libpq, clear text"

# So that the processes of an smtpd, and their connections, last as long as the
# measurement. By default it is 100.
KEPT = 100000


class Subject:
    """A Postfix with one way to check passwords, and what was measured. It is stopped
    by `stack` (contextlib.ExitStack)."""

    def __init__(self, bench, stack, sasl_path, options, rows=ROWS, max_use=KEPT, **main):
        self.rows = rows
        self.rates = collections.defaultdict(list)  # by connections
        self.latencies = collections.defaultdict(list)
        self.memory = []
        self.load = os.path.join(bench.build, "bench", "smtp_load")
        self.postfix = Postfix(sasl_path, bench.folder("postfix"))
        stack.callback(self.postfix.close)
        self.postfix.start(bench.text(options), processes=100, max_use=max_use, **main)

    def turn(self, connections, seconds):
        """Runs the load for so long. Returns how many have logged in."""
        done = subprocess.run([self.load, str(self.postfix.port), str(connections), str(seconds),
                               str(self.rows), tables.PASSWORD], capture_output=True, text=True,
                              check=False)
        if done.returncode != 0:
            raise RuntimeError(f"{done.stderr}{self.postfix.log()[-2000:]}")
        took, *latencies = (int(line) for line in done.stdout.split())
        self.rates[connections].append(len(latencies) / took * 1e9)
        self.latencies[connections] += latencies
        return len(latencies)

    def forget(self):
        """What was measured until now was to warm up."""
        self.rates.clear()
        self.latencies.clear()

    def note_memory(self):
        """Of the smtpd processes that are there."""
        for pid in self._smtpd():
            with contextlib.suppress(OSError):  # it may just have ended
                self.memory.append(private_dirty(pid) / 1e6)

    def _smtpd(self):
        master = self.postfix.master.pid
        with open(f"/proc/{master}/task/{master}/children", encoding="ascii") as file:
            children = file.read().split()
        for pid in children:
            with (contextlib.suppress(OSError),
                  open(f"/proc/{pid}/comm", encoding="utf-8") as file):
                if file.read().strip() == "smtpd":
                    yield pid


def measure(bench, report):
    report.title("Logins through Postfix, AUTH PLAIN, a connection for each")
    with contextlib.ExitStack() as stack:
        subjects = _start(bench, stack)
        for subject in subjects.values():
            subject.turn(max(CONNECTIONS), bench.few(1, 0.05))
            subject.forget()
        for _ in range(bench.few(ROUNDS, 1)):
            for connections in CONNECTIONS:
                for subject in subjects.values():
                    subject.turn(connections, bench.few(1, 0.05))
                    if connections == 8:
                        subject.note_memory()
    _print(report, subjects)
    _judge(report, subjects)


def _start(bench, stack):
    """All of them, each idle while another is measured."""
    pgsql = bench.engines[0]
    sqlite3 = bench.engines[2]
    ours = bench.ours + ":" + bench.stock

    def dovecot(table, scheme, cache):
        daemon = Dovecot(bench.folder("dovecot"))
        stack.callback(daemon.stop)
        daemon.start(pgsql.server, table, scheme, cache)
        return {"smtpd_sasl_type": "dovecot", "smtpd_sasl_path": daemon.socket}

    def subject(*arguments, **more):
        return Subject(bench, stack, *arguments, **more)

    daemon = _start_authdaemond(bench, stack)
    courier = {"pwcheck_method": "authdaemond", "mech_list": "PLAIN",
               "authdaemond_path": daemon.socket}
    always_yes = bench.always_yes + ":" + bench.stock
    yes = {"mech_list": "PLAIN", "auxprop_plugin": "none"}
    floor = {f"floor_{number}": value
             for number, value in enumerate(pgsql.floor("TCP", table_of(0)), 1)}
    return {
        CEILING: subject(always_yes, yes),
        FLOOR: subject(bench.floor_pgsql + ":" + bench.stock, {**yes, **floor}),
        "ours, pgsql, clear text": subject(ours, bench.clear_text(pgsql, "TCP")),
        "ours, pgsql, $1$": subject(ours, bench.options(pgsql, "TCP", table_of(1))),
        "ours, sqlite3, clear text": subject(ours, bench.clear_text(sqlite3, "file")),
        "always yes, max_use = 100": subject(always_yes, yes, max_use=100),
        "ours, pgsql, max_use = 100": subject(ours, bench.clear_text(pgsql, "TCP"), max_use=100),
        "stock sql, pgsql, clear text": subject(bench.with_sql,
                                                bench.stock_options(pgsql, "TCP")),
        "Dovecot, pgsql, clear text": subject(ours, {}, **dovecot(table_of(0), "PLAIN", "0")),
        "Dovecot, clear text, cache": subject(ours, {}, **dovecot(table_of(0), "PLAIN", "10M")),
        "Dovecot, pgsql, $1$": subject(ours, {}, **dovecot(table_of(1), "CRYPT", "0")),
        "Dovecot, $1$, cache": subject(ours, {}, **dovecot(table_of(1), "CRYPT", "10M")),
        "authdaemond, libsasl2's client": subject(bench.stock, courier, rows=ACCOUNTS),
        "authdaemond, ours": subject(ours, courier, rows=ACCOUNTS),
    }


def _start_authdaemond(bench, stack):
    daemon = authdaemond.Authdaemond(bench.folder("courier"))
    stack.callback(daemon.stop)
    for number in range(ACCOUNTS):
        daemon.add(f"u{number}", tables.PASSWORD)
    daemon.publish()
    daemon.start()
    os.chmod(daemon.folder, 0o755)
    return daemon


def _print(report, subjects):
    rows, plot = [], []
    for name, subject in subjects.items():
        row = [name]
        for count in CONNECTIONS:
            latencies = sorted(subject.latencies[count])
            median, late = latencies[len(latencies) // 2], latencies[len(latencies) * 95 // 100]
            row += [spread(subject.rates[count], "{:.0f}"), f"{median / 1e6:.2f}",
                    f"{late / 1e6:.2f}"]
        row.append(spread(subject.memory))
        rows.append(row)
        plot.append([name] + [quartiles(subject.rates[count])[0] for count in CONNECTIONS])
    report.say("Logins a second; milliseconds from AUTH to the answer, median and 95th percentile;\n"
               "private memory of an smtpd in MB.\n")
    head = [""]
    for count in CONNECTIONS:
        head += [f"{count} conn.", "ms", "p95"]
    report.table(head + ["MB"], rows)
    report.plot_data("postfix.tsv", ["subject"] + [str(count) for count in CONNECTIONS], plot)


def _judge(report, subjects):
    def ratio(one, other):
        return quartiles(ratios(subjects[one].rates[8], subjects[other].rates[8]))[0]

    def memory(name):
        return quartiles(subjects[name].memory)[0] - quartiles(subjects[CEILING].memory)[0]

    report.at_least("Postfix, 8 connections, pgsql, clear text: of the ceiling",
                    ratio("ours, pgsql, clear text", CEILING), 0.85)
    report.at_least("Postfix, 8 connections, pgsql, clear text: of bare libpq",
                    ratio("ours, pgsql, clear text", FLOOR), 0.95)
    report.at_least("Postfix, 8 connections, pgsql, clear text: times Dovecot with a warm cache",
                    ratio("ours, pgsql, clear text", "Dovecot, clear text, cache"), 1)
    report.at_least("Postfix, 8 connections, pgsql, $1$: times Dovecot without cache",
                    ratio("ours, pgsql, $1$", "Dovecot, pgsql, $1$"), 1.5)
    report.at_least("Postfix, 8 connections: times libsasl2's client of authdaemond",
                    ratio("authdaemond, ours", "authdaemond, libsasl2's client"), 1)
    report.at_most("smtpd, pgsql: private MB more than without a back end",
                   memory("ours, pgsql, clear text"), 2.5)
    report.at_most("smtpd, sqlite3: private MB more than without a back end",
                   memory("ours, sqlite3, clear text"), 0.6)
