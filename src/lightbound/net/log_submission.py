"""Having statements entered in a log, each proof checked before anybody calls it entered."""

from collections.abc import Sequence
from typing import Final

from lightbound.errors import LightboundError, Unavailable
from lightbound.net.http_client import MOST_ANSWER_BYTES, Server
from lightbound.net.http_server import CBOR
from lightbound.tlog.entries import write_entry
from lightbound.tlog.note import NoteKey
from lightbound.tlog.proof import LogProof, check_proof, read_proof
from lightbound.tlog.submission import (
    LONGEST_WITNESS_WAIT_S,
    PATH,
    Entered,
    NotEntered,
    read_answers,
    write_submission,
)

ANSWER_S: Final = 2.0 * LONGEST_WITNESS_WAIT_S
"""The log answers once the entries are published: when its witnesses had their time, for the batch before this one and
for this one."""

AT_ONCE: Final = 16
"""Statements of one submission. A log takes twice as many; these proofs fit into an answer with sixty witnesses too."""


def submitted(server: Server, log: NoteKey, statements: Sequence[bytes]) -> list[LogProof | NotEntered]:
    """What the log answered to each of at most `AT_ONCE`, in their order: a proof that holds, or why it was not taken.

    Raises:
        Malformed: a statement is too long for an entry; nothing was sent.
        Unavailable: the log did not answer, or not as a log does. Some may be entered: submit the same again.
        Malformed, Refused: the log took none of it for a submission, or a proof does not hold.
    """
    entries = [write_entry(one) for one in statements]
    body = server.post(PATH, write_submission(statements), kind=CBOR, wait_s=ANSWER_S).body
    try:
        answers = read_answers(body, len(statements), most_bytes=MOST_ANSWER_BYTES)
    except LightboundError as error:
        # Of somebody who is no log: it is asked again later, for nothing of ours is wrong.
        raise Unavailable(error.faults) from error
    return [
        _proven(log, entry, answer) if isinstance(answer, Entered) else answer
        for entry, answer in zip(entries, answers, strict=True)
    ]


def _proven(log: NoteKey, entry: bytes, answer: Entered) -> LogProof:
    proof = read_proof(answer.proof)
    check_proof(proof, entry, log)
    return proof
