"""Entries get their numbers in batches: one transaction, one signature and one round of witnesses for many.

A batch is whatever has come in while the one before was worked on. Nobody is answered before the checkpoint that
covers the entry is published, or the entry is known not to be kept. What is there already costs nobody a batch, a
signature or a witness's time: everybody can read it, and submit it again.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import structlog

from lightbound.errors import ErrorCode, Fault, LightboundError, Unavailable
from lightbound.store.log import Head, LogStore, NewEntry, Note
from lightbound.tlog.note import read_note, with_lines

MOST_BATCH: Final = 4_096
"""Entries of one transaction; a million bytes."""

MOST_WAITING: Final = 65_536
"""Entries that wait for a batch. Whoever comes then is told to come again: memory stays bounded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sequenced:
    """What became of one submission."""

    numbers: tuple[int | None, ...]
    """Of each entry; None where another has its place."""
    note: Note
    """The published checkpoint, which covers them all."""


@dataclass(slots=True, kw_only=True)
class _Waiting:
    """A submission and whoever waits for it. Filled once."""

    entries: Sequence[NewEntry]
    future: asyncio.Future[Sequenced] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Sequencer:
    """Works on one batch after the other, in a task of its own."""

    def __init__(
        self,
        store: LogStore,
        signed: Callable[[Head], bytes],
        witnessed: Callable[[Note], Awaitable[bytes]],
        *,
        most_waiting: int = MOST_WAITING,
    ) -> None:
        """`signed` makes the checkpoint of a head; `witnessed` adds what cosignatures come in time."""
        self._store, self._signed, self._witnessed = store, signed, witnessed
        self._most_waiting = most_waiting
        self._waiting: list[_Waiting] = []
        self._came = asyncio.Event()
        self._working = asyncio.Lock()
        self._failed: str | None = None
        self.batches = 0

    @property
    def failure(self) -> str | None:
        """Why the newest batch failed; None if it did not."""
        return self._failed

    async def known(self, entries: Sequence[NewEntry]) -> Sequenced | None:
        """The numbers of these entries, if all of them are under the published checkpoint already; no batch is made.

        Raises:
            Unavailable: the database failed.
        """
        numbers = await asyncio.to_thread(self._store.known, entries)
        note = await asyncio.to_thread(self._store.published)
        if note is None or any(number is None or number >= note.size for number in numbers):
            return None
        return Sequenced(numbers=tuple(numbers), note=note)

    async def submit(self, entries: Sequence[NewEntry]) -> Sequenced:
        """The numbers of these entries, once they are on disk, signed for and published.

        Raises:
            Unavailable: too many wait, or the database failed: then the entries may be kept or not, and giving them
                again tells.
        """
        if sum(len(one.entries) for one in self._waiting) + len(entries) > self._most_waiting:
            fault = Fault(code=ErrorCode.RATE_LIMITED, expected="fewer entries at once", found="too many that wait")
            raise Unavailable(fault)
        waiting = _Waiting(entries=tuple(entries))
        self._waiting.append(waiting)
        self._came.set()
        return await waiting.future

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            await self._came.wait()
            batch, count = list[_Waiting](), 0
            while self._waiting and (not batch or count + len(self._waiting[0].entries) <= MOST_BATCH):
                batch.append(self._waiting.pop(0))
                count += len(batch[-1].entries)
            if not self._waiting:
                self._came.clear()
            await self._work(batch)

    async def _work(self, batch: Sequence[_Waiting]) -> None:
        entries = [entry for one in batch for entry in one.entries]
        try:
            async with self._working:
                numbers = await asyncio.to_thread(self._store.append, entries)
                note = await self._covering()
        except LightboundError as error:
            self._failed = str(error.faults[0])
            structlog.get_logger().error("batch failed", why=self._failed, entries=len(entries))
            for one in batch:
                if not one.future.done():
                    one.future.set_exception(type(error)(error.faults))
            return
        self._failed = None
        self.batches += 1
        start = 0
        for one in batch:
            mine = tuple(numbers[start : start + len(one.entries)])
            start += len(one.entries)
            if not one.future.done():
                one.future.set_result(Sequenced(numbers=mine, note=note))

    async def _covering(self) -> Note:
        """A published checkpoint over all that is on disk: the one that is there, if the batch brought nothing new."""
        note, head = await asyncio.to_thread(self._store.published), await asyncio.to_thread(self._store.head)
        return note if note is not None and note.size >= head.size else await self.checkpoint()

    async def checkpoint(self) -> Note:
        """Sign for all that is on disk, ask the witnesses, and publish.

        Raises:
            Unavailable: the database failed.
        """
        note = await asyncio.to_thread(self._store.sign, self._signed)
        data = await self._witnessed(note)
        before = await asyncio.to_thread(self._store.published)
        if before is not None and before.size == note.size:
            data = joined(data, before.data)
        return await asyncio.to_thread(self._store.publish, Note(size=note.size, data=data))

    async def again(self) -> Note:
        """The same beside the work, for witnesses that were not there before.

        Raises:
            Unavailable: the database failed.
        """
        async with self._working:
            return await self.checkpoint()


def joined(new: bytes, before: bytes) -> bytes:
    """A checkpoint with its newest line of each key: a witness that is away now does not take back what it cosigned."""
    note, other = read_note(new), read_note(before)
    keys = {(line.name, line.key_id) for line in note.signatures}
    kept = [line for line in other.signatures if (line.name, line.key_id) not in keys]
    return with_lines(note, kept).encoded() if note.text == other.text else new
