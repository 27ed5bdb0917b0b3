"""From readings, landmarks, chips and areas to the flat facts that the kernels judge, and the judging itself."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from lightbound.adjudication import kernels
from lightbound.adjudication.kernels import Columns, Facts
from lightbound.adjudication.verdicts import Proof
from lightbound.geo import kernels as geometry
from lightbound.geo import regions
from lightbound.geo.compiled import compiled
from lightbound.geo.earth import LEAST_RADIUS_M, units
from lightbound.geo.kernels import Outlines
from lightbound.geo.outlines import Outline, pooled
from lightbound.geo.shapes import FLATTENING, Area, Circle
from lightbound.ranging.bounds import DEFAULT_WINDOW_NS, Bounds, Speed, bounds_of
from lightbound.ranging.readings import Chips, Landmark, Readings

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


def facts_of(
    readings: Readings,
    *,
    landmarks: Sequence[Landmark],
    chips: Chips,
    areas: Sequence[Area],
    settings: Settings,
) -> tuple[Facts, Bounds]:
    """The facts, landmarks renumbered so that those of one fault unit stand side by side; and the bounds they hold."""
    names = [_fault_unit(landmark, settings) for landmark in landmarks]
    order = sorted(range(len(landmarks)), key=lambda i: (names[i], i))
    rank = np.empty(len(landmarks), np.int32)
    rank[order] = np.arange(len(landmarks))
    landmarks = [landmarks[i] for i in order]
    numbers = {name: number for number, name in enumerate(sorted(set(names)))}
    chip_numbers = {chip_id: number for number, chip_id in enumerate(chips.chip_ids)}
    position_error_m = np.array([landmark.position_error_m for landmark in landmarks])
    bounds = bounds_of(
        replace(readings, landmark=rank[readings.landmark]),
        landmark_count=len(landmarks),
        chip_count=len(chips),
        position_error_m=position_error_m,
        own_chip=np.array([chip_numbers.get(landmark.landmark_id, -1) for landmark in landmarks], np.int64),
        speed=settings.speed,
        window_ns=settings.window_ns,
        as_of_ns=settings.as_of_ns,
    )
    facts = _facts(
        bounds,
        landmarks=landmarks,
        landmark_unit=np.array([numbers[names[i]] for i in order], np.int64),
        position_error_m=position_error_m,
        chips=chips,
        areas=areas,
        settings=settings,
    )
    return facts, bounds


def judged(
    facts: Facts,
    chip_count: int,
    *,
    use_compiled: bool | None = None,
    progress: Callable[[int], None] | None = None,
) -> Columns:
    """Judge every chip. `use_compiled` forces one of the two paths, which agree."""
    if use_compiled is None:
        use_compiled = len(facts.row_bound) >= COMPILED_FROM_BOUNDS
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
    wanted = _wanted_distances(facts)
    to_border = np.asarray(facts.to_border)
    read = facts if use_compiled else _indexable(facts)
    run.fill_distances(
        wanted if use_compiled else _viewed(wanted), read.outlines, read.landmark_points, FLATTENING, to_border
    )
    for start in range(0, chip_count, CHIPS_AT_A_TIME):
        stop = min(start + CHIPS_AT_A_TIME, chip_count)
        run.judge(read, columns, start, stop)
        if progress:
            progress(stop - start)
    return columns


def _fault_unit(landmark: Landmark, settings: Settings) -> tuple[int, str]:
    """The fault unit of a landmark. Those without a stated one are one unit together, unless said to be independent."""
    if landmark.fault_unit is not None:
        return (0, landmark.fault_unit)
    return (2, landmark.landmark_id) if settings.independent_landmarks else (1, "")


def _facts(
    bounds: Bounds,
    *,
    landmarks: Sequence[Landmark],
    landmark_unit: NDArray[np.int64],
    position_error_m: NDArray[np.float64],
    chips: Chips,
    areas: Sequence[Area],
    settings: Settings,
) -> Facts:
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
    return Facts(
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


def _wanted_distances(facts: Facts) -> NDArray[np.int64]:
    """Which entries of `to_border` some chip's questions need."""
    count = len(facts.outlines.leaves)
    kind, index = np.asarray(facts.area_kind), np.asarray(facts.area_index)
    landmark = np.asarray(facts.row_landmark)
    chip = np.repeat(np.arange(len(facts.licensed)), np.diff(np.asarray(facts.first_row)))
    wanted = np.zeros(len(facts.to_border), bool)
    for question in (np.asarray(facts.licensed), np.asarray(facts.excluded)):
        asked = question >= 0
        outline = np.where(asked, index[question], -1) if len(index) else np.full(len(question), -1)
        if len(kind):
            outline = np.where(asked & (kind[question] == kernels.OUTLINE), outline, -1)
        of_row = outline[chip]
        about = of_row >= 0
        wanted[landmark[about].astype(np.int64) * count + of_row[about]] = True
    return np.flatnonzero(wanted).astype(np.int64)


def _indexable(facts: Facts) -> Facts:
    """The same facts with arrays as memory views, whose entries are plain Python numbers and far faster to read."""
    fields = {name: _viewed(value) for name, value in facts._asdict().items() if isinstance(value, np.ndarray)}
    return facts._replace(outlines=Outlines(*(_viewed(value) for value in facts.outlines)), **fields)


def _viewed(values: Any) -> Any:
    return memoryview(values)
