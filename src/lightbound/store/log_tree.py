"""The tiles of a log's tree, within one transaction: read, appended to, and the root over them.

A tile of level L holds up to 256 hashes, each the root over 256^L entries; only full ones stand above another level.
"""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import Connection, bindparam, insert, select, update

from lightbound.store.log_tables import TILES
from lightbound.tlog.merkle import DIGEST_BYTES, node_hash
from lightbound.tlog.tiles import HEIGHT, WIDTH

TILE_BYTES: Final = WIDTH * DIGEST_BYTES

_HASHES: Final = select(TILES.c.hashes).where(
    TILES.c.level == bindparam("of_level"), TILES.c.number == bindparam("of_number")
)
"""Made once: a proof asks three or four times."""


class Tree:
    """Tiles as a transaction sees them; what was read or written in it is not read again."""

    def __init__(self, connection: Connection) -> None:
        """In this transaction."""
        self._connection, self._seen = connection, dict[tuple[int, int], bytes | None]()

    def tile(self, level: int, number: int) -> bytes | None:
        """The hashes of a tile; None if there is none."""
        key = level, number
        if key not in self._seen:
            found = self._connection.execute(_HASHES, {"of_level": level, "of_number": number}).scalar()
            self._seen[key] = None if found is None else bytes(found)
        return self._seen[key]

    def append(self, size: int, leaves: Sequence[bytes]) -> None:
        """Put leaf hashes after the first `size`."""
        level, start, hashes = 0, size, b"".join(leaves)
        while hashes:
            number, offset = divmod(start, WIDTH)
            begun = b"" if offset == 0 else self._begun(level, number, offset)
            together = begun + hashes
            pieces = [together[at : at + TILE_BYTES] for at in range(0, len(together), TILE_BYTES)]
            self._write(level, number, pieces, is_begun=offset > 0)
            hashes = b"".join(_over(piece) for piece in pieces if len(piece) == TILE_BYTES)
            level, start = level + 1, number

    def root(self, size: int) -> bytes:
        """The root over the first `size` leaves, of which the tiles hold all; there is at least one."""
        result: bytes | None = None
        # The complete subtrees of which the tree is made, from the right: one for each bit of its size.
        for bit in (bit for bit in range(size.bit_length()) if size >> bit & 1):
            level, within = divmod(bit, HEIGHT)
            number, end = divmod(size >> bit << within, WIDTH)
            if end == 0:
                number, end = number - 1, WIDTH
            hashes = self._begun(level, number, end)
            subtree = _over(hashes[(end - (1 << within)) * DIGEST_BYTES :])
            result = subtree if result is None else node_hash(subtree, result)
        if result is None:
            raise ValueError("the root over no leaves is no hash of a tile")
        return result

    def _begun(self, level: int, number: int, count: int) -> bytes:
        found = self.tile(level, number)
        if found is None or len(found) < count * DIGEST_BYTES:
            raise ValueError(f"tile {level}/{number} lacks hashes that the head counts")
        return found[: count * DIGEST_BYTES]

    def _write(self, level: int, number: int, pieces: Sequence[bytes], *, is_begun: bool) -> None:
        new = [{"level": level, "number": number + at, "hashes": piece} for at, piece in enumerate(pieces)]
        self._seen.update({(level, number + at): piece for at, piece in enumerate(pieces)})
        if is_begun:
            grown = update(TILES).where(TILES.c.level == level, TILES.c.number == number)
            self._connection.execute(grown.values(hashes=pieces[0]))
            del new[0]
        if new:
            self._connection.execute(insert(TILES), new)


def _over(hashes: bytes) -> bytes:
    """The root over a number of hashes that is a power of two."""
    row = [hashes[at : at + DIGEST_BYTES] for at in range(0, len(hashes), DIGEST_BYTES)]
    while len(row) > 1:
        row = [node_hash(row[at], row[at + 1]) for at in range(0, len(row), 2)]
    return row[0]
