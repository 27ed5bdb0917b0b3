"""Private fields of a statement: the signature covers a salted digest, and the value travels beside it or not at all.

So a field can be left out later without breaking the signature. A digest tells nothing about its value to whoever has
no salt; two statements with equal values have unequal digests.
"""

import hashlib
import hmac
from dataclasses import dataclass
from typing import Final

from lightbound.canonical.cbor import Value, encode
from lightbound.errors import ErrorCode, Fault, Refused

SALT_BYTES: Final = 32
"""As long as the digest: a shorter one would let a guess of a field be tried against many statements at once."""

_LABEL: Final = "CLP/1 field"


@dataclass(frozen=True, slots=True, kw_only=True)
class Disclosure:
    """The value of a private field with the salt that its digest was made with."""

    field: str
    salt: bytes
    value: Value

    def digest(self) -> bytes:
        """What stands in the statement: SHA-256(CBOR [label, salt, field, value]), 32 bytes."""
        return hashlib.sha256(encode([_LABEL, self.salt, self.field, self.value])).digest()


def disclosed(disclosure: Disclosure, digests: dict[str, bytes]) -> Value:
    """The value of a private field, which the statement that has these digests committed to.

    Raises:
        Refused: it committed to another value, or has no such field.
    """
    committed = digests.get(disclosure.field)
    if (
        len(disclosure.salt) != SALT_BYTES
        or committed is None
        or not hmac.compare_digest(committed, disclosure.digest())
    ):
        raise Refused(
            Fault(
                code=ErrorCode.DISCLOSURE_DIFFERS,
                expected="the value and salt that the statement committed to",
                found="others",
                column=disclosure.field,
            )
        )
    return disclosure.value
