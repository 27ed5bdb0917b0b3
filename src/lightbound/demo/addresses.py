"""Addresses for the running example: on Linux every 127.x.y.z is one, so that each way between two ends has its own.

    127.R.0.1        the verifier
    127.R.0.2        the log
    127.R.0.3+w      witness w
    127.R.0.10+l     landmark l
    127.R.1+a.10+l   landmark l, as agent a sees it

R is drawn, and taken if nobody listens at the ports that are needed there.
"""

import random
import socket
from dataclasses import dataclass
from typing import Final

from lightbound.errors import ErrorCode, Fault, Unavailable

VERIFIER_PORT: Final = 8470
LANDMARK_PORT: Final = 8471
LOG_PORT: Final = 8472
WITNESS_PORT: Final = 8473

FIRST: Final = 16
LAST: Final = 254
"""Of what R is drawn from: below, other programs have habits."""

TRIES: Final = 50


@dataclass(frozen=True, slots=True)
class Addresses:
    """Who is where."""

    network: int
    """R."""

    @property
    def verifier(self) -> str:
        """Host of the verifier."""
        return f"127.{self.network}.0.1"

    @property
    def log(self) -> str:
        """Host of the log."""
        return f"127.{self.network}.0.2"

    def witness(self, witness: int) -> str:
        """Host of a witness."""
        return f"127.{self.network}.0.{3 + witness}"

    def landmark(self, landmark: int) -> str:
        """Host of a landmark."""
        return f"127.{self.network}.0.{10 + landmark}"

    def leg(self, agent: int, landmark: int) -> str:
        """Where an agent finds a landmark."""
        return f"127.{self.network}.{1 + agent}.{10 + landmark}"


def free_addresses(*, landmarks: int, witnesses: int, dice: random.Random) -> Addresses:
    """Addresses at which nobody listens now.

    Raises:
        Unavailable: none were found.
    """
    for _ in range(TRIES):
        drawn = Addresses(dice.randint(FIRST, LAST))
        wanted = [(drawn.verifier, VERIFIER_PORT), (drawn.log, LOG_PORT)]
        wanted += [(drawn.witness(number), WITNESS_PORT) for number in range(witnesses)]
        wanted += [(drawn.landmark(number), LANDMARK_PORT) for number in range(landmarks)]
        if all(_is_free(*address) for address in wanted):
            return drawn
    fault = Fault(
        code=ErrorCode.PEER_UNREACHABLE,
        expected=f"an unused network 127.x for ports {VERIFIER_PORT} and {LANDMARK_PORT}",
        found=f"none in {TRIES} tries",
        next="is this Linux, and are other examples running?",
    )
    raise Unavailable(fault)


def _is_free(host: str, port: int) -> bool:
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET, kind) as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, int(kind == socket.SOCK_STREAM))
            try:
                tried.bind((host, port))
            except OSError:
                return False
    return True
