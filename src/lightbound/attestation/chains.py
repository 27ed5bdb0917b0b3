"""The certificate chain of a device, and the pinned roots that it must lead to.

    leaf (attestation key) <- BROM (device key) <- provisioner <- identity <- device root        P-384, valid to 9999

The last three are the same for a whole product line. Whoever checks a fleet checks them once (`DeviceRoots`).
"""

import binascii
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.utils import CryptographyDeprecationWarning

from lightbound.errors import ErrorCode, LightboundError, malformed, refused

CERTIFICATES: Final = ("leaf", "device", "provisioner", "identity", "root")
"""Of a chain, in their order. The second is the device's own: were another length allowed, whoever hands over a chain
could choose which key passes for the device's."""

MOST_CHAIN_BYTES: Final = 65_536
"""Of PEM; real chains have 5 kB."""

MOST_ISSUERS: Final = 256
"""Issuers remembered as checked: a few for each product line. Past that all are forgotten, and checked again."""

SIMULATED: Final = "Lightbound simulated devices"
"""The organisation in the subject of roots that simulated chips have. Whatever rests on one says so."""

VENDOR_ROOTS: Final = {
    "NVIDIA Device Identity CA": bytes.fromhex("102bf659d5419614c9d8e6aecebc80454eb26b1df6a769ac720b9a690b167b48"),
}
"""SHA-256 of the certificates of device roots. Chains carry the certificate itself; the digest tells whether it is the
genuine one. If one were wrong, either no chip of the vendor would be known, or everybody could make one."""

_UNREADABLE: Final = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
    CryptographyDeprecationWarning,
)
"""What the library raises for bytes that are no certificate it reads; some of it is no ValueError. The warning, where
warnings are errors, is for what no later version of it will read."""

_ECDSA_SHA384: Final = x509.SignatureAlgorithmOID.ECDSA_WITH_SHA384
SIGNED_BY: Final = ec.ECDSA(hashes.SHA384())
"""How everything of a device is signed: its report, and the certificates up to the root."""

_PEM: Final = re.compile(rb"\s*-----BEGIN CERTIFICATE-----([^-]+)-----END CERTIFICATE-----\s*")
_CRITICAL: Final = {x509.BasicConstraints.oid, x509.KeyUsage.oid}
"""Critical extensions that are looked at. One that nobody looks at must not be passed over (RFC 5280, 4.2)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """The certificates of a device as DER, leaf first. Nothing is checked yet."""

    der: tuple[bytes, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Keyed:
    """A certificate with its key, read once: reading a key costs an eighth of a signature check with it."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePublicKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Root:
    """A root that chains may lead to."""

    digest: bytes
    """SHA-256 of the certificate."""
    name: str
    is_simulated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuer:
    """Who vouches for devices: the provisioner's certificate, checked up to a root."""

    provisioner: Keyed
    root: Root
    from_ns: int
    to_ns: int
    """Within which every certificate above the device's is valid."""


@dataclass(slots=True, kw_only=True)
class DeviceRoots:
    """Pinned roots, and the issuers found good under them so far. Threads may share it: at worst they check twice."""

    pinned: tuple[Root, ...]
    _issuers: dict[tuple[bytes, ...], Issuer] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, certificates: Iterable[bytes], *, with_vendors: bool) -> "DeviceRoots":
        """Roots from their certificates as DER, and those of the vendors besides.

        Raises:
            Malformed: no certificate.
        """
        given = [_root(der, load(der, CERTIFICATES[-1])) for der in certificates]
        vendors = [Root(digest=digest, name=name) for name, digest in VENDOR_ROOTS.items()] if with_vendors else []
        return cls(pinned=(*vendors, *given))

    def issuer(self, der: tuple[bytes, ...]) -> Issuer:
        """The provisioner of a chain, its certificates above the device's given from there up to the root.

        Raises:
            Malformed: no certificates.
            Refused: they do not lead to a pinned root.
        """
        found = self._issuers.get(der)
        if found is None:
            found = self._checked(der)
            if len(self._issuers) >= MOST_ISSUERS:
                self._issuers.clear()
            self._issuers[der] = found
        return found

    def _checked(self, der: tuple[bytes, ...]) -> Issuer:
        digest = hashlib.sha256(der[-1]).digest()
        root = next((root for root in self.pinned if root.digest == digest), None)
        if root is None:
            expected = " or ".join(root.name for root in self.pinned) or "a pinned root"
            raise refused(ErrorCode.CHAIN_REFUSED, f"to end at {expected}", f"{digest.hex()[:16]}...", "chain.root")
        names = CERTIFICATES[2:]
        chain = [keyed(one, name) for one, name in zip(der, names, strict=True)]
        for below, above, name in zip(chain, [*chain[1:], chain[-1]], names, strict=True):
            check_issued(below.certificate, above, name)
            check_may_issue(below.certificate, name)
        spans = [validity_ns(one.certificate) for one in chain]
        return Issuer(
            provisioner=chain[0],
            root=root,
            from_ns=max(from_ns for from_ns, _ in spans),
            to_ns=min(to_ns for _, to_ns in spans),
        )


def read_chain(data: bytes) -> Chain:
    """A chain as PEM, leaf first.

    Raises:
        Malformed: anything but five certificates.
    """
    if len(data) > MOST_CHAIN_BYTES:
        raise malformed(ErrorCode.CERTIFICATE_MALFORMED, f"at most {MOST_CHAIN_BYTES} bytes", f"{len(data)}", "chain")
    der: list[bytes] = []
    at = 0
    while at < len(data):
        block = _PEM.match(data, at)
        if block is None:
            expected = "certificates as PEM, and nothing else"
            raise malformed(ErrorCode.CERTIFICATE_MALFORMED, expected, f"something else at byte {at}", "chain")
        try:
            der.append(binascii.a2b_base64(b"".join(block[1].split()), strict_mode=True))
        except binascii.Error:
            path = f"chain[{len(der)}]"
            raise malformed(ErrorCode.CERTIFICATE_MALFORMED, "base64", "something else", path) from None
        at = block.end()
    if len(der) != len(CERTIFICATES):
        expected = f"{len(CERTIFICATES)} certificates: {', '.join(CERTIFICATES)}"
        raise malformed(ErrorCode.CERTIFICATE_MALFORMED, expected, f"{len(der)}", "chain")
    return Chain(der=tuple(der))


def load(der: bytes, name: str) -> x509.Certificate:
    """The certificate that `keyed` gives."""
    return keyed(der, name).certificate


def keyed(der: bytes, name: str) -> Keyed:
    """A certificate read whole, with its P-384 key, and its extensions understood.

    Raises:
        Malformed: none, or one with another kind of key.
        Refused: it has a critical extension that nobody looks at.
    """
    path = f"chain.{name}"
    try:
        certificate = x509.load_der_x509_certificate(der)
        key = certificate.public_key()
        extensions = list(certificate.extensions)
        certificate.subject, certificate.issuer  # noqa: B018 # these are read late, and then it is too late to say so
        certificate.not_valid_after_utc, certificate.not_valid_before_utc  # noqa: B018 # so are these
    except _UNREADABLE:
        raise malformed(ErrorCode.CERTIFICATE_MALFORMED, "a certificate", "something else", path) from None
    if certificate.serial_number <= 0:
        raise malformed(ErrorCode.CERTIFICATE_MALFORMED, "a serial number above 0", "another", path)
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP384R1):
        raise malformed(ErrorCode.CERTIFICATE_MALFORMED, "a key on P-384", "another", path)
    for extension in extensions:
        if extension.critical and extension.oid not in _CRITICAL:
            found = f"a critical extension {extension.oid.dotted_string}"
            raise refused(ErrorCode.CHAIN_REFUSED, "extensions that are understood", found, path)
    return Keyed(certificate=certificate, key=key)


def check_issued(below: x509.Certificate, above: Keyed, name: str) -> None:
    """Nothing, if the upper certificate's key signed the lower, and its subject is the lower one's issuer.

    Only by ECDSA with SHA-384, as all of these are. The algorithm is named twice, once signed and once not; the
    unsigned one is compared, and either way this is what is computed.

    Raises:
        Refused: otherwise.
    """
    try:
        if below.issuer == above.certificate.subject and below.signature_algorithm_oid == _ECDSA_SHA384:
            above.key.verify(below.signature, below.tbs_certificate_bytes, SIGNED_BY)
            return
    except InvalidSignature:
        pass
    expected = "a certificate that the next one in the chain signed"
    raise refused(ErrorCode.CHAIN_REFUSED, expected, "one that it did not sign", f"chain.{name}")


def check_may_issue(certificate: x509.Certificate, name: str) -> None:
    """Nothing, if its key may sign certificates.

    Raises:
        Refused: otherwise.
    """
    try:
        constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        raise _may_not("issue", name) from None
    if not constraints.ca or not usage.key_cert_sign:
        raise _may_not("issue", name)


def check_may_attest(certificate: x509.Certificate, name: str) -> None:
    """Nothing, if its key may sign, and issues nothing.

    Raises:
        Refused: otherwise.
    """
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        raise _may_not("sign", name) from None
    if not usage.digital_signature or usage.key_cert_sign:
        raise _may_not("sign", name)


def validity_ns(certificate: x509.Certificate) -> tuple[int, int]:
    """From and to, in nanoseconds since 1970 UTC; both included."""
    from_s = int(certificate.not_valid_before_utc.timestamp())
    to_s = int(certificate.not_valid_after_utc.timestamp())
    return from_s * 1_000_000_000, to_s * 1_000_000_000


def _root(der: bytes, certificate: x509.Certificate) -> Root:
    return Root(
        digest=hashlib.sha256(der).digest(),
        name=_named(certificate, x509.NameOID.COMMON_NAME) or certificate.subject.rfc4514_string(),
        is_simulated=_named(certificate, x509.NameOID.ORGANIZATION_NAME) == SIMULATED,
    )


def _named(certificate: x509.Certificate, oid: x509.ObjectIdentifier) -> str | None:
    values = certificate.subject.get_attributes_for_oid(oid)
    value = values[0].value if values else None
    return value if isinstance(value, str) else None


def _may_not(what: str, name: str) -> LightboundError:
    return refused(
        ErrorCode.CHAIN_REFUSED, f"a certificate whose key may {what}", "one whose key may not", f"chain.{name}"
    )
