"""What is installed is what the locks name, byte for byte, from wherever the reader gets packages."""

import re

import pytest

from tests.house import tree

LOCKS = ("bootstrap.lock", "cwt.lock", "requirements.lock")


def _requirements(lock: str) -> dict[str, str]:
    """Requirement lines of a lock by name of package, continuation lines joined."""
    text = (tree.ROOT / lock).read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return {re.split(r"[=\s\[;@]", line, maxsplit=1)[0]: line for line in lines}


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_address(lock: str) -> None:
    text = (tree.ROOT / lock).read_text(encoding="utf-8")
    assert "://" not in text
    assert re.search(r"^\s*(-i|-f|--(extra-)?index-url|--find-links)\b", text, re.MULTILINE) is None


@pytest.mark.parametrize("lock", LOCKS)
def test_every_requirement_is_one_version_with_hashes(lock: str) -> None:
    requirements = _requirements(lock)
    assert requirements
    loose = [
        name
        for name, line in requirements.items()
        if not re.match(r"\S+==\S+ ", line) or not re.search(r"--hash=sha256:[0-9a-f]{64}\b", line)
    ]
    assert loose == []


def test_every_requirement_of_the_project_is_locked() -> None:
    project = tree.pyproject()
    asked = [
        *project["build-system"]["requires"],
        *project["project"]["dependencies"],
        *(r for extra in project["project"]["optional-dependencies"].values() for r in extra),
        *project["dependency-groups"]["dev"],
    ]
    names = {re.split(r"[<>=!~\s\[;]", requirement, maxsplit=1)[0].lower() for requirement in asked}
    assert names - _requirements("requirements.lock").keys() == set()
    assert set(project["dependency-groups"]["bootstrap"]) == _requirements("bootstrap.lock").keys()
    assert set(project["dependency-groups"]["cwt"]) <= _requirements("cwt.lock").keys()
