"""What docs/operations.md says of keys: every key has its row, and the commands run as they stand."""

import os
import re
import stat
import subprocess
import sys
from pathlib import Path

from typer.main import get_command

from lightbound.cli.keys import keys_app
from lightbound.files.keys import key_path
from lightbound.keys.purposes import Purpose
from lightbound.keys.rotation import read_rotation
from tests.house import tree

PAGE = (tree.ROOT / "docs" / "operations.md").read_text(encoding="utf-8")


def test_every_key_there_is_has_a_row_that_says_what_it_costs_and_how_it_is_changed() -> None:
    rows = tree.table("docs/operations.md", "## Every key")
    assert [row[0] for row in rows[:-1]] == [str(purpose) for purpose in Purpose]
    assert "0x81014C42" in rows[-1][0]
    assert all(len(row) == 5 and all(row) for row in rows)


def test_every_command_for_keys_is_on_the_page() -> None:
    commands = getattr(get_command(keys_app), "commands", {})
    assert set(commands) == {"protect", "unprotect", "rotate", "show"}
    assert [name for name in commands if f"lightbound keys {name}" not in PAGE] == []


def test_the_commands_of_the_page_run_as_they_stand(tmp_path: Path) -> None:
    script = "\n".join(re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL))
    program = tmp_path / "lightbound"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "from lightbound.cli.app import main; main()" "$@"\n')
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
    assert key_path(tmp_path / "operator", Purpose.OPERATOR).read_bytes().startswith(b"-----BEGIN ENCRYPTED")
    assert key_path(tmp_path / "party", Purpose.DIRECTORY).read_bytes().startswith(b"-----BEGIN PRIVATE")
    assert read_rotation((tmp_path / "rotation.cose").read_bytes()).what is Purpose.LOG
    assert read_rotation((tmp_path / "landmark.cose").read_bytes()).what is Purpose.LANDMARK
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.rglob("*.pem")} == {0o600}
