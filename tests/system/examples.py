# SPDX-License-Identifier: BSD-3-Clause
"""The configurations in sasl2-conf-examples, and what their comments print."""

import os
import re

from tap import equal

_TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
EXAMPLES = os.path.join(_TOP, "sasl2-conf-examples")
MANUAL = os.path.join(_TOP, "man", "sqlcrypt.5")


def read(name):
    with open(os.path.join(EXAMPLES, name), encoding="utf-8") as file:
        return file.read()


def printed_table(example):
    """The CREATE TABLE of its comment."""
    comment = " ".join(re.findall(r"^# ?(.*)$", example, re.MULTILINE))
    return re.search(r"CREATE TABLE .*?;", comment).group(0)


def printed_lines(example, title):
    """The indented lines that follow this line of its comment."""
    comment = [line[2:] for line in example.splitlines() if line.startswith("#")]
    lines = []
    for line in comment[comment.index(title) + 1:]:
        if not line.startswith("  "):
            break
        lines.append(line[2:] + "\n")
    return "".join(lines)


def with_options(example, **options):
    """The example with other values for options that it has."""
    for name, value in options.items():
        example, count = re.subn(rf"(?m)^{name}: .*$", f"{name}: {value}", example)
        equal(count, 1, f"lines with {name}")
    return example
