#!/usr/bin/env python3
"""Runs a command behind a line that loses and delays packets, for kernels without `tc netem`.

    tests/bench/lossy.py --rtt-ms 400 --loss 0.1 -- target/release/satchel-bench sync --through 10.9.0.2 ...

The command gets a network namespace of its own with one tunnel. What it sends to 10.9.0.2 comes back to 10.9.0.1, half
a round trip later and with both addresses exchanged, so that client and server may be one process; a checksum does not
change when two addresses change places. Packets get lost on their own, each way, acknowledgements too: what TCP makes of
that is the kernel's own TCP. Packets that a queue of a second at --kbit-s would not hold get lost as well. Needs root or
user namespaces, and /dev/net/tun.
"""

import argparse
import fcntl
import heapq
import os
import random
import select
import struct
import subprocess
import sys
import time

TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000


def tunnel():
    line = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(line, TUNSETIFF, struct.pack("16sH", b"lossy0", IFF_TUN | IFF_NO_PI))
    for command in ("addr add 10.9.0.1/24 dev lossy0", "link set lossy0 up", "link set lo up"):
        subprocess.run(["ip", *command.split()], check=True)
    return line


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rtt-ms", type=float, default=400)
    options.add_argument("--loss", type=float, default=0.1)
    options.add_argument("--kbit-s", type=float, default=2000)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    options.add_argument("command", nargs="+")
    asked = options.parse_args()
    if not asked.inside:
        mine = ["unshare", "--map-root-user", "--net", sys.executable, sys.argv[0], "--inside"]
        os.execvp("unshare", mine + sys.argv[1:])
    line, dice = tunnel(), random.Random(asked.seed)
    child = subprocess.Popen(asked.command)
    # By the port of the lower end: the two ways of one connection share no queue.
    free_at, due, order = {}, [], 0
    sent = lost = sent_bytes = 0
    while child.poll() is None:
        wait = min(0.2, max(0.0, due[0][0] - time.monotonic())) if due else 0.2
        if select.select([line], [], [], wait)[0]:
            packet = os.read(line, 65536)
            now = time.monotonic()
            if len(packet) >= 24 and packet[0] >> 4 == 4:
                sent, sent_bytes = sent + 1, sent_bytes + len(packet)
                way = int.from_bytes(packet[20:22], "big") < int.from_bytes(packet[22:24], "big")
                begins = max(now, free_at.get(way, 0.0))
                if dice.random() < asked.loss or begins - now > 1.0:
                    lost += 1
                else:
                    free_at[way] = begins + len(packet) * 8 / (asked.kbit_s * 1000)
                    order += 1
                    back = packet[:12] + packet[16:20] + packet[12:16] + packet[20:]
                    heapq.heappush(due, (free_at[way] + asked.rtt_ms / 2000, order, back))
        while due and due[0][0] <= time.monotonic():
            try:
                os.write(line, heapq.heappop(due)[2])
            except OSError:
                lost += 1
    print(f"{sent} packets of {sent_bytes / 1000:.0f} KB on the line, {lost} lost", file=sys.stderr)
    sys.exit(child.returncode)


main()
