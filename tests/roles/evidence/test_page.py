"""The page from which a stranger implements the socket says what the code does."""

import re

from lightbound.cli.evidence_collect import FOLDER
from lightbound.net import evidence_socket
from lightbound.net.evidence_socket import write_answer
from lightbound.roles.evidence import answering
from lightbound.roles.evidence.sources import By
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
