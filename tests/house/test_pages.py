"""The pages that describe the tree say what the tree says."""

import re
from pathlib import Path

import pytest

from lightbound.cli.exits import ExitCode
from lightbound.errors import ErrorCode
from tests.house import tree

PAGES = [path for path in tree.files() if path.suffix == ".md"]


def test_architecture_lists_exactly_the_rooms_on_their_floors() -> None:
    told = [row[0].replace("`", "").replace(", ", " | ") for row in tree.table("ARCHITECTURE.md", "## Rooms")]
    assert told == tree.floors()


def test_the_floors_hold_exactly_the_rooms_of_the_tree() -> None:
    assert {room.strip() for floor in tree.floors() for room in floor.split("|")} == tree.rooms()


def test_errors_page_explains_exactly_the_error_codes() -> None:
    rows = tree.table("docs/errors.md", "## Error codes")
    assert [row[0].strip("`") for row in rows] == [str(code) for code in ErrorCode]
    assert all(row[1] and row[2] for row in rows)


def test_errors_page_explains_exactly_the_exit_codes() -> None:
    told = [int(row[0]) for row in tree.table("docs/errors.md", "## Exit codes")]
    assert told == [int(code) for code in ExitCode]


def test_decision_records_are_numbered_without_gaps() -> None:
    numbers = [int(path.name[:4]) for path in sorted((tree.ROOT / "docs/decisions").glob("[0-9]*.md"))]
    assert numbers == list(range(len(numbers)))


def anchors(page: Path) -> set[str]:
    """What a link can name in a page: its headings in lower case, words joined by hyphens, signs left out."""
    prose = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    titles = [title.replace("`", "").lower() for title in re.findall(r"^#+ (.+)$", prose, re.MULTILINE)]
    return {re.sub(r"[^\w -]", "", title).strip().replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(tree.ROOT)))
def test_links_to_a_heading_find_it(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s:]*)#([^)\s]+)\)", page.read_text(encoding="utf-8"))
    assert [(to, anchor) for to, anchor in links if anchor not in anchors(page.parent / to if to else page)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(tree.ROOT)))
def test_links_between_files_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", text) + re.findall(r'(?:src|href)="([^"#]+)"', text)
    broken = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    assert broken == []


def test_every_target_that_contributors_are_told_of_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (tree.ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    told = {
        target
        for page in PAGES
        for target in re.findall(r"`make ([a-z-]+)", page.read_text(encoding="utf-8"))
        if page.name != "CHANGELOG.md"  # tells of what once was, too
    }
    assert told <= targets
