"""ENROL and POLL: an agent asks to be known, and asks whether anything is asked of it.

Both are signed by the enrolment key, and dated: an old one is of no use to whoever recorded it. Beside ENROL travels
what attests its host and chips, by a manifest whose digest ENROL holds:

    { "enrol": ENROL, "evidence": manifest or null, "documents": [ report, chain, quote, ... ] }
"""

import hashlib
from dataclasses import dataclass
from typing import Final

from lightbound.canonical import cose
from lightbound.canonical.cbor import MOST_BYTES, Value, encode
from lightbound.canonical.fields import Fields, is_plain, octets
from lightbound.enrolment.codes import SECRET_BYTES
from lightbound.enrolment.documents import (
    MOST_DOCUMENTS_BYTES,
    fields_of,
    read_documents,
    read_octets,
    read_octets_or_none,
)
from lightbound.enrolment.kinds import Kind, believed, signed
from lightbound.errors import ErrorCode, refused
from lightbound.keys.ed25519 import SigningKey, VerifyingKey
from lightbound.keys.purposes import Purpose
from lightbound.ranging.statements.binding import MOST_MANIFEST_BYTES
from lightbound.ranging.statements.session import CHIP_ID_BYTES, MOST_CHIPS

MOST_AGE_NS: Final = 300_000_000_000
"""Clocks of agent and verifier may differ by five minutes; SESSION itself is checked against the agent's clock."""

LONGEST_POLL_S: Final = 25
"""A poll waits so long for something to be asked. Below what proxies on the way give up after, mostly 30 s or more."""

MOST_ERROR: Final = 256
"""Characters of the last error that an agent tells."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrol:
    """An agent asks to be known by its key."""

    verifier: bytes
    """Id of the verifier's key: what is asked of one cannot be shown to another."""
    secret: bytes
    """Of the enrolment code."""
    key: VerifyingKey
    chips: tuple[bytes, ...]
    """Ids of the chips of its host, 32 bytes each, ascending."""
    evidence: bytes | None
    """Digest of the manifest of what attests host and chips; None at tier A0."""
    software: str
    at_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolment:
    """ENROL as it is brought, with what attests host and chips."""

    enrol: bytes
    """The statement."""
    manifest: bytes | None = None
    documents: tuple[bytes, ...] = ()
    """Reports, chains and a quote, in any order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Poll:
    """An agent asks whether anything is asked of it."""

    verifier: bytes
    wait_s: int
    """How long the verifier may wait before it says no."""
    software: str
    error: str
    """What went wrong last, for whoever looks after the host; empty if nothing has."""
    at_ns: int


def write_enrol(said: Enrol, key: SigningKey) -> bytes:
    """The statement ENROL, signed by the key that asks."""
    payload: dict[str, Value] = {
        "verifier": said.verifier,
        "secret": said.secret,
        "key": said.key.raw,
        "chips": list(said.chips),
        "evidence": said.evidence,
        "software": said.software,
        "at_ns": said.at_ns,
    }
    return signed(Kind.ENROL, encode(payload), key)


def read_enrol(data: bytes) -> Enrol:
    """Who asks to be known, signed by the key that it names. Whether to let it in, its code says.

    Raises:
        Malformed, Refused: not such a statement, or signed by another key than it names.
    """
    fields = Fields.of(cose.read(data, what=Kind.ENROL.short).payload, Kind.ENROL.short)
    key = VerifyingKey(purpose=Purpose.ENROLMENT, raw=fields.octets("key", 32))
    believed(data, Kind.ENROL, key)
    read = Enrol(
        verifier=fields.octets("verifier", 16),
        secret=fields.octets("secret", SECRET_BYTES),
        key=key,
        chips=fields.ascending("chips", octets(CHIP_ID_BYTES), least=1, most=MOST_CHIPS),
        evidence=fields.octets_or_none("evidence", 32),
        software=fields.text("software"),
        at_ns=fields.instant_ns("at_ns"),
    )
    fields.end()
    return read


MOST_ENROLMENT_BYTES: Final = MOST_BYTES + MOST_MANIFEST_BYTES + MOST_DOCUMENTS_BYTES + 65_536


def write_enrolment(said: Enrolment) -> bytes:
    """What is posted."""
    return encode({"enrol": said.enrol, "evidence": said.manifest, "documents": list(said.documents)})


def read_enrolment(data: bytes) -> Enrolment:
    """What was posted. Nothing is checked yet.

    Raises:
        Malformed: none.
    """
    fields = fields_of(data, "enrolment", MOST_ENROLMENT_BYTES)
    read = Enrolment(
        enrol=read_octets(fields, "enrol", MOST_BYTES),
        manifest=read_octets_or_none(fields, "evidence", MOST_MANIFEST_BYTES),
        documents=read_documents(fields),
    )
    fields.end()
    return read


def software_chips(key: VerifyingKey, count: int) -> tuple[bytes, ...]:
    """The ids of so many chips at tier A0, ascending: they follow from the enrolment key, and name no chip there is."""
    names = (hashlib.sha256(encode(["CLP/1 software chip", key.raw, number])).digest() for number in range(count))
    return tuple(sorted(names))


def write_poll(said: Poll, key: SigningKey) -> bytes:
    """The statement POLL, signed by the enrolment key."""
    payload: dict[str, Value] = {
        "verifier": said.verifier,
        "wait_s": said.wait_s,
        "software": said.software,
        "error": said.error,
        "at_ns": said.at_ns,
    }
    return signed(Kind.POLL, encode(payload), key)


def read_poll(data: bytes, key: VerifyingKey) -> Poll:
    """What an agent asks, checked against its key.

    Raises:
        Malformed, Refused: not such a statement, or not by this key.
    """
    fields = Fields.of(believed(data, Kind.POLL, key), Kind.POLL.short)
    read = Poll(
        verifier=fields.octets("verifier", 16),
        wait_s=fields.integer("wait_s", most=LONGEST_POLL_S),
        software=fields.text("software"),
        error=fields.text("error", least=0, most=MOST_ERROR),
        at_ns=fields.instant_ns("at_ns"),
    )
    fields.end()
    return read


def signer(data: bytes, kind: Kind) -> bytes:
    """The id of the key that a statement says it is signed by, to look the key up; nothing is believed yet.

    Raises:
        Malformed: no statement with one signature.
        Refused: a statement of another type.
    """
    envelope = cose.read(data, what=kind.short)
    if envelope.kind != kind or not envelope.single:
        raise refused(ErrorCode.WRONG_TYPE, kind, envelope.kind, kind.short)
    return envelope.signatures[0].key_id


def check_fresh(at_ns: int, *, now_ns: int, path: str) -> None:
    """Nothing, if a request was made about now.

    Raises:
        Refused: it is older, or from the future: one of the two clocks is wrong, or somebody sends a recorded one.
    """
    if abs(now_ns - at_ns) > MOST_AGE_NS:
        found = f"one {abs(now_ns - at_ns) // 1_000_000_000} s off"
        raise refused(ErrorCode.NOT_VALID_THEN, "a request made within five minutes of now", found, f"{path}.at_ns")


def check_meant(named: bytes, verifier: VerifyingKey, path: str) -> None:
    """Nothing, if a request is meant for this verifier.

    Raises:
        Refused: it names another.
    """
    if named != verifier.key_id:
        raise refused(ErrorCode.WRONG_KEY, f"verifier {verifier.key_id.hex()}", named.hex(), f"{path}.verifier")


def told(error: str) -> str:
    """A text about an error, cut and made fit to be told: letters that could not stand there become question marks."""
    kept = "".join(letter if letter == " " or is_plain(letter) else "?" for letter in error)
    return kept.strip(" ")[:MOST_ERROR].strip(" ")
