"""What one landmark has said about one agent, in order: gaps and forks show.

Every OPEN, MEASUREMENT and ABORT carries a number and the digest of the one before. Who has some of them can tell
which are missing before the newest that it has, and whether the landmark has told two stories. What it cannot tell is
what comes after the newest.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from lightbound.keys.signing import digest
from lightbound.ranging.statements.opening import Link


@dataclass(frozen=True, slots=True, kw_only=True)
class Linked:
    """A statement of a sequence, and its digest."""

    link: Link
    digest: bytes


@dataclass(slots=True, kw_only=True)
class Chain:
    """The newest statement of one landmark about one agent, shared by all their sessions, so that none forks it.

    Whoever owns the landmark has one for each agent, and keeps it across restarts.
    """

    newest: Linked | None = None

    def following(self, landmark: bytes, agent: bytes) -> Link:
        """The link of the statement that this landmark is to make now; ids of its key and of the enrolment key."""
        if self.newest is None:
            return Link(landmark=landmark, agent=agent, seq=0, prev=None)
        last = self.newest.link
        if (last.landmark, last.agent) != (landmark, agent):
            raise ValueError("the sequence is of another landmark, or about another agent")
        return Link(landmark=landmark, agent=agent, seq=last.seq + 1, prev=self.newest.digest)

    def add(self, link: Link, data: bytes) -> None:
        """The statement of this link has been made. To be stored with it, before it is given out."""
        self.newest = Linked(link=link, digest=digest(data))


@dataclass(frozen=True, slots=True, kw_only=True)
class Breaks:
    """What is wrong with one landmark's sequence about one agent. Nothing: all three are empty."""

    missing: tuple[int, ...]
    """Numbers below the newest that nobody has shown."""
    forked: tuple[int, ...]
    """Numbers that two different statements bear: the landmark, or somebody with its key, has told two stories."""
    unlinked: tuple[int, ...]
    """Numbers whose statement does not name the digest of the one before, which is there."""

    def __bool__(self) -> bool:
        """Whether anything is wrong."""
        return bool(self.missing or self.forked or self.unlinked)


def breaks(statements: Iterable[Linked]) -> Breaks:
    """What is wrong with the statements of one landmark about one agent, in any order, each any number of times.

    A range that is missing is told as its numbers up to a thousand, for a landmark can write any number.
    """
    at: defaultdict[int, dict[bytes, Linked]] = defaultdict(dict)
    for statement in statements:
        at[statement.link.seq][statement.digest] = statement
    missing: list[int] = []
    expected = 0
    for seq in sorted(at):
        missing += range(expected, min(seq, expected + 1_000 - len(missing)))
        expected = seq + 1
    unlinked = [
        seq
        for seq, here in sorted(at.items())
        if any(_is_unlinked(statement.link, at.get(seq - 1, {})) for statement in here.values())
    ]
    return Breaks(
        missing=tuple(missing),
        forked=tuple(seq for seq, here in sorted(at.items()) if len(here) > 1),
        unlinked=tuple(unlinked),
    )


def _is_unlinked(link: Link, before: dict[bytes, Linked]) -> bool:
    if link.seq == 0:
        return link.prev is not None
    return link.prev is None or bool(before and link.prev not in before)
