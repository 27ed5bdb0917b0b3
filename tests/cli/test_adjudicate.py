"""`lightbound adjudicate` as a person or a script meets it: real files in, words and exit codes out."""

import csv
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from lightbound.adjudication.verdicts import PROOFS, STANDINGS, VERDICTS, Assumption
from lightbound.cli.adjudicate import ENDINGS, StandingChoice
from lightbound.cli.app import main
from lightbound.cli.exits import ExitCode
from lightbound.cli.verdict_options import ProofChoice, SpeedChoice, duration_ns, instant_ns
from lightbound.cli.verdict_table import PLAINLY, STYLES
from lightbound.files import verdicts as verdict_files
from lightbound.ranging.bounds import Speed
from tests.conftest import ROOT

SINGAPORE = "1.3,103.8"
LANDMARKS = """landmark_id,latitude,longitude,position_error_m,fault_unit
singapore-1,1.30,103.80,100,a
singapore-2,1.35,103.85,100,b
shenzhen,22.54,114.06,100,c
"""
CHIPS = f"""chip_id,licensed_area,excluded_area
near,"circle({SINGAPORE},100)",CN+HK+MO
far,"circle({SINGAPORE},100)",CN+HK+MO
moved,DE,CN+HK+MO
unmeasured,SG,
"""
MEASUREMENTS = """landmark_id,chip_id,round_trip_ms
singapore-1,near,0.3
singapore-2,near,0.4
shenzhen,near,0.01
singapore-1,far,40
singapore-2,far,41
singapore-1,moved,2.5
singapore-2,moved,2.6
singapore-2,nobody,1
"""


@pytest.fixture
def case(tmp_path: Path) -> Path:
    """A folder with the three files of a small case."""
    (tmp_path / "landmarks.csv").write_text(LANDMARKS)
    (tmp_path / "chips.csv").write_text(CHIPS)
    (tmp_path / "measurements.csv").write_text(MEASUREMENTS)
    return tmp_path


LIGHTBOUND = Path(sys.executable).with_name("lightbound")

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command on the files of a folder; returns exit code, standard output and standard error."""

    def on(folder: Path, *options: str, measurements: str = "measurements.csv") -> tuple[int, str, str]:
        files = ["--landmarks", str(folder / "landmarks.csv"), "--chips", str(folder / "chips.csv")]
        with pytest.raises(SystemExit) as ended:
            main(["adjudicate", str(folder / measurements), *files, *options])
        said = capsys.readouterr()
        code = ended.value.code
        return int(code or 0), said.out, said.err

    return on


def _verdicts(text: str) -> dict[str, dict[str, object]]:
    return {verdict["chip_id"]: verdict for verdict in map(json.loads, text.splitlines())}


def test_json_has_one_object_per_chip_in_the_order_of_the_file(case: Path, run: Run) -> None:
    code, out, err = run(case, "--json")
    assert code == ExitCode.DONE
    verdicts = _verdicts(out)
    assert list(verdicts) == ["near", "far", "moved", "unmeasured"]
    assert {chip: verdict["standing"] for chip, verdict in verdicts.items()} == {
        "near": "verified",
        "far": "undetermined",
        "moved": "misplaced",
        "unmeasured": "undetermined",
    }
    assert "1 row is about chips" in err


def test_a_landmark_inside_the_excluded_area_is_not_believed(case: Path, run: Run) -> None:
    near = _verdicts(run(case, "--json")[1])["near"]
    assert (near["landmarks_used"], near["landmarks_ignored"], near["fault_units_heard"]) == (2, 1, 2)
    assert near["excluded"] == {"verdict": "outside", "proof": "alone", "margin_m": pytest.approx(1_848_000, rel=0.1)}


def test_a_question_that_is_not_asked_has_no_answer(case: Path, run: Run) -> None:
    assert _verdicts(run(case, "--json")[1])["unmeasured"]["excluded"] is None


def test_a_chip_without_rows_is_undetermined_and_never_guilty(case: Path, run: Run) -> None:
    unmeasured = _verdicts(run(case, "--json")[1])["unmeasured"]
    assert unmeasured["standing"] == "undetermined"
    assert unmeasured["licensed"] == {"verdict": "undetermined", "proof": None, "margin_m": None}


def test_every_verdict_tells_its_assurance_tier_and_its_assumptions(case: Path, run: Run) -> None:
    for verdict in _verdicts(run(case, "--json")[1]).values():
        assert isinstance(verdict["assurance"], dict)
        assert verdict["assurance"]["tier"] == "A0"
        assert isinstance(verdict["assumptions"], list)
        assert "simultaneous_readings" in verdict["assumptions"]


def test_the_table_says_what_is_taken_for_granted_and_what_is_not_shown(case: Path, run: Run) -> None:
    out = run(case)[1]
    assert "standing (A0)" in out
    assert "one_key_one_place" not in out  # every proof here is one of alone
    assert "1 chip without a single reading." in out
    assert "Not shown" in out
    assert "1 misplaced, 1 verified, 2 undetermined" in out


def test_fail_on_ends_with_its_own_exit_code_only_where_the_standing_is_found(case: Path, run: Run) -> None:
    assert run(case, "--fail-on", "diverted", "--fail-on", "misplaced")[0] == ExitCode.STANDING_FOUND
    assert run(case, "--fail-on", "diverted")[0] == ExitCode.DONE


@pytest.mark.parametrize("ending", ["jsonl", "csv", "parquet"])
def test_every_format_of_file_holds_the_same_verdicts(case: Path, run: Run, ending: str) -> None:
    printed = _verdicts(run(case, "--json", "--region")[1])
    out = case / f"verdicts.{ending}"
    code, said, told = run(case, "--region", "--out", str(out))
    assert (code, said) == (ExitCode.DONE, "")
    assert "4 verdicts, 1 misplaced, 1 verified, 2 undetermined" in told
    if ending == "jsonl":
        assert _verdicts(out.read_text()) == printed
    elif ending == "parquet":
        assert {verdict["chip_id"]: verdict for verdict in pq.read_table(out).to_pylist()} == printed
    else:
        with out.open(newline="") as stream:
            rows = {row["chip_id"]: row for row in csv.DictReader(stream)}
        assert {chip: row["standing"] for chip, row in rows.items()} == {c: v["standing"] for c, v in printed.items()}
        assert rows["near"]["licensed_verdict"] == "within"
        assert rows["unmeasured"]["excluded_verdict"] == ""


def test_a_region_is_measured_when_asked_for(case: Path, run: Run) -> None:
    verdicts = _verdicts(run(case, "--json", "--region")[1])
    near, unmeasured = verdicts["near"]["region"], verdicts["unmeasured"]["region"]
    assert isinstance(near, dict)
    assert 1_000 < near["area_km2"] < 20_000  # a union of two circles of some 45 and 60 km
    assert isinstance(unmeasured, dict)
    assert unmeasured["area_km2"] > 510_000_000  # all the Earth, rounded up


def test_a_licence_inside_the_excluded_area_is_refused_and_names_the_chip(case: Path, run: Run) -> None:
    (case / "chips.csv").write_text('chip_id,licensed_area,excluded_area\nodd,"circle(34.3,108.9,50)",CN\n')
    code, out, err = run(case)
    assert (code, out) == (ExitCode.REFUSED, "")
    assert "licensed_inside_excluded" in err
    assert "chip odd" in err


def test_a_licence_that_touches_the_excluded_area_is_noted(case: Path, run: Run) -> None:
    (case / "chips.csv").write_text("chip_id,licensed_area,excluded_area\nnear,HK,CN\n")
    code, _, err = run(case)
    assert code == ExitCode.DONE
    assert "may touch" in err


def test_every_fault_of_a_file_is_told_with_its_place_and_nothing_is_written(case: Path, run: Run) -> None:
    (case / "measurements.csv").write_text(
        "landmark_id,chip_id,round_trip_ms\nsingapore-1,near,nan\nnowhere,near,1\nsingapore-1,near,-2\n"
    )
    out = case / "verdicts.jsonl"
    code, said, err = run(case, "--out", str(out))
    assert (code, said) == (ExitCode.MALFORMED, "")
    assert [f"line {line}" in err for line in (2, 3, 4)] == [True] * 3
    assert "unknown_landmark" in err
    assert not out.exists()


def test_an_unknown_country_is_told_with_its_line_and_column(case: Path, run: Run) -> None:
    (case / "chips.csv").write_text("chip_id,licensed_area,excluded_area\na,SG,CN\nb,SG,ZZ\n")
    code, _, err = run(case)
    assert code == ExitCode.MALFORMED
    assert "unknown_country" in err
    assert "line 3, column excluded_area" in err


def test_a_missing_file_and_a_wrong_ending_are_mistakes_of_usage(case: Path, run: Run) -> None:
    assert run(case, measurements="nothing.csv")[0] == ExitCode.USAGE
    assert run(case, "--out", str(case / "verdicts.xlsx"))[0] == ExitCode.USAGE


def test_times_decide_which_rows_count(case: Path, run: Run) -> None:
    (case / "measurements.csv").write_text(
        "landmark_id,chip_id,round_trip_ms,measured_at\n"
        "singapore-1,near,0.3,2026-11-01T00:00:00Z\n"
        "singapore-2,near,0.4,2026-11-01T00:10:00Z\n"
        "singapore-1,near,50,2026-11-03T00:00:00+01:00\n"
    )
    newest = _verdicts(run(case, "--json")[1])["near"]
    assert newest["standing"] == "undetermined"
    assert newest["rows_outside_window"] == 2
    assert newest["window"] == {"from": "2026-11-02T22:00:00Z", "to": "2026-11-02T23:00:00Z"}
    earlier = _verdicts(run(case, "--json", "--as-of", "2026-11-01T00:30:00Z")[1])["near"]
    assert earlier["standing"] == "verified"
    assert "simultaneous_readings" not in str(earlier["assumptions"])


def test_an_answer_that_nobody_could_read_does_not_end_as_done(case: Path) -> None:
    command: list[str | Path] = [LIGHTBOUND, "adjudicate", case / "measurements.csv"]
    command += ["--landmarks", case / "landmarks.csv", "--chips", case / "chips.csv", "--json"]
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as closed:
        ended = subprocess.run(command, stdout=closed, stderr=subprocess.PIPE, check=False)
    assert ended.returncode == ExitCode.UNAVAILABLE


def test_durations_and_times_are_read_strictly() -> None:
    assert duration_ns("90s") == 90_000_000_000
    assert duration_ns("1.5h") == 5_400_000_000_000
    assert instant_ns("1970-01-02T00:00:00.000001Z") == 86_400_000_001_000
    for wrong in ("1", "h", "-1h", "0s", "1w"):
        with pytest.raises(Exception, match="duration"):
            duration_ns(wrong)
    for wrong in ("2026-11-23", "2026-11-23T12:00:00", "yesterday"):
        with pytest.raises(Exception, match="offset"):
            instant_ns(wrong)


def test_choices_and_plain_words_cover_what_the_core_knows() -> None:
    assert [str(choice) for choice in SpeedChoice] == [str(speed) for speed in Speed]
    assert [str(choice) for choice in ProofChoice] == [str(proof) for proof in PROOFS]
    assert [str(choice) for choice in StandingChoice] == [str(standing) for standing in STANDINGS]
    assert set(PLAINLY) == set(Assumption)
    assert set(STYLES) == set(STANDINGS)
    assert len(VERDICTS) == 4
    assert ENDINGS == verdict_files.ENDINGS


def test_the_page_of_formats_lists_exactly_the_fields_of_a_verdict(case: Path, run: Run) -> None:
    page = (ROOT / "docs" / "formats.md").read_text(encoding="utf-8").split("## Verdicts:")[1].split("\n## ")[0]
    listed = re.findall(r"^\| `([a-z_]+)` \|", page, re.MULTILINE)
    assert listed == list(_verdicts(run(case, "--json", "--region")[1])["near"])


def test_what_adjudicate_prints_is_a_function_of_its_files(case: Path, run: Run) -> None:
    assert run(case, "--json", "--region") == run(case, "--json", "--region")


def test_a_hostile_id_is_shown_as_it_is_and_hides_nobody(case: Path, run: Run) -> None:
    ids = ["\\[/]x", "[red]y", "a:white_heavy_check_mark:b"]
    (case / "chips.csv").write_text("chip_id,licensed_area,excluded_area\n" + "".join(f"{one},SG,CN\n" for one in ids))
    code, out, _ = run(case)
    assert code == ExitCode.DONE
    assert all(one in out for one in ids)


def test_a_column_name_cannot_write_to_the_terminal(case: Path, run: Run) -> None:
    lines = MEASUREMENTS.splitlines()
    (case / "measurements.csv").write_text("\n".join([lines[0] + ",\x1b[2Jx"] + [line + ",1" for line in lines[1:]]))
    err = run(case, "--json")[2]
    assert "\x1b" not in err


def test_an_output_never_replaces_an_input(case: Path, run: Run) -> None:
    code, _, err = run(case, "--out", str(case / "chips.csv"))
    assert code == ExitCode.USAGE
    assert "--out" in err
    assert (case / "chips.csv").read_text() == CHIPS


@pytest.mark.parametrize("time", ["9999-12-31T23:59:59Z", "1600-01-01T00:00:00Z", "2300-01-01T00:00:00Z"])
def test_a_time_that_cannot_be_is_a_mistake_of_usage(case: Path, run: Run, time: str) -> None:
    code, _, err = run(case, "--as-of", time)
    assert code == ExitCode.USAGE
    assert "--as-of" in err


def test_a_landmark_that_is_not_believed_does_not_decide_the_window(case: Path, run: Run) -> None:
    (case / "measurements.csv").write_text(
        "landmark_id,chip_id,round_trip_ms,measured_at\n"
        "singapore-1,near,0.3,2026-11-01T00:00:00Z\nsingapore-2,near,0.4,2026-11-01T00:10:00Z\n"
        "shenzhen,near,500,2026-11-05T00:00:00Z\n"
    )
    near = _verdicts(run(case, "--json")[1])["near"]
    assert (near["standing"], near["fault_units_heard"]) == ("verified", 2)


def test_swapped_coordinates_and_mistaken_units_are_noted(case: Path, run: Run) -> None:
    (case / "landmarks.csv").write_text(
        "landmark_id,latitude,longitude,position_error_m,fault_unit,country\n"
        "singapore-1,8.68,50.11,100,a,DE\nsingapore-2,1.35,103.85,100,b,SG\nshenzhen,22.54,114.06,100,c,CN\n"
    )
    (case / "measurements.csv").write_text("landmark_id,chip_id,round_trip_ns\nsingapore-2,near,400\n")
    err = run(case, "--json")[2]
    assert "1 of 3 landmarks do not stand in the country they declare, such as singapore-1" in err
    assert "check their unit" in err


def test_output_that_was_closed_is_not_done(case: Path) -> None:
    command = [str(LIGHTBOUND), "adjudicate", str(case / "measurements.csv"), "--json"]
    command += ["--landmarks", str(case / "landmarks.csv"), "--chips", str(case / "chips.csv")]
    ended = subprocess.run(["/bin/sh", "-c", 'exec "$@" >&-', "sh", *command], stderr=subprocess.PIPE, check=False)
    assert ended.returncode == ExitCode.UNAVAILABLE


def test_a_pipe_is_no_file_to_read(case: Path, run: Run) -> None:
    os.mkfifo(case / "pipe.csv")
    code, _, err = run(case, measurements="pipe.csv")
    assert code == ExitCode.UNAVAILABLE
    assert "read_failed" in err


def test_an_explanation_comes_with_its_map(case: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = [str(case / "measurements.csv"), "--landmarks", str(case / "landmarks.csv")]
    files += ["--chips", str(case / "chips.csv"), "--chip", "near"]
    with pytest.raises(SystemExit) as ended:
        main(["explain", *files, "--map", str(case / "near.svg")])
    assert not ended.value.code
    assert capsys.readouterr().out.startswith("near: verified (A0)")
    assert "<svg" in (case / "near.svg").read_text(encoding="utf-8")[:200]


@pytest.mark.parametrize("option", ["landmarks.csv", "measurements.csv"])
def test_vetting_never_replaces_what_it_reads_and_shows_hostile_names(
    case: Path, capsys: pytest.CaptureFixture[str], option: str
) -> None:
    lines = ["landmark_id,latitude,longitude,position_error_m", "[/]a,0,0,1", "2001:db8:a:100::1,0,90,1"]
    (case / "landmarks.csv").write_text("\n".join(lines) + "\n")
    (case / "measurements.csv").write_text("landmark_id,chip_id,round_trip_ms\n[/]a,2001:db8:a:100::1,1\n")
    files = [str(case / "measurements.csv"), "--landmarks", str(case / "landmarks.csv")]
    with pytest.raises(SystemExit) as ended:
        main(["vet", *files])
    assert not ended.value.code
    assert "[/]a" in (said := capsys.readouterr().out)
    assert "2001:db8:a:100::1" in said
    with pytest.raises(SystemExit) as ended:
        main(["vet", *files, "--out", str(case / option)])
    assert ended.value.code == ExitCode.USAGE
