"""A chip is asked through the driver's library, in a process of its own; where it gives nothing, the reason is told."""

import shutil
import subprocess
import time
from pathlib import Path

import pytest

from lightbound.errors import Unavailable
from lightbound.net.evidence_socket import ChipEvidence
from lightbound.roles.evidence.nvml import NvmlChip
from lightbound.roles.evidence.sources import By, chip
from tests.roles.evidence.standing_in import CHAIN, report
from tests.roles.evidence.test_collector import collector

NONCE = bytes(range(32))
SOURCE = Path(__file__).with_name("nvml_stand_in.c")
GCC = shutil.which("gcc")

pytestmark = pytest.mark.skipif(GCC is None, reason="needs gcc, to make a library that stands in for the driver's")


def library(folder: Path, *defines: str) -> str:
    """A library that stands in for the driver's."""
    assert GCC is not None
    made = folder / "libnvidia-ml.so.1"
    words = [
        GCC,
        "-shared",
        "-fPIC",
        "-Wall",
        "-Werror",
        *(f"-D{one}" for one in defines),
        "-o",
        str(made),
        str(SOURCE),
    ]
    subprocess.run(words, check=True, timeout=60)
    return str(made)


def asked(library: str, device: int = 0, *, within_s: float = 20.0) -> ChipEvidence:
    return NvmlChip(device=device, within_s=within_s, library=library).evidence(NONCE)


def silence(library: str, device: int = 0, *, within_s: float = 20.0) -> str:
    with pytest.raises(Unavailable) as silent:
        asked(library, device, within_s=within_s)
    return str(silent.value.faults[0])


def test_each_chip_signs_over_the_nonce_in_a_process_that_is_gone(tmp_path: Path) -> None:
    name = library(tmp_path)
    for device in range(2):
        given = asked(name, device)
        assert given.report[:38] == report(NONCE, bytes([device]))
        assert len(given.report) == 64
        assert given.chain == b"chain %d" % device
    # No handle stays: the library was never in this process.
    assert name not in Path("/proc/self/maps").read_text()


@pytest.mark.parametrize(
    ("defines", "says"),
    [
        (["INIT=9"], "no NVIDIA driver that is loaded.*modprobe nvidia"),
        (["INIT=4"], "no rights.*as root"),
        (["INIT=17"], "the system keeps from us.*DeviceAllow"),
        (["INIT=18"], "another version than the driver"),
        (["INIT=999"], "nvmlInit_v2: words of the library"),
        (["OLD"], "a driver 570.1, without nvmlDeviceGetConfComputeGpuAttestationReport.*update the driver"),
        (["REPORT=3", "CONFIDENTIAL=0"], "outside of confidential computing .Not Supported.*--set-cc-mode=on"),
        (["REPORT=3", "CONFIDENTIAL=0", "PROTECTED=1"], "AttestationReport: Not Supported"),
        (["REPORT=3", "ARCHITECTURE=7"], "older than Hopper"),
        (["REPORT=15"], "lost"),
        (["REPORT_SIZE=0"], "0 bytes of 8192"),
        (["REPORT_SIZE=9000"], "9000 bytes of 8192"),
        (["CRASH"], "ended by signal 11"),
        (["CHATTER"], "wrote to its process's output"),
        (["FLOOD"], "writes without end"),
    ],
    ids=lambda one: " ".join(one) if isinstance(one, list) else None,
)
def test_why_there_is_no_evidence_is_told_with_what_to_do(tmp_path: Path, defines: list[str], says: str) -> None:
    name = library(tmp_path, *defines)
    with pytest.raises(Unavailable, match=says):
        asked(name)


def test_a_chip_that_is_not_there_is_told_with_how_many_are(tmp_path: Path) -> None:
    assert "found 2 chips, counted from 0" in silence(library(tmp_path), 2)


@pytest.mark.long
def test_a_library_that_hangs_is_gone_at_the_deadline(tmp_path: Path) -> None:
    begun = time.monotonic()
    assert "did not answer within 1.5 s" in silence(library(tmp_path, "HANG"), within_s=1.5)
    assert time.monotonic() - begun < 15


def test_a_host_without_a_driver_is_told_so(tmp_path: Path) -> None:
    told = silence(str(tmp_path / "nowhere.so"))
    assert "no library" in told
    assert "install the NVIDIA driver" in told


def test_blackwell_outside_of_confidential_computing_is_read_past_the_driver(tmp_path: Path) -> None:
    name = library(tmp_path, "REPORT=3", "CONFIDENTIAL=0", "ARCHITECTURE=10")
    program = collector(tmp_path, "assert 'corelib' in sys.argv\nprint(json.dumps(document))")
    given = chip(1, By.AUTO, within_s=20.0, collector=program, library=name).evidence(NONCE)
    assert given == ChipEvidence(report=report(NONCE, b"chip 1"), chain=CHAIN)
    with pytest.raises(Unavailable, match=r"(?s)found nothing.*package nvattest.*outside of conf"):
        chip(1, By.AUTO, within_s=20.0, collector=tmp_path / "none", library=name).evidence(NONCE)


def test_hopper_outside_of_confidential_computing_is_not_asked_another_way(tmp_path: Path) -> None:
    name = library(tmp_path, "REPORT=3", "CONFIDENTIAL=0")
    program = collector(tmp_path, f"open({str(tmp_path / 'ran')!r}, 'w')\nprint(json.dumps(document))")
    with pytest.raises(Unavailable, match="--set-cc-mode=on"):
        chip(0, By.AUTO, within_s=20.0, collector=program, library=name).evidence(NONCE)
    assert not (tmp_path / "ran").exists()


def test_each_way_is_the_one_that_was_asked_for(tmp_path: Path) -> None:
    name, program = library(tmp_path), collector(tmp_path, "print(json.dumps(document))")
    for by, tail in ((By.AUTO, None), (By.NVML, None), (By.NVATTEST, b"chip 0"), (By.CORELIB, b"chip 0")):
        given = chip(0, by, within_s=20.0, collector=program, library=name).evidence(NONCE)
        assert isinstance(given, ChipEvidence)
        assert (given.report[37:] == tail) == (tail is not None)
