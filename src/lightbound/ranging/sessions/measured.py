"""From verified sessions to readings: the one way by which what landmarks say becomes a bound."""

from collections.abc import Mapping, Sequence

import numpy as np

from lightbound.errors import ErrorCode, refused
from lightbound.ranging.readings import Chips, Landmark, Readings
from lightbound.ranging.sessions.admitted import AdmittedLandmarks
from lightbound.ranging.sessions.verification import VerifiedSession
from lightbound.ranging.statements.measurement import ORDER


def landmarks_of(landmarks: AdmittedLandmarks) -> list[Landmark]:
    """The admitted landmarks as verdicts know them, in the order of their ids."""
    return [landmarks.by_id[landmark].landmark for landmark in sorted(landmarks.by_id)]


def readings_of(
    sessions: Sequence[VerifiedSession],
    *,
    chips_of: Mapping[bytes, Sequence[str]],
    landmarks: Sequence[Landmark],
    chips: Chips,
) -> Readings:
    """One row for each landmark that measured and each chip that was asked for.

    `chips_of` names the chips of each session by the digest of its SESSION; that it asked for them, `asked_for` shows.
    A row is the third smallest round trip with its clock error, dated by the end of the session at that
    landmark. Landmarks and chips that are not listed are left out, and rows of the latter counted.

    Two SESSIONs of one agent in one window have session keys of their own, and the enrolment key bound itself to both:
    that all of them are in one place is what `one_key_one_place` assumes.

    Raises:
        Refused: two of the sessions are one, bound twice, or bear one sid. Whoever binds a session to two keys has two
            sets of answers, each whole by itself, and together they would prove what neither does.
    """
    sids = [session.session.sid for session in sessions]
    if len(set(sids)) < len(sids):
        twice = next(sid for sid in sids if sids.count(sid) > 1)
        raise refused(ErrorCode.BIND_DIFFERS, "each session once, under one BIND", f"two of {twice.hex()}", "sessions")
    landmark_number = {landmark.landmark_id: number for number, landmark in enumerate(landmarks)}
    chip_number = {chip_id: number for number, chip_id in enumerate(chips.chip_ids)}
    rows: list[tuple[int, int, int, int, int, int]] = []
    unasked = 0
    for number, session in enumerate(sessions):
        of_session = chips_of.get(session.digest, ())
        for one in session.measurements:
            said = one.measurement
            landmark = landmark_number.get(one.landmark.key.key_id.hex())
            if landmark is None:
                continue
            for chip_id in of_session:
                chip = chip_number.get(chip_id)
                if chip is None:
                    unasked += 1
                else:
                    rows.append((landmark, chip, said.smallest_ns[ORDER - 1], said.to_ns, said.clock_error_ns, number))
    columns = np.array(rows, np.int64).reshape(-1, 6).T
    return Readings(
        landmark=columns[0].astype(np.int32),
        chip=columns[1].astype(np.int32),
        round_trip_ns=columns[2],
        measured_at_ns=columns[3],
        clock_error_ns=columns[4],
        session=columns[5].astype(np.int32),
        session_ids=[session.session.sid.hex() for session in sessions],
        rows_of_unasked_chips=unasked,
    )
