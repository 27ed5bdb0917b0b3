"""The chip's own evidence in a bundle: reports and quotes that manifests of its sessions name, and who was revoked."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace

from lightbound.attestation.revocation.answers import about
from lightbound.attestation.revocation.said import Answer, Status
from lightbound.bundles.contents import Bundle, SessionShown
from lightbound.enrolment.pinned import SessionEvidence
from lightbound.errors import ErrorCode, LightboundError, refused
from lightbound.keys.signing import digest
from lightbound.ranging.sessions.verification import VerifiedSession
from lightbound.units import counted


def check_evidence(
    bundle: Bundle,
    sessions: Mapping[bytes, VerifiedSession],
    evidence_of: Callable[[Bundle, VerifiedSession, SessionShown], SessionEvidence],
) -> tuple[str, dict[bytes, SessionEvidence]]:
    """What was found, and what the evidence of each session comes to.

    Raises:
        Malformed, Refused: a document that no manifest names, no quote of the pinned key, or an answer about
            revocation that nobody signed or that is about another chip.
    """
    for shown in bundle.sessions:
        found = sessions[digest(shown.statements.session)]
        named = {found.evidence.quote}.union(*found.evidence.reports)
        if not named.issuperset(map(digest, shown.documents)):
            path = f"bundle.sessions.{found.digest.hex()[:16]}.documents"
            raise refused(ErrorCode.EVIDENCE_DIFFERS, "documents that the manifest names", "another", path)
    if bundle.pinned.quote_key is not None and all(one.evidence.quote is None for one in sessions.values()):
        raise refused(ErrorCode.EVIDENCE_DIFFERS, "a quote by the pinned key", "none", "bundle.pinned.quote_key")
    if not bundle.pinned.is_attested:
        nothing = dict.fromkeys(sessions, SessionEvidence(assurances={}, findings=()))
        _revocations(bundle, sessions, nothing)
        return "none: tier A0, the chip is a name that follows from the agent's key", nothing
    evidence = dict[bytes, SessionEvidence]()
    for shown in bundle.sessions:
        found = sessions[digest(shown.statements.session)]
        evidence[found.digest] = evidence_of(bundle, found, shown)
    tiers = sorted({one.assurances[bundle.chip].tier for one in evidence.values() if bundle.chip in one.assurances})
    signed = sum(bundle.chip in one.assurances for one in evidence.values())
    tier = f", tier {tiers[0]} at least" if tiers else ""
    of = counted(len(evidence), "session")
    return f"the chip signed {signed} of {of}{tier}{_revocations(bundle, sessions, evidence)}", evidence


def _revocations(
    bundle: Bundle, sessions: Mapping[bytes, VerifiedSession], evidence: Mapping[bytes, SessionEvidence]
) -> str:
    """What answers about revocation say of the chip, as of the last session that each of its chains signed."""
    last_ns: dict[tuple[bytes, ...], int] = {}
    for name, one in evidence.items():
        chain = one.chains.get(bundle.chip, ())
        last_ns[chain] = max(last_ns.get(chain, 0), sessions[name].session.issued_ns)
    answers = list[Answer]()
    for number, data in enumerate(bundle.revocations):
        path = f"bundle.revocations[{number}]"
        try:
            found = [answer for chain, at_ns in last_ns.items() for answer in about(data, chain, at_ns=at_ns)]
        except LightboundError as error:
            fault = error.faults[0]
            raise type(error)([replace(fault, column=path)]) from error
        if not found:
            raise refused(ErrorCode.EVIDENCE_DIFFERS, "an answer about the chip's certificates", "another", path)
        if not all(answer.is_signed for answer in found):
            raise refused(ErrorCode.EVIDENCE_DIFFERS, "an answer that is signed", "a responder's error", path)
        answers += found
    if not bundle.revocations:
        return ""
    revoked = dict.fromkeys(str(answer) for answer in answers if answer.status is Status.REVOKED)
    counts = Counter(answer.status for answer in answers)
    told = "; ".join(revoked) or ", ".join(f"{counts[status]} {status}" for status in Status if counts[status])
    return f". Answers about revocation ({len(bundle.revocations)}): {told}"
