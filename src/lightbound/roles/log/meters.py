"""What a log counts, for whoever watches over it (Prometheus)."""

from prometheus_client import CollectorRegistry, Counter, Gauge


class Meters:
    """The counts of one log."""

    def __init__(self) -> None:
        """All at zero."""
        self.registry = CollectorRegistry()
        self.submitted = Counter(
            "lightbound_log_submitted", "Statements submitted, and what came of them.", ["end"], registry=self.registry
        )
        self.size = Gauge("lightbound_log_size", "Entries of the published checkpoint.", registry=self.registry)
        self.cosigned = Gauge(
            "lightbound_log_cosigned", "Cosignatures on the published checkpoint.", registry=self.registry
        )
