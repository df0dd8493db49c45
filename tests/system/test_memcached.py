#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""An unmodified memcached -S: logins against hashed passwords, from several threads at
once, and clients that start and step in any order before they have authenticated. One
process serves them all."""

import concurrent.futures
import itertools
import os
import random
import re
import struct

import database
import guard
import memcached
import tap
from memcached import AUTH, CONTINUES, GET, HEADER, INVALID, LIST, MISSING, NO_MEMORY, OK, \
    REFUSED, REQUEST, SET, STEP, UNKNOWN, frame
from tap import case, contains, equal

memcached.require()

PASSWORD, OTHER_PASSWORD = "Kaninchenbau-7", "Einmal-im-Netz-9"
CONFIGURATION = """\
pwcheck_method: {methods}
authdaemond_path: {directory}/no-socket
auxprop_plugin: sqlcrypt
mech_list: {mechanisms}
password_format: crypt
sql_engine: sqlite3
sql_database: {database}
sql_select: SELECT password FROM mailbox WHERE local_part = '%u' AND active = '1'
"""

server = memcached.Memcached()
table = database.Table(os.path.join(server.directory, "users.sqlite"))


def start(methods="auxprop", mechanisms="PLAIN LOGIN"):
    server.start(CONFIGURATION.format(methods=methods, mechanisms=mechanisms,
                                      directory=server.directory, database=table.path))


def message(user, password, authzid=""):
    return f"{authzid}\0{user}\0{password}".encode()


def login_plain(client, user, password):
    return client.auth("PLAIN", message(user, password))[0]


def login_plain_by_step(client, user, password):
    equal(client.auth("PLAIN"), (CONTINUES, b""))
    return client.step("PLAIN", message(user, password))[0]


def login_login(client, user, password):
    equal(client.auth("LOGIN"), (CONTINUES, b"Username:"))
    equal(client.step("LOGIN", user.encode()), (CONTINUES, b"Password:"))
    return client.step("LOGIN", password.encode())[0]


LOGINS = (login_plain, login_plain_by_step, login_login)


def may_ask(client):
    """Whether memcached considers the client authenticated. If not, it closes the
    connection."""
    result, _ = client.ask(GET, b"no-such-key")
    if result == REFUSED:
        equal(client.closed(), True, "the connection is closed")
        return False
    equal(result, MISSING, "result of GET")
    return True


def check_log():
    """No secret is in the log, except a password that was typed as a name."""
    guard.check(re.sub(f'(user|%u) "{PASSWORD}"', "", server.log()))


def serves():
    """The process that was started still distinguishes right from wrong."""
    server.check_alive()
    for login in LOGINS:
        with server.client() as client:
            equal(login(client, "alice", PASSWORD), OK, login.__name__)
            equal(may_ask(client), True, "authenticated")
        with server.client() as client:
            equal(login(client, "alice", OTHER_PASSWORD), REFUSED, login.__name__)
            equal(may_ask(client), False, "authenticated")


# --- logins


@case("it starts, and offers PLAIN and LOGIN")
def _():
    table.add("alice", database.crypt(PASSWORD, "$6$", 1000))
    table.add("yves", database.crypt(PASSWORD, "$y$", 1))
    table.add("bob", database.crypt(OTHER_PASSWORD, "$2b$", 4))
    start()
    with server.client() as client:
        equal(client.ask(LIST), (OK, b"PLAIN LOGIN"))
        equal(may_ask(client), False, "authenticated")


@case("the right password is accepted, and the cache serves its owner")
def _():
    for number, (login, user) in enumerate(itertools.product(LOGINS, ("alice", "yves"))):
        with server.client() as client:
            key, value = f"key-{number}".encode(), f"of {user}".encode()
            equal(login(client, user, PASSWORD), OK, f"{login.__name__} {user}")
            equal(client.ask(SET, key, value, struct.pack(">II", 0, 0))[0], OK, "result of SET")
            equal(client.ask(GET, key), (OK, value))


@case("a wrong one is refused, and so is the stored hash")
def _():
    wrong = [("alice", OTHER_PASSWORD), ("alice", PASSWORD + " "), ("alice", ""), ("", PASSWORD),
             ("bob", PASSWORD), ("nobody-knows-me", PASSWORD), ("alice' OR '1'='1", PASSWORD)]
    wrong += [(user, table.stored(user)[0]) for user in ("alice", "yves", "bob")]
    for login, (user, password) in itertools.product(LOGINS, wrong):
        with server.client() as client:
            equal(login(client, user, password), REFUSED, f"{login.__name__} {user}")
            equal(may_ask(client), False, "authenticated")
    contains(server.log(), 'PLAIN: user "alice": wrong password')
    contains(server.log(), 'LOGIN: user "nobody-knows-me": no such user')
    guard.check(server.log())


# --- any order


@case("PLAIN without data, then steps without data")
def _():
    with server.client() as client:
        equal(client.auth("PLAIN"), (CONTINUES, b""))
        for _ in range(5):
            equal(client.step("PLAIN")[0], REFUSED)
        equal(client.step("PLAIN", message("alice", PASSWORD))[0], REFUSED)
        equal(may_ask(client), False, "authenticated")
    serves()


RIGHT = message("alice", PASSWORD)
INPUTS = (b"", RIGHT, b"alice", PASSWORD.encode(), message("alice", "wrong"),
          message("alice", PASSWORD, "bob"), b"\0", b"\0\0", b"\xff\0\xff\0\xff", b"x" * 20000)


class Model:
    """The expected answer: the exchange as the mechanisms' standards define it, as
    memcached and libsasl2 handle it."""

    def __init__(self):
        self.started = False  # memcached takes no step before
        self.done = False  # libsasl2 takes none after success
        self.expects = None
        self.user = None

    def _mechanism(self, data):
        expects, self.expects = self.expects, None
        if expects == "message":
            return OK if data == RIGHT else REFUSED
        if expects == "name or nothing" and not data:
            self.expects = "name"
            return CONTINUES
        if expects in ("name", "name or nothing"):
            self.user, self.expects = data, "password"
            return CONTINUES
        if expects == "password" and (self.user, data) == (b"alice", PASSWORD.encode()):
            return OK
        return REFUSED

    def _step(self, data):
        if self.done:
            return REFUSED
        result = self._mechanism(data)
        self.done = result == OK
        return result

    def auth(self, mechanism, data):
        self.expects = {"PLAIN": "message", "LOGIN": "name or nothing"}.get(mechanism)
        if mechanism == "PLAIN" and not data:
            result = CONTINUES
        else:
            result = self._step(data) if self.expects else REFUSED
        self.started = result != REFUSED
        if result == REFUSED:
            self.expects, self.done = None, False
        return result

    def step(self, mechanism, data):
        del mechanism  # memcached does not look at it
        return self._step(data) if self.started else REFUSED


def follow(actions):
    """One client does all of that, and each answer is the model's."""
    model, wanted = Model(), REFUSED
    with server.client() as client:
        for number, (name, mechanism, data) in enumerate(actions):
            done = [f"{what} {how} {with_what[:40]!r}"
                    for what, how, with_what in actions[:number + 1]]
            wanted = getattr(model, name)(mechanism, data)
            try:
                equal(getattr(client, name)(mechanism, data)[0], wanted, "; ".join(done))
            except OSError as error:
                raise AssertionError(f"{'; '.join(done)}: {error}") from None
        equal(may_ask(client), wanted == OK, f"authenticated after {actions}")
    return wanted == OK


def all_orders(mechanism):
    for inputs in itertools.product(INPUTS, repeat=3):
        first, *others = inputs
        follow([("auth", mechanism, first)] + [("step", mechanism, data) for data in others])
    serves()


for which in ("PLAIN", "LOGIN"):
    case(f"{which}: a start and two steps, with all inputs", all_orders, which)


@case("long sequences of starts and steps")
def _():
    draw = random.Random(1)
    accepted = 0
    for _ in range(150):
        actions = []
        for _ in range(draw.randrange(1, 30)):
            name = draw.choice(("auth", "step", "step"))
            mechanism = draw.choice(("PLAIN", "LOGIN", "CRAM-MD5", "NO-SUCH-MECHANISM"))
            actions.append((name, mechanism, draw.choice(INPUTS)))
        accepted += follow(actions)
    if accepted == 0:
        raise AssertionError("no sequence ends with a login")
    serves()


@case("steps after a login, and another login on the same connection")
def _():
    for login, data in itertools.product(LOGINS, INPUTS):
        with server.client() as client:
            equal(login(client, "alice", PASSWORD), OK)
            equal(client.step("PLAIN", data)[0], REFUSED)
            equal(client.step("LOGIN", data)[0], REFUSED)
            equal(client.auth("PLAIN", message("alice", OTHER_PASSWORD))[0], REFUSED)
            equal(client.auth("PLAIN", RIGHT)[0], OK)
            equal(may_ask(client), True, "authenticated")
    serves()


# --- what is not even a request


def sent(data, want):
    """The answer to these bytes: a result, or None if the connection is closed without
    one."""
    with server.client() as client:
        client.send(data)
        if want is None:
            equal(client.closed(), True, "the connection is closed")
        else:
            equal(client.answer()[0], want)
    server.check_alive()


def header(operation, key, extras, body):
    return HEADER.pack(REQUEST, operation, key, extras, 0, 0, body, 0, 0)


@case("malformed requests")
def _():
    for operation in (AUTH, STEP):
        sent(frame(operation, b"M" * 33, b"x"), INVALID)
        sent(frame(operation, b"", b""), INVALID)
        sent(frame(operation, b"PLAIN", b"x", b"extras"), INVALID)
        sent(frame(operation, b"PL\0AIN", b"x"), REFUSED)
        sent(frame(operation, b"PLAIN", b"x" * 300000), REFUSED)
        sent(frame(operation, b"PLAIN", b"x" * 900000), NO_MEMORY)
        # shorter than its key
        sent(header(operation, 10, 0, 5) + b"PLAINPLAIN", UNKNOWN)
    sent(b"get a-key-in-the-other-protocol\r\n", None)
    serves()


@case("clients that leave in the middle")
def _():
    for whole in (frame(AUTH, b"PLAIN", RIGHT), frame(STEP, b"PLAIN", RIGHT)):
        for length in range(1, len(whole)):
            with server.client() as client:
                client.auth("PLAIN")
                client.send(whole[:length])
    serves()


# --- threads


def customer(number):
    """One of many: its messages are right, or wrong, or in random order."""
    draw = random.Random(number)
    for _ in range(12):
        login = draw.choice(LOGINS)
        user, password = draw.choice((("alice", PASSWORD), ("yves", PASSWORD),
                                      ("bob", OTHER_PASSWORD), ("alice", OTHER_PASSWORD),
                                      ("bob", PASSWORD), ("nobody-knows-me", PASSWORD)))
        right = (user, password) in (("alice", PASSWORD), ("yves", PASSWORD),
                                     ("bob", OTHER_PASSWORD))
        with server.client() as client:
            equal(login(client, user, password), OK if right else REFUSED, user)
            equal(may_ask(client), right, f"{user} is authenticated")
        follow([("auth", "PLAIN", b"")] + [("step", "PLAIN", draw.choice(INPUTS))
                                            for _ in range(4)])


@case("many clients at once")
def _():
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        list(pool.map(customer, range(16)))
    serves()
    check_log()


# --- all mechanisms


@case("authdaemond is away: whatever is sent, nothing is accepted")
def _():
    mechanisms = ("PLAIN", "LOGIN", "CRAM-MD5", "CRAM-SHA1", "CRAM-SHA256")
    start("authdaemond", " ".join(mechanisms))
    inputs = (b"", RIGHT, b"alice", b"alice " + b"0" * 32, b"\0")
    with server.client() as client:
        equal(sorted(client.ask(LIST)[1].decode().split()), sorted(mechanisms))
    for mechanism, data in itertools.product(mechanisms, itertools.product(inputs, repeat=3)):
        with server.client() as client:
            results = [client.auth(mechanism, data[0])[0]]
            results += [client.step(mechanism, piece)[0] for piece in data[1:]]
            results += [client.step(mechanism)[0]]
            equal(OK in results, False, f"{mechanism} {data} is accepted")
            equal(results[-1], REFUSED, f"{mechanism} {data}, one step more")
            equal(may_ask(client), False, "authenticated")
    server.check_alive()
    check_log()


tap.run(server.stop)
