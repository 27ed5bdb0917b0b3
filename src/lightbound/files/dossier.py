"""Three files that belong together: landmarks, chips with their areas, measurements; and the verdicts on them.

Everything that reads them (`adjudicate`, and what explains, evaluates and draws them) goes through here, so that all
of them see the same rows, the same areas and the same borders.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from lightbound.adjudication.adjudicate import adjudicate
from lightbound.adjudication.facts import Settings
from lightbound.adjudication.questions import pairs_asked, relations
from lightbound.adjudication.verdicts import BorderUsed, Verdicts
from lightbound.errors import ErrorCode, Fault, Refused
from lightbound.files.chips import chip_columns_ignored, read_chips
from lightbound.files.doubts import doubts
from lightbound.files.faults import FAULTS_KEPT
from lightbound.files.geojson import drawing_path, read_drawing
from lightbound.files.landmarks import landmark_columns_ignored, read_landmarks
from lightbound.files.measurements import measurement_columns_ignored, read_measurements
from lightbound.geo.areas import Drawing, parse_area
from lightbound.geo.borders import DEFAULT_BORDER_ERROR_M, Borders, Polygon, packaged_borders
from lightbound.geo.shapes import Area, Relation, area_of
from lightbound.ranging.readings import Chips, Landmark, Readings

Steps: TypeAlias = Callable[[str, int], Callable[[int], None]]
"""Given a step's name and how many things it has (0: not known), what to call with each further count done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dossier:
    """What three files say, checked, and the areas they ask about, ready made."""

    readings: Readings
    landmarks: tuple[Landmark, ...]
    chips: Chips
    areas: list[Area]
    """One per entry of `chips.areas`."""
    borders: Borders
    border: BorderUsed
    notes: tuple[str, ...]
    """What a person should know and no verdict says: doubtful areas, columns and rows that were not looked at."""


def silent(_name: str, _total: int) -> Callable[[int], None]:
    """Progress that nobody looks at."""
    return lambda _count: None


class AreaMaker:
    """Makes areas from their texts, reading each drawing once; relative paths start at the folder of the chips."""

    def __init__(self, *, chips: Path, borders: Borders, border_error_m: float) -> None:
        """Nothing is read yet."""
        self._chips, self._borders, self._border_error_m = chips, borders, border_error_m
        self._drawings: dict[Drawing, tuple[Polygon, ...]] = {}

    def __call__(self, text: str) -> Area:
        """The area of an expression.

        Raises:
            Malformed: the text, a country in it, or a drawing it names.
            Unavailable: a drawing's file cannot be read.
        """
        parts = parse_area(text)
        for part in parts:
            if isinstance(part, Drawing) and part not in self._drawings:
                self._drawings[part] = read_drawing(drawing_path(part.path, beside=self._chips), part.feature)
        return area_of(parts, borders=self._borders, drawings=self._drawings, border_error_m=self._border_error_m)


def read_dossier(
    measurements: Path,
    *,
    landmarks: Path,
    chips: Path,
    border_error_m: int | None = None,
    steps: Steps = silent,
) -> Dossier:
    """Everything that three files say.

    Raises:
        Malformed: a file, with the first of its faults by line and the count of all.
        Refused: a licensed area lies inside the excluded area of the same chip.
        Unavailable: a file cannot be read.
    """
    borders = packaged_borders()
    error_m = int(DEFAULT_BORDER_ERROR_M) if border_error_m is None else border_error_m
    placed = read_landmarks(landmarks)
    make = AreaMaker(chips=chips, borders=borders, border_error_m=error_m)
    areas: list[Area] = []
    asked = read_chips(
        chips, make=lambda text: areas.append(make(text)), progress=steps("reading chips", chips.stat().st_size)
    )
    notes = _refuse_or_note(asked, areas, chips)
    readings = read_measurements(
        measurements,
        landmarks=placed,
        chips=asked,
        progress=steps("reading measurements", measurements.stat().st_size),
    )
    if (rows := readings.rows_of_unasked_chips) > 0:
        notes.append(f"{rows:,} {'rows are' if rows > 1 else 'row is'} about chips that {chips} does not list")
    notes.extend(doubts(readings, placed, borders))
    for path, ignored in (
        (measurements, measurement_columns_ignored(measurements)),
        (landmarks, landmark_columns_ignored(landmarks)),
        (chips, chip_columns_ignored(chips)),
    ):
        if ignored:
            notes.append(f"columns of {path} that were not looked at: {', '.join(ignored)}")
    return Dossier(
        readings=readings,
        landmarks=placed,
        chips=asked,
        areas=areas,
        borders=borders,
        border=BorderUsed.of(borders, error_m=error_m),
        notes=tuple(notes),
    )


def adjudicate_dossier(dossier: Dossier, settings: Settings, *, steps: Steps = silent) -> Verdicts:
    """The verdicts on every chip of a dossier."""
    return adjudicate(
        dossier.readings,
        landmarks=dossier.landmarks,
        chips=dossier.chips,
        areas=dossier.areas,
        border=dossier.border,
        settings=settings,
        progress=steps("judging chips", len(dossier.chips)),
    )


def _refuse_or_note(chips: Chips, areas: list[Area], path: Path) -> list[str]:
    """Refuse licences inside excluded areas; note those that touch one."""
    pairs = pairs_asked(chips)
    found = relations(pairs, areas)
    mistaken = [pair for pair, relation in zip(pairs, found, strict=True) if relation is Relation.INSIDE]
    if mistaken:
        faults = [
            Fault(
                code=ErrorCode.LICENSED_INSIDE_EXCLUDED,
                expected="a licensed area that is not inside the excluded one",
                found=f"{chips.areas[licensed]} inside {chips.areas[excluded]} for {_whose(chips, licensed, excluded)}",
                file=str(path),
                column="licensed_area",
                next="no place would satisfy the licence: correct one of the two areas",
            )
            for licensed, excluded in mistaken[:FAULTS_KEPT]
        ]
        raise Refused(faults, total=len(mistaken))
    touching = [pair for pair, relation in zip(pairs, found, strict=True) if relation is Relation.TOUCHING]
    notes = [
        f"licensed area {chips.areas[licensed]} may touch excluded area {chips.areas[excluded]} "
        f"({_whose(chips, licensed, excluded)})"
        for licensed, excluded in touching[:FAULTS_KEPT]
    ]
    if len(touching) > FAULTS_KEPT:
        notes.append(f"... and {len(touching) - FAULTS_KEPT:,} more licensed areas may touch the excluded one")
    return notes


def _whose(chips: Chips, licensed: int, excluded: int) -> str:
    """The first chip that asks about these two areas, and how many more do."""
    whose = ((chips.licensed == licensed) & (chips.excluded == excluded)).nonzero()[0]
    more = f" and {len(whose) - 1:,} more" if len(whose) > 1 else ""
    return f"chip {chips.chip_ids[whose[0]]}{more}"
