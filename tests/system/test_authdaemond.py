#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Logins through an unmodified Postfix that Courier's authdaemond judges: as a guide
prints it, with the daemon's modules, with our options, and together with other sources
of users."""

import os

import authdaemond
import checkpass
import database
import guard
import plugins
import postfix
import saslauthd
import servers
import smtp
import tap
from authdaemond import configuration
from postfix import OUTAGE, WELCOME, WRONG, expect
from smtp import b64
from tap import case, contains, equal, lacks

MECHANISMS = ("PLAIN", "LOGIN")

ANN = ("ann@example.com", "Kaninchenbau-7")
FRIEND = "friend@example.net"

postfix.require()
authdaemond.require()
mail = postfix.Postfix()
daemon = authdaemond.Authdaemond()
witness = authdaemond.Witness(daemon.socket, daemon.directory)


def check(user, password, want):
    for mechanism in MECHANISMS:
        expect(mail.login(mechanism, user, password), want, f"{mechanism} {user}")


def one_line(lines, *parts):
    equal(len(lines), 1, f"number of {lines}")
    for part in parts:
        contains(lines[0], part)


def check_refused(user, password, *parts):
    """One line gives the reason, and no line calls for action."""
    for mechanism in MECHANISMS:
        mail.lines()
        expect(mail.login(mechanism, user, password), WRONG, f"{mechanism} {user}")
        lines = mail.lines()
        equal(postfix.problems(lines), [])
        one_line(postfix.refusals(lines), mechanism, f'"{user}"', *parts)


# --- as the guide prints it


def about_sql(lines):
    """The test's directory has such a name, too."""
    return [line for line in lines if "sql" in line.replace(mail.directory, "").replace(
        daemon.directory, "").lower()]


def guide_logins():
    check(*ANN, WELCOME)
    check(ANN[0], "not-the-password", WRONG)
    check("nobody@example.com", ANN[1], WRONG)
    check("ann", ANN[1], WRONG)
    check(ANN[0], daemon.stored(ANN[0]), WRONG)


def guide_outage():
    daemon.stop()
    try:
        check(*ANN, OUTAGE)
        check(ANN[0], "not-the-password", OUTAGE)
        contains("\n".join(postfix.problems(mail.lines())), daemon.socket)
    finally:
        daemon.start()
    guide_logins()
    equal(len(mail.smtpd_pids()), 1, "processes that served all of this")


@case("the guide: right password 235, wrong one, unknown user and stored hash 535")
def _():
    daemon.add(*ANN)
    daemon.publish()
    daemon.start()
    mail.start(authdaemond.GUIDE.format(path=daemon.socket))
    guide_logins()


case("the guide: authdaemond is stopped", guide_outage)


@case("the guide: the steps are shown, and nothing is said about SQL")
def _():
    text = mail.log()
    for part in ("PLAIN by authdaemond", "LOGIN by authdaemond", f'user "{ANN[0]}"'):
        contains(text, part)
    # The stock plug-in is there, and would have a lot to say.
    equal(about_sql(text.splitlines()), [])


def guide_spelt(idiom):
    """The other spelling of the idiom says the same."""
    text = authdaemond.GUIDE.format(path=daemon.socket).replace("sql_select: dummy\n", idiom)
    contains(text, idiom)
    mail.start(text)
    guide_logins()
    contains(mail.log(), "LOGIN by authdaemond")
    equal(about_sql(mail.log().splitlines()), [])


for spelling in ("sql_select: dummy select\n", "sql_select:  Dummy   SELECT \n",
                 "sql_statement: dummy select\n"):
    case(f"the guide with {spelling.strip()}: nothing is said about SQL", guide_spelt, spelling)


@case("the guide: without the stock sql plug-in nothing is said about SQL")
def _():
    path = os.path.join(mail.directory, "without-sql")
    os.mkdir(path)
    alone = plugins.stock(path)
    for name in os.listdir(alone):
        if name.startswith("libsql."):
            os.unlink(os.path.join(alone, name))
    both, mail.sasl_path = mail.sasl_path, f"{plugins.under_test()}:{alone}"
    try:
        mail.start(authdaemond.GUIDE.format(path=daemon.socket))
        guide_logins()
        guide_outage()
        equal(about_sql(mail.log().splitlines()), [])
        contains(mail.log(), "LOGIN by authdaemond")
    finally:
        mail.sasl_path = both


@case("EHLO announces what mech_list says, each once")
def _():
    mail.start(authdaemond.GUIDE.format(path=daemon.socket), broken_sasl_auth_clients="yes")
    with mail.session() as session:
        offered = [line for line in smtp.capabilities(session.ehlo()) if line.startswith("AUTH")]
    equal(sorted(offered[0].split()), ["AUTH", "LOGIN", "PLAIN"])
    equal(offered[1:], [offered[0].replace("AUTH ", "AUTH=")])
    for names in ("PLAIN", "LOGIN", "PLAIN LOGIN CRAM-MD5 CRAM-SHA1 CRAM-SHA256"):
        mail.start(configuration(daemon.socket, mech_list=names))
        with mail.session() as session:
            equal(sorted(smtp.mechanisms(session.ehlo())), sorted(names.split()))


def send_message(session, mark):
    """Submits a message to another domain, up to the end of its text."""
    expect(session.command(f"MAIL FROM:<{ANN[0]}>"), "250 2.1.0 Ok")
    expect(session.command(f"RCPT TO:<{FRIEND}>"), "250 2.1.5 Ok")
    expect(session.command("DATA"), "354 ")
    expect(session.command(f"From: {ANN[0]}\r\nTo: {FRIEND}\r\nSubject: {mark}\r\n"
                           "\r\nWith kind regards\r\n."), "250 2.0.0 Ok: queued as")


@case("the telnet dialogue of the guide, and the message arrives")
def _():
    guard.keep(ANN[1])
    mail.start(authdaemond.GUIDE.format(path=daemon.socket),
               smtpd_sasl_authenticated_header="yes")
    with mail.session() as session:
        equal(session.greeting, f"220 {postfix.HOST} ESMTP Postfix")
        equal(session.command("HELO example.com"), f"250 {postfix.HOST}")
        equal(session.command("AUTH LOGIN"), "334 VXNlcm5hbWU6")
        equal(session.command(b64(ANN[0])), "334 UGFzc3dvcmQ6")
        equal(session.command(b64(ANN[1])), "235 2.7.0 Authentication successful")
        send_message(session, "telnet")
        equal(session.command("QUIT"), "221 2.0.0 Bye")
    message = mail.sink.message("Subject: telnet")
    contains(message, "With kind regards")
    contains(smtp.header(message, "Received"), f"(Authenticated sender: {ANN[0]})")


@case("the same without AUTH, and after a refused one: nothing is relayed")
def _():
    for refused in (False, True):
        with mail.session() as session:
            equal(session.command("HELO example.com"), f"250 {postfix.HOST}")
            if refused:
                expect(session.auth_login(ANN[0], "not-the-password"), WRONG)
            expect(session.command(f"MAIL FROM:<{ANN[0]}>"), "250 2.1.0 Ok")
            expect(session.command(f"RCPT TO:<{FRIEND}>"), "554 5.7.1 ")


@case("PLAIN with an authorization identity")
def _():
    for authzid, want in ((ANN[0], WELCOME), ("bob@example.com", WRONG), ("ann", WRONG)):
        with mail.session() as session:
            session.ehlo()
            expect(session.auth_plain(*ANN, authzid), want, authzid)


# --- what is logged otherwise


@case("without log_level: success is silent, and a refusal is one line")
def _():
    mail.start(configuration(daemon.socket))
    check(*ANN, WELCOME)
    equal([line for line in mail.lines() if "SASL" in line], [])
    for user, password in ((ANN[0], "not-the-password"), ("nobody@example.com", ANN[1]),
                           (ANN[0], daemon.stored(ANN[0]))):
        check_refused(user, password, "no such user or wrong password")


@case("all of this in one smtpd, and log_level: 0 shows none of it")
def _():
    equal(len(mail.smtpd_pids()), 1, "processes that served all of this")
    mail.start(configuration(daemon.socket, log_level="0"))
    check(*ANN, WELCOME)
    check(ANN[0], "not-the-password", WRONG)
    lines = mail.lines()
    equal(postfix.problems(lines) + postfix.refusals(lines), [])


@case("the name that was sent is told, and a realm that Postfix adds")
def _():
    mail.start(configuration(daemon.socket))
    check_refused("carl", "not-the-password", 'no such user or wrong password; asked for "carl"')
    mail.start(configuration(daemon.socket), smtpd_sasl_local_domain="example.net")
    check_refused("carl", "not-the-password",
                  'asked for "carl@example.net", with the realm of the program')


# --- modules of authdaemond

SUE = ("sue@example.com", "Sommerwiese-8")
PAUL = ("paul@example.com", "Pavillon-im-Park-9")
table = database.Table(daemon.path("users.sqlite"))
table.add("sue", database.crypt(SUE[1], "$6$", 1000))
postgres = []


def modules_start():
    if not servers.Postgres.installed():
        raise tap.Skip("postgres is not installed")
    postgres.append(servers.Postgres())
    postgres[0].start()
    postgres[0].create_mail()
    postgres[0].add("paul", database.crypt(PAUL[1], "$6$", 1000))
    daemon.use_sqlite(table)
    daemon.use_postgres(postgres[0])


HOMES = {"authuserdb": ANN, "authsqlite": SUE, "authpgsql": PAUL}


def modules(names):
    if not postgres:
        raise tap.Skip("postgres is not installed")
    daemon.start(names)
    mail.start(configuration(daemon.socket))
    for name, (user, password) in HOMES.items():
        check(user, password, WELCOME if name in names.split() else WRONG)
        check(user, "not-the-password", WRONG)
        check(user, ANN[1] if user != ANN[0] else SUE[1], WRONG)
    for user, source in ((SUE[0], table), (PAUL[0], postgres[0])):
        check(user, source.stored(user.partition("@")[0])[0], WRONG)
    check("nobody@example.com", ANN[1], WRONG)
    equal(postfix.problems(mail.lines()), [])


case("PostgreSQL starts", modules_start)
for names_of_modules in ("authsqlite", "authpgsql", "authuserdb authsqlite authpgsql",
                         "authpgsql authsqlite authuserdb"):
    case(f'authmodulelist="{names_of_modules}"', modules, names_of_modules)


def check_outage(user, password, *parts):
    for mechanism in MECHANISMS:
        mail.lines()
        expect(mail.login(mechanism, user, password), OUTAGE, f"{mechanism} {user}")
        one_line(postfix.problems(mail.lines()), mechanism, daemon.socket, *parts)


@case("the database of a module is locked: the daemon gives no verdict")
def _():
    daemon.start("authuserdb authsqlite")
    mail.start(configuration(daemon.socket))
    lock = table.lock()
    try:
        check(*ANN, WELCOME)
        equal(postfix.problems(mail.lines()), [])
        for user, password in (SUE, (SUE[0], "not-the-password"), ("nobody@example.com", SUE[1]),
                               (ANN[0], "not-the-password")):
            check_outage(user, password, "closed without a verdict")
    finally:
        lock.close()
    check(*SUE, WELCOME)
    check(SUE[0], "not-the-password", WRONG)
    equal(len(mail.smtpd_pids()), 1, "processes that served all of this")


@case("the database of a module is away")
def _():
    os.rename(table.path, table.path + ".away")
    daemon.start("authsqlite authuserdb")
    try:
        for user, password in (SUE, ANN, (ANN[0], "not-the-password")):
            check_outage(user, password, "closed without a verdict")
    finally:
        os.rename(table.path + ".away", table.path)
    check(*SUE, WELCOME)
    check(*ANN, WELCOME)
    check(ANN[0], "not-the-password", WRONG)
    equal(len(mail.smtpd_pids()), 1, "processes that served all of this")


@case("the database of a module hangs")
def _():
    if not postgres:
        raise tap.Skip("postgres is not installed")
    daemon.start("authuserdb authpgsql")
    postgres[0].freeze()
    try:
        check_outage(*PAUL, "timed out waiting for an answer")
        check(*ANN, WELCOME)
    finally:
        postgres[0].thaw()
    check(*PAUL, WELCOME)
    check(PAUL[0], "not-the-password", WRONG)
    equal(len(mail.smtpd_pids()), 1, "processes that served all of this")


@case("PostgreSQL is stopped: whatever authpgsql makes of it is what we answer")
def _():
    if not postgres:
        raise tap.Skip("postgres is not installed")
    postgres[0].stop()
    mail.start(configuration(witness.path))
    for user, password in (PAUL, (PAUL[0], "not-the-password")):
        for mechanism in MECHANISMS:
            witness.questions()
            reply = mail.login(mechanism, user, password)
            (question,) = witness.questions()
            # Version 0.71 takes an outage for an unknown user.
            expect(reply, {b"FAIL\n": WRONG, b"": OUTAGE}[question.reply])


# --- full names with line breaks, as a web page may store them

# They follow the address; the password and the options come after them.
FULL_NAMES = {
    "plain": "Ann Anders", "lines": "Ann\nAnders", "atend": "Ann\n", "crlf": "Ann\r\n.\r\nA=b",
    "no": "x\nFAIL", "end": "x\n.", "option": "x\nOPTIONS=group=staff",
    "all": "x\nPASSWD2=p\nOPTIONS=group=staff\n.", "attribute": "x\nA=b"}
# One table for each of these; "active" is the column that comes next.
RIGHTS = {"have": "group=staff", "not": "group=web", "none": "", "off": "disablesmtp=1"}


def full_names_start(rights):
    for user, name in FULL_NAMES.items():
        table.add(f"{user}-{rights}", database.crypt(ANN[1], "$6$", 1000),
                  active=RIGHTS[rights])
        table.run("UPDATE mailbox SET name = ? WHERE local_part = ?", name, f"{user}-{rights}")
    daemon.use_sqlite(table, AUXOPTIONS_FIELD="active")
    daemon.start("authsqlite")


def full_names(rights):
    full_names_start(rights)
    mail.start(configuration(witness.path))
    for user, name in FULL_NAMES.items():
        address = f"{user}-{rights}@example.com"
        witness.questions()
        check(address, ANN[1], WELCOME)
        for question in witness.questions():
            contains(question.reply, b"\nNAME=" + name.encode() + b"\n")
        check(address, "not-the-password", WRONG)
    equal(postfix.problems(mail.lines()), [])
    equal(len(mail.smtpd_pids()), 1, "processes that served all of this")


def full_names_required(rights, required, want):
    """A user's name may lock out that user, but nobody else."""
    mail.start(configuration(daemon.socket, authdaemond_require_options=required))
    for user in FULL_NAMES:
        address = f"{user}-{rights}@example.com"
        if user in ("plain", "attribute"):
            check(address, ANN[1], want)
        else:
            check_outage(address, ANN[1], "malformed reply", "line break in its full name")
        check(address, "not-the-password", WRONG)


for label, demand_of_label, outcome in (
        ("have", "group=staff", WELCOME), ("not", "group=staff", WRONG),
        ("none", "group=staff", WRONG), ("none", "disablesmtp=0", WELCOME),
        ("off", "disablesmtp=0", WRONG)):
    if label != "none" or outcome == WRONG:
        case(f"line breaks in full names, OPTIONS={RIGHTS[label]}", full_names, label)
    case(f"line breaks in full names, OPTIONS={RIGHTS[label]}, required {demand_of_label}",
         full_names_required, label, demand_of_label, outcome)


# --- options


def start_with(**options):
    mail.start(configuration(None, **options))


@case("authdaemon_path, as the manual of libsasl2 spells it")
def _():
    daemon.start()
    start_with(authdaemon_path=daemon.socket)
    check(*ANN, WELCOME)
    check(ANN[0], "not-the-password", WRONG)
    start_with(authdaemond_path=daemon.socket, authdaemon_path="/nonexistent/socket")
    check(*ANN, WELCOME)
    start_with(authdaemond_path="/nonexistent/socket", authdaemon_path=daemon.socket)
    check(*ANN, OUTAGE)
    contains("\n".join(postfix.problems(mail.lines())), "/nonexistent/socket")


@case("names with sasl_ before them")
def _():
    text = configuration(daemon.socket, authdaemond_require_options="disablesmtp=0")
    mail.start("".join(f"sasl_{line}\n" if not line.startswith("mech_list") else line + "\n"
                       for line in text.splitlines()))
    check(*ANN, WELCOME)
    check(ANN[0], "not-the-password", WRONG)


@case("authdaemond_service: an account may have a password for each service")
def _():
    words = {"systempw": "Fuer-alles-andere-1", "smtppw": "Nur-fuer-smtp-2",
             "esmtppw": "Nur-fuer-esmtp-3"}
    daemon.add("dora@example.com", None, **{name: authdaemond.hashed(password)
                                            for name, password in words.items()})
    daemon.publish()
    for options, main, name, service in (
            ({}, {}, "smtppw", b"smtp"),
            ({"authdaemond_service": "esmtp"}, {}, "esmtppw", b"esmtp"),
            ({"authdaemond_service": "submission"}, {}, "systempw", b"submission"),
            # Postfix names its service so
            ({"authdaemond_service": "smtp"}, {"smtpd_sasl_service": "smtp"}, "smtppw", b"smtp")):
        mail.start(configuration(witness.path, **options), **main)
        witness.questions()
        for other, password in words.items():
            check("dora@example.com", password, WELCOME if other == name else WRONG)
        equal({question.service for question in witness.questions()}, {service})
        # Who has one password has it for all.
        check(*ANN, WELCOME)


OPTIONS = {"none": None, "enabled": "disablesmtp=0", "disabled": "disablesmtp=1",
           "other": "disableimap=1", "staff": "group=staff", "guest": "group=guest",
           "both": "disablesmtp=0,group=staff", "bothoff": "group=staff,disablesmtp=1",
           "twice": "disablesmtp=1,disablesmtp=0", "longer": "disablesmtp=10",
           "part": "xdisablesmtp=1,disablesmtpx=1"}
SMTP = {"none", "enabled", "other", "staff", "guest", "both", "part"}
STAFF = {"staff", "both", "bothoff"}
REQUIRED = {
    None: set(OPTIONS),
    "disablesmtp=0": SMTP,
    "disablesmtp=1": {"disabled", "bothoff", "twice"},
    "group=staff": STAFF,
    "disablesmtp=0,group=staff": SMTP & STAFF,
    "group=staff, disablesmtp=0": SMTP & STAFF,
    "group=0": set(OPTIONS) - STAFF - {"guest"},
    "group=": set(),
}


def options_required(required):
    mail.start(configuration(daemon.socket, authdaemond_require_options=required))
    for user in OPTIONS:
        if user in REQUIRED[required]:
            expect(mail.login("PLAIN", user, ANN[1]), WELCOME, user)
        else:
            check_refused(user, ANN[1], "lacks a required option")
        expect(mail.login("LOGIN", user, "not-the-password"), WRONG, user)
    equal(postfix.problems(mail.lines()), [])


@case("accounts with options")
def _():
    for user, options in OPTIONS.items():
        daemon.add(user, ANN[1], **({"options": options} if options is not None else {}))
    daemon.publish()


for words_of_options in REQUIRED:
    case(f"authdaemond_require_options: {words_of_options}", options_required, words_of_options)


@case("authdaemond_require_options, with options that the daemon has for all")
def _():
    mail.start(configuration(witness.path, authdaemond_require_options="group=staff"))
    daemon.start(DEFAULTOPTIONS="group=staff")
    try:
        witness.questions()
        reply = mail.login("PLAIN", "none", ANN[1])
        (question,) = witness.questions()
        # The daemon may leave that to its clients.
        expect(reply, WELCOME if b"OPTIONS=group=staff\n" in question.reply else WRONG)
        expect(mail.login("PLAIN", "guest", ANN[1]), WRONG)
        expect(mail.login("PLAIN", "staff", ANN[1]), WELCOME)
    finally:
        daemon.start()


@case("authdaemond_send_remote_ip")
def _():
    for value, address in ((None, None), ("no", None), ("yes", b"127.0.0.1")):
        mail.start(configuration(witness.path, authdaemond_send_remote_ip=value))
        witness.questions()
        check(*ANN, WELCOME)
        check(ANN[0], "not-the-password", WRONG)
        equal({question.remote_ip for question in witness.questions()}, {address}, str(value))
        mail.start(configuration(daemon.socket, authdaemond_send_remote_ip=value))
        check(*ANN, WELCOME)
        check(ANN[0], "not-the-password", WRONG)


@case("one question for each login, whole, and nothing else")
def _():
    mail.start(configuration(witness.path))
    for user, password in (ANN, (ANN[0], "not-the-password"), ("nobody@example.com", ANN[1])):
        for mechanism in MECHANISMS:
            witness.questions()
            mail.login(mechanism, user, password)
            (question,) = witness.questions()
            equal((question.kind, question.lines), (b"login", (user.encode(), password.encode())))


# --- a list of methods

TABEA, CAROL = ("tabea", "Tafelspitz-7"), ("carol", "Weihnachtslied-5")
ANNA = ("anna", "Ananas-im-Garten-4")
# With a password of its own in each
SHARED = {"authdaemond": "Dreimal-daheim-1", "auxprop": "Dreimal-daheim-2",
          "saslauthd": "Dreimal-daheim-3"}
HERE = {"auxprop": TABEA, "saslauthd": CAROL}

shadow = {"carol": database.crypt(CAROL[1], "$6$", 1000),
          "shared": database.crypt(SHARED["saslauthd"], "$6$", 1000)}
table.add("tabea", database.crypt(TABEA[1]))
table.add("shared", database.crypt(SHARED["auxprop"]))
saslauth = saslauthd.Saslauthd(mail.directory, shadow) if saslauthd.why_not() is None else None


class Away:
    """A source of users that is down for a while."""

    def __init__(self, source):
        self.source = source

    def __enter__(self):
        if self.source == "auxprop":
            os.rename(table.path, table.path + ".away")
        else:
            {"authdaemond": daemon, "saslauthd": saslauth}[self.source].stop()

    def __exit__(self, *_):
        if self.source == "auxprop":
            os.rename(table.path + ".away", table.path)
        else:
            {"authdaemond": daemon, "saslauthd": saslauth}[self.source].start()


def check_both(other):
    mail.lines()
    for user, password in (ANNA, HERE[other], ("shared", SHARED["authdaemond"]),
                           ("shared", SHARED[other])):
        check(user, password, WELCOME)
    for user, password in (("anna", HERE[other][1]), (HERE[other][0], ANNA[1]),
                           ("shared", "not-the-password"), ("nobody", ANNA[1])):
        check(user, password, WRONG)
    equal(postfix.problems(mail.lines()), [])


def list_start(methods, other):
    if other == "saslauthd" and saslauth is None:
        raise tap.Skip(saslauthd.why_not())
    daemon.add(*ANNA)
    daemon.add("shared", SHARED["authdaemond"])
    daemon.publish()
    daemon.start()
    if other == "saslauthd":
        saslauth.start()
    options = {} if other == "saslauthd" else {
        "auxprop_plugin": "sqlcrypt", "password_format": "crypt", "sql_engine": "sqlite3",
        "sql_database": table.path,
        "sql_select": "SELECT password FROM mailbox WHERE local_part = '%u'"}
    mail.start(configuration(daemon.socket, pwcheck_method=methods, **options)
               + (f"saslauthd_path: {saslauth.mux}\n" if other == "saslauthd" else ""))
    check_both(other)


def list_hashes(other):
    if other == "saslauthd" and saslauth is None:
        raise tap.Skip(saslauthd.why_not())
    stored = [daemon.stored("anna"), daemon.stored("shared")]
    stored += list(shadow.values()) if other == "saslauthd" else (
        table.stored("tabea") + table.stored("shared"))
    for text in stored:
        for user in ("anna", HERE[other][0], "shared"):
            check(user, text, WRONG)


def list_away(other, away):
    """Users of the source that is up log in. For all others, it is unknown whether they
    exist."""
    if other == "saslauthd" and saslauth is None:
        raise tap.Skip(saslauthd.why_not())
    there = other if away == "authdaemond" else "authdaemond"
    present, absent = (HERE[other], ANNA) if there == other else (ANNA, HERE[other])
    with Away(away):
        check(*present, WELCOME)
        check("shared", SHARED[there], WELCOME)
        for user, password in (absent, ("shared", SHARED[away]), (absent[0], "not-the-password"),
                               (present[0], "not-the-password"), ("nobody", ANNA[1])):
            mail.lines()
            check(user, password, OUTAGE)
            lines = "\n".join(postfix.problems(mail.lines()))
            contains(lines, {"authdaemond": daemon.socket, "auxprop": table.path,
                             "saslauthd": "saslauthd"}[away])
    check_both(other)
    equal(len(mail.smtpd_pids()), 1, "processes that served all of this")


def list_all_away(other):
    if other == "saslauthd" and saslauth is None:
        raise tap.Skip(saslauthd.why_not())
    with Away("authdaemond"), Away(other):
        for user, password in (ANNA, HERE[other], ("nobody", ANNA[1])):
            check(user, password, OUTAGE)
    check_both(other)


for second in ("auxprop", "saslauthd"):
    for list_of_methods in (f"authdaemond {second}", f"{second} authdaemond"):
        label = f"pwcheck_method: {list_of_methods}"
        case(f"{label}: users of either source log in", list_start, list_of_methods, second)
        case(f"{label}: a hash never does", list_hashes, second)
        case(f"{label}: authdaemond is away", list_away, second, "authdaemond")
        case(f"{label}: the other is away", list_away, second, second)
        case(f"{label}: both are away", list_all_away, second)


@case("a user of authdaemond is not asked for elsewhere, if nobody lists it")
def _():
    mail.start(configuration(witness.path, pwcheck_method="authdaemond",
                             auxprop_plugin="sqlcrypt", password_format="crypt",
                             sql_engine="sqlite3", sql_database=table.path,
                             sql_select="SELECT password FROM mailbox WHERE local_part = '%u'"))
    check(*ANNA, WELCOME)
    check(*TABEA, WRONG)
    check("tabea", table.stored("tabea")[0], WRONG)
    equal(len(witness.questions()), 6, "questions")
    lacks("\n".join(mail.lines()), "sqlite3")


@case("a program that calls sasl_checkpass reaches the daemon through libsasl2 itself")
def _():
    daemon.start()
    results, lines = checkpass.check(
        mail.directory, plugins.under_test(),
        f"pwcheck_method: authdaemond\nauthdaemond_path: {daemon.socket}\n",
        ANN, (ANN[0], "not-the-password"), ("nobody@example.com", ANN[1]))
    equal(results, [checkpass.OK, checkpass.BADAUTH, checkpass.BADAUTH])
    equal([line for line in lines if "sqlcrypt" in line or "pwverify" in line], [])


def stop_servers():
    witness.stop()
    daemon.stop()
    if saslauth is not None:
        saslauth.stop()
    for server in postgres:
        server.stop()


tap.run(mail.close, stop_servers)
