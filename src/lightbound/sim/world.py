"""A scenario built: keys, statements of admission, landmarks and agents at their true places, and their paths."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from lightbound.geo.earth import Position
from lightbound.keys.ed25519 import SigningKey
from lightbound.keys.purposes import Purpose
from lightbound.keys.signing import digest
from lightbound.ranging.sessions.admitted import AdmittedLandmarks, admitted
from lightbound.ranging.sessions.agent import AgentTrust
from lightbound.ranging.sessions.landmark import Identity
from lightbound.ranging.statements.admission import (
    E7,
    Directory,
    DirectoryTrust,
    Operator,
    PositionStatement,
    write_directory,
    write_operator,
    write_position,
)
from lightbound.ranging.statements.measurement import Stamps
from lightbound.ranging.timing.clocks import ClockErrors
from lightbound.sim.dice import octets, rolls
from lightbound.sim.measured_paths import read_table
from lightbound.sim.paths import Endpoint, Paths, distance_m, moved
from lightbound.sim.scenario import AT_HOME, AgentKind, LandmarkKind, Scenario, SimulatedLandmark, Site

BEGINNING_NS: Final = 1_790_000_000_000_000_000
"""When the simulated world begins: some second in September 2026."""

YEAR_NS: Final = 31_536_000_000_000_000

CHIPS_OF_HOST: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class WorldLandmark:
    """A landmark with its key, and where it truly stands."""

    stated: SimulatedLandmark
    identity: Identity
    position: bytes
    """What its operator signed."""
    end: Endpoint
    kind: LandmarkKind

    @property
    def id(self) -> bytes:
        """The id of its key."""
        return self.identity.key.key_id


@dataclass(frozen=True, slots=True, kw_only=True)
class WorldAgent:
    """A host of chips, and everywhere that its key is."""

    name: str
    site: Site
    enrolment: SigningKey
    chips: tuple[bytes, ...]
    chip: Endpoint
    """Where the chips truly are."""
    holders: tuple[Endpoint, ...]
    """Where copies of the key answer; the first is the agent itself."""
    chosen: tuple[int, ...]
    """Indices of the landmarks that a verifier chooses for the licensed site."""


@dataclass(frozen=True, kw_only=True)
class World:
    """Everything that exists. Not slotted: what follows from it is computed once."""

    scenario: Scenario
    paths: Paths
    verifier: SigningKey
    landmarks: tuple[WorldLandmark, ...]
    agents: tuple[WorldAgent, ...]
    admitted: AdmittedLandmarks

    @cached_property
    def landmark_of(self) -> Mapping[bytes, int]:
        """Index of a landmark by the id of its key."""
        return {landmark.id: i for i, landmark in enumerate(self.landmarks)}

    @cached_property
    def trust_of_agents(self) -> AgentTrust:
        """Whom every agent answers: all who are admitted."""
        return AgentTrust(
            verifier=self.verifier.verifying,
            directories=frozenset((self.admitted.digest,)),
            landmarks={landmark: one.key for landmark, one in self.admitted.by_id.items()},
        )


def build(scenario: Scenario, *, seed: int | None = None, beginning_ns: int = BEGINNING_NS) -> World:
    """The world of a scenario; another seed draws other keys, agents and paths.

    Another beginning dates the statements of admission alone: whoever runs a world in earnest begins today.

    Raises:
        Malformed, Refused, Unavailable: a file of the folder with measured round trips that the scenario names.
    """
    seed = scenario.seed if seed is None else seed
    table_ns = read_table(Path(scenario.paths.table)) if scenario.paths.table else {}
    paths = Paths(seed=seed, model=scenario.paths, table_ns=table_ns)
    chosen = [_nearest(scenario, site) for site in scenario.sites]
    agents = tuple(_agent(scenario, number, chosen[number % len(chosen)], seed) for number in range(scenario.agents))
    landmarks, known = _admission(scenario, _kinds(scenario, agents), seed, beginning_ns)
    return World(
        scenario=scenario,
        paths=paths,
        verifier=SigningKey.of_seed(Purpose.VERIFIER, octets(seed, "verifier")),
        landmarks=landmarks,
        agents=agents,
        admitted=known,
    )


def _nearest(scenario: Scenario, site: Site) -> tuple[int, ...]:
    """Indices of the landmarks that a verifier chooses for a site."""
    by_distance = sorted(
        range(len(scenario.landmarks)),
        key=lambda i: distance_m(scenario.landmarks[i].place.position, site.place.position),
    )
    return tuple(sorted(by_distance[: scenario.nearest]))


def _agent(scenario: Scenario, number: int, chosen: tuple[int, ...], seed: int) -> WorldAgent:
    site = scenario.sites[number % len(scenario.sites)]
    dice = rolls(seed, "agent", number)
    name = f"agent-{number}"

    def near(place: str, position: Position) -> Endpoint:
        metres = 1e3 * scenario.scatter_km * float(dice.random()) ** 0.5
        return Endpoint(name=place, position=moved(position, metres=metres, azimuth=float(dice.uniform(0, 360))))

    here = near(site.place.name, site.place.position)
    cheats = scenario.cheats
    others = [cheats.at[i] for i in dice.permutation(len(cheats.at))]
    away = [near(place.name, place.position) for place in others]
    match cheats.agents:
        case kind if kind in AT_HOME:
            chip, holders = here, [here]
        case AgentKind.PROXIED:
            chip, holders = away[0], [here]
        case AgentKind.COPIED | AgentKind.TWO_FACED:
            chip, holders = away[0], [here, *away[: cheats.count - 1]]
        case AgentKind.AIMING:
            chip, holders = away[0], away[: cheats.count]
        case _:
            chip, holders = away[0], [away[0]]
    return WorldAgent(
        name=name,
        site=site,
        enrolment=SigningKey.of_seed(Purpose.ENROLMENT, octets(seed, "enrolment", number)),
        chips=tuple(octets(seed, "chip", number, i) for i in range(CHIPS_OF_HOST)),
        chip=chip,
        holders=tuple(holders),
        chosen=chosen,
    )


def _kinds(scenario: Scenario, agents: tuple[WorldAgent, ...]) -> list[LandmarkKind]:
    """How each landmark behaves: the owners that are asked most are the faulty ones."""
    asked = Counter(scenario.landmarks[i].owner for agent in agents for i in agent.chosen)
    ranked = sorted({landmark.owner for landmark in scenario.landmarks}, key=lambda owner: (-asked[owner], owner))
    faulty = {*ranked[: scenario.cheats.faulty], *scenario.cheats.faulty_owners}
    return [
        scenario.cheats.landmarks if landmark.owner in faulty else LandmarkKind.HONEST
        for landmark in scenario.landmarks
    ]


def _admission(
    scenario: Scenario, kinds: list[LandmarkKind], seed: int, beginning_ns: int
) -> tuple[tuple[WorldLandmark, ...], AdmittedLandmarks]:
    """Everybody who is let in: operators, positions and the directory signed, and read back as a stranger would."""
    always = {"from_ns": beginning_ns - YEAR_NS, "to_ns": beginning_ns + 10 * YEAR_NS}
    stated = scenario.landmarks
    operator_keys = {
        landmark.operator: SigningKey.of_seed(Purpose.OPERATOR, octets(seed, "operator", landmark.operator))
        for landmark in stated
    }
    owners = {landmark.operator: landmark.owner for landmark in stated}
    operators = [
        write_operator(Operator(key=key.verifying, name=name, owner=owners[name], contact="", **always), key)
        for name, key in operator_keys.items()
    ]
    landmarks: list[WorldLandmark] = []
    positions: list[bytes] = []
    for number, (landmark, kind) in enumerate(zip(stated, kinds, strict=True)):
        key = SigningKey.of_seed(Purpose.LANDMARK, octets(seed, "landmark", landmark.name))
        operator = operator_keys[landmark.operator]
        said = PositionStatement(
            landmark_key=key.verifying,
            operator=operator.key_id,
            latitude_e7=round(landmark.place.position.latitude * E7),
            longitude_e7=round(landmark.place.position.longitude * E7),
            altitude_m=0,
            error_m=landmark.error_m,
            hosting=landmark.hosting,
            jurisdiction=landmark.place.country,
            can_pause=kind is LandmarkKind.PAUSED,
            surveyed="simulated",
            **always,
        )
        position = write_position(said, operator)
        positions.append(position)
        landmarks.append(
            WorldLandmark(
                stated=landmark,
                identity=Identity(
                    key=key,
                    position=digest(position),
                    errors=ClockErrors(can_pause=kind is LandmarkKind.PAUSED),
                    stamps=Stamps.USER,
                    utc_error_ns=1_000_000,
                    port=8471,
                    software="lightbound-sim",
                ),
                position=position,
                end=_true_end(scenario, landmark, kind, number, seed),
                kind=kind,
            )
        )
    parties = [SigningKey.of_seed(Purpose.DIRECTORY, octets(seed, "directory", i)) for i in range(3)]
    directory = write_directory(
        Directory(
            number=1,
            previous=None,
            axes=scenario.axes,
            operators=tuple(sorted(map(digest, operators))),
            positions=tuple(sorted(map(digest, positions))),
            **always,
        ),
        parties[:2],
    )
    trust = DirectoryTrust(keys=tuple(key.verifying for key in parties), threshold=2)
    known = admitted(directory, operators=operators, positions=positions, trust=trust)
    return tuple(landmarks), known


def _true_end(scenario: Scenario, landmark: SimulatedLandmark, kind: LandmarkKind, number: int, seed: int) -> Endpoint:
    """Within its stated error of where it says; a misplaced one stands beside the chips, and has the paths from there.

    An eighth less than the error, for rounding a degree to its seventh digit moves the stated place by a centimetre.
    """
    dice = rolls(seed, "survey", number)
    azimuth = float(dice.uniform(0, 360))
    place, metres = landmark.place, 0.875 * landmark.error_m * float(dice.random())
    if kind is LandmarkKind.MISPLACED:
        place, metres = scenario.cheats.at[0], 1_000.0
    return Endpoint(name=place.name, position=moved(place.position, metres=metres, azimuth=azimuth))
