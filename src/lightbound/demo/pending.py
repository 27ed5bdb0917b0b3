"""Packets under way, in the order in which they are due, and how long to wait for the next.

Nothing comes out early: a packet is due when both clocks of the machine, the one that is kept in step with the world
and the raw one, say that its time has passed. So whoever measures by either of them finds no way too short.
"""

import heapq
import select
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final, Generic, TypeVar

BILLION: Final = 1_000_000_000

IDLE_S: Final = 0.5
"""How often an idle process looks whether its parent still lives."""

AWAKE_NS: Final = 150_000
"""How long before a packet is due a process stays awake for it: to be woken takes an idle machine about so long."""

Packet = TypeVar("Packet")


def raw_ns() -> int:
    """The clock that nobody steers."""
    return time.clock_gettime_ns(time.CLOCK_MONOTONIC_RAW)


@dataclass(slots=True)
class Pending(Generic[Packet]):
    """A heap of (due, number, due by the raw clock, packet)."""

    heap: list[tuple[int, int, int, Packet]] = field(default_factory=list)
    number: int = 0

    def put(self, takes_ns: int, packet: Packet) -> None:
        """From now on, so long. The packet must have been received before."""
        self.number += 1
        heapq.heappush(self.heap, (time.monotonic_ns() + takes_ns, self.number, raw_ns() + takes_ns, packet))

    def due(self) -> Iterator[Packet]:
        """Those whose time has passed, each once; of one time, those first that were put first."""
        while self.heap and self.wait_ns() <= 0:
            yield heapq.heappop(self.heap)[3]

    def wait_ns(self) -> int:
        """How long until the next is due."""
        if not self.heap:
            return int(IDLE_S * BILLION)
        due_ns, _, due_raw_ns, _ = self.heap[0]
        return max(due_ns - time.monotonic_ns(), due_raw_ns - raw_ns())


class Readable:
    """Who is called when something can be read.

    epoll counts milliseconds. So the wait is a select, which counts microseconds, on the epoll file alone: it can be
    read when any other can.
    """

    def __init__(self) -> None:
        """Nothing is watched yet."""
        self._epoll = select.epoll()
        self._called: dict[int, Callable[[], None]] = {}

    def watch(self, file: Any, called: Callable[[], None]) -> None:
        """From now on, call this when the file or socket can be read."""
        self._called[file.fileno()] = called
        self._epoll.register(file, select.EPOLLIN)

    def forget(self, file: Any) -> None:
        """Before it is closed."""
        del self._called[file.fileno()]
        self._epoll.unregister(file)

    def wait(self, wait_ns: int) -> None:
        """At most so long, and call whoever is to be called."""
        if wait_ns > AWAKE_NS:
            select.select([self._epoll], [], [], min((wait_ns - AWAKE_NS) / BILLION, IDLE_S))
        for number, _ in self._epoll.poll(0):
            called = self._called.get(number)
            if called is not None:
                called()
