"""Circles, caps and corners on the sphere: each claim of a kernel against points tried one by one."""

from typing import Final

import numpy as np
import pytest
from numpy.typing import NDArray

from lightbound.geo import kernels, regions
from lightbound.geo.compiled import compiled
from lightbound.geo.kernels import (
    SLACK,
    angle_between,
    circle_crossings,
    corners_of_region,
    inside_of,
    point_on_circle,
    region_meets_cap,
    units_excluding,
    without_redundant_caps,
)
from tests.reference import Caps, sampled
from tests.worlds import directions, latitudes_longitudes, nudged

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
LEAST_RADIUS_M: Final = 6_344_452.314245


def random_caps(rng: np.random.Generator) -> tuple[Floats, Integers, int, int]:
    """Caps, units, how many, and a budget: small and wide, side by side, concentric, tangent, alike."""
    count, budget = int(rng.integers(1, 9)), int(rng.integers(0, 3))
    centres = directions(rng, (count,))
    if rng.random() < 0.6:
        centres = nudged(rng, np.repeat(centres[:1], count, 0), np.full(count, 10 ** rng.uniform(3, 6.7)))
    radii = rng.uniform(0.05, 2.5, count) if rng.random() < 0.4 else rng.uniform(0.2, 1.8, count) * rng.uniform(0.01, 1)
    if count > 2 and rng.random() < 0.3:
        centres[1] = centres[0]
    if count > 1 and rng.random() < 0.2:
        radii[1] = radii[0]
    if count > 3 and rng.random() < 0.3:
        radii[3] = max(0.01, angle_between(*centres[2], *centres[3]) - radii[2])  # nearly tangent
    if rng.random() < 0.1:
        radii[0] = rng.uniform(np.pi, 4)
    caps = np.hstack((centres, radii[:, None])).ravel()
    return caps, np.sort(rng.integers(0, count, count)), count, budget


def excluded_by(points: Floats, caps: Floats, units: Integers) -> Integers:
    """How many units exclude each point, in numpy."""
    four = caps.reshape(-1, 4)
    angles = 2 * np.arcsin(np.minimum(1, np.linalg.norm(points[:, None] - four[None, :, :3], axis=2) / 2))
    outside = angles > four[:, 3]
    total: Integers = sum(outside[:, units == unit].any(axis=1).astype(np.int64) for unit in np.unique(units))
    return total


def crossings_of(a: Floats, alpha: float, b: Floats, beta: float) -> tuple[list[list[float]], float]:
    """Both crossings, and their slack."""
    (ax, ay, az), (bx, by, bz) = a.tolist(), b.tolist()
    px, py, pz, qx, qy, qz, slack = circle_crossings(ax, ay, az, alpha, bx, by, bz, beta)
    return [[px, py, pz], [qx, qy, qz]], slack


def rim_point(centre: Floats, radius: float) -> tuple[float, float, float]:
    x, y, z = centre.tolist()
    return point_on_circle(x, y, z, radius)


def excluding(point: list[float], caps: Floats, units: Integers, enough: int) -> int:
    x, y, z = point
    return units_excluding(x, y, z, 0.0, caps, units, len(units), enough)


def dense_points(caps: Floats, units: Integers, budget: int) -> list[Floats]:
    """Points of the region, by a search of the sphere that knows nothing of corners."""
    four = caps.reshape(-1, 4)
    latitudes, longitudes = latitudes_longitudes(four[:, :3])
    return list(
        sampled(
            Caps(
                latitudes=latitudes,
                longitudes=longitudes,
                radii_m=four[:, 3] * LEAST_RADIUS_M,
                units=units,
                budget=budget,
            )
        )
    )


def test_crossings_are_on_both_circles_to_within_their_slack() -> None:
    rng = np.random.default_rng(1)
    crossed = 0
    for _ in range(6000):
        a, b = directions(rng, (2,))
        if rng.random() < 0.5:
            (b,) = nudged(rng, rng.choice([1, -1]) * a[None], 10 ** rng.uniform(0.5, 6, 1))
        alpha, beta = 10 ** rng.uniform(-6, 0.49, 2)
        if rng.random() < 0.2:
            beta = abs(angle_between(*a, *b) - alpha) * (1 + rng.choice([0, 1e-14, 1e-12]))  # touching
        crossings, slack = crossings_of(a, alpha, b, beta)
        if slack < 0:
            continue
        crossed += 1
        for point in crossings:
            # The angle itself errs by 1e-7 near the antipode.
            assert abs(angle_between(*point, *a) - alpha) <= slack + 1e-7
            assert abs(angle_between(*point, *b) - beta) <= slack + 1e-7
    assert crossed > 1000


def test_circles_that_cross_are_never_said_not_to() -> None:
    rng = np.random.default_rng(2)
    for _ in range(3000):
        a, b, shared = directions(rng, (3,))
        alpha, beta = angle_between(*a, *shared), angle_between(*b, *shared)
        crossings, slack = crossings_of(a, alpha, b, beta)
        assert slack >= 0
        nearest = min(angle_between(*point, *shared) for point in crossings)
        assert nearest <= slack + 1e-6


def test_a_point_on_a_circle_is_on_it() -> None:
    rng = np.random.default_rng(3)
    for centre in (*directions(rng, (500,)), *np.eye(3), *-np.eye(3)):
        radius = float(rng.uniform(0, np.pi))
        assert angle_between(*rim_point(centre, radius), *centre) == pytest.approx(radius, abs=1e-7)


def test_units_exclude_as_counted_point_by_point() -> None:
    rng = np.random.default_rng(4)
    for _ in range(60):
        caps, units, count, _ = random_caps(rng)
        points = directions(rng, (60,))
        told = excluded_by(points, caps, units)
        for point, number in zip(points.tolist(), told.tolist(), strict=True):
            assert excluding(point, caps, units, count + 1) == number
            assert excluding(point, caps, units, 1) == min(1, number)


def test_caps_left_out_change_no_point_of_the_region() -> None:
    rng = np.random.default_rng(5)
    dropped = 0
    for _ in range(300):
        caps, units, count, budget = random_caps(rng)
        left, left_units, left_count = without_redundant_caps(caps, units, count, budget)
        dropped += count - left_count
        beside = nudged(rng, np.repeat(caps.reshape(-1, 4)[:, :3], 40, 0), np.full(40 * count, 3e5))
        around = np.concatenate([directions(rng, (300,)), beside])
        before, after = (
            excluded_by(around, caps, units) <= budget,
            excluded_by(around, np.asarray(left), np.asarray(left_units)) <= budget,
        )
        assert (before == after).all()
    assert dropped > 100


def test_a_cap_inside_another_has_no_point_outside_it() -> None:
    rng = np.random.default_rng(6)
    found = 0
    for _ in range(2000):
        caps, _, count, _ = random_caps(rng)
        if count > 1 and inside_of(caps, 0, 1):
            found += 1
            rim = np.array([rim_point(caps[:3], min(caps[3], np.pi)), caps[:3]])
            assert (excluded_by(rim, caps[4:8], np.zeros(1, np.int64)) == 0).all()
    assert found > 50


@pytest.mark.long
def test_there_is_a_corner_exactly_where_the_region_is_not_empty() -> None:
    rng = np.random.default_rng(7)
    empty = 0
    for _ in range(400):
        caps, units, count, budget = random_caps(rng)
        left = without_redundant_caps(caps, units, count, budget)
        corners, corner_count = corners_of_region(*left, budget, -1)
        dense = dense_points(caps, units, budget)
        if any(len(level) for level in dense):
            assert corner_count > 0
            first, first_count = corners_of_region(*left, budget, 1)
            assert 0 < first_count <= corner_count
            assert list(first[: 4 * first_count]) == list(corners[: 4 * first_count])
        else:
            empty += 1
            # A corner that is none: circles within the slack of meeting there. Grown by it, the region is not empty.
            assert corner_count == 0 or any(len(level) for level in dense_points(grown(caps, 3 * SLACK), units, budget))
    assert empty > 40


def grown(caps: Floats, by: float) -> Floats:
    wider = caps.copy()
    wider[3::4] += by
    return wider


def test_every_part_of_a_region_has_a_corner() -> None:
    """Parts told apart by flooding: every dense point of the region is joined, through others, to a corner."""
    rng = np.random.default_rng(8)
    for _ in range(40):
        caps, units, count, budget = random_caps(rng)
        points = directions(rng, (4000,))
        points = points[excluded_by(points, caps, units) <= budget]
        if not len(points) or len(points) > 2500:
            continue
        corners, corner_count = corners_of_region(caps, units, count, budget, -1)
        places = np.concatenate([np.reshape(corners[: 4 * corner_count], (-1, 4))[:, :3], points])
        near = np.linalg.norm(places[:, None] - places[None], axis=2) < 0.12  # 4,000 points are 0.06 apart
        reached = np.arange(len(places)) < corner_count
        for _ in range(200):
            reached |= near[reached].any(axis=0)
        assert reached.all()


@pytest.mark.long
def test_a_region_that_meets_a_cap_is_never_said_not_to() -> None:
    rng = np.random.default_rng(9)
    said_not = said_so = 0
    for _ in range(300):
        caps, units, count, budget = random_caps(rng)
        corners, corner_count = corners_of_region(caps, units, count, budget, -1)
        (centre,) = nudged(rng, caps[:3][None], 10 ** rng.uniform(4, 7, 1))
        radius = float(10 ** rng.uniform(-3, 0.49))
        x, y, z = centre.tolist()
        meets = region_meets_cap(corners, corner_count, caps, units, count, budget, x, y, z, radius)
        held = [
            level[2 * np.arcsin(np.linalg.norm(level - centre, axis=1).clip(0, 2) / 2) <= radius]
            for level in dense_points(caps, units, budget)
        ]
        if any(len(level) for level in held):
            said_so += 1
            assert meets
        elif not meets:
            said_not += 1
        else:
            # Nothing sampled is there: then it is a touch, by less than the slack.
            both = np.concatenate([grown(caps, 3 * SLACK), [*centre, radius + 3 * SLACK]])
            must = np.concatenate([units, np.full(budget + 1, count) + np.arange(budget + 1)])
            repeated = np.concatenate([both, *[both[-4:]] * budget])
            assert any(len(level) for level in dense_points(repeated, must, budget))
    assert min(said_not, said_so) > 50


def test_corners_are_found_alike_by_both_paths() -> None:
    fast = compiled(kernels, regions)
    rng = np.random.default_rng(10)
    for _ in range(200):
        caps, units, count, budget = random_caps(rng)
        plain, plain_count = corners_of_region(caps, units, count, budget, -1)
        quick, quick_count = fast.corners_of_region(caps, units, count, budget, -1)
        assert plain_count == quick_count
        assert np.allclose(plain[: 4 * plain_count], quick[: 4 * quick_count], atol=1e-9, rtol=0)
