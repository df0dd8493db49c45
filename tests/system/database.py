# SPDX-License-Identifier: BSD-3-Clause
"""SQLite tables of mail users, and crypt(3) hashes for them."""

import base64
import ctypes
import hashlib
import hmac
import os
import sqlite3

import guard

_libcrypt = ctypes.CDLL("libcrypt.so.1")
_libcrypt.crypt.restype = ctypes.c_char_p
_libcrypt.crypt.argtypes = [ctypes.c_char_p, ctypes.c_char_p]
_libcrypt.crypt_gensalt.restype = ctypes.c_char_p
_libcrypt.crypt_gensalt.argtypes = [ctypes.c_char_p, ctypes.c_ulong, ctypes.c_char_p, ctypes.c_int]

# Every method of crypt(5): its name, the prefix of its settings, and the
# cheapest cost that it allows.
METHODS = [
    ("DES", "", 0),
    ("BSDi", "_", 1),
    ("MD5", "$1$", 0),
    ("NT", "$3$", 0),
    ("Sun MD5", "$md5", 1),
    ("NetBSD SHA-1", "$sha1", 4),
    ("bcrypt 2a", "$2a$", 4),
    ("bcrypt 2b", "$2b$", 4),
    ("bcrypt 2y", "$2y$", 4),
    ("SHA-256", "$5$", 1000),
    ("SHA-512", "$6$", 1000),
    ("scrypt", "$7$", 6),
    ("yescrypt", "$y$", 1),
    ("gost-yescrypt", "$gy$", 1),
]


def crypt(password, prefix="$5$", cost=1000):
    """The hash of a password, or None if this libcrypt lacks the method."""
    setting = _libcrypt.crypt_gensalt(prefix.encode(), cost, None, 0)
    stored = _libcrypt.crypt(guard.keep(password).encode(), setting) if setting else None
    if not stored or stored.startswith(b"*"):
        return None
    return guard.keep(stored.decode())


def scram_verifier(password, salt=b"Salz-und-Pfeffer", rounds=4096):
    """A value that a table may hold for SCRAM-SHA-256 (RFC 5803, and PostgreSQL)."""
    salted = hashlib.pbkdf2_hmac("sha256", guard.keep(password).encode(), salt, rounds)
    client_key = hmac.new(salted, b"Client Key", "sha256").digest()
    keys = (hashlib.sha256(client_key).digest(), hmac.new(salted, b"Server Key", "sha256").digest())
    return (f"SCRAM-SHA-256${rounds}:{base64.b64encode(salt).decode()}$"
            + ":".join(base64.b64encode(key).decode() for key in keys))


class Table:
    """A file with the table `mailbox`, in the layout of mail guides. Every row has a
    stored password, whatever that is, under a full mailbox name too."""

    def __init__(self, path):
        self.path = path
        self.create()

    def run(self, statement, *values):
        connection = sqlite3.connect(self.path)
        try:
            with connection:
                return connection.execute(statement, values).fetchall()
        finally:
            connection.close()

    def create(self):
        self.run("CREATE TABLE mailbox (username TEXT, name TEXT, local_part TEXT,"
                 " domain TEXT, password TEXT, active TEXT DEFAULT '1')")
        os.chmod(self.path, 0o644)

    def add(self, user, stored, domain="example.com", active="1"):
        if stored is not None:
            guard.keep(stored)
        self.run("INSERT INTO mailbox VALUES (?, ?, ?, ?, ?, ?)", f"{user}@{domain}", user, user,
                 domain, stored, active)

    def stored(self, user):
        """The values of the password column, one entry per row."""
        return [row[0] for row in self.run("SELECT password FROM mailbox WHERE local_part = ?",
                                           user)]

    def lock(self):
        """Locks the file for readers too, until the returned connection is closed."""
        connection = sqlite3.connect(self.path, isolation_level=None)
        connection.execute("BEGIN EXCLUSIVE")
        return connection
