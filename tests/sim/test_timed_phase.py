"""The timed phase in virtual time: nothing is faster than its path, and nobody dishonest makes a round up."""

from collections import deque
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightbound.errors import Refused
from lightbound.ranging.statements.closing import MOST_ROUNDS
from lightbound.ranging.timing.challenger import LONGEST_PHASE_NS, MOST_SILENT, Phase
from lightbound.ranging.timing.clocks import ClockErrors
from lightbound.ranging.timing.packets import PacketType
from lightbound.ranging.timing.responder import READY_AGAIN_NS, Responder
from lightbound.sim import tampering
from lightbound.sim.clocks import Clocks, clocks_of
from lightbound.sim.dice import rolls
from lightbound.sim.scenario import LandmarkKind, NetworkKind
from lightbound.sim.timed_phase import AGENT, MOST_READY, Answers
from tests.sim.one_phase import BEGAN_NS, COOKIE, KEYS, MS_NS, OnePhase, wire_of


def guessing(responder: Responder) -> Answers:
    return tampering.guessing(responder, rolls(1, "guesses"))


def replaying(responder: Responder) -> Answers:
    return tampering.replaying(responder, deque([Responder.begin(KEYS, cookie=COOKIE).ready()], maxlen=tampering.KEPT))


AGENTS: Final = {"honest": None, "guessing": guessing, "replaying": replaying}


# -- what no network and no agent can do -------------------------------------------------------------------------


@given(
    floor_ns=st.integers(1, 250 * MS_NS),
    jitter_ns=st.sampled_from([0.0, 1.0, 5e3, 6e4, 2e6, 3e7]),
    delay_ns=st.integers(0, 50 * MS_NS),
    loss=st.sampled_from([0.0, 0.0, 0.2, 0.6]),
    duplicate=st.sampled_from([0.0, 0.0, 0.3, 1.0]),
    network=st.sampled_from(NetworkKind),
    agent=st.sampled_from(sorted(AGENTS)),
    seed=st.integers(0, 2**32),
)
def test_no_round_is_quicker_than_its_path_and_none_counts_that_the_agent_did_not_answer(
    floor_ns: int,
    jitter_ns: float,
    delay_ns: int,
    loss: float,
    duplicate: float,
    network: NetworkKind,
    agent: str,
    seed: int,
) -> None:
    wire = wire_of(floor_ns, jitter_ns, loss=loss, duplicate=duplicate, network=network, seed=seed)
    delay_ns = delay_ns if agent == "honest" else 0
    one = OnePhase(wire, seed=seed, delay_ns=delay_ns, answers=AGENTS[agent])
    assert one.challenger.phase is Phase.ENDED
    assert one.ended_ns - BEGAN_NS <= 2 * LONGEST_PHASE_NS
    assert one.challenger.sent <= MOST_ROUNDS
    assert all(round_trip_ns >= floor_ns + delay_ns for round_trip_ns in one.round_trips_ns)
    for valid in one.challenger.valid:
        assert one.responder.answers[valid.answer.round] == valid.answer
    assert one.challenger.address == (AGENT if one.challenger.valid else None)


@pytest.mark.parametrize("network", [kind for kind in NetworkKind if kind is not NetworkKind.HONEST])
def test_a_dishonest_network_costs_rounds_at_most(network: NetworkKind) -> None:
    for seed in range(20):
        one = OnePhase(wire_of(3 * MS_NS, 60_000, network=network, seed=seed), seed=seed)
        assert one.challenger.sent == MOST_ROUNDS
        least = 12 if network is NetworkKind.CORRUPTING else MOST_ROUNDS - 2
        assert least <= len(one.challenger.valid) <= MOST_ROUNDS


@pytest.mark.parametrize("agent", ["guessing", "replaying"])
def test_a_dishonest_agent_gains_nothing(agent: str) -> None:
    honest, cheat = (OnePhase(wire_of(3 * MS_NS, 60_000), seed=5, answers=AGENTS[each]) for each in ("honest", agent))
    assert honest.challenger.ignored == 0
    assert cheat.challenger.ignored >= MOST_ROUNDS - 1
    assert cheat.round_trips_ns[0] >= 3 * MS_NS
    assert len(cheat.challenger.valid) == MOST_ROUNDS


# -- READY -------------------------------------------------------------------------------------------------------


def test_ready_is_said_again_every_300_ms_until_a_challenge_comes_and_so_often_at_most() -> None:
    one = OnePhase(wire_of(3 * MS_NS, 60_000, loss=1.0), seed=1, is_traced=True)
    assert (one.challenger.sent, one.challenger.valid) == (0, [])
    assert one.ended_ns == BEGAN_NS + 2 * LONGEST_PHASE_NS
    assert one.told("READY") == [(BEGAN_NS + number * READY_AGAIN_NS, "lost") for number in range(MOST_READY)]


def test_ready_is_said_once_where_nothing_is_lost() -> None:
    one = OnePhase(wire_of(3 * MS_NS, 60_000), seed=1, is_traced=True)
    assert [outcome for _, outcome in one.told("READY")] == ["taken"]


def test_each_challenge_before_the_first_answer_is_for_a_ready_of_its_own() -> None:
    """Challenges reach the agent, and none of its answers reaches the landmark: no READY brings two of them."""

    def loses_replies(data: bytes, to_landmark: bool) -> list[tuple[str, bytes]]:  # noqa: FBT001 - as the type says
        return [] if to_landmark and data[3] == PacketType.REPLY else [(AGENT, data)]

    one = OnePhase(wire_of(3 * MS_NS, 60_000, tamper=loses_replies), seed=1, is_traced=True)
    taken = [outcome for _, outcome in one.told("READY")].count("taken")
    assert one.challenger.valid == []
    assert one.challenger.address is None
    assert one.challenger.sent == MOST_SILENT
    assert taken >= MOST_SILENT


def test_garbage_does_not_keep_the_agent_from_saying_ready_again() -> None:
    """The network holds READY back for a second, and shows the agent garbage all the while."""
    held = iter(range(4))

    def tamper(data: bytes, to_landmark: bool) -> list[tuple[str, bytes]]:  # noqa: FBT001 - as the type says
        if to_landmark and data[3] == PacketType.READY and next(held, None) is not None:
            return []
        return [(AGENT, data)]

    one = OnePhase(wire_of(3 * MS_NS, 60_000, tamper=tamper), seed=1)
    assert len(one.challenger.valid) == MOST_ROUNDS
    assert one.challenger.began is not None
    assert one.challenger.began.ns > BEGAN_NS + 4 * READY_AGAIN_NS


def test_a_spoofed_ready_does_not_keep_the_agent_out() -> None:
    """Nor does one that outruns the agent's: it costs a round, whose challenge the agent never sees."""
    for seed in range(20):
        one = OnePhase(wire_of(3 * MS_NS, 60_000, network=NetworkKind.SPOOFING), seed=seed, is_traced=True)
        elsewhere = [event for event in one.trace.events if event.outcome == "went elsewhere"]
        assert one.challenger.address == AGENT
        assert len(elsewhere) <= 1
        assert len(one.challenger.valid) == MOST_ROUNDS - len(elsewhere)
        assert len(one.responder.answers) == len(one.challenger.valid)


# -- loss and copies ---------------------------------------------------------------------------------------------


def test_what_is_lost_arrives_nowhere_and_what_is_doubled_counts_once() -> None:
    lossy = OnePhase(wire_of(3 * MS_NS, 60_000, loss=0.2), seed=2, is_traced=True)
    lost = [event for event in lossy.trace.events if event.outcome == "lost"]
    assert lost
    assert lossy.challenger.sent == MOST_ROUNDS
    assert MOST_ROUNDS - len(lost) <= len(lossy.challenger.valid) < MOST_ROUNDS
    doubled = OnePhase(wire_of(3 * MS_NS, 60_000, duplicate=1.0), seed=2)
    assert len(doubled.challenger.valid) == MOST_ROUNDS
    assert doubled.challenger.ignored >= 2 * MOST_ROUNDS


def test_a_phase_goes_on_until_the_landmark_has_enough() -> None:
    near, far = (OnePhase(wire_of(floor_ns, 60_000), seed=3) for floor_ns in (3 * MS_NS, 80 * MS_NS))
    assert (near.challenger.sent, far.challenger.sent) == (MOST_ROUNDS, 16)
    assert near.ended_ns < BEGAN_NS + 64 * (3 + 1 + 4) * MS_NS


# -- a landmark that stands still --------------------------------------------------------------------------------


def test_a_packet_that_arrives_while_the_machine_stands_still_is_seen_when_it_runs_again() -> None:
    """The round is as much shorter, by both of its clocks, as the machine stood still."""
    plain = OnePhase(wire_of(100 * MS_NS, 0.0), seed=4)
    stopped = Clocks(pauses=[(BEGAN_NS + 60 * MS_NS, 30 * MS_NS)])
    paused = OnePhase(wire_of(100 * MS_NS, 0.0), seed=4, clocks=stopped)
    assert plain.round_trips_ns[0] == 100 * MS_NS
    assert paused.round_trips_ns[0] == 70 * MS_NS
    awake = Clocks(pauses=[(BEGAN_NS + 140 * MS_NS, 30 * MS_NS)])
    late = OnePhase(wire_of(100 * MS_NS, 0.0), seed=4, clocks=awake)
    assert late.round_trips_ns[0] == 90 * MS_NS  # from 50 to 140, and the answer of 150 waits until 170


KINDS: Final = [LandmarkKind.DRIFTING, LandmarkKind.STEPPED, LandmarkKind.PAUSED]


def bound_ns(kind: LandmarkKind, floor_ns: int, seed: int, errors: ClockErrors, *, rate_ppb: int) -> int | None:
    """What a landmark with such clocks concludes where every round takes exactly its floor; None if nothing."""
    clocks = clocks_of(
        kind, rolls(seed, "clocks"), from_ns=BEGAN_NS, round_trip_ns=floor_ns, rate_ppb=rate_ppb, factor=1.0
    )
    one = OnePhase(wire_of(floor_ns, 0.0), seed=seed, clocks=clocks, errors=errors)
    try:
        return sum(one.challenger.third_smallest())
    except Refused:
        return None


@pytest.mark.parametrize("kind", KINDS)
def test_no_bound_is_too_small_by_clocks_that_are_as_bad_as_their_landmark_says(kind: LandmarkKind) -> None:
    """Rounds on which the clocks disagree are dropped, sessions refused, and the rest is in the clock error."""
    dice, concluded = rolls(20_261_125, kind), 0
    for seed in range(300):
        floor_ns, rate_ppb = int(10 ** dice.uniform(5, 8.3)), int(dice.integers(1, 500_000))
        errors = ClockErrors(rate_ppb=rate_ppb, can_pause=kind is LandmarkKind.PAUSED)
        found_ns = bound_ns(kind, floor_ns, seed, errors, rate_ppb=rate_ppb)
        if found_ns is not None:
            assert found_ns >= floor_ns
            concluded += 1
    assert concluded > 100


@pytest.mark.parametrize("kind", [LandmarkKind.DRIFTING, LandmarkKind.PAUSED])
def test_a_bound_is_too_small_by_clocks_that_are_worse_than_their_landmark_says(kind: LandmarkKind) -> None:
    """So that the test above would see an error that nobody allows for."""
    found = [bound_ns(kind, MS_NS, seed, ClockErrors(rate_ppb=0, stamp_ns=0), rate_ppb=200_000) for seed in range(50)]
    assert any(each is not None and each < MS_NS for each in found)


# -- traces ------------------------------------------------------------------------------------------------------


def test_a_trace_tells_every_packet_and_changes_nothing() -> None:
    plain, traced = (
        OnePhase(wire_of(3 * MS_NS, 60_000, loss=0.1, duplicate=0.2), seed=6, is_traced=on) for on in (False, True)
    )
    assert plain.trace.events == []
    assert plain.challenger.valid == traced.challenger.valid
    assert plain.ended_ns == traced.ended_ns
    taken = [event for event in traced.trace.events if event.what.startswith("REPLY") and event.outcome == "taken"]
    assert len(taken) == len(traced.challenger.valid)
    times = [event.at_ns for event in traced.trace.in_order()]
    assert times == sorted(times)
    assert all(BEGAN_NS <= at_ns <= traced.ended_ns for at_ns in times)
