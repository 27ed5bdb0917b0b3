"""`lightbound landmark init`, `operator` and `directory`, as people meet them, and the page that shows them."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lightbound.cli.app import main
from lightbound.cli.exits import ExitCode
from lightbound.cli.signing_options import DAY_NS, shown_instant
from lightbound.errors import ErrorCode
from lightbound.files.admission import read_admission
from lightbound.files.keys import key_path
from lightbound.files.position_requests import read_request
from lightbound.keys.purposes import Purpose
from lightbound.ranging.statements.admission import position_said, read_operator
from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "admission.md").read_text(encoding="utf-8")
PLACE = {
    "--latitude": "1.2966",
    "--longitude": "103.7764",
    "--error-m": "100",
    "--altitude-m": "20",
    "--hosting": "Hall [1]",
    "--jurisdiction": "SG",
    "--surveyed": "GNSS",
}

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command in a folder of its own; returns exit code, standard output and standard error."""
    monkeypatch.chdir(tmp_path)

    def on(*words: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(list(words))
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return on


def _done(run: Run, *words: str) -> str:
    code, out, err = run(*words)
    assert code == ExitCode.DONE, err
    return out


def _init_landmark(run: Run, *more: str, **changed: str) -> tuple[int, str, str]:
    place = {**PLACE, **{f"--{name.replace('_', '-')}": value for name, value in changed.items()}}
    words = [word for pair in place.items() for word in pair]
    return run("landmark", "init", "--data", "lm", "--out", "request.json", *words, *more)


def _init_operator(run: Run, *more: str) -> tuple[int, str, str]:
    words = ("--data", "op", "--name", "Us", "--owner", "We", "--out", "operator.cose")
    return run("operator", "init", *words, *more)


@pytest.fixture
def folder(run: Run, tmp_path: Path) -> Path:
    """An admission folder of one landmark and three parties, before anybody has signed a directory."""
    made = tmp_path / "admission"
    (made / "operators").mkdir(parents=True)
    (made / "positions").mkdir()
    assert _init_operator(run)[0] == _init_landmark(run)[0] == ExitCode.DONE
    _done(run, "operator", "sign", "request.json", "--data", "op", "--out", "admission/positions/a.cose")
    Path("operator.cose").rename(made / "operators" / "us.cose")
    keys = [json.loads(_done(run, "directory", "init", "--data", f"party-{each}", "--json"))["key"] for each in "abc"]
    options = [word for key in keys for word in ("--key", key)]
    _done(run, "directory", "trust", "--folder", "admission", *options, "--threshold", "2")
    return made


def _sign(run: Run, party: str, *more: str) -> tuple[int, str, str]:
    return run("directory", "sign", "--data", f"party-{party}", "--folder", "admission", *more)


def _address(run: Run) -> None:
    words = ("--folder", "admission", "--name", "sin [1]", "--url", "https://sin-1.example:8471")
    _done(run, "directory", "address", "admission/positions/a.cose", *words)


def _shown(run: Run) -> tuple[int, dict[str, Any], str]:
    code, out, err = run("directory", "show", "--folder", "admission", "--json")
    told: dict[str, Any] = json.loads(out)
    return code, told, err


def test_the_commands_of_the_page_run_as_they_stand(tmp_path: Path) -> None:
    script = "\n".join(re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL))
    assert script.count("lightbound ") >= 13
    program = tmp_path / "lightbound"
    # On the small install, as the page says: what needs numpy would fail.
    code = "import sys; sys.modules['numpy'] = None; from lightbound.cli.app import main; main()"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "{code}" "$@"\n')
    program.chmod(0o755)
    done = subprocess.run(
        ["/bin/bash", "-euo", "pipefail", "-c", script],
        cwd=tmp_path,
        env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert "2 of 3 signatures are there, threshold 2" in done.stdout
    read = read_admission(tmp_path / "admission").admitted
    assert (read.directory.number, len(read.by_id)) == (2, 1)
    assert position_said((tmp_path / "landmark" / "position.cose").read_bytes()).error_m == 100


def test_the_page_shows_every_command(run: Run) -> None:
    for group in ("operator", "directory"):
        text = _done(run, group, "--help")
        commands = re.findall(r"^  ([a-z]+) ", text.partition("Commands:")[2], re.MULTILINE)
        assert commands
        assert [name for name in commands if f"lightbound {group} {name} " not in PAGE] == []
        for name in commands:
            assert "Example" in _done(run, group, name, "--help")


def test_a_landmark_makes_one_key_and_asks_for_its_place(run: Run, tmp_path: Path) -> None:
    code, out, _ = _init_landmark(run, "--can-pause")
    asked = read_request(tmp_path / "request.json")
    assert (code, asked.latitude_e7, asked.can_pause) == (ExitCode.DONE, 12_966_000, True)
    assert asked.landmark_key.key_id.hex() in out
    assert "lightbound operator sign" in out
    before = key_path(tmp_path / "lm", Purpose.LANDMARK).read_bytes()
    code, _, err = _init_landmark(run)
    assert (code, str(ErrorCode.DUPLICATE) in err) == (ExitCode.REFUSED, True)
    assert _init_landmark(run, "--keep-key", error_m="200")[0] == ExitCode.DONE
    assert key_path(tmp_path / "lm", Purpose.LANDMARK).read_bytes() == before
    assert read_request(tmp_path / "request.json").error_m == 200


@pytest.mark.parametrize(
    "changed",
    [
        {"latitude": "91"},
        {"latitude": "nan"},
        {"longitude": "-181"},
        {"latitude": "0", "longitude": "0"},
        {"error_m": "0"},
        {"altitude_m": "9000"},
        {"hosting": ""},
        {"surveyed": " x"},
        {"jurisdiction": "sg"},
        {"out": "none/request.json"},
    ],
)
def test_a_place_that_cannot_be_meant_leaves_no_key_behind(run: Run, tmp_path: Path, changed: dict[str, str]) -> None:
    assert _init_landmark(run, **changed)[0] == ExitCode.USAGE
    assert list(tmp_path.iterdir()) == []


def test_an_operator_says_who_it_is_for_two_years_from_the_beginning_of_the_day(run: Run, tmp_path: Path) -> None:
    told = json.loads(_init_operator(run, "--json")[1])
    said = read_operator((tmp_path / "operator.cose").read_bytes())
    assert (said.name, said.owner, said.contact, said.key.raw.hex()) == ("Us", "We", "", told["key"])
    assert said.from_ns % DAY_NS == 0
    assert said.to_ns - said.from_ns == 730 * DAY_NS
    assert _init_operator(run, "--keep-key", "--to", "2199-01-01T00:00:00Z")[0] == ExitCode.DONE
    again = read_operator((tmp_path / "operator.cose").read_bytes())
    assert (again.key, shown_instant(again.to_ns)) == (said.key, "2199-01-01T00:00:00Z")


@pytest.mark.parametrize(
    "more",
    [
        ("--to", "2001-01-01T00:00:00Z"),
        ("--from", "2100-01-01T00:00:00Z", "--to", "2099-01-01T00:00:00Z"),
        ("--from", "tomorrow"),
        ("--name", "a\u202eb"),
        ("--owner", "x" * 257),
    ],
)
def test_an_operator_that_says_nonsense_gets_no_key(run: Run, tmp_path: Path, more: tuple[str, ...]) -> None:
    assert _init_operator(run, *more)[0] == ExitCode.USAGE
    assert list(tmp_path.iterdir()) == []


def test_signing_shows_everything_that_is_signed(run: Run, tmp_path: Path) -> None:
    _init_operator(run)
    _init_landmark(run, "--can-pause")
    landmark = read_request(tmp_path / "request.json").landmark_key.key_id.hex()
    words = ("operator", "sign", "request.json", "--data", "op")
    out = _done(run, *words, "--check")
    for text in (landmark, "1.2966000", "103.7764000", "100 m", "20 m", "Hall [1]", "SG", "virtual machine", "GNSS"):
        assert text in out
    assert not (tmp_path / "position.cose").exists()
    code, _, err = run(*words, "--landmark", "ab" * 16, "--out", "position.cose")
    assert (code, str(ErrorCode.WRONG_LANDMARK) in err) == (ExitCode.REFUSED, True)
    assert not (tmp_path / "position.cose").exists()
    _done(run, *words, "--landmark", landmark, "--out", "position.cose")
    assert position_said((tmp_path / "position.cose").read_bytes()).landmark_key.key_id.hex() == landmark
    assert run(*words)[0] == run(*words, "--check", "--out", "x.cose")[0] == ExitCode.USAGE
    assert run(*words, "--out", "request.json")[0] == ExitCode.USAGE


def test_a_directory_is_ready_once_enough_have_signed(run: Run, folder: Path) -> None:
    _address(run)
    code, out, _ = _sign(run, "a", "--axes", "hosting", "--axes", "jurisdiction")
    assert code == ExitCode.DONE
    assert "1 of 3 signatures are there, threshold 2: not enough yet" in out
    code, told, err = _shown(run)
    assert (code, str(ErrorCode.WRONG_KEY) in err) == (ExitCode.REFUSED, True)
    assert [party["signed"] for party in told["signatures"]["parties"]] == [True, False, False]
    _done(run, "directory", "sign", "--data", "party-c", "--folder", "admission", "--cosign")
    code, told, _ = _shown(run)
    assert code == ExitCode.DONE
    assert told["signatures"]["enough"]
    assert told["directory"]["axes"] == ["hosting", "jurisdiction"]
    (landmark,) = told["landmarks"]
    assert (landmark["name"], landmark["fault_unit"], landmark["holds"]) == ("sin [1]", "We", "now")
    assert landmark["landmark"] in {one.hex() for one in read_admission(folder).addresses}
    text = _done(run, "directory", "show", "--folder", "admission")
    for part in ("2 of 3 signatures are there, threshold 2", "sin [1]", "Hall [1]", "1 landmark in 1 fault unit"):
        assert part in text
    code, _, err = _sign(run, "a", "--cosign")
    assert (code, str(ErrorCode.DUPLICATE) in err) == (ExitCode.REFUSED, True)


def test_what_is_missing_or_waits_is_told(run: Run, folder: Path) -> None:
    _sign(run, "a")
    _sign(run, "b", "--cosign")
    code, told, err = _shown(run)
    assert (code, "landmarks.toml" in err, told["landmarks"][0]["url"]) == (ExitCode.UNAVAILABLE, True, None)
    _address(run)
    assert _shown(run)[0] == ExitCode.DONE
    (folder / "operators" / "us.cose").rename(folder / "away.cose")
    code, told, err = _shown(run)
    assert (code, str(ErrorCode.NOT_ADMITTED) in err, told["missing"]) == (ExitCode.REFUSED, True, 1)
    (left_out,) = told["left_out"]
    assert left_out["file"].endswith("a.cose")
    assert "operator is not let in" in left_out["why"]


def test_the_next_directory_names_the_one_before(run: Run, folder: Path) -> None:
    _address(run)
    _sign(run, "a")
    _sign(run, "b", "--cosign")
    first = read_admission(folder).admitted.digest
    previous = ("--previous", "admission/directory.cose")
    for wrong in (("--number", "2"), (*previous,), (*previous, "--number", "3", "--out", "next.cose")):
        assert _sign(run, "a", *wrong)[0] == ExitCode.USAGE
    assert _sign(run, "a", *previous, "--out", "next.cose", "--axes", "weather")[0] == ExitCode.USAGE
    code, out, err = _sign(run, "a", *previous, "--out", "next.cose", "--json")
    assert (code, json.loads(out)["number"]) == (ExitCode.DONE, 2), err
    assert _sign(run, "c", "--out", "next.cose", "--cosign", "--number", "2")[0] == ExitCode.USAGE
    assert _sign(run, "c", "--out", "next.cose", "--cosign")[0] == ExitCode.DONE
    assert read_admission(folder).admitted.digest == first
    assert read_admission(folder, directory=Path("next.cose")).admitted.directory.previous == first


def test_a_party_signs_no_second_directory_of_a_number_and_a_stranger_none(run: Run, folder: Path) -> None:
    _sign(run, "a")
    (folder / "directory.cose").unlink()
    code, _, err = _sign(run, "a", "--axes", "hosting")
    assert (code, "directory-1.cose" in err) == (ExitCode.REFUSED, True)
    assert not (folder / "directory.cose").exists()
    _done(run, "directory", "init", "--data", "party-d")
    code, _, err = _sign(run, "d")
    assert (code, "directory-trust.toml" in err) == (ExitCode.REFUSED, True)
    assert _sign(run, "nobody")[0] == ExitCode.UNAVAILABLE


def test_parties_are_added_to_those_that_are_there(run: Run, folder: Path) -> None:
    key = json.loads(_done(run, "directory", "init", "--data", "party-d", "--json"))["key"]
    words = ("directory", "trust", "--folder", "admission", "--key")
    assert "2 of 4" in _done(run, *words, key)
    assert "3 of 4" in _done(run, *words, key, "--threshold", "3")
    code, _, err = run(*words, key, "--threshold", "2")
    assert (code, "--lower" in err) == (ExitCode.USAGE, True)
    assert "2 of 4" in _done(run, *words, key, "--threshold", "2", "--lower")
    for wrong in ((key, "--threshold", "5"), ("00",), ("0" * 64,), ("xy" * 32,)):
        assert run(*words, *wrong)[0] == ExitCode.USAGE
    (folder / "directory-trust.toml").unlink()
    assert run(*words, key)[0] == ExitCode.USAGE


@pytest.mark.usefixtures("folder")
def test_two_landmarks_have_no_name_or_address_in_common(run: Run) -> None:
    _address(run)
    _init_landmark(run, data="lm2")
    _done(run, "operator", "sign", "request.json", "--data", "op", "--out", "admission/positions/b.cose")
    words = ("directory", "address", "admission/positions/b.cose", "--folder", "admission")
    assert run(*words, "--name", "sin [1]", "--url", "https://b.example")[0] == ExitCode.USAGE
    assert run(*words, "--name", "b", "--url", "https://sin-1.example:8471")[0] == ExitCode.USAGE
    for url in ("b.example", "https://b.example/", "https://b.example:99999", "https://me@b.example"):
        assert run(*words, "--name", "b", "--url", url)[0] == ExitCode.USAGE
    _done(run, *words, "--name", "b", "--url", "http://b.example")
