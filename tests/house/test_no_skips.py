"""Where LIGHTBOUND_NO_SKIPS is set, a check that did not run has not passed."""

import pytest

from tests.house import tree

CASES = """
import pytest

def test_runs(): pass

@pytest.mark.skip(reason="no time")
def test_skipped(): pass

def test_skips_itself(): pytest.skip("no data")

@pytest.mark.xfail(reason="not yet", strict=True)
def test_expected_to_fail(): assert False

@pytest.mark.gpu
def test_without_a_gpu(): pytest.skip("no accelerator")
"""


@pytest.fixture
def inner(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A little test suite under this project's conftest."""
    monkeypatch.delenv("LIGHTBOUND_NO_SKIPS", raising=False)
    pytester.makeconftest((tree.ROOT / "tests/conftest.py").read_text(encoding="utf-8"))
    pytester.makeini("[pytest]\nmarkers = gpu: needs an accelerator")
    pytester.makepyfile(CASES)
    return pytester


def test_skips_are_skips_where_nobody_forbids_them(inner: pytest.Pytester) -> None:
    inner.runpytest("-p", "no:cacheprovider").assert_outcomes(passed=1, skipped=3, xfailed=1)


def test_only_gpu_tests_may_skip_where_skips_are_forbidden(
    inner: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIGHTBOUND_NO_SKIPS", "1")
    done = inner.runpytest("-p", "no:cacheprovider")
    done.assert_outcomes(passed=1, skipped=1, failed=2, errors=1)  # a marked skip is raised while setting up
    done.stdout.fnmatch_lines(["*this was skipped. Skipped: no data*"])


def test_a_module_may_not_skip_itself_where_skips_are_forbidden(
    inner: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIGHTBOUND_NO_SKIPS", "1")
    inner.makepyfile(test_whole="import pytest\npytest.skip('all of it', allow_module_level=True)\n")
    inner.runpytest("-p", "no:cacheprovider", "test_whole.py").assert_outcomes(errors=1)
