"""What follows for a checkpoint from what a witness saw before: laws of one history."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightbound.errors import Malformed
from lightbound.tlog.witness import (
    NOTHING,
    AddCheckpoint,
    Continues,
    Elsewhere,
    Forked,
    Unproven,
    judge,
    read_add_checkpoint,
)
from tests.tlog.histories import asked, branched, checkpoint, leaves, proof, seen

sizes = st.integers(0, 40)


@given(old=sizes, more=st.integers(0, 40))
def test_a_checkpoint_that_continues_what_was_seen_is_found_to(old: int, more: int) -> None:
    history = leaves(old + more)
    assert judge(seen(history[:old]), asked(history, old), checkpoint(history)) == Continues(now=seen(history))


@given(shared=sizes, one=sizes, other=sizes, data=st.data())
def test_no_proof_leads_from_one_history_into_another(shared: int, one: int, other: int, data: st.DataObject) -> None:
    ours, theirs = branched(shared, one, of="ours"), branched(shared, other, of="theirs")
    hashes = [*proof(theirs, data.draw(st.integers(0, other))), *proof(ours, data.draw(st.integers(0, one))), bytes(32)]
    steps = tuple(data.draw(st.lists(st.sampled_from(hashes), max_size=8)))
    request = replace(asked(theirs, min(one, other)), proof=steps, old=min(one, other))
    judged = judge(seen(ours), request, checkpoint(theirs))
    if isinstance(judged, Continues):
        assert theirs[:one] == ours
    if theirs[:one] != ours and one == other:
        assert judged == Forked(seen=seen(ours))


def test_each_answer_comes_for_its_reason() -> None:
    history, other = leaves(7), branched(2, 7)
    at_four = seen(history[:4])
    assert judge(at_four, asked(history, 4), checkpoint(history)) == Continues(now=seen(history))
    assert judge(at_four, asked(history[:4], 4), checkpoint(history[:4])) == Continues(now=at_four)
    assert judge(at_four, asked(history, 0), checkpoint(history)) == Elsewhere(size=4)
    assert judge(at_four, asked(history, 5), checkpoint(history)) == Elsewhere(size=4)
    # A rollback: the log comes with less than it had.
    assert judge(at_four, asked(history[:3], 3), checkpoint(history[:3])) == Elsewhere(size=4)
    assert judge(at_four, asked(other[:4], 4), checkpoint(other[:4])) == Forked(seen=at_four)
    assert judge(at_four, asked(other, 4), checkpoint(other)) == Unproven()
    assert judge(at_four, replace(asked(history, 4), proof=()), checkpoint(history)) == Unproven()
    # A proof where none is needed shows nothing, and is none.
    for old in (0, 7):
        request = replace(asked(history, old), proof=(bytes(32),))
        assert judge(seen(history[:old]), request, checkpoint(history)) == Unproven()


def test_a_log_that_was_never_seen_begins_with_nothing() -> None:
    history = leaves(5)
    assert judge(NOTHING, asked(history, 0), checkpoint(history)) == Continues(now=seen(history))
    assert judge(NOTHING, asked([], 0), checkpoint([])) == Continues(now=NOTHING)
    assert judge(NOTHING, asked(history, 3), checkpoint(history)) == Elsewhere(size=0)
    # Of no entries there is one root as well.
    wrong = replace(checkpoint([]), root=bytes(32))
    assert judge(NOTHING, asked([], 0), wrong) == Forked(seen=NOTHING)


def test_a_proof_from_a_longer_tree_to_a_shorter_one_is_no_request() -> None:
    with pytest.raises(Malformed):
        judge(seen(leaves(4)), asked(leaves(3), 4), checkpoint(leaves(3)))


@given(old=sizes, more=st.integers(0, 20))
def test_a_request_is_read_as_it_was_written(old: int, more: int) -> None:
    request = asked(leaves(old + more), old)
    assert read_add_checkpoint(request.encoded()) == request


def test_a_request_is_written_as_the_specification_has_it() -> None:
    request = AddCheckpoint(old=20852014, proof=(bytes(32),), checkpoint=b"checkpoint\n")
    assert request.encoded() == b"old 20852014\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\ncheckpoint\n"


@pytest.mark.parametrize(
    "head",
    ["", "old", "old ", "old -1", "old 01", "old 1 ", "old 9223372036854775808", "old \u0661", "Old 1", "old 1\nAA==",
     "old 1\n" + "A" * 44, "old 1\n" + "A" * 42 + "B=", "old 1\r", "old 1" + 64 * ("\n" + "A" * 43 + "=")],
)  # fmt: skip
def test_another_request_is_refused(head: str) -> None:
    with pytest.raises(Malformed):
        read_add_checkpoint(f"{head}\n\n".encode() + asked(leaves(3), 0).checkpoint)
    with pytest.raises(Malformed):
        read_add_checkpoint(b"old 0\n")


@given(data=st.one_of(st.binary(max_size=200), st.binary(max_size=100).map(lambda rest: b"old 1\n" + rest)))
def test_any_bytes_are_a_request_or_malformed(data: bytes) -> None:
    try:
        assert read_add_checkpoint(data).encoded() == data
    except Malformed:
        return
