"""CLOSE and ACK: the landmark says which answers it took, and the agent that it gave exactly those.

Neither says how long they took: the agent cannot vouch for that. What ACK shows is that the landmark did not make the
answers up.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from lightbound.canonical.cbor import Value, encode
from lightbound.canonical.fields import Fields, integer
from lightbound.errors import ErrorCode, malformed
from lightbound.keys.ed25519 import SigningKey, VerifyingKey
from lightbound.ranging.statements.kinds import LANDMARK_ID_BYTES, Kind, believed, signed

MOST_ROUNDS: Final = 64


# Not a dataclass: a frozen one takes 0.3 us longer to make, and the agent makes one before its answer leaves.
class Answer(NamedTuple):
    """One round as both ends saw it."""

    round: int
    nonce: bytes
    tag: bytes
    """Of the reply."""


def transcript(sid: bytes, landmark: bytes, bind: bytes, answers: Sequence[Answer]) -> bytes:
    """The 32 bytes that stand for the answers taken, in the order of their rounds; `bind` is the digest of BIND."""
    taken: list[Value] = [[answer.round, answer.nonce, answer.tag] for answer in answers]
    return hashlib.sha256(encode(["CLP/1 transcript", sid, landmark, bind, taken])).digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Close:
    """The timed phase is over."""

    sid: bytes
    landmark: bytes
    bind: bytes
    rounds_sent: int
    accepted: tuple[int, ...]
    """Rounds whose answers were taken."""
    transcript: bytes
    random: bytes
    """Fresh, and not known to anybody before: what is bound to it was made afterwards."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ack:
    """The session key gave these answers."""

    sid: bytes
    landmark: bytes
    close: bytes
    """Digest of CLOSE."""
    transcript: bytes
    answered: int
    """Rounds that the agent answered, taken or not."""


def write_close(close: Close, key: SigningKey) -> bytes:
    """The statement CLOSE, signed by the landmark."""
    payload: dict[str, Value] = {
        "sid": close.sid,
        "landmark": close.landmark,
        "bind": close.bind,
        "rounds_sent": close.rounds_sent,
        "accepted": list(close.accepted),
        "transcript": close.transcript,
        "random": close.random,
    }
    return signed(Kind.CLOSE, encode(payload), key)


def read_close(data: bytes, landmark: VerifyingKey) -> Close:
    """Which answers a landmark took, checked against its key.

    Raises:
        Malformed, Refused: not such a statement, or not by this key.
    """
    fields = Fields.of(believed(data, Kind.CLOSE, landmark), Kind.CLOSE.short)
    read = Close(
        sid=fields.octets("sid", 16),
        landmark=fields.octets("landmark", LANDMARK_ID_BYTES),
        bind=fields.octets("bind", 32),
        rounds_sent=fields.integer("rounds_sent", most=MOST_ROUNDS),
        accepted=fields.ascending("accepted", integer(0, MOST_ROUNDS - 1), most=MOST_ROUNDS),
        transcript=fields.octets("transcript", 32),
        random=fields.octets("random", 32),
    )
    fields.end()
    if read.accepted and read.accepted[-1] >= read.rounds_sent:
        path = f"{fields.path}.accepted"
        raise malformed(ErrorCode.STATEMENT_MALFORMED, "rounds that were sent", f"round {read.accepted[-1]}", path)
    return read


def write_ack(ack: Ack, key: SigningKey) -> bytes:
    """The statement ACK, signed by the session key."""
    payload: dict[str, Value] = {
        "sid": ack.sid,
        "landmark": ack.landmark,
        "close": ack.close,
        "transcript": ack.transcript,
        "answered": ack.answered,
    }
    return signed(Kind.ACK, encode(payload), key)


def read_ack(data: bytes, session: VerifyingKey) -> Ack:
    """Which answers an agent vouches for, checked against its session key.

    Raises:
        Malformed, Refused: not such a statement, or not by this key.
    """
    fields = Fields.of(believed(data, Kind.ACK, session), Kind.ACK.short)
    read = Ack(
        sid=fields.octets("sid", 16),
        landmark=fields.octets("landmark", LANDMARK_ID_BYTES),
        close=fields.octets("close", 32),
        transcript=fields.octets("transcript", 32),
        answered=fields.integer("answered", most=MOST_ROUNDS),
    )
    fields.end()
    return read
