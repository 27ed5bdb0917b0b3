"""Consistency proofs of RFC 9162, 2.1.4: that a longer tree continues a shorter one."""

import hmac
from collections.abc import Callable, Sequence

from lightbound.tlog.merkle import DIGEST_BYTES, node_hash, split_of

Subtree = Callable[[int, int], bytes]
"""The root over the leaves from one number up to before another, as a tree of its own."""


def consistency_proof(subtree: Subtree, old: int, new: int) -> tuple[bytes, ...]:
    """The hashes that lead from the root over `old` leaves to the root over `new`; none if one of them shows nothing.

    Every tree continues the one of no leaves, and itself: both proofs are empty.
    """
    if not 0 <= old <= new:
        raise ValueError(f"a tree of {new} leaves does not continue one of {old}")
    return () if old in {0, new} else tuple(_proof(subtree, old, 0, new, is_whole=True))


def continues(old: int, old_root: bytes, new: int, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether the proof shows that the tree of `new` leaves has the tree of `old` at its beginning (2.1.4.2).

    Of no leaves nothing can be shown but that it is the beginning of everything; whether `old_root` is the root of no
    leaves is the caller's to look at.
    """
    if not 0 <= old <= new or any(len(step) != DIGEST_BYTES for step in proof):
        return False
    if old in {0, new}:
        return not proof and (old == 0 or hmac.compare_digest(old_root, new_root))
    # A tree that is complete stands in the proof by its root, which the verifier has.
    path = list(proof) if old & (old - 1) else [old_root, *proof]
    if not path:
        return False
    fn, sn = old - 1, new - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    of_old = of_new = path[0]
    for step in path[1:]:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            of_old, of_new = node_hash(step, of_old), node_hash(step, of_new)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            of_new = node_hash(of_new, step)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and hmac.compare_digest(of_old, old_root) and hmac.compare_digest(of_new, new_root)


def _proof(subtree: Subtree, old: int, start: int, end: int, *, is_whole: bool) -> list[bytes]:
    """SUBPROOF of 2.1.4.1, for the leaves from `start` up to before `end`, of which the first `old` are the old tree's.

    `is_whole`: the old tree's part is all of the old tree, so that the verifier has its root.
    """
    size = end - start
    if old == size:
        return [] if is_whole else [subtree(start, end)]
    split = split_of(size)
    if old <= split:
        return [*_proof(subtree, old, start, start + split, is_whole=is_whole), subtree(start + split, end)]
    return [*_proof(subtree, old - split, start + split, end, is_whole=False), subtree(start, start + split)]
