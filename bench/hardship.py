"""What hardship costs honest sessions: `python bench/hardship.py [SESSIONS]`, as root; 20 of each unless told.

Real landmarks in a network of their own, an agent behind a router, distance put in between, as in `tests/scenarios`.
Everything is sent within these networks, and nothing leaves the machine.
"""

import statistics
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.scenarios.hardship import HARDSHIPS, Gone, gone_through
from tests.scenarios.honest_agents import IMPATIENT_CONTRIB_S
from tests.scenarios.real_world import real_world

from lightbound.demo.delay_line import missing

SESSIONS = 20
MOST_SESSIONS = 200


def line(name: str, gone: list[Gone], calm_m: float) -> str:
    """One row of the table."""
    complete = sum(one.is_complete for one in gone)
    measured = sum(len(one.played.outcome.believed) for one in gone)
    possible = sum(len(one.played.asked) for one in gone)
    took = sorted(one.took_s for one in gone)
    lost_m = statistics.median(one.excess_m for one in gone) - calm_m
    slowest = took[max(0, len(took) * 19 // 20 - 1)]
    return (
        f"{name:34}{complete:5} of {len(gone):<5}{measured:6} of {possible:<6}"
        f"{statistics.median(took):8.2f}{slowest:8.2f}{lost_m / 1e3:10.1f}"
    )


def main() -> None:
    """Print the table."""
    lacks = missing()
    if lacks is not None:
        raise SystemExit(f"needs {lacks}")
    sessions = min(MOST_SESSIONS, int(sys.argv[1]) if len(sys.argv) > 1 else SESSIONS)
    print(f"{'':34}{'complete':^14}{'measurements':^16}{'s':>6}{'s, 95 %':>10}{'km lost':>8}")
    with tempfile.TemporaryDirectory() as folder, real_world(Path(folder)) as there:
        gone_through(there, HARDSHIPS[0])  # Whoever runs for the first time is slow.
        calm_m = 0.0
        for hardship in HARDSHIPS:
            gone = [gone_through(there, hardship) for _ in range(sessions)]
            if hardship is HARDSHIPS[0]:
                calm_m = statistics.median(one.excess_m for one in gone)
            print(line(hardship.name, gone, calm_m), flush=True)
    print(f"Agents wait {IMPATIENT_CONTRIB_S:g} s here for a landmark that says nothing, and 5 s in earnest.")
    print(f"In calm a bound is {calm_m / 1e3:.1f} km above the distance that was put in.")


if __name__ == "__main__":
    main()
