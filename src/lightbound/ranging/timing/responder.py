"""An agent's end of the timed phase: answers challenges of one landmark, and remembers which.

It answers what that landmark asked under the key of this session, and nothing else; whoever lacks the key cannot use
it to answer for them.
"""

from dataclasses import dataclass
from typing import Final

from lightbound.errors import Malformed
from lightbound.ranging.statements.closing import MOST_ROUNDS, Answer
from lightbound.ranging.timing.packets import PacketType, TimedKeys, is_genuine, read_packet, write_packet

READY_AGAIN_NS: Final = 300_000_000
"""READY is sent again whenever so long has passed without a challenge, until CLOSE comes or SESSION expires: before its
first answer has arrived, a landmark sends one challenge for each READY."""

MOST_REPLIES: Final = 4
"""A challenge that arrives again is answered again, so often."""


@dataclass(slots=True, kw_only=True)
class Responder:
    """The state of one timed phase, as the agent sees it. Mutable, for a packet must cost microseconds."""

    keys: TimedKeys
    cookie: bytes
    answers: dict[int, Answer]
    """The rounds answered, by number."""
    ignored: int = 0
    _replies: dict[int, int]

    @classmethod
    def begin(cls, keys: TimedKeys, *, cookie: bytes) -> "Responder":
        """A phase in which nothing has been asked yet."""
        return cls(keys=keys, cookie=cookie, answers={}, _replies={})

    def ready(self) -> bytes:
        """The packet that opens the way through the agent's network; sent again after `READY_AGAIN_NS`."""
        return write_packet(
            PacketType.READY, self.keys.to_landmark, handle=self.keys.handle, round_number=0, nonce=self.cookie
        )

    def datagram_received(self, data: bytes) -> bytes | None:
        """The reply to a packet, to be sent back at once; None if it is no challenge of this landmark."""
        try:
            packet = read_packet(data)
        except Malformed:
            self.ignored += 1
            return None
        expected = packet.type is PacketType.PROBE and packet.round < MOST_ROUNDS
        if not expected or packet.handle != self.keys.handle or not is_genuine(packet, self.keys.to_agent):
            self.ignored += 1
            return None
        before = self.answers.get(packet.round)
        times = self._replies.get(packet.round, 0)
        if times >= MOST_REPLIES or (before is not None and before.nonce != packet.nonce):
            self.ignored += 1
            return None
        reply = write_packet(
            PacketType.REPLY,
            self.keys.to_landmark,
            handle=self.keys.handle,
            round_number=packet.round,
            nonce=packet.nonce,
        )
        self.answers[packet.round] = Answer(round=packet.round, nonce=packet.nonce, tag=reply[32:48])
        self._replies[packet.round] = times + 1
        return reply
