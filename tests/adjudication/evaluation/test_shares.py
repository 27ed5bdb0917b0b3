"""An interval is the exact binomial one, and says so where there is nothing to say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from lightbound.adjudication.evaluation.shares import Share


@given(of=st.integers(1, 3000), part=st.floats(0, 1), confidence=st.sampled_from([0.8, 0.95, 0.999]))
def test_the_interval_is_the_exact_binomial_one(of: int, part: float, confidence: float) -> None:
    count = round(part * of)
    expected = binomtest(count, of).proportion_ci(confidence_level=confidence, method="exact")
    found = Share(count=count, of=of).interval(confidence=confidence)
    assert found == pytest.approx((expected.low, expected.high), abs=1e-9)


def test_without_cases_the_interval_is_everything() -> None:
    assert Share(count=0, of=0).interval(confidence=0.95) == (0.0, 1.0)
    assert Share(count=0, of=0).told(confidence=0.95) == "none asked"


def test_a_share_is_told_with_its_cases_and_interval() -> None:
    assert Share(count=153, of=190).told(confidence=0.95) == "153/190 = 80.5 % (74.2-85.9)"
