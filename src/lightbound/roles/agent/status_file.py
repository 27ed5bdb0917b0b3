"""How an agent is, in `status.json`: for `lightbound agent status`, and whoever looks after the host."""

import datetime as dt
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from lightbound.enrolment.requests import told
from lightbound.errors import ErrorCode, Fault, Malformed, Unavailable
from lightbound.files.whole import whole_file

FORMAT: Final = "lightbound.agent-status/1"
NAME: Final = "status.json"


@dataclass(slots=True, kw_only=True)
class Status:
    """How it is. Instants in UTC."""

    software: str
    started_ns: int
    stopped_ns: int | None = None
    polled_ns: int | None = None
    """The last poll that the verifier answered."""
    session: dict[str, Any] | None = None
    """The last session: digest, when it began and ended, of how many landmarks, how many measured, what failed."""
    troubles: dict[str, tuple[str, str]] = field(default_factory=dict)
    """What goes wrong, by what it is that does: a code, and words that can be told in POLL."""
    failing_since_ns: int | None = None
    waiting: int = 0
    """Deliveries that could not be brought yet."""
    receipts: int = 0
    """Sessions, each with one landmark, whose receipts of the log have not come yet."""

    @property
    def error(self) -> str:
        """What went wrong last; empty if everything that was tried last went well."""
        return next(reversed(self.troubles.values()))[1] if self.troubles else ""

    def failed(self, what: str, why: str, *, code: str, now_ns: int) -> None:
        """Note that something went wrong."""
        self.troubles.pop(what, None)
        self.troubles[what] = (code, told(why))
        self.failing_since_ns = now_ns if self.failing_since_ns is None else self.failing_since_ns

    def went_well(self, what: str) -> None:
        """Note that something went well."""
        self.troubles.pop(what, None)
        if not self.troubles:
            self.failing_since_ns = None

    def write(self, folder: Path) -> None:
        """Keep it.

        Raises:
            Unavailable: it cannot be written.
        """
        said = {
            "format": FORMAT,
            "software": self.software,
            "started": instant(self.started_ns),
            "stopped": instant(self.stopped_ns),
            "last_poll": instant(self.polled_ns),
            "last_session": self.session,
            "failing": {what: {"code": code, "why": why} for what, (code, why) in self.troubles.items()},
            "failing_since": instant(self.failing_since_ns),
            "deliveries_waiting": self.waiting,
            "receipts_waiting": self.receipts,
        }
        with whole_file(folder / NAME) as out:
            out.write(json.dumps(said, indent=1).encode() + b"\n")


def read_status(folder: Path) -> dict[str, Any]:
    """What the agent of a folder last wrote.

    Raises:
        Unavailable: it has not written any.
        Malformed: it is not as it was written.
    """
    file = folder / NAME
    try:
        said = json.loads(file.read_bytes())
    except OSError as error:
        fault = Fault(
            code=ErrorCode.READ_FAILED,
            expected="a file that can be read",
            found=error.strerror or type(error).__name__,
            file=str(file),
            next="`lightbound agent run` writes it; or give another --data",
        )
        raise Unavailable(fault) from error
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict) or said.get("format") != FORMAT:
        fault = Fault(code=ErrorCode.FILE_FORMAT, expected="a status", found="other bytes", file=str(file))
        raise Malformed(fault)
    return said


def instant(at_ns: int | None) -> str | None:
    """An instant as people read it, in UTC."""
    if at_ns is None:
        return None
    return dt.datetime.fromtimestamp(at_ns // 1_000_000_000, tz=dt.UTC).isoformat().replace("+00:00", "Z")
