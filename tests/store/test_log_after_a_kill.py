"""Whatever moment a log is killed at, or its disk is full at: every number it gave stands, and nothing is forked."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from lightbound.errors import Unavailable
from lightbound.store.log import Head
from lightbound.tlog import merkle
from tests.ranging.parties import secret
from tests.store.logs import ENGINES, check_whole, entry, new_database, opened, postgres_server, signed

KILLS = 50 if os.environ.get("LIGHTBOUND_NO_SKIPS") == "1" else 5
"""Where nothing may be skipped, there is time for more; `make soak` has 500."""

PROGRAM = """
import sys
from tests.store.logs import entry, opened, signed
location, first = sys.argv[1], int(sys.argv[2])
with opened(location) as (_engine, store):
    for start in range(first, first + 10**9, 7):
        numbers = store.append([entry(start + at) for at in range(7)])
        print("numbers", start, *numbers, flush=True)
        note = store.sign(signed)
        print("signed", note.data.decode(), flush=True)
        store.publish(note)
"""
"""What is killed: it appends, and tells of each number and each signature once it has it."""


def killed_after(location: str, first: int, after_s: float) -> list[list[str]]:
    """What a process told of before it was killed, so long after the first thing it told."""
    command = [sys.executable, "-c", PROGRAM, location, str(first)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        told = [process.stdout.readline()]
        time.sleep(after_s)  # the moment of death is what is tried here, and nothing is waited for
        process.send_signal(signal.SIGKILL)
        told += process.stdout.readlines()
    # A line that was cut off by the kill was not told.
    return [line.split() for line in told if line.endswith("\n")]


class History:
    """Everything that a log told of, over all its lives."""

    def __init__(self) -> None:
        """Nothing was told yet."""
        self.numbers: dict[int, bytes] = {}
        self.roots: dict[int, str] = {}
        self.next = 0

    def told(self, lines: list[list[str]]) -> None:
        """One life of it."""
        for word, *rest in lines:
            if word == "numbers":
                start = int(rest[0])
                for at, number in enumerate(map(int, rest[1:])):
                    assert self.numbers.setdefault(number, entry(start + at).data) == entry(start + at).data
                self.next = max(self.next, start + 7)
            else:
                size, root = rest
                assert self.roots.setdefault(int(size), root) == root, "two checkpoints of one size"

    def check(self, location: str) -> None:
        """What is kept now agrees with everything that was told."""
        with opened(location) as (engine, store):
            entries = check_whole(engine, store)
            assert all(entries[number] == data for number, data in self.numbers.items())
            for size, root in self.roots.items():
                assert Head(size=size, root=bytes.fromhex(root)) == Head(size=size, root=root_of(entries, size))
            # What was being written when it died is given again.
            again = [entry(self.next + at) for at in range(7)]
            self.told([["numbers", str(self.next), *map(str, store.append(again))]])
            self.told([["signed", *store.sign(signed).data.decode().split()]])


def root_of(entries: list[bytes], size: int) -> bytes:
    return merkle.root(entries[:size])


@contextmanager
def database(name: str, folder: Path) -> Iterator[str]:
    """A place for a database of this kind."""
    with ExitStack() as stack:
        if name == "sqlite":
            yield str(folder / "log.sqlite")
        else:
            yield stack.enter_context(new_database(stack.enter_context(postgres_server())))


def kill_often(location: str, rounds: int, label: str) -> None:
    history = History()
    for number in range(rounds):
        after_s = secret(label, number)[0] / 256 / 10
        history.told(killed_after(location, history.next, after_s))
        history.check(location)
    assert len(history.numbers) >= 14 * rounds


@pytest.mark.parametrize("name", ENGINES)
def test_a_log_that_is_killed_keeps_every_number_it_gave(name: str, tmp_path: Path) -> None:
    with database(name, tmp_path) as location:
        kill_often(location, KILLS, "log")


@pytest.mark.soak
@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize("part", range(10))
def test_a_log_that_is_killed_five_hundred_times_keeps_every_number_it_gave(
    name: str, part: int, tmp_path: Path
) -> None:
    with database(name, tmp_path) as location:
        kill_often(location, 50, f"log {part}")


@contextmanager
def small_disk(folder: Path, size_kb: int) -> Iterator[Path]:
    """A file system of its own that soon is full."""
    if os.geteuid() != 0:
        pytest.skip("only root mounts a file system")
    folder.mkdir()
    subprocess.run(["/usr/bin/mount", "-t", "tmpfs", "-o", f"size={size_kb}k", "tmpfs", str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["/usr/bin/umount", str(folder)], check=True)


def test_on_a_full_disk_nothing_is_lost_and_once_there_is_room_it_goes_on(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 1_500) as disk:
        location, history, full = str(disk / "log.sqlite"), History(), 0
        ballast = disk / "ballast"
        ballast.write_bytes(bytes(600_000))
        with opened(location) as (_engine, store):
            for start in range(0, 70_000, 7):
                batch = [entry(start + at, of="x" * 200) for at in range(7)]
                try:
                    numbers = store.append(batch)
                    assert [store.entries(at, at + 1) for at in numbers if at is not None] == [
                        [one.data] for one in batch
                    ]
                    history.roots[store.sign(signed).size] = store.head().root.hex()
                    assert numbers == list(range(start, start + 7))
                except Unavailable:
                    full += 1
                    break
        assert full == 1
        ballast.unlink()
        with opened(location) as (engine, store):
            entries = check_whole(engine, store)
            assert max(history.roots) <= len(entries)
            assert all(root_of(entries, size).hex() == root for size, root in history.roots.items())
            assert store.append([entry(0, of="after")]) == [len(entries)]
            store.publish(store.sign(signed))
            check_whole(engine, store)
