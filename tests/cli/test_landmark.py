"""`lightbound landmark` as a person or a script meets it before it runs."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from lightbound.cli.app import app
from lightbound.cli.landmark import StampsChoice
from lightbound.errors import ErrorCode, LightboundError
from lightbound.files.keys import key_path, write_new_key
from lightbound.keys.ed25519 import SigningKey
from lightbound.keys.purposes import Purpose
from lightbound.ranging.statements.measurement import Stamps

KEY = "5f" * 32


def refused(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["landmark", "run", *arguments])
    return result.exit_code, result.output


def test_the_choices_are_those_of_the_statement() -> None:
    assert [choice.value for choice in StampsChoice] == [str(stamps) for stamps in Stamps]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "--verifier"),
        (["--verifier", "5f"], "64 hexadecimal digits"),
        (["--verifier", KEY, "--tls-key", "x.pem"], "belong together"),
        (["--verifier", KEY, "--time-source", "gps"], "ntp:HOST"),
        (["--verifier", KEY, "--time-source", "ntp:a:b"], "ntp:HOST"),
        (["--verifier", KEY, "--time-source", "ntp:a:0"], "ntp:HOST"),
        (["--verifier", KEY, "--time-source", "ntp:a:65536"], "ntp:HOST"),
        (["--verifier", KEY, "--time-source", "ntp:[::1]:123"], "ntp:HOST"),
        (["--verifier", KEY, "--time-source", "ntp:[::1"], "ntp:HOST"),
        (["--verifier", KEY, "--time-source", "ntp:2001:db8::1"], "ntp:HOST"),
        (["--verifier", KEY, "--allow-from", "example"], "192.0.2.0/24"),
        (["--verifier", KEY, "--proxy-from", "example"], "192.0.2.0/24"),
        (["--verifier", KEY, "--listen", "127.0.0.1:1", "--listen", "[::1]:2"], "one port"),
    ],
)
def test_a_wrong_use_is_told_with_what_was_expected(arguments: list[str], says: str) -> None:
    code, output = refused(*arguments)
    assert code == 2
    assert says in output


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--listen", "localhost:8471"], ErrorCode.SETTING_MALFORMED),
        (["--data", "nowhere"], ErrorCode.READ_FAILED),
    ],
)
def test_what_cannot_be_is_an_error_of_ours(arguments: list[str], code: ErrorCode, tmp_path: Path) -> None:
    data = ["--data", str(tmp_path)] if "--data" not in arguments else []
    result = CliRunner().invoke(app, ["landmark", "run", "--verifier", KEY, *data, *arguments])
    assert isinstance(result.exception, LightboundError)
    assert result.exception.faults[0].code is code


def test_a_landmark_that_was_not_signed_for_is_told_who_signs(tmp_path: Path) -> None:
    write_new_key(key_path(tmp_path, Purpose.LANDMARK), SigningKey.of_seed(Purpose.LANDMARK, bytes(32)))
    result = CliRunner().invoke(app, ["landmark", "run", "--verifier", KEY, "--data", str(tmp_path)])
    assert "lightbound operator sign" in str(result.exception)
