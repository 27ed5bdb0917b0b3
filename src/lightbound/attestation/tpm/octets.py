"""Taking the big-endian structures of a TPM from the front of some bytes (TCG TPM 2.0 Library, part 2).

A TPM2B is a length of two bytes and so many bytes; a TPMT begins with a number that says what follows.
"""

import hashlib
from enum import IntEnum
from typing import Final

from lightbound.errors import ErrorCode, Malformed, malformed


class Hash(IntEnum):
    """Hashes that are read here, by their TPM_ALG_ID. SHA-1 is none of them."""

    SHA256 = 0x000B
    SHA384 = 0x000C
    SHA512 = 0x000D

    @property
    def bank(self) -> str:
        """What tpm2-tools, and a quote's document, call it."""
        return self.name.lower()

    @property
    def length(self) -> int:
        """Bytes of a digest."""
        return _LENGTHS[self]

    def digest(self, data: bytes) -> bytes:
        """The digest of these bytes."""
        return hashlib.new(self.bank, data).digest()


_LENGTHS: Final = {Hash.SHA256: 32, Hash.SHA384: 48, Hash.SHA512: 64}
HASHES: Final = "SHA-256, SHA-384 or SHA-512"


class Octets:
    """Bytes being taken from the front. What names a field is its path, as errors show it."""

    __slots__ = ("_at", "_data", "_path")

    def __init__(self, data: bytes, path: str) -> None:
        """Begin at the first byte."""
        self._data, self._at, self._path = data, 0, path

    def take(self, count: int, name: str) -> bytes:
        """The next bytes, exactly so many.

        Raises:
            Malformed: there are fewer.
        """
        taken = self._data[self._at : self._at + count]
        if len(taken) != count:
            raise self.wrong(f"{count} bytes", f"{len(taken)}", name)
        self._at += count
        return taken

    def integer(self, count: int, name: str) -> int:
        """An unsigned integer of so many bytes."""
        return int.from_bytes(self.take(count, name), "big")

    def sized(self, name: str, *, least: int = 0, most: int) -> bytes:
        """The content of a TPM2B, of a length in this range."""
        length = self.integer(2, name)
        if not least <= length <= most:
            expected = f"{least} bytes" if least == most else f"{least} to {most} bytes"
            raise self.wrong(expected, f"{length}", name)
        return self.take(length, name)

    def hash(self, name: str) -> Hash:
        """A hash by its number."""
        number = self.integer(2, name)
        if number not in _LENGTHS:
            raise self.wrong(HASHES, f"algorithm {number:#06x}", name)
        return Hash(number)

    def end(self) -> None:
        """Nothing, if every byte was taken.

        Raises:
            Malformed: some are left.
        """
        if self._at != len(self._data):
            raise self.wrong("nothing more", f"{len(self._data) - self._at} bytes", "end")

    def wrong(self, expected: str, found: str, name: str) -> Malformed:
        """What is wrong with a field."""
        return malformed(ErrorCode.EVIDENCE_MALFORMED, expected, found, f"{self._path}.{name}")
