"""What a witness is asked, and what follows from what it saw before (C2SP tlog-witness).

old 20852014
<base64 of each hash of the consistency proof>

<checkpoint>
"""

import re
from dataclasses import dataclass
from typing import Final, TypeAlias

from lightbound.errors import ErrorCode, Malformed, malformed
from lightbound.tlog import merkle
from lightbound.tlog.base64_text import read_base64, write_base64
from lightbound.tlog.checkpoint import MOST_SIZE, Checkpoint
from lightbound.tlog.consistency import continues
from lightbound.tlog.note import MOST_BYTES

MOST_HASHES: Final = 63
"""As the specification has it."""

MOST_REQUEST_BYTES: Final = MOST_BYTES + 4_096
"""The longest note, and 63 lines of 45 bytes before it."""

_OLD: Final = re.compile("old (0|[1-9][0-9]{0,18})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """How long a log was and which root it had, as far as a witness has cosigned it."""

    size: int
    root: bytes


NOTHING: Final = Seen(size=0, root=merkle.root([]))
"""What was seen of a log that was never cosigned: every log begins with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AddCheckpoint:
    """A request taken apart; nothing of it has been believed."""

    old: int
    proof: tuple[bytes, ...]
    checkpoint: bytes

    def encoded(self) -> bytes:
        """The body of the request."""
        lines = [f"old {self.old}", *map(write_base64, self.proof), "", ""]
        return "\n".join(lines).encode() + self.checkpoint


@dataclass(frozen=True, slots=True, kw_only=True)
class Continues:
    """The checkpoint continues what was seen: it is cosigned once `now` is kept."""

    now: Seen


@dataclass(frozen=True, slots=True, kw_only=True)
class Elsewhere:
    """The proof begins at another size than was cosigned last: whoever asks tries again from there."""

    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Forked:
    """The log signed two roots for one size. Both checkpoints together are the proof of it."""

    seen: Seen


@dataclass(frozen=True, slots=True, kw_only=True)
class Unproven:
    """The proof does not lead there. Either it is a wrong one, or there is none because the log was forked."""


Judged: TypeAlias = Continues | Elsewhere | Forked | Unproven


def read_add_checkpoint(data: bytes, *, what: str = "request") -> AddCheckpoint:
    """A request taken apart.

    Raises:
        Malformed: it is none.
    """
    if len(data) > MOST_REQUEST_BYTES:
        raise _malformed(f"at most {MOST_REQUEST_BYTES} bytes", f"{len(data)}", what)
    head, gap, checkpoint = data.partition(b"\n\n")
    try:
        first, *rest = head.decode("ascii").split("\n")
    except UnicodeDecodeError as error:
        raise _malformed("ASCII before the checkpoint", "other bytes", what) from error
    old = _OLD.fullmatch(first)
    if not gap or old is None or int(old[1]) > MOST_SIZE:
        raise _malformed("a line with the old size", "another", what)
    if len(rest) > MOST_HASHES:
        raise _malformed(f"at most {MOST_HASHES} hashes", f"{len(rest)}", what)
    return AddCheckpoint(old=int(old[1]), proof=tuple(_hash(line, what) for line in rest), checkpoint=checkpoint)


def judge(seen: Seen, asked: AddCheckpoint, checkpoint: Checkpoint) -> Judged:
    """What follows for a checkpoint whose log has signed it, in the order of the specification.

    1. The proof begins no later than the checkpoint; else the request is none.
    2. It begins where the last cosigned checkpoint ended.
    3. Of one size there is one root.
    4. The proof shows that the longer tree has the shorter one at its beginning.

    Raises:
        Malformed: the old size is greater than the new one.
    """
    if asked.old > checkpoint.size:
        raise _malformed(f"an old size of at most {checkpoint.size}", f"{asked.old}", "request.old")
    if asked.old != seen.size:
        return Elsewhere(size=seen.size)
    if checkpoint.size == seen.size and checkpoint.root != seen.root:
        return Forked(seen=seen)
    if not continues(seen.size, seen.root, checkpoint.size, checkpoint.root, asked.proof):
        return Unproven()
    return Continues(now=Seen(size=checkpoint.size, root=checkpoint.root))


def _hash(line: str, what: str) -> bytes:
    data = read_base64(line, what)
    if len(data) != merkle.DIGEST_BYTES:
        raise _malformed(f"{merkle.DIGEST_BYTES} bytes in base64", "others", what)
    return data


def _malformed(expected: str, found: str, what: str) -> Malformed:
    return malformed(ErrorCode.STATEMENT_MALFORMED, expected, found, what)
