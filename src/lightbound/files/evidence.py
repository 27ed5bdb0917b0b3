"""Evidence of devices as it lies in files: a report, and mostly the chain and the nonce that belong to it.

    raw       a report as the device gave it
    hex       the same as hexadecimal digits, with spaces and line breaks
    JSON      { "evidence": base64 of the report, "certificate": base64 of the chain as PEM, "nonce": hex, ... },
              one, an array of them, or an object with that array under "evidences"

The JSON is what the vendor's collectors write, and `lightbound evidence collect`. What stands beside the report in it
(`arch`, versions) anybody can write there, and is passed over: the report says the same, signed. Nothing is checked
here, not even that the report is one.
"""

import base64
import binascii
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from lightbound.attestation.chains import MOST_CHAIN_BYTES
from lightbound.attestation.reports import MOST_REPORT_BYTES, NONCE_BYTES
from lightbound.errors import ErrorCode, Fault, LightboundError, Malformed, Unavailable, malformed

MOST_FILE_BYTES: Final = 32_000_000
"""A host of twelve devices fills 140 kB."""
MOST_ITEMS: Final = 4096
"""Pieces of evidence in one file; each is judged, which takes milliseconds."""

_RAW: Final = b"\x11"
"""How a report begins: SPDM 1.1. No text does."""
_HEX: Final = re.compile(rb"[0-9A-Fa-f\s]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceItem:
    """What a file holds of one device."""

    name: str
    """The file, and where there are several in it the place among them, from 0: `node.json[3]`."""
    report: bytes
    chain: bytes | None = None
    """PEM."""
    nonce: bytes | None = None
    """What the file says that was asked: no more than a claim."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """What is no evidence, and why: a whole file, or one item of it. The others of the file stand."""

    name: str
    error: LightboundError


def read_evidence(path: Path) -> tuple[EvidenceItem | Unread, ...]:
    """The evidence in a file, in its order: at least one item, and never an error."""
    try:
        data = _read(path, MOST_FILE_BYTES)
        entries = _entries(data)
    except LightboundError as error:
        return (Unread(name=str(path), error=_placed(error, str(path))),)
    if isinstance(entries, bytes):
        return (EvidenceItem(name=str(path), report=entries),)
    names = [str(path)] if len(entries) == 1 else [f"{path}[{place}]" for place in range(len(entries))]
    return tuple(_item(entry, name) for entry, name in zip(entries, names, strict=True))


def read_items(paths: Iterable[Path], chain: Path | None) -> tuple[EvidenceItem | Unread, ...]:
    """The evidence of several files; a chain in a file of its own is that of items which have none with them.

    Raises:
        Unavailable, Malformed: the chain cannot be read, or is too long for one.
    """
    if chain is None:
        given = None
    else:
        try:
            given = _read(chain, MOST_CHAIN_BYTES)
        except LightboundError as error:
            raise _placed(error, str(chain)) from error
    return tuple(
        replace(one, chain=given) if isinstance(one, EvidenceItem) and one.chain is None else one
        for path in paths
        for one in read_evidence(path)
    )


def _entries(data: bytes) -> bytes | list[Any]:
    """The report, where the file is no more than that; otherwise the items that are to hold one each."""
    if data.startswith(_RAW):
        return data
    text = data.strip()
    if not text:
        raise malformed(ErrorCode.FILE_EMPTY, "evidence", "nothing", "file")
    if _HEX.fullmatch(text):
        digits = b"".join(text.split())
        if len(digits) % 2:
            raise _malformed("an even number of hexadecimal digits", f"{len(digits)}", "report")
        return binascii.unhexlify(digits)
    read = _json(text)
    match read:
        case {"evidences": list(entries)} | list(entries) if 1 <= len(entries) <= MOST_ITEMS:
            return entries
        case {"evidence": _}:
            return [read]
        case _:
            raise _malformed(f"1 to {MOST_ITEMS} items of evidence", "something else", "file")


def _json(text: bytes) -> Any:
    try:
        return json.loads(text.decode(), object_pairs_hook=_once)
    except (ValueError, RecursionError):
        expected = "a report in raw or hexadecimal form, or evidence as JSON"
        raise _malformed(expected, "something else", "file") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    read = dict(pairs)
    if len(read) != len(pairs):
        raise ValueError
    return read


def _item(entry: Any, name: str) -> EvidenceItem | Unread:
    try:
        if not isinstance(entry, dict):
            raise _malformed("an object", f"{type(entry).__name__}", "item")
        return EvidenceItem(
            name=name,
            report=_base64(entry, "evidence", MOST_REPORT_BYTES),
            chain=_base64(entry, "certificate", MOST_CHAIN_BYTES) if "certificate" in entry else None,
            nonce=_nonce(entry) if "nonce" in entry else None,
        )
    except LightboundError as error:
        return Unread(name=name, error=_placed(error, name))


def _base64(entry: dict[str, Any], field: str, most: int) -> bytes:
    value = entry.get(field)
    if not isinstance(value, str) or not value:
        raise _malformed("base64", "something else", field)
    if len(value) > most * 2:
        raise _malformed(f"at most {most} bytes as base64", f"{len(value)} characters", field)
    try:
        return base64.b64decode(value, validate=True)
    except ValueError:
        raise _malformed("base64", "something else", field) from None


def _nonce(entry: dict[str, Any]) -> bytes:
    value = entry["nonce"]
    # Some collectors write the digits as C does.
    digits = value.removeprefix("0x") if isinstance(value, str) else ""
    if not re.fullmatch(f"[0-9A-Fa-f]{{{2 * NONCE_BYTES}}}", digits):
        raise _malformed(f"{2 * NONCE_BYTES} hexadecimal digits", "something else", "nonce")
    return bytes.fromhex(digits)


def _read(path: Path, most: int) -> bytes:
    try:
        with path.open("rb") as stream:
            data = stream.read(most + 1)
    except OSError as error:
        why = error.strerror or type(error).__name__
        fault = Fault(code=ErrorCode.READ_FAILED, expected="a file that can be read", found=why)
        raise Unavailable(fault) from error
    if len(data) > most:
        raise malformed(ErrorCode.FILE_FORMAT, f"at most {most} bytes", "more", "file")
    return data


def _placed(error: LightboundError, file: str) -> LightboundError:
    """The same error, and of which file it is."""
    return type(error)([replace(fault, file=file) for fault in error.faults], total=error.total)


def _malformed(expected: str, found: str, path: str) -> Malformed:
    return malformed(ErrorCode.EVIDENCE_MALFORMED, expected, found, path)
