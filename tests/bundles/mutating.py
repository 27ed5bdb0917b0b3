"""Bundles altered at random, in their bytes and in what the bytes say; and which field a byte belongs to."""

from collections.abc import Iterator
from copy import deepcopy
from random import Random
from typing import Any

import cbor2

from lightbound.bundles.reading import MOST_BUNDLE_BYTES
from lightbound.canonical.cbor import decode, encode


def told(data: bytes) -> Any:
    """What a bundle's bytes say, as plain maps and arrays."""
    return decode(data, what="bundle", most_bytes=MOST_BUNDLE_BYTES)


def regions(data: bytes) -> list[tuple[str, int, int]]:
    """Every value that holds no other, in the order of the file: its path, its first byte, and the byte after it.

    The key of a map belongs to its value; the head of an array or a map to the first value in it.
    """
    found: list[tuple[str, int, int]] = []

    def walk(value: Any, path: str, start: int) -> int:
        if isinstance(value, dict) and value:
            at = (
                start
                + len(cbor2.dumps(value, canonical=True))
                - sum(len(cbor2.dumps(part, canonical=True)) for pair in value.items() for part in pair)
            )
            begun = start
            for name in sorted(value, key=cbor2.dumps):
                end = walk(value[name], f"{path}.{name}".lstrip("."), at + len(cbor2.dumps(name)))
                if found and found[-1][0] == f"{path}.{name}".lstrip("."):
                    found[-1] = (found[-1][0], begun, end)
                at = begun = end
            return at
        if isinstance(value, list) and value:
            at = (
                start
                + len(cbor2.dumps(value, canonical=True))
                - sum(len(cbor2.dumps(part, canonical=True)) for part in value)
            )
            for number, part in enumerate(value):
                at = walk(part, f"{path}[{number}]", at)
            return at
        end = start + len(cbor2.dumps(value, canonical=True))
        found.append((path, start, end))
        return end

    assert walk(told(data), "", 0) == len(data)
    return found


def altered_bytes(data: bytes, dice: Random) -> bytes:
    """The same bytes with one place changed."""
    at = dice.randrange(len(data))
    length = dice.choice((1, 1, 2, 4, 32, 300))
    match dice.randrange(7):
        case 0 | 1:
            return data[:at] + bytes([data[at] ^ (1 << dice.randrange(8))]) + data[at + 1 :]
        case 2:
            return data[:at] + bytes([dice.randrange(256)]) + data[at + 1 :]
        case 3:
            return data[:at] + dice.randbytes(length) + data[at:]
        case 4:
            return data[:at] + data[at + length :]
        case 5:
            return data[:at] + data[at : at + length] + data[at:]
        case _:
            return data[:at]


WRONG: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 2**63 - 1, 2**64 - 1, -(2**63), b"", b"\0", bytes(32), bytes(70_000), "", "\0", "NaN",
    "x" * 300, "x" * 70_000, [], [[[[]]]], {}, {"": None}, {0: 0}, [None] * 2_000,
)  # fmt: skip
"""Values of every type that a bundle can hold, and ends of their ranges."""


def altered_value(said: Any, dice: Random) -> bytes:
    """The bytes of what was said with one value changed: left out, put twice, moved, or another."""
    changed = deepcopy(said)
    holders = [*_holders(changed)]
    holder, key = dice.choice(holders)
    value = holder[key]
    match dice.randrange(6):
        case 0:
            del holder[key]
        case 1 if isinstance(holder, list):
            holder.insert(dice.randrange(len(holder) + 1), deepcopy(value))
        case 2 if isinstance(holder, list):
            dice.shuffle(holder)
        case 3:
            holder[key] = deepcopy(dice.choice(WRONG))
        case 4:
            other, there = dice.choice(holders)
            holder[key] = deepcopy(other[there])
        case _:
            holder[key] = _nudged(value, dice)
    return encode(changed)


def _holders(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every place in a value that can hold another one."""
    keys: Any = [*value] if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        yield value, key
        yield from _holders(value[key])


def _nudged(value: Any, dice: Random) -> Any:
    """Almost the same."""
    if isinstance(value, bool) or value is None:
        return not value
    if isinstance(value, int):
        return value + dice.choice((-1, 1)) if 0 < value < 2**63 else 1
    if isinstance(value, bytes):
        return altered_bytes(value, dice) if value else b"\0"
    if isinstance(value, str):
        at = dice.randrange(len(value) + 1)
        return value[:at] + dice.choice(["", " ", "0", "9", "\n", '"', "\u202e", "{", "[" * 50_000]) + value[at + 1 :]
    return None
