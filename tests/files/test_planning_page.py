"""The page about plans says what the command takes and gives, and its figures are those of the data."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from lightbound.adjudication.planning.obstacles import Why
from lightbound.adjudication.planning.optimum import LeastBy
from lightbound.cli.plan import plan
from lightbound.files.header import Columns
from lightbound.files.places import PLACES
from lightbound.files.planning import CANDIDATES, COSTS, SITES
from lightbound.files.planning_dossier import Choices, plan_from_files
from lightbound.files.plans import LANDMARK_FORMAT, Stated, plan_object
from lightbound.ranging.bounds import Speed
from tests.conftest import ROOT

PAGE = (ROOT / "docs/planning.md").read_text(encoding="utf-8")


def section(name: str) -> str:
    return re.split(r"\n##+ ", PAGE.split(f"# {name}\n")[1])[0]


def first_cells(text: str) -> set[str]:
    return {
        word for row in re.findall(r"^\| ([^|]*) \|", text, re.MULTILINE) for word in re.findall("`([a-z_]+)`", row)
    }


@pytest.mark.parametrize(
    ("name", "columns"), [("Sites", SITES), ("Candidates", CANDIDATES), ("Costs", COSTS), ("Places", PLACES)]
)
def test_the_page_lists_exactly_the_columns_that_are_read(name: str, columns: Columns) -> None:
    assert first_cells(section(name)) == columns.kinds.keys()


def test_the_page_explains_exactly_the_reasons_and_the_kinds_of_bound() -> None:
    assert first_cells(section("Why a site cannot be proven")) - {"why"} == set(map(str, Why))
    assert first_cells(section("The order, and how good it is")) - {"least_known_by"} == set(map(str, LeastBy))


def test_the_page_lists_exactly_the_fields_of_the_object(tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text("site_id,latitude,longitude,excluded_area\na,1.3,103.8,CN\nb,39.9,116.4,CN\n")
    (tmp_path / "c.csv").write_text("candidate_id,latitude,longitude\nx,1.4,103.8\n")
    report, _ = plan_from_files(
        tmp_path / "s.csv",
        tmp_path / "c.csv",
        standing=None,
        costs=None,
        delays=Stated(slowness=2.0, overhead_ms=0.5),
        choices=Choices(
            speed=Speed.VACUUM,
            fault_budget=0,
            independent_landmarks=True,
            border_error_m=None,
            site_error_m=1.0,
            candidate_error_m=1.0,
            landmark_cost=1.0,
            chips=None,
            percents=(50.0,),
        ),
    )
    told = plan_object(report)
    output = section("Output")
    assert first_cells(output) == told.keys()
    assert LANDMARK_FORMAT in output
    for field in ("order", "targets", "goals"):
        (row,) = re.findall(rf"^\| `{field}` \| (.*) \|$", output, re.MULTILINE)
        assert set(re.findall("`([a-z_]+)`", row)) == set(told[field][0]), field


def test_the_page_names_every_option_that_is_this_command_s_alone() -> None:
    shared = {"--border-error-m", "--independent-landmarks", "--landmarks", "--help"}
    command = typer.main.get_command(_app())
    options = {option for parameter in command.params for option in parameter.opts} - shared
    assert {option for option in options if option not in PAGE} == set()


def _app() -> typer.Typer:
    app = typer.Typer(add_completion=False)
    app.command()(plan)
    return app


@pytest.mark.soak
def test_the_figures_are_what_the_data_gives(shared_data: Path) -> None:
    script = ROOT / "scripts/make_planning_results.py"
    environment = {**os.environ, "LIGHTBOUND_SHARED": str(shared_data.parent)}
    done = subprocess.run(
        [sys.executable, script, "--check"], env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
