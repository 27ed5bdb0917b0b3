"""The explorer can fail: it finds what is wrong with a core that lacks one rule, and shows how it comes about."""

import pytest

from tests.explorer.mutants import DEAF, MUTANTS, ONE, TWO_SESSIONS, WITHOUT_BIND_IN_THE_CHECK, Mutant
from tests.explorer.search import explored
from tests.explorer.splices import spliced
from tests.explorer.superfluous import SUPERFLUOUS
from tests.explorer.tables import tables_of
from tests.explorer.world import Asked, Configuration


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.without)
def test_a_core_without_one_rule_is_caught(mutant: Mutant, monkeypatch: pytest.MonkeyPatch) -> None:
    for edit in mutant.edits:
        edit.apply(monkeypatch)
    found = explored(tables_of(mutant.shows_in))
    *steps, says = found.violation
    print(f"\nwithout: {mutant.without}\n" + "\n".join(found.violation))  # noqa: T201 - what a person would be shown
    assert says.startswith(f"{mutant.breaks}: ")
    assert [step.partition(". ")[0] for step in steps] == [str(number) for number in range(1, len(steps) + 1)]


@pytest.mark.parametrize("rule", SUPERFLUOUS)
def test_a_rule_that_another_one_repeats_can_be_spared(rule: str, monkeypatch: pytest.MonkeyPatch) -> None:
    SUPERFLUOUS[rule].apply(monkeypatch)
    found = explored(tables_of(TWO_SESSIONS))
    assert found.violation == ()
    assert found.honest


@pytest.mark.parametrize("configuration", dict.fromkeys(mutant.shows_in for mutant in MUTANTS))
def test_where_mutants_show_nothing_is_wrong_with_the_core_itself(configuration: Configuration) -> None:
    tables = tables_of(configuration)
    assert tables.alarms == []
    assert explored(tables).violation == ()


def test_a_check_that_does_not_ask_for_the_bind_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    twice = Configuration(sessions=(Asked(agent=0, landmarks=(0,), agent_ends=2),), gives_up=False)
    tables = tables_of(twice)
    WITHOUT_BIND_IN_THE_CHECK.apply(monkeypatch)
    assert any(says.startswith("P2: ") for says in spliced(tables.messages).wrong)


def test_a_landmark_that_takes_no_ack_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    DEAF.apply(monkeypatch)
    found = explored(tables_of(ONE))
    assert found.violation == ()
    assert found.honest == ()
