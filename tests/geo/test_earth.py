"""The theorem that all distances stand on, against geodesics and straight lines computed by others."""

import math
from fractions import Fraction
from typing import Final

import numpy as np
import pytest
from geographiclib.geodesic import Geodesic
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from pyproj import Transformer

from lightbound.geo.earth import (
    ALTITUDE_SLACK_M,
    GREATEST_ALTITUDE_M,
    GREATEST_DEPTH_M,
    LEAST_RADIUS_M,
    WGS84_A_M,
    WGS84_B_M,
    Position,
    position_of,
    units,
)
from lightbound.geo.kernels import angle_between
from lightbound.ranging.bounds import Speed
from lightbound.units import LONGEST_ROUND_TRIP_NS, SPEED_OF_LIGHT_M_PER_S, reach_m

Floats = NDArray[np.float64]
TO_ECEF: Final = Transformer.from_crs("EPSG:4979", "EPSG:4978", always_xy=True)
ROUNDING_M: Final = 0.7
"""What the docs allow floating-point angles: 1e-7 rad."""


def random_positions(rng: np.random.Generator, count: int) -> tuple[Floats, Floats]:
    """Evenly over the sphere, with poles, the equator and the antimeridian among them."""
    latitudes, longitudes = np.degrees(np.arcsin(rng.uniform(-1, 1, count))), rng.uniform(-180, 180, count)
    latitudes[:60], longitudes[40:100] = np.repeat([90.0, -90.0, 0.0], 20), np.repeat([180.0, -180.0, 0.0], 20)
    return latitudes, longitudes


def ecef(latitudes: Floats, longitudes: Floats, altitudes: Floats | float) -> Floats:
    return np.stack(TO_ECEF.transform(longitudes, latitudes, altitudes + np.zeros(len(latitudes))), axis=1)


def test_a_geodesic_is_at_least_b_and_at_most_a_times_the_angle() -> None:
    rng = np.random.default_rng(1)
    latitudes, longitudes = random_positions(rng, 6000)
    other_latitudes, other_longitudes = (part[::-1] for part in random_positions(rng, 6000))
    # Half of the pairs are neighbours or nearly antipodes, where formulas lose digits.
    away = 10 ** rng.uniform(-7, 1.5, 6000)
    close = rng.random(6000) < 0.5
    flip = rng.random(6000) < 0.5
    around = np.clip(np.where(flip, -latitudes, latitudes) + away * rng.normal(size=6000), -90, 90)
    beside = (longitudes + 180 * flip + away * rng.normal(size=6000) + 180) % 360 - 180
    other_latitudes, other_longitudes = (
        np.where(close, around, other_latitudes),
        np.where(close, beside, other_longitudes),
    )
    least = most = 0.0
    for p, q in zip(
        zip(latitudes, longitudes, strict=True), zip(other_latitudes, other_longitudes, strict=True), strict=True
    ):
        geodesic = Geodesic.WGS84.Inverse(*p, *q)["s12"]
        theta = angle_between(*Position(*p).unit(), *Position(*q).unit())
        assert WGS84_B_M * theta - ROUNDING_M <= geodesic <= WGS84_A_M * theta + ROUNDING_M
        if theta > 1e-3:
            least, most = max(least, WGS84_B_M * theta / geodesic), max(most, geodesic / theta / WGS84_A_M)
    # Both sides are met: along meridians at the equator the one, along the equator the other. Neither has room.
    assert least > 0.9999
    assert most > 0.9999


def test_no_straight_line_through_the_allowed_depth_beats_the_least_radius() -> None:
    """The shortest path that goes no deeper than allowed: a chord while it is shallow, and never less than (b - h)."""
    rng = np.random.default_rng(2)
    latitudes, longitudes = random_positions(rng, 4000)
    away = 10 ** rng.uniform(-4, 0.75, 4000)
    around = np.clip(latitudes + away * rng.normal(size=4000), -90, 90)
    beside = longitudes + away * rng.normal(size=4000)
    p, q = ecef(latitudes, longitudes, 0.0), ecef(around, beside, 0.0)
    middle = (p + q) / 2
    depth = -np.array(
        Transformer.from_crs("EPSG:4978", "EPSG:4979", always_xy=True).transform(
            middle[:, 0], middle[:, 1], middle[:, 2]
        )
    )[2]
    shallow = depth <= GREATEST_DEPTH_M
    chord = np.linalg.norm(p - q, axis=1)
    theta = 2 * np.arcsin(np.linalg.norm(units(latitudes, longitudes) - units(around, beside), axis=1) / 2)
    assert 1000 < shallow.sum() < 4000
    assert (chord[shallow] >= LEAST_RADIUS_M * theta[shallow] - ROUNDING_M).all()


def test_the_least_radius_is_the_pole_s_less_the_deepest_cable() -> None:
    assert LEAST_RADIUS_M == WGS84_B_M - 12_300
    assert pytest.approx(WGS84_A_M * (1 - 1 / 298.257223563), abs=1e-6) == WGS84_B_M
    assert WGS84_A_M / LEAST_RADIUS_M < 1.0053 + 5e-5  # what the docs give as the cost


def test_a_position_and_its_unit_vector_say_the_same() -> None:
    latitudes, longitudes = random_positions(np.random.default_rng(3), 5000)
    together = units(latitudes, longitudes)
    assert np.abs(np.linalg.norm(together, axis=1) - 1).max() < 1e-15
    for latitude, longitude, row in zip(latitudes, longitudes, together, strict=True):
        unit = Position(latitude, longitude).unit()
        assert np.abs(row - unit).max() < 1e-15
        back = position_of(unit)
        assert back.latitude == pytest.approx(latitude, abs=1e-9)
        if abs(latitude) < 90:
            turn = (back.longitude - longitude + 180) % 360 - 180
            assert turn * math.cos(math.radians(latitude)) == pytest.approx(0, abs=1e-9)


def test_the_unit_vector_is_the_ellipsoid_scaled_to_a_sphere() -> None:
    latitudes, longitudes = random_positions(np.random.default_rng(4), 2000)
    scaled = ecef(latitudes, longitudes, 0.0) / [WGS84_A_M, WGS84_A_M, WGS84_B_M]
    assert np.abs(units(latitudes, longitudes) - scaled).max() < 1e-11


def test_a_position_as_high_as_is_assumed_turns_by_no_more_than_the_slack_at_each_end() -> None:
    latitudes = np.linspace(-90, 90, 3601)
    longitudes = np.full(len(latitudes), 17.0)
    high = ecef(latitudes, longitudes, GREATEST_ALTITUDE_M) / [WGS84_A_M, WGS84_A_M, WGS84_B_M]
    foot = units(latitudes, longitudes)
    turned = np.arctan2(np.linalg.norm(np.cross(high, foot), axis=1), np.einsum("ij,ij->i", high, foot))
    # Two ends that both lean towards one pole, which their path goes over.
    assert 2 * turned.max() * LEAST_RADIUS_M <= ALTITUDE_SLACK_M
    assert 2 * turned.max() * LEAST_RADIUS_M > ALTITUDE_SLACK_M - 2
    assert np.linalg.norm(high, axis=1).min() > 1  # so that no path between them is shortened by the projection


ROUND_TRIPS = st.integers(1, LONGEST_ROUND_TRIP_NS)


@given(ROUND_TRIPS, st.sampled_from(Speed))
def test_reach_is_never_less_than_half_the_round_trip_at_the_speed_named(round_trip_ns: int, speed: Speed) -> None:
    fraction = Fraction(speed.fraction_of_c)
    exact = Fraction(round_trip_ns) * SPEED_OF_LIGHT_M_PER_S * fraction / 2 / 10**9
    found = Fraction(float(reach_m(np.array([round_trip_ns]), fraction_of_c=speed.fraction_of_c)[0]))
    assert exact <= found <= exact * (1 + Fraction(1, 2**48))


def test_reach_keeps_the_shape_and_rises_with_the_round_trip() -> None:
    rng = np.random.default_rng(5)
    round_trips = np.sort(np.exp(rng.uniform(0, math.log(LONGEST_ROUND_TRIP_NS), 10_000)).astype(np.int64))
    reach = reach_m(round_trips.reshape(100, 100))
    assert reach.shape == (100, 100)
    assert (np.diff(reach.ravel()) >= 0).all()
    assert reach_m(np.array([2_000_000_000]))[0] == pytest.approx(SPEED_OF_LIGHT_M_PER_S)


def test_angles_err_by_less_than_a_tenth_of_a_microradian_also_at_the_antipode() -> None:
    rng = np.random.default_rng(6)
    for _ in range(3000):
        theta = float(
            rng.choice([10 ** rng.uniform(-9, 0), rng.uniform(0, math.pi), math.pi - 10 ** rng.uniform(-9, 0)])
        )
        p = rng.normal(size=3)
        p /= np.linalg.norm(p)
        side = np.cross(p, rng.normal(size=3))
        q = p * math.cos(theta) + side / np.linalg.norm(side) * math.sin(theta)
        q /= np.linalg.norm(q)
        assert angle_between(*p, *q) == pytest.approx(theta, abs=1e-7)


def test_fibre_is_a_little_faster_than_the_glass_it_stands_for() -> None:
    assert 1 / 1.468 < Speed.FIBRE.fraction_of_c < 0.7
    assert Speed.VACUUM.fraction_of_c == 1
