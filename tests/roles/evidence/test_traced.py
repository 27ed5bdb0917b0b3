"""What a process that answers one question asked of the kernel: nothing but its connection, and one child."""

import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pytest

from lightbound.net.evidence_socket import ChipEvidence, read_answer
from tests.conftest import ROOT
from tests.roles.evidence.test_nvml import GCC, library

STRACE = shutil.which("strace")
NONCE = bytes(range(32))

PROGRAM = [sys.executable, "-B", "-m", "tests.roles.evidence.program", "answer", "--device", "1", "--library"]

SHUT_IN = """
import ctypes, os, sys
if ctypes.CDLL(None).prctl({option}, 1, 0, 0, 0) != 0:
    sys.exit("a kernel without PR_SET_MDWE")
os.execv(sys.argv[1], sys.argv[1:])
"""
"""A program whose memory, and that of its children, is never writable and executable at one time: what the unit's
MemoryDenyWriteExecute does by a filter, the kernel does by itself from 6.3 on (PR_SET_MDWE)."""
PR_SET_MDWE = 65

pytestmark = pytest.mark.skipif(GCC is None, reason="needs gcc, to make a library that stands in for the driver's")


def answered(words: Sequence[str]) -> tuple[bytes, int, str]:
    """What a program that has a connection as standard input answers there, how it ends, and what it says besides."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    ours.settimeout(60)
    pipe = subprocess.PIPE
    with ours, subprocess.Popen(words, cwd=ROOT, stdin=theirs.fileno(), stderr=pipe, text=True) as process:
        theirs.close()
        with suppress(BrokenPipeError):
            ours.sendall(NONCE)
        data = b"".join(iter(lambda: ours.recv(65_536), b""))
        _, said = process.communicate(timeout=60)
    return data, process.returncode, said


def test_a_question_is_answered_where_no_memory_may_be_written_and_executed(tmp_path: Path) -> None:
    words = [sys.executable, "-c", SHUT_IN.format(option=PR_SET_MDWE), *PROGRAM, library(tmp_path)]
    data, code, said = answered(words)
    if "without PR_SET_MDWE" in said:
        pytest.skip("needs a kernel that can refuse such memory (Linux 6.3)")
    assert code == 0, said
    given = read_answer(data, "answer")
    assert isinstance(given, ChipEvidence)
    assert given.report[4:36] == NONCE


@pytest.mark.skipif(STRACE is None, reason="needs strace")
def test_a_question_opens_no_socket_writes_no_file_and_leaves_the_device_to_one_child(tmp_path: Path) -> None:
    assert STRACE is not None
    name, trace = library(tmp_path), tmp_path / "trace"
    words = [STRACE, "-f", "-qq", "-s", "500", "-e", "trace=%network,execve,openat,open,creat", "-e", "signal=none"]
    data, code, said = answered([*words, "-o", str(trace), *PROGRAM, name])
    assert code == 0, said
    read_answer(data, "answer")
    calls = re.findall(r"^(\d+) +([a-z0-9_]+)\((.*)\) = (-?\d+)", trace.read_text(), re.MULTILINE)
    done = [(pid, call, said) for pid, call, said, result in calls if int(result) >= 0]
    assert len(done) > 100
    # The program, and the child that asks the chip.
    started = [(pid, said) for pid, call, said in done if call == "execve"]
    assert len(started) == 2
    assert '"lightbound.roles.evidence.nvml_child", "1"' in started[1][1]
    # The connection was there before, and no other is made or waited for; but the C library asks nscd who we are.
    assert {call for _, call, _ in done} & {"bind", "listen", "accept", "accept4"} == set()
    assert [said for _, call, said in done if call == "connect" and "nscd" not in said] == []
    assert [said for _, call, said in done if call == "socket" and not said.startswith("AF_UNIX")] == []
    assert {call for _, call, _ in done} >= {"recvfrom", "sendto"}
    assert [said for _, _, said in done if re.search(r"O_WRONLY|O_RDWR|O_CREAT", said)] == []
    # Whoever opens the driver's library is the child.
    assert {pid for pid, _, said in done if name in said and "O_RDONLY" in said} == {started[1][0]}
