"""Our own answers to operations: each is given by the core, and nothing is computed twice here.

An adapter in front of another implementation answers the same lines. `docs/conformance.md` shows one of each.
"""

import json
from collections.abc import Callable
from typing import IO, Final

from lightbound.conformance import on_clocks, on_hashes, on_scripts, on_sessions, on_statements
from lightbound.conformance.arguments import Arguments, Json, NotAnOperation, object_of
from lightbound.conformance.outcomes import outcome
from lightbound.errors import ErrorCode, Fault, Malformed

OPERATIONS: Final[dict[str, Callable[[Arguments], Json]]] = {
    **on_statements.OPERATIONS,
    **on_hashes.OPERATIONS,
    **on_clocks.OPERATIONS,
    **on_sessions.OPERATIONS,
    **on_scripts.OPERATIONS,
}
"""What can be asked, by the name that stands under `do`."""


def answer(operation: Json) -> dict[str, Json]:
    """A result, a refusal, or why there is neither (`unsupported`)."""
    try:
        asked = Arguments(operation)
        return outcome(_operation(asked.text("do")), asked)
    except NotAnOperation as error:
        return {"unsupported": str(error)}


def _operation(name: str) -> Callable[[Arguments], Json]:
    found = OPERATIONS.get(name)
    if found is None:
        raise NotAnOperation("no such operation")
    return found


def serve(lines: IO[str], answers: IO[str]) -> None:
    """Answer every line with a line, until there are no more.

    Raises:
        Malformed: a line holds no JSON object, or one that is nested too deeply.
    """
    for number, line in enumerate(lines, start=1):
        operation = object_of(line)
        if operation is None or not isinstance(operation.get("id"), int | str | None):
            expected = "a JSON object with id, do and the arguments"
            raise Malformed(Fault(code=ErrorCode.VALUE_MALFORMED, expected=expected, found="another line", line=number))
        said = {"id": operation.get("id"), **answer(operation)}
        answers.write(json.dumps(said, separators=(",", ":")) + "\n")
        answers.flush()
