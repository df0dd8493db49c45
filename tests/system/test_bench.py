#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The benchmarks work: a run that measures as little as possible goes through all of
them, against the real servers, and writes its tables and its graph. Its measurements
mean nothing. SASL_SQLCRYPT_BUILD names the build."""

import os
import shutil
import subprocess
import sys

import authdaemond
import plugins
import postfix
import servers
import tap
from tap import case, contains, equal

BENCH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "bench")

BUILD = os.environ.get("SASL_SQLCRYPT_BUILD", "")

# The number of rows of each file, including its head
DATA = {"per_login.tsv": 26, "startup.tsv": 9, "postfix.tsv": 15, "scale.tsv": 7}

PNG = b"\x89PNG\r\n\x1a\n"

if not os.path.exists(os.path.join(BUILD, "bench", "logins")):
    tap.skip_all("SASL_SQLCRYPT_BUILD does not name a build with bench-programs")
postfix.require()
authdaemond.require()
plugins.require_drivers("pgsql", "mysql", "sqlite3")
servers.require(servers.Postgres, servers.MariaDB)
for program in ("dovecot", "gnuplot", "valgrind"):
    if shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin") is None:
        tap.skip_all(f"{program} is not installed")
results = os.path.join(tap.directory(), "results")


@case("all sections are measured")
def _():
    with subprocess.Popen(
            [sys.executable, os.path.join(BENCH, "measure.py"), "--smoke", "--build", BUILD,
             "--plugins", plugins.under_test(), "--output", results],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            output, _ = process.communicate(timeout=600)
        finally:
            process.terminate()  # so that it stops its servers
    tap.note(output)
    equal(process.returncode, 0, "status")


@case("the report holds a table of each")
def _():
    with open(os.path.join(results, "report.txt"), encoding="utf-8") as file:
        report = file.read()
    for title in ("One login in one process", "Instructions of one login", "Start of a process",
                  "Logins through Postfix", "Large tables", "A million logins",
                  "Statements and connections", "Threads of one process", "Crowds of smtpd",
                  "Time of a refusal"):
        contains(report, title, "report")
    for name in ("stock plug-in", "Dovecot", "authdaemond", "yescrypt", "sqlite3"):
        contains(report, name, "report")


@case("everything that was measured is more than nothing")
def _():
    for name, count in DATA.items():
        with open(os.path.join(results, name), encoding="utf-8") as file:
            rows = [line.rstrip("\n").split("\t") for line in file]
        equal(len(rows), count, f"rows of {name}")
        for row in rows[1:]:
            numbers = [cell for cell in row[1:] if not cell.startswith('"') and cell != "-"]
            if not numbers or not all(float(number) > 0 for number in numbers):
                raise AssertionError(f"{name}: {row}")


@case("one statement and no connection for a login")
def _():
    with open(os.path.join(results, "report.txt"), encoding="utf-8") as file:
        table = file.read().partition("Statements and connections")[2].partition("===\n\n")[2]
    rows = [line.split() for line in table.splitlines()[1:3]]
    equal(rows, [["pgsql", "1.000", "0.000"], ["mysql", "1.000", "0.000"]], "statements")


@case("there is a picture")
def _():
    with open(os.path.join(results, "bench.png"), "rb") as file:
        picture = file.read()
    equal(picture[:len(PNG)], PNG, "start of the picture")
    if len(picture) < 20000:
        raise AssertionError(f"a picture of {len(picture)} bytes shows nothing")


tap.run()
