"""What it takes to check a bundle beside the pure procedure: areas made, evidence judged, a verdict computed."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from lightbound.adjudication.verdicts import BorderUsed
from lightbound.attestation.chains import DeviceRoots
from lightbound.attestation.genuine import GenuineReport
from lightbound.attestation.results import Appraisal
from lightbound.bundles.checking import Checked, Means, Trusted, check
from lightbound.bundles.contents import Bundle, SessionShown, Terms
from lightbound.enrolment.attested import host_evidence
from lightbound.enrolment.pinned import Pins, SessionEvidence, pin_of
from lightbound.errors import ErrorCode, refused
from lightbound.files.geojson import polygons_of
from lightbound.geo.areas import Drawing, parse_area
from lightbound.geo.borders import Borders, Polygon, packaged_borders
from lightbound.geo.shapes import Area, area_of
from lightbound.judging.appraising import Appraiser, appraiser_of, references_in, session_appraised
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


def checked(bundle: Bundle, trusted: Trusted, *, roots: DeviceRoots, appraise: Appraiser | None = None) -> Checked:
    """What the check of a bundle comes to. It needs no network, no account, and no room to write.

    What reports measured is judged by the manifests inside, unless `appraise` is given.
    Nothing is made of what is inside before somebody who is trusted was found to have signed it.
    """
    borders = packaged_borders()
    border_error_m = bundle.terms.border_error_m
    areas = BundledAreas(bundle.terms, borders)
    computing = Computing(
        roots=roots,
        appraise=appraise or LazyAppraiser(bundle.manifests),
        areas=areas,
        border=BorderUsed.of(borders, error_m=border_error_m),
    )
    means = Means(
        evidence=computing.evidence,
        decide=computing.decide,
        check_drawings=areas.check_named,
        border_sha256=borders.sha256,
    )
    return check(bundle, trusted, means)


class BundledAreas:
    """The areas of a bundle by their texts, each made once. Drawings are those inside: no file is read."""

    def __init__(self, terms: Terms, borders: Borders) -> None:
        """Of a bundle with these terms. Nothing is made yet."""
        self._terms, self._borders = terms, borders
        self._made: dict[str, Area] = {}

    def check_named(self) -> None:
        """Nothing, if the drawings inside are those that the areas name, each what its name says.

        Raises:
            Malformed: a text is no area.
            Refused: they are others.
        """
        terms = self._terms
        if {part.path for part in self._drawings_named()} != terms.drawings.keys():
            expected = "the drawings that the areas name"
            raise refused(ErrorCode.AREA_MALFORMED, expected, "others", "bundle.terms.drawings")
        for name, data in terms.drawings.items():
            # A verifier names its copies so; whoever committed to the text committed to the drawing.
            if name != f"drawings/{hashlib.sha256(data).hexdigest()[:32]}.geojson":
                expected = "a drawing that is named by its SHA-256"
                raise refused(ErrorCode.AREA_MALFORMED, expected, "another", "bundle.terms.drawings")

    def __call__(self, text: str) -> Area:
        """The area of a text.

        Raises:
            Malformed: it is none, a country in it is none, or a drawing none.
        """
        if text not in self._made:
            self._made[text] = area_of(
                parse_area(text),
                borders=self._borders,
                drawings=self._drawings,
                border_error_m=float(self._terms.border_error_m),
            )
        return self._made[text]

    @cached_property
    def _drawings(self) -> dict[Drawing, tuple[Polygon, ...]]:
        drawings = self._terms.drawings
        return {part: polygons_of(drawings[part.path], part.path, part.feature) for part in self._drawings_named()}

    def _drawings_named(self) -> set[Drawing]:
        parts = [part for text in (self._terms.licensed, self._terms.excluded) if text for part in parse_area(text)]
        return {part for part in parts if isinstance(part, Drawing)}


class LazyAppraiser:
    """Judges by the manifests of a bundle, whose signatures are looked at when the first report is judged."""

    def __init__(self, manifests: Sequence[bytes]) -> None:
        """Nothing is read yet."""
        self._manifests = manifests

    def __call__(self, report: GenuineReport, *, at_ns: int) -> Appraisal:
        """As of an instant.

        Raises:
            Malformed, Refused: a manifest is none of its maker.
        """
        return self._by_them(report, at_ns=at_ns)

    @cached_property
    def _by_them(self) -> Appraiser:
        return appraiser_of(references_in(self._manifests))
