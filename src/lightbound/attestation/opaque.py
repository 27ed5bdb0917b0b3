"""The opaque part of a report: the facts that a device states about itself, as the vendor lays them out.

    opaque = fields of: type 2 | length 2 | value          little-endian

The numbers are NVIDIA's. A type that is not known here is kept, shown by its number, and says nothing. What 22 and 26
hold depends on which device it is, which its certificate says.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from lightbound.canonical.fields import is_plain
from lightbound.errors import ErrorCode, malformed

_FIELD: Final = struct.Struct("<HH")


class Type(IntEnum):
    """Fields whose meaning is known; the names are the vendor's."""

    CERT_ISSUER_NAME = 1
    CERT_AUTHORITY_KEY_IDENTIFIER = 2
    DRIVER_VERSION = 3
    GPU_INFO = 4
    SKU = 5
    VBIOS_VERSION = 6
    MANUFACTURER_ID = 7
    TAMPER_DETECTION = 8
    SMC = 9
    VPR = 10
    NVDEC0_STATUS = 11
    MSRSCNT = 12
    CPRINFO = 13
    BOARD_ID = 14
    CHIP_SKU = 15
    CHIP_SKU_MOD = 16
    PROJECT = 17
    PROJECT_SKU = 18
    PROJECT_SKU_MOD = 19
    FWID = 20
    PROTECTED_PCIE_STATUS = 21
    SWITCH_PDI = 22
    FLOORSWEPT_PORTS = 23
    POSITION_ID = 24
    LOCK_SWITCH_STATUS = 25
    GPU_PDIS = 26
    SYS_ENABLE_STATUS = 33
    OPAQUE_DATA_VERSION = 34
    CHIP_INFO = 35
    FEATURE_FLAG = 36


@dataclass(frozen=True, slots=True, kw_only=True)
class Opaque:
    """The fields by their type, each once."""

    fields: Mapping[int, bytes]

    def text(self, kind: Type) -> str | None:
        """A field of ASCII, without the zeros behind it; None if it is not there, or is no plain text."""
        value = self.fields.get(kind, b"").rstrip(b"\x00")
        text = value.decode("ascii", "replace")
        return text if text and text.isascii() and is_plain(text) else None

    @property
    def driver(self) -> str | None:
        """Version of the driver, such as 550.90.07."""
        return self.text(Type.DRIVER_VERSION)

    @property
    def vbios(self) -> str | None:
        """Version of the VBIOS, such as 96.00.9F.00.01; a switch writes it out, a GPU packs it into eight bytes."""
        value = self.fields.get(Type.VBIOS_VERSION)
        if value is None or len(value) != 8:
            return self.text(Type.VBIOS_VERSION)
        numbers = (value[3], value[2], value[1], value[0], value[4])
        return ".".join(f"{number:02X}" for number in numbers)

    @property
    def board(self) -> str | None:
        """Which board the chip sits on: project, its SKU and the chip's, as 1010-0200-882."""
        parts = [self.text(kind) for kind in (Type.PROJECT, Type.PROJECT_SKU, Type.CHIP_SKU)]
        named = [part for part in parts if part is not None]
        return "-".join(named) if len(named) == len(parts) else None

    @property
    def firmware_id(self) -> bytes | None:
        """The digest of the firmware that holds the attestation key, 48 bytes; switches do not state it."""
        return self.fields.get(Type.FWID)

    @property
    def is_protected_pcie(self) -> bool | None:
        """Whether protected PCIe is on; None if the device does not say."""
        return {b"\xaa": True, b"\x55": False}.get(self.fields.get(Type.PROTECTED_PCIE_STATUS, b""))


def read_opaque(data: bytes) -> Opaque:
    """The fields of the opaque part.

    Raises:
        Malformed: a field that reaches past the end, or one that stands twice.
    """
    fields: dict[int, bytes] = {}
    at = 0
    while at < len(data):
        if len(data) - at < _FIELD.size:
            raise malformed(ErrorCode.EVIDENCE_MALFORMED, "type and length", f"{len(data) - at} bytes", _path(at))
        kind, length = _FIELD.unpack_from(data, at)
        at += _FIELD.size
        value = data[at : at + length]
        if len(value) != length:
            raise malformed(ErrorCode.EVIDENCE_MALFORMED, f"{length} bytes", f"{len(value)}", _path(kind))
        if kind in fields:
            raise malformed(ErrorCode.EVIDENCE_MALFORMED, "each field once", "one twice", _path(kind))
        fields[kind] = value
        at += length
    return Opaque(fields=fields)


def name_of(kind: int) -> str:
    """The vendor's name of a field, in lower case; its number if there is none."""
    return Type(kind).name.lower() if kind in set(Type) else f"field_{kind}"


def _path(kind: int) -> str:
    return f"response.opaque.{kind}"
