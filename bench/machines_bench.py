#!/usr/bin/python3
"""Several machines: how long a node takes to join, and a change of endpoints to reach the rules of every node.

usage: bench/machines_bench.py [--nodes N] [--rounds N]      needs root, containerd, nft, kubectl and build/release

Each machine is a network namespace with its own containerd; all share this machine's processors, so that the figures
are upper bounds. Joining counts from the start of `stead agent` with an empty data directory until the API shows the
node as Ready; a change from the sending of the write until `nft monitor` has told of it on the last node.
"""

import argparse
import http.client
import json
import pathlib
import socket
import statistics
import subprocess
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from support.machines import Machines  # noqa: E402

JOIN_BUDGET_S = 2
RULES_BUDGET_MS = 50
SLICES = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices"


class Proxy(http.client.HTTPConnection):
    """The API through `kubectl proxy` on a Unix socket, which reaches out of the server's namespace."""

    def __init__(self, cluster):
        super().__init__("localhost")
        self.path = str(cluster.folder / "proxy")
        self.process = subprocess.Popen([*cluster.server.enter, cluster.kubectl_binary, "--kubeconfig", cluster.kubeconfig,
                                         "proxy", "--unix-socket", self.path], stdout=subprocess.PIPE, text=True)
        self.process.stdout.readline()

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)

    def call(self, method, path, body=None):
        self.request(method, path, json.dumps(body) if body else None, {"Content-Type": "application/json"})
        answer = self.getresponse()
        document = json.loads(answer.read())
        if answer.status >= 400:
            raise RuntimeError(f"{method} {path}: {document.get('message')}")
        return document

    def end(self):
        self.close()
        self.process.terminate()
        self.process.wait(10)


class RuleWatch:
    """When each node's rules last named an address."""

    def __init__(self, machine):
        self.seen = {}
        self.process = subprocess.Popen([*machine.enter, "stdbuf", "-oL", "nft", "monitor"], stdout=subprocess.PIPE, text=True)
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            now = time.monotonic()
            for word in line.replace(",", " ").split():
                if word.startswith("203.0.113."):
                    self.seen.setdefault(word, now)

    def end(self):
        self.process.terminate()
        self.process.wait(10)


def join_seconds(cluster, name):
    """From the agent's start to Ready in the API, by a watch."""
    token = cluster.token()
    watch = subprocess.Popen([*cluster.server.enter, cluster.kubectl_binary, "--kubeconfig", cluster.kubeconfig, "get", "nodes",
                              "--watch", "--no-headers"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    time.sleep(0.5)
    machine = cluster.nodes[name]
    begun = time.monotonic()
    threading.Thread(target=machine.start, args=("agent", "--server", cluster.url, "--token", token, "--node-name", name,
                                                 "--node-ip", machine.address), daemon=True).start()
    for line in watch.stdout:
        words = line.split()
        if words[0] == name and words[1] == "Ready":
            break
    took = time.monotonic() - begun
    watch.kill()
    watch.wait(10)
    while not machine.out_path.read_text().endswith("\n"):
        time.sleep(0.05)
    return took


def endpoint_slice(address):
    return {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
            "metadata": {"name": "bench", "labels": {"kubernetes.io/service-name": "bench"}},
            "endpoints": [{"addresses": [address], "conditions": {"ready": True}}],
            "ports": [{"name": "", "port": 80, "protocol": "TCP"}]}


def rules_milliseconds(cluster, rounds):
    """For each change of an endpoint: until the last node's rules have it."""
    api = Proxy(cluster)
    watches = [RuleWatch(machine) for machine in cluster.nodes.values()]
    try:
        api.call("POST", "/api/v1/namespaces/default/services",
                 {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "bench"}, "spec": {"ports": [{"port": 80}]}})
        api.call("POST", SLICES, endpoint_slice("203.0.113.1"))
        time.sleep(1)
        took = []
        for number in range(2, rounds + 2):
            address = f"203.0.113.{number}"
            begun = time.monotonic()
            api.call("PUT", f"{SLICES}/bench", endpoint_slice(address))
            end = begun + 10
            while any(address not in watch.seen for watch in watches) and time.monotonic() < end:
                time.sleep(0.001)
            took.append(1000 * (max(watch.seen[address] for watch in watches) - begun))
            time.sleep(0.1)
        return took
    finally:
        for watch in watches:
            watch.end()
        api.end()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nodes", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=50)
    arguments = parser.parse_args()
    cluster = Machines("bench", arguments.nodes)
    try:
        cluster.make()
        cluster.start_server()
        joins = [join_seconds(cluster, name) for name in cluster.nodes]
        print(f"a node joins: median {statistics.median(joins):.2f} s, worst {max(joins):.2f} s (budget {JOIN_BUDGET_S} s); "
              f"{statistics.median(joins) / JOIN_BUDGET_S:.2f} of it")
        took = sorted(rules_milliseconds(cluster, min(arguments.rounds, 250)))
        median = statistics.median(took)
        print(f"an endpoint reaches {arguments.nodes} nodes' rules: median {median:.1f} ms, p95 {took[int(len(took) * 0.95)]:.1f} ms, "
              f"worst {took[-1]:.1f} ms (budget {RULES_BUDGET_MS} ms); {median / RULES_BUDGET_MS:.2f} of it")
    finally:
        cluster.close()


if __name__ == "__main__":
    main()
