"""A bundle read strictly: every field once, of its type and range, and every set in its one order.

Equal bundles are equal bytes, and so a bundle that was put in another order is none: nobody can make two files of one.
"""

import itertools
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

from lightbound.adjudication.verdicts import Proof
from lightbound.bundles.contents import FORMAT, Admission, Bundle, Logged, Pinned, SessionShown, Terms, VerdictShown
from lightbound.canonical.amount import check_amount
from lightbound.canonical.cbor import MOST_BYTES, Value, decode
from lightbound.canonical.commitments import SALT_BYTES, Disclosure
from lightbound.canonical.fields import Fields, octets, shown
from lightbound.enrolment.documents import read_documents, read_octets, read_octets_or_none
from lightbound.errors import ErrorCode, malformed
from lightbound.keys.signing import digest
from lightbound.ranging.sessions.verification import LandmarkStatements, SessionStatements
from lightbound.ranging.statements.binding import MOST_MANIFEST_BYTES
from lightbound.ranging.statements.kinds import LANDMARK_ID_BYTES
from lightbound.ranging.statements.session import CHIP_ID_BYTES, CHIP_SALT_BYTES, MOST_CHIPS, MOST_LANDMARKS, ChipProof

T = TypeVar("T")

MOST_BUNDLE_BYTES: Final = 300_000_000
"""A session takes 24 to 32 kB with six landmarks, so that a chip's year of hours is 280 MB, which takes 1.2 GB of
memory to read, and a year of days 12 MB."""

MOST_VALUES: Final = 4_000_000
"""A year of hours with six landmarks and a log holds 1.54 million, the names of fields among them. So many, all of
them empty arrays, take 250 MB. Too small: long spans are refused. Too large: who checks runs out of memory."""

MOST_SESSIONS: Final = 20_000
MOST_VERDICTS: Final = 20_000
MOST_ADMITTED: Final = 1_024
MOST_FILES: Final = 1_000
MOST_FILE_BYTES: Final = 4_000_000
LONGEST_WINDOW_NS: Final = 366 * 86_400 * 1_000_000_000
"""A year: a longer one counts from before 1970 sooner or later, and proves less than nothing about now."""
MOST_LINE: Final = 65_536
MOST_AREA: Final = 4_096


def read_bundle(data: bytes) -> Bundle:
    """What a file holds.

    Raises:
        Malformed: it is no bundle, or of a version that is not known here; the path names the field.
    """
    check_amount(data, most=MOST_VALUES, what="bundle")
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
        sessions=_ordered(
            fields.items("sessions", lambda value, path: _session(value, path, chip), most=MOST_SESSIONS),
            session_order,
            "bundle.sessions",
        ),
        pinned=_pinned(fields.map("pinned")),
        terms=_terms(fields.map("terms")),
        vouched=read_octets(fields, "vouched", MOST_BYTES),
        verdicts=_ordered(
            fields.items("verdicts", _verdict, least=1, most=MOST_VERDICTS), verdict_order, "bundle.verdicts"
        ),
        manifests=fields.items("manifests", _file, most=MOST_FILES),
        revocations=fields.items("revocations", _file, most=MOST_FILES),
        logged=_ordered(
            fields.items("logged", _logged, most=MOST_SESSIONS * MOST_LANDMARKS), logged_order, "bundle.logged"
        ),
    )
    fields.end()
    return read


def session_order(one: SessionShown) -> bytes:
    """Sessions stand by the digest of SESSION."""
    return digest(one.statements.session)


def verdict_order(one: VerdictShown) -> tuple[str, tuple[bytes, ...]]:
    """Verdicts stand by their lines, which for one chip is by their windows."""
    return one.line, one.basis


def logged_order(one: Logged) -> bytes:
    """What was logged stands by the digest of the statement."""
    return one.statement


def _ordered(read: tuple[T, ...], order: Callable[[T], Any], path: str) -> tuple[T, ...]:
    """The same.

    Raises:
        Malformed: it is not in ascending order, or something is in it twice.
    """
    keys: Sequence[Any] = [order(one) for one in read]
    if not all(a < b for a, b in itertools.pairwise(keys)):
        raise malformed(ErrorCode.STATEMENT_MALFORMED, "items in ascending order, once each", "another order", path)
    return read


def _session(value: Value, path: str, chip_id: bytes) -> SessionShown:
    fields = Fields(value, path)
    statements = SessionStatements(
        session=read_octets(fields, "session", MOST_BYTES),
        bind=read_octets(fields, "bind", MOST_BYTES),
        evidence=read_octets(fields, "evidence", MOST_MANIFEST_BYTES),
        by_landmark=dict(
            _ordered(fields.items("landmarks", _landmark, most=MOST_LANDMARKS), lambda one: one[0], f"{path}.landmarks")
        ),
    )
    site = fields.map_or_none("site")
    read = SessionShown(
        statements=statements,
        chip=_chip(fields.map("chip"), chip_id),
        site=None if site is None else _site(site),
        documents=_ordered(read_documents(fields), digest, f"{path}.documents"),
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
        operators=fields.ascending("operators", _statement, most=MOST_ADMITTED),
        positions=fields.ascending("positions", _statement, most=MOST_ADMITTED),
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
    proof = fields.text("proof", most=16)
    if proof not in {*Proof}:
        expected, path = " or ".join(Proof), f"{fields.path}.proof"
        raise malformed(ErrorCode.STATEMENT_MALFORMED, expected, "another word", path)
    read = Terms(
        licensed=fields.text("licensed", least=0, most=MOST_AREA),
        excluded=fields.text("excluded", least=0, most=MOST_AREA),
        drawings={str(name): bytes(data) for name, data in drawings.items() if isinstance(data, bytes)},
        border_sha256=fields.text("border_sha256", least=64, most=64),
        border_error_m=fields.integer("border_error_m", most=1_000_000),
        fault_budget=fields.integer("fault_budget", most=MOST_LANDMARKS),
        proof=proof,
        window_ns=fields.integer("window_ns", least=1, most=LONGEST_WINDOW_NS),
    )
    fields.end()
    return read


def _verdict(value: Value, path: str) -> VerdictShown:
    fields = Fields(value, path)
    line = fields.value("line")
    if not isinstance(line, str) or len(line) > MOST_LINE:
        raise malformed(ErrorCode.STATEMENT_MALFORMED, f"a text of at most {MOST_LINE}", shown(line), f"{path}.line")
    read = VerdictShown(line=line, basis=fields.ascending("basis", octets(32), most=MOST_SESSIONS))
    fields.end()
    return read


def _logged(value: Value, path: str) -> Logged:
    fields = Fields(value, path)
    read = Logged(
        statement=fields.octets("statement", 32),
        commitment=read_octets(fields, "commitment", MOST_BYTES),
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
