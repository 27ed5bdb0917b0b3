"""What ping and fping really print on this machine is read to the last line, and comes back as measurements."""

import io
import shutil
import subprocess
from pathlib import Path

import pytest

from lightbound.files.importing.dropped import Reason, Tally
from lightbound.files.importing.ping_output import PingOutput
from lightbound.files.importing.runs import import_ping
from tests.importing.round_trip import rows_read_back

ENGLISH = {"LC_ALL": "C", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
LONGEST_ON_LOOPBACK_NS = 1_000_000_000

PINGS = {
    "plain": ["-c", "3", "-i", "0.2", "127.0.0.1"],
    "with times": ["-D", "-c", "3", "-i", "0.2", "127.0.0.1"],
    "quiet": ["-q", "-c", "3", "-i", "0.2", "127.0.0.1"],
    "by name": ["-D", "-O", "-c", "3", "-i", "0.2", "localhost"],
    "from an address": ["-I", "127.0.0.1", "-c", "3", "-i", "0.2", "127.0.0.1"],
    "verbose": ["-v", "-c", "3", "-i", "0.2", "127.0.0.1"],
    "IPv6": ["-D", "-c", "3", "-i", "0.2", "::1"],
}

FPINGS = {
    "-C": ["-C", "3", "-p", "20"],
    "-c": ["-c", "3", "-p", "20"],
    "-C with times": ["-C", "3", "-D", "-p", "20"],
    "-C quiet": ["-C", "3", "-q", "-p", "20"],
    "-c quiet": ["-c", "3", "-q", "-p", "20"],
    "-c with names, statistics and outages": ["-c", "3", "-p", "20", "-A", "-n", "-s", "-o"],
}


def printed(*command: str) -> str:
    """All that a tool prints; the test is skipped where the tool is not installed or may not ping."""
    if shutil.which(command[0], path=ENGLISH["PATH"]) is None:
        pytest.skip(f"needs {command[0]}; `make system-packages` installs it")
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=ENGLISH, check=False, timeout=60
    )
    if "Operation not permitted" in done.stdout or "Address family not supported" in done.stdout:
        pytest.skip(f"{command[0]} may not do this here: {done.stdout.strip()}")
    return done.stdout


def imported(folder: Path, text: str, *, every: bool = False) -> tuple[bytes, Tally]:
    """The measurements that come out of what was printed."""
    path, out, tally = folder / "output", io.BytesIO(), Tally()
    path.write_text(text, encoding="utf-8")
    import_ping(path, out, PingOutput(tally, landmark="here", chip=None, untimed_at_ns=None), tally, every=every)
    return out.getvalue(), tally


@pytest.mark.parametrize("name", PINGS)
def test_ping_on_loopback_comes_back(tmp_path: Path, name: str) -> None:
    text = printed("ping", *PINGS[name])
    out, tally = imported(tmp_path, text)
    assert tally.counts == {}, text
    readings = rows_read_back(tmp_path, out)
    assert len(readings) == 1
    assert 0 < readings.round_trip_ns[0] < LONGEST_ON_LOOPBACK_NS
    assert (readings.measured_at_ns is not None) == ("-D" in PINGS[name])
    target = "::1" if name == "IPv6" else "127.0.0.1"
    assert out.decode().splitlines()[1].startswith(f"here,target:{target},")
    assert out.decode().rstrip().endswith(",3")


@pytest.mark.parametrize("name", FPINGS)
def test_fping_on_loopback_comes_back(tmp_path: Path, name: str) -> None:
    text = printed("fping", *FPINGS[name], "127.0.0.1", "127.0.0.2")
    out, tally = imported(tmp_path, text)
    assert tally.counts == {}, text
    readings = rows_read_back(tmp_path, out)
    assert len(readings) == 2
    assert readings.round_trip_ns.max() < LONGEST_ON_LOOPBACK_NS
    assert (readings.measured_at_ns is not None) == ("-D" in FPINGS[name])
    assert all(line.endswith(",3") for line in out.decode().splitlines()[1:])


def test_every_answer_of_ping_comes_back_on_request(tmp_path: Path) -> None:
    out, _ = imported(tmp_path, printed("ping", *PINGS["with times"]), every=True)
    readings = rows_read_back(tmp_path, out)
    assert len(readings) == 3
    assert readings.measured_at_ns is not None
    assert sorted(readings.measured_at_ns.tolist()) == readings.measured_at_ns.tolist()


def test_a_name_that_does_not_exist_is_told_apart(tmp_path: Path) -> None:
    text = printed("fping", "-C", "1", "127.0.0.1", "nowhere.invalid")
    _, tally = imported(tmp_path, text)
    assert tally.counts == {Reason.UNRESOLVED: 1}, text


def test_the_least_of_ping_is_the_least_that_it_says_itself(tmp_path: Path) -> None:
    text = printed("ping", *PINGS["plain"])
    least_us = round(float(text.rpartition("= ")[2].partition("/")[0]) * 1000)
    out, _ = imported(tmp_path, text)
    read = rows_read_back(tmp_path, out).round_trip_ns[0]
    assert least_us * 1000 <= read <= least_us * 1000 + 10_000  # ten microseconds: the third digit below 10 ms
