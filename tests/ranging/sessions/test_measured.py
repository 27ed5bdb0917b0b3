"""What was verified becomes readings, and nothing else does."""

from dataclasses import replace

import numpy as np
import pytest

from lightbound.errors import ErrorCode, Refused
from lightbound.ranging.readings import Chips
from lightbound.ranging.sessions.measured import landmarks_of, readings_of
from lightbound.ranging.sessions.verification import LandmarkStatements, VerifiedSession, verified_session
from lightbound.ranging.statements.session import asked_for, chip_proof
from lightbound.ranging.timing.clocks import ClockErrors
from tests.ranging.parties import MS_NS, VERIFIER, chips, run, told, world

LANDMARKS = landmarks_of(world().admitted)
CHIP_IDS = [chip_id.hex() for chip_id, _ in chips("told")]
CHIPS = Chips(
    chip_ids=CHIP_IDS[:3], licensed=np.zeros(3, np.int32), excluded=np.full(3, -1, np.int32), areas=["circle(50,0,100)"]
)


def verified(name: str = "told") -> VerifiedSession:
    session = told() if name == "told" else run(name)
    return verified_session(session.statements(), verifier=VERIFIER.verifying, landmarks=world().admitted)


def test_landmarks_are_listed_in_the_order_of_their_ids() -> None:
    assert [each.landmark_id for each in LANDMARKS] == sorted(each.key_id.hex() for each in world().landmarks)


def test_each_landmark_that_measured_gives_a_row_for_each_chip_that_was_asked_for() -> None:
    session = verified()
    found = readings_of([session], chips_of={session.digest: CHIP_IDS[:2]}, landmarks=LANDMARKS, chips=CHIPS)
    assert len(found) == 2 * len(session.measurements)
    assert {
        (LANDMARKS[one].landmark_id, CHIPS.chip_ids[chip]) for one, chip in zip(found.landmark, found.chip, strict=True)
    } == {(landmark.hex(), chip) for landmark in session.session.landmarks for chip in CHIP_IDS[:2]}
    assert found.session_ids == [session.session.sid.hex()]
    assert found.rows_of_unasked_chips == 0


def test_a_row_is_the_third_smallest_round_trip_its_clock_error_and_the_end_of_the_session() -> None:
    session = verified()
    found = readings_of([session], chips_of={session.digest: CHIP_IDS[:1]}, landmarks=LANDMARKS, chips=CHIPS)
    assert found.clock_error_ns is not None
    assert found.measured_at_ns is not None
    for number, one in enumerate(session.measurements):
        third_ns = (3 + number) * MS_NS + 2_000
        assert found.round_trip_ns[number] == third_ns == one.measurement.smallest_ns[2]
        assert found.clock_error_ns[number] == ClockErrors().of_round_ns(third_ns)
        assert found.round_trip_ns[number] + found.clock_error_ns[number] == one.measurement.bound_ns
        assert found.measured_at_ns[number] == one.measurement.to_ns


def test_several_sessions_keep_their_names() -> None:
    one, other = verified(), verified("measured")
    chips_of = {one.digest: CHIP_IDS[:1], other.digest: CHIP_IDS[1:2]}
    found = readings_of([one, other], chips_of=chips_of, landmarks=LANDMARKS, chips=CHIPS)
    assert found.session is not None
    assert found.session.tolist() == [0] * len(one.measurements) + [1] * len(other.measurements)
    assert found.chip.tolist() == [0] * len(one.measurements) + [1] * len(other.measurements)


def test_one_session_bound_twice_gives_nothing() -> None:
    """Each face of a two-faced agent is whole by itself; together they would be a key in two places."""
    session = verified()
    other_face = replace(session, bind=replace(session.bind, s=verified("measured").bind.s))
    with pytest.raises(Refused) as caught:
        readings_of([session, other_face], chips_of={session.digest: CHIP_IDS[:1]}, landmarks=LANDMARKS, chips=CHIPS)
    assert caught.value.faults[0].code is ErrorCode.BIND_DIFFERS


def test_two_sessions_of_one_sid_give_nothing() -> None:
    session = verified()
    other = replace(session, digest=bytes(32))
    with pytest.raises(Refused) as caught:
        readings_of([session, other], chips_of={session.digest: CHIP_IDS[:1]}, landmarks=LANDMARKS, chips=CHIPS)
    assert caught.value.faults[0].code is ErrorCode.BIND_DIFFERS


def test_chips_that_nobody_asked_about_are_counted_and_landmarks_that_are_not_listed_left_out() -> None:
    session = verified()
    listed = [each for each in LANDMARKS if each.landmark_id != session.session.landmarks[0].hex()]
    found = readings_of([session], chips_of={session.digest: CHIP_IDS}, landmarks=listed, chips=CHIPS)
    assert len(found) == 3 * (len(session.measurements) - 1)
    assert found.rows_of_unasked_chips == 5 * (len(session.measurements) - 1)


def test_a_session_of_no_listed_chip_gives_no_row() -> None:
    assert len(readings_of([], chips_of={}, landmarks=LANDMARKS, chips=CHIPS)) == 0
    assert len(readings_of([verified()], chips_of={}, landmarks=LANDMARKS, chips=CHIPS)) == 0


def test_what_was_refused_gives_no_row() -> None:
    session = told()
    first, *others = session.asked_for.landmarks
    statements = session.statements()
    noise = LandmarkStatements(contrib=b"noise", measurement=b"noise")
    found = verified_session(
        type(statements)(
            session=statements.session,
            bind=statements.bind,
            evidence=statements.evidence,
            by_landmark={**statements.by_landmark, first: noise},
        ),
        verifier=VERIFIER.verifying,
        landmarks=world().admitted,
    )
    rows = readings_of([found], chips_of={found.digest: CHIP_IDS[:1]}, landmarks=LANDMARKS, chips=CHIPS)
    assert [LANDMARKS[one].landmark_id for one in rows.landmark] == [landmark.hex() for landmark in others]


def test_that_a_session_asked_for_a_chip_is_for_its_proof_to_show() -> None:
    session = verified()
    listed = chips("told")
    assert asked_for(chip_proof(listed, 2), session.session.chips)
    assert not asked_for(chip_proof(chips("another"), 2), session.session.chips)
