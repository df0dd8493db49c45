#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Whatever bytes a client sends as a name and a password: either Courier's authdaemond
is asked about the user whom Postfix logs, or it is not asked. Control characters, which
end lines there, are refused. A witness between smtpd and the daemon sees everything
that is said. And whatever bytes a daemon answers: only a whole yes is a yes, only a no
is a no, and everything else is an outage."""

import re

import authdaemond
import guard
import postfix
import smtp
import tap
from authdaemond import configuration
from postfix import OUTAGE, WELCOME, WRONG, expect
from tap import case, equal

ANN = (b"ann@example.com", b"Kaninchenbau-7")
# So short that it may appear in the log, as a part of a name.
EVE = (b"eve@example.com", b"kurz")
FRIEND = "friend@example.net"

BYTES = range(1, 256)
CONTROLS = [*range(1, 32), 127]
# What ends names and lines in the text of a userdb
UNSTORABLE = (9, 10)

postfix.require()
authdaemond.require()
mail = postfix.Postfix()
daemon = authdaemond.Authdaemond()
witness = authdaemond.Witness(daemon.socket, daemon.directory)


def start_mail(**main):
    # Messages that are begun and left would have it wait for a second.
    mail.start(configuration(witness.path), in_flow_delay="0s", **main)


def is_utf8(text):
    try:
        text.decode()
        return True
    except UnicodeDecodeError:
        return False


def shortened(text):
    return repr(text) if len(text) < 80 else f"{text[:40]!r}... ({len(text)} bytes)"


class Observation:
    """One login: what the daemon was asked for it, and whom Postfix logs."""

    def __init__(self, mechanism, user, password):
        witness.questions()
        mail.lines()
        with mail.session() as session:
            session.ehlo()
            self.reply = self._auth(session, mechanism, user, password)
            if self.reply.startswith("235"):
                expect(session.command("MAIL FROM:<ann@example.com>"), "250 ")
                expect(session.command(f"RCPT TO:<{FRIEND}>"), "250 ")
        self.what = f"{mechanism} {shortened(user)} {shortened(password)}: {self.reply!r}"
        self.questions = witness.questions()
        self.lines = mail.lines()
        equal(postfix.problems(self.lines), [], self.what)
        self._check()

    @staticmethod
    def _auth(session, mechanism, user, password):
        if mechanism == "LOGIN":
            return session.auth_login(user, password)
        # A command may not be as long as a line that is asked for.
        guard.keep(password)
        expect(session.command("AUTH PLAIN"), "334")
        return session.command(smtp.b64(b"\0" + user + b"\0" + password))

    def _check(self):
        """What must be true of any login."""
        if self.reply[:3] not in ("235", "535"):
            raise AssertionError(self.what)
        if len(self.questions) > 1:
            raise AssertionError(f"{self.what}, after {len(self.questions)} questions")
        if self.reply.startswith("235"):
            equal(self.logged(), self.asked(), f"{self.what}, whom Postfix logs")
            if not self.questions[0].reply.endswith(b"\n.\n"):
                raise AssertionError(f"{self.what}, and {self.questions[0].reply!r}")

    def asked(self):
        return self.questions[0].lines[0] if self.questions else None

    def logged(self):
        (name,) = re.findall("sasl_username=(.*)$", "\n".join(self.lines), re.MULTILINE)
        return name.encode("utf-8", "surrogateescape")


def is_accepted(user, password, mechanism="PLAIN"):
    """Refused with exactly these words."""
    one = Observation(mechanism, user, password)
    expect(one.reply, WELCOME, one.what)
    equal(one.questions[0].lines[1], password, one.what)
    return one


def is_refused(user, password, mechanism="PLAIN"):
    """Refused by the daemon."""
    one = Observation(mechanism, user, password)
    expect(one.reply, WRONG, one.what)
    equal(len(one.questions), 1, f"{one.what}, questions")


def is_not_asked(user, password, mechanism="PLAIN"):
    """None of it reaches the daemon, and one line says so."""
    one = Observation(mechanism, user, password)
    expect(one.reply, WRONG, one.what)
    equal(one.questions, [], one.what)
    equal(len(postfix.refusals(one.lines)), 1, f"{one.what}, lines about refusals")


def check_one_process():
    equal(len(mail.smtpd_pids()), 1, "processes that served all of this")


# --- each byte in the name: as many accounts, all with the same password

PLACES = {
    "within": lambda byte: b"an" + byte + b"n@example.com",
    "behind": lambda byte: b"ann@example.com" + byte,
    "before": lambda byte: byte + b"ann@example.com",
}


def in_name(place):
    for number in BYTES:
        byte = bytes([number])
        user = PLACES[place](byte)
        if number in CONTROLS or not is_utf8(user):
            is_not_asked(user, ANN[1])
            continue
        is_refused(user, b"not-the-password")
        # libsasl2 makes names canonical: blanks around them go.
        if user.strip() in daemon.accounts:
            equal(is_accepted(user, ANN[1]).logged(), user.strip())
        else:
            is_refused(user, ANN[1])
    check_one_process()


@case("accounts with each byte in the name, and those that come out if it is lost")
def _():
    stored = authdaemond.hashed(ANN[1])
    names = [b"an", b"n", b"an@example.com", b"n@example.com", ANN[0], b"x", b"ann"]
    names += [make(bytes([number])) for make in PLACES.values() for number in BYTES
              if number not in UNSTORABLE and bytes([number]) != b"#"]
    for name in names:
        daemon.add(name, None, systempw=stored)
    daemon.publish()
    daemon.start()
    start_mail()
    for name in names[:7]:
        is_accepted(name, ANN[1])


for name_of_place in PLACES:
    case(f"each byte in the name, {name_of_place} it", in_name, name_of_place)


@case("control characters in the name, by LOGIN")
def _():
    for number in [0] + CONTROLS:
        is_not_asked(PLACES["within"](bytes([number])), ANN[1], "LOGIN")
    check_one_process()


@case("names with characters of several bytes, and what only looks like them")
def _():
    good = ["änn@example.com", "ann\u20ac@example.com", "\U0001f407@example.com", "an\u0301n"]
    for name in good:
        daemon.add(name, ANN[1])
    daemon.publish()
    for name in good:
        for mechanism in ("PLAIN", "LOGIN"):
            equal(is_accepted(name.encode(), ANN[1], mechanism).logged(), name.encode())
        is_not_asked(name.encode("utf-16-le"), ANN[1], "LOGIN")
        is_not_asked(name.encode()[:-1] + b"\xc3", ANN[1])
    for name in (b"ann\xc0\x80", b"ann\xc0\x8ax", b"ann\xed\xa0\x80", b"ann\xf4\x90\x80\x80"):
        is_not_asked(name, ANN[1])
    check_one_process()


# --- each byte in the password: as many accounts, each with one of its own


def user_of(number):
    return f"byte{number}@example.com".encode()


def password_of(number):
    return b"Wort" + bytes([number]) + b"schatz-9"


@case("accounts with each byte in the password")
def _():
    check_one_process()
    start_mail()
    for number in BYTES:
        if number != 10:  # which ends what userdbpw(8) reads
            daemon.add(user_of(number), password_of(number))
    daemon.publish()


@case("each byte in the password")
def _():
    for number in BYTES:
        if number in CONTROLS:
            is_not_asked(user_of(number), password_of(number))
            is_not_asked(ANN[0], password_of(number))
            is_not_asked(ANN[0], password_of(number), "LOGIN")
            is_not_asked(ANN[0], ANN[1] + bytes([number]))
            is_not_asked(ANN[0], bytes([number]) + ANN[1])
        else:
            equal(is_accepted(user_of(number), password_of(number)).logged(), user_of(number))
            is_refused(ANN[0], password_of(number))
            is_refused(ANN[0], ANN[1] + bytes([number]))
    check_one_process()


@case("a password that differs in one byte")
def _():
    for number in BYTES:
        if number not in CONTROLS:
            other = number + 1 if number + 1 not in (*CONTROLS, 256) else 33
            is_refused(user_of(number), password_of(other))
    check_one_process()


# --- attempts to say more than one thing


@case("another smtpd")
def _():
    start_mail()
    is_accepted(*ANN)


@case("a NUL, an empty name, an empty password")
def _():
    for user, password in ((ANN[0] + b"\0", ANN[1]), (b"\0" + ANN[0], ANN[1]),
                           (ANN[0], ANN[1] + b"\0"), (ANN[0], b"\0" + ANN[1]),
                           (ANN[0], b"\0"), (b"\0", ANN[1]), (b"", ANN[1]), (b" ", ANN[1]),
                           (ANN[0], b"")):
        is_not_asked(user, password, "LOGIN")
        is_not_asked(user, password)
    check_one_process()


@case("lines within a name or a password")
def _():
    daemon.add(*EVE)
    daemon.publish()
    is_accepted(*EVE)
    both = b"\n".join(EVE)
    whole = b"AUTH 24\nsmtp\nlogin\n" + both + b"\n"
    for user, password in (
            (both, b"x"), (both + b"\n", b"x"), (both + b"\n" + whole, b"x"),
            (b"x\n" + EVE[0], EVE[1]), (b"\n" + EVE[0], b"\n" + EVE[1]), (b"x", b"x\n" + whole),
            (b"x\n\nEXIT\n", b"x"), (b"x\r\n" + whole, b"x"), (EVE[0] + b"\n", EVE[1]),
            (EVE[0] + b"\r\n", EVE[1]), (EVE[0], EVE[1] + b"\n"), (EVE[0], EVE[1] + b"\r"),
            (EVE[0], b"x\n" + EVE[1]), (EVE[0], b"\r\n" + EVE[1])):
        for mechanism in ("PLAIN", "LOGIN"):
            is_not_asked(user, password, mechanism)
    check_one_process()


@case("words of the protocol and of formats as name and password")
def _():
    for word in (b"AUTH 10", b"FAIL", b".", b"login", b"TCPREMOTEIP=192.0.2.1", b"%s%n%d", b"=",
                 b"a|b=c", b"../../etc/passwd", b"'; --", b"\\", b'"', b"$1$x$y", b"-", b"a\\nb"):
        is_refused(word, ANN[1])
        # Names are in the log, passwords are not.
        is_refused(ANN[0], word + b" ")
        is_refused(word, word + b" ", "LOGIN")
    check_one_process()


# --- length: the daemon drops questions of more than 8 kB, and says nothing

LONGEST = 8191  # bytes after the line AUTH


def long_password(length):
    """Makes the question that long."""
    return b"p" * (length - len(b"smtp\nlogin\n" + ANN[0] + b"\n\n"))


@case("questions as long as the daemon takes them")
def _():
    for length in (512, 4096, LONGEST - 1, LONGEST):
        is_refused(ANN[0], long_password(length))
    check_one_process()


@case("longer ones")
def _():
    for length in (LONGEST + 1, LONGEST + 2, 9000):
        for mechanism in ("PLAIN", "LOGIN"):
            is_not_asked(ANN[0], long_password(length), mechanism)
    # What does not fit into a line of Postfix does not come so far.
    for length in (10240, 50000):
        for mechanism in ("PLAIN", "LOGIN"):
            witness.questions()
            expect(mail.login(mechanism, ANN[0], b"p" * length), "5")
            equal(witness.questions(), [])
    is_accepted(*ANN)
    check_one_process()


@case("long names")
def _():
    for length in (200, 500, 900):
        is_refused(b"u" * length, ANN[1])
    for length in (1100, 4000, 8000):
        is_not_asked(b"u" * length, ANN[1])
        is_not_asked(b"u" * length, ANN[1], "LOGIN")
    name = b"u" * 300 + b"@example.com"
    daemon.add(name, ANN[1])
    daemon.publish()
    equal(is_accepted(name, ANN[1]).logged(), name)
    check_one_process()


@case("a long password that is right")
def _():
    for length in (72, 100, 200):
        user, password = f"long{length}@example.com".encode(), guard.keep(b"Lang" * (length // 4))
        daemon.add(user, password)
        daemon.publish()
        is_accepted(user, password)
        is_refused(user, password[:-1])
        is_refused(user, password + b"g")
    check_one_process()


# --- the realm


@case("the domain of Postfix is part of a name that has none, for both")
def _():
    start_mail(smtpd_sasl_local_domain="example.com")
    for user in (b"ann", b" ann ", ANN[0]):
        for mechanism in ("PLAIN", "LOGIN"):
            equal(is_accepted(user, ANN[1], mechanism).logged(), ANN[0])
    is_refused(b"x", ANN[1])
    is_not_asked(b"ann\n@example.com", ANN[1])
    check_one_process()


# --- what a daemon may answer

YES = b"UID=1\nNAME=x\nPASSWD2=p\nOPTIONS=group=staff\n.\n"
# The reply; the answers without options required, with group=staff required, and
# with that where the daemon does not close.
REPLIES = {
    "a yes": (YES, WELCOME, WELCOME, OUTAGE),
    "a no": (b"FAIL\n", WRONG, WRONG, WRONG),
    "a no, and more": (b"FAIL\n" + YES, WRONG, WRONG, WRONG),
    "a yes, and more": (YES + b"FAIL\n", WELCOME, OUTAGE, OUTAGE),
    "two lines in a full name": (YES.replace(b"x", b"x\ny"), WELCOME, OUTAGE, OUTAGE),
    "an end in a full name": (YES.replace(b"x", b"x\n."), WELCOME, OUTAGE, OUTAGE),
    "a no in a full name": (YES.replace(b"x", b"x\nFAIL"), WELCOME, OUTAGE, OUTAGE),
    "options in a full name": (b"UID=1\nNAME=x\nOPTIONS=group=staff\nPASSWD2=p\n.\n",
                               WELCOME, OUTAGE, OUTAGE),
    "other options": (YES.replace(b"staff", b"web"), WELCOME, WRONG, OUTAGE),
    "nothing": (b"", OUTAGE, OUTAGE, OUTAGE),
    "a yes without its end": (YES[:-2], OUTAGE, OUTAGE, OUTAGE),
    "a yes without its last byte": (YES[:-1], OUTAGE, OUTAGE, OUTAGE),
    "a no without its last byte": (b"FAIL", OUTAGE, OUTAGE, OUTAGE),
    "an end alone": (b".\n", OUTAGE, OUTAGE, OUTAGE),
    "a NUL": (YES.replace(b"x", b"\0"), OUTAGE, OUTAGE, OUTAGE),
    "another protocol": (b"220 mail.example.com ESMTP\r\n", OUTAGE, OUTAGE, OUTAGE),
    "a long yes": (YES.replace(b"x", b"x" * 65000), WELCOME, WELCOME, OUTAGE),
    "too long a yes": (YES.replace(b"x", b"x" * 66000), OUTAGE, OUTAGE, OUTAGE),
}
scripted = authdaemond.Scripted()


def answers(position, **options):
    mail.start(configuration(scripted.path, **options))
    for name, reply in REPLIES.items():
        # All at once where that may take until the deadline.
        for first in (0,) if scripted.stays_open else (0, 3):
            scripted.pieces = [reply[0][:first], reply[0][first:]]
            expect(mail.login("PLAIN", "ann", ANN[1]), reply[position], name)
    check_one_process()


@case("answers of all kinds")
def _():
    scripted.stays_open = False
    answers(1)
    answers(2, authdaemond_require_options="group=staff")


@case("the same, and the daemon does not close")
def _():
    scripted.stays_open = True
    answers(1, authdaemond_timeout="0.3")
    answers(3, authdaemond_timeout="0.3", authdaemond_require_options="group=staff")


def stop_servers():
    scripted.stop()
    witness.stop()
    daemon.stop()


tap.run(mail.close, stop_servers)
