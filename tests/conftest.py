"""What all tests share: where evaluation data lies, how long campaigns are, and where skipping is not allowed."""

import os
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

# Tests start hundreds of processes: each would compile all of its modules again where bytecode is not to be kept.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

LONGEST = (
    "tests/demo/test_running.py",
    "tests/scenarios",
    "tests/roles/verifier",
    "tests/crash",
    "tests/drawing/test_browser.py",
    "tests/roles",
    "tests/sim/test_scenarios.py",
)
"""What comes first, since it takes longest or mostly waits: a worker that began it last would keep the others idle."""

ROOT = Path(__file__).resolve().parent.parent

# A run of the tests is a function of the tree: the same cases every time. `make soak` rolls new dice, and prints
# how to repeat what failed. Where nothing may be skipped, laws meet a hundred cases each instead of twenty.
EXAMPLES = 100 if os.environ.get("LIGHTBOUND_NO_SKIPS") == "1" else 20
settings.register_profile("sample", max_examples=EXAMPLES, derandomize=True, deadline=None, print_blob=True)
settings.register_profile("soak", max_examples=20_000, deadline=None, print_blob=True)
settings.load_profile("sample")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put what takes longest first, and leave the rest as it is."""

    def place(item: pytest.Item) -> int:
        return next((i for i, start in enumerate(LONGEST) if item.nodeid.startswith(start)), len(LONGEST))

    items.sort(key=place)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of measurements that may be used but not shipped: `data` in $LIGHTBOUND_SHARED, or in `shared` beside us.

    Tests that need it are skipped where neither exists; a folder that was named and is missing is an error.
    """
    named = os.environ.get("LIGHTBOUND_SHARED")
    data = (Path(named) if named else ROOT.parent / "shared") / "data"
    if not data.is_dir():
        if named:
            pytest.fail(f"LIGHTBOUND_SHARED names a folder without data/: {named}")
        pytest.skip("needs evaluation data that is not shipped; say LIGHTBOUND_SHARED=FOLDER")
    return data


def _skips_are_failures() -> bool:
    return os.environ.get("LIGHTBOUND_NO_SKIPS") == "1"


def _fail(report: pytest.TestReport | pytest.CollectReport) -> None:
    found = report.longrepr
    reason = found[2] if isinstance(found, tuple) else str(found)
    report.outcome = "failed"
    report.longrepr = f"LIGHTBOUND_NO_SKIPS=1, and this was skipped. {reason}"
    vars(report).pop("wasxfail", None)  # an expected failure is a check that did not pass, too


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, pytest.TestReport]:
    """Where skips are not allowed, turn one into a failure; tests marked `gpu` excepted."""
    report: pytest.TestReport = yield
    if report.skipped and _skips_are_failures() and item.get_closest_marker("gpu") is None:
        _fail(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, Any, pytest.CollectReport]:
    """Where skips are not allowed, a module may not skip itself as a whole either."""
    report: pytest.CollectReport = yield
    if report.skipped and _skips_are_failures():
        _fail(report)
    return report
