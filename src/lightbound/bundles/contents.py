"""What a bundle holds: one deterministic CBOR map, everything signed in it being the bytes that were signed.

What concerns other chips of the host is left out, and nothing is coarsened: a SESSION shows how many chips it asked for
and one of them, a manifest shows digests of reports and one report. Nothing here is checked; `checking` does that.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from lightbound.canonical.cbor import Value, encode
from lightbound.canonical.commitments import Disclosure
from lightbound.ranging.sessions.verification import SessionStatements
from lightbound.ranging.statements.session import ChipProof

FORMAT: Final = "lightbound.bundle/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """The directory that the sessions are of, and all statements that it lists."""

    directory: bytes
    operators: tuple[bytes, ...]
    positions: tuple[bytes, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionShown:
    """One session, as far as it concerns one chip."""

    statements: SessionStatements
    chip: ChipProof
    """That it asked for this chip."""
    site: Disclosure | None
    """The private field of SESSION: the site, its areas; None if it is withheld."""
    documents: tuple[bytes, ...]
    """Report and chain of this chip, and the host's quote."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictShown:
    """A verdict that was given, and the sessions that it rests on."""

    line: str
    """The object of `lightbound.verdict/1`, as JSON."""
    basis: tuple[bytes, ...]
    """Digests of SESSIONs in this bundle."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What was asked, and by which rules it was decided."""

    licensed: str
    """Texts of areas; empty: not asked."""
    excluded: str
    drawings: Mapping[str, bytes]
    """GeoJSON that the texts name, by the path they name it with."""
    border_sha256: str
    border_error_m: int
    fault_budget: int
    proof: str
    window_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Pinned:
    """What the verifier pinned of the chip when its agent enrolled."""

    is_attested: bool
    quote_key: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Logged:
    """That a log holds a landmark's word for a statement."""

    statement: bytes
    """Its digest."""
    commitment: bytes
    """The landmark's COMMITMENT to it, which was logged."""
    proof: bytes
    """Where its entry stands, under which checkpoint, and what opens it (C2SP tlog-proof)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """Everything about one chip that a stranger needs."""

    software: str
    made_ns: int
    chip: bytes
    verifier: bytes
    """Key that signed the SESSIONs, 32 bytes."""
    admission: Admission
    sessions: tuple[SessionShown, ...]
    pinned: Pinned
    terms: Terms
    vouched: bytes
    """By the verifier, over chip, `pinned`, `terms` and the bundle as a whole (`vouching`)."""
    verdicts: tuple[VerdictShown, ...]
    manifests: tuple[bytes, ...] = ()
    revocations: tuple[bytes, ...] = ()
    logged: tuple[Logged, ...] = ()
    """Of statements that stand in a log, ascending by their digests."""

    @property
    def measured(self) -> int:
        """How many MEASUREMENTs are inside."""
        return sum(of.measurement is not None for one in self.sessions for of in one.statements.by_landmark.values())


def pinned_fields(pinned: Pinned) -> Value:
    """How it is written."""
    return {"is_attested": pinned.is_attested, "quote_key": pinned.quote_key}


def terms_fields(terms: Terms) -> Value:
    """How they are written."""
    return {
        "licensed": terms.licensed,
        "excluded": terms.excluded,
        "drawings": dict(sorted(terms.drawings.items())),
        "border_sha256": terms.border_sha256,
        "border_error_m": terms.border_error_m,
        "fault_budget": terms.fault_budget,
        "proof": terms.proof,
        "window_ns": terms.window_ns,
    }


def write_bundle(bundle: Bundle) -> bytes:
    """The file: equal bundles give equal bytes."""
    sessions = [_session_fields(one, with_site=True) for one in bundle.sessions]
    return encode({**_fields(bundle), "vouched": bundle.vouched, "sessions": sessions})


def digest_of_all(bundle: Bundle) -> bytes:
    """SHA-256 over all that is inside but what the verifier says of it, and sites, which whoever has it may take out.

    Over CBOR of the file's map, without `vouched`, and with `sessions` each as SHA-256 of its CBOR without `site`.
    """
    sessions = [sha256(encode(_session_fields(one, with_site=False))).digest() for one in bundle.sessions]
    return sha256(encode({**_fields(bundle), "sessions": list[Value](sessions)})).digest()


def _fields(bundle: Bundle) -> dict[str, Value]:
    return {
        "format": FORMAT,
        "software": bundle.software,
        "made_ns": bundle.made_ns,
        "chip": bundle.chip,
        "verifier": bundle.verifier,
        "admission": {
            "directory": bundle.admission.directory,
            "operators": list(bundle.admission.operators),
            "positions": list(bundle.admission.positions),
        },
        "pinned": pinned_fields(bundle.pinned),
        "terms": terms_fields(bundle.terms),
        "verdicts": [{"line": one.line, "basis": list(one.basis)} for one in bundle.verdicts],
        "manifests": list(bundle.manifests),
        "revocations": list(bundle.revocations),
        "logged": [
            {"statement": one.statement, "commitment": one.commitment, "proof": one.proof} for one in bundle.logged
        ],
    }


def _session_fields(one: SessionShown, *, with_site: bool) -> Value:
    said = one.statements
    site = None if one.site is None else {"salt": one.site.salt, "value": one.site.value}
    fields: dict[str, Value] = {
        "session": said.session,
        "bind": said.bind,
        "evidence": said.evidence,
        "documents": list(one.documents),
        "chip": {
            "salt": one.chip.salt,
            "index": one.chip.index,
            "count": one.chip.count,
            "path": list(one.chip.path),
        },
        "landmarks": [
            {
                "landmark": landmark,
                "contrib": of.contrib,
                "close": of.close,
                "ack": of.ack,
                "measurement": of.measurement,
                "abort": of.abort,
            }
            for landmark, of in sorted(said.by_landmark.items())
        ],
    }
    return {**fields, "site": site} if with_site else fields
