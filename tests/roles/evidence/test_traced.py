"""What a process that answers one question asked of the kernel: nothing but its connection, and one child."""

import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from lightbound.net.evidence_socket import read_answer
from tests.conftest import ROOT
from tests.roles.evidence.test_nvml import GCC, library

STRACE = shutil.which("strace")
NONCE = bytes(range(32))

pytestmark = [
    pytest.mark.skipif(STRACE is None, reason="needs strace"),
    pytest.mark.skipif(GCC is None, reason="needs gcc, to make a library that stands in for the driver's"),
]


def test_a_question_opens_no_socket_writes_no_file_and_leaves_the_device_to_one_child(tmp_path: Path) -> None:
    assert STRACE is not None
    name, trace = library(tmp_path), tmp_path / "trace"
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    ours.settimeout(60)
    program = [sys.executable, "-B", "-m", "tests.roles.evidence.program", "answer", "--device", "1", "--library", name]
    words = [STRACE, "-f", "-qq", "-s", "500", "-e", "trace=%network,execve,openat,open,creat", "-e", "signal=none"]
    words += ["-o", str(trace), *program]
    with ours, theirs, subprocess.Popen(words, cwd=ROOT, stdin=theirs.fileno()) as process:
        theirs.close()
        ours.sendall(NONCE)
        data = b"".join(iter(lambda: ours.recv(65_536), b""))
        assert process.wait(60) == 0
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
