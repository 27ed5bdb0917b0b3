"""Merkle tree hashing of RFC 9162, 2.1: the root over some leaves, and proofs that one leaf is among them."""

import hashlib
import hmac
from collections.abc import Sequence
from typing import Final

DIGEST_BYTES: Final = 32


def leaf_hash(leaf: bytes) -> bytes:
    """The hash of a leaf: SHA-256(0x00 || leaf)."""
    return hashlib.sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of a node: SHA-256(0x01 || left || right)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root(leaves: Sequence[bytes]) -> bytes:
    """The root over the leaves in their order; of none, the hash of nothing."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    return _root([leaf_hash(leaf) for leaf in leaves])


def inclusion_proof(leaves: Sequence[bytes], index: int) -> tuple[bytes, ...]:
    """The hashes that lead from the leaf at `index` to the root, from the bottom."""
    if not 0 <= index < len(leaves):
        raise IndexError(index)
    hashes = [leaf_hash(leaf) for leaf in leaves]
    path: list[bytes] = []
    while len(hashes) > 1:
        split = split_of(len(hashes))
        if index < split:
            path.append(_root(hashes[split:]))
            hashes = hashes[:split]
        else:
            path.append(_root(hashes[:split]))
            hashes, index = hashes[split:], index - split
    return tuple(reversed(path))


def includes(leaf: bytes, index: int, size: int, proof: Sequence[bytes], expected_root: bytes) -> bool:
    """Whether the proof shows the leaf at `index` of a tree of `size` leaves with this root (RFC 9162, 2.1.3.2)."""
    found = root_from(leaf, index, size, proof)
    return found is not None and hmac.compare_digest(found, expected_root)


def root_from(leaf: bytes, index: int, size: int, proof: Sequence[bytes]) -> bytes | None:
    """The root that a proof for the leaf at `index` of `size` leads to; None if it is no proof for such a tree."""
    if not 0 <= index < size or any(len(step) != DIGEST_BYTES for step in proof):
        return None
    fn, sn, result = index, size - 1, leaf_hash(leaf)
    for step in proof:
        if sn == 0:
            return None
        if fn & 1 or fn == sn:
            result = node_hash(step, result)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            result = node_hash(result, step)
        fn, sn = fn >> 1, sn >> 1
    return result if sn == 0 else None


def _root(hashes: Sequence[bytes]) -> bytes:
    if len(hashes) == 1:
        return hashes[0]
    split = split_of(len(hashes))
    return node_hash(_root(hashes[:split]), _root(hashes[split:]))


def split_of(size: int) -> int:
    """The largest power of two smaller than the size."""
    return 1 << ((size - 1).bit_length() - 1)
