# SPDX-License-Identifier: BSD-3-Clause
"""Dovecot's auth service alone, for Postfix, with a table of PostgreSQL."""

import os
import shutil
import subprocess

from daemon import Daemon, wait_for

COMMON = """\
base_dir = {home}/run
log_path = {home}/log
protocols =
ssl = no
auth_mechanisms = plain login
auth_cache_size = {cache}
service auth {{
  unix_listener {home}/auth {{
    mode = 0666
  }}
}}
"""

# Before 2.4
CONFIGURATION = COMMON + """\
disable_plaintext_auth = no
passdb {{
  driver = sql
  args = {home}/sql.conf
}}
"""

TABLE = """\
driver = pgsql
connect = host={host} port={port} dbname={database} user={user} password={password}
default_pass_scheme = {scheme}
password_query = SELECT name AS "user", password FROM {table} WHERE name = '%u'
"""

# 2.4 and later, of which the first lines say with which one it was written.
CONFIGURATION_2_4 = """\
dovecot_config_version = 2.4.0
dovecot_storage_version = 2.4.0
""" + COMMON + """\
auth_allow_cleartext = yes
auth_allow_weak_schemes = yes
sql_driver = pgsql
pgsql {host} {{
  parameters {{
    port = {port}
    dbname = {database}
    user = {user}
    password = {password}
  }}
}}
passdb sql {{
  default_password_scheme = {scheme}
  query = SELECT name AS "user", password FROM {table} WHERE name = '%{{user}}'
}}
"""


class Dovecot(Daemon):
    """Reached by `socket`."""

    program = "dovecot"
    owner = "root"

    @property
    def socket(self):
        return self.path("auth")

    def start(self, server, table, scheme, cache):
        """With this table of a running Postgres. `scheme` is Dovecot's name of the
        format; `cache` is the size of its cache, "0" for none."""
        host, port = server.address.split(":")
        values = {"home": self.home, "cache": cache, "host": host, "port": port,
                  "database": server.database, "user": server.user,
                  "password": server.password, "scheme": scheme, "table": table}
        program = shutil.which("dovecot", path="/usr/sbin:/usr/bin")
        version = subprocess.check_output([program, "--version"], text=True).split(".")
        if [int(version[0]), int(version[1])] >= [2, 4]:
            text = CONFIGURATION_2_4
        else:
            text = CONFIGURATION
            self.write("sql.conf", TABLE.format(**values), 0o600)
        self.launch([program, "-F", "-c",
                     self.write("dovecot.conf", text.format(**values), 0o600)], "")
        wait_for(lambda: os.path.exists(self.socket) or not self.running, "the socket of dovecot")
        if not self.running:
            raise AssertionError(f"dovecot does not start:\n{self.log()}")
