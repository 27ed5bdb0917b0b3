"""The whole step from readings to verdicts.

What is decided here is only how the parts meet: bounds from `ranging`, areas from `geo`, the decisions
themselves in `kernels`. Nothing here reads a file or a clock; equal arguments give equal verdicts.
"""

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from lightbound.adjudication.facts import Settings, facts_of, judged
from lightbound.adjudication.kernels import JOINT, Columns
from lightbound.adjudication.verdicts import Assumption, BorderUsed, Question, Verdicts, standings
from lightbound.attestation.tiers import UNATTESTED
from lightbound.geo.earth import LEAST_RADIUS_M
from lightbound.geo.regions import ellipsoid_area_km2
from lightbound.geo.shapes import Area
from lightbound.ranging.bounds import Speed
from lightbound.ranging.readings import Chips, Landmark, Readings

ALGORITHM: Final = "lightbound.adjudicate/1"
"""Changes whenever equal evidence could get another word, or metres that differ by more than one."""


def adjudicate(
    readings: Readings,
    *,
    landmarks: Sequence[Landmark],
    chips: Chips,
    areas: Sequence[Area],
    border: BorderUsed,
    settings: Settings,
    progress: Callable[[int], None] | None = None,
    use_compiled: bool | None = None,
) -> Verdicts:
    """Verdicts on every chip, in the order of `chips`; `areas` are those of `chips.areas`, ready made.

    No `within` or `outside` is wrong while the assumptions listed in the result hold. `use_compiled` forces the
    path of computation; both give the same words, and metres within one.
    """
    facts, bounds = facts_of(readings, landmarks=landmarks, chips=chips, areas=areas, settings=settings)
    columns = judged(facts, len(chips), use_compiled=use_compiled, progress=progress)
    licensed, excluded = _question(columns, 0), _question(columns, 1)
    has_rows = np.diff(bounds.first_row) > 0
    timed = readings.measured_at_ns is not None
    return Verdicts(
        chip_ids=chips.chip_ids,
        standing=standings(columns.contradiction.astype(bool), licensed, excluded),
        licensed=licensed,
        excluded=excluded,
        window_from_ns=bounds.window_from_ns,
        window_to_ns=bounds.window_to_ns,
        has_window=(has_rows | (settings.as_of_ns is not None)) & timed,
        units_heard=columns.units_heard,
        landmarks_used=columns.landmarks_used,
        landmarks_ignored=columns.landmarks_ignored,
        rows_outside_window=bounds.rows_outside_window,
        rows_superseded=bounds.rows_superseded,
        sessions=bounds.sessions,
        region_area_km2=np.ceil(ellipsoid_area_km2(columns.region)) if settings.measure_regions else None,
        speed=settings.speed,
        fault_budget=settings.fault_budget,
        proof=settings.proof,
        window_ns=settings.window_ns,
        rests_on_one_place=(licensed.proof == JOINT)
        | (excluded.proof == JOINT)
        | columns.contradiction.astype(bool)
        | settings.measure_regions,
        assurance=UNATTESTED,
        assumptions=assumptions(readings, landmarks, settings),
        border=border,
        algorithm=ALGORITHM,
    )


def assumptions(readings: Readings, landmarks: Sequence[Landmark], settings: Settings) -> tuple[Assumption, ...]:
    """Everything the verdicts take for granted, given what the files say and what was asked."""
    without_unit = any(landmark.fault_unit is None for landmark in landmarks)
    holds = {
        Assumption.FAULTS_WITHIN_BUDGET: True,
        Assumption.PATHS_NEAR_SURFACE: True,
        Assumption.BORDER_WITHIN_ERROR: True,
        Assumption.ONE_KEY_ONE_PLACE: True,
        Assumption.FIBRE_SPEED: settings.speed is Speed.FIBRE,
        Assumption.SIMULTANEOUS_READINGS: readings.measured_at_ns is None,
        Assumption.CLOCK_ERROR_NOT_STATED: readings.clock_error_ns is None,
        Assumption.INDEPENDENT_LANDMARKS: without_unit and settings.independent_landmarks,
        Assumption.ONE_FAULT_UNIT: without_unit and not settings.independent_landmarks,
    }
    return tuple(assumption for assumption, applies in holds.items() if applies)


def _question(columns: Columns, question: int) -> Question:
    return Question(
        verdict=columns.verdict[question::2],
        proof=columns.proof[question::2],
        margin_m=np.floor(columns.margin[question::2] * LEAST_RADIUS_M),
    )
