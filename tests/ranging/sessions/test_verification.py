"""A stranger's check, each numbered step broken in turn; and no landmark's fault is another's."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import pytest

from lightbound.canonical.commitments import Disclosure
from lightbound.errors import ErrorCode, LightboundError, Malformed, Refused
from lightbound.keys.ed25519 import SigningKey
from lightbound.keys.purposes import Purpose
from lightbound.keys.signing import digest
from lightbound.ranging.sessions.admitted import AdmittedLandmarks, admitted
from lightbound.ranging.sessions.draw import drawn
from lightbound.ranging.sessions.verification import (
    LandmarkStatements,
    SessionStatements,
    VerifiedSession,
    address_seen,
    verified_session,
)
from lightbound.ranging.statements.binding import Bind, Evidence, read_bind, write_bind
from lightbound.ranging.statements.closing import Ack, Close, read_ack, read_close, write_ack, write_close
from lightbound.ranging.statements.measurement import (
    Abort,
    Why,
    read_abort,
    read_measurement,
    write_abort,
    write_measurement,
)
from lightbound.ranging.statements.opening import read_contrib, write_contrib
from lightbound.ranging.statements.session import write_session
from tests.ranging.parties import (
    ADDRESS,
    AGENT,
    EVIDENCE,
    MS_NS,
    NOW_NS,
    TRUST,
    VERIFIER,
    bound,
    dice,
    directory_of,
    finished,
    key,
    run,
    secret,
    told,
    world,
)

TOLD: Final = told()
STATEMENTS: Final = TOLD.statements()
SESSION: Final = TOLD.asked_for
FIRST, *OTHERS = SESSION.landmarks
KEY: Final = world().landmark(FIRST)
S: Final = SigningKey.of_seed(Purpose.SESSION, secret("s", "told"))
SAID: Final = STATEMENTS.by_landmark[FIRST]
ADMITTED: Final = world().admitted
ABORT: Final = read_abort(bound("told").landmarks[FIRST].abort(Why.STOPPED, now_ns=NOW_NS + MS_NS), KEY.verifying)


def given(data: bytes | None) -> bytes:
    assert data is not None
    return data


MEASUREMENT: Final = read_measurement(given(SAID.measurement), KEY.verifying)
CLOSE: Final = read_close(given(SAID.close), KEY.verifying)
ACK: Final = read_ack(given(SAID.ack), S.verifying)
BIND: Final = read_bind(STATEMENTS.bind, AGENT.verifying)


def verified(statements: SessionStatements = STATEMENTS, landmarks: AdmittedLandmarks = ADMITTED) -> VerifiedSession:
    return verified_session(statements, verifier=VERIFIER.verifying, landmarks=landmarks)


def fails(statements: SessionStatements, landmarks: AdmittedLandmarks = ADMITTED) -> ErrorCode:
    with pytest.raises(LightboundError) as caught:
        verified(statements, landmarks)
    (fault,) = caught.value.faults
    return fault.code


def said(**changes: Any) -> SessionStatements:
    """The session with other statements of FIRST."""
    return replace(STATEMENTS, by_landmark={**STATEMENTS.by_landmark, FIRST: replace(SAID, **changes)})


def not_believed(statements: SessionStatements, *, others: bool = True) -> ErrorCode:
    """Why FIRST is not believed; the others are, as before."""
    found = verified(statements)
    if others:
        assert set(found.refused) == {FIRST}
        assert [one.measurement.link.landmark for one in found.measurements] == OTHERS
    assert FIRST not in {one.landmark.key.key_id for one in found.measurements}
    (fault,) = found.refused[FIRST].faults
    return fault.code


def measured(**changes: Any) -> bytes:
    return write_measurement(replace(MEASUREMENT, **changes), KEY)


def test_a_session_in_which_nothing_is_wrong_is_believed_whole() -> None:
    found = verified()
    assert [one.measurement.link.landmark for one in found.measurements] == list(SESSION.landmarks)
    assert all(one.is_acknowledged for one in found.measurements)
    assert [one.measurement.smallest_ns[2] for one in found.measurements] == [
        (3 + number) * MS_NS + 2_000 for number in range(len(SESSION.landmarks))
    ]
    assert (found.session, found.bind, found.evidence) == (SESSION, BIND, EVIDENCE)
    assert (found.absent, found.silent) == ((), ())
    assert (found.refused, found.aborts) == ({}, {})


def test_the_order_in_which_statements_are_kept_is_irrelevant() -> None:
    backwards = dict(reversed(list(STATEMENTS.by_landmark.items())))
    assert verified(replace(STATEMENTS, by_landmark=backwards)) == verified()


def test_statements_of_landmarks_that_the_session_does_not_bind_are_not_looked_at() -> None:
    more = {**STATEMENTS.by_landmark, bytes(16): LandmarkStatements(measurement=b"noise")}
    assert verified(replace(STATEMENTS, by_landmark=more)) == verified()


# -- step 1: SESSION and the directory ---------------------------------------------------------------------------


def resigned(**changes: Any) -> SessionStatements:
    """The same session with something else in SESSION, and nothing else changed."""
    return replace(STATEMENTS, session=write_session(replace(SESSION, **changes), VERIFIER))


def test_step_1_the_verifier_signed_session() -> None:
    by_another = replace(STATEMENTS, session=write_session(SESSION, key(Purpose.VERIFIER, "other")))
    assert fails(by_another) is ErrorCode.WRONG_KEY
    assert fails(replace(STATEMENTS, session=b"")) is ErrorCode.COSE_MALFORMED


def test_step_1_session_offers_a_version_that_is_spoken_here() -> None:
    assert fails(resigned(versions=(2,))) is ErrorCode.WRONG_VERSION


def test_step_1_the_landmarks_are_of_the_directory_that_session_names() -> None:
    assert fails(resigned(directory=bytes(32))) is ErrorCode.NOT_ADMITTED
    other = directory_of(world().operator_statements, world().positions)
    landmarks = admitted(other, operators=world().operator_statements, positions=world().positions, trust=TRUST)
    assert fails(STATEMENTS, landmarks) is ErrorCode.NOT_ADMITTED


def test_step_1_every_statement_of_the_directory_is_here() -> None:
    """Even one that this session has nothing to do with: without it the draw could have come out otherwise."""
    unconcerned = [number for number, each in enumerate(world().landmarks) if each.key_id not in SESSION.landmarks]
    assert unconcerned
    kept = [position for number, position in enumerate(world().positions) if number != unconcerned[0]]
    landmarks = admitted(world().directory, operators=world().operator_statements, positions=kept, trust=TRUST)
    assert landmarks.missing == 1
    assert fails(STATEMENTS, landmarks) is ErrorCode.NOT_ADMITTED


# -- step 2: the draw --------------------------------------------------------------------------------------------


def test_step_2_the_landmarks_are_those_of_the_draw() -> None:
    passed_over = next(each.key_id for each in world().landmarks if each.key_id not in SESSION.landmarks)
    extra = next(landmark for landmark in SESSION.landmarks if landmark not in SESSION.draw.chosen)
    swapped = tuple(sorted((set(SESSION.landmarks) - {extra}) | {passed_over}))
    ids = [each.key_id for each in world().landmarks]
    other_beacon = next(
        beacon
        for beacon in (secret("other beacon", number) for number in range(100))
        if drawn(ids, beacon=beacon, agent=AGENT.verifying.raw, chosen=SESSION.draw.chosen, extras=2)
        != SESSION.landmarks
    )
    for changes in (
        {"landmarks": swapped},
        {"landmarks": SESSION.landmarks[1:]},
        {"landmarks": tuple(sorted((*SESSION.landmarks, passed_over)))},
        {"draw": replace(SESSION.draw, extras=1)},
        {"draw": replace(SESSION.draw, extras=3)},
        {"draw": replace(SESSION.draw, beacon=other_beacon)},
        {"draw": replace(SESSION.draw, chosen=())},
    ):
        assert fails(resigned(**changes)) is ErrorCode.DRAW_DIFFERS, changes


def test_step_2_a_draw_may_take_everybody() -> None:
    one = run("everybody", extras=4)
    assert set(one.asked_for.landmarks) == {each.key_id for each in world().landmarks}
    assert len(verified(one.statements()).measurements) == len(world().landmarks)


def test_step_2_a_landmark_that_was_not_let_in_is_not_drawn() -> None:
    stranger = bytes(16)
    for changes in (
        {"landmarks": tuple(sorted((*SESSION.landmarks, stranger)))},
        {"draw": replace(SESSION.draw, chosen=tuple(sorted((*SESSION.draw.chosen, stranger))))},
    ):
        assert fails(resigned(**changes)) is ErrorCode.NOT_ADMITTED


# -- step 3: BIND ------------------------------------------------------------------------------------------------


def rebound(bind: Bind = BIND, *, agent: SigningKey = AGENT, s: SigningKey = S) -> SessionStatements:
    return replace(STATEMENTS, bind=write_bind(bind, agent, s))


def test_step_3_bind_is_by_the_agent_and_the_session_key_it_names() -> None:
    assert fails(rebound(agent=key(Purpose.ENROLMENT, "other"))) is ErrorCode.WRONG_KEY
    assert fails(rebound(s=key(Purpose.SESSION, "other"))) is ErrorCode.WRONG_KEY
    assert fails(replace(STATEMENTS, bind=b"")) is ErrorCode.COSE_MALFORMED


def test_step_3_bind_is_of_this_session() -> None:
    assert fails(rebound(replace(BIND, session=bytes(32)))) is ErrorCode.WRONG_SESSION
    assert fails(replace(STATEMENTS, bind=run("another").bind)) is ErrorCode.WRONG_SESSION


def test_step_3_bind_accounts_for_every_landmark() -> None:
    for bind in (
        replace(BIND, contributions=BIND.contributions[1:]),
        replace(BIND, absent=(FIRST,)),
        replace(BIND, absent=(bytes(16),)),
    ):
        assert fails(rebound(bind)) is ErrorCode.BIND_DIFFERS


# -- step 4: evidence --------------------------------------------------------------------------------------------


def test_step_4_the_evidence_is_what_bind_was_made_with() -> None:
    assert fails(replace(STATEMENTS, evidence=Evidence().manifest())) is ErrorCode.EVIDENCE_DIFFERS
    for manifest in (b"", EVIDENCE.manifest() + b"\x00"):
        with pytest.raises(Malformed):
            verified(replace(STATEMENTS, evidence=manifest))


# -- step 5: CONTRIB ---------------------------------------------------------------------------------------------

CONTRIB: Final = read_contrib(given(SAID.contrib), KEY.verifying)


def contributed(data: bytes) -> SessionStatements:
    """FIRST gave this CONTRIB, and the agent bound itself to it."""
    first, *others = BIND.contributions
    bind = replace(BIND, contributions=(replace(first, digest=digest(data)), *others))
    return replace(rebound(bind), by_landmark={FIRST: replace(SAID, contrib=data)})


def test_step_5_contrib_is_the_one_that_bind_names() -> None:
    other = write_contrib(replace(CONTRIB, random=bytes(32)), KEY)
    assert not_believed(said(contrib=other)) is ErrorCode.BIND_DIFFERS
    assert not_believed(said(contrib=None)) is ErrorCode.BIND_DIFFERS
    assert not_believed(said(contrib=None, measurement=None, abort=write_abort(ABORT, KEY))) is ErrorCode.BIND_DIFFERS


def test_step_5_contrib_is_signed_by_its_landmark() -> None:
    assert not_believed(said(contrib=STATEMENTS.by_landmark[OTHERS[0]].contrib)) is ErrorCode.WRONG_KEY
    assert not_believed(said(contrib=b"noise")) is ErrorCode.COSE_MALFORMED
    assert not_believed(contributed(write_contrib(CONTRIB, world().landmark(OTHERS[0]))), others=False) is (
        ErrorCode.WRONG_KEY
    )


def test_step_5_contrib_is_of_this_session_and_names_its_landmark() -> None:
    """Even where an agent bound itself to one that is not."""
    elsewhere = write_contrib(replace(CONTRIB, session=bytes(32)), KEY)
    assert not_believed(contributed(elsewhere), others=False) is ErrorCode.WRONG_SESSION
    of_another = write_contrib(replace(CONTRIB, landmark=OTHERS[0]), KEY)
    assert not_believed(contributed(of_another), others=False) is ErrorCode.WRONG_LANDMARK


# -- step 6: MEASUREMENT -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("measurement", "expected"),
    [
        (lambda: write_measurement(MEASUREMENT, world().landmark(OTHERS[0])), ErrorCode.WRONG_KEY),
        (lambda: STATEMENTS.by_landmark[OTHERS[0]].measurement, ErrorCode.WRONG_KEY),
        (lambda: measured(link=replace(MEASUREMENT.link, landmark=OTHERS[0])), ErrorCode.WRONG_LANDMARK),
        (lambda: measured(link=replace(MEASUREMENT.link, agent=bytes(16))), ErrorCode.WRONG_SESSION),
        (lambda: measured(sid=bytes(16)), ErrorCode.WRONG_SESSION),
        (lambda: measured(session=bytes(32)), ErrorCode.WRONG_SESSION),
        (lambda: measured(bind=bytes(32)), ErrorCode.BIND_DIFFERS),
        (lambda: measured(position=bytes(32)), ErrorCode.NOT_ADMITTED),
        (lambda: measured(position=world().position(OTHERS[0])), ErrorCode.NOT_ADMITTED),
        (lambda: measured(bound_ns=MEASUREMENT.bound_ns - 1), ErrorCode.NUMBERS_DIFFER),
        (lambda: measured(clock_error_ns=0), ErrorCode.NUMBERS_DIFFER),
        (lambda: b"noise", ErrorCode.COSE_MALFORMED),
    ],
)
def test_step_6_measurement_is_by_its_landmark_of_this_session_bind_and_position(
    measurement: Callable[[], bytes], expected: ErrorCode
) -> None:
    assert not_believed(said(measurement=measurement())) is expected


def test_step_6_a_measurement_of_another_bind_of_the_same_agent_is_not_believed() -> None:
    """An agent that shows different landmarks different session keys, as one standing in two places would."""
    two_faced = bound("told", absent=1)
    finished(FIRST, two_faced)
    assert not_believed(said(measurement=two_faced.by_landmark[FIRST].measurement)) is ErrorCode.BIND_DIFFERS


def test_step_6_rounds_were_sent_while_the_session_was_valid() -> None:
    error_ns = MEASUREMENT.utc_error_ns
    begin_ns, end_ns = SESSION.issued_ns - error_ns, SESSION.expiry_ns + error_ns
    for from_ns, to_ns, expected in (
        (begin_ns, NOW_NS, None),
        (begin_ns - 1, NOW_NS, ErrorCode.NOT_VALID_THEN),
        (NOW_NS, end_ns, None),
        (NOW_NS, end_ns + 1, ErrorCode.NOT_VALID_THEN),
    ):
        statements = said(measurement=measured(from_ns=from_ns, to_ns=to_ns))
        if expected is None:
            assert len(verified(statements).measurements) == len(SESSION.landmarks)
        else:
            assert not_believed(statements) is expected


def test_step_6_rounds_were_sent_while_the_landmark_was_admitted() -> None:
    first = ADMITTED.by_id[FIRST]
    for short in (replace(first, from_ns=MEASUREMENT.from_ns + 1), replace(first, to_ns=MEASUREMENT.to_ns - 1)):
        by_id = {**ADMITTED.by_id, FIRST: short}
        found = verified(STATEMENTS, replace(ADMITTED, by_id=by_id))
        assert found.refused[FIRST].faults[0].code is ErrorCode.NOT_VALID_THEN
        assert len(found.measurements) == len(OTHERS)
    just = replace(first, from_ns=MEASUREMENT.from_ns, to_ns=MEASUREMENT.to_ns)
    assert not verified(STATEMENTS, replace(ADMITTED, by_id={**ADMITTED.by_id, FIRST: just})).refused


def test_step_6_a_landmark_that_ended_a_session_twice_is_believed_in_neither() -> None:
    both = said(abort=write_abort(ABORT, KEY))
    assert not_believed(both) is ErrorCode.SEQUENCE_BROKEN
    assert FIRST not in verified(both).aborts


# -- step 7: CLOSE and ACK ---------------------------------------------------------------------------------------


def closed(close: Close = CLOSE, ack: Ack = ACK, *, s: SigningKey = S, **changes: Any) -> SessionStatements:
    """FIRST said this CLOSE, got this ACK, and measured, each naming the one before."""
    close_data = write_close(close, KEY)
    ack_data = write_ack(replace(ack, close=digest(close_data)), s)
    measurement = measured(**{"close": digest(close_data), "ack": digest(ack_data), **changes})
    return said(close=close_data, ack=ack_data, measurement=measurement)


def test_step_7_what_agrees_is_believed() -> None:
    assert verified(closed()).refused == {}


@pytest.mark.parametrize(
    "close",
    [
        replace(CLOSE, sid=bytes(16)),
        replace(CLOSE, landmark=OTHERS[0]),
        replace(CLOSE, bind=bytes(32)),
        replace(CLOSE, transcript=bytes(32)),
        replace(CLOSE, rounds_sent=63, accepted=CLOSE.accepted[:63]),
        replace(CLOSE, accepted=CLOSE.accepted[1:]),
    ],
)
def test_step_7_a_close_that_disagrees_with_measurement_is_not_believed(close: Close) -> None:
    assert not_believed(closed(close)) is ErrorCode.TRANSCRIPT_DIFFERS


def test_step_7_close_counts_the_rounds_that_measurement_counts() -> None:
    """A landmark that hides rounds from the agent, or from the verifier."""
    fewer = replace(CLOSE, rounds_sent=63, accepted=CLOSE.accepted[:63])
    assert verified(closed(fewer, rounds_sent=63, rounds_valid=63)).refused == {}
    assert not_believed(closed(fewer, rounds_sent=64, rounds_valid=63)) is ErrorCode.TRANSCRIPT_DIFFERS


def test_step_7_close_is_the_one_that_measurement_names() -> None:
    other = write_close(replace(CLOSE, random=bytes(32)), KEY)
    assert not_believed(said(close=other)) is ErrorCode.TRANSCRIPT_DIFFERS
    assert not_believed(said(close=write_close(CLOSE, world().landmark(OTHERS[0])))) is ErrorCode.WRONG_KEY
    assert not_believed(said(close=b"noise")) is ErrorCode.COSE_MALFORMED


@pytest.mark.parametrize(
    "ack",
    [
        replace(ACK, sid=bytes(16)),
        replace(ACK, landmark=OTHERS[0]),
        replace(ACK, transcript=bytes(32)),
        replace(ACK, answered=63),
    ],
)
def test_step_7_an_ack_that_disagrees_with_measurement_is_not_believed(ack: Ack) -> None:
    assert not_believed(closed(ack=ack)) is ErrorCode.TRANSCRIPT_DIFFERS


def test_step_7_ack_is_the_one_that_measurement_names_by_the_session_key() -> None:
    assert not_believed(said(ack=write_ack(replace(ACK, answered=1), S))) is ErrorCode.TRANSCRIPT_DIFFERS
    assert not_believed(said(ack=b"noise")) is ErrorCode.TRANSCRIPT_DIFFERS
    assert not_believed(closed(s=key(Purpose.SESSION, "other"))) is ErrorCode.WRONG_KEY
    elsewhere = write_ack(replace(ACK, close=bytes(32)), S)
    assert not_believed(said(ack=elsewhere, measurement=measured(ack=digest(elsewhere)))) is (
        ErrorCode.TRANSCRIPT_DIFFERS
    )


@pytest.mark.parametrize(
    "missing",
    [{"ack": None}, {"close": None}, {"close": None, "ack": None}, {"ack": None, "measurement": measured(ack=None)},
     {"measurement": measured(ack=None)}],
)  # fmt: skip
def test_without_close_or_ack_a_measurement_counts_but_is_not_acknowledged(missing: dict[str, bytes | None]) -> None:
    found = verified(said(**missing))
    assert found.refused == {}
    assert {one.landmark.key.key_id: one.is_acknowledged for one in found.measurements} == {
        FIRST: False,
        **dict.fromkeys(OTHERS, True),
    }


# -- who is silent, absent, or gave up ---------------------------------------------------------------------------


def test_a_landmark_of_which_nothing_is_here_is_silent() -> None:
    fewer = {landmark: each for landmark, each in STATEMENTS.by_landmark.items() if landmark != FIRST}
    found = verified(replace(STATEMENTS, by_landmark=fewer))
    assert (found.silent, found.refused) == ((FIRST,), {})
    assert verified(said(measurement=None, close=None, ack=None)).silent == (FIRST,)


def test_a_landmark_that_the_agent_did_not_bind_is_absent() -> None:
    one = run("absent", absent=1)
    found = verified(one.statements())
    assert found.absent == one.asked_for.landmarks[-1:]
    assert len(found.measurements) == len(one.asked_for.landmarks) - 1


def aborted(abort: Abort = ABORT, *, by: SigningKey = KEY) -> SessionStatements:
    return said(measurement=None, close=None, ack=None, abort=write_abort(abort, by))


def test_an_abort_is_told_and_is_nobodys_fault() -> None:
    found = verified(aborted())
    assert (found.aborts, found.refused, found.silent) == ({FIRST: ABORT}, {}, ())
    assert len(found.measurements) == len(OTHERS)


def test_an_abort_of_another_landmark_or_session_is_not_believed() -> None:
    assert not_believed(aborted(by=world().landmark(OTHERS[0]))) is ErrorCode.WRONG_KEY
    link = replace(ABORT.link, landmark=OTHERS[0])
    assert not_believed(aborted(replace(ABORT, link=link))) is ErrorCode.WRONG_LANDMARK
    for wrong in (
        replace(ABORT, sid=bytes(16)),
        replace(ABORT, session=bytes(32)),
        replace(ABORT, link=replace(ABORT.link, agent=bytes(16))),
    ):
        assert not_believed(aborted(wrong)) is ErrorCode.WRONG_SESSION


def test_an_abort_that_somebody_else_made_does_not_undo_a_measurement_in_silence() -> None:
    """It is refused as theirs, and the refusal is told; without it the measurement stands."""
    forged = write_abort(ABORT, world().landmark(OTHERS[0]))
    assert not_believed(said(abort=forged)) is ErrorCode.WRONG_KEY
    assert verified(said(abort=None)).refused == {}


def test_if_no_landmark_is_believed_the_session_still_is_and_gives_nothing() -> None:
    noise = LandmarkStatements(contrib=b"noise", close=b"noise", ack=b"noise", measurement=b"noise")
    found = verified(replace(STATEMENTS, by_landmark=dict.fromkeys(SESSION.landmarks, noise)))
    assert set(found.refused) == set(SESSION.landmarks)
    assert found.measurements == ()


def test_the_address_seen_can_be_shown_and_only_the_true_one() -> None:
    (one, *_) = verified().measurements
    true = Disclosure(field="address", salt=dice("told", FIRST).address_salt, value=ADDRESS)
    assert address_seen(one, true) == ADDRESS
    for false in (replace(true, value="elsewhere"), replace(true, salt=bytes(32)), replace(true, field="site")):
        with pytest.raises(Refused) as caught:
            address_seen(one, false)
        assert caught.value.faults[0].code is ErrorCode.DISCLOSURE_DIFFERS
