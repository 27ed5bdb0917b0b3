"""Verdicts on a real mesh of hosting servers: never wrong, and as often proven as physics allows."""

import csv
import gzip
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import pytest

from lightbound.adjudication.adjudicate import adjudicate
from lightbound.adjudication.facts import Settings
from lightbound.adjudication.verdicts import PROOFS, STANDINGS, VERDICTS, BorderUsed, Proof, Standing, Verdict, Verdicts
from lightbound.geo.areas import parse_area
from lightbound.geo.borders import packaged_borders
from lightbound.geo.earth import Position
from lightbound.geo.shapes import area_of
from lightbound.ranging.bounds import Speed
from lightbound.ranging.readings import Chips, Landmark, Readings

BAD: Final = frozenset({"wp:220", "wp:204", "wp:3", "wp:165", "wp:190"})
"""Hosts whose stated place is known to be wrong."""

PROVEN_ELSEWHERE: Final = {
    (Speed.VACUUM, 0): 85.3,
    (Speed.VACUUM, 1): 80.5,
    (Speed.VACUUM, 2): 77.9,
    (Speed.FIBRE, 0): 91.1,
    (Speed.FIBRE, 1): 82.6,
    (Speed.FIBRE, 2): 81.1,
}
"""Per cent of the 190 hosts outside CN that single landmarks prove to be so, by a computation that is not ours."""

Rows = list[tuple[str, str, float]]


@pytest.fixture(scope="module")
def places(shared_data: Path) -> dict[str, tuple[float, float, str]]:
    """Latitude, longitude and country of every host."""
    with (shared_data / "rtt" / "endpoints.csv").open(newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if row["provider"] == "WonderProxy"]
    return {row["endpoint_id"]: (float(row["lat"]), float(row["lon"]), row["iso2"]) for row in rows}


@pytest.fixture(scope="module")
def rows(shared_data: Path) -> Rows:
    """Who measured whom, and the round trip in milliseconds."""
    with gzip.open(shared_data / "rtt" / "hosting_mesh_2020.csv.gz", "rt", newline="") as stream:
        return [(row["source_id"], row["target_id"], float(row["rtt_ms"])) for row in csv.DictReader(stream)]


def judge(
    places: dict[str, tuple[float, float, str]],
    rows: Rows,
    *,
    hosts: Sequence[str],
    landmarks: Sequence[str],
    settings: Settings,
    border_error_m: float = 2000.0,
) -> Verdicts:
    """Each host licensed for 25 km about its stated place and excluded from CN; landmarks are independent."""
    texts = [*(f"circle({places[host][0]},{places[host][1]},25)" for host in hosts), "CN"]
    landmark_number = {name: number for number, name in enumerate(landmarks)}
    chip_number = {name: number for number, name in enumerate(hosts)}
    used = [row for row in rows if row[0] in landmark_number and row[1] in chip_number]
    return adjudicate(
        Readings(
            landmark=np.array([landmark_number[source] for source, _, _ in used], np.int32),
            chip=np.array([chip_number[target] for _, target, _ in used], np.int32),
            round_trip_ns=np.array([math.ceil(rtt * 1e6) for _, _, rtt in used], np.int64),
        ),
        landmarks=[
            Landmark(landmark_id=name, position=Position(*places[name][:2]), position_error_m=20_000.0, fault_unit=name)
            for name in landmarks
        ],
        chips=Chips(
            chip_ids=hosts,
            licensed=np.arange(len(hosts), dtype=np.int32),
            excluded=np.full(len(hosts), len(hosts), np.int32),
            areas=texts,
        ),
        areas=[
            area_of(parse_area(text), borders=packaged_borders(), drawings={}, border_error_m=border_error_m)
            for text in texts
        ],
        border=BorderUsed(name="", version="", viewpoint="", sha256="", error_m=int(border_error_m)),
        settings=settings,
    )


@pytest.mark.parametrize("proof", Proof)
@pytest.mark.parametrize("fault_budget", [0, 1, 2])
@pytest.mark.parametrize("speed", Speed)
def test_no_verdict_is_wrong_and_no_fewer_hosts_are_proven_than_elsewhere(
    places: dict[str, tuple[float, float, str]], rows: Rows, speed: Speed, fault_budget: int, proof: Proof
) -> None:
    hosts = [host for host in places if host not in BAD]
    mainland = np.array([places[host][2] == "CN" for host in hosts])
    assert (~mainland).sum() == 190
    landmarks = [host for host in hosts if places[host][2] != "CN"]
    settings = Settings(speed=speed, fault_budget=fault_budget, proof=proof)
    proven = {}
    for border_error_m in (0.0, 2000.0):
        found = judge(places, rows, hosts=hosts, landmarks=landmarks, settings=settings, border_error_m=border_error_m)
        outside = found.excluded.verdict == VERDICTS.index(Verdict.OUTSIDE)
        within = found.excluded.verdict == VERDICTS.index(Verdict.WITHIN)
        assert not (found.licensed.verdict == VERDICTS.index(Verdict.OUTSIDE)).any()
        assert not (found.standing == STANDINGS.index(Standing.CONTRADICTION)).any()
        assert not (outside & mainland).any()
        assert not (within & ~mainland).any()
        alone = outside & (found.excluded.proof == PROOFS.index(Proof.ALONE))
        proven[border_error_m] = int((alone & ~mainland).sum())
    elsewhere = PROVEN_ELSEWHERE[speed, fault_budget]
    assert round(100 * proven[0.0] / 190, 1) >= elsewhere
    # What a border error of two kilometres costs on this mesh: nothing.
    assert proven[2000.0] == proven[0.0]


@pytest.mark.parametrize("proof", Proof)
def test_with_the_bad_hosts_left_in_two_faults_are_enough_to_be_right(
    places: dict[str, tuple[float, float, str]], rows: Rows, proof: Proof
) -> None:
    hosts = [host for host in places if host not in BAD]
    mainland = np.array([places[host][2] == "CN" for host in hosts])
    landmarks = [host for host in places if places[host][2] != "CN"]
    assert set(landmarks) >= BAD
    found = judge(places, rows, hosts=hosts, landmarks=landmarks, settings=Settings(fault_budget=2, proof=proof))
    assert not (found.licensed.verdict == VERDICTS.index(Verdict.OUTSIDE)).any()
    assert not ((found.excluded.verdict == VERDICTS.index(Verdict.OUTSIDE)) & mainland).any()
    assert not ((found.excluded.verdict == VERDICTS.index(Verdict.WITHIN)) & ~mainland).any()
