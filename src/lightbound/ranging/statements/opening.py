"""OPEN and CONTRIB: a landmark records that it was asked, and gives its part of the session's dice.

OPEN is logged before CONTRIB is given out, so that a session that was begun and disliked leaves a trace.
"""

from dataclasses import dataclass

from lightbound.canonical.cbor import Value, encode
from lightbound.canonical.fields import Fields
from lightbound.errors import ErrorCode, malformed
from lightbound.keys.ed25519 import SigningKey, VerifyingKey
from lightbound.ranging.statements.kinds import LANDMARK_ID_BYTES, VERSION, Kind, believed, signed


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """Where a statement stands in what one landmark has said about one agent."""

    landmark: bytes
    agent: bytes
    """Id of the agent's enrolment key."""
    seq: int
    """From 0, without gaps."""
    prev: bytes | None
    """Digest of the statement before; None for the first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Open:
    """A landmark was asked for a session."""

    link: Link
    sid: bytes
    session: bytes
    """Digest of SESSION."""
    at_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Contrib:
    """A landmark's part of a session: its dice, its key for the timed phase, and where its packets are to go."""

    version: int
    session: bytes
    landmark: bytes
    position: bytes
    """Digest of its POSITION."""
    random: bytes
    x: bytes
    """Its X25519 public key for this session."""
    cookie: bytes
    """What READY must carry."""
    port: int
    """UDP port of the timed phase, at the address where CONTRIB was fetched."""
    expiry_ns: int
    """BIND must arrive before."""


def write_open(said: Open, key: SigningKey) -> bytes:
    """The statement OPEN, signed by the landmark."""
    payload: dict[str, Value] = {
        "sid": said.sid,
        "session": said.session,
        "at_ns": said.at_ns,
        **link_fields(said.link),
    }
    return signed(Kind.OPEN, encode(payload), key)


def read_open(data: bytes, landmark: VerifyingKey) -> Open:
    """That a landmark was asked, checked against its key.

    Raises:
        Malformed, Refused: not such a statement, or not by this key.
    """
    fields = Fields.of(believed(data, Kind.OPEN, landmark), Kind.OPEN.short)
    read = Open(
        link=read_link(fields),
        sid=fields.octets("sid", 16),
        session=fields.octets("session", 32),
        at_ns=fields.instant_ns("at_ns"),
    )
    fields.end()
    return read


def write_contrib(contrib: Contrib, key: SigningKey) -> bytes:
    """The statement CONTRIB, signed by the landmark."""
    payload: dict[str, Value] = {
        "version": contrib.version,
        "session": contrib.session,
        "landmark": contrib.landmark,
        "position": contrib.position,
        "random": contrib.random,
        "x": contrib.x,
        "cookie": contrib.cookie,
        "port": contrib.port,
        "expiry_ns": contrib.expiry_ns,
    }
    return signed(Kind.CONTRIB, encode(payload), key)


def read_contrib(data: bytes, landmark: VerifyingKey) -> Contrib:
    """A landmark's part of a session, checked against its key.

    Raises:
        Malformed, Refused: not such a statement, or not by this key.
    """
    fields = Fields.of(believed(data, Kind.CONTRIB, landmark), Kind.CONTRIB.short)
    read = Contrib(
        version=fields.integer("version", least=VERSION, most=VERSION),
        session=fields.octets("session", 32),
        landmark=fields.octets("landmark", LANDMARK_ID_BYTES),
        position=fields.octets("position", 32),
        random=fields.octets("random", 32),
        x=fields.octets("x", 32),
        cookie=fields.octets("cookie", 16),
        port=fields.integer("port", least=1, most=65_535),
        expiry_ns=fields.instant_ns("expiry_ns"),
    )
    fields.end()
    return read


def link_fields(link: Link) -> dict[str, Value]:
    """How a link is written, among the other fields."""
    return {"landmark": link.landmark, "agent": link.agent, "seq": link.seq, "prev": link.prev}


def read_link(fields: Fields) -> Link:
    """A link among the fields of a statement; the first of a sequence has nothing before it, and only the first."""
    link = Link(
        landmark=fields.octets("landmark", LANDMARK_ID_BYTES),
        agent=fields.octets("agent", 16),
        seq=fields.integer("seq"),
        prev=fields.octets_or_none("prev", 32),
    )
    if (link.seq == 0) is not (link.prev is None):
        raise malformed(ErrorCode.STATEMENT_MALFORMED, "prev, in all but number 0", "the other", f"{fields.path}.prev")
    return link
