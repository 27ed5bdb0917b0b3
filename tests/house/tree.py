"""The tree that the house tests look at."""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[2]
PACKAGE: Final = ROOT / "src" / "lightbound"
CORE: Final = (
    *("adjudication", "attestation", "bundles", "canonical", "enrolment", "errors"),
    *("geo", "keys", "ranging", "tlog", "units"),
)

MADE: Final = {".git", ".venv", ".cwt", ".bootstrap", "dist", "build", "__pycache__"}
"""Folders that are made from the tree and are no part of it; besides those, every tool's own `.*_cache`."""


def files(folder: Path = ROOT) -> Iterator[Path]:
    """Every file that belongs to the tree, whether or not it is committed yet."""
    for path in sorted(folder.iterdir()):
        if path.name in MADE or path.name.endswith((".egg-info", "_cache")) or path.name == ".hypothesis":
            continue
        if path.is_dir():
            yield from files(path)
        else:
            yield path


def modules(folder: Path = ROOT) -> list[Path]:
    """Every Python file of the tree."""
    return [path for path in files(folder) if path.suffix == ".py"]


def rooms() -> set[str]:
    """Names of the rooms: what stands directly in the package."""
    found = {path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" and path.stem != "__init__"}
    return found | {path.name for path in PACKAGE.iterdir() if path.is_dir() and path.name != "__pycache__"}


def pyproject() -> dict[str, Any]:
    """What pyproject.toml says."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def floors() -> list[str]:
    """The floors from the top, as the layers contract has them; rooms that share a floor are `a | b`."""
    contracts = pyproject()["tool"]["importlinter"]["contracts"]
    (layers,) = [contract["layers"] for contract in contracts if contract["type"] == "layers"]
    return list(layers)


def table(page: str, heading: str) -> list[list[str]]:
    """Rows of the first table under a heading of a page, cells stripped, without its head."""
    lines = iter((ROOT / page).read_text(encoding="utf-8").splitlines())
    rows: list[list[str]] = []
    for line in lines:
        if line.strip() == heading:
            break
    for line in lines:
        if line.startswith("|"):
            rows.append([cell.strip() for cell in line.strip("|").split("|")])
        elif rows or line.startswith("#"):
            break
    return rows[2:]
