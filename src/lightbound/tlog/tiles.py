"""Tiles (C2SP tlog-tiles): a tree cut into pieces of 256 hashes, and its entries into bundles of 256.

    tile/<L>/<N>[.p/<W>]        hashes of level L: each the root over 256^L entries
    tile/entries/<N>[.p/<W>]    entries, each after its length in two bytes

N is written in groups of three digits, all but the last after an x: 1234067 is x001/x234/067. A tile that is not full
says how many it has.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from lightbound.errors import ErrorCode, malformed
from lightbound.tlog.consistency import consistency_proof
from lightbound.tlog.merkle import DIGEST_BYTES, node_hash, split_of

WIDTH: Final = 256
HEIGHT: Final = 8
"""A tile has 2^8 hashes of one level, and stands for one hash eight levels above (C2SP tlog-tiles)."""

MOST_LEVEL: Final = 63
"""The highest that a path may name; a tree of 2^63 entries has no more than eight levels of tiles."""

MOST_NUMBER: Final = 2**55
"""No log has more tiles of a level: it would have more than 2^63 entries."""

_PATH: Final = re.compile(r"tile/(entries|0|[1-9][0-9]?)/((?:x[0-9]{3}/){0,5}[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """Which piece of a tree."""

    level: int | None
    """None: of the entries themselves."""
    number: int
    width: int = WIDTH

    @property
    def path(self) -> str:
        """Below the prefix of a log."""
        groups, rest = [f"{self.number % 1_000:03}"], self.number // 1_000
        while rest:
            groups.insert(0, f"x{rest % 1_000:03}")
            rest //= 1_000
        partial = "" if self.width == WIDTH else f".p/{self.width}"
        return f"tile/{'entries' if self.level is None else self.level}/{'/'.join(groups)}{partial}"


TileReader = Callable[[Tile], bytes]
"""The hashes of a tile, as many as its width says, one after the other."""


def read_path(path: str) -> Tile:
    """Which tile a path names.

    Raises:
        Malformed: none, or not in the one way that it is written.
    """
    match = _PATH.fullmatch(path)
    if match is not None:
        tile = Tile(
            level=None if match[1] == "entries" else int(match[1]),
            number=int(match[2].replace("x", "").replace("/", "")),
            width=WIDTH if match[3] is None else int(match[3]),
        )
        if tile.path == path and tile.width <= WIDTH and (tile.level or 0) <= MOST_LEVEL and tile.number < MOST_NUMBER:
            return tile
    raise malformed(ErrorCode.VALUE_MALFORMED, "a path of a tile", "another", "path")


def tiles_of(size: int) -> list[Tile]:
    """Every tile of a tree of this size, levels from the bottom."""
    return new_tiles(0, size)


def new_tiles(old: int, new: int) -> list[Tile]:
    """The tiles of a tree of size `new` that one of size `old` does not have, levels from the bottom."""
    found: list[Tile] = []
    level = 0
    while new >> (HEIGHT * level):
        before, now = old >> (HEIGHT * level), new >> (HEIGHT * level)
        if now > before:
            full, rest = divmod(now, WIDTH)
            found += [Tile(level=level, number=number) for number in range(before // WIDTH, full)]
            found += [Tile(level=level, number=full, width=rest)] if rest else []
        level += 1
    return found


def bundles_of(size: int) -> Iterator[Tile]:
    """Every bundle of entries of a tree of this size, one after the other: a log can sign any size."""
    full, rest = divmod(size, WIDTH)
    for number in range(full):
        yield Tile(level=None, number=number)
    if rest:
        yield Tile(level=None, number=full, width=rest)


def write_bundle(entries: Sequence[bytes]) -> bytes:
    """Entries as a bundle holds them."""
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def read_bundle(data: bytes, count: int) -> list[bytes]:
    """The entries of a bundle.

    Raises:
        Malformed: it does not hold exactly so many.
    """
    entries, at = list[bytes](), 0
    while at + 2 <= len(data) and len(entries) < count:
        end = at + 2 + int.from_bytes(data[at : at + 2], "big")
        if end > len(data):
            break
        entries.append(data[at + 2 : end])
        at = end
    if at != len(data) or len(entries) != count:
        raise malformed(ErrorCode.STATEMENT_MALFORMED, f"{count} entries", "other bytes", "bundle")
    return entries


class TiledTree:
    """A tree of one size, known by its tiles; each is read once."""

    def __init__(self, size: int, read: TileReader) -> None:
        """`read` is given tiles of a tree of this size, and answers with as many hashes as their width says."""
        self.size, self._read, self._seen = size, read, dict[tuple[int, int], list[list[bytes]]]()

    def root(self) -> bytes:
        """The root over all leaves; there is at least one."""
        return self.subtree(0, self.size)

    def subtree(self, start: int, end: int) -> bytes:
        """The root over the leaves from `start` up to before `end`, as RFC 9162 cuts the tree."""
        result: bytes | None = None
        # The complete subtrees that make it up, from the right: the smallest one first.
        while end > start:
            height = ((end - start) & -(end - start)).bit_length() - 1
            node = self._node(height, (end >> height) - 1)
            result = node if result is None else node_hash(node, result)
            end -= 1 << height
        if result is None:
            raise ValueError("no leaves have no root in a tile")
        return result

    def inclusion_proof(self, index: int) -> tuple[bytes, ...]:
        """The hashes that lead from the leaf at `index` to the root, from the bottom."""
        if not 0 <= index < self.size:
            raise IndexError(index)
        path, start, end = list[bytes](), 0, self.size
        while end - start > 1:
            split = start + split_of(end - start)
            if index < split:
                path.append(self.subtree(split, end))
                end = split
            else:
                path.append(self.subtree(start, split))
                start = split
        return tuple(reversed(path))

    def consistency_proof(self, old: int) -> tuple[bytes, ...]:
        """The hashes that show that this tree continues the one of its first `old` leaves."""
        return consistency_proof(self.subtree, old, self.size)

    def _node(self, height: int, number: int) -> bytes:
        """The root over 2^height leaves, the `number`th of its height."""
        level, within = divmod(height, HEIGHT)
        tile, place = divmod(number << within, WIDTH)
        return self._rows(level, tile)[within][place >> within]

    def _rows(self, level: int, number: int) -> list[list[bytes]]:
        """The hashes of a tile, and above them all that are over complete parts of it."""
        rows = self._seen.get((level, number))
        if rows is None:
            width = min(WIDTH, (self.size >> (HEIGHT * level)) - number * WIDTH)
            data = self._read(Tile(level=level, number=number, width=width))
            if len(data) != width * DIGEST_BYTES:
                raise malformed(ErrorCode.STATEMENT_MALFORMED, f"{width} hashes", f"{len(data)} bytes", "tile")
            rows = [[data[at : at + DIGEST_BYTES] for at in range(0, len(data), DIGEST_BYTES)]]
            while len(rows) < HEIGHT:
                below = rows[-1]
                rows.append([node_hash(below[at], below[at + 1]) for at in range(0, len(below) - 1, 2)])
            self._seen[level, number] = rows
        return rows
