"""The curve of Ed25519 and X25519 by schoolbook arithmetic: what the small-order points are is computed, not quoted."""

from typing import Final

P: Final = 2**255 - 19
L: Final = 2**252 + 27742317777372353535851937790883648493
"""Order of the subgroup that signatures are in; the whole group is eight times as large."""
D: Final = -121665 * pow(121666, -1, P) % P
ROOT_OF_MINUS_1: Final = pow(2, (P - 1) // 4, P)

Point = tuple[int, int]
IDENTITY: Final[Point] = (0, 1)


def add(one: Point, other: Point) -> Point:
    """The sum of two points (RFC 8032, 5.1.4, in affine coordinates)."""
    (x1, y1), (x2, y2) = one, other
    crossed = D * x1 * x2 * y1 * y2 % P
    x = (x1 * y2 + x2 * y1) * pow(1 + crossed, -1, P) % P
    y = (y1 * y2 + x1 * x2) * pow(1 - crossed, -1, P) % P
    return x, y


def times(count: int, point: Point) -> Point:
    """A point added to itself so often."""
    total = IDENTITY
    while count:
        if count & 1:
            total = add(total, point)
        point, count = add(point, point), count >> 1
    return total


def point_of(y: int) -> Point | None:
    """One of the two points of this height, if there are any."""
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    for root in (x, x * ROOT_OF_MINUS_1 % P):
        if root * root % P == square:
            return root, y
    return None


def small_order_points() -> list[Point]:
    """The eight points whose eightfold is the identity."""
    for y in range(2, 100):
        point = point_of(y)
        if point is not None:
            small = times(L, point)
            if times(4, small) != IDENTITY:
                return [times(count, small) for count in range(8)]
    raise AssertionError("no point of order 8 was found")


def encodings(y: int) -> list[bytes]:
    """Every 32 bytes that decode to a point of this height: both signs, and y + p where that fits into 255 bits."""
    return [
        (height | sign << 255).to_bytes(32, "little") for height in (y, y + P) if height < 2**255 for sign in (0, 1)
    ]


def ladder(scalar: int, u: int) -> int | None:
    """The u of a point of Curve25519, or of its twist, added to itself so often; None for the point at infinity."""
    x2, z2, x3, z3 = 1, 0, u, 1
    for bit in reversed(range(scalar.bit_length())):
        if scalar >> bit & 1:
            x2, z2, x3, z3 = x3, z3, x2, z2
        total, difference = x2 + z2, x2 - z2
        crossed, uncrossed = (x3 - z3) * total, (x3 + z3) * difference
        x3, z3 = (crossed + uncrossed) ** 2 % P, u * (crossed - uncrossed) ** 2 % P
        square, other = total * total % P, difference * difference % P
        x2, z2 = square * other % P, (square - other) * (square + 121_665 * (square - other)) % P
        if scalar >> bit & 1:
            x2, z2, x3, z3 = x3, z3, x2, z2
    return None if z2 == 0 else x2 * pow(z2, -1, P) % P
