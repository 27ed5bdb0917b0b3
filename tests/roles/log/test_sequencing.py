"""Batches: everybody gets their own numbers, and a failure is told to whoever waits and to nobody after."""

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

import pytest
from sqlalchemy import Connection, event
from sqlalchemy.exc import OperationalError

from lightbound.errors import ErrorCode, Unavailable
from lightbound.keys.purposes import Purpose
from lightbound.roles.log.sequencing import Sequenced, Sequencer, joined
from lightbound.store.log import Note
from lightbound.tlog.checkpoint import Checkpoint, sign_checkpoint
from lightbound.tlog.cosignature import cosign_text
from lightbound.tlog.note import read_note, with_lines
from tests.ranging.parties import key, secret
from tests.store.logs import check_whole, entry, opened, signed

T = TypeVar("T")


async def not_witnessed(note: Note) -> bytes:
    return note.data


async def beside(sequencer: Sequencer, work: Coroutine[Any, Any, T]) -> T:
    """The result of some work while the sequencer runs."""
    runs = asyncio.create_task(sequencer.run())
    try:
        return await work
    finally:
        runs.cancel()


def test_everybody_gets_their_own_numbers_in_few_batches(tmp_path: Path) -> None:
    with opened(str(tmp_path / "db")) as (engine, store):
        sequencer = Sequencer(store, signed, not_witnessed)

        async def submit(name: int) -> Sequenced:
            return await sequencer.submit([entry(at, of=str(name)) for at in range(name % 4 + 1)])

        async def all_of_them() -> list[Sequenced]:
            return await asyncio.gather(*(submit(name) for name in range(200)))

        done = asyncio.run(beside(sequencer, all_of_them()))
        entries = check_whole(engine, store)
        assert sequencer.batches < 20
        for name, one in enumerate(done):
            numbers = [number for number in one.numbers if number is not None]
            assert [entries[number] for number in numbers] == [
                entry(at, of=str(name)).data for at in range(name % 4 + 1)
            ]
            assert all(number < one.note.size for number in numbers)


def test_a_failed_batch_is_told_and_the_next_one_goes_well(tmp_path: Path) -> None:
    with opened(str(tmp_path / "db")) as (engine, store):
        sequencer = Sequencer(store, signed, not_witnessed)
        fails = [True]

        def fail(_connection: Connection, _cursor: object, statement: str, *_: object) -> None:
            if fails and statement.startswith("INSERT INTO tiles"):
                fails.clear()
                raise OperationalError("injected", {}, Exception("the disk failed"))

        event.listen(engine, "before_cursor_execute", fail)

        async def twice() -> Sequenced:
            with pytest.raises(Unavailable):
                await sequencer.submit([entry(0)])
            assert sequencer.failure is not None
            return await sequencer.submit([entry(0)])

        assert asyncio.run(beside(sequencer, twice())).numbers == (0,)
        assert sequencer.failure is None
        assert check_whole(engine, store) == [entry(0).data]


def test_too_many_that_wait_are_told_to_come_again(tmp_path: Path) -> None:
    with opened(str(tmp_path / "db")) as (_engine, store):
        sequencer = Sequencer(store, signed, not_witnessed, most_waiting=3)

        async def crowd() -> ErrorCode:
            first = asyncio.create_task(sequencer.submit([entry(at) for at in range(3)]))
            await asyncio.sleep(0)
            with pytest.raises(Unavailable) as caught:
                await sequencer.submit([entry(4)])
            first.cancel()
            return caught.value.faults[0].code

        assert asyncio.run(crowd()) is ErrorCode.RATE_LIMITED


def test_whoever_goes_away_changes_nothing_for_the_others(tmp_path: Path) -> None:
    with opened(str(tmp_path / "db")) as (engine, store):
        sequencer = Sequencer(store, signed, not_witnessed)

        async def one_leaves() -> Sequenced:
            leaving = asyncio.create_task(sequencer.submit([entry(0)]))
            staying = asyncio.create_task(sequencer.submit([entry(1)]))
            await asyncio.sleep(0)
            leaving.cancel()
            return await staying

        assert asyncio.run(beside(sequencer, one_leaves())).numbers == (1,)
        assert len(check_whole(engine, store)) == 2


def test_what_is_under_the_published_checkpoint_is_known_and_what_is_only_on_disk_is_not(tmp_path: Path) -> None:
    with opened(str(tmp_path / "db")) as (_engine, store):
        sequencer = Sequencer(store, signed, not_witnessed)

        async def looked() -> None:
            assert await sequencer.known([entry(0)]) is None
            done = await beside(sequencer, sequencer.submit([entry(0), entry(1)]))
            assert await sequencer.known([entry(1), entry(0)]) == Sequenced(numbers=(1, 0), note=done.note)
            store.append([entry(2)])
            assert await sequencer.known([entry(0), entry(2)]) is None

        asyncio.run(looked())


def test_a_batch_that_brings_nothing_new_asks_no_witness_unless_something_is_unpublished(tmp_path: Path) -> None:
    with opened(str(tmp_path / "db")) as (_engine, store):
        asked = list[int]()

        async def witnessed(note: Note) -> bytes:
            asked.append(note.size)
            return note.data

        async def submitted() -> None:
            sequencer = Sequencer(store, signed, witnessed)
            first = await beside(sequencer, sequencer.submit([entry(0, place=0)]))
            again = await beside(sequencer, sequencer.submit([entry(0, place=0), entry(1, place=0)]))
            assert (again.numbers, again.note, asked) == ((0, None), first.note, [1])
            # Of a process that died before it published.
            store.append([entry(2)])
            late = await beside(sequencer, sequencer.submit([entry(2)]))
            assert (late.numbers, late.note.size, asked) == ((1,), 2, [1, 2])

        asyncio.run(submitted())


def test_a_witness_that_is_away_takes_nothing_back_and_one_that_cosigns_again_stands_once() -> None:
    here, away = key(Purpose.WITNESS, "here"), key(Purpose.WITNESS, "away")
    bare = sign_checkpoint(Checkpoint(origin="log.example", size=1, root=secret("root")), key(Purpose.LOG))
    text = read_note(bare).text
    first = [cosign_text(text, "here", here, at_s=1), cosign_text(text, "away", away, at_s=1)]
    before = with_lines(read_note(bare), first).encoded()
    now = with_lines(read_note(bare), [cosign_text(text, "here", here, at_s=2)]).encoded()
    lines = read_note(joined(now, before)).signatures
    assert [line.name for line in lines] == ["log.example", "here", "away"]
    assert int.from_bytes(lines[1].signature[:8], "big") == 2
    other = sign_checkpoint(Checkpoint(origin="log.example", size=2, root=secret("other")), key(Purpose.LOG))
    assert joined(other, before) == other
