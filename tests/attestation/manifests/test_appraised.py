"""A real chip's report held against signed manifests for its very software: each of the three results."""

import datetime as dt
from typing import Final

from lightbound.attestation.appraisal import Reference, appraised, wanted
from lightbound.attestation.chains import DeviceRoots
from lightbound.attestation.genuine import GenuineReport, genuine_report
from lightbound.attestation.manifests.verifying import verified_manifest
from lightbound.attestation.results import Lacking, Result
from lightbound.errors import ErrorCode
from tests.attestation.holders import FROM, TO
from tests.attestation.manifests.signing import Vendor, unsigned, vendor
from tests.attestation.samples import from_wheel

OURS: Final = vendor()
DRIVER_HAS: Final = range(21, 41)
VBIOS_HAS: Final = range(1, 13)


def chip() -> GenuineReport:
    """The H100 whose report comes with the vendor's wheel."""
    report = bytes.fromhex(from_wheel("verifier/samples/hopperAttestationReport.txt").read_text().strip())
    chain = from_wheel("verifier/samples/hopperCertChain.txt").read_bytes()
    return genuine_report(report, chain, roots=DeviceRoots.of([], with_vendors=True), nonce=None)


def reference(genuine: GenuineReport, number: int, measured: range, by: Vendor = OURS, *, off: int = -1) -> Reference:
    """A signed manifest for the driver or the VBIOS of a chip, of what it measured, but for index `off`."""
    digests = {index: [genuine.report.measurements[index]] for index in measured}
    if off in digests:
        digests[off] = [b"x" * 48]
    data = by.signs(unsigned(wanted(genuine)[number].version, digests))
    return verified_manifest(data, roots=[by.root.root]).reference(f"manifest {number}")


def at_ns(instant: dt.datetime) -> int:
    return int(instant.timestamp()) * 1_000_000_000


def test_a_chip_that_measured_what_both_manifests_have_is_verified() -> None:
    genuine = chip()
    references = [reference(genuine, 0, DRIVER_HAS), reference(genuine, 1, VBIOS_HAS)]
    assert appraised(genuine, references=references, at_ns=at_ns(FROM)).result is Result.VERIFIED


def test_a_chip_that_measured_something_else_is_refused_and_signed_it_itself() -> None:
    genuine = chip()
    references = [reference(genuine, 0, DRIVER_HAS, off=30), reference(genuine, 1, VBIOS_HAS)]
    found = appraised(genuine, references=references, at_ns=at_ns(FROM))
    assert (found.result, found.is_authenticated) == (Result.REFUSED, True)
    assert [fault.code for fault in found.faults] == [ErrorCode.MEASUREMENT_DIFFERS]


def test_a_manifest_counts_neither_way_when_its_signers_time_is_over() -> None:
    genuine, short = chip(), vendor(span=(FROM, FROM + dt.timedelta(days=1)))
    for off in (-1, 30):
        references = [reference(genuine, 0, DRIVER_HAS, short, off=off), reference(genuine, 1, VBIOS_HAS)]
        found = appraised(genuine, references=references, at_ns=at_ns(TO))
        assert found.result is Result.UNAPPRAISED
        assert [reason.lacking for reason in found.reasons] == [Lacking.SIGNER_CURRENT]


def test_a_manifest_that_is_missing_is_named_as_the_vendor_names_it() -> None:
    found = appraised(chip(), references=[], at_ns=at_ns(FROM))
    assert found.result is Result.UNAPPRAISED
    named = " ".join(reason.next for reason in found.reasons)
    assert "NV_GPU_DRIVER_GH100_550.90.07" in named
    assert "NV_GPU_VBIOS_1010_0200_882_96009F0001" in named
