# SPDX-License-Identifier: BSD-3-Clause
"""An unmodified slapd of OpenLDAP, and the clients that come with it."""

import os
import re
import shutil
import socket
import subprocess

import plugins
import tap
from daemon import Daemon, can_mount, free_port, wait_for
from logins import OUTAGE, RIGHT, WRONG

SUFFIX = "dc=example,dc=com"
SCHEMA = "/etc/ldap/schema/core.schema"

# Who has logged in may read the directory.
DATABASE = """\
database ldif
suffix {suffix}
directory {directory}
access to * by users read by * none
"""

ENTRIES = f"""\
dn: {SUFFIX}
objectClass: dcObject
objectClass: organization
dc: example
o: Example

dn: ou=people,{SUFFIX}
objectClass: organizationalUnit
ou: people
"""

# The folder in which Debian's slapd looks for libsasl2's file.
FOLDER = "/etc/ldap/sasl2"

INAPPROPRIATE, INVALID_CREDENTIALS, UNAVAILABLE = 48, 49, 52
OUTCOMES = {0: RIGHT, INVALID_CREDENTIALS: WRONG, UNAVAILABLE: OUTAGE}


def require():
    """Ends the program as skipped if slapd cannot run."""
    for name in ("slapd", "ldapwhoami"):
        if shutil.which(name) is None:
            tap.skip_all(f"{name} is not installed")
    for path in (SCHEMA, FOLDER):
        if not os.path.exists(path):
            tap.skip_all(f"there is no {path}")
    if not can_mount():
        tap.skip_all("name spaces for mounts are not allowed here")


def _accepts(family, address):
    with socket.socket(family) as probe:
        return probe.connect_ex(address) == 0


class Slapd(Daemon):
    """Listens at a port and at a socket."""

    program = "slapd"
    owner = "nobody"

    def __init__(self, certificate, key, authority):
        super().__init__()
        self.port = free_port()
        self.authority = authority
        self.sasl_path = plugins.under_test() + ":" + plugins.stock(self.directory)
        self._tls = {"TLSCertificateFile": certificate, "TLSCertificateKeyFile": key,
                     "TLSCACertificateFile": authority}
        os.mkdir(self.path("sasl2"))
        self.cover(FOLDER, self.path("sasl2"))

    def start(self, configuration, lines, tree=None):
        """`configuration` is the text for libsasl2, `lines` are some lines of slapd's
        own file. With `tree`, they are converted into cn=config first, and this
        function edits the global part."""
        self.stop()
        self.write("sasl2/slapd.conf", configuration)
        for name in ("data", "config"):
            shutil.rmtree(self.path(name), ignore_errors=True)
            os.mkdir(self.path(name))
            shutil.chown(self.path(name), self.owner)
        self.write("slapd.conf", f"include {SCHEMA}\n" + lines
                   + "".join(f"{name} {value}\n" for name, value in self._tls.items())
                   + DATABASE.format(suffix=SUFFIX, directory=self.path("data")))
        self.prepare(["slapadd", "-f", self.path("slapd.conf"), "-l",
                      self.write("entries.ldif", ENTRIES)])
        where = ["-f", self.path("slapd.conf")]
        if tree is not None:
            where = ["-F", self.path("config")]
            self.prepare(["slaptest", "-f", self.path("slapd.conf")] + where)
            self.write("config/cn=config.ldif", tree(self._read("config", "cn=config.ldif")))
        self.launch(["env", f"SASL_PATH={self.sasl_path}", shutil.which("slapd"), *where,
                     "-h", f"{self.network}/ {self.socket}/", "-d", "256"],
                    "slapd starting")
        # It says so before it listens.
        for family, address in ((socket.AF_INET, ("127.0.0.1", self.port)),
                                (socket.AF_UNIX, self.path("socket"))):
            wait_for(lambda f=family, a=address: _accepts(f, a), "slapd at its sockets")

    @property
    def network(self):
        return f"ldap://127.0.0.1:{self.port}"

    @property
    def socket(self):
        return "ldapi://" + self.path("socket").replace("/", "%2F")

    def _run(self, command, *options):
        return subprocess.run([command, "-o", "nettimeout=30", *options], text=True,
                              env=dict(os.environ, LDAPTLS_CACERT=self.authority),
                              capture_output=True, check=False, timeout=60)

    def _over(self, address):
        """Clients use TLS at the port."""
        return ["-H", address or self.network] + ([] if address else ["-ZZ"])

    def bind(self, user, password, mechanism="PLAIN", address=None):
        """The result with which the client ends a bind, and who the client is then."""
        done = self._run("ldapwhoami", *self._over(address), "-Q", "-O", "none", "-Y", mechanism,
                         "-U", user, "-w", password)
        found = re.search(r"^dn:(.*)$", done.stdout, re.MULTILINE)
        return done.returncode, found.group(1) if found else done.stderr

    def login(self, user, password, mechanism="PLAIN"):
        result, text = self.bind(user, password, mechanism)
        return OUTCOMES.get(result, (result, text))

    def search(self, *arguments, address=None):
        """The output of ldapsearch, or its status and its error message."""
        done = self._run("ldapsearch", *self._over(address), "-LLL", *arguments)
        return done.stdout if done.returncode == 0 else (done.returncode, done.stderr)

    def _read(self, *names):
        with open(self.path(*names), encoding="utf-8") as file:
            return file.read()
