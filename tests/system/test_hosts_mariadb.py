#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""An unmodified Postfix with more than one MariaDB: names with several addresses, a
Galera cluster, replication, HAProxy, and full hosts. Whatever happens to one of them
during logins, no right password is refused, no wrong one is accepted, and no login
fails temporarily while any host can answer.

With --long, every node of the cluster is injured in every way, with each way to list
them; the short form takes a selection."""

import os
import re
import socket
import subprocess
import sys
import time

import certificates
import configuration
import crowd
import database
import galera
import guard
import many_hosts
import plugins
import postfix
import saslauthd
import servers
import tap
from daemon import wait_for
from postfix import OUTAGE, WELCOME, WRONG, expect
from tap import case, contains, equal

LONG = "--long" in sys.argv[1:]
ALICE = "Kaninchenbau-7"
CAROL = "Weihnachtslied-5"
RIGHT = ("alice", ALICE)
INCORRECT = ("alice", "not-the-password")
UNKNOWN = ("nobody-knows-me", ALICE)
VERDICTS = {RIGHT: WELCOME, INCORRECT: WRONG, UNKNOWN: WRONG}
NAME = "db.test"
TIMEOUT = 6  # seconds
CLIENTS = 6
EXAMPLES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..",
                        "sasl2-conf-examples")

postfix.require()
plugins.require_drivers("mysql")
servers.require(servers.MariaDB)
if many_hosts.WRAPPER is None:
    tap.skip_all("libnss_wrapper is not installed")
mail = postfix.Postfix()
names = mail.path("hosts")
one = galera.At("127.0.0.2")
two = None  # with the same users, at the same port
cluster = galera.Cluster(["127.0.0.11", "127.0.0.12", "127.0.0.13"])
certificate_authority = certificates.Authority(tap.directory())
proxies = []
shadow = saslauthd.Saslauthd(mail.directory, {"carol": database.crypt(CAROL, "$6$", 1000)}) \
    if saslauthd.why_not() is None else None


# --- what all cases share


def start(hosts, addresses=(), processes=1, **options):
    """A Postfix that finds these addresses for NAME."""
    start_with(configuration.canonical(one, hosts, **{"sql_timeout": str(TIMEOUT), **options}),
               addresses, processes)


def start_with(smtpd_conf, addresses=(), processes=1):
    with open(names, "w", encoding="ascii") as file:
        file.writelines(f"{address} {NAME}\n" for address in addresses)
    mail.start(
        smtpd_conf, processes=processes, smtpd_sasl_local_domain="example.com",
        import_environment="MAIL_CONFIG MAIL_LOGTAG TZ LANG=C POSTLOG_SERVICE POSTLOG_HOSTNAME "
        f"SASL_PATH={mail.sasl_path} LD_PRELOAD={many_hosts.WRAPPER} NSS_WRAPPER_HOSTS={names}")


def check_logins(what):
    """All logins are judged. Returns what the log says about hosts."""
    mail.lines()
    for user, want in VERDICTS.items():
        expect(mail.login("PLAIN", *user), want, f"{what}, {user}, {mail.log()[-2000:]}")
    return postfix.problems(mail.lines())


def check_passed_over(what, *parts):
    """All logins are judged, and only the first of them logged that a host was
    skipped."""
    problems = check_logins(what)
    equal(len(problems), 1, f"{what}: problems {problems}")
    for part in parts:
        contains(problems[0], part, what)


@case("two servers with the same users")
def _():
    global two
    one.start()
    one.create_mail()
    one.add("alice", database.crypt(ALICE))
    one.run(f"ALTER TABLE mailbox ADD id INT AUTO_INCREMENT PRIMARY KEY,"
            f" ADD UNIQUE (username(190));"
            f"GRANT INSERT, UPDATE ON mailbox TO {one.user};"
            f"GRANT REPLICATION SLAVE ON *.* TO replica@'%' IDENTIFIED BY ?", one.password)
    one.stop()
    two = galera.At("127.0.0.3", one.port, one)


# --- storing, as saslpasswd2 does


STORING = {
    "password_store_scheme": "SHA256-CRYPT",
    "sql_select": "SELECT password FROM mailbox WHERE username = CONCAT('%u', '@', '%r')",
    "sql_insert": "INSERT INTO mailbox (username, password)"
                  " VALUES (CONCAT('%u', '@', '%r'), '%v')",
    "sql_update": "UPDATE mailbox SET password = '%v' WHERE username = CONCAT('%u', '@', '%r')",
}


class Store:
    """A saslpasswd2 that has started."""

    count = 0

    def __init__(self, password, hosts, user="eva", **options):
        Store.count += 1
        self.password = guard.keep(password)
        folder = mail.path(f"keeper{Store.count}")
        os.makedirs(folder)
        with open(os.path.join(folder, "keeper.conf"), "w", encoding="utf-8") as file:
            file.write(configuration.canonical(
                one, hosts, **{"sql_timeout": str(TIMEOUT), **STORING, **options}))
        self.process = subprocess.Popen(
            ["saslpasswd2", "-p", "-c", "-a", "keeper", "-u", "example.com", user],
            env=dict(os.environ, SASL_CONF_PATH=folder, SASL_PATH=plugins.under_test()),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        with self.process.stdin as file:
            file.write(password)
        self.process.stdin = None

    def finish(self):
        """Returns whether it succeeded, and its output."""
        said, _ = self.process.communicate(timeout=60)
        guard.check(said, "output of saslpasswd2")
        return self.process.returncode == 0, said


def store(password, hosts, **options):
    done, said = Store(password, hosts, **options).finish()
    equal(done, True, f"stored, {said}")


def stored(server, user="eva"):
    return [guard.keep(value) for (value,) in
            server.run("SELECT password FROM mailbox WHERE username = ?", f"{user}@example.com")]


# --- a name with several addresses


def fill_up(server):
    """Takes all its connections. Returns those that hold them."""
    server.run("SET GLOBAL max_connections = 10, GLOBAL connect_timeout = 600",
               database="mysql")
    held = []
    while True:
        connection = socket.create_connection((server.host, server.port), 10)
        greeting = connection.recv(4096)
        if greeting[4] == 0xff:
            connection.close()
            equal(int.from_bytes(greeting[5:7], "little"), 1040, "error")
            return held
        held.append(connection)


def full(server):
    held = fill_up(server)

    def undo():
        for connection in held:
            connection.close()
        wait_for(lambda: server.run("SELECT count(*) FROM information_schema.processlist",
                                    database="mysql") == [("1",)], "places")
        server.run("SET GLOBAL max_connections = 151, GLOBAL connect_timeout = 10",
                   database="mysql")
    return undo


def frozen(server):
    server.freeze()
    return server.thaw


def another_password(server):
    server.set_password("it-has-changed-4")
    return lambda: server.set_password(server.password)


def stopped(server):
    server.stop()
    return lambda: server.start(**server.settings)


FIRST_IS = {
    "silent": (frozen, ()),
    "full": (full, ("Too many connections",)),
    "with another password": (another_password, ("Access denied",)),
    "refusing": (stopped, ("Connection refused",)),
}


def first_address(injure, parts):
    undo = injure(one)
    try:
        start(f"{NAME}:{one.port}", [one.host, two.host], sql_timeout="4")
        check_passed_over("logins", f"{NAME}:{one.port} at {one.host}: ", *parts)
    finally:
        undo()


@case("a name with two addresses: both answer")
def _():
    one.start()
    two.start()
    start(f"{NAME}:{one.port}", [one.host, two.host])
    equal(check_logins("logins"), [], "problems")
    equal((one.sessions(), two.sessions()), (1, 0), "sessions")


for label, row in FIRST_IS.items():
    case(f"a name with two addresses: the first is {label}", first_address, *row)


def start_verifying(**options):
    start(f"{NAME}:{one.port}", [one.host, two.host], sql_ssl_mode="verify-full",
          sql_ssl_ca=certificate_authority.certificate, **options)


def verify(first, second):
    for server, certificate in ((one, first), (two, second)):
        server.replace_certificate(*certificate)
    start_verifying()


@case("a name with two addresses: the certificate of each is checked for the name")
def _():
    well = certificate_authority.issue("localhost", "mysql", [f"DNS:{NAME}"])
    # That it is for the address does not matter.
    wrong = certificate_authority.issue("localhost", "mysql",
                                        ["DNS:other.test", f"IP:{one.host}", f"IP:{two.host}"])
    for server in (one, two):
        server.restart(**server.tls(*well))
    verify(well, well)
    equal(check_logins("both are well"), [], "problems")
    verify(wrong, well)
    check_passed_over("the first is wrong", f"{NAME}:{one.port} at {one.host}: ",
                      f"the certificate of the server is not for the name {NAME}")
    verify(wrong, wrong)
    mail.lines()
    expect(mail.login("PLAIN", *RIGHT), OUTAGE, "both are wrong")
    (problem,) = postfix.problems(mail.lines())
    for server in (one, two):
        contains(problem, f"at {server.host}: the certificate of the server is not for")
    two.replace_certificate(*well)
    one.freeze()
    try:
        start_verifying(sql_timeout="4")
        check_passed_over("the first is silent", f"{NAME}:{one.port} at {one.host}: ")
    finally:
        one.thaw()


# --- full hosts


@case("hosts of few places: nobody is put off, and the full one is named once a process")
def _():
    size = 8
    for server in (one, two):
        server.restart()
    two.run("SET GLOBAL max_connections = 10", database="mysql")
    held = fill_up(one)
    for connection in held[:3]:
        connection.close()
    wait_for(lambda: int(one.run("SELECT count(*) FROM information_schema.processlist",
                                 database="mysql")[0][0]) <= len(held) - 2, "free places")
    start(f"{one.address}, {two.address}", processes=size)
    try:
        logins = dict(enumerate([RIGHT, INCORRECT] * (size // 2)))
        for turn in range(3):
            with crowd.Crowd(mail, size) as clients:
                codes, _ = clients.login(logins)
            counts = crowd.check_never_confused(codes, logins, {RIGHT})
            equal(counts["454"], 0, f"put off in turn {turn}: {mail.log()[-3000:]}")
            if turn < 2:
                time.sleep(1.1)  # twice that is longer than a full host comes last
        mail.settle()
        named = re.findall(r"smtpd\[(\d+)\]: .*SASL authentication problem: .*"
                           + re.escape(one.address) + ": Too many connections", mail.log())
        equal(len(named) > 0, True, "the full host is named")
        equal(len(named), len(set(named)), f"lines, by process: {named}")
    finally:
        for connection in held:
            connection.close()


# --- replication


@case("a replica comes first: logins use it, and the primary stores")
def _():
    one.restart(log_bin="bin", server_id="1")
    two.restart(server_id="2", read_only="ON")
    (position,) = one.run("SHOW MASTER STATUS")
    two.run("CHANGE MASTER TO MASTER_HOST = ?, MASTER_PORT = " + str(one.port)
            + ", MASTER_USER = 'replica', MASTER_PASSWORD = ?, MASTER_LOG_FILE = ?,"
            " MASTER_LOG_POS = " + position[1] + ", MASTER_USE_GTID = no; START SLAVE",
            one.host, one.password, position[0])
    hosts = f"{two.address}, {one.address}"
    store("Paradiesapfel-1", hosts)
    wait_for(lambda: stored(two) == stored(one) != [], "the row at the replica")
    two.run("STOP SLAVE SQL_THREAD")
    before = stored(two)
    store("Paradiesapfel-2", hosts)
    equal(stored(two), before, "what the replica has")
    start(hosts, sql_select="SELECT password FROM mailbox WHERE username = '%u@example.com'")
    expect(mail.login("PLAIN", "eva", "Paradiesapfel-1"), WELCOME, "by the replica")
    expect(mail.login("PLAIN", "eva", "Paradiesapfel-2"), WRONG, "which is late")
    two.run("START SLAVE SQL_THREAD")
    wait_for(lambda: stored(two) == stored(one), "the new row at the replica")
    expect(mail.login("PLAIN", "eva", "Paradiesapfel-2"), WELCOME, "by the replica")
    equal(postfix.problems(mail.lines()), [], "problems")
    equal((one.sessions(), two.sessions()), (0, 1), "sessions")


@case("a replica alone, or beside a primary that is away: what stores nothing is named")
def _():
    if saslauthd.why_not() is not None:
        raise tap.Skip(saslauthd.why_not())
    shadow.start()
    one.stop()
    try:
        check_nothing_stored()
    finally:
        shadow.stop()
        one.start(**one.settings)


def check_nothing_stored():
    for hosts, says in ((two.address, f"{two.address}: the server is read-only"),
                        (f"{one.address}, {two.address}",
                         f"{two.address}: the server is read-only; "
                         f"{one.address}: Connection refused")):
        start(hosts, **{**STORING, "pwcheck_method": "auxprop saslauthd", "sql_timeout": "2",
                        "saslauthd_path": shadow.mux, "auto_transition": "yes"})
        mail.lines()
        expect(mail.login("PLAIN", "carol", CAROL), WELCOME, mail.log())
        lines = [line for line in postfix.problems(mail.lines()) if "nothing was" in line]
        equal(len(lines), 1, f"problems {lines}")
        contains(lines[0], says)
    equal(stored(two, "carol"), [])


def replica_lacks(spoil, mend, said):
    hosts = f"{two.address}, {one.address}"
    two.run(f"SET sql_log_bin = 0; {spoil}")
    try:
        start(hosts)
        check_passed_over("logins", two.address, f"asked {one.address} instead")
        start(two.address)
        mail.lines()
        expect(mail.login("PLAIN", *RIGHT), OUTAGE, "with no other host")
        (problem,) = postfix.problems(mail.lines())
        contains(problem, said)
    finally:
        two.run(f"SET sql_log_bin = 0; {mend}")
    start(hosts)
    equal(check_logins("after that"), [], "problems")


case("a replica without the table: the primary is asked", replica_lacks,
     "RENAME TABLE mailbox TO later", "RENAME TABLE later TO mailbox", "doesn't exist")
case("a replica whose table may not be read: the primary is asked", replica_lacks,
     f"CREATE TABLE other (id INT); GRANT SELECT ON other TO {one.user};"
     f" REVOKE ALL ON mailbox FROM {one.user}",
     f"REVOKE ALL ON other FROM {one.user}; DROP TABLE other;"
     f" GRANT SELECT, INSERT, UPDATE ON mailbox TO {one.user}",
     "command denied")
case("a replica whose database may not be used: the primary is asked", replica_lacks,
     f"REVOKE ALL ON mailbox FROM {one.user}",
     f"GRANT SELECT, INSERT, UPDATE ON mailbox TO {one.user}", "Access denied")


# --- a cluster


@case("a cluster of three nodes")
def _():
    if cluster.obstacle() is not None:
        raise tap.Skip(cluster.obstacle())
    two.stop()
    one.stop()
    cluster.start(one, *certificate_authority.issue(
        "localhost", "mysql", [f"IP:{host}" for host in cluster.hosts]))
    start(cluster.addresses)
    equal(check_logins("logins"), [], "problems")


def require_cluster():
    if not cluster.nodes:
        raise tap.Skip("there is no cluster")


def rejecting(node):
    node.reject()
    return lambda: node.reject("NONE")


def alone(node):
    node.isolate()
    return node.rejoin


def frozen_node(node):
    node.freeze()

    def undo():
        node.thaw()
        wait_for(lambda: all(each.is_synced() and each.status("wsrep_cluster_size") == "3"
                             for each in cluster.nodes), "all three nodes")
    return undo


def killed(node):
    node.kill()
    return lambda: node.start(**node.settings)


INJURIES = {"rejects queries": rejecting, "is frozen": frozen_node,
            "is cut off": alone, "is killed": killed}
LISTINGS = {
    "apart": lambda: start(cluster.addresses, processes=CLIENTS),
    "as one name": lambda: start(f"{NAME}:{cluster.port}", cluster.hosts, processes=CLIENTS),
    "apart, in random order": lambda: start(cluster.addresses, processes=CLIENTS,
                                            sql_host_order="random"),
}
SHORT = [("apart", 0, "rejects queries"), ("apart", 0, "is cut off"),
         ("as one name", 0, "rejects queries"), ("as one name", 0, "is frozen"),
         ("apart, in random order", 1, "rejects queries"), ("as one name", 0, "is killed")]
table = []


def under_load(listing, number, injury):
    require_cluster()
    LISTINGS[listing]()
    node = cluster.nodes[number]
    with many_hosts.Load(mail, RIGHT, INCORRECT, CLIENTS) as load:
        load.await_more(2 * CLIENTS)
        undo = INJURIES[injury](node)
        try:
            load.await_more(8 * CLIENTS)
            if LONG or injury in ("rejects queries", "is cut off"):
                # Whatever goes wrong with a node, another one stores.
                store(f"{listing}-{number}-{injury}", cluster.addresses, sql_timeout="20")
        finally:
            # All of a cluster may be upset for seconds by a node that thaws: then
            # nobody can answer.
            if injury == "is frozen":
                load.stop()
            # In the short form, the one that was killed stays away.
            if LONG or injury != "is killed":
                undo()
        if injury != "is frozen":
            load.await_more(2 * CLIENTS)
            load.stop()
        tell(f"listed {listing}, node {number + 1} {injury}", load)
    check_nobody_put_off(load)


def check_nobody_put_off(load):
    why = "\n".join(re.findall(r".*authentication problem: .*", mail.log()))
    equal([count["454"] for count in load.counts()], [0, 0], f"put off, where\n{why}\n")


def tell(what, load):
    right, wrong = (["%5d" % sum(answer.right == kind and answer.code == code
                                 for answer in load.answers) for code in ("235", "535", "454")]
                    for kind in (True, False))
    table.append(f"{what:58} {' '.join(right)}  {' '.join(wrong)}  {load.longest():6.2f}")


def conflicts():
    return sum(int(node.status(name)) for node in cluster.nodes
               for name in ("wsrep_local_bf_aborts", "wsrep_local_cert_failures"))


@case("two nodes store for one user at a time: both are told the truth")
def _():
    require_cluster()
    before = conflicts()
    slowly = ("UPDATE mailbox SET password = '%v'"
              " WHERE username = CONCAT('%u', '@', '%r') AND SLEEP(0.5) = 0")
    for turn in range(4 if LONG else 1):
        stores = [Store(f"Zwillinge-{turn}-{node.host}", node.address, sql_update=slowly)
                  for node in cluster.nodes[:2]]
        # Neither was in the other's way more than once.
        equal([each.finish() for each in stores], [(True, ""), (True, "")], "told")
        wait_for(lambda: len({tuple(stored(node)) for node in cluster.nodes}) == 1,
                 "the same at all nodes")
        equal(len(stored(cluster.nodes[0])), 1, "rows")
        start(cluster.addresses, sql_select="SELECT password FROM mailbox"
              " WHERE username = '%u@example.com'")
        replies = [mail.login("PLAIN", "eva", each.password)[:3] for each in stores]
        equal(sorted(replies), ["235", "535"], "replies")
    if conflicts() == before:
        raise AssertionError("there was no conflict")


# --- HAProxy

PLAIN = """\
defaults
  mode tcp
  timeout connect 1s
  timeout client 1h
  timeout server 1h
listen database
  bind {proxy.address}
  server host {host.address}
"""


class HAProxy(many_hosts.HAProxy):
    """With the configuration `text`."""

    owner = "mysql"

    def start(self, text):
        self.launch([self._program(), "-db", "-f", self.write("haproxy.cfg", text)], "")
        wait_for(self._accepts, "HAProxy at its port")


def new_proxy():
    if not HAProxy.installed():
        raise tap.Skip("HAProxy is not installed")
    proxies.append(HAProxy())
    return proxies[-1]


def restart_server(_, host):
    host.restart()


def restart_proxy(proxy, host):
    proxy.stop()
    time.sleep(2)
    proxy.start(PLAIN.format(proxy=proxy, host=host))


def reject_for_a_while(_, host):
    host.reject()
    time.sleep(2)
    host.reject("NONE")


def behind_proxy(what, choose, injure):
    host = choose()
    if not host.running:
        host.start()
    proxy = new_proxy()
    proxy.start(PLAIN.format(proxy=proxy, host=host))
    timeout = 9
    start(proxy.address, processes=CLIENTS, sql_timeout=str(timeout))
    with many_hosts.Load(mail, RIGHT, INCORRECT, CLIENTS) as load:
        load.await_more(2 * CLIENTS)
        began = time.monotonic()
        injure(proxy, host)
        away = time.monotonic() - began
        load.await_more(4 * CLIENTS)
        load.stop()
        tell(f"behind HAProxy, {what}", load)
    proxy.stop()
    if away > timeout - 1:
        raise tap.Skip(f"it took {away:.1f} s")
    check_nobody_put_off(load)


def first_node():
    require_cluster()
    return cluster.nodes[0]


for label, row in {"the server is restarted": (lambda: one, restart_server),
                   "it is away for 2 s": (lambda: one, restart_proxy),
                   "a node rejects queries for 2 s": (first_node, reject_for_a_while)}.items():
    case(f"six clients behind HAProxy: {label}", behind_proxy, label, *row)


# --- examples


def read(name):
    with open(os.path.join(EXAMPLES, name), encoding="utf-8") as file:
        return file.read()


def replaced(text, changes):
    for old, new in changes.items():
        contains(text, old, "example")
        text = text.replace(old, new)
    return text


def start_example(name, changes):
    """With the password, the database and the table of this test."""
    start_with(replaced(read(name), {
        **changes, "sql_passwd: secret": f"sql_passwd: {one.password}",
        "sql_database: mail": f"sql_database: {one.database}", "FROM users": "FROM mailbox",
        "name = '%u' AND realm = '%r'": "username = CONCAT('%u', '@', '%r')"}))


def check_while(node, want_problems, what):
    """Logins continue while a node rejects queries."""
    equal(check_logins(what), [], f"{what}: problems")
    node.reject()
    try:
        problems = check_logins(f"{what}, a node rejects queries")
        equal(len(problems) <= want_problems, True, f"problems {problems}")
    finally:
        node.reject("NONE")


@case("smtpd-mysql-galera.conf")
def _():
    require_cluster()
    start_example("smtpd-mysql-galera.conf", {
        "db1.example.com, db2.example.com, db3.example.com": cluster.addresses,
        "sql_ssl_ca: /etc/ssl/certs/ca-certificates.crt":
            f"sql_ssl_ca: {certificate_authority.certificate}"})
    check_while(cluster.nodes[0], 1, "three nodes")


def proxy_configuration(proxy):
    """The comment's configuration, with the places of this test."""
    comment = re.findall(r"(?m)^#   (.*)$", read("smtpd-mysql-haproxy.conf"))
    script, options = comment.index("#!/bin/sh"), comment.index("[client]")
    settings = proxy.write("mail.cnf", replaced("\n".join(comment[options:]) + "\n", {
        "secret": one.password}), 0o600)
    command = proxy.write("check-node", replaced("\n".join(comment[script:options]) + "\n", {
        "/etc/haproxy/mail.cnf": settings, " mail\n": f" {one.database}\n",
        "FROM users": "FROM mailbox"}), 0o755)
    changes = {"/usr/local/bin/check-node": command, "bind :3306": f"bind {proxy.address}"}
    changes.update((f"192.0.2.1{number}:3306", node.address)
                   for number, node in enumerate(cluster.nodes, 1))
    return replaced("\n".join(comment[:script]) + "\n", changes)


@case("smtpd-mysql-haproxy.conf")
def _():
    require_cluster()
    first, second = new_proxy(), new_proxy()
    for proxy in (first, second):
        proxy.start(proxy_configuration(proxy))
    start_example("smtpd-mysql-haproxy.conf", {
        "haproxy1.example.com, haproxy2.example.com": f"{first.address}, {second.address}"})
    node = cluster.nodes[0]
    equal(check_logins("both proxies"), [], "problems")
    # Checks come and go.
    wait_for(lambda: [each.sessions() for each in cluster.nodes] == [1, 0, 0], "one session")
    node.reject()
    try:
        # HAProxy ends the session once it has found out.
        wait_for(lambda: node.sessions() == 0, "the end of the session")
        equal(check_logins("the first node rejects queries"), [], "problems")
        wait_for(lambda: cluster.nodes[1].sessions() == 1, "a session of the second node")
    finally:
        node.reject("NONE")
    first.kill()
    problems = check_logins("the first proxy is killed")
    equal(len(problems), 1, f"problems {problems}")
    contains(problems[0], f"{first.address}: Connection refused; asked {second.address} instead")
    second.stop()


# The last ones: who is killed may stay away.
for row in [(listing, number, injury) for listing in LISTINGS for number in range(3)
            for injury in INJURIES] if LONG else SHORT:
    case(f"six clients, nodes listed {row[0]}: node {row[1] + 1} {row[2]}", under_load, *row)


@case("what became of all logins")
def _():
    require_cluster()
    tap.note(f"{'':58} right 235  535   454  wrong 235  535  454  longest/s")
    for line in table:
        tap.note(line)


def stop_all():
    if shadow is not None:
        shadow.stop()
    for proxy in proxies:
        proxy.stop()
    cluster.stop()
    for server in (one, two):
        if server is not None:
            server.stop()


tap.run(mail.close, stop_all)
