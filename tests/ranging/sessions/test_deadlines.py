"""Nobody is kept waiting for ever: an agent binds without whoever stalls, a landmark ends what the agent leaves."""

import pytest

from lightbound.ranging.sessions.agent import CONTRIB_WITHIN_NS
from lightbound.ranging.sessions.landmark import ACK_WITHIN_NS, BIND_WITHIN_NS, READY_WITHIN_NS, State
from lightbound.ranging.statements.measurement import Why, read_abort, read_measurement
from lightbound.ranging.statements.session import write_session
from tests.ranging.parties import MS_NS, NOW_NS, VERIFIER, asked, bound, opened, session_of, timed, world


def test_an_agent_waits_for_a_staller_so_long_and_no_longer() -> None:
    data = write_session(session_of("stalled"), VERIFIER)
    agent = asked(data, "stalled")
    assert agent.waits_until_ns() == NOW_NS + CONTRIB_WITHIN_NS
    for landmark in agent.session.landmarks[1:]:
        at_landmark, _ = opened(data, world().landmark(landmark), "stalled")
        agent.contribution(landmark, at_landmark.contrib, now_ns=NOW_NS)
    assert agent.waits_until_ns() == NOW_NS + CONTRIB_WITHIN_NS
    assert agent.unattested().absent == agent.session.landmarks[:1]


def test_an_agent_does_not_wait_when_everybody_is_there() -> None:
    data = write_session(session_of("complete"), VERIFIER)
    agent = asked(data, "complete")
    for landmark in agent.session.landmarks:
        at_landmark, _ = opened(data, world().landmark(landmark), "complete")
        agent.contribution(landmark, at_landmark.contrib, now_ns=NOW_NS)
    assert agent.waits_until_ns() is None


def test_an_agent_never_waits_past_the_session() -> None:
    asked_for = session_of("short")
    late_ns = asked_for.expiry_ns - MS_NS
    agent = asked(write_session(asked_for, VERIFIER), "short", now_ns=late_ns)
    assert agent.waits_until_ns() == asked_for.expiry_ns


def test_a_landmark_gives_up_on_a_missing_bind() -> None:
    asked_for = session_of("unbound")
    key = world().landmark(asked_for.landmarks[0])
    at_landmark, _ = opened(write_session(asked_for, VERIFIER), key, "unbound")
    by_ns = NOW_NS + BIND_WITHIN_NS
    assert at_landmark.wake_at_ns() == by_ns
    assert at_landmark.gave_up(now_ns=by_ns) is None
    ended = at_landmark.gave_up(now_ns=by_ns + 1)
    assert ended is not None
    assert read_abort(ended, key.verifying).why is Why.NO_BIND
    assert at_landmark.state is State.ABORTED


def test_a_landmark_gives_up_on_a_missing_ready() -> None:
    landmark, at_landmark = next(iter(bound("unready").landmarks.items()))
    by_ns = NOW_NS + READY_WITHIN_NS
    assert at_landmark.wake_at_ns() == by_ns
    ended = at_landmark.gave_up(now_ns=by_ns + 1)
    assert ended is not None
    assert read_abort(ended, world().landmark(landmark).verifying).why is Why.NO_READY


def test_a_landmark_measures_without_an_ack_that_does_not_come() -> None:
    told = bound("unacknowledged")
    landmark, at_landmark = next(iter(told.landmarks.items()))
    assert at_landmark.challenger is not None
    ended_ns = timed(at_landmark.challenger, told.agent.responders[landmark], round_trip_ns=lambda _: 3 * MS_NS)
    assert at_landmark.wake_at_ns() is None
    at_landmark.close()
    assert at_landmark.wake_at_ns() == ended_ns + ACK_WITHIN_NS
    assert at_landmark.gave_up(now_ns=ended_ns + ACK_WITHIN_NS) is None
    ended = at_landmark.gave_up(now_ns=ended_ns + ACK_WITHIN_NS + 1)
    assert ended is not None
    assert read_measurement(ended, world().landmark(landmark).verifying).ack is None
    assert at_landmark.state is State.MEASURED


@pytest.mark.parametrize("later_ns", [1, 10**12])
def test_a_landmark_does_not_give_up_while_it_is_its_own_turn(later_ns: int) -> None:
    told = bound("its turn")
    landmark, at_landmark = next(iter(told.landmarks.items()))
    assert at_landmark.challenger is not None
    ended_ns = timed(at_landmark.challenger, told.agent.responders[landmark], round_trip_ns=lambda _: 3 * MS_NS)
    assert at_landmark.gave_up(now_ns=ended_ns + later_ns) is None
    assert at_landmark.state is State.BOUND
