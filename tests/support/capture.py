"""Counts the frames at INTERFACE, in the network namespace that it runs in, until standard input ends or LIMIT seconds are over.

    capture.py INTERFACE LIMIT

Prints "ready" once it listens, and at its end what the frames were for: {"tcp 198.51.100.1": 3, "arp 10.43.0.9": 1}.
"""

import collections
import ipaddress
import json
import select
import socket
import struct
import subprocess
import sys
import time

ALL_FRAMES = 0x0003  # ETH_P_ALL
ETHERNET_HEADER = 14
PROTOCOLS = {1: "icmp", 6: "tcp", 17: "udp"}


class Capture:
    """The same from a test: `with Capture(enter, "wire0") as capture: …`, then capture.seen, (kind, address) to count."""

    def __init__(self, enter, interface, limit=120):
        self.command = [*enter, sys.executable, __file__, interface, str(limit)]
        self.seen = {}

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline() == "ready\n"
        return self

    def __exit__(self, *_):
        told, _ = self.process.communicate(timeout=30)
        self.seen = {(kind, ipaddress.ip_address(address)): count
                     for (kind, address), count in ((key.split(), count) for key, count in json.loads(told).items())}


def what_for(frame):
    """"KIND ADDRESS" of a frame of IPv4 or ARP, else None."""
    kind = struct.unpack_from("!H", frame, 12)[0] if len(frame) >= ETHERNET_HEADER else 0
    body = frame[ETHERNET_HEADER:]
    if kind == 0x0800 and len(body) >= 20:
        return f"{PROTOCOLS.get(body[9], 'other')} {ipaddress.ip_address(body[16:20])}"
    if kind == 0x0806 and len(body) >= 28:
        return f"arp {ipaddress.ip_address(body[24:28])}"
    return None


def main():
    frames = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ALL_FRAMES))
    frames.bind((sys.argv[1], 0))
    print("ready", flush=True)
    seen = collections.Counter()
    end = time.monotonic() + float(sys.argv[2])
    asked_to_end = False
    while time.monotonic() < end:
        # What came before the end of standard input is counted whole.
        readable, _, _ = select.select([frames] if asked_to_end else [frames, sys.stdin], [], [], 0 if asked_to_end else 1)
        if frames in readable:
            found = what_for(frames.recv(65536))
            if found:
                seen[found] += 1
        elif asked_to_end:
            break
        elif readable:
            asked_to_end = True
    print(json.dumps(seen))


if __name__ == "__main__":
    main()
