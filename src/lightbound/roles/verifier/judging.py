"""Decisions about an agent's chips, from the sessions that it answered within one window.

Here it is only which sessions count. Those are of the window that ends with the newest session that was answered,
whether or not that one shows anything: an agent that answers without letting itself be measured does not live on what
it once proved.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import structlog

from lightbound.enrolment.pinned import Pins, SessionEvidence
from lightbound.errors import LightboundError
from lightbound.files.verdicts import json_line
from lightbound.judging.deciding import ChipQuestion, Heard, Rules, decided
from lightbound.keys.ed25519 import VerifyingKey
from lightbound.ranging.sessions.admitted import AdmittedLandmarks
from lightbound.ranging.sessions.verification import VerifiedSession
from lightbound.ranging.statements.session import chips_root
from lightbound.roles.logs import fields
from lightbound.roles.verifier.areas import Areas
from lightbound.roles.verifier.attesting import Attestor
from lightbound.roles.verifier.checking import concluded
from lightbound.roles.verifier.kept import Kept
from lightbound.roles.verifier.settings import Policy
from lightbound.store.asked import Asked
from lightbound.store.enrolments import Agent, Site
from lightbound.store.judged import Decision


@dataclass(frozen=True, slots=True, kw_only=True)
class Believed:
    """A session as it holds today."""

    asked: Asked
    session: VerifiedSession
    evidence: SessionEvidence

    @property
    def heard(self) -> Heard:
        """As verdicts are decided from it."""
        return Heard(session=self.session, chips=tuple(chip for chip, _ in self.asked.chips), evidence=self.evidence)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """Decides about chips. One thread uses it at a time."""

    kept: Kept
    verifier: VerifyingKey
    landmarks: AdmittedLandmarks
    areas: Areas
    policy: Policy
    attestor: Attestor = field(default_factory=Attestor)

    def judge(self, agent: Agent, *, now_ns: int) -> list[Decision]:
        """Decide about an agent's chips, and keep it; nothing, if it never answered.

        Raises:
            Malformed, Unavailable: an area cannot be made any more, or the database failed.
        """
        newest = self.kept.asked.newest_delivered(agent.key.key_id)
        if newest is None:
            return []
        after_ns = newest.issued_ns - self.policy.window_ns
        looked_at = self.kept.asked.delivered(agent.key.key_id, issued_after_ns=after_ns)
        pins = self.kept.enrolments.pins(agent.key.key_id)
        believed = [found for one in looked_at if (found := self.believed(one, agent.key, pins)) is not None]
        chips = self.kept.enrolments.chips(agent.key.key_id)
        decisions = self.decided(chips, agent.site, believed, pins)
        self.kept.judged.decide(
            decisions,
            basis=[one.asked.digest for one in believed],
            looked_at=[one.digest for one in looked_at],
            now_ns=now_ns,
        )
        return decisions

    def believed(self, asked: Asked, agent: VerifyingKey, pins: Pins) -> Believed | None:
        """A session as it holds today, from the bytes that are kept; None if it shows nothing."""
        try:
            found = concluded(
                asked,
                self.kept.sequences.of_session(asked.digest),
                agent=agent,
                verifier=self.verifier,
                landmarks=self.landmarks,
            )
        except LightboundError as error:
            structlog.get_logger().error("session not as it was kept", session=asked.digest.hex(), **fields(error))
            return None
        session = found.verified
        if session is None or chips_root(asked.chips) != session.session.chips:
            return None
        return Believed(asked=asked, session=session, evidence=self.attestor.of_session(session, found.documents, pins))

    def decided(self, chips: Sequence[bytes], site: Site, believed: Sequence[Believed], pins: Pins) -> list[Decision]:
        """Decisions about chips of one agent from these sessions and no others; equal arguments give equal bytes."""
        policy = self.policy
        verdicts = decided(
            [
                ChipQuestion(chip=chip, licensed=site.licensed, excluded=site.excluded, is_attested=chip in pins.chips)
                for chip in chips
            ],
            [one.heard for one in believed],
            landmarks=self.landmarks,
            areas=self.areas,
            border=self.areas.border,
            rules=Rules(fault_budget=policy.fault_budget, proof=policy.proof, window_ns=policy.window_ns),
        )
        return [
            Decision(chip=chip, standing=str(verdict["standing"]), line=json_line(verdict).rstrip("\n"))
            for chip, verdict in zip(chips, verdicts, strict=True)
        ]


def read_line(line: str) -> Mapping[str, object]:
    """A verdict as it was kept."""
    read = json.loads(line)
    if not isinstance(read, dict):
        raise TypeError(type(read).__name__)
    return read
