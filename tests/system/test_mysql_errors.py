#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Which errors of MySQL, MariaDB, and the proxies in front of them lead an unmodified
Postfix to the next host, which end the search, which mean that there is no such user,
and how much of their texts is logged.

Two scripted servers say what real ones say when they are faulty. What a test can do to
a real MariaDB is in test_postfix_mariadb.py."""

import configuration
import database
import guard
import plugins
import postfix
import scripted_mysql
import tap
from postfix import OUTAGE, WELCOME, WRONG, expect
from tap import case, contains, equal, lacks

ALICE = "Kaninchenbau-7"
RIGHT = ("alice", ALICE)
INCORRECT = ("alice", "not-the-password")
VERDICTS = {RIGHT: WELCOME, INCORRECT: WRONG}
TRIES = (("prepare", RIGHT), ("execute", INCORRECT))

postfix.require()
plugins.require_drivers("mysql")
mail = postfix.Postfix()
STORED = database.crypt(ALICE)
first, second = (scripted_mysql.Server({"alice": STORED}) for _ in range(2))
second.password = first.password
second.reset()

# A server may quote values of a statement that it runs.
QUOTED = guard.keep("quoted-4711")
TEXT = f"Something about '{QUOTED}'"


def login(user):
    mail.lines()
    reply = mail.login("PLAIN", *user)
    return reply, postfix.problems(mail.lines())


def check_login(user, want, what="login"):
    """And no line calls for action."""
    reply, problems = login(user)
    expect(reply, want, f"{what} {user}")
    equal(problems, [], f"{what}: problems in the log")


def forget():
    for server in (first, second):
        server.forget()


def text_at(step, is_safe):
    """Before it is run, a statement has no values that a text could hold."""
    return "Something about a table" if is_safe or step == "prepare" else TEXT


def packet_at(step, number, state, is_safe):
    return scripted_mysql.error(number, state, text_at(step, is_safe))


def reason_at(step, number, state, is_safe):
    """What is logged of it."""
    if is_safe or step == "prepare":
        return text_at(step, is_safe)
    return f"error {number} of the server with SQLSTATE {state}"


def check_one(problems, *parts):
    equal(len(problems), 1, f"number of problems {problems}")
    for part in parts:
        contains(problems[0], part)


# --- the host is ill

# What else the log says of it: the text, where it is known to hold no values
ILL = {
    "file missing, says the operating system": (29, "HY000", True),
    "index damaged, says a storage engine": (126, "HY000", True),
    "table crashed, says a storage engine": (145, "HY000", True),
    "index damaged": (1034, "HY000", True),
    "table crashed": (1194, "HY000", True),
    "table crashed, and not repaired": (1195, "HY000", True),
    "error of a storage engine": (1030, "HY000", True),
    "old index file": (1035, "HY000", True),
    "file that cannot be opened": (1016, "HY000", True),
    "file that is missing": (1017, "HY000", True),
    "file that cannot be read": (1024, "HY000", True),
    "damaged definition": (1033, "HY000", True),
    "InnoDB index damaged": (1712, "HY000", True),
    "InnoDB table damaged": (1877, "HY000", True),
    "InnoDB tablespace discarded": (1814, "HY000", True),
    "InnoDB tablespace missing": (1812, "HY000", True),
    "table unknown to its engine": (1932, "42S02", True),
    "error of a federated server": (1296, "HY000", False),
    "internal error": (1815, "HY000", False),
    "ProxySQL: no server in time": (9001, "HY000", True),
    "ProxySQL: locked to a hostgroup": (9005, "HY000", False),
    "Vitess": (1105, "HY000", False),
    "access denied to a proxy": (1045, "28000", False),
    "a connection of a proxy": (1184, "08S01", False),
    "an unknown class": (12345, "ZZ000", False),
    "an unknown number": (65000, "HY000", False),
}


def ill(number, state, is_safe):
    """The first host that is asked is faulty. It comes last then, and the other's turn
    comes."""
    for step, user in TRIES:
        forget()
        asked, other = turns
        with asked.script(step, packet=packet_at(step, number, state, is_safe)):
            reply, problems = login(user)
            expect(reply, VERDICTS[user], f"{step} {user}")
            check_one(problems, f"{asked.address}: {reason_at(step, number, state, is_safe)}",
                      f"asked {other.address} instead")
            turns.reverse()
            reached = asked.reached[step]
            equal(reached > 0, True, f"{step} was reached")
            # For a while, it is not even asked.
            check_login(user, VERDICTS[user], f"{step} {user}, once more")
            equal(asked.reached[step], reached, "questions to the host that is ill")


def ill_alone(number, state, is_safe):
    for step, user in TRIES:
        forget()
        with first.script(step, packet=packet_at(step, number, state, is_safe)):
            reply, problems = login(user)
            expect(reply, OUTAGE, f"{step} {user}")
            check_one(problems, f"{first.address}: {reason_at(step, number, state, is_safe)}")
            lacks(problems[0], "refused")
        check_login(user, VERDICTS[user], "afterwards")


# --- the host is not ready, or the statement is wrong if all say so

NOT_READY = {
    "read-only by an option": (1290, "HY000", True),
    "read-only transaction": (1792, "25006", True),
    "read-only mode": (1836, "HY000", True),
    "offline mode": (3032, "HY000", True),
    "unknown table": (1146, "42S02", True),
    "no right to read a table": (1142, "42000", True),
}


def not_ready_alone(number, state, is_safe):
    for step, user in TRIES:
        forget()
        with first.script(step, packet=packet_at(step, number, state, is_safe)):
            reply, problems = login(user)
            expect(reply, OUTAGE, f"{step} {user}")
            check_one(problems, f"{first.address}: statement refused: "
                      f"{reason_at(step, number, state, is_safe)}")
        check_login(user, VERDICTS[user], "afterwards")


# --- the statement is wrong

REFUSED = {
    "syntax error": (1064, "42000", False),
    "unknown column": (1054, "42S22", True),
    "unknown procedure": (1305, "42000", True),
    "a class of syntax errors": (4711, "42123", False),
    "no database": (1046, "3D000", False),
    "wrong number of values": (1136, "21S01", False),
    "several rows in a subquery": (1242, "21000", True),
    "data exception": (1690, "22003", False),
    "data exception of MySQL": (1366, "HY000", False),
    "constraint": (1062, "23000", False),
    "CHECK OPTION": (1369, "44000", False),
    "not supported": (1335, "0A000", False),
    "warning that counts as an error": (1265, "01000", False),
    "arguments": (1210, "HY000", False),
    "cannot be prepared": (1295, "HY000", False),
    "no default value": (1364, "HY000", False),
    "unknown variable": (1193, "HY000", False),
    "view": (1356, "HY000", True),
    "collations": (1267, "HY000", True),
    "collations, three": (1270, "HY000", True),
    "collations, several": (1271, "HY000", True),
    "collation of a parameter": (3988, "HY000", False),
    "regular expression": (3692, "HY000", False),
    "signal of a procedure": (1644, "45000", False),
    "signal with another SQLSTATE": (1644, "HY000", False),
    "signal with another number": (31000, "45000", False),
}


def refused(number, state, is_safe):
    """No other host is asked, and none is considered down."""
    for step, user in TRIES:
        forget()
        asked, other = turns
        with asked.script(step, packet=packet_at(step, number, state, is_safe)):
            reply, problems = login(user)
            expect(reply, OUTAGE, f"{step} {user}")
            check_one(problems, f"{asked.address}: statement refused: "
                      f"{reason_at(step, number, state, is_safe)}")
        check_login(user, VERDICTS[user], f"{step} {user}, once more")
        equal(other.reached["greeting"], 0, "connections to the other host")


# --- "not found"

NOT_FOUND = {
    "signal": (1643, "02000"),
    "FETCH": (1329, "02000"),
    "another class of not found": (31000, "02F00"),
}


def not_found(number, state):
    """No such user, but only for a statement that was run."""
    forget()
    packet = scripted_mysql.error(number, state, TEXT)
    with turns[0].script("execute", packet=packet):
        for user in VERDICTS:
            check_login(user, WRONG, f"execute {user}")
    forget()
    with turns[0].script("prepare", packet=scripted_mysql.error(number, state, "No data")):
        reply, problems = login(RIGHT)
        expect(reply, OUTAGE)
        check_one(problems, "statement refused: No data")
    check_login(RIGHT, WELCOME, "afterwards")


# --- characters that a column lacks

GREEK = ("Ωmega@example.com", ALICE)
CHARACTERS = {
    "collations": (1267, "HY000"),
    "collations, three": (1270, "HY000"),
    "collations, several": (1271, "HY000"),
    "invalid string": (1300, "HY000"),
    "parameter of a procedure, MariaDB": (1366, "22007"),
    "parameter of a procedure, MySQL": (1366, "HY000"),
    "conversion of a string, MySQL": (3854, "HY000"),
    "collation of a parameter, MySQL": (3988, "HY000"),
}


def once(then):
    """This is the answer to the first connection. The others get the usual one."""
    def fault(conversation, data):
        conversation.server.faults.pop("execute")
        conversation.write(then if conversation.server.reached["execute"] == 1 else data)
    return fault


def as_packet(payload):
    return len(payload).to_bytes(3, "little") + b"\1" + payload


def cannot_hold(number, state):
    forget()
    check_login(RIGHT, WELCOME)
    turns[0].reached.clear()
    error = scripted_mysql.error(number, state, "Something about characters")
    with turns[0].script("execute", once(as_packet(error))):
        check_login(GREEK, WRONG)
    equal(turns[0].reached["execute"], 2, "statements")
    # With another row that exists, too
    turns[0].rows["xmega"] = STORED
    turns[0].reached.clear()
    with turns[0].script("execute", once(as_packet(error))):
        check_login(GREEK, WRONG)
    equal(turns[0].reached["execute"], 2, "statements")
    # An error that has nothing to do with the name
    with turns[0].script("execute", packet=error):
        for user in (GREEK, RIGHT, INCORRECT):
            reply, problems = login(user)
            expect(reply, OUTAGE, str(user))
            check_one(problems, "statement refused: ")
    check_login(RIGHT, WELCOME, "afterwards")


def start(*hosts):
    mail.start(configuration.canonical(first, ", ".join(host.address for host in hosts)))


turns = [first, second]
case("one host: Postfix starts", start, first)
for label, error_of_server in ILL.items():
    case(f"one host, which is ill: {label}", ill_alone, *error_of_server)
for label, error_of_server in NOT_READY.items():
    case(f"one host, which is not ready: {label}", not_ready_alone, *error_of_server)
case("two hosts: Postfix starts", start, first, second)
for label, error_of_server in (ILL | NOT_READY).items():
    case(f"the next host is asked: {label}", ill, *error_of_server)
for label, error_of_server in REFUSED.items():
    case(f"the next host is not asked: {label}", refused, *error_of_server)
for label, error_of_server in NOT_FOUND.items():
    case(f"no such user: {label}", not_found, *error_of_server)
for label, error_of_server in CHARACTERS.items():
    case(f"no such user, whose name cannot be: {label}", cannot_hold, *error_of_server)

tap.run(mail.close, first.stop, second.stop)
