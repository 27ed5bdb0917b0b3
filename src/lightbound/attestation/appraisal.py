"""Whether what a genuine device measured is what its maker released: held against manifests, as of an instant.

Which device signed is proven before (`genuine`), and stays proven whatever comes out here.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum, auto
from typing import Final

from lightbound.attestation.genuine import Family, GenuineReport
from lightbound.attestation.opaque import Type
from lightbound.attestation.results import Appraisal, Lacking, Reason, Result
from lightbound.errors import ErrorCode, Fault

NOT_FRESH: Final = "no nonce was compared: the report may be an old one"
MOST_INDICES: Final = 8
"""Indices of measurements that are told one by one; past that, how many more."""


KNOWN_TO_DIFFER: Final = {Family.HOPPER: frozenset({9})}
"""Measurements at which genuine devices are known to differ from manifests that their maker signed: after a restart, in
another mode, or with a manifest that was replaced later (NVIDIA/nvtrust, issues 28, 90 and 132; both reports of one
chip that the tests look at). Held against the device, an honest one would be called tampered with; passed over, a
change that shows nowhere else would not be seen. So it is neither: what differs here alone is unappraised."""

NVDEC0_OFF: Final = b"\x55"
NVDEC0_MEASUREMENT: Final = 35
"""Of the firmware of a video decoder. Where a GPU states that this decoder is off it is passed over, which the vendor's
verifier means to do as well (nv-local-gpu-verifier 2.7.3, `is_msr_35_valid`). Compared all the same, it could refuse a
genuine GPU for something that it does not run; passed over, what is in a decoder that is off is not judged."""


class Kind(StrEnum):
    """Which software a manifest is of; a GPU takes one of each."""

    DRIVER = auto()
    VBIOS = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A manifest that a report is to be held against."""

    kind: Kind
    product: str
    version: str
    file_id: str
    """What the vendor's service calls it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """What a manifest says, its signature and the signer's chain having been verified before."""

    name: str
    """The file that it came from."""
    product: str
    version: str
    measurements: Mapping[int, frozenset[bytes]]
    """The digests that are right, by index; active ones alone. Index i is `Report.measurements[i]`."""
    from_ns: int
    to_ns: int
    """When every certificate of its signer is valid, both included."""

    def is_of(self, wanted: Wanted) -> bool:
        """Whether it is the one wanted: by what is signed in it, for a file can be called anything."""
        return (self.product, self.version) == (wanted.product, wanted.version)

    def is_current(self, at_ns: int) -> bool:
        """Whether its signer was valid then."""
        return self.from_ns <= at_ns <= self.to_ns

    def differing(self, genuine: GenuineReport) -> list[int]:
        """The indices at which a device measured something else, or nothing, but for those that are passed over."""
        measured, passed_over = genuine.report.measurements, _passed_over(genuine)
        return [
            index
            for index, right in sorted(self.measurements.items())
            if index not in passed_over and (index >= len(measured) or measured[index] not in right)
        ]


def _passed_over(genuine: GenuineReport) -> frozenset[int]:
    is_off = genuine.report.opaque.fields.get(Type.NVDEC0_STATUS) == NVDEC0_OFF
    return frozenset({NVDEC0_MEASUREMENT}) if is_off and genuine.device.family is Family.HOPPER else frozenset()


def wanted(genuine: GenuineReport) -> tuple[Wanted, ...]:
    """The manifests for a GPU's driver and VBIOS; fewer, if it does not state which it runs. None for a switch."""
    product, said = genuine.device.product, genuine.report.opaque
    if genuine.device.family is Family.SWITCH:
        return ()
    found = []
    if said.driver is not None:
        file_id = f"NV_GPU_DRIVER_{product}_{said.driver}"
        found.append(Wanted(kind=Kind.DRIVER, product=product, version=said.driver, file_id=file_id))
    if said.vbios is not None and said.board is not None:
        file_id = f"NV_GPU_VBIOS_{said.board.replace('-', '_')}_{said.vbios.replace('.', '')}".upper()
        found.append(Wanted(kind=Kind.VBIOS, product=product, version=said.vbios, file_id=file_id))
    return tuple(found)


def appraised(genuine: GenuineReport, *, references: Sequence[Reference], at_ns: int | None) -> Appraisal:
    """What a genuine report comes to, as of an instant.

    1. No instant: unappraised. Nothing below can be judged without one.
    2. The device's certificates were not valid then: refused. It is not held against the device, for then they do not
       say whose the key is.
    3. A manifest for its driver or for its VBIOS is not here, or is not known to exist: unappraised.
    4. One is here, but its signer was not valid then: unappraised. What differs from it is a note and no refusal: a
       key is guarded no longer than its certificate holds, so that what it signed says nothing, for or against.
    5. A measurement differs from one that its driver's or its VBIOS's manifest has: refused, and the device signed it.
       What both have must agree with both. Where several manifests are of one version, of different boards, it is
       held against the one that it differs least from: a manifest does not say which board it is for.
    6. A manifest has nothing to compare, or all that differs are measurements at which genuine devices are known to:
       unappraised.
    7. Everything that both manifests have agrees: verified. Measurements that neither has were not judged.

    Why a measurement differs, nothing here knows. Genuine H100s do at index 9: users report it after mere restarts
    (NVIDIA/nvtrust, issues 90 and 132), and so do both reports of one chip among the vendor's own samples. So 5 says
    that the firmware is not shown to be the maker's, and not that somebody changed it.

    5 goes before 3 and 4: a device that differs from one manifest is refused whatever else is missing.
    """
    notes: tuple[str, ...] = () if genuine.is_fresh else (NOT_FRESH,)
    if at_ns is None:
        return Appraisal(result=Result.UNAPPRAISED, reasons=(_NO_TIME,), notes=notes)
    if not genuine.from_ns <= at_ns <= genuine.to_ns:
        fault = Fault(
            code=ErrorCode.NOT_VALID_THEN,
            expected="a time when the device's certificates are valid",
            found="one when they are not",
            column="chain",
            next="check the clock, or --as-of",
        )
        return Appraisal(result=Result.REFUSED, faults=(fault,), is_authenticated=False, notes=notes)
    measured = genuine.report.measurements
    reasons, faults, judged = list(_not_known(genuine)), [], set[int]()
    for one in wanted(genuine):
        here = [reference for reference in references if reference.is_of(one)]
        current = [reference for reference in here if reference.is_current(at_ns)]
        if not current:
            reasons.append(_absent(one, here))
            notes += tuple(_stale(reference, genuine) for reference in here)
            continue
        nearest = min(current, key=lambda reference: _far(reference, genuine))
        judged |= nearest.measurements.keys() - _passed_over(genuine)
        if differing := nearest.differing(genuine):
            if _is_known(differing, genuine):
                reasons.append(_known_to_differ(one, differing))
            else:
                faults.append(_differs(one, differing))
        elif not nearest.measurements.keys() - _passed_over(genuine):
            reasons.append(_empty(one))
    if faults:
        return Appraisal(result=Result.REFUSED, reasons=tuple(reasons), faults=tuple(faults), notes=notes)
    if reasons:
        return Appraisal(result=Result.UNAPPRAISED, reasons=tuple(reasons), notes=notes)
    notes += (f"{len(judged)} of {len(measured)} measurements are in the manifests, and agree",)
    return Appraisal(result=Result.VERIFIED, notes=notes)


_NO_TIME: Final = Reason(lacking=Lacking.TIME, why="nobody said as of when to judge", next="say when: --as-of")


def _not_known(genuine: GenuineReport) -> Iterable[Reason]:
    if genuine.device.family is Family.SWITCH:
        why = "no manifests for switches are read here"
        yield Reason(lacking=Lacking.MANIFEST, why=why, next="nothing; which switch signed is proven")
        return
    asked = {one.kind for one in wanted(genuine)}
    for kind in Kind:
        if kind not in asked:
            why = f"the device does not state its {_NAMES[kind]} in full, so no manifest of it can be named"
            yield Reason(lacking=Lacking.MANIFEST, why=why, next="nothing; which device signed is proven")


_NAMES: Final = {Kind.DRIVER: "driver", Kind.VBIOS: "VBIOS"}


def _absent(one: Wanted, here: Sequence[Reference]) -> Reason:
    name = f"{_NAMES[one.kind]} {one.version}"
    if here:
        return Reason(
            lacking=Lacking.SIGNER_CURRENT,
            why=f"the manifest of {name} was signed with a certificate that was not valid then",
            next=f"judge as of when the evidence was made (--as-of), or get a newer manifest {one.file_id}",
        )
    return Reason(
        lacking=Lacking.MANIFEST, why=f"no manifest of {name} is here", next=f"get the maker's manifest {one.file_id}"
    )


def _empty(one: Wanted) -> Reason:
    why = f"the manifest of {_NAMES[one.kind]} {one.version} has no measurement to compare"
    return Reason(lacking=Lacking.MEASUREMENT, why=why, next=f"get the maker's manifest {one.file_id} anew")


def _far(reference: Reference, genuine: GenuineReport) -> tuple[bool, int, int, str]:
    """How far a device is from a manifest. What it comes to never hangs on the names of files, which come last."""
    differing = reference.differing(genuine)
    return not _is_known(differing, genuine), len(differing), -len(reference.measurements), reference.name


def _is_known(differing: Sequence[int], genuine: GenuineReport) -> bool:
    return {*differing} <= KNOWN_TO_DIFFER.get(genuine.device.family, frozenset())


def _known_to_differ(one: Wanted, differing: list[int]) -> Reason:
    why = (
        f"measurement {_indices(differing)} is not what the manifest of {_NAMES[one.kind]} {one.version} has, as is "
        "known of genuine devices too; everything else agrees"
    )
    return Reason(lacking=Lacking.MEASUREMENT, why=why, next=f"look for a newer manifest {one.file_id}")


def _stale(reference: Reference, genuine: GenuineReport) -> str:
    differing = reference.differing(genuine)
    how = f"measurements {_indices(differing)} differ from it" if differing else "nothing differs from it"
    return f"{reference.name}: its signer was not valid then; {how}"


def _differs(one: Wanted, differing: list[int]) -> Fault:
    return Fault(
        code=ErrorCode.MEASUREMENT_DIFFERS,
        expected=f"what the manifest of {_NAMES[one.kind]} {one.version} has",
        found=f"other measurements {_indices(differing)}",
        column="response.record",
        next="get the newest manifest, restart the device and collect again; if it stays so, ask its maker",
    )


def _indices(indices: list[int]) -> str:
    told = ", ".join(map(str, indices[:MOST_INDICES]))
    return f"{told} and {len(indices) - MOST_INDICES} more" if len(indices) > MOST_INDICES else told
