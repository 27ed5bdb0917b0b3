"""That what a landmark said stands in a log: the entry that stands for it, and the proof that the entry is there.

A landmark hands out all of a session at `/clp1/sessions/{digest of SESSION}/logged` (`docs/spec/log.md`). Fetching and
keeping them is the business of agents and verifiers.
"""

from dataclasses import dataclass

from lightbound.canonical import cose
from lightbound.canonical.cbor import decode
from lightbound.canonical.fields import shown
from lightbound.errors import ErrorCode, malformed, refused
from lightbound.keys.ed25519 import VerifyingKey
from lightbound.ranging.statements.kinds import NUMBERED, Kind
from lightbound.ranging.statements.measurement import Abort, Measurement, read_abort, read_measurement
from lightbound.ranging.statements.opening import Link, Open, read_open
from lightbound.tlog.entries import check_opening, read_commitment, read_opening, write_entry
from lightbound.tlog.note import NoteKey
from lightbound.tlog.proof import check_proof, check_way, read_proof


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbered:
    """A statement that a landmark numbered, by its signature."""

    kind: Kind
    session: bytes
    """Digest of SESSION."""
    link: Link
    at_ns: int
    """When it was said, or of a MEASUREMENT when its last round was answered: by the landmark's clock, and its word."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """That a statement stands in a log, as a landmark hands it out; nothing of it has been believed."""

    commitment: bytes
    """The landmark's COMMITMENT to it."""
    proof: bytes
    """tlog-proof, with the opening in it."""


def read_numbered(data: bytes, landmark: VerifyingKey) -> Numbered:
    """What a statement of a landmark is about, and where it stands in its sequence.

    Raises:
        Malformed, Refused: it has no number, or is not by this key.
    """
    kind = cose.read(data, what="statement").kind
    said: Open | Measurement | Abort
    match kind:
        case Kind.OPEN:
            said = read_open(data, landmark)
        case Kind.MEASUREMENT:
            said = read_measurement(data, landmark)
        case Kind.ABORT:
            said = read_abort(data, landmark)
        case _:
            raise refused(ErrorCode.WRONG_TYPE, " or ".join(one.short for one in NUMBERED), kind, "statement")
    at_ns = said.to_ns if isinstance(said, Measurement) else said.at_ns
    return Numbered(kind=Kind(kind), session=said.session, link=said.link, at_ns=at_ns)


def read_logged(body: bytes, *, most_bytes: int) -> dict[bytes, Receipt]:
    """The receipts that a landmark hands out, by the digest of the statement.

    Raises:
        Malformed: it is something else.
    """
    told = decode(body, what="logged", most_bytes=most_bytes)
    found = {}
    for one in told if isinstance(told, list) else [None]:
        match one:
            case [bytes() as name, bytes() as commitment, bytes() as proof]:
                found[name] = Receipt(commitment=commitment, proof=proof)
            case _:
                raise malformed(ErrorCode.STATEMENT_MALFORMED, "[digest, commitment, receipt]", shown(one), "logged")
    return found


def check_receipt(statement: bytes, receipt: Receipt, *, landmark: VerifyingKey, log: NoteKey | None) -> None:
    """Nothing, if a log holds what commits the landmark to this statement, as whoever checks a bundle will ask.

    1. The entry is under a checkpoint that the log signed; of a log that is not known here (None), under the root that
       the receipt itself names, whoever signed that. Who cosigned it is not asked.
    2. The landmark signed it.
    3. The opening in the proof opens it to this statement, where the statement says that it stands.

    A receipt for something else, kept once, would stay: the log seems to hold what it does not, until somebody checks
    it who needs it.

    Raises:
        Malformed, Refused: a step that does not hold.
    """
    proof = read_proof(receipt.proof)
    if log is None:
        check_way(proof, write_entry(receipt.commitment))
    else:
        check_proof(proof, write_entry(receipt.commitment), log)
    commitment = read_commitment(receipt.commitment, landmark)
    if proof.extra is None:
        raise refused(ErrorCode.DISCLOSURE_DIFFERS, "what opens the commitment", "none", "proof.extra")
    link = read_numbered(statement, landmark).link
    check_opening(commitment, read_opening(proof.extra), statement, agent=link.agent, seq=link.seq)
