"""`lightbound map` and `lightbound borders` as a person or a script meets them."""

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from lightbound.adjudication.facts import Settings
from lightbound.cli.chip_map import ENDINGS
from lightbound.cli.exits import ExitCode
from lightbound.cli.mapping import FramingChoice, borders, draw_map
from lightbound.drawing.framing import Framing
from lightbound.errors import Malformed
from lightbound.files.dossier import adjudicate_dossier, read_dossier
from lightbound.geo.borders import packaged_borders

LANDMARKS = """landmark_id,latitude,longitude,position_error_m,fault_unit
singapore-1,1.30,103.80,100,a
singapore-2,1.35,103.85,100,b
shenzhen,22.54,114.06,100,c
"""
CHIPS = """chip_id,licensed_area,excluded_area
near,"circle(1.3,103.8,100)",CN+HK+MO
unmeasured,SG,
"""
MEASUREMENTS = """landmark_id,chip_id,round_trip_ms,measured_at
singapore-1,near,0.3,2026-11-20T10:00:00.5Z
singapore-2,near,0.4,2026-11-20T10:05:00Z
shenzhen,near,0.01,2026-11-20T10:04:00Z
"""

app = typer.Typer(rich_markup_mode=None)
app.command("map")(draw_map)
app.add_typer(borders, name="borders")


@pytest.fixture
def case(tmp_path: Path) -> Path:
    """A folder with the three files of a small case."""
    (tmp_path / "landmarks.csv").write_text(LANDMARKS)
    (tmp_path / "chips.csv").write_text(CHIPS)
    (tmp_path / "measurements.csv").write_text(MEASUREMENTS)
    return tmp_path


def _run(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def _map(folder: Path, out: str, *options: str) -> Result:
    files = ["--landmarks", str(folder / "landmarks.csv"), "--chips", str(folder / "chips.csv")]
    return _run("map", str(folder / "measurements.csv"), *files, "--out", str(folder / out), *options)


def test_a_map_says_what_adjudicate_says_of_the_same_files(case: Path) -> None:
    done = _map(case, "near.svg", "--chip", "near")
    assert done.exit_code == ExitCode.DONE, done.output
    title = ET.parse(case / "near.svg").getroot()[0].text  # noqa: S314 - our own bytes
    dossier = read_dossier(case / "measurements.csv", landmarks=case / "landmarks.csv", chips=case / "chips.csv")
    verdicts = adjudicate_dossier(dossier, Settings())
    assert title == "Chip near: verified (tier A0)"
    assert int(verdicts.licensed.margin_m[0]) > 0
    text = (case / "near.svg").read_text(encoding="utf-8")
    assert f"with {int(verdicts.licensed.margin_m[0]) // 1000} km to spare" in text
    assert "2026-11-20T09:05:00Z to 2026-11-20T10:05:00Z" in text
    assert "borders are where ne_10m_admin_0_countries_deu 5.1.1 draws them, within 2000 m" in text


def test_a_page_is_written_whole_and_twice_the_same(case: Path) -> None:
    for name in ("a.html", "b.html"):
        assert (
            _map(case, name, "--chip", "near", "--view", "region", "--border-error-m", "500").exit_code == ExitCode.DONE
        )
    first = (case / "a.html").read_bytes()
    assert first.startswith(b"<!DOCTYPE html>")
    assert b"at most 500 m" in first
    assert first == (case / "b.html").read_bytes()
    assert sorted(path.name for path in case.iterdir()) == [
        "a.html", "b.html", "chips.csv", "landmarks.csv", "measurements.csv",
    ]  # fmt: skip


def test_a_chip_without_rows_has_a_map_too(case: Path) -> None:
    assert _map(case, "none.svg", "--chip", "unmeasured").exit_code == ExitCode.DONE
    text = (case / "none.svg").read_text(encoding="utf-8")
    assert "undetermined (tier A0)" in text
    assert "all of the Earth" in text


@pytest.mark.parametrize(
    ("out", "options", "says"),
    [
        ("near.png", ["--chip", "near"], "found 'near.png'"),
        ("near.svg", ["--chip", "nera"], "near it are 'near'"),
        ("near.svg", ["--chip", "near", "--window", "soon"], "found 'soon'"),
        ("near.svg", [], "--chip"),
    ],
)
def test_a_wrong_command_line_is_told_and_writes_nothing(case: Path, out: str, options: list[str], says: str) -> None:
    done = _map(case, out, *options)
    assert done.exit_code == ExitCode.USAGE
    assert says in done.output
    assert not (case / out).exists()


def test_a_file_that_is_there_stays_as_it_was_when_the_input_is_wrong(case: Path) -> None:
    (case / "old.svg").write_text("what was there")
    (case / "chips.csv").write_text("chip_id,licensed_area,excluded_area\nnear,UK,\n")
    done = _map(case, "old.svg", "--chip", "near")
    assert isinstance(done.exception, Malformed)
    assert (case / "old.svg").read_text() == "what was there"


def test_choices_are_those_of_the_room_that_draws() -> None:
    assert [choice.value for choice in FramingChoice] == [framing.value for framing in Framing]
    assert ENDINGS == (".html", ".svg")


def test_every_code_is_listed_with_what_is_drawn_under_it() -> None:
    lines = [json.loads(line) for line in _run("borders", "list", "--json").output.splitlines()]
    assert [line["code"] for line in lines] == list(packaged_borders().codes)
    assert all(line["format"] == "lightbound.country/1" for line in lines)
    assert all(line["area_km2"] > 0 and line["parts"] > 0 and line["vertices"] > 2 for line in lines)
    table = _run("borders", "list").output
    assert f"{len(lines)} codes" in table
    assert all(line["name"] in table for line in lines)


def test_one_country_is_shown_with_its_box_across_the_antimeridian_and_the_border_it_is_of() -> None:
    told = _run("borders", "show", "FJ").output
    assert "Fiji" in told
    assert "across the antimeridian" in told
    assert packaged_borders().sha256 in told
    shown = json.loads(_run("borders", "show", "FJ", "--json").output)
    assert shown["bounding_box"]["west"] > shown["bounding_box"]["east"]
    assert shown["border"]["viewpoint"] == packaged_borders().viewpoint
    assert shown == next(
        line for line in map(json.loads, _run("borders", "list", "--json").output.splitlines()) if line["code"] == "FJ"
    )


@pytest.mark.parametrize(
    ("code", "meant"), [("de", "write DE"), ("UK", "write GB"), ("GF", "write FR"), ("ZQ", "near it are")]
)
def test_a_code_that_is_not_there_is_answered_with_what_was_perhaps_meant(code: str, meant: str) -> None:
    error = _run("borders", "show", code).exception
    assert isinstance(error, Malformed)
    assert meant in str(error)
