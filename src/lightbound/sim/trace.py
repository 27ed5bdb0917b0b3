"""What happened in a session, event by event, so that a person can step through it."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that was sent, taken or refused."""

    at_ns: int
    """True time, in nanoseconds since 1970."""
    sender: str
    receiver: str
    what: str
    """A statement or packet, by name."""
    outcome: str
    """What the receiver made of it."""


@dataclass(slots=True, kw_only=True)
class Trace:
    """The events of one session, in the order in which they were noted; nothing is kept unless `is_on`."""

    is_on: bool = False
    events: list[Event] = field(default_factory=list)

    def note(self, at_ns: int, sender: str, receiver: str, what: str, outcome: str) -> None:
        """Keep one event."""
        if self.is_on:
            self.events.append(Event(at_ns=at_ns, sender=sender, receiver=receiver, what=what, outcome=outcome))

    def in_order(self) -> list[Event]:
        """The events by their time."""
        return sorted(self.events, key=lambda event: event.at_ns)
