"""Plans held against what was measured: fitted to one half of a mesh, made for the other, judged by its round trips.

Imported by make_planning_results.py.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lightbound.adjudication.planning.cover import Cover, greedy_order
from lightbound.adjudication.planning.delays import fitted
from lightbound.adjudication.planning.pairs import Pairs
from lightbound.adjudication.planning.scene import SLACK_M, Scene, Site, Terms, distances_m, margins_m, scene_of
from lightbound.geo.shapes import Area
from lightbound.ranging.readings import Landmark
from lightbound.units import LONGEST_ROUND_TRIP_NS, reach_m

NEEDED: Final = 2
"""Fault units that must prove a site: f = 1."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Of one trial, what share came true."""

    pairs: float
    """Of the pairs expected to be a proof."""
    sites: float
    """Of the sites that the plan's landmarks were expected to prove."""
    foreseen: float
    """Of the sites that measured round trips of all candidates prove, how many were expected to be provable."""


class Trials:
    """One mesh, ready to be parted again and again. Every host is its own fault unit and never measures itself."""

    def __init__(
        self, hosts: Sequence[Landmark], rows: Sequence[tuple[str, str, float]], *, excluded: Area, confidence: float
    ) -> None:
        """Rows are who measured, who answered, and milliseconds."""
        number = {host.landmark_id: place for place, host in enumerate(hosts)}
        self._round_trip_ns = np.full((len(hosts), len(hosts)), LONGEST_ROUND_TRIP_NS, np.int64)
        for by, to, ms in rows:
            at = number[by], number[to]
            self._round_trip_ns[at] = min(self._round_trip_ns[at], int(np.ceil(ms * 1e6)))
        self._measured = self._round_trip_ns < LONGEST_ROUND_TRIP_NS
        np.fill_diagonal(self._measured, val=False)
        sites = [
            Site(
                site_id=host.landmark_id,
                position=host.position,
                position_error_m=host.position_error_m,
                weight=1.0,
                licensed=-1,
                excluded=0,
            )
            for host in hosts
        ]
        self._scene: Scene = scene_of(hosts, sites, [excluded])
        self._outside = self._scene.to_edge_m[:, 0] > 0.0
        self._apart_m = distances_m(self._scene.points, self._scene.points)
        self._confidence = confidence
        bound_m = reach_m(self._round_trip_ns) + self._scene.error_m[:, None] + SLACK_M
        self._proves = self._measured & self._scene.usable[:, [0]] & (bound_m < self._scene.to_edge_m[:, [0]])

    def outcome(self, dice: np.random.Generator, quantile: float) -> Outcome:
        """Part the hosts in two, fit to the one half, plan for the other, and look."""
        count = len(self._outside)
        first = np.isin(np.arange(count), dice.permutation(count)[: count // 2])
        fit = fitted(self._pairs(first), quantile=quantile, confidence=self._confidence)
        assert fit is not None  # noqa: S101 - thousands of pairs
        second = np.flatnonzero(~first & self._outside)
        margin = margins_m(self._scene, Terms(delays=fit.delays), second, second)
        expected = (margin > 0.0) & self._measured[np.ix_(second, second)]
        actual = self._proves[np.ix_(second, second)]
        cover = _cover(expected)
        chosen = [step.place for step in greedy_order(cover, room_m=np.maximum(margin, 0.0).sum(axis=1))]
        provable = _cover(actual)
        return Outcome(
            pairs=float(actual[expected].mean()),
            sites=float((provable.units_proving(chosen) >= NEEDED)[cover.attainable].mean()),
            foreseen=float(cover.attainable[provable.attainable].mean()),
        )

    def _pairs(self, hosts: NDArray[np.bool_]) -> Pairs:
        among = self._measured & hosts[:, None] & hosts
        errors_m = self._scene.error_m[:, None] + self._scene.error_m
        return Pairs(distance_m=self._apart_m[among], error_m=errors_m[among], round_trip_ns=self._round_trip_ns[among])


def _cover(proves: NDArray[np.bool_]) -> Cover:
    return Cover(
        proves=proves,
        unit=np.arange(len(proves)),
        cost=np.ones(len(proves)),
        weight=np.ones(proves.shape[1]),
        needed=NEEDED,
    )
