"""What was said of a certificate, and what that comes to as of an instant."""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum, auto


class Status(StrEnum):
    """What an answer comes to."""

    GOOD = auto()
    REVOKED = auto()
    """Also where the answer is old, or says so of a later time than the one judged: what was revoked stays so."""
    UNKNOWN = auto()
    """The responder does not know the certificate, or did not answer."""
    STALE = auto()
    """It was good, and that answer was no longer to be used then."""
    LATER = auto()
    """It was good at a later time than the one judged."""
    OTHER = auto()
    """It is about another certificate. Who signed it was not looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a signed answer says of a certificate."""

    is_known: bool = True
    revoked_ns: int | None = None
    """Since when it is revoked."""
    reason: str | None = None
    """Why, where that is stated (RFC 5280, 5.3.1)."""
    from_ns: int | None = None
    """When that was so; None where there was no answer."""
    to_ns: int | None = None
    """Until when a newer answer is there at the latest; None where that is not stated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What was said, as of an instant."""

    serial: int
    """Of the certificate."""
    said: Said | None
    """None where it is about another."""
    at_ns: int
    """The instant that is judged."""

    @property
    def status(self) -> Status:
        """The one word."""
        match self.said:
            case None:
                return Status.OTHER
            case Said(revoked_ns=int()):
                return Status.REVOKED
            case Said(is_known=False) | Said(from_ns=None):
                return Status.UNKNOWN
            case Said(from_ns=int(from_ns), to_ns=to_ns):
                if self.at_ns < from_ns:
                    return Status.LATER
                # Without an end a newer answer may be there at any time (RFC 6960, 2.4).
                return Status.GOOD if self.at_ns <= (from_ns if to_ns is None else to_ns) else Status.STALE
        raise TypeError(type(self.said).__name__)

    @property
    def is_signed(self) -> bool:
        """Whether somebody signed it: a responder's error, which says nothing of the certificate, nobody signs."""
        return self.said is not None and self.said.from_ns is not None

    def __str__(self) -> str:
        """One sentence."""
        return f"certificate {self.serial:x}: {self._told()}"

    def _told(self) -> str:
        said = self.said
        if said is not None and said.revoked_ns is not None:
            why = f" ({said.reason})" if said.reason else ""
            after = ", which is after the time judged" if said.revoked_ns > self.at_ns else ""
            return f"revoked since {told(said.revoked_ns)}{why}{after}"
        if said is None or said.from_ns is None or not said.is_known:
            return "not spoken of" if said is None else "not known to who answered"
        span = f"from {told(said.from_ns)} to {'no stated end' if said.to_ns is None else told(said.to_ns)}"
        match self.status:
            case Status.LATER:
                return f"not revoked {span}, which is after the time judged"
            case Status.STALE:
                return f"not revoked {span}, which is before the time judged"
            case _:
                return f"not revoked {span}"


def told(instant_ns: int) -> str:
    """An instant as a person reads it."""
    return datetime.fromtimestamp(instant_ns // 1_000_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
