"""What a landmark counts, for whoever watches over it (Prometheus)."""

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge


class Meters:
    """The counts of one landmark. None of them tells of an agent."""

    def __init__(self) -> None:
        """All at zero."""
        self.registry = CollectorRegistry()
        self.opened = Counter("lightbound_sessions_opened", "Sessions that were opened.", registry=self.registry)
        self.ended = Counter(
            "lightbound_sessions_ended", "Sessions that ended, and how.", ["end"], registry=self.registry
        )
        self.open = Gauge("lightbound_sessions_live", "Sessions kept in memory.", registry=self.registry)
        self._timed = {
            name: Gauge(f"lightbound_timed_{name}", text, registry=self.registry)
            for name, text in (
                ("running", "Timed phases that run now."),
                ("exchanges", "Challenges sent since the start."),
                ("strangers", "Packets that belong to no phase, since the start."),
                ("errors", "Packets that could not be sent, since the start."),
            )
        }

    def timed(self, counts: Mapping[str, int]) -> None:
        """Take over what the timed process counted."""
        for name, count in counts.items():
            self._timed[name].set(count)
