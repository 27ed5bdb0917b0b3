"""A bundle that holds, as a page for people who decide about it: what was checked, whom that rests on, and the map."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from lightbound.adjudication.facts import Settings
from lightbound.adjudication.verdicts import Assumption, BorderUsed, Proof, Verdicts
from lightbound.attestation.tiers import IN_WORDS
from lightbound.bundles.checking import Checked, Trusted
from lightbound.bundles.contents import Bundle
from lightbound.drawing.chips import picture_of_chip
from lightbound.drawing.framing import Framing
from lightbound.drawing.layers import layers_of
from lightbound.drawing.page import Section, page
from lightbound.drawing.picture import Picture
from lightbound.enrolment.pinned import SessionEvidence
from lightbound.files.explanations import instant
from lightbound.geo.borders import packaged_borders
from lightbound.judging.bundle_check import BundledAreas
from lightbound.judging.deciding import Heard, chips_asked, chips_of
from lightbound.ranging.sessions.admitted import AdmittedLandmarks
from lightbound.ranging.sessions.measured import landmarks_of, readings_of
from lightbound.ranging.sessions.verification import VerifiedSession

InWords = Callable[[Verdicts, Assumption], str]
"""An assumption as a person is told it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What is told of a bundle that holds, on a page or on paper."""

    picture: Picture
    """Of the newest verdict, from the measurements alone."""
    lead: str
    """What a chip signed against itself is in these words, and not in the picture's."""
    sections: tuple[Section, ...]

    def page(self) -> bytes:
        """An HTML file."""
        return page(self.picture, layers_of(self.picture, Framing.AUTO), lead=self.lead, sections=self.sections)


def shown(bundle: Bundle, done: Checked, trusted: Trusted, does_not_show: Sequence[str], *, in_words: InWords) -> Shown:
    """What there is to tell of a check in which every step holds; equal arguments are told in equal bytes."""
    if done.error is not None or done.landmarks is None or not done.verdicts:
        raise ValueError("nothing is told of a bundle that does not hold")
    newest = done.verdicts[-1]
    picture = _picture(bundle, done.newest, done.landmarks, in_words)
    steps = tuple(f"{one.what}: {one.found}" for one in done.steps)
    return Shown(
        picture=replace(picture, tier=str(newest["assurance"]["tier"])),
        lead=f"This bundle holds. Verdict: {newest['standing']}, assurance tier {newest['assurance']['tier']}.",
        sections=(
            Section(title="What was checked", items=steps, is_numbered=True),
            Section(title="The verdict", pairs=_verdict(newest, done)),
            Section(title="Whom this rests on", pairs=_believed(trusted)),
            Section(title="By which rules, by the word of whoever made the bundle", pairs=_rules(bundle)),
            Section(title="What it does not show", items=tuple(IN_WORDS.get(one, one) for one in does_not_show)),
        ),
    )


def _verdict(newest: Mapping[str, Any], done: Checked) -> tuple[tuple[str, str], ...]:
    reasons = "; ".join(IN_WORDS.get(one, one) for one in newest["assurance"]["reasons"])
    return (
        ("Chip", str(newest["chip_id"])),
        ("Standing", str(newest["standing"])),
        ("Assurance tier", f"{newest['assurance']['tier']}: {reasons}"),
        ("Sessions asked for", f"from {instant(done.from_ns)} to {instant(done.to_ns)}"),
        ("Verdicts in the bundle", str(len(done.verdicts))),
    )


def _believed(trusted: Trusted) -> tuple[tuple[str, str], ...]:
    directory, log = trusted.directory, trusted.log
    told = [
        ("Verifiers", ", ".join(key.raw.hex() for key in trusted.verifiers)),
        (
            f"Parties of the directory, {directory.threshold} of them enough",
            ", ".join(key.raw.hex() for key in directory.keys),
        ),
    ]
    if log is None:
        return (*told, ("Log", "none: that statements were logged was not asked"))
    witnesses = ", ".join(map(str, log.witnesses)) or "none"
    return (*told, ("Log", str(log.key)), (f"Witnesses, {log.threshold} of them enough", witnesses))


def _rules(bundle: Bundle) -> tuple[tuple[str, str], ...]:
    terms = bundle.terms
    return (
        ("Licensed area", terms.licensed or "not asked"),
        ("Excluded area", terms.excluded or "not asked"),
        ("Fault units that may lie", str(terms.fault_budget)),
        ("Proof", terms.proof),
        ("Window", f"{terms.window_ns / 1e9:g} s"),
        ("Borders", f"SHA-256 {terms.border_sha256}, within {terms.border_error_m} m"),
    )


def _picture(
    bundle: Bundle,
    newest: Sequence[tuple[VerifiedSession, SessionEvidence]],
    admitted: AdmittedLandmarks,
    in_words: InWords,
) -> Picture:
    terms, borders = bundle.terms, packaged_borders()
    chips = chips_asked([bundle.chip.hex()], [(terms.licensed, terms.excluded)])
    heard = [Heard(session=session, chips=(bundle.chip,), evidence=evidence) for session, evidence in newest]
    attested = [bundle.chip] if bundle.pinned.is_attested else []
    landmarks, areas = landmarks_of(admitted), BundledAreas(terms, borders)
    return picture_of_chip(
        0,
        readings=readings_of(
            [session for session, _ in newest], chips_of=chips_of(heard, attested), landmarks=landmarks, chips=chips
        ),
        landmarks=landmarks,
        chips=chips,
        areas=[areas(text) for text in chips.areas],
        borders=borders,
        border=BorderUsed.of(borders, error_m=terms.border_error_m),
        settings=Settings(fault_budget=terms.fault_budget, proof=Proof(terms.proof), window_ns=terms.window_ns),
        in_words=in_words,
    )
