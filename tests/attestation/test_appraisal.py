"""What a genuine report comes to against reference manifests, as of an instant."""

from dataclasses import replace
from typing import Final

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from lightbound.attestation.appraisal import (
    KNOWN_TO_DIFFER,
    NOT_FRESH,
    NVDEC0_MEASUREMENT,
    NVDEC0_OFF,
    Reference,
    appraised,
    wanted,
)
from lightbound.attestation.chains import DeviceRoots
from lightbound.attestation.genuine import Family, GenuineReport, genuine_report
from lightbound.attestation.opaque import Type
from lightbound.attestation.results import Lacking, Result
from lightbound.errors import ErrorCode
from lightbound.sim.devices.foundry import Facts, Foundry

NONCE: Final = bytes(range(32))
FOUNDRY: Final = Foundry.of(3)
ROOTS: Final = DeviceRoots.of([FOUNDRY.root.certificate.public_bytes(Encoding.DER)], with_vendors=False)
YEAR_NS: Final = 365 * 86_400 * 10**9
AT_NS: Final = 56 * YEAR_NS
"""Some day of 2025."""
DRIVEN: Final = frozenset({1, 4, 63})
"""Measurements that the driver's manifest has."""
FIRM: Final = frozenset({2, 4, 9})
"""Those that the VBIOS's has; 4 is in both."""


def genuine(facts: Facts | None = None, nonce: bytes | None = NONCE) -> GenuineReport:
    device = FOUNDRY.device("chip", facts)
    return genuine_report(device.report(NONCE), device.chain, roots=ROOTS, nonce=nonce)


CHIP: Final = genuine()


def right(chip: GenuineReport = CHIP) -> tuple[Reference, Reference]:
    """The manifests that a chip agrees with, of its driver and of its VBIOS."""
    driver, vbios = (
        Reference(
            name=one.file_id,
            product=one.product,
            version=one.version,
            measurements={index: frozenset({chip.report.measurements[index]}) for index in indices},
            from_ns=AT_NS - YEAR_NS,
            to_ns=AT_NS + YEAR_NS,
        )
        for one, indices in zip(wanted(chip), (DRIVEN, FIRM), strict=True)
    )
    return driver, vbios


def otherwise(reference: Reference, *indices: int) -> Reference:
    """The same manifest with other digests at these indices."""
    return replace(reference, measurements={**reference.measurements, **dict.fromkeys(indices, frozenset({bytes(48)}))})


def test_a_chip_that_agrees_with_both_manifests_is_verified_and_how_much_was_judged_is_told() -> None:
    found = appraised(CHIP, references=right(), at_ns=AT_NS)
    assert (found.result, found.reasons, found.faults) == (Result.VERIFIED, (), ())
    assert found.notes == ("5 of 64 measurements are in the manifests, and agree",)


def test_one_of_several_digests_that_a_manifest_allows_is_enough() -> None:
    driver, vbios = right()
    wide = replace(driver, measurements={at: allowed | {bytes(48)} for at, allowed in driver.measurements.items()})
    assert appraised(CHIP, references=[wide, vbios], at_ns=AT_NS).result is Result.VERIFIED


@pytest.mark.parametrize("place", [0, 1])
def test_a_manifest_that_is_not_here_is_named_as_the_vendor_calls_it(place: int) -> None:
    found = appraised(CHIP, references=[right()[1 - place]], at_ns=AT_NS)
    assert found.result is Result.UNAPPRAISED
    (reason,) = found.reasons
    assert reason.lacking is Lacking.MANIFEST
    assert reason.next.endswith(("NV_GPU_DRIVER_GH100_550.90.07", "NV_GPU_VBIOS_1010_0200_882_96009F0001")[place])


@pytest.mark.parametrize("place", [0, 1])
@pytest.mark.parametrize("wrong", [{"version": "1"}, {"product": "GB100"}])
def test_a_manifest_of_something_else_is_none_whatever_its_file_is_called(place: int, wrong: dict[str, str]) -> None:
    references = list(right())
    references[place] = replace(references[place], **wrong)  # type: ignore[arg-type]  # each of them is a text
    found = appraised(CHIP, references=references, at_ns=AT_NS)
    assert (found.result, [one.lacking for one in found.reasons]) == (Result.UNAPPRAISED, [Lacking.MANIFEST])


@given(st.sampled_from(sorted({*DRIVEN} - KNOWN_TO_DIFFER[Family.HOPPER])), st.booleans())
def test_a_measurement_that_differs_is_refused_and_the_chip_signed_it(index: int, both: bool) -> None:  # noqa: FBT001
    driver, vbios = right()
    found = appraised(CHIP, references=[otherwise(driver, index), *([vbios] if both else [])], at_ns=AT_NS)
    assert (found.result, found.is_authenticated) == (Result.REFUSED, True)
    (fault,) = found.faults
    assert (fault.code, fault.found) == (ErrorCode.MEASUREMENT_DIFFERS, f"other measurements {index}")


def test_what_differs_where_genuine_devices_are_known_to_is_held_against_nobody() -> None:
    driver, vbios = right()
    found = appraised(CHIP, references=[replace(driver, measurements={9: frozenset({bytes(48)})}), vbios], at_ns=AT_NS)
    assert (found.result, found.faults) == (Result.UNAPPRAISED, ())
    assert [one.lacking for one in found.reasons] == [Lacking.MEASUREMENT]
    worse = replace(driver, measurements={9: frozenset({bytes(48)}), 10: frozenset({bytes(48)})})
    assert appraised(CHIP, references=[worse, vbios], at_ns=AT_NS).result is Result.REFUSED


@pytest.mark.parametrize("place", [0, 1])
def test_what_both_manifests_have_must_agree_with_both(place: int) -> None:
    references = list(right())
    references[place] = otherwise(references[place], 4)
    assert appraised(CHIP, references=references, at_ns=AT_NS).result is Result.REFUSED


def test_a_measurement_that_the_chip_does_not_have_differs() -> None:
    driver, vbios = right()
    found = appraised(CHIP, references=[otherwise(driver, 64), vbios], at_ns=AT_NS)
    assert (found.result, found.faults[0].found) == (Result.REFUSED, "other measurements 64")


@pytest.mark.parametrize("at_ns", [AT_NS - YEAR_NS - 1, AT_NS + YEAR_NS + 1])
def test_a_signer_that_was_not_valid_then_says_nothing_for_or_against(at_ns: int) -> None:
    driver, vbios = right()
    agreeing = appraised(CHIP, references=[driver, vbios], at_ns=at_ns)
    differing = appraised(CHIP, references=[otherwise(driver, 1, 63), vbios], at_ns=at_ns)
    for found in (agreeing, differing):
        assert found.result is Result.UNAPPRAISED
        assert {one.lacking for one in found.reasons} == {Lacking.SIGNER_CURRENT}
    assert "nothing differs from it" in agreeing.notes[0]
    assert "measurements 1, 63 differ from it" in differing.notes[0]


@pytest.mark.parametrize("at_ns", [AT_NS - YEAR_NS, AT_NS + YEAR_NS])
def test_a_signer_is_valid_on_its_first_and_last_instant(at_ns: int) -> None:
    assert appraised(CHIP, references=right(), at_ns=at_ns).result is Result.VERIFIED


def test_a_manifest_of_the_same_version_for_another_board_does_not_refuse() -> None:
    driver, vbios = right()
    for order in ([otherwise(vbios, 2, 9), vbios], [vbios, otherwise(vbios, 2, 9)]):
        assert appraised(CHIP, references=[driver, *order], at_ns=AT_NS).result is Result.VERIFIED


def test_a_manifest_with_nothing_to_compare_verifies_nothing() -> None:
    driver, vbios = right()
    found = appraised(CHIP, references=[driver, replace(vbios, measurements={})], at_ns=AT_NS)
    assert (found.result, [one.lacking for one in found.reasons]) == (Result.UNAPPRAISED, [Lacking.MEASUREMENT])


def test_without_an_instant_nothing_is_judged() -> None:
    for references in (right(), [otherwise(right()[0], 1)]):
        found = appraised(CHIP, references=references, at_ns=None)
        assert (found.result, [one.lacking for one in found.reasons]) == (Result.UNAPPRAISED, [Lacking.TIME])


def test_before_its_certificates_a_chip_is_refused_and_it_is_not_held_against_it() -> None:
    found = appraised(CHIP, references=right(), at_ns=CHIP.from_ns - 1)
    assert (found.result, found.is_authenticated) == (Result.REFUSED, False)
    assert [one.code for one in found.faults] == [ErrorCode.NOT_VALID_THEN]


def test_a_report_over_no_nonce_of_ours_is_noted() -> None:
    found = appraised(genuine(nonce=None), references=right(), at_ns=AT_NS)
    assert found.result is Result.VERIFIED
    assert NOT_FRESH in found.notes
    assert NOT_FRESH not in appraised(CHIP, references=right(), at_ns=AT_NS).notes


def with_decoder(state: bytes) -> GenuineReport:
    opaque = replace(CHIP.report.opaque, fields={**CHIP.report.opaque.fields, Type.NVDEC0_STATUS: state})
    return replace(CHIP, report=replace(CHIP.report, opaque=opaque))


def test_the_firmware_of_a_decoder_is_judged_unless_the_chip_states_that_it_is_off() -> None:
    driver, vbios = right()
    references = [otherwise(driver, NVDEC0_MEASUREMENT), vbios]
    off, on = (appraised(with_decoder(state), references=references, at_ns=AT_NS) for state in (NVDEC0_OFF, b"\xaa"))
    assert (off.result, off.notes) == (Result.VERIFIED, ("5 of 64 measurements are in the manifests, and agree",))
    assert (on.result, on.faults[0].found) == (Result.REFUSED, "other measurements 35")
    assert appraised(CHIP, references=references, at_ns=AT_NS).result is Result.REFUSED
    nothing_else = replace(driver, measurements={NVDEC0_MEASUREMENT: frozenset({bytes(48)})})
    found = appraised(with_decoder(NVDEC0_OFF), references=[nothing_else, vbios], at_ns=AT_NS)
    assert (found.result, [one.lacking for one in found.reasons]) == (Result.UNAPPRAISED, [Lacking.MEASUREMENT])


def test_a_switch_is_unappraised() -> None:
    switch = genuine(Facts(product="LS_10"))
    assert wanted(switch) == ()
    found = appraised(switch, references=right(), at_ns=AT_NS)
    assert (found.result, [one.lacking for one in found.reasons]) == (Result.UNAPPRAISED, [Lacking.MANIFEST])


def test_a_chip_that_does_not_state_its_driver_is_never_verified() -> None:
    silent = genuine(Facts(driver=""))
    assert [one.kind for one in wanted(silent)] == ["vbios"]
    vbios = replace(right()[1], measurements={2: frozenset({silent.report.measurements[2]})})
    found = appraised(silent, references=[vbios], at_ns=AT_NS)
    assert (found.result, [one.lacking for one in found.reasons]) == (Result.UNAPPRAISED, [Lacking.MANIFEST])


@given(st.sets(st.sampled_from(sorted(DRIVEN | FIRM))), st.sets(st.integers(0, 1)), st.integers(0, 120))
def test_verified_is_said_only_where_both_manifests_are_here_and_current_and_agree(
    differing: set[int], here: set[int], year: int
) -> None:
    references = [
        otherwise(one, *(differing & one.measurements.keys())) for place, one in enumerate(right()) if place in here
    ]
    at_ns = year * YEAR_NS
    holds = here == {0, 1} and not differing and abs(at_ns - AT_NS) <= YEAR_NS
    assert (appraised(CHIP, references=references, at_ns=at_ns).result is Result.VERIFIED) == holds
