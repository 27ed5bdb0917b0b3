"""Certificates of our own, each with the key that it is of."""

import datetime as dt
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from lightbound.attestation.chains import Root

FROM: Final = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
TO: Final = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """A certificate, and the key that it is of."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def der(self) -> bytes:
        """The certificate."""
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def root(self) -> Root:
        """The certificate as one that is pinned."""
        return Root(digest=sha256(self.der).digest(), name="ours")


def holder(
    name: str,
    issuer: Holder | None = None,
    *,
    may_issue: bool = True,
    depth: int | None = None,
    purposes: tuple[x509.ObjectIdentifier, ...] = (),
    serial: int | None = None,
    span: tuple[dt.datetime, dt.datetime] = (FROM, TO),
) -> Holder:
    """A new key and its certificate, by this issuer or by itself."""
    key = ec.generate_private_key(ec.SECP384R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    usage = dict.fromkeys(
        (
            "content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "encipher_only",
            "decipher_only",
        ),
        False,
    )  # fmt: skip
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if issuer is None else issuer.certificate.subject)
        .public_key(key.public_key())
        .serial_number(serial or x509.random_serial_number())
        .not_valid_before(span[0])
        .not_valid_after(span[1])
        .add_extension(x509.BasicConstraints(ca=may_issue, path_length=depth), critical=True)
        .add_extension(
            x509.KeyUsage(digital_signature=not may_issue, key_cert_sign=may_issue, crl_sign=may_issue, **usage),
            critical=True,
        )
    )
    if purposes:
        builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
    return Holder(certificate=builder.sign(key if issuer is None else issuer.key, hashes.SHA384()), key=key)
