#!/usr/bin/python3
"""Shows what the API server's verbs cost: latency, and operations per second of its CPU, beside Debian's etcd.

usage: bench/api_bench.py [--clients 1,16,64] [--objects 2000] [--bytes 1024] [--hold N]

Keep-alive connections over TLS, each with one request at a time; ConfigMaps. etcd is asked through its own HTTP gateway, in
plain text, one key for each object, on the same file system. --hold creates so many objects more and shows their memory
(--bytes each). No root, network or containers. Uses $STEAD_BUILD (default build/release).
"""

import argparse
import base64
import contextlib
import json
import pathlib
import re
import selectors
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from simulated_bench import SimulatedApi, cpu_seconds, free_port, memory_mib, running  # noqa: E402

CONFIG_MAPS = "/api/v1/namespaces/default/configmaps"
LENGTH = re.compile(rb"content-length: (\d+)", re.I)


class Connection:
    """One request at a time, on one connection."""

    def __init__(self, port, context):
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if context is not None:
            self.socket = context.wrap_socket(self.socket, server_hostname="127.0.0.1")
        self.socket.setblocking(False)
        self.received = bytearray()

    def send(self, request):
        self.began = time.perf_counter()
        self.received.clear()
        self.socket.setblocking(True)
        self.socket.sendall(request)
        self.socket.setblocking(False)

    def answered(self):
        """Whether the whole answer has come; fails on one that is no success."""
        while True:
            try:
                piece = self.socket.recv(1 << 18)
            except (ssl.SSLWantReadError, BlockingIOError):
                return False
            if not piece:
                raise SystemExit("the server has ended a connection")
            self.received += piece
            head = self.received.find(b"\r\n\r\n")
            if head < 0:
                continue
            if not self.received.startswith((b"HTTP/1.1 200", b"HTTP/1.1 201")):
                raise SystemExit(bytes(self.received[:400]).decode())
            length = LENGTH.search(self.received, 0, head)
            done = len(self.received) - head - 4 == int(length.group(1)) if length else self.received.endswith(b"0\r\n\r\n")
            if done:
                return True


def drive(port, context, clients, requests, pid):
    """All requests, `clients` at once: milliseconds of each, in order of size, and the server's CPU seconds."""
    selector, waiting, times = selectors.DefaultSelector(), iter(requests), []
    busy = 0
    for _ in range(clients):
        connection = Connection(port, context)
        selector.register(connection.socket, selectors.EVENT_READ, connection)
        request = next(waiting, None)
        if request is not None:
            connection.send(request)
            busy += 1
    cpu = cpu_seconds(pid)
    while busy:
        for key, _ in selector.select(30):
            connection = key.data
            if not connection.answered():
                continue
            times.append((time.perf_counter() - connection.began) * 1000)
            request = next(waiting, None)
            if request is None:
                busy -= 1
            else:
                connection.send(request)
    cpu = cpu_seconds(pid) - cpu
    for key in list(selector.get_map().values()):
        key.data.socket.close()
    return sorted(times), cpu


def request(method, path, body=None, content_type="application/json"):
    data = b"" if body is None else json.dumps(body).encode()
    head = f"{method} {path} HTTP/1.1\r\nHost: bench\r\n"
    if body is not None:
        head += f"Content-Type: {content_type}\r\nContent-Length: {len(data)}\r\n"
    return head.encode() + b"\r\n" + data


def show(what, clients, times, cpu):
    rate = f"{len(times) / cpu:.0f}" if cpu >= 0.05 else f">{len(times) / 0.05:.0f}"  # clock ticks are 10 ms
    print(f"  {what:<22} {clients:>3} clients: p50 {times[len(times) // 2]:7.2f} ms, p99 {times[len(times) * 99 // 100]:7.2f} ms, "
          f"{rate:>7} per CPU second", flush=True)


def config_map(name, size):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"text": "x" * size}}


def stead_verbs(objects, size):
    names = [f"map-{number}" for number in range(objects)]
    patch = {"data": {"more": "y"}}
    yield "create", [request("POST", CONFIG_MAPS, config_map(name, size)) for name in names]
    yield "get", [request("GET", f"{CONFIG_MAPS}/{name}") for name in names]
    yield "list of 500", [request("GET", f"{CONFIG_MAPS}?limit=500")] * max(objects // 20, 1)
    yield "update", [request("PUT", f"{CONFIG_MAPS}/{name}", config_map(name, size + 1)) for name in names]
    yield "patch (merge)", [request("PATCH", f"{CONFIG_MAPS}/{name}", patch, "application/merge-patch+json") for name in names]
    yield "delete", [request("DELETE", f"{CONFIG_MAPS}/{name}") for name in names]


def etcd_verbs(objects, size):
    def b64(value):
        return base64.b64encode(value.encode()).decode()

    keys = [b64(f"/registry/configmaps/default/map-{number}") for number in range(objects)]
    yield "put", [request("POST", "/v3/kv/put", {"key": key, "value": b64("x" * size)}) for key in keys]
    yield "get", [request("POST", "/v3/kv/range", {"key": key}) for key in keys]
    range_500 = {"key": b64("/registry/"), "range_end": b64("/registry0"), "limit": 500}
    yield "range of 500", [request("POST", "/v3/kv/range", range_500)] * max(objects // 20, 1)
    yield "delete", [request("POST", "/v3/kv/deleterange", {"key": key}) for key in keys]


@contextlib.contextmanager
def etcd():
    """Debian's etcd on loopback, with its data beside that of Stead: process and port."""
    directory, port, peer = tempfile.mkdtemp(prefix="stead-bench-etcd-"), free_port(), free_port()
    urls = [f"http://127.0.0.1:{port}", f"http://127.0.0.1:{peer}"]
    process = subprocess.Popen(["etcd", "--name", "bench", "--data-dir", directory, "--log-level", "error", "--listen-client-urls", urls[0],
                                "--advertise-client-urls", urls[0], "--listen-peer-urls", urls[1], "--initial-advertise-peer-urls", urls[1],
                                "--initial-cluster", f"bench={urls[1]}"], stderr=subprocess.DEVNULL)
    try:
        for _ in range(200):
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", port)).close()
                break
            time.sleep(0.1)
        time.sleep(1)  # its election
        yield process, port
    finally:
        process.terminate()
        process.wait(20)
        shutil.rmtree(directory)


def hold(process, port, context, count, size):
    before = memory_mib(process.pid)
    times, cpu = drive(port, context, 16, (request("POST", CONFIG_MAPS, config_map(f"held-{number}", size)) for number in range(count)), process.pid)
    show("create", 16, times, cpu)
    after = memory_mib(process.pid)
    print(f"{count} objects of {size} bytes: {after:.0f} MiB resident, {(after - before) * 1048576 / count:.0f} bytes each")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clients", default="1,16,64")
    parser.add_argument("--objects", type=int, default=2_000)
    parser.add_argument("--bytes", type=int, default=1_024)
    parser.add_argument("--hold", type=int, default=0)
    options = parser.parse_args()
    counts = [int(count) for count in options.clients.split(",")]
    with running(nodes=1) as (process, data_dir, port):
        context = SimulatedApi(data_dir, port).context
        print("stead, over TLS")
        for clients in counts:
            for what, requests in stead_verbs(options.objects, options.bytes):
                show(what, clients, *drive(port, context, clients, requests, process.pid))
        if options.hold:
            hold(process, port, context, options.hold, options.bytes)
    if not shutil.which("etcd"):
        print("etcd is not installed (package etcd-server)")
        return
    with etcd() as (process, port):
        print("etcd, its HTTP gateway")
        for clients in counts:
            for what, requests in etcd_verbs(options.objects, options.bytes):
                show(what, clients, *drive(port, None, clients, requests, process.pid))


if __name__ == "__main__":
    main()
