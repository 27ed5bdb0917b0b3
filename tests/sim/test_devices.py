"""Simulated devices look like real ones, are the same in every process, and never pass for genuine."""

import subprocess
import sys
from typing import Final

import pytest
from cryptography import x509

from lightbound.attestation.chains import SIMULATED, DeviceRoots
from lightbound.attestation.genuine import GenuineReport, genuine_report
from lightbound.attestation.node import topology
from lightbound.attestation.reports import read_report
from lightbound.errors import ErrorCode, Refused
from lightbound.sim.devices.foundry import Facts, Foundry, SimulatedDevice
from tests.attestation.mutations import base64_blocks, written
from tests.attestation.real import form_of, packaged_h100

NONCE: Final = bytes(range(32))
FOUNDRY: Final = Foundry.of(5)
KINDS: Final = {name: Facts(product=name) for name in ("GH100", "GB100", "LS_10")}

DIGEST_OF_ONE: Final = """
import hashlib
from lightbound.sim.devices.foundry import Foundry
one = Foundry.of(5).device("one")
print(hashlib.sha256(one.chain + one.report(bytes(32))).hexdigest())
"""


def test_two_processes_make_the_same_devices_to_the_byte() -> None:
    made = [
        subprocess.run([sys.executable, "-c", DIGEST_OF_ONE], check=True, capture_output=True, text=True).stdout
        for _ in range(2)
    ]
    assert made[0] == made[1]
    assert Foundry.of(5).device("one").chain == FOUNDRY.device("one").chain
    assert Foundry.of(6).device("one").chip_id != FOUNDRY.device("one").chip_id


def test_a_simulated_hopper_s_chain_has_the_form_of_a_real_one_s() -> None:
    assert [form_of(one) for one in base64_blocks(FOUNDRY.device("one").chain)] == [
        form_of(one) for one in base64_blocks(packaged_h100().chain)
    ]


def test_every_simulated_certificate_says_that_it_is_one() -> None:
    for facts in KINDS.values():
        for der in base64_blocks(FOUNDRY.device("one", facts).chain):
            (organisation,) = x509.load_der_x509_certificate(der).subject.get_attributes_for_oid(
                x509.NameOID.ORGANIZATION_NAME
            )
            assert organisation.value == SIMULATED


@pytest.mark.parametrize("product", KINDS)
def test_a_simulated_device_is_believed_under_its_root_alone_and_says_so(product: str) -> None:
    one = FOUNDRY.device("one", KINDS[product])
    found = _genuine(one)
    assert found.device.root.is_simulated
    assert found.device.chip_id == one.chip_id
    assert found.device.product == product
    assert found.firmware_id == one.facts.firmware_id
    assert written(read_report(one.report(NONCE))) == one.report(NONCE)
    for roots in (
        DeviceRoots.of([], with_vendors=True),
        DeviceRoots.of([], with_vendors=False),
        DeviceRoots.of([Foundry.of(6).root.der], with_vendors=True),
    ):
        with pytest.raises(Refused) as error:
            genuine_report(one.report(NONCE), one.chain, roots=roots, nonce=NONCE)
        assert (error.value.faults[0].code, error.value.faults[0].column) == (ErrorCode.CHAIN_REFUSED, "chain.root")


def test_other_firmware_is_another_leaf_of_the_same_chip() -> None:
    old = FOUNDRY.device("one")
    new = old.changed(Facts(firmware="firmware 2"))
    assert new.chip_id == old.chip_id
    assert _genuine(new).device == _genuine(old).device
    assert _genuine(new).firmware_id != _genuine(old).firmware_id
    assert base64_blocks(new.chain)[0] != base64_blocks(old.chain)[0]
    assert base64_blocks(new.chain)[1:] == base64_blocks(old.chain)[1:]


def test_what_a_simulated_device_is_told_to_say_is_what_it_says() -> None:
    digest = b"\x07" * 48
    facts = Facts(driver="1.2.3", vbios="96.00.0A.00.0B", board=("G520", "0200", "885"), measured={9: digest})
    said = _genuine(FOUNDRY.device("one", facts)).report
    assert (said.opaque.driver, said.opaque.vbios, said.opaque.board) == ("1.2.3", "96.00.0A.00.0B", "G520-0200-885")
    assert [place for place, one in enumerate(said.measurements) if one == digest] == [9]


def test_a_simulated_node_closes_and_does_not_without_one() -> None:
    ones = [_genuine(one) for one in FOUNDRY.node("node")]
    found = topology(ones)
    assert found is not None
    assert found.is_closed
    assert (len(found.gpus), len(found.switches)) == (8, 4)
    for place in range(12):
        open_one = topology([*ones[:place], *ones[place + 1 :]])
        assert open_one is not None
        assert [one.name for one in open_one.missing] == [ones[place].device.serial[-16:]]


def test_a_switch_or_gpu_of_another_node_is_foreign() -> None:
    ones, others = ([_genuine(one) for one in FOUNDRY.node(name)] for name in ("node", "another"))
    for place in range(12):
        found = topology([*ones[:place], others[place], *ones[place + 1 :]])
        assert found is not None
        assert [one.name for one in found.foreign] == [others[place].device.serial[-16:]]
        assert [one.name for one in found.missing] == [ones[place].device.serial[-16:]]


def _genuine(one: SimulatedDevice) -> GenuineReport:
    roots = DeviceRoots.of([FOUNDRY.root.der], with_vendors=False)
    return genuine_report(one.report(NONCE), one.chain, roots=roots, nonce=NONCE)
