# SPDX-License-Identifier: BSD-3-Clause
"""A Galera cluster of MariaDB servers. Each has its own address and all have the same
port, so that a single name can stand for all of them."""

import glob
import os
import shutil

import servers
from daemon import free_port, identity, wait_for

PROVIDER = (glob.glob("/usr/lib*/galera*/libgalera_smm.so")
            + glob.glob("/usr/lib/*/galera*/libgalera_smm.so") + [None])[0]


# A state transfer between nodes that begin with the same data: what the donor's state
# is called is all that the joiner has to know.
SAME_DATA = """\
#!/bin/sh
while [ $# -gt 0 ]; do
    case $1 in
    --role) role=$2 ;;
    --address) address=$2 ;;
    --gtid) state=$2 ;;
    esac
    shift
done
file={directory}/${{address%%/*}}
if [ "$role" = donor ]; then
    cat >/dev/null # MariaDB 11.8 writes names and passwords, and fails if nobody reads
    echo "$state" >"$file.new" && mv "$file.new" "$file" && echo "done $state"
else
    rm -f "$file"
    echo "ready $address/same"
    until [ -e "$file" ]; do sleep 0.02; done
    cat "$file"
fi
"""


class At(servers.MariaDB):
    """A MariaDB at a loopback address other than 127.0.0.1. If there is an `origin`, a
    stopped server, it starts with a copy of its users and rows."""

    def __init__(self, host, port=None, origin=None):
        self.host = host
        self.origin = origin
        super().__init__()
        self.port = port or self.port
        if origin is not None:
            self.password = origin.password

    @property
    def address(self):
        return f"{self.host}:{self.port}"

    def install(self):
        if self.origin is None:
            super().install()
        else:
            self.prepare(["cp", "-a", self.origin.path("data"), self.path("data")])

    def start(self, **settings):
        super().start(**{"bind_address": self.host, **settings})


class Node(At):
    """A node of a Cluster."""

    PATIENCE = ";".join(f"{name}={value}" for name, value in {
        # Who is lost is given up after a few seconds, not after half a minute.
        "evs.keepalive_period": "PT0.5S", "evs.suspect_timeout": "PT2S",
        "evs.inactive_timeout": "PT4S", "evs.inactive_check_period": "PT0.5S",
        "gcache.size": "8M", "pc.recovery": "no"}.items())

    def __init__(self, cluster, host, origin=None):
        self.cluster = cluster
        super().__init__(host, cluster.port, origin)

    def start(self, first=False, method="rsync", **settings):
        """`first`: of a new cluster. Otherwise `method` says how the node gets the data
        that it lacks."""
        cluster = self.cluster
        options = {
            "wsrep_on": "ON", "wsrep_provider": PROVIDER, "wsrep_cluster_name": "test",
            "wsrep_cluster_address": "gcomm://" + ("" if first else ",".join(
                f"{node.host}:{cluster.group_port}" for node in cluster.nodes)),
            "wsrep_node_address": self.host, "wsrep_sst_method": method,
            "wsrep_sst_receive_address": f"{self.host}:{cluster.transfer_port}",
            "binlog_format": "ROW", "innodb_autoinc_lock_mode": "2",
            # With this plug-in of MariaDB 11.8, isolate() could not set one of them.
            "loose_plugin_wsrep_provider": "OFF",
            "wsrep_provider_options":
                f"gmcast.listen_addr=tcp://{self.host}:{cluster.group_port};"
                f"ist.recv_addr={self.host}:{cluster.missing_port};{self.PATIENCE}"}
        super().start(**{**options, **settings})
        wait_for(self.is_synced, f"{self.host} to have all that the others have")
        self.settings = settings

    def launch(self, command, ready):
        super().launch(["env", f"PATH={os.environ['PATH']}:{self.cluster.scripts}"] + command,
                       ready)

    def status(self, name):
        rows = self.run("SHOW GLOBAL STATUS LIKE ?", name, database=self.system_database)
        return rows[0][1] if rows else None

    def is_synced(self):
        return self.status("wsrep_local_state_comment") == "Synced"

    def reject(self, kind="ALL"):
        """Rejects clients' statements from now on: ALL or NONE."""
        self.run(f"SET GLOBAL wsrep_reject_queries = {kind}", database=self.system_database)

    def isolate(self):
        """Cuts it off from the others, and waits until it knows that it is in the
        minority."""
        self._isolate(1)
        wait_for(lambda: self.status("wsrep_ready") == "OFF", f"{self.host} to be alone")

    def rejoin(self):
        self._isolate(0)
        wait_for(lambda: self.status("wsrep_ready") == "ON" and self.is_synced(),
                 f"{self.host} to be back")

    def _isolate(self, how):
        self.run(f"SET GLOBAL wsrep_provider_options = 'gmcast.isolate={how}'",
                 database=self.system_database)


class Cluster:
    """Nodes at these addresses of the loopback interface."""

    @staticmethod
    def obstacle():
        """What is missing here, or None."""
        if PROVIDER is None:
            return "Galera is not installed"
        return None if shutil.which("rsync") else "rsync is not installed"

    def __init__(self, hosts):
        self.port = free_port()
        self.group_port = free_port()
        self.transfer_port = free_port()
        self.missing_port = free_port()
        self.nodes = []
        self.scripts = None
        self.hosts = hosts

    def start(self, origin, certificate, key):
        """Starts all nodes, with the contents of `origin`, a stopped server."""
        self.scripts = origin.home
        origin.write("wsrep_sst_same_data", SAME_DATA.format(directory=origin.home), 0o755)
        first = Node(self, self.hosts[0], origin)
        first.start(first=True)
        first.stop()
        self.nodes = [first] + [Node(self, host, first) for host in self.hosts[1:]]
        for node in self.nodes:
            # What they begin with is the same: nothing has to be copied.
            node.start(first=node is first, method="same_data",
                       **node.tls(certificate, key))

    @property
    def addresses(self):
        """For sql_hostnames"""
        return ", ".join(node.address for node in self.nodes)

    def stop(self):
        for node in reversed(self.nodes):
            node.stop()
