"""Who signed a reference manifest, and from when to when that counts.

That a signer's certificate has run out is no refusal: the manifest is what it was. Whether it counts is asked as of an
instant (`Reference.is_current`), and so no instant is needed here.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.x509.oid import ExtendedKeyUsageOID
from lxml import etree
from signxml.algorithms import DigestAlgorithm, SignatureMethod
from signxml.exceptions import InvalidDigest, SignXMLException
from signxml.verifier import SignatureConfiguration, VerifyResult, XMLVerifier

from lightbound.attestation.appraisal import Reference
from lightbound.attestation.chains import (
    Root,
    check_issued,
    check_may_attest,
    check_may_issue,
    keyed,
    load,
    validity_ns,
)
from lightbound.attestation.manifests.markup import Markup, check_algorithms, parser, taken_apart
from lightbound.attestation.manifests.reading import Manifest, manifest_of
from lightbound.errors import ErrorCode, Malformed, Refused, refused

VENDOR_ROOTS: Final = (
    Root(
        digest=bytes.fromhex("12977b5115acb0381179279fffeb5a8c4d264971ebb32298023a465fa41df5d1"),
        name="NVIDIA CoRIM signing Root CA",
    ),
)
"""Whose signers' manifests are believed. Were the digest wrong, either no manifest of the vendor would hold, or whoever
holds the other key could say what firmware is genuine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedManifest:
    """What a signer under a pinned root says: read from the signed bytes, and from them alone."""

    said: Manifest
    root: Root
    chain: tuple[bytes, ...]
    """The signer's certificates as DER, leaf first: what an answer about revocation would be about."""
    from_ns: int
    to_ns: int
    """When every certificate of the chain is valid, both included."""

    def is_current(self, at_ns: int) -> bool:
        """Whether its signer was valid then."""
        return self.from_ns <= at_ns <= self.to_ns

    def reference(self, name: str) -> Reference:
        """What reports are held against; `name` says which file it was."""
        return Reference(
            name=name,
            product=self.said.product,
            version=self.said.version,
            measurements={one.index: frozenset(one.digests) for one in self.said.measurements if one.is_active},
            from_ns=self.from_ns,
            to_ns=self.to_ns,
        )


def verified_manifest(data: bytes, *, roots: Sequence[Root] = VENDOR_ROOTS) -> VerifiedManifest:
    """What a manifest says, and until when its signer was valid.

    1. It is XML of the one form that is taken, with one signature, which says that it is over the whole of it.
    2. The certificates in it lead to a pinned root; each may do what it did.
    3. The key of the first signed the whole.
    4. What was signed is a manifest. It is read from the very bytes that the signature is over.

    It does not show that this is the newest manifest of its software, nor that its signer was not revoked.

    Raises:
        Malformed: no manifest, or its certificates are none.
        Refused: the signature or the chain does not hold.
    """
    markup = taken_apart(data)
    check_algorithms(markup)
    try:
        root, chain = _checked_chain(markup.certificates, roots)
    except Refused as error:
        raise Refused([replace(one, code=ErrorCode.MANIFEST_REFUSED) for one in error.faults]) from None
    except Malformed as error:
        raise Malformed([replace(one, code=ErrorCode.MANIFEST_MALFORMED) for one in error.faults]) from None
    spans = [validity_ns(one) for one in chain]
    return VerifiedManifest(
        said=manifest_of(_signed(markup, chain[0])),
        root=root,
        chain=markup.certificates,
        from_ns=max(from_ns for from_ns, _ in spans),
        to_ns=min(to_ns for _, to_ns in spans),
    )


def claimed_span_ns(data: bytes) -> tuple[int, int]:
    """When the certificates in a manifest say that its signer is valid, both included. Nothing is checked.

    Raises:
        Malformed, Refused: no signed manifest, or its certificates are none.
    """
    certificates = taken_apart(data).certificates
    spans = [validity_ns(load(one, f"manifest[{number}]")) for number, one in enumerate(certificates)]
    return max(from_ns for from_ns, _ in spans), min(to_ns for _, to_ns in spans)


def _checked_chain(der: tuple[bytes, ...], roots: Iterable[Root]) -> tuple[Root, list[x509.Certificate]]:
    """The pinned root and the certificates, signer first."""
    digest = hashlib.sha256(der[-1]).digest()
    root = next((root for root in roots if root.digest == digest), None)
    names = [f"manifest[{number}]" for number in range(len(der))]
    if root is None or len(der) < 2:
        expected = " or ".join(root.name for root in roots) or "a pinned root"
        raise refused(ErrorCode.CHAIN_REFUSED, f"a signer under {expected}", f"{digest.hex()[:16]}...", names[-1])
    keys = [keyed(one, name) for one, name in zip(der, names, strict=True)]
    chain = [one.certificate for one in keys]
    for number, above in enumerate(keys[1:]):
        check_issued(chain[number], above, names[number])
        check_may_issue(above.certificate, names[number + 1])
        _check_depth(above.certificate, number, names[number + 1])
    check_may_attest(chain[0], names[0])
    _check_purpose(chain[0], names[0])
    return root, chain


def _check_depth(issuer: x509.Certificate, below: int, name: str) -> None:
    """Nothing, if an issuer may have so many issuers below it (RFC 5280, 4.2.1.9)."""
    most = issuer.extensions.get_extension_for_class(x509.BasicConstraints).value.path_length
    if most is not None and below > most:
        raise refused(ErrorCode.CHAIN_REFUSED, f"at most {most} issuers below", f"{below}", f"chain.{name}")


def _check_purpose(signer: x509.Certificate, name: str) -> None:
    """Nothing, if the key is not one that only answers about revocation: such keys stand under the same root."""
    try:
        purposes = signer.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return
    if ExtendedKeyUsageOID.OCSP_SIGNING in purposes:
        raise refused(ErrorCode.CHAIN_REFUSED, "a signer of manifests", "a responder's key", f"chain.{name}")


def _signed(markup: Markup, signer: x509.Certificate) -> etree._Element:
    """What the signer's key signed, as a tree made anew from the signed bytes."""
    form = SignatureConfiguration(
        location="./",
        expect_references=1,
        signature_methods=frozenset({SignatureMethod.ECDSA_SHA384}),
        digest_algorithms=frozenset({DigestAlgorithm.SHA384}),
        # A signer's time is judged apart. Without an instant of its own the library would ask the clock.
        verification_time=signer.not_valid_before_utc,
    )
    try:
        found = XMLVerifier().verify(
            markup.root, x509_cert=signer, parser=parser(), validate_schema=False, expect_config=form
        )
    except InvalidDigest:
        raise _unsigned("a manifest as it was signed", "an altered one", "DigestValue") from None
    except (SignXMLException, InvalidSignature, etree.LxmlError, ValueError):
        raise _unsigned("the signature of its signer", "another", "SignatureValue") from None
    if not isinstance(found, VerifyResult) or found.signed_xml is None:
        raise _unsigned("one signed tree", "something else", "Reference")
    return found.signed_xml


def _unsigned(expected: str, found: str, where: str) -> Refused:
    return refused(ErrorCode.MANIFEST_REFUSED, expected, found, f"manifest.signature.{where}")
