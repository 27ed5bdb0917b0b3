"""The types of statements and whose key signs each, as `docs/spec/clp1.md` lists them."""

from enum import StrEnum
from typing import Final

from lightbound.keys.ed25519 import SigningKey, VerifyingKey
from lightbound.keys.purposes import Purpose
from lightbound.keys.signing import opened, sign

VERSION: Final = 1
"""Of the protocol: CLP/1."""

LANDMARK_ID_BYTES: Final = 16
"""A landmark is named by the id of its key."""


class Kind(StrEnum):
    """What a statement is, as its `typ` header says it. A number goes up with every change of what may stand in it."""

    OPERATOR = "lightbound.operator/1"
    POSITION = "lightbound.position/1"
    DIRECTORY = "lightbound.directory/1"
    SESSION = "lightbound.session/1"
    OPEN = "lightbound.open/1"
    CONTRIB = "lightbound.contrib/1"
    BIND = "lightbound.bind/1"
    CLOSE = "lightbound.close/1"
    ACK = "lightbound.ack/1"
    MEASUREMENT = "lightbound.measurement/1"
    ABORT = "lightbound.abort/1"

    @property
    def short(self) -> str:
        """How errors call it: the name without project and version."""
        return self.value.removeprefix("lightbound.").partition("/")[0]


SIGNED_BY: Final = {
    Kind.OPERATOR: (Purpose.OPERATOR,),
    Kind.POSITION: (Purpose.OPERATOR,),
    Kind.DIRECTORY: (Purpose.DIRECTORY,),
    Kind.SESSION: (Purpose.VERIFIER,),
    Kind.OPEN: (Purpose.LANDMARK,),
    Kind.CONTRIB: (Purpose.LANDMARK,),
    Kind.BIND: (Purpose.ENROLMENT, Purpose.SESSION),
    Kind.CLOSE: (Purpose.LANDMARK,),
    Kind.ACK: (Purpose.SESSION,),
    Kind.MEASUREMENT: (Purpose.LANDMARK,),
    Kind.ABORT: (Purpose.LANDMARK,),
}
"""Which purposes sign a type: BIND by both of its keys together, DIRECTORY by k of n, each other by one."""

NUMBERED: Final = (Kind.OPEN, Kind.MEASUREMENT, Kind.ABORT)
"""What a landmark says about an agent under a number of its sequence, and has logged. Were one left out, a landmark
could say it twice and nobody would miss it."""


def signed(kind: Kind, payload: bytes, key: SigningKey) -> bytes:
    """A statement of this type, signed; a key for something else is a mistake of the caller."""
    if SIGNED_BY[kind] != (key.purpose,):
        raise ValueError(f"{kind} is not signed by a key for {key.purpose}")
    return sign(kind, payload, key)


def believed(data: bytes, kind: Kind, key: VerifyingKey) -> bytes:
    """The payload of a statement of this type that this key signed.

    Raises:
        Malformed: no statement at all.
        Refused: of another type, by another key or for another purpose, or the signature does not hold.
    """
    if SIGNED_BY[kind] != (key.purpose,):
        raise ValueError(f"{kind} is not signed by a key for {key.purpose}")
    return opened(data, kind, key)
