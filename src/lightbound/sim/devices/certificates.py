"""Keys and certificates of simulated devices: five in a chain, as vendors have them, all from a seed.

The root's subject bears `SIMULATED`, so that whatever rests on it says so; and no product trusts it.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Annotated, Final

from cryptography import x509
from cryptography.hazmat import asn1
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from lightbound.attestation.chains import SIMULATED
from lightbound.sim.dice import octets

P384_ORDER: Final = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973

FROM: Final = dt.datetime(2020, 10, 17, tzinfo=dt.UTC)
TO: Final = dt.datetime(9999, 12, 31, 23, 59, 59, tzinfo=dt.UTC)

COMPOSITE: Final = x509.ObjectIdentifier("2.23.133.5.4.1")
TCB_INFO: Final = x509.ObjectIdentifier("2.23.133.5.4.1.1")
_SHA384: Final = x509.ObjectIdentifier("2.16.840.1.101.3.4.2.2")


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
    fwids: Annotated[list[_Fwid] | None, asn1.Implicit(6)]


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
    """A subject as devices have it."""
    parts = [x509.NameAttribute(x509.NameOID.SERIAL_NUMBER, serial)] if serial else []
    parts += [
        x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, SIMULATED),
        x509.NameAttribute(x509.NameOID.COMMON_NAME, common_name),
    ]
    return x509.Name(parts)


def certified(
    key: ec.EllipticCurvePrivateKey,
    subject: x509.Name,
    serial: int,
    issuer: Certified | None,
    extension: x509.UnrecognizedExtension | None = None,
    *,
    signs_lists: bool = False,
) -> Certified:
    """A certificate by an issuer, or by its own key; with an extension that of a leaf, else of one that issues."""
    is_leaf = extension is not None
    others = ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement")
    usage = dict.fromkeys((*others, "encipher_only", "decipher_only"), False)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if issuer is None else issuer.certificate.subject)
        .public_key(key.public_key())
        .serial_number(serial)
        .not_valid_before(FROM)
        .not_valid_after(TO)
        .add_extension(
            x509.KeyUsage(digital_signature=is_leaf, key_cert_sign=not is_leaf, crl_sign=signs_lists, **usage),
            critical=True,
        )
    )
    if extension is None:
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    else:
        builder = builder.add_extension(extension, critical=False)
    signer = key if issuer is None else issuer.key
    return Certified(key=key, certificate=builder.sign(signer, hashes.SHA384(), ecdsa_deterministic=True))


def composite(device: Certified, firmware_id: bytes) -> x509.UnrecognizedExtension:
    """What a Hopper's leaf says of its firmware and its device."""
    fwid = _Fwid(algorithm=_SHA384, digest=firmware_id)
    said = _Composite(version=1, device=asn1.decode_der(asn1.TLV, device.spki), fwid=fwid)
    return x509.UnrecognizedExtension(COMPOSITE, asn1.encode_der(said))


def tcb_info(product: str, firmware_id: bytes) -> x509.UnrecognizedExtension:
    """What a Blackwell's leaf says of its firmware."""
    fwids = [_Fwid(algorithm=_SHA384, digest=firmware_id), _Fwid(algorithm=_SHA384, digest=bytes(48))]
    said = _TcbInfo(vendor="Simulated", model=product, fwids=fwids)
    return x509.UnrecognizedExtension(TCB_INFO, asn1.encode_der(said))
