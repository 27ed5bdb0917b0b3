"""A bundle about one chip, from what a verifier keeps: its sessions, its reports, and nothing of other chips."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from lightbound.attestation.genuine import claimed_chip
from lightbound.attestation.revocation.answers import about
from lightbound.bundles.contents import Admission, Bundle, Logged, Pinned, SessionShown, Terms, VerdictShown
from lightbound.bundles.reading import verdict_order
from lightbound.bundles.spoken import spoken
from lightbound.bundles.vouching import vouched
from lightbound.enrolment.pinned import Pins
from lightbound.errors import ErrorCode, Fault, LightboundError, Refused
from lightbound.files.admission import AdmissionFolder
from lightbound.geo.areas import Drawing, parse_area
from lightbound.keys.ed25519 import SigningKey
from lightbound.keys.signing import digest
from lightbound.ranging.sessions.verification import SessionStatements, VerifiedSession
from lightbound.ranging.statements.binding import read_evidence
from lightbound.ranging.statements.session import chip_proof
from lightbound.roles.verifier.checking import concluded
from lightbound.roles.verifier.judging import Judge
from lightbound.roles.verifier.standings import instant
from lightbound.store.asked import Asked
from lightbound.store.enrolments import Agent
from lightbound.store.judged import ChipKept


@dataclass(frozen=True, slots=True, kw_only=True)
class _Session:
    """A session that holds, with what it was found in."""

    statements: SessionStatements
    verified: VerifiedSession
    documents: tuple[bytes, ...]


def bundle_of(
    judge: Judge,
    admission: AdmissionFolder,
    chip: bytes,
    key: SigningKey,
    *,
    data: Path,
    software: str,
    now_ns: int,
    with_site: bool,
    span_ns: tuple[int, int] | None = None,
) -> Bundle:
    """Everything that the newest decision about a chip rests on, or all decisions of a span: from, and before.

    `key` is the verifier's, which vouches for the rules and for what it pinned.

    A bundle has one directory, one site and one set of rules, those of today: what was decided by others does not
    follow from them, and the check says so.

    Raises:
        Refused: the chip is not known here, nothing was decided about it then, or a session of it does not hold.
        Malformed, Unavailable: what is kept cannot be read.
    """
    kept = judge.kept
    found = next((one for one in kept.judged.chips() if one.chip == chip), None)
    agent = None if found is None else kept.enrolments.agent(found.agent)
    if found is None or agent is None:
        raise Refused(Fault(code=ErrorCode.NOT_ENROLLED, expected="a chip that is enrolled here", found=chip.hex()))
    verdicts = _verdicts(judge, found, span_ns)
    pins = kept.enrolments.pins(agent.key.key_id)
    names = sorted({name for one in verdicts for name in one.basis})
    found_sessions = [
        (asked, _concluded(judge, asked, agent)) for asked in map(kept.asked.session, names) if asked is not None
    ]
    sessions = [_shown(asked, one, chip, with_site=with_site) for asked, one in found_sessions]
    made = Bundle(
        software=software,
        made_ns=now_ns,
        chip=chip,
        verifier=judge.verifier.raw,
        admission=Admission(
            directory=admission.directory,
            operators=tuple(sorted(admission.operators)),
            positions=tuple(sorted(admission.positions)),
        ),
        sessions=tuple(sessions),
        pinned=Pinned(is_attested=chip in pins.chips, quote_key=_quote_key(pins, chip, sessions)),
        terms=_terms(judge, agent, data),
        vouched=b"",
        verdicts=verdicts,
        manifests=judge.attestor.manifests,
        revocations=_revocations(judge, chip, pins, [one for _, one in found_sessions]),
        logged=_logged(judge, sessions),
    )
    return vouched(made, key)


def _logged(judge: Judge, sessions: Sequence[SessionShown]) -> tuple[Logged, ...]:
    """What the log gave for the measurements of these sessions, as far as it has come."""
    measured = [
        digest(of.measurement)
        for shown in sessions
        for of in shown.statements.by_landmark.values()
        if of.measurement is not None
    ]
    return tuple(
        Logged(statement=name, commitment=one.commitment, proof=one.proof)
        for name, one in judge.kept.receipts.of(measured).items()
    )


def _concluded(judge: Judge, asked: Asked, agent: Agent) -> _Session:
    found = concluded(
        asked,
        judge.kept.sequences.of_session(asked.digest),
        agent=agent.key,
        verifier=judge.verifier,
        landmarks=judge.landmarks,
    )
    if found.statements is None or found.verified is None:
        fault = Fault(
            code=ErrorCode.WRONG_SESSION,
            expected="sessions that hold under the directory, the site and the rules of now",
            found=f"{asked.digest.hex()}, asked for at {instant(asked.issued_ns)}, that does not ({found.why})",
            next="where one of them changed, each part needs its own bundle: --since, --until, --admission as it was",
        )
        raise Refused(fault)
    return _Session(statements=found.statements, verified=found.verified, documents=found.documents)


def _shown(asked: Asked, one: _Session, chip: bytes, *, with_site: bool) -> SessionShown:
    index = [name for name, _ in asked.chips].index(chip)
    return SessionShown(
        statements=replace(one.statements, by_landmark=spoken(one.verified, one.statements)),
        chip=chip_proof(asked.chips, index),
        site=asked.site if with_site else None,
        documents=_documents_of(chip, one.documents, one.statements.evidence),
    )


def _revocations(judge: Judge, chip: bytes, pins: Pins, sessions: Sequence[_Session]) -> tuple[bytes, ...]:
    """Of the answers about revocation those about this chip: others' would tell which other chips there are."""
    attestor = judge.attestor
    if not attestor.revocations or chip not in pins.chips:
        return ()
    evidence = [attestor.of_session(one.verified, one.documents, pins) for one in sessions]
    chains = {one.chains[chip] for one in evidence if chip in one.chains}
    return tuple(data for data in attestor.revocations if any(_is_about(data, chain) for chain in chains))


def _is_about(data: bytes, chain: Sequence[bytes]) -> bool:
    try:
        # When it is asked does not change whom the answer is about.
        return bool(about(data, chain, at_ns=0))
    except LightboundError:
        return False


def _documents_of(chip: bytes, documents: Sequence[bytes], manifest: bytes) -> tuple[bytes, ...]:
    """Of a host's documents the report and chain of one chip, and the quote; nothing of other chips."""
    evidence = read_evidence(manifest)
    by_digest = {hashlib.sha256(one).digest(): one for one in documents}
    kept = {evidence.quote} if evidence.quote is not None else set()
    for report, chain in evidence.reports:
        if chain in by_digest and _is_of(chip, by_digest[chain]):
            kept |= {report, chain}
    return tuple(by_digest[name] for name in sorted(kept) if name in by_digest)


def _is_of(chip: bytes, chain: bytes) -> bool:
    try:
        return claimed_chip(chain) == chip
    except LightboundError:
        return False


def _quote_key(pins: Pins, chip: bytes, sessions: Sequence[SessionShown]) -> bytes | None:
    """The key that quotes are held against; None if there is no quote that it would be held against."""
    is_quoted = any(read_evidence(one.statements.evidence).quote is not None for one in sessions)
    return pins.quote_key if chip in pins.chips and is_quoted else None


def _verdicts(judge: Judge, found: ChipKept, span_ns: tuple[int, int] | None) -> tuple[VerdictShown, ...]:
    """The newest decision about a chip, or every one of a span, each once."""
    if span_ns is not None:
        given = judge.kept.judged.given(found.chip, from_ns=span_ns[0], to_ns=span_ns[1])
        lines = [(one.line, one.basis) for one in given]
    else:
        lines = [] if found.line is None else [(found.line, found.basis)]
    if not lines:
        expected = "a chip about which something was decided"
        why = "not decided yet" if span_ns is None else "not decided then"
        raise Refused(Fault(code=ErrorCode.NOT_ENROLLED, expected=expected, found=f"{found.chip.hex()}, {why}"))
    shown = {VerdictShown(line=line, basis=tuple(sorted(basis))) for line, basis in lines}
    return tuple(sorted(shown, key=verdict_order))


def _terms(judge: Judge, agent: Agent, data: Path) -> Terms:
    policy, site = judge.policy, agent.site
    return Terms(
        licensed=site.licensed,
        excluded=site.excluded,
        drawings=_drawings((site.licensed, site.excluded), data),
        border_sha256=judge.areas.border.sha256,
        border_error_m=judge.areas.border.error_m,
        fault_budget=policy.fault_budget,
        proof=policy.proof,
        window_ns=policy.window_ns,
    )


def _drawings(texts: Sequence[str], data: Path) -> Mapping[str, bytes]:
    paths = {part.path for text in texts if text for part in parse_area(text) if isinstance(part, Drawing)}
    return {path: (data / path).read_bytes() for path in sorted(paths)}
