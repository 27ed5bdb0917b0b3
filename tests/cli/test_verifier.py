"""`lightbound verifier` as a person or a script meets it before it runs; `tests/roles/verifier` has what it does."""

import json
import re
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from lightbound.cli.app import app
from lightbound.cli.verifier import verifier_app
from lightbound.errors import ErrorCode, LightboundError
from tests.house import tree


def said(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["verifier", *map(str, arguments)])


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


def test_an_invitation_is_a_code_of_this_verifier_and_stands_nowhere_afterwards(data: Path) -> None:
    code = json.loads(said("invite", "--data", data, "--site", "hall", "--licensed", "SG", "--json").output)["code"]
    secret = code.split("-")[1].encode()
    assert code.startswith("lb1-")
    assert not any(secret in file.read_bytes() for file in data.rglob("*") if file.is_file())


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
    assert json.loads(said("status", "--data", data, "--json").output)["standings"] == []
