"""What evidence says of itself, without a word of it being checked: anybody can write a report that says the same."""

from collections.abc import Iterator, Sequence
from datetime import UTC
from typing import Any, Final

from cryptography import x509

from lightbound.attestation.chains import CERTIFICATES, load, read_chain
from lightbound.attestation.genuine import claimed_chip
from lightbound.attestation.opaque import name_of
from lightbound.attestation.reports import Report, read_report
from lightbound.errors import LightboundError
from lightbound.files.evidence import EvidenceItem, Unread

FORMAT: Final = "lightbound.evidence/1"


def shown_object(found: Sequence[EvidenceItem | Unread]) -> dict[str, Any]:
    """What every item says, as JSON has it."""
    return {"format": FORMAT, "is_checked": False, "items": [_item(one) for one in found]}


def shown_errors(found: Sequence[EvidenceItem | Unread]) -> Iterator[LightboundError]:
    """What could not be read."""
    for one in found:
        if isinstance(one, Unread):
            yield one.error
            continue
        for read, data in ((read_report, one.report), (_certificates, one.chain)):
            if data is not None:
                try:
                    read(data)
                except LightboundError as error:
                    yield error


def _item(one: EvidenceItem | Unread) -> dict[str, Any]:
    told: dict[str, Any] = {"name": one.name, "errors": [], "report": None, "chain": None, "stated_nonce": None}
    if isinstance(one, Unread):
        told["errors"] = [str(fault) for fault in one.error.faults]
        return told
    told["stated_nonce"] = None if one.nonce is None else one.nonce.hex()
    try:
        told["report"] = _report(read_report(one.report))
    except LightboundError as error:
        told["errors"] += [str(fault) for fault in error.faults]
    if one.chain is not None:
        try:
            told["chain"] = {"chip_id": claimed_chip(one.chain).hex(), "certificates": _certificates(one.chain)}
        except LightboundError as error:
            told["errors"] += [str(fault) for fault in error.faults]
    return told


def _report(said: Report) -> dict[str, Any]:
    opaque = said.opaque
    firmware = opaque.firmware_id
    return {
        "nonce": said.nonce.hex(),
        "slot": said.slot,
        "driver": opaque.driver,
        "vbios": opaque.vbios,
        "board": opaque.board,
        "firmware_id": None if firmware is None else firmware.hex(),
        "is_protected_pcie": opaque.is_protected_pcie,
        "measurements": [
            {"index": index, "type": kind, "sha384": digest.hex()}
            for index, (kind, digest) in enumerate(zip(said.types, said.measurements, strict=True))
        ],
        "responder_nonce": said.responder_nonce.hex(),
        "opaque": {name_of(kind): value.hex() for kind, value in opaque.fields.items()},
        "signature": said.signature.hex(),
        "padding_bytes": said.padding,
    }


def _certificates(chain: bytes) -> list[dict[str, str]]:
    loaded = zip(CERTIFICATES, read_chain(chain).der, strict=True)
    return [_certificate(name, load(der, name)) for name, der in loaded]


def _certificate(name: str, certificate: x509.Certificate) -> dict[str, str]:
    return {
        "certificate": name,
        "subject": certificate.subject.rfc4514_string(),
        "issuer": certificate.issuer.rfc4514_string(),
        "serial": f"{certificate.serial_number:x}",
        "from": certificate.not_valid_before_utc.astimezone(UTC).isoformat(),
        "to": certificate.not_valid_after_utc.astimezone(UTC).isoformat(),
    }
