"""`lightbound check` as a process: nothing is asked of anybody, nothing is written, and compiled code is not needed."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from lightbound.cli.exits import EXTRA_OF
from tests.bundles.made import Files, logged, trusted, unattested, written

STRACE, UNSHARE = shutil.which("strace"), shutil.which("unshare")
COMMAND = (sys.executable, "-B", "-c", "from lightbound.cli.app import main; main()")

MISSING = ("numba", *(module for module, extra in EXTRA_OF.items() if extra == "server"))

WITHOUT = (
    sys.executable,
    "-B",
    "-c",
    f"import sys; sys.modules.update(dict.fromkeys({MISSING!r})); from lightbound.cli.app import main; main()",
)
"""A process in which importing these fails, as where they are not installed."""

OPENED_TO_WRITE = re.compile(r"O_WRONLY|O_RDWR|O_CREAT|\b(?:mkdir|rename|unlink|link|symlink|truncate|chmod)\w*\(")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    with unattested(tmp_path_factory.mktemp("world") / "verifier") as made:
        bundle, log = logged(made.bundle())
    return written(tmp_path_factory.mktemp("given"), bundle, trusted(log))


def run(words: Sequence[str], *, cwd: Path) -> subprocess.CompletedProcess[str]:
    # Neither a home nor a temporary folder: there is nowhere that it could write.
    environment = {"PATH": os.environ["PATH"], "HOME": "/nowhere", "TMPDIR": "/nowhere"}
    return subprocess.run(words, cwd=cwd, env=environment, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture(scope="module")
def told(files: Files) -> str:
    done = run([*COMMAND, "check", *files.arguments(), "--json"], cwd=files.bundle.parent)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.skipif(STRACE is None, reason="needs strace")
@pytest.mark.skipif(UNSHARE is None or os.geteuid() != 0, reason="needs root, to make a network without anything in it")
def test_in_an_empty_network_no_socket_is_opened_and_the_answer_is_the_same(
    files: Files, told: str, tmp_path: Path
) -> None:
    assert STRACE is not None
    assert UNSHARE is not None
    calls = tmp_path / "calls"
    traced = [STRACE, "-f", "-qq", "-e", "trace=network", "-e", "signal=none", "-o", str(calls)]
    words = [UNSHARE, "-n", *traced, *COMMAND, "check", *files.arguments(), "--json"]
    done = run(words, cwd=files.bundle.parent)
    if "unshare failed" in done.stderr:
        pytest.skip("this machine lets nobody make a network of his own")
    assert done.returncode == 0, done.stderr
    assert done.stdout == told
    assert calls.read_text() == ""
    run([*traced, sys.executable, "-c", "import socket; socket.socket()"], cwd=tmp_path)
    assert "AF_INET" in calls.read_text(), "strace would have seen none"


@pytest.mark.skipif(STRACE is None, reason="needs strace")
def test_nothing_is_written_anywhere(files: Files, tmp_path: Path) -> None:
    assert STRACE is not None
    calls = tmp_path / "calls"
    traced = [STRACE, "-f", "-qq", "-e", "trace=%file", "-e", "signal=none", "-o", str(calls)]
    done = run([*traced, *COMMAND, "check", *files.arguments()], cwd=files.bundle.parent)
    assert done.returncode == 0, done.stderr
    lines = calls.read_text(errors="replace").splitlines()
    assert any(str(files.bundle) in line for line in lines)
    assert [line for line in lines if OPENED_TO_WRITE.search(line) and "/dev/null" not in line] == []


def test_without_numba_and_what_only_a_server_needs_every_word_is_the_same(files: Files, told: str) -> None:
    done = run([*WITHOUT, "check", *files.arguments(), "--json"], cwd=files.bundle.parent)
    assert done.returncode == 0, done.stderr
    assert done.stdout == told
    assert '"standing": "verified"' in told
