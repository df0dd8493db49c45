#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""An unmodified Cyrus IMAP: IMAP, POP3 and ManageSieve with their own clients, and
MariaDB, as sasl2-conf-examples/cyrus-imapd-mysql.conf has them."""

import imaplib
import itertools
import re

import authdaemond
import database
import examples
import guard
import saslauthd
import servers
import tap
import unpacked
from daemon import free_port
from tap import case, contains, equal, lacks

unpacked.require()
servers.require(servers.MariaDB)
authdaemond.require()
if saslauthd.why_not() is not None:
    tap.skip_all(saslauthd.why_not())

PASSWORD = guard.keep("Ahorn-im-Herbst-3")
WRONG_PASSWORD = guard.keep("Ahorn-im-Winter-4")
EXAMPLE = examples.read("cyrus-imapd-mysql.conf")
PROGRAMS = "/usr/lib/cyrus/bin/"

IMAPD = """\
configdirectory: {home}/config
proc_path: {home}/config/proc
mboxname_lockpath: {home}/config/lock
defaultpartition: default
partition-default: {home}/mail
sievedir: {home}/sieve
autocreate_quota: 0
autocreate_users: anyone
allowplaintext: yes
failedloginpause: 0
syslog_prefix: cyrus
"""
MASTER = """\
START {{
    recover cmd="ctl_cyrusdb -r"
}}
SERVICES {{
    imap cmd="imapd" listen="127.0.0.1:{imap}" prefork=0 maxchild=50
    pop3 cmd="pop3d" listen="127.0.0.1:{pop3}" prefork=0 maxchild=50
    sieve cmd="timsieved" listen="127.0.0.1:{sieve}" prefork=0 maxchild=50
}}
EVENTS {{
}}
"""

# For each protocol: its client, and the answers to a good password, to a wrong one, and
# to any while the database is away.
PROTOCOLS = {
    "imap": ("imtest", "A01 OK ", "A01 NO authentication failure",
             "A01 NO remote authentication server unavailable"),
    "pop3": ("pop3test", "+OK Mailbox locked and ready",
             "-ERR [AUTH] authenticating: authentication failure",
             "-ERR [AUTH] authenticating: remote authentication server unavailable"),
    "sieve": ("sivtest", "OK", 'NO "Authentication Error"', 'NO "Authentication Error"'),
}
WELCOME, WRONG, OUTAGE = 1, 2, 3


class Cyrus(unpacked.Server):
    program = "cyrus"
    packages = ("cyrus-imapd", "cyrus-pop3d", "cyrus-common", "cyrus-clients")
    number = 64322  # of its user

    def __init__(self):
        super().__init__()
        self.add_user("cyrus", self.number)
        self.ports = {name: free_port() for name in PROTOCOLS}
        for name in ("config", "config/socket", "config/proc", "config/lock", "config/db", "mail",
                     "sieve"):
            self.folder(name, self.number)
        self.configure("/etc/cyrus.conf", MASTER.format(**self.ports))

    def start(self, lines):
        self.stop()
        self.configure("/etc/imapd.conf", IMAPD.format(home=self.home) + lines, 0o640,
                       group=self.number)
        self.launch([PROGRAMS + "master", "-p", self.path("pid")], "done recovering")
        for port in self.ports.values():
            self.wait_for_port(port)

    def login(self, protocol, mechanism, user, password):
        """The server's last answer. For "login" and "user", imtest and pop3test send
        the commands that do not use a mechanism."""
        if (protocol, mechanism) == ("imap", "LOGIN"):
            return self._imap_login(user, password)
        _, output = self.run(PROGRAMS + PROTOCOLS[protocol][0], "-m", mechanism, "-a", user,
                             "-u", user, "-w", guard.keep(password),
                             "-p", str(self.ports[protocol]), "127.0.0.1")
        dialogue, verdict, _ = re.split(r"(Authenticated|Authentication failed)\b", output)
        reply = re.findall(r"(?m)^S: (.*)$", dialogue)[-1]
        equal(verdict == "Authenticated", reply.startswith(("A01 OK", "L01 OK", "+OK", "OK")),
              f"success at {reply!r}")
        return reply

    def _imap_login(self, user, password):
        """The mechanism LOGIN, which imtest does not know."""
        answers = [user.encode(), guard.keep(password).encode()]
        with imaplib.IMAP4("127.0.0.1", self.ports["imap"]) as client:
            try:
                client.authenticate("LOGIN", lambda question: answers.pop(0))
            except client.error as error:
                return f"A01 NO {error}"
            return "A01 OK "


cyrus = Cyrus()
host = servers.MariaDB(cyrus.directory)
host.user, host.database = "cyrus", "mail"
courier = authdaemond.Authdaemond()
asked = []


def configuration(**values):
    return examples.with_options(EXAMPLE, sasl_sql_hostnames=host.address,
                                 sasl_sql_passwd=host.password, **values)


def expect(protocol, mechanism, user, password, want):
    reply = cyrus.login(protocol, mechanism, user, password)
    if not reply.startswith(PROTOCOLS[protocol][want]):
        raise AssertionError(f"{protocol} {mechanism} {user}: got {reply!r},"
                             f" want {PROTOCOLS[protocol][want]!r}")


@case("it starts with the example")
def _():
    host.start()
    host.create_user()
    host.run("CREATE DATABASE mail", database=host.system_database)
    host.run(examples.printed_table(EXAMPLE))
    host.run("GRANT SELECT ON users TO cyrus")
    for name, realm in [("ann", "example.com"), ("bob", "example.net")] + \
            [(f"user{number}", "example.com") for number in range(20)]:
        host.run("INSERT INTO users VALUES (?, ?, ?)", name, realm,
                 database.crypt(PASSWORD, "$6$", 1000))
    cyrus.start(configuration())


def check_passwords(protocol):
    stored = host.run("SELECT password FROM users WHERE name = 'ann'")[0][0]
    for mechanism in ("PLAIN", "LOGIN"):
        for user in ("ann", "ann@example.com", "bob@example.net"):
            expect(protocol, mechanism, user, PASSWORD, WELCOME)
        expect(protocol, mechanism, "ann", WRONG_PASSWORD, WRONG)
        for user in ("nobody-knows-me", "bob"):
            expect(protocol, mechanism, user, PASSWORD, WRONG)
        expect(protocol, mechanism, "ann", stored, WRONG)
        contains(cyrus.log(), f'{mechanism}: user "nobody-knows-me": no such user')
    found = re.findall(rf'cyrus/{protocol}\[\d+\]: .*PLAIN: user "ann": wrong', cyrus.log())
    equal(len(found), 2, "lines that tell why")


for name in PROTOCOLS:
    case(f"{name}: passwords, right and wrong, and unknown users", check_passwords, name)


@case("twenty logins at once")
def _():
    # By POP3, a mailbox has one reader at a time; for ManageSieve, it must be there.
    kinds = itertools.product(PROTOCOLS, ("PLAIN", "LOGIN"),
                              ((PASSWORD, WELCOME), (WRONG_PASSWORD, WRONG)))
    logins = [(protocol, mechanism, "ann" if protocol == "sieve" else f"user{number}", *rest)
              for number, (protocol, mechanism, rest) in enumerate(unpacked.twenty(*kinds))]
    unpacked.at_once(lambda login: expect(*login), logins)


@case("the database is away: neither a good nor a wrong password")
def _():
    lacks(cyrus.log(), "unavailable")
    host.stop()
    for protocol, password in itertools.product(PROTOCOLS, (PASSWORD, WRONG_PASSWORD)):
        expect(protocol, "PLAIN", "ann", password, OUTAGE)
        expect(protocol, "LOGIN", "ann", password, OUTAGE)
    for protocol in PROTOCOLS:
        equal(re.search(rf"cyrus/{protocol}\[\d+\]: (SASL )?sqlcrypt: mysql: {host.address}: ",
                        cyrus.log()) is not None, True, f"{protocol} logs which")
        equal(re.search(rf"cyrus/{protocol}\[\d+\]: badlogin: .*server unavailable",
                        cyrus.log()) is not None, True, f"{protocol} logs what")
    host.start()
    for protocol in PROTOCOLS:
        expect(protocol, "PLAIN", "ann", PASSWORD, WELCOME)


@case("the database hangs: the answer comes when sql_timeout is over")
def _():
    cyrus.start(configuration() + "sasl_sql_timeout: 1\n")
    host.freeze()
    try:
        unpacked.at_once(lambda protocol: expect(protocol, "PLAIN", "ann", PASSWORD, OUTAGE),
                         list(PROTOCOLS))
    finally:
        host.thaw()
    expect("imap", "PLAIN", "ann", PASSWORD, WELCOME)


def check_without_sasl(want):
    """The commands that do not use a mechanism."""
    for protocol, command, user, good, bad in (
            ("imap", "login", "user1", "L01 OK ", "L01 NO Login failed: authentication failure"),
            ("pop3", "user", "user2", "+OK Mailbox locked and ready", "-ERR [AUTH] Invalid login")):
        reply = cyrus.login(protocol, command, user, PASSWORD)
        equal(reply.startswith(good if want == WELCOME else bad), True, f"{command}: {reply!r}")
        equal(cyrus.login(protocol, command, user, WRONG_PASSWORD), bad)


@case("IMAP LOGIN and POP3 USER find no clear text")
def _():
    check_without_sasl(WRONG)
    contains(cyrus.log(), "user not found: checkpass failed")


@case("they ask saslauthd, mechanisms the table first")
def _():
    daemon = saslauthd.Saslauthd(cyrus.directory, {
        name: database.crypt(PASSWORD, "$6$", 1000) for name in ("user1", "user2")})
    asked.append(daemon)
    daemon.start()
    cyrus.start(configuration(sasl_pwcheck_method="auxprop saslauthd")
                + f"sasl_saslauthd_path: {daemon.mux}\n")
    check_without_sasl(WELCOME)
    expect("imap", "PLAIN", "ann", PASSWORD, WELCOME)
    expect("imap", "PLAIN", "ann", WRONG_PASSWORD, WRONG)


@case("they ask authdaemond, as mechanisms do")
def _():
    for name in ("user1", "user2"):
        courier.add(name, PASSWORD)
    courier.publish()
    courier.start()
    lines = re.sub(r"(?m)^sasl_(sql|auxprop).*\n", "", EXAMPLE)
    cyrus.start(examples.with_options(lines, sasl_pwcheck_method="authdaemond")
                + f"sasl_authdaemond_path: {courier.socket}\n")
    check_without_sasl(WELCOME)
    expect("imap", "PLAIN", "user1", PASSWORD, WELCOME)
    expect("imap", "PLAIN", "user1", WRONG_PASSWORD, WRONG)


def stop():
    cyrus.stop()
    host.stop()
    courier.stop()
    for daemon in asked:
        daemon.stop()


tap.run(stop)
