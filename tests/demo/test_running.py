"""`lightbound demo`, run once as a stranger runs it: it tells its story, leaves what it says, and nothing running."""

import csv
import json
import os
import shlex
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from lightbound.demo.stage import ORIGIN
from lightbound.roles.log.app import read_tile
from lightbound.store.log import LogStore, open_log
from lightbound.tlog.tiles import bundles_of, tiles_of
from tests.transcripts.test_readme import assert_told, blocks

LIGHTBOUND = str(Path(sys.executable).with_name("lightbound"))
WITHIN_S = 240
"""More than it may take in earnest: here it shares two cores with other tests. What it says is what is looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """What came of it."""

    code: int
    printed: str
    errors: str
    folder: Path
    processes: set[tuple[int, str]]
    """All that were seen to run."""


def descendants(pid: int) -> set[tuple[int, str]]:
    """Processes that one has started, and that those have: their ids, and when they began, by which each is one."""
    found: set[tuple[int, str]] = set()
    waiting = [pid]
    while waiting:
        for listed in Path(f"/proc/{waiting.pop()}/task").glob("*/children"):
            try:
                children = [int(child) for child in listed.read_text(encoding="ascii").split()]
            except (FileNotFoundError, ProcessLookupError):
                continue
            waiting += children
            found |= {(child, began) for child in children if (began := _began(child)) is not None}
    return found


def left_after_a_while(processes: set[tuple[int, str]]) -> set[tuple[int, str]]:
    """Which of them still run when all should have ended."""
    give_up = time.monotonic() + 20
    while (left := {one for one in processes if _began(one[0]) == one[1]}) and time.monotonic() < give_up:
        signal.sigtimedwait([], 0.1)
    return left


def _began(pid: int) -> str | None:
    """When a process began; None if it does not run."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] == "Z" else fields[19]


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    folder = tmp_path_factory.mktemp("demo") / "out"
    process = subprocess.Popen(
        [LIGHTBOUND, "demo", "--out", str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    seen: set[tuple[int, str]] = set()
    give_up = time.monotonic() + WITHIN_S
    while True:
        seen |= descendants(process.pid)
        try:
            printed, errors = process.communicate(timeout=0.5)
        except subprocess.TimeoutExpired:
            if time.monotonic() > give_up:
                process.terminate()
            continue
        return Ran(code=process.returncode, printed=printed, errors=errors, folder=folder, processes=seen)


@pytest.mark.long
def test_it_ends_well_and_tells_the_story_that_the_readme_shows(ran: Ran) -> None:
    assert ran.code == 0, ran.errors
    assert_told(blocks()[0], ran.printed)


@pytest.mark.long
def test_it_leaves_nothing_running(ran: Ran) -> None:
    # A verifier, 8 landmarks of two processes, 12 agents of two, the relay's two.
    assert len(ran.processes) >= 43
    assert left_after_a_while(ran.processes) == set()


@pytest.mark.long
def test_who_doubts_decides_again_from_the_files_with_the_command_it_names(ran: Ran) -> None:
    (named,) = list(ran.folder.rglob("export.json"))
    told = json.loads(named.read_text(encoding="utf-8"))
    words = shlex.split(told["command"])
    done = subprocess.run([LIGHTBOUND, *words[1:]], cwd=named.parent, capture_output=True, check=True)
    ours = [json.loads(line) for line in (named.parent / "verdicts.jsonl").read_bytes().splitlines()]
    again = [json.loads(line) for line in done.stdout.splitlines()]
    # What files hold no evidence for.
    assert {one.pop("assurance")["tier"] for one in again} == {"A0"}
    assert {one.pop("assurance")["tier"] for one in ours} == {"A1"}
    assert again == ours
    assert len(again) == 96


@pytest.mark.long
def test_every_file_that_it_names_is_there(ran: Ran) -> None:
    named = [line.split()[1] for line in ran.printed.splitlines() if line.startswith(("report ", "explan", "map "))]
    assert len(named) == 3
    assert all(Path(name).stat().st_size > 200 for name in named)
    assert "A1 (simulated chips)" in (ran.folder / "report.txt").read_text(encoding="utf-8")


@pytest.mark.long
def test_no_chip_no_area_and_no_site_stands_in_the_public_files_of_the_log(ran: Ran) -> None:
    engine = open_log(ran.folder / "world" / "log" / "log.sqlite", ORIGIN)
    try:
        store = LogStore(engine)
        note = store.published()
        assert note is not None
        tiles = [read_tile(store, one) for one in (*tiles_of(note.size), *bundles_of(note.size))]
    finally:
        engine.dispose()
    public = b"\n".join([note.data, *(one for one in tiles if one is not None)])
    with (ran.folder / "evidence" / "chips.csv").open(encoding="utf-8") as file:
        chips = list(csv.DictReader(file))
    assert len(chips) == 96
    sites = {path.name.removesuffix(".code.json").encode() for path in (ran.folder / "world").glob("*.code.json")}
    private = {chip["chip_id"].encode() for chip in chips} | {bytes.fromhex(chip["chip_id"]) for chip in chips}
    areas = {chip[name].encode() for chip in chips for name in ("licensed_area", "excluded_area")}
    # Two letters stand in any hundred kilobytes by chance.
    private |= sites | {area for area in areas if len(area) > 2}
    assert b"CN+HK+MO" in private
    assert len(private) > 2 * 96 + 10
    assert [one for one in private if one in public] == []
    # What is meant to be there is found the same way.
    positions = list((ran.folder / "world" / "admission").joinpath("positions").glob("*.cose"))
    assert positions
    assert [path for path in positions if path.read_bytes() not in public] == []


@pytest.mark.long
@pytest.mark.parametrize(
    ("how", "code"), [(signal.SIGKILL, -signal.SIGKILL), (signal.SIGINT, 130), (signal.SIGTERM, 130)]
)
def test_however_it_is_ended_nothing_is_left(tmp_path: Path, how: signal.Signals, code: int) -> None:
    folder = tmp_path / "out"
    process = subprocess.Popen(
        [LIGHTBOUND, "demo", "--out", str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    seen: set[tuple[int, str]] = set()
    give_up = time.monotonic() + 60
    while len(seen) < 5 and time.monotonic() < give_up:
        signal.sigtimedwait([], 0.05)
        seen |= descendants(process.pid)
    assert len(seen) >= 5
    os.kill(process.pid, how)
    process.communicate()
    assert process.returncode == code
    assert left_after_a_while(seen) == set()


def test_a_folder_with_something_in_it_is_not_written_to(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine", encoding="utf-8")
    done = subprocess.run([LIGHTBOUND, "demo", "--out", str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
