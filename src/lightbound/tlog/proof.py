"""Proofs that stand by themselves (C2SP tlog-proof): an entry's number, its way to the root, and the checkpoint.

c2sp.org/tlog-proof@v1
extra <base64>                      what goes with it; an opening, of ours
index 73894
<base64 of each hash, from the bottom>

<checkpoint>
"""

import re
from dataclasses import dataclass
from typing import Final

from lightbound.errors import ErrorCode, Malformed, malformed, refused
from lightbound.tlog.base64_text import read_base64, write_base64
from lightbound.tlog.checkpoint import MOST_SIZE, Checkpoint, open_checkpoint, read_text
from lightbound.tlog.cosignature import Cosignature, cosignatures
from lightbound.tlog.merkle import DIGEST_BYTES, includes
from lightbound.tlog.note import MOST_BYTES, NoteKey, read_note

HEADER: Final = "c2sp.org/tlog-proof@v1"
MOST_HASHES: Final = 63
"""One for each level of the longest tree."""

_INDEX: Final = re.compile("index (0|[1-9][0-9]{0,18})")


@dataclass(frozen=True, slots=True, kw_only=True)
class LogProof:
    """A proof taken apart; nothing of it has been believed."""

    index: int
    hashes: tuple[bytes, ...]
    checkpoint: bytes
    extra: bytes | None = None

    def encoded(self) -> bytes:
        """The bytes of the file."""
        lines = [HEADER] if self.extra is None else [HEADER, f"extra {write_base64(self.extra)}"]
        lines += [f"index {self.index}", *map(write_base64, self.hashes), "", ""]
        return "\n".join(lines).encode() + self.checkpoint


def read_proof(data: bytes, *, what: str = "proof") -> LogProof:
    """A proof taken apart.

    Raises:
        Malformed: it is none.
    """
    if len(data) > 2 * MOST_BYTES:
        raise _malformed(f"at most {2 * MOST_BYTES} bytes", f"{len(data)}", what)
    head, gap, checkpoint = data.partition(b"\n\n")
    try:
        lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError as error:
        raise _malformed("ASCII before the checkpoint", "other bytes", what) from error
    if not gap or lines.pop(0) != HEADER:
        raise _malformed(HEADER, "another format", what)
    extra = read_base64(lines.pop(0)[6:], what) if lines and lines[0].startswith("extra ") else None
    index = _INDEX.fullmatch(lines.pop(0)) if lines else None
    if index is None or int(index[1]) >= MOST_SIZE:
        raise _malformed("a line with the index", "another", what)
    hashes = tuple(read_base64(line, what) for line in lines)
    if len(hashes) > MOST_HASHES or any(len(one) != DIGEST_BYTES for one in hashes):
        raise _malformed(f"at most {MOST_HASHES} hashes", f"{len(hashes)} others", what)
    return LogProof(index=int(index[1]), hashes=hashes, checkpoint=checkpoint, extra=extra)


def check_proof(
    proof: LogProof, entry: bytes, log: NoteKey, witnesses: tuple[NoteKey, ...] = (), *, what: str = "proof"
) -> tuple[Checkpoint, list[Cosignature]]:
    """The checkpoint of the log that holds the entry, and which of these witnesses cosigned it.

    Raises:
        Malformed: there is no checkpoint in it.
        Refused: not a checkpoint of this log, a cosignature does not hold, or the entry is not under its root.
    """
    read, note = open_checkpoint(proof.checkpoint, log, what=f"{what}.checkpoint")
    seen = cosignatures(note, witnesses, what=f"{what}.checkpoint")
    _check_leads(proof, entry, read, what)
    return read, seen


def check_way(proof: LogProof, entry: bytes, *, what: str = "proof") -> Checkpoint:
    """The checkpoint that the proof leads to from the entry, for who does not know the log: nobody's word for it yet.

    Raises:
        Malformed: there is no checkpoint in it.
        Refused: the entry is not under its root.
    """
    read = read_text(read_note(proof.checkpoint, what=f"{what}.checkpoint").text, what=f"{what}.checkpoint")
    _check_leads(proof, entry, read, what)
    return read


def _check_leads(proof: LogProof, entry: bytes, checkpoint: Checkpoint, what: str) -> None:
    if not includes(entry, proof.index, checkpoint.size, proof.hashes, checkpoint.root):
        raise refused(ErrorCode.SIGNATURE_INVALID, "a proof that leads to the root", "one that does not", what)


def _malformed(expected: str, found: str, what: str) -> Malformed:
    return malformed(ErrorCode.STATEMENT_MALFORMED, expected, found, what)
