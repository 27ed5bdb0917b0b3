"""What a bundle holds: one deterministic CBOR map, everything signed in it being the bytes that were signed.

What concerns other chips of the host is left out, and nothing is coarsened: a SESSION shows how many chips it asked for
and one of them, a manifest shows digests of reports and one report. Nothing here is checked; `checking` does that.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from lightbound.canonical.cbor import MOST_BYTES, Value, decode, encode
from lightbound.canonical.commitments import SALT_BYTES, Disclosure
from lightbound.canonical.fields import Fields, octets, shown
from lightbound.enrolment.documents import read_documents, read_octets, read_octets_or_none
from lightbound.errors import ErrorCode, malformed
from lightbound.ranging.sessions.verification import LandmarkStatements, SessionStatements
from lightbound.ranging.statements.binding import MOST_MANIFEST_BYTES
from lightbound.ranging.statements.kinds import LANDMARK_ID_BYTES
from lightbound.ranging.statements.session import CHIP_ID_BYTES, CHIP_SALT_BYTES, MOST_CHIPS, MOST_LANDMARKS, ChipProof

FORMAT: Final = "lightbound.bundle/1"

MOST_BUNDLE_BYTES: Final = 64_000_000
"""A verdict takes some 100 kB; a chip's year of hours, 50 MB."""

MOST_SESSIONS: Final = 20_000
MOST_VERDICTS: Final = 20_000
MOST_ADMITTED: Final = 1_024
MOST_FILES: Final = 1_000
MOST_FILE_BYTES: Final = 4_000_000
MOST_LINE: Final = 65_536
MOST_AREA: Final = 4_096


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
    """That a statement stands in a log."""

    statement: bytes
    """Its digest."""
    entry: bytes
    """The statement that was logged: the same in clear, or a landmark's COMMITMENT to it."""
    opening: bytes | None
    """What opens the COMMITMENT; None if it was logged in clear."""
    proof: bytes
    """Where the entry stands, and under which checkpoint (C2SP tlog-proof)."""


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
    verdicts: tuple[VerdictShown, ...]
    manifests: tuple[bytes, ...] = ()
    revocations: tuple[bytes, ...] = ()
    logged: tuple[Logged, ...] = ()
    """Of statements that stand in a log, ascending by their digests."""


def write_bundle(bundle: Bundle) -> bytes:
    """The file: equal bundles give equal bytes."""
    terms = bundle.terms
    return encode(
        {
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
            "sessions": [_session_fields(one) for one in bundle.sessions],
            "pinned": {"is_attested": bundle.pinned.is_attested, "quote_key": bundle.pinned.quote_key},
            "terms": {
                "licensed": terms.licensed,
                "excluded": terms.excluded,
                "drawings": dict(sorted(terms.drawings.items())),
                "border_sha256": terms.border_sha256,
                "border_error_m": terms.border_error_m,
                "fault_budget": terms.fault_budget,
                "proof": terms.proof,
                "window_ns": terms.window_ns,
            },
            "verdicts": [{"line": one.line, "basis": list(one.basis)} for one in bundle.verdicts],
            "manifests": list(bundle.manifests),
            "revocations": list(bundle.revocations),
            "logged": [
                {"statement": one.statement, "entry": one.entry, "opening": one.opening, "proof": one.proof}
                for one in bundle.logged
            ],
        }
    )


def read_bundle(data: bytes) -> Bundle:
    """What a file holds.

    Raises:
        Malformed: it is no bundle, or of a version that is not known here; the path names the field.
    """
    fields = Fields(decode(data, what="bundle", most_bytes=MOST_BUNDLE_BYTES), "bundle")
    said = fields.value("format")
    if said != FORMAT:
        found = said if isinstance(said, str) and len(said) < 64 else shown(said)
        raise malformed(ErrorCode.WRONG_VERSION, FORMAT, found, "bundle.format")
    chip = fields.octets("chip", CHIP_ID_BYTES)
    read = Bundle(
        software=fields.text("software"),
        made_ns=fields.instant_ns("made_ns"),
        chip=chip,
        verifier=fields.octets("verifier", 32),
        admission=_admission(fields.map("admission")),
        sessions=fields.items("sessions", lambda value, path: _session(value, path, chip), most=MOST_SESSIONS),
        pinned=_pinned(fields.map("pinned")),
        terms=_terms(fields.map("terms")),
        verdicts=fields.items("verdicts", _verdict, least=1, most=MOST_VERDICTS),
        manifests=fields.items("manifests", _file, most=MOST_FILES),
        revocations=fields.items("revocations", _file, most=MOST_FILES),
        logged=fields.items("logged", _logged, most=MOST_SESSIONS * MOST_LANDMARKS),
    )
    fields.end()
    return read


def _session_fields(one: SessionShown) -> Value:
    said = one.statements
    return {
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
        "site": None if one.site is None else {"salt": one.site.salt, "value": one.site.value},
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


def _session(value: Value, path: str, chip_id: bytes) -> SessionShown:
    fields = Fields(value, path)
    statements = SessionStatements(
        session=read_octets(fields, "session", MOST_BYTES),
        bind=read_octets(fields, "bind", MOST_BYTES),
        evidence=read_octets(fields, "evidence", MOST_MANIFEST_BYTES),
        by_landmark=dict(fields.items("landmarks", _landmark, most=MOST_LANDMARKS)),
    )
    site = fields.map_or_none("site")
    read = SessionShown(
        statements=statements,
        chip=_chip(fields.map("chip"), chip_id),
        site=None if site is None else _site(site),
        documents=read_documents(fields),
    )
    fields.end()
    return read


def _landmark(value: Value, path: str) -> tuple[bytes, LandmarkStatements]:
    fields = Fields(value, path)
    landmark = fields.octets("landmark", LANDMARK_ID_BYTES)
    read = LandmarkStatements(
        contrib=read_octets_or_none(fields, "contrib"),
        close=read_octets_or_none(fields, "close"),
        ack=read_octets_or_none(fields, "ack"),
        measurement=read_octets_or_none(fields, "measurement"),
        abort=read_octets_or_none(fields, "abort"),
    )
    fields.end()
    return landmark, read


def _chip(fields: Fields, chip_id: bytes) -> ChipProof:
    read = ChipProof(
        chip_id=chip_id,
        salt=fields.octets("salt", CHIP_SALT_BYTES),
        index=fields.integer("index", most=MOST_CHIPS),
        count=fields.integer("count", least=1, most=MOST_CHIPS),
        path=fields.items("path", octets(32), most=16),
    )
    fields.end()
    return read


def _site(fields: Fields) -> Disclosure:
    read = Disclosure(field="site", salt=fields.octets("salt", SALT_BYTES), value=fields.value("value"))
    fields.end()
    return read


def _admission(fields: Fields) -> Admission:
    read = Admission(
        directory=read_octets(fields, "directory", MOST_BYTES),
        operators=fields.items("operators", _statement, most=MOST_ADMITTED),
        positions=fields.items("positions", _statement, most=MOST_ADMITTED),
    )
    fields.end()
    return read


def _pinned(fields: Fields) -> Pinned:
    read = Pinned(is_attested=fields.boolean("is_attested"), quote_key=read_octets_or_none(fields, "quote_key", 128))
    fields.end()
    return read


def _terms(fields: Fields) -> Terms:
    drawings = fields.value("drawings")
    if not isinstance(drawings, dict) or not all(
        isinstance(name, str) and isinstance(data, bytes) and len(data) <= MOST_FILE_BYTES
        for name, data in drawings.items()
    ):
        path = f"{fields.path}.drawings"
        raise malformed(ErrorCode.STATEMENT_MALFORMED, "drawings by their paths", shown(drawings), path)
    border = fields.text("border_sha256", least=64, most=64)
    read = Terms(
        licensed=fields.text("licensed", least=0, most=MOST_AREA),
        excluded=fields.text("excluded", least=0, most=MOST_AREA),
        drawings={str(name): bytes(data) for name, data in drawings.items() if isinstance(data, bytes)},
        border_sha256=border,
        border_error_m=fields.integer("border_error_m", most=1_000_000),
        fault_budget=fields.integer("fault_budget", most=MOST_LANDMARKS),
        proof=fields.text("proof", most=16),
        window_ns=fields.integer("window_ns", least=1),
    )
    fields.end()
    return read


def _verdict(value: Value, path: str) -> VerdictShown:
    fields = Fields(value, path)
    line = fields.value("line")
    if not isinstance(line, str) or len(line) > MOST_LINE:
        raise malformed(ErrorCode.STATEMENT_MALFORMED, f"a text of at most {MOST_LINE}", shown(line), f"{path}.line")
    read = VerdictShown(line=line, basis=fields.items("basis", octets(32), most=MOST_SESSIONS))
    fields.end()
    return read


def _logged(value: Value, path: str) -> Logged:
    fields = Fields(value, path)
    read = Logged(
        statement=fields.octets("statement", 32),
        entry=read_octets(fields, "entry", MOST_BYTES),
        opening=read_octets_or_none(fields, "opening", 256),
        proof=read_octets(fields, "proof", MOST_BYTES),
    )
    fields.end()
    return read


def _file(value: Value, path: str) -> bytes:
    if type(value) is not bytes or len(value) > MOST_FILE_BYTES:
        raise malformed(ErrorCode.STATEMENT_MALFORMED, f"at most {MOST_FILE_BYTES} bytes", shown(value), path)
    return value


def _statement(value: Value, path: str) -> bytes:
    if type(value) is not bytes or len(value) > MOST_BYTES:
        raise malformed(ErrorCode.STATEMENT_MALFORMED, f"at most {MOST_BYTES} bytes", shown(value), path)
    return value
