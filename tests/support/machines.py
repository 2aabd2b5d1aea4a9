"""A cluster of several machines on one: each a network namespace with its own data directory and containerd, joined by
a bridge without uplink. For the cluster tests and for tools/dev_cluster.

    lan (bridge) ──┬── server   192.0.2.10   stead server
                   ├── node1    192.0.2.11   stead agent
                   └── node2 …

A far machine is on a link of its own in all but wiring: another network, behind a router.
"""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

from support.cluster import IMAGES, STEAD, Cluster, CommandFailed, run, wait_for

SERVER_IP = "192.0.2.10"
ROUTERS = {"192.0.2.": "192.0.2.1", "198.51.100.": "198.51.100.1"}  # of the networks of near and far machines


class Machine:
    """One machine: its namespace, its link to the bridge, its data directory and the stead process on it.

    State is under `folder`; nothing of it is lost if the Python process that made it ends.
    """

    def __init__(self, cluster, name, address):
        self.cluster, self.name, self.address = cluster, name, address
        self.folder = cluster.folder / name
        self.data_dir = self.folder / "data"
        self.namespace = f"{cluster.prefix}-{name}"
        self.enter = ["nsenter", f"--net=/var/run/netns/{self.namespace}"]
        self.port = name  # of its link, on the bridge
        self.log_path = self.folder / "log"
        self.out_path = self.folder / "out"
        self.process = None

    def make(self):
        self.data_dir.mkdir(parents=True, exist_ok=True)
        run(["ip", "netns", "add", self.namespace])
        self.cluster.lan("ip", "link", "add", self.port, "type", "veth", "peer", "name", "eth0", "netns", self.namespace)
        self.cluster.lan("ip", "link", "set", self.port, "master", "bridge", "up")
        self.run(["ip", "link", "set", "lo", "up"])
        self.run(["ip", "addr", "add", f"{self.address}/24", "dev", "eth0"])
        self.run(["ip", "link", "set", "eth0", "up"])
        if self.cluster.far:
            for network, router in ROUTERS.items():
                if not self.address.startswith(network):
                    self.run(["ip", "route", "add", f"{network}0/24", "via", ROUTERS[self.address.rpartition(".")[0] + "."]])

    def run(self, command, **options):
        """Runs a command in the machine's network."""
        return run([*self.enter, *command], **options)

    def stead(self, *arguments, **options):
        return self.run([STEAD, *arguments], **options)

    def start(self, *arguments, timeout=60):
        """Starts `stead ARGUMENTS` on the data directory and waits until it prints its line."""
        self.out_path.write_text("")
        with open(self.log_path, "ab") as log, open(self.out_path, "wb") as out:
            self.process = subprocess.Popen(
                [*self.enter, STEAD, arguments[0], "--data-dir", self.data_dir, *arguments[1:]],
                stdout=out, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True)
        end = time.monotonic() + timeout
        while not (line := self.out_path.read_text()).endswith("\n"):
            if self.process.poll() is not None or time.monotonic() > end:
                raise CommandFailed(f"stead {' '.join(map(str, arguments))} on {self.name}: exit "
                                    f"{self.process.poll()}, no line in {timeout} s; log:\n{self.log()}")
            time.sleep(0.02)
        return line.strip()

    @property
    def pid(self):
        """The pid of the running stead; None if it does not run."""
        lock = self.data_dir / "lock"
        text = lock.read_text().strip() if lock.exists() else ""
        if not text:
            return None
        try:
            command = pathlib.Path("/proc", text, "cmdline").read_bytes().decode()
        except OSError:
            return None
        return int(text) if str(self.data_dir) in command else None

    def signal(self, number):
        if pid := self.pid:
            os.kill(pid, number)

    def pause(self):
        """SIGSTOP: the process hangs, its connections stay."""
        self.signal(signal.SIGSTOP)

    def resume(self):
        self.signal(signal.SIGCONT)

    def stop(self, timeout=30):
        """SIGTERM; pods and containerd live on."""
        self._end(signal.SIGTERM, timeout)

    def kill(self):
        """SIGKILL; pods and containerd live on."""
        self._end(signal.SIGKILL, 10)

    def _end(self, number, timeout):
        self.signal(number)
        if self.process:
            self.process.wait(timeout)
        wait_for(lambda: self.pid is None, timeout, f"the end of stead on {self.name}")

    def unplug(self):
        """Takes the machine off the bridge: nothing reaches it, nothing leaves it."""
        self.cluster.lan("ip", "link", "set", self.port, "down")

    def plug(self):
        self.cluster.lan("ip", "link", "set", self.port, "up")

    def down(self, check=True):
        """`stead down`: ends everything on the machine."""
        self.resume()
        return self.stead("down", "--data-dir", self.data_dir, timeout=120, check=check)

    def log(self):
        return self.log_path.read_text(errors="replace")[-8000:] if self.log_path.exists() else ""

    def remove(self):
        run(["ip", "netns", "del", self.namespace], check=False)


class Machines(Cluster):
    """`stead server` and agents. What Cluster offers of kubectl works here too."""

    def __init__(self, name, nodes=3, kubectl="kubectl", folder=None, server_options=(), prefix=None,
                 far=()):
        self.prefix = prefix or f"stead-{name}-{os.getpid()}"
        self.folder = pathlib.Path(folder or tempfile.mkdtemp(prefix=f"stead-{name}-"))
        self.kubectl_binary = str(kubectl)
        self.server_options = list(server_options)
        self.far = set(far)
        self.server = Machine(self, "server", SERVER_IP)
        self.nodes = {}
        for number in range(1, nodes + 1):
            self._add(number)
        self.namespace = self.server  # where kubectl runs
        self.data_dir = self.server.data_dir

    def _add(self, number):
        name = f"node{number}"
        network = "198.51.100." if name in self.far else "192.0.2."
        self.nodes[name] = Machine(self, name, f"{network}{10 + number}")
        return self.nodes[name]

    @property
    def url(self):
        return f"https://{SERVER_IP}:6443"

    def lan(self, *command, **options):
        """Runs a command in the namespace of the bridge."""
        return run(["nsenter", f"--net=/var/run/netns/{self.prefix}-lan", *command], **options)

    def make(self):
        """Namespaces, links, directories."""
        run(["ip", "netns", "add", f"{self.prefix}-lan"])
        self.lan("ip", "link", "add", "bridge", "type", "bridge")
        self.lan("ip", "link", "set", "bridge", "addrgenmode", "none")
        self.lan("ip", "link", "set", "bridge", "up")
        if self.far:
            for router in ROUTERS.values():
                self.lan("ip", "addr", "add", f"{router}/24", "dev", "bridge")
            for switch, value in (("ip_forward", 1), ("conf.all.send_redirects", 0), ("conf.bridge.send_redirects", 0)):
                self.lan("sysctl", "-qw", f"net.ipv4.{switch}={value}")
        for machine in [self.server, *self.nodes.values()]:
            machine.make()

    def up(self, timeout=90):
        """Everything from nothing; returns when all nodes are Ready."""
        self.make()
        self.start_server(timeout=timeout)
        for name in self.nodes:
            self.join(name, timeout=timeout)
        return self

    def start_server(self, timeout=60):
        return self.server.start("server", "--node-name", "server", "--node-ip", SERVER_IP, *self.server_options,
                                 timeout=timeout)

    def join(self, name, *options, timeout=60):
        """Starts an agent, for the first time or again; its ready line."""
        machine = self.nodes[name]
        joined = (machine.data_dir / "pki" / "node.crt").exists()
        token = () if joined else ("--token", self.token())
        return machine.start("agent", "--server", self.url, *token, "--node-name", name, "--node-ip", machine.address,
                             *options, timeout=timeout)

    def token(self, *options):
        """A join token."""
        return self.server.stead("token", "create", "--data-dir", self.server.data_dir, *options).stdout.strip()

    def import_image(self, name, nodes=None):
        for each in nodes or self.nodes:
            machine = self.nodes[each]
            machine.stead("image", "import", "--data-dir", machine.data_dir, IMAGES / f"{name}.tar", timeout=120)

    def wait_nodes_ready(self, *names, timeout=60):
        for name in names or self.nodes:
            wait_for(lambda: self.is_node_ready(name), timeout, f"node {name} Ready")

    def is_node_ready(self, name):
        conditions = self.get("node", name).get("status", {}).get("conditions", [])
        return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)

    def log(self):
        return "".join(f"---- {machine.name}\n{machine.log()}" for machine in [self.server, *self.nodes.values()])

    def down(self):
        """`stead down` on every machine, nodes first."""
        for machine in [*self.nodes.values(), self.server]:
            machine.down()

    def close(self):
        """Ends and removes everything."""
        problems = []
        for machine in [*self.nodes.values(), self.server]:
            done = machine.down(check=False) if machine.data_dir.exists() else None
            if done is not None and done.returncode != 0:
                problems.append(f"{machine.name}: {done.stderr}")
            if machine.process and machine.process.poll() is None:
                machine.process.kill()
                machine.process.wait(10)
            machine.remove()
        run(["ip", "netns", "del", f"{self.prefix}-lan"], check=False)
        if not problems:
            shutil.rmtree(self.folder, ignore_errors=True)
        assert not problems, "\n".join(problems)

    def nodes_of(self, space, *arguments):
        """Pod name → node name."""
        items = json.loads(space.kubectl("get", "pods", *arguments, "-o", "json"))["items"]
        return {each["metadata"]["name"]: each["spec"].get("nodeName") for each in items}
