"""What a holder has of what landmarks said: statements, each with the opening of its entry in a log."""

from collections.abc import Mapping
from dataclasses import dataclass

from lightbound.canonical import cose
from lightbound.canonical.fields import Fields
from lightbound.errors import ErrorCode, LightboundError, refused
from lightbound.keys.ed25519 import VerifyingKey
from lightbound.ranging.sessions.receipts import read_numbered
from lightbound.ranging.statements.kinds import NUMBERED, Kind
from lightbound.tlog.entries import Commitment, Opening, Sequel, check_opening, read_opening
from lightbound.tlog.proof import read_proof


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A statement that a holder has, with what opens its entry."""

    landmark: bytes
    agent: bytes
    seq: int
    statement: bytes
    opening: Opening
    checkpoint: bytes = b""
    """The note that the receipt leads to; nothing of it has been believed."""
    file: str = ""
    """Where it is kept, for whoever is told of it."""

    @property
    def slot(self) -> bytes:
        """Where its entry stands."""
        return self._sequel(self.seq, self.opening.before).slot()

    @property
    def next_slot(self) -> bytes:
        """Where the entry of the next statement stands, if there is one."""
        return self._sequel(self.seq + 1, self.opening.link()).slot()

    def _sequel(self, seq: int, before: bytes | None) -> Sequel:
        return Sequel(landmark=self.landmark, agent=self.agent, seq=seq, before=before)


def read_held(statement: bytes, receipt: bytes, *, file: str = "") -> Held:
    """A statement with its receipt; who signed it, `check_held` looks at once the log was followed.

    Raises:
        Malformed, Refused: it is no numbered statement of a landmark, or the receipt has no opening.
    """
    envelope = cose.read(statement, what="statement")
    if envelope.kind not in NUMBERED:
        raise refused(ErrorCode.WRONG_TYPE, "OPEN, MEASUREMENT or ABORT", envelope.kind, "statement")
    fields = Fields.of(envelope.payload, Kind(envelope.kind).short)
    proof = read_proof(receipt, what="receipt")
    if proof.extra is None:
        raise refused(ErrorCode.DISCLOSURE_DIFFERS, "a receipt with an opening", "one without", "receipt")
    return Held(
        landmark=fields.octets("landmark", 16),
        agent=fields.octets("agent", 16),
        seq=fields.integer("seq"),
        statement=statement,
        opening=read_opening(proof.extra),
        checkpoint=proof.checkpoint,
        file=file,
    )


def check_held(held: Held, keys: Mapping[bytes, VerifyingKey]) -> None:
    """Nothing, if the landmark signed what is held, so that the log and the landmark can be blamed by it.

    Raises:
        Malformed, Refused: it did not, or the log has no POSITION of such a landmark.
    """
    key = keys.get(held.landmark)
    if key is None:
        raise refused(ErrorCode.NOT_ADMITTED, "a landmark of the log", held.landmark.hex(), "statement.landmark")
    read_numbered(held.statement, key)


def opens(held: Held, commitment: Commitment) -> bool:
    """Whether the commitment is to what is held, at its place."""
    try:
        check_opening(commitment, held.opening, held.statement, agent=held.agent, seq=held.seq)
    except LightboundError:
        return False
    return True
