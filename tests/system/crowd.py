# SPDX-License-Identifier: BSD-3-Clause
"""Many mail clients at once, each with its own smtpd."""

import collections
import concurrent.futures
import time

from daemon import wait_for


class Crowd:
    """Sessions at a Postfix that may have as many processes."""

    def __init__(self, mail, size):
        self.mail = mail
        self.sessions = []
        try:
            for _ in range(size):
                self.sessions.append(mail.session())
            for session in self.sessions:
                session.ehlo()
        except BaseException:
            self.close()
            raise
        wait_for(lambda: len(mail.connected_pids()) == size, f"{size} processes in the log")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        for session in self.sessions:
            session.close()

    def login(self, logins):
        """Logs in at all of them at once: `logins` maps positions in `sessions` to user
        and password. Returns the codes of the replies at these positions, and the time
        that the slowest took."""
        def one(item):
            position, (user, password) = item
            began = time.monotonic()
            reply = self.sessions[position].auth_plain(user, password)
            return position, reply[:3], time.monotonic() - began

        with concurrent.futures.ThreadPoolExecutor(len(logins)) as pool:
            results = list(pool.map(one, logins.items()))
        return ({position: code for position, code, _ in results},
                max(took for _, _, took in results))


def check_never_confused(codes, logins, right):
    """A right password is never refused, and a wrong one never accepted. Returns how
    often each code occurred."""
    for position, code in codes.items():
        expected = "235" if logins[position] in right else "535"
        if code not in (expected, "454"):
            raise AssertionError(f"{logins[position]} is answered {code}")
    return collections.Counter(codes.values())
