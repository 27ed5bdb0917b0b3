"""A chip's report: an SPDM 1.1 GET_MEASUREMENTS request and the MEASUREMENTS response that answers it (DSP0274, 10.11).

    report   = request (37) || response || padding
    request  = 11 E0 01 FF | nonce 32 | slot 1
    response = 11 60 param1 1 | param2 1 | blocks 1 | record length 3 | record | responder nonce 32
               | opaque length 2 | opaque | signature 96
    record   = blocks of: index 1 | specification 1 | size 2 | type 1 | length 2 | SHA-384 48

All integers are little-endian. What is read here was not checked: anybody can write a report; `genuine` tells who did.
"""

import struct
from dataclasses import dataclass
from typing import Final

from lightbound.attestation.opaque import Opaque, read_opaque
from lightbound.errors import ErrorCode, Malformed, malformed

NONCE_BYTES: Final = 32
DIGEST_BYTES: Final = 48
SIGNATURE_BYTES: Final = 96
"""ECDSA over P-384: r || s, big-endian."""

MOST_REPORT_BYTES: Final = 65_536
"""A report has some 4 kB, and collectors hand over buffers of up to 16 kB. What is longer is no report."""

_REQUEST_START: Final = bytes.fromhex("11e001ff")
"""Version 1.1, GET_MEASUREMENTS, a signature wanted, all measurements wanted: the one question that is asked here."""
_RESPONSE_START: Final = bytes.fromhex("1160")
_BLOCK: Final = struct.Struct("<BBHBH48s")
"""Index, specification and size of a measurement block (DSP0274, table 45), then type, length and digest of what DMTF
puts in it (table 46)."""
_DMTF_BYTES: Final = 3 + DIGEST_BYTES
_SPECIFICATION: Final = 1
_MOST_DIGEST_TYPE: Final = 3
"""0 to 3: immutable ROM, mutable firmware, hardware configuration, firmware configuration; each as a digest. With the
highest bit set, the raw value would stand there instead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a report says of itself."""

    nonce: bytes
    """What the report was asked for with, 32 bytes."""
    slot: int
    """Which of the device's certificate chains is to check it."""
    params: tuple[int, int]
    """Of the response; they say nothing that is used here."""
    measurements: tuple[bytes, ...]
    """SHA-384 digests, 48 bytes each; `measurements[i]` is block i + 1, and index i of a reference manifest."""
    types: tuple[int, ...]
    """What kind of thing each measures, 0 to 3 (DSP0274, table 46)."""
    responder_nonce: bytes
    opaque: Opaque
    signature: bytes
    """r || s, 96 bytes."""
    signed: bytes
    """Request and response without the signature: what the signature is over."""
    padding: int
    """Bytes after the signature. They are signed by nobody, and say nothing."""


class _Octets:
    """Bytes being taken from the front."""

    __slots__ = ("_data", "at")

    def __init__(self, data: bytes) -> None:
        self._data, self.at = data, 0

    def take(self, count: int, what: str) -> bytes:
        """The next bytes, exactly so many.

        Raises:
            Malformed: there are fewer.
        """
        taken = self._data[self.at : self.at + count]
        if len(taken) != count:
            raise _malformed(f"{count} bytes", f"{len(taken)}", what)
        self.at += count
        return taken

    def integer(self, count: int, what: str) -> int:
        return int.from_bytes(self.take(count, what), "little")


def read_report(data: bytes) -> Report:
    """A report read by its own lengths, never from the end: real ones have bytes behind them.

    Raises:
        Malformed: no report of this kind; the path names the field.
    """
    if len(data) > MOST_REPORT_BYTES:
        raise _malformed(f"at most {MOST_REPORT_BYTES} bytes", f"{len(data)}", "report")
    octets = _Octets(data)
    _expect(octets, _REQUEST_START, "request")
    nonce = octets.take(NONCE_BYTES, "request.nonce")
    slot = octets.integer(1, "request.slot")
    _expect(octets, _RESPONSE_START, "response")
    params = octets.integer(1, "response.param1"), octets.integer(1, "response.param2")
    count = octets.integer(1, "response.blocks")
    length = octets.integer(3, "response.record_length")
    types, measurements = _read_record(octets.take(length, "response.record"), count)
    responder_nonce = octets.take(NONCE_BYTES, "response.nonce")
    opaque = read_opaque(octets.take(octets.integer(2, "response.opaque_length"), "response.opaque"))
    end = octets.at
    signature = octets.take(SIGNATURE_BYTES, "response.signature")
    return Report(
        nonce=nonce,
        slot=slot,
        params=params,
        measurements=measurements,
        types=types,
        responder_nonce=responder_nonce,
        opaque=opaque,
        signature=signature,
        signed=data[:end],
        padding=len(data) - octets.at,
    )


def _read_record(record: bytes, count: int) -> tuple[tuple[int, ...], tuple[bytes, ...]]:
    if len(record) != count * _BLOCK.size:
        raise _malformed(f"{count} blocks of {_BLOCK.size} bytes", f"{len(record)} bytes", "response.record")
    blocks = list(_BLOCK.iter_unpack(record))
    for number, (index, specification, size, kind, length, _) in enumerate(blocks, 1):
        found = index, specification, size, length
        if found != (number, _SPECIFICATION, _DMTF_BYTES, DIGEST_BYTES) or kind > _MOST_DIGEST_TYPE:
            said = f"block {number} with a SHA-384 digest as DMTF has it"
            raise _malformed(said, f"{found[:3]}, type {kind}, {length} bytes", f"response.record[{number - 1}]")
    return tuple(block[3] for block in blocks), tuple(block[5] for block in blocks)


def _expect(octets: _Octets, start: bytes, what: str) -> None:
    found = octets.take(len(start), what)
    if found != start:
        raise _malformed(f"to begin with {start.hex(' ')}", found.hex(" "), what)


def _malformed(expected: str, found: str, path: str) -> Malformed:
    return malformed(ErrorCode.EVIDENCE_MALFORMED, expected, found, path)
