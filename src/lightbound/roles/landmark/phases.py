"""What the timed process does: many timed phases at once, over a few sockets, and nothing else.

It owns no key that signs, keeps nothing, and runs no other thread, so that nothing sits between a packet and its stamp.
What it is told comes over the channel from the control process, and what came of each phase goes back that way. It
sends nothing to anybody without a READY that only the agent of a phase can make.
"""

import contextlib
import gc
import heapq
import os
import select
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from lightbound.canonical.cbor import Value
from lightbound.net.clocks import Clocks, instant, received, sent
from lightbound.net.listening import address_text
from lightbound.net.udp import TimedSocket
from lightbound.ranging.timing.challenger import Challenger, Phase
from lightbound.ranging.timing.packets import HANDLE_BYTES, NONCE_BYTES, PACKET_BYTES
from lightbound.roles.channel import Channel
from lightbound.roles.landmark.handing import Begin, read_message, write_record, write_stats

MOST_GAP_NS: Final = 4_000_000
"""Between one round and the next, by lot: nobody knows when the next challenge comes, and 64 fit into the phase."""

BATCH: Final = 64
"""Packets taken from a socket before anything else is looked at."""

LONGEST_WAIT_S: Final = 3_600.0

_HANDLE: Final = slice(4, 4 + HANDLE_BYTES)


@dataclass(slots=True, kw_only=True, eq=False)
class _Running:
    """One phase, and what is known of it besides."""

    number: int
    challenger: Challenger
    ready_by_ns: int
    """On the first clock: without READY it ends then."""
    addresses: dict[str, tuple[TimedSocket, tuple[str, int]]] = field(default_factory=dict)
    """Where packets of this phase came from, by the text that the challenger calls them."""
    wake_ns: int = 0


@dataclass(slots=True, kw_only=True)
class Phases:
    """All phases that are running. `run` ends when the channel does."""

    channel: Channel
    sockets: Sequence[TimedSocket]
    clocks: Clocks
    is_alone: bool = True
    """In a process of its own, whose garbage collection it may stop."""
    strangers: int = 0
    """Packets that belong to no phase."""
    exchanges: int = 0
    _by_handle: dict[bytes, list[_Running]] = field(default_factory=dict)
    _by_number: dict[int, _Running] = field(default_factory=dict)
    _wakes: list[tuple[int, int, _Running]] = field(default_factory=list)
    """A heap; what a phase has since put off is passed over."""
    _count: int = 0
    _unsent: deque[Value] = field(default_factory=deque)

    def run(self) -> None:
        """Until the control process closes the channel, or has gone."""
        # What exists now stays; looking for garbage in it would hold packets up.
        if self.is_alone:
            gc.freeze()
            gc.disable()
        poll = select.epoll()
        poll.register(self.channel.fileno(), select.EPOLLIN)
        is_behind = False
        by_descriptor = {one.fileno(): one for one in self.sockets}
        for descriptor in by_descriptor:
            poll.register(descriptor, select.EPOLLIN)
        while True:
            for descriptor, events in poll.poll(self._wait_s()):
                timed = by_descriptor.get(descriptor)
                if timed is None:
                    if events & select.EPOLLOUT:
                        self._deliver()
                    if events & ~select.EPOLLOUT:
                        self._told()
                    continue
                if events & select.EPOLLERR:
                    timed.pass_over_stamps()
                self._receive(timed)
            self._wake()
            if bool(self._unsent) is not is_behind:
                is_behind = not is_behind
                poll.modify(self.channel.fileno(), select.EPOLLIN | (select.EPOLLOUT if is_behind else 0))

    def _wait_s(self) -> float:
        while self._wakes:
            wake_ns, _, running = self._wakes[0]
            if wake_ns == running.wake_ns and running.number in self._by_number:
                return max(0.0, (wake_ns - self.clocks.raw_ns()) / 1e9)
            heapq.heappop(self._wakes)
        return LONGEST_WAIT_S

    def _told(self) -> None:
        """Take one message of the control process."""
        match read_message(self.channel.receive()):
            case Begin() as begin:
                now_ns = self.clocks.raw_ns()
                running = _Running(
                    number=begin.number,
                    challenger=Challenger.begin(begin.keys, cookie=begin.cookie, errors=begin.errors),
                    ready_by_ns=now_ns + begin.ready_within_ns,
                )
                self._by_number[begin.number] = running
                self._by_handle.setdefault(begin.keys.handle, []).append(running)
                self._wake_at(running, running.ready_by_ns)
            case None:
                self._send(write_stats(self._stats()))

    def _receive(self, timed: TimedSocket) -> None:
        for _ in range(BATCH):
            got = timed.receive()
            if got is None:
                return
            data, address, stamp_ns = got
            at = received(self.clocks, stamp_ns)
            running_here = self._by_handle.get(data[_HANDLE]) if len(data) == PACKET_BYTES else None
            if running_here is None:
                self.strangers += 1
                continue
            text = address_text(*address)
            for running in running_here:
                if running.challenger.datagram_received(data, address=text, at=at):
                    running.addresses.setdefault(text, (timed, address))
                    self._go_on(running)
                    break

    def _wake(self) -> None:
        """Let every phase go on whose time has come."""
        now_ns = self.clocks.raw_ns()
        while self._wakes and self._wakes[0][0] <= now_ns:
            wake_ns, _, running = heapq.heappop(self._wakes)
            if wake_ns == running.wake_ns and running.number in self._by_number:
                self._go_on(running)

    def _go_on(self, running: _Running) -> None:
        """Send the next challenge if it is due, end the phase if it is over, and note when to come back."""
        challenger, now_ns = running.challenger, self.clocks.raw_ns()
        if challenger.may_send(now_ns=now_ns):
            self._challenge(running)
        elif challenger.is_over(now_ns=now_ns) or (challenger.phase is Phase.WAITING and now_ns >= running.ready_by_ns):
            self._end(running)
            return
        wake_ns = challenger.wake_at_ns()
        self._wake_at(running, running.ready_by_ns if wake_ns is None else wake_ns)

    def _challenge(self, running: _Running) -> None:
        challenger, clocks = running.challenger, self.clocks
        dice = os.urandom(NONCE_BYTES + 4)
        gap_ns = int.from_bytes(dice[NONCE_BYTES:]) * MOST_GAP_NS >> 32
        before = instant(clocks)
        if not challenger.may_send(now_ns=before.ns):
            # The clock was set back since it was looked at a moment ago. The challenge is due later, then.
            return
        data = challenger.challenge(nonce=dice[:NONCE_BYTES], gap_ns=gap_ns, at=before)
        timed, address = running.addresses[str(challenger.target)]
        if timed.send(data, address):
            stamp_ns = timed.stamp_of_last()
            left = sent(before, clocks.raw_ns(), clocks, stamp_ns)
            if left is not None:
                challenger.stamped(left)
        self.exchanges += 1

    def _end(self, running: _Running) -> None:
        running.challenger.end(at=instant(self.clocks))
        del self._by_number[running.number]
        handle = running.challenger.keys.handle
        left = [other for other in self._by_handle[handle] if other is not running]
        if left:
            self._by_handle[handle] = left
        else:
            del self._by_handle[handle]
        self._send(write_record(running.number, running.challenger.record()))

    def _wake_at(self, running: _Running, wake_ns: int) -> None:
        running.wake_ns = wake_ns
        self._count += 1
        heapq.heappush(self._wakes, (wake_ns, self._count, running))

    def _send(self, message: Value) -> None:
        """Say it once the control process has room. Nobody waits for room here: it may be waiting for room there."""
        self._unsent.append(message)
        self._deliver()

    def _deliver(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while self._unsent:
                self.channel.send(self._unsent[0], wait=False)
                self._unsent.popleft()

    def _stats(self) -> dict[str, int]:
        return {
            "running": len(self._by_number),
            "strangers": self.strangers,
            "exchanges": self.exchanges,
            "errors": sum(one.errors for one in self.sockets),
        }
