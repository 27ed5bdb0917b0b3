"""What enrolment pins of a host's chips, and what a later session finds to be otherwise.

A finding accuses nobody by itself. One kind alone speaks against a chip, `measurements_differ`: the chip itself signed
it, freshly. Firmware may be updated, boards repaired and chips replaced by whoever may do so.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum, auto
from typing import Final

from lightbound.attestation.genuine import Family, GenuineReport
from lightbound.attestation.node import topology
from lightbound.attestation.results import Appraisal, Result
from lightbound.attestation.tiers import Assurance, assured
from lightbound.enrolment.attested import HostEvidence
from lightbound.enrolment.requests import told
from lightbound.errors import ErrorCode, LightboundError, refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """A chip as it was when its agent enrolled."""

    chip: bytes
    product: str
    serial: str
    board: str | None
    firmware_id: bytes
    vbios: str | None
    driver: str | None
    root: str
    """Where its certificates lead."""
    is_simulated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Pins:
    """A host as it was when its agent enrolled; empty at tier A0."""

    chips: Mapping[bytes, Pin]
    quote_key: bytes | None
    """Name of the key that the host's quotes are signed with; None if it gave none."""


NO_PINS: Final = Pins(chips={}, quote_key=None)


class FindingKind(StrEnum):
    """What was found: a closed list, explained in `docs/verifier.md`."""

    MEASUREMENTS_DIFFER = auto()
    FOREIGN_CHIP = auto()
    """A genuine chip signed a session of an agent that it is not enrolled with."""
    REPORT_MISSING = auto()
    REPORT_REFUSED = auto()
    QUOTE_MISSING = auto()
    QUOTE_REFUSED = auto()
    FIRMWARE_CHANGED = auto()
    BOARD_CHANGED = auto()
    TOPOLOGY_OPEN = auto()
    NOTED = auto()
    """What the appraisal noted besides, such as a revocation."""
    ENROLLED_TWICE = auto()
    """Somebody tried to enrol a chip with another agent."""


AGAINST: Final = frozenset({FindingKind.MEASUREMENTS_DIFFER})
"""Findings that speak against a chip: its standing is `tampered`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was found in one session."""

    kind: FindingKind
    chip: bytes | None
    """None: it concerns the host."""
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionEvidence:
    """What the evidence of one session comes to, for the chips that were asked for."""

    assurances: Mapping[bytes, Assurance]
    """By chip: how strongly the session is tied to it. A chip that is pinned and not here did not sign the session, and
    nothing that was measured in it is about that chip."""
    findings: tuple[Finding, ...]
    chains: Mapping[bytes, tuple[bytes, ...]] = field(default_factory=dict)
    """By chip that signed: its certificates as DER, leaf first, which an answer about revocation may be about."""


def pins_of(host: HostEvidence, chips: tuple[bytes, ...]) -> Pins:
    """What is pinned of a host that enrols with these chips.

    Raises:
        Refused: a chip did not sign, or one signed that is not named; the first reason why.
    """
    for one in host.not_believed:
        fault = one.fault
        raise refused(fault.code, fault.expected, fault.found, f"enrol.{fault.column or one.what}")
    for chip in {*chips} ^ host.reports.keys():
        expected = "evidence of each chip that is named, and of no other"
        raise refused(ErrorCode.EVIDENCE_DIFFERS, expected, f"otherwise for {chip.hex()}", "enrol.chips")
    return Pins(
        chips={chip: pin_of(report) for chip, report in host.reports.items()},
        quote_key=None if host.quote is None else host.quote.key_name,
    )


def session_evidence(host: HostEvidence, pins: Pins, appraisals: Mapping[bytes, Appraisal]) -> SessionEvidence:
    """What the evidence of a session comes to, beside what was pinned. `appraisals` holds one for each report.

    1. A chip that is pinned, and signed this session, is tied to it; more strongly with the host's quote, if that is by
       the key that was pinned: with another, anybody's TPM would do.
    2. A genuine report of a chip that is not pinned here is a finding, and ties nothing.
    3. A pinned chip without a report, or with one that is not believed, is a finding, and is not tied.
    4. What a chip signed and is otherwise than pinned is a finding, and ties it all the same: firmware keeps identity.
    """
    assurances: dict[bytes, Assurance] = {}
    findings: list[Finding] = []
    is_quoted = host.quote is not None and host.quote.key_name == pins.quote_key
    for chip, report in host.reports.items():
        pin, appraisal = pins.chips.get(chip), appraisals[chip]
        if pin is None:
            detail = f"{report.device.product} with serial number {report.device.serial} signed this agent's session"
            findings.append(Finding(kind=FindingKind.FOREIGN_CHIP, chip=chip, detail=detail))
            continue
        simulated = report.device.root.is_simulated
        assurances[chip] = assured(appraisal.result, is_quoted=is_quoted, is_simulated=simulated)
        findings += _of_report(report, pin, appraisal)
    findings += _of_host(host, pins)
    chains = {chip: tuple(report.chain) for chip, report in host.reports.items()}
    return SessionEvidence(assurances=assurances, findings=tuple(findings), chains=chains)


def _of_report(report: GenuineReport, pin: Pin, appraisal: Appraisal) -> list[Finding]:
    found = []
    now = pin_of(report)
    if appraisal.result is Result.REFUSED and appraisal.is_authenticated:
        detail = "; ".join(str(fault) for fault in appraisal.faults)
        found.append(Finding(kind=FindingKind.MEASUREMENTS_DIFFER, chip=pin.chip, detail=told(detail)))
    if (now.firmware_id, now.vbios, now.driver) != (pin.firmware_id, pin.vbios, pin.driver):
        detail = f"VBIOS {pin.vbios}, driver {pin.driver} at enrolment; now {now.vbios}, {now.driver}"
        found.append(Finding(kind=FindingKind.FIRMWARE_CHANGED, chip=pin.chip, detail=told(detail)))
    if now.board != pin.board:
        detail = f"{pin.board} at enrolment; now {now.board}"
        found.append(Finding(kind=FindingKind.BOARD_CHANGED, chip=pin.chip, detail=told(detail)))
    found += [Finding(kind=FindingKind.NOTED, chip=pin.chip, detail=told(note)) for note in appraisal.notes]
    return found


def _of_host(host: HostEvidence, pins: Pins) -> list[Finding]:
    found = []
    refused_of: dict[bytes, str] = {}
    for one in host.not_believed:
        if one.what == "quote":
            found.append(Finding(kind=FindingKind.QUOTE_REFUSED, chip=None, detail=told(str(one.fault))))
        elif one.chip is not None and one.chip in pins.chips and one.chip not in host.reports:
            refused_of[one.chip] = str(one.fault)
        else:
            # In no chip's name, or in that of one which also gave a genuine report: anybody could have put it there.
            found.append(Finding(kind=FindingKind.REPORT_REFUSED, chip=None, detail=told(str(one.fault))))
    for chip in sorted(pins.chips.keys() - host.reports.keys()):
        kind = FindingKind.REPORT_REFUSED if chip in refused_of else FindingKind.REPORT_MISSING
        detail = refused_of.get(chip, "the session holds no report of this chip")
        found.append(Finding(kind=kind, chip=chip, detail=told(detail)))
    if pins.quote_key is not None and host.quote is None and all(one.what != "quote" for one in host.not_believed):
        detail = "the host quoted when it enrolled, and did not in this session"
        found.append(Finding(kind=FindingKind.QUOTE_MISSING, chip=None, detail=detail))
    try:
        # Switches that nobody asks are missing from no host: whether it closes is asked where they sign too.
        are_asked = any(one.device.family is Family.SWITCH for one in host.reports.values())
        node = topology(list(host.reports.values())) if are_asked else None
    except LightboundError as error:
        found.append(Finding(kind=FindingKind.TOPOLOGY_OPEN, chip=None, detail=told(str(error.faults[0]))))
    else:
        if node is not None:
            found += [
                Finding(kind=FindingKind.TOPOLOGY_OPEN, chip=None, detail=told(str(one)))
                for one in (*node.missing, *node.foreign)
            ]
    return found


def pin_of(report: GenuineReport) -> Pin:
    """What is pinned of a chip by its report."""
    opaque = report.report.opaque
    return Pin(
        chip=report.device.chip_id,
        product=report.device.product,
        serial=report.device.serial,
        board=opaque.board,
        firmware_id=report.firmware_id,
        vbios=opaque.vbios,
        driver=opaque.driver,
        root=report.device.root.name,
        is_simulated=report.device.root.is_simulated,
    )
