"""Run the benchmarks and print their figures: `make bench`. Ratios travel between machines; seconds do not."""

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench import attestation, bundles, files, log, sessions, timing, verdicts, whole_session

HELP_RUNS = 9


def help_seconds(arguments: list[str]) -> float:
    """Median seconds of a whole command that prints little."""
    spent = []
    for _ in range(HELP_RUNS):
        start = time.perf_counter()
        subprocess.run(arguments, check=True, stdout=subprocess.DEVNULL)
        spent.append(time.perf_counter() - start)
    return statistics.median(spent)


def main() -> None:
    """All benchmarks, slowest last."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    command = str(Path(sys.executable).with_name("lightbound"))
    helped, bare = help_seconds([command, "--help"]), help_seconds([sys.executable, "-c", "pass"])
    print(f"lightbound --help: {helped:.3f} s, median of {HELP_RUNS}; {helped / bare:.1f} times a bare python\n")
    print("One question a chip, f = 1, 8 landmarks, one core; reference: numpy over every border vertex")
    print(f"{'verdicts/s':>12} {'reference/s':>12} {'ratio':>8} {'decided':>8} {'joint':>7}")
    for figure in verdicts.figures():
        print(
            f"{figure.per_s:12,.0f} {figure.reference_per_s:12,.0f} {figure.ratio:8,.0f} "
            f"{figure.decided:8.1%} {figure.joint:7.2%}  {figure.what}",
            flush=True,
        )
    print()
    print("Simulated sessions of four landmarks, 64 rounds each, one core; reference: the cryptography of one alone")
    print(f"{'sessions/s':>12} {'reference/s':>12} {'ratio':>8}")
    played, *drawn = sessions.figures()
    for one in (played, *drawn):
        print(f"{one.per_s:12,.0f} {one.reference_per_s:12,.0f} {one.ratio:8,.2f}  {one.what}", flush=True)
    print(f"{'':>12} {'':>12} {played.ratio:8.0%}  of the time of a session that is played is bare cryptography")
    print()
    attestation.main()
    print()
    timing.main()
    whole_session.main()
    print()
    log.main()
    print()
    bundles.main()
    print()
    print("A file of a million chips, Parquet to Parquet, both questions; reference: copying the readings with Arrow")
    for name, value in files.main().items():
        print(f"  {name}: {value:,}")


if __name__ == "__main__":
    main()
