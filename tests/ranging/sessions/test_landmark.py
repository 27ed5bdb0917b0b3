"""A session at a landmark moves by its table alone, and what it says follows from what was measured."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

import pytest

from lightbound.canonical.commitments import disclosed
from lightbound.errors import ErrorCode, LightboundError, Malformed, Refused
from lightbound.keys.ed25519 import SigningKey
from lightbound.keys.purposes import Purpose
from lightbound.keys.signing import digest
from lightbound.ranging.sessions.chain import Chain, Linked, breaks
from lightbound.ranging.sessions.landmark import BIND_WITHIN_NS, MOVES, ROOM_NS, LandmarkSession, State
from lightbound.ranging.statements.binding import Contribution, read_bind, write_bind
from lightbound.ranging.statements.closing import read_ack, read_close, write_ack
from lightbound.ranging.statements.measurement import Why, read_abort, read_measurement
from lightbound.ranging.statements.opening import Link, read_contrib, read_open
from lightbound.ranging.statements.session import write_session
from lightbound.ranging.timing.challenger import LONGEST_PHASE_NS
from lightbound.ranging.timing.clocks import Instant
from lightbound.ranging.timing.packets import timed_keys
from tests.ranging.parties import (
    ADDRESS,
    AGENT,
    MS_NS,
    NOW_NS,
    SECOND_NS,
    VERIFIER,
    Told,
    asked,
    at,
    bound,
    dice,
    identity,
    key,
    opened,
    secret,
    session_of,
    timed,
    world,
)

EVENTS: Final = ("bind", "close", "acknowledge", "measure", "abort")
NAME: Final = "landmark"
SESSION: Final = session_of(NAME)
DATA: Final = write_session(SESSION, VERIFIER)
FIRST: Final = SESSION.landmarks[0]
KEY: Final = world().landmark(FIRST)
S: Final = SigningKey.of_seed(Purpose.SESSION, secret("s", NAME))


def code(error: pytest.ExceptionInfo[LightboundError]) -> ErrorCode:
    (fault,) = error.value.faults
    return fault.code


class Story:
    """One session at the landmark FIRST, brought to any state by the events before it."""

    def __init__(self) -> None:  # noqa: D107 - the class says it
        self.told: Told = bound(NAME)
        self.here, self.open = opened(DATA, KEY, NAME)
        self.before: dict[str, bytes] = {}

    def timed(self) -> None:
        if self.here.challenger is not None and self.here.challenger.ended is None:
            timed(self.here.challenger, self.told.agent.responders[FIRST], round_trip_ns=lambda _: 5 * MS_NS)

    def event(self, name: str) -> None:
        match name:
            case "bind":
                self.here.bind(self.told.bind, now_ns=NOW_NS)
            case "close":
                self.timed()
                self.before["close"] = self.here.close()
            case "acknowledge":
                close = self.before.get("close")
                self.here.acknowledge(b"" if close is None else self.told.agent.close(FIRST, close))
            case "measure":
                self.here.measure()
            case _:
                self.here.abort(Why.STOPPED, now_ns=NOW_NS)


WAYS: Final = {
    State.OPENED: (),
    State.BOUND: ("bind",),
    State.CLOSED: ("bind", "close"),
    State.ACKNOWLEDGED: ("bind", "close", "acknowledge"),
    State.MEASURED: ("bind", "close", "measure"),
    State.ABORTED: ("abort",),
}


def brought_to(state: State) -> Story:
    story = Story()
    for event in WAYS[state]:
        story.event(event)
    assert story.here.state is state
    return story


def test_the_table_names_every_state_and_event() -> None:
    assert {state for state, _ in MOVES} | set(MOVES.values()) == set(State) == set(WAYS)
    assert {event for _, event in MOVES} == set(EVENTS)


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("event", EVENTS)
def test_every_pair_of_state_and_event_is_a_move_or_refused_and_changes_nothing(state: State, event: str) -> None:
    story = brought_to(state)
    before = (story.here.state, story.here.chain.newest)
    if (state, event) in MOVES:
        story.event(event)
        assert story.here.state is MOVES[state, event]
    else:
        with pytest.raises(Refused) as caught:
            story.event(event)
        assert code(caught) is ErrorCode.OUT_OF_ORDER
        assert (story.here.state, story.here.chain.newest) == before


def test_a_session_ends_once() -> None:
    assert not any(state in {State.MEASURED, State.ABORTED} for state, _ in MOVES)


# -- OPEN and CONTRIB --------------------------------------------------------------------------------------------


def test_open_and_contrib_say_what_was_asked() -> None:
    here, said = opened(DATA, KEY, NAME)
    read = read_open(said, KEY.verifying)
    assert read.link == Link(landmark=FIRST, agent=AGENT.key_id, seq=0, prev=None)
    assert (read.sid, read.session, read.at_ns) == (SESSION.sid, digest(DATA), NOW_NS)
    contrib = read_contrib(here.contrib, KEY.verifying)
    drawn = dice(NAME, FIRST)
    assert (contrib.session, contrib.landmark, contrib.position) == (digest(DATA), FIRST, world().position(FIRST))
    assert (contrib.random, contrib.cookie, contrib.port) == (drawn.random, drawn.cookie, 8471)
    assert contrib.expiry_ns == NOW_NS + BIND_WITHIN_NS
    assert drawn.x_seed not in here.contrib


def test_bind_is_waited_for_while_a_timed_phase_fits_into_the_session() -> None:
    last_ns = SESSION.expiry_ns - ROOM_NS
    for now_ns in (last_ns - SECOND_NS, last_ns):
        here, _ = opened(DATA, KEY, NAME, now_ns=now_ns)
        assert read_contrib(here.contrib, KEY.verifying).expiry_ns == last_ns
    with pytest.raises(Refused) as caught:
        opened(DATA, KEY, NAME, now_ns=last_ns + 1)
    assert code(caught) is ErrorCode.NOT_VALID_THEN
    assert ROOM_NS >= LONGEST_PHASE_NS


def open_with(
    data: bytes = DATA, *, now_ns: int = NOW_NS, up_since_ns: int = 0, chain: Chain | None = None
) -> tuple[LandmarkSession, bytes]:
    return LandmarkSession.opened(
        data,
        identity=identity(KEY),
        verifier=VERIFIER.verifying,
        chain=chain or Chain(),
        dice=dice(NAME, FIRST),
        up_since_ns=up_since_ns,
        now_ns=now_ns,
    )


@pytest.mark.parametrize(
    ("open_session", "expected"),
    [
        (lambda: open_with(write_session(SESSION, key(Purpose.VERIFIER, "other"))), ErrorCode.WRONG_KEY),
        (lambda: open_with(write_session(replace(SESSION, versions=(2,)), VERIFIER)), ErrorCode.WRONG_VERSION),
        (lambda: open_with(now_ns=SESSION.expiry_ns + 1), ErrorCode.NOT_VALID_THEN),
        (lambda: open_with(now_ns=SESSION.issued_ns - 1), ErrorCode.NOT_VALID_THEN),
        (lambda: open_with(up_since_ns=SESSION.issued_ns + 1), ErrorCode.NOT_VALID_THEN),
        (
            lambda: open_with(write_session(replace(SESSION, landmarks=SESSION.landmarks[1:]), VERIFIER)),
            ErrorCode.WRONG_LANDMARK,
        ),
    ],
)
def test_a_session_that_is_not_for_this_landmark_now_is_not_opened(
    open_session: Callable[[], object], expected: ErrorCode
) -> None:
    with pytest.raises(Refused) as caught:
        open_session()
    assert code(caught) is expected


def test_a_session_issued_when_the_landmark_came_up_is_opened() -> None:
    assert open_with(up_since_ns=SESSION.issued_ns)[0].state is State.OPENED


def test_bytes_that_are_no_session_open_nothing() -> None:
    with pytest.raises(Malformed):
        open_with(b"")


# -- BIND --------------------------------------------------------------------------------------------------------

BOUND: Final = bound(NAME)
BIND: Final = read_bind(BOUND.bind, AGENT.verifying)


def refused_bind(data: bytes, *, now_ns: int = NOW_NS) -> ErrorCode:
    here, _ = opened(DATA, KEY, NAME)
    with pytest.raises(LightboundError) as caught:
        here.bind(data, now_ns=now_ns)
    assert (here.state, here.challenger) == (State.OPENED, None)
    here.bind(BOUND.bind, now_ns=NOW_NS)  # a bad BIND does not keep the good one out
    return code(caught)


def test_a_bind_of_another_session_agent_or_landmark_is_refused_and_the_right_one_still_taken() -> None:
    own, *others = BIND.contributions
    assert own.landmark == FIRST
    other_agent = key(Purpose.ENROLMENT, "other")
    cases = {
        write_bind(replace(BIND, session=bytes(32)), AGENT, S): ErrorCode.WRONG_SESSION,
        bound("another").bind: ErrorCode.WRONG_SESSION,
        write_bind(BIND, other_agent, S): ErrorCode.WRONG_KEY,
        write_bind(replace(BIND, contributions=tuple(others)), AGENT, S): ErrorCode.BIND_DIFFERS,
        write_bind(replace(BIND, contributions=tuple(others), absent=(FIRST,)), AGENT, S): ErrorCode.WRONG_LANDMARK,
        write_bind(
            replace(BIND, contributions=(Contribution(landmark=FIRST, digest=bytes(32)), *others)), AGENT, S
        ): ErrorCode.WRONG_LANDMARK,
        write_bind(replace(BIND, x=bytes(32)), AGENT, S): ErrorCode.WRONG_KEY,
        b"": ErrorCode.COSE_MALFORMED,
    }
    assert {data: refused_bind(data) for data in cases} == cases


def test_a_bind_after_contrib_expired_is_refused() -> None:
    here, _ = opened(DATA, KEY, NAME)
    here.bind(BOUND.bind, now_ns=NOW_NS + BIND_WITHIN_NS)
    assert refused_bind(BOUND.bind, now_ns=NOW_NS + BIND_WITHIN_NS + 1) is ErrorCode.NOT_VALID_THEN


def test_both_ends_have_the_same_keys_and_each_landmark_others() -> None:
    keys = {}
    for landmark, here in BOUND.landmarks.items():
        assert here.challenger is not None
        assert here.challenger.keys == BOUND.agent.responders[landmark].keys
        assert here.challenger.cookie == BOUND.agent.responders[landmark].cookie
        keys[landmark] = here.challenger.keys
    assert len({each.to_agent for each in keys.values()}) == len(keys)
    assert timed_keys(b"", sid=SESSION.sid, landmark=FIRST, bind=digest(BOUND.bind)) not in keys.values()


# -- CLOSE, ACK, MEASUREMENT -------------------------------------------------------------------------------------


def test_close_lists_exactly_the_answers_that_count() -> None:
    story = brought_to(State.BOUND)
    challenger = story.here.challenger
    assert challenger is not None
    timed(
        challenger,
        story.told.agent.responders[FIRST],
        round_trip_ns=lambda n: None if n in {0, 3} else 5 * MS_NS,
    )
    read = read_close(story.here.close(), KEY.verifying)
    assert read.accepted == tuple(n for n in range(64) if n not in {0, 3})
    assert (read.rounds_sent, read.sid, read.landmark) == (64, SESSION.sid, FIRST)
    assert (read.bind, read.random) == (digest(story.told.bind), dice(NAME, FIRST).close_random)


def test_the_random_of_close_is_not_given_out_before() -> None:
    here, said = opened(DATA, KEY, NAME)
    random = dice(NAME, FIRST).close_random
    assert random not in here.contrib
    assert random not in said


def test_a_session_with_too_few_answers_is_not_closed_and_can_be_aborted() -> None:
    story = brought_to(State.BOUND)
    challenger = story.here.challenger
    assert challenger is not None
    with pytest.raises(Refused) as caught:
        story.here.close()  # the phase has not ended
    assert code(caught) is ErrorCode.OUT_OF_ORDER
    timed(challenger, story.told.agent.responders[FIRST], round_trip_ns=lambda n: 5 * MS_NS if n < 2 else None)
    with pytest.raises(Refused) as caught:
        story.here.close()
    assert code(caught) is ErrorCode.TOO_FEW_ANSWERS
    assert story.here.state is State.BOUND
    said = read_abort(story.here.abort(Why.TOO_FEW_ANSWERS, now_ns=NOW_NS + 5), KEY.verifying)
    assert (said.why, said.rounds_sent, said.rounds_valid) == (Why.TOO_FEW_ANSWERS, challenger.sent, 2)
    assert (said.sid, said.session, said.at_ns) == (SESSION.sid, digest(DATA), NOW_NS + 5)


def test_nothing_is_concluded_from_a_phase_that_has_not_ended() -> None:
    """Not even that it came to nothing: it may still come to something."""
    story = brought_to(State.BOUND)
    here, responder = story.here, story.told.agent.responders[FIRST]
    assert here.challenger is not None
    here.challenger.datagram_received(responder.ready(), address=ADDRESS, at=at(NOW_NS))
    for number in range(5):
        with pytest.raises(Refused) as caught:
            here.conclude(now_ns=NOW_NS + number)
        assert code(caught) is ErrorCode.OUT_OF_ORDER
        assert here.state is State.BOUND
        reply = responder.datagram_received(
            here.challenger.challenge(nonce=secret(number)[:16], gap_ns=0, at=at(NOW_NS + number * MS_NS))
        )
        assert reply is not None
        here.challenger.datagram_received(reply, address=ADDRESS, at=at(NOW_NS + number * MS_NS + 500_000))
    here.challenger.end(at=at(NOW_NS + 5 * MS_NS))
    assert read_close(here.conclude(now_ns=NOW_NS), KEY.verifying).accepted == (0, 1, 2, 3, 4)
    with pytest.raises(Refused) as caught:
        here.conclude(now_ns=NOW_NS)
    assert code(caught) is ErrorCode.OUT_OF_ORDER
    assert here.state is State.CLOSED


@pytest.mark.parametrize(
    ("answered", "outside_ns", "why"),
    [
        (0, 0, Why.NO_READY),
        (1, 0, Why.TOO_FEW_ANSWERS),
        (2, 0, Why.TOO_FEW_ANSWERS),
        (3, SECOND_NS, Why.CLOCK),
        (3, 0, None),
    ],
)
def test_a_phase_that_ended_is_concluded_by_close_or_by_the_abort_that_says_why(
    answered: int, outside_ns: int, why: Why | None
) -> None:
    story = brought_to(State.BOUND)
    here, responder = story.here, story.told.agent.responders[FIRST]
    assert here.challenger is not None
    now_ns = NOW_NS
    if answered:
        here.challenger.datagram_received(responder.ready(), address=ADDRESS, at=at(now_ns))
    for number in range(answered):
        reply = responder.datagram_received(
            here.challenger.challenge(nonce=secret(number)[:16], gap_ns=0, at=at(now_ns))
        )
        assert reply is not None
        now_ns += MS_NS
        here.challenger.datagram_received(reply, address=ADDRESS, at=at(now_ns))
    here.challenger.end(at=Instant(ns=now_ns, check_ns=now_ns, utc_ns=now_ns + outside_ns))
    concluded = here.conclude(now_ns=now_ns)
    if why is None:
        assert read_close(concluded, KEY.verifying).rounds_sent == answered
        assert here.state is State.CLOSED
    else:
        said = read_abort(concluded, KEY.verifying)
        assert (said.why, said.rounds_valid, said.at_ns) == (why, answered, now_ns)
        assert here.state is State.ABORTED


def test_a_session_whose_clocks_disagree_is_not_closed() -> None:
    story = brought_to(State.BOUND)
    challenger, responder = story.here.challenger, story.told.agent.responders[FIRST]
    assert challenger is not None
    challenger.datagram_received(responder.ready(), address=ADDRESS, at=at(NOW_NS))
    now_ns = NOW_NS
    for number in range(4):
        reply = responder.datagram_received(challenger.challenge(nonce=secret(number)[:16], gap_ns=0, at=at(now_ns)))
        assert reply is not None
        now_ns += MS_NS
        challenger.datagram_received(reply, address=ADDRESS, at=at(now_ns))
    challenger.end(at=Instant(ns=now_ns, check_ns=now_ns, utc_ns=now_ns + SECOND_NS))
    with pytest.raises(Refused) as caught:
        story.here.close()
    assert code(caught) is ErrorCode.CLOCK_DISAGREES


def test_an_ack_of_something_else_is_refused_and_the_session_stays_without_one() -> None:
    story = brought_to(State.CLOSED)
    good = story.told.agent.close(FIRST, story.before["close"])
    ack = read_ack(good, S.verifying)
    cases = {
        write_ack(replace(ack, sid=bytes(16)), S): ErrorCode.WRONG_SESSION,
        write_ack(replace(ack, close=bytes(32)), S): ErrorCode.WRONG_SESSION,
        write_ack(replace(ack, landmark=bytes(16)), S): ErrorCode.WRONG_LANDMARK,
        write_ack(replace(ack, transcript=bytes(32)), S): ErrorCode.TRANSCRIPT_DIFFERS,
        write_ack(replace(ack, answered=63), S): ErrorCode.TRANSCRIPT_DIFFERS,
        write_ack(ack, key(Purpose.SESSION, "other")): ErrorCode.WRONG_KEY,
        b"": ErrorCode.COSE_MALFORMED,
    }
    for data, expected in cases.items():
        with pytest.raises(LightboundError) as caught:
            story.here.acknowledge(data)
        assert code(caught) is expected
        assert story.here.state is State.CLOSED
    story.here.acknowledge(good)
    assert story.here.state is State.ACKNOWLEDGED


def test_a_measurement_says_what_was_measured() -> None:
    story = brought_to(State.BOUND)
    challenger = story.here.challenger
    assert challenger is not None
    took = [(7 + (n * 5) % 16) * MS_NS for n in range(64)]
    end_ns = timed(challenger, story.told.agent.responders[FIRST], round_trip_ns=lambda n: took[n])
    story.event("close")
    story.event("acknowledge")
    said = read_measurement(story.here.measure(), KEY.verifying)
    assert said.smallest_ns == tuple(sorted(took)[:3])
    assert said.median_ns == sorted(took)[31]  # the lower of two
    assert said.largest_ns == max(took)
    assert (said.rounds_sent, said.rounds_valid, said.rounds_dropped) == (64, 64, 0)
    assert said.clock_error_ns == identity(KEY).errors.of_round_ns(sorted(took)[2])
    assert said.bound_ns == sorted(took)[2] + said.clock_error_ns
    assert (said.from_ns, said.to_ns, said.utc_error_ns) == (NOW_NS, end_ns, MS_NS)
    assert (said.sid, said.session, said.position) == (SESSION.sid, digest(DATA), world().position(FIRST))
    assert (said.bind, said.close) == (digest(story.told.bind), digest(story.before["close"]))
    assert said.ack == digest(story.told.agent.close(FIRST, story.before["close"]))


def test_a_measurement_without_ack_says_so() -> None:
    story = brought_to(State.CLOSED)
    assert read_measurement(story.here.measure(), KEY.verifying).ack is None


def test_the_address_seen_is_committed_to_and_not_told() -> None:
    story = brought_to(State.ACKNOWLEDGED)
    data = story.here.measure()
    assert ADDRESS.encode() not in data
    said = read_measurement(data, KEY.verifying)
    assert disclosed(story.here.address(), said.commitments) == ADDRESS
    other = replace(story.here.address(), value="203.0.113.9 port 1")
    with pytest.raises(Refused):
        disclosed(other, said.commitments)


@pytest.mark.parametrize("why", Why)
def test_a_session_can_come_to_nothing_for_every_reason(why: Why) -> None:
    here, _ = opened(DATA, KEY, NAME)
    said = read_abort(here.abort(why, now_ns=NOW_NS), KEY.verifying)
    assert (said.why, said.rounds_sent, said.rounds_valid) == (why, 0, 0)


def test_everything_that_is_logged_about_an_agent_is_numbered_and_linked() -> None:
    chain = Chain()
    logged: list[Linked] = []
    for number in range(4):
        here, said = open_with(chain=chain)
        assert chain.newest == Linked(link=read_open(said, KEY.verifying).link, digest=digest(said))
        logged.append(chain.newest)
        if number == 1:  # a restart: nothing ended this one, and the next OPEN follows its OPEN
            chain = Chain(newest=chain.newest)
            continue
        data = here.abort(Why.STOPPED, now_ns=NOW_NS)
        assert chain.newest == Linked(link=read_abort(data, KEY.verifying).link, digest=digest(data))
        logged.append(chain.newest)
    assert [one.link.seq for one in logged] == list(range(7))
    assert not breaks(logged)


def test_sessions_of_one_agent_that_overlap_share_one_chain() -> None:
    chain = Chain()
    one, first = open_with(chain=chain)
    other, second = open_with(chain=chain)
    said, last = one.abort(Why.STOPPED, now_ns=NOW_NS), other.abort(Why.STOPPED, now_ns=NOW_NS)
    links = [read_open(each, KEY.verifying).link for each in (first, second)]
    links += [read_abort(each, KEY.verifying).link for each in (said, last)]
    logged = [
        Linked(link=link, digest=digest(data)) for link, data in zip(links, (first, second, said, last), strict=True)
    ]
    assert [link.seq for link in links] == [0, 1, 2, 3]
    assert not breaks(logged)


@pytest.mark.parametrize("wrong", ["agent", "landmark"])
def test_a_chain_of_another_landmark_or_agent_is_the_callers_mistake(wrong: str) -> None:
    chain = Chain()
    open_with(chain=chain)
    assert chain.newest is not None
    link = chain.newest.link
    other = replace(link, agent=bytes(16)) if wrong == "agent" else replace(link, landmark=bytes(16))
    before = replace(chain.newest, link=other)
    chain.newest = before
    with pytest.raises(ValueError, match="another landmark"):
        open_with(chain=chain)
    assert chain.newest is before


def test_no_secret_of_a_landmark_shows_when_its_session_is_printed() -> None:
    here, _ = opened(DATA, KEY, NAME)
    shown = repr(here)
    drawn = dice(NAME, FIRST)
    assert not any(repr(each) in shown for each in (drawn.x_seed, drawn.close_random, drawn.address_salt))


def test_the_agent_of_another_session_cannot_be_timed_here() -> None:
    """Its keys differ, although landmark and agent are the same."""
    other = bound("other").agent.responders[FIRST]
    story = brought_to(State.BOUND)
    assert story.here.challenger is not None
    assert not story.here.challenger.datagram_received(other.ready(), address=ADDRESS, at=at(NOW_NS))
    assert asked(DATA, NAME).session == SESSION
