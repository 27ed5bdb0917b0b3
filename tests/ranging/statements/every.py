"""Every type of statement with what reads and writes it, and with the key that may sign it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from lightbound.canonical import cose
from lightbound.canonical.cbor import Value, decode, encode
from lightbound.keys.ed25519 import SigningKey
from lightbound.keys.purposes import Purpose
from lightbound.keys.signing import cosign, sign
from lightbound.ranging.statements.admission import (
    read_directory,
    read_operator,
    read_position,
    write_directory,
    write_operator,
    write_position,
)
from lightbound.ranging.statements.binding import read_bind, write_bind
from lightbound.ranging.statements.closing import read_ack, read_close, write_ack, write_close
from lightbound.ranging.statements.kinds import Kind
from lightbound.ranging.statements.measurement import read_abort, read_measurement, write_abort, write_measurement
from lightbound.ranging.statements.opening import read_contrib, read_open, write_contrib, write_open
from lightbound.ranging.statements.session import read_session, write_session
from tests.ranging.parties import AGENT, PARTIES, TRUST, VERIFIER, every_statement, secret, told, world

OPERATOR: Final = world().operators[0]
LANDMARK: Final = world().landmark(min(told().by_landmark))
S: Final = SigningKey.of_seed(Purpose.SESSION, secret("s", "told"))
"""The session key of the agent in the session `told`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One type of statement."""

    kind: Kind
    keys: tuple[SigningKey, ...]
    """Whose signatures it bears: one, or all of them together."""
    read: Callable[[bytes], Any]
    write: Callable[[Any], bytes]

    @property
    def example(self) -> bytes:
        """One of them, made in a session."""
        return every_statement()[self.kind.short]

    def signed(self, payload: bytes, *, kind: str | None = None, keys: Sequence[SigningKey] | None = None) -> bytes:
        """Any payload under the signatures of this type, or under others."""
        by = self.keys if keys is None else keys
        named = self.kind if kind is None else kind
        if self.kind in {Kind.BIND, Kind.DIRECTORY}:
            return cosign(named, payload, by)
        (only,) = by
        return sign(named, payload, only)

    def fields(self) -> dict[str, Value]:
        """The payload of the example, decoded."""
        payload = decode(cose.read(self.example).payload, what=self.kind.short)
        assert isinstance(payload, dict)
        return payload

    def with_fields(self, fields: dict[str, Value]) -> bytes:
        """A statement with this payload, properly signed."""
        return self.signed(encode(fields))


EVERY: Final = {
    each.kind.short: each
    for each in (
        Statement(
            kind=Kind.OPERATOR,
            keys=(OPERATOR,),
            read=read_operator,
            write=lambda said: write_operator(said, OPERATOR),
        ),
        Statement(
            kind=Kind.POSITION,
            keys=(OPERATOR,),
            read=lambda data: read_position(data, OPERATOR.verifying),
            write=lambda said: write_position(said, OPERATOR),
        ),
        Statement(
            kind=Kind.DIRECTORY,
            keys=PARTIES[:2],
            read=lambda data: read_directory(data, TRUST),
            write=lambda said: write_directory(said, PARTIES[:2]),
        ),
        Statement(
            kind=Kind.SESSION,
            keys=(VERIFIER,),
            read=lambda data: read_session(data, VERIFIER.verifying),
            write=lambda said: write_session(said, VERIFIER),
        ),
        Statement(
            kind=Kind.OPEN,
            keys=(LANDMARK,),
            read=lambda data: read_open(data, LANDMARK.verifying),
            write=lambda said: write_open(said, LANDMARK),
        ),
        Statement(
            kind=Kind.CONTRIB,
            keys=(LANDMARK,),
            read=lambda data: read_contrib(data, LANDMARK.verifying),
            write=lambda said: write_contrib(said, LANDMARK),
        ),
        Statement(
            kind=Kind.BIND,
            keys=(AGENT, S),
            read=lambda data: read_bind(data, AGENT.verifying),
            write=lambda said: write_bind(said, AGENT, S),
        ),
        Statement(
            kind=Kind.CLOSE,
            keys=(LANDMARK,),
            read=lambda data: read_close(data, LANDMARK.verifying),
            write=lambda said: write_close(said, LANDMARK),
        ),
        Statement(
            kind=Kind.ACK,
            keys=(S,),
            read=lambda data: read_ack(data, S.verifying),
            write=lambda said: write_ack(said, S),
        ),
        Statement(
            kind=Kind.MEASUREMENT,
            keys=(LANDMARK,),
            read=lambda data: read_measurement(data, LANDMARK.verifying),
            write=lambda said: write_measurement(said, LANDMARK),
        ),
        Statement(
            kind=Kind.ABORT,
            keys=(LANDMARK,),
            read=lambda data: read_abort(data, LANDMARK.verifying),
            write=lambda said: write_abort(said, LANDMARK),
        ),
    )
}
