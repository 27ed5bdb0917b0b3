"""A mesh of landmarks from files, vetted; what was found as an object; and the list of landmarks that are left."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from lightbound.adjudication.verdicts import BorderUsed
from lightbound.errors import ErrorCode, Fault, Malformed
from lightbound.files.dossier import AreaMaker, Steps, silent
from lightbound.files.landmarks import landmark_columns_ignored, read_landmarks
from lightbound.files.measurements import measurement_columns_ignored, read_measurements
from lightbound.files.whole import whole_file
from lightbound.geo.borders import DEFAULT_BORDER_ERROR_M, packaged_borders
from lightbound.ranging.bounds import Speed
from lightbound.ranging.readings import Chips, Landmark, Readings
from lightbound.ranging.vetting import ALGORITHM, Contradiction, Vetting, distrusted_landmarks, vet

FORMAT: Final = "lightbound.vetting/1"

ENDINGS: Final = (".csv", ".parquet")
"""File endings that name a format in which landmarks are written."""


class VettingAssumption(StrEnum):
    """What a vetting takes for granted; `docs/vetting.md` puts each in plain words."""

    PATHS_NEAR_SURFACE = "paths_near_surface"
    LANDMARKS_STAY = "landmarks_stay"
    FEWEST_FAULTS = "fewest_faults"
    FIBRE_SPEED = "fibre_speed"
    CLOCK_ERROR_NOT_STATED = "clock_error_not_stated"
    INDEPENDENT_LANDMARKS = "independent_landmarks"
    BORDER_WITHIN_ERROR = "border_within_error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mesh:
    """Landmarks, what they measured of one another, and what that shows."""

    landmarks: tuple[Landmark, ...]
    vetting: Vetting
    excluded_area: str | None
    border: BorderUsed | None
    """None where no area was given, so that no border counted."""
    assumptions: tuple[VettingAssumption, ...]
    rows_of_no_landmark: int
    """Rows about something that is not in the list of landmarks."""
    notes: tuple[str, ...]


def read_mesh(measurements: Path, *, landmarks: Path, steps: Steps = silent) -> tuple[tuple[Landmark, ...], Readings]:
    """Landmarks and their readings of one another: chip number i is landmark number i.

    Raises:
        Malformed: a file, with the first of its faults by line and the count of all.
        Unavailable: a file cannot be read.
    """
    placed = read_landmarks(landmarks)
    nothing_asked = np.full(len(placed), -1, np.int32)
    readings = read_measurements(
        measurements,
        landmarks=placed,
        chips=Chips(
            chip_ids=tuple(landmark.landmark_id for landmark in placed),
            licensed=nothing_asked,
            excluded=nothing_asked,
            areas=(),
        ),
        progress=steps("reading measurements", measurements.stat().st_size),
    )
    return placed, readings


def vet_files(
    measurements: Path,
    *,
    landmarks: Path,
    exclude_area: str | None = None,
    speed: Speed = Speed.VACUUM,
    border_error_m: int | None = None,
    steps: Steps = silent,
) -> Mesh:
    """Everything that two files say about the places of landmarks. A relative drawing is looked for where we run.

    Raises:
        Malformed: a file, or the area.
        Unavailable: a file cannot be read.
        Refused: the contradictions are too tangled to be explained exactly.
    """
    error_m = int(DEFAULT_BORDER_ERROR_M) if border_error_m is None else border_error_m
    borders = packaged_borders()
    area = None
    if exclude_area is not None:
        make = AreaMaker(chips=Path("here"), borders=borders, border_error_m=error_m)
        try:
            area = make(exclude_area)
        except Malformed as error:
            told = [replace(fault, file=fault.file or "--exclude-area") for fault in error.faults]
            raise Malformed(told, total=error.total) from None
    placed, readings = read_mesh(measurements, landmarks=landmarks, steps=steps)
    vetting = vet(
        readings,
        landmarks=placed,
        distrusted=None if area is None else distrusted_landmarks(placed, area),
        speed=speed,
    )
    return Mesh(
        landmarks=placed,
        vetting=vetting,
        excluded_area=exclude_area,
        border=None if area is None else BorderUsed.of(borders, error_m=error_m),
        assumptions=_assumptions(readings, placed, vetting, bordered=area is not None),
        rows_of_no_landmark=readings.rows_of_unasked_chips,
        notes=tuple(
            f"columns of {path} that were not looked at: {', '.join(ignored)}"
            for path, ignored in (
                (measurements, measurement_columns_ignored(measurements)),
                (landmarks, landmark_columns_ignored(landmarks)),
            )
            if ignored
        ),
    )


def vetting_object(mesh: Mesh) -> dict[str, Any]:
    """The whole finding as one object of the documented format."""
    vetting, names = mesh.vetting, [landmark.landmark_id for landmark in mesh.landmarks]
    border = mesh.border
    return {
        "format": FORMAT,
        "algorithm": ALGORITHM,
        "speed": vetting.speed.value,
        "excluded_area": mesh.excluded_area,
        "landmarks": len(mesh.landmarks),
        "landmarks_heard": vetting.landmarks_heard,
        "landmarks_left": len(mesh.landmarks) - len(vetting.doubtful),
        "pairs_measured": vetting.pairs_measured,
        "rows": {
            "used": vetting.rows_used,
            "measured_in_excluded_area": vetting.rows_of_distrusted,
            "of_itself": vetting.rows_of_itself,
            "of_no_landmark": mesh.rows_of_no_landmark,
        },
        "distrusted": [names[landmark] for landmark in vetting.distrusted],
        "suspects": [
            {
                "landmark_id": names[suspect.landmark],
                "fault_unit": mesh.landmarks[suspect.landmark].fault_unit,
                "contradicted_by": vetting.contradicted_by[suspect.landmark],
                "units_at_fault": suspect.fewest,
                "units_at_fault_if_right": suspect.otherwise,
            }
            for suspect in vetting.suspects
        ],
        "ambiguous": [
            {"parts": [[names[landmark] for landmark in part] for part in group.parts], "at_least": group.at_least}
            for group in vetting.ambiguous
        ],
        "contradictions": [_contradiction(found, names) for found in vetting.contradictions],
        "assumptions": [str(assumption) for assumption in mesh.assumptions],
        "border": None
        if border is None
        else {
            "name": border.name,
            "version": border.version,
            "viewpoint": border.viewpoint,
            "sha256": border.sha256,
            "error_m": border.error_m,
        },
    }


def write_landmarks(landmarks: Sequence[Landmark], path: Path) -> None:
    """Write landmarks to a CSV or Parquet file, by its ending; it appears whole or not at all.

    Raises:
        Malformed: the ending names no format.
        Unavailable: the file cannot be written.
    """
    if path.suffix not in ENDINGS:
        raise Malformed(
            Fault(
                code=ErrorCode.FILE_FORMAT,
                expected=f"an output file ending in {' or '.join(ENDINGS)}",
                found=repr(path.name),
            )
        )
    columns: dict[str, Any] = {
        "landmark_id": pa.array([landmark.landmark_id for landmark in landmarks], pa.string()),
        "latitude": pa.array([landmark.position.latitude for landmark in landmarks], pa.float64()),
        "longitude": pa.array([landmark.position.longitude for landmark in landmarks], pa.float64()),
        "position_error_m": pa.array([landmark.position_error_m for landmark in landmarks], pa.float64()),
    }
    for name in ("fault_unit", "country"):
        values = [getattr(landmark, name) for landmark in landmarks]
        if any(value is not None for value in values):
            columns[name] = pa.array(values, pa.string())
    table = pa.table(columns)
    with whole_file(path) as stream:
        if path.suffix == ".csv":
            pa_csv.write_csv(table, stream)
        else:
            pq.write_table(table, stream, compression="zstd")


def _contradiction(found: Contradiction, names: Sequence[str]) -> dict[str, Any]:
    return {
        "landmarks": [names[found.first], names[found.second]],
        "measured_by": names[found.measured_by],
        "round_trip_ns": found.round_trip_ns,
        "least_path_m": found.least_path_m,
        "reach_m": found.reach_m,
        "excess_m": found.excess_m,
        "directions": found.directions,
    }


def _assumptions(
    readings: Readings, landmarks: Sequence[Landmark], vetting: Vetting, *, bordered: bool
) -> tuple[VettingAssumption, ...]:
    holds = {
        VettingAssumption.PATHS_NEAR_SURFACE: True,
        VettingAssumption.LANDMARKS_STAY: True,
        VettingAssumption.FEWEST_FAULTS: True,
        VettingAssumption.FIBRE_SPEED: vetting.speed is Speed.FIBRE,
        VettingAssumption.CLOCK_ERROR_NOT_STATED: readings.clock_error_ns is None,
        VettingAssumption.INDEPENDENT_LANDMARKS: any(landmark.fault_unit is None for landmark in landmarks),
        VettingAssumption.BORDER_WITHIN_ERROR: bordered,
    }
    return tuple(assumption for assumption, applies in holds.items() if applies)
