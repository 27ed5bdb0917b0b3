"""Enough of Edwards25519 (RFC 8032, 5.1) to make a signature on which implementations are known to disagree.

A key with a part of order 8, and a signature by it that holds only if the equation is multiplied by 8. RFC 8032 allows
either check; CLP/1 takes the stricter one, for a stranger must find what the landmark found.
"""

from __future__ import annotations

import hashlib

from vectors.octets import ORDER

P = 2**255 - 19
D = -121665 * pow(121666, -1, P) % P
ROOT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)
Point = tuple[int, int]
NEUTRAL: Point = (0, 1)


def added(one: Point, other: Point) -> Point:
    """The sum of two points."""
    (x1, y1), (x2, y2) = one, other
    product = D * x1 * x2 * y1 * y2
    x = (x1 * y2 + x2 * y1) * pow(1 + product, -1, P)
    return x % P, (y1 * y2 + x1 * x2) * pow(1 - product, -1, P) % P


def times(number: int, point: Point) -> Point:
    """The point, so many times."""
    total = NEUTRAL
    while number:
        if number & 1:
            total = added(total, point)
        point, number = added(point, point), number >> 1
    return total


def point_of_y(y: int) -> Point | None:
    """The point with this y and the even x; None if there is none."""
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT_OF_MINUS_ONE % P
    if (x * x - square) % P:
        return None
    return (P - x if x & 1 else x), y


def encoded(point: Point) -> bytes:
    """32 bytes."""
    x, y = point
    return (y | (x & 1) << 255).to_bytes(32, "little")


_BASE = point_of_y(4 * pow(5, -1, P) % P)
if _BASE is None:
    raise AssertionError("the base point is on the curve")
BASE: Point = _BASE


def of_order_8() -> Point:
    """A point of order 8: any point times the order of the large group, until one is found."""
    for y in range(2, 100):
        point = point_of_y(y)
        small = None if point is None else times(ORDER, point)
        if small is not None and times(4, small) != NEUTRAL:
            return small
    raise AssertionError("half of all points have one")


def mixed_key(seed: bytes) -> tuple[int, bytes]:
    """A secret number and the public key for it with a part of order 8."""
    secret = int.from_bytes(hashlib.sha512(seed).digest(), "little") % ORDER
    return secret, encoded(added(times(secret, BASE), of_order_8()))


def signature_if_multiplied(secret: int, public: bytes, message: bytes, dice: bytes) -> bytes:
    """A signature that holds if the equation is multiplied by 8, and does not hold as it stands."""
    for number in range(256):
        nonce = int.from_bytes(hashlib.sha512(dice + bytes((number,))).digest(), "little") % ORDER
        commitment = encoded(times(nonce, BASE))
        challenge = int.from_bytes(hashlib.sha512(commitment + public + message).digest(), "little") % ORDER
        if challenge % 8:
            return commitment + ((nonce + challenge * secret) % ORDER).to_bytes(32, "little")
    raise AssertionError("seven of eight do")
