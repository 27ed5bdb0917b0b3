"""Decisions about an agent's chips, from the sessions that it answered within one window.

What decides is `adjudicate`, as for files; here it is only which sessions count. Those are of the window that ends with
the newest session that was answered, whether or not that one shows anything: an agent that answers without letting
itself be measured does not live on what it once proved.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import structlog

from lightbound.adjudication.adjudicate import adjudicate
from lightbound.adjudication.facts import Settings
from lightbound.adjudication.verdicts import Proof
from lightbound.attestation.tiers import weakest
from lightbound.enrolment.pinned import AGAINST, Pins, SessionEvidence
from lightbound.errors import LightboundError
from lightbound.files.verdicts import json_line, objects
from lightbound.keys.ed25519 import VerifyingKey
from lightbound.ranging.readings import Chips
from lightbound.ranging.sessions.admitted import AdmittedLandmarks
from lightbound.ranging.sessions.measured import landmarks_of, readings_of
from lightbound.ranging.sessions.verification import VerifiedSession
from lightbound.ranging.statements.session import chips_root
from lightbound.roles.logs import fields
from lightbound.roles.verifier.areas import Areas
from lightbound.roles.verifier.attesting import Attestor, tied
from lightbound.roles.verifier.checking import concluded
from lightbound.roles.verifier.kept import Kept
from lightbound.roles.verifier.settings import Policy
from lightbound.store.asked import Asked
from lightbound.store.enrolments import Agent, Site
from lightbound.store.judged import Decision

TAMPERED: Final = "tampered"
"""The chip itself signed, freshly, what its maker's manifests contradict. Before every other standing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Believed:
    """A session as it holds today."""

    asked: Asked
    session: VerifiedSession
    evidence: SessionEvidence


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
        """Decisions about chips of one agent from these sessions and no others; equal arguments give equal bytes.

        A chip that attested itself at enrolment is judged by those sessions that it signed. What it signed against
        itself in one of them comes before all that was measured.
        """
        names = [chip.hex() for chip in chips]
        asked = chips_asked(names, [site] * len(names))
        landmarks = landmarks_of(self.landmarks)
        readings = readings_of(
            [one.session for one in believed],
            chips_of=chips_of(believed, pins),
            landmarks=landmarks,
            chips=asked,
        )
        verdicts = adjudicate(
            readings,
            landmarks=landmarks,
            chips=asked,
            areas=[self.areas(text) for text in asked.areas],
            border=self.areas.border,
            settings=Settings(
                fault_budget=self.policy.fault_budget,
                proof=Proof(self.policy.proof),
                window_ns=self.policy.window_ns,
            ),
            # Few rows: loading the compiled kernels would take longer than they save.
            use_compiled=False,
        )
        told = [
            attested(verdict, [one.evidence for one in believed], chip) if chip in pins.chips else verdict
            for chip, verdict in zip(chips, objects(verdicts), strict=True)
        ]
        return [
            Decision(chip=chip, standing=str(verdict["standing"]), line=json_line(verdict).rstrip("\n"))
            for chip, verdict in zip(chips, told, strict=True)
        ]


def chips_asked(names: Sequence[str], sites: Sequence[Site]) -> Chips:
    """Chips and the areas asked about for each, as `adjudicate` takes them."""
    numbers: dict[str, int] = {}
    columns = [
        [numbers.setdefault(text, len(numbers)) if text else -1 for text in texts]
        for texts in ([site.licensed for site in sites], [site.excluded for site in sites])
    ]
    return Chips(
        chip_ids=list(names),
        licensed=np.array(columns[0], np.int32),
        excluded=np.array(columns[1], np.int32),
        areas=list(numbers),
    )


def chips_of(believed: Sequence[Believed], pins: Pins) -> dict[bytes, list[str]]:
    """The chips that each session is about, by its digest."""
    return {
        one.asked.digest: [chip.hex() for chip in tied((chip for chip, _ in one.asked.chips), pins, one.evidence)]
        for one in believed
    }


def attested(verdict: dict[str, Any], evidences: Sequence[SessionEvidence], chip: bytes) -> dict[str, Any]:
    """A verdict about a chip with what its evidence adds: how strongly the chip is tied to it, and `tampered`."""
    assurance = weakest([one.assurances[chip] for one in evidences if chip in one.assurances])
    told = {
        "tier": str(assurance.tier),
        "reasons": [str(one) for one in assurance.reasons],
        "does_not_show": list(assurance.does_not_show),
    }
    is_against = any(found.chip == chip and found.kind in AGAINST for one in evidences for found in one.findings)
    return {**verdict, "assurance": told, **({"standing": TAMPERED} if is_against else {})}


def read_line(line: str) -> Mapping[str, object]:
    """A verdict as it was kept."""
    read = json.loads(line)
    if not isinstance(read, dict):
        raise TypeError(type(read).__name__)
    return read
