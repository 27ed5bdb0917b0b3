"""What a simulated world is made of, in words and numbers: places, paths, operators, sites, and who cheats how.

A scenario is a description; `scenario_file` reads one, `world` builds from it, the engines run it.
"""

from dataclasses import dataclass
from enum import StrEnum, auto
from typing import Final

from lightbound.geo.earth import Position
from lightbound.ranging.statements.admission import Axis


class AgentKind(StrEnum):
    """How the agents of a scenario behave. What ties keys to chips is attestation, which is not simulated here."""

    HONEST = auto()
    ELSEWHERE = auto()
    """Chip and key stand at `at`; the answers are as quick as they can be."""
    DELAYING = auto()
    """As elsewhere, and answers later by `delay_ms`."""
    SILENT = auto()
    """As elsewhere, and does not answer the `count` landmarks that are nearest to it."""
    PROXIED = auto()
    """The chip stands at `at`, a copy of its key at the licensed site."""
    COPIED = auto()
    """Copies of the key at the licensed site and at `count` - 1 of `at`; the quickest answers each landmark."""
    AIMING = auto()
    """Copies at `count` of `at`, none at the licensed site; each answer is delayed to fit that site."""
    TWO_FACED = auto()
    """Copies with session keys of their own: different landmarks are bound to different keys."""
    GUESSING = auto()
    """As elsewhere, and sends answers before the challenges, with guessed nonces."""
    REPLAYING = auto()
    """As elsewhere, and sends its old answers of this session and of others again."""
    FOREIGN = auto()
    """Another agent at the licensed site answers with its own enrolment key."""
    OTHER_EVIDENCE = auto()
    """Gives the verifier other evidence than it was bound to."""
    UNACKNOWLEDGING = auto()
    """As elsewhere, and acknowledges nothing."""


AT_HOME: Final = frozenset({AgentKind.HONEST, AgentKind.FOREIGN, AgentKind.OTHER_EVIDENCE})
"""Agents that stand at the licensed site, chips and all."""


class LandmarkKind(StrEnum):
    """How faulty landmarks behave."""

    HONEST = auto()
    SHORT = auto()
    """Reports round trips multiplied by `factor`."""
    LEAKING = auto()
    """Tells nonces to an accomplice of the agent beside it, who has the key: answers come at once."""
    MISPLACED = auto()
    """Stands beside the first of `at`, and not where it says."""
    STEPPED = auto()
    """Its first clock jumps back in mid-round; honest software."""
    PAUSED = auto()
    """A virtual machine that stops in mid-round, and says that it can."""
    PAUSED_UNSAID = auto()
    """The same, and says that it cannot."""
    DRIFTING = auto()
    """Its clocks run slow at the rate that it states."""
    STALLING = auto()
    """Contributes nothing."""
    NEVER_CLOSING = auto()
    """Times the agent, and never says so."""
    FORKING = auto()
    """Tells two stories about one session."""


class VerifierKind(StrEnum):
    """How the verifier behaves."""

    HONEST = auto()
    PICKING = auto()
    """Asks the landmarks that it likes and not those drawn."""
    EDITING = auto()
    """Makes the bounds of measurements smaller."""
    DROPPING = auto()
    """Shows the measurements that it likes, and hides the others."""


class NetworkKind(StrEnum):
    """What whoever carries the packets does to them."""

    HONEST = auto()
    CORRUPTING = auto()
    """Flips bits."""
    REPLAYING = auto()
    """Delivers packets again, of this session and of earlier ones."""
    SPOOFING = auto()
    """Sends copies of READY from another address."""
    FLOODING = auto()
    """Sends garbage to the landmarks' ports."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A named point on Earth."""

    name: str
    position: Position
    country: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedLandmark:
    """A landmark as its operator states it."""

    name: str
    place: Place
    operator: str
    owner: str
    hosting: str
    error_m: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Where chips are licensed to be."""

    name: str
    place: Place
    licensed: str
    excluded: str
    """Area expressions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PathModel:
    """How long packets take: from distance, or from a table of measured round trips."""

    speed: float = 0.68
    """As a fraction of c; 1 is faster than any glass."""
    detour: tuple[float, float] = (1.1, 2.0)
    """Length of a path over the geodesic: drawn from this range once for each pair of places."""
    overhead_us: tuple[float, float] = (30.0, 300.0)
    """Added to each round trip of a pair."""
    jitter_us: float = 60.0
    """Mean of what is added to each packet, exponentially distributed."""
    loss: float = 0.0
    duplicate: float = 0.0
    table: str | None = None
    """A folder of measured round trips, which stand for pairs of places by name; other pairs by distance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cheats:
    """Who cheats, and how."""

    agents: AgentKind = AgentKind.HONEST
    at: tuple[Place, ...] = ()
    delay_ms: float = 0.0
    count: int = 2
    landmarks: LandmarkKind = LandmarkKind.HONEST
    faulty: int = 0
    """So many owners, those that are asked most, ..."""
    faulty_owners: tuple[str, ...] = ()
    """... and these."""
    factor: float = 1.0
    verifier: VerifierKind = VerifierKind.HONEST
    network: NetworkKind = NetworkKind.HONEST

    @property
    def in_packets_only(self) -> bool:
        """Whether the cheat is in single packets or messages, of which the statistic engine has none."""
        return (
            self.agents in AGENTS_OF_PACKETS
            or self.landmarks in LANDMARKS_OF_PACKETS
            or self.verifier is not VerifierKind.HONEST
            or self.network is not NetworkKind.HONEST
        )


AGENTS_OF_PACKETS: Final = (
    AgentKind.TWO_FACED,
    AgentKind.GUESSING,
    AgentKind.REPLAYING,
    AgentKind.FOREIGN,
    AgentKind.OTHER_EVIDENCE,
)
LANDMARKS_OF_PACKETS: Final = (
    LandmarkKind.STEPPED,
    LandmarkKind.PAUSED,
    LandmarkKind.PAUSED_UNSAID,
    LandmarkKind.FORKING,
)


class Expectation(StrEnum):
    """What a scenario must show, apart from the words of verdicts."""

    NOTHING_FALSE = auto()
    """No false verdict by the proofs listed under `sound`."""
    WINS = auto()
    """False verdicts do occur: an assumption is broken, and the rate is what is measured."""
    ALL_REFUSED = auto()
    """No session with the cheat is believed; `code` says why."""
    LANDMARK_REFUSED = auto()
    """The cheating landmark's, or edited, statements are not believed; `code` says why."""
    SHOWS_IN_SEQUENCE = auto()
    """The statements of a landmark about an agent have a gap or a fork."""
    ABORTS = auto()
    """Some landmarks conclude nothing; `code` is the reason they give."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What a scenario must show, and what it rests on."""

    outcomes: tuple[Expectation, ...]
    sound: tuple[str, ...]
    """Proofs whose assumptions hold, so that none of them may be false of the key."""
    code: str | None = None
    standings: tuple[str, ...] = ()
    """Standings that must occur."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A world and what is to happen in it."""

    name: str
    about: str
    seed: int
    sessions: int
    agents: int
    """Drawn over the sites in turn, each host with 8 chips."""
    scatter_km: float
    """How far an agent may stand from its site's place."""
    fault_budget: int
    nearest: int
    """Landmarks chosen for each session: those nearest to the licensed site."""
    extras: int
    axes: tuple[Axis, ...]
    landmarks: tuple[SimulatedLandmark, ...]
    sites: tuple[Site, ...]
    paths: PathModel
    cheats: Cheats
    expected: Expected

    @property
    def packets_only(self) -> bool:
        """Whether only the packet engine can run it."""
        return self.cheats.in_packets_only
