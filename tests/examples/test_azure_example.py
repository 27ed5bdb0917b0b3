"""The shipped example: made from what it says, physically possible, told truly, and judged without a wrong verdict."""

import csv
import hashlib
import importlib.util
import io
import json
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import numpy as np
import pytest
from geographiclib.geodesic import Geodesic

from lightbound.geo.borders import packaged_borders
from lightbound.units import SPEED_OF_LIGHT_M_PER_S
from tests.house import tree

EXAMPLE: Final = tree.ROOT / "examples" / "azure"
README: Final = "examples/azure/README.md"
FILES: Final = ("measurements.csv", "landmarks.csv", "chips.csv")
LIGHTBOUND: Final = Path(sys.executable).with_name("lightbound")


def _rows(name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO((EXAMPLE / name).read_text(encoding="utf-8"), newline="")))


def _metres(one: dict[str, str], other: dict[str, str]) -> float:
    at = [float(end[axis]) for end in (one, other) for axis in ("latitude", "longitude")]
    return float(Geodesic.WGS84.Inverse(*at)["s12"])


LANDMARKS: Final = {row["landmark_id"]: row for row in _rows("landmarks.csv")}
MEASUREMENTS: Final = _rows("measurements.csv")
CHIPS: Final = {row["chip_id"]: row for row in _rows("chips.csv")}


TITLES: Final[list[str]] = re.findall(
    r"\w[\w ]+",
    """
    Australia Central, Australia Central 2, Australia East, Australia Southeast, Brazil South, Canada Central,
    Canada East, Central India, Central US, East Asia, East US, East US 2, France Central, France South, Germany North,
    Germany West Central, Indonesia Central, Israel Central, Italy North, Japan East, Japan West, Jio India West,
    Korea Central, Korea South, Malaysia West, Mexico Central, New Zealand North, North Central US, North Europe,
    Norway East, Norway West, Poland Central, Qatar Central, South Africa North, South Africa West, South Central US,
    South India, Southeast Asia, Sweden Central, Switzerland North, Switzerland West, UAE Central, UAE North, UK South,
    UK West, West Central US, West Europe, West India, West US, West US 2, West US 3
    """,
)
"""Regions as the table heads its rows and columns."""


@pytest.fixture(scope="module")
def script() -> ModuleType:
    """The script that made the example, as a module."""
    spec = importlib.util.spec_from_file_location("make_azure_example", tree.ROOT / "scripts" / "make_azure_example.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up there
    spec.loader.exec_module(module)
    return module


def _table() -> bytes:
    """The published table, put together again from the measurements."""

    def title(region: str) -> str:
        return next(title for title in TITLES if title.replace(" ", "").lower() == region)

    asking = sorted({title(row["landmark_id"]) for row in MEASUREMENTS})
    answering = sorted({title(row["chip_id"].removeprefix("chip-")) for row in MEASUREMENTS})
    cells = {
        (title(row["landmark_id"]), title(row["chip_id"].removeprefix("chip-"))): row["round_trip_ms"]
        for row in MEASUREMENTS
    }
    lines = [["Source", *answering]]
    for source in asking:
        found = [cells.get((source, target), "") for target in answering]
        lines.append([source, *(cell.removesuffix(".5") for cell in found)])
    return "\n".join(",".join(line) for line in lines).encode()


# -- where it comes from ------------------------------------------------------------------------------------------


def test_the_measurements_give_the_published_table_back_byte_for_byte(script: ModuleType) -> None:
    assert hashlib.sha256(_table()).hexdigest() == script.TABLE_SHA256


def test_the_files_are_what_the_script_makes_of_that_table(script: ModuleType) -> None:
    nowhere = {"lat": 0, "lon": 0}  # regions that are no landmark have no coordinates to give back
    coordinates = {
        name: {"lat": LANDMARKS[name]["latitude"], "lon": LANDMARKS[name]["longitude"]}
        if name in LANDMARKS
        else nowhere
        for name in script.REGIONS
    }
    made = script.made_from(_table(), json.dumps(coordinates).encode())
    assert made == {name: (EXAMPLE / name).read_bytes() for name in FILES}


def test_the_script_takes_no_other_table_and_no_other_wheel(script: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="expected sha256"):
        script.made_from(_table() + b"\n", b"{}")
    wheel = tmp_path / "other.whl"
    wheel.write_bytes(b"something else")
    with pytest.raises(SystemExit, match="expected sha256 b22d83ed"):
        script.main(["--wheel", str(wheel), "--check"])


# -- what it says -------------------------------------------------------------------------------------------------


def test_every_round_trip_is_a_whole_millisecond_and_a_half() -> None:
    assert all(float(row["round_trip_ms"]) % 1 == 0.5 for row in MEASUREMENTS)


def test_no_region_measures_the_chip_at_itself() -> None:
    assert [row for row in MEASUREMENTS if row["chip_id"] == f"chip-{row['landmark_id']}"] == []


def test_rows_name_landmarks_and_chips_that_are_there_and_only_madrid_was_never_measured() -> None:
    assert {row["landmark_id"] for row in MEASUREMENTS} == LANDMARKS.keys()
    assert CHIPS.keys() - {row["chip_id"] for row in MEASUREMENTS} == {"chip-spaincentral"}
    assert {row["chip_id"] for row in MEASUREMENTS} <= CHIPS.keys()


def test_each_country_is_one_fault_unit() -> None:
    assert all(row["fault_unit"] == row["country"] for row in LANDMARKS.values())


def test_the_readme_counts_the_rows() -> None:
    told = {row[0].strip("`"): int(row[1].replace(",", "")) for row in tree.table(README, "## Where it comes from")}
    assert told == {"measurements.csv": len(MEASUREMENTS), "landmarks.csv": len(LANDMARKS), "chips.csv": len(CHIPS)}


def test_the_readme_lists_exactly_the_false_claims(script: ModuleType) -> None:
    told = {row[0].strip("`"): row[2].strip("`") for row in tree.table(README, "## Claims")}
    assert told == {f"chip-{region}": licensed for region, licensed in script.FALSE_CLAIMS.items()}
    assert all(CHIPS[chip]["licensed_area"] == licensed for chip, licensed in told.items())


# -- whether it can be --------------------------------------------------------------------------------------------


def test_no_pair_is_faster_than_light_in_vacuum_and_the_fastest_are_as_the_readme_says() -> None:
    exact, allowed = [], []
    for row in MEASUREMENTS:
        here, there = LANDMARKS[row["landmark_id"]], LANDMARKS.get(row["chip_id"].removeprefix("chip-"))
        if there:
            reach_m = float(row["round_trip_ms"]) / 1e3 * SPEED_OF_LIGHT_M_PER_S / 2
            apart_m = _metres(here, there)
            exact.append(apart_m / reach_m)
            allowed.append((apart_m - float(here["position_error_m"]) - float(there["position_error_m"])) / reach_m)
    said = re.search(
        r"fastest pair runs at (0\.\d+) .* at (0\.\d+)\.", (tree.ROOT / README).read_text("utf-8"), re.DOTALL
    )
    assert said
    assert (f"{max(exact):.2f}", f"{max(allowed):.2f}") == said.groups()
    assert max(allowed) < max(exact) < 1


@pytest.mark.parametrize("name", LANDMARKS)
def test_a_landmark_may_stand_in_the_country_that_it_states(name: str) -> None:
    landmark = LANDMARKS[name]
    here = float(landmark["latitude"]), float(landmark["longitude"])
    points = np.vstack([rings[0] for rings in packaged_borders().polygons(landmark["country"])])
    points = points[np.argsort(np.hypot(points[:, 0] - here[1], points[:, 1] - here[0]))[:50]]
    to_border_m = min(Geodesic.WGS84.Inverse(*here, y, x)["s12"] for x, y in points)
    assert _holds(landmark["country"], *here) or to_border_m <= float(landmark["position_error_m"])


def _holds(code: str, latitude: float, longitude: float) -> bool:
    """Whether a country holds a point, by the parity of the borders crossed on the way east."""
    crossed = 0
    for rings in packaged_borders().polygons(code):
        for ring in rings:
            (x0, y0), (x1, y1) = ring[:-1].T, ring[1:].T
            spans = (y0 > latitude) != (y1 > latitude)
            at = x0[spans] + (latitude - y0[spans]) / (y1 - y0)[spans] * (x1 - x0)[spans]
            crossed += int((at > longitude).sum())
    return crossed % 2 == 1


@pytest.mark.parametrize(
    ("name", "south", "west"), [("northeurope", 50, -12), ("israelcentral", 29, 33), ("westeurope", 50, 3)]
)
def test_a_landmark_of_a_whole_country_may_stand_anywhere_in_it(name: str, south: float, west: float) -> None:
    landmark = LANDMARKS[name]
    here = float(landmark["latitude"]), float(landmark["longitude"])
    points = np.vstack([rings[0] for rings in packaged_borders().polygons(landmark["country"])])
    mainland = points[(points[:, 0] > west) & (points[:, 1] > south)]
    assert len(mainland) > 100
    farthest_m = max(Geodesic.WGS84.Inverse(*here, y, x)["s12"] for x, y in mainland)
    assert farthest_m <= float(landmark["position_error_m"])


# -- what comes of it ---------------------------------------------------------------------------------------------


def _judged(folder: Path, *options: str) -> dict[str, dict[str, Any]]:
    command: list[str | Path] = [
        LIGHTBOUND,
        "adjudicate",
        EXAMPLE / "measurements.csv",
        "--landmarks",
        EXAMPLE / "landmarks.csv",
    ]
    command += ["--chips", folder / "chips.csv", "--json", *options]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    verdicts = map(json.loads, done.stdout.splitlines())
    return {verdict["chip_id"]: verdict for verdict in verdicts}


@pytest.fixture(scope="module")
def judged() -> dict[str, dict[str, Any]]:
    return _judged(EXAMPLE)


def test_the_standings_are_those_that_the_readme_gives(judged: dict[str, dict[str, Any]]) -> None:
    counts = Counter(verdict["standing"] for verdict in judged.values())
    said = re.search(r"`(\d+ misplaced, [^`]*)`", (tree.ROOT / README).read_text(encoding="utf-8"))
    assert said
    assert {word: int(number) for number, word in re.findall(r"(\d+) (\w+)", said[1])} == counts
    told = {row[0].strip("`"): row[3] for row in tree.table(README, "## Claims")}
    assert {chip: judged[chip]["standing"] for chip in told} == told


@pytest.mark.parametrize(
    ("proof", "budget", "speed"),
    # The first claims the most: what any other setting proves, it proves as well.
    [
        ("joint", "0", "fibre"),
        pytest.param("joint", "0", "vacuum", marks=pytest.mark.soak),
        ("joint", "1", "vacuum"),
        pytest.param("alone", "2", "vacuum", marks=pytest.mark.soak),
    ],
)
def test_no_verdict_is_wrong(script: ModuleType, proof: str, budget: str, speed: str) -> None:
    found = _judged(EXAMPLE, "--proof", proof, "--fault-budget", budget, "--speed", speed)
    false = {f"chip-{region}" for region in script.FALSE_CLAIMS}
    for chip, verdict in found.items():
        assert verdict["standing"] not in {"contradiction", "diverted"}, chip
        if verdict["licensed"]:
            assert verdict["licensed"]["verdict"] != ("within" if chip in false else "outside"), chip
    # Hong Kong's is the one chip that truly is in its excluded area.
    assert found["chip-eastasia"]["excluded"]["verdict"] == "undetermined"


def test_singapore_is_cleared_only_because_the_paracel_islands_are_not_drawn(
    judged: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    said = re.search(
        r"with `([^`]*\|circle[^`]*)` it is undetermined", (tree.ROOT / README).read_text(encoding="utf-8")
    )
    assert said
    (tmp_path / "chips.csv").write_text(
        f'chip_id,licensed_area,excluded_area\nchip-southeastasia,SG,"{said[1]}"\n', encoding="utf-8"
    )
    assert judged["chip-southeastasia"]["standing"] == "cleared"
    assert judged["chip-southeastasia"]["excluded"]["margin_m"] // 1000 == 31
    assert _judged(tmp_path)["chip-southeastasia"]["standing"] == "undetermined"
