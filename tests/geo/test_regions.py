"""How large a region is, against counting points."""

import math

import numpy as np
import pytest

from lightbound.geo.kernels import point_on_circle, without_redundant_caps
from lightbound.geo.regions import (
    SPHERE,
    area_of_region,
    boundary_of_region,
    ellipsoid_area_km2,
    equivalent_radius_km,
    turned,
)
from tests.geo.test_kernels import excluded_by, random_caps

POINTS = 100_000


def fibonacci_sphere(count: int) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    i = np.arange(count) + 0.5
    polar, turn = np.arccos(1 - 2 * i / count), np.pi * (1 + 5**0.5) * i
    return np.stack([np.cos(turn) * np.sin(polar), np.sin(turn) * np.sin(polar), np.cos(polar)], axis=1)


@pytest.mark.long
def test_the_area_of_a_region_is_its_share_of_evenly_spread_points() -> None:
    rng = np.random.default_rng(1)
    points = fibonacci_sphere(POINTS)
    empty = whole = 0
    for _ in range(120):
        caps, units, count, budget = random_caps(rng)
        area = area_of_region(caps, units, count, budget)
        counted = float((excluded_by(points, caps, units) <= budget).mean()) * SPHERE
        empty, whole = empty + (area == 0), whole + (area == SPHERE)
        # Each point stands for 1.3e-4 steradians, and edges go through thousands of them.
        assert area == pytest.approx(counted, abs=5e-3)
        pruned = area_of_region(*without_redundant_caps(caps, units, count, budget), budget)
        assert pruned == pytest.approx(area, abs=1e-7)
    assert min(empty, whole) > 3


def test_the_area_of_one_cap_is_the_formula_s() -> None:
    for radius in (1e-5, 0.01, 0.5, math.pi / 2, 2.9, 3.1415):
        area = area_of_region(np.array([0.6, 0.0, 0.8, radius]), np.zeros(1, np.int64), 1, 0)
        assert area == pytest.approx(2 * math.pi * (1 - math.cos(radius)), rel=1e-5)


def test_a_budget_makes_the_region_a_union() -> None:
    apart = np.array([1.0, 0, 0, 0.3, -1.0, 0, 0, 0.2])
    units = np.array([0, 1])
    caps = [2 * math.pi * (1 - math.cos(radius)) for radius in (0.3, 0.2)]
    assert area_of_region(apart, units, 2, 0) == 0
    assert area_of_region(apart, units, 2, 1) == pytest.approx(sum(caps), rel=1e-9)
    assert area_of_region(apart, units, 2, 2) == SPHERE
    assert area_of_region(apart, np.array([0, 0]), 2, 1) == SPHERE
    assert area_of_region(apart, np.array([0, 0]), 2, 0) == 0


def test_the_region_lies_to_the_left_of_its_boundary() -> None:
    rng = np.random.default_rng(2)
    looked_at = 0
    for _ in range(150):
        caps, units, count, budget = random_caps(rng)
        arcs, n = boundary_of_region(caps, units, count, budget)
        for arc in range(n):
            cap = int(arcs[3 * arc])
            centre, radius = caps[4 * cap : 4 * cap + 3], caps[4 * cap + 3]
            if not 0.01 < radius < 3.0 or arcs[3 * arc + 2] - arcs[3 * arc + 1] < 0.01:
                continue
            (x, y, z), middle = centre.tolist(), (arcs[3 * arc + 1] + arcs[3 * arc + 2]) / 2
            starts = (point_on_circle(x, y, z, radius + step) for step in (-1e-7, 1e-7))
            inner, outer = (turned(x, y, z, sx, sy, sz, middle) for sx, sy, sz in starts)
            inside, outside = excluded_by(np.array([inner, outer]), caps, units).tolist()
            assert inside <= budget < outside
            looked_at += 1
    assert looked_at > 100


def test_kilometres_are_rounded_for_people_on_the_ellipsoid_s_largest_sphere() -> None:
    areas = ellipsoid_area_km2(np.array([0.0, 1.0, SPHERE]))
    assert areas.tolist() == pytest.approx([0.0, 6378.137**2, 511_207_893.4])
    radii = equivalent_radius_km(areas)
    assert radii.tolist() == pytest.approx([0.0, 6378.137 * math.acos(1 - 1 / (2 * math.pi)), 6378.137 * math.pi])
