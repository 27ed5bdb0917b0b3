"""What every log keeps to, over SQLite and over PostgreSQL."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, event, update
from sqlalchemy.exc import OperationalError

from lightbound.errors import ErrorCode, Malformed, Refused, Unavailable
from lightbound.store.engine import writing
from lightbound.store.log import Head, LogStore, Note, open_log
from lightbound.store.log_tables import HEAD, LOG
from lightbound.store.postgres import open_on_server
from lightbound.tlog import merkle
from tests.store.logs import ENGINES, ORIGIN, check_whole, entry, new_database, opened, postgres_server, signed

Places = Callable[[], str]


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgres_server() as url:
        yield url


@pytest.fixture(params=ENGINES)
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Places]:
    """Gives a place for a new database, as often as it is called."""
    if request.param == "sqlite":
        yield lambda: str(tmp_path_factory.mktemp("log") / "log.sqlite")
        return
    url = request.getfixturevalue("server")
    with ExitStack() as stack:
        yield lambda: stack.enter_context(new_database(url))


@pytest.fixture
def location(place: Places) -> str:
    return place()


def test_entries_get_the_numbers_from_nought_and_keep_them(location: str) -> None:
    with opened(location) as (_engine, store):
        assert store.head() == Head(size=0, root=merkle.root([]))
        assert store.append([entry(0), entry(1)]) == [0, 1]
        assert store.append([entry(2)]) == [2]
    with opened(location) as (engine, store):
        assert store.append([entry(3), entry(1), entry(3), entry(0)]) == [3, 1, 3, 0]
        assert check_whole(engine, store) == [entry(number).data for number in range(4)]


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sizes=st.lists(st.sampled_from([0, 1, 2, 7, 100, 255, 256, 257, 300]), min_size=1, max_size=8))
def test_however_entries_come_the_tree_is_that_of_all_of_them(place: Places, sizes: list[int]) -> None:
    with opened(place()) as (engine, store):
        number = 0
        for size in sizes:
            store.append([entry(number + at) for at in range(size)])
            store.publish(store.sign(signed))
            number += size
        assert len(check_whole(engine, store)) == number


@pytest.mark.long
def test_a_tree_of_three_levels_is_kept_whole(location: str) -> None:
    with opened(location) as (engine, store):
        store.append([entry(number) for number in range(65_535)])
        store.append([entry(number) for number in range(65_535, 65_537)])
        assert len(store.tile(2, 0) or b"") == 32
        check_whole(engine, store)


def test_a_place_is_taken_once_and_the_entries_beside_it_are_kept(location: str) -> None:
    with opened(location) as (engine, store):
        assert store.append([entry(0, place=0), entry(1, place=0), entry(2)]) == [0, None, 1]
        assert store.append([entry(3, place=0), entry(0, place=0), entry(4, place=1)]) == [None, 0, 2]
        assert len(check_whole(engine, store)) == 3


def test_what_is_signed_is_on_disk_and_what_is_published_was_signed(location: str) -> None:
    with opened(location) as (_engine, store):
        assert store.published() is None
        with pytest.raises(ValueError, match="not signed"):
            store.publish(Note(size=1, data=b"made up"))
        note = store.sign(signed)
        assert note == Note(size=0, data=signed(store.head()))
        store.append([entry(0)])

        def look(head: Head) -> bytes:
            with opened(location) as (_other, beside):
                assert len(beside.entries(0, 9)) == head.size
            return signed(head)

        assert store.publish(store.sign(look)) == store.published() == Note(size=1, data=signed(store.head()))


def test_an_older_note_never_takes_the_place_of_a_newer_one(location: str) -> None:
    with opened(location) as (_engine, store):
        store.append([entry(0)])
        old = store.sign(signed)
        store.append([entry(1)])
        with opened(location) as (_other, beside):
            newer = beside.publish(beside.sign(signed))
        assert store.publish(old) == store.published() == newer
        assert store.publish(Note(size=newer.size, data=newer.data + b" cosigned")).data.endswith(b"cosigned")


def test_whoever_signs_late_gets_what_another_signed(location: str) -> None:
    with opened(location) as (_engine, store):
        store.append([entry(0)])

        def late(head: Head) -> bytes:
            with opened(location) as (_other, beside):
                beside.append([entry(1)])
                beside.sign(signed)
            return signed(head)

        assert store.sign(late).size == 2
        assert store.sign(lambda _head: b"of the same size").data == signed(store.head())


def test_another_key_signs_the_same_words_anew_and_no_others(location: str) -> None:
    with opened(location) as (_engine, store):
        store.append([entry(0)])
        first = store.sign(lambda head: signed(head) + b"\n\nold key")
        second = store.sign(lambda head: signed(head) + b"\n\nnew key")
        assert (first.size, second.size) == (1, 1)
        assert second.data.endswith(b"new key")
        for other in (b"other words\n\nnew key", b"\n\nnew key", b""):
            assert store.sign(lambda _head, data=other: data) == second  # type: ignore[misc] # the default is bound here


def test_a_database_of_one_log_is_never_continued_by_another(location: str) -> None:
    open_log(location, ORIGIN).dispose()
    with pytest.raises(Refused) as caught:
        open_log(location, "log.example/other")
    assert caught.value.faults[0].code is ErrorCode.STORE_BROKEN


def test_many_sequencers_on_one_database_make_one_history(location: str) -> None:
    open_log(location, ORIGIN).dispose()

    def work(name: int) -> dict[int, bytes]:
        numbered: dict[int, bytes] = {}
        with opened(location) as (_engine, store):
            for start in range(0, 60, 3):
                batch = [entry(start + at, of=str(name)) for at in range(3)] + [entry(start, of="all")]
                numbers = store.append(batch)
                numbered |= {number: one.data for number, one in zip(numbers, batch, strict=True) if number is not None}
                store.publish(store.sign(signed))
        return numbered

    with ThreadPoolExecutor(4) as pool:
        parts = list(pool.map(work, range(4)))
    with opened(location) as (engine, store):
        entries = check_whole(engine, store)
        assert len(entries) == 4 * 60 + 20
        for numbered in parts:
            assert all(entries[number] == data for number, data in numbered.items())


def test_opening_a_new_database_at_once_makes_one_log(location: str) -> None:
    barrier = threading.Barrier(4)

    def work(name: int) -> None:
        barrier.wait()
        with opened(location) as (_engine, store):
            store.append([entry(0, of=str(name))])

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    with opened(location) as (engine, store):
        assert len(check_whole(engine, store)) == 4


def test_a_head_that_was_moved_behind_our_back_stops_the_append(location: str) -> None:
    """Compare and swap: the lock is what makes us wait, and this is what holds without it."""
    with opened(location) as (engine, store):
        store.append([entry(0)])

        moved: list[bool] = []

        def move(connection: Connection, _cursor: object, statement: str, *_: object) -> None:
            if statement.startswith("INSERT INTO entries") and not moved:
                moved.append(True)
                connection.execute(update(HEAD).values(root=bytes(32)))

        event.listen(engine, "before_cursor_execute", move)
        with pytest.raises(Unavailable):
            store.append([entry(1)])
        assert moved
        assert check_whole(engine, store) == [entry(0).data]


# -- every write failed, both ways -------------------------------------------------------------------------------


class Failing:
    """Makes the nth thing that is sent to a database fail: before it is done, or after."""

    def __init__(self, engine: Engine, at: int, *, after: bool) -> None:
        """Of this engine."""
        self.at, self.after, self.count, self.failed = at, after, 0, False
        event.listen(engine, "before_cursor_execute", self._before)
        event.listen(engine, "after_cursor_execute", self._after)
        self._commit = engine.dialect.do_commit
        engine.dialect.do_commit = self._committing  # type: ignore[assignment,method-assign]

    def _fail(self) -> None:
        self.failed = True
        raise OperationalError("injected", {}, Exception("the disk failed"))

    def _before(self, *_: object) -> None:
        self.count += 1
        if self.count == self.at and not self.after:
            self._fail()

    def _after(self, *_: object) -> None:
        if self.count == self.at and self.after:
            self._fail()

    def _committing(self, connection: object) -> None:
        self._before()
        self._commit(connection)  # type: ignore[arg-type]
        self._after()


@pytest.mark.parametrize("after", [False, True], ids=["not stored", "stored but reported failed"])
def test_whatever_write_fails_no_number_is_lost_and_nothing_is_forked(place: Places, after: bool) -> None:  # noqa: FBT001
    told: dict[int, bytes] = {}
    location, failures = place(), 0
    for at in range(1, 200):
        batch = [entry(3 * at + number) for number in range(3)]
        with opened(location) as (engine, store):
            failing = Failing(engine, at, after=after)
            try:
                numbers = store.append(batch)
                told |= {number: one.data for number, one in zip(numbers, batch, strict=True) if number is not None}
                store.publish(store.sign(signed))
            except Unavailable:
                failures += 1
        with opened(location) as (engine, store):
            entries = check_whole(engine, store)
            assert all(entries[number] == data for number, data in told.items())
            # Whoever was told of a failure gives it again.
            numbers = store.append(batch)
            assert numbers == list(range(3 * (at - 1), 3 * at))
            told |= {number: one.data for number, one in zip(numbers, batch, strict=True) if number is not None}
            store.publish(store.sign(signed))
            check_whole(engine, store)
        if not failing.failed:
            break
    assert not failing.failed
    assert failures >= 10


# -- a server --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("setting", ["fsync", "full_page_writes"])
def test_a_server_that_may_lose_commits_is_refused(setting: str) -> None:
    with postgres_server() as url:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(f"ALTER SYSTEM SET {setting} = off")
            connection.execute("SELECT pg_reload_conf()")
        give_up = time.monotonic() + 20
        while True:
            with psycopg.connect(url) as connection:
                row = connection.execute(f"SHOW {setting}").fetchone()
            if row == ("off",):
                break
            assert time.monotonic() < give_up
        with pytest.raises(Refused) as caught:
            open_log(url, ORIGIN)
    assert setting in str(caught.value)


def test_commits_are_on_disk_whatever_the_url_says(server: str) -> None:
    with new_database(server) as url:
        unsafe = url + "&options=-c%20synchronous_commit%3Doff"
        with opened(unsafe) as (engine, _store), writing(engine) as connection:
            assert connection.exec_driver_sql("SHOW synchronous_commit").scalar() == "on"


@pytest.mark.parametrize("url", ["postgresql://", "postgresql://h:notaport/x"])
def test_what_is_no_url_of_a_server_is_told(url: str) -> None:
    with pytest.raises((Malformed, Unavailable)):
        open_on_server(url, LOG)


def test_a_server_that_is_not_there_is_told_without_its_password() -> None:
    with pytest.raises(Unavailable) as caught:
        open_on_server("postgresql://user:secret@127.0.0.1:1/name", LOG)
    assert "secret" not in str(caught.value)


def test_the_log_store_takes_a_path_as_well(tmp_path: Path) -> None:
    engine = open_log(tmp_path / "log.sqlite", ORIGIN)
    assert LogStore(engine).head().size == 0
    engine.dispose()
