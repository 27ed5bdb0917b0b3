"""How many values CBOR holds, counted without making any of them.

A byte can be an empty array, and an array takes sixty bytes of memory: a file that can be read can still be too much.
"""

from typing import Final

from lightbound.errors import ErrorCode, malformed

_LENGTHS: Final = {24: 1, 25: 2, 26: 4, 27: 8}
_STRINGS: Final = (2, 3)


def check_amount(data: bytes, *, most: int, what: str) -> None:
    """Nothing, if the bytes hold no more values than so many; whether they are CBOR is for others to say.

    Raises:
        Malformed: they hold more.
    """
    at, end, count = 0, len(data), 0
    while at < end:
        count += 1
        if count > most:
            raise malformed(ErrorCode.CBOR_MALFORMED, f"at most {most} values", "more", what)
        kind, short = data[at] >> 5, data[at] & 0x1F
        at += 1
        length = _LENGTHS.get(short, 0)
        if kind in _STRINGS:
            at += int.from_bytes(data[at : at + length]) if length else short
        at += length
