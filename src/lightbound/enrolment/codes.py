"""Enrolment codes: one-time texts that let one agent in, and tell it whom to believe.

    lb1-<24 letters: 15 secret bytes>-<26 letters: the id of the verifier's key>        base32 (RFC 4648), lower case

The first part shows the verifier that it gave this code out; it keeps a digest of it only. The second shows the agent
that it talks to the verifier that gave it out, whatever sits between the two.
"""

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass, field
from typing import Final

from lightbound.errors import ErrorCode, malformed

SECRET_BYTES: Final = 15
"""120 bits: nobody guesses one while it is valid, at any rate that a server answers."""

_SHAPE: Final = re.compile(r"lb1-([a-z2-7]{24})-([a-z2-7]{26})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """An enrolment code."""

    secret: bytes = field(repr=False)
    verifier: bytes
    """The id of the verifier's key, 16 bytes."""

    @property
    def text(self) -> str:
        """As it is given to whoever sets up the agent."""
        return f"lb1-{_text(self.secret)}-{_text(self.verifier)}"

    def digest(self) -> bytes:
        """What the verifier keeps of the secret, 32 bytes."""
        return secret_digest(self.secret)


def secret_digest(secret: bytes) -> bytes:
    """What is kept of a secret. Plain SHA-256 does: the secret is 120 random bits, not a word that somebody chose."""
    return hashlib.sha256(secret).digest()


def read_code(text: str) -> Code:
    """The code in a text, spaces around it and capitals forgiven.

    Raises:
        Malformed: it is none.
    """
    match = _SHAPE.fullmatch(text.strip().lower())
    if match is None:
        raise malformed(ErrorCode.CODE_REFUSED, "a code: lb1-, 24 letters, -, 26 letters", "another text", "code")
    try:
        secret, verifier = (_octets(part) for part in match.groups())
    except binascii.Error as error:
        raise malformed(ErrorCode.CODE_REFUSED, "a code in base32", "another text", "code") from error
    read = Code(secret=secret, verifier=verifier)
    if read.text != text.strip().lower():
        raise malformed(ErrorCode.CODE_REFUSED, "a code as it was given out", "one with a letter changed", "code")
    return read


def _text(data: bytes) -> str:
    return base64.b32encode(data).decode().rstrip("=").lower()


def _octets(text: str) -> bytes:
    return base64.b32decode(text.upper() + "=" * (-len(text) % 8))
