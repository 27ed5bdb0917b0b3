"""What a session came to: the delivery and what landmarks said, put together and checked as a stranger would.

Where the agent brought nothing of a landmark, or something that is not believed, the landmark's own words stand in.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from lightbound.enrolment.delivery import Content, Part, Step, read_delivery
from lightbound.errors import LightboundError
from lightbound.keys.ed25519 import VerifyingKey
from lightbound.ranging.sessions.admitted import AdmittedLandmarks
from lightbound.ranging.sessions.verification import (
    LandmarkStatements,
    SessionStatements,
    VerifiedSession,
    verified_session,
)
from lightbound.ranging.statements.kinds import Kind
from lightbound.ranging.statements.session import read_session
from lightbound.store.asked import CHECKED, FAILED, UNANSWERED, Asked, PartKept
from lightbound.store.sequences import Signed

VERIFY: Final = "verify"
"""The step that is ours: what was brought does not hold."""

MEASURED: Final = ("measured", "unacknowledged")
"""Outcomes that give a bound."""

Fetched = Mapping[bytes, Mapping[Kind, bytes]]
"""Statements of landmarks by type, that the verifier asked for itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Concluded:
    """What a session came to."""

    state: str
    step: str | None
    why: str | None
    parts: tuple[PartKept, ...]
    evidence: bytes | None = None
    documents: tuple[bytes, ...] = ()
    """What the evidence names, as the agent brought it; nothing of it is checked here."""
    verified: VerifiedSession | None = None
    statements: SessionStatements | None = None
    """What `verified` was found in."""
    signed: tuple[Signed, ...] = ()
    """MEASUREMENTs and ABORTs that were brought and are believed."""


def concluded(
    asked: Asked, fetched: Fetched, *, agent: VerifyingKey, verifier: VerifyingKey, landmarks: AdmittedLandmarks
) -> Concluded:
    """What became of a session, from what is here now.

    1. Undelivered: it was not answered, whatever landmarks say.
    2. The agent came to no BIND: it says at which step it stopped.
    3. All that is here is checked as `verified_session` has it.
    4. For a landmark that is not believed by what the agent brought, its own statements are tried instead.

    Raises:
        Malformed, Refused: SESSION or the delivery are not what was kept: somebody changed the database.
    """
    session = read_session(asked.statement, verifier)
    if asked.delivery is None or asked.delivered_ns is None:
        parts = tuple(PartKept(landmark=one, outcome="unanswered") for one in session.landmarks)
        return Concluded(state=UNANSWERED, step="delivery", why="it ran out before anything was brought", parts=parts)
    content = read_delivery(asked.delivery, agent, now_ns=asked.delivered_ns)
    if content.bind is None or content.evidence is None:
        step, why = _failure(content, Step.BIND, "no BIND was brought")
        return Concluded(state=FAILED, step=step, why=why, parts=_unproven(content, session.landmarks))
    statements = _assembled(asked, content, fetched)
    try:
        found = verified_session(statements, verifier=verifier, landmarks=landmarks)
        distrusted = [one for one in found.refused if one in fetched]
        if distrusted:
            statements = _instead(statements, fetched, distrusted)
            found = verified_session(statements, verifier=verifier, landmarks=landmarks)
    except LightboundError as error:
        parts = _unproven(content, session.landmarks)
        return Concluded(state=FAILED, step=VERIFY, why=str(error.faults[0]), parts=parts)
    failed = None if found.measurements else _failure(content, Step.MEASUREMENT, "no landmark measured")
    return Concluded(
        state=CHECKED,
        step=failed[0] if failed else None,
        why=failed[1] if failed else None,
        parts=_parts(found, content),
        evidence=statements.evidence,
        documents=content.documents,
        verified=found,
        statements=statements,
        signed=_signed(found, statements, asked.agent),
    )


def _assembled(asked: Asked, content: Content, fetched: Fetched) -> SessionStatements:
    by_landmark = {}
    for landmark in {*content.landmarks, *fetched}:
        brought = content.landmarks[landmark].statements if landmark in content.landmarks else LandmarkStatements()
        own = fetched.get(landmark, {})
        by_landmark[landmark] = LandmarkStatements(
            contrib=brought.contrib or own.get(Kind.CONTRIB),
            close=brought.close or own.get(Kind.CLOSE),
            ack=brought.ack or own.get(Kind.ACK),
            measurement=brought.measurement or own.get(Kind.MEASUREMENT),
            abort=brought.abort or own.get(Kind.ABORT),
        )
    if content.bind is None or content.evidence is None:
        raise TypeError("no BIND")
    return SessionStatements(
        session=asked.statement, bind=content.bind, evidence=content.evidence, by_landmark=by_landmark
    )


def _instead(statements: SessionStatements, fetched: Fetched, landmarks: list[bytes]) -> SessionStatements:
    """The same with these landmarks' own words in place of what the agent brought of them."""
    by_landmark = dict(statements.by_landmark)
    for landmark in landmarks:
        own = fetched[landmark]
        by_landmark[landmark] = LandmarkStatements(
            contrib=own.get(Kind.CONTRIB) or by_landmark[landmark].contrib,
            close=own.get(Kind.CLOSE),
            ack=own.get(Kind.ACK),
            measurement=own.get(Kind.MEASUREMENT),
            abort=own.get(Kind.ABORT),
        )
    return replace(statements, by_landmark=by_landmark)


def _parts(found: VerifiedSession, content: Content) -> tuple[PartKept, ...]:
    parts: dict[bytes, PartKept] = {}
    for one in found.measurements:
        name = one.landmark.key.key_id
        parts[name] = PartKept(landmark=name, outcome=MEASURED[0] if one.is_acknowledged else MEASURED[1])
    for name, abort in found.aborts.items():
        step, why = _part_failure(content.landmarks.get(name), Step.CLOSE, f"the landmark ended it: {abort.why}")
        parts[name] = PartKept(landmark=name, outcome="aborted", step=step, why=why)
    for name in found.absent:
        step, why = _part_failure(content.landmarks.get(name), Step.CONTRIB, "the agent counted it among the absent")
        parts[name] = PartKept(landmark=name, outcome="absent", step=step, why=why)
    for name in found.silent:
        step, why = _part_failure(content.landmarks.get(name), Step.MEASUREMENT, "it never came")
        parts[name] = PartKept(landmark=name, outcome="silent", step=step, why=why)
    for name, error in found.refused.items():
        parts[name] = PartKept(landmark=name, outcome="refused", step=VERIFY, why=str(error.faults[0]))
    return tuple(parts[name] for name in sorted(parts))


def _unproven(content: Content, landmarks: tuple[bytes, ...]) -> tuple[PartKept, ...]:
    parts = []
    for name in landmarks:
        step, why = _part_failure(content.landmarks.get(name), None, None)
        parts.append(PartKept(landmark=name, outcome="unproven", step=step, why=why))
    return tuple(parts)


def _part_failure(part: Part | None, step: Step | None, why: str | None) -> tuple[str | None, str | None]:
    if part is not None and part.failure is not None:
        return str(part.failure.step), part.failure.why
    return None if step is None else str(step), why


def _failure(content: Content, step: Step, why: str) -> tuple[str, str]:
    """Why a session came to nothing: what the agent says of it, else of the first landmark that it says anything of."""
    failures = [content.failure, *(part.failure for _, part in sorted(content.landmarks.items()))]
    for failure in failures:
        if failure is not None:
            return str(failure.step), failure.why
    return str(step), why


def _signed(found: VerifiedSession, statements: SessionStatements, agent: bytes) -> tuple[Signed, ...]:
    ends = [(one.landmark.key.key_id, Kind.MEASUREMENT, one.measurement.link) for one in found.measurements]
    ends += [(name, Kind.ABORT, abort.link) for name, abort in found.aborts.items()]
    signed = []
    for name, kind, link in ends:
        said = statements.by_landmark[name]
        data = said.measurement if kind is Kind.MEASUREMENT else said.abort
        if data is not None:
            signed.append(Signed(kind=kind, session=found.digest, landmark=name, agent=agent, data=data, link=link))
    return tuple(signed)
