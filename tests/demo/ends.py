"""Two ends for something that carries datagrams: one that echoes, one that measures; and waiting for what must come."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from lightbound.demo.namespaces import Namespace

PATIENCE_S = 10.0
"""A machine that is busy with other tests takes its time."""

MEASURED_BY = (time.CLOCK_MONOTONIC, time.CLOCK_MONOTONIC_RAW)


def wait_until(holds: Callable[[], bool]) -> None:
    """Return as soon as it holds; fail if it does not come to."""
    give_up = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < give_up, "it did not come to hold"
        time.sleep(0.002)


def bound(host: str) -> socket.socket:
    """A socket for datagrams at a free port."""
    made = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
    made.bind((host, 0))
    made.settimeout(PATIENCE_S)
    return made


@contextmanager
def echoing(host: str, inside: Namespace | None = None) -> Iterator[tuple[str, int]]:
    """The address of somebody who sends back whatever comes; in another network, perhaps."""
    ours, last = (bound(host), bound(host)) if inside is None else inside.inside(lambda: (bound(host), bound(host)))
    with ours, last:
        ended = threading.Event()

        def echo() -> None:
            while True:
                data, sender = ours.recvfrom(2048)
                if ended.is_set():
                    return
                ours.sendto(data, sender)

        thread = threading.Thread(target=echo)
        thread.start()
        address = ours.getsockname()[:2]
        try:
            yield address
        finally:
            ended.set()
            last.sendto(b"", address)
            thread.join()


def round_trips_ns(client: socket.socket, address: tuple[str, int], count: int) -> list[int]:
    """Ascending; each is the shorter of what two clocks of the machine say."""
    found = []
    for number in range(count):
        sent = [time.clock_gettime_ns(clock) for clock in MEASURED_BY]
        client.sendto(number.to_bytes(64, "big"), address)
        assert client.recv(2048) == number.to_bytes(64, "big")
        found.append(min(time.clock_gettime_ns(clock) - since for clock, since in zip(MEASURED_BY, sent, strict=True)))
    return sorted(found)


def taken(receiver: socket.socket, timeout_s: float = 0.25) -> list[bytes]:
    """What comes until nothing has come for so long."""
    receiver.settimeout(timeout_s)
    found = []
    try:
        while True:
            found.append(receiver.recv(2048))
    except TimeoutError:
        return found
    finally:
        receiver.settimeout(PATIENCE_S)
