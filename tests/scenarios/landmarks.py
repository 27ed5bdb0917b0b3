"""Many landmarks as real processes, forked from one that has loaded everything.

`python -m tests.scenarios.landmarks` reads orders from its standard input, one JSON object a line, and answers each
with the process id of a landmark. When its input ends, so do all of them.
"""

import json
import os
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import uvicorn
from starlette.applications import Starlette

from lightbound.keys.ed25519 import VerifyingKey
from lightbound.keys.purposes import Purpose
from lightbound.net.http_server import Limits
from lightbound.net.listening import Listening
from lightbound.ranging.timing.clocks import ClockErrors
from lightbound.roles import logs
from lightbound.roles.landmark.run import LandmarkSettings, run_landmark
from lightbound.sim.scenario import LandmarkKind
from lightbound.store.engine import LANDMARK, open_store
from tests.scenarios.dishonest import be_impatient, changed, stall
from tests.scenarios.forking import serve_orders

PORT: Final = 8471


@dataclass(frozen=True, slots=True, kw_only=True)
class LandmarkOrder:
    """A landmark to be run."""

    data: str
    host: str
    verifier: str
    kind: str
    factor: float
    round_trip_ns: int
    can_pause: bool
    is_impatient: bool
    seed: int

    def line(self) -> str:
        """For the process that forks."""
        return json.dumps(asdict(self)) + "\n"


def _load_everything() -> None:
    """What a landmark loads only when it runs, so that not each of them does."""
    uvicorn.Config(Starlette(), lifespan="off").load()
    with tempfile.TemporaryDirectory() as folder:
        open_store(Path(folder) / "landmark.sqlite", LANDMARK).dispose()


def _be(line: str) -> None:
    order = LandmarkOrder(**json.loads(line))
    log = os.open(f"{order.data}/log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for descriptor in (0, 1, 2):
        os.dup2(log, descriptor)
    kind, errors = LandmarkKind(order.kind), ClockErrors(can_pause=order.can_pause)
    if kind is LandmarkKind.STALLING:
        stall(order.host, PORT)
    if order.is_impatient:
        be_impatient()
    changed(
        kind,
        factor=order.factor,
        round_trip_ns=order.round_trip_ns,
        rate_ppb=errors.rate_ppb,
        seed=order.seed,
    )
    logs.set_up(as_json=False)
    here = (Listening(host=order.host, port=PORT),)
    run_landmark(
        LandmarkSettings(
            data=Path(order.data),
            listen=here,
            timed=here,
            verifiers=(VerifyingKey(purpose=Purpose.VERIFIER, raw=bytes.fromhex(order.verifier)),),
            errors=errors,
            utc_error_ns=100_000_000,
            # Whoever can pause must name a clock outside; these processes are given another in its place.
            ntp=("192.0.2.1", 123) if order.can_pause else None,
            kernel_stamps=True,
            low_latency=False,
            limits=Limits(per_s=1_000.0, burst=1_000.0),
            tls=None,
            software="lightbound-test",
        )
    )


if __name__ == "__main__":
    _load_everything()
    serve_orders(_be)
