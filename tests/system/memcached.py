# SPDX-License-Identifier: BSD-3-Clause
"""An unmodified memcached that authenticates its clients through libsasl2, which finds
our plug-ins before the stock ones, and the part of its binary protocol that a client
needs for that."""

import shutil
import socket
import struct

import plugins
import tap
from daemon import Daemon, free_port

# Operations.
GET, SET, VERSION, LIST, AUTH, STEP = 0x00, 0x01, 0x0B, 0x20, 0x21, 0x22

# Results.
OK, MISSING, INVALID, REFUSED, CONTINUES, UNKNOWN, NO_MEMORY = 0, 1, 4, 0x20, 0x21, 0x81, 0x82

HEADER = struct.Struct(">BBHBBHIIQ")
REQUEST = 0x80


def require():
    """Ends the program as skipped if memcached cannot run."""
    if shutil.which("memcached") is None:
        tap.skip_all("memcached is not installed")


def frame(operation, key=b"", value=b"", extras=b""):
    """A whole request."""
    return HEADER.pack(REQUEST, operation, len(key), len(extras), 0, 0,
                       len(extras) + len(key) + len(value), 0, 0) + extras + key + value


class Client:
    """A connection. Each request returns the result and the value of the answer."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=30)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def _receive(self, length):
        data = b""
        while len(data) < length:
            piece = self.socket.recv(length - len(data))
            if not piece:
                raise ConnectionError("closed by memcached")
            data += piece
        return data

    def answer(self):
        _, _, key, extras, _, result, body, _, _ = HEADER.unpack(self._receive(HEADER.size))
        return result, self._receive(body)[extras + key:]

    def ask(self, *request):
        self.send(frame(*request))
        return self.answer()

    def auth(self, mechanism, data=b""):
        return self.ask(AUTH, mechanism.encode(), data)

    def step(self, mechanism, data=b""):
        return self.ask(STEP, mechanism.encode(), data)

    def closed(self):
        """Whether memcached closes the connection without another answer."""
        try:
            return self.socket.recv(1) == b""
        except ConnectionResetError:
            return True


class Memcached(Daemon):
    """Its log shows what libsasl2 logs, at every level."""

    program = "memcached"
    owner = "nobody"

    def __init__(self, directory=None):
        super().__init__(directory)
        self.port = free_port()
        self.sasl_path = plugins.under_test() + ":" + plugins.stock(self.directory)

    def start(self, configuration):
        """`configuration` is the text of memcached.conf."""
        self.stop()
        self.write("memcached.conf", configuration)
        self.launch(["env", f"SASL_CONF_PATH={self.home}", f"SASL_PATH={self.sasl_path}",
                     shutil.which("memcached"), "-S", "-vv", "-l", "127.0.0.1",
                     "-p", str(self.port), "-t", "4", "-c", "256"],
                    "server listening")

    def client(self):
        return Client(self.port)

    def check_alive(self):
        """The process that was started is still there and answers."""
        if not self.running:
            raise AssertionError(f"memcached has ended with status {self.process.returncode}:\n"
                                 + self.log()[-2000:])
        with self.client() as client:
            tap.equal(client.ask(VERSION)[0], OK, "result of VERSION")
