# SPDX-License-Identifier: BSD-3-Clause
"""Dovecot's auth service alone, for Postfix, with a table of PostgreSQL."""

import os
import shutil

from daemon import Daemon, wait_for

CONFIGURATION = """\
base_dir = {home}/run
log_path = {home}/log
protocols =
ssl = no
auth_mechanisms = plain login
disable_plaintext_auth = no
auth_cache_size = {cache}
service auth {{
  unix_listener {home}/auth {{
    mode = 0666
  }}
}}
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
        self.write("sql.conf", TABLE.format(
            host=host, port=port, database=server.database, user=server.user,
            password=server.password, scheme=scheme, table=table), 0o600)
        configuration = self.write("dovecot.conf", CONFIGURATION.format(home=self.home, cache=cache))
        self.launch([shutil.which("dovecot", path="/usr/sbin:/usr/bin"), "-F", "-c",
                     configuration], "")
        wait_for(lambda: os.path.exists(self.socket) or not self.running, "the socket of dovecot")
        if not self.running:
            raise AssertionError(f"dovecot does not start:\n{self.log()}")
