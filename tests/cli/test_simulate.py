"""`lightbound simulate` as a person or a script meets it."""

import json
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from lightbound.adjudication.verdicts import Standing
from lightbound.cli.app import main
from lightbound.cli.exits import ExitCode
from lightbound.cli.simulation_table import EVENT_FORMAT
from lightbound.sim.scenario_file import packaged_names, read_scenario

Run = Callable[..., tuple[int, str, str]]

INTERRUPTIBLE: Final = """
import fcntl, signal, sys, termios
from lightbound.cli.app import main
signal.signal(signal.SIGINT, signal.default_int_handler)
if sys.stdin.isatty():
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
main(["simulate", *sys.argv[1:]])
"""
"""The command in a process of its own, which Ctrl-C reaches however the tests themselves were started."""

MINE: Final = """\
format = "lightbound.scenario/1"
extends = "{extends}"
name = "mine [of course]"
about = "Brackets are [no markup]."

[session]
sessions = 4

[world]
agents = 4

[expect]
{expect}
"""


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command; returns exit code, standard output and standard error."""

    def with_options(*options: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(["simulate", *map(str, options)])
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return with_options


@pytest.fixture
def mine(tmp_path: Path) -> Callable[..., Path]:
    """Write a scenario of four hosts."""

    def written(extends: str = "smuggled", expect: str = "") -> Path:
        path = tmp_path / "mine.toml"
        path.write_text(MINE.format(extends=extends, expect=expect), encoding="utf-8")
        return path

    return written


# -- what is printed ---------------------------------------------------------------------------------------------


def test_the_table_tells_what_was_believed_proven_and_false(mine: Callable[..., Path], run: Run) -> None:
    code, out, err = run(mine())
    assert (code, err) == (ExitCode.DONE, "")
    assert "mine [of course]: Brackets are [no markup]." in out
    assert "4 sessions of 4 hosts, engine packets, seed 20261125, 56 landmarks, fault budget 1" in out
    assert [line.split()[0] for line in out.splitlines() if "(must be 0)" in line] == ["alone", "joint"]
    assert "measurements: 28 believed, 28 of them acknowledged" in out
    assert "nothing here says that a key is beside its chip" in out
    assert out.splitlines()[-1] == "as it must be: nothing false"


def test_json_is_one_object_that_names_its_format(mine: Callable[..., Path], run: Run) -> None:
    code, out, err = run(mine(), "--json", "--seed", 3)
    assert (code, err) == (ExitCode.DONE, "")
    told: dict[str, Any] = json.loads(out)
    assert out.count("\n") == 1
    assert told["format"] == "lightbound.simulation/1"
    assert (told["scenario"], told["engine"], told["seed"]) == ("mine [of course]", "packets", 3)
    assert (told["sessions"], told["hosts"], told["chips_of_host"]) == (4, 4, 8)
    assert sum(told["standings"].values()) == 4
    assert set(told["standings"]) == set(Standing)
    assert (told["unmet"], told["assurance"]) == ([], "A0")


def test_what_became_of_messages_is_told_by_error_code(run: Run) -> None:
    _, out, _ = run("verifier-edits-measurements", "--sessions", 56)
    assert "landmarks refused: 280 wrong_key" in out
    _, out, _ = run("other-evidence", "--sessions", 56)
    assert "sessions refused: 56 evidence_differs" in out
    told = json.loads(run("machine-paused", "--sessions", 2, "--json")[1])
    assert set(told["aborts"]) == {"clock"}


def test_the_same_seed_prints_the_same_and_another_another(mine: Callable[..., Path], run: Run) -> None:
    one, again, other = (run(mine(), "--json", "--seed", seed)[1] for seed in (5, 5, 6))
    assert one == again
    assert one != other


def test_the_list_has_every_packaged_scenario_and_which_are_for_packets_only(run: Run) -> None:
    code, out, _ = run("--list")
    assert code == ExitCode.DONE
    assert [line.split()[0] for line in out.splitlines()] == packaged_names()
    told = json.loads(run("--list", "--json")[1])
    assert told["format"] == "lightbound.scenarios/1"
    rows = {row["name"]: row["packets_only"] for row in told["scenarios"]}
    assert rows == {name: read_scenario(name).packets_only for name in packaged_names()}


# -- engines -----------------------------------------------------------------------------------------------------


def test_the_statistic_engine_has_no_messages_to_tell_of(run: Run) -> None:
    code, out, _ = run("smuggled", "--engine", "statistics", "--sessions", 560)
    assert code == ExitCode.DONE
    assert "560 sessions of 56 hosts, engine statistics" in out
    assert "measurements: 3,920 drawn" in out
    assert "acknowledged" not in out


@pytest.mark.parametrize("name", ["two-faced", "clock-stepped", "verifier-picks-landmarks", "network-replaying"])
def test_the_statistic_engine_is_refused_for_cheats_in_packets_or_messages(name: str, run: Run) -> None:
    code, out, err = run(name, "--engine", "statistics")
    assert (code, out) == (ExitCode.USAGE, "")
    assert "the cheat is in messages or single packets" in " ".join(err.split())


# -- how it ends -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], "expected a SCENARIO, or --list"),
        (["world", "--list"], "nothing beside it but --json"),
        (["--list", "--step", "0"], "nothing beside it but --json"),
        (["world", "--engine", "both"], "packets or statistics"),
        (["world", "--sessions", "0"], "--sessions"),
        (["world", "--seed", "-1"], "--seed"),
        (["world", "--step", "0", "--json"], "neither --json nor --sessions"),
        (["world", "--step", "0", "--sessions", "3"], "neither --json nor --sessions"),
        (["world", "--engine", "statistics", "--step", "0"], "only that has events"),
        (["world", "--engine", "statistics", "--trace", "t.jsonl"], "only that has events"),
        (["world", "--trace", "t.json"], "ending in .jsonl"),
    ],
)
def test_what_cannot_be_is_a_mistake_of_usage(options: list[str], said: str, run: Run) -> None:
    code, out, err = run(*options)
    assert (code, out) == (ExitCode.USAGE, "")
    assert said in " ".join(err.replace("│", " ").split())


def test_a_malformed_scenario_ends_with_its_key(mine: Callable[..., Path], run: Run) -> None:
    code, out, err = run(mine(expect='sound = ["hearsay"]'))
    assert (code, out) == (ExitCode.MALFORMED, "")
    assert "malformed (scenario_malformed): expected one of alone, joint" in err
    assert "mine.toml, column expect.sound" in err
    assert run("nowhere")[0] == ExitCode.MALFORMED
    assert run("nowhere.toml")[0] == ExitCode.UNAVAILABLE


def test_what_does_not_come_out_as_it_must_ends_with_4(mine: Callable[..., Path], run: Run) -> None:
    code, out, _ = run(mine(extends="one-owner-under-many-names", expect='sound = ["alone"]'))
    assert code == ExitCode.REFUSED
    assert "not as it must be: expected no false alone verdict of the key: " in out
    assert "as it must be: nothing" not in out
    code, out, _ = run(mine(expect='standings = ["verified"]'), "--json")
    assert (code, json.loads(out)["unmet"]) == (ExitCode.REFUSED, ["a standing verified"])


def test_few_sessions_say_that_existence_was_not_looked_for(mine: Callable[..., Path], run: Run) -> None:
    code, out, _ = run(mine(expect='standings = ["verified"]'), "--sessions", 3)
    assert code == ExitCode.DONE
    assert out.splitlines()[-1] == "fewer sessions than hosts: what must show itself was not looked for"


# -- every event -------------------------------------------------------------------------------------------------


def events(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_a_trace_has_every_event_of_every_session_in_order(mine: Callable[..., Path], run: Run, tmp_path: Path) -> None:
    told = json.loads(run(mine(), "--trace", tmp_path / "t.jsonl", "--json")[1])
    found = events(tmp_path / "t.jsonl")
    assert {event["format"] for event in found} == {EVENT_FORMAT}
    assert [event["session"] for event in found] == sorted(event["session"] for event in found)
    assert {event["session"] for event in found} == {0, 1, 2, 3}
    for session in range(4):
        times = [event["at_ns"] for event in found if event["session"] == session]
        assert times == sorted(times)
    noted = [event for event in found if (event["what"], event["outcome"]) == ("MEASUREMENT", "noted")]
    assert len(noted) == told["measurements"]
    answers = [event for event in found if event["what"].startswith("REPLY") and event["outcome"] == "taken"]
    assert len(answers) > 16 * told["measurements"]


def test_a_trace_does_not_replace_the_scenario(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(MINE.format(extends="smuggled", expect=""))
    (tmp_path / "t.jsonl").symlink_to(path)
    code, _, err = run(path, "--trace", tmp_path / "t.jsonl")
    assert code == ExitCode.USAGE
    assert "would replace a file that is read" in " ".join(err.replace("│", " ").split())


def test_a_trace_of_what_could_not_be_built_is_not_left_behind(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(MINE.format(extends="smuggled", expect="") + '[paths]\ntable = "nowhere"\n')
    assert run(path, "--trace", tmp_path / "t.jsonl")[0] == ExitCode.UNAVAILABLE
    assert sorted(each.name for each in tmp_path.iterdir()) == ["mine.toml"]
    assert run("world", "--sessions", 1, "--trace", tmp_path / "no" / "t.jsonl")[0] == ExitCode.UNAVAILABLE


def test_whoever_interrupts_gets_130_and_no_part_of_a_trace(tmp_path: Path) -> None:
    options = ["--sessions", "100000", "--trace", str(tmp_path / "t.jsonl")]
    command = [sys.executable, "-c", INTERRUPTIBLE, "world", *options]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        until = time.monotonic() + 60
        # The file that will take the name is there once the command is at work.
        while not list(tmp_path.glob(".lightbound-*.part")) and time.monotonic() < until:
            pass
        running.send_signal(signal.SIGINT)
        out, _ = running.communicate(timeout=60)
    assert (running.returncode, out) == (ExitCode.INTERRUPTED, b"")
    assert list(tmp_path.iterdir()) == []


# -- step by step ------------------------------------------------------------------------------------------------


def test_stepping_without_a_terminal_prints_every_event(mine: Callable[..., Path], run: Run, tmp_path: Path) -> None:
    path = mine()
    run(path, "--trace", tmp_path / "t.jsonl")
    code, out, _ = run(path, "--step", 2)
    *lines, last = out.splitlines()
    told = [event for event in events(tmp_path / "t.jsonl") if event["session"] == 2]
    assert code == ExitCode.DONE
    assert len(lines) == len(told)
    for line, event in zip(lines, told, strict=True):
        assert f"{event['from']} -> {event['to']}" in line
        assert line.endswith(event["outcome"])
    assert last == "verified: 7 measurements, 0 landmarks refused, 0 aborts, 0 absent, 0 silent"


def test_stepping_through_a_refused_session_ends_with_why(run: Run) -> None:
    code, out, _ = run("verifier-picks-landmarks", "--step", 0)
    assert code == ExitCode.DONE
    assert out.splitlines()[-1].startswith("refused: expected the landmarks that the draw gives")


@pytest.mark.parametrize(
    ("typed", "lines", "code"),
    [(b"\n\nq\n", 3, ExitCode.DONE), (b"\n\x04", 2, ExitCode.DONE), (b"\x03", 1, ExitCode.INTERRUPTED)],
    ids=["q", "end of input", "Ctrl-C"],
)
def test_at_a_terminal_each_event_waits_for_enter(typed: bytes, lines: int, code: ExitCode) -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-c", INTERRUPTIBLE, "world", "--step", "0"]
    with subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=subprocess.DEVNULL, start_new_session=True
    ) as running:
        os.close(theirs)
        shown = _until_first_event(ours)
        for letter in typed.splitlines(keepends=True):
            os.write(ours, letter)
        running.wait(timeout=60)
        shown += _rest(ours)
    assert running.returncode == code
    assert sum(b" -> " in line for line in shown.splitlines()) == lines


def _until_first_event(terminal: int) -> bytes:
    shown = b""
    while b" -> " not in shown or not shown.endswith(b"\n"):
        shown += os.read(terminal, 1)
    return shown


def _rest(terminal: int) -> bytes:
    shown = b""
    while True:
        try:
            more = os.read(terminal, 4096)
        except OSError:  # the other end is closed
            return shown
        if not more:
            return shown
        shown += more
