#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""What fail2ban's stock filter finds in the log of an unmodified Postfix, and what it
finds with the lines that README adds: wrong passwords count, an outage does not.
fail2ban-regex reads the log. Nothing is banned, and no server runs."""

import os
import re
import shutil
import subprocess

import database
import postfix
import tap
from postfix import OUTAGE, WELCOME, WRONG, expect
from tap import case, contains, equal

STOCK = "/etc/fail2ban/filter.d"
README = os.path.join(os.path.dirname(__file__), "..", "..", "README")

MECHANISMS = ("PLAIN", "LOGIN")
ANN = ("ann@example.com", "Kaninchenbau-7")
# Names that look like the reason of an outage, or like another client's failed login,
# in a line that logs a name.
REASON = "remote authentication server unavailable"
STRANGER = "192.0.2.77"
NAMES = [ANN[0], "nobody@example.com", REASON, f"failed: {REASON}, sasl_username=",
         f"warning: unknown[127.0.0.1]: SASL PLAIN authentication failed: {REASON}",
         f"x[{STRANGER}]: SASL PLAIN authentication failed: x",
         f"warning: x[{STRANGER}]: SASL LOGIN authentication failed:"]

postfix.require()
if shutil.which("fail2ban-regex") is None or not os.path.exists(f"{STOCK}/postfix.conf"):
    tap.skip_all("fail2ban is not installed")
mail = postfix.Postfix()
table = database.Table(mail.path("users.sqlite"))
stock = tap.directory()
ours = tap.directory()


def configuration():
    return f"""\
pwcheck_method: auxprop
auxprop_plugin: sqlcrypt
mech_list: PLAIN LOGIN
password_format: crypt
sql_engine: sqlite3
sql_database: {table.path}
sql_select: SELECT password FROM mailbox WHERE username = '%u@%r'
"""


def of_readme():
    """The lines for postfix.local that README shows."""
    with open(README, encoding="utf-8") as file:
        (text,) = re.findall(r"^ +\[Definition\]\n(?: +\S.*\n)+", file.read(), re.MULTILINE)
    indent = len(text) - len(text.lstrip())
    return "".join(line[indent:] + "\n" for line in text.splitlines())


def make_filters():
    for directory in (stock, ours):
        os.mkdir(f"{directory}/filter.d")
        for name in ("common.conf", "postfix.conf"):
            shutil.copy(f"{STOCK}/{name}", f"{directory}/filter.d/{name}")
    with open(f"{ours}/filter.d/postfix.local", "w", encoding="utf-8") as file:
        file.write(of_readme())


def found(directory, mode):
    """The lines of this log that count, and those of them about AUTH. None of them
    counts against another client."""
    path = mail.path("now.log")
    with open(path, "w", encoding="utf-8", errors="surrogateescape") as file:
        file.write(mail.log())
    done = subprocess.run(["fail2ban-regex", "-c", directory, "-o", "msg", "--usedns", "no", path,
                           f"postfix[mode={mode}]"], capture_output=True, text=True, check=False,
                          env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"})
    equal(done.stderr, "", "errors of fail2ban-regex")
    equal(done.returncode, 0, f"status of fail2ban-regex: {done.stdout}")
    lines = done.stdout.splitlines()
    for line in lines:
        contains(line, "unknown[127.0.0.1]")
        if "SASL authentication" in line:
            raise AssertionError(f"this is not Postfix's own line: {line}")
    return lines, [line for line in lines if " authentication failed: " in line]


def of_postfix():
    """The lines that each stand for one login."""
    mail.settle()
    return re.findall(r"^\S+ \S+ \S+ \S+ \S+: warning: unknown\[127\.0\.0\.1\]: SASL .*", mail.log(),
                      re.MULTILINE)


def fail(want, names=(ANN[0],)):
    for name in names:
        for mechanism in MECHANISMS:
            expect(mail.login(mechanism, name, "not-the-password"), want, name)
    return len(names) * len(MECHANISMS)


class Away:
    """The database is down."""

    def __enter__(self):
        os.rename(table.path, table.path + ".away")

    def __exit__(self, *_):
        os.rename(table.path + ".away", table.path)


@case("README's lines and the stock filter are there")
def _():
    make_filters()
    contains(of_readme(), "ignoreregex")
    table.add("ann", database.crypt(ANN[1]))


@case("an outage: the stock filter counts it, with our lines it does not")
def _():
    mail.start(configuration())
    with Away():
        number = fail(OUTAGE, NAMES)
        for mechanism in MECHANISMS:
            expect(mail.login(mechanism, *ANN), OUTAGE)
            number += 1
    equal(len(of_postfix()), number)
    for mode in ("auth", "extra", "aggressive"):
        equal(len(found(stock, mode)[1]), number, f"lines that count by mode={mode}")
        equal(found(ours, mode)[1], [], f"lines that count by mode={mode}")
    equal(found(ours, "auth")[0], [])


@case("wrong passwords: both count each, whatever the name")
def _():
    mail.start(configuration())
    number = fail(WRONG, NAMES)
    equal(len(of_postfix()), number)
    for mode in ("auth", "extra", "aggressive"):
        for directory in (stock, ours):
            equal(len(found(directory, mode)[1]), number, f"lines that count by mode={mode}")
    equal(len(found(ours, "auth")[0]), number)


@case("both in one log, and right passwords: our lines keep them apart")
def _():
    mail.start(configuration())
    number = fail(WRONG)
    with Away():
        fail(OUTAGE)
    number += fail(WRONG)
    for mechanism in MECHANISMS:
        expect(mail.login(mechanism, *ANN), WELCOME)
    _, lines = found(ours, "auth")
    equal(len(lines), number)
    for line in lines:
        contains(line, "authentication failed: authentication failure")
    equal(len(found(stock, "auth")[1]), number + len(MECHANISMS))


@case("a database that cannot be reached, and a plug-in that cannot be used")
def _():
    for text in (configuration().replace("sqlite3", "pgsql").replace(
            table.path, "mail\nsql_hostnames: 127.0.0.1:1"),
                 configuration().replace("'%u@%r'", "'%u")):
        mail.start(text)
        number = fail(OUTAGE)
        equal(len(found(stock, "auth")[1]), number)
        equal(found(ours, "auth")[0], [])


@case("the modes ddos and aggressive count the end of a session, which does not say why")
def _():
    mail.start(configuration())
    with Away():
        number = fail(OUTAGE)
    mail.settle()
    for mode in ("ddos", "aggressive"):
        lines, _ = found(ours, mode)
        equal(len([line for line in lines if "disconnect from" in line]), number, mode)


tap.run(mail.close)
