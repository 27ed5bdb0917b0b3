"""What a log entry is: a statement in clear, or a landmark's commitment to one.

    entry      = CBOR ["lightbound.entry/1", statement]
    commitment = SHA-256(CBOR ["lightbound.log/1 commitment", salt, statement])
    link       = SHA-256(CBOR ["lightbound.log/1 link", salt])
    slot       = SHA-256(CBOR ["lightbound.log/1 slot", landmark, agent, seq, link of the one before, or null])

A commitment shows whose it is and nothing about what: no chip, no agent, no place. Its slot says where in the
landmark's sequence about one agent it stands, to whoever holds the opening of the one before and to nobody else. That
a slot is taken once, everybody can check.
"""

import hashlib
import hmac
from dataclasses import dataclass
from typing import Final

from lightbound.canonical import cose
from lightbound.canonical.cbor import Value, decode, encode
from lightbound.canonical.cose import Envelope
from lightbound.canonical.fields import Fields, shown
from lightbound.errors import ErrorCode, malformed, refused
from lightbound.keys.ed25519 import SigningKey, VerifyingKey
from lightbound.keys.purposes import Purpose
from lightbound.keys.signing import check_signature, sign

COMMITMENT: Final = "lightbound.commitment/1"
"""Type of the statement that stands for another one. Signed by a landmark."""

MOST_ENTRY_BYTES: Final = 65_535
"""What the two bytes before an entry in a bundle can say (tlog-tiles)."""

SALT_BYTES: Final = 32
"""As long as the digest: a shorter one would let one guess be tried against many entries at once."""

_ENTRY: Final = "lightbound.entry/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Commitment:
    """A landmark has said something, and will not be able to say later that it was something else."""

    landmark: bytes
    """Id of the key that signed."""
    slot: bytes
    commitment: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Sequel:
    """Where a statement stands in what one landmark has said about one agent."""

    landmark: bytes
    agent: bytes
    seq: int
    before: bytes | None
    """Link of the statement before; None of number 0."""

    def slot(self) -> bytes:
        """Where its entry stands, 32 bytes that say nothing to whoever lacks `before`."""
        inputs: list[Value] = ["lightbound.log/1 slot", self.landmark, self.agent, self.seq, self.before]
        return hashlib.sha256(encode(inputs)).digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """What shows that an entry is about a statement: handed to whoever is given the statement, and to nobody else."""

    salt: bytes
    before: bytes | None

    def link(self) -> bytes:
        """What the slot of the next entry is made with."""
        return hashlib.sha256(encode(["lightbound.log/1 link", self.salt])).digest()

    def commitment(self, statement: bytes) -> bytes:
        """The salted digest of a statement, 32 bytes."""
        return hashlib.sha256(encode(["lightbound.log/1 commitment", self.salt, statement])).digest()

    def encoded(self) -> bytes:
        """How it travels."""
        return encode([self.salt, self.before])


def read_opening(data: bytes) -> Opening:
    """An opening as it travels; what it opens, `check_opening` says.

    Raises:
        Malformed: it is none.
    """
    match decode(data, what="opening"):
        case [bytes() as salt, (bytes() | None) as before] if len(salt) == SALT_BYTES and len(before or salt) == 32:
            return Opening(salt=salt, before=before)
        case other:
            raise malformed(ErrorCode.STATEMENT_MALFORMED, "[salt, link before or null]", shown(other), "opening")


def write_entry(statement: bytes) -> bytes:
    """The entry of a statement.

    Raises:
        Malformed: it is too long for one.
    """
    entry = encode([_ENTRY, statement])
    if len(entry) > MOST_ENTRY_BYTES:
        raise malformed(ErrorCode.STATEMENT_MALFORMED, f"at most {MOST_ENTRY_BYTES} bytes", f"{len(entry)}", "entry")
    return entry


def read_entry(data: bytes) -> tuple[str, bytes]:
    """The type and the bytes of the statement in an entry; nothing about its signature has been believed.

    Raises:
        Malformed: it is no entry.
    """
    match decode(data, what="entry"):
        case [str() as label, bytes() as statement] if label == _ENTRY and len(data) <= MOST_ENTRY_BYTES:
            return cose.read(statement, what="entry.statement").kind, statement
        case other:
            raise malformed(ErrorCode.STATEMENT_MALFORMED, f'["{_ENTRY}", statement]', shown(other), "entry")


def write_commitment(commitment: Commitment, key: SigningKey) -> bytes:
    """The statement COMMITMENT, signed by the landmark."""
    if key.purpose is not Purpose.LANDMARK or key.key_id != commitment.landmark:
        raise ValueError("a commitment is signed by the landmark that it names")
    payload: dict[str, Value] = {
        "landmark": commitment.landmark,
        "slot": commitment.slot,
        "commitment": commitment.commitment,
    }
    return sign(COMMITMENT, encode(payload), key)


def commitment_said(data: bytes) -> Commitment:
    """What a COMMITMENT says, whoever signed it: to find the key that it has to be checked with.

    Raises:
        Malformed, Refused: not such a statement.
    """
    envelope = cose.read(data, what=COMMITMENT)
    if envelope.kind != COMMITMENT:
        raise refused(ErrorCode.WRONG_TYPE, COMMITMENT, envelope.kind, "commitment")
    return _commitment(envelope.payload)


def read_commitment(data: bytes, landmark: VerifyingKey) -> Commitment:
    """That a landmark has committed itself, checked against its key.

    Raises:
        Malformed, Refused: not such a statement, or not by this key.
    """
    return commitment_in(cose.read(data, what=COMMITMENT), landmark)


def commitment_in(envelope: Envelope, landmark: VerifyingKey) -> Commitment:
    """The same of a statement that was taken apart already: a log checks thousands a second.

    Raises:
        Malformed, Refused: not such a statement, or not by this key.
    """
    if envelope.kind != COMMITMENT or not envelope.single:
        raise refused(ErrorCode.WRONG_TYPE, COMMITMENT, envelope.kind, "commitment")
    check_signature(envelope, 0, landmark)
    read = _commitment(envelope.payload)
    if read.landmark != landmark.key_id:
        raise refused(ErrorCode.WRONG_KEY, "the id of the key that signed", read.landmark.hex(), "commitment.landmark")
    return read


def check_opening(commitment: Commitment, opening: Opening, statement: bytes, *, agent: bytes, seq: int) -> None:
    """Nothing, if the commitment is to this statement, and stands where its number in the sequence says.

    That `before` is the link of the statement before, only the opening of that one shows.

    Raises:
        Refused: it is not, or stands elsewhere.
    """
    if not hmac.compare_digest(commitment.commitment, opening.commitment(statement)):
        raise refused(ErrorCode.DISCLOSURE_DIFFERS, "the statement and salt committed to", "others", "commitment")
    sequel = Sequel(landmark=commitment.landmark, agent=agent, seq=seq, before=opening.before)
    if (seq == 0) is not (opening.before is None) or not hmac.compare_digest(commitment.slot, sequel.slot()):
        raise refused(ErrorCode.SEQUENCE_BROKEN, f"the slot of number {seq}", "another", "commitment.slot")


def _commitment(payload: bytes) -> Commitment:
    fields = Fields.of(payload, "commitment")
    read = Commitment(
        landmark=fields.octets("landmark", cose.KEY_ID_BYTES),
        slot=fields.octets("slot", 32),
        commitment=fields.octets("commitment", 32),
    )
    fields.end()
    return read
