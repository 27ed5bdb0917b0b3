"""What is sent to a log to be entered, and what it answers: for each statement a proof, or why it was not taken.

POST /log/v1/entries   [statement, ...]
answer                 { "format", "cosigned", "entries": [ {"number", "proof"} or {"refused": {...}}, ... ] }
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from lightbound.canonical.cbor import Value, decode, encode
from lightbound.canonical.fields import Fields, shown
from lightbound.errors import ErrorCode, malformed

PATH: Final = "/log/v1/entries"
FORMAT: Final = "lightbound.logged/1"

LONGEST_WITNESS_WAIT_S: Final = 30.0
"""How long a log may have a batch wait for cosignatures, and so whoever submits for an answer."""

MOST_AT_ONCE: Final = 32
"""Statements of one submission: the proofs of all of them fit into an answer."""

MOST_BYTES: Final = 262_144
"""Of one submission, as the specification has it: 32 entries of a landmark have some 10 kB."""

_AROUND_ALL, _AROUND_ONE = 3, 5
"""Bytes of CBOR before an array of up to 65,535, and before each statement in it, at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entered:
    """A statement is in the log."""

    number: int
    proof: bytes
    """A tlog-proof, without extra; nothing of it has been believed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotEntered:
    """A statement was not taken, in the words of the log."""

    code: str
    expected: str
    found: str


def cut(statements: Sequence[bytes], most: int) -> Iterator[Sequence[bytes]]:
    """The statements in their order, in submissions of at most so many, none longer than a log takes."""
    submission, length = list[bytes](), _AROUND_ALL
    for one in statements:
        adds = len(one) + _AROUND_ONE
        if submission and (len(submission) == most or length + adds > MOST_BYTES):
            yield submission
            submission, length = [], _AROUND_ALL
        submission.append(one)
        length += adds
    if submission:
        yield submission


def write_submission(statements: Sequence[bytes]) -> bytes:
    """What is sent."""
    return encode(list(statements))


def read_submission(body: bytes) -> list[bytes]:
    """The statements that are to be entered; nothing of them has been believed.

    Raises:
        Malformed: it is something else, or too many.
    """
    value = decode(body, what="submission", most_bytes=MOST_BYTES)
    if type(value) is not list or not 1 <= len(value) <= MOST_AT_ONCE or any(type(one) is not bytes for one in value):
        expected = f"an array of 1 to {MOST_AT_ONCE} statements"
        raise malformed(ErrorCode.STATEMENT_MALFORMED, expected, "another value", "submission")
    return [bytes(one) for one in value]  # type: ignore[arg-type] # each has just been looked at


def write_answers(answers: Sequence[Entered | NotEntered], *, cosigned: int) -> bytes:
    """What is answered, in the order of the statements."""
    entries = list[Value]()
    for one in answers:
        if isinstance(one, Entered):
            entries.append({"number": one.number, "proof": one.proof})
        else:
            entries.append({"refused": {"code": one.code, "expected": one.expected, "found": one.found}})
    return encode({"format": FORMAT, "cosigned": cosigned, "entries": entries})


def read_answers(body: bytes, count: int, *, most_bytes: int) -> list[Entered | NotEntered]:
    """What a log answered to so many statements, in their order.

    Raises:
        Malformed: it is something else, or of another number of statements.
    """
    fields = Fields(decode(body, what="logged", most_bytes=most_bytes), "logged")
    fields.text("format")
    fields.integer("cosigned")
    answers = fields.items("entries", _answer, least=count, most=count)
    fields.end()
    return list(answers)


def _answer(value: Value, path: str) -> Entered | NotEntered:
    match value:
        case {"number": int() as number, "proof": bytes() as proof}:
            return Entered(number=number, proof=proof)
        case {"refused": {"code": str() as code, "expected": str() as expected, "found": str() as found}}:
            return NotEntered(code=code[:64], expected=expected[:300], found=found[:300])
        case _:
            raise malformed(ErrorCode.STATEMENT_MALFORMED, "a proof or a refusal", shown(value), path)
