"""DELIVERY: what an agent brings its verifier after a session, or how far it got and why no further.

The content is a map of statements that others check by their own signatures. Around it stands a statement by the
enrolment key over the content's digest, so that nobody else brings a false failure in this agent's name.

    { "delivery": DELIVERY, "content": bytes }
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum, auto
from typing import Final

from lightbound.canonical.cbor import MOST_BYTES, Value, encode
from lightbound.canonical.fields import Fields
from lightbound.enrolment.documents import (
    MOST_DOCUMENTS_BYTES,
    fields_of,
    read_documents,
    read_octets,
    read_octets_or_none,
)
from lightbound.enrolment.kinds import Kind, believed, signed
from lightbound.enrolment.requests import MOST_ERROR, check_fresh, signer
from lightbound.errors import ErrorCode, malformed, refused
from lightbound.keys.ed25519 import SigningKey, VerifyingKey
from lightbound.ranging.sessions.verification import LandmarkStatements
from lightbound.ranging.statements.binding import MOST_MANIFEST_BYTES
from lightbound.ranging.statements.kinds import LANDMARK_ID_BYTES
from lightbound.ranging.statements.session import MOST_LANDMARKS

MOST_DELIVERY_BYTES: Final = 4_000_000 + MOST_DOCUMENTS_BYTES
"""512 landmarks with five statements of at most 1.5 kB each, one of them with a BIND of 30 kB beside it, and the
documents of the evidence."""


class Step(StrEnum):
    """How far an agent got with a landmark, or with a session: the step that failed."""

    SESSION = auto()
    """SESSION was refused: not askable, or it names whom the agent does not trust."""
    CONTRIB = auto()
    BIND = auto()
    READY = auto()
    """No challenge ever came."""
    CLOSE = auto()
    ACK = auto()
    MEASUREMENT = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why something went no further."""

    step: Step
    why: str
    """For a person; made fit by `requests.told`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One landmark's part of a session as the agent saw it."""

    statements: LandmarkStatements
    failure: Failure | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What an agent brings."""

    session: bytes
    """Digest of SESSION."""
    bind: bytes | None = None
    """None if it came to none; `failure` then says why."""
    evidence: bytes | None = None
    """The manifest that BIND was made with."""
    documents: tuple[bytes, ...] = ()
    """What it names: reports, chains, a quote; ascending by digest."""
    landmarks: Mapping[bytes, Part] = field(default_factory=dict)
    failure: Failure | None = None


def write_delivery(content: Content, key: SigningKey, *, now_ns: int) -> bytes:
    """Content and the statement around it."""
    inside = encode(
        {
            "session": content.session,
            "bind": content.bind,
            "evidence": content.evidence,
            "documents": list(content.documents),
            "landmarks": [
                {
                    "landmark": landmark,
                    "contrib": part.statements.contrib,
                    "close": part.statements.close,
                    "ack": part.statements.ack,
                    "measurement": part.statements.measurement,
                    "abort": part.statements.abort,
                    "failure": _failure_fields(part.failure),
                }
                for landmark, part in sorted(content.landmarks.items())
            ],
            "failure": _failure_fields(content.failure),
        }
    )
    return _around(inside, content.session, key, now_ns)


def dated_anew(data: bytes, key: SigningKey, *, now_ns: int) -> bytes:
    """A delivery that could not be brought when it was written, with a statement of now around the same content.

    Raises:
        Malformed: it is none.
    """
    outside = fields_of(data, "delivery", MOST_DELIVERY_BYTES)
    inside = read_octets(outside, "content", MOST_DELIVERY_BYTES)
    return _around(inside, _content(inside).session, key, now_ns)


def _around(inside: bytes, session: bytes, key: SigningKey, now_ns: int) -> bytes:
    payload: dict[str, Value] = {"session": session, "content": hashlib.sha256(inside).digest(), "at_ns": now_ns}
    return encode({"delivery": signed(Kind.DELIVERY, encode(payload), key), "content": inside})


def deliverer(data: bytes) -> bytes:
    """The id of the key that a delivery says it is signed by; nothing is believed yet.

    Raises:
        Malformed, Refused: no delivery.
    """
    outside = fields_of(data, "delivery", MOST_DELIVERY_BYTES)
    return signer(read_octets(outside, "delivery", MOST_BYTES), Kind.DELIVERY)


def read_delivery(data: bytes, key: VerifyingKey, *, now_ns: int) -> Content:
    """What an agent brings, checked against its key. The statements inside are not looked at.

    Raises:
        Malformed, Refused: no delivery, by another key, of another content or another time.
    """
    outside = fields_of(data, "delivery", MOST_DELIVERY_BYTES)
    statement = read_octets(outside, "delivery", MOST_BYTES)
    inside = read_octets(outside, "content", MOST_DELIVERY_BYTES)
    outside.end()
    said = Fields.of(believed(statement, Kind.DELIVERY, key), Kind.DELIVERY.short)
    session, content = said.octets("session", 32), said.octets("content", 32)
    check_fresh(said.instant_ns("at_ns"), now_ns=now_ns, path=said.path)
    said.end()
    if hashlib.sha256(inside).digest() != content:
        raise refused(ErrorCode.EVIDENCE_DIFFERS, "the content that was signed", "another", "delivery.content")
    read = _content(inside)
    if read.session != session:
        raise refused(ErrorCode.WRONG_SESSION, "content of the session that was signed", "of another", "delivery")
    return read


def _content(data: bytes) -> Content:
    fields = fields_of(data, "content", MOST_DELIVERY_BYTES)
    read = Content(
        session=fields.octets("session", 32),
        bind=read_octets_or_none(fields, "bind"),
        evidence=read_octets_or_none(fields, "evidence", MOST_MANIFEST_BYTES),
        documents=read_documents(fields),
        landmarks=dict(fields.items("landmarks", _part, most=MOST_LANDMARKS)),
        failure=_failure(fields),
    )
    fields.end()
    return read


def _part(value: Value, path: str) -> tuple[bytes, Part]:
    fields = Fields(value, path)
    landmark = fields.octets("landmark", LANDMARK_ID_BYTES)
    statements = LandmarkStatements(
        contrib=read_octets_or_none(fields, "contrib"),
        close=read_octets_or_none(fields, "close"),
        ack=read_octets_or_none(fields, "ack"),
        measurement=read_octets_or_none(fields, "measurement"),
        abort=read_octets_or_none(fields, "abort"),
    )
    part = Part(statements=statements, failure=_failure(fields))
    fields.end()
    return landmark, part


def _failure_fields(failure: Failure | None) -> Value:
    return None if failure is None else {"step": str(failure.step), "why": failure.why}


def _failure(fields: Fields) -> Failure | None:
    inside = fields.map_or_none("failure")
    if inside is None:
        return None
    step = inside.text("step")
    if step not in set(Step):
        raise malformed(ErrorCode.STATEMENT_MALFORMED, f"one of {', '.join(Step)}", "another", f"{inside.path}.step")
    read = Failure(step=Step(step), why=inside.text("why", least=0, most=MOST_ERROR))
    inside.end()
    return read
