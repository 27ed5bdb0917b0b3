"""What the kernel is asked before a cosignature leaves: that what was seen reaches the disk."""

import re
import shutil
from pathlib import Path

import httpx
import pytest

from tests.roles.landmark.running import free_port
from tests.roles.log.running import until
from tests.roles.witness.running import new_witness, running
from tests.tlog.histories import LOG_KEY, asked, leaves

STRACE = shutil.which("strace")

SYNCED = re.compile(r"f(data)?sync\(\d+<.*/witness\.sqlite-wal>\)\s+= 0|f(data)?sync resumed>\)\s+= 0")
ANSWERED = re.compile(r'(sendto|write|sendmsg)\(\d+<.*socket.*"HTTP/1\.1 (\d+)')


@pytest.mark.long
@pytest.mark.skipif(STRACE is None, reason="needs strace")
def test_no_cosignature_leaves_before_the_disk_has_what_was_seen(tmp_path: Path) -> None:
    one = new_witness(tmp_path / "data", "witness.example/w1", free_port("127.0.0.1"), [LOG_KEY])
    trace = tmp_path / "trace"
    calls = "trace=fsync,fdatasync,sendto,sendmsg,write"
    # It traces as a child of what it traces, so that a signal reaches the witness.
    one.under = [str(STRACE), "-D", "-f", "-y", "-s", "64", "-e", calls, "-o", str(trace)]
    # The second one changes nothing but that it is asked again: what is found may come from a process that was killed.
    # What comes first shows nothing: the disk was written to when the witness started.
    first, *requests = [asked(leaves(3), old) for old in (1, 0, 3)] + [asked(leaves(5), old) for old in (0, 3)]
    with running(one):
        for request in (first, *requests):
            httpx.post(f"{one.url}/add-checkpoint", content=request.encoded(), timeout=30)
    until(lambda: "+++ exited with 0 +++" in trace.read_text(encoding="utf-8", errors="replace").splitlines()[-1])
    synced, found = False, list[tuple[str, bool]]()
    for line in trace.read_text(encoding="utf-8", errors="replace").splitlines():
        if SYNCED.search(line):
            synced = True
        elif answer := ANSWERED.search(line):
            found.append((answer[2], synced))
            synced = False
    # A size that is only told needs no disk.
    assert found[1:] == [("200", True), ("200", True), ("409", False), ("200", True)]
