"""What a verifier counts, for whoever watches over it (Prometheus). None of it names an agent or a chip."""

from prometheus_client import CollectorRegistry, Counter


class Meters:
    """The counts of one verifier."""

    def __init__(self) -> None:
        """All at zero."""
        self.registry = CollectorRegistry()

        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"lightbound_{name}", text, labels, registry=self.registry)

        self.enrolled = counter("agents_enrolled", "Agents that were let in.")
        self.polls = counter("polls", "Polls that were taken.")
        self.asked = counter("sessions_asked", "Sessions that were given out.")
        self.delivered = counter("deliveries", "Deliveries that were kept.")
        self.concluded = counter("sessions_concluded", "Sessions that were looked at, and what they came to.", "state")
        self.decided = counter("decisions", "Decisions about chips, by standing.", "standing")
