"""`lightbound evaluate readings` as a person or a script meets it, and the page that describes it."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lightbound.adjudication.evaluation.subsets import Choice
from lightbound.adjudication.verdicts import Verdict
from lightbound.cli.app import main
from lightbound.cli.exits import ExitCode
from lightbound.errors import ErrorCode, Unavailable
from lightbound.files.evaluation import FORMAT, write_folder
from lightbound.files.truth import COLUMNS
from lightbound.geo.sides import Side
from tests.house import tree

PAGE = (tree.ROOT / "docs" / "evaluation.md").read_text(encoding="utf-8")
LANDMARKS = """landmark_id,latitude,longitude,position_error_m,fault_unit
lisbon,38.7,-9.1,1000,a
vienna,48.2,16.4,1000,b
munich,48.1,11.6,1000,c
"""
TRUTH = """chip_id,latitude,longitude,position_error_m,licensed_area,excluded_area,note
graz,47.1,15.4,500,"circle(47.1,15.4,800)",CN,x
porto,41.2,-8.6,500,PT,CN,x
wuhan,30.6,114.3,500,,CN,x
"""
MEASUREMENTS = """landmark_id,chip_id,round_trip_ms
vienna,graz,3
munich,graz,5
lisbon,graz,45
lisbon,porto,5
vienna,porto,40
munich,porto,38
vienna,wuhan,160
munich,wuhan,170
lisbon,elsewhere,9
"""

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command on the files above; returns exit code, standard output and standard error."""
    for name, text in (("landmarks", LANDMARKS), ("truth", TRUTH), ("measurements", MEASUREMENTS)):
        (tmp_path / f"{name}.csv").write_text(text)

    def on(*options: str) -> tuple[int, str, str]:
        files = [str(tmp_path / "measurements.csv"), "--landmarks", str(tmp_path / "landmarks.csv")]
        files += ["--truth", str(tmp_path / "truth.csv")]
        with pytest.raises(SystemExit) as ended:
            main(["evaluate", "readings", *files, *options])
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return on


ONE = ("--speed", "vacuum", "--fault-budget", "1", "--proof", "joint")
FEW = ("--claim-distance-km", "3000", "--claim-distance-km", "100")


def _told(run: Run, *options: str) -> dict[str, Any]:
    code, out, _ = run("--json", *FEW, *options)
    assert code == ExitCode.DONE
    told: dict[str, Any] = json.loads(out)
    return told


def test_every_choice_of_settings_is_replayed(run: Run) -> None:
    told = _told(run)
    cases = [(item["speed"], item["fault_budget"], item["proof_allowed"]) for item in told["outcomes"]]
    assert len(cases) == len(set(cases)) == 12
    assert len(told["false_claims"]) == 24
    assert {item["choice"] for item in told["fewer_landmarks"]} == {str(choice) for choice in Choice}
    few = _told(run, "--speed", "vacuum", "--fault-budget", "1", "--proof", "alone")
    assert few["outcomes"] == [
        item
        for item in told["outcomes"]
        if (item["speed"], item["fault_budget"], item["proof_allowed"]) == ("vacuum", 1, "alone")
    ]


def test_the_counts_are_right(run: Run) -> None:
    told = _told(run, "--speed", "vacuum", "--fault-budget", "0", "--proof", "joint")
    (outcome,) = told["outcomes"]
    assert (told["chips"], told["landmarks"], told["rows"], told["rows_of_no_chip"]) == (3, 3, 8, 1)
    assert outcome["truth_kept"] | {"low": None} == {"count": 3, "of": 3, "share": 1.0, "low": None, "high": 1.0}
    assert outcome["licensed"]["decided"]["of"] == 2
    assert outcome["excluded"]["truly_outside"]["outside"] == 2
    assert outcome["excluded"]["truly_inside"]["undetermined"] == 1
    assert outcome["excluded"]["wrong"] == outcome["licensed"]["wrong"] == outcome["contradictions"] == 0


def test_a_question_that_nobody_is_asked_is_null(run: Run, tmp_path: Path) -> None:
    (tmp_path / "truth.csv").write_text(
        "".join(f"{line.rsplit(',', 2)[0]},,\n" for line in TRUTH.splitlines()).replace(
            "licensed_area,,", "licensed_area,excluded_area,note"
        )
    )
    told = _told(run)
    assert {json.dumps(item["excluded"]) for item in told["outcomes"]} == {"null"}
    code, out, _ = run(*FEW, *ONE, "--out", str(tmp_path / "folder"))
    assert code == ExitCode.DONE
    assert "none asked" in out


def test_chips_that_nobody_measured_are_undetermined_and_keep_their_truth(run: Run, tmp_path: Path) -> None:
    (tmp_path / "measurements.csv").write_text("landmark_id,chip_id,round_trip_ms\nlisbon,elsewhere,9\n")
    told = _told(run)
    assert all(item["truth_kept"]["count"] == 3 for item in told["outcomes"])
    assert all(item["excluded"]["decided"]["count"] == 0 for item in told["outcomes"])
    code, out, _ = run(*FEW, *ONE, "--out", str(tmp_path / "folder"))
    assert code == ExitCode.DONE
    assert "0/3 = 0.0 %" in out


def test_a_person_sees_shares_with_intervals_and_what_they_rest_on(run: Run) -> None:
    code, out, err = run(*FEW)
    assert code == ExitCode.DONE
    assert "truth kept" in out
    assert "3/3 = 100.0 % (29.2-100.0)" in out
    assert "Not shown" in out
    assert "note" in err


@pytest.mark.long
def test_a_folder_holds_the_report_the_plots_and_the_object(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "new" / "evaluation"
    code, out, _ = run("--json", *FEW, *ONE, "--out", str(folder))
    assert code == ExitCode.DONE
    plots = {f"{name}.{ending}" for name in ("decided", "refuted", "number", "nearness") for ending in ("svg", "png")}
    assert {path.name for path in folder.iterdir()} == plots | {"report.html", "results.json"}
    assert (folder / "results.json").read_text(encoding="utf-8") == out
    assert all((folder / name).read_bytes().startswith(b"\x89PNG") for name in plots if name.endswith("png"))
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert page.count("data:image/svg+xml;base64,") == 4
    assert not re.search(r"""(?:src|href)=["'](?!data:)""", page)
    assert "<script" not in page


@pytest.mark.long
def test_the_same_files_give_the_same_bytes(run: Run, tmp_path: Path) -> None:
    for name in ("one", "two"):
        run(*FEW, *ONE, "--out", str(tmp_path / name))
    one, two = (sorted((tmp_path / name).iterdir()) for name in ("one", "two"))
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in two]


def test_a_folder_that_cannot_be_made_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Unavailable) as refusal:
        write_folder(tmp_path / "file" / "folder", {"a.txt": b"a"})
    assert refusal.value.faults[0].code is ErrorCode.WRITE_FAILED


def test_a_wrong_truth_is_malformed(run: Run, tmp_path: Path) -> None:
    (tmp_path / "truth.csv").write_text(TRUTH.replace("47.1,15.4,500", "147.1,15.4,500"))
    code, _, err = run(*FEW)
    assert code == ExitCode.MALFORMED
    assert "line 2, column latitude" in err


def test_the_page_lists_exactly_the_columns_of_truth() -> None:
    lines = PAGE.split("TRUTH is a table")[1].split("Unlike")[0]
    assert set(re.findall("`([a-z_]+)`", lines)) == set(COLUMNS.kinds)


def test_the_page_lists_exactly_the_fields_of_the_object(run: Run) -> None:
    told, page = _told(run), PAGE.split("The object is")[1]
    fields = {
        name for row in re.findall(r"^\| (`[^|]*) \|", page, re.MULTILINE) for name in re.findall("`([a-z_]+)`", row)
    }
    assert fields == set(told)
    assert told["format"] == FORMAT
    assert FORMAT in PAGE
    question = told["outcomes"][0]["excluded"]
    assert all(f"`{name}`" in page or name in page for name in question)
    assert set(question) == {"decided", "wrong", *(f"truly_{side.value}" for side in Side)}
    assert set(question["truly_inside"]) == {*map(str, Verdict), "decided"}


def test_help_of_the_group_names_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["evaluate", "--help"])
    assert ended.value.code == ExitCode.DONE
    assert "readings" in capsys.readouterr().out
