# SPDX-License-Identifier: BSD-3-Clause
"""What all poolers between Postfix and PostgreSQL have in common: a site with two
hosts, the pooler and a PostgreSQL without a pooler, and how logins are judged there."""

import threading

import configuration
import database
import postfix
import servers
from daemon import wait_for
from postfix import WELCOME, WRONG, expect
from tap import contains, equal

ALICE = "Kaninchenbau-7"
OTHER = "Spiegelland-8"


def create(server):
    server.start()
    server.create_mail()
    server.add("alice", database.crypt(ALICE))


def second_of(server):
    """Another PostgreSQL with the same users."""
    second = servers.Postgres()
    second.password = server.password
    create(second)
    return second


def settings(pooler, second=None, **options):
    hosts = pooler.address if second is None else f"{pooler.address}, {second.address}"
    return configuration.canonical(pooler.postgres, hosts, **{"sql_timeout": "8", **options})


def check(mail):
    """Logins are judged by one process, with nothing in the log."""
    mail.lines()
    expect(mail.login("PLAIN", "alice", ALICE), WELCOME)
    expect(mail.login("LOGIN", "alice", OTHER), WRONG)
    expect(mail.login("PLAIN", "nobody-knows-me", ALICE), WRONG)
    equal(postfix.problems(mail.lines()), [], "problems in the log")
    equal(len(mail.smtpd_pids()), 1, "processes")


def check_failover(mail, pooler, second, login=None):
    """The next login, or the one that has started since check(), continues at the
    second host, which is logged once. The logins after it do not ask the pooler at
    all."""
    expect(login.finish() if login is not None else mail.login("PLAIN", "alice", ALICE), WELCOME)
    lines = postfix.problems(mail.lines())
    equal(len(lines), 1, "problems in the log")
    contains(lines[0], f"{pooler.address}: ")
    contains(lines[0], f"; asked {second.address} instead")
    check(mail)


class Login:
    """A login that waits for a locked table."""

    def __init__(self, mail, server, password=ALICE):
        self.reply = None

        def log_in():
            self.reply = mail.login("PLAIN", "alice", password)
        self.thread = threading.Thread(target=log_in)
        self.thread.start()
        wait_for(lambda: server.blocked() > 0, "a statement that waits for the lock")

    def finish(self):
        self.thread.join()
        return self.reply
