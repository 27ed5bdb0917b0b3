"""How an operation ends: with a result, or with a refusal that says why by class and code."""

from collections.abc import Callable

from lightbound.conformance.arguments import Arguments, Json
from lightbound.errors import LightboundError


def outcome(asked_of: Callable[[Arguments], Json], asked: Arguments) -> dict[str, Json]:
    """What comes of one question."""
    try:
        return {"result": asked_of(asked)}
    except LightboundError as error:
        return {"refusal": refusal(error)}


def refusal(error: LightboundError) -> dict[str, Json]:
    """Why something was not believed: whose fault it is, and the code."""
    return {"class": type(error).__name__.lower(), "code": str(error.faults[0].code)}
