"""One whole import: files in, one file of measurements (and one of landmarks) out, both whole or not at all."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from lightbound.errors import ErrorCode, Fault, Malformed
from lightbound.files.importing.atlas import AtlasSettings, atlas_rows
from lightbound.files.importing.atlas_places import FaultUnits
from lightbound.files.importing.dropped import Tally
from lightbound.files.importing.mapped_csv import CsvMap, csv_replies
from lightbound.files.importing.measurement_rows import ENDINGS, Row, ending_of, write_landmarks, write_rows
from lightbound.files.importing.ping_output import PingOutput
from lightbound.files.importing.replies import Reply, rows_of
from lightbound.files.importing.sources import Progress, Source, opened
from lightbound.files.whole import whole_file

SUMMARY_FORMAT: Final = "lightbound.import/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class LandmarksOut:
    """The file of landmarks that is to be written beside the measurements."""

    path: Path
    position_error_m: float
    fault_units: FaultUnits = FaultUnits.ASN


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """How many rows an import wrote."""

    measurements: int
    landmarks: int | None = None
    """None where no file of landmarks was asked for."""


def import_atlas(
    paths: Sequence[Path],
    out: Path | BinaryIO,
    settings: AtlasSettings,
    tally: Tally,
    *,
    landmarks_out: LandmarksOut | None = None,
    strict: bool = False,
    progress: Progress | None = None,
) -> Written:
    """Write the rows of all files, in order; and the landmarks that they name, of the places in `settings`.

    Raises:
        Malformed: nothing usable was found; or, if `strict`, anything malformed was. Nothing is written.
        Unavailable: a file cannot be read or written. Nothing is written.
    """
    heard: dict[str, None] = {}
    rows = atlas_rows(paths, settings, tally, heard=heard, progress=progress)
    with ExitStack() as written:
        # Left in the opposite order: landmarks take their name when the measurements have theirs.
        ending = "" if landmarks_out is None else _ending(landmarks_out.path)
        landmarks = None if landmarks_out is None else written.enter_context(whole_file(landmarks_out.path))
        file = str(paths[0]) + (f" and {len(paths) - 1} more" if len(paths) > 1 else "")
        count = _write(rows, out, tally, strict=strict, file=file, written=written)
        if landmarks is None or landmarks_out is None or settings.places is None:
            return Written(measurements=count)
        places = settings.places
        return Written(
            measurements=count,
            landmarks=write_landmarks(
                (
                    places[name].landmark(
                        name,
                        position_error_m=landmarks_out.position_error_m,
                        fault_units=landmarks_out.fault_units,
                    )
                    for name in heard
                ),
                landmarks,
                ending,
            ),
        )


def import_ping(
    path: Path,
    out: Path | BinaryIO,
    how: CsvMap | PingOutput,
    tally: Tally,
    *,
    every: bool = False,
    strict: bool = False,
    progress: Progress | None = None,
) -> Written:
    """Write the rows of one file of pings: of others' CSV, or of what ping or fping printed.

    Raises:
        Malformed: nothing usable was found; or, if `strict`, anything malformed was. Nothing is written.
        Unavailable: a file cannot be read or written. Nothing is written.
    """
    with ExitStack() as written, opened(path, tally, progress) as source:
        rows = rows_of(_replies(source, how, tally), tally, every=every)
        return Written(measurements=_write(rows, out, tally, strict=strict, file=source.name, written=written))


def _replies(source: Source, how: CsvMap | PingOutput, tally: Tally) -> Iterator[Reply]:
    return csv_replies(source, how, tally) if isinstance(how, CsvMap) else how.replies(source)


def _write(
    rows: Iterable[Row],
    out: Path | BinaryIO,
    tally: Tally,
    *,
    strict: bool,
    file: str,
    written: ExitStack,
) -> int:
    """Write all rows; what was opened for that is whole when `written` is left without an error."""
    if isinstance(out, Path):
        ending = _ending(out)
        stream = written.enter_context(whole_file(out))
    else:
        stream, ending = out, ".csv"
    count = write_rows(rows, stream, ending)
    if strict:
        tally.raise_if_malformed()
    if not count:
        raise tally.nothing_usable(file)
    return count


def _ending(path: Path) -> str:
    ending = ending_of(path.name)
    if ending is None:
        expected = f"an output file ending in {', '.join(ENDINGS)}"
        raise Malformed(Fault(code=ErrorCode.FILE_FORMAT, expected=expected, found=repr(path.name)))
    return ending
