"""A vendor of our own: its root, its issuer, its signer, and manifests that it signs as the real one does."""

import datetime as dt
from dataclasses import dataclass
from typing import Final

from lxml import etree
from signxml.algorithms import CanonicalizationMethod, DigestAlgorithm, SignatureMethod
from signxml.signer import XMLSigner

from tests.attestation.holders import FROM, TO, Holder, holder

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
