"""Garbage for a UDP port: `python -m tests.scenarios.flood HOST PORT PER_SECOND`, until its standard input ends.

It is told where to send to, and sends nowhere but to 198.18.0.0/15, which is for such set-ups (RFC 2544), and to this
machine itself. After `MOST_S` seconds it ends by itself.
"""

import ipaddress
import os
import select
import socket
import sys
import time
from typing import Final

from lightbound.ranging.timing.packets import PACKET_BYTES

MOST_S: Final = 120.0
PIECE_S: Final = 0.002
OURS: Final = (ipaddress.ip_network("198.18.0.0/15"), ipaddress.ip_network("127.0.0.0/8"))


def main() -> None:
    """Send, some every two milliseconds."""
    host, port, per_s = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    if not any(ipaddress.ip_address(host) in network for network in OURS):
        raise SystemExit(f"{host} is not ours")
    # Half of them look like packets of some session.
    garbage = [os.urandom(PACKET_BYTES), b"LB\x01\x03" + os.urandom(PACKET_BYTES - 4)]
    began, sent = time.monotonic(), 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own:
        own.connect((host, port))
        sys.stdout.write("flooding\n")
        sys.stdout.flush()
        while time.monotonic() < began + MOST_S:
            due = int((time.monotonic() - began) * per_s)
            for number in range(sent, due):
                try:
                    own.send(garbage[number % 2])
                except OSError:
                    # The port is closed for a moment, or its queue is full: that is the point.
                    continue
            sent = due
            if select.select([sys.stdin], [], [], PIECE_S)[0]:
                break
    sys.stdout.write(f"{sent}\n")


if __name__ == "__main__":
    main()
