# SPDX-License-Identifier: BSD-3-Clause
"""Servers of Debian packages that cannot be installed together with Postfix, or that
would keep running. Their packages are unpacked into a folder of the test. A server runs
in a mount namespace in which the packages' files, the plug-ins under test and the
configuration are in their usual places, on top of the system's files. Nothing outside
the folder changes."""

import concurrent.futures
import itertools
import os
import re
import shutil
import smtplib
import socket
import subprocess
import threading

import guard
import plugins
import tap
from daemon import PATIENCE, Daemon, can_mount, wait_for
from system_log import SystemLog

# Shared with tools/packages.sh, for what apt-get does not do twice at once.
LOCK = "/run/lock/sasl-sqlcrypt-packages"

OVERLAID = ("usr", "etc")
IN_NAME_SPACE = "\n".join(
    f'mount -t overlay -o lowerdir="$1/{name}:/{name}" overlay /{name} || exit'
    for name in OVERLAID) + '\nshift\nexec "$@"\n'


def require():
    """Ends the program as skipped if it cannot have a namespace, or is not on
    Debian."""
    plugins.under_test()
    if not can_mount():
        tap.skip_all("name spaces for mounts are not allowed here")
    if shutil.which("apt-get") is None:
        tap.skip_all("apt-get is not there to fetch packages")


# --- packages


def _run(command, directory):
    done = subprocess.run(command, cwd=directory, stdin=subprocess.DEVNULL, text=True,
                          capture_output=True, check=False, env={**os.environ, "LC_ALL": "C"})
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(command)}:\n{done.stdout}{done.stderr}")
    return done.stdout


def _download(names, directory):
    plan = _run(["apt-get", "-s", "install", "--no-install-recommends", *names], directory)
    # The plan leaves out what is installed.
    needed = set(re.findall(r"(?m)^Inst (\S+)", plan)) | set(names)
    _run(["apt-get", "-q", "download", *sorted(needed)], directory)


def _fetch(names, directory):
    """Downloads these packages, and those of their dependencies that are not
    installed."""
    try:
        _download(names, directory)
    except AssertionError:
        # The list of packages is not there, or too old.
        _run(["flock", "-o", LOCK, "apt-get", "-q", "update"], directory)
        _download(names, directory)


# --- servers


class Server(Daemon):
    """Its log is its output and what it sends to syslog."""

    owner = "root"
    packages = ()

    def __init__(self, directory=None):
        super().__init__(directory)
        self.root = self.path("root")
        downloads = self.path("packages")
        for path in (downloads, *(os.path.join(self.root, name) for name in OVERLAID)):
            os.makedirs(path, 0o755)
        _fetch(self.packages, downloads)
        for name in sorted(os.listdir(downloads)):
            _run(["dpkg-deb", "-x", name, self.root], downloads)
        shutil.rmtree(downloads)
        # For packages that have libraries in /lib, which is a link to /usr/lib.
        if os.path.isdir(os.path.join(self.root, "lib")):
            shutil.copytree(os.path.join(self.root, "lib"), os.path.join(self.root, "usr", "lib"),
                            symlinks=True, dirs_exist_ok=True)
        plugins.install(self.root)
        self.system_log = SystemLog(self)

    def folder(self, name, number):
        """A folder for the user with that number. Returns its path."""
        path = self.path(name)
        os.mkdir(path, 0o755)
        os.chown(path, number, number)
        return path

    def configure(self, path, text, mode=0o644, owner=0, group=0):
        """A file that the server will see from the next start on; `path` is
        absolute."""
        whole = self.root + path
        os.makedirs(os.path.dirname(whole), 0o755, exist_ok=True)
        if os.path.lexists(whole):
            os.unlink(whole)
        with open(whole, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(whole, mode)
        os.chown(whole, owner, group)

    def add_user(self, name, number):
        """A user and a group, as a package would create them, for this server alone."""
        for path, line in (("/etc/passwd", f"{name}:x:{number}:{number}::/:/bin/false\n"),
                           ("/etc/group", f"{name}:x:{number}:\n")):
            ours = self.root + path
            with open(ours if os.path.exists(ours) else path, encoding="utf-8") as file:
                self.configure(path, line + file.read())

    def command(self, *arguments):
        """Arguments of subprocess.Popen for a program that sees what the server sees."""
        return ["unshare", "-m", "sh", "-c", IN_NAME_SPACE, "sh", self.root, *arguments]

    def run(self, *arguments, text=""):
        """Runs such a program to its end. Returns its status and its output."""
        done = subprocess.run(self.command(*arguments), cwd=self.home, input=text, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
                              timeout=60)
        return done.returncode, done.stdout

    def launch(self, command, ready):
        self.system_log.clear()
        super().launch(self.command(*command), ready)

    def wait_for_port(self, port):
        """Waits until it listens there."""
        def listens():
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", port)) == 0

        wait_for(listens, f"{self.program} at port {port}")

    def log(self):
        return super().log() + self.system_log.text()

    def stop(self):
        if self.process is None:
            return
        super().stop()
        guard.check(self.log(), f"log of {self.program}")


# --- clients


def smtplib_login(port, user, password):
    """The code that Python's own client gets for a login. It tries each mechanism."""
    with smtplib.SMTP("127.0.0.1", port, timeout=PATIENCE) as client:
        try:
            return client.login(user, guard.keep(password))[0]
        except smtplib.SMTPAuthenticationError as error:
            return error.smtp_code


def twenty(*kinds):
    """Twenty items, of each kind in turn."""
    return list(itertools.islice(itertools.cycle(kinds), 20))


def at_once(function, arguments):
    """Calls the function with each of these, all at the same time. Returns the
    results."""
    begin = threading.Barrier(len(arguments))

    def call(argument):
        begin.wait(PATIENCE)
        return function(argument)

    with concurrent.futures.ThreadPoolExecutor(len(arguments)) as pool:
        return list(pool.map(call, arguments))
