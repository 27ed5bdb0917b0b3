"""From verified sessions to verdicts on chips: the one way, for a verifier that decides and for a stranger who checks.

What decides is `adjudicate`, as for files. Here it is only which sessions are about which chip, and what a chip's own
evidence adds: how strongly it is tied to the verdict, and whether it spoke against itself.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from lightbound.adjudication.adjudicate import adjudicate
from lightbound.adjudication.facts import Settings
from lightbound.adjudication.verdicts import BorderUsed, Proof
from lightbound.attestation.tiers import weakest
from lightbound.enrolment.pinned import AGAINST, SessionEvidence
from lightbound.files.verdicts import objects
from lightbound.geo.shapes import Area
from lightbound.ranging.readings import Chips
from lightbound.ranging.sessions.admitted import AdmittedLandmarks
from lightbound.ranging.sessions.measured import landmarks_of, readings_of
from lightbound.ranging.sessions.verification import VerifiedSession

TAMPERED: Final = "tampered"
"""The chip itself signed, freshly, what its maker's manifests contradict. Before every other standing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """A session that holds, the chips that it asked for, and what its evidence comes to."""

    session: VerifiedSession
    chips: tuple[bytes, ...]
    evidence: SessionEvidence


@dataclass(frozen=True, slots=True, kw_only=True)
class ChipQuestion:
    """A chip that is decided about, and what is asked of it."""

    chip: bytes
    licensed: str
    """Texts of areas; empty: not asked."""
    excluded: str
    is_attested: bool
    """It attested itself at enrolment, and is judged by the sessions that it signed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """How is decided, the same for all chips."""

    fault_budget: int
    proof: str
    window_ns: int


def decided(
    asked: Sequence[ChipQuestion],
    heard: Sequence[Heard],
    *,
    landmarks: AdmittedLandmarks,
    areas: Callable[[str], Area],
    border: BorderUsed,
    rules: Rules,
) -> list[dict[str, Any]]:
    """The verdict on each chip, as the object of `lightbound.verdict/1`; equal arguments give equal objects.

    1. A session is about the chips that it asked for; of those that attested themselves at enrolment, about such as
       signed it.
    2. What was measured in it decides, by `adjudicate`.
    3. The tier of a chip that attested itself is the lowest of its sessions; what it signed against itself comes before
       all that was measured.
    """
    chips = chips_asked([one.chip.hex() for one in asked], [(one.licensed, one.excluded) for one in asked])
    known = landmarks_of(landmarks)
    attested = {one.chip for one in asked if one.is_attested}
    verdicts = adjudicate(
        readings_of([one.session for one in heard], chips_of=chips_of(heard, attested), landmarks=known, chips=chips),
        landmarks=known,
        chips=chips,
        areas=[areas(text) for text in chips.areas],
        border=border,
        settings=Settings(fault_budget=rules.fault_budget, proof=Proof(rules.proof), window_ns=rules.window_ns),
        # Few rows: loading the compiled kernels would take longer than they save.
        use_compiled=False,
    )
    return [
        _with_evidence(verdict, [one.evidence for one in heard], one.chip) if one.is_attested else verdict
        for one, verdict in zip(asked, objects(verdicts), strict=True)
    ]


def chips_asked(names: Sequence[str], areas: Sequence[tuple[str, str]]) -> Chips:
    """Chips, and the licensed and excluded areas asked about for each, as `adjudicate` takes them."""
    numbers: dict[str, int] = {}
    columns = [
        [numbers.setdefault(text, len(numbers)) if text else -1 for text in texts]
        for texts in ([licensed for licensed, _ in areas], [excluded for _, excluded in areas])
    ]
    return Chips(
        chip_ids=list(names),
        licensed=np.array(columns[0], np.int32),
        excluded=np.array(columns[1], np.int32),
        areas=list(numbers),
    )


def chips_of(heard: Iterable[Heard], attested: Iterable[bytes]) -> Mapping[bytes, Sequence[str]]:
    """The chips that each session is about, by its digest; `attested` are those that have to have signed it."""
    named = {*attested}
    return {
        one.session.digest: [chip.hex() for chip in one.chips if chip not in named or chip in one.evidence.assurances]
        for one in heard
    }


def _with_evidence(verdict: dict[str, Any], evidences: Sequence[SessionEvidence], chip: bytes) -> dict[str, Any]:
    assurance = weakest([one.assurances[chip] for one in evidences if chip in one.assurances])
    told = {
        "tier": str(assurance.tier),
        "reasons": [str(one) for one in assurance.reasons],
        "does_not_show": [str(one) for one in assurance.does_not_show],
    }
    is_against = any(found.chip == chip and found.kind in AGAINST for one in evidences for found in one.findings)
    return {**verdict, "assurance": told, **({"standing": TAMPERED} if is_against else {})}
