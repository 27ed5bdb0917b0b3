"""Which firmware a device's attestation key belongs to: the extension that DICE puts into the leaf certificate.

Two forms are in use. Hopper and its switches carry a CompositeDeviceID, which also holds the device's key, so that a
leaf cannot be put under another device. Blackwell carries a DiceTcbInfo (TCG DICE Attestation Architecture, 6.1.1).
"""

from dataclasses import dataclass
from typing import Annotated, Final

from cryptography import x509
from cryptography.hazmat import asn1

from lightbound.errors import ErrorCode, malformed, refused

_COMPOSITE: Final = x509.ObjectIdentifier("2.23.133.5.4.1")
_TCB_INFO: Final = x509.ObjectIdentifier("2.23.133.5.4.1.1")
_SHA384: Final = x509.ObjectIdentifier("2.16.840.1.101.3.4.2.2")
_PATH: Final = "chain.leaf.dice"


@asn1.sequence
class _Fwid:
    algorithm: x509.ObjectIdentifier
    digest: bytes


@asn1.sequence
class _CompositeDeviceId:
    version: int
    device: asn1.TLV
    fwid: _Fwid


@asn1.sequence
class _TcbInfo:
    vendor: Annotated[str | None, asn1.Implicit(0)]
    model: Annotated[str | None, asn1.Implicit(1)]
    version: Annotated[str | None, asn1.Implicit(2)]
    svn: Annotated[int | None, asn1.Implicit(3)]
    layer: Annotated[int | None, asn1.Implicit(4)]
    index: Annotated[int | None, asn1.Implicit(5)]
    fwids: Annotated[list[_Fwid] | None, asn1.Implicit(6)]
    flags: Annotated[asn1.BitString | None, asn1.Implicit(7)]
    vendor_info: Annotated[bytes | None, asn1.Implicit(8)]
    kind: Annotated[bytes | None, asn1.Implicit(9)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """What the extension says."""

    firmware_id: bytes
    """SHA-384 of the firmware that holds the leaf's key, 48 bytes."""
    device_key: bytes | None
    """SPKI of the device's key as DER, where the form has room for it."""


def layer(leaf: x509.Certificate) -> Layer:
    """What the leaf says of the firmware that its key belongs to.

    Raises:
        Malformed: the extension is not of its form.
        Refused: there is none.
    """
    for extension in leaf.extensions:
        if not isinstance(extension.value, x509.UnrecognizedExtension):
            continue
        try:
            if extension.oid == _COMPOSITE:
                composite = asn1.decode_der(_CompositeDeviceId, extension.value.value)
                device = asn1.encode_der(composite.device)
                return Layer(firmware_id=_digest([composite.fwid]), device_key=device)
            if extension.oid == _TCB_INFO:
                info = asn1.decode_der(_TcbInfo, extension.value.value)
                return Layer(firmware_id=_digest(info.fwids or []), device_key=None)
        except ValueError:
            raise malformed(ErrorCode.CERTIFICATE_MALFORMED, "DICE's extension", "something else", _PATH) from None
    raise refused(ErrorCode.CHAIN_REFUSED, "a leaf that says which firmware its key belongs to", "none", _PATH)


def _digest(fwids: list[_Fwid]) -> bytes:
    """The first of the digests: the layer that holds the key. Others are of layers that it measured, or zeros."""
    if not fwids or fwids[0].algorithm != _SHA384 or len(fwids[0].digest) != 48:
        raise malformed(ErrorCode.CERTIFICATE_MALFORMED, "a firmware id of SHA-384", "another, or none", _PATH)
    return fwids[0].digest
