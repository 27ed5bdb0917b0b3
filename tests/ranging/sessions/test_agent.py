"""An agent answers its verifier's sessions with the landmarks it trusts, and vouches for nothing that it did not do."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import pytest

from lightbound.errors import ErrorCode, LightboundError, Malformed, Refused
from lightbound.keys.agreement import AgreementKey
from lightbound.keys.ed25519 import SigningKey
from lightbound.keys.purposes import Purpose
from lightbound.keys.signing import digest
from lightbound.ranging.sessions.agent import AgentSession
from lightbound.ranging.statements.binding import Evidence, read_bind
from lightbound.ranging.statements.closing import Answer, Close, read_ack, read_close, transcript, write_close
from lightbound.ranging.statements.opening import read_contrib, write_contrib
from lightbound.ranging.statements.session import Session, write_session
from lightbound.ranging.timing.packets import PacketType, write_packet
from tests.ranging.parties import (
    AGENT,
    EVIDENCE,
    MS_NS,
    NOW_NS,
    SECOND_NS,
    VERIFIER,
    Told,
    asked,
    bound,
    key,
    opened,
    secret,
    session_of,
    timed,
    trust_of_agent,
    world,
)

NAME: Final = "agent"
SESSION: Final = session_of(NAME)
DATA: Final = write_session(SESSION, VERIFIER)
FIRST, SECOND = SESSION.landmarks[:2]
KEY: Final = world().landmark(FIRST)
S: Final = SigningKey.of_seed(Purpose.SESSION, secret("s", NAME))


def code(error: pytest.ExceptionInfo[LightboundError]) -> ErrorCode:
    (fault,) = error.value.faults
    return fault.code


def contrib(landmark: bytes = FIRST, data: bytes = DATA, name: object = NAME) -> bytes:
    return opened(data, world().landmark(landmark), name)[0].contrib


# -- SESSION -----------------------------------------------------------------------------------------------------


def ask(session: Session = SESSION, *, now_ns: int = NOW_NS, by: SigningKey = VERIFIER, **changes: Any) -> AgentSession:
    return AgentSession.asked(
        write_session(session, by),
        trust=replace(trust_of_agent(), **changes),
        enrolment=AGENT,
        s_seed=secret("s", NAME),
        x_seed=secret("x", NAME),
        now_ns=now_ns,
    )


@pytest.mark.parametrize(
    ("asking", "expected"),
    [
        (lambda: ask(by=key(Purpose.VERIFIER, "other")), ErrorCode.WRONG_KEY),
        (lambda: ask(replace(SESSION, versions=(2,))), ErrorCode.WRONG_VERSION),
        (lambda: ask(now_ns=SESSION.issued_ns - 1), ErrorCode.NOT_VALID_THEN),
        (lambda: ask(now_ns=SESSION.expiry_ns + 1), ErrorCode.NOT_VALID_THEN),
        (lambda: ask(replace(SESSION, agent=key(Purpose.ENROLMENT, "other").verifying)), ErrorCode.WRONG_KEY),
        (lambda: ask(directories=frozenset()), ErrorCode.NOT_ADMITTED),
        (lambda: ask(replace(SESSION, directory=bytes(32))), ErrorCode.NOT_ADMITTED),
        (lambda: ask(landmarks={}), ErrorCode.NOT_ADMITTED),
        (
            lambda: ask(replace(SESSION, landmarks=tuple(sorted((*SESSION.landmarks, bytes(16)))))),
            ErrorCode.NOT_ADMITTED,
        ),
    ],
)
def test_a_session_that_is_not_for_this_agent_now_by_landmarks_it_trusts_is_refused(
    asking: Callable[[], object], expected: ErrorCode
) -> None:
    with pytest.raises(Refused) as caught:
        asking()
    assert code(caught) is expected


def test_bytes_that_are_no_session_ask_for_nothing() -> None:
    with pytest.raises(Malformed):
        asked(b"", NAME)


def test_landmarks_of_the_session_are_all_that_an_agent_needs_to_trust() -> None:
    trusted = {landmark: world().landmark(landmark).verifying for landmark in SESSION.landmarks}
    assert ask(landmarks=trusted).session == SESSION
    assert ask().session == SESSION


# -- CONTRIB -----------------------------------------------------------------------------------------------------


def test_a_contribution_that_is_not_the_landmarks_for_this_session_is_refused_and_the_right_one_still_taken() -> None:
    good = read_contrib(contrib(), KEY.verifying)
    other_session = write_session(session_of("other"), VERIFIER)
    cases: list[tuple[bytes, bytes, ErrorCode]] = [
        (FIRST, contrib(SECOND), ErrorCode.WRONG_KEY),
        (FIRST, contrib(data=other_session), ErrorCode.WRONG_SESSION),
        (FIRST, write_contrib(replace(good, landmark=SECOND), KEY), ErrorCode.WRONG_LANDMARK),
        (FIRST, write_contrib(replace(good, expiry_ns=NOW_NS - 1), KEY), ErrorCode.NOT_VALID_THEN),
        (FIRST, write_contrib(replace(good, x=bytes(32)), KEY), ErrorCode.WRONG_KEY),
        (bytes(16), contrib(), ErrorCode.WRONG_LANDMARK),
        (FIRST, b"", ErrorCode.COSE_MALFORMED),
    ]
    agent = asked(DATA, NAME)
    for landmark, data, expected in cases:
        with pytest.raises(LightboundError) as caught:
            agent.contribution(landmark, data, now_ns=NOW_NS)
        assert code(caught) is expected
        assert agent.contributions == {}
    agent.contribution(FIRST, contrib(), now_ns=good.expiry_ns)
    assert set(agent.contributions) == {FIRST}


def test_a_landmark_contributes_once_and_before_bind() -> None:
    agent = asked(DATA, NAME)
    agent.contribution(FIRST, contrib(), now_ns=NOW_NS)
    with pytest.raises(Refused) as caught:
        agent.contribution(FIRST, contrib(), now_ns=NOW_NS)
    assert code(caught) is ErrorCode.OUT_OF_ORDER
    agent.bind(Evidence())
    with pytest.raises(Refused) as caught:
        agent.contribution(SECOND, contrib(SECOND), now_ns=NOW_NS)
    assert code(caught) is ErrorCode.OUT_OF_ORDER


# -- BIND --------------------------------------------------------------------------------------------------------


def test_bind_names_who_contributed_and_who_is_absent() -> None:
    told = bound(NAME, absent=1)
    read = read_bind(told.bind, AGENT.verifying)
    assert [each.landmark for each in read.contributions] == list(SESSION.landmarks[:-1])
    assert [each.digest for each in read.contributions] == [
        digest(told.landmarks[landmark].contrib) for landmark in SESSION.landmarks[:-1]
    ]
    assert read.absent == SESSION.landmarks[-1:]
    assert (read.session, read.s) == (digest(told.session), S.verifying)
    assert read.x == AgreementKey.of_seed(secret("x", NAME)).public
    assert read.evidence == EVIDENCE.digest()
    assert set(told.agent.responders) == set(told.landmarks)


def test_what_goes_into_quotes_is_known_before_there_is_evidence() -> None:
    agent = asked(DATA, NAME)
    agent.contribution(FIRST, contrib(), now_ns=NOW_NS)
    before = agent.unattested().n0()
    assert read_bind(agent.bind(EVIDENCE), AGENT.verifying).n0() == before


def test_an_agent_that_has_bound_itself_waits_for_nobody() -> None:
    told = bound(NAME, absent=1)
    assert not told.agent.is_complete
    assert told.agent.waits_until_ns() is None


def test_there_is_one_bind_and_none_without_a_contribution() -> None:
    agent = asked(DATA, NAME)
    with pytest.raises(Refused) as caught:
        agent.bind(EVIDENCE)
    assert code(caught) is ErrorCode.OUT_OF_ORDER
    agent.contribution(FIRST, contrib(), now_ns=NOW_NS)
    first = agent.bind(EVIDENCE)
    with pytest.raises(Refused) as caught:
        agent.bind(EVIDENCE)
    assert code(caught) is ErrorCode.OUT_OF_ORDER
    assert agent.bind_digest == digest(first)


# -- CLOSE and ACK -----------------------------------------------------------------------------------------------


def closed() -> tuple[Told, bytes]:
    told = bound(NAME)
    challenger = told.landmarks[FIRST].challenger
    assert challenger is not None
    timed(challenger, told.agent.responders[FIRST], round_trip_ns=lambda _: 5 * MS_NS)
    return told, told.landmarks[FIRST].close()


def test_an_agent_vouches_for_the_answers_that_it_gave() -> None:
    told, close = closed()
    ack = read_ack(told.agent.close(FIRST, close), S.verifying)
    said = read_close(close, KEY.verifying)
    assert (ack.sid, ack.landmark, ack.close) == (SESSION.sid, FIRST, digest(close))
    assert (ack.transcript, ack.answered) == (said.transcript, 64)


def test_an_agent_does_not_vouch_for_answers_that_it_never_gave() -> None:
    """The landmark has the key of the timed phase too, and could make answers up."""
    told, good = closed()
    said = read_close(good, KEY.verifying)
    here = told.agent.responders[FIRST]
    nonce = secret("made up")[:16]
    reply = write_packet(PacketType.REPLY, here.keys.to_landmark, handle=here.keys.handle, round_number=0, nonce=nonce)
    made_up = [Answer(round=0, nonce=nonce, tag=reply[32:48]), *(here.answers[n] for n in range(1, 64))]

    def over(answers: list[Answer], **changes: Any) -> bytes:
        found = transcript(SESSION.sid, FIRST, digest(told.bind), answers)
        accepted = tuple(answer.round for answer in answers)
        return write_close(replace(said, **{"transcript": found, "accepted": accepted, **changes}), KEY)

    true = list(here.answers.values())
    for close in (
        over(made_up),
        over(true, transcript=bytes(32)),
        over(true, accepted=tuple(range(63))),
        over(true[:-1], accepted=tuple(range(64))),
    ):
        with pytest.raises(Refused) as caught:
            told.agent.close(FIRST, close)
        assert code(caught) is ErrorCode.TRANSCRIPT_DIFFERS
    assert told.agent.acknowledged == {}
    assert told.agent.close(FIRST, over(true[:5]))  # a landmark may take fewer than were given


def test_an_agent_does_not_vouch_for_a_round_that_it_never_heard_of() -> None:
    told = bound(NAME)
    challenger = told.landmarks[FIRST].challenger
    assert challenger is not None
    timed(challenger, told.agent.responders[FIRST], round_trip_ns=lambda n: None if n == 7 else 5 * MS_NS)
    said = read_close(told.landmarks[FIRST].close(), KEY.verifying)
    assert 7 not in said.accepted
    with pytest.raises(Refused) as caught:
        told.agent.close(FIRST, write_close(replace(said, accepted=tuple(sorted((*said.accepted, 7)))), KEY))
    assert code(caught) is ErrorCode.TRANSCRIPT_DIFFERS


def test_a_close_of_something_else_is_refused_and_the_right_one_still_acknowledged() -> None:
    told, good = closed()
    said = read_close(good, KEY.verifying)
    cases: list[tuple[bytes, bytes, ErrorCode]] = [
        (FIRST, write_close(replace(said, sid=bytes(16)), KEY), ErrorCode.WRONG_SESSION),
        (FIRST, write_close(replace(said, bind=bytes(32)), KEY), ErrorCode.WRONG_SESSION),
        (FIRST, write_close(replace(said, landmark=SECOND), KEY), ErrorCode.WRONG_LANDMARK),
        (FIRST, write_close(said, world().landmark(SECOND)), ErrorCode.WRONG_KEY),
        (SECOND, good, ErrorCode.WRONG_KEY),
        (bytes(16), good, ErrorCode.OUT_OF_ORDER),
        (FIRST, b"", ErrorCode.COSE_MALFORMED),
    ]
    for landmark, close, expected in cases:
        with pytest.raises(LightboundError) as caught:
            told.agent.close(landmark, close)
        assert code(caught) is expected
    assert told.agent.close(FIRST, good)


def test_there_is_no_ack_before_bind() -> None:
    _, close = closed()
    agent = asked(DATA, NAME)
    agent.contribution(FIRST, contrib(), now_ns=NOW_NS)
    with pytest.raises(Refused) as caught:
        agent.close(FIRST, close)
    assert code(caught) is ErrorCode.OUT_OF_ORDER


def test_the_same_close_gets_the_same_ack_and_another_none() -> None:
    told, good = closed()
    ack = told.agent.close(FIRST, good)
    assert told.agent.close(FIRST, good) == ack
    other: Close = replace(read_close(good, KEY.verifying), random=bytes(32))
    with pytest.raises(Refused) as caught:
        told.agent.close(FIRST, write_close(other, KEY))
    assert code(caught) is ErrorCode.OUT_OF_ORDER
    assert told.agent.close(FIRST, good) == ack


def test_a_challenge_that_arrives_after_close_does_not_change_the_ack() -> None:
    told = bound(NAME)
    challenger = told.landmarks[FIRST].challenger
    responder = told.agent.responders[FIRST]
    assert challenger is not None
    timed(challenger, responder, round_trip_ns=lambda n: None if n == 63 else 5 * MS_NS)
    close = told.landmarks[FIRST].close()
    ack = told.agent.close(FIRST, close)
    late = write_packet(
        PacketType.PROBE, responder.keys.to_agent, handle=responder.keys.handle, round_number=63, nonce=bytes(16)
    )
    assert responder.datagram_received(late) is not None
    assert told.agent.close(FIRST, close) == ack
    told.landmarks[FIRST].acknowledge(ack)


def test_no_secret_of_an_agent_shows_when_its_session_is_printed() -> None:
    shown = repr(asked(DATA, NAME))
    assert not any(repr(secret(name, NAME)) in shown for name in ("s", "x"))
    assert "PrivateKey" not in shown


def test_one_landmark_that_stalls_does_not_stop_the_others() -> None:
    told = bound(NAME, absent=1)
    challenger = told.landmarks[FIRST].challenger
    assert challenger is not None
    timed(challenger, told.agent.responders[FIRST], round_trip_ns=lambda _: 5 * MS_NS, now_ns=NOW_NS + SECOND_NS)
    told.landmarks[FIRST].acknowledge(told.agent.close(FIRST, told.landmarks[FIRST].close()))
    assert told.agent.acknowledged.keys() == {FIRST}
