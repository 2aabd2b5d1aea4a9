#!/usr/bin/python3
"""Shows what watchers cost: memory for each, and the time from a write to those who hear of it, for each of several counts.

usage: bench/watch_bench.py [--held 10000] [--told 1,16,64,1000] [--writes 50]

Over HTTP/2 with TLS, 250 watches on a connection. No root, network or containers; uses $STEAD_BUILD (default
build/release). Budgets: 10,000 watchers on one resource in 200 MiB, a write reaches 1,000 watchers in 20 ms at the 99th
percentile of watchers.
"""

import argparse
import pathlib
import selectors
import ssl
import socket
import struct
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from simulated_bench import SimulatedApi, cpu_seconds, memory_mib, running  # noqa: E402

CONFIG_MAPS = "/api/v1/namespaces/default/configmaps"
STREAMS = 250
DATA, HEADERS, SETTINGS, WINDOW_UPDATE = 0, 1, 4, 8
END_STREAM_AND_HEADERS = 5
ACK = 1
LARGE_WINDOW = 1 << 30


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def text(value):
    """A string of RFC 7541 without Huffman coding; all ours are short."""
    assert len(value) < 127
    return bytes([len(value)]) + value.encode()


class Watches:
    """One connection with so many watches on it."""

    def __init__(self, port, context, count):
        self.socket = context.wrap_socket(socket.create_connection(("127.0.0.1", port)), server_hostname="127.0.0.1")
        path = CONFIG_MAPS + "?watch=1&resourceVersion=0"
        head = b"\x82\x87\x04" + text(path) + b"\x01" + text("stead")  # GET, https, path, authority
        self.socket.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(SETTINGS, 0, 0, struct.pack(">HI", 4, LARGE_WINDOW))
                            + frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", LARGE_WINDOW)) + frame(SETTINGS, ACK, 0)
                            + b"".join(frame(HEADERS, END_STREAM_AND_HEADERS, 1 + 2 * i, head) for i in range(count)))
        self.count, self.open, self.rest = count, 0, b""
        while self.open < count:
            self.take(lambda kind, payload: self.opened(kind))
        self.socket.setblocking(False)

    def opened(self, kind):
        self.open += kind == HEADERS

    def take(self, told):
        """Reads once, and tells each frame of what came; false if nothing was there."""
        try:
            piece = self.socket.recv(1 << 20)
        except (ssl.SSLWantReadError, BlockingIOError):
            return False
        if not piece:
            raise SystemExit("the server has ended a connection")
        self.rest += piece
        at = 0
        while len(self.rest) - at >= 9:
            size = int.from_bytes(self.rest[at:at + 3], "big")
            if len(self.rest) - at < 9 + size:
                break
            told(self.rest[at + 3], self.rest[at + 9:at + 9 + size])
            at += 9 + size
        self.rest = self.rest[at:]
        return True


def open_watches(port, context, count):
    made = []
    while count > 0:
        made.append(Watches(port, context, min(STREAMS, count)))
        count -= made[-1].count
    return made


def config_map(name):
    return {"metadata": {"name": name}, "data": {"text": "x" * 200}}


def one_write(api, connections, selector, number):
    """Milliseconds from the write until each watcher has been told."""
    times, name = [], f"map-{number}".encode()
    wanted = sum(each.count for each in connections)

    def told(kind, payload):
        if kind == DATA and name in payload:
            times.append(time.perf_counter())

    began = time.perf_counter()
    api.call("POST", CONFIG_MAPS, config_map(name.decode()))
    while len(times) < wanted:
        if not selector.select(10):
            raise SystemExit(f"{len(times)} of {wanted} watchers heard of {name} in ten seconds")
        for key, _ in selector.select(0):
            while key.data.take(told):
                pass
    return sorted((each - began) * 1000 for each in times)


def show_fan_out(api, pid, port, context, count, writes):
    watching = open_watches(port, context, count)
    selector = selectors.DefaultSelector()
    for each in watching:
        selector.register(each.socket, selectors.EVENT_READ, each)
    cpu = cpu_seconds(pid)
    times = [one_write(api, watching, selector, f"{count}-{number}") for number in range(writes)]
    cpu = cpu_seconds(pid) - cpu
    for each in watching:
        each.socket.close()
    every = sorted(each for one in times for each in one)
    last = sorted(one[-1] for one in times)
    print(f"a write to {count} watchers: p50 {every[len(every) // 2]:.1f} ms, p99 {every[len(every) * 99 // 100]:.1f} ms, the last in "
          f"{last[len(last) // 2]:.1f} ms (median of {writes}); {count * writes / max(cpu, 0.01):.0f} events per CPU second", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--held", type=int, default=10_000)
    parser.add_argument("--told", default="1,16,64,1000", help="how many watchers hear of each write")
    parser.add_argument("--writes", type=int, default=50)
    options = parser.parse_args()
    with running(nodes=1) as (process, data_dir, port):
        api, context = SimulatedApi(data_dir, port), SimulatedApi(data_dir, port).context
        context.set_alpn_protocols(["h2"])
        before, cpu = memory_mib(process.pid), cpu_seconds(process.pid)
        held = open_watches(port, context, options.held)
        after = memory_mib(process.pid)
        print(f"{options.held} watchers: {after:.0f} MiB resident, {before:.0f} before; {(after - before) * 1024 / options.held:.1f} KiB "
              f"and {(cpu_seconds(process.pid) - cpu) * 1000 / options.held:.2f} CPU ms each", flush=True)
        for each in held:
            each.socket.close()
        for count in [int(each) for each in options.told.split(",")]:
            show_fan_out(api, process.pid, port, context, count, options.writes)


if __name__ == "__main__":
    main()
