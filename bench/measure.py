#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Measures what bench/run has built. See bench/README."""

import argparse
import contextlib
import os
import signal
import sys

sys.path.insert(1, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "system"))

import instructions
import per_login
import scale
import side_channel
import startup
import tap
import through_postfix
from bench import Bench
from report import Report

SECTIONS = {
    "per_login": per_login,
    "instructions": instructions,
    "startup": startup,
    "through_postfix": through_postfix,
    "scale": scale,
    "side_channel": side_channel,
}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    parser.add_argument("--plugins", required=True)
    parser.add_argument("--output", required=True)
    parser.add_argument("--smoke", action="store_true")
    parser.add_argument("sections", nargs="*", metavar="SECTION")
    arguments = parser.parse_args()
    unknown = set(arguments.sections) - SECTIONS.keys()
    if unknown:
        parser.error(f"no such section: {', '.join(unknown)}; there are {', '.join(SECTIONS)}")
    # Servers are in sessions of their own: they are to be stopped whatever ends this.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(143))
    report = Report(arguments.output)
    try:
        with contextlib.ExitStack() as stack:
            bench = Bench(arguments.build, arguments.plugins, arguments.smoke)
            bench.start_engines(stack)
            for name in arguments.sections or SECTIONS:
                SECTIONS[name].measure(bench, report)
        if not arguments.smoke:
            report.figures()
        report.plot(os.path.join(os.path.dirname(os.path.abspath(__file__)), "plot.gp"))
    finally:
        tap.remove_directories()


if __name__ == "__main__":
    main()
