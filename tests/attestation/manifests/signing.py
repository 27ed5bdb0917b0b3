"""A vendor of our own: its root, its issuer, its signer, and manifests that it signs as the real one does."""

import datetime as dt
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree
from signxml.algorithms import CanonicalizationMethod, DigestAlgorithm, SignatureMethod
from signxml.signer import XMLSigner

from lightbound.attestation.chains import Root

FROM: Final = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
TO: Final = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)

MANIFEST: Final = """\
<SoftwareIdentity xmlns="http://standards.iso.org/iso/19770/-2/2015/schema.xsd"
  xmlns:h="http://www.w3.org/2001/04/xmlenc#sha384" name="GH100" tagId="ours" version="1.0">
<Entity name="Nobody" role="tagCreator"/>
<Meta product="GH100" colloquialVersion="{version}"/>
<Payload>{resources}</Payload>
</SoftwareIdentity>"""
RESOURCE: Final = (
    '<Resource type="Measurement" index="{index}" active="{active}" alternatives="{count}" '
    '{digests} name="m" size="48"/>'
)


def unsigned(version: str, digests: dict[int, list[bytes]], *, inactive: frozenset[int] = frozenset()) -> bytes:
    """A manifest of these measurements, before it is signed."""
    resources = [
        RESOURCE.format(
            index=index,
            active=str(index not in inactive),
            count=len(allowed),
            digests=" ".join(f'h:Hash{number}="{digest.hex()}"' for number, digest in enumerate(allowed)),
        )
        for index, allowed in digests.items()
    ]
    return MANIFEST.format(version=version, resources="\n".join(resources)).encode()


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Vendor:
    """Root, issuer and signer."""

    root: Holder
    issuer: Holder
    signer: Holder

    def signs(self, manifest: bytes, *, digest: DigestAlgorithm = DigestAlgorithm.SHA384) -> bytes:
        """The manifest, signed as the real vendor signs."""
        return self.signed_by(self.signer, manifest, digest=digest)

    def signed_by(self, signer: Holder, manifest: bytes, *, digest: DigestAlgorithm = DigestAlgorithm.SHA384) -> bytes:
        """The manifest with another signer's signature, and the chain from that signer up."""
        maker = XMLSigner(
            signature_algorithm=SignatureMethod.ECDSA_SHA384,
            digest_algorithm=digest,
            c14n_algorithm=CanonicalizationMethod.CANONICAL_XML_1_1,
        )
        chain = [signer.certificate, self.issuer.certificate, self.root.certificate]
        signed = maker.sign(etree.fromstring(manifest), key=signer.key, cert=chain)
        return etree.tostring(signed)


def vendor(*, span: tuple[dt.datetime, dt.datetime] = (FROM, TO)) -> Vendor:
    """A new vendor, whose signer's certificate is valid for this span."""
    root = holder("root")
    issuer = holder("issuer", root, depth=0)
    return Vendor(root=root, issuer=issuer, signer=holder("signer", issuer, may_issue=False, span=span))
