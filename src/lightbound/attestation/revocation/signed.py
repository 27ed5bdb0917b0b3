"""Whether an issuer's key, or its responder's, signed an answer; and what the library says where a part is none."""

from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from lightbound.errors import ErrorCode, Malformed, Refused, malformed, refused

HASHES: Final = (hashes.SHA256, hashes.SHA384, hashes.SHA512)
"""That an answer may be signed with."""

LATE: Final = (
    ValueError,
    TypeError,
    OverflowError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
    x509.InvalidVersion,
    UserWarning,
)
"""What the library raises where a part of an answer, which it reads only when asked for it, is none. Of a name that is
too long or too short it warns, which is an error where warnings are."""


def is_signed(by: x509.Certificate, signature: bytes, data: bytes, algorithm: hashes.HashAlgorithm | None) -> bool:
    """Whether the key of a certificate signed this with ECDSA, which is what the vendors' certificates have."""
    key = by.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(algorithm, HASHES):
        return False
    try:
        key.verify(signature, data, ec.ECDSA(algorithm))
    except InvalidSignature:
        return False
    return True


def not_signed(what: str) -> Refused:
    """What is raised where nobody who may answer signed."""
    expected = f"{what} that the issuer signed, or who answers for it"
    return refused(ErrorCode.SIGNATURE_INVALID, expected, "one signed otherwise", "revocation.signature")


def check_extensions(extensions: x509.Extensions, what: str) -> None:
    """Nothing, if none is critical: one that nobody looks at must not be passed over (RFC 5280, 5.2; RFC 6960, 4.4).

    Raises:
        Refused: one is. Lists for some certificates alone, and lists of changes, say what they are in such.
    """
    for extension in extensions:
        if extension.critical:
            found = f"a critical extension {extension.oid.dotted_string}"
            raise refused(ErrorCode.UNSUPPORTED, f"{what} without what nobody looks at", found, "revocation")


def unread(what: str) -> Malformed:
    """What is raised where a part of an answer is none."""
    return malformed(ErrorCode.EVIDENCE_MALFORMED, f"a whole {what}", "one with a part that is none", "revocation")


def ns(instant: datetime) -> int:
    """Nanoseconds since 1970 UTC."""
    return int(instant.timestamp()) * 1_000_000_000
