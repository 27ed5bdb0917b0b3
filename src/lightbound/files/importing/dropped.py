"""What an import left out, and why: a closed list of reasons, their counts, and where the malformed items stand.

Files of other tools are mixed: a measurement network writes down what failed as well as what worked. So an import
goes on past what it cannot use. But nothing disappears: every item, reply or rest of a file that did not become a
row is counted under one reason.
"""

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

from lightbound.errors import ErrorCode, Fault, Malformed

EXAMPLES_KEPT: Final = 20
"""So many malformed items are told in full; past them a person fixes the cause."""


class Unit(StrEnum):
    """What a reason counts."""

    FILE = "file"
    ITEM = "item"
    """A result of a JSON file, a row of a CSV file, a line of what a tool printed."""
    REPLY = "reply"
    """One answer, or one request without an answer; an item can hold several."""


class Reason(StrEnum):
    """The closed list of reasons; `docs/importing.md` explains each and a test holds the two together."""

    UNREADABLE = "unreadable"
    MALFORMED = "malformed"
    OTHER_KIND = "other_kind"
    UNRESOLVED = "unresolved"
    NO_REPLY = "no_reply"
    ERROR_ONLY = "error_only"
    NO_USABLE_REPLY = "no_usable_reply"
    CLOCK_NOT_SYNCED = "clock_not_synced"
    NOT_ANCHOR = "not_anchor"
    UNPLACED_LANDMARK = "unplaced_landmark"
    TIMEOUT = "timeout"
    ERROR_REPLY = "error_reply"
    DUPLICATE_REPLY = "duplicate_reply"
    OTHER_SOURCE = "other_source"
    DAMAGED_REPLY = "damaged_reply"
    NO_DURATION = "no_duration"
    NOT_POSITIVE = "not_positive"
    NO_TIME = "no_time"

    @property
    def unit(self) -> Unit:
        """What it counts."""
        return MEANING[self][0]

    @property
    def meaning(self) -> str:
        """What it says, in a few words."""
        return MEANING[self][1]


MEANING: Final[dict[Reason, tuple[Unit, str]]] = {
    Reason.UNREADABLE: (Unit.FILE, "broken or cut off; what follows was not read"),
    Reason.MALFORMED: (Unit.ITEM, "not as its format says"),
    Reason.OTHER_KIND: (Unit.ITEM, "another kind of measurement, or no measurement"),
    Reason.UNRESOLVED: (Unit.ITEM, "the target's name could not be resolved"),
    Reason.NO_REPLY: (Unit.ITEM, "nothing answered in time"),
    Reason.ERROR_ONLY: (Unit.ITEM, "no answer, and at least one error"),
    Reason.NO_USABLE_REPLY: (Unit.ITEM, "answers, and none that can be used"),
    Reason.CLOCK_NOT_SYNCED: (Unit.ITEM, "the probe's clock was not known to be right lately"),
    Reason.NOT_ANCHOR: (Unit.ITEM, "its landmark is not an anchor"),
    Reason.UNPLACED_LANDMARK: (Unit.ITEM, "no position is known for its landmark"),
    Reason.TIMEOUT: (Unit.REPLY, "not answered in time"),
    Reason.ERROR_REPLY: (Unit.REPLY, "an error instead of an answer"),
    Reason.DUPLICATE_REPLY: (Unit.REPLY, "a second answer to the same request"),
    Reason.OTHER_SOURCE: (Unit.REPLY, "the answer of another address"),
    Reason.DAMAGED_REPLY: (Unit.REPLY, "cut short, or not what was sent"),
    Reason.NO_DURATION: (Unit.REPLY, "no round trip is given"),
    Reason.NOT_POSITIVE: (Unit.REPLY, "a round trip of zero or less"),
    Reason.NO_TIME: (Unit.REPLY, "no time, in a file that gives times"),
}


class Where(NamedTuple):
    """Place of an item: the line of a text file, or else the item's number in its array, both counted from 1."""

    file: str
    line: int | None = None
    item: int | None = None

    def __str__(self) -> str:
        """The place as a fault tells it."""
        if self.line is not None:
            return f"{self.file} line {self.line}"
        return self.file if self.item is None else f"{self.file} item {self.item}"


class WrongField(Exception):
    """One field of an item is not as its format says. Never leaves this package: who catches it knows the place."""

    def __init__(self, field: str | None, expected: str, found: str, code: ErrorCode) -> None:
        """Keep what a `Malformation` needs, the place aside."""
        super().__init__(field)
        self.field, self.expected, self.found, self.code = field, expected, found, code


@dataclass(frozen=True, slots=True, kw_only=True)
class Malformation:
    """One malformed item: where it stands, which field, what was expected, what was found."""

    reason: Reason
    where: Where
    field: str | None
    expected: str
    found: str
    code: ErrorCode

    def __str__(self) -> str:
        """One line for a person."""
        field = "" if self.field is None else f", field {self.field}"
        return f"{self.where}{field}: expected {self.expected}, found {self.found}"

    def fault(self) -> Fault:
        """The same as a fault. Those have no number of an item, which therefore stands with the file."""
        where = self.where
        file = where.file if where.item is None else str(where)
        return Fault(
            code=self.code,
            expected=self.expected,
            found=self.found,
            file=file,
            line=where.line,
            column=self.field,
        )


class Tally:
    """Counts of what one import read and left out, and the first malformed items.

    Not frozen: it is handed down through the reading of all files, and asked at the end.
    """

    def __init__(self) -> None:
        """Start with nothing."""
        self.items = 0
        """Results, rows or lines looked at."""
        self.counts: Counter[Reason] = Counter()
        self.examples: list[Malformation] = []

    def drop(self, reason: Reason, count: int = 1) -> None:
        """Count what was left out for a reason that does not need a place."""
        if count:
            self.counts[reason] += count

    def malformed(self, where: Where, wrong: WrongField, *, reason: Reason = Reason.MALFORMED) -> None:
        """Count a malformed item, or a file that cannot be read on, and keep the first ones with their places."""
        self.counts[reason] += 1
        if len(self.examples) < EXAMPLES_KEPT:
            self.examples.append(
                Malformation(
                    reason=reason,
                    where=where,
                    field=wrong.field,
                    expected=wrong.expected,
                    found=wrong.found,
                    code=wrong.code,
                )
            )

    @property
    def total_malformed(self) -> int:
        """Malformed items and unreadable files."""
        return self.counts[Reason.MALFORMED] + self.counts[Reason.UNREADABLE]

    def raise_if_malformed(self) -> None:
        """Raise one `Malformed` with the first malformed items, if there is any: for an import that is strict."""
        if self.total_malformed:
            raise Malformed([example.fault() for example in self.examples], total=self.total_malformed)

    def nothing_usable(self, file: str) -> Malformed:
        """What to raise where not a single row came out."""
        faults = [example.fault() for example in self.examples]
        others = [f"{count:,} {reason}" for reason, count in self.counts.items() if reason is not Reason.MALFORMED]
        faults.insert(
            0,
            Fault(
                code=ErrorCode.FILE_EMPTY,
                expected="at least one usable round trip",
                found=f"none in {self.items:,} items" + (f" ({', '.join(others)})" if others else ""),
                file=file,
            ),
        )
        return Malformed(faults, total=1 + self.total_malformed)
