"""The types of what agent and verifier sign for each other outside of CLP/1.

No verdict rests on any of it: these say who asks and who brings, and a stranger who checks a session needs none.
"""

from enum import StrEnum
from typing import Final

from lightbound.keys.ed25519 import SigningKey, VerifyingKey
from lightbound.keys.purposes import Purpose
from lightbound.keys.signing import opened, sign


class Kind(StrEnum):
    """What it is, as its `typ` header says it."""

    TRUST = "lightbound.trust/1"
    """Verifier to agent: whom to believe."""
    ENROL = "lightbound.enrol/2"
    POLL = "lightbound.poll/1"
    DELIVERY = "lightbound.delivery/2"

    @property
    def short(self) -> str:
        """How errors call it."""
        return self.value.removeprefix("lightbound.").partition("/")[0]


SIGNED_BY: Final = {
    Kind.TRUST: Purpose.VERIFIER,
    Kind.ENROL: Purpose.ENROLMENT,
    Kind.POLL: Purpose.ENROLMENT,
    Kind.DELIVERY: Purpose.ENROLMENT,
}


def signed(kind: Kind, payload: bytes, key: SigningKey) -> bytes:
    """One of these, signed; a key for something else is a mistake of the caller."""
    if SIGNED_BY[kind] is not key.purpose:
        raise ValueError(f"{kind} is not signed by a key for {key.purpose}")
    return sign(kind, payload, key)


def believed(data: bytes, kind: Kind, key: VerifyingKey) -> bytes:
    """The payload of one of these that this key signed.

    Raises:
        Malformed, Refused: it is no such statement, or not by this key.
    """
    if SIGNED_BY[kind] is not key.purpose:
        raise ValueError(f"{kind} is not signed by a key for {key.purpose}")
    return opened(data, kind, key)
