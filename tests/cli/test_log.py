"""`lightbound log` as a person or a script meets it before there is a log."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lightbound.cli.landmark import landmark_app
from lightbound.cli.log import log_app
from lightbound.errors import ErrorCode, LightboundError
from lightbound.files.keys import key_path, read_key
from lightbound.keys.purposes import Purpose
from lightbound.tlog.checkpoint import log_key
from lightbound.tlog.cosignature import witness_key
from lightbound.tlog.note import read_vkey
from tests.ranging.parties import key

ORIGIN = "log.example/test"
VKEY = str(log_key(ORIGIN, key(Purpose.LOG).verifying))
WITNESS = str(witness_key("witness.example", key(Purpose.WITNESS).verifying))


def test_init_makes_a_key_once_and_prints_what_others_know_the_log_by(tmp_path: Path) -> None:
    arguments = ["init", "--data", str(tmp_path / "log"), "--origin", ORIGIN, "--json"]
    first = CliRunner().invoke(log_app, arguments)
    assert first.exit_code == 0
    told = json.loads(first.output)
    kept = read_key(key_path(tmp_path / "log", Purpose.LOG), Purpose.LOG).verifying
    assert read_vkey(told["vkey"]) == log_key(ORIGIN, kept)
    again = CliRunner().invoke(log_app, arguments)
    assert isinstance(again.exception, LightboundError)
    assert again.exception.faults[0].code is ErrorCode.DUPLICATE
    assert json.loads(CliRunner().invoke(log_app, [*arguments, "--keep-key"]).output) == told


@pytest.mark.parametrize("origin", ["", "two words", "a+b", "line\nbreak", "tab\there", "x" * 257])
def test_a_name_that_no_log_can_have_is_refused_before_there_is_a_key(origin: str, tmp_path: Path) -> None:
    result = CliRunner().invoke(log_app, ["init", "--data", str(tmp_path / "log"), "--origin", origin])
    assert isinstance(result.exception, LightboundError)
    assert not (tmp_path / "log").exists()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["run", "--origin", ORIGIN], "--admission"),
        (["run", "--admission", "."], "--origin"),
        (
            ["run", "--origin", ORIGIN, "--admission", ".", "--witness", f"{WITNESS} nowhere"],
            "vkey, a space and its URL",
        ),
        (["audit", ".", "--log-key", VKEY, "--witness-threshold", "1"], "there are 0 witnesses"),
        (["audit", ".", "--log-key", VKEY, "--witness", WITNESS, "--witness", WITNESS], "expected each witness once"),
        (["audit", "."], "--log-key"),
        (["monitor", ".", "--log-key", VKEY, "--held", "."], "--state"),
    ],
)
def test_a_wrong_use_is_told_with_what_was_expected(arguments: list[str], says: str) -> None:
    result = CliRunner().invoke(log_app, arguments)
    assert result.exit_code == 2
    assert says in " ".join(result.output.split())


@pytest.mark.parametrize(
    "arguments",
    [
        ["run", "--origin", ORIGIN, "--admission", ".", "--witness", f"{VKEY} http://w.example"],
        ["audit", ".", "--log-key", WITNESS],
        ["audit", ".", "--log-key", VKEY, "--witness", VKEY],
        ["monitor", ".", "--log-key", WITNESS, "--held", ".", "--state", "state"],
        ["submit", "http://127.0.0.1:1", __file__, "--log-key", WITNESS],
    ],
)
def test_the_key_of_a_witness_is_taken_for_no_logs_nor_the_other_way(arguments: list[str]) -> None:
    """It would be one of which no signature is ever found."""
    result = CliRunner().invoke(log_app, arguments)
    assert isinstance(result.exception, LightboundError)
    assert result.exception.faults[0].code is ErrorCode.KEY_MALFORMED


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["audit", ".", "--log-key", "nonsense"], ErrorCode.KEY_MALFORMED),
        (["audit", "/nowhere", "--log-key", VKEY], ErrorCode.READ_FAILED),
        (["audit", "http://127.0.0.1:1", "--log-key", VKEY], ErrorCode.PEER_UNREACHABLE),
    ],
)
def test_what_cannot_be_looked_at_is_an_error_of_ours(arguments: list[str], code: ErrorCode) -> None:
    result = CliRunner().invoke(log_app, arguments)
    assert isinstance(result.exception, LightboundError)
    assert result.exception.faults[0].code is code


def test_a_landmark_needs_a_log_and_its_key_together() -> None:

    for given in (["--log", "http://127.0.0.1:1"], ["--log-key", VKEY], ["--log", "ftp://x", "--log-key", VKEY]):
        result = CliRunner().invoke(landmark_app, ["run", "--verifier", "5f" * 32, *given])
        assert result.exit_code == 2
