"""Errors as servers say them and clients understand them: one table each way, and the JSON between."""

import json
from typing import Final

from lightbound.errors import ErrorCode, Fault, LightboundError, Malformed, Refused, Unavailable, refused

FORMAT: Final = "lightbound.error/1"

STATUS_OF: Final[dict[type[LightboundError], int]] = {Malformed: 400, Refused: 403, Unavailable: 503}
CLASSES: Final[dict[str, type[LightboundError]]] = {
    "malformed": Malformed,
    "refused": Refused,
    "unavailable": Unavailable,
}
TOO_LONG, RATE_LIMITED, UNKNOWN = 413, 429, 404

LOCAL: Final = frozenset({ErrorCode.READ_FAILED, ErrorCode.WRITE_FAILED})
"""Codes that speak of the machine on which they are raised. A server's disk is not that of who asks it."""

MOST_FAULTS: Final = 8
MOST_TEXT: Final = 300


def status_of(error: LightboundError) -> int:
    """The status for an error."""
    if error.faults and error.faults[0].code is ErrorCode.RATE_LIMITED:
        return RATE_LIMITED
    return STATUS_OF.get(type(error), 500)


def error_body(error: LightboundError) -> bytes:
    """What a server says about an error. Files and lines are this machine's business."""
    faults = [
        {
            "code": str(fault.code),
            "expected": fault.expected,
            "found": fault.found,
            "column": fault.column,
            "next": fault.next,
        }
        for fault in error.faults[:MOST_FAULTS]
    ]
    kind = next(name for name, kind in CLASSES.items() if isinstance(error, kind))
    told = {"format": FORMAT, "class": kind, "faults": faults}
    return json.dumps(told, ensure_ascii=True, separators=(",", ":")).encode()


def read_error(status: int, body: bytes, peer: str) -> LightboundError:
    """The error that a server told of, as one of ours; one that names the status if it told of none.

    Code, class and words are the server's choice: nothing that is done about this machine may hang on them. A code that
    would speak of this machine's files is not passed on.
    """
    try:
        told = json.loads(body)
        kind = CLASSES[told["class"]]
        faults = [
            Fault(
                code=_code(fault["code"]),
                expected=_text(fault["expected"]),
                found=_text(fault["found"]),
                column=_text_or_none(fault.get("column")),
                next=_text_or_none(fault.get("next")),
                file=peer,
            )
            for fault in told["faults"][:MOST_FAULTS]
        ]
    except (ValueError, KeyError, TypeError, RecursionError):
        faults = []
        kind = Unavailable
    if faults:
        return kind(faults)
    if status == RATE_LIMITED:
        fault = Fault(code=ErrorCode.RATE_LIMITED, expected="fewer requests", found="a refusal", file=peer)
        return Unavailable(fault)
    found = f"status {status}"
    return Unavailable(Fault(code=ErrorCode.PEER_MISBEHAVED, expected="an answer of ours", found=found, file=peer))


def unknown(what: str) -> Refused:
    """What a server says of a session or statement that it does not have."""
    return refused(ErrorCode.WRONG_SESSION, "one that is known here", "another", what)


def _code(value: str) -> ErrorCode:
    code = ErrorCode(value)
    return ErrorCode.PEER_MISBEHAVED if code in LOCAL else code


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return "".join(letter if letter.isprintable() else "?" for letter in value[:MOST_TEXT])


def _text_or_none(value: object) -> str | None:
    return None if value is None else _text(value)
