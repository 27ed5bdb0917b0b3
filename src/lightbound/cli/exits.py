"""What a finished process tells its caller: the exit codes, and the one table from errors to them.

The API will have a table of its own, from the same errors to HTTP statuses. Nothing else decides either.
"""

from enum import IntEnum
from typing import Final

from lightbound.errors import ErrorCode, Fault, LightboundError, Malformed, Refused, Unavailable


class ExitCode(IntEnum):
    """The closed list of exit codes; `docs/errors.md` explains each and a test holds the two together."""

    DONE = 0
    BUG = 1
    """Also what Python itself answers to an exception that nobody caught."""
    USAGE = 2
    """Also what Typer answers to an option that it does not know."""
    MALFORMED = 3
    REFUSED = 4
    UNAVAILABLE = 5
    STANDING_FOUND = 6
    """Done, and a chip has a standing that `--fail-on` names. Raised as `typer.Exit(ExitCode.STANDING_FOUND)`."""
    INTERRUPTED = 130
    """128 + SIGINT, as shells have it; also what Typer answers to Ctrl-C."""


EXIT_OF: Final[dict[type[LightboundError], ExitCode]] = {
    Malformed: ExitCode.MALFORMED,
    Refused: ExitCode.REFUSED,
    Unavailable: ExitCode.UNAVAILABLE,
}


def exit_code(error: LightboundError) -> ExitCode:
    """The code for an error; an error of a class that the table does not know is a bug of ours."""
    return EXIT_OF.get(type(error), ExitCode.BUG)


EXTRA_OF: Final = {
    **dict.fromkeys(
        (
            *("geographiclib", "lxml", "matplotlib", "numba", "numpy", "pyarrow", "pyproj", "scipy", "shapely"),
            *("signxml", "typst"),
        ),
        "judge",
    ),
    **dict.fromkeys(("alembic", "prometheus_client", "psycopg", "sqlalchemy", "starlette", "uvicorn"), "server"),
}
"""Which extra of the package brings a module; a test holds it to `pyproject.toml`."""


def not_installed(error: ModuleNotFoundError) -> Unavailable | None:
    """What a person is told where a part of Lightbound is not installed; None if that is not what is missing."""
    name = (error.name or "").partition(".")[0]
    extra = EXTRA_OF.get(name)
    if extra is None:
        return None
    fault = Fault(
        code=ErrorCode.NOT_INSTALLED,
        expected=f"Lightbound with its part {extra}",
        found=f"no {name}",
        next=f"pip install 'lightbound[{extra}]'",
    )
    return Unavailable(fault)
