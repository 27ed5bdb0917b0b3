"""The threat model claims no more than is there: its scenarios and tests exist, its numbers are the published ones."""

import ast
import functools
import json
import re
from pathlib import Path
from typing import Any, Final

import pytest

from lightbound.sim.scenario_file import packaged_names
from tests.house import tree

PAGE: Final = "docs/threat-model.md"
ROWS: Final = tree.table(PAGE, "## The table")
RESULTS: dict[str, Any] = json.loads((tree.ROOT / "docs/results/simulation.json").read_text(encoding="utf-8"))

WINS, NOT_BUILT, NONE = "nothing: wins", "not built yet: ", "none: not built"

COUNTED: Final = ("decided", "misled_about_key", "misled_about_chip")


def scenarios(row: list[str]) -> list[str]:
    """Those that a row names as its tests."""
    return re.findall(r"`simulate ([a-z-]+)`", row[3])


def functions_named(row: list[str]) -> list[str]:
    """The test functions that a row names."""
    return re.findall(r"`(tests/[^`]+)`", row[3])


@functools.cache
def functions(path: Path) -> frozenset[str]:
    """The test functions of a file, by its source."""
    body = ast.parse(path.read_text(encoding="utf-8")).body
    return frozenset(item.name for item in body if isinstance(item, ast.FunctionDef))


def test_the_table_has_the_columns_that_it_is_read_by() -> None:
    (head,) = re.findall(r"^\| attacker .*$", (tree.ROOT / PAGE).read_text(encoding="utf-8"), re.MULTILINE)
    assert head == "| attacker | can do | stopped by | test | what remains |"
    assert len(ROWS) > 50


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[1][:40])
def test_every_row_has_five_cells_that_say_something(row: list[str]) -> None:
    assert len(row) == 5
    assert all(row)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[1][:40])
def test_every_row_names_a_scenario_or_a_test_unless_nothing_is_built(row: list[str]) -> None:
    if row[3] == NONE:
        assert row[2].startswith(NOT_BUILT)
    else:
        named = [*scenarios(row), *functions_named(row)]
        assert named
        assert row[3].count("`") == 2 * len(named)


def test_rows_that_win_stand_first_and_those_that_nothing_is_built_for_next() -> None:
    order = [0 if row[2].startswith(WINS) else 1 if row[2].startswith(NOT_BUILT) else 2 for row in ROWS]
    assert order == sorted(order)
    assert {0, 1, 2} == set(order)


def test_a_row_that_claims_to_stop_somebody_does_not_say_that_he_wins() -> None:
    for row in ROWS:
        if not row[2].startswith((WINS, NOT_BUILT)):
            assert "wins" not in row[2]
            assert "not built" not in row[2]


def test_every_packaged_scenario_has_a_row_and_no_other_is_named() -> None:
    assert {name for row in ROWS for name in scenarios(row)} == set(packaged_names())


def test_scenarios_that_win_are_tests_of_rows_that_win() -> None:
    for row in ROWS:
        for name in scenarios(row):
            if any(RESULTS["scenarios"][name]["packets"]["all"][key] for key in COUNTED[1:]) and name != "two-faced":
                assert row[2].startswith(WINS), name


def test_every_test_that_is_named_exists() -> None:
    for row in ROWS:
        for named in functions_named(row):
            path, _, function = named.partition("::")
            assert function in functions(tree.ROOT / path), named


def test_every_number_of_sessions_is_a_published_one_of_the_rows_scenarios() -> None:
    told = 0
    for row in ROWS:
        published = {
            (one[key], one["sessions"])
            for name in scenarios(row)
            for one in (RESULTS["scenarios"][name]["packets"]["all"],)
            for key in COUNTED
        }
        for count, of in re.findall(r"([\d,]+) of ([\d,]+) sessions", row[4]):
            assert (int(count.replace(",", "")), int(of.replace(",", ""))) in published, row[4]
            told += 1
    assert told >= 10
