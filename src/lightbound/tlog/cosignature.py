"""Cosignatures (C2SP tlog-cosignature): a witness says that what it saw of a log until then continues in this note.

What is signed is "cosignature/v1", a line with the time, and the text of the note. What is written is the time in eight
bytes, and the signature.
"""

from dataclasses import dataclass
from typing import Final

from lightbound.canonical.fields import MOST_NS
from lightbound.errors import ErrorCode, malformed, refused
from lightbound.keys.ed25519 import SIGNATURE_BYTES, SigningKey, VerifyingKey
from lightbound.keys.purposes import Purpose
from lightbound.tlog.note import Algorithm, NoteKey, NoteSignature, SignedNote

MOST_S: Final = MOST_NS // 10**9


@dataclass(frozen=True, slots=True, kw_only=True)
class Cosignature:
    """Which witness cosigned, and when by its own clock."""

    witness: NoteKey
    at_s: int


def witness_key(name: str, key: VerifyingKey) -> NoteKey:
    """The key of a witness as notes know it."""
    return NoteKey(name=name, algorithm=Algorithm.COSIGNATURE, raw=key.raw)


def cosign_text(text: str, name: str, key: SigningKey, *, at_s: int) -> NoteSignature:
    """The line of a witness under a text. It must have kept what it saw before it gives this out."""
    signature = at_s.to_bytes(8, "big") + key.sign(_signed(text, at_s))
    return NoteSignature(name=name, key_id=witness_key(name, key.verifying).key_id, signature=signature)


def read_cosignature(line: NoteSignature, text: str, witness: NoteKey, *, what: str = "cosignature") -> Cosignature:
    """That this witness cosigned this text.

    Raises:
        Malformed: the line is none of a cosignature.
        Refused: of another witness, or the signature does not hold.
    """
    if len(line.signature) != 8 + SIGNATURE_BYTES:
        raise malformed(ErrorCode.STATEMENT_MALFORMED, "a time and a signature", f"{len(line.signature)} bytes", what)
    if (line.name, line.key_id) != (witness.name, witness.key_id):
        raise refused(ErrorCode.WRONG_KEY, f"the witness {witness.name}", line.name, what)
    at_s = int.from_bytes(line.signature[:8], "big")
    key = VerifyingKey(purpose=Purpose.WITNESS, raw=witness.raw)
    if not key.verifies(line.signature[8:], _signed(text, at_s)) or at_s > MOST_S:
        raise refused(ErrorCode.SIGNATURE_INVALID, f"the cosignature of {witness.name}", "another", what)
    return Cosignature(witness=witness, at_s=at_s)


def cosignatures(note: SignedNote, witnesses: tuple[NoteKey, ...], *, what: str = "checkpoint") -> list[Cosignature]:
    """The newest cosignature of each of these witnesses that has one; lines of others are passed over.

    Raises:
        Malformed, Refused: a line of one of them does not hold.
    """
    found = []
    for witness in witnesses:
        read = [read_cosignature(line, note.text, witness, what=what) for line in note.of(witness)]
        if read:
            found.append(max(read, key=lambda one: one.at_s))
    return found


def _signed(text: str, at_s: int) -> bytes:
    return f"cosignature/v1\ntime {at_s}\n{text}".encode()
