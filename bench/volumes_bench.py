#!/usr/bin/python3
"""How fast claims get their volumes: provisioned by the built-in provisioner, and bound out of a pool made by hand.

usage: bench/volumes_bench.py [--claims 1000] [--clients 8] [--require]

No root, network or containers: one simulated node, real directories. Uses $STEAD_BUILD (default build/release). Budget:
1,000 claims provisioned and bound in 2 s from the first create on; --require fails where that is not kept.
"""

import argparse
import json
import pathlib
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from simulated_bench import Meter, SimulatedApi, running  # noqa: E402

CLAIMS = "/api/v1/namespaces/default/persistentvolumeclaims"
VOLUMES = "/api/v1/persistentvolumes"
BUDGET_SECONDS = 2.0


def claim(name, storage_class):
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name},
            "spec": {"accessModes": ["ReadWriteOnce"], "storageClassName": storage_class,
                     "resources": {"requests": {"storage": "1Mi"}}}}


def volume(name):
    return {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name},
            "spec": {"accessModes": ["ReadWriteOnce"], "capacity": {"storage": "1Mi"}, "storageClassName": "",
                     "hostPath": {"path": f"/nowhere/{name}"}}}


def follow(api, path, count, reached):
    """Reads a watch until `count` objects are in a state that `reached` accepts."""
    connection = api.connect()
    connection.request("GET", f"{path}?watch=1&timeoutSeconds=120")
    answer = connection.getresponse()

    def read():
        seen = set()
        for line in answer:
            event = json.loads(line)
            if reached(event):
                seen.add(event["object"]["metadata"]["name"])
                if len(seen) == count:
                    return
        sys.exit(f"only {len(seen)} of {count} in time")
    reader = threading.Thread(target=read)
    reader.start()
    return reader


def create(connect, path, bodies, clients):
    def work(share):
        api = connect()
        for body in share:
            api.call("POST", path, body)
    threads = [threading.Thread(target=work, args=(bodies[i::clients],)) for i in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--claims", type=int, default=1000)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--require", action="store_true")
    options = parser.parse_args()
    slow = False
    with running(1) as (process, data_dir, port):
        connect = lambda: SimulatedApi(data_dir, port)
        bound = lambda event: event["object"].get("status", {}).get("phase") == "Bound"
        for what, storage_class in (("provisioned and bound", "standard"), ("bound out of a pool", "")):
            if not storage_class:
                available = follow(connect(), VOLUMES, options.claims,
                                   lambda event: event["object"].get("status", {}).get("phase") == "Available")
                create(connect, VOLUMES, [volume(f"pool-{i}") for i in range(options.claims)], options.clients)
                available.join()
            reader = follow(connect(), CLAIMS, options.claims * (1 if storage_class else 2), bound)
            meter = Meter(process.pid)
            create(connect, CLAIMS, [claim(f"{storage_class or 'pool'}-{i}", storage_class) for i in range(options.claims)], options.clients)
            reader.join()
            slow |= time.monotonic() - meter.began > BUDGET_SECONDS * options.claims / 1000
            meter.show(f"{options.claims} claims {what}")
    if options.require and slow:
        sys.exit(f"over the budget of {BUDGET_SECONDS} s for 1,000 claims")


if __name__ == "__main__":
    main()
