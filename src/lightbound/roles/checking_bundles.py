"""What it takes to check a bundle beside the pure procedure: areas made, evidence judged, a verdict computed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from lightbound.adjudication.verdicts import BorderUsed
from lightbound.attestation.chains import DeviceRoots
from lightbound.bundles.checking import Checked, Means, Trusted, check
from lightbound.bundles.contents import Bundle, SessionShown, Terms
from lightbound.enrolment.attested import host_evidence
from lightbound.enrolment.pinned import Pins, SessionEvidence, pin_of, session_evidence
from lightbound.errors import ErrorCode, refused
from lightbound.files.dossier import AreaMaker
from lightbound.geo.areas import Drawing, parse_area
from lightbound.geo.borders import packaged_borders
from lightbound.ranging.sessions.admitted import AdmittedLandmarks
from lightbound.ranging.sessions.verification import VerifiedSession
from lightbound.roles.deciding import ChipQuestion, Heard, Rules, decided
from lightbound.roles.verifier.attesting import Appraiser


@dataclass(frozen=True, slots=True, kw_only=True)
class Computing:
    """Computes what a bundle says was computed."""

    roots: DeviceRoots
    appraise: Appraiser
    areas: AreaMaker
    border: BorderUsed

    def evidence(self, bundle: Bundle, found: VerifiedSession, shown: SessionShown) -> SessionEvidence:
        """What the evidence of one session comes to for the chip of the bundle."""
        quote_key = bundle.pinned.quote_key
        host = host_evidence(found.bind.n0(), found.evidence, shown.documents, roots=self.roots, quote_key=quote_key)
        mine = {chip: report for chip, report in host.reports.items() if chip == bundle.chip}
        # How the chip was at enrolment is no part of a verdict.
        pins = Pins(chips={chip: pin_of(report) for chip, report in mine.items()}, quote_key=quote_key)
        appraisals = {
            chip: self.appraise(report, at_ns=found.session.issued_ns) for chip, report in host.reports.items()
        }
        return session_evidence(host, pins, appraisals)

    def decide(
        self,
        bundle: Bundle,
        basis: Sequence[tuple[VerifiedSession, SessionEvidence]],
        landmarks: AdmittedLandmarks,
    ) -> Mapping[str, Any]:
        """The verdict that follows from these sessions."""
        terms = bundle.terms
        question = ChipQuestion(
            chip=bundle.chip,
            licensed=terms.licensed,
            excluded=terms.excluded,
            is_attested=bundle.pinned.is_attested,
        )
        (verdict,) = decided(
            [question],
            [Heard(session=session, chips=(bundle.chip,), evidence=evidence) for session, evidence in basis],
            landmarks=landmarks,
            areas=self.areas,
            border=self.border,
            rules=Rules(fault_budget=terms.fault_budget, proof=terms.proof, window_ns=terms.window_ns),
        )
        return verdict


def checked(bundle: Bundle, trusted: Trusted, *, roots: DeviceRoots, appraise: Appraiser) -> Checked:
    """What the check of a bundle comes to. No network, no account; drawings are written to a folder that is gone after.

    Raises:
        Unavailable: there is no room for a drawing.
    """
    borders = packaged_borders()
    with TemporaryDirectory(prefix="lightbound-check-") as folder:
        _check_areas(bundle.terms)
        for name, data in bundle.terms.drawings.items():
            path = _inside(Path(folder), name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        border_error_m = bundle.terms.border_error_m
        computing = Computing(
            roots=roots,
            appraise=appraise,
            areas=AreaMaker(chips=Path(folder) / "chips.csv", borders=borders, border_error_m=float(border_error_m)),
            border=BorderUsed(
                name=borders.name,
                version=borders.version,
                viewpoint=borders.viewpoint,
                sha256=borders.sha256,
                error_m=border_error_m,
            ),
        )
        means = Means(evidence=computing.evidence, decide=computing.decide, border_sha256=borders.sha256)
        return check(bundle, trusted, means)


def _check_areas(terms: Terms) -> None:
    """Nothing, if the areas name no files but those that the bundle holds: others would be read from this machine.

    Raises:
        Malformed: a text is no area.
        Refused: one names another file.
    """
    for text in filter(None, (terms.licensed, terms.excluded)):
        for part in parse_area(text):
            if isinstance(part, Drawing) and part.path not in terms.drawings:
                expected = "areas that name drawings of this bundle"
                raise refused(ErrorCode.AREA_MALFORMED, expected, "another file", "bundle.terms")


def _inside(folder: Path, name: str) -> Path:
    """Where a drawing goes. Whoever wrote the bundle chose the name, and may not choose a place outside.

    Raises:
        Refused: it would be one.
    """
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()) or path == folder.resolve():
        raise refused(ErrorCode.AREA_MALFORMED, "a drawing's path below its folder", "another", "bundle.terms.drawings")
    return path
