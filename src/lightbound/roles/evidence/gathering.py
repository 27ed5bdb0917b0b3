"""Evidence of several devices of this host at once, in the shape in which the vendor's collector writes it.

    [ { "version": "1.0", "arch": "HOPPER", "nonce": hex, "evidence": base64, "certificate": base64 }, ... ]

`arch` is what the certificates say, which nobody has checked.
"""

from base64 import b64encode
from collections.abc import Callable, Iterable
from typing import Final

from cryptography import x509

from lightbound.attestation.chains import CERTIFICATES, load, read_chain
from lightbound.errors import LightboundError
from lightbound.net.evidence_socket import ChipEvidence

UNKNOWN: Final = "UNKNOWN"
_ARCHITECTURES: Final = {"GH": "HOPPER", "GB": "BLACKWELL", "LS": "LS10"}
"""By the first two letters of the product in a device's certificate: GH100, GB100, LS_10."""


def gathered(sources: Iterable[Callable[[bytes], ChipEvidence]], nonce: bytes) -> list[dict[str, str]]:
    """The evidence of every device, in their order; of all of them or of none.

    Raises:
        Unavailable, Malformed: some gave none, or no evidence; each is told.
    """
    entries: list[dict[str, str]] = []
    errors: list[LightboundError] = []
    for ask in sources:
        try:
            entries.append(entry(ask(nonce), nonce))
        except LightboundError as error:
            errors.append(error)
    if errors:
        # Of the kind of the first: what must be done about the others may be something else, and each says it.
        raise type(errors[0])([fault for error in errors for fault in error.faults])
    return entries


def entry(given: ChipEvidence, nonce: bytes) -> dict[str, str]:
    """One device as the vendor's collector writes it."""
    return {
        "version": "1.0",
        "arch": _architecture(given.chain),
        "nonce": nonce.hex(),
        "evidence": b64encode(given.report).decode(),
        "certificate": b64encode(given.chain).decode(),
    }


def _architecture(chain: bytes) -> str:
    try:
        device = load(read_chain(chain).der[1], CERTIFICATES[1])
    except LightboundError:
        return UNKNOWN
    names = device.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return _ARCHITECTURES.get(str(names[0].value)[:2], UNKNOWN) if names else UNKNOWN
