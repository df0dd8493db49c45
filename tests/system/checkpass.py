# SPDX-License-Identifier: BSD-3-Clause
"""A program that receives passwords itself and calls sasl_checkpass(3), like squid's
basic_sasl_auth and the LOGIN command of Cyrus IMAP."""

import ctypes
import os
import subprocess
import sys

import guard
import tap

OK, BADAUTH, UNAVAIL, NOUSER = 0, -13, -24, -20
LIST_END, LOG = 0, 2
SERVICE = "checkpass"


class Callback(ctypes.Structure):
    _fields_ = [("id", ctypes.c_ulong), ("function", ctypes.c_void_p),
                ("context", ctypes.c_void_p)]


Log = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_char_p)


def check(directory, sasl_path, configuration, *logins):
    """Runs a process that makes these logins, pairs of user and password, one after the
    other. Returns the results, and the lines of its log except those of level debug."""
    with open(os.path.join(directory, f"{SERVICE}.conf"), "w", encoding="utf-8") as file:
        file.write(configuration)
    done = subprocess.run(
        [sys.executable, __file__], input="".join(f"{user}\0{password}\0"
                                                  for user, password in logins),
        env={**os.environ, "SASL_CONF_PATH": directory, "SASL_PATH": sasl_path},
        capture_output=True, text=True, check=False, timeout=60)
    tap.equal(done.returncode, 0, f"end of the program, {done.stderr}")
    guard.check(done.stderr)
    return [int(word) for word in done.stdout.split()], done.stderr.splitlines()


def main():
    def log(_, level, text):
        if level <= 4:
            print(text.decode(), file=sys.stderr)
        return OK

    library = ctypes.CDLL("libsasl2.so.2")
    function = Log(log)
    callbacks = (Callback * 2)(Callback(LOG, ctypes.cast(function, ctypes.c_void_p), None),
                               Callback(LIST_END, None, None))
    words = sys.stdin.read().split("\0")[:-1]
    if library.sasl_server_init(callbacks, SERVICE.encode()) != OK:
        sys.exit("sasl_server_init fails")
    for user, password in zip(words[::2], words[1::2]):
        connection = ctypes.c_void_p()
        user, password = user.encode(), password.encode()
        library.sasl_server_new(b"smtp", None, b"example.com", None, None, None, 0,
                                ctypes.byref(connection))
        print(library.sasl_checkpass(connection, user, len(user), password, len(password)))
        library.sasl_dispose(ctypes.byref(connection))
    library.sasl_server_done()


if __name__ == "__main__":
    main()
