"""The page of simulations lists what scenario files take, and its examples run as it shows."""

import ast
import copy
import inspect
import json
import re
import tomllib
from collections import defaultdict
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

import pytest

from lightbound.cli.app import main
from lightbound.cli.simulation_table import report_object, trace_lines
from lightbound.errors import ErrorCode, Malformed
from lightbound.sim import scenario_file
from lightbound.sim.campaign import Engine, run
from lightbound.sim.packet_engine import SessionRun
from lightbound.sim.scenario import AgentKind, Expectation, LandmarkKind, NetworkKind, VerifierKind
from lightbound.sim.scenario_file import scenario_of
from lightbound.sim.world import build
from tests.house import tree

PAGE = (tree.ROOT / "docs/simulation.md").read_text(encoding="utf-8")

TABLES: Final = {
    "": "### At the top",
    "session": "### `[session]`",
    "world": "### `[world]`",
    "places": "### `[[places]]`",
    "sites": "### `[[sites]]`",
    "landmarks": "### `[[landmarks]]`",
    "paths": "### `[paths]`",
    "cheats": "### `[cheats]`",
    "expect": "### `[expect]`",
}

READ_IN: Final = {"_places": "places", "_site": "sites", "_landmark": "landmarks", "_paths": "paths"} | {
    "_cheats": "cheats",
    "_expected": "expect",
}
"""Which function of `scenario_file` reads which table; `scenario_of` reads the others, each under its own name."""

READERS: Final = {"text", "integer", "number", "range", "word", "words", "texts", "table", "tables", "has"}


def shown(kind: str, name: str) -> str:
    """An example of the page."""
    (found,) = re.findall(rf"<!-- {kind}: {name} -->\n```[a-z]+\n(.*?)```\n<!-- end -->", PAGE, re.DOTALL)
    return str(found)


def told(table: str) -> dict[str, list[str]]:
    """The rows of a table of keys, by key."""
    return {row[0].strip("`"): row[1:] for row in tree.table("docs/simulation.md", TABLES[table])}


def taken() -> Mapping[str, set[str]]:
    """The keys that the reader takes, by table, from its source."""
    keys: dict[str, set[str]] = defaultdict(set)
    for function in ast.parse(inspect.getsource(scenario_file)).body:
        if not isinstance(function, ast.FunctionDef):
            continue
        for call in ast.walk(function):
            match call:
                case ast.Call(
                    func=ast.Attribute(value=ast.Name(id=on), attr=how), args=[ast.Constant(value=str(key)), *_]
                ) if how in READERS or (on, how) == ("values", "get"):
                    if how in {"table", "tables"} and key in TABLES:
                        continue  # a table of its own, listed under its own heading
                    of = READ_IN.get(function.name, on)
                    keys["" if of in {"table", "values"} else of].add(key)
                case _:
                    pass
    keys[""].discard("cheats")  # looked into, and read by `_cheats`
    return keys


def test_the_page_lists_exactly_the_keys_that_are_taken() -> None:
    assert {table: set(told(table)) for table in TABLES} == dict(taken())


def test_every_row_says_type_default_and_meaning() -> None:
    for table in TABLES:
        for key, cells in told(table).items():
            assert len(cells) == 3, (table, key)
            assert all(cells), (table, key)


def number(text: str) -> float:
    return float(text.replace(",", ""))


NUMBERS: Final = [
    (table, key, cells)
    for table in TABLES
    for key, cells in told(table).items()
    if cells[0].startswith(("whole number", "number", "two numbers"))
]


def minimal() -> dict[str, Any]:
    """The complete example, as a table that tests may change."""
    return copy.deepcopy(tomllib.loads(shown("example", "mine")))


def put(table: str, key: str, value: object) -> dict[str, Any]:
    """The complete example with another value; in tables of which there are many, in the first."""
    values = minimal()
    inner = values.setdefault(table, {})
    (inner[0] if isinstance(inner, list) else inner)[key] = value
    return values


def column(table: str, key: str) -> str:
    return f"{table}[0].{key}" if isinstance(minimal().get(table), list) else f"{table}.{key}"


@pytest.mark.parametrize(("table", "key", "cells"), NUMBERS, ids=lambda item: item if isinstance(item, str) else "")
def test_the_range_of_a_number_is_the_one_told(table: str, key: str, cells: list[str]) -> None:
    found = re.fullmatch(r"(?:whole number|number|two numbers), (-?[\d,.]+) to ([\d,.]+)", cells[0])
    assert found
    whole = cells[0].startswith("whole")
    least, most = (int(number(each)) if whole else number(each) for each in found.groups())
    if most > 2**60:
        most = int(found[2].replace(",", ""))  # beyond what a float holds exactly

    def as_told(value: float) -> object:
        return [value, value] if cells[0].startswith("two") else value

    step = 1 if whole else 0.001
    for beyond in (least - step, most + step):
        with pytest.raises(Malformed) as caught:
            scenario_of(put(table, key, as_told(beyond)), file="mine.toml")
        assert caught.value.faults[0].column == column(table, key)
    for end in (least, most):
        try:
            scenario_of(put(table, key, as_told(end)), file="mine.toml")
        except Malformed as error:  # the end of the range, and too many for this example's four landmarks
            assert "from" not in error.faults[0].expected  # noqa: PT017 - most ends raise nothing


def defaults() -> list[tuple[str, str, object]]:
    """Every key whose default the page tells as a value."""
    found: list[tuple[str, str, object]] = []
    for table in TABLES:
        for key, cells in told(table).items():
            default = cells[1]
            if re.fullmatch(r"-?[\d.]+", default):
                found.append((table, key, float(default) if "." in default else int(default)))
            elif pair := re.fullmatch(r"([\d.]+) and ([\d.]+)", default):
                found.append((table, key, [float(each) for each in pair.groups()]))
            elif word := re.fullmatch(r"`([^`]+)`", default):
                found.append((table, key, [word[1]] if cells[0].startswith("some") else word[1]))
    return found


@pytest.mark.parametrize(("table", "key", "default"), defaults())
def test_the_default_is_the_one_told(table: str, key: str, default: object) -> None:
    values = put(table, key, default)
    said = scenario_of(values, file="mine.toml")
    inner = values[table][0] if isinstance(values[table], list) else values[table]
    del inner[key]
    assert scenario_of(values, file="mine.toml") == said


def test_what_is_refused_if_it_is_not_there_is() -> None:
    for table in TABLES:
        for key, cells in told(table).items():
            if cells[1] == "refused":
                values = minimal()
                inner = values[table] if table else values
                del (inner[0] if isinstance(inner, list) else inner)[key]
                with pytest.raises(Malformed) as caught:
                    scenario_of(values, file="mine.toml")
                assert caught.value.faults[0].code is ErrorCode.SCENARIO_MALFORMED
                assert str(caught.value.faults[0].column).endswith(key)


@pytest.mark.parametrize(
    ("heading", "words"),
    [
        ("agents", AgentKind),
        ("landmarks", LandmarkKind),
        ("verifier", VerifierKind),
        ("network", NetworkKind),
        ("outcome", Expectation),
    ],
)
def test_the_page_lists_exactly_the_words_of_a_key(heading: str, words: type[StrEnum]) -> None:
    head = f"| `{heading}` |" if heading != "outcome" else "| outcome |"
    (table,) = [block for block in PAGE.split("\n\n") if block.startswith(head) and block.count("|") > 6]
    rows = [row.split("|") for row in table.splitlines()[2:]]
    assert [row[1].strip(" `") for row in rows] == [str(word) for word in words]
    assert all(row[2].strip() for row in rows)


def test_the_complete_example_prints_what_the_page_shows(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine.toml").write_text(shown("example", "mine"), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        main(["simulate", "mine.toml"])
    assert ended.value.code in (0, None)
    assert capsys.readouterr().out == shown("printed", "mine")


def test_the_extended_example_runs_and_takes_over_what_it_does_not_say() -> None:
    read = scenario_of(tomllib.loads(shown("example", "extended")), file="extended.toml")
    world = scenario_file.read_scenario("world")
    assert (read.landmarks, read.sites, read.seed, read.paths) == (
        world.landmarks,
        world.sites,
        world.seed,
        world.paths,
    )
    assert (read.fault_budget, read.expected.standings) == (2, ())
    report = run(build(read), engine=Engine.STATISTICS, seed=read.seed, sessions=read.agents)
    assert report.unmet() == []


def test_a_scenario_that_extends_another_can_be_extended_and_keeps_its_own_name_and_expectations() -> None:
    values = {"format": scenario_file.FORMAT, "extends": "proxied", "name": "mine", "about": "Mine."}
    read, proxied, world = (
        scenario_of(values, file="mine.toml"),
        scenario_file.read_scenario("proxied"),
        scenario_file.read_scenario("world"),
    )
    assert (read.name, read.about, read.expected.standings) == ("mine", "Mine.", ())
    assert (read.cheats, read.landmarks) == (proxied.cheats, world.landmarks)


def fields(heading: str) -> set[str]:
    """The fields of an object that the page lists."""
    return {name for row in tree.table("docs/simulation.md", heading) for name in re.findall("`([a-z_]+)`", row[0])}


def test_the_page_lists_the_fields_of_both_objects() -> None:
    read = scenario_of(minimal(), file="mine.toml")
    seen: list[SessionRun] = []
    report = run(build(read), engine=Engine.PACKETS, seed=read.seed, sessions=1, watch=seen.append)
    assert fields("## Reading the table") == report_object(report).keys()
    assert {key for line in trace_lines(seen[0]) for key in json.loads(line)} == fields("## Reading a trace")
