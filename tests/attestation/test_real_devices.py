"""What real devices signed comes out as it should: by its own words, and by the vendor's reading of it."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
from cryptography import x509

from lightbound.attestation.chains import VENDOR_ROOTS, read_chain
from lightbound.attestation.genuine import Family, GenuineReport, claimed_chip
from lightbound.attestation.node import Topology, topology
from lightbound.attestation.opaque import Type
from lightbound.attestation.reports import read_report
from lightbound.errors import ErrorCode, Malformed, Refused
from lightbound.sim.devices.foundry import Facts, Foundry
from tests.attestation.real import REPORT_AND_CHAIN, Sample, form_of, node_of_eight, packaged_h100, sample

NODE_NONCE: Final = "4760e30534a0621357d458b1a7936551b5dc4cd1e69718adf7ed9fb0252a537e"
END_NS: Final = 253_402_300_799_000_000_000
"""The last second of 9999: certificates of devices hold for ever."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What a report says, as far as people talk about it."""

    product: str
    serial: str
    board: str | None
    driver: str | None
    vbios: str
    measured: int
    zeros: int
    """Blocks that measure nothing."""
    protected_pcie: bool | None = False


EXPECTED: Final = {
    "h100": Expected(
        product="GH100", serial="41431d480fe5e87274", board="1010-0200-882", driver="550.90.07",
        vbios="96.00.9F.00.01", measured=64, zeros=38,
    ),
    "gb100": Expected(
        product="GB100", serial="41e6de55c3bdc14277", board="G525-0220-886", driver="575.32",
        vbios="97.00.88.00.0F", measured=64, zeros=33, protected_pcie=None,
    ),
    "old firmware": Expected(
        product="GH100", serial="41e23d711e1c4fbfac", board="1010-0205-862", driver="570.124.03",
        vbios="96.00.5E.00.04", measured=64, zeros=37,
    ),
    "new firmware": Expected(
        product="GH100", serial="41e23d711e1c4fbfac", board="1010-0205-862", driver="580.159.03",
        vbios="96.00.74.00.20", measured=64, zeros=37,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", EXPECTED)
def test_a_genuine_report_is_of_this_device_and_says_this(evidence: Path, name: str) -> None:
    one = sample(evidence, name).genuine()
    assert _said(one) == EXPECTED[name]
    assert one.device.root.digest in VENDOR_ROOTS.values()
    assert not one.device.root.is_simulated
    assert one.to_ns == END_NS


def test_the_packaged_report_is_of_this_device_and_says_this() -> None:
    assert _said(packaged_h100().genuine()) == EXPECTED["h100"]


def test_a_report_over_the_nonce_asked_for_is_fresh_and_over_another_is_refused() -> None:
    one = packaged_h100()
    nonce = one.genuine().report.nonce
    assert not one.genuine().is_fresh
    assert one.genuine(nonce).is_fresh
    with pytest.raises(Refused) as error:
        one.genuine(bytes([nonce[0] ^ 1, *nonce[1:]]))
    assert _told(error.value) == (ErrorCode.NONCE_DIFFERS, "request.nonce")


def test_under_two_firmwares_a_device_is_one_chip_with_two_keys(evidence: Path) -> None:
    old, new = sample(evidence, "old firmware"), sample(evidence, "new firmware")
    assert old.genuine().device == new.genuine().device
    assert claimed_chip(old.chain) == claimed_chip(new.chain) == new.genuine().device.chip_id
    first, second = (x509.load_pem_x509_certificates(one.chain)[0].public_key() for one in (old, new))
    assert first != second
    assert old.genuine().firmware_id != new.genuine().firmware_id


def test_the_chain_of_another_firmware_does_not_check_a_report_of_the_same_chip(evidence: Path) -> None:
    old, new = sample(evidence, "old firmware"), sample(evidence, "new firmware")
    for report, chain in ((old.report, new.chain), (new.report, old.chain)):
        with pytest.raises(Refused) as error:
            Sample(report=report, chain=chain).genuine()
        assert _told(error.value) == (ErrorCode.SIGNATURE_INVALID, "response.signature")


def test_a_report_with_a_broken_signature_is_refused_there(evidence: Path) -> None:
    with pytest.raises(Refused) as error:
        sample(evidence, "broken").genuine()
    assert _told(error.value) == (ErrorCode.SIGNATURE_INVALID, "response.signature")


def test_no_two_samples_of_different_devices_are_one_chip(evidence: Path) -> None:
    # The one with the broken signature has a genuine chain, and no device is believed to have signed it.
    ones = [sample(evidence, name) for name in REPORT_AND_CHAIN if name not in {"broken", "old firmware"}]
    ones += node_of_eight(evidence)
    assert len({one.genuine().device.chip_id for one in ones}) == len(ones) == 15


def test_the_twelve_devices_of_a_node_are_genuine_fresh_and_close(evidence: Path) -> None:
    ones = [one.genuine(bytes.fromhex(NODE_NONCE)) for one in node_of_eight(evidence)]
    assert [one.device.family for one in ones] == [Family.HOPPER] * 8 + [Family.SWITCH] * 4
    assert all(one.is_fresh for one in ones)
    assert {_said(one).board for one in ones} == {"G520-0200-885", None}
    assert {_said(one).driver for one in ones} == {"590.12", None}
    assert {_said(one).vbios for one in ones} == {"96.00.A5.00.01", "96.10.73.00.01"}
    assert {(_said(one).measured, _said(one).zeros) for one in ones} == {(64, 36), (31, 11)}
    assert all(one.report.opaque.is_protected_pcie for one in ones[:8])
    found = _closed(ones)
    assert found.is_closed
    assert (len(found.gpus), len(found.switches), found.repeated) == (8, 4, ())


@pytest.mark.parametrize("place", range(12))
def test_a_device_of_a_node_without_a_report_is_named(evidence: Path, place: int) -> None:
    ones = [one.genuine() for one in node_of_eight(evidence)]
    removed = ones.pop(place)
    found = _closed(ones)
    assert not found.is_closed
    assert found.foreign == ()
    (missing,) = found.missing
    assert missing.name == _name(removed)
    assert missing.is_switch == (place >= 8)
    assert len(missing.named_by) == (8 if missing.is_switch else 4)


@pytest.mark.parametrize("place", range(12))
def test_a_device_that_is_given_twice_in_place_of_another_is_named_and_so_is_the_other(
    evidence: Path, place: int
) -> None:
    ones = [one.genuine() for one in node_of_eight(evidence)]
    twin = ones[8 + (place + 1) % 4] if place >= 8 else ones[(place + 1) % 8]
    replaced, ones[place] = ones[place], twin
    found = _closed(ones)
    assert [one.name for one in found.missing] == [_name(replaced)]
    assert found.repeated == (_name(twin),)


@pytest.mark.parametrize("place", range(12))
def test_a_device_that_is_given_twice_is_named_and_counts_once(evidence: Path, place: int) -> None:
    ones = [one.genuine() for one in node_of_eight(evidence)]
    found = _closed([*ones, ones[place]])
    assert found.is_closed
    assert (len(found.gpus), len(found.switches)) == (8, 4)
    assert found.repeated == (_name(ones[place]),)


@pytest.mark.parametrize("place", range(8))
def test_a_genuine_gpu_from_elsewhere_is_named_and_so_is_the_one_whose_place_it_has(evidence: Path, place: int) -> None:
    ones = [one.genuine() for one in node_of_eight(evidence)]
    replaced, ones[place] = ones[place], packaged_h100().genuine()
    found = _closed(ones)
    assert [one.name for one in found.missing] == [_name(replaced)]
    (foreign,) = found.foreign
    assert (foreign.name, foreign.is_switch, len(foreign.not_named_by)) == (_name(ones[place]), False, 4)


def test_the_order_of_a_node_s_reports_says_nothing(evidence: Path) -> None:
    ones = [one.genuine() for one in node_of_eight(evidence)]
    ones = [*ones[:5], packaged_h100().genuine(), *ones[7:], ones[3]]
    assert _closed(ones) == _closed(ones[::-1]) == _closed([*ones[4:], *ones[:4]])


def test_simulated_chains_of_each_kind_have_the_form_of_real_ones(evidence: Path) -> None:
    real = {"GH100": sample(evidence, "h100"), "GB100": sample(evidence, "gb100"), "LS_10": node_of_eight(evidence)[8]}
    for product, one in real.items():
        made = Foundry.of(1).device("one", Facts(product=product))
        assert [form_of(der) for der in read_chain(made.chain).der] == [
            form_of(der) for der in read_chain(one.chain).der
        ]


def test_a_request_is_read_as_the_vendor_reads_it(evidence: Path) -> None:
    oracle = json.loads((evidence / "oracle/spdm_req_parsed_output.json").read_bytes())
    data = sample(evidence, "new firmware").report
    said = read_report(data)
    assert oracle == {
        "SPDMVersion": _hex(data[:1]),
        "RequestResponseCode": _hex(data[1:2]),
        "Param1": _hex(data[2:3]),
        "Param2": _hex(data[3:4]),
        "Nonce": _hex(said.nonce),
        "SlotIDParam": f"0x{said.slot:02x}",
    }


def test_a_response_is_read_field_by_field_as_the_vendor_reads_it(evidence: Path) -> None:
    oracle = json.loads((evidence / "oracle/spdm_parsed_output.json").read_bytes())
    data = sample(evidence, "new firmware").report
    said = read_report(data)
    blocks = {
        str(number): {
            "DMTFSpecMeasurementValueType": kind,
            "DMTFSpecMeasurementValueSize": len(digest),
            "DMTFSpecMeasurementValue": _hex(digest),
        }
        for number, (kind, digest) in enumerate(zip(said.types, said.measurements, strict=True), 1)
    }
    fields = dict(said.opaque.fields)
    opaque_bytes = sum(4 + len(value) for value in fields.values())
    # Their reader is older than two of the fields: it counts their bytes, and does not tell them.
    assert {fields.pop(Type.OPAQUE_DATA_VERSION), fields.pop(Type.FEATURE_FLAG)} == {b"\x01\x00", bytes(2)}
    assert oracle == {
        "SPDMVersion": _hex(data[37:38]),
        "RequestResponseCode": _hex(data[38:39]),
        "Param1": f"0x{said.params[0]:02x}",
        "Param2": f"0x{said.params[1]:02x}",
        "NumberOfBlocks": len(said.measurements),
        "MeasurementRecordLength": 55 * len(said.measurements),
        "Nonce": _hex(said.responder_nonce),
        "OpaqueLength": opaque_bytes,
        "Signature": _hex(said.signature),
        "MeasurementRecord": {"NumberOfBlocks": len(blocks), "MeasurementBlocks": blocks},
        "OpaqueData": {
            "OpaqueDataField": {
                f"OPAQUE_FIELD_ID_{Type(kind).name}": _as_the_vendor_writes(kind, value)
                for kind, value in fields.items()
            }
        },
    }


def _as_the_vendor_writes(kind: int, value: bytes) -> Any:
    if kind != Type.MSRSCNT:
        return _hex(value)
    return [int.from_bytes(value[at : at + 4], "little") for at in range(0, len(value), 4)]


def _hex(data: bytes) -> str:
    return f"0x{data.hex()}"


def _closed(ones: list[GenuineReport]) -> Topology:
    found = topology(ones)
    assert found is not None
    return found


def _name(one: GenuineReport) -> str:
    return one.device.serial[-16:]


def _told(error: Refused | Malformed) -> tuple[ErrorCode, str | None]:
    (fault,) = error.faults
    return fault.code, fault.column


def _said(one: GenuineReport) -> Expected:
    said = one.report
    return Expected(
        product=one.device.product,
        serial=one.device.serial,
        board=said.opaque.board,
        driver=said.opaque.driver,
        vbios=said.opaque.vbios or "",
        measured=len(said.measurements),
        zeros=sum(not any(digest) for digest in said.measurements),
        protected_pcie=said.opaque.is_protected_pcie,
    )
