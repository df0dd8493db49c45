#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""CRAM-MD5, CRAM-SHA1 and CRAM-SHA256 through an unmodified Postfix, judged by
Courier's authdaemond, which keeps a secret for each. If the configuration does not ask
for authdaemond, CRAM-MD5 is the stock one."""

import base64
import hmac
import os
import re
import smtplib

import authdaemond
import database
import guard
import postfix
import smtp
import tap
from authdaemond import configuration
from postfix import OUTAGE, WELCOME, WRONG, expect
from smtp import b64
from tap import case, contains, equal, lacks

HASHES = ("md5", "sha1", "sha256")
MECHANISMS = {f"CRAM-{name.upper()}": name for name in HASHES}
DIGITS = {"CRAM-MD5": 32, "CRAM-SHA1": 40, "CRAM-SHA256": 64}

ANN = ("ann@example.com", "Kaninchenbau-7")
BLANK = ("ann of green gables", "Gruene-Giebel-8")
FRIEND = "friend@example.net"

postfix.require()
authdaemond.require()
mail = postfix.Postfix()
daemon = authdaemond.Authdaemond()
witness = authdaemond.Witness(daemon.socket, daemon.directory)


def digest_of(mechanism, password, challenge):
    return guard.keep(hmac.new(smtp.octets(guard.keep(password)), challenge,
                               MECHANISMS[mechanism]).hexdigest())


def challenge_of(session, mechanism):
    reply = session.command(f"AUTH {mechanism}")
    expect(reply, "334 ", mechanism)
    return base64.b64decode(reply[4:])


def answer(session, mechanism, user, password):
    """One login in an existing session."""
    digest = digest_of(mechanism, password, challenge_of(session, mechanism))
    return session.command(b64(smtp.octets(user) + b" " + digest.encode()))


def login(mechanism, user, password):
    with mail.session() as session:
        session.ehlo()
        return answer(session, mechanism, user, password)


def respond(mechanism, make):
    """Sends the result of make() for a challenge, and returns the reply."""
    with mail.session() as session:
        session.ehlo()
        return session.command(b64(make(challenge_of(session, mechanism))))


def one_line(lines, *parts):
    equal(len(lines), 1, f"number of {lines}")
    for part in parts:
        contains(lines[0], part)


def check_refused(mechanism, user, password):
    mail.lines()
    expect(login(mechanism, user, password), WRONG, f"{mechanism} {user}")
    lines = mail.lines()
    equal(postfix.problems(lines), [])
    one_line(postfix.refusals(lines), mechanism, f'"{user}"', "no such user or wrong password")


# --- who logs in


@case("CRAM-MD5 alone, with Python's smtplib")
def _():
    daemon.add(*ANN, HASHES)
    daemon.add(*BLANK, HASHES)
    # These know either only the password or only a secret.
    daemon.add("paula@example.com", ANN[1])
    daemon.add("hanna@example.com", None,
               **{"hmac-md5pw": authdaemond.hashed(ANN[1], "hmac-md5")})
    daemon.add("disabled@example.com", ANN[1], HASHES, options="disablesmtp=1")
    daemon.publish()
    daemon.start()
    mail.start(configuration(daemon.socket, mech_list="CRAM-MD5"))
    with smtplib.SMTP("127.0.0.1", mail.port) as client:
        mail.sessions += 1
        client.ehlo()
        equal(client.esmtp_features["auth"].split(), ["CRAM-MD5"])
        equal(client.login(*ANN), (235, WELCOME[4:].encode()))
        equal(client.sendmail(ANN[0], [FRIEND], f"To: {FRIEND}\r\nSubject: smtplib\r\n\r\nHi\r\n"),
              {}, "refused recipients")
    mail.sink.message("Subject: smtplib")
    mail.settle()
    contains(mail.log(), f"sasl_method=CRAM-MD5, sasl_username={ANN[0]}")
    for user, password in ((ANN[0], "not-the-password"), ("nobody@example.com", ANN[1])):
        with smtplib.SMTP("127.0.0.1", mail.port) as client:
            mail.sessions += 1
            try:
                client.login(user, password)
                raise AssertionError(f"{user} has logged in")
            except smtplib.SMTPAuthenticationError as error:
                equal(error.smtp_code, 535)


def right_and_wrong(mechanism):
    mail.start(configuration(daemon.socket, mech_list=" ".join(MECHANISMS)))
    with mail.session() as session:
        equal(sorted(smtp.mechanisms(session.ehlo())), sorted(MECHANISMS))
    for user, password in (ANN, BLANK):
        mail.lines()
        expect(login(mechanism, user, password), WELCOME, user)
        equal([line for line in mail.lines() if "SASL" in line], [])
        check_refused(mechanism, user, "not-the-password")
        check_refused(mechanism, user, "")
    check_refused(mechanism, ANN[0], BLANK[1])
    check_refused(mechanism, "nobody@example.com", ANN[1])
    check_refused(mechanism, "ann", ANN[1])
    check_refused(mechanism, "ann of green", BLANK[1])
    # What is stored is not the password.
    values = daemon.accounts[ANN[0].encode()]
    for name in HASHES:
        check_refused(mechanism, ANN[0], values[f"hmac-{name}pw"])
    check_refused(mechanism, ANN[0], values["systempw"])
    equal(len(mail.smtpd_pids()), 1, "processes that served all of this")


for name_of_mechanism in MECHANISMS:
    case(f"{name_of_mechanism}: right and wrong", right_and_wrong, name_of_mechanism)


@case("beside PLAIN and LOGIN, and several in one session")
def _():
    mail.start(configuration(daemon.socket, mech_list="PLAIN LOGIN " + " ".join(MECHANISMS)))
    for mechanism in MECHANISMS:
        with mail.session() as session:
            session.ehlo()
            for other in MECHANISMS:
                expect(answer(session, other, ANN[0], "not-the-password"), WRONG, other)
            expect(session.auth_plain(ANN[0], "not-the-password"), WRONG)
            expect(answer(session, mechanism, *ANN), WELCOME, mechanism)
            expect(session.command(f"AUTH {mechanism}"), "503 ")
    expect(mail.login("LOGIN", *ANN), WELCOME)
    for user, password in (ANN, BLANK):
        expect(mail.login("PLAIN", user, guard.keep(
            daemon.accounts[user.encode()]["hmac-md5pw"])), WRONG)


@case("an account with a password and no secret, and the reverse")
def _():
    expect(mail.login("PLAIN", "paula@example.com", ANN[1]), WELCOME)
    for mechanism in MECHANISMS:
        check_refused(mechanism, "paula@example.com", ANN[1])
    expect(login("CRAM-MD5", "hanna@example.com", ANN[1]), WELCOME)
    check_refused("CRAM-SHA1", "hanna@example.com", ANN[1])
    check_refused("CRAM-SHA256", "hanna@example.com", ANN[1])
    expect(mail.login("PLAIN", "hanna@example.com", ANN[1]), WRONG)


# --- challenges


@case("no challenge comes twice, in fifty connections to two smtpd after each other")
def _():
    challenges = []
    for _ in range(2):
        mail.start(configuration(daemon.socket, mech_list="CRAM-MD5"))
        for _ in range(25):
            with mail.session() as session:
                session.ehlo()
                challenges.append(challenge_of(session, "CRAM-MD5").decode())
                expect(session.command("*"), "501 ")
    equal(len(set(challenges)), 50, "different challenges")
    for challenge in challenges:
        if not re.fullmatch(rf"<[^@<>\s]+@{re.escape(postfix.HOST)}>", challenge):
            raise AssertionError(f"{challenge} has not the form of RFC 2195")
    # They cannot be distinguished: each has a random part.
    beginnings = {challenge[:9] for challenge in challenges}
    equal(len(beginnings), 50, "different beginnings")


@case("no challenge comes twice in one session")
def _():
    mail.start(configuration(daemon.socket, mech_list=" ".join(MECHANISMS)))
    challenges = []
    with mail.session() as session:
        session.ehlo()
        for mechanism in list(MECHANISMS) * 2:
            challenges.append(challenge_of(session, mechanism))
            expect(session.command(b64("x " + "0" * DIGITS[mechanism])), WRONG)
    equal(len(set(challenges)), len(challenges), "different challenges")


def response_for_another(mechanism):
    """Right for a challenge, and wrong for any other."""
    with mail.session() as session:
        session.ehlo()
        challenge = challenge_of(session, mechanism)
        response = b64(f"{ANN[0]} {digest_of(mechanism, ANN[1], challenge)}")
        expect(session.command("*"), "501 ")
        # Later in the same session
        challenge_of(session, mechanism)
        expect(session.command(response), WRONG, "a response for the challenge before")
        # A response that was refused is not better when it comes again.
        challenge_of(session, mechanism)
        expect(session.command(response), WRONG, "the same again")
    with mail.session() as session:
        session.ehlo()
        challenge = challenge_of(session, mechanism)
        good = b64(f"{ANN[0]} {digest_of(mechanism, ANN[1], challenge)}")
        expect(session.command(good), WELCOME)
    for old in (response, good):
        with mail.session() as session:
            session.ehlo()
            challenge_of(session, mechanism)
            expect(session.command(old), WRONG, "a response of another session")
    # For another user, and with another mechanism
    with mail.session() as session:
        session.ehlo()
        digest = digest_of(mechanism, ANN[1], challenge_of(session, mechanism))
        expect(session.command(b64(f"{BLANK[0]} {digest}")), WRONG)


for name_of_mechanism in MECHANISMS:
    case(f"{name_of_mechanism}: a response for another challenge", response_for_another,
         name_of_mechanism)


@case("a response made with the hash of another mechanism")
def _():
    for mechanism in MECHANISMS:
        for other in MECHANISMS:
            if other != mechanism:
                expect(respond(mechanism, lambda challenge: (
                    f"{ANN[0]} {digest_of(other, ANN[1], challenge)}")), WRONG)
                # Cut or filled to the length that is wanted
                expect(respond(mechanism, lambda challenge: (
                    f"{ANN[0]} " + digest_of(other, ANN[1], challenge)[:DIGITS[mechanism]].ljust(
                        DIGITS[mechanism], "0"))), WRONG)


# --- what is no response

USER = ANN[0].encode()
MALFORMED = {
    "nothing but the digest": lambda digest: digest,
    "nothing but the name": lambda digest: USER,
    "no blank": lambda digest: USER + digest,
    "an empty name": lambda digest: b" " + digest,
    "a blank name": lambda digest: b"   " + digest,
    "a blank": lambda digest: b" ",
    "a digit too few": lambda digest: USER + b" " + digest[:-1],
    "a digit too many": lambda digest: USER + b" " + digest + b"0",
    "a letter that is no digit": lambda digest: USER + b" " + digest[:-1] + b"g",
    "a blank behind": lambda digest: USER + b" " + digest + b" ",
    "a newline behind": lambda digest: USER + b" " + digest + b"\n",
    "CR LF behind": lambda digest: USER + b" " + digest + b"\r\n",
    "a NUL behind": lambda digest: USER + b" " + digest + b"\0",
    "a NUL and more behind": lambda digest: USER + b" " + digest + b"\0 x",
    "a tab instead of the blank": lambda digest: USER + b"\t" + digest,
    "a NUL instead of the blank": lambda digest: USER + b"\0" + digest,
    "a newline instead of the blank": lambda digest: USER + b"\n" + digest,
    "a NUL in the name": lambda digest: USER + b"\0x " + digest,
    "a NUL before the name": lambda digest: b"\0" + USER + b" " + digest,
    "a newline in the name": lambda digest: USER + b"\nx " + digest,
    "a newline before the name": lambda digest: b"\n" + USER + b" " + digest,
    "a carriage return in the name": lambda digest: USER + b"\r " + digest,
    "a tab in the name": lambda digest: USER + b"\t " + digest,
    "a DEL in the name": lambda digest: USER + b"\x7f " + digest,
    "a whole second response": lambda digest: USER + b" " + digest + b"\n" + USER + b" " + digest,
    "a name that is not UTF-8": lambda digest: b"\xe9" + USER + b" " + digest,
    "a name of 1500 bytes": lambda digest: b"x" * 1500 + b" " + digest,
    "a name of 6000 bytes": lambda digest: b"x" * 6000 + b" " + digest,
}


def malformed(make):
    """Refused before anything is sent to the daemon."""
    for mechanism in MECHANISMS:
        witness.questions()
        mail.lines()
        reply = respond(mechanism, lambda challenge: make(
            digest_of(mechanism, ANN[1], challenge).encode()))
        expect(reply, WRONG, mechanism)
        equal(witness.questions(), [])
        lines = mail.lines()
        equal(postfix.problems(lines), [])
        one_line(postfix.refusals(lines), mechanism)
    expect(login("CRAM-MD5", *ANN), WELCOME)
    equal(len(mail.smtpd_pids()), 1, "processes that served all of this")


@case("with a witness between smtpd and authdaemond, all is as before")
def _():
    mail.start(configuration(witness.path, mech_list=" ".join(MECHANISMS)))
    for mechanism in MECHANISMS:
        for user, password in (ANN, BLANK):
            expect(login(mechanism, user, password), WELCOME)
            expect(login(mechanism, user, "not-the-password"), WRONG)


for label, function in MALFORMED.items():
    case(f"malformed: {label}", malformed, function)


@case("malformed: an empty response, an initial one, what is not base64")
def _():
    witness.questions()
    for mechanism in MECHANISMS:
        for response in ("", "=", "!!!!", "AAA"):
            with mail.session() as session:
                session.ehlo()
                challenge_of(session, mechanism)
                expect(session.command(response), "5", response)
        for initial in ("=", b64(f"{ANN[0]} " + "0" * DIGITS[mechanism]), "!!!!"):
            with mail.session() as session:
                session.ehlo()
                expect(session.command(f"AUTH {mechanism} {initial}"), "5", initial)
                expect(answer(session, mechanism, *ANN), WELCOME, "the next try")
                equal(len(witness.questions()), 1, "questions")
    equal(len(mail.smtpd_pids()), 1, "processes that served all of this")


@case("a client that gives up, or hangs up")
def _():
    witness.questions()
    for mechanism in MECHANISMS:
        with mail.session() as session:
            session.ehlo()
            challenge_of(session, mechanism)
            expect(session.command("*"), "501 ")
            expect(answer(session, mechanism, *ANN), WELCOME)
        with mail.session() as session:
            session.ehlo()
            challenge_of(session, mechanism)
            session.socket.shutdown(1)
    expect(login("CRAM-MD5", *ANN), WELCOME)
    equal(len(witness.questions()), len(MECHANISMS) + 1, "questions")
    equal(len(mail.smtpd_pids()), 1, "processes that served all of this")


# --- what the daemon receives


def logged_name(mechanism, user, password):
    """Logs in and returns the name that Postfix logs, and the question."""
    witness.questions()
    mail.lines()
    with mail.session() as session:
        session.ehlo()
        expect(answer(session, mechanism, user, password), WELCOME, user)
        expect(session.command(f"MAIL FROM:<{ANN[0]}>"), "250 ")
        expect(session.command(f"RCPT TO:<{FRIEND}>"), "250 ")
    (question,) = witness.questions()
    (line,) = [line for line in mail.lines() if "sasl_username=" in line]
    return line.partition("sasl_username=")[2], question


@case("the daemon judges the user whom Postfix logs, and the challenge that was sent")
def _():
    # Messages that are begun and left would have it wait for a second.
    mail.start(configuration(witness.path, mech_list=" ".join(MECHANISMS)), in_flow_delay="0s")
    for mechanism in MECHANISMS:
        for user, password in (ANN, BLANK, (" " + ANN[0], ANN[1]), (ANN[0] + "  ", ANN[1]),
                               (" " + BLANK[0] + " ", BLANK[1])):
            name, question = logged_name(mechanism, user, password)
            equal(name, user.strip())
            equal((question.service, question.kind), (b"smtp", mechanism.lower().encode()))
            challenge, response = map(base64.b64decode, question.lines)
            contains(challenge.decode(), "@" + postfix.HOST)
            equal(response.decode(), f"{name} {digest_of(mechanism, password, challenge)}")


@case("the domain of Postfix is part of a name that has none, for both")
def _():
    mail.start(configuration(witness.path, mech_list=" ".join(MECHANISMS)),
               smtpd_sasl_local_domain="example.com", in_flow_delay="0s")
    for mechanism in MECHANISMS:
        for user in ("ann", ANN[0]):
            name, question = logged_name(mechanism, user, ANN[1])
            equal(name, ANN[0])
            equal(base64.b64decode(question.lines[1]).decode().split()[0], name)


@case("the options of authdaemond concern these mechanisms, too")
def _():
    mail.start(configuration(witness.path, mech_list=" ".join(MECHANISMS),
                             authdaemond_service="esmtp", authdaemond_send_remote_ip="yes",
                             authdaemond_require_options="disablesmtp=0"))
    for mechanism in MECHANISMS:
        witness.questions()
        expect(login(mechanism, *ANN), WELCOME)
        expect(login(mechanism, ANN[0], "not-the-password"), WRONG)
        mail.lines()
        expect(login(mechanism, "disabled@example.com", ANN[1]), WRONG)
        one_line(postfix.refusals(mail.lines()), mechanism, "lacks a required option")
        equal({(question.service, question.remote_ip) for question in witness.questions()},
              {(b"esmtp", b"127.0.0.1")})


# --- outages


def check_outage(mechanism, *parts):
    for password in (ANN[1], "not-the-password"):
        mail.lines()
        expect(login(mechanism, ANN[0], password), OUTAGE, mechanism)
        one_line(postfix.problems(mail.lines()), mechanism, daemon.socket, *parts)


@case("authdaemond is stopped, or frozen")
def _():
    mail.start(configuration(daemon.socket, mech_list=" ".join(MECHANISMS),
                             authdaemond_timeout="0.4"))
    daemon.stop()
    for mechanism in MECHANISMS:
        check_outage(mechanism, "Connection refused")
    daemon.start()
    for mechanism in MECHANISMS:
        expect(login(mechanism, *ANN), WELCOME, mechanism)
    daemon.freeze()
    for mechanism in MECHANISMS:
        check_outage(mechanism, "timed out waiting for an answer")
    daemon.thaw()
    for mechanism in MECHANISMS:
        expect(login(mechanism, *ANN), WELCOME, mechanism)
        expect(login(mechanism, ANN[0], "not-the-password"), WRONG, mechanism)
    with smtplib.SMTP("127.0.0.1", mail.port) as client:
        mail.sessions += 1
        daemon.stop()
        try:
            client.login(*ANN)
            raise AssertionError("a login without authdaemond")
        except smtplib.SMTPAuthenticationError as error:
            equal(error.smtp_code, 454)
        finally:
            daemon.start()
    equal(len(mail.smtpd_pids()), 1, "processes that served all of this")


@case("log_level: 5 shows the steps")
def _():
    mail.start(configuration(daemon.socket, mech_list="CRAM-MD5", log_level="5"))
    expect(login("CRAM-MD5", *ANN), WELCOME)
    expect(login("CRAM-MD5", ANN[0], "not-the-password"), WRONG)
    text = "\n".join(mail.lines())
    for part in ("CRAM-MD5 by authdaemond", f'CRAM-MD5: user "{ANN[0]}": authenticated'):
        contains(text, part)


# --- where authdaemond is not in pwcheck_method

CLARA = ("clara", "Klartext-Kennwort-11")
table = database.Table(daemon.path("clear.sqlite"))
table.add(*CLARA)


def with_table(methods, **options):
    mail.start(configuration(daemon.socket, **{
        "pwcheck_method": methods, "auxprop_plugin": "sqlcrypt", "sql_engine": "sqlite3",
        "sql_database": table.path, "log_level": "5", "mech_list": " ".join(MECHANISMS),
        "sql_select": "SELECT password FROM mailbox WHERE local_part = '%u'", **options}))


def stock_is_used(**options):
    with_table("auxprop", **options)
    with mail.session() as session:
        equal(smtp.mechanisms(session.ehlo()), ["CRAM-MD5"])
        expect(session.command("AUTH CRAM-SHA256"), "535 ")
    expect(login("CRAM-MD5", *CLARA), WELCOME)
    expect(login("CRAM-MD5", CLARA[0], "not-the-password"), WRONG)
    expect(login("CRAM-MD5", *ANN), WRONG)
    lines = mail.lines()
    contains("\n".join(postfix.refusals(lines)), "incorrect digest response")
    for line in lines:
        lacks(line, "CRAM-MD5: user")
        lacks(line, "by authdaemond")


case("pwcheck_method: auxprop, clear text in the table: the stock CRAM-MD5", stock_is_used)
case("the same with the stock sql plug-in", lambda: stock_is_used(auxprop_plugin="sql"))


@case("the stock plug-ins alone: the same")
def _():
    both = mail.sasl_path
    mail.sasl_path = both.rpartition(":")[2]
    try:
        stock_is_used(auxprop_plugin="sql")
    finally:
        mail.sasl_path = both


@case("pwcheck_method: auxprop authdaemond: CRAM-MD5 is for users of authdaemond")
def _():
    for methods in ("auxprop authdaemond", "authdaemond auxprop"):
        with_table(methods, log_level=None)
        with mail.session() as session:
            equal(sorted(smtp.mechanisms(session.ehlo())), sorted(MECHANISMS))
        expect(login("CRAM-MD5", *ANN), WELCOME)
        check_refused("CRAM-MD5", ANN[0], "not-the-password")
        check_refused("CRAM-MD5", *CLARA)
        # What is in the table has no part in it.
        os.rename(table.path, table.path + ".away")
        try:
            expect(login("CRAM-MD5", ANN[0], "not-the-password"), WRONG)
            expect(login("CRAM-MD5", *ANN), WELCOME)
        finally:
            os.rename(table.path + ".away", table.path)


def stop_servers():
    witness.stop()
    daemon.stop()


tap.run(mail.close, stop_servers)
