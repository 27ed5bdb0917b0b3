"""A tier never stands without its reasons and what it leaves open; sessions together are as strong as their weakest."""

import itertools

import pytest

from lightbound.attestation.results import Result
from lightbound.attestation.tiers import (
    IN_WORDS,
    UNATTESTED,
    Assurance,
    Reason,
    Tier,
    Unshown,
    assured,
    weakest,
)

EVERY = [
    assured(result, is_quoted=is_quoted, is_simulated=is_simulated)
    for result, is_quoted, is_simulated in itertools.product(Result, (True, False), (True, False))
]


@pytest.mark.parametrize("one", [UNATTESTED, *EVERY])
def test_no_tier_shows_that_the_key_was_not_copied_or_is_beside_the_chip(one: Assurance) -> None:
    assert {"key_not_copied", "key_beside_chip", "after_window"} <= {*one.does_not_show}


def test_a_quote_makes_it_a2_and_nothing_else_does() -> None:
    assert {one.tier for one in EVERY if Reason.HOST_QUOTED_SESSION in one.reasons} == {Tier.A2}
    assert {one.tier for one in EVERY if Reason.NO_QUOTE in one.reasons} == {Tier.A1}


def test_a_simulated_chip_is_called_so_and_shows_no_genuine_one() -> None:
    for one in EVERY:
        assert (Reason.SIMULATED_CHIP in one.reasons) == ("genuine_chip" in one.does_not_show)


@pytest.mark.parametrize(("one", "other"), list(itertools.combinations([UNATTESTED, *EVERY], 2)))
def test_two_sessions_are_as_strong_as_the_weaker_and_leave_open_what_either_does(
    one: Assurance, other: Assurance
) -> None:
    found = weakest([one, other])
    assert found == weakest([other, one])
    assert found.tier == min(one.tier, other.tier)
    assert {*found.does_not_show} == {*one.does_not_show, *other.does_not_show}


def test_of_no_session_nothing_is_shown() -> None:
    assert weakest([]) == UNATTESTED


def test_everything_that_is_said_of_a_tier_has_words_for_people() -> None:
    assert {*IN_WORDS} == {*Reason, *Unshown}
    assert len({*IN_WORDS.values()}) == len(IN_WORDS)
