"""A landmark's end of the timed phase: when to challenge, which answers count, and how long they took.

No socket, clock or dice in here. Whoever owns those asks `wake_at_ns` when to come back, draws a nonce from the
operating system just before sending, reads the clocks before it sends and after it has received, and tells. Every rule
of the timer that can be checked without a socket is checked here.
"""

import hmac
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final, NamedTuple

from lightbound.errors import ErrorCode, Malformed, refused
from lightbound.ranging.statements.closing import MOST_ROUNDS, Answer
from lightbound.ranging.statements.measurement import ORDER
from lightbound.ranging.timing.clocks import ClockErrors, Instant
from lightbound.ranging.timing.packets import NONCE_BYTES, PacketType, TimedKeys, is_genuine, read_packet, write_packet

EARLY_ROUNDS: Final = 16
FAR_NS: Final = 50_000_000
"""After so many rounds the phase may end if the third smallest round trip is longer than this: more rounds would cost
seconds and gain metres, at a distance of thousands of kilometres."""

LONGEST_WAIT_NS: Final = 500_000_000
"""A round without an answer is given up after this, or sooner once it is known how quick answers are."""

PATIENCE_NS: Final = 20_000_000
"""How much later than twice the third smallest so far an answer may come. What comes later is lost; it would not
have been among the smallest."""

MOST_SILENT: Final = 16
"""So many rounds in a row without an answer end the phase: with 20 % loss each way 1 session in 400,000."""

MOST_WAITING: Final = 4
"""Addresses that wait for their first challenge at one time: the agent's, and those of who copies its READY."""

LONGEST_PHASE_NS: Final = 30_000_000_000
"""The phase ends after this, whatever has been answered or is still awaited."""


class Phase(Enum):
    """Where the timed phase stands."""

    WAITING = auto()
    """No READY yet."""
    RUNNING = auto()
    ENDED = auto()


class Round(NamedTuple):
    """One valid round."""

    answer: Answer
    round_trip_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseRecord:
    """A phase that has ended, as it goes from the process that timed it to the one that signs."""

    sent: int
    dropped: int
    ignored: int
    address: str | None
    rounds: tuple[Round, ...]
    """The valid ones, in the order of their numbers."""
    began: Instant | None
    ended: Instant


class ThirdSmallest(NamedTuple):
    """The third smallest round trip, and by how much it can have been measured too small; the bound is their sum."""

    round_trip_ns: int
    clock_error_ns: int


@dataclass(slots=True, kw_only=True)
class Challenger:
    """The state of one timed phase. Mutable, for a packet must cost microseconds; owned by one caller."""

    keys: TimedKeys
    cookie: bytes
    errors: ClockErrors
    rounds: int = MOST_ROUNDS
    phase: Phase = Phase.WAITING
    address: str | None = None
    """Where the first answer came from, which keeps the session from then on; None before it."""
    target: str | None = None
    """Where the newest challenge went. An answer from anywhere else is not ours."""
    sent: int = 0
    dropped: int = 0
    """Rounds answered on which the clocks disagreed."""
    ignored: int = 0
    """Packets that were not ours, late, or doubled."""
    valid: list[Round]
    _smallest: list[int]
    _began: Instant | None = None
    _ended: Instant | None = None
    _nonce: bytes | None = None
    """Of the challenge that is outstanding; each is used once."""
    _sent_at: Instant | None = None
    _ends_ns: int = 0
    """When the phase ends at the latest: so long after the first challenge, or READY while there is none."""
    _overdue_ns: int = 0
    """When the outstanding challenge is given up."""
    _next_ns: int = 0
    _gap_ns: int = 0
    _waiting: list[str]
    """Addresses that sent READY, and have not been challenged since. Before an answer has shown which of them is the
    agent's, each gets one challenge for each READY, in turn: nobody gets more bytes than were sent for, and a copy of
    READY from elsewhere does not keep the agent out."""
    _silent: int = 0

    @classmethod
    def begin(cls, keys: TimedKeys, *, cookie: bytes, errors: ClockErrors, rounds: int = MOST_ROUNDS) -> "Challenger":
        """A phase that waits for READY."""
        return cls(keys=keys, cookie=cookie, errors=errors, rounds=rounds, valid=[], _smallest=[], _waiting=[])

    @property
    def began(self) -> Instant | None:
        """When the first challenge was sent."""
        return self._began

    @property
    def ended(self) -> Instant | None:
        """When the phase ended."""
        return self._ended

    def datagram_received(self, data: bytes, *, address: str, at: Instant) -> bool:
        """Take one packet in; whether it was of use. `at` is read after it arrived. Never raises for what arrives."""
        try:
            packet = read_packet(data)
        except Malformed:
            self.ignored += 1
            return False
        if packet.handle != self.keys.handle or not is_genuine(packet, self.keys.to_landmark):
            self.ignored += 1
            return False
        if packet.type is PacketType.READY:
            return self._ready(packet.nonce, address, at)
        outstanding, sent_at = self._nonce, self._sent_at
        if (
            packet.type is PacketType.REPLY
            and outstanding is not None
            and sent_at is not None
            and address == self.target
            and packet.round == self.sent - 1
            and hmac.compare_digest(packet.nonce, outstanding)
            # Late by its stamp, not by when somebody looked. On clocks that disagree nothing is late, but dropped.
            and (at.ns < self._overdue_ns or not self.errors.agree_on_round(sent_at, at))
        ):
            self.address = address
            self._answered(Answer(round=packet.round, nonce=packet.nonce, tag=packet.tag), sent_at, at)
            return True
        self.ignored += 1
        return False

    def wake_at_ns(self) -> int | None:
        """When to come back, on the first clock, if nothing arrives; None if only a packet can change anything."""
        if self.phase is not Phase.RUNNING:
            return None
        if self._nonce is not None:
            return self._overdue_ns
        return min(self._next_ns, self._ends_ns) if self._has_target() else self._ends_ns

    def may_send(self, *, now_ns: int) -> bool:
        """Give up on what is overdue, and say whether a challenge is to be sent now."""
        if self.phase is not Phase.RUNNING:
            return False
        if self._nonce is not None:
            if now_ns < self._overdue_ns:
                return False
            self._nonce = None
            self._silent += 1
            self._next_ns = now_ns + self._gap_ns
        if now_ns < self._next_ns or not self._has_target():
            return False
        return not self._is_enough() and now_ns < self._ends_ns

    def is_over(self, *, now_ns: int) -> bool:
        """Whether nothing more will be measured, and `end` is to be called."""
        if self.phase is not Phase.RUNNING:
            return self.phase is Phase.ENDED
        return self._nonce is None and (self._is_enough() or now_ns >= self._ends_ns)

    def challenge(self, *, nonce: bytes, gap_ns: int, at: Instant) -> bytes:
        """The next challenge, to be sent at once to `target`.

        `at` is read before the send call. `nonce` are 16 bytes fresh from the operating system, `gap_ns` is how long to
        wait after the round before the next; nobody else knows either beforehand.

        Raises:
            Refused: no challenge is due.
        """
        if not self.may_send(now_ns=at.ns) or len(nonce) != NONCE_BYTES:
            raise refused(ErrorCode.OUT_OF_ORDER, "a challenge when one is due", "one before", "challenger")
        number = self.sent
        self.sent += 1
        self.target = self._waiting.pop(0) if self.address is None else self.address
        if self._began is None:
            self._began, self._ends_ns = at, at.ns + LONGEST_PHASE_NS
        self._nonce, self._sent_at, self._gap_ns = nonce, at, gap_ns
        self._overdue_ns = min(at.ns + self._wait_ns(), self._ends_ns)
        return write_packet(
            PacketType.PROBE, self.keys.to_agent, handle=self.keys.handle, round_number=number, nonce=nonce
        )

    def stamped(self, at: Instant) -> None:
        """The challenge that is outstanding left no earlier than at this moment, as the kernel says.

        Never earlier than what `challenge` was told, which was read before the send call: such a stamp is passed over.
        """
        if self._nonce is not None and self._sent_at is not None and at.ns >= self._sent_at.ns:
            self._sent_at = at

    def end(self, *, at: Instant) -> None:
        """End the phase now, whatever has been answered."""
        if self.phase is not Phase.ENDED:
            self.phase, self._ended, self._nonce = Phase.ENDED, at, None

    def record(self) -> PhaseRecord:
        """What has come of the phase.

        Raises:
            Refused: it has not ended.
        """
        if self._ended is None:
            raise refused(ErrorCode.OUT_OF_ORDER, "a phase that ended", "one that did not", "challenger")
        return PhaseRecord(
            sent=self.sent,
            dropped=self.dropped,
            ignored=self.ignored,
            address=self.address,
            rounds=tuple(self.valid),
            began=self._began,
            ended=self._ended,
        )

    def take_over(self, record: PhaseRecord) -> None:
        """Be the phase that another process ran to its end. Whoever owns both sees to it that it is this phase.

        Raises:
            Refused: this one has begun itself.
        """
        if self.phase is not Phase.WAITING:
            raise refused(ErrorCode.OUT_OF_ORDER, "a phase that has not begun", "one that has", "challenger")
        self.phase = Phase.ENDED
        self.sent, self.dropped, self.ignored = record.sent, record.dropped, record.ignored
        self.address, self.valid = record.address, list(record.rounds)
        self._smallest = sorted(one.round_trip_ns for one in record.rounds)[:ORDER]
        self._began, self._ended = record.began, record.ended

    @property
    def clocks_agree(self) -> bool:
        """Whether the clock outside the machine tells the same duration of the phase; False while it has not ended."""
        return (
            self._began is not None
            and self._ended is not None
            and self.errors.agree_on_session(self._began, self._ended)
        )

    def third_smallest(self) -> ThirdSmallest:
        """What the bound follows from.

        Raises:
            Refused: not ended, fewer than three answers, or the clock outside the machine tells another duration.
        """
        if self.phase is not Phase.ENDED:
            raise refused(ErrorCode.OUT_OF_ORDER, "a phase that ended", "one that did not", "challenger")
        if len(self.valid) < ORDER:
            raise refused(ErrorCode.TOO_FEW_ANSWERS, f"{ORDER} answers", f"{len(self.valid)}", "challenger")
        if not self.clocks_agree:
            expected = f"clocks that agree within {self.errors.session_ns} ns over a session"
            raise refused(ErrorCode.CLOCK_DISAGREES, expected, "others", "challenger")
        third_ns = self._smallest[ORDER - 1]
        return ThirdSmallest(round_trip_ns=third_ns, clock_error_ns=self.errors.of_round_ns(third_ns))

    def _ready(self, cookie: bytes, address: str, at: Instant) -> bool:
        is_full = len(self._waiting) >= MOST_WAITING or address in self._waiting
        if (
            self.phase is Phase.ENDED
            or self.address is not None
            or is_full
            or not hmac.compare_digest(cookie, self.cookie)
        ):
            self.ignored += 1
            return False
        if self.phase is Phase.WAITING:
            self.phase, self._next_ns, self._ends_ns = Phase.RUNNING, at.ns, at.ns + LONGEST_PHASE_NS
        self._waiting.append(address)
        return True

    def _answered(self, answer: Answer, sent: Instant, at: Instant) -> None:
        self._nonce, self._silent = None, 0
        self._next_ns = at.ns + self._gap_ns
        if not self.errors.agree_on_round(sent, at):
            self.dropped += 1
            return
        round_trip_ns = at.ns - sent.ns
        self.valid.append(Round(answer=answer, round_trip_ns=round_trip_ns))
        smallest = self._smallest
        if len(smallest) < ORDER or round_trip_ns < smallest[-1]:
            smallest.append(round_trip_ns)
            smallest.sort()
            del smallest[ORDER:]

    def _has_target(self) -> bool:
        return self.address is not None or bool(self._waiting)

    def _is_enough(self) -> bool:
        far = self.sent == EARLY_ROUNDS and len(self._smallest) == ORDER and self._smallest[-1] > FAR_NS
        return far or self.sent >= self.rounds or self._silent >= MOST_SILENT

    def _wait_ns(self) -> int:
        if len(self._smallest) < ORDER:
            return LONGEST_WAIT_NS
        return min(LONGEST_WAIT_NS, 2 * self._smallest[-1] + PATIENCE_NS)
