"""What a reference manifest says: of which software, and what that should measure.

    SoftwareIdentity  name, tagId                             SWID tag, ISO/IEC 19770-2:2015
      Entity          name                                    who made it
      Meta            product, colloquialVersion              TCG Reference Integrity Manifest Information Model 1.01
      Payload
        Resource      type="Measurement" index active alternatives size Hash0 Hash1 ...

Index i is block i + 1 of a report. What is read here was not checked: anybody can write a manifest; `verifying` tells
who did.
"""

import re
from dataclasses import dataclass
from typing import Final

from lxml import etree

from lightbound.attestation.manifests.markup import SWID, taken_apart
from lightbound.canonical.fields import is_plain
from lightbound.errors import ErrorCode, Malformed, malformed

DIGEST_BYTES: Final = 48
MOST_INDEX: Final = 254
"""SPDM numbers blocks from 1 to 255, in one byte."""
MOST_ALTERNATIVES: Final = 256
"""Digests that one measurement may have; those that were collected have a few. Any one is enough: without a limit, one
manifest could take long to compare."""
MOST_TEXT: Final = 200
"""Letters of a name or a version."""

_SHA384: Final = "{http://www.w3.org/2001/04/xmlenc#sha384}"
_NUMBER: Final = re.compile(r"0|[1-9][0-9]{0,2}")
_DIGEST: Final = re.compile(rf"[0-9a-fA-F]{{{2 * DIGEST_BYTES}}}")
_ACTIVE: Final = {"True": True, "False": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """What one measurement should be."""

    index: int
    name: str
    is_active: bool
    """Whether it is to be compared. Of an inactive one the digests are fillers, and say nothing."""
    digests: tuple[bytes, ...]
    """Any one of these is right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a manifest says of itself. Nothing is checked."""

    tag_id: str
    product: str
    """Such as GH100."""
    version: str
    """Of the driver, as 550.144.03, or of the VBIOS, as 96.00.5E.00.01. Which of the two, it does not say."""
    maker: str
    measurements: tuple[Measurement, ...]
    """By index, each once."""


def read_manifest(data: bytes) -> Manifest:
    """What a manifest says, whoever signed it.

    Raises:
        Malformed: no signed manifest.
    """
    return manifest_of(taken_apart(data).root)


def manifest_of(root: etree._Element) -> Manifest:
    """What a tree says, signature aside.

    Raises:
        Malformed: no manifest.
    """
    meta, payload = _the_one(root, "Meta"), _the_one(root, "Payload")
    found: dict[int, Measurement] = {}
    for resource in payload:
        read = _measurement(resource)
        if read.index in found:
            raise _malformed("each index once", f"{read.index} twice", f"Payload[{read.index}]")
        found[read.index] = read
    if not found:
        raise _malformed("measurements", "none", "Payload")
    return Manifest(
        tag_id=_text(root, "tagId", "SoftwareIdentity"),
        product=_text(meta, "product", "Meta"),
        version=_text(meta, "colloquialVersion", "Meta"),
        maker=_text(_the_one(root, "Entity"), "name", "Entity"),
        measurements=tuple(found[index] for index in sorted(found)),
    )


def _measurement(resource: etree._Element) -> Measurement:
    index = _number(resource, "index", MOST_INDEX, "Payload")
    where = f"Payload[{index}]"
    if resource.tag != f"{SWID}Resource" or resource.get("type") != "Measurement" or len(resource):
        raise _malformed("a measurement", "something else", where)
    active = _ACTIVE.get(resource.get("active", ""))
    if active is None:
        raise _malformed("True or False", resource.get("active", "nothing"), f"{where}.active")
    if _number(resource, "size", MOST_INDEX, where) != DIGEST_BYTES:
        raise _malformed(f"{DIGEST_BYTES} bytes", resource.get("size", "nothing"), f"{where}.size")
    count = _number(resource, "alternatives", MOST_ALTERNATIVES, where)
    names = [f"{_SHA384}Hash{number}" for number in range(count)]
    # A digest that is there and not counted would be one that nobody reads, or one that only some readers do.
    if count == 0 or {str(name) for name in resource.attrib if "Hash" in str(name)} != set(names):
        raise _malformed(f"Hash0 to Hash{count - 1}", "others", f"{where}.alternatives")
    digests = [resource.get(name, "") for name in names]
    if not all(_DIGEST.fullmatch(digest) for digest in digests):
        raise _malformed("SHA-384 digests in hex", "something else", where)
    return Measurement(
        index=index,
        name=_text(resource, "name", where),
        is_active=active,
        digests=tuple(bytes.fromhex(digest) for digest in digests),
    )


def _the_one(root: etree._Element, name: str) -> etree._Element:
    found = root.findall(f"{SWID}{name}")
    if len(found) != 1:
        raise _malformed(f"one {name}", f"{len(found)}", name)
    return found[0]


def _text(element: etree._Element, name: str, where: str) -> str:
    value = element.get(name)
    if value is None or not 1 <= len(value) <= MOST_TEXT or not is_plain(value):
        raise _malformed("plain text", "nothing" if value is None else value, f"{where}.{name}")
    return value


def _number(element: etree._Element, name: str, most: int, where: str) -> int:
    value = element.get(name, "")
    if not _NUMBER.fullmatch(value) or int(value) > most:
        raise _malformed(f"a number up to {most}", value or "nothing", f"{where}.{name}")
    return int(value)


def _malformed(expected: str, found: str, where: str) -> Malformed:
    return malformed(ErrorCode.MANIFEST_MALFORMED, expected, found, f"manifest.{where}")
