"""A signed manifest as a tree: XML without a DTD, one signature in it, and the signature in the one form that is taken.

    SoftwareIdentity
      ...                                                     what is signed: all of it but the signature
      Signature
        SignedInfo      CanonicalizationMethod, SignatureMethod, Reference
        SignatureValue
        KeyInfo         X509Data: X509Certificate ...         leaf first

XML signatures (W3C XMLDSig 1.1) can sign anything, anywhere, after any transformation. Whoever reads more than was
signed believes an attacker; so every form but this one is turned away before a signature is looked at.
"""

import base64
import binascii
from dataclasses import dataclass
from typing import Final

from lxml import etree

from lightbound.errors import ErrorCode, Malformed, malformed, refused

MOST_BYTES: Final = 4_000_000
"""Of a manifest; real ones have some 20 kB. The limit bounds what a hostile one can cost."""
MOST_CERTIFICATES: Final = 8
"""Of a signer's chain; real ones have four."""

SWID: Final = "{http://standards.iso.org/iso/19770/-2/2015/schema.xsd}"
DSIG: Final = "{http://www.w3.org/2000/09/xmldsig#}"

_C14N: Final = "http://www.w3.org/2006/12/xml-c14n11"
_ENVELOPED: Final = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
_ECDSA_SHA384: Final = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384"
_SHA384: Final = "http://www.w3.org/2001/04/xmldsig-more#sha384"
_ALGORITHMS: Final = (_C14N, _ECDSA_SHA384, _ENVELOPED, _C14N, _SHA384)
"""Of a signature, in the order of the document. Each is what the vendor uses; nothing weaker can be chosen instead."""

_SHAPE: Final = {
    "Signature": ("SignedInfo", "SignatureValue", "KeyInfo"),
    "SignedInfo": ("CanonicalizationMethod", "SignatureMethod", "Reference"),
    "Reference": ("Transforms", "DigestMethod", "DigestValue"),
    "Transforms": ("Transform", "Transform"),
    "KeyInfo": ("X509Data",),
}
"""What stands in each element of a signature; in X509Data certificates alone, and in all others nothing."""
_BASE64: Final = ("SignatureValue", "DigestValue", "X509Certificate")


@dataclass(frozen=True, slots=True, kw_only=True)
class Markup:
    """A manifest taken apart. Nothing is verified yet."""

    root: etree._Element
    signature: etree._Element
    certificates: tuple[bytes, ...]
    """DER, as the signature gives them: leaf first."""


def parser() -> etree.XMLParser:
    """Reads no DTD, expands no entity, opens no connection; comments, which no signature of this form covers, go."""
    return etree.XMLParser(
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        huge_tree=False,
        remove_comments=True,
        collect_ids=False,
    )


def taken_apart(data: bytes) -> Markup:
    """A manifest as a tree, with one signature of the form above.

    Which algorithms it names is not looked at: see `check_algorithms`.

    Raises:
        Malformed: no such XML, or not signed so.
    """
    if len(data) > MOST_BYTES:
        raise _malformed(f"at most {MOST_BYTES} bytes", f"{len(data)}")
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        raise _malformed("XML without a document type", "a document type")
    try:
        root = etree.fromstring(data, parser())
    except (etree.XMLSyntaxError, ValueError):
        raise _malformed("XML", "something else") from None
    # In an encoding of its own a document type can hide from the look at the bytes above.
    about = root.getroottree().docinfo
    if (
        about.internalDTD is not None
        or about.externalDTD is not None
        or next(root.iter(etree.Entity), None) is not None
    ):
        raise _malformed("XML without a document type", "a document type")
    if root.tag != f"{SWID}SoftwareIdentity":
        raise _malformed("SoftwareIdentity", str(root.tag))
    signatures = list(root.iter(f"{DSIG}Signature"))
    if len(signatures) != 1 or signatures[0].getparent() is not root:
        raise _malformed("one signature, directly in SoftwareIdentity", f"{len(signatures)}")
    return Markup(root=root, signature=signatures[0], certificates=_certificates(signatures[0]))


def _certificates(signature: etree._Element) -> tuple[bytes, ...]:
    _check_shape(signature)
    found = []
    for element in signature.iter(*(f"{DSIG}{name}" for name in _BASE64)):
        try:
            octets = base64.b64decode("".join((element.text or "").split()), validate=True)
        except (binascii.Error, ValueError):
            octets = b""
        if not octets:
            raise _malformed("base64", "something else", f"manifest.signature.{_name(element)}")
        if _name(element) == "X509Certificate":
            found.append(octets)
    if not 1 <= len(found) <= MOST_CERTIFICATES:
        expected = f"1 to {MOST_CERTIFICATES} certificates"
        raise _malformed(expected, f"{len(found)}", "manifest.signature.KeyInfo")
    return tuple(found)


def check_algorithms(markup: Markup) -> None:
    """Nothing, if the signature says that it is over the whole manifest, by the one way of signing that is taken.

    Raises:
        Refused: otherwise.
    """
    algorithms = tuple(one.get("Algorithm") for one in markup.signature.iter() if "Algorithm" in one.attrib)
    if algorithms != _ALGORITHMS:
        others = [str(one) for one in algorithms if one not in _ALGORITHMS]
        raise refused(
            ErrorCode.MANIFEST_REFUSED,
            "ECDSA with SHA-384 over the manifest in canonical form",
            ", ".join(others) or "other algorithms",
            "manifest.signature",
        )
    uris = [one.get("URI") for one in markup.signature.iter(f"{DSIG}Reference")]
    if uris != [""]:
        raise refused(
            ErrorCode.MANIFEST_REFUSED, "a signature over the whole manifest", f"over {uris}", "manifest.signature"
        )


def _check_shape(signature: etree._Element) -> None:
    for element in signature.iter():
        name = _name(element)
        inside = tuple(_name(one) for one in element)
        expected = _SHAPE.get(name, ())
        if name == "X509Data":
            expected = ("X509Certificate",) * len(inside)
        if inside != expected:
            said = ", ".join(expected) or "no element"
            raise _malformed(said, ", ".join(inside) or "none", f"manifest.signature.{name}")


def _name(element: etree._Element) -> str:
    """The name of an element of XML signatures; of any other, the name with its namespace, which is none of these."""
    return str(element.tag).removeprefix(DSIG)


def _malformed(expected: str, found: str, path: str = "manifest") -> Malformed:
    return malformed(ErrorCode.MANIFEST_MALFORMED, expected, found, path)
