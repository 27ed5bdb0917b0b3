"""What the files of a plan may say, and where it is told that they say something else."""

import csv
import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightbound.adjudication.planning.plan import Candidate
from lightbound.errors import ErrorCode, Malformed
from lightbound.files.dossier import AreaMaker
from lightbound.files.landmarks import read_landmarks
from lightbound.files.places import read_pairs, read_places
from lightbound.files.planning import Sites, read_candidates, read_costs, read_sites
from lightbound.files.planning_dossier import Choices, plan_from_files, read_fit
from lightbound.files.plans import ENDINGS, Stated, plan_object, write_landmarks
from lightbound.geo.borders import packaged_borders
from lightbound.ranging.bounds import Speed
from tests.files.test_any_bytes import Read, damaged, is_read_or_malformed

CHOICES = Choices(
    speed=Speed.VACUUM,
    fault_budget=0,
    independent_landmarks=True,
    border_error_m=None,
    site_error_m=1000.0,
    candidate_error_m=2000.0,
    landmark_cost=10.0,
    chips=None,
    percents=(50.0, 100.0),
)
SITES = """site_id,latitude,longitude,position_error_m,weight,licensed_area,excluded_area
singapore,1.3,103.8,5000,300,"circle(1.3,103.8,500)",CN
dubai,25.2,55.3,5000,100,,CN+HK+MO
"""
CANDIDATES = """candidate_id,latitude,longitude,position_error_m,fault_unit,country,cost
sg,1.35,103.9,100,a,SG,40
ae,25.1,55.2,100,b,AE,
cn,31.2,121.5,100,c,,5
"""


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def sites_of(path: Path) -> Sites:
    return read_sites(path, make=AreaMaker(chips=path, borders=packaged_borders(), border_error_m=0), error_m=77.0)


def candidates_of(path: Path, costs: dict[str, float] | None = None) -> tuple[Candidate, ...]:
    return read_candidates(path, costs=costs or {}, cost=9.0, error_m=88.0)


def faults_of(error: pytest.ExceptionInfo[Malformed]) -> list[tuple[ErrorCode, int | None, str | None]]:
    return [(fault.code, fault.line, fault.column) for fault in error.value.faults]


def test_sites_are_read_with_their_areas_each_made_once(tmp_path: Path) -> None:
    found = sites_of(written(tmp_path, "s.csv", SITES + "here,0,0,1,1,CN,CN\n"))
    assert [(site.site_id, site.licensed, site.excluded) for site in found.sites] == [
        ("singapore", 0, 1),
        ("dubai", -1, 2),
        ("here", 1, 1),
    ]
    assert len(found.areas) == 3
    assert found.weighted
    assert (found.sites[0].weight, found.sites[0].position_error_m) == (300.0, 5000.0)


def test_what_sites_do_not_state_is_what_was_asked_for(tmp_path: Path) -> None:
    found = sites_of(written(tmp_path, "s.csv", "chip_id,latitude,longitude,excluded_area\nx,1,2,CN\n"))
    assert not found.weighted
    assert (found.sites[0].weight, found.sites[0].position_error_m) == (1.0, 77.0)


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ("a,1,2,1,1,,", (ErrorCode.VALUE_MISSING, 2, "excluded_area")),
        ("a,91,2,1,1,,CN", (ErrorCode.VALUE_OUT_OF_RANGE, 2, "latitude")),
        ("a,,2,1,1,,CN", (ErrorCode.VALUE_MISSING, 2, "latitude")),
        ("a,1,2,1,0,,CN", (ErrorCode.VALUE_OUT_OF_RANGE, 2, "weight")),
        ("a,1,2,-1,1,,CN", (ErrorCode.VALUE_OUT_OF_RANGE, 2, "position_error_m")),
        ("a,1,2,1,1,,XX", (ErrorCode.UNKNOWN_COUNTRY, 2, "excluded_area")),
        ("a,1,2,1,1,circle(1),", (ErrorCode.AREA_MALFORMED, 2, "licensed_area")),
        ("a,1,2,1,many,,CN", (ErrorCode.VALUE_MALFORMED, 2, "weight")),
        (",1,2,1,1,,CN", (ErrorCode.VALUE_MISSING, 2, "site_id")),
    ],
)
def test_a_wrong_site_is_told_by_line_and_column(tmp_path: Path, row: str, fault: tuple[ErrorCode, int, str]) -> None:
    with pytest.raises(Malformed) as error:
        sites_of(written(tmp_path, "s.csv", SITES.splitlines()[0] + f"\n{row}\n"))
    assert faults_of(error) == [fault]


def test_a_fault_inside_a_drawing_is_told_where_it_stands(tmp_path: Path) -> None:
    written(tmp_path, "area.geojson", '{"type": "Nothing"}')
    with pytest.raises(Malformed) as error:
        sites_of(written(tmp_path, "s.csv", "site_id,latitude,longitude,excluded_area\na,1,2,@area.geojson\n"))
    (fault,) = error.value.faults
    assert fault.code is ErrorCode.GEOJSON_MALFORMED
    assert fault.file is not None
    assert fault.file.endswith("area.geojson")


def test_two_sites_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(Malformed) as error:
        sites_of(written(tmp_path, "s.csv", SITES + SITES.splitlines()[1] + "\n"))
    assert faults_of(error) == [(ErrorCode.DUPLICATE, 4, "site_id")]


def test_sites_under_another_column_s_name_are_told_what_it_should_be(tmp_path: Path) -> None:
    with pytest.raises(Malformed) as error:
        sites_of(written(tmp_path, "s.csv", "site_id,lat,lon,excluded_area\na,1,2,CN\n"))
    assert {fault.code for fault in error.value.faults} == {ErrorCode.COLUMN_MISSING, ErrorCode.COLUMN_UNKNOWN}


def test_a_candidate_costs_what_the_costs_say_then_its_own_column_then_the_default(tmp_path: Path) -> None:
    path = written(tmp_path, "c.csv", CANDIDATES)
    costs = read_costs(written(tmp_path, "costs.csv", "candidate_id,cost\nsg,70\nelsewhere,3\n"))
    assert costs == {"sg": 70.0, "elsewhere": 3.0}
    assert [candidate.cost for candidate in candidates_of(path, costs)] == [70.0, 9.0, 5.0]
    assert [candidate.cost for candidate in candidates_of(path)] == [40.0, 9.0, 5.0]


def test_landmarks_can_be_candidates(tmp_path: Path) -> None:
    (only,) = candidates_of(written(tmp_path, "c.csv", "landmark_id,latitude,longitude\nx,1,2\n"))
    assert (only.landmark.landmark_id, only.landmark.position_error_m, only.landmark.fault_unit) == ("x", 88.0, None)


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ("x,1,2,3,u,china,1", (ErrorCode.VALUE_MALFORMED, 5, "country")),
        ("x,1,2,3,u,,0", (ErrorCode.VALUE_OUT_OF_RANGE, 5, "cost")),
        ("x,1,2,3,,,1", (ErrorCode.VALUE_MISSING, 5, "fault_unit")),
        ("x,1,2,,u,,1", (ErrorCode.VALUE_MISSING, 5, "position_error_m")),
        ("x,1,200,3,u,,1", (ErrorCode.VALUE_OUT_OF_RANGE, 5, "longitude")),
    ],
)
def test_a_wrong_candidate_is_told_by_line_and_column(
    tmp_path: Path, row: str, fault: tuple[ErrorCode, int, str]
) -> None:
    with pytest.raises(Malformed) as error:
        candidates_of(written(tmp_path, "c.csv", f"{CANDIDATES}{row}\n"))
    assert faults_of(error) == [fault]


def test_a_cost_must_be_there_and_above_nothing(tmp_path: Path) -> None:
    with pytest.raises(Malformed) as error:
        read_costs(written(tmp_path, "c.csv", "candidate_id,cost\na,\nb,-1\n"))
    assert faults_of(error) == [(ErrorCode.VALUE_MISSING, 2, "cost"), (ErrorCode.VALUE_OUT_OF_RANGE, 3, "cost")]


@pytest.fixture
def mesh(tmp_path: Path) -> tuple[Path, Path]:
    """Measurements among hosts on the equator, a degree apart, at twice light's round trip; and the hosts."""
    hosts = "landmark_id,latitude,longitude,position_error_m\n" + "".join(f"h{n},0,{n},0\n" for n in range(30))
    rows = [
        (by, to, 2 * abs(by - to) * 0.7426 + 0.5 + 0.01 * ((by * 7 + to) % 5))
        for by in range(30)
        for to in range(30)
        if by != to
    ]
    text = "landmark_id,chip_id,round_trip_ms\n" + "".join(f"h{by},h{to},{ms:.4f}\n" for by, to, ms in rows)
    return written(tmp_path, "mesh.csv", text + "h1,stranger,5\n"), written(tmp_path, "hosts.csv", hosts)


def test_hosts_that_bear_a_landmark_s_name_stand_where_it_does(mesh: tuple[Path, Path]) -> None:
    pairs, unplaced = read_pairs(mesh[0], measured_by=mesh[1], places=None)
    assert (len(pairs.round_trip_ns), unplaced) == (30 * 29, 1)
    fit, notes = read_fit(mesh[0], measured_by=mesh[1], places=None, quantile=0.5, confidence=0.95)
    expected = fit.delays.round_trip_ns(np.array([1_500_000.0]))
    assert expected == pytest.approx(1_500_000 * 4 / 0.299792458 + 0.5e6, rel=0.03)
    assert notes == [f"1 rows of {mesh[0]} are about hosts whose place is not known"]


def test_places_say_where_hosts_of_other_names_stand(tmp_path: Path, mesh: tuple[Path, Path]) -> None:
    places = written(tmp_path, "p.csv", "chip_id,latitude,longitude,truth\nstranger,0,2,x\n")
    pairs, unplaced = read_pairs(mesh[0], measured_by=mesh[1], places=places)
    assert (len(pairs.round_trip_ns), unplaced) == (1, 30 * 29)
    assert read_places(places)["stranger"].error_m == 0.0


def test_measurements_of_hosts_nobody_knows_fit_nothing(tmp_path: Path, mesh: tuple[Path, Path]) -> None:
    places = written(tmp_path, "p.csv", "chip_id,latitude,longitude\nnobody,0,2\n")
    with pytest.raises(Malformed, match="rows about hosts whose place is known"):
        read_pairs(mesh[0], measured_by=mesh[1], places=places)


def test_measurements_that_light_could_not_make_fit_nothing(tmp_path: Path, mesh: tuple[Path, Path]) -> None:
    places = written(tmp_path, "p.csv", "chip_id,latitude,longitude\nstranger,60,120\n")
    with pytest.raises(Malformed, match="light could have made"):
        read_fit(mesh[0], measured_by=mesh[1], places=places, quantile=0.5, confidence=0.95)


@pytest.mark.parametrize("ending", ENDINGS)
def test_planned_landmarks_are_written_whole_and_are_a_file_of_landmarks(tmp_path: Path, ending: str) -> None:
    report, notes = plan_from_files(
        written(tmp_path, "s.csv", SITES),
        written(tmp_path, "c.csv", CANDIDATES),
        standing=None,
        costs=written(tmp_path, "costs.csv", "candidate_id,cost\nelsewhere,3\n"),
        delays=Stated(slowness=2.0, overhead_ms=0.5),
        choices=CHOICES,
    )
    out = tmp_path / f"plan{ending}"
    write_landmarks(report, out)
    if ending == ".jsonl":
        names = [json.loads(line)["landmark_id"] for line in out.read_text(encoding="utf-8").splitlines()]
    elif ending == ".csv":
        names = [row["landmark_id"] for row in csv.DictReader(out.read_text(encoding="utf-8").splitlines())]
    else:
        names = pq.read_table(out).column("landmark_id").to_pylist()
    assert names == ["sg", "ae"]
    if ending != ".jsonl":
        read = read_landmarks(out)
        assert [(one.landmark_id, one.fault_unit, one.position_error_m) for one in read] == [
            ("sg", "a", 100.0),
            ("ae", "b", 100.0),
        ]
    assert any("elsewhere" not in note and "costs.csv" in note for note in notes)
    assert json.dumps(plan_object(report), allow_nan=False)


def test_a_file_of_another_kind_is_not_written(tmp_path: Path) -> None:
    report, _ = plan_from_files(
        written(tmp_path, "s.csv", SITES),
        written(tmp_path, "c.csv", CANDIDATES),
        standing=None,
        costs=None,
        delays=Stated(slowness=2.0, overhead_ms=0.5),
        choices=CHOICES,
    )
    with pytest.raises(Malformed, match="ending in"):
        write_landmarks(report, tmp_path / "plan.txt")
    assert not (tmp_path / "plan.txt").exists()


READERS: dict[str, tuple[Read, bytes]] = {
    "sites": (sites_of, SITES.encode()),
    "candidates": (candidates_of, CANDIDATES.encode()),
    "costs": (read_costs, b"candidate_id,cost\na,1\nb,2.5\n"),
    "places": (read_places, b"chip_id,latitude,longitude,position_error_m\na,1,2,3\nb,-1,-2,0\n"),
}


@pytest.mark.parametrize("name", READERS)
@given(data=st.data())
def test_any_bytes_are_read_or_malformed(
    tmp_path_factory: pytest.TempPathFactory, name: str, data: st.DataObject
) -> None:
    read, whole = READERS[name]
    is_read_or_malformed(read, tmp_path_factory.getbasetemp() / "any.csv", data.draw(damaged(whole)))
