#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""An unmodified sendmail and a SQLite table, as in
sasl2-conf-examples/sendmail-sqlite.conf."""

import itertools
import os
import re
import socket
import sqlite3

import database
import examples
import guard
import plugins
import smtp
import tap
import unpacked
from daemon import free_port
from tap import case, contains, equal, lacks

unpacked.require()

PASSWORD = guard.keep("Elster-auf-dem-Dach-7")
WRONG_PASSWORD = guard.keep("Elster-auf-dem-Baum-8")
EXAMPLE = examples.read("sendmail-sqlite.conf")
OPTIONS = examples.printed_lines(EXAMPLE, "In sendmail.mc; AuthRealm is what %r stands for if the"
                                 " login has no @:")

SENDMAIL_MC = """\
divert(-1)
include(`/usr/share/sendmail/cf/m4/cf.m4')
divert(0)dnl
OSTYPE(`debian')dnl
FEATURE(`no_default_msa')dnl
FEATURE(`accept_unresolvable_domains')dnl
FEATURE(`nocanonify')dnl
define(`confDOMAIN_NAME', `mail.example.com')dnl
define(`confSERVICE_SWITCH_FILE', `/etc/mail/service.switch-nodns')dnl
define(`confREFUSE_LA', `1000')dnl
define(`confPID_FILE', `{home}/pid')dnl
define(`QUEUE_DIR', `{home}/queue')dnl
define(`confHOST_STATUS_DIRECTORY', `{home}/hosts')dnl
define(`STATUS_FILE', `{home}/status')dnl
DAEMON_OPTIONS(`Name=MSA, Addr=127.0.0.1, Port={port}, M=Ea')dnl
{options}
MAILER(`smtp')dnl
"""
HOSTS = f"127.0.0.1 localhost\n127.0.1.1 mail.example.com {socket.gethostname()}\n"

WELCOME = "235 2.0.0 OK Authenticated"
REFUSED = "535 5.7.0 authentication failed"


class Sendmail(unpacked.Server):
    program = "sendmail"
    packages = ("sendmail-bin", "sendmail-cf")
    number = 64323  # of its user

    def __init__(self):
        super().__init__()
        self.port = free_port()
        self.add_user("smmta", self.number)
        self.add_user("smmsp", self.number + 1)
        for name in ("queue", "hosts"):
            self.folder(name, self.number)
        self.configure("/etc/hosts", HOSTS)
        self.configure("/etc/mail/sendmail.mc", SENDMAIL_MC.format(
            home=self.home, port=self.port, options=OPTIONS))
        status, output = self.run("m4", "/etc/mail/sendmail.mc")
        equal(status, 0, output)
        self.configure("/etc/mail/sendmail.cf", output)

    def start(self, configuration, mode=0o640, owner=0):
        self.stop()
        self.configure("/etc/sasl2/Sendmail.conf", configuration, mode, owner, owner)
        self.run_daemon()

    def run_daemon(self):
        self.launch(["/usr/libexec/sendmail/sendmail", "-bD"], "starting daemon")
        self.wait_for_port(self.port)

    def login(self, mechanism, user, password):
        """The reply. Only users who have logged in may send mail."""
        with smtp.Session(self.port) as session:
            equal(smtp.mechanisms(session.ehlo()), ["PLAIN", "LOGIN"])
            reply = session.auth(mechanism, user, password)
            equal(session.command("MAIL FROM:<ann@example.com>")[:4],
                  "250 " if reply == WELCOME else "530 ", "reply to MAIL after " + reply)
            return reply


sendmail = Sendmail()
path = sendmail.path("users.db")


def configuration(**values):
    return examples.with_options(EXAMPLE, sql_database=path, **values)


def expect(mechanism, user, password, want):
    equal(sendmail.login(mechanism, user, password), want, f"{mechanism} {user}")


@case("it starts with the example")
def _():
    connection = sqlite3.connect(path)
    with connection:
        connection.execute(examples.printed_table(EXAMPLE))
        for user, prefix, cost in (("ann", "$6$", 1000), ("bob", "$2b$", 4)):
            connection.execute("INSERT INTO users VALUES (?, 'example.com', ?)",
                               (user, database.crypt(PASSWORD, prefix, cost)))
    connection.close()
    os.chmod(path, 0o600)
    sendmail.start(configuration())


@case("passwords, right and wrong, and an unknown user")
def _():
    connection = sqlite3.connect(path)
    stored = connection.execute("SELECT password FROM users WHERE name = 'ann'").fetchone()[0]
    connection.close()
    for mechanism in ("PLAIN", "LOGIN"):
        for user in ("ann", "ann@example.com", "bob"):
            expect(mechanism, user, PASSWORD, WELCOME)
            expect(mechanism, user, WRONG_PASSWORD, REFUSED)
        for user, password in (("nobody-knows-me", PASSWORD), ("ann@example.net", PASSWORD),
                               ("ann", stored)):
            expect(mechanism, user, password, REFUSED)
        contains(sendmail.log(), f'{mechanism}: user "ann": wrong password')
        contains(sendmail.log(), f'{mechanism}: user "nobody-knows-me": no such user')
    equal(unpacked.smtplib_login(sendmail.port, "ann", PASSWORD), 235)
    equal(unpacked.smtplib_login(sendmail.port, "ann", WRONG_PASSWORD), 535)


@case("twenty logins at once")
def _():
    logins = unpacked.twenty(*itertools.product(
        ("PLAIN", "LOGIN"), (("ann", PASSWORD, WELCOME), ("ann", WRONG_PASSWORD, REFUSED),
                             ("bob", PASSWORD, WELCOME), ("nobody-knows-me", PASSWORD, REFUSED))))
    unpacked.at_once(lambda login: expect(login[0], *login[1]), logins)


@case("the database is away: 535 as well, but the log tells")
def _():
    lacks(sendmail.log(), "unavailable")
    os.rename(path, path + ".away")
    for mechanism in ("PLAIN", "LOGIN"):
        expect(mechanism, "ann", PASSWORD, REFUSED)
        expect(mechanism, "ann", WRONG_PASSWORD, REFUSED)
        contains(sendmail.log(),
                 f"AUTH failure ({mechanism}): remote authentication server unavailable")
    contains(sendmail.log(), f"sqlcrypt: sqlite3: {path}: No such file or directory")
    os.rename(path + ".away", path)
    expect("PLAIN", "ann", PASSWORD, WELCOME)


@case("the database is locked: an answer when sql_timeout is over")
def _():
    sendmail.start(configuration() + "sql_timeout: 1\n")
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("BEGIN EXCLUSIVE")
    try:
        expect("PLAIN", "ann", PASSWORD, REFUSED)
    finally:
        connection.close()
    contains(sendmail.log(), "AUTH failure (PLAIN): remote authentication server unavailable")
    expect("PLAIN", "ann", PASSWORD, WELCOME)


@case("without log_level, the log has errors but not why logins are refused")
def _():
    sendmail.start(re.sub(r"(?m)^log_level: .*\n", "", configuration()))
    expect("PLAIN", "ann", WRONG_PASSWORD, REFUSED)
    contains(sendmail.log(), "AUTH failure (PLAIN): authentication failure")
    lacks(sendmail.log(), "wrong password")


def refuses(path, why):
    """sendmail says that it does not read this file, and accepts no password."""
    expect("PLAIN", "ann", PASSWORD, REFUSED)
    contains(sendmail.log(), f"error: safesasl({path}) failed: {why}")


@case("a file that is not of root, or that others may write, is as good as none")
def _():
    sendmail.start(configuration(), 0o640, sendmail.number)
    refuses("/etc/sasl2/Sendmail.conf", "Permission denied")
    sendmail.start(configuration(), 0o646)
    refuses("/etc/sasl2/Sendmail.conf", "World writable file")


@case("so is a plug-in that others may write")
def _():
    plugin = plugins.installed_stock() + "/libpwverify.so"
    os.chmod(sendmail.root + plugin, 0o646)
    sendmail.start(configuration())
    refuses(plugin, "World writable file")
    os.chmod(sendmail.root + plugin, 0o644)


@case("so is a link to a file of smmta")
def _():
    sendmail.stop()
    os.unlink(sendmail.root + "/etc/sasl2/Sendmail.conf")
    real, link = "/etc/mail/sasl/Sendmail.conf.2", "/usr/lib/sasl2/Sendmail.conf"
    sendmail.configure(real, configuration(), 0o640, sendmail.number, sendmail.number + 1)
    os.makedirs(os.path.dirname(sendmail.root + link), exist_ok=True)
    os.symlink(real, sendmail.root + link)
    sendmail.run_daemon()
    refuses(link, "Permission denied")


tap.run(sendmail.stop)
