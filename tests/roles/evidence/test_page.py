"""The page from which a stranger implements the socket says what the code does."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from lightbound.attestation.tpm.quotes import verified_quote
from lightbound.cli.evidence_collect import FOLDER
from lightbound.cli.evidence_host import HANDLE, REGISTERS, TCTI
from lightbound.errors import Unavailable
from lightbound.net import evidence_socket
from lightbound.net.evidence_socket import write_answer
from lightbound.roles.evidence import answering
from lightbound.roles.evidence.sources import By
from lightbound.roles.evidence.tpm import HostTpm
from tests.attestation.tpm.software import needs_swtpm, tpm
from tests.conftest import ROOT

PAGE = (ROOT / "docs/evidence-socket.md").read_text(encoding="utf-8")


def test_the_example_is_what_is_sent() -> None:
    (shown,) = re.findall(r"^((?:[0-9a-f]+ )+) *\{ \"error\": \"([^\"]+)\" \}", PAGE, re.MULTILINE)
    assert bytes.fromhex(shown[0]) == write_answer(shown[1])


def test_the_limits_and_places_are_those_of_the_code() -> None:
    said = dict(re.findall(r"^\| ([a-z0-9, ]+) \| ([^|]+) \|", PAGE, re.MULTILINE))
    assert said["answer"] == f"{evidence_socket.MOST_ANSWER_BYTES:,} bytes"
    assert said["error"] == f"{evidence_socket.MOST_WORDS} characters"
    assert said["server, for the 32 bytes"] == f"{answering.ASKED_WITHIN_S:g} s"
    assert said["server, in all"] == f"{answering.WITHIN_S:g} s"
    assert said["client, in all"] == f"{evidence_socket.WITHIN_S:g} s"
    assert answering.WITHIN_S < evidence_socket.WITHIN_S
    assert f"`{FOLDER}/chip-N.sock`" in PAGE


def test_every_way_to_read_a_chip_is_explained() -> None:
    assert set(re.findall(r"^\| `([a-z]+)` \|", PAGE, re.MULTILINE)) == {str(by) for by in By}


def test_the_settings_of_a_host_are_those_of_the_command() -> None:
    said = re.findall(r"^\| `--([a-z]+)` \| LIGHTBOUND_EVIDENCE_([A-Z]+) \| `([^`]+)` \|", PAGE, re.MULTILINE)
    assert said == [
        ("tcti", "TCTI", TCTI),
        ("registers", "REGISTERS", REGISTERS),
        ("handle", "HANDLE", HANDLE),
    ]
    for page in ("evidence-socket", "operations"):
        assert f"at {HANDLE}" in (ROOT / f"docs/{page}.md").read_text(encoding="utf-8").replace("4C42", "4c42")


@needs_swtpm
def test_the_key_that_is_made_by_hand_with_both_passwords_is_the_one_that_the_command_makes(tmp_path: Path) -> None:
    (by_hand,) = re.findall(r"^By hand[^\n]*\n\n```sh\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    with tpm() as made:
        host = HostTpm(within_s=60.0, tcti=made.tcti)
        name = host.make_key()
        made.tool("evictcontrol", "-Q", "-C", "o", "-c", f"{host.handle:#x}")
        made.tool("changeauth", "-Q", "-c", "owner", "OWNER")
        made.tool("changeauth", "-Q", "-c", "endorsement", "ENDORSEMENT")
        with pytest.raises(Unavailable, match="whoever set it makes the key"):
            host.make_key()
        tools = {"TPM2TOOLS_TCTI": made.tcti, "LIGHTBOUND_EVIDENCE_TCTI": made.tcti}
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        words = ["/bin/sh", "-eu", "-c", by_hand]
        said = subprocess.check_output(words, cwd=tmp_path, env={**tools, "PATH": path}, text=True, timeout=60)
        assert f"{name.hex()}\n" in said
        assert verified_quote(host.quote(bytes(32)), key=name, qualifying=bytes(32)).key_name == name
