# SPDX-License-Identifier: BSD-3-Clause
"""Certificates for tests: an authority, and what it signs."""

import ctypes
import os
import pwd
import subprocess

CONFIGURATION = """\
[ca]
default_ca = here
[here]
dir = {directory}
database = $dir/index.txt
serial = $dir/serial
new_certs_dir = $dir
default_md = sha256
policy = any
unique_subject = no
[any]
commonName = supplied
[req]
distinguished_name = nothing
[nothing]
"""


def _openssl(*arguments):
    done = subprocess.run(["openssl", *arguments], stdin=subprocess.DEVNULL, text=True,
                          capture_output=True, check=False)
    if done.returncode != 0:
        raise AssertionError(f"openssl {' '.join(arguments)}:\n{done.stderr}")


def libpq_version():
    """As a number: 150003 for 15.3; 0 without libpq."""
    try:
        return ctypes.CDLL("libpq.so.5").PQlibVersion()
    except OSError:
        return 0


def _as_libpq_reads_them(names):
    """Before 15, libpq looks for an address among the names of hosts."""
    old = 0 < libpq_version() < 150000
    return [*names, *(f"DNS:{name[3:]}" for name in names if old and name.startswith("IP:"))]


class Authority:
    """Its own certificate is in the file `certificate`."""

    def __init__(self, directory, name="Test Authority"):
        self.directory = os.path.join(directory, name.lower().replace(" ", "-"))
        os.mkdir(self.directory, 0o755)
        self.certificate = self._path("ca.pem")
        for name_of_file, text in (("index.txt", ""), ("serial", "1000\n"),
                                   ("ca.cnf", CONFIGURATION.format(directory=self.directory))):
            with open(self._path(name_of_file), "w", encoding="utf-8") as file:
                file.write(text)
        _openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                 "-keyout", self._path("ca.key"), "-out", self.certificate, "-days", "30",
                 "-subj", f"/CN={name}", "-addext", "basicConstraints=critical,CA:TRUE",
                 "-addext", "subjectKeyIdentifier=hash",
                 # OpenSSL 1.1.1 would add the extensions of its own file to these.
                 "-config", self._path("ca.cnf"))

    def _path(self, name):
        return os.path.join(self.directory, name)

    def issue(self, name, owner, names=(), expired=False):
        """Signs a certificate for the common name `name` and for `names`, such
        as "DNS:localhost" or "IP:127.0.0.1". The key belongs to a user of the
        system. Returns the files of certificate and key."""
        count = len(os.listdir(self.directory))
        certificate, key, request, extensions = (
            self._path(f"{count}.{kind}") for kind in ("pem", "key", "csr", "ext"))
        _openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                 "-keyout", key, "-out", request, "-subj", f"/CN={name}")
        with open(extensions, "w", encoding="utf-8") as file:
            file.write("basicConstraints = CA:FALSE\n")
            if names:
                file.write("subjectAltName = " + ",".join(_as_libpq_reads_them(names)) + "\n")
        dates = ["-startdate", "20200101000000Z"]
        dates += ["-enddate", "20200201000000Z"] if expired else ["-days", "30"]
        _openssl("ca", "-batch", "-notext", "-config", self._path("ca.cnf"), "-in", request,
                 "-out", certificate, "-cert", self.certificate, "-keyfile", self._path("ca.key"),
                 "-extfile", extensions, *dates)
        os.chmod(certificate, 0o644)
        os.chmod(key, 0o600)
        if os.geteuid() == 0:
            os.chown(key, pwd.getpwnam(owner).pw_uid, pwd.getpwnam(owner).pw_gid)
        return certificate, key
