"""A session checked by somebody who was not there: from statements to measurements that may be believed.

What was verified has types of its own, `VerifiedSession` and `VerifiedMeasurement`, and only these give bounds. One
landmark's statements that fail do not take those of others with them: a landmark could otherwise veto a session. What
concerns the agent's own statements fails the whole session.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from lightbound.canonical.cbor import Value
from lightbound.canonical.commitments import Disclosure, disclosed
from lightbound.errors import ErrorCode, LightboundError, refused
from lightbound.keys.ed25519 import VerifyingKey
from lightbound.keys.signing import digest
from lightbound.ranging.sessions.admitted import Admitted, AdmittedLandmarks
from lightbound.ranging.sessions.draw import drawn
from lightbound.ranging.statements.binding import Bind, Contribution, Evidence, check_parties, read_bind, read_evidence
from lightbound.ranging.statements.closing import Close, read_ack, read_close
from lightbound.ranging.statements.measurement import Abort, Measurement, read_abort, read_measurement
from lightbound.ranging.statements.opening import read_contrib
from lightbound.ranging.statements.session import Session, check_version, read_session


@dataclass(frozen=True, slots=True, kw_only=True)
class LandmarkStatements:
    """What there is of one landmark's part of a session; None where nothing came."""

    contrib: bytes | None = None
    close: bytes | None = None
    ack: bytes | None = None
    """Signed by the agent, for this landmark."""
    measurement: bytes | None = None
    abort: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionStatements:
    """Everything that was said in one session."""

    session: bytes
    bind: bytes
    evidence: bytes
    """The manifest whose digest BIND holds."""
    by_landmark: Mapping[bytes, LandmarkStatements]


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedMeasurement:
    """A landmark measured this, in this session, with the key that the session was bound to."""

    landmark: Admitted
    measurement: Measurement
    is_acknowledged: bool
    """The agent vouched that it gave the answers. Without it the landmark alone says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedSession:
    """What is left of a session after every check."""

    session: Session
    digest: bytes
    """Of SESSION."""
    bind: Bind
    evidence: Evidence
    measurements: tuple[VerifiedMeasurement, ...]
    """In the order of landmark ids."""
    aborts: Mapping[bytes, Abort]
    absent: tuple[bytes, ...]
    """Landmarks that the agent did not bind to, by its own word."""
    silent: tuple[bytes, ...]
    """Landmarks it bound to of which neither MEASUREMENT nor ABORT is here."""
    refused: Mapping[bytes, LightboundError]
    """Landmarks whose statements are not believed, and why."""


def verified_session(
    statements: SessionStatements, *, verifier: VerifyingKey, landmarks: AdmittedLandmarks
) -> VerifiedSession:
    """The measurements of a session that may be believed.

    1. SESSION is signed by the verifier, offers a version that is spoken here, and names the directory that `landmarks`
       are of, all of whose statements are here.
    2. Its landmarks are those that its draw gives: nobody was picked or passed over.
    3. BIND is signed by the enrolment key that SESSION names and by the session key, is of this SESSION, and accounts
       for every landmark.
    4. The evidence is the one that BIND was made with. What it attests is not looked at here.
    5. Of each landmark: it is admitted, its CONTRIB is the one that BIND names, of this session, of it and signed by
       it.
    6. Its MEASUREMENT is signed by it, of this session, this BIND and its admitted position, made while SESSION and
       admission were valid, and its bound follows from its own numbers.
       A landmark that ended the session with both MEASUREMENT and ABORT is believed in neither.
    7. CLOSE and ACK, where they are here, are those that MEASUREMENT names, and agree with it.

    It does not show: that the landmark's clock was right or that it told the truth (hence the fault budget), where
    the key was while nobody asked, that the key was not copied, or that it is beside any chip (tier A0).

    Raises:
        Malformed, Refused: steps 1 to 4 fail.
    """
    session = read_session(statements.session, verifier)
    check_version(session)
    if session.directory != landmarks.digest:
        raise refused(ErrorCode.NOT_ADMITTED, "the directory of the session", "another", "session.directory")
    if landmarks.missing:
        but = f"all but {landmarks.missing}"
        raise refused(ErrorCode.NOT_ADMITTED, "every statement of the directory", but, "session.directory")
    check_draw(session, landmarks)
    bind = read_bind(statements.bind, session.agent)
    if bind.session != digest(statements.session):
        raise refused(ErrorCode.WRONG_SESSION, "this session", "another", "bind.session")
    check_parties(bind, session)
    evidence = read_evidence(statements.evidence)
    if digest(statements.evidence) != bind.evidence:
        raise refused(ErrorCode.EVIDENCE_DIFFERS, "the evidence that BIND names", "other", "bind.evidence")
    measurements: list[VerifiedMeasurement] = []
    aborts: dict[bytes, Abort] = {}
    silent: list[bytes] = []
    not_believed: dict[bytes, LightboundError] = {}
    for contribution in bind.contributions:
        try:
            found = _of_landmark(contribution, statements, session, bind, landmarks)
        except LightboundError as error:
            not_believed[contribution.landmark] = error
            continue
        match found:
            case None:
                silent.append(contribution.landmark)
            case Abort():
                aborts[contribution.landmark] = found
            case VerifiedMeasurement():
                measurements.append(found)
    return VerifiedSession(
        session=session,
        digest=digest(statements.session),
        bind=bind,
        evidence=evidence,
        measurements=tuple(measurements),
        aborts=aborts,
        absent=bind.absent,
        silent=tuple(silent),
        refused=not_believed,
    )


def check_draw(session: Session, landmarks: AdmittedLandmarks) -> None:
    """Nothing, if the landmarks of a session are those that its draw gives.

    Whether the chosen ones are those that could prove the site, only who knows the site and the policy can say.

    Raises:
        Refused: they are not, or one is not admitted.
    """
    if not landmarks.by_id.keys() >= {*session.landmarks, *session.draw.chosen}:
        raise refused(ErrorCode.NOT_ADMITTED, "landmarks of the directory", "others", "session.landmarks")
    expected = drawn(
        landmarks.by_id,
        beacon=session.draw.beacon,
        agent=session.agent.raw,
        chosen=session.draw.chosen,
        extras=session.draw.extras,
    )
    if expected != session.landmarks:
        raise refused(ErrorCode.DRAW_DIFFERS, "the landmarks that the draw gives", "others", "session.landmarks")


def _of_landmark(
    contribution: Contribution,
    statements: SessionStatements,
    session: Session,
    bind: Bind,
    landmarks: AdmittedLandmarks,
) -> VerifiedMeasurement | Abort | None:
    """Steps 5 to 7 for one landmark."""
    landmark = landmarks.by_id[contribution.landmark]
    said = statements.by_landmark.get(contribution.landmark, LandmarkStatements())
    if said.contrib is None:
        if said.measurement is None and said.abort is None:
            return None
        raise refused(ErrorCode.BIND_DIFFERS, "the CONTRIB that BIND names", "none", "contrib")
    contrib = read_contrib(said.contrib, landmark.key)
    if digest(said.contrib) != contribution.digest:
        raise refused(ErrorCode.BIND_DIFFERS, "the CONTRIB that BIND names", "another", "contrib")
    session_digest = digest(statements.session)
    if contrib.session != session_digest:
        raise refused(ErrorCode.WRONG_SESSION, "this session", "another", "contrib.session")
    if contrib.landmark != contribution.landmark:
        raise refused(ErrorCode.WRONG_LANDMARK, "the landmark that signed", "another", "contrib.landmark")
    if said.measurement is None:
        return None if said.abort is None else _abort(said.abort, session, session_digest, landmark)
    measurement = read_measurement(said.measurement, landmark.key)
    if said.abort is not None:
        _abort(said.abort, session, session_digest, landmark)
        raise refused(ErrorCode.SEQUENCE_BROKEN, "one end of a session", "MEASUREMENT and ABORT", "abort")
    _check_measurement(measurement, session, session_digest, digest(statements.bind), landmark)
    close = None if said.close is None else _close(said.close, measurement, landmark)
    acknowledged = _acknowledged(said.ack, measurement, close, bind)
    return VerifiedMeasurement(landmark=landmark, measurement=measurement, is_acknowledged=acknowledged)


def _check_measurement(
    said: Measurement, session: Session, session_digest: bytes, bind_digest: bytes, landmark: Admitted
) -> None:
    """Step 6, its numbers aside."""
    path: Final = "measurement"
    if said.link.landmark != landmark.key.key_id:
        raise refused(ErrorCode.WRONG_LANDMARK, "the landmark that signed", "another", f"{path}.landmark")
    if said.sid != session.sid or said.session != session_digest or said.link.agent != session.agent.key_id:
        raise refused(ErrorCode.WRONG_SESSION, "this session", "another", f"{path}.session")
    if said.bind != bind_digest:
        raise refused(ErrorCode.BIND_DIFFERS, "the BIND of this session", "another", f"{path}.bind")
    if said.position != landmark.position_digest:
        raise refused(ErrorCode.NOT_ADMITTED, "the position of the directory", "another", f"{path}.position")
    if not session.issued_ns <= said.from_ns + said.utc_error_ns or said.to_ns - said.utc_error_ns > session.expiry_ns:
        raise refused(ErrorCode.NOT_VALID_THEN, "rounds while the session was valid", "others", f"{path}.from_ns")
    if not landmark.from_ns <= said.from_ns or said.to_ns > landmark.to_ns:
        raise refused(ErrorCode.NOT_VALID_THEN, "rounds while the landmark was admitted", "others", f"{path}.from_ns")


def _close(data: bytes, measurement: Measurement, landmark: Admitted) -> Close:
    close = read_close(data, landmark.key)
    same = (
        digest(data) == measurement.close
        and close.sid == measurement.sid
        and close.landmark == measurement.link.landmark
        and close.bind == measurement.bind
        and close.transcript == measurement.transcript
        and close.rounds_sent == measurement.rounds_sent
        and len(close.accepted) == measurement.rounds_valid
    )
    if not same:
        raise refused(ErrorCode.TRANSCRIPT_DIFFERS, "the CLOSE that MEASUREMENT names", "another", "close")
    return close


def _acknowledged(data: bytes | None, measurement: Measurement, close: Close | None, bind: Bind) -> bool:
    """Whether the agent vouched for the answers: MEASUREMENT names an ACK, and that ACK and its CLOSE are here."""
    if measurement.ack is None or data is None:
        return False
    if digest(data) != measurement.ack:
        raise refused(ErrorCode.TRANSCRIPT_DIFFERS, "the ACK that MEASUREMENT names", "another", "ack")
    ack = read_ack(data, bind.s)
    same = (
        ack.sid == measurement.sid
        and ack.landmark == measurement.link.landmark
        and ack.close == measurement.close
        and ack.transcript == measurement.transcript
        and ack.answered >= measurement.rounds_valid
    )
    if not same:
        raise refused(ErrorCode.TRANSCRIPT_DIFFERS, "an ACK of these answers", "another", "ack")
    return close is not None


def _abort(data: bytes, session: Session, session_digest: bytes, landmark: Admitted) -> Abort:
    abort = read_abort(data, landmark.key)
    if abort.link.landmark != landmark.key.key_id:
        raise refused(ErrorCode.WRONG_LANDMARK, "the landmark that signed", "another", "abort.landmark")
    if abort.sid != session.sid or abort.session != session_digest or abort.link.agent != session.agent.key_id:
        raise refused(ErrorCode.WRONG_SESSION, "this session", "another", "abort.session")
    return abort


def address_seen(measurement: VerifiedMeasurement, disclosure: Disclosure) -> Value:
    """Where the answers came from, if it was disclosed and is what the landmark committed to.

    Raises:
        Refused: it committed to something else.
    """
    return disclosed(disclosure, measurement.measurement.commitments)
