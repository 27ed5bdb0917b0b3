"""Whatever is done to real reports and chains, nothing that a device did not sign is believed; each no has a name."""

from pathlib import Path
from random import Random
from typing import Final

import pytest

from lightbound.attestation.chains import DeviceRoots, check_may_attest, load
from lightbound.attestation.dice import layer
from lightbound.attestation.reports import read_report
from lightbound.errors import ErrorCode, Malformed, Refused
from lightbound.sim.devices.foundry import Facts, Foundry
from tests.attestation.mutations import (
    ORDER,
    Tally,
    base64_blocks,
    lengths,
    other_signature,
    parsed,
    pem,
    verified,
)
from tests.attestation.real import Sample, node_of_eight, packaged_h100, sample

PARSED: Final = 1_000_000
VERIFIED: Final = 20_000
SHARE: Final = 10
"""The default run takes one case of so many."""
SEED: Final = 20_261_125

FOUNDRY: Final = Foundry.of(20)
MADE: Final = (
    FOUNDRY.device("a", Facts(product="GB100")),
    FOUNDRY.device("b"),
    *FOUNDRY.node("n", gpus=2, switches=1),
)


def test_reports_that_were_tampered_with_are_read_as_they_stand_or_refused_by_name() -> None:
    _all_came_of(parsed([packaged_h100(), *_made()], seed=SEED, count=PARSED // SHARE), PARSED // SHARE)


def test_nothing_but_what_was_signed_is_believed_of_a_real_device_that_was_tampered_with() -> None:
    _all_came_of(verified([packaged_h100()], _vendors(), seed=SEED, count=VERIFIED // SHARE), VERIFIED // SHARE)


def test_nothing_but_what_was_signed_is_believed_of_made_devices_of_each_kind() -> None:
    roots = DeviceRoots.of([FOUNDRY.root.der], with_vendors=False)
    _all_came_of(verified(_made(), roots, seed=SEED, count=VERIFIED // SHARE), VERIFIED // SHARE)


@pytest.mark.soak
def test_a_million_reports_of_real_devices_are_read_as_they_stand_or_refused_by_name(evidence: Path) -> None:
    _all_came_of(parsed(_real(evidence), seed=Random().getrandbits(32), count=PARSED), PARSED)


@pytest.mark.soak
def test_nothing_but_what_was_signed_is_believed_of_twenty_thousand(evidence: Path) -> None:
    found = verified(_real(evidence), _vendors(), seed=Random().getrandbits(32), count=VERIFIED)
    _all_came_of(found, VERIFIED)


def test_every_number_by_which_a_report_is_read_must_be_what_it_is() -> None:
    report = packaged_h100().report
    places = lengths(report)
    assert len(places) == 3 + 3 * 64 + 2 * 14
    opaque_length, outer = places[2], len(places) - 2 * 14
    for number, (at, size) in enumerate(places):
        value = int.from_bytes(report[at : at + size], "little")
        for new in {0, value + 1, value - 1, (1 << 8 * size) - 1} - {value}:
            data = report[:at] + (new % (1 << 8 * size)).to_bytes(size, "little") + report[at + size :]
            with pytest.raises((Malformed, Refused)) as error:
                Sample(report=data, chain=packaged_h100().chain).genuine()
            # Without the opaque part, or with another field in it, it may read well: the signature tells.
            may_read = (at, size) == opaque_length or number >= outer
            told = {ErrorCode.EVIDENCE_MALFORMED} | ({ErrorCode.SIGNATURE_INVALID} if may_read else set())
            assert error.value.faults[0].code in told
            assert error.value.faults[0].column


@pytest.mark.parametrize("extra", [b"\x00", b"\x00" * 4096, b"\xff" * 11, MADE[0].report(bytes(32))])
def test_bytes_after_a_report_change_nothing_and_are_counted(extra: bytes) -> None:
    one = packaged_h100()
    plain, padded = one.genuine(), Sample(report=one.report + extra, chain=one.chain).genuine()
    assert padded.device == plain.device
    assert padded.report.signed == plain.report.signed
    assert padded.report.padding == len(extra)


@pytest.mark.parametrize("size", range(0, 4117, 41))
def test_a_report_cut_anywhere_is_none(size: int) -> None:
    with pytest.raises(Malformed) as error:
        read_report(packaged_h100().report[:size])
    assert error.value.faults[0].code == ErrorCode.EVIDENCE_MALFORMED


def test_whoever_has_a_report_can_write_its_signature_otherwise_and_nothing_else() -> None:
    # ECDSA: with (r, s), (r, n - s) is a signature of the same bytes too. So a digest of a whole report does not say
    # which report it is; what was signed does, and the nonce in it.
    one = packaged_h100()
    twin = Sample(report=other_signature(one.report), chain=one.chain)
    assert twin.report != one.report
    assert twin.genuine().report.signed == one.genuine().report.signed
    assert twin.genuine().device == one.genuine().device
    signature = one.genuine().report.signature
    r, s = int.from_bytes(signature[:48], "big"), int.from_bytes(signature[48:], "big")
    for wrong in ((0, s), (r, 0), (ORDER - r, s), (s, r), (r + ORDER, s), (r, s + ORDER), (ORDER, ORDER)):
        if any(value >= 1 << 384 for value in wrong):
            continue
        data = one.report[:-96] + b"".join(value.to_bytes(48, "big") for value in wrong)
        with pytest.raises(Refused) as error:
            Sample(report=data, chain=one.chain).genuine()
        assert error.value.faults[0].code == ErrorCode.SIGNATURE_INVALID


def test_a_certificate_of_a_version_that_there_is_not_is_none() -> None:
    # The library has an exception of its own for it, which is no ValueError.
    leaf, *others = base64_blocks(packaged_h100().chain)
    version = leaf.index(bytes.fromhex("a003020102")) + 4
    with pytest.raises(Malformed) as error:
        Sample(
            report=packaged_h100().report, chain=pem([leaf[:version] + b"\x03" + leaf[version + 1 :], *others])
        ).genuine()
    assert (error.value.faults[0].code, error.value.faults[0].column) == ("certificate_malformed", "chain.leaf")


def test_a_certificate_with_any_one_bit_changed_is_read_or_refused_by_name() -> None:
    # Whether it is believed, its signature says. Here nothing but the reading of it is at stake, by a library that
    # raises several kinds of errors.
    leaf, device, *_ = base64_blocks(packaged_h100().chain)
    read = 0
    for certificate in (leaf, device):
        for place in range(8 * len(certificate)):
            at, bit = divmod(place, 8)
            changed = certificate[:at] + bytes([certificate[at] ^ 1 << bit]) + certificate[at + 1 :]
            try:
                found = load(changed, "any")
                check_may_attest(found, "any")
                layer(found)
            except (Malformed, Refused):
                continue
            read += 1
    assert 0 < read < 8 * (len(leaf) + len(device))


def test_a_name_that_the_library_stumbles_over_is_none() -> None:
    # A BIT STRING in a name is a TypeError there.
    leaf = base64_blocks(packaged_h100().chain)[0]
    at = leaf.index(b"GH100 A01 GSP FMC LF") - 2
    assert leaf[at] == 12  # a UTF8String
    with pytest.raises(Malformed):
        load(leaf[:at] + b"\x03" + leaf[at + 1 :], "leaf")


def _all_came_of(tally: Tally, count: int) -> None:
    print(f"\n{tally}")  # noqa: T201 - the campaign's result
    assert tally.count == count
    # Untouched and padded ones are among the cases: a campaign that accepts nothing tests nothing.
    assert 0 < tally.accepted < count


def _made() -> list[Sample]:
    return [Sample(report=one.report(bytes(range(32))), chain=one.chain) for one in MADE]


def _real(evidence: Path) -> list[Sample]:
    named = [sample(evidence, name) for name in ("h100", "gb100", "old firmware", "new firmware")]
    return [*named, *node_of_eight(evidence)]


def _vendors() -> DeviceRoots:
    return DeviceRoots.of([], with_vendors=True)
