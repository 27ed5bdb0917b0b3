"""What it takes to check a bundle beside the pure procedure: areas made, evidence judged, a verdict computed."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lightbound.adjudication.verdicts import BorderUsed
from lightbound.attestation.chains import DeviceRoots
from lightbound.bundles.checking import Checked, Means, Trusted, check
from lightbound.bundles.contents import Bundle, SessionShown, Terms
from lightbound.enrolment.attested import host_evidence
from lightbound.enrolment.pinned import Pins, SessionEvidence, pin_of
from lightbound.errors import ErrorCode, refused
from lightbound.files.geojson import polygons_of
from lightbound.geo.areas import Drawing, parse_area
from lightbound.geo.borders import Borders, packaged_borders
from lightbound.geo.shapes import Area, area_of
from lightbound.judging.appraising import Appraiser, session_appraised
from lightbound.judging.deciding import ChipQuestion, Heard, Rules, decided
from lightbound.ranging.sessions.admitted import AdmittedLandmarks
from lightbound.ranging.sessions.verification import VerifiedSession


@dataclass(frozen=True, slots=True, kw_only=True)
class Computing:
    """Computes what a bundle says was computed."""

    roots: DeviceRoots
    appraise: Appraiser
    areas: Callable[[str], Area]
    border: BorderUsed

    def evidence(self, bundle: Bundle, found: VerifiedSession, shown: SessionShown) -> SessionEvidence:
        """What the evidence of one session comes to for the chip of the bundle."""
        quote_key = bundle.pinned.quote_key
        host = host_evidence(found.bind.n0(), found.evidence, shown.documents, roots=self.roots, quote_key=quote_key)
        mine = {chip: report for chip, report in host.reports.items() if chip == bundle.chip}
        # How the chip was at enrolment is no part of a verdict.
        pins = Pins(chips={chip: pin_of(report) for chip, report in mine.items()}, quote_key=quote_key)
        return session_appraised(found, host, pins, self.appraise)

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
    """What the check of a bundle comes to. It needs no network, no account, and no room to write.

    Raises:
        Malformed, Refused: the areas are none, or name other drawings than the bundle holds.
    """
    borders = packaged_borders()
    border_error_m = bundle.terms.border_error_m
    computing = Computing(
        roots=roots,
        appraise=appraise,
        areas=BundledAreas(bundle.terms, borders),
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


class BundledAreas:
    """The areas of a bundle by their texts, each made once. Drawings are those inside: no file is read."""

    def __init__(self, terms: Terms, borders: Borders) -> None:
        """Of a bundle with these terms.

        Raises:
            Malformed: a text is no area, or a drawing none.
            Refused: the areas name other drawings than those inside, or one is not what its name says.
        """
        self._borders, self._border_error_m = borders, float(terms.border_error_m)
        parts = [part for text in (terms.licensed, terms.excluded) if text for part in parse_area(text)]
        wanted = {part for part in parts if isinstance(part, Drawing)}
        if {part.path for part in wanted} != terms.drawings.keys():
            expected = "the drawings that the areas name"
            raise refused(ErrorCode.AREA_MALFORMED, expected, "others", "bundle.terms.drawings")
        for name, data in terms.drawings.items():
            # A verifier names its copies so; whoever committed to the text committed to the drawing.
            if name != f"drawings/{hashlib.sha256(data).hexdigest()[:32]}.geojson":
                expected = "a drawing that is named by its SHA-256"
                raise refused(ErrorCode.AREA_MALFORMED, expected, "another", "bundle.terms.drawings")
        self._drawings = {part: polygons_of(terms.drawings[part.path], part.path, part.feature) for part in wanted}
        self._made: dict[str, Area] = {}

    def __call__(self, text: str) -> Area:
        """The area of a text.

        Raises:
            Malformed: a country in it is none.
        """
        if text not in self._made:
            self._made[text] = area_of(
                parse_area(text),
                borders=self._borders,
                drawings=self._drawings,
                border_error_m=self._border_error_m,
            )
        return self._made[text]
