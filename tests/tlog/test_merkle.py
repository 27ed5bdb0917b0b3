"""Trees of RFC 9162: roots and proofs against what the RFC's definitions give when followed word by word."""

import hashlib

import numpy as np
import pytest

from lightbound.tlog.merkle import includes, inclusion_proof, leaf_hash, node_hash, root, root_from

LEAVES = [bytes([number]) * (number % 5) for number in range(40)]


def sha(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def defined_root(leaves: list[bytes]) -> bytes:
    """MTH of 2.1.1: the split is found by counting up, and nothing is shared with the code."""
    if not leaves:
        return sha(b"")
    if len(leaves) == 1:
        return sha(b"\x00" + leaves[0])
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return sha(b"\x01" + defined_root(leaves[:split]) + defined_root(leaves[split:]))


def defined_path(leaves: list[bytes], index: int) -> list[bytes]:
    """PATH of 2.1.3.1."""
    if len(leaves) == 1:
        return []
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    if index < split:
        return [*defined_path(leaves[:split], index), defined_root(leaves[split:])]
    return [*defined_path(leaves[split:], index - split), defined_root(leaves[:split])]


def test_the_root_of_no_leaf_is_the_hash_of_nothing() -> None:
    assert root([]).hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_the_root_of_one_empty_leaf_is_the_hash_of_a_zero_byte() -> None:
    assert root([b""]).hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"


def test_the_root_of_three_leaves_is_two_beside_one() -> None:
    a, b, c = sha(b"\x00a"), sha(b"\x00b"), sha(b"\x00c")
    assert root([b"a", b"b", b"c"]) == sha(b"\x01" + sha(b"\x01" + a + b) + c)
    assert inclusion_proof([b"a", b"b", b"c"], 0) == (b, c)
    assert inclusion_proof([b"a", b"b", b"c"], 1) == (a, c)
    assert inclusion_proof([b"a", b"b", b"c"], 2) == (sha(b"\x01" + a + b),)


def test_the_example_of_the_rfc_with_seven_leaves() -> None:
    """2.1.5: the proofs of d0, d3, d4 and d6 are [b, h, l], [c, g, l], [f, j, k] and [i, k]."""
    d = [bytes([number]) for number in range(7)]
    a, b, c, d3, e, f, j = (sha(b"\x00" + leaf) for leaf in d)
    g, h, i = node_hash(a, b), node_hash(c, d3), node_hash(e, f)
    k, l = node_hash(g, h), node_hash(i, j)  # noqa: E741 - the letters of the RFC
    assert root(d) == node_hash(k, l)
    assert inclusion_proof(d, 0) == (b, h, l)
    assert inclusion_proof(d, 3) == (c, g, l)
    assert inclusion_proof(d, 4) == (f, j, k)
    assert inclusion_proof(d, 6) == (i, k)


@pytest.mark.parametrize("size", range(1, 40))
def test_root_and_proofs_are_those_of_the_definitions(size: int) -> None:
    leaves = LEAVES[:size]
    assert root(leaves) == defined_root(leaves)
    for index in range(size):
        proof = inclusion_proof(leaves, index)
        assert list(proof) == defined_path(leaves, index)
        assert includes(leaves[index], index, size, proof, root(leaves))


@pytest.mark.parametrize("size", range(1, 20))
def test_a_proof_fits_one_place_of_one_tree(size: int) -> None:
    leaves = [bytes([number]) for number in range(size)]
    whole = root(leaves)
    for index in range(size):
        proof = inclusion_proof(leaves, index)
        for other in range(size):
            assert includes(leaves[index], other, size, proof, whole) is (other == index)
            assert includes(leaves[other], index, size, proof, whole) is (other == index)
        assert not includes(leaves[index], index, size, (*proof, bytes(32)), whole)
        assert not includes(leaves[index], index, size, proof, bytes(32))
        if proof:
            assert not includes(leaves[index], index, size, proof[:-1], whole)
            assert not includes(leaves[index], index, size, (proof[0][:-1], *proof[1:]), whole)
            assert not includes(leaves[index], index, size, (bytes(32), *proof[1:]), whole)


def test_a_place_outside_the_tree_has_no_proof_and_none_is_believed() -> None:
    for index in (-1, 3):
        with pytest.raises(IndexError):
            inclusion_proof(LEAVES[:3], index)
        assert root_from(b"", index, 3, ()) is None
    assert root_from(b"", 0, 0, ()) is None
    assert root_from(b"", 0, -1, ()) is None
    for size in range(1, 10):
        for length in range(6):
            for index in (-2, -1, *range(size, 2 * size + 5)):
                assert root_from(b"", index, size, [bytes(32)] * length) is None


def test_a_proof_that_is_too_long_or_of_other_hashes_leads_to_no_root() -> None:
    for size in range(1, 10):
        for index in range(size):
            proof = inclusion_proof(LEAVES[:size], index)
            assert root_from(LEAVES[index], index, size, proof) == root(LEAVES[:size])
            assert root_from(LEAVES[index], index, size, (*proof, bytes(32))) is None
            assert root_from(LEAVES[index], index, size, proof[1:]) is None or size == 1
            for place in range(len(proof)):
                short = [step[:31] if number == place else step for number, step in enumerate(proof)]
                assert root_from(LEAVES[index], index, size, short) is None


def test_a_proof_of_any_length_and_size_is_answered_at_once() -> None:
    """Numbers that a stranger wrote: sizes beyond any tree, proofs longer than any path."""
    dice = np.random.default_rng(9162)
    for _ in range(2_000):
        size = int(dice.integers(1, 2**62)) >> int(dice.integers(0, 62))
        index = int(dice.integers(0, 2**62)) >> int(dice.integers(0, 62))
        proof = [dice.bytes(32) for _ in range(int(dice.integers(0, 70)))]
        found = root_from(b"leaf", index, size, proof)
        assert found is None or len(found) == 32
        assert not includes(b"leaf", index, size, proof, bytes(32))


def test_no_leaf_is_a_node() -> None:
    """The node over two leaves, given as a leaf, has another hash: a tree cannot be told to be shorter."""
    a, b = leaf_hash(b"a"), leaf_hash(b"b")
    assert root([a + b]) != root([b"a", b"b"])
    assert leaf_hash(a + b) != node_hash(a, b)


def test_the_order_of_leaves_matters() -> None:
    assert root([b"a", b"b"]) != root([b"b", b"a"])
    assert root([b"a", b"b", b"c"]) != root([b"a", b"c", b"b"])
