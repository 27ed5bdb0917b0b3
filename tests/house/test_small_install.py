"""Agents, the core of landmarks, sockets of devices and looks at a log run on the small install: no numpy, no SQL."""

import re
import subprocess
import sys

import pytest

from lightbound.cli.exits import EXTRA_OF
from tests.house import tree

HEAVY = tuple(EXTRA_OF)

BLOCKED = """
import sys
for name in {names!r}:
    sys.modules[name] = None
sys.argv = ["lightbound", *{arguments!r}]
from lightbound.cli.app import main
main()
"""


@pytest.mark.parametrize(
    "module",
    [
        "lightbound.ranging.sessions.agent",
        "lightbound.ranging.sessions.landmark",
        "lightbound.ranging.timing.challenger",
        "lightbound.ranging.timing.responder",
        "lightbound.files.admission",
        "lightbound.files.directories",
        "lightbound.files.keys",
        "lightbound.files.showing",
        "lightbound.enrolment.delivery",
        "lightbound.net.http_client",
        "lightbound.roles.agent.run",
        "lightbound.roles.agent.enrolling",
        "lightbound.roles.agent.attested_root",
        "lightbound.roles.evidence.answering",
        "lightbound.roles.log_reader.auditing",
        "lightbound.roles.log_reader.monitoring",
        "lightbound.judging.evidence_files",
        "lightbound.cli.app",
    ],
)
def test_it_imports_nothing_heavy(module: str) -> None:
    code = f"import sys, {module}; sys.exit(', '.join(name for name in {HEAVY!r} if name in sys.modules) or None)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_every_module_of_an_extra_is_known_by_the_extra_that_brings_it() -> None:
    extras = tree.pyproject()["project"]["optional-dependencies"]
    brought = {
        re.split(r"[<>=!~\s\[;]", requirement, maxsplit=1)[0].replace("-", "_"): extra
        for extra, requirements in extras.items()
        for requirement in requirements
    }
    assert brought == EXTRA_OF


@pytest.mark.parametrize(
    ("arguments", "extra"),
    [
        (["adjudicate", "README.md", "--landmarks", "README.md", "--chips", "README.md"], "judge"),
        (["landmark", "run", "--verifier", "5f" * 32], "server"),
        (["demo", "--out", "nowhere"], "judge"),
    ],
)
def test_a_command_whose_part_is_not_installed_says_which(arguments: list[str], extra: str) -> None:
    code = BLOCKED.format(names=HEAVY, arguments=arguments)
    done = subprocess.run([sys.executable, "-c", code], cwd=tree.ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 5, done.stderr
    assert f"unavailable (not_installed): expected Lightbound with its part {extra}" in done.stderr
    assert f"pip install 'lightbound[{extra}]'" in done.stderr
