# SPDX-License-Identifier: BSD-3-Clause
"""What a test's server sends to syslog(3), as libsasl2 does in programs that do not
take its lines themselves."""

import os
import re
import socket
import threading

from daemon import can_mount, wait_for

MARK = "all that was sent before is here"
DEVICES = ("full", "null", "random", "urandom", "zero")


class SystemLog:
    """The /dev/log of one server (daemon.Daemon), which gets its own /dev."""

    def __init__(self, server):
        directory = server.path("dev")
        os.mkdir(directory)
        for name in DEVICES:
            server.write("dev/" + name, "")
            server.cover(os.path.join(directory, name), os.path.join("/dev", name))
        server.cover("/dev", directory)
        self._lines = []
        self._marks = 0
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(os.path.join(directory, "log"))
        os.chmod(os.path.join(directory, "log"), 0o666)
        # A full socket would make the server wait.
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        while True:
            line = self._socket.recv(65536).decode("utf-8", "replace").rstrip("\n\0")
            if line == MARK:
                self._marks += 1
                continue
            # <priority>month day time name[pid]: text
            self._lines.append(re.sub(r"^<\d+>\w+ +\d+ [\d:]+ ", "", line))

    def _settle(self):
        """Waits for everything that was sent before."""
        wanted = self._marks + 1
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.sendto(MARK.encode(), self._socket.getsockname())
        wait_for(lambda: self._marks >= wanted, "a message to the system log")

    def clear(self):
        self._settle()
        self._lines.clear()

    def text(self):
        self._settle()
        return "\n".join(self._lines)

    def wait_for(self, part):
        """Waits for a line that contains this, and returns the whole log."""
        wait_for(lambda: part in self.text(), f"{part!r} in the system log:\n{self.text()}")
        return self.text()


def possible():
    """Whether a server may have one."""
    return can_mount()
