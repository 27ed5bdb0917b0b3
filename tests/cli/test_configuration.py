"""Settings of a role come from a flag, else the environment, else its file, else the default; wrong ones are told."""

from pathlib import Path
from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner

from lightbound.cli import configuration
from lightbound.cli.configuration import ConfigOption, context_settings
from lightbound.errors import ErrorCode, Malformed, Unavailable

app = typer.Typer()
role = typer.Typer()
app.add_typer(role, name="landmark")
RUN = ["landmark", "run"]


@role.command("run", context_settings=context_settings("landmark"))
def run(
    *,
    config: ConfigOption = None,
    listen: Annotated[list[str] | None, typer.Option()] = None,
    per_s: Annotated[float, typer.Option()] = 2.0,
    log_json: Annotated[bool, typer.Option("--log-json/--no-log-json")] = False,
) -> None:
    typer.echo(f"{config is not None} {listen} {per_s} {log_json}")


@role.command("other")
def other() -> None:
    typer.echo("other")


def said(arguments: list[str], **environment: str) -> str:
    result = CliRunner().invoke(app, arguments, env=environment)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.output.strip()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "landmark.toml"
    path.write_text('listen = ["127.0.0.1:1", "127.0.0.1:2"]\nper_s = 5\nlog_json = true\n')
    return path


def test_without_anything_the_defaults_hold() -> None:
    assert said(RUN) == "False None 2.0 False"


def test_a_file_says_what_no_flag_and_no_variable_does(file: Path) -> None:
    assert said([*RUN, "--config", str(file)]) == "True ['127.0.0.1:1', '127.0.0.1:2'] 5.0 True"


def test_the_environment_comes_before_the_file_and_a_flag_before_both(file: Path) -> None:
    both = {"LIGHTBOUND_LANDMARK_PER_S": "9", "LIGHTBOUND_LANDMARK_CONFIG": str(file)}
    assert said(RUN, **both) == "True ['127.0.0.1:1', '127.0.0.1:2'] 9.0 True"
    assert said([*RUN, "--per-s", "7", "--no-log-json"], **both).endswith("7.0 False")


def test_the_role_s_own_file_is_read_where_there_is_one(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(configuration, "FOLDER", file.parent)
    assert said(RUN) == "False ['127.0.0.1:1', '127.0.0.1:2'] 5.0 True"


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("listn = []", "listn"),
        ("per-s = 5", "per-s"),
        ('listen = "127.0.0.1:1"', "listen"),
        ("per_s = [5]", "per_s"),
        ("[per_s]\nx = 1", "per_s"),
        ("config = 'a'", "config"),
        ("per_s = ", None),
        ("\xff", None),
        # What was read of it would be TOML.
        pytest.param("per_s = 5\n#" + "x" * configuration.MOST_BYTES, None, id="too long"),
    ],
)
def test_a_wrong_file_is_told_with_its_name_and_the_key(tmp_path: Path, text: str, key: str | None) -> None:
    path = tmp_path / "wrong.toml"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(Malformed) as caught:
        said([*RUN, "--config", str(path)])
    (fault,) = caught.value.faults
    assert (fault.code, fault.file, fault.column) == (ErrorCode.SETTING_MALFORMED, str(path), key)


def test_a_value_of_another_kind_is_a_wrong_use_of_the_command(tmp_path: Path) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text('per_s = "fast"')
    result = CliRunner().invoke(app, [*RUN, "--config", str(path)])
    assert result.exit_code == 2


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(Unavailable):
        said([*RUN, "--config", str(tmp_path / "none.toml")])


@pytest.mark.parametrize(
    ("text", "expected", "found"),
    [('listen = "127.0.0.1:1"', "an array", "a string"), ("per_s = [5]", "one value", "an array")],
)
def test_a_value_of_another_kind_is_called_as_toml_calls_it(file: Path, text: str, expected: str, found: str) -> None:
    file.write_text(text)
    with pytest.raises(Malformed) as caught:
        said([*RUN, "--config", str(file)])
    (fault,) = caught.value.faults
    assert (fault.expected, fault.found) == (expected, found)
