"""What a process that answers for the host asked of the kernel: its connection, and tools that write to one folder."""

import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pytest

from lightbound.attestation.tpm.quotes import verified_quote
from lightbound.net.evidence_socket import HostEvidence, read_answer
from lightbound.roles.evidence.tpm import HostTpm
from tests.attestation.tpm.software import Tpm, needs_swtpm, tpm
from tests.conftest import ROOT
from tests.roles.evidence.test_traced import PR_SET_MDWE, SHUT_IN

STRACE: Final = shutil.which("strace")
NONCE: Final = bytes(range(32))

PROGRAM: Final = [sys.executable, "-B", "-m", "tests.roles.evidence.program", "answer"]

pytestmark = needs_swtpm


def answered(folder: Path, made: Tpm, before: Sequence[str]) -> tuple[bytes, int, str]:
    """What a process answers to a connection at host.sock, how it ends, and what it says besides.

    It is started as systemd does for each connection, with the settings of the unit in its environment.
    """
    path, settings = folder / "host.sock", {"LIGHTBOUND_EVIDENCE_TCTI": made.tcti, "TMPDIR": str(folder / "tmp")}
    (folder / "tmp").mkdir()
    with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as ours:
        listener.bind(str(path))
        listener.listen()
        ours.settimeout(60)
        ours.connect(str(path))
        theirs, _ = listener.accept()
        words = [*before, *PROGRAM]
        with (
            theirs,
            subprocess.Popen(
                words, cwd=ROOT, stdin=theirs.fileno(), stderr=subprocess.PIPE, text=True, env=settings
            ) as process,
        ):
            theirs.close()
            ours.sendall(NONCE)
            data = b"".join(iter(lambda: ours.recv(65_536), b""))
            _, said = process.communicate(timeout=60)
    return data, process.returncode, said


def is_quote(data: bytes, key: bytes) -> bool:
    given = read_answer(data, "answer")
    assert isinstance(given, HostEvidence)
    return verified_quote(given.quote, key=key, qualifying=NONCE).key_name == key


def test_a_host_quotes_where_no_memory_may_be_written_and_executed(tmp_path: Path) -> None:
    with tpm() as made:
        key = HostTpm(within_s=60.0, tcti=made.tcti).make_key()
        data, code, said = answered(tmp_path, made, [sys.executable, "-c", SHUT_IN.format(option=PR_SET_MDWE)])
    if "without PR_SET_MDWE" in said:
        pytest.skip("needs a kernel that can refuse such memory (Linux 6.3)")
    assert code == 0, said
    assert is_quote(data, key)


@pytest.mark.skipif(STRACE is None, reason="needs strace")
def test_a_question_to_a_host_starts_two_tools_that_reach_the_tpm_and_write_temporary_files_alone(
    tmp_path: Path,
) -> None:
    assert STRACE is not None
    trace = tmp_path / "trace"
    before = [STRACE, "-f", "-qq", "-s", "500", "-e", "trace=%network,execve,openat,open,creat,mkdir"]
    with tpm() as made:
        key = HostTpm(within_s=60.0, tcti=made.tcti).make_key()
        data, code, said = answered(tmp_path, made, [*before, "-e", "signal=none", "-o", str(trace)])
    assert code == 0, said
    assert is_quote(data, key)
    calls = re.findall(r"^(\d+) +([a-z0-9_]+)\((.*)\) = (-?\d+)", trace.read_text(), re.MULTILINE)
    done = [(pid, call, said) for pid, call, said, result in calls if int(result) >= 0]
    started = [said.split('"')[1] for _, call, said in done if call == "execve"]
    assert started[1:] == ["/usr/bin/tpm2_readpublic", "/usr/bin/tpm2_quote"]
    assert {call for _, call, _ in done} & {"bind", "listen", "accept", "accept4"} == set()
    # A TPM of software is a socket; the kernel's would be the one file that the unit lets it open.
    reached = [said for _, call, said in done if call == "connect" and "nscd" not in said]
    assert reached
    assert all(str(made.socket) in said for said in reached)
    place = tmp_path / "tmp"
    written = [
        said for _, call, said in done if re.search(r"O_WRONLY|O_RDWR|O_CREAT", said) or call in {"creat", "mkdir"}
    ]
    assert len(written) >= 4
    assert [said for said in written if f'"{place}/' not in said and '"/dev/null"' not in said] == []
    assert list(place.iterdir()) == []
