"""Log lines of the roles: events with fields; never a key, a nonce or a body."""

import logging
import sys
from typing import Any, TextIO

import structlog

from lightbound.errors import LightboundError


def set_up(*, as_json: bool, debug: bool = False, out: TextIO | None = None) -> None:
    """Lines for a person, or one JSON object a line for a machine. Both name the time in UTC, and the event.

    They go to standard error, or to `out`.
    """
    shown: Any = structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer(colors=False)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            shown,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG if debug else logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(out or sys.stderr),
        cache_logger_on_first_use=True,
    )


def fields(error: LightboundError) -> dict[str, object]:
    """An error as fields of a log line: its class, and the first fault."""
    fault = error.faults[0]
    return {
        "kind": type(error).__name__.lower(),
        "code": str(fault.code),
        "why": str(fault),
        **({"faults": error.total} if error.total > 1 else {}),
    }
