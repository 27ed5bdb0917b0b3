"""Which genuine device signed a report, by its certificates and nothing else: offline, without the vendor.

What comes out is proven; what it does not show, `NOT_SHOWN` says. Whether the firmware is one that the maker released
is a question of its own (`appraisal`).
"""

import hashlib
from dataclasses import dataclass
from enum import StrEnum, auto
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import utils
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from lightbound.attestation.chains import (
    CERTIFICATES,
    SIGNED_BY,
    DeviceRoots,
    Issuer,
    Keyed,
    Root,
    check_issued,
    check_may_attest,
    check_may_issue,
    keyed,
    read_chain,
    validity_ns,
)
from lightbound.attestation.dice import layer
from lightbound.attestation.opaque import Type
from lightbound.attestation.reports import SIGNATURE_BYTES, Report, read_report
from lightbound.errors import ErrorCode, malformed, refused

NOT_SHOWN: Final = (
    "where the device is, or was",
    "which host asked it: whoever can reach the device, from anywhere, can pass its report on",
    "that the agent's own key is beside the device, or was not copied",
)
"""What no report shows, however genuine."""


class Family(StrEnum):
    """What a device is, by the name in its certificates."""

    HOPPER = auto()
    BLACKWELL = auto()
    SWITCH = auto()
    OTHER = auto()
    """Genuine, and of a kind that is not known here."""


_FAMILIES: Final = {"GH": Family.HOPPER, "GB": Family.BLACKWELL, "LS": Family.SWITCH}
"""By the first two letters of the product: GH100, GB100, LS_10."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """A device as its certificates know it."""

    chip_id: bytes
    """SHA-256 of the SPKI of its device (BROM) certificate, 32 bytes: under every firmware the same."""
    serial: str
    """Of its device certificate, in hex. The last 8 bytes are what switches and GPUs call one another."""
    product: str
    """As its certificate has it, such as GH100."""
    root: Root

    @property
    def family(self) -> Family:
        """What kind of device it is."""
        return _FAMILIES.get(self.product[:2], Family.OTHER)


@dataclass(frozen=True, slots=True, kw_only=True)
class GenuineReport:
    """A report that a genuine device signed."""

    device: Device
    report: Report
    firmware_id: bytes
    """Of the firmware that holds the key which signed, 48 bytes."""
    chain: tuple[bytes, ...]
    """The certificates as DER, leaf first: what an answer about revocation would be about."""
    is_fresh: bool
    """Whether it is over the nonce that was asked for. False: nobody said which; it may be old."""
    from_ns: int
    to_ns: int
    """When every certificate is valid."""


def genuine_report(report: bytes, chain: bytes, *, roots: DeviceRoots, nonce: bytes | None) -> GenuineReport:
    """The device that signed a report, and what it said.

    1. Report and chain are read whole.
    2. The chain leads, signature by signature, to a pinned root, and each key may do what it did.
    3. The leaf's key belongs to this device, where the extension says to which.
    4. The leaf's key signed the report.
    5. The report names the firmware that the leaf's key belongs to, where the device states it.
    6. A switch calls itself what its certificate calls it.
    7. The report is over the nonce that was asked for, if one was.

    The certificates' own time is not judged here: see `from_ns`, `to_ns`. Those of devices are for ever.

    Raises:
        Malformed: no report, or no chain.
        Refused: a step that does not hold, each by a code and path of its own.
    """
    said = read_report(report)
    der = read_chain(chain).der
    issuer = roots.issuer(der[2:])
    leaf, device = keyed(der[0], CERTIFICATES[0]), keyed(der[1], CERTIFICATES[1])
    check_issued(device.certificate, issuer.provisioner, CERTIFICATES[1])
    check_may_issue(device.certificate, CERTIFICATES[1])
    check_issued(leaf.certificate, device, CERTIFICATES[0])
    check_may_attest(leaf.certificate, CERTIFICATES[0])
    spki = _spki(device)
    dice = layer(leaf.certificate)
    if dice.device_key not in {None, spki}:
        raise refused(ErrorCode.CHAIN_REFUSED, "a leaf of this device", "one of another", "chain.leaf.dice")
    _check_signature(said, leaf)
    if said.opaque.firmware_id not in {None, dice.firmware_id}:
        expected, path = "the firmware that the leaf's key belongs to", "response.opaque.fwid"
        raise refused(ErrorCode.FIRMWARE_DIFFERS, expected, "another", path)
    found = _device(spki, device.certificate, issuer)
    if found.family is Family.SWITCH and said.opaque.fields.get(Type.SWITCH_PDI, b"").hex() != found.serial[-16:]:
        raise refused(ErrorCode.CHAIN_REFUSED, "the switch of the certificate", "another", "response.opaque.switch_pdi")
    if nonce is not None and nonce != said.nonce:
        raise refused(ErrorCode.NONCE_DIFFERS, "a report over the nonce asked for", "over another", "request.nonce")
    spans = [validity_ns(leaf.certificate), validity_ns(device.certificate), (issuer.from_ns, issuer.to_ns)]
    return GenuineReport(
        device=found,
        report=said,
        firmware_id=dice.firmware_id,
        chain=der,
        is_fresh=nonce is not None,
        from_ns=max(from_ns for from_ns, _ in spans),
        to_ns=min(to_ns for _, to_ns in spans),
    )


def claimed_chip(chain: bytes) -> bytes:
    """The chip that a chain is of, if it is genuine: what a nonce for that chip's report has to name, 32 bytes.

    Raises:
        Malformed, Refused: no chain.
    """
    return hashlib.sha256(_spki(keyed(read_chain(chain).der[1], CERTIFICATES[1]))).digest()


def _spki(certificate: Keyed) -> bytes:
    return certificate.key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _device(spki: bytes, certificate: x509.Certificate, issuer: Issuer) -> Device:
    names = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    name = names[0].value if names else ""
    product = name.split(" ")[0] if isinstance(name, str) else ""
    if not product.isascii() or not product.isprintable():
        raise malformed(ErrorCode.CERTIFICATE_MALFORMED, "the name of a product", "another", "chain.device")
    return Device(
        chip_id=hashlib.sha256(spki).digest(),
        serial=f"{certificate.serial_number:x}",
        product=product,
        root=issuer.root,
    )


def _check_signature(said: Report, leaf: Keyed) -> None:
    half = SIGNATURE_BYTES // 2
    r, s = (int.from_bytes(said.signature[at : at + half], "big") for at in (0, half))
    try:
        leaf.key.verify(utils.encode_dss_signature(r, s), said.signed, SIGNED_BY)
    except InvalidSignature:
        expected = "a report that the leaf's key signed"
        raise refused(ErrorCode.SIGNATURE_INVALID, expected, "one that it did not", "response.signature") from None
