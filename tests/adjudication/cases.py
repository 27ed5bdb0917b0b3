"""Random small cases as files would give them: readings with times and errors, landmarks of every kind, two areas."""

import functools
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from geographiclib.geodesic import Geodesic

from lightbound.adjudication.adjudicate import adjudicate
from lightbound.adjudication.explaining import explain
from lightbound.adjudication.explanation import Explanation
from lightbound.adjudication.facts import Settings
from lightbound.adjudication.verdicts import BorderUsed, Proof, Verdicts
from lightbound.geo.areas import parse_area
from lightbound.geo.borders import packaged_borders
from lightbound.geo.cities import Cities, packaged_cities
from lightbound.geo.earth import Position
from lightbound.geo.shapes import Area, area_of
from lightbound.ranging.bounds import Speed
from lightbound.ranging.readings import Chips, Landmark, Readings

HOUR_NS: Final = 3_600_000_000_000
NOON_NS: Final = 1_772_000_000_000_000_000
BORDER: Final = BorderUsed(name="n", version="v", viewpoint="w", sha256="0" * 64, error_m=2000)


@functools.cache
def area(text: str) -> Area:
    """The area of a text without drawings, with a border error of 2 km."""
    return area_of(parse_area(text), borders=packaged_borders(), drawings={}, border_error_m=2000.0)


@functools.cache
def some_cities() -> Cities:
    """Every eighth city: suggestions from them cost an eighth of the time."""
    return replace(packaged_cities(), cities=packaged_cities().cities[::8])


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What `adjudicate` and `explain` are given."""

    readings: Readings
    landmarks: tuple[Landmark, ...]
    chips: Chips
    settings: Settings
    places: tuple[Position, ...] = ()
    """Where each chip truly is."""

    def verdicts(self) -> Verdicts:
        return adjudicate(
            self.readings,
            landmarks=self.landmarks,
            chips=self.chips,
            areas=[area(text) for text in self.chips.areas],
            border=BORDER,
            settings=self.settings,
            use_compiled=False,
        )

    def explanation(self, chip: int = 0, *, cities: Cities | None = None) -> Explanation:
        return explain(
            chip,
            readings=self.readings,
            landmarks=self.landmarks,
            chips=self.chips,
            areas=[area(text) for text in self.chips.areas],
            border=BORDER,
            settings=self.settings,
            cities=cities or some_cities(),
        )


def case_of(
    rows: list[tuple[str, float]],
    landmarks: list[Landmark],
    *,
    licensed: str = "",
    excluded: str = "",
    settings: Settings | None = None,
) -> Case:
    """One chip named `chip`, and rows of landmark and milliseconds."""
    numbers = {landmark.landmark_id: number for number, landmark in enumerate(landmarks)}
    texts = tuple(dict.fromkeys(text for text in (licensed, excluded) if text))
    return Case(
        readings=Readings(
            landmark=np.array([numbers[name] for name, _ in rows], np.int32),
            chip=np.zeros(len(rows), np.int32),
            round_trip_ns=np.array([round(ms * 1e6) for _, ms in rows], np.int64),
        ),
        landmarks=tuple(landmarks),
        chips=Chips(
            chip_ids=("chip",),
            licensed=np.array([texts.index(licensed) if licensed else -1], np.int32),
            excluded=np.array([texts.index(excluded) if excluded else -1], np.int32),
            areas=texts,
        ),
        settings=settings or Settings(fault_budget=1, independent_landmarks=True),
    )


def landmark(name: str, latitude: float, longitude: float, *, unit: str | None = None, error_m: float = 0) -> Landmark:
    return Landmark(landmark_id=name, position=Position(latitude, longitude), position_error_m=error_m, fault_unit=unit)


def distance_m(one: Position, other: Position) -> float:
    return float(Geodesic.WGS84.Inverse(one.latitude, one.longitude, other.latitude, other.longitude)["s12"])


def moved(rng: np.random.Generator, start: Position, greatest_m: float) -> Position:
    """A place up to so far away."""
    end = Geodesic.WGS84.Direct(start.latitude, start.longitude, rng.uniform(0, 360), rng.uniform(0, greatest_m))
    return Position(end["lat2"], end["lon2"])


def least_ns(start: Position, end: Position) -> int:
    """Round trip of light along the ground, rounded up, and not zero."""
    return int(np.ceil(2e9 * distance_m(start, end) / 299_792_458)) + 1


def random_case(seed: int, *, liars: bool) -> Case:
    """Three chips anywhere, up to eight landmarks each; with `liars`, some round trips are shorter than light's."""
    rng = np.random.default_rng(seed)
    chip_ids = ("a", "b", "c")
    places = [moved(rng, Position(rng.uniform(-60, 70), rng.uniform(-180, 180)), 1e6) for _ in chip_ids]
    if rng.random() < 0.5:
        places[0] = moved(rng, Position(30.0, 110.0), 3e6)  # around China
    count = int(rng.integers(1, 9))
    stated = rng.random() < 0.7
    landmarks = tuple(
        Landmark(
            landmark_id="a" if number == 3 else f"lm{number}",
            position=moved(
                rng,
                places[int(rng.integers(0, 3))],
                10 ** rng.uniform(4, 6.9),
            ),
            position_error_m=float(rng.choice([0.0, 100.0, 20_000.0])),
            fault_unit=f"u{rng.integers(0, count)}" if stated else None,
            country=str(rng.choice(["CN", "DE"])) if rng.random() < 0.2 else None,
        )
        for number in range(count)
    )
    rows = [
        (number, chip)
        for number in range(count)
        for chip in range(3)
        for _ in range(int(rng.choice([0, 1, 1, 1, 2, 3])))
    ]
    stretch = 10 ** rng.uniform(0, 0.5)
    trips = [
        least_ns(landmarks[number].position, places[chip]) * stretch * rng.uniform(1, 1.05)
        + rng.uniform(0, 1e5)
        + landmarks[number].position_error_m * 7
        for number, chip in rows
    ]
    if liars:
        trips = [trip * rng.uniform(0.01, 0.5) if rng.random() < 0.15 else trip for trip in trips]
    excluded = rng.choice(["CN", "CN+HK+MO", "DE", f"circle({places[1].latitude},{places[1].longitude},800)"], 3)
    licensed = [
        f"circle({place.latitude},{place.longitude},{rng.choice([25, 200, 400, 4000])})" if rng.random() < 0.7 else "DE"
        for place in places
    ]
    texts = tuple(dict.fromkeys((*licensed, *map(str, excluded))))
    timed = rng.random() < 0.5
    return Case(
        readings=Readings(
            landmark=np.array([number for number, _ in rows], np.int32),
            chip=np.array([chip for _, chip in rows], np.int32),
            round_trip_ns=np.array(trips, np.float64).astype(np.int64) + 1,
            measured_at_ns=NOON_NS + rng.integers(-2 * HOUR_NS, HOUR_NS, len(rows)) if timed else None,
            clock_error_ns=rng.integers(0, 5000, len(rows)) if rng.random() < 0.3 else None,
        ),
        landmarks=landmarks,
        chips=Chips(
            chip_ids=chip_ids,
            licensed=np.array([texts.index(text) if rng.random() < 0.8 else -1 for text in licensed], np.int32),
            excluded=np.array([texts.index(str(text)) if rng.random() < 0.8 else -1 for text in excluded], np.int32),
            areas=texts,
        ),
        settings=Settings(
            speed=Speed.FIBRE if rng.random() < 0.1 else Speed.VACUUM,
            fault_budget=int(rng.integers(0, 3)),
            proof=Proof.ALONE if rng.random() < 0.2 else Proof.JOINT,
            independent_landmarks=bool(rng.random() < 0.7),
            measure_regions=True,
        ),
        places=tuple(places),
    )


def surrounded_case(seed: int) -> Case:
    """One chip with quick landmarks all around it, none of which proves much by itself: joint proofs are found."""
    rng = np.random.default_rng(seed)
    place = Position(rng.uniform(-60, 70), rng.uniform(-180, 180))
    count = int(rng.integers(5, 10))
    placed = []
    for number in range(count):
        bearing = 360 / count * (number + rng.uniform(-0.3, 0.3))
        end = Geodesic.WGS84.Direct(place.latitude, place.longitude, bearing, rng.uniform(3e5, 8e5))
        placed.append(landmark(f"lm{number}", end["lat2"], end["lon2"]))
    site, refuge = moved(rng, place, 8e4), moved(rng, place, 9e5)
    return case_of(
        [(one.landmark_id, least_ns(one.position, place) * rng.uniform(1, 1.15) / 1e6) for one in placed],
        placed,
        licensed=f"circle({site.latitude},{site.longitude},{rng.uniform(150, 400):.3f})",
        excluded=f"circle({refuge.latitude},{refuge.longitude},{rng.uniform(50, 300):.3f})",
        settings=Settings(fault_budget=int(rng.integers(0, 2)), independent_landmarks=True),
    )
