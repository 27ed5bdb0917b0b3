"""What a genuine device measured, judged as of an instant: the one way, for a verifier and for whoever checks it."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Protocol

from lightbound.attestation.appraisal import Reference, appraised
from lightbound.attestation.genuine import GenuineReport
from lightbound.attestation.manifests.verifying import verified_manifest
from lightbound.attestation.results import Appraisal
from lightbound.attestation.revocation.answers import revocations
from lightbound.enrolment.attested import HostEvidence
from lightbound.enrolment.pinned import Pins, SessionEvidence, session_evidence
from lightbound.ranging.sessions.verification import VerifiedSession


class Appraiser(Protocol):
    """Judges what a genuine device measured."""

    def __call__(self, report: GenuineReport, *, at_ns: int) -> Appraisal:
        """As of an instant."""
        ...


def appraiser_of(references: Sequence[Reference], answers: Sequence[tuple[str, bytes]] = ()) -> Appraiser:
    """What judges by these manifests, whose signatures were verified before, and tells what was revoked."""

    def appraise(report: GenuineReport, *, at_ns: int) -> Appraisal:
        # How many measurements agree is told where evidence is looked at by itself; here each would be a finding.
        notes = revocations(answers, report.chain, at_ns=at_ns)
        return replace(appraised(report, references=references, at_ns=at_ns), notes=notes)

    return appraise


def session_appraised(found: VerifiedSession, host: HostEvidence, pins: Pins, appraise: Appraiser) -> SessionEvidence:
    """What the evidence of a session comes to, as of when it was asked for."""
    appraisals = {chip: appraise(report, at_ns=found.session.issued_ns) for chip, report in host.reports.items()}
    return session_evidence(host, pins, appraisals)


def references_in(manifests: Iterable[bytes]) -> tuple[Reference, ...]:
    """What the manifests of a bundle say, each held to its maker's root.

    Raises:
        Malformed, Refused: one is no manifest of its maker.
    """
    return tuple(verified_manifest(data).reference(f"manifest {number}") for number, data in enumerate(manifests))
