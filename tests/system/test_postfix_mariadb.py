#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""An unmodified Postfix with a MariaDB that has damaged tables or other character sets,
or whose passwords are read by procedures."""

import glob
import os

import configuration
import database
import plugins
import postfix
import servers
import tap
from postfix import OUTAGE, WELCOME, WRONG, expect
from tap import case, contains, equal

ALICE = "Kaninchenbau-7"
RIGHT = ("alice", ALICE)
INCORRECT = ("alice", "not-the-password")
UNKNOWN = ("nobody-knows-me", ALICE)
VERDICTS = {RIGHT: WELCOME, INCORRECT: WRONG, UNKNOWN: WRONG}

postfix.require()
plugins.require_drivers("mysql")
servers.require(servers.MariaDB)
mail = postfix.Postfix()
server, well = servers.MariaDB(), servers.MariaDB()
# A table that is damaged is to stay so.
AS_IT_IS = {"myisam_recover_options": "OFF", "aria_recover_options": "OFF"}


def login(user):
    mail.lines()
    reply = mail.login("PLAIN", *user)
    return reply, postfix.problems(mail.lines())


def check(user, want, what="login"):
    """And no line calls for action."""
    reply, problems = login(user)
    expect(reply, want, f"{what} {user}, {problems}")
    equal(problems, [], f"{what}: problems in the log")


def check_one(problems, *parts):
    equal(len(problems), 1, f"number of problems {problems}")
    for part in parts:
        contains(problems[0], part)


def check_outage(users, *parts):
    for user in users:
        reply, problems = login(user)
        expect(reply, OUTAGE, str(user))
        check_one(problems, *parts)


@case("both servers start")
def _():
    server.start(**AS_IT_IS)
    well.start()
    well.password = server.password
    for one in (server, well):
        one.create_mail()
        one.add("alice", database.crypt(ALICE))


# --- damaged tables


def truncate(path):
    os.truncate(path, os.path.getsize(path) // 2)


def empty(path):
    os.truncate(path, 0)


def overwrite(path):
    """Except for the head of the file."""
    with open(path, "r+b") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(1024)
        file.write(b"\xff" * (size - 1024))


def scramble(path):
    with open(path, "r+b") as file:
        file.write(b"\xff" * 64)


MYISAM, ARIA, INNODB = "MyISAM", "Aria TRANSACTIONAL = 0", "InnoDB"
DAMAGES = {
    "MyISAM, index truncated": (MYISAM, "MYI", truncate),
    "MyISAM, index overwritten": (MYISAM, "MYI", overwrite),
    "MyISAM, head of the index overwritten": (MYISAM, "MYI", scramble),
    "MyISAM, index missing": (MYISAM, "MYI", os.unlink),
    "MyISAM, no data": (MYISAM, "MYD", empty),
    "MyISAM, data missing": (MYISAM, "MYD", os.unlink),
    "Aria, index truncated": (ARIA, "MAI", truncate),
    "Aria, head of the index overwritten": (ARIA, "MAI", scramble),
    "Aria, index missing": (ARIA, "MAI", os.unlink),
    "Aria, no data": (ARIA, "MAD", empty),
    "definition overwritten": (MYISAM, "frm", scramble),
}


def make_table(one, engine):
    (stored,) = one.stored("alice")
    one.run(f"CREATE OR REPLACE TABLE users (name VARCHAR(64) PRIMARY KEY, secret VARCHAR(200))"
            f" ENGINE = {engine};"
            "INSERT INTO users SELECT CONCAT('user', seq), REPEAT('x', 60) FROM seq_1_to_500;"
            f"INSERT INTO users VALUES ('alice', ?); FLUSH TABLES;"
            f"GRANT SELECT ON users TO {one.user}", stored)


def start(select, hosts=None):
    mail.start(configuration.canonical(server, hosts, sql_select=select))


def with_and_without_other(reason):
    """The table at `server` is damaged."""
    select = "SELECT secret FROM users WHERE name = '%u'"
    start(select)
    check_outage((RIGHT, INCORRECT), server.address, reason)
    start(select, f"{server.address}, {well.address}")
    reply, problems = login(RIGHT)
    expect(reply, WELCOME)
    check_one(problems, server.address, reason, f"asked {well.address} instead")
    for user, want in VERDICTS.items():
        check(user, want)


def damaged(engine, extension, damage):
    make_table(server, engine)
    make_table(well, engine)
    damage(server.path("data", server.database, "users." + extension))
    try:
        with_and_without_other("users" if (engine, damage) != (ARIA, empty) else "File too short")
    finally:
        # The server would not.
        server.run("FLUSH TABLES")
        for path in glob.glob(server.path("data", server.database, "users.*")):
            os.unlink(path)


@case("a table whose tablespace was discarded")
def _():
    make_table(server, INNODB)
    make_table(well, INNODB)
    server.run("ALTER TABLE users DISCARD TABLESPACE")
    with_and_without_other("users")
    server.run("DROP TABLE users")


for label, how in DAMAGES.items():
    case(f"a damaged table: {label}", damaged, *how)


# --- character sets

# Names, and what stands for what a character set lacks
NAMES = ("jörg", "Grüße", "j?rg", "?mega", "xmega", "jxrg")
STRANGERS = ("Ωmega", "jӧrg", "j😀rg", "ｊörg")
# With a collation that tells these apart, which the default one of MariaDB 11.8 does not
CHARACTER_SETS = {"utf8mb4": "utf8mb4_general_ci", "utf8mb3": "utf8_general_ci",
                  "latin1": "latin1_swedish_ci"}
BY_NAME = "SELECT secret FROM {} WHERE name = '%u'"
MANNERS = {
    "column": BY_NAME,
    "literal": "SELECT secret FROM {} WHERE CONCAT(name, '@example.com') = '%u@example.com'",
    "procedure": "CALL find_{}('%u')",
    "procedure with another character set": "CALL look_for_{}('%u')",
}


def password_of(name):
    return f"Geheim-{name}-1"


def make_tables():
    for characters, collation in CHARACTER_SETS.items():
        server.run(
            "SET sql_mode = '';"
            f"CREATE OR REPLACE TABLE {characters} (name VARCHAR(64), secret VARCHAR(200))"
            f" CHARACTER SET {characters} COLLATE {collation};"
            f"CREATE OR REPLACE PROCEDURE find_{characters}"
            f" (wanted VARCHAR(64) CHARACTER SET {characters} COLLATE {collation})"
            f" SELECT secret FROM {characters} WHERE name = wanted;"
            f"CREATE OR REPLACE PROCEDURE look_for_{characters}"
            f" (wanted VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci)"
            f" SELECT secret FROM {characters} WHERE name = wanted;"
            f"GRANT EXECUTE ON PROCEDURE find_{characters} TO {server.user};"
            f"GRANT EXECUTE ON PROCEDURE look_for_{characters} TO {server.user};"
            f"GRANT SELECT ON {characters} TO {server.user}")
        for name in NAMES:
            server.run(f"SET NAMES utf8mb4; INSERT INTO {characters} VALUES (?, ?)", name,
                       database.crypt(password_of(name)))


def names(template, characters):
    start(template.format(characters))
    for name in NAMES:
        check((name, password_of(name)), WELCOME)
        check((name, "not-the-password"), WRONG)
    # No two names become one.
    for name in ("jörg",) + STRANGERS:
        for other in NAMES:
            if name != other:
                check((name, password_of(other)), WRONG, "the password of another")


# A database that passes over what cannot be seen
HIDDEN = ("al\x07ice", "\x01alice", "alice\n", "al\x7fice", "al\x80ice", "alice\x9f")
LIKE_ALICE = ("Alice", "al\u200bice")


@case("other spellings of a name")
def _():
    for collation, want in (("utf8mb4_unicode_ci", WELCOME), ("utf8mb4_bin", WRONG)):
        server.run("CREATE OR REPLACE TABLE spelling (name VARCHAR(64), secret VARCHAR(200))"
                   f" CHARACTER SET utf8mb4 COLLATE {collation};"
                   f"GRANT SELECT ON spelling TO {server.user}")
        server.run("INSERT INTO spelling VALUES ('alice', ?)", database.crypt(ALICE))
        start(BY_NAME.format("spelling"))
        check(RIGHT, WELCOME, collation)
        for name in HIDDEN:
            check((name, ALICE), WRONG, collation)
        for name in LIKE_ALICE:
            check((name, ALICE), want, collation)


SETTINGS = {
    "the server's defaults": {},
    "a server that ignores the client's character set": {
        "skip_character_set_client_handshake": None, "character_set_server": "latin1"},
    "a server that sets another character set": {
        "init_connect": "SET NAMES latin1", "character_set_server": "latin1"},
}


def restart(settings):
    server.stop()
    server.start(**AS_IT_IS, **settings)


# What fails for everybody: as it is prepared, and as it is run
UNEQUAL = "name COLLATE utf8mb4_bin = {} COLLATE utf8mb4_general_ci"
CONFLICTS = {
    "within the statement": "SELECT secret FROM utf8mb4 WHERE " + UNEQUAL.format("'%u'"),
    "within a procedure": "CALL conflict('%u')",
}


def conflict(template):
    server.run("CREATE OR REPLACE PROCEDURE conflict (wanted VARCHAR(64) CHARACTER SET utf8mb4)"
               f" SELECT secret FROM utf8mb4 WHERE {UNEQUAL.format('wanted')};"
               f"GRANT EXECUTE ON PROCEDURE conflict TO {server.user}")
    start(template)
    check_outage([(name, password_of(name)) for name in ("jörg", "xmega", "Ωmega")],
                 "statement refused: ", "utf8mb4_general_ci")


case("tables of several character sets", make_tables)
for setting, options_of_server in SETTINGS.items():
    case(f"{setting}: restart", restart, options_of_server)
    for column in CHARACTER_SETS:
        for manner, statement in MANNERS.items():
            case(f"{setting}: names in {column}, by {manner}", names, statement, column)
for label, statement in CONFLICTS.items():
    case(f"collations that cannot be compared, {label}", conflict, statement)


# --- procedures

# The body of a procedure, and what becomes of the right password
FIND = "SELECT password FROM mailbox WHERE local_part = wanted"
NO_RESULT = f"IF EXISTS ({FIND}) THEN {FIND}; END IF"
PROCEDURES = {
    "a result": FIND,
    "a result if there is a row": NO_RESULT,
    "a variable of which FETCH finds no value":
        f"DECLARE found TEXT; DECLARE some CURSOR FOR {FIND}; OPEN some; FETCH some INTO found;"
        " SELECT found",
    "SIGNAL 02000": f"IF NOT EXISTS ({FIND}) THEN SIGNAL SQLSTATE '02000'; END IF; {FIND}",
    "SIGNAL 02000 after no row":
        f"{FIND}; IF NOT EXISTS ({FIND}) THEN SIGNAL SQLSTATE '02ABC'; END IF",
    "SIGNAL 02000 with a number of another error":
        f"IF NOT EXISTS ({FIND}) THEN SIGNAL SQLSTATE '02000' SET MYSQL_ERRNO = 1034; END IF;"
        f"{FIND}",
}


def make_procedure(body):
    server.run("DELIMITER //\n"
               f"CREATE OR REPLACE PROCEDURE find (wanted VARCHAR(64)) BEGIN {body}; END//\n"
               f"DELIMITER ;\nGRANT EXECUTE ON PROCEDURE find TO {server.user}")


def procedure(body):
    make_procedure(body)
    start(" /* by a procedure */ call find('%u')")
    for _ in range(2):
        for user in (UNKNOWN, RIGHT, INCORRECT):
            check(user, VERDICTS[user])
    equal(server.sessions(), 1, "sessions")


for label, body_of_procedure in PROCEDURES.items():
    case(f"a procedure with {label}", procedure, body_of_procedure)


@case("a procedure that never has a result has no users")
def _():
    make_procedure("SET @wanted = wanted")
    start("CALL find('%u')")
    for user in VERDICTS:
        check(user, WRONG)


@case("a procedure with a row, and an error after it")
def _():
    for state in ("02000", "45000"):
        make_procedure(f"{FIND}; SIGNAL SQLSTATE '{state}'")
        start("CALL find('%u')")
        check_outage((RIGHT, INCORRECT), "statement refused: error 16", f"SQLSTATE {state}")


@case("what a procedure signals on purpose is an outage, and for no other host")
def _():
    """It is an answer: another host would say the same, or be outdated."""
    make_procedure("IF wanted = 'locked' THEN SIGNAL SQLSTATE '45000'"
                   f" SET MESSAGE_TEXT = 'locked-4711'; END IF; {FIND}")
    start("CALL find('%u')", f"{server.address}, {well.address}")
    for password in (ALICE, "not-the-password"):
        reply, problems = login(("locked", password))
        expect(reply, OUTAGE)
        check_one(problems, f"{server.address}: statement refused: error 1644")
    for user, want in VERDICTS.items():
        check(user, want)
    equal(well.sessions(), 0, "sessions with the other host")


@case("the text of what a procedure signals is not logged, whatever its number")
def _():
    """1146 is a table that does not exist."""
    make_procedure(f"DECLARE told TEXT DEFAULT ({FIND});"
                   " SIGNAL SQLSTATE '45000' SET MYSQL_ERRNO = 1146, MESSAGE_TEXT = told")
    start("CALL find('%u')")
    check_outage((RIGHT, INCORRECT), "statement refused: error 1146 of the server")


@case("statements that read nothing are refused")
def _():
    server.run(f"GRANT UPDATE ON mailbox TO {server.user}")
    for select in ("UPDATE mailbox SET active = active WHERE local_part = '%u'",
                   "SET @caller = '%u'", "DO '%u'"):
        start(select)
        check_outage((RIGHT, INCORRECT), "statement refused: the statement returns no column")


def stop_servers():
    server.stop()
    well.stop()


tap.run(mail.close, stop_servers)
