"""BIND, and the chain of hashes that ties a session's keys to a host and its chips.

    N0 = SHA-256(CBOR ["CLP/1 bind", H(SESSION), S, X, contributions, absent])      what a host's quote carries
    N1 = SHA-256(CBOR ["CLP/1 chip", N0, chip_id, SHA-256(quote) or null])          what a chip's report carries
    N2 = SHA-256(CBOR ["CLP/1 close", N1, Merkle root of the transcripts, H(CLOSE randoms)])

A landmark sees one digest of the evidence and keeps it; the evidence itself goes to the verifier.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from lightbound.canonical import cose
from lightbound.canonical.cbor import Value, decode, encode
from lightbound.canonical.fields import Fields, octets, shown
from lightbound.errors import ErrorCode, malformed, refused
from lightbound.keys.ed25519 import SigningKey, VerifyingKey
from lightbound.keys.purposes import Purpose
from lightbound.keys.signing import cosign, opened_by_all
from lightbound.ranging.statements.kinds import LANDMARK_ID_BYTES, Kind
from lightbound.ranging.statements.session import MOST_CHIPS, MOST_LANDMARKS, Session
from lightbound.tlog import merkle

MOST_MANIFEST_BYTES: Final = 131_072
"""Of an evidence manifest, which is no statement and may be longer: with a report for each of 1,024 chips it has
71 kB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contribution:
    """Which CONTRIB of which landmark a session is bound to."""

    landmark: bytes
    digest: bytes

    def __lt__(self, other: "Contribution") -> bool:
        """In the order of landmark ids, each once."""
        return self.landmark < other.landmark


@dataclass(frozen=True, slots=True, kw_only=True)
class Bind:
    """The keys of a session, and everything that was known before they answered."""

    session: bytes
    """Digest of SESSION."""
    s: VerifyingKey
    """Signs ACK."""
    x: bytes
    """Agrees on the keys of the timed phase with each landmark's."""
    contributions: tuple[Contribution, ...]
    absent: tuple[bytes, ...]
    """Landmarks of the session that had given nothing when the agent stopped waiting."""
    evidence: bytes
    """Digest of the evidence manifest."""

    def n0(self) -> bytes:
        """What a host's quote must carry, 32 bytes."""
        contributions: list[Value] = [[each.landmark, each.digest] for each in self.contributions]
        inputs: list[Value] = [
            "CLP/1 bind", self.session, self.s.raw, self.x, contributions, list(self.absent),
        ]  # fmt: skip
        return hashlib.sha256(encode(inputs)).digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Digests of what attests host and chips; the manifest's own digest stands in BIND. At tier A0 there is none."""

    quote: bytes | None = None
    reports: tuple[tuple[bytes, bytes], ...] = ()
    """Digest of the report and of the certificate chain of each chip, ascending."""

    def manifest(self) -> bytes:
        """The bytes whose digest BIND holds."""
        reports: list[Value] = [[report, chain] for report, chain in self.reports]
        return encode({"quote": self.quote, "reports": reports})

    def digest(self) -> bytes:
        """What BIND holds, 32 bytes."""
        return hashlib.sha256(self.manifest()).digest()


def read_evidence(data: bytes) -> Evidence:
    """The manifest that an agent sends to the verifier.

    Raises:
        Malformed: not such a manifest.
    """
    fields = Fields(decode(data, what="evidence", most_bytes=MOST_MANIFEST_BYTES), "evidence")
    read = Evidence(
        quote=fields.octets_or_none("quote", 32), reports=fields.ascending("reports", _report, most=MOST_CHIPS)
    )
    fields.end()
    return read


def n1(n0: bytes, chip_id: bytes, quote: bytes | None) -> bytes:
    """What the report of one chip must carry, 32 bytes; `quote` is the digest of the host's quote, if there is one."""
    return hashlib.sha256(encode(["CLP/1 chip", n0, chip_id, quote])).digest()


def n2(n1_of_chip: bytes, transcripts: Sequence[bytes], close_randoms: Sequence[bytes]) -> bytes:
    """What a second report of a chip must carry, 32 bytes; both sequences in the order of landmark ids.

    It shows only that the key holder could reach the chip after the timed phase.
    """
    randoms = hashlib.sha256(encode(list(close_randoms))).digest()
    return hashlib.sha256(encode(["CLP/1 close", n1_of_chip, merkle.root(transcripts), randoms])).digest()


def write_bind(bind: Bind, enrolment: SigningKey, session: SigningKey) -> bytes:
    """The statement BIND, signed by both keys."""
    payload: dict[str, Value] = {
        "session": bind.session,
        "s": bind.s.raw,
        "x": bind.x,
        "contributions": [[each.landmark, each.digest] for each in bind.contributions],
        "absent": list(bind.absent),
        "evidence": bind.evidence,
    }
    return cosign(Kind.BIND, encode(payload), (enrolment, session))


def read_bind(data: bytes, agent: VerifyingKey) -> Bind:
    """What an agent bound itself to, signed by its enrolment key and by the session key that it names.

    Raises:
        Malformed, Refused: not such a statement, or not by these keys.
    """
    fields = Fields.of(cose.read(data, what=Kind.BIND).payload, Kind.BIND.short)
    s = VerifyingKey(purpose=Purpose.SESSION, raw=fields.octets("s", 32))
    opened_by_all(data, Kind.BIND, (agent, s))
    read = Bind(
        session=fields.octets("session", 32),
        s=s,
        x=fields.octets("x", 32),
        contributions=fields.ascending("contributions", _contribution, least=1, most=MOST_LANDMARKS),
        absent=fields.ascending("absent", octets(LANDMARK_ID_BYTES), most=MOST_LANDMARKS),
        evidence=fields.octets("evidence", 32),
    )
    fields.end()
    return read


def check_parties(bind: Bind, session: Session) -> None:
    """Nothing, if every landmark of the session either contributed or is named absent, and nobody else is named.

    Raises:
        Refused: a landmark is left out, named twice, or not of the session.
    """
    named = sorted([*(each.landmark for each in bind.contributions), *bind.absent])
    if named != list(session.landmarks):
        raise refused(ErrorCode.BIND_DIFFERS, "the landmarks of the session, once each", "others", "bind")


def _contribution(value: Value, path: str) -> Contribution:
    match value:
        case [bytes() as landmark, bytes() as digest] if len(landmark) == LANDMARK_ID_BYTES and len(digest) == 32:
            return Contribution(landmark=landmark, digest=digest)
        case _:
            raise malformed(ErrorCode.STATEMENT_MALFORMED, "[landmark id, digest of CONTRIB]", shown(value), path)


def _report(value: Value, path: str) -> tuple[bytes, bytes]:
    match value:
        case [bytes() as report, bytes() as chain] if len(report) == 32 and len(chain) == 32:
            return report, chain
        case _:
            raise malformed(ErrorCode.STATEMENT_MALFORMED, "[digest of report, digest of chain]", shown(value), path)
