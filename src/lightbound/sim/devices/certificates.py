"""Keys and certificates of simulated devices: five in a chain, as vendors have them, all from a seed.

The root's subject bears `SIMULATED`, so that whatever rests on it says so; and no product trusts it.
"""

import datetime as dt
from dataclasses import dataclass
from enum import Enum, auto
from typing import Annotated, Final

from cryptography import x509
from cryptography.hazmat import asn1
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import AuthorityInformationAccessOID

from lightbound.attestation.chains import SIMULATED
from lightbound.sim.dice import octets

P384_ORDER: Final = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973

FROM: Final = dt.datetime(2020, 10, 17, tzinfo=dt.UTC)
TO: Final = dt.datetime(9999, 12, 31, 23, 59, 59, tzinfo=dt.UTC)

COMPOSITE: Final = x509.ObjectIdentifier("2.23.133.5.4.1")
TCB_INFO: Final = x509.ObjectIdentifier("2.23.133.5.4.1.1")
_SHA384: Final = x509.ObjectIdentifier("2.16.840.1.101.3.4.2.2")


_DEVICE_INFO: Final = x509.ObjectIdentifier("1.3.6.1.4.1.412.274.1")
_NOWHERE: Final = "ZZ"
"""No country (ISO 3166-1, 8.1.3)."""


class Usage(Enum):
    """What a key may do."""

    ATTEST = auto()
    ISSUE = auto()
    ISSUE_AND_REVOKE = auto()


@asn1.sequence
class _Fwid:
    algorithm: x509.ObjectIdentifier
    digest: bytes


@asn1.sequence
class _Composite:
    version: int
    device: asn1.TLV
    fwid: _Fwid


@asn1.sequence
class _TcbInfo:
    vendor: Annotated[str | None, asn1.Implicit(0)]
    model: Annotated[str | None, asn1.Implicit(1)]
    version: Annotated[str | None, asn1.Implicit(2)]
    svn: Annotated[int | None, asn1.Implicit(3)]
    layer: Annotated[int | None, asn1.Implicit(4)]
    index: Annotated[int | None, asn1.Implicit(5)]
    fwids: Annotated[list[_Fwid] | None, asn1.Implicit(6)]
    flags: Annotated[asn1.BitString | None, asn1.Implicit(7)]
    vendor_info: Annotated[bytes | None, asn1.Implicit(8)]
    kind: Annotated[bytes | None, asn1.Implicit(9)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Certified:
    """A key, and the certificate that says whose it is."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @property
    def spki(self) -> bytes:
        """The public key as DER."""
        return self.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    @property
    def der(self) -> bytes:
        """The certificate as DER."""
        return self.certificate.public_bytes(Encoding.DER)


def key_of(seed: int, *names: str | int) -> ec.EllipticCurvePrivateKey:
    """A P-384 key that follows from seed and names."""
    high, low = (octets(seed, *names, half) for half in ("high", "low"))
    return ec.derive_private_key(int.from_bytes(high + low[:16], "big") % (P384_ORDER - 1) + 1, ec.SECP384R1())


def named(common_name: str, *, serial: str | None = None) -> x509.Name:
    """A subject as devices have it, or, without a number, as those above them."""
    own = x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, SIMULATED)
    name = x509.NameAttribute(x509.NameOID.COMMON_NAME, common_name)
    if serial is None:
        return x509.Name([name, own])
    number = x509.NameAttribute(x509.NameOID.SERIAL_NUMBER, serial)
    return x509.Name([number, x509.NameAttribute(x509.NameOID.COUNTRY_NAME, _NOWHERE), own, name])


def key_identifier(key: ec.EllipticCurvePrivateKey) -> bytes:
    """What certificates call a key, 20 bytes (RFC 5280, 4.2.1.2)."""
    return x509.SubjectKeyIdentifier.from_public_key(key.public_key()).digest


def certified(
    key: ec.EllipticCurvePrivateKey,
    subject: x509.Name,
    serial: int,
    issuer: Certified | None,
    *,
    may: Usage,
    before: tuple[x509.ExtensionType, ...] = (),
    after: tuple[x509.ExtensionType, ...] = (),
) -> Certified:
    """A certificate by an issuer, or by its own key; with other extensions before its key identifiers, and after."""
    signer = key if issuer is None else issuer.key
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if issuer is None else issuer.certificate.subject)
        .public_key(key.public_key())
        .serial_number(serial)
        .not_valid_before(FROM)
        .not_valid_after(TO)
    )
    if may is not Usage.ATTEST:
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    builder = builder.add_extension(_usage(may), critical=True)
    identifiers = (
        x509.SubjectKeyIdentifier(key_identifier(key)),
        x509.AuthorityKeyIdentifier(key_identifier(signer), None, None),
    )
    for extension in (*before, *identifiers, *after):
        builder = builder.add_extension(extension, critical=False)
    return Certified(key=key, certificate=builder.sign(signer, hashes.SHA384(), ecdsa_deterministic=True))


def asked_at(list_name: str | None) -> tuple[x509.ExtensionType, ...]:
    """Where to ask whether it was revoked, as vendors' certificates say it; nobody is there."""
    answers = x509.AccessDescription(
        AuthorityInformationAccessOID.OCSP, x509.UniformResourceIdentifier("http://ocsp.simulated.invalid")
    )
    found: tuple[x509.ExtensionType, ...] = (x509.AuthorityInformationAccess([answers]),)
    if list_name is None:
        return found
    at = x509.UniformResourceIdentifier(f"http://crl.simulated.invalid/{list_name}.crl")
    point = x509.DistributionPoint(full_name=[at], relative_name=None, reasons=None, crl_issuer=None)
    return (x509.CRLDistributionPoints([point]), *found)


def device_name(product: str, serial: bytes) -> x509.SubjectAlternativeName:
    """What a leaf calls its device (DSP0274, 10.6.1)."""
    name = asn1.encode_der(f"Simulated:{product}:{serial.hex().upper()}")
    return x509.SubjectAlternativeName([x509.OtherName(_DEVICE_INFO, name)])


def _usage(may: Usage) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=may is Usage.ATTEST,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=may is not Usage.ATTEST,
        crl_sign=may is Usage.ISSUE_AND_REVOKE,
        encipher_only=False,
        decipher_only=False,
    )


def composite(device: Certified, firmware_id: bytes) -> x509.UnrecognizedExtension:
    """What a Hopper's leaf says of its firmware and its device."""
    fwid = _Fwid(algorithm=_SHA384, digest=firmware_id)
    said = _Composite(version=1, device=asn1.decode_der(asn1.TLV, device.spki), fwid=fwid)
    return x509.UnrecognizedExtension(COMPOSITE, asn1.encode_der(said))


def tcb_info(product: str, firmware_id: bytes) -> x509.UnrecognizedExtension:
    """What a Blackwell's leaf says of its firmware."""
    fwids = [_Fwid(algorithm=_SHA384, digest=firmware_id), _Fwid(algorithm=_SHA384, digest=bytes(48))]
    said = _TcbInfo(
        vendor="Simulated",
        model=f"{product} A01 GSP BR",
        version="1",
        svn=1,
        layer=0,
        index=42_622,
        fwids=fwids,
        flags=asn1.BitString(b"\x80\x00\x00\x00", 0),
        vendor_info=b"\x01\xc0",
        kind=b"\x00",
    )
    return x509.UnrecognizedExtension(TCB_INFO, asn1.encode_der(said))
