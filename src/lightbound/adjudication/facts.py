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
    readings = replace(readings, landmark=rank[readings.landmark])
    ground = _ground(
        landmarks=landmarks,
        landmark_unit=np.array([numbers[names[i]] for i in order], np.int64),
        chips=chips,
        areas=areas,
        settings=settings,
    )
    newest_decides = readings.measured_at_ns is not None and settings.as_of_ns is None
    bounds = bounds_of(
        readings,
        landmark_count=len(landmarks),
        chip_count=len(chips),
        position_error_m=np.array([landmark.position_error_m for landmark in landmarks]),
        own_chip=np.array([chip_numbers.get(landmark.landmark_id, -1) for landmark in landmarks], np.int64),
        speed=settings.speed,
        window_ns=settings.window_ns,
        as_of_ns=settings.as_of_ns,
        believed=_believed(ground, readings) if newest_decides else None,
    )
    facts = ground._replace(
        first_row=bounds.first_row, row_landmark=bounds.landmark, row_bound=bounds.bound_m / LEAST_RADIUS_M
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
    run, read = _runner(facts, use_compiled=use_compiled)
    chip = np.repeat(np.arange(chip_count), np.diff(np.asarray(facts.first_row)))
    for question in (facts.licensed, facts.excluded):
        _fill_distances(facts, np.asarray(facts.row_landmark), np.asarray(question)[chip], use_compiled=use_compiled)
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


def _ground(
    *,
    landmarks: Sequence[Landmark],
    landmark_unit: NDArray[np.int64],
    chips: Chips,
    areas: Sequence[Area],
    settings: Settings,
) -> Facts:
    """Everything but the bounds."""
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
        first_row=np.zeros(len(chips) + 1, np.int64),
        row_landmark=np.zeros(0, np.int32),
        row_bound=np.zeros(0),
        landmark_points=units(latitudes, longitudes).ravel(),
        landmark_unit=landmark_unit,
        landmark_error=np.array([landmark.position_error_m for landmark in landmarks]) / LEAST_RADIUS_M,
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


def _believed(ground: Facts, readings: Readings) -> NDArray[np.bool_]:
    """Which rows are of landmarks that surely stand outside the excluded area of the chip, shape of the rows."""
    believed = np.ones(len(readings), np.bool_)
    excluded = np.asarray(ground.excluded)[readings.chip]
    asked = np.flatnonzero(excluded >= 0)
    area_count = len(ground.area_kind)
    pairs, of_row = np.unique(
        readings.landmark[asked].astype(np.int64) * area_count + excluded[asked], return_inverse=True
    )
    landmark, area = pairs // max(1, area_count), pairs % max(1, area_count)
    use_compiled = len(pairs) >= COMPILED_FROM_BOUNDS
    _fill_distances(ground, landmark, area, use_compiled=use_compiled)
    run, read = _runner(ground, use_compiled=use_compiled)
    inside = np.zeros(len(pairs), np.bool_)
    run.find_landmarks_inside(read, landmark, area, inside)
    believed[asked] = ~inside[of_row]
    return believed


def _fill_distances(
    facts: Facts, landmark: NDArray[np.integer[Any]], area: NDArray[np.integer[Any]], *, use_compiled: bool
) -> None:
    """Fill in `to_border` for pairs of a landmark and an area; where an area is no outline there is nothing to fill."""
    outlined = np.append(np.asarray(facts.area_kind) == kernels.OUTLINE, False)  # the last one: no area
    about = outlined[area]
    wanted = np.zeros(len(facts.to_border), bool)
    outline = np.append(np.asarray(facts.area_index), 0)[area[about]]
    wanted[landmark[about].astype(np.int64) * len(facts.outlines.leaves) + outline] = True
    places = np.flatnonzero(wanted & (np.asarray(facts.to_border) == 0.0)).astype(np.int64)
    run, read = _runner(facts, use_compiled=use_compiled)
    run.fill_distances(
        places if use_compiled else _viewed(places),
        read.outlines,
        read.landmark_points,
        FLATTENING,
        np.asarray(facts.to_border),
    )


def _runner(facts: Facts, *, use_compiled: bool) -> tuple[Any, Facts]:
    """The kernels, compiled or plain, and the facts in the shape that is quickest for them to read."""
    return (compiled(geometry, regions, kernels), facts) if use_compiled else (kernels, _indexable(facts))


def _indexable(facts: Facts) -> Facts:
    """The same facts with arrays as memory views, whose entries are plain Python numbers and far faster to read."""
    fields = {name: _viewed(value) for name, value in facts._asdict().items() if isinstance(value, np.ndarray)}
    return facts._replace(outlines=Outlines(*(_viewed(value) for value in facts.outlines)), **fields)


def _viewed(values: Any) -> Any:
    return memoryview(values)
