"""The units for systemd say what the commands know, and systemd knows what they say."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import typer.main
from typer.core import TyperGroup

from lightbound.cli.app import app
from tests.house import tree

UNITS = sorted((tree.ROOT / "packaging/systemd").glob("*.service"))


def service(unit: Path) -> dict[str, list[str]]:
    """The settings of the service; each may stand more than once."""
    found: dict[str, list[str]] = {}
    section = ""
    for line in unit.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            section = line
        elif section == "[Service]" and line and not line.startswith("#"):
            name, _, value = line.partition("=")
            found.setdefault(name, []).append(value)
    return found


def role(unit: Path) -> str:
    """Whose unit it is."""
    return unit.stem.removeprefix("lightbound-")


def options(command: str) -> set[str]:
    """The names of the options of `lightbound ROLE run`."""
    group = typer.main.get_command(app)
    assert isinstance(group, TyperGroup)
    inner = group.commands[command]
    assert isinstance(inner, TyperGroup)
    return {str(option.name) for option in inner.commands["run"].params}


def test_there_are_units() -> None:
    assert {"agent", "landmark"} <= {role(unit) for unit in UNITS}


@pytest.mark.parametrize("unit", UNITS, ids=role)
def test_a_unit_runs_its_role_with_settings_that_exist(unit: Path) -> None:
    settings = service(unit)
    assert settings["ExecStart"] == [f"/usr/bin/env lightbound {role(unit)} run"]
    for pair in settings.get("Environment", []):
        name = pair.partition("=")[0]
        prefix = f"LIGHTBOUND_{role(unit).upper()}_"
        if name.startswith("LIGHTBOUND_"):
            assert name.removeprefix(prefix).lower() in options(role(unit)), pair


@pytest.mark.parametrize("unit", UNITS, ids=role)
def test_a_unit_lets_its_role_write_one_folder_and_gain_nothing(unit: Path) -> None:
    settings = service(unit)
    assert settings["StateDirectory"] == [f"lightbound/{role(unit)}"]
    assert settings["StateDirectoryMode"] == ["0700"]
    assert settings["UMask"] == ["0077"]
    for name in ("DynamicUser", "NoNewPrivileges", "MemoryDenyWriteExecute", "LockPersonality", "PrivateTmp"):
        assert settings[name] == ["yes"], name
    assert settings["ProtectSystem"] == ["strict"]


def test_the_agent_has_no_capability_and_can_listen_on_nothing() -> None:
    settings = service(tree.ROOT / "packaging/systemd/lightbound-agent.service")
    assert settings["CapabilityBoundingSet"] == [""]
    assert "AmbientCapabilities" not in settings
    assert settings["SocketBindDeny"] == ["any"]
    refused = " ".join(one for one in settings["SystemCallFilter"] if one.startswith("~"))
    assert {"listen", "accept", "accept4"} <= set(re.findall(r"[a-z0-9]+", refused))


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
@pytest.mark.parametrize("unit", UNITS, ids=role)
def test_systemd_knows_every_setting(unit: Path) -> None:
    program = ["systemd-analyze", "verify", "--man=no", str(unit)]
    environment = {**os.environ, "SYSTEMD_LOG_LEVEL": "warning"}
    done = subprocess.run(program, capture_output=True, text=True, timeout=60, check=False, env=environment)
    said = [line for line in (done.stdout + done.stderr).splitlines() if unit.name in line]
    assert said == []
