#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""An unmodified Exim with its driver cyrus_sasl, and PostgreSQL, as
sasl2-conf-examples/exim-pgsql.conf has them."""

import itertools
import os
import re

import database
import examples
import guard
import servers
import smtp
import tap
import unpacked
from daemon import free_port
from tap import case, contains, equal, lacks

unpacked.require()
servers.require(servers.Postgres)

PASSWORD = guard.keep("Einhorn-im-Garten-5")
WRONG_PASSWORD = guard.keep("Zweihorn-im-Garten-6")
EXAMPLE = examples.read("exim-pgsql.conf")
AUTHENTICATORS = examples.printed_lines(EXAMPLE, "In Exim's configuration; server_realm is what %r"
                                        " stands for if the login has no @:")

MAIN = """\
primary_hostname = mail.example.com
spool_directory = {spool}
log_file_path = {logs}/%slog
keep_environment =
local_interfaces = 127.0.0.1
daemon_smtp_ports = {port}
tls_advertise_hosts =
acl_smtp_rcpt = recipient
smtp_accept_max = 100
begin acl
recipient:
  accept authenticated = *
  deny message = log in first
"""

WELCOME, WRONG, OUTAGE = "235 ", "535 ", "435 "
USER = "Debian-exim"


class Exim(unpacked.Server):
    program = "exim4"
    packages = ("exim4-daemon-heavy",)
    number = 64321  # of its user

    def __init__(self):
        super().__init__()
        self.port = free_port()
        self.add_user(USER, self.number)
        self.spool = self.folder("spool", self.number)
        self.logs = self.folder("logs", self.number)

    def start(self, configuration, group=number):
        self.stop()
        for name in os.listdir(self.logs):
            os.unlink(os.path.join(self.logs, name))
        self.configure("/etc/sasl2/exim.conf", configuration, 0o640, group=group)
        self.configure("/etc/exim4/exim4.conf", MAIN.format(
            spool=self.spool, logs=self.logs, port=self.port) + AUTHENTICATORS)
        self.launch(["exim4", "-bdf"], "daemon started")

    def log(self):
        text = super().log()
        for name in os.listdir(self.logs):
            with open(os.path.join(self.logs, name), encoding="utf-8") as file:
                text += file.read()
        return text

    def login(self, mechanism, user, password):
        """The reply. Only users who have logged in may send mail to other domains."""
        with smtp.Session(self.port) as session:
            equal(smtp.mechanisms(session.ehlo()), ["PLAIN", "LOGIN"])
            reply = session.auth(mechanism, user, password)
            session.command("MAIL FROM:<ann@example.com>")
            equal(session.command("RCPT TO:<bob@example.net>")[:4],
                  "250 " if reply.startswith(WELCOME) else "550 ", "reply to RCPT after " + reply)
            return reply


exim = Exim()
host = servers.Postgres(exim.directory)
host.user, host.database = "exim", "mail"


def configuration(**values):
    return examples.with_options(EXAMPLE, sql_hostnames=host.address,
                                 sql_passwd=host.password, **values)


def expect(mechanism, user, password, want):
    reply = exim.login(mechanism, user, password)
    if not reply.startswith(want):
        raise AssertionError(f"{mechanism} {user}: got {reply!r}, want {want!r}")


@case("it starts with the example")
def _():
    host.start()
    host.create_user()
    host.run("CREATE DATABASE mail", database=host.system_database)
    host.run(examples.printed_table(EXAMPLE))
    host.run("GRANT SELECT ON users TO exim")
    host.run("INSERT INTO users VALUES ('ann', 'example.com', ?), ('bob', 'example.com', ?)",
             database.crypt(PASSWORD, "$6$", 1000), database.crypt(PASSWORD, "$2b$", 4))
    exim.start(configuration())


@case("passwords, right and wrong, and an unknown user")
def _():
    stored = host.run("SELECT password FROM users WHERE name = 'ann'")[0][0]
    for mechanism in ("PLAIN", "LOGIN"):
        for user in ("ann", "ann@example.com", "bob"):
            expect(mechanism, user, PASSWORD, WELCOME)
            expect(mechanism, user, WRONG_PASSWORD, WRONG)
        for user, password in (("nobody-knows-me", PASSWORD), ("ann@example.net", PASSWORD),
                               ("ann", stored)):
            expect(mechanism, user, password, WRONG)
        contains(exim.log(), f'{mechanism}: user "ann": wrong password')
        contains(exim.log(), f'{mechanism}: user "nobody-knows-me": no such user')
    equal(unpacked.smtplib_login(exim.port, "ann", PASSWORD), 235)
    equal(unpacked.smtplib_login(exim.port, "ann", WRONG_PASSWORD), 535)


@case("twenty logins at once")
def _():
    logins = unpacked.twenty(*itertools.product(
        ("PLAIN", "LOGIN"), (("ann", PASSWORD, WELCOME), ("ann", WRONG_PASSWORD, WRONG),
                             ("bob", PASSWORD, WELCOME), ("nobody-knows-me", PASSWORD, WRONG))))
    unpacked.at_once(lambda login: expect(login[0], *login[1]), logins)


@case("the database is away: 435, and the log says which")
def _():
    lacks(exim.log(), "Unable to authenticate at present")
    host.stop()
    for mechanism in ("PLAIN", "LOGIN"):
        expect(mechanism, "ann", PASSWORD, OUTAGE)
        expect(mechanism, "ann", WRONG_PASSWORD, OUTAGE)
    equal(unpacked.smtplib_login(exim.port, "ann", PASSWORD), 435)
    contains(exim.log(), f"sqlcrypt: pgsql: {host.address}: ")
    contains(exim.log(), "Unable to authenticate at present")
    host.start()
    expect("PLAIN", "ann", PASSWORD, WELCOME)


@case("the database hangs: 435 when sql_timeout is over")
def _():
    exim.start(configuration() + "sql_timeout: 1\n")
    host.freeze()
    try:
        for mechanism in ("PLAIN", "LOGIN"):
            expect(mechanism, "ann", PASSWORD, OUTAGE)
    finally:
        host.thaw()
    expect("LOGIN", "ann", PASSWORD, WELCOME)


@case("without log_level, the log has errors but not why logins are refused")
def _():
    exim.start(re.sub(r"(?m)^log_level: .*\n", "", configuration()))
    expect("PLAIN", "ann", WRONG_PASSWORD, WRONG)
    lacks(exim.log(), "wrong password")
    exim.start(configuration(log_level="5"))
    expect("PLAIN", "ann", PASSWORD, WELCOME)
    contains(exim.log(), 'PLAIN: user "ann"')


@case("a file that its user may not read is as good as none")
def _():
    exim.start(configuration(), group=0)
    for mechanism in ("PLAIN", "LOGIN"):
        expect(mechanism, "ann", PASSWORD, WRONG)
    lacks(exim.log(), "exim.conf")
    lacks(exim.log(), "sqlcrypt:")


@case("a mechanism that mech_list lacks")
def _():
    exim.start(configuration(mech_list="PLAIN"))
    expect("PLAIN", "ann", PASSWORD, WELCOME)
    expect("LOGIN", "ann", PASSWORD, WRONG)


tap.run(exim.stop, host.stop)
