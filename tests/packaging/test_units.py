"""The units for systemd say what the commands know, and systemd knows what they say."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import typer.main
from typer.core import TyperCommand, TyperGroup

from lightbound.cli import evidence_collect, evidence_host
from lightbound.cli.app import app
from lightbound.roles.agent import attested_root
from tests.house import tree

FOLDER = tree.ROOT / "packaging/systemd"
UNITS = sorted(unit for unit in FOLDER.glob("*.service") if "-evidence-" not in unit.name)
EVIDENCE = sorted(FOLDER.glob("*-evidence-*.service"))
SOCKETS = sorted(FOLDER.glob("*.socket"))


def service(unit: Path, of: str = "[Service]") -> dict[str, list[str]]:
    """The settings of the service, or of another section; each may stand more than once."""
    found: dict[str, list[str]] = {}
    section = ""
    for line in unit.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            section = line
        elif section == of and line and not line.startswith("#"):
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


def program(words: list[str]) -> TyperCommand:
    """The command that these words start, as the program itself finds it; they are to be names of commands alone."""
    here = typer.main.get_command(app)
    for word in words:
        assert isinstance(here, TyperGroup), words
        assert word in here.commands, f"{words}: there is no command {word}"
        here = here.commands[word]
    assert isinstance(here, TyperCommand), f"{words}: only a group of commands"
    return here


def test_there_are_units() -> None:
    assert {role(unit) for unit in UNITS} == {"agent", "landmark", "log", "verifier", "witness"}
    assert {"evidence-chip@", "evidence-host@"} == {role(unit) for unit in EVIDENCE}


@pytest.mark.parametrize("unit", [*UNITS, *EVIDENCE], ids=role)
def test_a_unit_starts_a_command_that_there_is_and_that_needs_no_more_words(unit: Path) -> None:
    (line,) = service(unit)["ExecStart"]
    started = line.split()
    assert started[:2] == ["/usr/bin/env", "lightbound"]
    command = program(started[2:])
    if any(one.required for one in command.params):
        settings = f"/etc/lightbound/{role(unit)}.toml"
        assert service(unit, "[Unit]")["ConditionPathExists"] == [settings], "what is required stands in its settings"


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


@pytest.mark.parametrize("name", ["log", "verifier", "witness"])
def test_who_times_nothing_has_no_capability_and_no_device(name: str) -> None:
    settings = service(FOLDER / f"lightbound-{name}.service")
    assert settings["CapabilityBoundingSet"] == [""]
    assert "AmbientCapabilities" not in settings
    assert settings["PrivateDevices"] == ["yes"]


def test_each_socket_has_a_service_for_each_question_and_lets_a_group_ask() -> None:
    assert SOCKETS
    assert {unit.name.removesuffix(".service").rstrip("@") for unit in EVIDENCE} == {
        unit.name.removesuffix(".socket").rstrip("@") for unit in SOCKETS
    }
    group = "lightbound-evidence"
    for unit in SOCKETS:
        settings = service(unit, "[Socket]")
        # systemd starts prefix@NUMBER.service for each connection, whatever the instance of the socket.
        assert settings["Accept"] == ["yes"]
        assert settings["RemoveOnStop"] == ["yes"]
        assert (FOLDER / f"{unit.stem.rstrip('@')}@.service").is_file()
        assert (settings["SocketMode"], settings["SocketGroup"]) == (["0660"], [group])
        (path,) = settings["ListenStream"]
        assert path.startswith(f"{evidence_collect.FOLDER}/")
        assert Path(path.replace("%i", "0")).match(evidence_collect.CHIPS) == ("%i" in path)
    assert f"g {group} -" in (tree.ROOT / "packaging/sysusers/lightbound-evidence.conf").read_text(encoding="utf-8")
    assert service(FOLDER / "lightbound-agent-evidence.conf") == {"SupplementaryGroups": [group]}


@pytest.mark.parametrize("unit", EVIDENCE, ids=role)
def test_a_service_that_gives_evidence_is_short_lived_and_reaches_its_devices_alone(unit: Path) -> None:
    settings = service(unit)
    assert settings["ExecStart"][0].startswith("/usr/bin/env lightbound evidence answer")
    assert settings["StandardInput"] == ["socket"]
    assert 0 < int(settings["RuntimeMaxSec"][0]) <= 60
    assert settings["CapabilityBoundingSet"] == [""]
    assert settings["DevicePolicy"] == ["closed"]
    assert len(settings["DeviceAllow"]) == 1
    assert settings["ProtectSystem"] == ["strict"]
    for name in ("DynamicUser", "NoNewPrivileges", "MemoryDenyWriteExecute", "PrivateTmp", "PrivateNetwork"):
        assert settings[name] == ["yes"], name
    refused = " ".join(one for one in settings["SystemCallFilter"] if one.startswith("~"))
    assert {"listen", "accept", "accept4"} <= set(re.findall(r"[a-z0-9]+", refused))


def test_the_service_of_the_host_reaches_its_tpm_and_the_settings_that_it_names_exist() -> None:
    settings = service(FOLDER / "lightbound-evidence-host@.service")
    reached, rights = settings["DeviceAllow"][0].split()
    assert (f"device:{reached}", rights) == (evidence_host.TCTI, "rw")
    assert settings["SupplementaryGroups"] == ["tss"]
    (path,) = service(FOLDER / "lightbound-evidence-host.socket", "[Socket]")["ListenStream"]
    assert Path(path).name == attested_root.HOST
    for command in ("answer", "serve", "host-key"):
        variables = {str(option.envvar) for option in program(["evidence", command]).params if option.envvar}
        assert variables == {f"LIGHTBOUND_EVIDENCE_{name}" for name in ("TCTI", "REGISTERS", "HANDLE")}


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
@pytest.mark.parametrize("unit", [*UNITS, *EVIDENCE, *SOCKETS], ids=lambda unit: unit.name)
def test_systemd_knows_every_setting(unit: Path) -> None:
    program = ["systemd-analyze", "verify", "--man=no", str(unit)]
    environment = {**os.environ, "SYSTEMD_LOG_LEVEL": "warning"}
    done = subprocess.run(program, capture_output=True, text=True, timeout=60, check=False, env=environment)
    said = [line for line in (done.stdout + done.stderr).splitlines() if unit.name in line]
    assert said == []
