"""Whatever moment a witness is killed at, or its disk is full at: it has cosigned one history, and goes on with it."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from lightbound.errors import Unavailable
from lightbound.roles.witness.cosigning import Line
from lightbound.store.witness import make_witness
from lightbound.tlog import merkle
from tests.ranging.parties import secret
from tests.roles.witness.test_cosigning import add, opened
from tests.store.test_log_after_a_kill import small_disk
from tests.tlog.histories import NAME, ORIGIN, leaves, seen

PROGRAM = """
import json, sys
from pathlib import Path
from lightbound.roles.witness.cosigning import Line
from tests.roles.witness.test_cosigning import add, opened
path, life, first = Path(sys.argv[1]), sys.argv[2], json.loads(sys.argv[3])
with opened(path) as store:
    history = [leaf.encode() for leaf in first]
    while True:
        history.append(f"{life} {len(history)}".encode())
        assert isinstance(add(store, history, len(history) - 1), Line)
        print(len(history), flush=True)
"""
"""What is killed: it shows a witness one leaf more each time, and tells of each size that was cosigned."""

MOST_LEAVES = 400
"""A history of more begins anew for another log, so that making proofs of it does not take all the time."""

KILLS = 50 if os.environ.get("LIGHTBOUND_NO_SKIPS") == "1" else 5
"""Where nothing may be skipped, there is time for more; `make soak` has 500."""


def killed_after(path: Path, life: str, history: list[bytes], after_s: float) -> list[int]:
    """The sizes that a process told of as cosigned before it was killed, so long after the first thing it told."""
    command = [sys.executable, "-c", PROGRAM, str(path), life, json.dumps([leaf.decode() for leaf in history])]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        told = [process.stdout.readline()]
        time.sleep(after_s)  # the moment of death is what is tried here, and nothing is waited for
        process.send_signal(signal.SIGKILL)
        told += process.stdout.readlines()
    # A line that was cut off by the kill was not told.
    return [int(line) for line in told if line.endswith("\n")]


def kill_often(folder: Path, rounds: int, label: str) -> int:
    """How many cosignatures were told of in so many lives, none of which contradicted another."""
    cosigned, history, path = 0, list[bytes](), folder / "none"
    for number in range(rounds):
        if not 0 < len(history) < MOST_LEAVES:
            path, history = folder / f"{label} {number}.sqlite", []
            make_witness(path, NAME).dispose()
        life = f"{label} {number}"
        told = killed_after(path, life, history, secret(life)[0] / 256 / 10)
        assert told == list(range(len(history) + 1, len(history) + 1 + len(told)))
        cosigned += len(told)
        with opened(path) as store:
            kept = store.cosigned(ORIGIN)
            assert kept is not None
            # What was told of is kept; at most the one that it died over is kept besides.
            assert kept.seen.size - len(history) - len(told) in {0, 1}
            before, history = (
                history,
                [*history, *(f"{life} {at}".encode() for at in range(len(history), kept.seen.size))],
            )
            assert kept.seen.root == merkle.root(history)
            # The log comes with another history since this life began: nothing of it is cosigned.
            other = [*before, *(f"another {at}".encode() for at in range(len(before), kept.seen.size))]
            assert not isinstance(add(store, other, kept.seen.size), Line)
            assert not isinstance(add(store, other, len(before)), Line) or len(before) == kept.seen.size
            assert isinstance(add(store, history, kept.seen.size), Line)
    return cosigned


def test_a_witness_that_is_killed_has_cosigned_one_history(tmp_path: Path) -> None:
    assert kill_often(tmp_path, KILLS, "few") >= KILLS


@pytest.mark.soak
@pytest.mark.parametrize("part", range(10))
def test_a_witness_that_is_killed_five_hundred_times_has_cosigned_one_history(part: int, tmp_path: Path) -> None:
    assert kill_often(tmp_path, 50, f"part {part}") >= 50


def fill(ballast: Path) -> None:
    """Take all the room that there is."""
    with suppress(OSError), ballast.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4_096))
    assert os.statvfs(ballast.parent).f_bavail == 0


def test_on_a_full_disk_nothing_is_cosigned_that_was_not_kept_and_once_there_is_room_it_goes_on(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 900) as disk:
        path, history = disk / "witness.sqlite", leaves(3)
        make_witness(path, NAME).dispose()
        with opened(path) as store:
            assert isinstance(add(store, history, 0), Line)
            ballast = disk / "ballast"
            fill(ballast)
            longer = [*history, b"longer"]
            with pytest.raises(Unavailable):
                add(store, longer, len(history))
            kept = store.cosigned(ORIGIN)
            assert kept is not None
            assert kept.seen == seen(history)
            ballast.unlink()
            assert isinstance(add(store, longer, len(history)), Line)
        with opened(path) as store:
            assert isinstance(add(store, longer, len(longer)), Line)
