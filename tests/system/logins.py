# SPDX-License-Identifier: BSD-3-Clause
"""What every program that logs in through libsasl2 must do, whatever its protocol:
distinguish the right password, a wrong one and an outage, even for many clients at
once."""

import collections
import concurrent.futures
import os
import sqlite3

import database
import guard
from tap import contains, equal

# What a login comes to.
RIGHT, WRONG, OUTAGE = "right", "wrong", "outage"

REALM = "example.com"
PASSWORDS = {user: guard.keep(f"Passwort-von-{user}") for user in
             ["ann", "yves", "sam"] + [f"user{number}" for number in range(20)]}
# Added to an example: a refused login costs as little as our hashes, not what a new one does.
CHEAP = "password_store_scheme: SHA512-CRYPT\npassword_store_cost: 1000\n"
NOT_THE_PASSWORD = guard.keep("not-the-password")


def stored(user):
    """The hash of a user's password; sam's is a SCRAM verifier."""
    if user == "sam":
        return database.scram_verifier(PASSWORDS[user])
    method = ("$y$", 1) if user == "yves" else ("$6$", 1000)
    return database.crypt(PASSWORDS[user], *method)


def fill(run, hashes, realm):
    """Adds all users to a table that an example prints, with or without a realm. `run`
    takes a statement and values."""
    for row in hashes.items():
        if realm is None:
            run("INSERT INTO users (name, password) VALUES (?, ?)", *row)
        else:
            run("INSERT INTO users (name, password, realm) VALUES (?, ?, ?)", *row, realm)


class SqliteUsers:
    """All users in a SQLite file."""

    def __init__(self, path, statement, realm=REALM):
        self.path = path
        self.hashes = {user: stored(user) for user in PASSWORDS}
        connection = sqlite3.connect(path)
        with connection:
            connection.execute(statement)
            fill(lambda text, *values: connection.execute(text, values), self.hashes, realm)
        connection.close()
        os.chmod(path, 0o644)

    def stop(self):
        os.rename(self.path, self.path + ".away")

    def start(self):
        os.rename(self.path + ".away", self.path)


class ServerUsers:
    """All users in a database server (servers.Database), which this starts."""

    def __init__(self, server, statement, realm=REALM):
        self.server = server
        self.hashes = {user: stored(user) for user in PASSWORDS}
        server.start()
        server.create_user()
        server.run(f"CREATE DATABASE {server.database}", database=server.system_database)
        server.run(statement)
        server.run(f"GRANT SELECT ON users TO {server.user}")
        fill(server.run, self.hashes, realm)

    def stop(self):
        self.server.stop()

    def start(self):
        self.server.restart()


def check(login, hashes):
    """`login` takes a user and a password, and returns the outcome."""
    for user in ("ann", "yves"):
        equal(login(user, PASSWORDS[user]), RIGHT, user)
        equal(login(user, NOT_THE_PASSWORD), WRONG, user)
        equal(login(user, PASSWORDS[user] + "x"), WRONG, user)
        equal(login(user, hashes[user]), WRONG, f"{user}, the stored hash")
    equal(login("ann", PASSWORDS["yves"]), WRONG, "ann, another's password")
    equal(login("nobody-knows-me", PASSWORDS["ann"]), WRONG, "unknown user")
    equal(login("ann' OR '1'='1", PASSWORDS["ann"]), WRONG, "a quote in the name")


def check_outage(login, users, log):
    """Tries a right password, a wrong one and an unknown user while the users are away,
    and again when they are back. `log` returns the program's log."""
    users.stop()
    try:
        for user, password in (("ann", PASSWORDS["ann"]), ("ann", NOT_THE_PASSWORD),
                               ("nobody-knows-me", PASSWORDS["ann"])):
            equal(login(user, password), OUTAGE, user)
    finally:
        users.start()
    contains(log(), "sqlcrypt: ", "log")
    equal(login("ann", PASSWORDS["ann"]), RIGHT, "after the outage")
    equal(login("ann", NOT_THE_PASSWORD), WRONG, "after the outage")


def at_once(login, rounds=3):
    """Twenty clients at once, each with its own user. Every other client has a wrong
    password."""
    def one(number):
        user = f"user{number}"
        return login(user, PASSWORDS[user] if number % 2 == 0 else NOT_THE_PASSWORD)

    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        for _ in range(rounds):
            outcomes = list(pool.map(one, range(20)))
            for number, outcome in enumerate(outcomes):
                equal(outcome, (RIGHT, WRONG)[number % 2], f"client {number}")


def outage_at_once(login, users):
    """The same while the users are away: no client is told that its password is
    wrong."""
    users.stop()
    try:
        with concurrent.futures.ThreadPoolExecutor(20) as pool:
            outcomes = collections.Counter(pool.map(
                lambda number: login(f"user{number}", NOT_THE_PASSWORD), range(20)))
        equal(outcomes, {OUTAGE: 20})
    finally:
        users.start()
    equal(login("ann", PASSWORDS["ann"]), RIGHT, "after the outage")
