#!/usr/bin/python3
"""Shows what the API server pays for large lists: bytes leave per second of its CPU, over TLS, through the real path.

usage: bench/api_list_bench.py [--objects 10000] [--bytes 1024] [--lists 20]

No root, network or containers. Uses $STEAD_BUILD (default build/release). Budget: 500 MB/s per core for 10,000
ConfigMaps of 1 KiB. The first list encodes each object; the others splice what is remembered.
"""

import argparse
import pathlib
import ssl
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from simulated_bench import SimulatedApi, cpu_seconds, memory_mib, running  # noqa: E402

CONFIG_MAPS = "/api/v1/namespaces/default/configmaps"


def read_list(api):
    """One list, read in large pieces and not decoded; its size."""
    api.connection.request("GET", CONFIG_MAPS)
    answer = api.connection.getresponse()
    piece = bytearray(1 << 20)
    size = 0
    while count := answer.readinto(piece):
        size += count
    return size


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--objects", type=int, default=10_000)
    parser.add_argument("--bytes", type=int, default=1024)
    parser.add_argument("--lists", type=int, default=20)
    options = parser.parse_args()
    with running(nodes=1) as (process, data_dir, port):
        api = SimulatedApi(data_dir, port)
        for number in range(options.objects):
            api.call("POST", CONFIG_MAPS, {"metadata": {"name": f"map-{number}"}, "data": {"text": "x" * options.bytes}})
        for what, count in (("first list", 1), ("lists after it", options.lists)):
            began, cpu = time.monotonic(), cpu_seconds(process.pid)
            size = sum(read_list(api) for _ in range(count)) / 1e6
            cpu, took = cpu_seconds(process.pid) - cpu, time.monotonic() - began
            print(f"{what}: {size / max(cpu, 0.01):.0f} MB/s per core of server CPU, {size / took:.0f} MB/s by the clock "
                  f"({count} × {size / count:.1f} MB, {ssl.OPENSSL_VERSION.split()[1]})", flush=True)
        print(f"resident: {memory_mib(process.pid):.0f} MiB")


if __name__ == "__main__":
    main()
