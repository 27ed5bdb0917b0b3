"""Refusals, hashes, and the deterministic encoding: "Conventions" and "CBOR" of the page."""

import hashlib
from typing import Any, NoReturn

Json = Any
Payload = dict[str, Any]


class Refused(Exception):
    """Change nothing, and say the error code."""

    def __init__(self, code: str) -> None:
        """With the code; its class follows from it."""
        malformed = code.endswith("_malformed") or code == "cbor_not_deterministic"
        self.told = {"class": "malformed" if malformed else "refused", "code": code}


def refuse(code: str) -> NoReturn:
    raise Refused(code)


def check(holds: object, code: str) -> None:
    if not holds:
        refuse(code)


def h(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def head(major: int, number: int) -> bytes:
    if number < 24:
        return bytes([major << 5 | number])
    size = next(n for n in (1, 2, 4, 8) if number < 256**n)
    return bytes([major << 5 | 23 + size.bit_length()]) + number.to_bytes(size, "big")


def cbor(value: Any) -> bytes:
    match value:
        case None | False | True:
            return {False: b"\xf4", True: b"\xf5", None: b"\xf6"}[value]
        case int():
            return head(0, value) if value >= 0 else head(1, -1 - value)
        case bytes():
            return head(2, len(value)) + value
        case str():
            return head(3, len(value.encode())) + value.encode()
        case list():
            return head(4, len(value)) + b"".join(map(cbor, value))
        case _:
            items = sorted((cbor(key), cbor(item)) for key, item in value.items())
            return head(5, len(items)) + b"".join(key + item for key, item in items)


def uncbor(data: bytes) -> Any:
    """The value, strictly; whether it was in its one encoding shows when it is encoded again."""
    value, rest = item(data, 1)
    check(cbor(value) + rest == data and not rest, "cbor_not_deterministic")
    return value


def item(data: bytes, depth: int) -> tuple[Any, bytes]:
    check(data, "cbor_malformed")
    major, short = data[0] >> 5, data[0] & 31
    if major == 7:
        check(short in (20, 21, 22), "cbor_malformed")
        return {20: False, 21: True, 22: None}[short], data[1:]
    size = {24: 1, 25: 2, 26: 4, 27: 8}.get(short, 0)
    check((short < 24 or size) and major != 6 and len(data) > size, "cbor_malformed")
    number, data = int.from_bytes(data[1 : 1 + size], "big") if size else short, data[1 + size :]
    if major in (0, 1):
        check(major == 0 or number < 2**63, "cbor_malformed")
        return (-1 - number if major else number), data
    check(major in (4, 5) or number <= len(data), "cbor_malformed")
    if major == 2:
        return data[:number], data[number:]
    if major == 3:
        try:
            return data[:number].decode(), data[number:]
        except UnicodeDecodeError:
            refuse("cbor_malformed")
    check(depth <= 8, "cbor_malformed")
    return container(major, number, data, depth)


def container(major: int, number: int, data: bytes, depth: int) -> tuple[Any, bytes]:
    array: list[Any] = []
    mapped: dict[Any, Any] = {}
    for _ in range(number):
        found, data = item(data, depth + 1)
        if major == 4:
            array.append(found)
            continue
        check(type(found) in (int, str) and found not in mapped, "cbor_malformed")
        mapped[found], data = item(data, depth + 1)
    return (array if major == 4 else mapped), data
