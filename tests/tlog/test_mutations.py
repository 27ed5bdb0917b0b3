"""What was altered is refused, or says the same: of checkpoints, cosignatures, proofs, policies and requests."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightbound.errors import LightboundError, Malformed
from lightbound.tlog import merkle
from lightbound.tlog.checkpoint import open_checkpoint
from lightbound.tlog.consistency import continues
from lightbound.tlog.cosignature import cosign_text, cosignatures
from lightbound.tlog.note import MOST_BYTES, MOST_SIGNATURES, NoteSignature, read_note, read_vkey, with_lines
from lightbound.tlog.policy import policy_of, read_policy, write_policy
from lightbound.tlog.proof import LogProof, read_proof
from lightbound.tlog.tiles import Tile, read_bundle, read_path, write_bundle
from lightbound.tlog.witness import read_add_checkpoint
from tests.tlog.histories import LOG_KEY, NAME, WITNESS, WITNESS_KEY, asked, checkpoint, leaves, proof

HISTORY = leaves(11)
NOTE = read_note(asked(HISTORY, 4).checkpoint)
COSIGNED = with_lines(NOTE, [cosign_text(NOTE.text, NAME, WITNESS, at_s=1_700_000_000)]).encoded()

READERS: dict[bytes, Callable[[bytes], object]] = {
    COSIGNED: read_note,
    LogProof(
        index=3, hashes=merkle.inclusion_proof(HISTORY, 3), checkpoint=COSIGNED, extra=b"salt"
    ).encoded(): read_proof,
    asked(HISTORY, 4).encoded(): read_add_checkpoint,
    write_policy(policy_of([LOG_KEY], [WITNESS_KEY], 1)): read_policy,
    write_bundle([b"one", b"", b"three" * 40]): lambda data: read_bundle(data, 3),
    str(LOG_KEY).encode(): lambda data: read_vkey(data.decode("latin-1")),
    Tile(level=2, number=1_234_067, width=17).path.encode(): lambda data: read_path(data.decode("latin-1")),
}


@st.composite
def altered(draw: st.DrawFn, data: bytes) -> bytes:
    """The bytes with a few of them changed, cut, doubled, or in another place."""
    result = bytearray(data)
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(result)))
        end = draw(st.integers(start, min(len(result), start + 60)))
        piece = bytes(result[start:end])
        result[start:end] = draw(
            st.one_of(
                st.just(b""), st.just(piece * 2), st.binary(max_size=4), st.sampled_from([b"\n", b"\n\n", b" ", b"="])
            )
        )
    return bytes(result)


@given(data=st.data())
def test_whatever_was_altered_is_read_or_malformed_and_what_is_read_is_written_the_same(data: st.DataObject) -> None:
    original = data.draw(st.sampled_from(list(READERS)))
    changed = data.draw(altered(original))
    try:
        read = READERS[original](changed)
    except Malformed:
        return
    encoded = getattr(read, "encoded", None)
    if encoded is not None:
        assert encoded() == changed


@given(data=st.data())
def test_an_altered_checkpoint_is_refused_or_says_the_same_with_fewer_cosignatures(data: st.DataObject) -> None:
    changed = data.draw(altered(COSIGNED))
    try:
        read, note = open_checkpoint(changed, LOG_KEY)
        seen = cosignatures(note, (WITNESS_KEY,))
    except LightboundError:
        return
    assert read == checkpoint(HISTORY)
    assert [one.at_s for one in seen] in ([], [1_700_000_000])


def test_every_changed_bit_of_a_checkpoint_costs_a_signature() -> None:
    for at in range(8 * len(COSIGNED)):
        changed = bytearray(COSIGNED)
        changed[at // 8] ^= 1 << at % 8
        try:
            _, note = open_checkpoint(bytes(changed), LOG_KEY)
            seen = cosignatures(note, (WITNESS_KEY,))
        except LightboundError:
            continue
        # Only the name and id of the witness's line say whose it is, and nothing signs them.
        assert seen == []


@given(old=st.integers(1, 30), more=st.integers(1, 30), data=st.data())
def test_every_changed_bit_of_a_consistency_proof_is_found(old: int, more: int, data: st.DataObject) -> None:
    history = leaves(old + more)
    steps = proof(history, old)
    at = data.draw(st.integers(0, 256 * len(steps) - 1)) if steps else None
    roots = [merkle.root(history[:old]), merkle.root(history)]
    assert continues(old, roots[0], old + more, roots[1], steps)
    if at is None:
        return
    step = bytearray(steps[at // 256])
    step[at % 256 // 8] ^= 1 << at % 8
    changed = (*steps[: at // 256], bytes(step), *steps[at // 256 + 1 :])
    assert not continues(old, roots[0], old + more, roots[1], changed)


@given(count=st.integers(1, 40), data=st.data())
def test_every_leaf_is_included_and_every_changed_bit_is_found(count: int, data: st.DataObject) -> None:
    history, index = leaves(count), data.draw(st.integers(0, count - 1))
    steps, root = merkle.inclusion_proof(history, index), merkle.root(history)
    assert merkle.includes(history[index], index, count, steps, root)
    if steps:
        at = data.draw(st.integers(0, 256 * len(steps) - 1))
        step = bytearray(steps[at // 256])
        step[at % 256 // 8] ^= 1 << at % 8
        changed = (*steps[: at // 256], bytes(step), *steps[at // 256 + 1 :])
        assert not merkle.includes(history[index], index, count, changed, root)


def test_the_line_of_a_stranger_with_any_name_spoils_nothing() -> None:
    for name in ("\u200b", "\ue000", "x" * 256, "Łódź"):
        strange = NoteSignature(name=name, key_id=bytes(4), signature=b"x")
        _, note = open_checkpoint(with_lines(read_note(COSIGNED), [strange]).encoded(), LOG_KEY)
        assert len(cosignatures(note, (WITNESS_KEY,))) == 1
    for name in ("", "a b", "a+b", "a\u00a0b", "a\u2028b"):
        strange = NoteSignature(name=name, key_id=bytes(4), signature=b"x")
        with pytest.raises(Malformed):
            read_note(with_lines(NOTE, [strange]).encoded())


def test_a_note_may_be_as_long_as_sixteen_of_the_longest_signatures_and_no_longer_than_anybody_needs() -> None:
    long = [NoteSignature(name=f"w{at}.example", key_id=bytes(4), signature=bytes(5_000)) for at in range(15)]
    assert open_checkpoint(with_lines(NOTE, long).encoded(), LOG_KEY)[0] == checkpoint(HISTORY)
    many = [replace(long[0], name=f"w{at}.example", signature=b"x") for at in range(MOST_SIGNATURES)]
    assert len(read_note(with_lines(NOTE, many[1:]).encoded()).signatures) == MOST_SIGNATURES
    for spoilt in (with_lines(NOTE, many), with_lines(NOTE, [replace(long[0], signature=bytes(MOST_BYTES))])):
        with pytest.raises(Malformed):
            read_note(spoilt.encoded())
