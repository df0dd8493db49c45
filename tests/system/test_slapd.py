#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""An unmodified slapd with sasl2-conf-examples/slapd-pgsql.conf: SASL binds by many
clients at once, which threads serve, and what clients are told while the database is
down."""

import os
import re

import certificates
import guard
import logins
import plugins
import servers
import slapd
import tap
from examples import printed_lines, printed_table, read, with_options
from logins import NOT_THE_PASSWORD, OUTAGE, PASSWORDS, RIGHT, WRONG
from tap import case, contains, equal

slapd.require()
plugins.require_drivers("pgsql")
servers.require(servers.Postgres)

EXAMPLE = read("slapd-pgsql.conf")
LINES = printed_lines(EXAMPLE,
                      "slapd does not read auxprop_plugin from here. In its own slapd.conf:")

host = servers.Postgres()
host.user, host.database = "slapd", "directory"
authority = certificates.Authority(host.directory)
server = slapd.Slapd(*authority.issue("localhost", slapd.Slapd.owner, ["IP:127.0.0.1"]),
                     authority.certificate)
users = None
HAS_SCRAM = os.path.exists(os.path.join(plugins.stock(server.directory), "libscram.so"))
OFFERED = ["PLAIN"] + ["SCRAM-SHA-256"] * HAS_SCRAM


def configuration():
    """The example, with a short timeout."""
    return with_options(EXAMPLE, sql_hostnames=host.address,
                        sql_passwd=host.password) + "sql_timeout: 1\n" + logins.CHEAP


def auxprops(value):
    """The printed lines with another value of sasl-auxprops, or without that line."""
    printed = "sasl-auxprops sqlcrypt\n"
    contains(LINES, printed)
    return LINES.replace(printed, f"sasl-auxprops {value}\n" if value else "")


def offered(address=None):
    """The mechanisms that slapd offers."""
    printed = server.search("-x", "-b", "", "-s", "base", "supportedSASLMechanisms",
                            address=address)
    return re.findall(r"^supportedSASLMechanisms: (.*)$", printed, re.MULTILINE)


@case("it starts, and offers what mech_list says")
def _():
    global users
    users = logins.ServerUsers(host, printed_table(EXAMPLE))
    server.start(configuration(), LINES)
    equal(offered(), OFFERED)


@case("the right password is accepted, and another refused")
def _():
    logins.check(server.login, users.hashes)
    contains(server.log(), 'PLAIN: user "ann": wrong password; looked for %u "ann" and %r '
                           '"example.com"')
    contains(server.log(), 'PLAIN: user "nobody-knows-me": no such user')


@case("who has logged in is the entry of authz-regexp, and may read what that one may")
def _():
    equal(server.bind("ann", PASSWORDS["ann"]), (0, "uid=ann,ou=people,dc=example,dc=com"))
    search = ("-O", "none", "-Q", "-Y", "PLAIN", "-U", "ann", "-b", slapd.SUFFIX, "ou")
    contains(server.search("-w", PASSWORDS["ann"], *search), "ou: people")
    equal(server.search("-w", NOT_THE_PASSWORD, *search)[0], slapd.INVALID_CREDENTIALS)


@case("SCRAM-SHA-256, with a verifier and without")
def _():
    if not HAS_SCRAM:
        raise tap.Skip("libsasl2's SCRAM is not installed")

    def login(user, password):
        return server.login(user, password, "SCRAM-SHA-256")

    equal(login("sam", PASSWORDS["sam"]), RIGHT)
    equal(login("sam", NOT_THE_PASSWORD), WRONG)
    equal(login("sam", users.hashes["sam"]), WRONG, "the verifier itself")
    equal(login("ann", users.hashes["ann"]), WRONG, "a hash of crypt(3)")
    equal(login("nobody-knows-me", PASSWORDS["sam"]), WRONG, "unknown user")


@case("PLAIN over the socket, but not over a network without TLS")
def _():
    equal(offered(server.socket), OFFERED)
    equal(server.bind("ann", PASSWORDS["ann"], address=server.socket)[0], 0)
    equal(server.bind("ann", NOT_THE_PASSWORD, address=server.socket)[0],
          slapd.INVALID_CREDENTIALS)
    equal(offered(server.network), OFFERED[1:])
    equal(server.bind("ann", PASSWORDS["ann"], address=server.network)[0], slapd.INAPPROPRIATE)


@case("an outage is no wrong password")
def _():
    logins.check_outage(server.login, users, server.log)


@case("nor is a database that does not answer")
def _():
    host.freeze()
    try:
        equal(server.login("ann", PASSWORDS["ann"]), OUTAGE)
        equal(server.login("ann", NOT_THE_PASSWORD), OUTAGE)
    finally:
        host.thaw()
    equal(server.login("ann", PASSWORDS["ann"]), RIGHT)


@case("twenty at once")
def _():
    logins.at_once(server.login)
    if host.sessions() > 8:
        raise AssertionError(f"{host.sessions()} sessions of one process")


@case("twenty at once during an outage")
def _():
    logins.outage_at_once(server.login, users)
    equal(server.running, True, "slapd is running")
    guard.check(server.log())


# --- what the comment of the example says


@case("cn=config")
def _():
    server.start(configuration(), LINES, tree=lambda text: text)
    logins.check(server.login, users.hashes)


@case("several plug-ins, in quotes")
def _():
    server.start(configuration(), auxprops('"sqlcrypt slapd"'))
    logins.check(server.login, users.hashes)
    logins.check_outage(server.login, users, server.log)


@case("several plug-ins in cn=config, in quotes")
def _():
    def in_quotes(text):
        contains(text, "olcSaslAuxprops: sqlcrypt\n")
        return text.replace("olcSaslAuxprops: sqlcrypt\n", 'olcSaslAuxprops: "sqlcrypt slapd"\n')

    server.start(configuration(), LINES, tree=in_quotes)
    equal(server.login("ann", PASSWORDS["ann"]), RIGHT)
    equal(server.login("ann", NOT_THE_PASSWORD), WRONG)


@case("a slapd that is not told to ask for the table does not ask for it")
def _():
    for value in (None, "slapd"):
        server.start(configuration(), auxprops(value))
        for user, password in (("ann", PASSWORDS["ann"]), ("ann", users.hashes["ann"])):
            for mechanism in ("PLAIN", "SCRAM-SHA-256"):
                equal(server.login(user, password, mechanism) == RIGHT, False, mechanism)
        equal(host.sessions(), 0, "sessions at the database")


def observe(lines, path):
    """What clients and the log show, without numbers and times."""
    server.sasl_path = path
    server.start(configuration().replace("password_format: crypt\n", "")
                 + f"sasldb_path: {server.path('sasldb')}\n", lines)
    seen = [sorted(offered(address)) for address in (None, server.network, server.socket)]
    for user, password in (("ann", PASSWORDS["ann"]), ("nobody-knows-me", NOT_THE_PASSWORD)):
        seen += [server.bind(user, password, mechanism)
                 for mechanism in ("PLAIN", "SCRAM-SHA-256")]
    return seen, re.findall(r"SASL \[conn=\d+\] (.*)", server.log())


@case("as without our plug-ins, where password_format is not set")
def _():
    with_ours, stock = server.sasl_path, plugins.stock(server.directory)
    for value in (None, "sqlcrypt"):
        without = observe(auxprops(value), stock)
        equal(observe(auxprops(value), with_ours), without, str(value))
    equal(host.sessions(), 0, "sessions at the database")


tap.run(server.stop, host.stop)
