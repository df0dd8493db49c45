# SPDX-License-Identifier: BSD-3-Clause
"""saslauthd from the distribution, with accounts of the test."""

import glob
import os
import shutil
import socket
import subprocess
import time

import tap

# nss_wrapper shows saslauthd other accounts than those of this host: /etc stays
# as it is, and no name space is needed, which containers refuse.
WRAPPER = (glob.glob("/usr/lib/*/libnss_wrapper.so") + [None])[0]

# The modules of PAM ask in ways that nss_wrapper does not know. There the files
# of /etc are covered by ours, only for this saslauthd.
IN_NAME_SPACE = ["unshare", "--mount", "--propagation", "private", "sh", "-c",
                 'mount --bind "$0" /etc/passwd && mount --bind "$1" /etc/shadow'
                 ' && shift && exec "$@"']


def why_not():
    """What is missing to run it, or None."""
    if shutil.which("saslauthd") is None:
        return "saslauthd is not installed"
    if WRAPPER is None:
        return "libnss-wrapper is not installed"
    return None


class Saslauthd:
    """An unmodified saslauthd in its own folder."""

    def __init__(self, directory, accounts):
        self.directory = directory
        self.mux = os.path.join(directory, "run", "mux")
        self.process = None
        os.mkdir(os.path.join(directory, "run"), 0o755)
        self.accounts = [os.path.join(directory, name) for name in ("passwd", "shadow")]
        with open(self.accounts[0], "w", encoding="utf-8") as passwd, \
                open(self.accounts[1], "w", encoding="utf-8") as shadow:
            passwd.write("root:x:0:0:root:/root:/bin/false\n")
            for number, (user, stored) in enumerate(accounts.items(), 20001):
                passwd.write(f"{user}:x:{number}:{number}::/nonexistent:/bin/false\n")
                shadow.write(f"{user}:{stored}:19000:0:99999:7:::\n")
        os.chmod(self.accounts[1], 0o600)

    def start(self, method="shadow"):
        self.stop()
        environment = dict(os.environ)
        prefix = []
        if method == "pam":
            prefix = IN_NAME_SPACE + self.accounts
        else:
            environment.update(LD_PRELOAD=WRAPPER, NSS_WRAPPER_GROUP="/etc/group",
                               NSS_WRAPPER_PASSWD=self.accounts[0],
                               NSS_WRAPPER_SHADOW=self.accounts[1])
        with open(os.path.join(self.directory, "saslauthd.out"), "ab") as output:
            self.process = subprocess.Popen(
                prefix + ["saslauthd", "-d", "-a", method, "-n", "2",
                          "-m", os.path.dirname(self.mux)],
                cwd=self.directory, env=environment, stdin=subprocess.DEVNULL,
                stdout=output, stderr=output, start_new_session=True)
        end = time.monotonic() + 10
        while not self._listens():
            if time.monotonic() > end or self.process.poll() is not None:
                raise AssertionError("saslauthd does not start")
            time.sleep(0.01)

    def _listens(self):
        with socket.socket(socket.AF_UNIX) as probe:
            try:
                probe.connect(self.mux)
            except OSError:
                return False
            return True

    def stop(self):
        if self.process is not None:
            tap.end_group(self.process)
            self.process = None
        if os.path.exists(self.mux):
            os.unlink(self.mux)

    def verifies(self, user, password):
        """The output of testsaslauthd."""
        run = subprocess.run(["testsaslauthd", "-f", self.mux, "-u", user, "-p", password],
                             capture_output=True, text=True, check=False)
        return run.returncode == 0 and 'OK "Success."' in run.stdout
