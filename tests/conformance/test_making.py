"""The vectors and the pages that show them are what `scripts/make_vectors.py` makes, and the page tells all of it."""

import importlib
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lightbound.conformance.on_scripts import AGENT_MOVES, LANDMARK_MOVES
from lightbound.conformance.reference import OPERATIONS
from lightbound.conformance.vectors import SUBJECTS, Role
from tests.house import tree

DATA = "src/lightbound/conformance/data"
PAGES = ("docs/spec/clp1.md", "docs/conformance.md")
PAGE = (tree.ROOT / "docs/conformance.md").read_text(encoding="utf-8")


def test_made_again_nothing_changes(tmp_path: Path) -> None:
    for page in PAGES:
        (tmp_path / page).parent.mkdir(parents=True, exist_ok=True)
        text = (tree.ROOT / page).read_text(encoding="utf-8")
        emptied = re.sub(r"(<!-- (?:vector|operation): \S+ -->\n).*?(<!-- end -->)", r"\1\2", text, flags=re.DOTALL)
        assert emptied != text
        (tmp_path / page).write_text(emptied, encoding="utf-8")
    _make(tmp_path)
    made = sorted(path.name for path in (tmp_path / DATA).iterdir())
    assert made == sorted(f"{subject}.json" for subject in SUBJECTS)
    for name in (*(f"{DATA}/{name}" for name in made), *PAGES):
        assert (tmp_path / name).read_bytes() == (tree.ROOT / name).read_bytes(), name


def _make(root: Path) -> None:
    scripts = root / "scripts"
    shutil.copytree(tree.ROOT / "scripts", scripts, ignore=shutil.ignore_patterns("__pycache__"))
    subprocess.run([sys.executable, scripts / "make_vectors.py", "--root", root], capture_output=True, check=True)


def test_a_page_that_is_not_there_is_not_made(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.syspath_prepend(tree.ROOT / "scripts")
    fill = importlib.import_module("vectors.pages").fill
    fill(tmp_path / "page.md", {})
    assert list(tmp_path.iterdir()) == []


def test_the_package_holds_the_vectors_that_it_reads_and_no_others() -> None:
    here = {path.name for path in (tree.ROOT / DATA).iterdir()}
    assert here == {f"{subject}.json" for subject in SUBJECTS}


def test_the_page_shows_every_operation_by_an_example() -> None:
    shown = set(re.findall(r'"do": "([a-z0-9_]+)"', PAGE))
    assert shown == OPERATIONS.keys()
    headings = {name for line in re.findall(r"^### (.*)$", PAGE, re.MULTILINE) for name in line.split(", ")}
    assert headings == OPERATIONS.keys()


@pytest.mark.parametrize(
    ("heading", "moves"), [("### landmark_session", LANDMARK_MOVES), ("### agent_session", AGENT_MOVES)]
)
def test_the_page_tells_every_move(heading: str, moves: tuple[str, ...]) -> None:
    assert [row[0].strip("`") for row in tree.table("docs/conformance.md", heading)] == list(moves)


def test_the_page_tells_every_role() -> None:
    assert [row[0].strip("`") for row in tree.table("docs/conformance.md", "## Roles")] == list(Role)
