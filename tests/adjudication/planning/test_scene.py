"""What a plan takes to be provable is what `adjudicate` would prove, and never more than light allows."""

import csv
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from lightbound.adjudication.adjudicate import adjudicate
from lightbound.adjudication.facts import Settings
from lightbound.adjudication.planning.delays import FARTHEST_M, slowness
from lightbound.adjudication.planning.obstacles import Why
from lightbound.adjudication.planning.pairs import points_of
from lightbound.adjudication.planning.plan import Candidate, Plan, plan
from lightbound.adjudication.planning.scene import (
    SLACK_M,
    Asked,
    Site,
    Terms,
    bounds_m,
    distances_m,
    distances_to_edges,
    margins_m,
    scene_of,
)
from lightbound.adjudication.verdicts import VERDICTS, BorderUsed, Proof, Verdict
from lightbound.geo.borders import packaged_borders
from lightbound.geo.earth import Position
from lightbound.ranging.bounds import Speed
from lightbound.ranging.readings import Chips, Landmark, Readings
from lightbound.units import SPEED_OF_LIGHT_M_PER_S
from tests.worlds import area

LIGHT = slowness(1.0, overhead_ms=0.0)
AREAS = ("CN+HK+MO", "circle(1.3,103.8,400)", "@dateline", "FJ|circle(-18,178,300)", "@polar_ring")
BORDER = BorderUsed(name="-", version="-", viewpoint="-", sha256="-", error_m=0)


def landmark(
    name: str, latitude: float, longitude: float, *, error_m: float = 0.0, unit: str | None = None, country: str = ""
) -> Landmark:
    return Landmark(
        landmark_id=name,
        position=Position(latitude, longitude),
        position_error_m=error_m,
        fault_unit=unit,
        country=country or None,
    )


def site(
    name: str, latitude: float, longitude: float, *, licensed: int = -1, excluded: int = -1, error_m: float = 0.0
) -> Site:
    return Site(
        site_id=name,
        position=Position(latitude, longitude),
        position_error_m=error_m,
        weight=1.0,
        licensed=licensed,
        excluded=excluded,
    )


def somewhere(dice: np.random.Generator, count: int) -> list[tuple[float, float]]:
    around = [(22.0, 113.0), (1.3, 103.8), (-18.0, 179.5), (-60.0, 20.0), (40.0, 100.0), (5.0, -175.0)]
    return [
        (
            float(np.clip(latitude + dice.normal(0, 12), -89.9, 89.9)),
            float((longitude + dice.normal(0, 12) + 180) % 360 - 180),
        )
        for latitude, longitude in (around[dice.integers(len(around))] for _ in range(count))
    ]


def adjudicated(
    landmarks: list[Landmark], sites: list[Site], speed: Speed, round_trip_ns: NDArray[np.int64]
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """(landmarks, sites, 2): what each landmark alone proves of each site, and its margin."""
    proven = np.zeros((len(landmarks), len(sites), 2), bool)
    margin = np.zeros(proven.shape)
    for number, one in enumerate(landmarks):
        verdicts = adjudicate(
            Readings(
                landmark=np.zeros(len(sites), np.int32),
                chip=np.arange(len(sites), dtype=np.int32),
                round_trip_ns=round_trip_ns[number],
            ),
            landmarks=[one],
            chips=Chips(
                chip_ids=[one.site_id for one in sites],
                licensed=np.array([one.licensed for one in sites], np.int32),
                excluded=np.array([one.excluded for one in sites], np.int32),
                areas=AREAS,
            ),
            areas=[area(text, 2000.0) for text in AREAS],
            border=BORDER,
            settings=Settings(fault_budget=0, proof=Proof.ALONE, speed=speed),
        )
        proven[number, :, 0] = verdicts.licensed.verdict == VERDICTS.index(Verdict.WITHIN)
        proven[number, :, 1] = verdicts.excluded.verdict == VERDICTS.index(Verdict.OUTSIDE)
        margin[number] = np.stack((verdicts.licensed.margin_m, verdicts.excluded.margin_m), axis=1)
    return proven, margin


@pytest.mark.parametrize("speed", list(Speed))
def test_a_place_counts_for_a_site_exactly_if_adjudicate_would_prove_it_from_the_expected_round_trip(
    speed: Speed,
) -> None:
    dice = np.random.default_rng(7)
    landmarks = [
        landmark(
            f"l{n}", *at, error_m=float(dice.choice([0.0, 5000.0, 300_000.0])), country=str(dice.choice(["CN", ""]))
        )
        for n, at in enumerate(somewhere(dice, 40))
    ]
    sites = [
        site(f"s{n}", *at, licensed=int(dice.integers(-1, 5)), excluded=int(dice.integers(0, 5)))
        for n, at in enumerate(somewhere(dice, 60))
    ]
    terms = Terms(delays=slowness(1.6, overhead_ms=0.2), speed=speed)
    scene = scene_of(landmarks, sites, [area(text, 2000.0) for text in AREAS])
    margin = margins_m(scene, terms, slice(None), slice(None))
    # The round trips that make `adjudicate` see the very bounds of the plan.
    apart_m = distances_m(scene.points, points_of([one.position for one in sites])) + scene.error_m[:, None]
    per_ns = SPEED_OF_LIGHT_M_PER_S * 0.5e-9 * speed.fraction_of_c
    proven, told = adjudicated(landmarks, sites, speed, np.ceil(bounds_m(apart_m, terms) / per_ns).astype(np.int64))
    seen = {True: 0, False: 0}
    for column, goal in enumerate(scene.goals):
        side = 1 if goal.asked is Asked.EXCLUDED else 0
        for row in range(len(landmarks)):
            expected = margin[row, column]
            if abs(expected) < 5.0:
                continue
            assert proven[row, goal.site, side] == (expected > 0), (landmarks[row], sites[goal.site])
            seen[bool(expected > 0)] += 1
            # Margins are the greater of both verdicts that an area allows; the plan's is the one that it asks for.
            if expected > 0:
                assert told[row, goal.site, side] == pytest.approx(expected, abs=2.0)
    assert min(seen.values()) > 200


places = st.tuples(st.floats(-85, 85), st.floats(-180, 180))


@given(
    at=places, others=st.lists(places, min_size=1, max_size=5), error_m=st.floats(0, 50_000), which=st.integers(0, 4)
)
def test_no_landmark_anywhere_proves_what_light_cannot(
    at: tuple[float, float], others: list[tuple[float, float]], error_m: float, which: int
) -> None:
    made = plan(
        [site("s", *at, licensed=which, excluded=(which + 1) % 5, error_m=error_m)],
        [
            Candidate(landmark=landmark(str(n), *other), cost=1.0)
            for n, other in enumerate([*others, at, (-at[0], at[1])])
        ],
        areas=[area(text, 2000.0) for text in AREAS],
        terms=Terms(delays=LIGHT, fault_budget=0, independent_landmarks=True),
        percents=(100.0,),
    )
    beyond = made.scene.goal_to_edge_m <= error_m
    assert not made.cover.proves[:, beyond].any()
    for obstacle in made.obstacles:
        assert (obstacle.why is Why.MAY_BE_BEYOND) >= bool(beyond[obstacle.goal])


@given(
    at=places,
    others=st.lists(places, min_size=1, max_size=8),
    which=st.integers(0, 4),
    factor=st.floats(1, 4),
    overhead_ms=st.floats(0, 8),
    speed=st.sampled_from(Speed),
)
def test_where_the_site_itself_would_not_do_no_other_place_does(
    at: tuple[float, float],
    others: list[tuple[float, float]],
    which: int,
    factor: float,
    overhead_ms: float,
    speed: Speed,
) -> None:
    terms = Terms(delays=slowness(factor, overhead_ms=overhead_ms), speed=speed, independent_landmarks=True)
    made = plan(
        [site("s", *at, excluded=which)],
        [Candidate(landmark=landmark(str(n), *other), cost=1.0) for n, other in enumerate([*others, at])],
        areas=[area(text, 2000.0) for text in AREAS],
        terms=terms,
        percents=(),
    )
    for obstacle in made.obstacles:
        if obstacle.why is Why.TOO_SLOW_ANYWHERE:
            assert not made.cover.proves.any()
            assert obstacle.within_m is None


@given(at=places, other=places, slower=st.floats(0, 3), later_ms=st.floats(0, 5), which=st.integers(0, 4))
def test_longer_round_trips_never_prove_more(
    at: tuple[float, float], other: tuple[float, float], slower: float, later_ms: float, which: int
) -> None:
    areas = [area(text, 2000.0) for text in AREAS]
    scene = scene_of([landmark("l", *other)], [site("s", *at, licensed=which, excluded=which)], areas)
    quick = Terms(delays=slowness(1.2, overhead_ms=0.1))
    slow = replace(quick, delays=slowness(1.2 + slower, overhead_ms=0.1 + later_ms))
    assert (margins_m(scene, slow, slice(None), slice(None)) <= margins_m(scene, quick, slice(None), slice(None))).all()


def two_towns(**terms: object) -> Plan:
    """A site 150 km outside a circle, one 20 km outside, one inside; candidates at various distances."""
    ring = area("circle(0,0,1000)")
    sites = [site(name, 0.0, 1000 / 111.32 + km / 111.32, excluded=0) for name, km in (("far", 150), ("near", 20))]
    offered = [
        Candidate(landmark=landmark("beside", 0.0, 1000 / 111.32 + 155 / 111.32, unit="a"), cost=1.0),
        Candidate(landmark=landmark("behind", 0.0, 1000 / 111.32 + 250 / 111.32, unit="b"), cost=1.0),
        Candidate(landmark=landmark("within", 0.0, 1000 / 111.32 - 50 / 111.32, unit="c"), cost=1.0),
        Candidate(landmark=landmark("sworn", 0.0, 1000 / 111.32 + 160 / 111.32, unit="d", country="ZZ"), cost=1.0),
    ]
    given = {"delays": slowness(1.5, overhead_ms=0.2), "fault_budget": 1, **terms}
    return plan(
        [*sites, site("inside", 0.0, 0.0, excluded=0)],
        offered,
        areas=[replace(ring, countries=frozenset({"ZZ"}))],
        terms=Terms(**given),  # type: ignore[arg-type]
        percents=(50.0, 100.0),
    )


def test_places_in_the_excluded_area_or_of_its_countries_are_never_counted() -> None:
    made = two_towns()
    names = [one.landmark_id for one in made.landmarks]
    assert made.scene.usable[:, 0].tolist() == [True, True, False, False]
    assert {names[step.place] for step in made.order} == {"beside", "behind"}


def test_each_goal_out_of_reach_is_told_why() -> None:
    made = two_towns()
    why = {obstacle.goal: obstacle.why for obstacle in made.obstacles}
    assert why == {1: Why.TOO_SLOW_ANYWHERE, 2: Why.MAY_BE_BEYOND}
    (near, inside) = made.obstacles
    assert 16_000 < near.to_edge_m < 20_000  # a circle's outer cap allows for the shape of the Earth
    assert near.needed_ns == pytest.approx((near.to_edge_m - SLACK_M) / (SPEED_OF_LIGHT_M_PER_S * 0.5e-9), abs=2)
    assert near.expected_ns == pytest.approx(200_000)
    assert inside.needed_ns == 0
    assert inside.nearest is None


def test_one_unit_too_few_is_told_with_the_place_that_comes_nearest() -> None:
    made = two_towns(fault_budget=2)
    (far, *_) = made.obstacles
    assert (far.goal, far.why, far.units_proving, far.nearest) == (0, Why.TOO_FEW_UNITS, 2, None)
    quicker = two_towns(fault_budget=1, delays=slowness(1.5, overhead_ms=0.7))
    (far, *_) = quicker.obstacles
    assert far.why is Why.TOO_FEW_UNITS
    assert far.units_proving == 1
    assert far.nearest is not None
    assert quicker.landmarks[far.nearest.place].landmark_id == "behind"
    assert far.nearest.apart_m == pytest.approx(100_000, rel=0.01)
    assert far.nearest.needed_ns < far.nearest.expected_ns


def test_a_landmark_within_the_distance_told_does_and_one_a_little_farther_does_not() -> None:
    made = two_towns(fault_budget=2)
    within_m = made.obstacles[0].within_m
    assert within_m is not None
    terms = Terms(delays=slowness(1.5, overhead_ms=0.2))
    at_degrees = 1150 / 111.32
    landmarks = [
        landmark(name, 0.0, at_degrees + more_m / 110_730)  # metres of least path length in a degree of the equator
        for name, more_m in (("there", within_m), ("farther", within_m + 2500.0))
    ]
    scene = scene_of(landmarks, [site("far", 0.0, at_degrees, excluded=0)], [area("circle(0,0,1000)")])
    there, farther = margins_m(scene, terms, slice(None), slice(None))[:, 0]
    assert farther < 0 < there


def test_landmarks_without_a_unit_are_one_unless_said_to_be_independent() -> None:
    sites = [site("s", 0.0, 20.0, excluded=0)]
    offered = [Candidate(landmark=landmark(name, 0.0, 20.1), cost=1.0) for name in "ab"]

    def provable(*, independent: bool) -> float:
        terms = Terms(delays=LIGHT, fault_budget=1, independent_landmarks=independent)
        return plan(sites, offered, areas=[area("circle(0,0,1000)")], terms=terms, percents=()).weight_provable

    assert (provable(independent=False), provable(independent=True)) == (0.0, 1.0)


def test_the_interval_s_ends_bracket_what_is_planned() -> None:
    sites = [site(str(n), 0.0, 9.5 + 0.5 * n, excluded=0) for n in range(8)]
    offered = [Candidate(landmark=landmark(str(n), 0.0, 9.6 + 0.5 * n, unit=str(n)), cost=1.0) for n in range(8)]
    made = plan(
        sites,
        offered,
        areas=[area("circle(0,0,1000)")],
        terms=Terms(delays=slowness(2.0, overhead_ms=1.0), fault_budget=1),
        between=(slowness(2.0, overhead_ms=3.0), slowness(2.0, overhead_ms=0.3)),
        percents=(50.0,),
    )
    assert made.weight_between is not None
    slow, quick = made.weight_between
    assert slow < made.weight_provable <= quick


def test_the_thresholds_of_48_cities_are_an_independent_computation_s_but_for_the_shape_of_the_earth(
    shared_data: Path,
) -> None:
    """Theirs are on a sphere of 6,371 km; ours are least path lengths, which are shorter, and never longer."""
    with (shared_data / "rtt/city_thresholds_mainland_china.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    at = points_of([Position(float(row["lat"]), float(row["lon"])) for row in rows])
    # Without the border error, and without the 15 m that drawing by arcs costs.
    ours_m = distances_to_edges(at, [area("CN")])[:, 0] + 15.0
    theirs_ms = np.array([float(row["max_rtt_ms_vacuum"]) for row in rows])
    difference = ours_m * 2e3 / SPEED_OF_LIGHT_M_PER_S / theirs_ms - 1.0
    far = theirs_ms > 0.3
    assert far.sum() == 46
    assert (difference[far] < -0.0019).all()
    assert (difference[far] > -0.0075).all()
    # On their sphere and by geodetic latitudes, our border gives their distances.
    border = border_points("CN")
    spherical_km = np.array([_haversine_km(float(row["lat"]), float(row["lon"]), border).min() for row in rows])
    theirs_km = np.array([float(row["km_to_mainland_china"]) for row in rows])
    assert np.abs(spherical_km - theirs_km).max() < 0.3
    assert np.median(np.abs(spherical_km - theirs_km)) < 0.06


def border_points(code: str) -> NDArray[np.float64]:
    """Points along a country's border, some 200 m apart at most."""
    pieces = []
    for polygon in packaged_borders().polygons(code):
        for ring in polygon:
            for start, end in pairwise(ring):
                steps = max(1, int(np.ceil(np.abs(end - start).max() / 0.002)))
                pieces.append(start + (end - start) * np.linspace(0, 1, steps, endpoint=False)[:, None])
    points: NDArray[np.float64] = np.radians(np.concatenate(pieces))
    return points


def _haversine_km(latitude: float, longitude: float, border: NDArray[np.float64]) -> NDArray[np.float64]:
    phi, lam = np.radians(latitude), np.radians(longitude)
    h = np.sin((border[:, 1] - phi) / 2) ** 2
    h += np.cos(phi) * np.cos(border[:, 1]) * np.sin((border[:, 0] - lam) / 2) ** 2
    return np.asarray(2 * 6371.0 * np.arcsin(np.sqrt(h)))


def test_no_two_places_are_farther_apart_than_the_farthest() -> None:
    poles = points_of([Position(90, 0), Position(-90, 0), Position(0, 0), Position(0, 180)])
    assert distances_m(poles, poles).max() <= FARTHEST_M
