# SPDX-License-Identifier: BSD-3-Clause
"""A server that speaks as much of PostgreSQL's protocol as a login needs, and follows a
script when no real server would do so: it repeats itself without end, announces more
than it sends, stalls, and ends within a message.

It complements the tests with real servers, for what these cannot be made to do. It
follows PostgreSQL's documentation of the protocol."""

import collections
import contextlib
import secrets
import socket
import socketserver
import ssl
import struct
import threading
import time
import traceback

import guard
import tap
from daemon import wait_for

SSL_REQUEST = 80877103
GIGABYTE = 1 << 30
MOST = 8 << 30  # bytes that are sent to one client, more than any client takes

# The steps at which a script may act: the names under which everything is sent.
# "encryption" answers a client that wants TLS, "password" asks for the password,
# "verdict" ends by saying that statements may come. The others are statements; any other
# one is prepared as "prepare", and run as "execute".
COMMANDS = ("BEGIN", "COMMIT", "ROLLBACK")
STEPS = ("encryption", "password", "verdict", "prepare", "describe", "execute", *COMMANDS)


# --- messages


def message(kind, body=b"", length=None):
    """`length` announces another length of the body."""
    return kind + struct.pack(">I", 4 + (len(body) if length is None else length)) + body


def _strings(*values):
    return b"".join(value.encode() + b"\0" for value in values)


def error(state, text, severity="ERROR", kind=b"E"):
    return message(kind, _strings("S" + severity, "V" + severity, "C" + state, "M" + text) + b"\0")


def error_of_pooler(state, text, severity="ERROR"):
    """Poolers send fewer fields."""
    return message(b"E", _strings("S" + severity, "C" + state, "M" + text) + b"\0")


def notice(text="Something that is of no interest"):
    return error("00000", text, "NOTICE", b"N")


def parameter(name="of_the_server", value="on"):
    return message(b"S", _strings(name, value))


def notification(payload=""):
    return message(b"A", struct.pack(">I", 1) + _strings("channel", payload))


def columns(*names):
    return message(b"T", struct.pack(">H", len(names)) + b"".join(
        _strings(name) + struct.pack(">IHIhih", 0, 0, 25, -1, -1, 0) for name in names))


def row(*values):
    return message(b"D", struct.pack(">H", len(values)) + b"".join(
        struct.pack(">I", len(value)) + value for value in values))


def ready(state=b"I"):
    return message(b"Z", state)


PARSED, BOUND = message(b"1"), message(b"2")
ASKS_FOR_PASSWORD = message(b"R", struct.pack(">I", 3))
ADMITTED = message(b"R", struct.pack(">I", 0))


# --- what may happen in place of an answer, at one of STEPS


def stall(conversation, _):
    """Says nothing, and waits for the client to leave."""
    conversation.wait_for_end()


def close(_conversation, _):
    raise Over


def part(count, then):
    """The first bytes of the answer, and then one of the others."""
    def fault(conversation, data):
        conversation.write(data[:count])
        then(conversation, b"")
    return fault


def instead(data, then=stall):
    """Other bytes, which need not be a message, and then one of the others."""
    def fault(conversation, _):
        conversation.write(data)
        then(conversation, b"")
    return fault


def answer_with(data):
    """Another answer; then the dialogue continues."""
    def fault(conversation, _):
        conversation.write(data)
    return fault


def once(fault):
    """For the first client that asks."""
    asked = []

    def first(conversation, data):
        asked.append(True)
        if len(asked) == 1:
            fault(conversation, data)
        else:
            conversation.write(data)
    return first


def before(data):
    """Something else first."""
    def fault(conversation, answer):
        conversation.write(data + answer)
    return fault


def behind(then):
    """The answer, and then one of the others."""
    def fault(conversation, answer):
        conversation.write(answer)
        then(conversation, b"")
    return fault


def without_end(data, first=b""):
    """The same again and again, as fast as the client reads it. If it is a function,
    its results for 0, 1, 2 ..."""
    def fault(conversation, _):
        conversation.write(first)
        sent, number = 0, 0
        while sent < MOST:
            if callable(data):
                block = b"".join(data(number + i) for i in range(1000))
                number += 1000
            else:
                block = data * (1 + (1 << 18) // len(data))
            conversation.write(block)
            sent += len(block)
    return fault


def slowly(data, pause, first=b""):
    """The same again and again, with that many seconds in between."""
    def fault(conversation, _):
        conversation.write(first)
        while True:
            conversation.write(data)
            time.sleep(pause)
    return fault


# --- one connection


class Over(Exception):
    """The connection is over."""


class _Conversation(socketserver.BaseRequestHandler):
    def setup(self):
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.pending = b""
        self.options = {}
        self.texts = {}  # of prepared statements, by their names
        self.state = b"I"
        self.server.enter(self)

    def finish(self):
        self.server.leave(self)

    def handle(self):
        with contextlib.suppress(Over):
            self._converse()

    def write(self, data):
        try:
            self.request.sendall(data)
        except OSError as gone:
            raise Over from gone

    def _read(self, count):
        while len(self.pending) < count:
            try:
                data = self.request.recv(65536)
            except OSError as gone:
                raise Over from gone
            if not data:
                raise Over
            self.pending += data
        taken, self.pending = self.pending[:count], self.pending[count:]
        return taken

    def wait_for_end(self):
        while True:
            self._read(1)

    def send(self, step, data):
        self.server.reached[step] += 1
        fault = self.server.faults.get(step)
        if fault is None:
            self.write(data)
        else:
            fault(self, data)

    def _startup(self):
        length, code = struct.unpack(">II", self._read(8))
        body = self._read(length - 8)
        if code != SSL_REQUEST:
            words = body.rstrip(b"\0").decode().split("\0")
            self.options = dict(zip(words[::2], words[1::2]))
            return
        if self.server.context is None:
            self.send("encryption", b"N")
        else:
            self.send("encryption", b"S")
            try:
                self.request = self.server.context.wrap_socket(self.request, server_side=True)
            except OSError as failed:
                raise Over from failed
        self._startup()

    def _converse(self):
        self._startup()
        self.send("password", ASKS_FOR_PASSWORD)
        if self._receive() != (b"p", self.server.password.encode() + b"\0"):
            self.write(error("28P01", "wrong password", "FATAL"))
            return
        self.server.logins += 1
        self.send("verdict", ADMITTED + parameter("server_version", "15.0")
                  + parameter("client_encoding", "UTF8") + parameter("in_hot_standby", "off")
                  + parameter("default_transaction_read_only", "off")
                  + message(b"K", struct.pack(">II", 1, 2)) + ready())
        while True:
            self._obey()

    def _receive(self):
        kind = self._read(1)
        body = self._read(struct.unpack(">I", self._read(4))[0] - 4)
        if kind == b"X":
            raise Over
        return kind, body

    # --- statements

    def _obey(self):
        """Everything up to the next Sync is answered at once."""
        step, answer = None, b""
        while True:
            kind, body = self._receive()
            if kind == b"S":
                break
            if (kind, body) == (b"Q", b"SHOW transaction_read_only\0"):
                # libpq up to 13 asks whether it can write here.
                self.write(columns("transaction_read_only") + row(b"off")
                           + message(b"C", _strings("SHOW")) + ready(self.state))
                continue
            if kind == b"P":
                name, text, _ = body.split(b"\0", 2)
                self.texts[name] = text.decode()
                step = step or "prepare"
                answer += PARSED
            elif kind == b"B":
                step, values, rows = self._bind(body)
                answer += values
            elif kind == b"D" and body[:1] == b"S":
                step = "describe"
                answer += message(b"t", struct.pack(">HI", 1, 23)) + columns("password")
            elif kind == b"D":
                answer += columns("password") if step == "execute" else message(b"n")
            elif kind == b"E":
                answer += rows
            else:
                raise AssertionError(f"a message of type {kind}")
        self.send(step, answer + ready(self.state))

    def _bind(self, body):
        """Returns the step, the answer to the Bind, and what it leads to."""
        _, name, rest = body.split(b"\0", 2)
        text = self.texts[name]
        if text in COMMANDS:
            self.state = b"T" if text == "BEGIN" else b"I"
            return text, BOUND, message(b"C", _strings(text))
        if text.startswith("UPDATE "):
            return "execute", BOUND, message(b"C", _strings("UPDATE 1"))
        count = struct.unpack(">H", rest[:2])[0]
        rest = rest[2 + 2 * count:]
        if struct.unpack(">H", rest[:2])[0] == 0:
            return "execute", BOUND, message(b"C", _strings("SELECT 0"))
        length = struct.unpack(">I", rest[2:6])[0]
        stored = self.server.rows.get(rest[6:6 + length].decode())
        rows = [] if stored is None else [row(stored.encode())]
        return "execute", BOUND, b"".join(rows) + message(b"C", _strings(f"SELECT {len(rows)}"))


# --- the server


class Server(socketserver.ThreadingTCPServer):
    """Listens on its own port. Its attributes may be changed at any time, for later
    connections. `rows` maps users to the result of a statement."""

    daemon_threads = True
    request_queue_size = 128

    # as configuration.canonical() asks for it
    engine = "pgsql"
    user = "postfix"
    database = "postfix"

    def __init__(self, rows):
        self.rows = rows
        self.password = guard.keep("pw-" + secrets.token_hex(8))
        self.context = None  # of TLS: see encrypt()
        self.faults = {}
        self.reached = collections.Counter()
        self.logins = 0
        self.open = []
        self.troubles = []
        self.lock = threading.Lock()
        super().__init__(("127.0.0.1", 0), _Conversation)
        self.port = self.server_address[1]
        self.thread = threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def encrypt(self, certificate, key):
        """Offers TLS."""
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certificate, key)

    @contextlib.contextmanager
    def script(self, step, fault):
        """At this step, one of STEPS, does something else, unless `fault` is None."""
        before_it = dict(self.faults)
        if fault is not None:
            self.faults[step] = fault
        try:
            yield
        finally:
            self.faults = before_it

    def enter(self, conversation):
        with self.lock:
            self.open.append(conversation)

    def leave(self, conversation):
        with self.lock:
            self.open.remove(conversation)

    def settle(self):
        """Waits until all connections have ended."""
        wait_for(lambda: not self.open, "the end of the connections", 5)

    def cut(self):
        """Closes the existing connections."""
        with self.lock:
            for conversation in self.open:
                with contextlib.suppress(OSError):
                    conversation.request.shutdown(socket.SHUT_RDWR)
        self.settle()

    def handle_error(self, request, client_address):
        self.troubles.append(traceback.format_exc())

    def stop(self):
        """Stops it. May be called twice."""
        if self.thread is None:
            return
        self.shutdown()
        self.thread.join()
        self.thread = None
        self.cut()
        self.server_close()
        tap.equal(self.troubles, [], "what the server did not understand")
