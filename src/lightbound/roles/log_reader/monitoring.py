"""What a log holds about a holder's own chips: all of it accounted for, by the openings that the holder has.

The holder has statements of landmarks with their receipts, which open its entries and nobody else's. From the opening
of one statement follows where the next one stands, so that an entry that the holder was never shown is found as well.

1. Each statement is signed by its landmark, with the key in a POSITION that the log holds.
2. Each checkpoint to which a receipt leads is the log's, and the log continues it.
3. Each statement has its entry; no number has two statements, none is left out, and none comes after the last.

Whatever is wrong with one statement or receipt is a finding beside the others. It does not see entries of an agent that
the holder has no statement about at all.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from lightbound.errors import ErrorCode, Fault, LightboundError, Malformed, Refused
from lightbound.keys.ed25519 import VerifyingKey
from lightbound.roles.log_reader.continuing import discontinued
from lightbound.roles.log_reader.findings import Findings
from lightbound.roles.log_reader.following import Followed
from lightbound.roles.log_reader.holding import Held, check_held, opens
from lightbound.roles.log_reader.source import Source, hashes_of
from lightbound.tlog.checkpoint import Checkpoint, open_checkpoint
from lightbound.tlog.entries import Commitment
from lightbound.tlog.note import NoteKey
from lightbound.tlog.tiles import TiledTree

MOST_FILES: Final = 4
"""Named in one line; the rest is counted."""


class Unaccounted(StrEnum):
    """The closed list of findings."""

    ALTERED = "altered"
    MISSING = "missing"
    GAP = "gap"
    UNOPENED = "unopened"
    TWO_STORIES = "two_stories"
    UNLINKED = "unlinked"
    UNREADABLE = "unreadable"
    NOT_ADMITTED = "not_admitted"
    UNSIGNED = "unsigned"
    FALSE_RECEIPT = "false_receipt"
    FORKED = "forked"
    BEHIND = "behind"
    UNCOMPARED = "uncompared"


_TOLD: Final = {
    Unaccounted.ALTERED: (ErrorCode.DISCLOSURE_DIFFERS, "the statement that is held"),
    Unaccounted.MISSING: (ErrorCode.ENTRY_MISSING, "an entry for the statement that is held"),
    Unaccounted.GAP: (ErrorCode.SEQUENCE_BROKEN, "every number of the sequence"),
    Unaccounted.UNOPENED: (ErrorCode.ENTRY_UNOPENED, "the opening of every entry about this agent"),
    Unaccounted.TWO_STORIES: (ErrorCode.SEQUENCE_BROKEN, "one statement of a number"),
    Unaccounted.UNLINKED: (ErrorCode.SEQUENCE_BROKEN, "a statement whose entry follows from the one before"),
}

_OF_A_RECEIPT: Final = {
    ErrorCode.LOG_FORKED: Unaccounted.FORKED,
    ErrorCode.LOG_BEHIND: Unaccounted.BEHIND,
    ErrorCode.LOG_DIFFERS: Unaccounted.UNCOMPARED,
}
"""What is said by which code; by any other, that the receipt is none of this log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Something that is not accounted for."""

    what: Unaccounted
    landmark: bytes | None = None
    agent: bytes | None = None
    seq: int | None = None
    """Which statement it is about, if that could be read."""
    entry: int | None = None
    """Number of the entry in question, if there is one."""
    files: tuple[str, ...] = ()
    """Where the statements that it is about are kept."""
    why: Fault | None = None
    """What is wrong with the statement or its receipt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Monitored:
    """What a look at a holder's statements came to."""

    found: list[Found]
    by_other_keys: tuple[Held, ...]
    """Whose receipts are under checkpoints that the log's key did not sign, and which the log holds all the same: the
    receipts are of another log, or of a key that this one had before. They show nothing, and nothing is missed by them.
    """


def monitored(
    source: Source, log: NoteKey, now: Checkpoint, held: Collection[Held], followed: Followed, *, from_the_first: bool
) -> Monitored:
    """What is wrong with what is held, by the log as it was followed up to `now`.

    Raises:
        Malformed, Unavailable: a tile of the log is not of the format, or cannot be read.
    """
    signed, found = list[Held](), list[Found]()
    for one in held:
        not_signed = _not_signed(one, followed.keys)
        if not_signed is None:
            signed.append(one)
        else:
            found.append(not_signed)
    wrong = check_receipts(source, log, now, held)
    there = {one for one in signed if _entry_of(one, followed.commitments) is not None}
    by_other_keys = list[Held]()
    for one in held:
        why = wrong.get(one.checkpoint)
        if why is None:
            continue
        if why.code is ErrorCode.WRONG_KEY and one in there:
            by_other_keys.append(one)
        else:
            found.append(_about(one, _OF_A_RECEIPT.get(why.code, Unaccounted.FALSE_RECEIPT), why))
    found += unaccounted(signed, followed.commitments, from_the_first=from_the_first, told=wrong)
    return Monitored(found=found, by_other_keys=tuple(by_other_keys))


def check_receipts(source: Source, log: NoteKey, now: Checkpoint, held: Iterable[Held]) -> dict[bytes, Fault]:
    """What is wrong with checkpoints to which receipts lead, by the note of each: nothing, if this log continues it.

    A receipt that leads to a checkpoint of this very history and whose statement the log does not hold never showed the
    statement, and is no word of the log.

    Raises:
        Malformed, Unavailable: a tile of the log is not of the format, or cannot be read.
    """
    tree = TiledTree(now.size, lambda tile: hashes_of(source, tile))
    wrong = dict[bytes, Fault]()
    for note in sorted({one.checkpoint for one in held}):
        try:
            before, _ = open_checkpoint(note, log, what="receipt.checkpoint")
        except (Malformed, Refused) as error:
            wrong[note] = error.faults[0]
            continue
        fault = discontinued(before, now, tree)
        if fault is not None:
            wrong[note] = replace(fault, column="receipt.checkpoint")
    return wrong


def unaccounted(
    held: Iterable[Held],
    commitments: Mapping[bytes, tuple[int, Commitment]],
    *,
    from_the_first: bool = True,
    told: Collection[bytes] = (),
) -> list[Found]:
    """What is not accounted for of signed statements, in the order of landmarks, agents and numbers.

    `from_the_first`: what a landmark said before the first statement that is held is missed too. `told`: checkpoints
    that something else is said of already, so that a statement under one is not called missing.
    """
    by_pair: dict[tuple[bytes, bytes], dict[int, list[Held]]] = {}
    found: list[Found] = []
    for one in held:
        by_pair.setdefault((one.landmark, one.agent), {}).setdefault(one.seq, []).append(one)
    for (landmark, agent), by_seq in sorted(by_pair.items()):
        for seq, those in sorted(by_seq.items()):
            if len({one.statement for one in those}) > 1:
                found.append(_about(those[0], Unaccounted.TWO_STORIES, files=tuple(one.file for one in those)))
            for one in those:
                entry = commitments.get(landmark + one.slot)
                if entry is not None and not opens(one, entry[1]):
                    found.append(_about(one, Unaccounted.ALTERED, entry=entry[0]))
                elif entry is None and one.checkpoint not in told:
                    found.append(_about(one, Unaccounted.MISSING))
            # An entry there that nothing held opens is a statement that is withheld, whatever is held of that number.
            next_ones = by_seq.get(seq + 1, [])
            held_slots = {one.slot for one in next_ones}
            after = [
                entry[0]
                for one in those
                if one.next_slot not in held_slots and (entry := commitments.get(landmark + one.next_slot))
            ]
            slots = {one.next_slot for one in those}
            found += [_about(one, Unaccounted.UNLINKED) for one in next_ones if one.slot not in slots]
            is_gap = not next_ones and seq < max(by_seq)
            if after or is_gap:
                what, number = Unaccounted.GAP if is_gap else Unaccounted.UNOPENED, min(after, default=None)
                found.append(Found(what=what, landmark=landmark, agent=agent, seq=seq + 1, entry=number))
        if from_the_first and 0 not in by_seq:
            found.append(Found(what=Unaccounted.GAP, landmark=landmark, agent=agent, seq=0))
    return found


def code_of(found: Found) -> ErrorCode:
    """By which code it is told."""
    return _TOLD[found.what][0] if found.why is None else found.why.code


def faults_of(found: Iterable[Found]) -> Findings:
    """How findings are told: of each code the first ones."""
    findings = Findings()
    for one in found:
        findings.add(_fault(one))
    return findings


def named(files: Sequence[str]) -> str:
    """The first of these files, and how many there are beside them."""
    more = len(files) - MOST_FILES
    return ", ".join(files[:MOST_FILES]) + (f" and {more} more" if more > 0 else "")


def _fault(one: Found) -> Fault:
    files = named(one.files)
    whose = (
        "" if one.landmark is None or one.agent is None else f"landmark {one.landmark.hex()}, agent {one.agent.hex()}"
    )
    if one.why is not None:
        column = ", ".join(part for part in (one.why.column, whose) if part)
        return replace(one.why, file=files or None, column=column or None)
    code, expected = _TOLD[one.what]
    return Fault(
        code=code,
        expected=expected,
        found=f"{one.what}: number {one.seq}" + ("" if one.entry is None else f", entry {one.entry}"),
        file=files or None,
        column=whose,
        next="keep both: the landmark's two signatures are the proof" if one.what is Unaccounted.TWO_STORIES else None,
    )


def _entry_of(one: Held, commitments: Mapping[bytes, tuple[int, Commitment]]) -> int | None:
    entry = commitments.get(one.landmark + one.slot)
    return None if entry is None or not opens(one, entry[1]) else entry[0]


def _not_signed(one: Held, keys: Mapping[bytes, VerifyingKey]) -> Found | None:
    try:
        check_held(one, keys)
    except LightboundError as error:
        why = error.faults[0]
        what = Unaccounted.UNSIGNED if one.landmark in keys else Unaccounted.NOT_ADMITTED
        return _about(one, what, why)
    return None


def _about(
    one: Held,
    what: Unaccounted,
    why: Fault | None = None,
    *,
    entry: int | None = None,
    files: tuple[str, ...] | None = None,
) -> Found:
    """A finding about this statement, in its file unless there are more."""
    files = (one.file,) if files is None else files
    return Found(
        what=what,
        landmark=one.landmark,
        agent=one.agent,
        seq=one.seq,
        entry=entry,
        files=tuple(file for file in files if file),
        why=why,
    )
