"""One request to a witness: whether it cosigns, and that it has kept what it saw before it does.

1. The request is one, and its checkpoint is signed by a key that is known for its log.
2. It continues what is kept of this log (`tlog.witness.judge`).
3. The new size and root are on disk, in the place of those that were compared with. If they changed meanwhile, 2 again.
4. The cosignature is made.

A checkpoint that its log signed and that is refused is kept: if the log is forked, this is the proof.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import structlog

from lightbound.errors import ErrorCode, Fault, Unavailable, refused
from lightbound.keys.ed25519 import SigningKey
from lightbound.store.witness import Cosigned, NotCosigned, WitnessStore
from lightbound.tlog.checkpoint import Checkpoint, open_checkpoint, read_text
from lightbound.tlog.cosignature import cosign_text
from lightbound.tlog.note import NoteKey, SignedNote, read_note
from lightbound.tlog.witness import (
    NOTHING,
    Continues,
    Elsewhere,
    Forked,
    Judged,
    Seen,
    Unproven,
    judge,
    read_add_checkpoint,
)

TRIES: Final = 16
"""Each lost race means that another request was answered; whoever loses so many waits and asks again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """No key of a log with this name was given to this witness."""

    origin: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """The cosignature, with its line end."""

    text: str
    origin: str
    size: int


Answer: TypeAlias = Line | Unknown | Elsewhere | Forked | Unproven


class Witness:
    """A witness of some logs. Any number of threads and processes may ask one over the same store."""

    def __init__(
        self, name: str, key: SigningKey, logs: Sequence[NoteKey], store: WitnessStore, now_s: Callable[[], int]
    ) -> None:
        """`logs` are the keys that are believed, each for the log of its name; `now_s` is the clock."""
        self._name, self._key, self._store, self._now_s = name, key, store, now_s
        self._logs: Mapping[str, list[NoteKey]] = {one.name: [] for one in logs}
        for one in logs:
            self._logs[one.name].append(one)
        self.is_failing = False
        """Whether the newest request ended because the store or the clock did not do what they must."""

    def add(self, body: bytes) -> Answer:
        """What is answered to a request.

        Raises:
            Malformed: it is none.
            Refused: the checkpoint is not signed by a key that is known for its log.
            Unavailable: the store failed, or the clock ran back; nothing is cosigned.
        """
        try:
            answer = self._add(body)
        except Unavailable:
            self.is_failing = True
            raise
        self.is_failing = False
        return answer

    def _add(self, body: bytes) -> Answer:
        asked = read_add_checkpoint(body)
        note = read_note(asked.checkpoint, what="checkpoint")
        origin = read_text(note.text).origin
        if origin not in self._logs:
            return Unknown(origin=origin)
        known = [key for key in self._logs[origin] if note.of(key)]
        if not known:
            raise refused(ErrorCode.WRONG_KEY, f"a signature by a known key of {origin}", "none", "checkpoint")
        # A log that changes its key has two for a while: one is enough, and each that signed must hold.
        checkpoint, *_ = [open_checkpoint(asked.checkpoint, key)[0] for key in known]
        signed = SignedNote(text=note.text, signatures=tuple(line for key in known for line in note.of(key))).encoded()
        for _ in range(TRIES):
            before = self._store.cosigned(origin)
            judged = judge(NOTHING if before is None else before.seen, asked, checkpoint)
            if not isinstance(judged, Continues):
                self._keep(judged, checkpoint, signed, before)
                return judged
            at_s = self._now_s()
            if before is not None and at_s < before.at_s:
                raise _clock_ran_back(before.at_s, at_s)
            # If we die after this, it is kept and nothing was cosigned: whoever asks is told the size, and asks again.
            if self._store.move(before, origin, judged.now, signed, at_s=at_s):
                line = cosign_text(note.text, self._name, self._key, at_s=at_s)
                return Line(text=line.line(), origin=origin, size=checkpoint.size)
        fault = Fault(code=ErrorCode.WRITE_FAILED, expected="the newest size to stay for a moment", found="another")
        raise Unavailable(fault)

    def _keep(self, judged: Judged, checkpoint: Checkpoint, signed: bytes, before: Cosigned | None) -> None:
        if isinstance(judged, Elsewhere):
            return
        why = "forked" if isinstance(judged, Forked) else "unproven"
        size = 0 if before is None else before.seen.size
        structlog.get_logger().warning(why, origin=checkpoint.origin, size=checkpoint.size, cosigned=size)
        self._store.keep_refused(
            NotCosigned(
                origin=checkpoint.origin,
                seen=Seen(size=checkpoint.size, root=checkpoint.root),
                why=why,
                note=signed,
                beside=None if before is None else before.note,
                at_s=self._now_s(),
            )
        )


def _clock_ran_back(before_s: int, now_s: int) -> Unavailable:
    """A cosignature says what was the newest at its time; two that say so in the wrong order contradict each other."""
    return Unavailable(
        Fault(
            code=ErrorCode.CLOCK_DISAGREES,
            expected=f"a time from {before_s} on, that of the last cosignature",
            found=f"{now_s}",
            next="set the clock of the witness right",
        )
    )
