"""What is missing for a proof, and what would settle the question: quicker answers, or landmarks elsewhere.

Only proofs *alone* are looked for, because they can be promised one landmark at a time: whatever else was heard, a
bound that proves the claim by itself goes on proving it. Round trips named here are the greatest that do. Whether
they can be had depends on where the chip is, which is the question; it is reckoned for a stated place, and
such times are for planning and prove nothing.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from geographiclib.geodesic import Geodesic

from lightbound.adjudication.kernels import distance_to_area, stands_in
from lightbound.adjudication.one_chip import OneChip
from lightbound.adjudication.places import Candidates, Reference
from lightbound.adjudication.verdicts import Verdict
from lightbound.geo.cities import City
from lightbound.geo.earth import ALTITUDE_SLACK_M, ARITHMETIC_SLACK_M, LEAST_RADIUS_M, Position
from lightbound.ranging.bounds import Speed
from lightbound.units import SPEED_OF_LIGHT_M_PER_S, reach_m

FIBRE_PATH_FRACTION_OF_C: Final = 2 / 3
"""Two thirds of c: what a straight fibre would give, and hardly any real path. For planning only."""

MOST_SUGGESTIONS: Final = 5
"""So many cities are named, the nearest to the reference place first: paths from there are the shortest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trip:
    """What a landmark would have to measure, and what the way from the reference place takes."""

    greatest_round_trip_ns: int
    """Greatest round trip, clock error included, whose bound proves the claim by itself."""
    distance_m: int | None
    """Geodesic distance to the reference place, rounded up; None where there is none."""
    least_ns_at_c: int | None
    """What light in vacuum takes there and back along the ground, rounded up."""
    least_ns_in_fibre: int | None
    """The same in straight fibre."""

    @property
    def possible(self) -> bool | None:
        """Whether light in vacuum is quick enough for a chip at the reference place; None: not known."""
        return None if self.least_ns_at_c is None else self.least_ns_at_c <= self.greatest_round_trip_ns

    @property
    def possible_in_fibre(self) -> bool | None:
        """Whether straight fibre is quick enough; None: not known."""
        return None if self.least_ns_in_fibre is None else self.least_ns_in_fibre <= self.greatest_round_trip_ns

    @property
    def hopes(self) -> tuple[bool, bool]:
        """For sorting: first what straight fibre could do, then what light in vacuum could."""
        return self.possible_in_fibre is False, self.possible is False


@dataclass(frozen=True, slots=True, kw_only=True)
class Fall:
    """How far the round trip of a landmark that was heard must fall for its bound to prove the claim by itself."""

    landmark_id: str
    unit: str
    round_trip_ns: int
    """What was measured, clock error included."""
    trip: Trip


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """A place where a landmark would prove the claim by itself, if it answered in time."""

    city: City | None
    """None: the licensed site itself."""
    position: Position
    position_error_m: float
    trip: Trip


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """What a claim lacks to be proven alone, and what would give it."""

    claim: Verdict
    """`within` the licensed area, or `outside` the excluded one."""
    units_proving: int
    units_needed: int
    """f + 1."""
    units_heard: int
    falls: tuple[Fall, ...]
    """The best landmark of each unit that does not prove it and stands where one could. First those that fibre could
    do, then those that light could; among them the one that lacks the least comes first."""
    suggestions: tuple[Suggestion, ...]

    @property
    def proofs_lacking(self) -> int:
        """How many more fault units must prove the claim, each by itself."""
        return self.units_needed - self.units_proving


def missing_for(
    case: OneChip,
    area: int,
    claim: Verdict,
    *,
    units_proving: int,
    reference: Reference | None,
    candidates: Candidates,
) -> Missing:
    """What is missing for `claim` about one area of a chip, given how many units prove it now."""
    return Missing(
        claim=claim,
        units_proving=units_proving,
        units_needed=case.settings.fault_budget + 1,
        units_heard=int(case.verdicts.units_heard[0]),
        falls=_falls(case, area, claim, reference),
        suggestions=_suggestions(case, area, claim, reference, candidates),
    )


def greatest_round_trip_ns(angle: float, *, position_error_m: float, speed: Speed) -> int:
    """Greatest round trip whose bound stays below an angle; 0 if none does, however quick.

    Counted down to from above with the arithmetic of bounds and verdicts, so that asking for it is enough.
    """
    room_m = angle * LEAST_RADIUS_M - position_error_m - (ALTITUDE_SLACK_M + ARITHMETIC_SLACK_M)
    if room_m <= 0:
        return 0
    duration = int(room_m / (SPEED_OF_LIGHT_M_PER_S * 0.5e-9 * speed.fraction_of_c)) + 1
    while duration > 0 and not angle - _bound(duration, position_error_m, speed) > 0.0:
        duration -= 1
    return duration


def _bound(duration_ns: int, position_error_m: float, speed: Speed) -> float:
    """The bound of a landmark as an angle, as `ranging.bounds` and `facts` have it."""
    reach = float(reach_m(np.array([duration_ns], np.int64), fraction_of_c=speed.fraction_of_c)[0])
    return (reach + position_error_m + (ALTITUDE_SLACK_M + ARITHMETIC_SLACK_M)) / LEAST_RADIUS_M


def _falls(case: OneChip, area: int, claim: Verdict, reference: Reference | None) -> tuple[Fall, ...]:
    best: dict[int, tuple[float, Fall]] = {}
    proving = set()
    durations, used = case.durations_ns(), case.rows_used()
    for cap in range(case.cap_count):
        number, unit = case.landmark_of_cap(cap), case.cap_units[cap]
        landmark = case.landmarks[number]
        angle = distance_to_area(case.facts, number, area)[claim is Verdict.WITHIN]
        if angle - case.caps[4 * cap + 3] > 0.0:
            proving.add(unit)
        greatest = greatest_round_trip_ns(angle, position_error_m=landmark.position_error_m, speed=case.settings.speed)
        measured = int(durations[used[case.cap_rows[cap]]])
        if greatest and (unit not in best or greatest / measured > best[unit][0]):
            fall = Fall(
                landmark_id=landmark.landmark_id,
                unit=case.units[unit],
                round_trip_ns=measured,
                trip=_trip(greatest, landmark.position, reference),
            )
            best[unit] = (greatest / measured, fall)
    lacking = [entry for unit, entry in best.items() if unit not in proving]
    lacking.sort(key=lambda entry: (*entry[1].trip.hopes, -entry[0], entry[1].landmark_id))
    return tuple(fall for _, fall in lacking)


def _suggestions(
    case: OneChip, area: int, claim: Verdict, reference: Reference | None, candidates: Candidates
) -> tuple[Suggestion, ...]:
    if reference is None:
        return ()
    found = []
    for number, (city, position, position_error_m) in enumerate(candidates.places):
        if case.excluded >= 0 and stands_in(candidates.facts, number, case.excluded):
            continue
        angle = distance_to_area(candidates.facts, number, area)[claim is Verdict.WITHIN]
        greatest = greatest_round_trip_ns(angle, position_error_m=position_error_m, speed=case.settings.speed)
        trip = _trip(greatest, position, reference)
        if greatest and trip.possible:
            found.append(Suggestion(city=city, position=position, position_error_m=position_error_m, trip=trip))
    # Those that ordinary cables could do come first; then the nearest. The site itself stands last in its list.
    found.sort(key=lambda suggestion: (*suggestion.trip.hopes, suggestion.trip.distance_m or 0))
    named = [suggestion for suggestion in found if suggestion.city][:MOST_SUGGESTIONS]
    return (*named, *(suggestion for suggestion in found if suggestion.city is None))


def _trip(greatest: int, position: Position, reference: Reference | None) -> Trip:
    if reference is None:
        return Trip(greatest_round_trip_ns=greatest, distance_m=None, least_ns_at_c=None, least_ns_in_fibre=None)
    there = reference.position
    distance = Geodesic.WGS84.Inverse(position.latitude, position.longitude, there.latitude, there.longitude)["s12"]
    at_c = 2.0 * distance / SPEED_OF_LIGHT_M_PER_S * 1e9
    return Trip(
        greatest_round_trip_ns=greatest,
        distance_m=int(np.ceil(distance)),
        least_ns_at_c=int(np.ceil(at_c)),
        least_ns_in_fibre=int(np.ceil(at_c / FIBRE_PATH_FRACTION_OF_C)),
    )
