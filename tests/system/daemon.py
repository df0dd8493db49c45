# SPDX-License-Identifier: BSD-3-Clause
"""Third-party servers of a test: each runs as an unprivileged user in its own
directory, at ports that no other test uses, and can be made to fail in all the ways in
which servers fail."""

import errno
import os
import pwd
import random
import signal
import socket
import subprocess
import time

import tap

PATIENCE = 30

_reservations = []


def _is_free(port):
    for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address, port))
            except OSError:
                if family == socket.AF_INET or has_ipv6():
                    return False
    return True


def has_ipv6():
    with socket.socket(socket.AF_INET6) as probe:
        try:
            probe.bind(("::1", 0))
        except OSError:
            return False
    return True


def free_port():
    """An unused port of the loopback interface, reserved among tests until this process
    ends. The system does not give such ports to clients, so it stays free while a
    server is down."""
    while True:
        port = random.randrange(10000, 30000)
        reservation = socket.socket(socket.AF_UNIX)
        try:
            reservation.bind(f"\0sqlcrypt-test-port-{port}")
        except OSError:
            reservation.close()
            continue
        if _is_free(port):
            _reservations.append(reservation)
            return port
        reservation.close()


def connections(port):
    """How many connections to this port are open at the client's end and not yet closed
    by the server."""
    with open("/proc/net/tcp", encoding="ascii") as file:
        rows = [line.split() for line in file]
    return sum(row[2].endswith(f":{port:04X}") and row[3] == "01" for row in rows)


def _parents():
    """The parent of each living process."""
    found = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
                state, parent = file.read().rpartition(")")[2].split()[:2]
        except OSError:
            continue
        if state not in "ZX":
            found[int(pid)] = int(parent)
    return found


def identity(user):
    """Arguments of subprocess.Popen to become this user, if we are root."""
    if os.geteuid() != 0:
        return {}
    return {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []}


def wait_for(condition, what, patience=PATIENCE):
    """Waits until condition() is true, and returns what it returns."""
    end = time.monotonic() + patience
    while not (result := condition()):
        if time.monotonic() > end:
            raise AssertionError(f"in vain waited for: {what}")
        time.sleep(0.005)
    return result


def can_mount():
    """Whether servers may have small disks."""
    return os.geteuid() == 0 and subprocess.run(
        ["unshare", "-m", "mount", "-t", "tmpfs", "tmpfs", "/mnt"], capture_output=True,
        check=False).returncode == 0


# In a mount namespace of its own, the disk goes when the server does.
ON_SMALL_DISK = """\
mount -t tmpfs -o size="$1",mode=0777 tmpfs "$2" && user=$3 && shift 3 &&
exec setpriv --reuid="$user" --regid="$(id -g "$user")" --clear-groups "$@"
"""


# The same for paths in place of others: pairs, the new path first.
ON_OTHER_PATHS = """\
user=$1 count=$2 && shift 2 || exit
while [ "$count" -gt 0 ]; do
    mount --rbind "$1" "$2" && shift 2 || exit
    count=$((count - 1))
done
exec setpriv --reuid="$user" --regid="$(id -g "$user")" --clear-groups "$@"
"""


class Daemon:
    """A server with the processes that it starts. Subclasses know how to run it."""

    program = None  # as messages name it
    owner = None  # the user that it runs as
    stop_signal = signal.SIGTERM

    def __init__(self, directory=None):
        self.directory = directory or tap.directory()
        self.home = os.path.join(self.directory, self.program)
        os.mkdir(self.home)
        if os.geteuid() == 0:
            os.chown(self.home, pwd.getpwnam(self.owner).pw_uid, pwd.getpwnam(self.owner).pw_gid)
        self.process = None
        self._log = os.path.join(self.directory, self.program + ".log")
        self._log_start = 0
        self._small_disk = None
        self._covers = []

    def path(self, *names):
        """A path in a directory that belongs to the server."""
        return os.path.join(self.home, *names)

    def write(self, name, text, mode=0o644):
        """Writes a file that belongs to the server, and returns its path."""
        path = self.path(name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, mode)
        if os.geteuid() == 0:
            os.chown(path, pwd.getpwnam(self.owner).pw_uid, pwd.getpwnam(self.owner).pw_gid)
        return path

    def prepare(self, command):
        """Runs a command as the user of the server."""
        done = subprocess.run(command, cwd=self.home, stdin=subprocess.DEVNULL, text=True,
                              capture_output=True, check=False, **identity(self.owner))
        if done.returncode != 0:
            raise AssertionError(f"{command[0]}:\n{done.stdout}{done.stderr}")

    def put_on_small_disk(self, path, size):
        """From the next start on, this folder is a disk of that many bytes. None ends
        that. See can_mount()."""
        self._small_disk = (path, size) if path is not None else None

    def cover(self, path, other):
        """From the next start on, the server, and nothing else, sees `other` at that
        path. Covers are made in the order of the calls. See can_mount()."""
        self._covers += [other, path]

    def fill_small_disk(self):
        """Fills the disk. Returns a function that makes room again."""
        filler = f"/proc/{self.process.pid}/root{self._small_disk[0]}/filler"
        with open(filler, "wb", buffering=0) as file:
            try:
                while True:
                    file.write(b"x" * 4096)
            except OSError as error:
                tap.equal(error.errno, errno.ENOSPC, "error of a disk that ought to be full")
        return lambda: os.unlink(filler)

    def launch(self, command, ready):
        """Starts the server, and waits until its log says `ready`."""
        become = identity(self.owner)
        if self._small_disk is not None:
            path, size = self._small_disk
            command = ["unshare", "-m", "sh", "-c", ON_SMALL_DISK, "sh", str(size), path,
                       self.owner] + command
            become = {}
        elif self._covers:
            command = ["unshare", "-m", "sh", "-c", ON_OTHER_PATHS, "sh", self.owner,
                       str(len(self._covers) // 2)] + self._covers + command
            become = {}
        self._log_start = os.path.getsize(self._log) if os.path.exists(self._log) else 0
        with open(self._log, "ab") as output:
            self.process = subprocess.Popen(
                command, cwd=self.home, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                start_new_session=True, **become)
        wait_for(lambda: ready in self.log() or self.process.poll() is not None, ready)
        if ready not in self.log():
            self.process = None
            raise AssertionError(f"{self.program} does not start:\n{self.log()}")

    def log(self):
        """The log since the last start."""
        with open(self._log, encoding="utf-8", errors="replace") as file:
            file.seek(self._log_start)
            return file.read()

    @property
    def running(self):
        return self.process is not None and self.process.poll() is None

    def family(self):
        """The server and all its descendants. Its children may have their own process
        groups."""
        parents = _parents()
        found = [self.process.pid] if self.process.pid in parents else []
        for pid in found:
            found += [child for child, parent in parents.items() if parent == pid]
        return found

    def _signal(self, number):
        for pid in self.family():
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass

    def freeze(self):
        """Freezes all its processes: the server keeps its ports and says nothing."""
        self._signal(signal.SIGSTOP)
        # What it has started meanwhile.
        self._signal(signal.SIGSTOP)

    def thaw(self):
        self._signal(signal.SIGCONT)

    def kill(self):
        """Kills all its processes, like a loss of power."""
        if self.process is None:
            return
        self.freeze()
        members = self.family()
        self._signal(signal.SIGKILL)
        self.process.wait()
        wait_for(lambda: not _parents().keys() & set(members), f"the end of {self.program}")
        tap.end_group(self.process)
        self.process = None

    def stop(self):
        """Stops it in order. May be called twice."""
        if self.process is None:
            return
        self.thaw()
        if self.running:
            self.process.send_signal(self.stop_signal)
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{self.program} does not stop:\n{self.log()}") from None
        tap.end_group(self.process)
        self.process = None
