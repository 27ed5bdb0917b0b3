"""A key under a passphrase: PKCS#8 with PBES2 (RFC 8018), the passphrase stretched by scrypt (RFC 7914), in PEM.

What `cryptography` writes by itself stretches with 2,048 rounds of PBKDF2: a graphics card tries millions of
passphrases a second. So the frame is put together here, around its scrypt and its AES, and it is `cryptography` that
reads it; `openssl pkey` does as well. One frame is read, with one cost, so that no file can say how much memory and
time it takes to refuse it.

What is protected is whom the key can be used by. That the file is the one that was written is not: somebody who can
write to it can put another key there, which nobody knows.
"""

import base64
import binascii
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from cryptography.hazmat.primitives.padding import PKCS7
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_der_private_key

from lightbound.errors import ErrorCode, Fault, Malformed, Refused
from lightbound.keys.ed25519 import SigningKey
from lightbound.keys.purposes import Purpose

MOST_PASSPHRASE: Final = 1_000
"""Bytes. OpenSSL takes 1,023, and whoever lost Lightbound should still get at the key."""

SALT_BYTES: Final = 16
IV_BYTES: Final = 16

COST: Final = 2**14
BLOCK: Final = 8
PARALLEL: Final = 5
"""scrypt with 16 MiB, five times over: the least that OWASP's sheet on storing passwords takes for good, and what
OpenSSL agrees to without being asked (it stops at 32 MiB). A guess costs 0.15 s. A short passphrase falls anyway."""

_BEGIN: Final = b"-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
_END: Final = b"-----END ENCRYPTED PRIVATE KEY-----\n"

_FRAME: Final = (
    # EncryptedPrivateKeyInfo (RFC 5958, 3), PBES2, and scrypt with its salt.
    (bytes.fromhex("30819b305706092a864886f70d01050d304a302906092b06010401da47040b301c0410"), SALT_BYTES),
    # COST, BLOCK and PARALLEL; AES-256-CBC with what it begins from.
    (bytes.fromhex("02024000020108020105301d060960864801650304012a0410"), IV_BYTES),
    # An Ed25519 key as PKCS#8, 48 bytes, and a block of padding.
    (bytes.fromhex("0440"), 64),
)
"""DER as it always stands there, and how many bytes of each file's own follow."""


def is_protected(pem: bytes) -> bool:
    """Whether a key file says that it is under a passphrase, of whatever frame."""
    return pem.lstrip().startswith(_BEGIN.strip())


def protected(key: SigningKey, passphrase: bytes, *, salt: bytes, iv: bytes) -> bytes:
    """What a key file holds that nobody can use without the passphrase; salt and first block are 16 bytes of dice each.

    Raises:
        Refused: the passphrase is empty, or too long.
    """
    check_passphrase(passphrase)
    if len(salt) != SALT_BYTES or len(iv) != IV_BYTES:
        raise ValueError(f"{SALT_BYTES} bytes of salt and {IV_BYTES} of a first block are needed")
    padder = PKCS7(AES256.block_size).padder()
    padded = padder.update(_body(key.pem())) + padder.finalize()
    encryptor = Cipher(AES256(_stretched(passphrase, salt)), CBC(iv)).encryptor()
    encrypted = encryptor.update(padded) + encryptor.finalize()
    filled = zip(_FRAME, (salt, iv, encrypted), strict=True)
    return _pem(b"".join(fixed + own for (fixed, _), own in filled))


def opened_with(purpose: Purpose, pem: bytes, passphrase: bytes) -> SigningKey:
    """The key in a protected file.

    Raises:
        Malformed: the file is of another frame than `protected` writes, or the key in it of another kind.
        Refused: the passphrase is another one, or the encrypted bytes were changed, which cannot be told apart.
    """
    check_passphrase(passphrase)
    der = _framed(pem)
    try:
        private = load_der_private_key(der, passphrase)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise _refused("the passphrase that the key was protected with", "another, or bytes that changed") from error
    return SigningKey.of_pem(purpose, private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def check_passphrase(passphrase: bytes) -> None:
    """Nothing, if it can be one.

    Raises:
        Refused: it is empty, or too long.
    """
    if not 1 <= len(passphrase) <= MOST_PASSPHRASE:
        found = "more" if passphrase else "none"
        raise _refused(f"a passphrase of 1 to {MOST_PASSPHRASE:,} bytes", found)


def _stretched(passphrase: bytes, salt: bytes) -> bytes:
    return Scrypt(salt=salt, length=32, n=COST, r=BLOCK, p=PARALLEL).derive(passphrase)


def _framed(pem: bytes) -> bytes:
    """The bytes inside, if they are of the one frame."""
    try:
        der = _body(pem)
    except (ValueError, binascii.Error) as error:
        raise _malformed() from error
    at = 0
    for fixed, own in _FRAME:
        if der[at : at + len(fixed)] != fixed:
            raise _malformed()
        at += len(fixed) + own
    if at != len(der) or _pem(der) != pem:
        raise _malformed()
    return der


def _body(pem: bytes) -> bytes:
    return base64.b64decode(b"".join(pem.splitlines()[1:-1]), validate=True)


def _pem(der: bytes) -> bytes:
    text = base64.b64encode(der)
    lines = [text[at : at + 64] + b"\n" for at in range(0, len(text), 64)]
    return b"".join((_BEGIN, *lines, _END))


def _malformed() -> Malformed:
    expected, found = "a protected key as `lightbound keys protect` writes it", "another"
    return Malformed(Fault(code=ErrorCode.KEY_MALFORMED, expected=expected, found=found))


def _refused(expected: str, found: str) -> Refused:
    return Refused(Fault(code=ErrorCode.PASSPHRASE_REFUSED, expected=expected, found=found))
