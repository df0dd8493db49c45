# SPDX-License-Identifier: BSD-3-Clause
"""An unmodified Postfix of our own: its configuration, queue, log and port belong to
the test, and nothing outside is touched."""

import grp
import os
import pwd
import re
import shutil
import socket
import subprocess
import time

import guard
import plugins
import smtp
import tap

HOST = "mail.example.com"

MAIN_CF = """\
compatibility_level = 3.6
queue_directory = {directory}/queue
data_directory = {directory}/data
maillog_file = {directory}/mail.log
maillog_file_prefixes = {directory}
import_environment = MAIL_CONFIG MAIL_LOGTAG TZ LANG=C POSTLOG_SERVICE POSTLOG_HOSTNAME
    SASL_PATH={sasl_path}
myhostname = {host}
mydestination = example.com
local_recipient_maps =
alias_maps =
alias_database =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 192.0.2.1/32
smtp_dns_support_level = disabled
default_transport = smtp:[127.0.0.1]:{sink_port}
smtpd_peername_lookup = no
smtpd_error_sleep_time = 0
smtpd_client_connection_count_limit = 0
max_use = 100000
max_idle = 3600s
cyrus_sasl_config_path = {directory}/etc/sasl
smtpd_sasl_auth_enable = yes
smtpd_relay_restrictions =
smtpd_recipient_restrictions = permit_sasl_authenticated, reject_unauth_destination
"""

MASTER_CF = """\
127.0.0.1:{port} inet n - {chroot} - {processes} smtpd
postlog unix-dgram n - n - 1 postlogd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
smtp unix - - n - - smtp
error unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
"""

# Owner and mode of the folders that "postfix check" would make.
QUEUE = [(name, "postfix", 0o700) for name in
         "active bounce corrupt defer deferred flush hold incoming private saved trace".split()]
QUEUE += [("pid", "root", 0o755), ("maildrop", "postfix", 0o730), ("public", "postfix", 0o710)]

# How a daemon dies that ought to live.
DEATH = re.compile(r"\]: (panic|fatal|error):|killed by signal|exit status|throttling")


def require():
    """Ends the program as skipped if Postfix cannot run."""
    if os.geteuid() != 0:
        tap.skip_all("only root can start Postfix")
    if shutil.which("postconf") is None:
        tap.skip_all("Postfix is not installed")


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def main_cf(values, main):
    """MAIN_CF with these values; `main` replaces what it sets."""
    text = MAIN_CF.format(**values)
    for name in main:
        text = re.sub(rf"^{name} = .*\n( .*\n)*", "", text, flags=re.MULTILINE)
    return text + "".join(f"{name} = {value}\n" for name, value in main.items())


class Postfix:
    """start() starts it with the text of smtpd.conf. Each start uses the same directory
    and log file."""

    def __init__(self, sasl_path=None, directory=None):
        self.directory = directory or tap.directory()
        self.sasl_path = sasl_path or plugins.under_test() + ":" + plugins.stock(self.directory)
        self.daemons = subprocess.check_output(["postconf", "-dh", "daemon_directory"],
                                               text=True).strip()
        self.sink = smtp.Sink()
        self.master = None
        self.sessions = 0  # since the start
        self.log_start = 0  # where the log of this start begins
        self.log_read = 0  # where the log lines start that were not read yet
        self._make_folders()

    def path(self, *names):
        return os.path.join(self.directory, *names)

    def _make_folders(self):
        os.makedirs(self.path("etc", "sasl"))
        os.mkdir(self.path("queue"))
        for name, owner, mode in QUEUE:
            self._folder(self.path("queue", name), owner, mode)
        self._folder(self.path("data"), "postfix", 0o700)
        open(self.path("mail.log"), "w", encoding="utf-8").close()

    @staticmethod
    def _folder(path, owner, mode):
        os.mkdir(path)
        group = grp.getgrnam("postdrop").gr_gid if mode & 0o070 and owner == "postfix" else 0
        os.chown(path, pwd.getpwnam(owner).pw_uid, group)
        os.chmod(path, mode)

    def _write(self, name, text):
        path = self.path("etc", name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        # Postfix waits for seconds before it reads a file that has just changed.
        os.utime(path, (time.time() - 60, time.time() - 60))

    def start(self, smtpd_conf, chroot=False, processes=1, **main):
        """Starts it with this smtpd.conf; `main` adds to main.cf, or replaces. With one
        process, all sessions have the same smtpd."""
        self.stop()
        values = {"directory": self.directory, "sasl_path": self.sasl_path, "host": HOST,
                  "sink_port": self.sink.port, "chroot": "y" if chroot else "n",
                  "processes": processes}
        self._write("sasl/smtpd.conf", smtpd_conf)
        self._write("main.cf", main_cf(values, main))
        self.sessions = 0
        for _ in range(3):
            self.log_start = self.log_read = os.path.getsize(self.path("mail.log"))
            # Another program may take the port before Postfix does.
            self.port = _free_port()
            self._write("master.cf", MASTER_CF.format(port=self.port, **values))
            if self._launch():
                return
        raise AssertionError("Postfix does not start:\n" + self.log())

    def _launch(self):
        with open(self.path("master.out"), "ab") as output:
            self.master = subprocess.Popen(
                [self.daemons + "/master", "-d", "-c", self.path("etc")], cwd=self.directory,
                stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True)
        end = time.monotonic() + 20
        while time.monotonic() < end and self.master.poll() is None:
            # It says so once it listens. That something accepts connections at
            # this port does not mean that it is this Postfix.
            if "daemon started" in self.log():
                return True
            time.sleep(0.01)
        self._kill()
        return False

    def _kill(self):
        """Stops the master and all its processes, and waits for them."""
        tap.end_group(self.master)
        self.master = None

    def stop(self):
        """Stops all processes, and checks the log of this start. May be called
        twice."""
        if self.master is None:
            return
        try:
            self.settle()
        finally:
            self._kill()
        guard.check(self.log(), "mail log")
        for line in self.log().splitlines():
            if DEATH.search(line):
                raise AssertionError(f"a daemon has died: {line}")

    def close(self):
        """Stops for good."""
        self.stop()
        if self.sink is not None:
            self.sink.stop()
            self.sink = None

    # --- the log

    def _log_from(self, offset):
        with open(self.path("mail.log"), "rb") as file:
            file.seek(offset)
            return file.read().decode("utf-8", "surrogateescape")

    def log(self):
        """The log of this start."""
        return self._log_from(self.log_start)

    def settle(self):
        """Waits until the log shows the end of every session."""
        end = time.monotonic() + 20
        while self.log().count(": disconnect from ") < self.sessions:
            if time.monotonic() > end:
                raise AssertionError("a session does not end in the log:\n" + self.log())
            time.sleep(0.005)

    def lines(self):
        """The messages that smtpd has logged since the last call, up to the end of the
        last session, without time and process."""
        self.settle()
        text = self._log_from(self.log_read)
        self.log_read += len(text.encode("utf-8", "surrogateescape"))
        return re.findall(r"^.*? postfix/smtpd\[\d+\]: (.*)$", text, re.MULTILINE)

    def connected_pids(self):
        """The processes that have served sessions since this start."""
        return set(re.findall(r"postfix/smtpd\[(\d+)\]: connect from", self.log()))

    def smtpd_pids(self):
        """The same, after all sessions have ended."""
        self.settle()
        return self.connected_pids()

    # --- clients

    def session(self):
        """Opens a connection and reads the greeting. Only one per process at a time:
        the next one waits for smtpd."""
        session = smtp.Session(self.port)
        self.sessions += 1
        return session

    def login(self, mechanism, user, password):
        """The reply to one login on its own connection."""
        with self.session() as session:
            session.ehlo()
            return session.auth(mechanism, user, password)


# Replies of Postfix 3.7
WELCOME = "235 2.7.0 Authentication successful"
WRONG = "535 5.7.8 "
OUTAGE = "454 4.7.0 "


def expect(reply, want, what="reply"):
    """`want` is a whole reply or its start."""
    if not reply.startswith(want):
        raise AssertionError(f"{what}: got {reply!r}, want {want!r}")


def problems(lines):
    """Lines that someone has to act on (SASL_LOG_ERR and SASL_LOG_WARN)."""
    return [line for line in lines if "SASL authentication problem: " in line]


def refusals(lines):
    """Lines about refused logins (SASL_LOG_FAIL)."""
    return [line for line in lines if "SASL authentication failure: " in line]
