"""Every packaged scenario comes out as it says: packet by packet, and by statistics where its cheat has any.

What must not happen is a false verdict by a proof whose assumptions hold, in any of so many sessions; what must show
itself, such as the error code of a refused cheat, has to. The ordinary run asks a host of each site by packets, and
every host some fifty times by statistics; `make soak` asks every host nine times by packets and hundreds of times by
statistics, and prints what came of it.
"""

import functools
from dataclasses import replace
from typing import Final

import pytest

from lightbound.sim.campaign import Engine, Report, run
from lightbound.sim.scenario import Expectation, Expected, Scenario
from lightbound.sim.scenario_file import packaged_names, read_scenario
from lightbound.sim.world import World, build

NAMES: Final = packaged_names()
DRAWN_NAMES: Final = [name for name in NAMES if not read_scenario(name).packets_only]

HOSTS: Final = 56
"""Of each packaged world."""

PACKETS: Final = 14
"""Hosts of the same worlds made smaller, one at a site at least."""

DRAWN: Final = -(-100_000 // len(DRAWN_NAMES))
SOAKED_PACKETS: Final = 9 * HOSTS
SOAKED_DRAWN: Final = -(-1_000_000 // len(DRAWN_NAMES))


@functools.cache
def world(name: str, agents: int = HOSTS) -> World:
    return build(replace(read_scenario(name), agents=agents))


def outcome(name: str, engine: Engine, sessions: int, *, agents: int = HOSTS) -> Report:
    of = world(name, agents)
    return run(of, engine=engine, seed=of.scenario.seed, sessions=sessions)


def told(report: Report) -> str:
    """What came of a scenario, in a line."""
    tally = report.tally
    false = sum(tally.false_of_key[proof] for proof in report.scenario.expected.sound)
    standings = ", ".join(f"{count:,} {word}" for word, count in sorted(tally.standings.items()))
    return (
        f"{report.scenario.name}, {report.engine}: {tally.sessions:,} sessions, {report.measurements:,} measurements, "
        f"{tally.proven.total():,} proven, {false:,} false by sound proofs, {tally.misled_about_chip:,} of the chip; "
        f"{standings}"
    )


# -- as each says ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_a_scenario_played_packet_by_packet_comes_out_as_it_says(name: str) -> None:
    report = outcome(name, Engine.PACKETS, PACKETS, agents=PACKETS)
    assert report.is_long_enough
    assert report.tally.sessions == PACKETS
    assert report.unmet() == [], told(report)


@pytest.mark.parametrize("name", DRAWN_NAMES)
def test_a_scenario_drawn_from_statistics_has_no_false_verdict_that_it_calls_sound(name: str) -> None:
    report = outcome(name, Engine.STATISTICS, DRAWN)
    assert report.tally.sessions == DRAWN
    assert report.unmet() == [], told(report)


def test_together_these_are_hundreds_of_sessions_played_and_a_hundred_thousand_drawn() -> None:
    assert len(NAMES) >= 41
    assert len(NAMES) * PACKETS >= 500
    assert len(DRAWN_NAMES) * DRAWN >= 100_000
    assert len(NAMES) * SOAKED_PACKETS >= 20_000
    assert len(DRAWN_NAMES) * SOAKED_DRAWN >= 1_000_000
    assert all(read_scenario(name).agents == HOSTS for name in NAMES)
    assert all(len(read_scenario(name).sites) <= PACKETS for name in NAMES)


@pytest.mark.soak
@pytest.mark.parametrize("name", NAMES)
def test_at_length_a_scenario_played_packet_by_packet_comes_out_as_it_says(name: str) -> None:
    report = outcome(name, Engine.PACKETS, SOAKED_PACKETS)
    print(told(report))  # noqa: T201 - the campaign's result
    assert report.unmet() == []


@pytest.mark.soak
@pytest.mark.parametrize("name", DRAWN_NAMES)
def test_at_length_a_scenario_drawn_from_statistics_has_no_false_verdict_that_it_calls_sound(name: str) -> None:
    report = outcome(name, Engine.STATISTICS, SOAKED_DRAWN)
    print(told(report))  # noqa: T201 - the campaign's result
    assert report.unmet() == []


# -- and if it did not, that would be seen -----------------------------------------------------------------------


def claiming(name: str, expected: Expected, *, agents: int | None = None) -> Scenario:
    """A packaged scenario that claims something else than it does."""
    scenario = read_scenario(name)
    return replace(scenario, expected=expected, agents=agents or scenario.agents)


@pytest.mark.parametrize(
    ("name", "engine", "proof"),
    [
        ("landmarks-beyond-the-budget", Engine.PACKETS, "alone"),
        ("landmarks-beyond-the-budget", Engine.STATISTICS, "alone"),
        ("one-owner-under-many-names", Engine.PACKETS, "alone"),
        ("one-owner-under-many-names", Engine.STATISTICS, "alone"),
        ("aimed-from-two-places", Engine.STATISTICS, "joint"),
        ("aimed-from-four-places", Engine.STATISTICS, "joint"),
    ],
)
def test_false_verdicts_are_seen_where_a_scenario_calls_a_proof_sound_that_is_not(
    name: str, engine: Engine, proof: str
) -> None:
    lying = claiming(name, Expected(outcomes=(Expectation.NOTHING_FALSE,), sound=(proof,)))
    report = run(replace(world(name), scenario=lying), engine=engine, seed=lying.seed, sessions=HOSTS)
    false = report.tally.false_of_key[proof]
    assert false > 0
    assert report.unmet() == [f"no false {proof} verdict of the key: {false:,} were"]


def test_false_verdicts_are_seen_in_a_run_too_short_to_look_for_anything_else() -> None:
    lying = claiming(
        "landmarks-beyond-the-budget",
        Expected(outcomes=(Expectation.SHOWS_IN_SEQUENCE,), sound=("alone",), standings=("verified",)),
    )
    of = replace(world("landmarks-beyond-the-budget"), scenario=lying)
    report = run(of, engine=Engine.PACKETS, seed=lying.seed, sessions=HOSTS - 1)
    assert not report.is_long_enough
    (said,) = report.unmet()
    assert said.startswith("no false alone verdict of the key: ")


@pytest.mark.parametrize("outcome", [each for each in Expectation if each is not Expectation.NOTHING_FALSE])
def test_what_must_show_itself_and_does_not_is_said(outcome: Expectation) -> None:
    expected = Expected(
        outcomes=(outcome,), sound=("alone", "joint"), code="draw_differs", standings=("misplaced", "cleared")
    )
    honest = claiming("world", expected, agents=4)
    report = run(build(honest), engine=Engine.PACKETS, seed=honest.seed, sessions=4)
    assert report.unmet() == ["a standing misplaced", outcome.replace("_", " ")]
    few = run(build(honest), engine=Engine.PACKETS, seed=honest.seed, sessions=3)
    assert few.unmet() == []
