"""The whole step from places and sites to a plan: in which order to take places, and how good that order is."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lightbound.adjudication.planning.cover import Cover, Step, enough_for, greedy_order
from lightbound.adjudication.planning.delays import Delays
from lightbound.adjudication.planning.obstacles import Obstacle, obstacles
from lightbound.adjudication.planning.optimum import Least, least_cost
from lightbound.adjudication.planning.scene import Scene, Site, Terms, margins_m, scene_of, unit_numbers
from lightbound.geo.shapes import Area
from lightbound.ranging.readings import Landmark

PAIRS_AT_A_TIME: Final = 4_000_000
"""Pairs of a place and a goal worked on at once, some 150 MB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A place where a landmark could stand."""

    landmark: Landmark
    cost: float
    """Per year, above 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """How many landmarks prove a share of what is provable."""

    percent: float
    weight: float
    places: tuple[int, ...]
    """The first of the order that reach it, less those that turned out not to be needed."""
    cost: float
    least: Least

    @property
    def gap(self) -> float | None:
        """By what share of the least possible cost this may be too dear, at most; 0: proven best; None: not known."""
        if self.cost <= self.least.cost:
            return 0.0
        return self.cost / self.least.cost - 1.0 if self.least.cost > 0.0 else None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Plan:
    """Where landmarks should stand, if round trips are as expected. It proves nothing.

    Places are numbered from those that stand already, in their order, to the candidates.
    """

    scene: Scene
    cover: Cover
    landmarks: tuple[Landmark, ...]
    """By place."""
    order: tuple[Step, ...]
    weight_asked: float
    weight_standing: float
    """Proven by the landmarks that stand already."""
    weight_provable: float
    """Proven by all places together."""
    targets: tuple[Target, ...]
    obstacles: tuple[Obstacle, ...]
    weight_between: tuple[float, float] | None
    """What the landmarks that stand and all of the order would prove at the slow and at the quick end of the interval
    for expected round trips; None where they have none."""

    def units_at_places(self) -> list[int]:
        """How many fault units have a place that would prove each goal."""
        counts: list[int] = self.cover.units_proving(np.arange(len(self.cover.cost))).tolist()
        return counts


def plan(
    sites: Sequence[Site],
    candidates: Sequence[Candidate],
    *,
    standing: Sequence[Landmark] = (),
    areas: Sequence[Area],
    terms: Terms,
    between: tuple[Delays, Delays] | None = None,
    percents: Sequence[float],
) -> Plan:
    """The plan for these sites. Equal arguments give equal plans.

    `between` are the slow and the quick end of an interval about the expected delays. A candidate in the excluded area
    of a site, by its possible position or the country it declares, is never counted for that site.
    """
    landmarks = (*standing, *(candidate.landmark for candidate in candidates))
    scene = scene_of(landmarks, sites, areas)
    proves, room_m = _proves(scene, terms)
    cover = Cover(
        proves=proves,
        unit=unit_numbers(landmarks, terms),
        cost=np.array([*(0.0 for _ in standing), *(candidate.cost for candidate in candidates)], np.float64),
        weight=np.array([goal.weight for goal in scene.goals], np.float64),
        needed=terms.fault_budget + 1,
    )
    order = greedy_order(cover, room_m=room_m)
    provable = float(cover.weight[cover.attainable].sum())
    return Plan(
        scene=scene,
        cover=cover,
        landmarks=landmarks,
        order=order,
        weight_asked=float(cover.weight.sum()),
        weight_standing=cover.weight_proven(cover.standing),
        weight_provable=provable,
        targets=tuple(_target(cover, order, percent, provable * percent / 100.0) for percent in percents),
        obstacles=obstacles(scene, cover, terms),
        weight_between=None if between is None else _between(scene, cover, order, terms, between),
    )


def _proves(scene: Scene, terms: Terms) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Which place would prove which goal, and the metres that each place has to spare in all of its proofs."""
    proves = np.empty((len(scene.points), len(scene.goals)), np.bool_)
    room_m = np.zeros(len(scene.points))
    at_a_time = max(1, PAIRS_AT_A_TIME // max(1, len(scene.points)))
    for start in range(0, len(scene.goals), at_a_time):
        part = slice(start, start + at_a_time)
        margin = margins_m(scene, terms, part, slice(None))
        proves[:, part] = margin > 0.0
        room_m += np.maximum(margin, 0.0).sum(axis=1)
    return proves, room_m


def _target(cover: Cover, order: Sequence[Step], percent: float, weight: float) -> Target:
    places = enough_for(cover, [step.place for step in order], weight)
    return Target(
        percent=percent,
        weight=weight,
        places=places,
        cost=float(cover.cost[list(places)].sum()),
        least=least_cost(cover, weight, known=places),
    )


def _between(
    scene: Scene, cover: Cover, order: Sequence[Step], terms: Terms, between: tuple[Delays, Delays]
) -> tuple[float, float]:
    taken = np.array([*cover.standing.tolist(), *(step.place for step in order)], np.int64)

    def proven(delays: Delays) -> float:
        margin = margins_m(scene, replace(terms, delays=delays), slice(None), taken)
        at = replace(cover, proves=margin > 0.0, unit=cover.unit[taken], cost=cover.cost[taken])
        return at.weight_proven(np.arange(len(taken)))

    return proven(between[0]), proven(between[1])
