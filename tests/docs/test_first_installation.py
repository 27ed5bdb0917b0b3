"""docs/first-installation.md: its commands, as they stand, lead to a verified chip and to a bundle that holds."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lightbound.cli.app import main
from lightbound.cli.exits import ExitCode
from lightbound.roles.verifier.kept import open_kept
from lightbound.roles.verifier.standings import standings
from tests.house import tree
from tests.roles.landmark.running import free_port

PAGE = (tree.ROOT / "docs" / "first-installation.md").read_text(encoding="utf-8")
INSTALL, _, REST = PAGE.partition("\n## 2. ")
WITHIN_S = 240
"""It takes some 40 s alone, and shares two cores with other tests."""


def _script() -> str:
    """What the page runs once Lightbound is installed, on ports that are free."""
    script = "\n".join(re.findall(r"```sh\n(.*?)```", REST, re.DOTALL))
    ports = {port: str(free_port("127.0.0.1")) for port in sorted(set(re.findall(r"\b847\d\b", script)))}
    assert len(ports) == 5
    return re.sub(r"\b847\d\b", lambda found: ports[found[0]], script)


def test_what_it_installs_from_is_there() -> None:
    (block,) = re.findall(r"```sh\n(.*?)```", INSTALL, re.DOTALL)
    assert "make wheel\n" in block
    assert "\nwheel: " in (tree.ROOT / "Makefile").read_text(encoding="utf-8")
    units = sorted((tree.ROOT / "packaging" / "systemd").glob("*.service"))
    assert [one.name for one in units if "ExecStart=/usr/bin/env lightbound" not in one.read_text()] == []


@pytest.mark.long
def test_the_commands_of_the_page_lead_to_verified_and_to_a_bundle_that_holds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    program = tmp_path / "bin" / "lightbound"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "from lightbound.cli.app import main; main()" "$@"\n')
    program.chmod(0o755)
    folder = tmp_path / "empty"
    folder.mkdir()
    process = subprocess.Popen(
        ["/bin/bash", "-euo", "pipefail", "-c", f"trap 'kill $(jobs -p) || true' EXIT\n{_script()}"],
        cwd=folder,
        env={**os.environ, "PATH": f"{program.parent}:{os.environ['PATH']}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        out, err = process.communicate(timeout=WITHIN_S)
    finally:
        if process.poll() is None:
            # What it has started is in its group, and would outlive it.
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
    assert process.returncode == 0, err
    assert "2 landmarks in 2 fault units" in out
    kept = open_kept(folder / "verifier")
    try:
        (row,) = standings(kept, now_ns=0)["standings"]
    finally:
        kept.close()
    assert (row["standing"], row["tier"]) == ("verified", "A0")
    words = [str(folder / "chip.bundle"), "--trust", str(folder / "check-trust.toml"), "--json"]
    with pytest.raises(SystemExit) as ended:
        main(["check", *words])
    told = json.loads(capsys.readouterr().out)
    assert (ended.value.code or 0, told["holds"]) == (ExitCode.DONE, True)
    assert "1 of 1 witnesses" in told["steps"][5]["found"]
    assert "1 of 1 witnesses" in out
