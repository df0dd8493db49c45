# SPDX-License-Identifier: BSD-3-Clause
"""Courier's authdaemond from the distribution, with accounts of the test, and witnesses
between it and its clients that see what they say."""

import os
import re
import shutil
import socket
import socketserver
import subprocess
import threading

import guard
import smtp
import tap
from daemon import Daemon, can_mount, wait_for

SERVER = "/usr/lib/courier/courier-authlib/authdaemond"

# As a widespread guide prints it, but for the path.
GUIDE = """\
pwcheck_method: authdaemond
mech_list: LOGIN PLAIN
sql_select: dummy
authdaemond_path: {path}
log_level: 5
"""


def configuration(path, **options):
    """The smtpd.conf that we recommend, with a short timeout. `options` replaces and
    adds; None leaves one out."""
    settings = {
        "pwcheck_method": "authdaemond",
        "mech_list": "PLAIN LOGIN",
        "authdaemond_path": path,
        "authdaemond_timeout": "1",
        **options,
    }
    return "".join(f"{name}: {value}\n" for name, value in settings.items() if value is not None)


def obstacle():
    """Why authdaemond cannot be run here; None if it can."""
    if not os.path.exists(SERVER) or None in map(shutil.which, ("userdbpw", "makeuserdb")):
        return "courier-authdaemon and courier-authlib-userdb are not installed"
    return None if can_mount() else "name spaces for mounts are not allowed here"


def require():
    """Ends the program as skipped if authdaemond cannot run."""
    why = obstacle()
    if why is not None:
        tap.skip_all(why)


def _run(command, text=b""):
    done = subprocess.run(command, input=text, capture_output=True, check=False)
    if done.returncode != 0:
        raise AssertionError(f"{command}:\n{done.stdout}{done.stderr}")
    return done.stdout


def hashed(password, kind="md5"):
    """The userdb entry for a password: kind "md5", or that of an HMAC, such as
    "hmac-sha1"."""
    guard.keep(password)
    return guard.keep(_run(["userdbpw", "-" + kind], smtp.octets(password) + b"\n").strip())


# The paths of authdaemond's files are compiled in. It finds ours there, in
# a mount namespace of its own, as its own start script would have it find them.
IN_NAME_SPACE = """\
mount -t tmpfs tmpfs /run && mkdir -p /run/courier && mount --bind "$1" /run/courier &&
mount --bind "$2" /etc/courier && set -a && . /etc/courier/authdaemonrc && exec "$3"
"""


class Authdaemond(Daemon):
    """`socket` leads to its socket, in the folder `run`, which may be given. add() adds
    accounts of the module authuserdb."""

    program = "authdaemond"
    owner = "root"

    def __init__(self, directory=None, run=None):
        super().__init__(directory)
        self.run = run or self.path("run")
        self.folder = os.path.join(self.run, "authdaemon")
        self.socket = os.path.join(self.folder, "socket")
        self.accounts = {}
        self.modules = ""
        os.makedirs(self.folder)
        os.mkdir(self.path("etc"))

    # --- accounts

    def add(self, user, password, hmacs=(), **fields):
        """Adds an account, or replaces it; publish() comes next. `hmacs` are the kinds
        to keep secrets for, such as "md5"; `fields` are those of userdb(8)."""
        values = {"uid": "5000", "gid": "5000", "home": "/nonexistent", **fields}
        if password is not None:
            values["systempw"] = hashed(password)
        for name in hmacs:
            values[f"hmac-{name}pw"] = hashed(password, f"hmac-{name}")
        self.accounts[smtp.octets(user)] = {name: smtp.octets(value)
                                            for name, value in values.items()}

    def publish(self):
        """Makes the accounts known, even to an authdaemond that is running."""
        path = self.path("etc", "userdb")
        with open(path, "wb") as file:
            for user, values in self.accounts.items():
                fields = b"|".join(name.encode() + b"=" + value for name, value in values.items())
                file.write(user + b"\t" + fields + b"\n")
        os.chmod(path, 0o600)
        _run(["makeuserdb", "-f", path])

    def stored(self, user):
        """The hash of the password of an account."""
        return self.accounts[smtp.octets(user)]["systempw"].decode()

    def use_sqlite(self, table, **settings):
        """Settings of authsqlite(8) for a database.Table."""
        self._write_settings("SQLITE", DATABASE=table.path, **settings)

    def use_postgres(self, server, **settings):
        """The same for authpgsql(8) and a servers.Postgres."""
        self._write_settings("PGSQL", DATABASE=server.database, CONNECTION=(
            f"host={server.socket_directory} port={server.port} user={server.user}"
            f" password={server.password}"), **settings)

    def _write_settings(self, engine, **settings):
        values = {"USER_TABLE": "mailbox", "LOGIN_FIELD": "username", "CRYPT_PWFIELD": "password",
                  "UID_FIELD": "'5000'", "GID_FIELD": "'5000'", "HOME_FIELD": "'/nonexistent'",
                  "NAME_FIELD": "name", **settings}
        self.write(f"etc/auth{engine.lower()}rc",
                   "".join(f"{engine}_{name}\t{value}\n" for name, value in values.items())
                   + "##NAME: MARKER:0\n")

    # --- the process

    def start(self, modules="authuserdb", daemons=5, **settings):
        """`settings` are for authdaemonrc."""
        self.stop()
        self.modules = modules
        values = {"authmodulelist": modules, "authmodulelistorig": modules, "daemons": daemons,
                  "authdaemonvar": "/run/courier/authdaemon", "DEBUG_LOGIN": "0",
                  "DEFAULTOPTIONS": "", "LOGGEROPTS": "", **settings}
        self.write("etc/authdaemonrc",
                   "".join(f'{name}="{value}"\n' for name, value in values.items()))
        self.launch(["unshare", "--mount", "--propagation", "private", "sh", "-c", IN_NAME_SPACE,
                     "sh", self.run, self.path("etc"), SERVER],
                    "Installation complete: " + modules.split()[-1])
        wait_for(lambda: listens(self.socket), "the socket of authdaemond")
        # One that has yet to come about might miss what happens to the others.
        wait_for(lambda: len(self.family()) == 1 + daemons, "the processes of authdaemond")

    def restart(self):
        self.start(self.modules)


def listens(path):
    """Whether anything listens at this socket."""
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(path)
        except OSError:
            return False
        return True


class Question:
    """A question in its parts, and its answer."""

    FORM = re.compile(rb"(?:TCPREMOTEIP=(.*)\n)?AUTH (\d+)\n(.*)\n(.*)\n(.*)\n(.*)\n")

    def __init__(self, request, reply):
        found = self.FORM.fullmatch(request)
        if found is None:
            raise AssertionError(f"this is not one question: {request!r}")
        self.remote_ip, length, self.service, self.kind = found.group(1, 2, 3, 4)
        self.lines = found.group(5, 6)
        tap.equal(int(length), len(request) - found.start(3), "the length that a question says")
        self.reply = reply


class _Conversation(socketserver.BaseRequestHandler):
    HEAD = re.compile(rb"(?:TCPREMOTEIP=.*\n)?AUTH (\d+)\n")

    def handle(self):
        try:
            request = self._question()
            reply = self._answer(request)
            self.server.exchanges.append((request, reply))
            self.request.sendall(reply)
        except OSError:
            pass  # One of the two may have gone away.

    def _question(self):
        request = b""
        while not self._is_whole(request):
            more = self.request.recv(65536)
            if not more:
                break
            request += more
        return request

    def _is_whole(self, request):
        head = self.HEAD.match(request)
        return head is not None and len(request) - head.end() >= int(head.group(1))

    def _answer(self, request):
        reply = b""
        with socket.socket(socket.AF_UNIX) as server:
            server.connect(self.server.target)
            server.sendall(request)
            while more := server.recv(65536):
                reply += more
        return reply


class _Recitation(_Conversation):
    def handle(self):
        self._question()
        try:
            for piece in self.server.pieces:
                self.request.sendall(piece)
            if self.server.stays_open:
                self.request.recv(1)  # until the client goes
        except OSError:
            pass


class Scripted(socketserver.ThreadingUnixStreamServer):
    """Answers each question with the same bytes, for replies that the real daemon
    cannot be made to send."""

    daemon_threads = True

    def __init__(self):
        self.path = os.path.join(tap.directory(), "scripted")
        self.pieces, self.stays_open = (), False
        super().__init__(self.path, _Recitation)
        os.chmod(self.path, 0o777)
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self):
        """Stops it. May be called twice."""
        if os.path.exists(self.path):
            self.shutdown()
            self.server_close()
            os.unlink(self.path)


class Witness(socketserver.ThreadingUnixStreamServer):
    """Passes questions on to an authdaemond, and records them."""

    daemon_threads = True

    def __init__(self, target, directory=None):
        self.target = target
        self.path = os.path.join(directory or tap.directory(), "witness")
        self.exchanges = []
        super().__init__(self.path, _Conversation)
        os.chmod(self.path, 0o777)
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def questions(self):
        """The questions since the last call."""
        taken, self.exchanges = self.exchanges, []
        return [Question(*exchange) for exchange in taken]

    def stop(self):
        """Stops it. May be called twice."""
        if os.path.exists(self.path):
            self.shutdown()
            self.server_close()
            os.unlink(self.path)
