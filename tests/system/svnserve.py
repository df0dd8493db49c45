# SPDX-License-Identifier: BSD-3-Clause
"""An unmodified svnserve with one repository, and the client that comes with it."""

import shutil
import socket
import subprocess

import plugins
import tap
from daemon import Daemon, can_mount, free_port, wait_for
from logins import OUTAGE, RIGHT, WRONG
from system_log import SystemLog

# What libsasl2 says of its results in English, and svnserve passes on, by number.
REFUSED, AWAY = "SASL(-13)", "SASL(-24)"


def require():
    """Ends the program as skipped if svnserve cannot run."""
    for name in ("svnserve", "svnadmin", "svn"):
        if shutil.which(name) is None:
            tap.skip_all(f"{name} is not installed")
    if not can_mount():
        tap.skip_all("name spaces for mounts are not allowed here")


class Svnserve(Daemon):
    program = "svnserve"
    owner = "nobody"

    def __init__(self):
        super().__init__()
        self.port = free_port()
        self.sasl_path = plugins.under_test() + ":" + plugins.stock(self.directory)
        self.system_log = SystemLog(self)
        self.prepare(["svnadmin", "create", self.path("repository")])

    def start(self, configuration, lines, threads=False):
        """`configuration` is the text of svn.conf, `lines` are those of
        svnserve.conf."""
        self.stop()
        self.system_log.clear()
        self.write("svn.conf", configuration)
        self.write("repository/conf/svnserve.conf", lines)
        # It says nothing when it is ready.
        self.launch(["env", f"SASL_CONF_PATH={self.home}", f"SASL_PATH={self.sasl_path}",
                     "sh", "-c", 'echo "it is started"; exec "$@"', "sh",
                     shutil.which("svnserve"), "-d", "--foreground", "-r", self.home,
                     "--listen-host", "127.0.0.1", "--listen-port", str(self.port)]
                    + (["-T"] if threads else []),
                    "it is started")
        wait_for(self._listens, "svnserve listens")

    def _listens(self):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def list(self, user, password):
        """Lists the repository. Returns whether the client may, and its output."""
        done = subprocess.run(
            ["svn", "--non-interactive", "--no-auth-cache", "--config-dir", self.path("client"),
             "--username", user, "--password", password, "list",
             f"svn://127.0.0.1:{self.port}/repository"],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=60)
        return done.returncode == 0, done.stdout + done.stderr

    def login(self, user, password):
        yes, text = self.list(user, password)
        if yes:
            return RIGHT
        return WRONG if REFUSED in text else OUTAGE if AWAY in text else text
