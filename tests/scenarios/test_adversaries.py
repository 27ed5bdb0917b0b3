"""The adversaries of the simulator that a network can show, over real sockets: they come out as they do there.

A landmark is the real program with its two processes, the network between is real behind a router that translates, and
the distance is the delay line's. Compared is everything that does not hang on how late packets were: who was believed,
refused or silent, and why; verdicts, standings, and whether they are false; gaps and forks. A real bound is some tenths
of a millisecond of round trip larger than a simulated one, for programs take time; the sessions played are such that
no verdict hangs on that.
"""

import queue
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import Final

import pytest

from lightbound.demo.delay_line import missing
from lightbound.sim.scenario import Expectation, Scenario
from lightbound.sim.scenario_file import packaged_names, read_scenario
from tests.scenarios.played import Played, real, simulated
from tests.scenarios.real_world import RealWorld, real_world

pytestmark = pytest.mark.skipif(missing() is not None, reason=f"a delay line needs {missing()}")

LANES: Final = 2
"""Sessions at one time in one process of the tests."""

SESSIONS: Final = {
    # nobody cheats
    "world": (24, "verified"),
    "honest-bad-network": (24, "verified"),
    "honest-fast-paths": (24, "verified"),
    # agents
    "smuggled-fast-paths": (258, "misplaced"),
    "smuggled-and-delaying": (17, "undetermined"),
    "smuggled-and-silent": (17, "undetermined"),
    "proxied": (24, "verified"),
    "copied-to-two-places": (24, "verified"),
    "aimed-from-four-places": (0, "verified"),
    "two-faced": (15, "cleared"),
    "answers-before-challenges": (17, "undetermined"),
    "answers-replayed": (17, "undetermined"),
    "foreign-agent": (24, "undetermined"),
    "other-evidence": (24, "undetermined"),
    "nothing-acknowledged": (65, "misplaced"),
    # landmarks, and their machines
    "landmark-frames": (35, "cleared"),
    "landmark-leaks-nonces": (105, "undetermined"),
    "landmark-misplaced": (35, "undetermined"),
    "landmark-stalls": (35, "cleared"),
    "landmark-never-closes": (35, "cleared"),
    "landmark-tells-two-stories": (35, "cleared"),
    "landmarks-beyond-the-budget": (17, "cleared"),
    "clock-stepped": (35, "cleared"),
    "clock-drifting": (24, "verified"),
    "machine-paused": (35, "undetermined"),
    "machine-paused-unsaid": (35, "cleared"),
    # verifiers
    "verifier-picks-landmarks": (1, "undetermined"),
    "verifier-edits-measurements": (24, "undetermined"),
    "verifier-drops-measurements": (24, "cleared"),
    # whoever carries packets
    "network-corrupting": (24, "verified"),
    "network-replaying": (24, "verified"),
    "network-spoofing": (24, "verified"),
    "network-flooding": (24, "verified"),
}
"""Of each scenario a session that is short and shows what it is about, and the standing that comes of it."""

ALWAYS: Final = frozenset(
    {"world", "proxied", "copied-to-two-places", "two-faced", "other-evidence", "network-replaying", "network-spoofing"}
)
"""Played by `make test` too; the others are long."""

FEWER: Final = {"aimed-from-four-places": 10}
"""Landmarks of a session, where a scenario has 28 and fewer show the same."""

MORE: Final = [
    *(("smuggled", number) for number in (12, 65, 150)),
    *(("aimed-from-two-places", number) for number in (40, 78)),
    *(("landmarks-misplaced-beyond-the-budget", number) for number in (49, 69)),
    *(("one-owner-under-many-names", number) for number in (33, 40)),
    *(("one-owner-of-many-landmarks", number) for number in (33, 40)),
    ("forged-inside-the-excluded-area", 24),
    *(("copied-to-four-places", number) for number in (24, 35)),
    *(("landmark-reports-short", number) for number in (17, 97)),
    ("aimed-from-four-places", 79),
    *((name, number + 56) for name, (number, _) in SESSIONS.items()),
]


class PlayedAhead:
    """Sessions played, the next one already while a test looks at the one before: most of a session is waiting."""

    def __init__(self, there: RealWorld, names: list[str]) -> None:
        """`names` are the scenarios that will be asked for, in this order."""
        self._there, self._names = there, names
        self._lanes: queue.SimpleQueue[int] = queue.SimpleQueue()
        for lane in range(LANES):
            self._lanes.put(lane)
        self.pool = ThreadPoolExecutor(LANES)
        self._played: dict[str, Future[Played]] = {}

    def played(self, name: str) -> Played:
        """The session of a scenario."""
        first = self._names.index(name)
        for each in self._names[first : first + LANES]:
            if each not in self._played:
                self._played[each] = self.pool.submit(self._play, each)
        return self._played[name].result()

    def again(self, name: str) -> Played:
        """Another session of the same scenario and number."""
        self._played[name] = self.pool.submit(self._play, name)
        return self._played[name].result()

    def _play(self, name: str) -> Played:
        lane = self._lanes.get()
        try:
            return real(self._there, _scenario(name), SESSIONS[name][0], lane=lane)
        finally:
            self._lanes.put(lane)


BY_THE_CLOCK: Final = ("clock-stepped", "machine-paused", "machine-paused-unsaid")
TRIES: Final = 4
"""Which rounds are hit when a clock is set or a machine stops hangs on when they were sent: a busy machine sends them
later, and is hit in fewer. So these may be played again; what comes of them is compared all the same."""


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealWorld]:
    with real_world(tmp_path_factory.mktemp("landmarks")) as made:
        yield made


@pytest.fixture(scope="module")
def ahead(request: pytest.FixtureRequest, there: RealWorld) -> Iterator[PlayedAhead]:
    wanted = {item.callspec.params.get("name") for item in request.session.items if hasattr(item, "callspec")}
    made = PlayedAhead(there, [name for name in SESSIONS if name in wanted])
    with made.pool:
        yield made


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name in ALWAYS else [pytest.mark.long]) for name in SESSIONS]
)
def test_what_comes_of_a_real_session_is_what_comes_of_the_simulated_one(ahead: PlayedAhead, name: str) -> None:
    number, standing = SESSIONS[name]
    played = ahead.played(name)
    imagined = simulated(_scenario(name), number)
    for _ in range(TRIES - 1):
        if name not in BY_THE_CLOCK or played.outcome == imagined.outcome:
            break
        played = ahead.again(name)
    assert played.outcome == imagined.outcome
    assert played.outcome.standing == standing
    _check_sound(played)
    for outcome in played.world.scenario.expected.outcomes:
        assert _shows(played, outcome), outcome
        assert _shows(imagined, outcome), outcome


@pytest.mark.soak
@pytest.mark.parametrize(("name", "number"), MORE)
def test_so_it_is_with_other_sessions(there: RealWorld, name: str, number: int) -> None:
    """Verdicts of these may hang on a tenth of a millisecond, so that they are not compared; nothing may be false."""
    scenario = read_scenario(name)
    played, imagined = real(there, scenario, number).outcome, simulated(scenario, number).outcome
    assert played.refused == imagined.refused
    assert played.believed.keys() | played.aborts.keys() == imagined.believed.keys() | imagined.aborts.keys()
    assert played.landmarks_refused == imagined.landmarks_refused
    assert (played.absent, played.silent) == (imagined.absent, imagined.silent)


def test_every_scenario_of_the_simulator_is_played() -> None:
    assert {*SESSIONS, *(name for name, _ in MORE)} == set(packaged_names())


def _scenario(name: str) -> Scenario:
    """A packaged scenario, as it is played by default."""
    scenario = read_scenario(name)
    return replace(scenario, nearest=FEWER[name], extras=0) if name in FEWER else scenario


def _check_sound(played: Played) -> None:
    """No verdict is false of the key by a proof that the scenario calls sound, and no bound is below the truth."""
    expected = played.world.scenario.expected
    assert not any(played.false_of_key[proof] for proof in expected.sound)
    for landmark, (bound_ns, floor_ns) in played.bounds.items():
        assert bound_ns >= floor_ns, landmark


def _shows(played: Played, expectation: Expectation) -> bool:
    outcome, code = played.outcome, played.world.scenario.expected.code
    match expectation:
        case Expectation.NOTHING_FALSE:
            return not outcome.false_of_key or bool(played.world.scenario.expected.sound)
        case Expectation.WINS:
            return outcome.false_of_chip
        case Expectation.ALL_REFUSED:
            return outcome.refused == code
        case Expectation.LANDMARK_REFUSED:
            return code in outcome.landmarks_refused.values()
        case Expectation.SHOWS_IN_SEQUENCE:
            return bool(played.broken)
        case Expectation.ABORTS:
            return code in outcome.aborts.values()
