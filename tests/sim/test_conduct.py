"""Who stands where and answers how late, by each kind of cheat; every cheat is somebody's in a packaged scenario."""

import functools
from dataclasses import replace
from enum import StrEnum
from typing import Any, Final

import numpy as np
import pytest
from numpy.typing import NDArray

from lightbound.errors import ErrorCode
from lightbound.ranging.sessions.verification import VerifiedSession
from lightbound.sim.campaign import Engine, run
from lightbound.sim.conduct import ACCOMPLICE_NS, AIMED_NS, HELD_NS, Conduct, conduct
from lightbound.sim.packet_engine import PacketEngine, SessionRun
from lightbound.sim.paths import Endpoint, distance_m
from lightbound.sim.scenario import (
    AgentKind,
    Cheats,
    Expectation,
    LandmarkKind,
    NetworkKind,
    Place,
    Scenario,
    VerifierKind,
)
from lightbound.sim.scenario_file import packaged_names, read_scenario
from lightbound.sim.world import World, build
from lightbound.units import SPEED_OF_LIGHT_M_PER_S

AWAY: Final[tuple[Place, ...]] = read_scenario("smuggled").cheats.at
AT_HOME: Final = {AgentKind.HONEST, AgentKind.FOREIGN, AgentKind.OTHER_EVIDENCE}
NOT_ALONE: Final = {AgentKind.COPIED: 3, AgentKind.TWO_FACED: 3, AgentKind.AIMING: 3}


@functools.cache
def world(cheats: Cheats) -> World:
    """Fourteen hosts of the packaged world, with other cheats."""
    return build(replace(read_scenario("world"), agents=14, cheats=cheats))


def of_agents(kind: AgentKind, **others: Any) -> World:
    return world(Cheats(agents=kind, at=AWAY, count=3, **others))


def of_landmarks(kind: LandmarkKind, **others: Any) -> World:
    return world(Cheats(landmarks=kind, faulty=2, at=AWAY, **others))


def light_ns(of: World, from_ends: list[tuple[Endpoint, ...]]) -> NDArray[np.float64]:
    """Light's round trip from the nearest of an agent's ends to each landmark, truly: (agents, landmarks)."""
    metres = [
        [min(distance_m(end.position, landmark.end.position) for end in ends) for landmark in of.landmarks]
        for ends in from_ends
    ]
    return 2e9 * np.array(metres) / SPEED_OF_LIGHT_M_PER_S


def far_from_home_m(of: World, end: Endpoint, agent: int) -> float:
    return distance_m(end.position, of.agents[agent].site.place.position)


def played(of: World, sessions: int = 4) -> list[SessionRun]:
    return list(PacketEngine(world=of, conduct=conduct(of), seed=1).run(sessions))


# -- every cheat is tried ----------------------------------------------------------------------------------------


def used(key: str) -> set[StrEnum]:
    found = {getattr(read_scenario(name).cheats, key) for name in packaged_names()}
    return {word for word in found if isinstance(word, StrEnum)}


def test_every_cheat_is_somebody_s_in_a_packaged_scenario() -> None:
    assert used("agents") == set(AgentKind)
    assert used("landmarks") == set(LandmarkKind)
    assert used("verifier") == set(VerifierKind)
    assert used("network") == set(NetworkKind)


def test_everything_that_can_be_expected_is_expected_of_a_packaged_scenario() -> None:
    expected = [read_scenario(name).expected for name in packaged_names()]
    assert {outcome for each in expected for outcome in each.outcomes} == set(Expectation)
    assert {each.sound for each in expected} == {("alone", "joint"), ("alone",), ()}


def test_exactly_cheats_in_packets_and_messages_are_for_packets_only() -> None:
    statistical = {
        "agents": {"honest", "elsewhere", "delaying", "silent", "proxied", "copied", "aiming", "unacknowledging"},
        "landmarks": {"honest", "short", "leaking", "misplaced", "drifting", "stalling", "never_closing"},
        "verifier": {"honest"},
        "network": {"honest"},
    }
    kinds: dict[str, type[StrEnum]] = {
        "agents": AgentKind, "landmarks": LandmarkKind, "verifier": VerifierKind, "network": NetworkKind
    }  # fmt: skip
    for key, words in kinds.items():
        allowed = {str(word) for word in words if not Cheats(**{key: word}).in_packets_only}  # type: ignore[arg-type]
        assert allowed == statistical[key]


# -- agents ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", AgentKind)
def test_chips_and_keys_are_where_the_kind_has_them(kind: AgentKind) -> None:
    of = of_agents(kind)
    near_m = 1e3 * of.scenario.scatter_km + 1
    for number, agent in enumerate(of.agents):
        home = [far_from_home_m(of, end, number) <= near_m for end in agent.holders]
        assert len(agent.holders) == NOT_ALONE.get(kind, 1)
        assert (far_from_home_m(of, agent.chip, number) <= near_m) is (kind in AT_HOME)
        with_a_key_at_home = AT_HOME | {AgentKind.PROXIED, AgentKind.COPIED, AgentKind.TWO_FACED}
        assert home == [kind in with_a_key_at_home, *[False] * (len(home) - 1)]
        elsewhere = [end for end in (*agent.holders, agent.chip) if far_from_home_m(of, end, number) > near_m]
        for end in elsewhere:
            assert min(distance_m(end.position, place.position) for place in AWAY) <= near_m


@pytest.mark.parametrize("kind", AgentKind)
def test_no_answer_is_quicker_than_light_from_the_nearest_copy_of_the_key(kind: AgentKind) -> None:
    of = of_agents(kind, delay_ms=7.0)
    how = conduct(of)
    assert (how.floor_ns > light_ns(of, [agent.holders for agent in of.agents])).all()
    assert (how.delay_ns >= HELD_NS).all()
    assert (how.factor == 1.0).all()
    if kind is AgentKind.DELAYING:
        assert (how.delay_ns == 7_000_000 + HELD_NS).all()
    elif kind is not AgentKind.AIMING:
        assert (how.delay_ns == HELD_NS).all()
    for number, agent in enumerate(of.agents):
        for place, landmark in enumerate(of.landmarks):
            holder = agent.holders[how.holder[number, place]]
            assert of.paths.floor_ns(holder, landmark.end) == how.floor_ns[number, place]


def test_an_aimed_answer_comes_when_one_from_the_licensed_site_could_or_as_soon_as_it_can() -> None:
    of = of_agents(AgentKind.AIMING)
    how = conduct(of)
    for number, agent in enumerate(of.agents):
        for place, landmark in enumerate(of.landmarks):
            metres = distance_m(agent.site.place.position, landmark.stated.place.position)
            wanted_ns = int(2e9 * metres / SPEED_OF_LIGHT_M_PER_S) + AIMED_NS
            answers_ns = how.floor_ns[number, place] + how.delay_ns[number, place]
            assert answers_ns == max(wanted_ns, how.floor_ns[number, place] + HELD_NS)


def test_a_silent_agent_answers_all_but_the_landmarks_nearest_to_its_chip() -> None:
    of = of_agents(AgentKind.SILENT)
    how = conduct(of)
    assert (how.answers.sum(axis=1) == len(of.landmarks) - 3).all()
    for number, agent in enumerate(of.agents):
        metres = np.array([distance_m(agent.chip.position, one.stated.place.position) for one in of.landmarks])
        assert metres[~how.answers[number]].max() <= metres[how.answers[number]].min()
    others = [kind for kind in AgentKind if kind is not AgentKind.SILENT]
    assert all(conduct(of_agents(kind)).answers.all() for kind in others)


# -- landmarks ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", LandmarkKind)
def test_as_many_owners_cheat_as_are_to_and_those_that_are_asked_most(kind: LandmarkKind) -> None:
    of = of_landmarks(kind)
    faulty = {one.stated.owner for one in of.landmarks if one.kind is not LandmarkKind.HONEST}
    assert len(faulty) == (0 if kind is LandmarkKind.HONEST else 2)
    assert all(one.kind is kind for one in of.landmarks if one.stated.owner in faulty)
    asked = [of.landmarks[place].stated.owner for agent in of.agents for place in agent.chosen]
    others = {one.stated.owner for one in of.landmarks} - faulty
    assert not faulty or min(map(asked.count, faulty)) >= max(map(asked.count, others))


def test_owners_cheat_that_are_named() -> None:
    owners = sorted({one.owner for one in read_scenario("world").landmarks})[3:5]
    of = world(Cheats(landmarks=LandmarkKind.SHORT, faulty_owners=tuple(owners), factor=0.5))
    assert sorted({one.stated.owner for one in of.landmarks if one.kind is LandmarkKind.SHORT}) == owners
    assert set(conduct(of).factor.tolist()) == {1.0, 0.5}


@pytest.mark.parametrize("kind", LandmarkKind)
def test_a_landmark_stands_within_its_error_of_where_it_says_unless_it_is_misplaced(kind: LandmarkKind) -> None:
    of = of_landmarks(kind)
    for one in of.landmarks:
        stands_m = distance_m(one.end.position, one.stated.place.position)
        if one.kind is LandmarkKind.MISPLACED:
            assert distance_m(one.end.position, AWAY[0].position) == pytest.approx(1_000.0)
            assert one.end.name == AWAY[0].name
        else:
            assert stands_m <= one.stated.error_m
            assert one.end.name == one.stated.place.name
        admitted = of.admitted.by_id[one.id]
        assert distance_m(admitted.landmark.position, one.stated.place.position) < 0.02
        assert admitted.landmark.position_error_m >= one.stated.error_m
        assert one.identity.errors.can_pause is (one.kind is LandmarkKind.PAUSED)


def behaviour(kind: LandmarkKind) -> tuple[Conduct, Conduct, NDArray[np.bool_]]:
    """Of a world with such landmarks, and of an honest one; and which landmarks cheat."""
    of = of_landmarks(kind, factor=0.25)
    return conduct(of), conduct(world(Cheats(at=AWAY))), np.array([one.kind is kind for one in of.landmarks])


@pytest.mark.parametrize("kind", [kind for kind in LandmarkKind if kind is not LandmarkKind.HONEST])
def test_landmarks_that_cheat_change_what_their_kind_says_and_the_others_nothing(kind: LandmarkKind) -> None:
    cheating, honest, faulty = behaviour(kind)
    for name in ("floor_ns", "delay_ns", "answers", "holder"):
        ours, theirs = getattr(cheating, name), getattr(honest, name)
        assert (ours[:, ~faulty] == theirs[:, ~faulty]).all()
        changes = {
            LandmarkKind.LEAKING: {"floor_ns", "delay_ns"},
            LandmarkKind.MISPLACED: {"floor_ns"},
            LandmarkKind.STALLING: {"answers"},
            LandmarkKind.NEVER_CLOSING: {"answers"},
        }.get(kind, set())
        assert (ours[:, faulty] != theirs[:, faulty]).any() == (name in changes)
    assert (cheating.factor[~faulty] == 1.0).all()
    expected = {LandmarkKind.SHORT: 0.25, LandmarkKind.DRIFTING: 0.9998}.get(kind, 1.0)
    assert cheating.factor[faulty] == pytest.approx(expected)
    if kind is LandmarkKind.LEAKING:
        assert (cheating.floor_ns[:, faulty] == ACCOMPLICE_NS).all()
        assert (cheating.delay_ns[:, faulty] == 0).all()


# -- how sessions of cheats end ----------------------------------------------------------------------------------


def believed(runs: list[SessionRun]) -> list[VerifiedSession]:
    return [one.result for one in runs if isinstance(one.result, VerifiedSession)]


def test_a_session_key_that_a_second_copy_answers_with_is_believed_of_nobody() -> None:
    for session in believed(played(of_agents(AgentKind.TWO_FACED), 14)):
        assert all(error.faults[0].code is ErrorCode.BIND_DIFFERS for error in session.refused.values())
        assert len(session.measurements) + len(session.refused) == len(session.session.landmarks)


def test_measurements_that_nobody_vouches_for_are_believed_and_not_acknowledged() -> None:
    for session in believed(played(of_agents(AgentKind.UNACKNOWLEDGING))):
        assert len(session.measurements) == len(session.session.landmarks)
        assert not any(measurement.is_acknowledged for measurement in session.measurements)


def test_who_stalls_is_absent_and_who_never_closes_is_silent() -> None:
    for kind in (LandmarkKind.STALLING, LandmarkKind.NEVER_CLOSING):
        of = of_landmarks(kind)
        faulty = {one.id for one in of.landmarks if one.kind is kind}
        for session in believed(played(of, 14)):
            asked = set(session.session.landmarks) & faulty
            assert set(session.absent) == (asked if kind is LandmarkKind.STALLING else set())
            assert set(session.silent) == (asked if kind is LandmarkKind.NEVER_CLOSING else set())


def hardly_a_packet_arrives() -> Scenario:
    scenario = read_scenario("world")
    return replace(scenario, agents=14, paths=replace(scenario.paths, loss=0.97))


@pytest.mark.parametrize("engine", Engine)
def test_a_network_that_carries_hardly_anything_leaves_aborts_and_no_false_verdict(engine: Engine) -> None:
    scenario = hardly_a_packet_arrives()
    report = run(build(scenario), engine=engine, seed=1, sessions=28)
    assert report.measurements == 0
    assert report.tally.proven.total() == 0
    if engine is Engine.PACKETS:
        assert set(report.aborts) == {"no_ready", "too_few_answers"}
        assert report.aborts.total() == 28 * (scenario.nearest + scenario.extras)
