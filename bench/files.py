"""A file of a million chips, eight readings each, from Parquet to Parquet: seconds and memory of the whole command."""

import json
import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from bench.worlds import landmarks, readings

CHIPS = 1_000_000
PER_CHIP = 8
LANDMARKS = 400
SITES = 500


def main() -> dict[str, float]:
    """Figures of one run of `lightbound adjudicate`, and of merely copying the measurements with Arrow."""
    with tempfile.TemporaryDirectory() as folder:
        at = Path(folder)
        write_world(at)
        command = [
            str(Path(sys.executable).with_name("lightbound")), "adjudicate", str(at / "measurements.parquet"),
            "--landmarks", str(at / "landmarks.csv"), "--chips", str(at / "chips.parquet"),
            "--out", str(at / "verdicts.parquet"),
        ]  # fmt: skip
        copy = [
            sys.executable, "-c",
            "import sys, pyarrow.parquet as pq; pq.write_table(pq.read_table(sys.argv[1]), sys.argv[2])",
            str(at / "measurements.parquet"), str(at / "copy.parquet"),
        ]  # fmt: skip
        seconds, mebibytes = timed(command)
        copy_seconds, copy_mebibytes = timed(copy)
        rows = pq.read_metadata(at / "verdicts.parquet").num_rows
    if rows != CHIPS:
        raise SystemExit(f"{rows} verdicts for {CHIPS} chips")
    return {
        "chips": CHIPS,
        "readings": CHIPS * PER_CHIP,
        "seconds": round(seconds, 1),
        "peak_mib": round(mebibytes),
        "copy_seconds": round(copy_seconds, 1),
        "copy_peak_mib": round(copy_mebibytes),
        "ratio_to_copy": round(seconds / copy_seconds, 1),
    }


def timed(command: list[str]) -> tuple[float, float]:
    """Seconds and peak resident MiB of a command that must succeed."""
    start = time.perf_counter()
    child = os.posix_spawn(command[0], command, os.environ)
    _, status, usage = os.wait4(child, 0)
    if status:
        raise SystemExit(f"{command[:2]} ended with {os.waitstatus_to_exitcode(status)}")
    return time.perf_counter() - start, usage.ru_maxrss / 1024


def write_world(at: Path) -> None:
    """The three input files: chips at sites in circles of 50 km, all excluded from CN+HK+MO."""
    rng = np.random.default_rng(20_260_102)
    placed = landmarks(LANDMARKS, rng)
    measured = readings(placed, CHIPS, PER_CHIP, (1.2, 2.5), rng)
    lines = ["landmark_id,latitude,longitude,position_error_m,fault_unit"]
    lines += [
        f"{one.landmark_id},{one.position.latitude:.6f},{one.position.longitude:.6f},100,{one.fault_unit}"
        for one in placed
    ]
    (at / "landmarks.csv").write_text("\n".join(lines) + "\n")
    chip_ids = pa.array([f"chip-{i:07d}" for i in range(CHIPS)])
    # Sites stand near landmarks, and where no licence for them would lie inside the excluded area.
    allowed = [one for one in placed if not 95 < one.position.longitude < 125]
    sites = [
        f"circle({one.position.latitude:.4f},{one.position.longitude:.4f},50)"
        for one in rng.choice(np.array(allowed, dtype=object), SITES)
    ]
    sites[: SITES // 5] = ["DE", "SG|MY", "JP", "US", "AE"] * (SITES // 25)
    where = pa.array([sites[i] for i in rng.integers(0, SITES, CHIPS)])
    pq.write_table(
        pa.table({"chip_id": chip_ids, "licensed_area": where, "excluded_area": pa.array(["CN+HK+MO"] * CHIPS)}),
        at / "chips.parquet",
    )
    names = pa.array([one.landmark_id for one in placed])
    pq.write_table(
        pa.table(
            {
                "landmark_id": names.take(pa.array(measured.landmark)),
                "chip_id": chip_ids.take(pa.array(measured.chip)),
                "round_trip_ns": pa.array(measured.round_trip_ns),
                "measured_at": pa.array(
                    np.repeat(rng.integers(0, 3_600_000_000_000, CHIPS), PER_CHIP) + 1_790_000_000_000_000_000,
                    pa.timestamp("ns", "UTC"),
                ),
            }
        ),
        at / "measurements.parquet",
    )


if __name__ == "__main__":
    print(json.dumps(main()))
