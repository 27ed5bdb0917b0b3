"""Distance between programs of one machine: a relay that hands on what it gets, and never too early.

Whoever is to be far away is told the address of a *leg* in place of the real one. What comes there goes on to the
target after half the leg's round trip, and what the target answers comes back after the other half. No rights are
needed: on Linux every 127.x.y.z is an address already.

The timed packets have a process of their own, which does nothing else; streams have another.
"""

import dataclasses
import socket
import threading
from typing import Any, Final, Self, Unpack

from lightbound.demo.conditions import Changes, Conditions, Counts
from lightbound.demo.orders import Child

Address = tuple[str, int]
"""Host, as an IP address, and port."""

WAITING: Final = 128
"""Connections that may wait to be taken."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """One way through the relay: what comes to `listen` goes to `target`."""

    number: int
    listen: Address
    target: Address
    source: str | None
    """The address that the target sees, so that it can tell legs apart; with ports of its own for each client."""


class Relay:
    """Legs, and what they are like now. Threads may share it; it ends with the process that made it."""

    def __init__(self, *, seed: int = 1) -> None:
        """Start the two processes. The dice of each leg come from `seed` and its number."""
        self._seed = seed
        self._lock = threading.Lock()
        self._conditions: dict[int, Conditions] = {}
        self._datagrams = Child("lightbound.demo.relay_datagrams")
        try:
            self._streams = Child("lightbound.demo.relay_streams")
        except BaseException:
            self._datagrams.close()
            raise

    @property
    def pids(self) -> tuple[int, int]:
        """Of its processes."""
        return self._datagrams.pid, self._streams.pid

    def add(self, *, listen: Address, target: Address, source: str | None = None, **conditions: Unpack[Changes]) -> Leg:
        """A leg that carries from now on. Port 0 is any free one, the same for datagrams and streams.

        The target sees the address that the leg listens at, or `source`.

        Raises:
            OSError: the address is not of this machine, or in use.
            Unavailable: a process of the relay is gone.
        """
        is_six = ":" in target[0]
        if source is None and (":" in listen[0]) == is_six:
            source = listen[0]
        now = Conditions(**conditions)
        with self._lock:
            datagrams, streams = _listening(listen)
            with datagrams, streams:
                bound = datagrams.getsockname()
                leg = Leg(number=len(self._conditions), listen=(bound[0], bound[1]), target=target, source=source)
                order = {
                    "do": "add",
                    "leg": leg.number,
                    "target": target,
                    "source": source,
                    "conditions": now.as_json(),
                    "seed": self._seed,
                }
                self._conditions[leg.number] = now
                self._datagrams.order(order, (datagrams.fileno(),))
                self._streams.order(order, (streams.fileno(),))
        return leg

    def change(self, leg: Leg, **changes: Unpack[Changes]) -> None:
        """What comes to the leg after this goes by the new conditions; what is under way by the old ones."""
        with self._lock:
            now = dataclasses.replace(self._conditions[leg.number], **changes)
            self._conditions[leg.number] = now
            order = {"do": "change", "leg": leg.number, "conditions": now.as_json()}
            self._datagrams.order(order)
            self._streams.order(order)

    def conditions(self, leg: Leg) -> Conditions:
        """What the leg is like now."""
        with self._lock:
            return self._conditions[leg.number]

    def counts(self, leg: Leg) -> Counts:
        """What has happened on the leg so far."""
        order: dict[str, Any] = {"do": "count", "leg": leg.number}
        return Counts(**self._datagrams.order(order)) + Counts(**self._streams.order(order))

    def close(self) -> None:
        """End both processes, and with them every leg. Closing again does nothing."""
        try:
            self._datagrams.close()
        finally:
            self._streams.close()

    def __enter__(self) -> Self:
        """It runs already."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it, however the block ended."""
        self.close()


def _listening(address: Address) -> tuple[socket.socket, socket.socket]:
    """A socket for datagrams and one for streams, at one address and port."""
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    datagrams = socket.socket(family, socket.SOCK_DGRAM)
    try:
        datagrams.bind(address)
        streams = socket.socket(family, socket.SOCK_STREAM)
        try:
            # What is left of an earlier run's connections must not keep this one from its port.
            streams.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            streams.bind(datagrams.getsockname())
            streams.listen(WAITING)
        except BaseException:
            streams.close()
            raise
    except BaseException:
        datagrams.close()
        raise
    return datagrams, streams
