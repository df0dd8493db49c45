# SPDX-License-Identifier: BSD-3-Clause
"""A site with several database hosts: servers that share a port at addresses of the
loopback interface, names with several addresses, a balancer, and logins that continue
while hosts fail."""

import collections
import glob
import os
import shutil
import socket
import subprocess
import threading
import time

import servers
import smtp
import tap
from daemon import Daemon, free_port, wait_for


# --- names

# It shows smtpd other names than those of this machine: /etc stays as it is.
WRAPPER = (glob.glob("/usr/lib/*/libnss_wrapper.so") + [None])[0]
CLOCK = os.path.join(os.environ.get("SASL_SQLCRYPT_BUILD", ""), "tests", "support", "late_clock.so")


class Names:
    """The addresses of names, and the time, as smtpd sees them."""

    def __init__(self, mail):
        self.mail = mail
        self.hosts = mail.path("hosts")
        self.lateness = mail.path("lateness")
        self.changes = 0
        self.set({})
        self.be_late(0)

    @staticmethod
    def require():
        """Ends the case as skipped if this is not possible."""
        if WRAPPER is None:
            raise tap.Skip("libnss_wrapper is not installed")
        if not os.path.exists(CLOCK):
            raise tap.Skip("tests/support/late_clock.so is not built")

    def environment(self):
        """For main.cf."""
        return ("MAIL_CONFIG MAIL_LOGTAG TZ LANG=C POSTLOG_SERVICE POSTLOG_HOSTNAME "
                f"SASL_PATH={self.mail.sasl_path} LD_PRELOAD={WRAPPER}:{CLOCK} "
                f"NSS_WRAPPER_HOSTS={self.hosts} LATE_CLOCK={self.lateness}")

    def set(self, names):
        """`names` maps names to lists of addresses."""
        with open(self.hosts, "w", encoding="ascii") as file:
            file.writelines(f"{address} {name}\n" for name, addresses in names.items()
                            for address in addresses)
        # nss_wrapper compares whole seconds.
        self.changes += 1
        os.utime(self.hosts, (time.time(), time.time() + self.changes))

    def be_late(self, seconds):
        """Moves the clock of smtpd forward."""
        with open(self.lateness, "wb") as file:
            file.truncate(seconds)


# --- servers


class Host(servers.Postgres):
    """PostgreSQL at its own address, which asks HAProxy for a way to authenticate
    that HAProxy 2.2 supports, too."""

    ACCESS = ("host all haproxy all password",) + servers.Postgres.ACCESS

    def __init__(self, ip, port=None):
        self.ip = ip
        super().__init__()
        self.port = port or self.port

    @property
    def address(self):
        return f"{self.ip}:{self.port}"

    def start(self, **settings):
        super().start(**{"listen_addresses": self.ip, **settings})

    def start_again(self):
        """Starts it as it was, after kill() or stop()."""
        self.start(**self.settings)


class Primary(Host):
    """A server with standbys."""

    ACCESS = Host.ACCESS + ("local replication postgres trust",)
    SETTINGS = {**Host.SETTINGS, "wal_level": "replica", "max_wal_senders": "4",
                "synchronous_commit": "local"}


class Standby(Host):
    """A hot standby of a Primary that is running."""

    SETTINGS = Primary.SETTINGS

    def __init__(self, primary, ip):
        self.primary = primary
        self.ready = "ready to accept read"
        super().__init__(ip, primary.port)
        self.password = primary.password

    def install(self):
        self.prepare([self._binaries() + "/pg_basebackup", "-D", self.path("data"), "-R", "-X",
                      "stream", "-c", "fast", "--no-sync", "-h", self.primary.socket_directory,
                      "-p", str(self.primary.port), "-U", "postgres"])

    def launch(self, command, ready):
        super().launch(command, self.ready)

    def start(self, **settings):
        self.ready = "started streaming WAL" if settings.get("hot_standby") == "off" \
            else "ready to accept read"
        super().start(**settings)

    def follow(self):
        """Waits until it has everything that the primary has."""
        ((position,),) = self.primary.run("SELECT pg_current_wal_flush_lsn()")
        wait_for(lambda: self.run("SELECT pg_last_wal_replay_lsn() >= ?::pg_lsn",
                                  position) == [("t",)], "what the primary has written")

    def pause(self):
        """Stops it from following the primary, until resume()."""
        # Before PostgreSQL 14, new changes wait as soon as a pause was requested.
        is_paused = "pg_get_wal_replay_pause_state() = 'paused'" if self.version() >= 140000 \
            else "pg_is_wal_replay_paused()"
        self.run("SELECT pg_wal_replay_pause()")
        wait_for(lambda: self.run(f"SELECT {is_paused}") == [("t",)], "the pause of the standby")

    def resume(self):
        self.run("SELECT pg_wal_replay_resume()")


class HAProxy(Daemon):
    """A balancer in front of running hosts, which it checks itself."""

    program = "haproxy"
    owner = "postgres"

    CONFIGURATION = """\
global
  log stdout format raw daemon
defaults
  mode tcp
  log global
  retries 0
  timeout connect 1s
  timeout client 1h
  timeout server 1h
listen database
  bind {address}
  option pgsql-check user haproxy
  default-server inter 100ms fall 1 rise 1 on-marked-down shutdown-sessions
"""

    @staticmethod
    def _program():
        return shutil.which("haproxy", path=os.environ.get("PATH", "") + ":/usr/sbin")

    @classmethod
    def installed(cls):
        # It may be there and lack a library.
        return cls._program() is not None and subprocess.run(
            [cls._program(), "-v"], capture_output=True, check=False).returncode == 0

    def __init__(self):
        super().__init__()
        self.port = free_port()

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def start(self, *hosts):
        text = self.CONFIGURATION.format(address=self.address)
        text += "".join(f"  server host{number} {host.address} check\n"
                        for number, host in enumerate(hosts))
        self.launch([self._program(), "-db", "-f", self.write("haproxy.cfg", text)], "")
        wait_for(self._accepts, "HAProxy at its port")

    def _accepts(self):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def wait_until(self, number, state):
        """Waits until it says that a host is UP or DOWN."""
        said = f"Server database/host{number} is {state}"
        wait_for(lambda: said in self.log(), said)


# --- logins


Answer = collections.namedtuple("Answer", "right code took")


class Load:
    """Continuous logins, right and wrong ones in turn, each over its own connection,
    from a number of clients at once. Postfix has as many processes, so no client has to
    wait."""

    PAUSE = 0.02  # seconds between the logins of a client

    def __init__(self, mail, right, wrong, clients=6):
        self.mail = mail
        self.logins = {True: right, False: wrong}
        self.answers = []
        self.errors = []
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._run) for _ in range(clients)]
        for thread in self._threads:
            thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def _login(self, right):
        session = smtp.Session(self.mail.port)
        try:
            session.ehlo()
            began = time.monotonic()
            code = session.auth_plain(*self.logins[right])[:3]
            self.answers.append(Answer(right, code, time.monotonic() - began))
        finally:
            session.close()

    def _run(self):
        right = True
        while not self._over.is_set():
            try:
                self._login(right)
            except (OSError, AssertionError) as error:
                self.errors.append(error)
                return
            right = not right
            time.sleep(self.PAUSE)

    def await_more(self, count=12):
        """Waits for that many more answers."""
        want = len(self.answers) + count
        wait_for(lambda: len(self.answers) >= want or self.errors, f"{count} more answers")

    def stop(self):
        """Waits for the logins that have started."""
        self._over.set()
        for thread in self._threads:
            thread.join()
        if self._threads:
            self.mail.sessions += len(self.answers)
        self._threads = []

    def counts(self):
        """After stop(): how often each code answered a right password, and a wrong one.
        No verdict is wrong."""
        tap.equal([str(error) for error in self.errors], [], "errors of clients")
        right = collections.Counter(answer.code for answer in self.answers if answer.right)
        wrong = collections.Counter(answer.code for answer in self.answers if not answer.right)
        for count, verdict, what in ((right, "235", "right"), (wrong, "535", "wrong")):
            for code in count:
                if code not in (verdict, "454"):
                    raise AssertionError(f"a {what} password was answered {code}: {count}")
            if count[verdict] == 0:
                raise AssertionError(f"no {what} password was answered {verdict}: {count}")
        return right, wrong

    def longest(self):
        return max(answer.took for answer in self.answers)
