# SPDX-License-Identifier: BSD-3-Clause
"""What was measured: tables of text, files for gnuplot, and the figures that the
project has set itself."""

import contextlib
import os
import statistics
import subprocess

# What plot.gp reads, and makes
DATA = ("per_login.tsv", "startup.tsv", "postfix.tsv", "scale.tsv")
PICTURE = "bench.png"


def quartiles(values):
    """The median, and the range in which the middle half of the values lies."""
    values = sorted(values)
    if len(values) == 1:
        return values[0], values[0], values[0]
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return middle, low, high


def ratios(ones, others):
    """Of values that were taken in turns: one ratio for each turn."""
    return [one / other for one, other in zip(ones, others)]


def spread(values, form="{:.2f}"):
    """The median with the spread, as text."""
    middle, low, high = quartiles(values)
    return f"{form.format(middle)} ({form.format(low)}-{form.format(high)})"


def _for_gnuplot(cell):
    if cell is None:
        return "-"
    return f'"{cell}"' if isinstance(cell, str) else f"{cell:g}"


class Report:
    """Prints while it goes, and leaves the same in `directory`/report.txt."""

    def __init__(self, directory):
        self.directory = directory
        os.makedirs(directory, exist_ok=True)
        for name in DATA + (PICTURE,):  # of an earlier run, with other sections
            with contextlib.suppress(FileNotFoundError):
                os.unlink(os.path.join(directory, name))
        self._file = open(os.path.join(directory, "report.txt"), "w", encoding="utf-8")
        self._figures = []

    def say(self, text=""):
        print(text, flush=True)
        print(text, file=self._file, flush=True)

    def title(self, text):
        self.say(f"\n{text}\n{'=' * len(text)}\n")

    def table(self, head, rows):
        lines = [[str(cell) for cell in line] for line in [head] + rows]
        widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
        for line in lines:
            cells = [cell.ljust(width) if column == 0 else cell.rjust(width)
                     for column, (cell, width) in enumerate(zip(line, widths))]
            self.say("  ".join(cells).rstrip())
        self.say()

    def plot_data(self, name, head, rows):
        """A file for plot.gp."""
        with open(os.path.join(self.directory, name), "w", encoding="utf-8") as file:
            for line in [head] + rows:
                print("\t".join(_for_gnuplot(cell) for cell in line), file=file)

    def at_most(self, what, value, limit, form="{:.2f}"):
        self._figure(what, value <= limit, f"{form.format(value)}, at most {limit:g}")

    def at_least(self, what, value, limit, form="{:.2f}"):
        self._figure(what, value >= limit, f"{form.format(value)}, at least {limit:g}")

    def _figure(self, what, met, text):
        self._figures.append([what, text, "met" if met else "MISSED"])

    def figures(self):
        """All figures to reach, at the end."""
        self.title("Figures to reach")
        self.table(["figure", "measured, wanted", ""], self._figures)

    def plot(self, script):
        """Draws what there is to be drawn, by gnuplot."""
        if any(os.path.exists(os.path.join(self.directory, name)) for name in DATA):
            subprocess.run(["gnuplot", script], cwd=self.directory, check=True)
            self.say(f"Some of it as a picture: {os.path.join(self.directory, PICTURE)}")
