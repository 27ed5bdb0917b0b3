"""Checkpoints (C2SP tlog-checkpoint): a signed note that says how long a log is, and which root it has.

log.example/lightbound
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=
"""

import re
from dataclasses import dataclass
from typing import Final

from lightbound.errors import ErrorCode, malformed, refused
from lightbound.keys.ed25519 import SigningKey, VerifyingKey
from lightbound.keys.purposes import Purpose
from lightbound.tlog.base64_text import read_base64, write_base64
from lightbound.tlog.merkle import DIGEST_BYTES
from lightbound.tlog.note import Algorithm, NoteKey, SignedNote, check_single, read_note, write_note

MOST_SIZE: Final = 2**63 - 1
"""As much as fits into a signed integer of 64 bits, in which databases and other programs keep it."""

_SIZE: Final = re.compile("0|[1-9][0-9]{0,18}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """How long a log is, and the root over all of it."""

    origin: str
    """Which log it is."""
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()
    """Lines that we write none of and keep as they are."""

    def text(self) -> str:
        """What is signed."""
        lines = (self.origin, str(self.size), write_base64(self.root), *self.extensions)
        return "".join(f"{line}\n" for line in lines)


def read_text(text: str, *, what: str = "checkpoint") -> Checkpoint:
    """What the text of a note says of a log.

    Raises:
        Malformed: it is no checkpoint.
    """
    origin, *rest = text.removesuffix("\n").split("\n")
    if len(rest) < 2 or not origin or not all(rest):
        raise malformed(ErrorCode.STATEMENT_MALFORMED, "lines of origin, size and root", "another text", what)
    size, root, *extensions = rest
    if _SIZE.fullmatch(size) is None or int(size) > MOST_SIZE:
        raise malformed(ErrorCode.STATEMENT_MALFORMED, "a size in decimal", "another text", f"{what}.size")
    hashed = read_base64(root, f"{what}.root")
    if len(hashed) != DIGEST_BYTES:
        raise malformed(ErrorCode.STATEMENT_MALFORMED, f"{DIGEST_BYTES} bytes in base64", "another", f"{what}.root")
    return Checkpoint(origin=origin, size=int(size), root=hashed, extensions=tuple(extensions))


def sign_checkpoint(checkpoint: Checkpoint, key: SigningKey) -> bytes:
    """The note of a log about itself, under its origin as the name of its key."""
    return write_note(checkpoint.text(), checkpoint.origin, key)


def log_key(origin: str, key: VerifyingKey) -> NoteKey:
    """The key of a log as notes know it."""
    return NoteKey(name=origin, algorithm=Algorithm.ED25519, raw=key.raw)


def open_checkpoint(data: bytes, log: NoteKey, *, what: str = "checkpoint") -> tuple[Checkpoint, SignedNote]:
    """What a log signed about itself, and the note with whatever other lines it has.

    Says that this log is so long and has this root, in the log's own words. That it says so to everybody, only
    cosignatures of witnesses show.

    Raises:
        Malformed: it is no checkpoint.
        Refused: of another log, not signed by this key, or the signature does not hold.
    """
    note = read_note(data, what=what)
    read = read_text(note.text, what=what)
    line = check_single(note, log, what)
    key = VerifyingKey(purpose=Purpose.LOG, raw=log.raw)
    if log.algorithm is not Algorithm.ED25519 or not key.verifies(line.signature, note.text.encode()):
        raise refused(ErrorCode.SIGNATURE_INVALID, f"the signature of {log.name}", "another", what)
    if read.origin != log.name:
        raise refused(ErrorCode.WRONG_KEY, f"a checkpoint of {log.name}", f"of {read.origin}", what)
    return read, note
