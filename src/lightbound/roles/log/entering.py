"""What becomes of a submission: each statement is checked, and what may be logged is given its number."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from lightbound.errors import LightboundError, Malformed, Refused
from lightbound.keys.rotation import ROTATION
from lightbound.ranging.statements.kinds import Kind
from lightbound.roles.log.admitting import Admitting
from lightbound.roles.log.sequencing import Sequencer
from lightbound.store.log import NewEntry, Note

SEVERAL: Final = (Kind.DIRECTORY, ROTATION)
"""Of these there is more than one place, and one that another took a moment ago says nothing about the next: the same
directory with other signatures may be entered beside it, and so may the second ROTATION of a key."""

LOOKS: Final = 3
"""How often one of these is looked at, where another was quicker each time. Then whoever submits is told."""

Ended: TypeAlias = int | LightboundError | None
"""The number of an entry, why it has none, or None: another one has its place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entering:
    """Enters submissions in one log."""

    admitting: Admitting
    sequencer: Sequencer
    now_ns: Callable[[], int]

    async def enter(self, statements: Sequence[bytes]) -> tuple[list[Ended], Note | None]:
        """What became of each, and a published checkpoint over all that have numbers; None if none was looked up.

        Each is checked by what the log held before: one that a directory beside it lets in is refused.

        Raises:
            Unavailable: too many wait, or the database failed: some may be kept, and giving them again tells.
        """
        ended = list[Ended]([None] * len(statements))
        left, note = list(range(len(statements))), None
        for _ in range(LOOKS):
            checked = await asyncio.to_thread(self._checked, [statements[at] for at in left])
            entries = [one for one in checked if isinstance(one, NewEntry)]
            numbers = list[int | None]()
            if entries:
                done = await self.sequencer.known(entries) or await self.sequencer.submit(entries)
                numbers, note = list(done.numbers), done.note
            again = list[int]()
            for at, one in zip(left, checked, strict=True):
                ended[at] = numbers.pop(0) if isinstance(one, NewEntry) else one
                if isinstance(one, NewEntry) and ended[at] is None and one.kind in SEVERAL:
                    again.append(at)
            left = again
            if not left:
                break
        return ended, note

    def _checked(self, statements: Sequence[bytes]) -> list[NewEntry | LightboundError]:
        """The entry of each, or why it is none. A database that failed says nothing of them, and is raised."""
        checked, now_ns = list[NewEntry | LightboundError](), self.now_ns()
        self.admitting.read_roll()
        for statement in statements:
            try:
                checked.append(self.admitting.check(statement, now_ns=now_ns))
            except (Malformed, Refused) as error:
                checked.append(error)
        return checked
