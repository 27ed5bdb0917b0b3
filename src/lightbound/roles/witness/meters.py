"""What a witness counts, for whoever watches over it (Prometheus)."""

from prometheus_client import CollectorRegistry, Counter, Gauge


class Meters:
    """The counts of one witness."""

    def __init__(self) -> None:
        """All at zero."""
        self.registry = CollectorRegistry()
        self.asked = Counter(
            "lightbound_witness_asked", "Checkpoints submitted, and what came of them.", ["end"], registry=self.registry
        )
        self.size = Gauge(
            "lightbound_witness_size", "Size of the newest cosigned checkpoint.", ["origin"], registry=self.registry
        )
