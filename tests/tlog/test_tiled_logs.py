"""Laws of notes, checkpoints, cosignatures, proofs and tiles."""

import base64
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightbound.errors import LightboundError, Malformed, Refused
from lightbound.keys.ed25519 import SigningKey, VerifyingKey
from lightbound.keys.purposes import Purpose
from lightbound.tlog import merkle
from lightbound.tlog.checkpoint import Checkpoint, log_key, open_checkpoint, read_text, sign_checkpoint
from lightbound.tlog.consistency import continues
from lightbound.tlog.cosignature import cosign_text, cosignatures, witness_key
from lightbound.tlog.note import read_note, read_vkey, with_lines
from lightbound.tlog.proof import LogProof, check_proof, read_proof
from lightbound.tlog.tiles import (
    Tile,
    TiledTree,
    bundles_of,
    new_tiles,
    read_bundle,
    read_path,
    tiles_of,
    write_bundle,
)

LOG = SigningKey.of_seed(Purpose.LOG, bytes(31) + b"\x01")
WITNESS = SigningKey.of_seed(Purpose.WITNESS, bytes(31) + b"\x02")
ORIGIN = "log.example/test"
KEY = log_key(ORIGIN, LOG.verifying)
WITNESS_KEY = witness_key("witness.example", WITNESS.verifying)

LEAVES = [b"%d" % number for number in range(1_200)]
HASHES = [merkle.leaf_hash(leaf) for leaf in LEAVES]


def tile_of(size: int, tile: Tile) -> bytes:
    """A tile by the definition: each hash the root over 256^L leaves."""
    step = 256 ** (tile.level or 0)
    first = tile.number * 256
    assert (first + tile.width) * step <= size
    return b"".join(merkle.root(LEAVES[at * step : at * step + step]) for at in range(first, first + tile.width))


def tree(size: int) -> TiledTree:
    return TiledTree(size, lambda tile: tile_of(size, tile))


def checkpoint(size: int) -> Checkpoint:
    return Checkpoint(origin=ORIGIN, size=size, root=merkle.root(LEAVES[:size]))


sizes = st.one_of(st.integers(1, 40), st.sampled_from([255, 256, 257, 511, 512, 513, 1_024, 1_200]))


@given(size=sizes, data=st.data())
def test_tiles_give_the_root_and_every_proof(size: int, data: st.DataObject) -> None:
    index, old = data.draw(st.integers(0, size - 1)), data.draw(st.integers(0, size))
    one, root = tree(size), merkle.root(LEAVES[:size])
    assert one.root() == root
    assert one.inclusion_proof(index) == merkle.inclusion_proof(LEAVES[:size], index)
    assert merkle.includes(LEAVES[index], index, size, one.inclusion_proof(index), root)
    assert continues(old, merkle.root(LEAVES[:old]), size, root, one.consistency_proof(old))


def test_every_tree_continues_every_shorter_one_and_no_other() -> None:
    roots = [merkle.root(LEAVES[:size]) for size in range(34)]
    for new in range(1, 34):
        for old in range(1, new + 1):
            proof = tree(new).consistency_proof(old)
            assert continues(old, roots[old], new, roots[new], proof)
            assert not continues(old, roots[old - 1], new, roots[new], proof)
            assert not continues(old, roots[old], new, roots[new - 1], proof)
            if old < new:
                assert not continues(old, roots[old], new, roots[new], (*proof, bytes(32)))
                assert not continues(old, roots[old], new, roots[new], proof[:-1])
                for at in range(len(proof)):
                    changed = (*proof[:at], merkle.node_hash(proof[at], proof[at]), *proof[at + 1 :])
                    assert not continues(old, roots[old], new, roots[new], changed)


def test_a_proof_of_the_specification_is_made() -> None:
    """RFC 9162, 2.1.5: of seven leaves, PROOF(3, D[7]) = [c, d, g, l] and PROOF(4, D[7]) = [l]."""
    c, d = HASHES[2], HASHES[3]
    g, left = merkle.node_hash(HASHES[0], HASHES[1]), merkle.root(LEAVES[4:7])
    assert tree(7).consistency_proof(3) == (c, d, g, left)
    assert tree(7).consistency_proof(4) == (left,)


@given(old=sizes, more=st.integers(0, 600))
def test_tiles_of_a_tree_and_those_that_are_new_make_up_the_next(old: int, more: int) -> None:
    before, now = set(tiles_of(old)), set(tiles_of(old + more))
    new = set(new_tiles(old, old + more))
    assert new <= now
    assert now - before == new
    assert sum(bundle.width for bundle in bundles_of(old)) == old


@pytest.mark.parametrize(
    ("tile", "path"),
    [
        (Tile(level=0, number=0), "tile/0/000"),
        (Tile(level=None, number=1_234_067), "tile/entries/x001/x234/067"),
        (Tile(level=3, number=1_000, width=1), "tile/3/x001/000.p/1"),
    ],
)
def test_a_path_is_written_as_the_specification_has_it(tile: Tile, path: str) -> None:
    assert tile.path == path
    assert read_path(path) == tile


@pytest.mark.parametrize(
    "path",
    ["tile/0/0", "tile/0/1000", "tile/0/x000/001", "tile/64/000", "tile/0/000.p/256", "tile/0/000.p/0", "tile/00/000",
     "tile/-1/000", "tile/entries/000.p/", "tile/0/../000", "/tile/0/000", "tile/0/000\n", "tile/0/\u0661\u0661\u0661"],
)  # fmt: skip
def test_another_way_to_write_a_path_is_refused(path: str) -> None:
    with pytest.raises(Malformed):
        read_path(path)


@given(level=st.one_of(st.none(), st.integers(0, 63)), number=st.integers(0, 2**50), width=st.integers(1, 256))
def test_every_path_is_read_as_it_was_written(level: int | None, number: int, width: int) -> None:
    tile = Tile(level=level, number=number, width=width)
    assert read_path(tile.path) == tile


@given(entries=st.lists(st.binary(max_size=300), max_size=20), junk=st.binary(max_size=5))
def test_a_bundle_is_read_as_it_was_written_and_otherwise_refused(entries: list[bytes], junk: bytes) -> None:
    data = write_bundle(entries)
    assert read_bundle(data, len(entries)) == entries
    with pytest.raises(Malformed):
        read_bundle(data, len(entries) + 1)
    if junk:
        with pytest.raises(Malformed):
            read_bundle(data + junk, len(entries))


def test_a_vkey_of_the_specification_is_read() -> None:
    """The example of Go's sumdb/note."""
    text = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
    assert str(read_vkey(text)) == text


def test_a_note_of_another_program_verifies() -> None:
    """The example of Go's sumdb/note."""
    key = read_vkey("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
    text = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
    signed = "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
    note = read_note(f"{text}\n\u2014 PeterNeumann {signed}\n".encode())
    (signature,) = note.of(key)
    assert VerifyingKey(purpose=Purpose.LOG, raw=key.raw).verifies(signature.signature, text.encode())


def cosigned(size: int) -> bytes:
    note = read_note(sign_checkpoint(checkpoint(size), LOG))
    return with_lines(note, [cosign_text(note.text, "witness.example", WITNESS, at_s=1_000)]).encoded()


def test_a_checkpoint_is_opened_by_its_logs_key_alone() -> None:
    read, note = open_checkpoint(cosigned(5), KEY)
    assert read == checkpoint(5)
    assert [one.at_s for one in cosignatures(note, (WITNESS_KEY,))] == [1_000]
    other = SigningKey.of_seed(Purpose.LOG, bytes(31) + b"\x03")
    for key in (log_key(ORIGIN, other.verifying), log_key("log.example/other", LOG.verifying), WITNESS_KEY):
        with pytest.raises(Refused):
            open_checkpoint(cosigned(5), key)


def test_a_line_of_a_stranger_is_passed_over_and_a_bad_one_of_a_known_key_is_refused() -> None:
    note = read_note(cosigned(5))
    strange = replace(note.signatures[1], name="stranger.example", signature=bytes(72))
    read, with_stranger = open_checkpoint(with_lines(note, [strange]).encoded(), KEY)
    assert (read, len(cosignatures(with_stranger, (WITNESS_KEY,)))) == (checkpoint(5), 1)
    with pytest.raises(Refused):
        cosignatures(with_lines(note, [replace(note.signatures[1], signature=bytes(72))]), (WITNESS_KEY,))


@given(size=st.integers(1, 40), data=st.data())
def test_a_proof_with_a_bit_changed_is_never_believed(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    proof = LogProof(index=index, hashes=tree(size).inclusion_proof(index), checkpoint=cosigned(size), extra=b"salt")
    encoded = proof.encoded()
    assert read_proof(encoded) == proof
    read, seen = check_proof(proof, LEAVES[index], KEY, (WITNESS_KEY,))
    assert (read.size, len(seen)) == (size, 1)
    at = data.draw(st.integers(0, len(encoded) - 1))
    changed = bytearray(encoded)
    changed[at] ^= 1 << data.draw(st.integers(0, 7))
    try:
        other = read_proof(bytes(changed))
        _, seen = check_proof(other, LEAVES[index], KEY, (WITNESS_KEY,))
    except LightboundError:
        return
    # What goes with a proof is not proven by it, and a line whose name was changed is a stranger's.
    assert replace(other, extra=b"salt", checkpoint=proof.checkpoint) == proof
    assert not seen or other.checkpoint == proof.checkpoint


@given(data=st.binary(max_size=200))
def test_any_bytes_are_read_or_malformed(data: bytes) -> None:
    text = data.decode("latin-1")
    readings = (
        lambda: read_note(data),
        lambda: read_proof(data),
        lambda: read_text(text),
        lambda: read_vkey(text),
        lambda: read_path(text),
    )
    for read in readings:
        try:
            read()
        except Malformed:
            continue


def test_the_same_bytes_in_another_base64_are_refused() -> None:
    note = sign_checkpoint(checkpoint(3), LOG).decode()
    root = base64.b64encode(merkle.root(LEAVES[:3])).decode()
    assert root.endswith("=")
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    last = letters[letters.index(root[-2]) ^ 1]
    with pytest.raises(Malformed):
        read_text(read_note(note.replace(root, root[:-2] + last + "=").encode()).text)


def test_a_vkey_of_no_key_or_of_one_that_binds_nobody_is_refused_when_it_is_read() -> None:
    assert read_vkey(str(KEY)) == KEY
    for raw in (bytes(32), b"\x01" + bytes(31), bytes(31), bytes(33)):
        with pytest.raises(Malformed):
            read_vkey(str(replace(KEY, raw=raw)))
    unknown = "log.example/test+" + "00000000+" + base64.b64encode(b"\x06" + bytes(1_312)).decode()
    with pytest.raises(Malformed, match="algorithm"):
        read_vkey(unknown)
