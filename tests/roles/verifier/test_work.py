"""Which landmarks are asked next: nobody keeps questions to others waiting."""

from collections import Counter
from pathlib import Path

from lightbound.roles.verifier.settings import HOUR_NS
from lightbound.roles.verifier.work import AT_ONCE, OF_ONE
from tests.roles.verifier.virtual import virtual

AGENTS = 5


def test_a_landmark_is_asked_few_questions_at_a_time_and_the_next_ones_once_these_are_answered(tmp_path: Path) -> None:
    with virtual(tmp_path / "verifier") as verifier:
        for name in range(AGENTS):
            # The later ones by a clock that was set back: theirs are due before those that are in hand.
            verifier.answer(verifier.enrol(name))
            if name == 0:
                first = verifier.work.take(now_ns=verifier.clock.ns)
            verifier.clock.ns -= 1
        held = Counter(one.landmark for one in first)
        for _ in range(AGENTS):
            more = verifier.work.take(now_ns=verifier.clock.ns + HOUR_NS)
            held += Counter(one.landmark for one in more)
            assert max(held.values()) <= OF_ONE
            assert held.total() <= AT_ONCE
        assert set(held.values()) == {OF_ONE}
        # Nobody is there to answer: what was asked in vain is due later, and makes room.
        for one in first:
            verifier.work.ask(one)
        again = verifier.work.take(now_ns=verifier.clock.ns + AGENTS)
        assert Counter(one.landmark for one in again) == Counter(one.landmark for one in first)
        assert {one.session for one in again}.isdisjoint({one.session for one in first})
