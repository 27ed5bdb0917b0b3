"""Log lines of the roles: events with fields; never a key, a nonce or a body."""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any, Final, TextIO, cast

import structlog

from lightbound.errors import LightboundError

SHOWN: Final = 8
"""Digits of a session that a log shows: whoever knows the whole digest may ask a landmark for what was said in it."""


class _StandardError:
    """Standard error as it is when a line is written: whoever runs a command in his process may put it elsewhere."""

    def write(self, text: str) -> int:
        return sys.stderr.write(text)

    def flush(self) -> None:
        sys.stderr.flush()


def set_up(*, as_json: bool, debug: bool = False, out: TextIO | None = None) -> None:
    """Lines for a person, or one JSON object a line for a machine. Both name the time in UTC, and the event.

    They go to standard error, or to `out`.
    """
    shown: Any = structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer(colors=False)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            _shortened,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            shown,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG if debug else logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(out or cast(TextIO, _StandardError())),
        cache_logger_on_first_use=True,
    )


def _shortened(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The same, its session cut to as much as tells it from others."""
    if isinstance(event.get("session"), str):
        event["session"] = event["session"][:SHOWN]
    return event


def fields(error: LightboundError) -> dict[str, object]:
    """An error as fields of a log line: its class, and the first fault."""
    fault = error.faults[0]
    return {
        "kind": type(error).__name__.lower(),
        "code": str(fault.code),
        "why": str(fault),
        **({"faults": error.total} if error.total > 1 else {}),
    }
