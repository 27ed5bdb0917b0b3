"""The whole evaluation: every choice of settings, every distance of a false claim, every number of landmarks."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from lightbound.adjudication.adjudicate import assumptions
from lightbound.adjudication.evaluation.claims import false_claims, refuted
from lightbound.adjudication.evaluation.replay import Tally, World, replay, tally, truths_kept
from lightbound.adjudication.evaluation.shares import Share
from lightbound.adjudication.evaluation.subsets import Choice, heard_by, hearers, rows_of
from lightbound.adjudication.evaluation.truths import Truths, true_sides
from lightbound.adjudication.facts import COMPILED_FROM_BOUNDS, Settings
from lightbound.adjudication.verdicts import Assumption, Proof
from lightbound.geo.borders import Borders
from lightbound.geo.shapes import Area
from lightbound.geo.sides import Side
from lightbound.ranging.bounds import Speed
from lightbound.ranging.readings import Landmark, Readings

ALGORITHM: Final = "lightbound.evaluate/1"
"""Changes whenever equal files could get other counts."""

DISTANCES_KM: Final = (100.0, 250.0, 500.0, 1000.0, 2000.0, 3000.0, 5000.0, 8000.0, 12000.0, 16000.0)
"""From a neighbouring city to the other side of the Earth."""

NUMBERS: Final = (1, 2, 3, 5, 8, 12, 20, 30, 50, 80, 120, 200, 500, 1000)
"""Landmarks left to a chip; those that no chip has so many of are left out."""

NOT_NEARER_KM: Final = (0.0, 100.0, 250.0, 500.0, 1000.0, 2000.0, 3000.0, 5000.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to be evaluated."""

    settings: Settings
    """Window and fault units; its speed, budget and proof are replaced by those below."""
    speeds: Sequence[Speed]
    fault_budgets: Sequence[int]
    proofs: Sequence[Proof]
    claim_distances_km: Sequence[float] = DISTANCES_KM
    claim_radius_km: float = 25.0
    numbers: Sequence[int] = NUMBERS
    not_nearer_km: Sequence[float] = NOT_NEARER_KM
    seed: int = 0

    def cases(self) -> list[Settings]:
        """Every choice of settings."""
        return [
            replace(self.settings, speed=speed, fault_budget=budget, proof=proof, measure_regions=False)
            for speed in self.speeds
            for budget in self.fault_budgets
            for proof in self.proofs
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What the verdicts of all readings are worth under one choice of settings."""

    settings: Settings
    kept: Share
    """Chips whose region holds their true place, position error granted."""
    contradictions: int
    licensed: Tally
    excluded: Tally


@dataclass(frozen=True, slots=True, kw_only=True)
class Refutation:
    """False claims at one distance from the truth, and how many are proven false."""

    settings: Settings
    distance_km: float
    refuted: Share


@dataclass(frozen=True, slots=True, kw_only=True)
class Thinned:
    """What the verdicts are worth if each chip is heard by some of its landmarks only."""

    settings: Settings
    choice: Choice
    value: float
    """How many landmarks, or from how many kilometres on."""
    licensed: Tally
    excluded: Tally


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """All of it."""

    plan: Plan
    chips: int
    landmarks: int
    rows: int
    most_landmarks: int
    """Landmarks that measured the chip with most."""
    licensed_sides: Sequence[Side | None]
    excluded_sides: Sequence[Side | None]
    outcomes: tuple[Outcome, ...]
    refutations: tuple[Refutation, ...]
    thinned: tuple[Thinned, ...]
    assumptions: tuple[Assumption, ...]
    """Of any of the settings."""


def evaluate(
    readings: Readings,
    *,
    landmarks: Sequence[Landmark],
    truths: Truths,
    areas: Sequence[Area],
    borders: Borders,
    plan: Plan,
    progress: Callable[[int], None] | None = None,
) -> Evaluation:
    """Replay all the readings against the truth; `areas` are those of `truths.chips.areas`, ready made.

    What comes out describes these chips, these landmarks and these paths. It carries over to others as far as they
    are alike, and a chip that delays its answers is not alike.
    """
    landmarks = list(landmarks)
    numbers = {chip_id: number for number, chip_id in enumerate(truths.chips.chip_ids)}
    own = np.array([numbers.get(landmark.landmark_id, -1) for landmark in landmarks], np.int64)
    readings = rows_of(readings, own[readings.landmark] != readings.chip)
    licensed_sides, excluded_sides = true_sides(truths, areas)
    among = hearers(readings, landmarks, truths, seed=plan.seed)
    cases = plan.cases()
    world = World(landmarks=landmarks, areas=areas, use_compiled=len(readings) * len(cases) >= COMPILED_FROM_BOUNDS)

    def done() -> None:
        if progress:
            progress(1)

    outcomes = []
    for settings in cases:
        facts, columns = replay(readings, truths.chips, world, settings)
        kept = truths_kept(facts, columns, truths, use_compiled=world.use_compiled)
        outcomes.append(
            Outcome(
                settings=settings,
                kept=Share(count=int(kept.sum()), of=len(kept)),
                contradictions=int(columns.contradiction.sum()),
                licensed=tally(columns, 0, licensed_sides),
                excluded=tally(columns, 1, excluded_sides),
            )
        )
        done()
    refutations = []
    for distance_km in plan.claim_distances_km:
        claims = false_claims(
            truths,
            areas,
            distance_km=distance_km,
            radius_km=plan.claim_radius_km,
            borders=borders,
            seed=plan.seed,
        )
        for settings in cases:
            share = refuted(readings, claims, world, settings)
            refutations.append(Refutation(settings=settings, distance_km=distance_km, refuted=share))
            done()
    thinned = []
    for choice, value in thinnings(plan, among.most):
        left = heard_by(readings, among, choice, value)
        for settings in cases:
            _, columns = replay(left, truths.chips, world, settings)
            thinned.append(
                Thinned(
                    settings=settings,
                    choice=choice,
                    value=value,
                    licensed=tally(columns, 0, licensed_sides),
                    excluded=tally(columns, 1, excluded_sides),
                )
            )
            done()
    taken = {found for settings in cases for found in assumptions(readings, landmarks, settings)}
    return Evaluation(
        plan=plan,
        chips=len(truths.chips),
        landmarks=len(landmarks),
        rows=len(readings),
        most_landmarks=among.most,
        licensed_sides=licensed_sides,
        excluded_sides=excluded_sides,
        outcomes=tuple(outcomes),
        refutations=tuple(refutations),
        thinned=tuple(thinned),
        assumptions=tuple(found for found in Assumption if found in taken),
    )


def thinnings(plan: Plan, most: int) -> list[tuple[Choice, float]]:
    """Every choice of fewer landmarks that leaves some chip with fewer than it has, and the one that leaves all."""
    numbers = [*(number for number in plan.numbers if number < most), most] if most else []
    chosen: list[tuple[Choice, float]] = [
        (choice, number) for choice in (Choice.RANDOM, Choice.NEAREST) for number in numbers
    ]
    return chosen + [(Choice.NOT_NEARER, distance_km) for distance_km in plan.not_nearer_km]
