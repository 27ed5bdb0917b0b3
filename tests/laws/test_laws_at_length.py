"""Every law over new and many more cases than a run of the tests has time for."""

from collections.abc import Callable

import pytest
from hypothesis import settings

from tests.laws import test_evidence, test_statements, test_timer, test_verdict_laws

EXAMPLES = 3_000

LAWS = [
    law
    for module in (test_evidence, test_statements, test_timer, test_verdict_laws)
    for name, law in vars(module).items()
    if name.startswith("test_") and hasattr(law, "hypothesis") and not hasattr(law, "pytestmark")
]


@pytest.mark.soak
@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_the_law_holds_at_length(law: Callable[[], None]) -> None:
    settings(settings.get_profile("soak"), max_examples=EXAMPLES)(law)()


def test_the_laws_are_all_there() -> None:
    assert len(LAWS) >= 26
