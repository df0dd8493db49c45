# SPDX-License-Identifier: BSD-3-Clause
"""A process of logins.c that waits for commands."""

import os
import subprocess


class Worker:
    """Starts it, and knows in `start_ns` how long libsasl2 took to start."""

    def __init__(self, command, sasl_path, configuration, rows, password, *floor):
        self.process = subprocess.Popen(
            [*command, configuration, str(rows), password, *floor], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True, env=dict(os.environ, SASL_PATH=sasl_path))
        self.start_ns = int(self._line())

    def _line(self):
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.process.args}: ended with status {self.process.wait()}")
        return line

    def command(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self._line().split()

    def warm(self, count):
        self.command(f"warm {count}")

    def run(self, count, threads=0):
        """Nanoseconds for each login."""
        time, = self.command(f"run {threads} {count}")
        return int(time) / (count * max(threads, 1))

    def alternate(self, count):
        """Nanoseconds of each login of an unknown user, and of a wrong password."""
        unknown, wrong = [], []
        for word in self.command(f"alternate {count}"):
            (unknown if word[0] == "u" else wrong).append(int(word[1:]))
        return unknown, wrong

    def enter(self, name):
        self.command(f"enter {name}")

    def refuse(self, count, names):
        """Nanoseconds of each refusal of each of these users."""
        times = {name: [] for name in names}
        for word in self.command(f"refuse {count} {' '.join(names)}"):
            name, time = word.split("=")
            times[name].append(int(time))
        return times

    def memory(self):
        """Private dirty memory in bytes."""
        return private_dirty(self.process.pid)

    def libraries(self):
        """The names of all mapped files."""
        with open(f"/proc/{self.process.pid}/maps", encoding="utf-8") as file:
            return {os.path.basename(line.split(maxsplit=5)[5].strip())
                    for line in file if "/" in line}

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()


def private_dirty(pid):
    """Of any process, in bytes. Raises OSError if it has ended."""
    with open(f"/proc/{pid}/smaps_rollup", encoding="utf-8") as file:
        for line in file:
            if line.startswith("Private_Dirty:"):
                return int(line.split()[1]) * 1024
    raise ProcessLookupError(f"process {pid} has no memory any more")
