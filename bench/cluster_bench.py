#!/usr/bin/python3
"""Shows the budgets of a running cluster, as ratios to a bare CRI client in the same run.

The budgets in seconds were set on a machine whose bare client needs 90 ms to start a pod and 80 ms to remove one; what
counts is the ratio of both to the bare client's time for as many pods, one after the other, on this machine now.

usage: bench/cluster_bench.py [--rounds N]      needs root, containerd, build/release and build/images

Everything runs in a network namespace of its own. Medians of N rounds.
"""

import argparse
import http.client
import json
import os
import pathlib
import ssl
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from support.cluster import BUILD, Cluster  # noqa: E402

NAMESPACE = "/api/v1/namespaces/default"
SETS = "/apis/apps/v1/namespaces/default/statefulsets"


class Api:
    """The API over one connection; watches have their own."""

    def __init__(self, data_dir):
        self.context = ssl.create_default_context(cafile=data_dir / "pki/ca.crt")
        self.context.load_cert_chain(data_dir / "pki/admin.crt", data_dir / "pki/admin.key")
        self.connection = self.connect()

    def connect(self):
        return http.client.HTTPSConnection("127.0.0.1", 6443, context=self.context)

    def call(self, method, path, body=None, content_type="application/json"):
        self.connection.request(method, path, json.dumps(body) if body is not None else None,
                                {"Content-Type": content_type})
        answer = self.connection.getresponse()
        document = json.loads(answer.read() or b"{}")
        if answer.status >= 400:
            raise RuntimeError(f"{method} {path}: {document.get('message')}")
        return document

    def wait(self, path, done, limit=120):
        """Follows a collection, from what it holds now, until done(objects by name) holds."""
        listed = self.call("GET", path)
        objects = {item["metadata"]["name"]: item for item in listed["items"]}
        if done(objects):
            return
        connection = self.connect()
        revision = listed["metadata"]["resourceVersion"]
        connection.request("GET", f"{path}?watch=1&timeoutSeconds={limit}&resourceVersion={revision}")
        for line in connection.getresponse():
            event = json.loads(line)
            name = event["object"]["metadata"]["name"]
            if event["type"] == "DELETED":
                objects.pop(name, None)
            else:
                objects[name] = event["object"]
            if done(objects):
                connection.close()
                return
        raise RuntimeError(f"{path}: not within {limit} s")


def is_ready(pod):
    return any(c["type"] == "Ready" and c["status"] == "True" for c in pod.get("status", {}).get("conditions", []))


def pod_spec(version="1"):
    return {"terminationGracePeriodSeconds": 5,
            "containers": [{"name": "c", "image": "busybox:latest", "imagePullPolicy": "IfNotPresent",
                            "env": [{"name": "VERSION", "value": version}],
                            "command": ["/bin/sh", "-c", "trap 'exit 0' TERM; while :; do sleep 3600 & wait $!; done"]}]}


def set_manifest(name, replicas, policy="OrderedReady", claims=False):
    spec = {"serviceName": name, "replicas": replicas, "podManagementPolicy": policy,
            "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}}, "spec": pod_spec()}}
    if claims:
        spec["volumeClaimTemplates"] = [{"metadata": {"name": "data"}, "spec": {
            "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}}}]
        spec["template"]["spec"]["containers"][0]["volumeMounts"] = [{"name": "data", "mountPath": "/data"}]
    return {"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": name}, "spec": spec}


def timed(action):
    begun = time.monotonic()
    action()
    return (time.monotonic() - begun) * 1000


def ready_count(objects, name, count):
    mine = [pod for pod in objects.values() if pod["metadata"].get("labels", {}).get("app") == name]
    return len(mine) == count and all(is_ready(pod) for pod in mine)


def gone(objects, name):
    return not any(pod["metadata"].get("labels", {}).get("app") == name for pod in objects.values())


def measure_pod(api, index):
    name = f"single-{index}"
    body = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": {"app": name}}, "spec": pod_spec()}

    def run():
        api.call("POST", NAMESPACE + "/pods", body)
        api.wait(NAMESPACE + "/pods", lambda pods: ready_count(pods, name, 1))

    took = timed(run)
    api.call("DELETE", f"{NAMESPACE}/pods/{name}")
    api.wait(NAMESPACE + "/pods", lambda pods: gone(pods, name))
    return took


def measure_set(api, name, replicas, policy="OrderedReady", claims=False, update=False):
    """Times to create, (update,) and scale to nothing, in ms."""
    def run(change, done):
        took = timed(lambda: (change(), api.wait(NAMESPACE + "/pods", done)))
        # A shell that has only just begun has no handler for SIGTERM yet: that wait is not the cluster's.
        time.sleep(1)
        return took

    times = {"create": run(lambda: api.call("POST", SETS, set_manifest(name, replicas, policy, claims)),
                           lambda pods: ready_count(pods, name, replicas))}
    if update:
        template = {"spec": {"template": {"spec": pod_spec("2")}}}

        def changed():
            api.call("PATCH", f"{SETS}/{name}", template, "application/strategic-merge-patch+json")

        def updated(pods):
            mine = [p for p in pods.values() if p["metadata"].get("labels", {}).get("app") == name]
            return ready_count(pods, name, replicas) and all(
                p["spec"]["containers"][0]["env"][0]["value"] == "2" for p in mine)

        times["update"] = run(changed, updated)
    times["to 0"] = run(lambda: api.call("PATCH", f"{SETS}/{name}/scale", {"spec": {"replicas": 0}},
                                         "application/merge-patch+json"), lambda pods: gone(pods, name))
    api.call("DELETE", f"{SETS}/{name}")
    return times


def process_numbers(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    rss_kib = int(status.split("VmRSS:")[1].split()[0])
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return rss_kib / 1024, (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def stead_pid(data_dir):
    return int((data_dir / "lock").read_text())


START_MS, REMOVE_MS = 90, 80  # the bare client where the budgets were set


def bare_floor():
    """Medians of the bare CRI client, added up, in ms: for starting one pod, for removing one."""
    out = subprocess.run([BUILD / "bench" / "bare_cri", "10"], timeout=120, check=True, capture_output=True, text=True).stdout
    medians = {line[:18].strip(): float(line.split("median")[1].split()[0]) for line in out.splitlines()}
    return (medians["sandbox"] + medians["create"] + medians["start"],
            medians["stop container"] + medians["stop sandbox"] + medians["remove"])


def inside(data_dir, rounds):
    """All that talks to the cluster; runs in its network namespace."""
    results = {}
    _, cpu_before = process_numbers(stead_pid(data_dir))
    begun = time.monotonic()
    time.sleep(20)
    rss, cpu_after = process_numbers(stead_pid(data_dir))
    results["idle RSS, MiB (≤ 40)"] = rss
    results["idle CPU, % of a core (≤ 0.5)"] = 100 * (cpu_after - cpu_before) / (time.monotonic() - begun)
    api = Api(data_dir)
    floor, removal = bare_floor()
    results["bare CRI pod start, ms"] = floor
    results["bare CRI pod removal, ms"] = removal

    def bounded(name, took_s, budget_s, pods, starts, removes):
        here = pods * (starts * floor + removes * removal) / 1000
        there = pods * (starts * START_MS + removes * REMOVE_MS) / 1000
        results[f"{name}: s"] = took_s
        results[f"{name}: × bare (≤ {budget_s / there:.2f}: {budget_s} s)"] = took_s / here
    pods = [measure_pod(api, i) for i in range(rounds)]
    results["pod to Ready, ms over the bare start (≤ 15)"] = statistics.median(pods) - floor
    three = [measure_set(api, f"three-{i}", 3, claims=True)["create"] for i in range(rounds)]
    results["3 ordered with claims, × 3 × bare (≤ 1.3)"] = statistics.median(three) / (3 * floor)
    ten = [measure_set(api, f"ten-{i}", 10, update=True) for i in range(max(1, rounds // 2))]
    for name, budget_s, starts, removes in (("create", 1.2, 1, 0), ("update", 2.3, 1, 1), ("to 0", 1.1, 0, 1)):
        bounded(f"10 pods: {name}", statistics.median(t[name] for t in ten) / 1000, budget_s, 10, starts, removes)
    thirty = measure_set(api, "thirty", 30, policy="Parallel")
    bounded("30 parallel: create", thirty["create"] / 1000, 2, 30, 1, 0)
    return results


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--inside", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inside:
        print(json.dumps(inside(pathlib.Path(options.inside), options.rounds)))
        return
    ups = []
    for _ in range(options.rounds):
        cluster = Cluster("bench").up()
        ups.append(int(cluster.ready_line.split("ready in ")[1].split(" ms")[0]))
        cluster.close()
    cluster = Cluster("bench").up()
    try:
        cluster.import_image("busybox")
        done = subprocess.run([*cluster.namespace.enter, sys.executable, __file__, "--rounds", str(options.rounds),
                               "--inside", cluster.data_dir], capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(done.stderr + cluster.log())
        results = {"stead up to Ready on an empty data dir, ms (≤ 1000)": statistics.median(ups)}
        results.update(json.loads(done.stdout.splitlines()[-1]))
    finally:
        cluster.close()
    for name, value in results.items():
        print(f"{name:58} {value:10.2f}")


if __name__ == "__main__":
    main()
