"""Who holds no key of a vendor's cannot make a device, whatever else he holds; each attempt fails at a named place."""

import datetime as dt
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from lightbound.attestation.chains import CERTIFICATES, DeviceRoots, read_chain
from lightbound.attestation.genuine import GenuineReport, claimed_chip, genuine_report
from lightbound.errors import ErrorCode, LightboundError, Malformed, Refused
from lightbound.sim.devices.certificates import Certified, composite, key_of
from lightbound.sim.devices.foundry import Facts, Foundry, SimulatedDevice
from tests.attestation.mutations import base64_blocks, pem
from tests.attestation.real import packaged_h100

FOUNDRY: Final = Foundry.of(21)
ROOTS: Final = DeviceRoots.of([FOUNDRY.root.der], with_vendors=False)
CHIP: Final = FOUNDRY.device("chip")
OTHER: Final = FOUNDRY.device("other")
NONCE: Final = bytes(range(32))
EVIL: Final = key_of(21, "evil")
FROM, TO = dt.datetime(2020, 1, 1, tzinfo=dt.UTC), dt.datetime(9999, 12, 31, 23, 59, 59, tzinfo=dt.UTC)
CA: Final = x509.BasicConstraints(ca=True, path_length=None)
Key = Any  # of any kind: also those that no device may have


@dataclass(frozen=True, slots=True, kw_only=True)
class Forged:
    """A certificate to be made."""

    like: x509.Certificate
    """From which come its names and its number."""
    key: Key
    signer: Key
    extensions: tuple[tuple[x509.ExtensionType, bool], ...] | None = None
    """In place of those of `like`, each with whether it is critical."""
    issuer: x509.Name | None = None
    digest: hashes.SHA256 | hashes.SHA384 | hashes.SHA512 = field(default_factory=hashes.SHA384)

    @property
    def der(self) -> bytes:
        """The certificate as DER."""
        builder = (
            x509.CertificateBuilder()
            .subject_name(self.like.subject)
            .issuer_name(self.issuer or self.like.issuer)
            .public_key(self.key.public_key())
            .serial_number(self.like.serial_number)
            .not_valid_before(FROM)
            .not_valid_after(TO)
        )
        own = self.extensions
        for value, critical in own if own is not None else [(one.value, one.critical) for one in self.like.extensions]:
            builder = builder.add_extension(value, critical=critical)
        return builder.sign(self.signer, self.digest).public_bytes(Encoding.DER)


def usage(*, signs: bool, issues: bool) -> x509.KeyUsage:
    """What a key may do."""
    return x509.KeyUsage(
        digital_signature=signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=issues,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )


def dice(device: Certified = CHIP.device) -> tuple[x509.ExtensionType, bool]:
    """What a leaf of the chip's firmware says, or one that names another device."""
    return composite(device, CHIP.facts.firmware_id), False


def test_before_anything_is_forged_both_devices_are_good() -> None:
    assert _checked(CHIP.report(NONCE), _ders(CHIP)).device.chip_id == CHIP.chip_id
    assert _checked(OTHER.report(NONCE), _ders(OTHER)).device.chip_id == OTHER.chip_id


def test_certificates_of_another_device_do_not_vouch_for_this_one() -> None:
    mine, other = _ders(CHIP), _ders(OTHER)
    _refuses([mine[0], *other[1:]], "chain.leaf")
    _refuses([other[0], *mine[1:]], "chain.leaf")
    _refuses(other, "response.signature", code=ErrorCode.SIGNATURE_INVALID)


def test_a_leaf_issues_nothing() -> None:
    # Who has drawn the attestation key out of a chip can sign whatever he likes, but make no other chip.
    mine = _ders(CHIP)
    below = Forged(like=CHIP.leaf.certificate, key=EVIL, signer=CHIP.leaf.key, issuer=CHIP.leaf.certificate.subject).der
    _refuses([below, *mine[:4]], "chain.root", signer=EVIL)
    _refuses([below, mine[0], *mine[2:]], "chain.device", signer=EVIL)
    _refuses([below, *mine[1:]], "chain.leaf", signer=EVIL)
    _is_none([below, *mine])


def test_names_of_the_vendor_s_make_no_authority() -> None:
    genuine = [x509.load_der_x509_certificate(one) for one in base64_blocks(packaged_h100().chain)]
    keys = [key_of(21, "evil", place) for place in range(5)]
    forged = [
        Forged(like=one, key=keys[place], signer=keys[min(place + 1, 4)]).der for place, one in enumerate(genuine)
    ]
    vendors = DeviceRoots.of([], with_vendors=True)
    _refuses(forged, "chain.root", roots=vendors, signer=keys[0])
    real = base64_blocks(packaged_h100().chain)
    for place, name in ((4, "identity"), (3, "provisioner"), (2, "device"), (1, "leaf")):
        _refuses([*forged[:place], *real[place:]], f"chain.{name}", roots=vendors, signer=keys[0])


def test_a_root_that_signs_itself_is_none_for_it() -> None:
    itself = Forged(like=FOUNDRY.root.certificate, key=EVIL, signer=EVIL)
    _refuses([*_ders(CHIP)[:4], itself.der], "chain.root")


@pytest.mark.parametrize("place", range(5))
@pytest.mark.parametrize(
    "key",
    [ec.derive_private_key(7, ec.SECP256R1()), rsa.generate_private_key(65_537, 2048)],
    ids=["P-256", "RSA"],
)
def test_a_key_that_is_not_on_p_384_is_none(place: int, key: Key) -> None:
    above = (CHIP.leaf, CHIP.device, *FOUNDRY.above)
    signer = above[place + 1].key if place < 4 else key
    ders = _ders(CHIP)
    ders[place] = Forged(like=above[place].certificate, key=key, signer=signer).der
    if place == 4:
        with pytest.raises(Malformed):
            DeviceRoots.of([ders[4]], with_vendors=False)
        return
    _is_none(ders, f"chain.{CERTIFICATES[place]}")


@pytest.mark.parametrize("digest", [hashes.SHA256(), hashes.SHA512()], ids=["SHA-256", "SHA-512"])
def test_a_certificate_is_signed_with_sha_384_and_says_so(digest: hashes.SHA256 | hashes.SHA512) -> None:
    rest = _ders(CHIP)[1:]
    leaf = Forged(like=CHIP.leaf.certificate, key=CHIP.leaf.key, signer=CHIP.device.key, digest=digest)
    _refuses([leaf.der, *rest], "chain.leaf")
    # The name of the algorithm that stands beside the signature is signed by nobody.
    named = bytes.fromhex("06082a8648ce3d040303")
    head, _, signature = CHIP.leaf.der.rpartition(named)
    _refuses([head + bytes.fromhex("06082a8648ce3d040302") + signature, *rest], "chain.leaf")


def test_whom_a_certificate_names_as_its_issuer_is_who_signed_it() -> None:
    other = Forged(
        like=CHIP.leaf.certificate, key=CHIP.leaf.key, signer=CHIP.device.key, issuer=OTHER.device.certificate.subject
    )
    _refuses([other.der, *_ders(CHIP)[1:]], "chain.leaf")


@pytest.mark.parametrize("place", range(4))
def test_a_critical_extension_that_nobody_looks_at_is_not_passed_over(place: int) -> None:
    above = (CHIP.leaf, CHIP.device, *FOUNDRY.above)
    like = above[place].certificate
    unknown = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.57264.99"), b"\x05\x00")
    was = tuple((one.value, one.critical) for one in like.extensions)
    for critical in (False, True):
        ders = _ders(CHIP)
        forged = Forged(
            like=like, key=above[place].key, signer=above[place + 1].key, extensions=(*was, (unknown, critical))
        )
        ders[place] = forged.der
        if critical:
            _refuses(ders, f"chain.{CERTIFICATES[place]}")
        else:
            assert _checked(CHIP.report(NONCE), ders).device.chip_id == CHIP.chip_id


@pytest.mark.parametrize("place", [1, 2, 3], ids=["device", "provisioner", "identity"])
@pytest.mark.parametrize(
    "extensions",
    [
        (),
        ((CA, True),),
        ((usage(signs=False, issues=True), True),),
        ((CA, True), (usage(signs=True, issues=False), True)),
        ((x509.BasicConstraints(ca=False, path_length=None), True), (usage(signs=False, issues=True), True)),
    ],
    ids=["nothing", "no usage", "no constraints", "may not issue", "no authority"],
)
def test_a_certificate_that_may_not_issue_vouches_for_nobody(place: int, extensions: tuple[Any, ...]) -> None:
    above = (CHIP.leaf, CHIP.device, *FOUNDRY.above)
    ders = _ders(CHIP)
    ders[place] = Forged(
        like=above[place].certificate, key=above[place].key, signer=above[place + 1].key, extensions=extensions
    ).der
    _refuses(ders, f"chain.{CERTIFICATES[place]}")


@pytest.mark.parametrize(
    "extensions",
    [(dice(),), (dice(), (usage(signs=False, issues=False), True)), (dice(), (usage(signs=True, issues=True), True))],
    ids=["no usage", "may not sign", "may issue"],
)
def test_a_leaf_that_may_not_sign_or_may_issue_attests_nothing(extensions: tuple[Any, ...]) -> None:
    _refuses([_leaf(extensions), *_ders(CHIP)[1:]], "chain.leaf")


def test_a_leaf_that_names_another_device_or_no_firmware_is_not_believed() -> None:
    signs = (usage(signs=True, issues=False), True)
    rest = _ders(CHIP)[1:]
    assert _checked(CHIP.report(NONCE), [_leaf((dice(), signs)), *rest]).device.chip_id == CHIP.chip_id
    _refuses([_leaf((dice(OTHER.device), signs)), *rest], "chain.leaf.dice")
    _refuses([_leaf((signs,)), *rest], "chain.leaf.dice")
    for oid in ("2.23.133.5.4.1", "2.23.133.5.4.1.1"):
        for value in (b"", b"\x05\x00", b"\x30\x00", b"\x30\x84\xff\xff\xff\xff", dice()[0].public_bytes()[:-1]):
            broken = x509.UnrecognizedExtension(x509.ObjectIdentifier(oid), value), False
            _is_none([_leaf((broken, signs)), *rest], "chain.leaf.dice")


def test_a_report_must_name_the_firmware_that_its_key_belongs_to() -> None:
    lying = replace(CHIP, facts=replace(CHIP.facts, firmware="another"))
    _refuses(_ders(CHIP), "response.opaque.fwid", code=ErrorCode.FIRMWARE_DIFFERS, report=lying.report(NONCE))


def test_a_switch_must_call_itself_what_its_certificate_calls_it() -> None:
    one, other = (FOUNDRY.device(name, Facts(product="LS_10")) for name in ("switch 1", "switch 2"))
    assert _checked(one.report(NONCE), _ders(one)).device.serial[-16:] == one.serial
    said = other.said(NONCE)
    assert bytes.fromhex(other.serial) in said
    _refuses(_ders(one), "response.opaque.switch_pdi", report=one.report_of(said))


def test_a_chain_signed_otherwise_is_the_same_chip() -> None:
    # (r, n - s) again: whoever has a certificate can write it otherwise, so a digest of a chain is no name of a chip.
    leaf = Forged(like=CHIP.leaf.certificate, key=CHIP.leaf.key, signer=CHIP.device.key).der
    device = Forged(like=CHIP.device.certificate, key=CHIP.device.key, signer=FOUNDRY.above[0].key).der
    ders = [leaf, device, *_ders(CHIP)[2:]]
    assert ders != _ders(CHIP)
    assert claimed_chip(pem(ders)) == CHIP.chip_id
    assert _checked(CHIP.report(NONCE), ders).device == _checked(CHIP.report(NONCE), _ders(CHIP)).device


@pytest.mark.parametrize("warned", ["ignore", "error"])
@pytest.mark.parametrize("first", [0x00, 0x80], ids=["zero", "below zero"])
def test_a_serial_number_is_above_zero_however_warnings_are_taken(
    first: int, warned: Literal["ignore", "error"]
) -> None:
    signs = (usage(signs=True, issues=False), True)
    leaf = _leaf((dice(), signs))
    at = leaf.index(bytes.fromhex("a003020102")) + 5
    assert leaf[at] == 2  # an integer, and the number is in it
    size = leaf[at + 1]
    number = bytes([first]) if first == 0 else bytes([first]) + leaf[at + 3 : at + 2 + size]
    forged = _with_number(leaf, at, size, number)
    with warnings.catch_warnings():
        warnings.simplefilter(warned)
        _is_none([forged, *_ders(CHIP)[1:]], "chain.leaf")


@pytest.mark.parametrize(
    "garbage",
    [
        b"",
        b"garbage",
        b"-----BEGIN CERTIFICATE-----\nA=A=\n-----END CERTIFICATE-----\n" * 5,
        b"-----BEGIN CERTIFICATE-----\n" * 5,
        CHIP.chain.replace(b"CERTIFICATE", b"PRIVATE KEY"),
        CHIP.chain + b"x",
        b"x" + CHIP.chain,
        CHIP.chain + b"\x00",
        CHIP.chain.replace(b"-----END", b"----END", 1),
        CHIP.chain * 2,
        b" " * 65_537,
        b"-----BEGIN CERTIFICATE-----" + b"A" * 65_000,
    ],
    ids=lambda garbage: repr(garbage[-12:]) + str(len(garbage)),
)
def test_what_is_not_five_certificates_is_no_chain(garbage: bytes) -> None:
    with pytest.raises(Malformed) as error:
        genuine_report(CHIP.report(NONCE), garbage, roots=ROOTS, nonce=NONCE)
    assert error.value.faults[0].code == ErrorCode.CERTIFICATE_MALFORMED


@pytest.mark.parametrize("place", range(5))
@pytest.mark.parametrize("junk", [b"", bytes(3), CHIP.leaf.spki], ids=["nothing", "zeros", "a key"])
def test_a_block_of_pem_with_no_certificate_in_it_is_none(place: int, junk: bytes) -> None:
    ders = _ders(CHIP)
    ders[place] = junk
    if place == 4:
        _refuses(ders, "chain.root")  # it is compared with the pinned ones, and never read
    else:
        _is_none(ders, f"chain.{CERTIFICATES[place]}")


def test_issuers_are_remembered_by_every_byte_of_theirs() -> None:
    # Were they known by less, a chain with a tampered authority would pass for the one that was checked before.
    roots = DeviceRoots.of([FOUNDRY.root.der], with_vendors=False)
    ders = _ders(CHIP)
    _checked(CHIP.report(NONCE), ders, roots=roots)
    for place in (2, 3):
        forged = list(ders)
        forged[place] = Forged(like=FOUNDRY.above[place - 2].certificate, key=EVIL, signer=EVIL).der
        _refuses(forged, "chain.provisioner", roots=roots)


def test_a_simulated_device_is_refused_wherever_its_root_was_not_given() -> None:
    vendors = DeviceRoots.of([], with_vendors=True)
    for product in ("GH100", "GB100", "LS_10"):
        one = FOUNDRY.device("any", Facts(product=product))
        _refuses(_ders(one), "chain.root", roots=vendors, report=one.report(NONCE))
        found = _checked(one.report(NONCE), _ders(one))
        assert found.device.root.is_simulated
        assert found.device.product == product


def _leaf(extensions: Sequence[tuple[x509.ExtensionType, bool]]) -> bytes:
    return Forged(
        like=CHIP.leaf.certificate, key=CHIP.leaf.key, signer=CHIP.device.key, extensions=tuple(extensions)
    ).der


def _with_number(leaf: bytes, at: int, size: int, number: bytes) -> bytes:
    """The certificate with another serial number, its two outer lengths made to fit: each is of four bytes."""
    inner = leaf[8:at] + bytes([2, len(number)]) + number + leaf[at + 2 + size : 8 + int.from_bytes(leaf[6:8], "big")]
    inner = b"\x30\x82" + len(inner).to_bytes(2, "big") + inner
    rest = leaf[8 + int.from_bytes(leaf[6:8], "big") :]
    return b"\x30\x82" + (len(inner) + len(rest)).to_bytes(2, "big") + inner + rest


def _ders(device: SimulatedDevice) -> list[bytes]:
    return list(read_chain(device.chain).der)


def _checked(report: bytes, ders: Sequence[bytes], *, roots: DeviceRoots = ROOTS) -> GenuineReport:
    return genuine_report(report, pem(ders), roots=roots, nonce=NONCE)


def _refuses(
    ders: Sequence[bytes],
    path: str,
    *,
    code: ErrorCode = ErrorCode.CHAIN_REFUSED,
    roots: DeviceRoots = ROOTS,
    signer: ec.EllipticCurvePrivateKey | None = None,
    report: bytes | None = None,
) -> None:
    """Refused for this and nothing else; the report is one that the leaf's key did sign, if the forger has it."""
    if report is None:
        forger = CHIP if signer is None else replace(CHIP, leaf=replace(CHIP.leaf, key=signer))
        report = forger.report(NONCE)
    _fails(Refused, ders, code, path, roots, report)


def _is_none(ders: Sequence[bytes], path: str = "chain") -> None:
    _fails(Malformed, ders, ErrorCode.CERTIFICATE_MALFORMED, path, ROOTS, CHIP.report(NONCE))


def _fails(
    kind: type[LightboundError], ders: Sequence[bytes], code: ErrorCode, path: str, roots: DeviceRoots, report: bytes
) -> None:
    with pytest.raises(kind) as error:
        _checked(report, ders, roots=roots)
    (fault,) = error.value.faults
    assert (fault.code, fault.column) == (code, path)
