# SPDX-License-Identifier: BSD-3-Clause
"""Guards what must never reach a log: passwords, stored hashes, and both in the form in
which SMTP carries them."""

import base64

_secrets = set()

# Shorter ones would be found by chance.
SHORTEST = 6


def keep(secret):
    """Adds a secret, text or bytes, and returns it."""
    raw = secret.encode() if isinstance(secret, str) else bytes(secret)
    if len(raw) >= SHORTEST:
        _secrets.add(raw)
        _secrets.add(base64.b64encode(raw).rstrip(b"="))
    return secret


def check(log, what="log"):
    """Raises AssertionError if one of the secrets is in `log`."""
    for line in log.encode("utf-8", "surrogateescape").splitlines():
        for secret in _secrets:
            if secret in line:
                raise AssertionError(f"a secret ({secret!r}) is in the {what}: {line!r}")
