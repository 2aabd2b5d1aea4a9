"""What of a machine a cluster could leave traces on: mounts, links, rules, namespaces, cgroups, processes."""

import os
import pathlib
import re
import time

from support.cluster import run

# What other tests on the same machine do meanwhile is not this one's concern.
FOREIGN = re.compile(r"/tmp/|/pytest-|^stead-|/run/netns/stead-|/stead-[0-9a-f]{8}")

SHARED_PLACES = ("/run/containerd", "/var/lib/cni")


def mounts():
    """Mount points with their types, of the namespace of this process."""
    rows = [line.split(" ") for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines()]
    return {f"{row[4]} {row[row.index('-') + 1]}" for row in rows}


def links(enter=()):
    out = run([*enter, "ip", "-o", "link"]).stdout
    return {line.split(": ")[1].split("@")[0] for line in out.splitlines()}


def routes(enter=()):
    return set(run([*enter, "ip", "route", "show", "table", "all"]).stdout.splitlines())


def rules(enter=()):
    """nftables and iptables rules, without counters."""
    return set(run([*enter, "nft", "-s", "list", "ruleset"]).stdout.splitlines())


def network_namespaces():
    named = pathlib.Path("/run/netns")
    return {path.name for path in named.iterdir()} if named.exists() else set()


def cgroups():
    found = set()
    for folder, _, _ in os.walk("/sys/fs/cgroup"):
        found.add(folder)
    return found


def processes():
    """pid, start, command and the cluster's control group of every process but kernel threads."""
    found = set()
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
            started = (folder / "stat").read_text().rpartition(")")[2].split()[19]
            group = re.search(r"/stead-[0-9a-f]{8}", (folder / "cgroup").read_text())
        except OSError:
            continue
        if command:
            found.add((int(folder.name), started, command[:300], group.group() if group else ""))
    return found


def files(folder):
    path = pathlib.Path(folder)
    return {str(each) for each in path.iterdir()} if path.exists() else set()


def cgroup_of(data_dir):
    """The control group that a data directory's pods are in: named by its FNV-1a."""
    number = 2166136261
    for byte in data_dir.encode():
        number = (number ^ byte) * 16777619 % (1 << 32)
    return f"/stead-{number:08x}"


class Machine:
    """A snapshot. `enter` is the command prefix for the network namespace the cluster runs in."""

    def __init__(self, enter, data_dir):
        self.enter, self.data_dir = enter, str(data_dir)
        self.cgroup = cgroup_of(self.data_dir)
        self.seen = self._look()

    def _look(self):
        return {
            "mounts": mounts(), "links": links(self.enter), "links of the machine": links(), "routes": routes(self.enter),
            "routes of the machine": routes(), "rules": rules(self.enter), "rules of the machine": rules(),
            "network namespaces": network_namespaces(), "cgroups": cgroups(), "processes": processes(),
            "files": files("/run") | files("/var/run") | files("/var/lib") | files("/var/log") | files("/etc"),
            "sysctls": {f"{name}={pathlib.Path('/proc/sys', name).read_text().strip()}" for name in
                        ("net/ipv4/ip_forward", "kernel/pid_max", "vm/overcommit_memory", "vm/max_map_count")},
        }

    def _ours(self, kind, entry):
        text = str(entry)
        if self.data_dir in text or self.cgroup in text:
            return True
        if kind == "processes":  # builds and other tests come and go; the programs a cluster starts are known
            program = os.path.basename(entry[2].split(" ")[0])
            known = program.startswith(("containerd", "runc", "pause", "stead", "haproxy"))
            return known and not FOREIGN.search(text)
        if kind == "files" and entry.endswith(SHARED_PLACES):  # stay as long as any containerd of Stead's runs
            return not any("containerd" in each[2].split(" ")[0] for each in processes())
        return not FOREIGN.search(text)

    def left(self):
        """What is there now and was not, and what was there and is not, by kind."""
        now = self._look()
        found = {}
        for kind, before in self.seen.items():
            more = {f"+ {entry}" for entry in now[kind] - before if self._ours(kind, entry)}
            less = {f"- {entry}" for entry in before - now[kind] if kind != "processes" and self._ours(kind, entry)}
            if more | less:
                found[kind] = more | less
        return found

    def wait_as_before(self, timeout=10):
        """Until nothing is left; returns what is left otherwise."""
        end = time.monotonic() + timeout
        while (left := self.left()) and time.monotonic() < end:
            time.sleep(0.2)
        return left
