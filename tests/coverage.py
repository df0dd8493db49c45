#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Reads what gcov has counted: coverage.py BUILD SOURCE [FILE...]

BUILD is a build with --coverage, of SOURCE, in which programs have run. Prints for each
file of the plug-ins, the drivers and common/ how many lines and branches were taken, and
of each FILE, which is the end of a path, those that were not.

Of a file that is part of several programs, what any of them has taken counts.
"""

import collections
import json
import os
import subprocess
import sys

FOLDERS = ("plugins/", "common/")


class File:
    """What is known of one file of the source."""

    def __init__(self):
        self.lines = collections.Counter()
        self.branches = {}  # how often each branch of a line was taken

    def add(self, line):
        number = line["line_number"]
        taken = [branch["count"] for branch in line["branches"] if not branch["throw"]]
        before = self.branches.get(number, [])
        self.lines[number] += line["count"]
        # A copy that is never called has the same branches; a macro may have fewer.
        if len(before) == len(taken):
            taken = [sum(both) for both in zip(before, taken)]
        if len(before) <= len(taken):
            self.branches[number] = taken

    def count_lines(self):
        return sum(count > 0 for count in self.lines.values()), len(self.lines)

    def count_branches(self):
        every = [count for taken in self.branches.values() for count in taken]
        return sum(count > 0 for count in every), len(every)

    def missing(self):
        """Yields the number of a line, and what of it was not taken."""
        for number, count in sorted(self.lines.items()):
            branches = self.branches[number]
            untaken = [index + 1 for index, taken in enumerate(branches) if taken == 0]
            if count == 0:
                yield number, "not run"
            elif untaken:
                yield number, f"not taken: {', '.join(map(str, untaken))} of {len(branches)}"


def counts(build):
    """Yields what gcov says of each object that has run."""
    for folder, _, names in os.walk(build):
        for name in names:
            if name.endswith(".gcda"):
                said = subprocess.run(["gcov", "-b", "--json-format", "--stdout",
                                       os.path.join(os.path.abspath(folder), name)],
                                      cwd=build, capture_output=True, check=True).stdout
                yield from map(json.loads, said.splitlines())


def read(build, source):
    files = collections.defaultdict(File)
    for said in counts(build):
        for entry in said["files"]:
            name = os.path.relpath(os.path.join(build, entry["file"]), source)
            if name.startswith(FOLDERS):
                for line in entry["lines"]:
                    files[name].add(line)
    return dict(sorted(files.items()))


def show(name, lines, branches):
    def part(taken, every):
        return f"{taken:5d}/{every:<5d}{100 * taken / max(every, 1):6.1f}"

    print(f"{name:40s} {part(*lines)} {part(*branches)}")


def total(pairs):
    return tuple(map(sum, zip(*pairs)))


def show_missing(name, file, source):
    with open(os.path.join(source, name), encoding="utf-8") as opened:
        text = opened.read().splitlines()
    for number, what in file.missing():
        print(f"{name}:{number}: {what}: {text[number - 1].strip()}")


def main(build, source, *wanted):
    files = read(os.path.abspath(build), os.path.abspath(source))
    print(f"{'':40s} {'lines':>11s}{'%':>6s} {'branches':>11s}{'%':>6s}")
    for name, file in files.items():
        show(name, file.count_lines(), file.count_branches())
    show("total", total(file.count_lines() for file in files.values()),
         total(file.count_branches() for file in files.values()))
    for name, file in files.items():
        if name.endswith(wanted):
            show_missing(name, file, source)


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit("usage: coverage.py BUILD SOURCE [FILE...]")
    main(*sys.argv[1:])
