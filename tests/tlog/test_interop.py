"""Go's sumdb opens our checkpoints and verifies what our tiles prove: code of which nobody here wrote a line."""

import base64
import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from lightbound.tlog import merkle
from lightbound.tlog.checkpoint import log_key, sign_checkpoint
from lightbound.tlog.cosignature import cosign_text
from lightbound.tlog.note import read_note, with_lines
from tests.tlog.test_tiled_logs import LEAVES, LOG, ORIGIN, WITNESS, checkpoint, tree

GOCODE = Path("/usr/share/gocode")
"""Where Debian's packages put the sources of libraries."""

SIZES = (1, 2, 7, 255, 256, 257, 1_200)


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> str:
    go = shutil.which("go")
    if go is None or not (GOCODE / "src/golang.org/x/mod/sumdb").is_dir():
        pytest.skip("needs Go and its module library: apt-get install golang-go golang-golang-x-mod-dev")
    folder = tmp_path_factory.mktemp("go")
    environment = {
        **os.environ,
        "GO111MODULE": "off",
        "GOPATH": str(GOCODE),
        "GOCACHE": str(folder / "cache"),
        "GOFLAGS": "",
        "GOTOOLCHAIN": "local",
    }
    source = Path(__file__).parent / "interop" / "main.go"
    subprocess.run([go, "build", "-o", str(folder / "interop"), str(source)], env=environment, check=True)
    return str(folder / "interop")


def answers(program: str, questions: Sequence[dict[str, object]]) -> list[str]:
    asked = "".join(json.dumps(one) + "\n" for one in questions)
    done = subprocess.run([program], input=asked, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def cosigned(size: int) -> str:
    """A checkpoint with a line that Go does not know beside ours."""
    note = read_note(sign_checkpoint(checkpoint(size), LOG))
    line = cosign_text(note.text, "witness.example", WITNESS, at_s=1_000)
    return with_lines(note, [line]).encoded().decode()


def text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def question(size: int, proof: Sequence[bytes], **more: object) -> dict[str, object]:
    vkey = str(log_key(ORIGIN, LOG.verifying))
    return {"Vkey": vkey, "Note": cosigned(size), "Proof": [text(step) for step in proof], **more}


def of_inclusion() -> Iterator[dict[str, object]]:
    for size in SIZES:
        for index in {0, size // 2, size - 1}:
            proof = tree(size).inclusion_proof(index)
            yield question(size, proof, Index=index, Entry=text(LEAVES[index]))


def of_consistency() -> Iterator[dict[str, object]]:
    for size in SIZES:
        for old in sorted({1, size // 2, size - 1, size} - {0}):
            proof = tree(size).consistency_proof(old)
            yield question(size, proof, OldSize=old, OldRoot=text(merkle.root(LEAVES[:old])))


def test_go_opens_our_checkpoints_and_finds_our_entries_in_them(program: str) -> None:
    questions = list(of_inclusion())
    assert answers(program, questions) == ["ok"] * len(questions)


def test_go_sees_that_our_trees_continue_one_another(program: str) -> None:
    questions = list(of_consistency())
    assert answers(program, questions) == ["ok"] * len(questions)


def test_go_refuses_what_we_would_refuse(program: str) -> None:
    honest = question(7, tree(7).inclusion_proof(3), Index=3, Entry=text(LEAVES[3]))
    older = question(7, tree(7).consistency_proof(3), OldSize=3, OldRoot=text(merkle.root(LEAVES[:3])))
    wrong = [
        {**honest, "Index": 2},
        {**honest, "Entry": text(LEAVES[2])},
        {**honest, "Note": cosigned(6)},
        {**honest, "Note": cosigned(7).replace("\n7\n", "\n8\n")},
        {**older, "OldRoot": text(merkle.root(LEAVES[:2]))},
        {**older, "OldSize": 4},
    ]
    assert answers(program, [honest, older]) == ["ok", "ok"]
    assert [answer[:8] for answer in answers(program, wrong)] == ["refused:"] * len(wrong)
