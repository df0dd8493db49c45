# SPDX-License-Identifier: BSD-3-Clause
"""The network between a program and a server: it counts what passes, and fails in all
the ways in which networks fail."""

import selectors
import socket
import threading

from daemon import free_port


class _Pair:
    """One connection, as two sockets."""

    def __init__(self, client, server):
        self.client = client
        self.server = server
        self.from_client = False  # who has spoken last

    def close(self):
        self.client.close()
        self.server.close()


class Proxy:
    """Passes TCP connections on to a port of the loopback interface."""

    def __init__(self, target_port, port=None):
        self.port = port or free_port()
        self.target_port = target_port
        self.connections = 0
        # How often a client has spoken first, or after the server: round trips,
        # as far as each is answered.
        self.flights = 0
        self._pairs = []
        self._listener = None
        self._dropping = False
        self._stopped = False
        self._lock = threading.Lock()
        self._wake, self._woken = socket.socketpair()
        self._listen()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def _listen(self):
        if self._listener is None:
            self._listener = socket.create_server(("127.0.0.1", self.port), backlog=128)

    # --- what may happen to a network

    def drop(self):
        """Silently loses everything that is sent from now on, in both directions. New
        connections are accepted, but nothing more. See also BlackHole."""
        with self._lock:
            self._dropping = True
        self._wake.send(b"x")

    def refuse(self):
        """Refuses new connections. Existing ones continue."""
        with self._lock:
            if self._listener is not None:
                self._listener.close()
                self._listener = None
        self._wake.send(b"x")

    def cut(self):
        """Closes the existing connections."""
        with self._lock:
            self._close_all()
        self._wake.send(b"x")

    def resume(self):
        """Back to normal. Whatever was sent meanwhile arrives now."""
        with self._lock:
            self._dropping = False
            self._listen()
        self._wake.send(b"x")

    def stop(self):
        """Closes everything. May be called twice."""
        with self._lock:
            if self._stopped:
                return
            self._stopped = True
        self._wake.send(b"x")
        self._thread.join()
        self.refuse()
        self.cut()

    # --- the thread

    def _close_all(self):
        for pair in self._pairs:
            pair.close()
        self._pairs = []

    def _run(self):
        while True:
            with selectors.DefaultSelector() as selector:
                with self._lock:
                    if self._stopped:
                        return
                    for source in self._watched():
                        selector.register(source, selectors.EVENT_READ)
                ready = {key.fileobj for key, _ in selector.select()}
            with self._lock:
                self._serve(ready)

    def _watched(self):
        found = [self._woken]
        if not self._dropping:
            found += [self._listener] if self._listener is not None else []
            for pair in self._pairs:
                found += [pair.client, pair.server]
        return found

    def _serve(self, ready):
        if self._woken in ready:
            self._woken.recv(64)
        if self._dropping:
            return
        if self._listener in ready:
            self._accept()
        for pair in list(self._pairs):
            if not all(self._forward(pair, source) for source in (pair.client, pair.server)
                       if source in ready):
                pair.close()
                self._pairs.remove(pair)

    def _accept(self):
        client, _ = self._listener.accept()
        self.connections += 1
        try:
            server = socket.create_connection(("127.0.0.1", self.target_port))
        except OSError:
            client.close()
            return
        for end in (client, server):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._pairs.append(_Pair(client, server))

    def _forward(self, pair, source):
        """False if the connection is over."""
        if source is pair.client:
            target, from_client = pair.server, True
        else:
            target, from_client = pair.client, False
        try:
            data = source.recv(65536)
            if not data:
                return False
            # A farewell is not answered: see flights.
            self.flights += from_client and not pair.from_client
            pair.from_client = from_client
            target.sendall(data)
        except OSError:
            return False
        return True


class BlackHole:
    """A port of the loopback interface that does not answer attempts to connect, like
    one behind a firewall that drops packets."""

    def __init__(self):
        self.port = free_port()
        self._listener = socket.create_server(("127.0.0.1", self.port), backlog=0)
        self._fillers = []
        while self._admits_another():
            pass

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def _admits_another(self):
        filler = socket.socket()
        filler.settimeout(0.2)
        self._fillers.append(filler)
        try:
            filler.connect(("127.0.0.1", self.port))
        except socket.timeout:  # TimeoutError since Python 3.10
            return False
        return True

    def stop(self):
        for one in self._fillers + [self._listener]:
            one.close()
