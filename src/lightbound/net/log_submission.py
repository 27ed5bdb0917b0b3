"""Having statements entered in a log, each proof checked before anybody calls it entered."""

from collections.abc import Iterator, Sequence
from typing import Final, TypeAlias

from lightbound.canonical import cose
from lightbound.errors import ErrorCode, Fault, LightboundError, Unavailable
from lightbound.net.http_client import MOST_ANSWER_BYTES, Server
from lightbound.net.http_server import CBOR
from lightbound.ranging.statements.kinds import Kind
from lightbound.tlog.entries import write_entry
from lightbound.tlog.note import NoteKey
from lightbound.tlog.proof import LogProof, check_proof, read_proof
from lightbound.tlog.submission import (
    LONGEST_WITNESS_WAIT_S,
    PATH,
    Entered,
    NotEntered,
    cut,
    read_answers,
    write_submission,
)

ANSWER_S: Final = 2.0 * LONGEST_WITNESS_WAIT_S
"""The log answers once the entries are published: when its witnesses had their time, for the batch before this one and
for this one."""

AT_ONCE: Final = 16
"""Statements of one submission. A log takes twice as many; these proofs fit into an answer with sixty witnesses too."""


def submissions(statements: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    """The same in their order, cut into what is submitted at once: not too many, and not too long for a log.

    A DIRECTORY ends its submission: a log checks each by what it held before, and would refuse whom this one lists.

    Raises:
        Malformed: one is no statement.
    """
    together = list[bytes]()
    for one in statements:
        together.append(one)
        if cose.read(one).kind == Kind.DIRECTORY:
            yield from cut(together, AT_ONCE)
            together = []
    yield from cut(together, AT_ONCE)


Said: TypeAlias = LogProof | NotEntered | Unavailable
"""What is known of one statement: a proof that holds, why it was not taken, or that the log gave a proof that does not
hold."""


def submitted(server: Server, log: NoteKey, statements: Sequence[bytes]) -> list[Said]:
    """What the log answered to each of at most `AT_ONCE`, in their order.

    A proof that does not hold is the log's fault and says nothing about the statement, which may be entered or not:
    it is submitted again. The proofs beside it hold.

    Raises:
        Malformed: a statement is too long for an entry; nothing was sent.
        Unavailable: the log did not answer, or not as a log does. Some may be entered: submit the same again.
        Malformed, Refused: the log took none of it for a submission.
    """
    entries = [write_entry(one) for one in statements]
    body = server.post(PATH, write_submission(statements), kind=CBOR, wait_s=ANSWER_S).body
    try:
        answers = read_answers(body, len(statements), most_bytes=MOST_ANSWER_BYTES)
    except LightboundError as error:
        # Of somebody who is no log: it is asked again later, for nothing of ours is wrong.
        raise Unavailable(error.faults) from error
    return [
        _proven(server, log, entry, answer) if isinstance(answer, Entered) else answer
        for entry, answer in zip(entries, answers, strict=True)
    ]


def _proven(server: Server, log: NoteKey, entry: bytes, answer: Entered) -> LogProof | Unavailable:
    try:
        proof = read_proof(answer.proof)
        check_proof(proof, entry, log)
    except LightboundError as error:
        expected = f"a proof of {server.url} that holds"
        found = f"{error.faults[0].found} in place of {error.faults[0].expected}"
        return Unavailable(Fault(code=ErrorCode.PEER_MISBEHAVED, expected=expected, found=found, file=server.url))
    return proof
