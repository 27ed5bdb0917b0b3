"""Having statements entered in a log from outside of it, each proof checked before anybody calls it entered.

For what a person submits: a new DIRECTORY with its statements, a ROTATION. Landmarks have a queue of their own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from lightbound.errors import LightboundError, Unavailable
from lightbound.net.http_client import MOST_ANSWER_BYTES, Server
from lightbound.net.http_server import CBOR
from lightbound.tlog.entries import write_entry
from lightbound.tlog.note import NoteKey
from lightbound.tlog.proof import check_proof, read_proof
from lightbound.tlog.submission import PATH, Entered, NotEntered, read_answers, write_submission

ANSWER_S: Final = 40.0
"""The log answers once the entries are published; it may wait 30 s for its witnesses."""


AT_ONCE: Final = 16
"""Statements of one submission. A log takes twice as many; these proofs fit into an answer with sixty witnesses too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What a log answered to one statement."""

    statement: bytes
    answer: Entered | NotEntered


def enter(url: str, log: NoteKey, statements: Sequence[bytes], *, software: str) -> list[Answered]:
    """What the log answered to each, in their order; whatever it calls entered is proven to be.

    Raises:
        Malformed: a statement is too long for an entry; nothing was sent.
        Unavailable: the log did not answer, or not as a log does. Some may be entered: submit the same again.
        Malformed, Refused: the log took none of it for a submission, or a proof does not hold.
    """
    entries = [write_entry(one) for one in statements]
    answered = []
    with Server(url, software=software) as server:
        for start in range(0, len(statements), AT_ONCE):
            part = statements[start : start + AT_ONCE]
            body = server.post(PATH, write_submission(part), kind=CBOR, wait_s=ANSWER_S).body
            try:
                answers = read_answers(body, len(part), most_bytes=MOST_ANSWER_BYTES)
            except LightboundError as error:
                raise Unavailable(error.faults) from error
            for statement, entry, answer in zip(part, entries[start:], answers, strict=False):
                if isinstance(answer, Entered):
                    check_proof(read_proof(answer.proof), entry, log)
                answered.append(Answered(statement=statement, answer=answer))
    return answered
