"""The folder of a role is its own: another process, and whoever could put other files there, is told."""

import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lightbound.cli.app import app
from lightbound.errors import ErrorCode, LightboundError, Refused
from lightbound.roles.state import check_own, locked
from tests.tlog.histories import LOG_KEY

VKEY = str(LOG_KEY)


def refusal(folder: Path) -> ErrorCode:
    with pytest.raises(Refused) as caught, locked(folder):
        pass
    return caught.value.faults[0].code


def test_a_folder_that_is_missing_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    with locked(tmp_path / "new") as folder:
        assert folder.stat().st_mode & 0o777 == 0o700
        assert (folder / "lock").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("mode", [0o777, 0o770, 0o702, 0o1777])
def test_a_folder_that_others_may_write_to_is_refused_and_left_as_it_was(tmp_path: Path, mode: int) -> None:
    folder = tmp_path / "shared"
    folder.mkdir()
    folder.chmod(mode)
    assert refusal(folder) is ErrorCode.KEY_EXPOSED
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("command", [["witness", "run", "--log", VKEY], ["log", "run", "--origin", "log.example/test"]])
def test_a_log_or_witness_in_a_folder_that_others_may_write_to_does_not_begin(
    tmp_path: Path, command: list[str]
) -> None:
    folder = tmp_path / "shared"
    folder.mkdir()
    folder.chmod(0o770)
    more = ["--admission", str(tmp_path)] if command[0] == "log" else []
    result = CliRunner().invoke(app, [*command, "--data", str(folder), *more])
    assert isinstance(result.exception, Refused), result.output
    assert result.exception.faults[0].code is ErrorCode.KEY_EXPOSED
    assert list(folder.iterdir()) == []


def test_a_folder_that_is_not_there_is_nobody_s(tmp_path: Path) -> None:
    check_own(tmp_path / "missing")


def test_a_folder_that_others_may_read_is_taken(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    with locked(tmp_path):
        pass


def test_a_lock_that_is_a_link_is_refused_and_what_it_names_is_not_made(tmp_path: Path) -> None:
    folder, elsewhere = tmp_path / "own", tmp_path / "elsewhere"
    folder.mkdir(mode=0o700)
    (folder / "lock").symlink_to(elsewhere)
    assert refusal(folder) is ErrorCode.KEY_EXPOSED
    assert not os.path.lexists(elsewhere)


def test_a_folder_is_held_once_at_a_time(tmp_path: Path) -> None:
    with locked(tmp_path):
        with pytest.raises(LightboundError) as caught, locked(tmp_path):
            pass
        assert caught.value.faults[0].code is ErrorCode.ALREADY_RUNNING
    with locked(tmp_path):
        pass
