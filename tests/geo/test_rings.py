"""The rings around a region run along its edge, have it on their left, and leave nothing of it out."""

import math
from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from lightbound.geo.earth import position_of
from lightbound.geo.kernels import units_excluding
from lightbound.geo.regions import SPHERE, area_of_region
from lightbound.geo.rings import LONGEST_STEP, caps_at_edge, circle_points, latitudes_longitudes, rings_of_region

CASES = 150


def _regions(*, awkward: bool = True) -> Iterator[tuple[int, NDArray[np.float64], NDArray[np.int64], int, int]]:
    """Random regions: narrow and wide caps, equal and concentric ones, circles that touch, several caps in a unit."""
    dice = np.random.default_rng(20261123)
    for case in range(CASES):
        count, budget = int(dice.integers(1, 9)), int(dice.integers(0, 3))
        centres = dice.normal(size=(count, 3))
        if dice.random() < 0.5:
            centres = centres * 0.3 + dice.normal(size=3)
        if awkward and count > 2 and dice.random() < 0.3:
            centres[1] = centres[0]
        centres /= np.linalg.norm(centres, axis=1)[:, None]
        radii = dice.uniform(0.02, 2.6, count)
        if awkward and count > 1 and dice.random() < 0.2:
            radii[1] = radii[0]
        if awkward and count > 1 and dice.random() < 0.3:
            between = math.acos(max(-1.0, min(1.0, float(centres[0] @ centres[1]))))
            radii[1] = abs(between - radii[0]) if dice.random() < 0.5 else between + radii[0]
        units = np.sort(dice.integers(0, count, count))
        yield case, np.hstack((centres, radii[:, None])).ravel(), units, count, budget


def test_rings_close_and_no_step_is_long() -> None:
    for case, caps, units, count, budget in _regions():
        for ring in rings_of_region(caps, units, count, budget):
            assert (ring[0] == ring[-1]).all(), case
            np.testing.assert_allclose(np.linalg.norm(ring, axis=1), 1.0, atol=1e-12)
            # What joins one arc to the next is too short to be seen: no step is longer than those along an arc.
            assert np.linalg.norm(np.diff(ring, axis=0), axis=1).max() <= LONGEST_STEP + 1e-6, case


def test_every_ring_has_the_region_on_its_left_and_nothing_of_it_on_its_right() -> None:
    aside = 1e-4
    wrong = looked_at = 0
    for _, caps, units, count, budget in _regions():
        for ring in rings_of_region(caps, units, count, budget):
            middles = ring[:-1] + ring[1:]
            middles /= np.linalg.norm(middles, axis=1)[:, None]
            left = np.cross(middles, np.diff(ring, axis=0))
            length = np.linalg.norm(left, axis=1)
            steps = np.flatnonzero(length > 10 * aside)[::11]
            for step in steps.tolist():
                across = aside * left[step] / length[step]
                inside, outside = (
                    units_excluding(x, y, z, 0.0, caps, units, count, budget + 1) <= budget
                    for x, y, z in ((middles[step] + across).tolist(), (middles[step] - across).tolist())
                )
                looked_at += 1
                wrong += not inside or outside
    assert looked_at > 5_000
    # Within 600 m of a corner, or of another part of the edge, both sides can be the same.
    assert wrong <= looked_at / 1000


def test_the_rings_enclose_as_much_as_the_region_measures() -> None:
    for case, caps, units, count, budget in _regions():
        rings = rings_of_region(caps, units, count, budget, longest_step=2e-3)
        if not rings:
            continue
        # Along a ring, area is what the longitudes sweep above the south pole, turns around either pole included.
        swept = 0.0
        for ring in rings:
            x, y, z = ring.T
            turns = np.diff(np.unwrap(np.arctan2(y, x)))
            swept -= float((turns * (z[:-1] + z[1:]) / 2).sum()) + float(turns.sum())
        expected = area_of_region(caps, units, count, budget)
        apart = (swept - expected) % (SPHERE / 2)
        # A ring may turn around the pole many times; each turn counts twice 2 pi, half of the sphere.
        assert min(apart, SPHERE / 2 - apart) < 1e-2, case


def test_a_region_that_is_empty_or_everything_has_no_rings() -> None:
    north_and_south = np.array([0.0, 0.0, 1.0, 0.5, 0.0, 0.0, -1.0, 0.5])
    assert rings_of_region(north_and_south, np.array([0, 1]), 2, 0) == []
    assert rings_of_region(north_and_south, np.array([0, 1]), 2, 2) == []
    assert rings_of_region(np.zeros(0), np.zeros(0, np.int64), 0, 0) == []


def test_with_a_fault_budget_a_region_of_two_parts_has_two_rings_and_a_hole_is_a_ring() -> None:
    north_and_south = np.array([0.0, 0.0, 1.0, 0.5, 0.0, 0.0, -1.0, 0.5])
    assert len(rings_of_region(north_and_south, np.array([0, 1]), 2, 1)) == 2
    belt = np.array([0.0, 0.0, 1.0, 2.0, 0.0, 0.0, -1.0, 2.0])
    assert len(rings_of_region(belt, np.array([0, 1]), 2, 0)) == 2


def test_caps_at_the_edge_are_those_whose_radius_the_size_of_the_region_depends_on() -> None:
    looked_at = 0
    for case, caps, units, count, budget in _regions(awkward=False):
        area = area_of_region(caps, units, count, budget)
        at_edge = caps_at_edge(caps, units, count, budget)
        for cap in range(count):
            narrower = caps.copy()
            narrower[4 * cap + 3] -= 1e-5
            less = area_of_region(narrower, units, count, budget)
            assert (less < area - 1e-12) == (cap in at_edge), (case, cap)
            looked_at += cap in at_edge
    assert looked_at > 100


@pytest.mark.parametrize("radius", [0.001, 0.4, math.pi / 2, 3.1])
def test_a_circle_is_a_ring_at_its_radius_all_around(radius: float) -> None:
    centre = (0.6, 0.0, 0.8)
    ring = circle_points(centre, radius)
    np.testing.assert_allclose(np.linalg.norm(ring - np.array(centre), axis=1), 2 * math.sin(radius / 2), rtol=1e-9)
    assert (ring[0] == ring[-1]).all()
    assert len(circle_points(centre, math.pi)) == 0


def test_positions_of_many_points_are_those_of_each() -> None:
    points = np.random.default_rng(7).normal(size=(200, 3))
    points /= np.linalg.norm(points, axis=1)[:, None]
    latitudes, longitudes = latitudes_longitudes(points)
    for point, latitude, longitude in zip(points.tolist(), latitudes, longitudes, strict=True):
        position = position_of((point[0], point[1], point[2]))
        assert (position.latitude, position.longitude) == pytest.approx((latitude, longitude), abs=1e-12)
