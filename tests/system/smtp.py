# SPDX-License-Identifier: BSD-3-Clause
"""SMTP on the wire, for clients and for a server that keeps what it is sent."""

import base64
import hashlib
import hmac
import re
import socket
import socketserver
import threading

import guard

TIMEOUT = 30


def octets(text):
    return text.encode() if isinstance(text, str) else text


def b64(text):
    return base64.b64encode(octets(text)).decode()


class Session:
    """A client's connection. Replies are returned as received, without the line ends:
    lines of one reply are joined by a newline."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), TIMEOUT)
        self.input = self.socket.makefile("rb")
        self.greeting = self.reply()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Sends QUIT, and waits for the server to end the session."""
        if self.socket is None:
            return
        try:
            self.socket.sendall(b"QUIT\r\n")
            while self.socket.recv(4096):
                pass
        except OSError:
            pass
        self.input.close()
        self.socket.close()
        self.socket = None

    def reply(self):
        lines = []
        while True:
            line = self.input.readline()
            if not line.endswith(b"\n"):
                raise AssertionError(f"the server has closed the connection, after {lines}")
            lines.append(line.rstrip(b"\r\n").decode("utf-8", "backslashreplace"))
            if lines[-1][3:4] != "-":
                return "\n".join(lines)

    def command(self, line):
        self.socket.sendall(octets(line) + b"\r\n")
        return self.reply()

    def ehlo(self):
        return self.command("EHLO client.example.org")

    def auth_plain(self, user, password, authzid=""):
        message = octets(authzid) + b"\0" + octets(user) + b"\0" + octets(password)
        guard.keep(password)
        guard.keep(message)
        return self.command("AUTH PLAIN " + b64(message))

    def auth_login(self, user, password, initial=False):
        guard.keep(password)
        reply = self.command("AUTH LOGIN " + b64(user) if initial else "AUTH LOGIN")
        if not initial and reply.startswith("334 "):
            reply = self.command(b64(user))
        if reply.startswith("334 "):
            reply = self.command(b64(password))
        return reply

    def _challenge(self, mechanism):
        """The server's challenge; None and its reply if there is none."""
        reply = self.command("AUTH " + mechanism)
        return (base64.b64decode(reply[4:]), reply) if reply.startswith("334 ") else (None, reply)

    def auth_cram_md5(self, user, password):
        """RFC 2195"""
        challenge, reply = self._challenge("CRAM-MD5")
        if challenge is None:
            return reply
        digest = hmac.new(octets(guard.keep(password)), challenge, "md5").hexdigest()
        return self.command(b64(f"{user} {digest}"))

    def auth_digest_md5(self, user, password):
        """RFC 2831, with qop=auth"""
        challenge, reply = self._challenge("DIGEST-MD5")
        if challenge is None:
            return reply
        fields = dict(re.findall(r'(\w+)="([^"]*)"', challenge.decode()))
        name, _, realm = user.partition("@")
        realm = realm or fields["realm"]
        uri = "smtp/" + fields["realm"]

        def md5(data):
            return hashlib.md5(data, usedforsecurity=False)

        start = md5(octets(f"{name}:{realm}:{guard.keep(password)}")).digest()
        secret = md5(start + octets(f":{fields['nonce']}:c1")).hexdigest()
        proof = md5(octets(f"{secret}:{fields['nonce']}:00000001:c1:auth:"
                           + md5(octets("AUTHENTICATE:" + uri)).hexdigest())).hexdigest()
        reply = self.command(b64(
            f'username="{name}",realm="{realm}",nonce="{fields["nonce"]}",cnonce="c1",'
            f'nc=00000001,qop=auth,digest-uri="{uri}",response={proof}'))
        return self.command("") if reply.startswith("334 ") else reply

    def auth(self, mechanism, user, password):
        return {"PLAIN": self.auth_plain, "LOGIN": self.auth_login,
                "CRAM-MD5": self.auth_cram_md5,
                "DIGEST-MD5": self.auth_digest_md5}[mechanism](user, password)


def capabilities(ehlo_reply):
    """The lines of an EHLO reply, without the codes and the name of the host."""
    return [line[4:] for line in ehlo_reply.splitlines()[1:]]


def mechanisms(ehlo_reply):
    """The names after AUTH, in their order, or [] if it is not offered."""
    for line in capabilities(ehlo_reply):
        if line.startswith("AUTH "):
            return line.split()[1:]
    return []


class _Conversation(socketserver.StreamRequestHandler):
    timeout = TIMEOUT

    def say(self, text):
        self.wfile.write(text.encode() + b"\r\n")

    def handle(self):
        try:
            self.converse()
        except OSError:
            pass  # Postfix may be stopped while it is here.

    def converse(self):
        self.say("220 sink.example.net ESMTP")
        while True:
            verb = self.rfile.readline().strip().upper()
            if not verb:
                return
            if verb == b"DATA":
                self.say("354 go ahead")
                self.receive()
                self.say("250 kept")
            elif verb == b"QUIT":
                self.say("221 bye")
                return
            else:
                self.say("250 sink.example.net")

    def receive(self):
        lines = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line)
        self.server.keep(b"".join(lines).decode("utf-8", "replace"))


class Sink(socketserver.ThreadingTCPServer):
    """A server on its own port that keeps the messages it receives."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Conversation)
        self.port = self.server_address[1]
        self.messages = []
        self.arrived = threading.Condition()
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def keep(self, message):
        with self.arrived:
            self.messages.append(message)
            self.arrived.notify_all()

    def message(self, mark):
        """Waits for a message that contains `mark`."""
        def find():
            return next((text for text in self.messages if mark in text), None)

        with self.arrived:
            if not self.arrived.wait_for(find, TIMEOUT):
                raise AssertionError(f"no message with {mark!r} has arrived")
            return find()

    def stop(self):
        self.shutdown()
        self.server_close()


def header(message, name):
    """The value of a header field, folded lines joined."""
    head = re.sub(r"\r?\n[ \t]+", " ", re.split(r"\r?\n\r?\n", message, maxsplit=1)[0])
    for line in head.splitlines():
        if line.lower().startswith(name.lower() + ":"):
            return line[len(name) + 1:].strip()
    return ""
