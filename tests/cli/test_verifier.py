"""`lightbound verifier` as a person or a script meets it before it runs; `tests/roles/verifier` has what it does."""

import json
import re
import subprocess
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from lightbound.cli.app import app
from lightbound.cli.exits import ExitCode
from lightbound.cli.verifier import verifier_app
from lightbound.cli.verifier_table import ORDER, print_standings
from lightbound.errors import ErrorCode, LightboundError
from tests.house import tree
from tests.roles.landmark.running import COMMAND


def said(*arguments: object, **environment: str) -> Result:
    return CliRunner().invoke(app, ["verifier", *map(str, arguments)], env=environment)


def refusal(result: Result) -> ErrorCode:
    assert isinstance(result.exception, LightboundError), result.output
    return result.exception.faults[0].code


@pytest.fixture
def data(tmp_path: Path) -> Path:
    assert said("init", "--data", tmp_path / "verifier").exit_code == 0
    return tmp_path / "verifier"


def test_a_key_is_made_once_and_told_for_landmarks(tmp_path: Path) -> None:
    first = said("init", "--data", tmp_path, "--json")
    told = json.loads(first.output)
    assert len(bytes.fromhex(told["key"])) == 32
    assert (tmp_path / "keys" / "verifier.pem").stat().st_mode & 0o777 == 0o600
    assert refusal(said("init", "--data", tmp_path)) is ErrorCode.DUPLICATE


def test_who_made_a_key_is_told_what_comes_next(tmp_path: Path) -> None:
    told = said("init", "--data", tmp_path / "v").output
    assert "Next: give the key to landmarks" in told
    assert f"  lightbound verifier run --data {tmp_path / 'v'} " in told


def test_an_invitation_is_a_code_of_this_verifier_and_stands_nowhere_afterwards(data: Path) -> None:
    code = json.loads(said("invite", "--data", data, "--site", "hall", "--licensed", "SG", "--json").output)["code"]
    secret = code.split("-")[1].encode()
    assert code.startswith("lb1-")
    assert not any(secret in file.read_bytes() for file in data.rglob("*") if file.is_file())


def test_a_code_is_all_that_an_invitation_prints_and_its_note_goes_elsewhere(data: Path) -> None:
    result = said("invite", "--data", data, "--site", "hall", "--licensed", "SG", "--valid", "2d")
    assert re.fullmatch(r"lb1-[a-z2-7]{24}-[a-z2-7]{26}\n", result.stdout)
    assert "for hall, once, until " in result.stderr
    assert "shown only now" in result.stderr
    assert said("invite", "--data", data, "--site", "hall", "--licensed", "SG").stdout != result.stdout


def test_a_licensed_area_that_touches_the_excluded_one_is_noted_and_let_be(data: Path) -> None:
    arguments = ["--site", "hall", "--licensed", "circle(22.5,114.1,50)", "--excluded", "CN"]
    result = said("invite", "--data", data, *arguments)
    assert result.exit_code == 0
    assert "note: licensed area circle(22.5,114.1,50" in result.stderr
    assert "may touch CN" in result.stderr


def test_an_invitation_for_nowhere_or_in_place_of_nobody_is_refused(data: Path) -> None:
    assert refusal(said("invite", "--data", data, "--site", "hall")) is ErrorCode.SETTING_MALFORMED
    replaced = said("invite", "--data", data, "--site", "hall", "--licensed", "SG", "--replaces", "00" * 16)
    assert refusal(replaced) is ErrorCode.NOT_ENROLLED


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--licensed", "CN", "--excluded", "CN+HK"], ErrorCode.LICENSED_INSIDE_EXCLUDED),
        (["--licensed", "Singapore"], ErrorCode.AREA_MALFORMED),
        (["--licensed", "ZZ"], ErrorCode.UNKNOWN_COUNTRY),
        (["--licensed", "@nowhere.geojson"], ErrorCode.READ_FAILED),
    ],
)
def test_an_area_that_cannot_be_is_refused(data: Path, arguments: list[str], code: ErrorCode) -> None:
    assert refusal(said("invite", "--data", data, "--site", "hall", *arguments)) is code


@pytest.mark.parametrize(
    "arguments",
    [
        ["run", "--every", "soon"],
        ["run", "--tls-key", "x.pem"],
        ["run", "--allow-from", "example"],
        ["run", "--silent-after", "3"],
        ["run", "--proof", "most"],
        ["run", "--nearest", "0"],
        ["invite", "--site", "x", "--licensed", "SG", "--chips", "0"],
        ["invite", "--site", "x", "--licensed", "SG", "--valid", "soon"],
        ["invite", "--site", "x", "--licensed", "SG", "--replaces", "9f"],
        ["invite", "--site", "x", "--licensed", "SG", "--near", "91,0"],
        ["status", "--all"],
        ["invite", "--site", "x", "--licensed", "SG", "--near", "north"],
        ["invite", "--landmark", "9f"],
        ["export"],
    ],
)
def test_a_wrong_use_is_told(data: Path, arguments: list[str]) -> None:
    given = [*arguments, "--data", data] if arguments[0] != "export" else arguments
    assert said(*given).exit_code == 2


@pytest.mark.parametrize("command", ["init", "run", "invite", "export", "status"])
def test_every_option_stands_on_the_page(command: str) -> None:
    page = (tree.ROOT / "docs" / "verifier.md").read_text(encoding="utf-8")
    group = typer.main.get_command(verifier_app)
    assert isinstance(group, typer.core.TyperGroup)
    options = [name for one in group.commands[command].params for name in one.opts]
    named = set(re.findall(r"--[a-z-]+", page))
    assert set(options) - named - {"--help", "--json", "--label", "--no-log-json"} == set()


def test_nobody_has_enrolled_yet(data: Path) -> None:
    told = json.loads(said("status", "--data", data, "--json").output)
    assert (told["format"], told["standings"]) == ("lightbound.standings/1", [])
    assert "no agent has enrolled yet" in said("status", "--data", data).stderr


def test_who_only_reads_makes_nothing(data: Path, tmp_path: Path) -> None:
    assert said("status", "--data", data).exit_code == 0
    assert sorted(path.name for path in data.rglob("*")) == ["keys", "verifier.pem"]
    empty = tmp_path / "empty"
    empty.mkdir()
    for folder in (empty, tmp_path / "missing"):
        for command in (["status"], ["export", "--out", tmp_path / "out"]):
            result = said(*command, "--data", folder)
            assert refusal(result) is ErrorCode.READ_FAILED
            assert "lightbound verifier init" in str(result.exception)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty", "verifier"]
    assert list(empty.iterdir()) == []


@pytest.mark.parametrize(
    "command",
    [
        ["verifier", "export", "--out", "out"],
        ["bundle", "make", "--chip", "ab" * 32, "--out", "out"],
        ["verifier", "invite", "--landmark", "ab" * 16],
    ],
)
def test_an_admission_folder_that_only_run_was_told_of_is_asked_for(data: Path, command: list[str]) -> None:
    result = CliRunner().invoke(app, [*command, "--data", str(data)])
    assert refusal(result) is ErrorCode.READ_FAILED
    assert "give --admission as `verifier run` has it" in str(result.exception)


def test_a_chip_that_is_none_is_told_where_chips_stand(data: Path) -> None:
    result = CliRunner().invoke(app, ["bundle", "make", "--data", str(data), "--chip", "ab", "--out", "out"])
    assert result.exit_code == ExitCode.USAGE
    assert "verifier status --json" in " ".join(result.stderr.replace("│", " ").split())


def test_settings_come_from_the_environment_and_a_file_and_wrong_ones_are_told(data: Path, tmp_path: Path) -> None:
    assert said("run", "--data", data, LIGHTBOUND_VERIFIER_EVERY="soon").exit_code == 2
    assert said("run", "--data", data, "--every", "1h", LIGHTBOUND_VERIFIER_WINDOW="soon").exit_code == 2
    file = tmp_path / "verifier.toml"
    for text, code in (('every = "soon"', None), ("evry = 1", ErrorCode.SETTING_MALFORMED)):
        file.write_text(text)
        result = said("run", "--data", data, "--config", file)
        if code is None:
            assert (result.exit_code, "--every" in result.output) == (2, True)
        else:
            assert refusal(result) is code


def test_a_verifier_without_key_landmarks_or_address_does_not_start(data: Path, tmp_path: Path) -> None:
    assert refusal(said("run", "--data", tmp_path / "other", "--listen", "127.0.0.1:0")) is ErrorCode.READ_FAILED
    assert refusal(said("run", "--data", data, "--listen", "127.0.0.1:0")) is ErrorCode.READ_FAILED
    assert refusal(said("run", "--data", data, "--listen", "localhost:8470")) is ErrorCode.SETTING_MALFORMED
    assert refusal(said("export", "--data", data, "--out", tmp_path / "out")) is ErrorCode.READ_FAILED


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["init"], ExitCode.REFUSED),
        (["invite", "--licensed", "Singapore"], ExitCode.MALFORMED),
        (["run"], ExitCode.UNAVAILABLE),
        (["run", "--every", "soon"], ExitCode.USAGE),
    ],
)
def test_a_script_is_told_by_the_exit_code(data: Path, arguments: list[str], code: ExitCode) -> None:
    done = subprocess.run(
        [*COMMAND, "verifier", *arguments, "--data", str(data)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == code, done.stderr
    assert done.stdout == ""


def row(chip: int, standing: str, **more: object) -> dict[str, object]:
    return {
        "chip_id": f"{chip:064x}",
        "label": "hall",
        "site": "hall",
        "standing": standing,
        "tier": "A0",
        "device": None,
        "findings": [],
        "lead": None,
        "since": "2026-11-25T06:43:40.000000Z",
        "last_asked": None,
        "last_answered": None,
        "newest_session": None,
        "sequence_breaks": [],
        "not_asked": False,
        **more,
    }


def lines(capsys: pytest.CaptureFixture[str], *rows: dict[str, object]) -> list[str]:
    print_standings({"standings": list(rows)})
    captured = capsys.readouterr()
    assert "It does not show that any chip was" in captured.err
    return captured.out.splitlines()[1:]


def test_what_is_adverse_stands_first(capsys: pytest.CaptureFixture[str]) -> None:
    printed = lines(capsys, *(row(number, standing) for number, standing in enumerate(reversed(ORDER))))
    assert [line.split()[2] for line in printed] == list(ORDER)
    assert {tuple(line.split()[3:7]) for line in printed} == {("(A0)", "2026-11-25", "06:43", "never")}


def test_why_something_is_not_as_it_should_be_stands_beside_it(capsys: pytest.CaptureFixture[str]) -> None:
    failure = {"landmark": "9f" * 16, "step": "contrib", "why": "no route\x1b[2J"}
    broken: dict[str, object] = {"landmark": "9f" * 16, "missing": [], "forked": [], "unlinked": []}
    too_few = {"fault_units_heard": 1, "fault_budget": 1}
    proven, told, failed, gap, forked, unproven, enough, plain = lines(
        capsys,
        row(0, "verified", last_asked="2026-11-25T06:50:00.000000Z"),
        row(1, "undetermined", lead="lost_proof", proven_at="2026-11-24T01:02:03.000000Z"),
        row(2, "undetermined", not_asked=True),
        row(3, "undetermined", newest_session={"state": "checked", "failure": failure}),
        row(4, "undetermined", sequence_breaks=[{**broken, "missing": [4]}, {**broken, "missing": [1]}]),
        row(5, "undetermined", sequence_breaks=[{**broken, "forked": [2], "unlinked": [3]}]),
        row(6, "undetermined", verdict=too_few),
        row(7, "undetermined", verdict={**too_few, "fault_units_heard": 2}),
    )
    assert plain.endswith("2026-11-25 06:43  2026-11-25 06:50  never")
    assert proven.endswith("  lead: lost_proof (proven 2026-11-24 01:02)")
    assert told.endswith("  NOT ASKED: the verifier's own failure")
    assert failed.endswith("  9f9f9f9f contrib: no route\\x1b[2J")
    assert gap.endswith("  statements not shown by 2 landmarks")
    assert forked.endswith("  FORKED sequence of 1 landmark; wrong link in sequence of 1 landmark")
    assert unproven.endswith("  measured by 1 fault unit, a proof needs 2")
    assert enough.endswith("  never")


def test_each_tier_that_stands_there_is_explained_once_and_simulated_chips_are_called_so(
    capsys: pytest.CaptureFixture[str],
) -> None:
    finding = {"kind": "foreign_chip", "detail": "GH100 with serial number 41 signed this agent's session"}
    device = {"is_simulated": True}
    rows = [row(0, "verified", tier="A1", device=device), row(1, "tampered", tier="A2", findings=[finding])]
    print_standings({"standings": rows})
    captured = capsys.readouterr()
    assert "foreign_chip: GH100 with serial number 41" in captured.out
    assert [line[:2] for line in captured.err.splitlines()] == ["A1", "A2", "SI"]
    assert "reports travel" in captured.err
    assert "They are no chips." in captured.err
