"""`lightbound vet` as a person or a script meets it, and the page that describes it."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lightbound.cli.app import main
from lightbound.cli.exits import ExitCode
from lightbound.cli.vetting_table import PLAINLY
from lightbound.errors import ErrorCode
from lightbound.files.landmarks import read_landmarks
from lightbound.files.vetting import FORMAT, VettingAssumption, write_landmarks
from lightbound.geo.earth import Position
from lightbound.ranging.readings import Landmark
from tests.house import tree

PAGE = (tree.ROOT / "docs" / "vetting.md").read_text(encoding="utf-8")
LANDMARKS = """landmark_id,latitude,longitude,position_error_m,fault_unit,country,city
lisbon,38.7,-9.1,1000,a,PT,x
vienna,48.2,16.4,1000,b,AT,x
liar,35.7,139.7,1000,c,JP,x
wuhan,30.6,114.3,1000,d,CN,x
warsaw,52.2,21.0,1000,e,PL,x
sofia,42.7,23.3,1000,f,BG,x
"""
MEASUREMENTS = """landmark_id,chip_id,round_trip_ms
lisbon,vienna,40
vienna,lisbon,41
liar,vienna,20
lisbon,liar,25
wuhan,lisbon,1
warsaw,sofia,4
lisbon,stranger,40
vienna,vienna,0.1
"""

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command on the files above; returns exit code, standard output and standard error."""
    for name, text in (("landmarks", LANDMARKS), ("measurements", MEASUREMENTS)):
        (tmp_path / f"{name}.csv").write_text(text)

    def on(*options: str) -> tuple[int, str, str]:
        files = [str(tmp_path / "measurements.csv"), "--landmarks", str(tmp_path / "landmarks.csv")]
        with pytest.raises(SystemExit) as ended:
            main(["vet", *files, *options])
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return on


def _told(run: Run, *options: str) -> dict[str, Any]:
    code, out, _ = run("--json", *options)
    assert (code, out.count("\n")) == (ExitCode.DONE, 1)
    told: dict[str, Any] = json.loads(out)
    return told


def test_suspects_and_the_ambiguous_are_told_with_the_pairs_that_show_them(run: Run) -> None:
    told = _told(run, "--exclude-area", "CN")
    assert (told["format"], told["speed"], told["excluded_area"]) == (FORMAT, "vacuum", "CN")
    assert told["suspects"] == [
        {
            "landmark_id": "liar",
            "fault_unit": "c",
            "contradicted_by": 2,
            "units_at_fault": 1,
            "units_at_fault_if_right": 2,
        }
    ]
    assert told["ambiguous"] == [{"parts": [["warsaw"], ["sofia"]], "at_least": 1}]
    pairs = {frozenset(pair["landmarks"]): pair for pair in told["contradictions"]}
    assert pairs.keys() == {
        frozenset(("liar", "vienna")),
        frozenset(("liar", "lisbon")),
        frozenset(("warsaw", "sofia")),
    }
    for pair in pairs.values():
        assert pair["excess_m"] == pair["least_path_m"] - pair["reach_m"] > 0
        assert pair["directions"] == 1
    assert pairs[frozenset(("liar", "lisbon"))]["measured_by"] == "lisbon"


def test_rows_that_do_not_count_are_counted(run: Run) -> None:
    told = _told(run, "--exclude-area", "CN")
    assert told["rows"] == {"used": 5, "measured_in_excluded_area": 1, "of_itself": 1, "of_no_landmark": 1}
    assert told["distrusted"] == ["wuhan"]
    assert (told["landmarks"], told["landmarks_heard"], told["landmarks_left"], told["pairs_measured"]) == (6, 5, 3, 4)


def test_rows_measured_in_an_area_count_unless_it_is_excluded(run: Run) -> None:
    told = _told(run)
    assert told["border"] is None
    assert VettingAssumption.BORDER_WITHIN_ERROR not in told["assumptions"]
    assert any("wuhan" in pair["landmarks"] for pair in told["contradictions"])


@pytest.mark.parametrize("name", ["left.csv", "left.parquet"])
def test_the_landmarks_that_are_left_can_be_read_again(run: Run, tmp_path: Path, name: str) -> None:
    code, out, err = run("--exclude-area", "CN", "--out", str(tmp_path / name))
    assert code == ExitCode.DONE
    assert "city" in err
    given = {landmark.landmark_id: landmark for landmark in read_landmarks(tmp_path / "landmarks.csv")}
    left = read_landmarks(tmp_path / name)
    assert [landmark.landmark_id for landmark in left] == ["lisbon", "vienna", "wuhan"]
    assert all(landmark == given[landmark.landmark_id] for landmark in left)
    assert "3 landmarks left" in " ".join(out.split())


def test_landmarks_are_written_as_they_were_read(tmp_path: Path) -> None:
    landmarks = (
        Landmark(landmark_id='a "b", c', position=Position(1 / 3, -179.99999999), position_error_m=0.1),
        Landmark(landmark_id="é", position=Position(-90.0, 0.0), position_error_m=2e7, country="DE"),
    )
    for name in ("some.csv", "some.parquet"):
        write_landmarks(landmarks, tmp_path / name)
        assert read_landmarks(tmp_path / name) == landmarks


def test_a_person_sees_who_is_suspected_and_what_that_rests_on(run: Run) -> None:
    code, out, _ = run("--exclude-area", "CN", "--speed", "fibre")
    assert code == ExitCode.DONE
    assert "Suspects" in out
    assert "Ambiguous: at least 1 of warsaw, sofia" in out
    for assumption in (VettingAssumption.FIBRE_SPEED, VettingAssumption.FEWEST_FAULTS):
        assert PLAINLY[assumption] in out
    assert "Not shown" in out


def test_a_mesh_without_contradictions_accuses_nobody(run: Run, tmp_path: Path) -> None:
    (tmp_path / "measurements.csv").write_text("landmark_id,chip_id,round_trip_ms\nlisbon,vienna,40\n")
    code, out, _ = run()
    assert code == ExitCode.DONE
    assert "Suspects" not in out
    assert "0 contradictions" in out
    assert _told(run)["contradictions"] == []


def test_an_unknown_country_is_malformed_and_says_at_which_option(run: Run) -> None:
    code, out, err = run("--exclude-area", "XX")
    assert (code, out) == (ExitCode.MALFORMED, "")
    assert err.startswith(f"malformed ({ErrorCode.UNKNOWN_COUNTRY})")
    assert "--exclude-area" in err


def test_another_ending_is_a_mistake_of_usage_and_nothing_is_read(run: Run, tmp_path: Path) -> None:
    code, _, err = run("--out", str(tmp_path / "left.xlsx"))
    assert code == ExitCode.USAGE
    assert ".parquet" in err


def test_the_page_explains_exactly_the_assumptions() -> None:
    told = [row[0].strip("`") for row in tree.table("docs/vetting.md", "## Assumptions")]
    assert told == [str(assumption) for assumption in VettingAssumption]
    assert set(PLAINLY) == set(VettingAssumption)


def test_the_page_lists_exactly_the_fields_of_the_object(run: Run) -> None:
    told = [
        field for row in tree.table("docs/vetting.md", "## The object") for field in re.findall("`([a-z_]+)`", row[0])
    ]
    assert told == list(_ordered(told, _told(run)))
    assert set(told) == set(_told(run))
    assert FORMAT in PAGE


def _ordered(told: list[str], given: dict[str, Any]) -> list[str]:
    return sorted(given, key=told.index)
