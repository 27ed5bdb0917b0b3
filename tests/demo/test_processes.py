"""Processes of the running example are watched, told of when they end, and never outlive what started them."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lightbound.demo.processes import Processes
from lightbound.errors import Unavailable
from tests.demo.ends import wait_until
from tests.demo.processes import is_alive

PROGRAM = "tests.demo.small_program"

STARTS_AND_WAITS = f"""
import sys
from pathlib import Path
from lightbound.demo.processes import Processes
processes = Processes({PROGRAM!r}, loaded=())
for number in range(3):
    processes.start(str(number), "wait", log=Path(sys.argv[1]) / "log")
processes.start("deaf", "wait-deaf", log=Path(sys.argv[1]) / "deaf")
print(*processes.pids, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def processes() -> Iterator[Processes]:
    with Processes(PROGRAM, loaded=()) as made:
        yield made


def test_each_is_a_process_of_its_own_and_what_it_says_is_kept(processes: Processes, tmp_path: Path) -> None:
    told = [tmp_path / f"{number}.out" for number in range(3)]
    begun = [processes.begin("saying", "hello", "you", log=tmp_path / "log", out=out) for out in told]
    processes.finish(begun, within_s=20)
    assert [out.read_text() for out in told] == [f"hello you {one.pid}\n" for one in begun]
    assert len({one.pid for one in begun}) == 3
    assert begun[0].command == "lightbound hello you"


def test_one_that_ends_unasked_is_told_of_with_the_end_of_its_log(processes: Processes, tmp_path: Path) -> None:
    waiting = processes.start("waiting", "wait", log=tmp_path / "waiting")
    processes.start("failing", "fail", log=tmp_path / "failing")
    with pytest.raises(Unavailable, match=r"failing to run, found it ended with 3; it said: no such luck"):
        processes.finish([waiting], within_s=20)


def test_a_command_that_fails_is_told_of_with_what_it_said(processes: Processes, tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="ValueError: a bug"):
        processes.run("buggy", "bug", log=tmp_path / "log", within_s=20)


def test_a_command_that_takes_too_long_is_told_of(processes: Processes, tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="it took too long, and said nothing"):
        processes.run("slow", "wait", log=tmp_path / "log", within_s=0.1)


@pytest.mark.long
def test_one_that_is_stopped_may_end_and_one_that_does_not_is_told_of(processes: Processes, tmp_path: Path) -> None:
    waiting = processes.start("waiting", "wait", log=tmp_path / "waiting")
    processes.stop(waiting, within_s=20)
    assert waiting.code == -signal.SIGTERM
    processes.check()
    deaf = processes.start("deaf", "wait-deaf", log=tmp_path / "deaf")
    wait_until(lambda: (tmp_path / "deaf").exists() and "deaf" in (tmp_path / "deaf").read_text())
    with pytest.raises(Unavailable, match="it does not end"):
        processes.stop(deaf, within_s=0.1)


def test_those_that_are_let_go_may_end(processes: Processes, tmp_path: Path) -> None:
    started = [processes.start("waiting", "wait", log=tmp_path / "log") for _ in range(3)]
    processes.let_go()
    processes.finish([processes.begin("saying", "hello", log=tmp_path / "out")], within_s=20)
    wait_until(lambda: not any(is_alive(one.pid) for one in started))
    processes.check()


@pytest.mark.long
def test_closing_ends_all_even_the_deaf(tmp_path: Path) -> None:
    processes = Processes(PROGRAM, loaded=())
    started = [processes.start(word, word, log=tmp_path / word) for word in ("wait", "wait-deaf")]
    wait_until(lambda: (tmp_path / "wait-deaf").exists() and "deaf" in (tmp_path / "wait-deaf").read_text())
    pids = processes.pids
    processes.close()
    assert not any(is_alive(pid) for pid in pids), started


@pytest.mark.parametrize("whose", [pytest.param("starter", marks=pytest.mark.long), "nursery"])
def test_when_what_holds_them_is_killed_none_is_left(tmp_path: Path, whose: str) -> None:
    starter = subprocess.Popen(
        [sys.executable, "-c", STARTS_AND_WAITS, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert starter.stdin is not None
    assert starter.stdout is not None
    with starter:
        nursery, *children = map(int, starter.stdout.readline().split())
        assert len(children) == 4
        assert all(is_alive(pid) for pid in children)
        os.kill(nursery if whose == "nursery" else starter.pid, signal.SIGKILL)
        wait_until(lambda: not any(is_alive(pid) for pid in (nursery, *children)))
        starter.stdin.close()
