"""`lightbound plan` as a person or a script meets it."""

import csv
import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lightbound.adjudication.planning.obstacles import Why
from lightbound.adjudication.planning.optimum import LeastBy
from lightbound.cli.app import main
from lightbound.cli.exits import ExitCode
from lightbound.cli.plan import ENDINGS
from lightbound.cli.plan_table import HEADINGS, HOW_KNOWN
from lightbound.files import plans

SITES = """site_id,latitude,longitude,weight,excluded_area
singapore,1.3,103.8,300,CN+HK+MO
dubai,25.2,55.3,100,CN+HK+MO
hong kong,22.3,114.2,50,CN+HK+MO
hanoi [old],21.03,105.85,20,CN+HK+MO
tokyo,35.7,139.8,30,CN+HK+MO
"""
CANDIDATES = """candidate_id,latitude,longitude,fault_unit
sg-1,1.35,103.9,a
sg-2,1.30,103.7,b
ae-1,25.1,55.2,c
ae-2,24.5,54.4,d
jp-1,35.6,139.7,e
hk-1,22.3,114.1,f
"""
STANDING = """landmark_id,latitude,longitude,position_error_m,fault_unit
mine,25.0,55.0,100,me
"""
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command; returns exit code, standard output and standard error."""

    def with_options(*options: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(["plan", *map(str, options)])
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return with_options


@pytest.fixture
def files(tmp_path: Path) -> list[object]:
    """Options that name the files of a small case."""
    (tmp_path / "sites.csv").write_text(SITES)
    (tmp_path / "candidates.csv").write_text(CANDIDATES)
    (tmp_path / "standing.csv").write_text(STANDING)
    return ["--sites", tmp_path / "sites.csv", "--candidates", tmp_path / "candidates.csv"]


def test_json_tells_the_order_the_targets_and_why_the_rest_is_out_of_reach(files: list[object], run: Run) -> None:
    code, out, err = run(*files, "--json")
    assert (code, err) == (ExitCode.DONE, "")
    told = json.loads(out)
    assert told["format"] == plans.FORMAT
    assert told["weight"] == {
        "asked": 500.0,
        "provable": 400.0,
        "proven_by_standing_landmarks": 0.0,
        "proven_at_interval_ends": None,
    }
    assert {one["landmark_id"] for one in told["order"][:2]} == {"sg-1", "sg-2"}
    assert [one["weight_proven"] for one in told["order"]] == [0.0, 300.0, 300.0, 400.0]
    assert [target["landmarks"] for target in told["targets"]] == [2, 4, 4]
    assert {target["least_known_by"] for target in told["targets"]} == {"exact"}
    goals = {goal["site_id"]: goal for goal in told["goals"]}
    assert goals["singapore"]["proven_from_rank"] == 2
    assert goals["hong kong"]["obstacle"]["why"] == Why.MAY_BE_BEYOND
    assert goals["hanoi [old]"]["obstacle"]["why"] == Why.TOO_SLOW_ANYWHERE
    assert goals["tokyo"]["obstacle"]["why"] == Why.TOO_FEW_UNITS
    assert goals["tokyo"]["fault_units_with_a_place"] == 1


def test_the_table_tells_the_same_in_words(files: list[object], run: Run) -> None:
    code, out, _ = run(*files)
    assert code == ExitCode.DONE
    assert "Provable with all candidates: 400 of 500; 0 by landmarks that stand already." in out
    assert "hong kong: excluded area reaches to it" in out
    assert "hanoi [old]: excluded area 1" in out
    assert "tokyo: excluded area 1,0" in out
    assert "1 of 2 fault units near enough" in out
    assert "3 times light's in vacuum and 1 ms, as stated; fitted to nothing" in out
    assert "For planning only" in out
    assert "costs are shared by 500 chips" in out


def test_landmarks_that_stand_already_cost_nothing(files: list[object], run: Run, tmp_path: Path) -> None:
    told = json.loads(run(*files, "--landmarks", tmp_path / "standing.csv", "--json")[1])
    assert len(told["order"]) == 3
    assert sum(one["landmark_id"].startswith("ae") for one in told["order"]) == 1
    alone = json.loads(run(*files, "--landmarks", tmp_path / "standing.csv", "--fault-budget", 0, "--json")[1])
    assert alone["weight"]["proven_by_standing_landmarks"] == 100.0
    assert {goal["site_id"]: goal["proven_from_rank"] for goal in alone["goals"]}["dubai"] == 0


def test_costs_decide_between_places_that_would_do_the_same(files: list[object], run: Run, tmp_path: Path) -> None:
    (tmp_path / "costs.csv").write_text("candidate_id,cost\nsg-1,100\nsg-2,7\nae-1,3\nae-2,9\njp-1,50\n")
    told = json.loads(run(*files, "--costs", tmp_path / "costs.csv", "--fault-budget", 0, "--chips", 1000, "--json")[1])
    assert [one["landmark_id"] for one in told["order"]] == ["sg-2", "ae-1", "jp-1"]
    assert told["targets"][-1]["cost"] == 60.0
    assert told["targets"][-1]["cost_per_chip_year"] == 0.06


def test_targets_are_those_asked_for(files: list[object], run: Run) -> None:
    told = json.loads(run(*files, "--target", 10, "--target", 100, "--json")[1])
    assert [(target["percent_of_provable"], target["landmarks"]) for target in told["targets"]] == [(10, 2), (100, 4)]


def test_a_file_gets_the_landmarks_and_nothing_is_printed(files: list[object], run: Run, tmp_path: Path) -> None:
    code, out, _ = run(*files, "--out", tmp_path / "plan.csv")
    assert (code, out) == (ExitCode.DONE, "")
    with (tmp_path / "plan.csv").open(encoding="utf-8") as file:
        assert [row["rank"] for row in csv.DictReader(file)] == ["1", "2", "3", "4"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--quantile", "0.5"], "--quantile only with --measurements"),
        (["--measured-by", "F"], "--measured-by only with --measurements"),
        (["--measurements", "F"], "--measured-by with --measurements"),
        (["--measurements", "F", "--measured-by", "F", "--slowness", "2"], "--slowness only without --measurements"),
        (["--target", "0"], "above 0 and up to 100"),
        (["--out", "plan.txt"], "ending in .jsonl"),
        (["--slowness", "0.5"], "greater than or equal to 1"),
    ],
)
def test_what_would_be_passed_over_or_cannot_be_is_a_mistake_of_usage(
    files: list[object], run: Run, options: list[str], said: str
) -> None:
    code, out, err = run(*files, *(files[1] if option == "F" else option for option in options))
    assert (code, out) == (ExitCode.USAGE, "")
    assert said in " ".join(err.split())


def test_a_malformed_file_ends_with_its_fault(files: list[object], run: Run, tmp_path: Path) -> None:
    (tmp_path / "sites.csv").write_text(SITES + "nowhere,99,0,1,CN\n")
    code, out, err = run(*files)
    assert (code, out) == (ExitCode.MALFORMED, "")
    assert "sites.csv line 7, column latitude" in err


def test_fitted_round_trips_are_told_with_their_interval(files: list[object], run: Run, tmp_path: Path) -> None:
    hosts = [(f"h{n}", 0.0, n * 0.4) for n in range(40)]
    (tmp_path / "hosts.csv").write_text(
        "landmark_id,latitude,longitude,position_error_m\n"
        + "".join(f"{name},{latitude},{longitude},0\n" for name, latitude, longitude in hosts)
    )
    rows = [
        f"{by[0]},{to[0]},{abs(by[2] - to[2]) * 0.8 + 0.2 + 0.001 * (i * j % 7):.4f}\n"
        for i, by in enumerate(hosts)
        for j, to in enumerate(hosts)
        if by != to
    ]
    (tmp_path / "mesh.csv").write_text("landmark_id,chip_id,round_trip_ms\n" + "".join(rows))
    fit = ["--measurements", tmp_path / "mesh.csv", "--measured-by", tmp_path / "hosts.csv", "--quantile", 0.9]
    told = json.loads(run(*files, *fit, "--json")[1])
    assert told["delays"]["kind"] == "fitted"
    assert (told["delays"]["quantile"], told["delays"]["pairs"]) == (0.9, 40 * 39)
    for one in told["delays"]["classes"]:
        assert one["excess_low_ns"] <= one["excess_ns"] <= (one["excess_high_ns"] or one["excess_ns"])
    ends = told["weight"]["proven_at_interval_ends"]
    assert ends["slow"] <= told["weight"]["provable"] <= ends["quick"]
    assert "0.9 quantile by distance, fitted to 1,560 measured pairs" in run(*files, *fit)[1]


def test_the_tables_of_words_are_complete() -> None:
    assert set(HOW_KNOWN) == set(LeastBy)
    assert set(HEADINGS) == set(Why)
    assert plans.ENDINGS == ENDINGS


@pytest.fixture
def world(shared_data: Path, tmp_path: Path) -> list[object]:
    """Options that name 48 cities, the anchors of a measurement network, and a mesh to fit round trips to."""
    rtt = shared_data / "rtt"
    renamed(
        rtt / "city_thresholds_mainland_china.csv",
        tmp_path / "cities.csv",
        {"city": "site_id", "lat": "latitude", "lon": "longitude"},
        {"excluded_area": "CN+HK+MO"},
    )
    renamed(
        rtt / "ripe_atlas_anchors_2022.csv",
        tmp_path / "anchors.csv",
        {
            "atlas_anchor_id": "candidate_id",
            "lat": "latitude",
            "lon": "longitude",
            "asn": "fault_unit",
            "country": "country",
        },
        {},
    )
    return [
        *("--sites", tmp_path / "cities.csv", "--candidates", tmp_path / "anchors.csv"),
        *("--site-error-m", 10_000, "--candidate-error-m", 10_000, "--chips", 3_000_000),
    ]


def renamed(source: Path, target: Path, names: dict[str, str], same: dict[str, str]) -> None:
    with source.open(encoding="utf-8", newline="") as file:
        rows = [{**{new: row[old] for old, new in names.items()}, **same} for row in csv.DictReader(file)]
    with target.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def check_48_cities(told: dict[str, Any]) -> None:
    """What holds for a plan of the 48 cities, whatever round trips are expected."""
    why = {goal["site_id"]: (goal["obstacle"] or {}).get("why") for goal in told["goals"]}
    assert len(why) == 48
    assert {city for city, reason in why.items() if reason == Why.MAY_BE_BEYOND} == {"Hong Kong", "Macau"}
    assert {"Kathmandu", "Vladivostok"} <= {city for city, reason in why.items() if reason == Why.TOO_SLOW_ANYWHERE}
    assert why["Guam"] == Why.TOO_FEW_UNITS
    assert all(why[city] is None for city in ("Singapore", "Dubai", "Frankfurt", "Dallas", "Sao Paulo"))
    assert [target["percent_of_provable"] for target in told["targets"]] == [50, 80, 95]
    for target in told["targets"]:
        assert target["least_known_by"] == LeastBy.EXACT
        assert target["gap"] <= 0.05
        assert target["cost_per_chip_year"] == pytest.approx(target["landmarks"] * 25_000 / 3_000_000)
        assert target["cost_per_chip_year"] < 0.75
    assert "CN" not in {one["country"] for one in told["order"]}


def test_48_cities_are_planned_for_with_few_landmarks_and_a_proven_gap(world: list[object], run: Run) -> None:
    told = json.loads(run(*world, "--slowness", 1.7, "--overhead-ms", 0.3, "--json")[1])
    check_48_cities(told)
    assert told["weight"]["provable"] == 35
    assert [target["landmarks"] for target in told["targets"]] == [8, 16, 28]


@pytest.mark.parametrize(("quantile", "provable"), [(0.1, 29), (0.5, 25)])
def test_48_cities_are_planned_for_by_measured_round_trips(
    world: list[object], run: Run, shared_data: Path, tmp_path: Path, quantile: float, provable: int
) -> None:
    with (shared_data / "rtt/endpoints.csv").open(encoding="utf-8") as file:
        hosts = [row for row in csv.DictReader(file) if row["endpoint_id"].startswith("wp:")]
    (tmp_path / "hosts.csv").write_text(
        "landmark_id,latitude,longitude,position_error_m\n"
        + "".join(f"{row['endpoint_id']},{row['lat']},{row['lon']},20000\n" for row in hosts)
    )
    misplaced = {"wp:3", "wp:165", "wp:190", "wp:204", "wp:220"}
    in_china = {"wp:84", "wp:180", "wp:221"}
    with gzip.open(shared_data / "rtt/hosting_mesh_2020.csv.gz", "rt", encoding="utf-8") as file:
        rows = [
            f"{row['source_id']},{row['target_id']},{row['rtt_ms']}\n"
            for row in csv.DictReader(file)
            if row["source_id"] not in misplaced | in_china and row["target_id"] not in misplaced
        ]
    (tmp_path / "mesh.csv").write_text("landmark_id,chip_id,round_trip_ms\n" + "".join(rows))
    fit = ["--measurements", tmp_path / "mesh.csv", "--measured-by", tmp_path / "hosts.csv", "--quantile", quantile]
    told = json.loads(run(*world, *fit, "--json")[1])
    check_48_cities(told)
    assert told["delays"]["pairs_impossible"] == 0
    assert told["weight"]["provable"] == provable
    ends = told["weight"]["proven_at_interval_ends"]
    assert provable - 4 <= ends["slow"] <= provable <= ends["quick"]


def test_a_map_is_drawn_beside_what_else_is_asked_for(files: list[object], run: Run, tmp_path: Path) -> None:
    code, out, _ = run(*files, "--map", tmp_path / "plan.svg", "--json")
    assert (code, json.loads(out)["format"]) == (ExitCode.DONE, plans.FORMAT)
    assert (tmp_path / "plan.svg").read_text(encoding="utf-8").startswith("<?xml")
    assert run(*files, "--map", tmp_path / "plan.png")[0] == ExitCode.USAGE
