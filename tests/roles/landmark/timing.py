"""A landmark's timed loop over a real socket, with clocks that tests give it and an agent that answers when told.

The loop runs in a thread of the test; in the program it has a process of its own.
"""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from lightbound.net.clocks import Clocks, MachineClocks
from lightbound.net.udp import TimedSocket
from lightbound.ranging.timing.challenger import PhaseRecord
from lightbound.ranging.timing.clocks import ClockErrors
from lightbound.ranging.timing.packets import TimedKeys
from lightbound.ranging.timing.responder import Responder
from lightbound.roles.channel import Channel, ChannelClosed
from lightbound.roles.landmark.handing import Begin, read_answer, write_begin
from lightbound.roles.landmark.phases import Phases

COOKIE: Final = b"c" * 16
KEYS: Final = TimedKeys(handle=b"h" * 8, to_landmark=b"l" * 32, to_agent=b"a" * 32)


@dataclass(slots=True, kw_only=True)
class SetClocks:
    """The machine's clocks, and by how much each is off: as functions of the true time since they were made."""

    raw_off_ns: Callable[[int], int] = lambda _since_ns: 0
    real_off_ns: Callable[[int], int] = lambda _since_ns: 0
    began_raw_ns: int = field(default_factory=MachineClocks.raw_ns)
    began_real_ns: int = field(default_factory=MachineClocks.real_ns)

    def raw_ns(self) -> int:
        """CLOCK_MONOTONIC_RAW, off."""
        true_ns = MachineClocks.raw_ns()
        return true_ns + self.raw_off_ns(true_ns - self.began_raw_ns)

    def real_ns(self) -> int:
        """CLOCK_REALTIME, off."""
        return self.of_kernel(MachineClocks.real_ns())

    def of_kernel(self, stamp_ns: int) -> int:
        """What the kernel would have stamped, had the clock been off."""
        return stamp_ns + self.real_off_ns(stamp_ns - self.began_real_ns)


class LateSocket(TimedSocket):
    """A socket whose send call returns long after the packet has left."""

    __slots__ = ()

    def send(self, data: bytes, address: tuple[str, int]) -> bool:
        """Send, and dawdle."""
        taken = super().send(data, address)
        hold(3_000_000)
        return taken


def hold(ns: int) -> None:
    """Let so much true time pass, to the microsecond: this is the distance in these tests, and no wait for anything."""
    until_ns = time.monotonic_ns() + ns
    while time.monotonic_ns() < until_ns:
        pass


def timed(
    *,
    clocks: Clocks | None = None,
    held_ns: Callable[[int], int] = lambda _round: 1_000_000,
    errors: ClockErrors | None = None,
    stamping: bool = True,
    kind: type[TimedSocket] = TimedSocket,
    family: socket.AddressFamily = socket.AF_INET,
) -> PhaseRecord:
    """One phase; the agent holds each answer back by so much, by round."""
    with loop(clocks=clocks, stamping=stamping, kind=kind, family=family) as (channel, address):
        begin = Begin(number=1, keys=KEYS, cookie=COOKIE, errors=errors or ClockErrors(), ready_within_ns=5_000_000_000)
        channel.send(write_begin(begin))
        agent = threading.Thread(target=_answer, args=(address, held_ns, family), daemon=True)
        agent.start()
        said = read_answer(channel.receive())
        agent.join(timeout=10)
    assert isinstance(said, tuple)
    return said[1]


@contextmanager
def loop(
    *,
    clocks: Clocks | None = None,
    stamping: bool = True,
    kind: type[TimedSocket] = TimedSocket,
    family: socket.AddressFamily = socket.AF_INET,
) -> Iterator[tuple[Channel, tuple[str, int]]]:
    """A loop that runs, its control end, and its address."""
    bound = socket.socket(family, socket.SOCK_DGRAM)
    bound.bind(("127.0.0.1" if family == socket.AF_INET else "::1", 0))
    address: tuple[str, int] = bound.getsockname()[:2]
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    control = Channel(ours)
    phases = Phases(
        channel=Channel(theirs),
        sockets=[kind.of(bound, stamping=stamping)],
        clocks=clocks or MachineClocks(),
        is_alone=False,
    )
    thread = threading.Thread(target=_until_closed, args=(phases.run,), daemon=True)
    thread.start()
    try:
        yield control, address
    finally:
        control.close()
        thread.join(timeout=10)
        assert not thread.is_alive()
        bound.close()
        theirs.close()


def _until_closed(run: Callable[[], Any]) -> None:
    try:
        run()
    except ChannelClosed:
        return


def _answer(address: tuple[str, int], held_ns: Callable[[int], int], family: socket.AddressFamily) -> None:
    responder = Responder.begin(KEYS, cookie=COOKIE)
    with socket.socket(family, socket.SOCK_DGRAM) as own:
        own.connect(address)
        own.settimeout(0.4)
        own.send(responder.ready())
        while True:
            try:
                data = own.recv(100)
            except TimeoutError:
                return
            reply = responder.datagram_received(data)
            if reply is not None:
                hold(held_ns(len(responder.answers) - 1))
                own.send(reply)
