"""How a verifier is run: whom it asks how often, of which landmarks, and how it decides."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from lightbound.bundles.logged import LogTrusted
from lightbound.canonical.cbor import Value, encode
from lightbound.keys.signing import digest
from lightbound.net.http_server import Limits, Tls
from lightbound.net.listening import Listening
from lightbound.tlog.note import read_log_vkey, read_witness_vkey

SECOND_NS: Final = 1_000_000_000
HOUR_NS: Final = 3_600 * SECOND_NS


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What is the same for every agent. Its digest stands in each SESSION."""

    every_ns: int = HOUR_NS
    """One session of an agent each such span of time."""
    nearest: int = 6
    """Landmarks chosen for a site: the nearest of each fault unit first."""
    extras: int = 2
    """Landmarks drawn by the beacon besides."""
    window_ns: int = HOUR_NS
    fault_budget: int = 1
    proof: str = "alone"
    border_error_m: int = 2_000

    def digest(self) -> bytes:
        """What SESSION says of it. Areas are not in it: there are few, and a landmark could try them all."""
        fields: dict[str, Value] = dict(self.fields())
        return digest(encode(["lightbound policy", fields]))

    def fields(self) -> dict[str, int | str]:
        """Its settings by name."""
        return {
            "every_ns": self.every_ns,
            "nearest": self.nearest,
            "extras": self.extras,
            "window_ns": self.window_ns,
            "fault_budget": self.fault_budget,
            "proof": self.proof,
            "border_error_m": self.border_error_m,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifierSettings:
    """How a verifier is run."""

    data: Path
    admission: Path
    listen: tuple[Listening, ...]
    policy: Policy
    silent_after_ns: int
    """An agent whose last answer is older, and that could have answered, is silent."""
    limits: Limits
    tls: Tls | None
    ca: Path | None
    """Certificates of authorities that landmarks' servers are believed by; None: those of the system."""
    software: str
    log: LogTrusted | None = None
    """The log in which landmarks have what they say; its receipts are kept, and go into bundles."""

    def told(self) -> dict[str, Any]:
        """What is kept for `status` and `export` to say again."""
        log = None
        if self.log is not None:
            witnesses = [str(key) for key in self.log.witnesses]
            log = {"key": str(self.log.key), "witnesses": witnesses, "threshold": self.log.threshold}
        said = {"silent_after_ns": self.silent_after_ns, "software": self.software, "log": log}
        return {**self.policy.fields(), **said}


def policy_told(told: Mapping[str, Any]) -> Policy:
    """The policy of the process that last ran, from what it kept; the default where none has run yet."""
    names = Policy().fields().keys() & told.keys()
    return replace(Policy(), **{name: told[name] for name in names})


def log_told(told: Mapping[str, Any]) -> LogTrusted | None:
    """The log of the process that last ran, from what it kept.

    Raises:
        Malformed: what was kept is none.
    """
    said = told.get("log")
    if said is None:
        return None
    witnesses = tuple(read_witness_vkey(text) for text in said["witnesses"])
    return LogTrusted(key=read_log_vkey(said["key"]), witnesses=witnesses, threshold=int(said["threshold"]))
