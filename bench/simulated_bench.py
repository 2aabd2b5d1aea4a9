#!/usr/bin/python3
"""Shows what a cluster of simulated nodes costs: seconds, CPU seconds and memory until every pod is Ready.

usage: bench/simulated_bench.py [--nodes 100] [--pods 1000] [--sets 10] [--idle SECONDS]

No root, network or containers. Uses $STEAD_BUILD (default build/release). The full size of the design:
--nodes 5000 --pods 150000 --sets 150. Budgets: 1,000 pods on 100 nodes in 2 s, 2 CPU s, 80 MiB; the full size in 4 GiB.
"""

import argparse
import contextlib
import http.client
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from cluster_bench import SETS, Api  # noqa: E402
from support.cluster import STEAD  # noqa: E402


class SimulatedApi(Api):
    def __init__(self, data_dir, port):
        self.port = port
        super().__init__(data_dir)

    def connect(self):
        return http.client.HTTPSConnection("127.0.0.1", self.port, context=self.context)


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_mib(pid, field="VmRSS"):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(field):
            return int(line.split()[1]) / 1024
    return 0


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def stateful_set(name, replicas):
    labels = {"app": name}
    return {"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": name},
            "spec": {"replicas": replicas, "serviceName": name, "podManagementPolicy": "Parallel",
                     "selector": {"matchLabels": labels},
                     "template": {"metadata": {"labels": labels},
                                  "spec": {"containers": [{"name": "c", "image": "example.invalid/c:1"}]}}}}


class Meter:
    def __init__(self, pid):
        self.pid, self.began, self.cpu = pid, time.monotonic(), cpu_seconds(pid)

    def show(self, what):
        print(f"{what}: {time.monotonic() - self.began:.2f} s, {cpu_seconds(self.pid) - self.cpu:.2f} CPU s, "
              f"{memory_mib(self.pid):.0f} MiB (peak {memory_mib(self.pid, 'VmHWM'):.0f})", flush=True)


@contextlib.contextmanager
def running(nodes):
    """A ready `stead up` with so many simulated nodes: the process, its data directory, its port."""
    # An interrupted run ends what it started, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    directory = pathlib.Path(tempfile.mkdtemp(prefix="stead-simulated-"))
    port = free_port()
    with open(directory / "log", "w") as log:
        process = subprocess.Popen([STEAD, "up", "--data-dir", directory / "data", "--runtime", "simulated",
                                    "--simulated-nodes", str(nodes), "--port", str(port)],
                                   stdout=subprocess.PIPE, stderr=log, text=True)
    try:
        line = process.stdout.readline()
        if not line.startswith("stead: ready"):
            sys.exit(f"stead up did not get ready: {(directory / 'log').read_text()[-2000:]}")
        yield process, directory / "data", port
    finally:
        process.terminate()
        process.wait(60)
        shutil.rmtree(directory)


def measure(process, api, options):
    meter = Meter(process.pid)
    each = options.pods // options.sets
    for number in range(options.sets):
        api.call("POST", SETS, stateful_set(f"set{number}", each))
    api.wait(SETS, lambda sets: len(sets) == options.sets and all(
        one["status"].get("readyReplicas") == each for one in sets.values()), options.limit)
    meter.show(f"{each * options.sets} pods Ready on {options.nodes} nodes")
    if options.idle:
        meter = Meter(process.pid)
        time.sleep(options.idle)
        meter.show(f"{options.idle} s with nothing to do but heartbeats")
    meter = Meter(process.pid)
    for number in range(options.sets):
        api.call("PATCH", f"{SETS}/set{number}", {"spec": {"replicas": 0}}, "application/merge-patch+json")
    api.wait(SETS, lambda sets: len(sets) == options.sets and all(
        not one["status"].get("replicas") for one in sets.values()), options.limit)
    meter.show("scaled to nothing")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--nodes", type=int, default=100)
    parser.add_argument("--pods", type=int, default=1000)
    parser.add_argument("--sets", type=int, default=10)
    parser.add_argument("--idle", type=int, default=0)
    parser.add_argument("--limit", type=int, default=600, help="seconds that each step may take")
    options = parser.parse_args()
    began = time.monotonic()
    with running(options.nodes) as (process, data_dir, port):
        print(f"{options.nodes} nodes Ready: {time.monotonic() - began:.2f} s, {cpu_seconds(process.pid):.2f} CPU s, "
              f"{memory_mib(process.pid):.0f} MiB", flush=True)
        measure(process, SimulatedApi(data_dir, port), options)


if __name__ == "__main__":
    main()
