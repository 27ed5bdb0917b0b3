"""Modules are small, say what they are, and are named after something in the field."""

import ast
from collections import Counter
from pathlib import Path
from typing import Final

import pytest

from tests.house import tree

MOST_LINES: Final = 500
"""Past this a module has more than one subject and is to be split. Most should have fewer than 200."""

NAMES_THAT_SAY_NOTHING: Final = {
    "base", "common", "core", "helper", "helpers", "manager", "misc", "shared", "stuff", "tools", "util", "utils",
}  # fmt: skip

CORE_MAY_NOT_CALL: Final = {"breakpoint", "exec", "eval", "input", "open", "print"}
"""Input, output and code from data, which need no import and so pass the import contract."""


def test_no_module_is_longer_than_one_can_hold_in_mind() -> None:
    lengths = {path.relative_to(tree.ROOT): len(path.read_bytes().splitlines()) for path in tree.modules()}
    assert {path: lines for path, lines in lengths.items() if lines > MOST_LINES} == {}


def test_every_module_says_what_it_is() -> None:
    silent = [path for path in tree.modules(tree.PACKAGE) if not ast.get_docstring(ast.parse(path.read_bytes()))]
    assert silent == []


def test_no_name_says_nothing() -> None:
    parts = Counter(part for path in tree.modules() for part in path.relative_to(tree.ROOT).with_suffix("").parts)
    assert NAMES_THAT_SAY_NOTHING & parts.keys() == set()


def test_every_folder_of_the_package_is_a_package() -> None:
    folders = {path.parent for path in tree.modules(tree.PACKAGE)}
    assert [folder for folder in folders if not (folder / "__init__.py").is_file()] == []


def test_the_package_says_that_it_is_typed() -> None:
    assert (tree.PACKAGE / "py.typed").is_file()


def test_the_rooms_held_to_purity_by_tests_and_by_the_contract_are_the_same() -> None:
    contracts = tree.pyproject()["tool"]["importlinter"]["contracts"]
    (pure,) = [contract["source_modules"] for contract in contracts if contract["name"].startswith("Core:")]
    assert tuple(pure) == tuple(f"lightbound.{room}" for room in tree.CORE)


@pytest.mark.parametrize("room", tree.CORE)
def test_the_core_does_no_io_that_needs_no_import_and_rolls_no_dice(room: str) -> None:
    home = tree.PACKAGE / room
    paths = tree.modules(home) if home.is_dir() else [home.with_suffix(".py")]
    assert [found for path in paths for found in _impurities(path)] == []


def _impurities(path: Path) -> list[str]:
    found = []
    for node in ast.walk(ast.parse(path.read_bytes())):
        match node:
            case ast.Call(func=ast.Name(id=name)) if name in CORE_MAY_NOT_CALL:
                found.append(f"{path.name} line {node.lineno}: {name}()")
            case ast.Attribute(value=ast.Name(id="np" | "numpy"), attr="random"):
                found.append(f"{path.name} line {node.lineno}: numpy.random")
            case ast.ImportFrom(module="numpy.random") | ast.Import(names=[ast.alias(name="numpy.random")]):
                found.append(f"{path.name} line {node.lineno}: numpy.random")
    return found
