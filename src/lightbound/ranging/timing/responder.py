"""An agent's end of the timed phase: answers challenges of one landmark, and remembers which.

It answers what that landmark asked under the key of this session, and nothing else; whoever lacks the key cannot use
it to answer for them.
"""

import hashlib
import hmac
from dataclasses import dataclass, field
from typing import Final

from lightbound.ranging.statements.closing import MOST_ROUNDS, Answer
from lightbound.ranging.timing.packets import (
    PACKET_BYTES,
    TAG_BYTES,
    PacketType,
    TimedKeys,
    packet_beginning,
    write_packet,
)

READY_AGAIN_NS: Final = 300_000_000
"""READY is sent again whenever so long has passed without a challenge, until CLOSE comes or SESSION expires: before its
first answer has arrived, a landmark sends one challenge for each READY."""

MOST_REPLIES: Final = 4
"""A challenge that arrives again is answered again, so often."""

_ZEROS: Final = bytes(16)


@dataclass(slots=True, kw_only=True)
class Responder:
    """The state of one timed phase, as the agent sees it. Mutable, for a packet must cost microseconds."""

    keys: TimedKeys
    cookie: bytes
    answers: dict[int, Answer]
    """The rounds answered, by number."""
    ignored: int = 0
    _replies: dict[int, int]
    # Everything about an answer that is known before its challenge comes is made before: 1.2 us, or 180 m of bound.
    _probe: bytes = field(init=False, repr=False)
    """How every challenge of this session begins."""
    _reply: bytes = field(init=False, repr=False)
    _of_landmark: "hashlib.blake2s" = field(init=False, repr=False)
    """A tag of the landmark's to which nothing was added but the key."""
    _of_agent: "hashlib.blake2s" = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Make what can be made before a challenge comes."""
        self._probe = packet_beginning(PacketType.PROBE, self.keys.handle)
        self._reply = packet_beginning(PacketType.REPLY, self.keys.handle)
        self._of_landmark = hashlib.blake2s(key=self.keys.to_agent, digest_size=TAG_BYTES)
        self._of_agent = hashlib.blake2s(key=self.keys.to_landmark, digest_size=TAG_BYTES)

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
        """The reply to a packet, to be sent back at once; None if it is no challenge of this landmark.

        The same as by `read_packet`, `is_genuine` and `write_packet`, to which a test holds it, in half the time:
        handle, round and nonce of a reply are the bytes of its challenge.
        """
        if len(data) != PACKET_BYTES or data[:12] != self._probe or data[14:16] != _ZEROS[:2] or data[48:] != _ZEROS:
            self.ignored += 1
            return None
        number, nonce = int.from_bytes(data[12:14]), data[16:32]
        expected = self._of_landmark.copy()
        expected.update(data[:32])
        if number >= MOST_ROUNDS or not hmac.compare_digest(expected.digest(), data[32:48]):
            self.ignored += 1
            return None
        before = self.answers.get(number)
        if before is not None and (before.nonce != nonce or self._replies[number] >= MOST_REPLIES):
            self.ignored += 1
            return None
        covered = self._reply + data[12:32]
        made = self._of_agent.copy()
        made.update(covered)
        tag = made.digest()
        self.answers[number] = Answer(number, nonce, tag)
        self._replies[number] = self._replies.get(number, 0) + 1
        return covered + tag + _ZEROS
