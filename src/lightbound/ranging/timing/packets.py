"""The timed packets: 64 bytes each way, fixed offsets, nothing to parse and nothing to amplify.

    offset  0  2  3  4            12     14      16           32        48        64
            LB version type  handle  round  zero    nonce        tag      zero

READY carries the cookie of CONTRIB where the others carry the nonce. A tag is BLAKE2s-128 (RFC 7693), keyed, over the
first 32 bytes; each direction has a key of its own, and the type is among the bytes, so that no packet can pass for
another. `docs/decisions/0009-blake2s-for-timed-tags.md` says why not HMAC.
"""

import hashlib
import hmac
import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, NamedTuple

from lightbound.canonical.cbor import encode
from lightbound.errors import ErrorCode, Malformed, malformed
from lightbound.keys.agreement import derived_key

PACKET_BYTES: Final = 64
HANDLE_BYTES: Final = 8
"""Of the session's sid, by which a landmark finds the session of a packet."""
NONCE_BYTES: Final = 16
TAG_BYTES: Final = 16

_MAGIC: Final = b"LB\x01"
_PADDING: Final = bytes(16)

_COVERED: Final = struct.Struct("!3sB8sHH16s")
_WHOLE: Final = struct.Struct("!3sB8sHH16s16s16s")
"""The picture above; a packet is read and written in one call, because it sits in the answer."""


class PacketType(IntEnum):
    """Which of the three."""

    READY = 1
    """Agent to landmark: here I am, and my network lets you in."""
    PROBE = 2
    """Landmark to agent: a challenge."""
    REPLY = 3
    """Agent to landmark: its answer."""


_TYPES: Final = {int(kind): kind for kind in PacketType}


# Not a dataclass: a frozen one takes 0.4 us longer to make, which would sit in the agent's answer: 60 m of bound.
class Packet(NamedTuple):
    """A packet taken apart; its tag has not been looked at."""

    type: PacketType
    handle: bytes
    round: int
    nonce: bytes
    tag: bytes
    covered: bytes
    """What the tag is over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedKeys:
    """The two keys of one agent and one landmark in one session, 32 bytes each, and whose packets they are for."""

    handle: bytes
    to_landmark: bytes
    to_agent: bytes


def timed_keys(shared: bytes, *, sid: bytes, landmark: bytes, bind: bytes) -> TimedKeys:
    """The keys that both ends derive from what their X25519 keys share; `bind` is the digest of BIND."""

    def derived(direction: str) -> bytes:
        return derived_key(shared, encode(["CLP/1 timed", direction, sid, landmark, bind]))

    return TimedKeys(handle=sid[:HANDLE_BYTES], to_landmark=derived("to landmark"), to_agent=derived("to agent"))


def write_packet(kind: PacketType, key: bytes, *, handle: bytes, round_number: int, nonce: bytes) -> bytes:
    """A packet, 64 bytes."""
    covered = _COVERED.pack(_MAGIC, kind, handle, round_number, 0, nonce)
    return covered + tag_of(covered, key) + _PADDING


def packet_beginning(kind: PacketType, handle: bytes) -> bytes:
    """How every packet of this type and session begins, 12 bytes."""
    return _MAGIC + bytes([kind]) + handle


def read_packet(data: bytes) -> Packet:
    """A packet taken apart.

    Raises:
        Malformed: not one of ours, down to the last byte of padding.
    """
    if len(data) != PACKET_BYTES or data[:3] != _MAGIC:
        raise _malformed("64 bytes that begin with LB and version 1", f"{len(data)}")
    _, number, handle, round_number, reserved, nonce, tag, padding = _WHOLE.unpack(data)
    kind = _TYPES.get(number)
    if kind is None:
        raise _malformed("type 1, 2 or 3", str(number))
    if reserved or padding != _PADDING:
        raise _malformed("zeros where nothing is said", "others")
    if kind is PacketType.READY and round_number:
        raise _malformed("round 0 of READY", "another")
    return Packet(kind, handle, round_number, nonce, tag, data[:32])


def tag_of(covered: bytes, key: bytes) -> bytes:
    """The tag over the first 32 bytes of a packet, 16 bytes."""
    return hashlib.blake2s(covered, key=key, digest_size=TAG_BYTES).digest()


def is_genuine(packet: Packet, key: bytes) -> bool:
    """Whether somebody made this packet who has the key."""
    return hmac.compare_digest(packet.tag, tag_of(packet.covered, key))


def _malformed(expected: str, found: str) -> Malformed:
    return malformed(ErrorCode.PACKET_MALFORMED, expected, found, "packet")
