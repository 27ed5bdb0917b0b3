"""The timed phase of one agent and one landmark, packet by packet, in virtual time.

The two ends are the real ones. Between them packets are late, lost, doubled, changed or sent again, and the agent's
end may be a cheat. Time passes only from one event to the next.
"""

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from lightbound.ranging.timing.challenger import LONGEST_PHASE_NS, Challenger
from lightbound.ranging.timing.clocks import Instant
from lightbound.ranging.timing.responder import READY_AGAIN_NS
from lightbound.sim.clocks import Clocks
from lightbound.sim.dice import Dice
from lightbound.sim.trace import Trace

MOST_READY: Final = 40

MOST_GAP_NS: Final = 4_000_000
"""Between one round and the next, by lot."""

AGENT: Final = "agent"
"""The address that the agent's packets come from; any other is somebody else's."""

PACKET_NAMES: Final = {1: "READY", 2: "PROBE", 3: "REPLY"}

Answers = Callable[[bytes, int], list[tuple[int, bytes]]]
"""What an agent sends when a packet arrives at an instant: how much later, and what."""

Tampering = Callable[[bytes, bool], list[tuple[str, bytes]]]
"""What a network makes of a packet, to the landmark or away from it: from which address, and which bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wire:
    """The path between the two ends in one session."""

    floor_ns: int
    """Least round trip."""
    jitter_ns: float
    loss: float
    duplicate: float
    tamper: Tampering | None = None


def timed_phase(
    challenger: Challenger,
    *,
    ready: Callable[[], bytes],
    answers: Answers,
    wire: Wire,
    clocks: Clocks,
    from_ns: int,
    dice: Dice,
    trace: Trace,
    landmark: str,
) -> int:
    """Run the phase to its end, and say when that was. The challenger has then ended, with answers or without."""
    phase = _Phase(
        challenger=challenger,
        ready=ready,
        answers=answers,
        wire=wire,
        clocks=clocks,
        dice=dice,
        trace=trace,
        landmark=landmark,
        now_ns=from_ns,
        ready_at_ns=from_ns,
        give_up_ns=from_ns + 2 * LONGEST_PHASE_NS,
        wake_ns=from_ns + 2 * LONGEST_PHASE_NS,
        are_clocks_right=clocks.are_right,
    )
    while phase.step():
        pass
    return phase.now_ns


@dataclass(slots=True, kw_only=True)
class _Phase:
    """What is in flight, and whose turn it is."""

    challenger: Challenger
    ready: Callable[[], bytes]
    answers: Answers
    wire: Wire
    clocks: Clocks
    dice: Dice
    trace: Trace
    landmark: str
    now_ns: int
    ready_at_ns: int
    give_up_ns: int
    wake_ns: int
    """When the landmark has something to do if no packet arrives before."""
    are_clocks_right: bool
    """Looked up once: most clocks are, and then there is nothing to reckon."""
    ready_sent: int = 0
    flying: list[tuple[int, int, bool, str, bytes]] = field(default_factory=list)
    """(arrives, number, to the landmark, from which address, what), a heap."""
    count: int = 0
    late: list[int] = field(default_factory=list)
    luck: list[float] = field(default_factory=list)
    nonces: bytes = b""
    """Throws, made many at a time."""

    def step(self) -> bool:
        """Go to whatever happens next, and let it happen; False when the phase has ended."""
        flying, due_ns = self.flying, min(self.wake_ns, self.ready_at_ns)
        if flying and flying[0][0] <= due_ns:
            arrives_ns, _, to_landmark, address, data = heapq.heappop(flying)
            self.now_ns = max(self.now_ns, arrives_ns)
            if not to_landmark:
                self._at_agent(data)
                return True
            at = self._read_clocks()
            used = self.challenger.datagram_received(data, address=address, at=at)
            if self.trace.is_on:
                self.trace.note(self.now_ns, address, self.landmark, _name(data), "taken" if used else "ignored")
            return self._at_landmark(at)
        self.now_ns = max(self.now_ns, due_ns)
        if self.ready_at_ns <= self.now_ns:
            self._say_ready()
            return True
        return self._at_landmark(self._read_clocks())

    def _read_clocks(self) -> Instant:
        """The clocks of the landmark. A machine that stands still sees whatever has come when it runs again."""
        if self.are_clocks_right:
            return Instant(self.now_ns, self.now_ns, self.now_ns)
        self.now_ns = self.clocks.runs_again_ns(self.now_ns)
        return self.clocks.instant(self.now_ns)

    def _at_landmark(self, at: Instant) -> bool:
        """Let the landmark do what is due now, and note when it is to be woken; False when it is done."""
        challenger = self.challenger
        if challenger.may_send(now_ns=at.ns):
            # The clocks were read before the packet leaves.
            gap_ns = int(self._luck() * MOST_GAP_NS)
            challenge = challenger.challenge(nonce=self._nonce(), gap_ns=gap_ns, at=at)
            if challenger.target == AGENT:
                self._send(challenge, to_landmark=False)
            else:
                self.trace.note(self.now_ns, self.landmark, str(challenger.target), _name(challenge), "went elsewhere")
        elif challenger.is_over(now_ns=at.ns) or self.now_ns >= self.give_up_ns:
            challenger.end(at=at)
            return False
        wake_ns = challenger.wake_at_ns()
        self.wake_ns = self.give_up_ns
        if wake_ns is not None:
            self.wake_ns = min(self.wake_ns, self.now_ns + self.clocks.lasts_ns(wake_ns - at.ns))
        return True

    def _at_agent(self, data: bytes) -> None:
        replies = self.answers(data, self.now_ns)
        if replies:
            # What is no challenge does not keep the agent from saying READY again.
            self.ready_at_ns = self.now_ns + READY_AGAIN_NS
        if self.trace.is_on:
            outcome = "answered" if replies else "ignored"
            self.trace.note(self.now_ns, self.landmark, AGENT, _name(data), outcome)
        for later_ns, reply in replies:
            self._send(reply, to_landmark=True, later_ns=later_ns)

    def _say_ready(self) -> None:
        self.ready_sent += 1
        # After the last one, never again: the landmark gives up before that.
        self.ready_at_ns = self.now_ns + READY_AGAIN_NS if self.ready_sent < MOST_READY else self.give_up_ns + 1
        self._send(self.ready(), to_landmark=True)

    def _send(self, data: bytes, *, to_landmark: bool, later_ns: int = 0) -> None:
        wire = self.wire
        if wire.tamper is None and not wire.duplicate and not wire.loss:
            takes_ns = later_ns + (wire.floor_ns + 1 if to_landmark else wire.floor_ns) // 2 + self._late_ns()
            self.count += 1
            heapq.heappush(self.flying, (self.now_ns + takes_ns, self.count, to_landmark, AGENT, data))
            return
        copies = [(AGENT, data)] if wire.tamper is None else wire.tamper(data, to_landmark)
        if wire.duplicate and self._luck() < wire.duplicate:
            copies = [*copies, *copies]
        takes_ns = later_ns + (wire.floor_ns + 1 if to_landmark else wire.floor_ns) // 2
        for address, copy in copies:
            if wire.loss and self._luck() < wire.loss:
                ends = (address, self.landmark) if to_landmark else (self.landmark, address)
                self.trace.note(self.now_ns, *ends, _name(copy), "lost")
                continue
            self.count += 1
            arrives_ns = self.now_ns + takes_ns + self._late_ns()
            heapq.heappush(self.flying, (arrives_ns, self.count, to_landmark, address, copy))

    def _late_ns(self) -> int:
        if not self.late:
            late_ns = self.dice.standard_exponential(160) * self.wire.jitter_ns
            self.late = late_ns.astype(np.int64).tolist()
        return self.late.pop()

    def _nonce(self) -> bytes:
        if not self.nonces:
            self.nonces = self.dice.bytes(16 * 64)
        nonce, self.nonces = self.nonces[:16], self.nonces[16:]
        return nonce

    def _luck(self) -> float:
        if not self.luck:
            self.luck = self.dice.random(160).tolist()
        return self.luck.pop()


def _name(data: bytes) -> str:
    name = PACKET_NAMES.get(data[3], "garbage") if len(data) >= 16 else "garbage"
    return f"{name} {int.from_bytes(data[12:14], 'big')}" if name in {"PROBE", "REPLY"} else name
