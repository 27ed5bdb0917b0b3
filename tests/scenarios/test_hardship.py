"""Honest sessions come to their end through a flood, a landmark that stalls or is gone, and a network that loses."""

from collections.abc import Iterator

import pytest

from lightbound.demo.delay_line import missing
from tests.scenarios.hardship import HARDSHIPS, Hardship, gone_through
from tests.scenarios.real_world import RealWorld, real_world

pytestmark = pytest.mark.skipif(missing() is not None, reason=f"a delay line needs {missing()}")

MOST_S = 30.0
"""A session takes less than a second where nothing is wrong. On this machine other tests run as well."""


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealWorld]:
    with real_world(tmp_path_factory.mktemp("landmarks")) as made:
        yield made


@pytest.mark.parametrize(
    "hardship",
    # Where connections are lost too, a session takes a quarter of a minute. `honest-bad-network` loses timed packets.
    [pytest.param(one, marks=[pytest.mark.soak] if one.loss else [], id=one.name) for one in HARDSHIPS],
)
def test_an_honest_session_comes_to_its_end(there: RealWorld, hardship: Hardship) -> None:
    gone = gone_through(there, hardship)
    outcome = gone.played.outcome
    if hardship.loss:
        # A landmark that no connection can be made to in five seconds is absent, one in twenty here; hardly ever all.
        assert any(outcome.believed.values()), outcome
    else:
        assert gone.is_complete, outcome
        assert outcome.absent == hardship.lost
    assert gone.took_s < MOST_S
    assert not outcome.false_of_key
    assert all(bound_ns >= floor_ns for bound_ns, floor_ns in gone.played.bounds.values())
