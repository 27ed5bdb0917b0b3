"""A witness cosigns one history of each log, whatever fails and however many ask at once."""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from lightbound.errors import ErrorCode, Malformed, Refused, Unavailable
from lightbound.keys.ed25519 import SigningKey
from lightbound.keys.purposes import Purpose
from lightbound.roles.witness.cosigning import Answer, Line, Unknown, Witness
from lightbound.store.witness import MOST_REFUSED, NotCosigned, WitnessStore, make_witness, open_witness
from lightbound.tlog.checkpoint import log_key, sign_checkpoint
from lightbound.tlog.cosignature import read_cosignature
from lightbound.tlog.note import NoteKey, read_note, read_signature_line, with_lines
from lightbound.tlog.witness import Elsewhere, Forked, Unproven
from tests.store.test_log import Failing
from tests.tlog.histories import (
    LOG,
    LOG_KEY,
    NAME,
    ORIGIN,
    WITNESS,
    WITNESS_KEY,
    asked,
    branched,
    checkpoint,
    leaves,
    seen,
)

NOW_S = 1_700_000_000


@contextmanager
def opened(path: Path) -> Iterator[WitnessStore]:
    """The store of a witness, until the block ends."""
    engine, name = open_witness(path)
    assert name == NAME
    try:
        yield WitnessStore(engine)
    finally:
        engine.dispose()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    make_witness(tmp_path / "witness.sqlite", NAME).dispose()
    return tmp_path / "witness.sqlite"


def over(
    store: WitnessStore, *, now_s: Callable[[], int] = lambda: NOW_S, logs: tuple[NoteKey, ...] = (LOG_KEY,)
) -> Witness:
    return Witness(NAME, WITNESS, logs, store, now_s)


def add(store: WitnessStore, history: list[bytes], old: int) -> Answer:
    return over(store).add(asked(history, old).encoded())


def test_a_cosignature_is_that_of_the_witness_over_the_checkpoint(path: Path) -> None:
    with opened(path) as store:
        answer = add(store, leaves(3), 0)
        assert isinstance(answer, Line)
        assert answer.text.endswith("\n")
        line = read_signature_line(answer.text.removesuffix("\n"))
        assert read_cosignature(line, checkpoint(leaves(3)).text(), WITNESS_KEY).at_s == NOW_S


def test_what_was_cosigned_is_kept_and_nothing_else_is_continued(path: Path) -> None:
    with opened(path) as store:
        assert isinstance(add(store, leaves(3), 0), Line)
    with opened(path) as store:
        kept = store.cosigned(ORIGIN)
        assert kept is not None
        assert (kept.seen, kept.at_s, kept.cosignatures) == (seen(leaves(3)), NOW_S, 1)
        assert add(store, leaves(5), 0) == Elsewhere(size=3)
        assert add(store, leaves(2), 2) == Elsewhere(size=3)
        assert add(store, branched(1, 3), 3) == Forked(seen=seen(leaves(3)))
        assert add(store, branched(1, 5), 3) == Unproven()
        assert isinstance(add(store, leaves(3), 3), Line)
        assert isinstance(add(store, leaves(5), 3), Line)
        assert add(store, leaves(5), 3) == Elsewhere(size=5)
        assert [(one.seen.size, one.cosignatures) for one in store.all_cosigned()] == [(5, 3)]


def test_the_proof_of_a_fork_is_kept_as_the_log_signed_it(path: Path) -> None:
    with opened(path) as store:
        add(store, leaves(3), 0)
        add(store, branched(1, 3), 3)
        add(store, branched(1, 3), 3)
        add(store, branched(1, 5), 3)
        one, other = store.all_refused()
        assert (one.why, one.seen, one.note) == ("forked", seen(branched(1, 3)), asked(branched(1, 3), 3).checkpoint)
        assert one.beside == asked(leaves(3), 0).checkpoint
        assert (other.why, other.seen) == ("unproven", seen(branched(1, 5)))


def test_a_fork_that_was_shown_before_as_unproven_is_a_fork_all_the_same(path: Path) -> None:
    with opened(path) as store:
        add(store, leaves(3), 0)
        early = replace(asked(branched(1, 5), 3), proof=())
        assert over(store).add(early.encoded()) == Unproven()
        add(store, leaves(5), 3)
        (kept,) = store.all_refused()
        assert (kept.why, kept.seen, kept.beside) == ("forked", seen(branched(1, 5)), asked(leaves(5), 3).checkpoint)


def test_a_fork_whose_size_was_not_cosigned_when_it_was_kept_is_told_when_it_comes_again(path: Path) -> None:
    with opened(path) as store:
        add(store, leaves(3), 0)
        forked = NotCosigned(
            origin=ORIGIN,
            seen=seen(branched(1, 3)),
            why="unproven",
            note=asked(branched(1, 3), 3).checkpoint,
            beside=None,
            at_s=NOW_S,
        )
        store.keep_refused(forked)
        assert add(store, branched(1, 3), 3) == Forked(seen=seen(leaves(3)))
        (kept,) = store.all_refused()
        assert (kept.why, kept.beside) == ("forked", asked(leaves(3), 0).checkpoint)


def test_a_log_cannot_fill_the_disk_with_what_is_refused(path: Path) -> None:
    with opened(path) as store:
        add(store, leaves(3), 0)
        for number in range(MOST_REFUSED + 5):
            add(store, branched(1, 3, of=str(number)), 3)
        assert len(store.all_refused()) == MOST_REFUSED


def test_who_is_not_known_is_told_so_and_nothing_is_kept(path: Path) -> None:
    other = SigningKey.of_seed(Purpose.LOG, bytes(31) + b"\x07")
    with opened(path) as store:
        unknown = sign_checkpoint(checkpoint(leaves(3), origin="log.example/other"), LOG)
        assert over(store).add(replace(asked(leaves(3), 0), checkpoint=unknown).encoded()) == Unknown(
            origin="log.example/other"
        )
        with pytest.raises(Refused):
            over(store).add(asked(leaves(3), 0, key=other).encoded())
        good = read_note(asked(leaves(3), 0).checkpoint)
        bad = replace(good, signatures=(replace(good.signatures[0], signature=bytes(64)),))
        with pytest.raises(Refused):
            over(store).add(replace(asked(leaves(3), 0), checkpoint=bad.encoded()).encoded())
        with pytest.raises(Malformed):
            over(store).add(b"old 0\n\nnothing")
        assert store.all_cosigned() == []
        assert store.all_refused() == []


def test_a_log_that_changes_its_key_goes_on(path: Path) -> None:
    new = SigningKey.of_seed(Purpose.LOG, bytes(31) + b"\x07")
    both = (LOG_KEY, log_key(ORIGIN, new.verifying))
    with opened(path) as store:
        assert isinstance(over(store, logs=both).add(asked(leaves(2), 0).encoded()), Line)
        request = asked(leaves(3), 2)
        signed_twice = with_lines(
            read_note(request.checkpoint), read_note(asked(leaves(3), 2, key=new).checkpoint).signatures
        )
        assert isinstance(
            over(store, logs=both).add(replace(request, checkpoint=signed_twice.encoded()).encoded()), Line
        )
        assert isinstance(over(store, logs=both[1:]).add(asked(leaves(4), 3, key=new).encoded()), Line)
        # It has changed its key, and not its history.
        assert over(store, logs=both[1:]).add(asked(branched(1, 5), 4, key=new).encoded()) == Unproven()


def test_logs_are_seen_each_by_itself(path: Path) -> None:
    other = log_key("log.example/other", LOG.verifying)
    with opened(path) as store:
        witness = over(store, logs=(LOG_KEY, other))
        assert isinstance(witness.add(asked(leaves(3), 0).encoded()), Line)
        signed = sign_checkpoint(checkpoint(branched(0, 3), origin=other.name), LOG)
        assert isinstance(witness.add(replace(asked(branched(0, 3), 0), checkpoint=signed).encoded()), Line)
        assert [one.origin for one in store.all_cosigned()] == ["log.example/other", ORIGIN]


def test_time_never_runs_back_between_two_cosignatures(path: Path) -> None:
    with opened(path) as store:
        assert isinstance(over(store).add(asked(leaves(2), 0).encoded()), Line)
        behind = over(store, now_s=lambda: NOW_S - 1)
        with pytest.raises(Unavailable) as caught:
            behind.add(asked(leaves(3), 2).encoded())
        assert caught.value.faults[0].code is ErrorCode.CLOCK_DISAGREES
        assert behind.is_failing
        assert isinstance(over(store).add(asked(leaves(3), 2).encoded()), Line)


# -- whose file it is ------------------------------------------------------------------------------------------------


def test_a_witness_whose_file_is_gone_does_not_begin_again(tmp_path: Path) -> None:
    path = tmp_path / "witness.sqlite"
    with pytest.raises(Refused):
        open_witness(path)
    assert not path.exists()
    path.touch()
    with pytest.raises(Refused):
        open_witness(path)


def test_a_file_of_another_name_is_not_taken(path: Path) -> None:
    make_witness(path, NAME).dispose()
    with pytest.raises(Refused, match=r"witness\.example/w1"):
        make_witness(path, "witness.example/w2")


def test_each_cosignature_writes_so_that_what_a_killed_process_left_is_on_disk_with_it(path: Path) -> None:
    with opened(path) as store:
        add(store, leaves(3), 0)
        sizes = [path.with_name("witness.sqlite-wal").stat().st_size]
        for _ in range(3):
            assert isinstance(add(store, leaves(3), 3), Line)
            sizes.append(path.with_name("witness.sqlite-wal").stat().st_size)
        assert sizes == sorted(set(sizes))
        with closing(sqlite3.connect(path)) as connection:
            assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


# -- every write failed, both ways -------------------------------------------------------------------------------


@pytest.mark.parametrize("after", [False, True], ids=["not stored", "stored but reported failed"])
def test_whatever_write_fails_two_histories_are_never_cosigned(path: Path, after: bool) -> None:  # noqa: FBT001
    history, failures = leaves(1), 0
    with opened(path) as store:
        assert isinstance(add(store, history, 0), Line)
    for at in range(1, 50):
        size = len(history)
        ours, theirs = ([*history, f"{at} {of}".encode()] for of in ("ours", "theirs"))
        engine, _ = open_witness(path)
        failing = Failing(engine, at, after=after)
        try:
            answer: Answer | None = add(WitnessStore(engine), ours, size)
        except Unavailable:
            answer, failures = None, failures + 1
        engine.dispose()
        with opened(path) as store:
            kept = store.cosigned(ORIGIN)
            assert kept is not None
            assert kept.seen in (seen(history), seen(ours))
            if isinstance(answer, Line):
                assert kept.seen == seen(ours)
            # The log is forked, and comes with the other history. One of the two is cosigned from here on.
            theirs_cosigned = isinstance(add(store, theirs, size), Line)
            assert theirs_cosigned == (kept.seen == seen(history))
            history = theirs if theirs_cosigned else ours
            assert isinstance(add(store, history, size + 1), Line)
            assert not isinstance(add(store, ours if theirs_cosigned else theirs, size + 1), Line)
        if not failing.failed:
            break
    assert not failing.failed
    assert failures >= 5


# -- many at once ----------------------------------------------------------------------------------------------------


def add_at_once(path: Path, barrier: threading.Barrier, history: list[bytes]) -> Answer:
    # Each over a connection of its own, as a process of its own would have it.
    with opened(path) as own:
        barrier.wait(timeout=20)
        return add(own, history, len(history) - 1)


def test_of_two_continuations_that_come_at_once_one_is_cosigned(path: Path) -> None:
    rounds, threads = 12, 6
    histories = [leaves(1)]
    with opened(path) as store:
        assert isinstance(add(store, histories[0], 0), Line)
        for number in range(rounds):
            base = histories[-1]
            offered = [[*base, f"{number} {of}".encode()] for of in range(threads)]
            with ThreadPoolExecutor(threads) as pool:
                answers = list(pool.map(partial(add_at_once, path, threading.Barrier(threads)), offered))
            won = [of for of, answer in enumerate(answers) if isinstance(answer, Line)]
            assert len(won) == 1
            histories.append(offered[won[0]])
        kept = store.cosigned(ORIGIN)
        assert kept is not None
        assert kept.seen == seen(histories[-1])
        assert kept.cosignatures == rounds + 1


def test_the_same_checkpoint_asked_for_by_many_at_once_is_cosigned_for_all_who_ask_from_where_it_is(path: Path) -> None:
    with opened(path) as store:
        add(store, leaves(3), 0)
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: add(store, leaves(3), 3), range(8)))
        assert all(isinstance(answer, Line) for answer in answers)
