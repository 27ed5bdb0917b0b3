"""A million results take less than a minute, and no more memory than a few thousand."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.importing.atlas_files import write_array, write_many

MIB = 1 << 20

LONGEST_S = 60
"""What a million results may take on the machine the project is sized for."""

FLAT_BYTES = 24 * MIB
"""Two imports of different sizes may differ by so much at their peaks. The files differ by 38 and by 420 MiB."""

CHILD = """
import resource, sys
from lightbound.cli.app import main
try:
    main(sys.argv[1:])
finally:
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(used.ru_utime + used.ru_stime, used.ru_maxrss, file=sys.stderr)
"""


class Run(NamedTuple):
    """What one import took."""

    seconds: float
    cpu_s: float
    peak_bytes: int
    summary: dict[str, object]


def import_in_a_child(path: Path, *more: str) -> Run:
    """One import in a process of its own, start of Python included."""
    command = [sys.executable, "-c", CHILD, "import", "ripe-atlas", str(path), "--json", "--out"]
    started = time.monotonic()
    done = subprocess.run(
        [*command, str(path.with_suffix(".parquet")), *more], capture_output=True, text=True, check=True, env=os.environ
    )
    seconds = time.monotonic() - started
    cpu_s, peak_kib = done.stderr.splitlines()[-1].split()
    return Run(seconds, float(cpu_s), int(peak_kib) * 1024, json.loads(done.stdout))


@pytest.mark.long
def test_five_times_the_results_take_no_more_memory(tmp_path: Path) -> None:
    small = import_in_a_child(write_many(tmp_path / "small.json", 20_000, seed=1))
    large = import_in_a_child(write_many(tmp_path / "large.json", 100_000, seed=2))
    assert large.summary["rows_written"] == 100_000
    assert large.peak_bytes - small.peak_bytes < FLAT_BYTES


@pytest.mark.soak
def test_a_million_results_take_less_than_a_minute_and_flat_memory(tmp_path: Path) -> None:
    small = import_in_a_child(write_many(tmp_path / "small.json", 100_000, seed=1))
    path = write_many(tmp_path / "large.json", 1_000_000, seed=2)
    probes = write_array(
        tmp_path / "probes.json",
        [
            {"id": probe, "latitude": 50.1, "longitude": 8.7, "asn_v4": probe % 700, "country_code": "DE"}
            for probe in range(1, 13_001)
        ],
    )
    large = import_in_a_child(path)
    placed = import_in_a_child(
        path,
        "--probes",
        str(probes),
        "--position-error-m",
        "5000",
        "--landmarks-out",
        str(tmp_path / "landmarks.csv"),
    )
    for name, run in (("100,000", small), ("1,000,000", large), ("1,000,000 with landmarks", placed)):
        figures = f"{run.seconds:.1f} s ({run.cpu_s:.1f} s of one core), peak {run.peak_bytes / MIB:.0f} MiB"
        print(f"\n{name}: {figures}", end="")  # noqa: T201
    print(f"\n{path.stat().st_size / MIB:.0f} MiB of JSON, {os.cpu_count()} cores, one used")  # noqa: T201
    assert large.summary["rows_written"] == placed.summary["rows_written"] == 1_000_000
    assert placed.summary["landmarks_written"] == 13_000
    assert max(large.seconds, placed.seconds) < LONGEST_S
    assert large.peak_bytes - small.peak_bytes < FLAT_BYTES
