#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Configurations that were written for the stock sql plug-in or for old patches to
libsasl2, with password_format added or kept: passwords log in, hashes do not log in by
any mechanism, with or without the stock plug-in."""

import os

import database
import plugins
import postfix
import tap
from postfix import OUTAGE, WELCOME, WRONG, expect
from tap import case, contains, equal

PASSWORD = "Kaninchenbau-7"
BY_PASSWORD = ("PLAIN", "LOGIN")
BY_CHALLENGE = ("CRAM-MD5", "DIGEST-MD5")

OLD = """\
pwcheck_method: auxprop
mech_list: PLAIN LOGIN CRAM-MD5 DIGEST-MD5
password_format: crypt
sql_engine: {engine}
sql_database: {database}
sql_select: SELECT password FROM mailbox WHERE local_part='%u' AND domain='%r'
"""

postfix.require()
plugins.require_drivers("sqlite3")
server = postfix.Postfix()
with_stock = server.sasl_path
table = database.Table(server.path("users.sqlite"))
USERS = {"yescrypt": ("$y$", 1), "des": ("", 0), "sha512": ("$6$", 1000)}
for user, (prefix, cost) in USERS.items():
    table.add(user, database.crypt(PASSWORD, prefix, cost))


def without_stock_sql():
    """A folder with the stock plug-ins except that one."""
    path = server.path("no-sql")
    if not os.path.isdir(path):
        os.mkdir(path)
        stock = plugins.stock(server.directory)
        for name in os.listdir(stock):
            if name != "libsql.so":
                os.symlink(os.path.join(stock, name), os.path.join(path, name))
    return plugins.under_test() + ":" + path


def stock_last():
    return ":".join(reversed(with_stock.split(":")))


def check(configuration, sasl_path):
    server.sasl_path = sasl_path
    server.start(configuration, smtpd_sasl_local_domain="example.com")
    for name in USERS:
        for mechanism in BY_PASSWORD:
            expect(server.login(mechanism, name, PASSWORD), WELCOME, f"{name} {mechanism}")
            expect(server.login(mechanism, name, "not-the-password"), WRONG)
        stored = table.stored(name)[0]
        for mechanism in BY_PASSWORD:
            expect(server.login(mechanism, name, stored), WRONG, f"{name} {mechanism}")
        for mechanism in BY_CHALLENGE:
            # A sasldb that cannot be opened makes an outage of it.
            reply = server.login(mechanism, name, stored)
            expect(reply, WRONG if reply.startswith("5") else OUTAGE, f"{name} {mechanism}")
    for mechanism in BY_PASSWORD:
        expect(server.login(mechanism, "nobody-knows-me", PASSWORD), WRONG, mechanism)
    # For CRAM-MD5 and similar mechanisms, the log says once that they cannot use hashes.
    equal([line for line in postfix.problems(server.lines())
           if "Berkeley" not in line and "this program compares clear text" not in line], [],
          "problems in the log")
    server.stop()


PLUGIN_LINES = {
    "sql": "auxprop_plugin: sql\n",
    "sql among others": "auxprop_plugin: sasldb sql\nsasldb_path: /nonexistent\n",
    "the engine": "auxprop_plugin: {engine}\n",
    "none": "",
}
PATHS = {"no stock plug-in": without_stock_sql, "the stock plug-in behind": lambda: with_stock,
         "the stock plug-in in front": stock_last}

for label, line in PLUGIN_LINES.items():
    for engine in ("sqlite3", "sqlite"):
        text = (line + OLD).format(engine=engine, database=table.path)
        for place, path in PATHS.items():
            if engine == "sqlite3" or place == "no stock plug-in":
                case(f"auxprop_plugin: {label}, {engine}, {place}",
                     lambda text=text, path=path: check(text, path()))


@case("a name that no plug-in has is named in the log, and a sql_select that is not set")
def _():
    text = OLD.format(engine="sqlite3", database=table.path)
    nothing_to_select = text[:text.index("sql_select")]
    server.sasl_path = without_stock_sql()
    for name, configuration, hint in (("sqlcrpyt", text, False), ("postgres", text, False),
                                      ("pgsql", text, False),
                                      ("sqlcrypt", nothing_to_select, True),
                                      ("sqlcrypt", nothing_to_select + "sql_select: dummy\n", True)):
        server.start(f"auxprop_plugin: {name}\n" + configuration)
        for mechanism in BY_PASSWORD:
            server.lines()
            expect(server.login(mechanism, "des", PASSWORD), OUTAGE, name)
            lines = postfix.problems(server.lines())
            equal(len(lines), 1, f"number of {lines}")
            contains(lines[0], f'auxprop_plugin: "{name}": no such plug-in')
            equal("sqlcrypt needs a sql_select" in lines[0], hint, f"a hint in {lines[0]}")


tap.run(server.close)
