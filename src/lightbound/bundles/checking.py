"""The check of a bundle by a stranger: numbered steps, each with what it found, and one verdict computed again.

It asks nobody. What it believes beforehand, `Trusted` holds: a verifier's key, the parties of the directory, roots of
devices, a log with its witnesses. Everything else is in the bundle, and signed.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeAlias, TypeVar

from lightbound.bundles.chip_evidence import check_evidence
from lightbound.bundles.contents import Bundle, SessionShown, Terms, VerdictShown
from lightbound.bundles.logged import LogTrusted, check_logged
from lightbound.bundles.recomputed import follows
from lightbound.bundles.spoken import spoken
from lightbound.bundles.vouching import check_all_there, check_vouched
from lightbound.canonical.commitments import disclosed
from lightbound.enrolment.pinned import SessionEvidence
from lightbound.errors import ErrorCode, LightboundError, refused
from lightbound.keys.ed25519 import VerifyingKey
from lightbound.keys.purposes import Purpose
from lightbound.keys.signing import digest
from lightbound.ranging.sessions.admitted import AdmittedLandmarks, admitted
from lightbound.ranging.sessions.verification import VerifiedSession, verified_session
from lightbound.ranging.statements.admission import DirectoryTrust
from lightbound.ranging.statements.session import asked_for
from lightbound.units import counted

_Value = TypeVar("_Value")

Basis: TypeAlias = Sequence[tuple[VerifiedSession, SessionEvidence]]
"""Sessions on which a verdict rests, each with what its evidence comes to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trusted:
    """What is believed before a bundle is opened."""

    verifiers: tuple[VerifyingKey, ...]
    directory: DirectoryTrust
    log: LogTrusted | None = None
    """None: that statements were logged is not asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """How a check computes: what stands above this room, and so comes as arguments."""

    evidence: Callable[[Bundle, VerifiedSession, SessionShown], SessionEvidence]
    """What the evidence of a session comes to."""
    decide: Callable[[Bundle, Basis, AdmittedLandmarks], Mapping[str, Any]]
    """The verdict that follows from some sessions."""
    check_drawings: Callable[[], None]
    """Refuses drawings that the areas do not name."""
    border_sha256: str
    """Of the borders that are here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step: what was looked at, and what was found."""

    number: int
    what: str
    found: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What a check came to, as far as it got."""

    steps: Sequence[Step]
    """Those that hold."""
    error: LightboundError | None = None
    """Why it ended; None: every step holds."""
    failed: str | None = None
    """The step that does not hold."""
    verdicts: Sequence[Mapping[str, Any]] = ()
    """As they were given, each computed again and found the same."""
    landmarks: AdmittedLandmarks | None = None
    """Those of the directory."""
    newest: Basis = ()
    """The sessions that the last of the verdicts rests on."""
    from_ns: int = 0
    to_ns: int = 0
    """When the sessions were asked for, first and last."""


STEPS: Final = (
    "whose SESSIONs count",
    "the directory lets landmarks in",
    "sessions hold together",
    "the chip was asked for, at this site",
    "the chip's own evidence",
    "statements stand in the log",
    "the borders are those that were used",
    "the verdict follows",
    "nothing was left out",
)


def check(bundle: Bundle, trusted: Trusted, means: Means) -> Checked:
    """Every step until one fails.

    1. The verifier's key is one that is trusted, and signed the rules, and what it pinned of this chip.
    2. The directory is signed by enough of the trusted parties, and every statement that it lists is here.
    3. Each session holds by every step of CLP/1, from statements signed by verifier, agent and landmarks.
    4. Each session asked for this chip; the areas asked about are those that its SESSION committed to, where shown.
    5. Reports and quotes are what they claim, over the nonces that BIND gives. Answers about revocation are signed, and
       about the chip; what they say is told, and changes nothing.
    6. MEASUREMENTs stand in a log that is trusted, under a checkpoint that enough witnesses cosigned.
    7. The borders here have the hash of those that the verdict names; drawings are those that the areas name.
    8. Each verdict, computed again from its sessions, is the same: words exactly, metres within one.
    9. All is inside that the verifier signed to have put in, and nothing else; only sites may have been taken out.

    It does not show what was said after the last session, that the key was not copied, or what the assurance tier of
    the verdict leaves open.
    """
    run = _Run()
    try:
        of_all = run.step(lambda: _verifier(bundle, trusted))
        landmarks = run.step(lambda: _admitted(bundle, trusted))
        sessions = run.step(lambda: _sessions(bundle, landmarks))
        run.step(lambda: (_asked_for(bundle, sessions), None))
        evidence = run.step(lambda: check_evidence(bundle, sessions, means.evidence))
        run.step(lambda: (_logged(bundle, trusted, list(sessions.values())), None))
        run.step(lambda: (_borders(bundle.terms, means), None))
        decided = run.step(lambda: _verdicts(bundle, landmarks, sessions, evidence, means))
        run.step(lambda: (check_all_there(bundle, of_all), None))
    except LightboundError as error:
        return Checked(steps=run.steps, error=error, failed=STEPS[len(run.steps)])
    instants = [one.session.issued_ns for one in sessions.values()]
    return Checked(
        steps=run.steps,
        verdicts=[verdict for verdict, _ in decided],
        landmarks=landmarks,
        newest=decided[-1][1] if decided else (),
        from_ns=min(instants, default=0),
        to_ns=max(instants, default=0),
    )


@dataclass(slots=True)
class _Run:
    """The steps that held."""

    steps: list[Step] = field(default_factory=list)

    def step(self, look: Callable[[], tuple[str, _Value]]) -> _Value:
        """What the next step gives to those after it; what it found is kept."""
        found, value = look()
        number = len(self.steps) + 1
        self.steps.append(Step(number=number, what=STEPS[number - 1], found=found))
        return value


def _verifier(bundle: Bundle, trusted: Trusted) -> tuple[str, bytes]:
    for key in trusted.verifiers:
        if key.raw == bundle.verifier:
            of_all = check_vouched(bundle, key)
            who = f"verifier {key.key_id.hex()} is trusted"
            return f"{who}, and signed the rules and what it pinned of the chip", of_all
    raise refused(ErrorCode.WRONG_KEY, "a verifier that is trusted", bundle.verifier.hex(), "bundle.verifier")


def _admitted(bundle: Bundle, trusted: Trusted) -> tuple[str, AdmittedLandmarks]:
    said = bundle.admission
    found = admitted(said.directory, operators=said.operators, positions=said.positions, trust=trusted.directory)
    if found.missing:
        but = f"all but {found.missing}"
        raise refused(ErrorCode.NOT_ADMITTED, "every statement of the directory", but, "bundle.admission")
    parties = f"{trusted.directory.threshold} of {len(trusted.directory.keys)} parties"
    return f"{counted(len(found.by_id), 'landmark')}, by {parties}", found


def _sessions(bundle: Bundle, landmarks: AdmittedLandmarks) -> tuple[str, dict[bytes, VerifiedSession]]:
    verifier = VerifyingKey(purpose=Purpose.VERIFIER, raw=bundle.verifier)
    sessions = dict[bytes, VerifiedSession]()
    measured = acknowledged = 0
    for shown in bundle.sessions:
        found = verified_session(shown.statements, verifier=verifier, landmarks=landmarks)
        for landmark, error in found.refused.items():
            path = f"bundle.sessions.{found.digest.hex()[:16]}.{landmark.hex()[:8]}"
            fault = error.faults[0]
            raise refused(fault.code, fault.expected, fault.found, f"{path}.{fault.column or ''}")
        for landmark, said in shown.statements.by_landmark.items():
            if said != spoken(found, shown.statements).get(landmark):
                path = f"bundle.sessions.{found.digest.hex()[:16]}.{landmark.hex()[:8]}"
                raise refused(ErrorCode.WRONG_LANDMARK, "statements that the session rests on", "others", path)
        if found.digest in sessions:
            raise refused(ErrorCode.WRONG_SESSION, "each session once", "one twice", "bundle.sessions")
        sessions[found.digest] = found
        measured += len(found.measurements)
        acknowledged += sum(one.is_acknowledged for one in found.measurements)
    asked = sum(len(found.session.landmarks) for found in sessions.values())
    silent = f", {counted(asked - measured, 'landmark')} silent" if asked > measured else ""
    with_ = f"{counted(measured, 'measurement')}, {acknowledged} acknowledged by the agent{silent}"
    return f"{counted(len(sessions), 'session')} with {with_}", sessions


def _asked_for(bundle: Bundle, sessions: Mapping[bytes, VerifiedSession]) -> str:
    shown_sites = 0
    for shown in bundle.sessions:
        session = sessions[digest(shown.statements.session)].session
        path = f"bundle.sessions.{digest(shown.statements.session).hex()[:16]}"
        if not asked_for(replace(shown.chip, chip_id=bundle.chip), session.chips):
            raise refused(ErrorCode.DISCLOSURE_DIFFERS, "a session that asked for this chip", "another", f"{path}.chip")
        if shown.site is None:
            continue
        site = disclosed(shown.site, session.commitments)
        said = (site.get("licensed"), site.get("excluded")) if isinstance(site, dict) else None
        if said != (bundle.terms.licensed, bundle.terms.excluded):
            expected = "the areas that the session committed to"
            raise refused(ErrorCode.DISCLOSURE_DIFFERS, expected, "others", "bundle.terms")
        shown_sites += 1
    withheld = len(bundle.sessions) - shown_sites
    note = f"; of {withheld} the site is withheld, and who decides about other areas says so alone" if withheld else ""
    return f"chip {bundle.chip.hex()[:16]}.. in each{note}"


def _logged(bundle: Bundle, trusted: Trusted, sessions: Sequence[VerifiedSession]) -> str:
    measured = {
        digest(of.measurement or b"") for shown in bundle.sessions for of in shown.statements.by_landmark.values()
    }
    if not measured.issuperset(one.statement for one in bundle.logged):
        raise refused(ErrorCode.WRONG_SESSION, "proofs of measurements that are here", "of another", "bundle.logged")
    if trusted.log is None:
        return "not asked: no log is trusted, so that somebody may have been told something else"
    statements = {digest(shown.statements.session): shown.statements.by_landmark for shown in bundle.sessions}
    wanted = [
        (one, said)
        for session in sessions
        for one in session.measurements
        if (said := statements[session.digest][one.landmark.key.key_id].measurement) is not None
    ]
    return check_logged(bundle.logged, wanted, trusted.log)


def _borders(terms: Terms, means: Means) -> str:
    if terms.border_sha256 != means.border_sha256:
        expected = f"borders with SHA-256 {terms.border_sha256}"
        raise refused(ErrorCode.BORDERS_CORRUPT, expected, means.border_sha256, "bundle.terms.border_sha256")
    means.check_drawings()
    return f"SHA-256 {terms.border_sha256[:16]}.., within {terms.border_error_m} m"


def _verdicts(
    bundle: Bundle,
    landmarks: AdmittedLandmarks,
    sessions: Mapping[bytes, VerifiedSession],
    evidence: Mapping[bytes, SessionEvidence],
    means: Means,
) -> tuple[str, list[tuple[Mapping[str, Any], Basis]]]:
    unused = {*sessions}.difference(*(shown.basis for shown in bundle.verdicts))
    if unused:
        expected, found = "sessions on which a verdict rests", min(unused).hex()
        raise refused(ErrorCode.WRONG_SESSION, expected, found, "bundle.sessions")
    decided = list[tuple[Mapping[str, Any], Basis]]()
    for number, shown in enumerate(bundle.verdicts):
        path = f"bundle.verdicts[{number}]"
        basis = [(sessions[name], evidence[name]) for name in _basis(shown, sessions, path)]
        again = means.decide(bundle, basis, landmarks)
        decided.append((follows(shown.line, again, path), basis))
    words = ", ".join(str(verdict["standing"]) for verdict, _ in decided[:4])
    return f"{words}{' ...' if len(decided) > 4 else ''}: the same, word for word", decided


def _basis(shown: VerdictShown, sessions: Mapping[bytes, VerifiedSession], path: str) -> tuple[bytes, ...]:
    missing = [name for name in shown.basis if name not in sessions]
    if missing:
        expected = f"session {missing[0].hex()}, on which the verdict rests"
        raise refused(ErrorCode.WRONG_SESSION, expected, "none", f"{path}.basis")
    return shown.basis
