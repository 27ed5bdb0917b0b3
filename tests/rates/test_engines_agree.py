"""The two engines of the simulated world agree: by tests whose power is stated, and shown.

*Bounds.* For each of `CASES`, the third smallest round trip of one landmark and one agent is drawn `PHASES` times
packet by packet, between the real ends, and `DRAWN` times by the statistic engine; a two-sample Kolmogorov-Smirnov test
holds the two samples against one another. `detectable_shift` computes what such a test sees: the shift, in multiples of
the jitter, that it rejects with probability `POWER` at least. It is below 0.05 of the jitter where all rounds are
played, and below 0.13 where some phases end early. The third smallest of 64 lies 0.3 of the jitter over the floor, so
that taking the second smallest, playing 48 rounds or leaving out a loss of a fifth shows, as tests here demonstrate.
Playing 63 rounds in place of 64 would move it by 0.003, which does not show and, jitter being a fraction of a
millisecond, is metres of bound.

*Counts.* How many rounds were valid, and how often the phase ended early, are held against the probabilities that the
statistic engine draws them with.

*Standings.* For some scenarios, how often each standing was given. `detectable_share` computes what shows.

`ALPHA` is the probability that any of all these tests fails although the engines agree, were the seeds drawn anew;
each test gets an equal part (Bonferroni). Seeds are fixed, so that a run repeats.
"""

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from lightbound.ranging.statements.closing import MOST_ROUNDS
from lightbound.ranging.statements.measurement import ORDER
from lightbound.ranging.timing.challenger import EARLY_ROUNDS, FAR_NS
from lightbound.sim.campaign import Engine, run
from lightbound.sim.clocks import Clocks
from lightbound.sim.conduct import Conduct
from lightbound.sim.lateness import lateness
from lightbound.sim.scenario_file import read_scenario
from lightbound.sim.statistic_engine import draw_bounds
from lightbound.sim.world import World, build
from tests.sim.one_phase import BEGAN_NS, MS_NS, OnePhase, wire_of

ALPHA: Final = 1e-3
"""Were seeds drawn anew, one run in a thousand would fail by chance: seldom enough to believe a failure."""

POWER: Final = 0.99

PHASES: Final = 800
SOAKED_PHASES: Final = 20_000
DRAWN: Final = 200_000
SEED: Final = 20_261_125


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A path between one agent and one landmark."""

    floor_ns: int
    jitter_ns: float
    loss: float = 0.0
    duplicate: float = 0.0
    delay_ns: int = 20_000
    factor: float = 1.0
    """Of a liar's clock."""

    @property
    def quickest_ns(self) -> int:
        """Less than any round takes."""
        return self.floor_ns + self.delay_ns

    @property
    def told_jitter_ns(self) -> float:
        """The jitter by the landmark's clock."""
        return self.jitter_ns * self.factor

    @property
    def near(self) -> float:
        """Probability that a round is answered within the time after which a phase may end early."""
        rounds = lateness(loss=self.loss, duplicate=self.duplicate)
        late = np.array((FAR_NS / self.factor - self.quickest_ns) / self.jitter_ns)
        return float(rounds.answered * rounds.by(late))

    @property
    def answered(self) -> float:
        """Probability that a round is answered."""
        return lateness(loss=self.loss, duplicate=self.duplicate).answered

    @property
    def ends_early(self) -> float:
        """Probability that three of the first rounds are answered, and fewer than three in time."""
        of_first = stats.binom(EARLY_ROUNDS, self.near), stats.binom(EARLY_ROUNDS, self.answered)
        near, answered = (float(counts.cdf(ORDER - 1)) for counts in of_first)
        return max(0.0, near - answered)


CASES: Final = {
    "nothing is lost": Case(floor_ns=3 * MS_NS, jitter_ns=60_000),
    "a fifth is lost each way": Case(floor_ns=3 * MS_NS, jitter_ns=60_000, loss=0.2),
    "half arrives twice and a tenth is lost": Case(floor_ns=3 * MS_NS, jitter_ns=60_000, loss=0.1, duplicate=0.5),
    "about the time after which a phase may end": Case(floor_ns=49_940_000, jitter_ns=60_000),
    "about that time, and a fifth is lost": Case(floor_ns=49_930_000, jitter_ns=60_000, loss=0.2),
    "about that time by a liar's clock": Case(floor_ns=124_870_000, jitter_ns=150_000, factor=0.4),
    "far beyond that time": Case(floor_ns=90 * MS_NS, jitter_ns=60_000),
    "jitter of microseconds": Case(floor_ns=3 * MS_NS, jitter_ns=1_000),
    "jitter beyond the patience of a landmark": Case(floor_ns=8 * MS_NS, jitter_ns=20_000_000),
}
SAME_STANDINGS: Final = ("world", "smuggled", "landmarks-beyond-the-budget")

OF_EACH: Final = ALPHA / (3 * len(CASES) + len(SAME_STANDINGS))


# -- drawn by either engine --------------------------------------------------------------------------------------

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """Phases played packet by packet; one row for each."""

    smallest_ns: Floats
    """Three a row, ascending."""
    sent: NDArray[np.int64]
    valid: NDArray[np.int64]
    valid_of_first: NDArray[np.int64]
    """Of the rounds after which a phase may end."""

    @property
    def bound_ns(self) -> Floats:
        """The third smallest of each."""
        return self.smallest_ns[:, ORDER - 1]


@functools.cache
def played(name: str, count: int, rounds: int = MOST_ROUNDS) -> Played:
    """So many phases of a case."""
    case = CASES[name]
    wire = wire_of(case.floor_ns, case.jitter_ns, loss=case.loss, duplicate=case.duplicate)
    clocks = Clocks(factor=case.factor, from_ns=BEGAN_NS)
    smallest_ns, counts = np.empty((count, ORDER)), np.empty((count, 3), np.int64)
    for number in range(count):
        one = OnePhase(wire, seed=SEED + number, clocks=clocks, delay_ns=case.delay_ns, rounds=rounds)
        first = sum(each.answer.round < EARLY_ROUNDS for each in one.challenger.valid)
        smallest_ns[number] = one.round_trips_ns[:ORDER]
        counts[number] = one.challenger.sent, len(one.challenger.valid), first
    return Played(smallest_ns=smallest_ns, sent=counts[:, 0], valid=counts[:, 1], valid_of_first=counts[:, 2])


@functools.cache
def pair_world() -> World:
    """One agent and one landmark."""
    scenario = read_scenario("world")
    return build(
        replace(scenario, agents=1, nearest=1, extras=0, landmarks=scenario.landmarks[:1], sites=scenario.sites[:1])
    )


@functools.cache
def drawn_ns(case: Case) -> Floats:
    """The same from the statistic engine, ascending."""
    model = replace(
        pair_world().scenario.paths, jitter_us=case.jitter_ns / 1e3, loss=case.loss, duplicate=case.duplicate
    )
    world = pair_world()
    world = replace(world, scenario=replace(world.scenario, paths=model), paths=replace(world.paths, model=model))
    behaviour = Conduct(
        floor_ns=np.array([[case.floor_ns]]),
        delay_ns=np.array([[case.delay_ns]]),
        answers=np.array([[True]]),
        factor=np.array([case.factor]),
        holder=np.array([[0]]),
    )
    found = draw_bounds(world, behaviour, seed=SEED, sessions=DRAWN)
    assert len(found.third_ns) == DRAWN
    return np.sort(found.third_ns.astype(np.float64))


# -- the tests, and what they can see ----------------------------------------------------------------------------


def differ(one: Floats, other: Floats) -> bool:
    """Whether two samples are of two distributions, at this part of `ALPHA`."""
    return bool(stats.ks_2samp(one, other, method="asymp").pvalue < OF_EACH)


def detectable_shift(drawn: Floats, jitter_ns: float, *, phases: int) -> float:
    """Least shift of a distribution, in multiples of the jitter, that `differ` sees with probability `POWER`.

    The test rejects when the empirical distributions are more than `critical` apart anywhere. Where the true ones are
    farthest apart, by D, the empirical ones are so by D less their noise, which exceeds x with probability at most
    exp(-2 x^2 / (1/n + 1/m)) (Hoeffding). The true one is taken to be that of `drawn`.
    """
    effective = phases * len(drawn) / (phases + len(drawn))
    critical = float(stats.kstwo.isf(OF_EACH, round(effective)))
    needed = critical + math.sqrt(math.log(1 / (1 - POWER)) / (2 * effective))
    at = np.quantile(drawn, np.linspace(0, 1, 4_001))

    def apart(shift_ns: float) -> float:
        here, there = (np.searchsorted(drawn, points, "right") / len(drawn) for points in (at, at - shift_ns))
        return float(np.abs(here - there).max())

    return _least(lambda shift: apart(shift * jitter_ns) >= needed, most=100.0)


def detectable_share(*, of_one: int, of_other: int) -> float:
    """Least difference in how often a standing is given that shows with probability `POWER`.

    By the normal approximation, for a standing that is given half of the time; for others less is enough. That hosts
    take turns makes shares vary less than this assumes.
    """
    deviation = math.sqrt(0.25 / of_one + 0.25 / of_other)
    return float(stats.norm.isf(OF_EACH / 2) + stats.norm.ppf(POWER)) * deviation


def _least(holds: Callable[[float], bool], *, most: float) -> float:
    low, high = 0.0, most
    assert holds(high)
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high


# -- bounds ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CASES)
def test_the_bounds_of_both_engines_have_one_distribution(name: str) -> None:
    assert not differ(played(name, PHASES).bound_ns, drawn_ns(CASES[name]))


@pytest.mark.parametrize("name", CASES)
def test_a_shift_of_a_small_part_of_the_jitter_would_be_seen(name: str) -> None:
    case, drawn = CASES[name], drawn_ns(CASES[name])
    shift = detectable_shift(drawn, case.told_jitter_ns, phases=PHASES)
    assert shift < (0.05 if case.ends_early < 0.01 else 0.13)
    for moved in (drawn + shift * case.told_jitter_ns, drawn - shift * case.told_jitter_ns):
        assert differ(played(name, PHASES).bound_ns, moved)


NOTHING_LOST: Final = "nothing is lost"


def test_taking_the_second_smallest_would_be_seen() -> None:
    assert differ(played(NOTHING_LOST, PHASES).smallest_ns[:, ORDER - 2], drawn_ns(CASES[NOTHING_LOST]))


def test_playing_a_quarter_fewer_rounds_would_be_seen() -> None:
    assert differ(played(NOTHING_LOST, PHASES, 48).bound_ns, drawn_ns(CASES[NOTHING_LOST]))


def test_leaving_out_loss_or_copies_would_be_seen() -> None:
    for name in ("a fifth is lost each way", "half arrives twice and a tenth is lost"):
        assert differ(played(name, PHASES).bound_ns, drawn_ns(CASES[NOTHING_LOST]))
        assert differ(played(name, PHASES).bound_ns, drawn_ns(replace(CASES[name], duplicate=0.0, loss=0.0)))


def test_leaving_out_the_early_end_would_be_seen() -> None:
    """Where half of the phases end early, the bounds are neither those of all that do nor of all that do not."""
    name = "about the time after which a phase may end"
    nearer, farther = (replace(CASES[name], floor_ns=CASES[name].floor_ns + by_ns) for by_ns in (-MS_NS, MS_NS))
    for case, by_ns in ((nearer, MS_NS), (farther, -MS_NS)):
        assert differ(played(name, PHASES).bound_ns, drawn_ns(case) + by_ns)


@pytest.mark.soak
@pytest.mark.parametrize("name", CASES)
def test_at_length_the_bounds_of_both_engines_have_one_distribution(name: str) -> None:
    drawn = drawn_ns(CASES[name])
    shift = detectable_shift(drawn, CASES[name].told_jitter_ns, phases=SOAKED_PHASES)
    print(f"\n{name}: {SOAKED_PHASES:,} phases, would see {shift:.4f} of the jitter")  # noqa: T201 - the power
    assert not differ(played(name, SOAKED_PHASES).bound_ns, drawn)


# -- counts ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.jitter_ns < MS_NS])
def test_as_many_rounds_are_valid_as_the_statistic_engine_assumes(name: str) -> None:
    """Where no answer is given up as late. Of phases that end early, those 16 rounds; of others, all."""
    case, found = CASES[name], played(name, PHASES)
    assert is_binomial(found.valid_of_first, EARLY_ROUNDS, case.answered)
    if case.ends_early < 1e-6:
        assert is_binomial(found.valid, MOST_ROUNDS, case.answered)


def is_binomial(counts: NDArray[np.int64], of: int, probability: float) -> bool:
    """Whether counts may be of this distribution, by a chi-square test that puts rare counts together."""
    if probability > 1 - 1e-12:
        return bool((counts == of).all())
    expected = len(counts) * stats.binom(of, probability).pmf(np.arange(of + 1))
    seen = np.bincount(counts, minlength=of + 1)
    usual = expected >= 5
    expected, seen = (np.append(each[usual], each[~usual].sum()) for each in (expected, seen))
    statistic = float(((seen - expected) ** 2 / np.maximum(expected, 1)).sum())
    return bool(stats.chi2.sf(statistic, len(seen) - 1) >= OF_EACH)


@pytest.mark.parametrize("name", CASES)
def test_phases_end_early_as_often_as_the_statistic_engine_has_it(name: str) -> None:
    sent = played(name, PHASES).sent
    assert set(sent.tolist()) <= {EARLY_ROUNDS, MOST_ROUNDS}
    found = stats.binomtest(int((sent == EARLY_ROUNDS).sum()), PHASES, CASES[name].ends_early)
    assert found.pvalue >= OF_EACH


def test_some_cases_end_early_always_some_never_and_some_by_chance() -> None:
    early = [case.ends_early for case in CASES.values()]
    assert sum(0.3 < each < 0.7 for each in early) == 3
    assert sum(each > 0.999 for each in early) == 1
    assert sum(each < 1e-3 for each in early) == 5


# -- standings ---------------------------------------------------------------------------------------------------

TURNS: Final = 2
SOAKED_TURNS: Final = 40
DRAWN_TURNS: Final = 400


@functools.cache
def standings(name: str, engine: Engine, turns: int) -> dict[str, int]:
    """How often each standing was given, each host being asked so often."""
    scenario = read_scenario(name)
    report = run(build(scenario), engine=engine, seed=scenario.seed, sessions=turns * scenario.agents)
    return dict(report.tally.standings)


def shares_differ(one: dict[str, int], other: dict[str, int]) -> bool:
    """Whether standings are given unequally often, by a chi-square test that puts rare standings together."""
    words = sorted(one.keys() | other.keys())
    table = np.array([[counts.get(word, 0) for word in words] for counts in (one, other)])
    rare = table.sum(axis=0) * table[0].sum() / table.sum() < 5
    table = np.hstack((table[:, ~rare], table[:, rare].sum(axis=1, keepdims=True)))
    table = table[:, table.any(axis=0)]
    return table.shape[1] > 1 and bool(stats.chi2_contingency(table, correction=False).pvalue < OF_EACH)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(
            name, marks=pytest.mark.soak if name == "smuggled" else [] if name == "world" else pytest.mark.long
        )
        for name in SAME_STANDINGS
    ],
)
def test_both_engines_give_each_standing_equally_often(name: str) -> None:
    one, other = standings(name, Engine.PACKETS, TURNS), standings(name, Engine.STATISTICS, DRAWN_TURNS)
    assert not shares_differ(one, other), f"{one} and {other}"


@pytest.mark.long
def test_standings_given_another_third_of_the_time_would_be_seen() -> None:
    assert detectable_share(of_one=TURNS * 56, of_other=DRAWN_TURNS * 56) < 1 / 3
    assert detectable_share(of_one=SOAKED_TURNS * 56, of_other=DRAWN_TURNS * 56) < 0.08
    for one, other in (("smuggled", "smuggled-fast-paths"), ("world", "honest-fast-paths")):
        assert shares_differ(standings(one, Engine.PACKETS, TURNS), standings(other, Engine.STATISTICS, DRAWN_TURNS))


@pytest.mark.soak
@pytest.mark.parametrize("name", SAME_STANDINGS)
def test_at_length_both_engines_give_each_standing_equally_often(name: str) -> None:
    one, other = standings(name, Engine.PACKETS, SOAKED_TURNS), standings(name, Engine.STATISTICS, DRAWN_TURNS)
    print(f"\n{name}: {one} and {other}")  # noqa: T201 - the campaign's result
    assert not shares_differ(one, other)
