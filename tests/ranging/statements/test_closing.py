"""CLOSE and ACK: what stands for the answers of a timed phase, and what they may say."""

import hashlib
from dataclasses import replace

import pytest

from lightbound.canonical.cbor import Value, encode
from lightbound.errors import Malformed
from lightbound.ranging.statements.closing import (
    Ack,
    Answer,
    Close,
    read_ack,
    read_close,
    transcript,
    write_ack,
    write_close,
)
from tests.ranging.parties import every_statement, secret
from tests.ranging.statements.every import LANDMARK, S

CLOSE = read_close(every_statement()["close"], LANDMARK.verifying)
ACK = read_ack(every_statement()["ack"], S.verifying)
ANSWERS = [Answer(round=number, nonce=secret(number)[:16], tag=secret("tag", number)[:16]) for number in range(4)]


def test_a_transcript_is_a_hash_of_who_met_and_of_every_answer_in_order() -> None:
    taken: list[Value] = [[each.round, each.nonce, each.tag] for each in ANSWERS]
    expected: list[Value] = ["CLP/1 transcript", bytes(16), b"l" * 16, b"b" * 32, taken]
    assert transcript(bytes(16), b"l" * 16, b"b" * 32, ANSWERS) == hashlib.sha256(encode(expected)).digest()


def test_no_other_meeting_and_no_other_answers_have_the_same_transcript() -> None:
    found = {
        transcript(bytes(16), b"l" * 16, b"b" * 32, ANSWERS),
        transcript(b"s" * 16, b"l" * 16, b"b" * 32, ANSWERS),
        transcript(bytes(16), b"m" * 16, b"b" * 32, ANSWERS),
        transcript(bytes(16), b"l" * 16, b"c" * 32, ANSWERS),
        transcript(bytes(16), b"l" * 16, b"b" * 32, ANSWERS[:-1]),
        transcript(bytes(16), b"l" * 16, b"b" * 32, ANSWERS[::-1]),
        transcript(bytes(16), b"l" * 16, b"b" * 32, [ANSWERS[0]._replace(nonce=bytes(16)), *ANSWERS[1:]]),
        transcript(bytes(16), b"l" * 16, b"b" * 32, [ANSWERS[0]._replace(tag=bytes(16)), *ANSWERS[1:]]),
        transcript(bytes(16), b"l" * 16, b"b" * 32, [ANSWERS[0]._replace(round=9), *ANSWERS[1:]]),
    }
    assert len(found) == 9


@pytest.mark.parametrize(
    "wrong",
    [
        replace(CLOSE, accepted=(2, 1)),
        replace(CLOSE, accepted=(1, 1)),
        replace(CLOSE, accepted=(64,)),
        replace(CLOSE, accepted=(5,), rounds_sent=5),
        replace(CLOSE, accepted=(-1,)),
        replace(CLOSE, rounds_sent=65),
        replace(CLOSE, rounds_sent=-1),
        replace(CLOSE, random=bytes(16)),
    ],
)
def test_close_lists_rounds_that_there_can_have_been(wrong: Close) -> None:
    with pytest.raises(Malformed):
        read_close(write_close(wrong, LANDMARK), LANDMARK.verifying)


@pytest.mark.parametrize("wrong", [replace(ACK, answered=65), replace(ACK, answered=-1), replace(ACK, close=bytes(16))])
def test_ack_counts_rounds_that_there_can_have_been(wrong: Ack) -> None:
    with pytest.raises(Malformed):
        read_ack(write_ack(wrong, S), S.verifying)


def test_neither_says_how_long_anything_took() -> None:
    assert not any(name.endswith("_ns") for name in (*Close.__slots__, *Ack.__slots__))
