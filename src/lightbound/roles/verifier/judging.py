"""Decisions about an agent's chips, from the sessions that it answered within one window.

What decides is `adjudicate`, as for files; here it is only which sessions count. Those are of the window that ends with
the newest session that was answered, whether or not that one shows anything: an agent that answers without letting
itself be measured does not live on what it once proved.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import structlog

from lightbound.adjudication.adjudicate import adjudicate
from lightbound.adjudication.facts import Settings
from lightbound.adjudication.verdicts import Proof
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
from lightbound.roles.verifier.checking import concluded
from lightbound.roles.verifier.kept import Kept
from lightbound.roles.verifier.settings import Policy
from lightbound.store.asked import Asked
from lightbound.store.enrolments import Agent, Site
from lightbound.store.judged import Decision


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """Decides about chips. One thread uses it at a time."""

    kept: Kept
    verifier: VerifyingKey
    landmarks: AdmittedLandmarks
    areas: Areas
    policy: Policy

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
        believed = {
            one.digest: (one, found) for one in looked_at if (found := self.believed(one, agent.key)) is not None
        }
        chips = self.kept.enrolments.chips(agent.key.key_id)
        decisions = self.decided(chips, agent.site, list(believed.values()))
        self.kept.judged.decide(
            decisions, basis=list(believed), looked_at=[one.digest for one in looked_at], now_ns=now_ns
        )
        return decisions

    def believed(self, asked: Asked, agent: VerifyingKey) -> VerifiedSession | None:
        """A session as it holds today, from the bytes that are kept; None if it shows nothing."""
        try:
            found = concluded(
                asked,
                self.kept.sequences.of_session(asked.digest),
                agent=agent,
                verifier=self.verifier,
                landmarks=self.landmarks,
            ).verified
        except LightboundError as error:
            structlog.get_logger().error("session not as it was kept", session=asked.digest.hex(), **fields(error))
            return None
        if found is None or chips_root(asked.chips) != found.session.chips:
            return None
        return found

    def decided(
        self, chips: Sequence[bytes], site: Site, believed: Sequence[tuple[Asked, VerifiedSession]]
    ) -> list[Decision]:
        """Decisions about chips of one agent from these sessions and no others; equal arguments give equal bytes."""
        names = [chip.hex() for chip in chips]
        asked = chips_asked(names, [site] * len(names))
        landmarks = landmarks_of(self.landmarks)
        readings = readings_of(
            [found for _, found in believed],
            chips_of=chips_of([one for one, _ in believed]),
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
        told = list(objects(verdicts))
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


def chips_of(sessions: Sequence[Asked]) -> dict[bytes, list[str]]:
    """The chips that each session asked for, by its digest."""
    return {one.digest: [chip.hex() for chip, _ in one.chips] for one in sessions}


def read_line(line: str) -> Mapping[str, object]:
    """A verdict as it was kept."""
    read = json.loads(line)
    if not isinstance(read, dict):
        raise TypeError(type(read).__name__)
    return read
