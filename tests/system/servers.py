# SPDX-License-Identifier: BSD-3-Clause
"""PostgreSQL, MariaDB, PgBouncer and pgpool from the distribution, each as the test's
own server in a temporary directory. Both databases hold the same table of mail users,
so that tests are written once for both."""

import glob
import os
import pwd
import re
import secrets
import shutil
import signal
import subprocess

import guard
import tap
from daemon import Daemon, free_port, has_ipv6, wait_for


def require(*kinds):
    """Ends the program as skipped if one of these servers cannot run."""
    for kind in kinds:
        if not kind.installed():
            tap.skip_all(f"{kind.program} is not installed")


def _me():
    return pwd.getpwuid(os.geteuid()).pw_name


class Database(Daemon):
    """What both have in common. The user who runs the test is the administrator, over
    the socket. `user` may read the table `mailbox` of the database `database`, in which
    every row has a stored password under a full mailbox name too."""

    engine = None  # as sql_engine names it
    user = "postfix"
    database = "postfix"
    column = "TEXT"  # the type of the columns

    def __init__(self, directory=None):
        super().__init__(directory)
        self.password = guard.keep("pw-" + secrets.token_hex(8))
        self.port = free_port()
        self.settings = {}
        self.install()

    @property
    def address(self):
        """For sql_hostnames, over TCP."""
        return f"127.0.0.1:{self.port}"

    def restart(self, **settings):
        self.stop()
        self.start(**{**self.settings, **settings})

    def run(self, statement, *values, database=None, timeout=60):
        """Runs statements as the administrator; `?` stands for a value. Returns the
        rows as tuples of text, in which NULL is "NULL"."""
        parts = statement.split("?")
        tap.equal(len(parts) - 1, len(values), "number of values")
        text = parts[0] + "".join(self.literal(value) + part
                                  for value, part in zip(values, parts[1:]))
        done = subprocess.run(self.client(database or self.database), input=text.encode(),
                              capture_output=True, check=False, timeout=timeout)
        if done.returncode != 0:
            raise AssertionError(f"{self.program}: {statement}: {done.stderr.decode()}")
        return self.rows(done.stdout.decode())

    def shell(self, as_user=False):
        """A session of the administrator or of `user` that stays open."""
        return Shell(self, as_user)

    def tls(self, certificate, key, authority=None):
        """Settings for start() with copies of these files, which replace_certificate()
        exchanges. With `authority`, clients may have certificates from it."""
        self._copy_certificate(certificate, key)
        settings = {"ssl_cert": self.path("server.pem"), "ssl_key": self.path("server.key")}
        if authority is not None:
            settings["ssl_ca"] = authority
        return settings

    def _copy_certificate(self, certificate, key):
        for source, name, mode in ((certificate, "server.pem", 0o644), (key, "server.key", 0o600)):
            with open(source, encoding="utf-8") as file:
                self.write(name, file.read(), mode)

    def create_mail(self):
        """Creates the user, the database, and an empty table."""
        self.create_user()
        self.run(f"CREATE DATABASE {self.database}", database=self.system_database)
        self.create_table()

    def create_table(self):
        self.run(f"CREATE TABLE mailbox (username {self.column}, name {self.column},"
                 f" local_part {self.column}, domain {self.column}, password {self.column},"
                 f" active VARCHAR(8) DEFAULT '1');"
                 f"GRANT SELECT ON mailbox TO {self.user}")

    def add(self, user, stored, domain="example.com", active="1"):
        if stored is not None:
            guard.keep(stored)
        self.run("INSERT INTO mailbox VALUES (?, ?, ?, ?, ?, ?)", f"{user}@{domain}", user, user,
                 domain, stored, active)

    def stored(self, user):
        """The values of the password column, one entry per row."""
        return [row[0] for row in self.run("SELECT password FROM mailbox WHERE local_part = ?",
                                           user)]

    def _count(self, statement):
        return int(self.run(statement, self.user, database=self.system_database)[0][0])

    def sessions(self):
        """How many sessions `user` has open."""
        return self._count(self.sessions_statement)

    def cut_sessions(self):
        """Ends the sessions of `user`, from the server's side, and waits for that."""
        self.end_sessions()
        wait_for(lambda: self.sessions() == 0, "the end of all sessions")

    def blocked(self):
        """How many of them wait for a lock."""
        return self._count(self.blocked_statement)


class Shell:
    """A session of the client program that stays open until close()."""

    def __init__(self, server, as_user):
        command = server.user_client() if as_user else server.client(server.database)
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env=dict(os.environ, PGPASSWORD=server.password, MYSQL_PWD=server.password))
        try:
            self.run("SELECT 1")
        except AssertionError:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def run(self, statement):
        """Waits until the statement is done."""
        try:
            self.process.stdin.write(f"{statement};\nSELECT 'it is done';\n".encode())
            self.process.stdin.flush()
        except BrokenPipeError:
            pass
        output = b""
        while b"it is done" not in output:
            some = os.read(self.process.stdout.fileno(), 4096)
            if not some:
                raise AssertionError(f"{statement}: {output.decode()}")
            output += some

    def close(self):
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass
        self.process.stdout.close()
        self.process.wait()


class Postgres(Database):
    engine = "pgsql"
    program = "postgres"
    owner = "postgres"
    stop_signal = signal.SIGINT  # waits for no client
    system_database = "postgres"
    sessions_statement = "SELECT count(*) FROM pg_stat_activity WHERE usename = ?"
    blocked_statement = sessions_statement + " AND wait_event_type = 'Lock'"
    lock_statement = "BEGIN; LOCK TABLE mailbox"

    SETTINGS = {
        "fsync": "off", "synchronous_commit": "off", "full_page_writes": "off",
        "wal_level": "minimal", "max_wal_senders": "0", "autovacuum": "off", "jit": "off",
        "max_logical_replication_workers": "0", "shared_buffers": "16MB",
        "dynamic_shared_memory_type": "mmap", "password_encryption": "scram-sha-256",
        "log_connections": "on", "lc_messages": "C",
        "listen_addresses": "127.0.0.1,::1" if has_ipv6() else "127.0.0.1",
    }

    # Passwords for all but the administrator.
    IDENTITIES = f"administrator {_me()} postgres\n"
    ACCESS = ("local all all scram-sha-256", "host all all all scram-sha-256")

    @staticmethod
    def _binaries():
        found = glob.glob("/usr/lib/postgresql/*/bin") + glob.glob("/usr/pgsql-*/bin")
        found.sort(key=lambda path: [int(part) for part in re.findall(r"\d+", path)])
        return found[-1] if found else os.path.dirname(shutil.which("initdb") or "/usr/bin/-")

    @classmethod
    def installed(cls):
        return os.path.exists(cls._binaries() + "/initdb") and shutil.which("psql") is not None

    def install(self):
        self.prepare([self._binaries() + "/initdb", "-D", self.path("data"), "-U", "postgres",
                      "-A", "reject", "-E", "UTF8", "--locale=C.UTF-8", "-N", "--wal-segsize=1"])
        self._write_access(self.ACCESS)
        self.write("data/pg_ident.conf", self.IDENTITIES)

    @property
    def socket_directory(self):
        return self.home

    @property
    def socket_address(self):
        """For sql_hostnames, over the socket."""
        return f"{self.home}:{self.port}"

    def start(self, **settings):
        self.settings = settings
        options = {**self.SETTINGS, "port": self.port, "unix_socket_directories": self.home,
                   **settings}
        command = [self._binaries() + "/postgres", "-D", self.path("data")]
        for name, value in options.items():
            command += ["-c", f"{name}={value}"]
        self.launch(command, "database system is ready to accept connections")

    def version(self):
        """As a number: 150003 for 15.3."""
        ((version,),) = self.run("SHOW server_version_num", database=self.system_database)
        return int(version)

    def kill(self):
        try:
            with open(self.path("data", "postmaster.pid"), encoding="utf-8") as file:
                segment = file.read().splitlines()[6].split()[1]
        except (OSError, IndexError):
            segment = None
        super().kill()
        # The next start would remove it, but there may be none.
        if segment is not None:
            subprocess.run(["ipcrm", "-m", segment], capture_output=True, check=False)

    def tls(self, certificate, key, authority=None):
        settings = super().tls(certificate, key, authority)
        return {"ssl": "on", **{f"{name}_file": value for name, value in settings.items()}}

    def replace_certificate(self, certificate, key):
        """From the next connection on."""
        self._copy_certificate(certificate, key)
        self._reload()

    def _write_access(self, lines):
        self.write("data/pg_hba.conf",
                   "\n".join(("local all postgres peer map=administrator",) + tuple(lines)) + "\n")

    def pg_hba(self, lines):
        """Writes who may connect and how. The server follows it on return."""
        self._write_access(lines)
        self._reload()

    def _reload(self):
        before = self._loaded()
        self.process.send_signal(signal.SIGHUP)
        wait_for(lambda: self._loaded() != before, "the new configuration")

    def _loaded(self):
        return self.run("SELECT pg_conf_load_time()", database=self.system_database)

    @staticmethod
    def literal(value):
        return "NULL" if value is None else "'" + value.replace("'", "''") + "'"

    def client(self, database):
        return ["psql", "-X", "-q", "-A", "-t", "-0", "-F", "\x1f", "-P", "null=NULL", "-v",
                "ON_ERROR_STOP=1", "-h", self.home, "-p", str(self.port), "-U", "postgres",
                "-d", database]

    def user_client(self):
        return ["psql", "-X", "-q", "-A", "-t", "-h", "127.0.0.1", "-p", str(self.port), "-U",
                self.user, "-d", self.database]

    @staticmethod
    def rows(text):
        return [tuple(row.split("\x1f")) for row in text.split("\0")[:-1]]

    def create_user(self):
        self.run(f"CREATE ROLE {self.user} LOGIN PASSWORD ?", self.password,
                 database=self.system_database)

    def set_password(self, password):
        """Changes the password of `user`, only at the server."""
        guard.keep(password)
        self.run(f"ALTER ROLE {self.user} PASSWORD ?", password, database=self.system_database)

    def backends(self):
        """The processes that serve sessions of `user`."""
        return [int(pid) for pid, in
                self.run("SELECT pid FROM pg_stat_activity WHERE usename = ?", self.user,
                         database=self.system_database)]

    def end_sessions(self):
        """Asks the sessions of `user` to end."""
        self.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = ?",
                 self.user, database=self.system_database)


class MariaDB(Database):
    engine = "mysql"
    program = "mariadbd"
    owner = "mysql"
    system_database = "mysql"
    sessions_statement = "SELECT count(*) FROM information_schema.processlist WHERE user = ?"
    blocked_statement = sessions_statement + " AND state LIKE 'Waiting for table%'"
    lock_statement = "LOCK TABLES mailbox WRITE"
    column = "LONGTEXT"

    SETTINGS = {
        "skip-log-bin": None, "skip-name-resolve": None, "performance-schema": "OFF",
        "innodb-buffer-pool-size": "8M", "innodb-log-file-size": "4M",
        "innodb-flush-log-at-trx-commit": "0", "innodb-flush-method": "nosync",
        "innodb-fast-shutdown": "2", "innodb-buffer-pool-dump-at-shutdown": "OFF",
        "innodb-buffer-pool-load-at-startup": "OFF", "key-buffer-size": "1M",
        "aria-pagecache-buffer-size": "1M", "character-set-server": "utf8mb4",
        "plugin-load-add": "auth_ed25519",
    }

    @classmethod
    def installed(cls):
        return None not in (cls._server(), shutil.which("mariadb-install-db"),
                            shutil.which("mariadb"))

    @staticmethod
    def _server():
        return shutil.which("mariadbd", path=os.environ.get("PATH", "") + ":/usr/sbin")

    def install(self):
        # Whoever starts removes what others have in a folder for temporary tables.
        self.prepare(["mariadb-install-db", "--no-defaults", "--datadir=" + self.path("data"),
                      "--tmpdir=" + self.home,
                      "--auth-root-authentication-method=socket",
                      "--auth-root-socket-user=" + _me(), "--skip-test-db",
                      "--skip-name-resolve"])

    @property
    def socket(self):
        return self.path("mysql.sock")

    @property
    def socket_directory(self):
        return self.home

    @property
    def socket_address(self):
        """For sql_hostnames, over the socket."""
        return self.socket

    def start(self, **settings):
        """Setting names are as for Postgres: underscores for hyphens."""
        self.settings = settings
        options = {**self.SETTINGS, "bind-address": self._addresses(),
                   "datadir": self.path("data"), "socket": self.socket,
                   "port": self.port, "pid-file": self.path("pid"), "tmpdir": self.home,
                   **{name.replace("_", "-"): value for name, value in settings.items()}}
        command = [self._server(), "--no-defaults"]
        command += [f"--{name}" if value is None else f"--{name}={value}"
                    for name, value in options.items()]
        self.launch(command, "ready for connections")

    def _addresses(self):
        if not has_ipv6():
            return "127.0.0.1"
        text = subprocess.check_output([self._server(), "--no-defaults", "--version"], text=True)
        version = re.search(r"Ver (\d+)\.(\d+)", text).groups()
        # Before 10.11, it takes one: this one stands for IPv4, too.
        return "127.0.0.1,::1" if tuple(map(int, version)) >= (10, 11) else "::"

    @staticmethod
    def literal(value):
        if value is None:
            return "NULL"
        return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"

    def client(self, database):
        return ["mariadb", "--no-defaults", "--batch", "--skip-column-names",
                "--default-character-set=utf8mb4", "--socket=" + self.socket,
                "--user=" + _me(), "--unbuffered", "--skip-ssl", database]

    def user_client(self):
        return ["mariadb", "--no-defaults", "--batch", "--unbuffered", "--socket=" + self.socket,
                "--user=" + self.user, self.database]

    def replace_certificate(self, certificate, key):
        """From the next connection on."""
        self._copy_certificate(certificate, key)
        self.run("FLUSH SSL", database=self.system_database)

    @staticmethod
    def rows(text):
        escapes = {"\\n": "\n", "\\t": "\t", "\\\\": "\\", "\\0": "\0"}
        return [tuple(re.sub(r"\\.", lambda found: escapes[found.group()], field)
                      for field in line.split("\t"))
                for line in text.split("\n")[:-1]]

    def create_user(self):
        self.run(f"DELETE FROM global_priv WHERE user = ''; FLUSH PRIVILEGES;"
                 f"CREATE USER {self.user}@'%' IDENTIFIED BY ?", self.password,
                 database=self.system_database)

    def set_password(self, password):
        """Changes the password of `user`, only at the server."""
        guard.keep(password)
        self.run(f"ALTER USER {self.user} IDENTIFIED BY ?", password,
                 database=self.system_database)

    def end_sessions(self):
        """Asks the sessions of `user` to end."""
        self.run(f"KILL HARD USER {self.user}", database=self.system_database)


class PgBouncer(Daemon):
    """A pooler in front of a running Postgres, with the same user and password."""

    program = "pgbouncer"
    owner = "postgres"

    SETTINGS = {"pool_mode": "transaction", "auth_type": "scram-sha-256",
                "listen_addr": "127.0.0.1", "unix_socket_dir": "", "max_client_conn": "300",
                "default_pool_size": "5"}

    @classmethod
    def installed(cls):
        return cls._server() is not None

    @staticmethod
    def _server():
        return shutil.which("pgbouncer", path=os.environ.get("PATH", "") + ":/usr/sbin")

    def __init__(self, postgres, directory=None):
        super().__init__(directory or postgres.directory)
        self.postgres = postgres
        self.port = free_port()

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    @property
    def stop_signal(self):
        """Does not wait for clients. Since 1.23, SIGTERM does."""
        text = subprocess.check_output([self._server(), "--version"], text=True)
        version = re.search(r"PgBouncer (\d+)\.(\d+)", text).groups()
        return signal.SIGQUIT if tuple(map(int, version)) >= (1, 23) else signal.SIGTERM

    def start(self, **settings):
        users = self.write("users.txt", f'"{self.postgres.user}" "{self.postgres.password}"\n',
                           0o600)
        options = {**self.SETTINGS, "listen_port": self.port, "auth_file": users, **settings}
        text = "[databases]\n"
        text += f"* = host={self.postgres.socket_directory} port={self.postgres.port}\n"
        text += "[pgbouncer]\n"
        text += "".join(f"{name} = {value}\n" for name, value in options.items())
        self.launch([self._server(), self.write("pgbouncer.ini", text, 0o600)], "process up")


class Pgpool(Daemon):
    """A pooler in front of a running Postgres, with the same user and password."""

    program = "pgpool"
    owner = "postgres"
    stop_signal = signal.SIGINT  # waits for no client

    SETTINGS = {"backend_clustering_mode": "raw", "listen_addresses": "127.0.0.1",
                "pcp_listen_addresses": "", "num_init_children": "4", "enable_pool_hba": "on",
                "load_balance_mode": "off", "memqcache_total_size": 1048576}

    @classmethod
    def installed(cls):
        return cls._server() is not None

    @staticmethod
    def _server():
        return shutil.which("pgpool", path=os.environ.get("PATH", "") + ":/usr/sbin")

    def __init__(self, postgres, directory=None):
        super().__init__(directory or postgres.directory)
        self.postgres = postgres
        self.port = free_port()
        self.pcp_port = free_port()

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def start(self, **settings):
        options = {**self.SETTINGS, "port": self.port, "pcp_port": self.pcp_port,
                   "backend_hostname0": self.postgres.socket_directory,
                   "backend_port0": self.postgres.port, "backend_weight0": 1,
                   "pid_file_name": self.path("pid"), "logdir": self.home,
                   "socket_dir": self.home, "pcp_socket_dir": self.home,
                   "wd_ipc_socket_dir": self.home,
                   "pool_passwd": self.write(
                       "passwords", f"{self.postgres.user}:TEXT{self.postgres.password}\n", 0o600),
                   **settings}
        text = "".join(f"{name} = '{value}'\n" for name, value in options.items())
        self.launch([self._server(), "-n", "-D", "-f", self.write("pgpool.conf", text, 0o600),
                     "-F", self.write("pcp.conf", ""), "-a",
                     self.write("pool_hba.conf", "host all all all scram-sha-256\n")],
                    "successfully started")
