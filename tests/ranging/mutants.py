"""Bytes near those that readers expect: cut, spliced, and wrong in the ways that CBOR can be wrong."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

import numpy as np

T = TypeVar("T")


class Rolls:
    """Seeded dice that cost little to roll, for a million cases are made with them."""

    def __init__(self, seed: int) -> None:
        """Begin at the first roll of this seed."""
        self._rng = np.random.default_rng(seed)
        self._left: list[int] = []

    def below(self, bound: int) -> int:
        """A number from 0, below a bound of at most 2^32."""
        if not self._left:
            self._left = self._rng.integers(0, 2**32, 4_096).tolist()
        return self._left.pop() % bound

    def of(self, items: Sequence[T]) -> T:
        """One of some items."""
        return items[self.below(len(items))]

    def octets(self, most: int) -> bytes:
        """Up to so many bytes, short ones as often as long ones."""
        return self._rng.bytes(self.below(1 + self.below(1 + most)))


@dataclass(frozen=True, slots=True)
class Head:
    """Where an item of CBOR begins, how long its head is, and what the head says."""

    at: int
    length: int
    major: int
    argument: int


def heads(data: bytes, at: int = 0, end: int | None = None) -> list[Head]:
    """Every head in some CBOR, those in byte strings that hold CBOR themselves included; of noise, some."""
    found: list[Head] = []
    stop = len(data) if end is None else end
    while at < stop:
        major, short = data[at] >> 5, data[at] & 31
        wide = {24: 1, 25: 2, 26: 4, 27: 8}.get(short, 0)
        argument = int.from_bytes(data[at + 1 : at + 1 + wide], "big") if wide else short
        found.append(Head(at, 1 + wide, major, argument))
        at += 1 + wide
        if major in {2, 3}:
            if major == 2 and argument > 40:
                found += heads(data, at, min(stop, at + argument))
            at += argument
    return found


def _head(major: int, argument: int, wide: int) -> bytes:
    """A head with its argument in so many bytes, whether or not they are needed; 0: in as few as will do."""
    if wide == 0 and argument < 24:
        return bytes([major << 5 | argument])
    for code, size in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if wide <= size and argument < 1 << 8 * size:
            return bytes([major << 5 | code]) + argument.to_bytes(size, "big")
    return bytes([major << 5 | 27]) + b"\xff" * 8


PIECES: Final = [
    bytes.fromhex(each)
    for each in (
        "f6", "f5", "f7", "e0", "f8ff", "f93c00", "f97e00", "fa7f800000", "fb7ff8000000000000", "ff", "80", "a0", "40",
        "60", "20", "3903e7", "1bffffffffffffffff", "3bffffffffffffffff", "c249010000000000000000", "c001", "d81c80",
        "d9d9f7a0", "9fff", "bfff", "5f4100ff", "7f6161ff", "9bffffffffffffffff", "5b7fffffffffffffff", "7affffffff",
        "ba7fffffff", "61ff", "63eda080", "a2616100616100", "a161610061", "c4821b00000000ffffffff01", "d9010280",
    )
] + [b"\x81" * 40, b"\xa1\x01" * 40, b"\xc1" * 40, b"\x81" * 3_000]  # fmt: skip
"""What no statement holds, or not there."""


def _flipped(data: bytes, rolls: Rolls) -> bytes:
    bent = bytearray(data or b"\x00")
    for _ in range(1 + rolls.below(3)):
        bent[rolls.below(len(bent))] ^= 1 << rolls.below(8)
    return bytes(bent)


def _set(data: bytes, rolls: Rolls) -> bytes:
    bent = bytearray(data or b"\x00")
    bent[rolls.below(len(bent))] = rolls.of(
        (0, 1, 0x17, 0x18, 0x1B, 0x1F, 0x3F, 0x5F, 0x7F, 0x80, 0x9F, 0xBF, 0xF6, 0xFF)
    )
    return bytes(bent)


def _cut(data: bytes, rolls: Rolls) -> bytes:
    return data[: rolls.below(len(data) + 1)]


def _inserted(data: bytes, rolls: Rolls) -> bytes:
    at = rolls.below(len(data) + 1)
    return data[:at] + (rolls.octets(16) if rolls.below(2) else rolls.of(PIECES)) + data[at:]


def _left_out(data: bytes, rolls: Rolls) -> bytes:
    at = rolls.below(len(data) + 1)
    return data[:at] + data[at + 1 + rolls.below(40) :]


def _doubled(data: bytes, rolls: Rolls) -> bytes:
    at = rolls.below(len(data) + 1)
    return data[:at] + data[max(0, at - rolls.below(60)) : at] + data[at:]


def _appended(data: bytes, rolls: Rolls) -> bytes:
    return data + (rolls.of(PIECES) if rolls.below(2) else data)


def _at_a_head(data: bytes, rolls: Rolls) -> bytes:  # noqa: PLR0911 - one for each way to be wrong
    """One item with another type, length, width, tag or value."""
    found = heads(data)
    if not found:
        return rolls.of(PIECES)
    head = rolls.of(found)
    before, after = data[: head.at], data[head.at + head.length :]
    match rolls.below(7):
        case 0:
            return before + _head(rolls.below(8), head.argument, 0) + after
        case 1:
            return before + _head(head.major, max(0, head.argument + rolls.of((-2, -1, 1, 2))), 0) + after
        case 2:
            return before + _head(head.major, rolls.of((2**16, 2**31 - 1, 2**32 - 1, 2**63, 2**64 - 1)), 0) + after
        case 3:
            return before + _head(head.major, head.argument, rolls.of((1, 2, 4, 8))) + after
        case 4:
            return before + bytes([head.major << 5 | 31]) + after + b"\xff" * rolls.below(2)
        case 5:
            return before + _head(6, rolls.of((0, 1, 2, 4, 18, 28, 29, 98, 258, 55_799)), 0) + data[head.at :]
        case _:
            size = head.argument if head.major in {2, 3} else 0
            return before + rolls.of(PIECES) + after[size:]


WAYS: Final[list[Callable[[bytes, Rolls], bytes]]] = [
    _flipped, _set, _cut, _inserted, _left_out, _doubled, _appended, _at_a_head, _at_a_head, _at_a_head,
]  # fmt: skip


def mutant(data: bytes, others: Sequence[bytes], rolls: Rolls) -> bytes:
    """Bytes like these, but for one or two things; now and then the start of these and the end of others."""
    if rolls.below(12) == 0:
        other = rolls.of(others)
        return data[: rolls.below(len(data) + 1)] + other[rolls.below(len(other) + 1) :]
    bent = rolls.of(WAYS)(data, rolls)
    return rolls.of(WAYS)(bent, rolls) if rolls.below(4) == 0 else bent
