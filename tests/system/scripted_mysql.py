# SPDX-License-Identifier: BSD-3-Clause
"""A server that speaks as much of MySQL 8's protocol as a lookup needs, and follows a
script when no real server would do so: it stalls, ends within a packet, asks for what
it must not get, and says two things at once.

It complements the tests with real servers, for what these cannot be made to do, and for
the methods of MySQL 8, which has no server to test with here. It follows MySQL's
documentation of the protocol; it does not show that MySQL itself agrees."""

import collections
import contextlib
import hashlib
import os
import secrets
import socket
import socketserver
import ssl
import struct
import subprocess
import threading
import time
import traceback

import guard
import tap
from daemon import wait_for

VERSION = b"8.0.36"

CLIENT_CONNECT_WITH_DB = 1 << 3
CLIENT_SSL = 1 << 11
CLIENT_PLUGIN_AUTH_LENENC = 1 << 21
CLIENT_DEPRECATE_EOF = 1 << 24
# Long passwords and flags, rows found, databases, local files, protocol 4.1,
# transactions, long challenges, several results, plug-ins, attributes.
CAPABILITIES = (0x0000a28f | CLIENT_CONNECT_WITH_DB | 0x001f0000 | CLIENT_PLUGIN_AUTH_LENENC
                | CLIENT_DEPRECATE_EOF)

AUTOCOMMIT = 2
NATIVE, CACHING, SHA256 = "mysql_native_password", "caching_sha2_password", "sha256_password"
CLEAR, DIALOG = "mysql_clear_password", "dialog"

# The steps at which a script may act: the names under which everything is sent. "tls"
# is what a server says until the connection is encrypted, "more" asks for the full
# exchange of caching_sha2_password or says that there is no need, "verdict" is whether
# the client is admitted.
STEPS = ("greeting", "tls", "switch", "more", "key", "verdict", "query", "prepare", "execute")

Login = collections.namedtuple("Login", "user plugin way encrypted")


# --- values on the wire


def _length(number):
    if number < 251:
        return bytes([number])
    return b"\xfc" + struct.pack("<H", number)


def _string(value):
    return _length(len(value)) + value


class _Reader:
    """Takes a packet apart."""

    def __init__(self, data):
        self.data = data

    def take(self, count):
        if count > len(self.data):
            raise ValueError("the packet ends too early")
        taken, self.data = self.data[:count], self.data[count:]
        return taken

    def number(self, size):
        return int.from_bytes(self.take(size), "little")

    def until_nul(self):
        found, nul, self.data = self.data.partition(b"\0")
        if not nul:
            raise ValueError("a string has no end")
        return found

    def string(self):
        first = self.number(1)
        return self.take(self.number({0xfc: 2, 0xfd: 3, 0xfe: 8}[first]) if first > 250 else first)


def xor(data, key):
    """Hides data with a repeated key, or reveals it."""
    return bytes(byte ^ key[at % len(key)] for at, byte in enumerate(data))


def _scramble(password, nonce):
    """What caching_sha2_password sends first."""
    once = hashlib.sha256(password).digest()
    twice = hashlib.sha256(once).digest()
    return xor(once, hashlib.sha256(twice + nonce).digest())


def ok():
    return b"\0\0\0" + struct.pack("<HH", AUTOCOMMIT, 0)


def error(number, state, text):
    """`state` may be "", as it is until a server knows its client."""
    return b"\xff" + struct.pack("<H", number) + (f"#{state}" if state else "").encode() \
        + text.encode()


TOO_MANY = error(1040, "", "Too many connections")


def local_file(path):
    """Asks the client for one of its own files."""
    return b"\xfb" + path.encode()


def _column(name):
    return b"".join(map(_string, (b"def", b"", b"", b"", name, name))) + b"\x0c" + struct.pack(
        "<HIBHBH", 255, 1020, 0xfd, 0, 0, 0)


# --- what may happen in place of an answer, at one of STEPS


def stall(conversation, _):
    """Says nothing, and waits for the client to leave."""
    conversation.wait_for_end()


def close(_conversation, _):
    raise Over


def half(then):
    """The first half of the answer, and then one of the above."""
    return part(None, then)


def part(count, then):
    """The first bytes of the answer, and then one of the above."""
    def fault(conversation, data):
        conversation.write(data[:len(data) // 2 if count is None else count])
        then(conversation, b"")
    return fault


def trickle(pause):
    """Byte by byte, with that many seconds in between."""
    def fault(conversation, data):
        for at in range(len(data)):
            conversation.write(data[at:at + 1])
            time.sleep(pause)
    return fault


def instead(data, then):
    """Other bytes, which need not be a packet, and then one of the above."""
    def fault(conversation, _):
        conversation.write(data)
        then(conversation, b"")
    return fault


def damage(randomness):
    """The answer with some of its bytes changed; then the dialogue continues."""
    def fault(conversation, data):
        damaged = bytearray(data)
        for _ in range(randomness.randint(1, 4)):
            damaged[randomness.randrange(len(damaged))] = randomness.randrange(256)
        conversation.write(bytes(damaged))
    return fault


def flood(packet, *before):
    """After some packets, the same packet again and again, without end and without a
    pause. Each may be a function of the conversation."""
    def fault(conversation, _):
        def frame(content):
            content = content(conversation) if callable(content) else content
            return len(content).to_bytes(3, "little") + b"\1" + content

        conversation.write_plain(b"".join(frame(content) for content in before))
        many = frame(packet)
        many *= max(1, (1 << 18) // len(many))
        while True:
            conversation.write_plain(many)
    fault.encrypts = True
    return fault


def column(_):
    return _column(b"password")


def end(conversation):
    return conversation.end_of_list()


def row(value):
    return b"\0\0" + _string(value)


def progress(_):
    """A progress report of MariaDB."""
    return b"\xff\xff\xff\1\1\1" + bytes(3) + b"\4work"


# --- one connection


class Over(Exception):
    """The connection is over."""


class Record:
    """What a client has sent over one connection: `wire` as received, `plain` after
    decryption, if there was any; and the nonces that it was sent."""

    def __init__(self):
        self.wire = b""
        self.plain = b""
        self.nonces = []


class _Conversation(socketserver.BaseRequestHandler):
    def setup(self):
        self.by_tcp = self.request.family == socket.AF_INET
        if self.by_tcp:
            self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.record = Record()
        self.pending = b""
        self.sequence = 0
        self.tls = None
        self.received = self.to_send = None  # of TLS
        self.nonce = None
        self.flags = 0
        self.strayed = False  # from the protocol
        self.statements = {}
        self.prepared = 0
        self.server.enter(self)

    def finish(self):
        self.server.leave(self)

    def handle(self):
        try:
            self._converse()
        except (Over, OSError):
            pass
        except (ValueError, LookupError):
            # No wonder, where the client did not get to hear what it should.
            if not self.strayed:
                raise


    # --- bytes

    def write(self, data):
        self.request.sendall(data)

    def write_plain(self, data):
        """Encrypted, if everything is."""
        if self.tls is not None:
            self.tls.write(data)
            data = self.to_send.read()
        self.write(data)

    def _read_wire(self):
        data = self.request.recv(65536)
        if not data:
            raise Over
        # Or else a client that sends two packets waits for a while.
        if self.by_tcp:
            self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        self.record.wire += data
        return data

    def wait_for_end(self):
        while True:
            self._read_wire()

    def _read_some(self):
        """At least one byte, decrypted."""
        if self.tls is None:
            return self._read_wire()
        while True:
            try:
                data = self.tls.read(65536)
            except ssl.SSLWantReadError:
                self.received.write(self._read_wire())
                continue
            if not data:
                raise Over
            return data

    def _read(self, count):
        while len(self.pending) < count:
            data = self._read_some()
            self.record.plain += data
            self.pending += data
        taken, self.pending = self.pending[:count], self.pending[count:]
        return taken

    def _start_tls(self):
        if self.server.context is None:
            raise Over
        self.received, self.to_send = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = self.server.context.wrap_bio(self.received, self.to_send, server_side=True)
        self.received.write(self.pending)
        self.record.plain = self.record.plain[:len(self.record.plain) - len(self.pending)]
        self.pending = b""
        done = False
        while not done:
            try:
                tls.do_handshake()
                done = True
            except ssl.SSLWantReadError:
                pass
            except ssl.SSLError as why:
                raise Over from why
            if self.to_send.pending:
                self._emit("tls", self.to_send.read())
            if not done:
                self.received.write(self._read_wire())
        self.tls = tls

    # --- packets

    def _receive(self):
        header = self._read(4)
        self.sequence = header[3] + 1
        return self._read(int.from_bytes(header[:3], "little"))

    def _send(self, step, *packets):
        """In one piece, unless the script says otherwise."""
        data = b""
        for packet in self.server.packets.get(step, packets):
            data += len(packet).to_bytes(3, "little") + bytes([self.sequence & 255]) + packet
            self.sequence += 1
        if self.tls is not None and not hasattr(self.server.faults.get(step), "encrypts"):
            self.tls.write(data)
            data = self.to_send.read()
        self._emit(step, data)

    def _emit(self, step, data):
        self.server.reached[step] += 1
        self.strayed |= step in self.server.faults or step in self.server.packets
        self.server.faults.get(step, _Conversation.write)(self, data)

    # --- a login

    def _renew_nonce(self):
        self.nonce = bytes(1 + secrets.randbelow(127) for _ in range(20))
        self.record.nonces.append(self.nonce)

    def _converse(self):
        self._renew_nonce()
        self._send("greeting", self._greeting())
        packet = self._receive()
        if len(packet) == 32:
            self._start_tls()
            packet = self._receive()
        user, answer, plugin = self._take_apart(packet)
        if plugin != self.server.plugin:
            answer = self._switch()
        way = self._authenticate(answer)
        if way is None or user != self.server.user:
            self._send("verdict", error(1045, "28000", f"Access denied for user '{user}'"
                                        "@'localhost' (using password: YES)"))
            return
        self.server.logins.append(Login(user, self.server.plugin, way, self.tls is not None))
        self._send("verdict", ok())
        while True:
            self._obey(self._receive())

    def _greeting(self):
        offered = self.server.capabilities
        if self.server.context is not None:
            offered |= CLIENT_SSL
        return (b"\x0a" + self.server.version + b"\0" + struct.pack("<I", 1) + self.nonce[:8]
                + b"\0" + struct.pack("<HBHH", offered & 0xffff, 255, AUTOCOMMIT, offered >> 16)
                + bytes([len(self.nonce) + 1]) + bytes(10) + self.nonce[8:] + b"\0"
                + self.server.greets_with.encode() + b"\0")

    def _take_apart(self, packet):
        reader = _Reader(packet)
        self.flags = reader.number(4)
        reader.take(28)
        user = reader.until_nul().decode()
        answer = reader.string()
        if self.flags & CLIENT_CONNECT_WITH_DB:
            reader.until_nul()
        return user, answer, reader.until_nul().decode()

    def _switch(self):
        self._renew_nonce()
        data = self.nonce + b"\0" if self.server.question is None else self.server.question
        self._send("switch", b"\xfe" + self.server.plugin.encode() + b"\0" + data)
        return self._receive()

    def _authenticate(self, answer):
        """Returns the way in which the password was sent, or None if it is wrong."""
        methods = {CACHING: self._caching, SHA256: self._sha256}
        return methods.get(self.server.plugin, self._clear)(answer)

    def _clear(self, answer):
        return "clear" if answer == self.server.expected + b"\0" else None

    def _caching(self, answer):
        if not answer:
            return None
        if self.server.cached and answer == _scramble(self.server.expected, self.nonce):
            self._send("more", b"\x01\x03")
            return "fast"
        self._send("more", b"\x01\x04")
        return self._full(self._receive(), b"\x02")

    def _sha256(self, answer):
        return self._full(answer, b"\x01")

    def _full(self, answer, wants_key):
        if self.tls is not None or answer != wants_key:
            return self._clear(answer)
        self._send("key", b"\x01" + self.server.key.public)
        return "rsa" if self.server.key.decrypt(self._receive(), self.nonce) == \
            self.server.expected + b"\0" else None

    # --- statements

    def _obey(self, packet):
        commands = {0x03: self._query, 0x0e: self._ping, 0x16: self._prepare,
                    0x17: self._execute, 0x19: self._close, 0x1a: self._ping}
        if packet[:1] == b"\x01":
            raise Over
        if packet:  # none where a file was asked for
            commands[packet[0]](packet[1:])

    def _query(self, text):
        self._send("query", ok() if text.startswith(b"SET ") else
                   error(1064, "42000", "You have an error in your SQL syntax"))

    def _ping(self, _):
        self._send("query", ok())

    def _close(self, packet):
        self.statements.pop(packet, None)

    def end_of_list(self):
        if self.flags & CLIENT_DEPRECATE_EOF:
            return b"\xfe\0\0" + struct.pack("<HH", AUTOCOMMIT, 0)
        return b"\xfe" + struct.pack("<HH", 0, AUTOCOMMIT)

    def _definitions(self, names):
        end = [] if self.flags & CLIENT_DEPRECATE_EOF or not names else [self.end_of_list()]
        return [_column(name) for name in names] + end

    def _prepare(self, text):
        self.prepared += 1
        number = struct.pack("<I", self.prepared)
        self.statements[number] = count = text.count(b"?")
        self._send("prepare", b"\0" + number + struct.pack("<HHBH", 1, count, 0, 0),
                   *self._definitions([b"?"] * count), *self._definitions([b"password"]))

    def _execute(self, packet):
        """The first parameter is the user."""
        reader = _Reader(packet)
        count = self.statements.get(reader.take(4))
        if count is None:
            self._send("execute", error(1243, "HY000", "Unknown prepared statement handler"))
            return
        reader.take(5 + (count + 7) // 8)
        if reader.number(1) == 1:
            reader.take(2 * count)
        user = reader.string().decode()
        rows = [b"\0\0" + _string(self.server.rows[user].encode())] \
            if user in self.server.rows else []
        self._send("execute", b"\x01", *self._definitions([b"password"]), *rows, self.end_of_list())


# --- the server


class _Key:
    """An RSA key pair."""

    def __init__(self, directory):
        self.path = os.path.join(directory, "rsa.pem")
        self._openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048",
                      "-out", self.path)
        self.public = self._openssl("pkey", "-in", self.path, "-pubout")

    @staticmethod
    def _openssl(*arguments, data=b""):
        return subprocess.run(["openssl", *arguments], input=data, capture_output=True,
                              check=False).stdout

    def decrypt(self, data, nonce):
        """b"" if that is not possible."""
        return xor(self._openssl("pkeyutl", "-decrypt", "-inkey", self.path, "-pkeyopt",
                                 "rsa_padding_mode:oaep", data=data), nonce)


class Server(socketserver.ThreadingTCPServer):
    """Listens on its own port. Its attributes may be changed at any time, for later
    connections. `rows` maps users to the result of a statement."""

    daemon_threads = True
    request_queue_size = 128

    # as configuration.canonical() asks for it
    engine = "mysql"
    user = "postfix"
    database = "postfix"

    def __init__(self, rows, host="127.0.0.1"):
        self.rows = rows
        self.password = guard.keep("pw-" + secrets.token_hex(8))
        self.key = _Key(tap.directory())
        self.context = None  # of TLS: see encrypt()
        self.reset()
        self.packets = {}
        self.faults = {}
        self.reached = collections.Counter()
        self.records = []
        self.logins = []
        self.open = []
        self.troubles = []
        self.lock = threading.Lock()
        super().__init__((host, 0), _Conversation)
        self.port = self.server_address[1]
        self.thread = threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()

    @property
    def address(self):
        return f"{self.server_address[0]}:{self.port}"

    def listen_at(self, path):
        """Listens at a socket, too."""
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(path)
        os.chmod(path, 0o666)
        listener.listen()

        def accept():
            while True:
                self.process_request(listener.accept()[0], path)

        threading.Thread(target=accept, daemon=True).start()

    # --- how it behaves

    def reset(self, plugin=CACHING, cached=False, greets_with=CACHING, question=None):
        """How to authenticate: by which plug-in; whether what caching_sha2_password is
        sent first is enough; which plug-in the greeting names, so that the server
        switches to the other; and with which words."""
        self.plugin = plugin
        self.cached = cached
        self.greets_with = greets_with
        self.question = question
        self.expected = self.password.encode()
        self.version = VERSION
        self.capabilities = CAPABILITIES

    def encrypt(self, certificate=None, key=None):
        """Offers TLS; without arguments, no longer offers it."""
        context = None
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate, key)
        self.context = context

    @contextlib.contextmanager
    def script(self, step, fault=None, packet=None):
        """At this step, one of STEPS, does something else, or sends another packet."""
        if packet is not None:
            self.packets[step] = [packet]
        if fault is not None:
            self.faults[step] = fault
        try:
            yield
        finally:
            self.packets.pop(step, None)
            self.faults.pop(step, None)

    # --- what has become of it

    def enter(self, conversation):
        with self.lock:
            self.open.append(conversation)
            self.records.append(conversation.record)

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

    def forget(self):
        """Closes the connections, and forgets what they have sent."""
        self.cut()
        self.records, self.logins = [], []
        self.reached.clear()

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
