"""The whole step from readings to verdicts.

What is decided here is only how the parts meet: bounds from `ranging`, areas from `geo`, the decisions
themselves in `kernels`. Nothing here reads a file or a clock; equal arguments give equal verdicts.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from lightbound.adjudication import kernels
from lightbound.adjudication.kernels import Case, Columns
from lightbound.adjudication.verdicts import Assumption, BorderUsed, Proof, Question, Verdicts, standings
from lightbound.geo import kernels as geometry
from lightbound.geo import regions
from lightbound.geo.compiled import compiled
from lightbound.geo.earth import LEAST_RADIUS_M, units
from lightbound.geo.kernels import Outlines
from lightbound.geo.outlines import Outline, pooled
from lightbound.geo.regions import ellipsoid_area_km2
from lightbound.geo.shapes import FLATTENING, Area, Circle
from lightbound.ranging.bounds import DEFAULT_WINDOW_NS, Bounds, Speed, bounds_of
from lightbound.ranging.readings import Chips, Landmark, Readings

ALGORITHM: Final = "lightbound.adjudicate/1"
"""Changes whenever equal evidence could get another word, or metres that differ by more than one."""

COMPILED_FROM_BOUNDS: Final = 20_000
"""From this many bounds on, compiled kernels pay for the second it takes to load them."""

CHIPS_AT_A_TIME: Final = 20_000
"""Chips judged between two reports of progress."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the reader of the verdicts is told about how they were reached."""

    speed: Speed = Speed.VACUUM
    fault_budget: int = 1
    proof: Proof = Proof.JOINT
    window_ns: int = DEFAULT_WINDOW_NS
    as_of_ns: int | None = None
    independent_landmarks: bool = False
    measure_regions: bool = False


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
    unit_names = [_fault_unit(landmark, settings) for landmark in landmarks]
    order = sorted(range(len(landmarks)), key=lambda i: (unit_names[i], i))
    rank = np.empty(len(landmarks), np.int32)
    rank[order] = np.arange(len(landmarks))
    landmarks = [landmarks[i] for i in order]
    unit_numbers = {name: number for number, name in enumerate(sorted(set(unit_names)))}
    position_error_m = np.array([landmark.position_error_m for landmark in landmarks])
    chip_numbers = {chip_id: number for number, chip_id in enumerate(chips.chip_ids)}

    bounds = bounds_of(
        Readings(
            landmark=rank[readings.landmark],
            chip=readings.chip,
            round_trip_ns=readings.round_trip_ns,
            measured_at_ns=readings.measured_at_ns,
            clock_error_ns=readings.clock_error_ns,
            session=readings.session,
            session_ids=readings.session_ids,
        ),
        landmark_count=len(landmarks),
        chip_count=len(chips),
        position_error_m=position_error_m,
        own_chip=np.array([chip_numbers.get(landmark.landmark_id, -1) for landmark in landmarks], np.int64),
        speed=settings.speed,
        window_ns=settings.window_ns,
        as_of_ns=settings.as_of_ns,
    )
    case = _case(
        bounds,
        landmarks=landmarks,
        landmark_unit=np.array([unit_numbers[unit_names[i]] for i in order], np.int64),
        position_error_m=position_error_m,
        chips=chips,
        areas=areas,
        settings=settings,
    )
    if use_compiled is None:
        use_compiled = len(bounds.bound_m) >= COMPILED_FROM_BOUNDS
    columns = _judged(case, len(chips), use_compiled=use_compiled, progress=progress)

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
        Assumption.ONE_KEY_ONE_PLACE: settings.proof is Proof.JOINT,
        Assumption.FIBRE_SPEED: settings.speed is Speed.FIBRE,
        Assumption.SIMULTANEOUS_READINGS: readings.measured_at_ns is None,
        Assumption.CLOCK_ERROR_NOT_STATED: readings.clock_error_ns is None,
        Assumption.INDEPENDENT_LANDMARKS: without_unit and settings.independent_landmarks,
        Assumption.ONE_FAULT_UNIT: without_unit and not settings.independent_landmarks,
    }
    return tuple(assumption for assumption, applies in holds.items() if applies)


def _fault_unit(landmark: Landmark, settings: Settings) -> tuple[int, str]:
    """The fault unit of a landmark. Those without a stated one are one unit together, unless said to be independent."""
    if landmark.fault_unit is not None:
        return (0, landmark.fault_unit)
    return (2, landmark.landmark_id) if settings.independent_landmarks else (1, "")


def _case(
    bounds: Bounds,
    *,
    landmarks: Sequence[Landmark],
    landmark_unit: NDArray[np.int64],
    position_error_m: NDArray[np.float64],
    chips: Chips,
    areas: Sequence[Area],
    settings: Settings,
) -> Case:
    circles: list[Circle] = []
    outlines: list[Outline] = []
    kind, index = np.zeros(len(areas), np.int64), np.zeros(len(areas), np.int64)
    for place, area in enumerate(areas):
        if isinstance(area.shape, Circle):
            kind[place], index[place] = kernels.CIRCLE, len(circles)
            circles.append(area.shape)
        else:
            kind[place], index[place] = kernels.OUTLINE, len(outlines)
            outlines.append(area.shape)
    latitudes = np.array([landmark.position.latitude for landmark in landmarks])
    longitudes = np.array([landmark.position.longitude for landmark in landmarks])
    distrust = np.zeros((len(landmarks), len(outlines)), np.uint8)
    for place, area in enumerate(areas):
        for code in area.countries:
            distrust[[landmark.country == code for landmark in landmarks], index[place]] = 1
    return Case(
        first_row=bounds.first_row,
        row_landmark=bounds.landmark,
        row_bound=bounds.bound_m / LEAST_RADIUS_M,
        landmark_points=units(latitudes, longitudes).ravel(),
        landmark_unit=landmark_unit,
        landmark_error=position_error_m / LEAST_RADIUS_M,
        landmark_distrust=distrust.ravel(),
        area_kind=kind,
        area_index=index,
        licensed=chips.licensed,
        excluded=chips.excluded,
        circles=np.array([(*circle.centre, circle.outer, circle.inner) for circle in circles]).ravel(),
        outlines=pooled(outlines),
        to_border=np.zeros(len(landmarks) * len(outlines)),
        flattening=FLATTENING,
        budget=settings.fault_budget,
        joint=settings.proof is Proof.JOINT,
        measure_regions=settings.measure_regions,
    )


def _judged(case: Case, chip_count: int, *, use_compiled: bool, progress: Callable[[int], None] | None) -> Columns:
    columns = Columns(
        contradiction=np.zeros(chip_count, np.uint8),
        verdict=np.zeros(2 * chip_count, np.int8),
        proof=np.zeros(2 * chip_count, np.int8),
        margin=np.zeros(2 * chip_count),
        region=np.zeros(chip_count),
        units_heard=np.zeros(chip_count, np.int32),
        landmarks_used=np.zeros(chip_count, np.int32),
        landmarks_ignored=np.zeros(chip_count, np.int32),
    )
    run: Any = compiled(geometry, regions, kernels) if use_compiled else kernels
    wanted = _wanted_distances(case)
    to_border = np.asarray(case.to_border)
    read = case if use_compiled else _indexable(case)
    run.fill_distances(
        wanted if use_compiled else _viewed(wanted), read.outlines, read.landmark_points, FLATTENING, to_border
    )
    for start in range(0, chip_count, CHIPS_AT_A_TIME):
        stop = min(start + CHIPS_AT_A_TIME, chip_count)
        run.judge(read, columns, start, stop)
        if progress:
            progress(stop - start)
    return columns


def _wanted_distances(case: Case) -> NDArray[np.int64]:
    """Which entries of `to_border` some chip's questions need."""
    count = len(case.outlines.leaves)
    kind, index = np.asarray(case.area_kind), np.asarray(case.area_index)
    landmark = np.asarray(case.row_landmark)
    chip = np.repeat(np.arange(len(case.licensed)), np.diff(np.asarray(case.first_row)))
    wanted = np.zeros(len(case.to_border), bool)
    for question in (np.asarray(case.licensed), np.asarray(case.excluded)):
        asked = question >= 0
        outline = np.where(asked, index[question], -1) if len(index) else np.full(len(question), -1)
        if len(kind):
            outline = np.where(asked & (kind[question] == kernels.OUTLINE), outline, -1)
        of_row = outline[chip]
        about = of_row >= 0
        wanted[landmark[about].astype(np.int64) * count + of_row[about]] = True
    return np.flatnonzero(wanted).astype(np.int64)


def _indexable(case: Case) -> Case:
    """The same case with arrays as memory views, whose entries are plain Python numbers and far faster to read."""
    fields = {name: _viewed(value) for name, value in case._asdict().items() if isinstance(value, np.ndarray)}
    return case._replace(outlines=Outlines(*(_viewed(value) for value in case.outlines)), **fields)


def _viewed(values: Any) -> Any:
    return memoryview(values)


def _question(columns: Columns, question: int) -> Question:
    return Question(
        verdict=columns.verdict[question::2],
        proof=columns.proof[question::2],
        margin_m=np.floor(columns.margin[question::2] * LEAST_RADIUS_M),
    )
