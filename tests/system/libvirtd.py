# SPDX-License-Identifier: BSD-3-Clause
"""An unmodified libvirtd at its own socket, and virsh. It runs as an unprivileged user,
so that it needs nothing from the host, and shows libvirt's simulated host."""

import collections
import os
import re
import shutil
import subprocess
import tempfile

import plugins
import tap
from daemon import Daemon, can_mount, wait_for
from logins import RIGHT
from logins import WRONG as REFUSED
from system_log import SystemLog

# Results of libsasl2.
BADAUTH, UNAVAILABLE = -13, -24

LINES = """\
listen_tls = 0
listen_tcp = 0
unix_sock_dir = "{directory}"
auth_unix_ro = "none"
log_outputs = "3:stderr"
"""


def require():
    """Ends the program as skipped if libvirtd cannot run."""
    for name in ("libvirtd", "virsh"):
        if shutil.which(name) is None:
            tap.skip_all(f"{name} is not installed")
    if not can_mount():
        tap.skip_all("name spaces for mounts are not allowed here")


class Libvirtd(Daemon):
    program = "libvirtd"
    owner = "nobody"

    def __init__(self):
        super().__init__()
        self.sasl_path = plugins.under_test() + ":" + plugins.stock(self.directory)
        self.system_log = SystemLog(self)
        self.credentials = os.path.join(self.directory, "credentials")
        os.mkdir(self.credentials)

    @property
    def socket(self):
        return self.path("libvirt-sock")

    def start(self, configuration, lines):
        """`configuration` is the text of libvirt.conf, `lines` are lines for
        libvirtd.conf."""
        self.stop()
        self.system_log.clear()
        self.write("libvirt.conf", configuration)
        self.write("libvirtd.conf", LINES.format(directory=self.home) + lines)
        # It says nothing when it is ready.
        self.launch(["env", f"SASL_CONF_PATH={self.home}", f"SASL_PATH={self.sasl_path}",
                     f"HOME={self.home}", f"XDG_RUNTIME_DIR={self.path('run')}",
                     "sh", "-c", 'echo "it is started"; exec "$@"', "sh", shutil.which("libvirtd"),
                     "-f", self.path("libvirtd.conf"), "-p", self.path("pid")],
                    "it is started")
        wait_for(lambda: os.path.exists(self.socket) or not self.running, "libvirtd listens")

    def domains(self, user, password):
        """The list that virsh prints, with its exit status."""
        with tempfile.NamedTemporaryFile("w", dir=self.credentials, encoding="utf-8") as file:
            file.write(f"[credentials-me]\nauthname={user}\npassword={password}\n"
                       "[auth-libvirt-localhost]\ncredentials=me\n")
            file.flush()
            done = subprocess.run(
                ["virsh", "-c",
                 f"test+unix:///default?socket={self.socket}&authfile={file.name}", "list"],
                stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=60,
                env=dict(os.environ, LC_ALL="C", HOME=self.credentials))
        return done.returncode, done.stdout + done.stderr

    def login(self, user, password):
        """Clients see no difference between a wrong password and an outage."""
        status, text = self.domains(user, password)
        if status == 0 and " running" in text:
            return RIGHT
        return REFUSED if "authentication failed" in text else text

    def results(self):
        """How often libsasl2 returned each result other than success, according to the
        log."""
        return collections.Counter(
            int(code) for code in re.findall(r"Failed to start SASL negotiation: (-\d+) ",
                                             self.log()))
