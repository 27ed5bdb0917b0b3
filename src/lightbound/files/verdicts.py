"""Verdicts as objects, and as JSON lines, CSV or Parquet files.

One object per chip, `lightbound.verdict/1` of docs/formats.md. Parquet holds the same objects as nested columns;
CSV holds them flat.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
from numpy.typing import NDArray

from lightbound.adjudication.verdicts import PROOFS, STANDINGS, VERDICTS, Assumption, Question, Verdicts
from lightbound.errors import ErrorCode, Fault, Malformed
from lightbound.files.whole import whole_file
from lightbound.geo.regions import equivalent_radius_km

FORMAT: Final = "lightbound.verdict/1"

ENDINGS: Final = (".jsonl", ".csv", ".parquet")
"""File endings that name a format to write."""

CHIPS_AT_A_TIME: Final = 50_000
"""Chips turned into objects or columns at once, so that a large file needs little memory."""


def write_verdicts(verdicts: Verdicts, path: Path, progress: Callable[[int], None] | None = None) -> None:
    """Write all verdicts to a file in the format its ending names; it appears whole or not at all.

    Raises:
        Malformed: the ending names no format.
        Unavailable: the file cannot be written.
    """
    if path.suffix not in ENDINGS:
        raise Malformed(
            Fault(
                code=ErrorCode.FILE_FORMAT,
                expected=f"an output file ending in {', '.join(ENDINGS)}",
                found=repr(path.name),
            )
        )
    with whole_file(path) as stream:
        if path.suffix == ".jsonl":
            for start in range(0, len(verdicts), CHIPS_AT_A_TIME):
                chunk = _chunk(verdicts, start)
                stream.writelines(json_line(verdict).encode() for verdict in objects(verdicts, chunk))
                if progress:
                    progress(len(chunk))
            return
        flat = path.suffix == ".csv"
        schema = table_of(verdicts, range(0), flat=flat).schema
        writer = pa_csv.CSVWriter(stream, schema) if flat else pq.ParquetWriter(stream, schema, compression="zstd")
        with writer:
            for start in range(0, len(verdicts), CHIPS_AT_A_TIME):
                chunk = _chunk(verdicts, start)
                writer.write_table(table_of(verdicts, chunk, flat=flat))
                if progress:
                    progress(len(chunk))


def json_line(verdict: dict[str, Any], *, ascii_only: bool = False) -> str:
    """One object as one line of JSON; with `ascii_only` it passes through pipes and terminals of any encoding."""
    return json.dumps(verdict, ensure_ascii=ascii_only, separators=(",", ":"), allow_nan=False) + "\n"


def objects(verdicts: Verdicts, chips: range | None = None) -> Iterator[dict[str, Any]]:
    """The verdicts on some chips, or all, each as one object of the documented format."""
    for start in (chips or range(len(verdicts)))[::CHIPS_AT_A_TIME]:
        stop = min(start + CHIPS_AT_A_TIME, chips.stop if chips else len(verdicts))
        yield from table_of(verdicts, range(start, stop), flat=False).to_pylist()


def table_of(verdicts: Verdicts, chips: range, *, flat: bool) -> pa.Table:
    """The verdicts on some chips as Arrow columns: nested like the objects, or flat for CSV."""
    part = slice(chips.start, chips.stop)
    count = len(chips)
    window = _group(
        "window",
        {
            "from": _times(verdicts.window_from_ns, verdicts.has_window, part),
            "to": _times(verdicts.window_to_ns, verdicts.has_window, part),
        },
        verdicts.has_window[part],
        flat=flat,
    )
    border = verdicts.border
    columns: dict[str, pa.Array] = {
        "format": _same(FORMAT, count),
        "chip_id": pa.array(verdicts.chip_ids[part], pa.string()),
        **window,
        "standing": _words(verdicts.standing[part], STANDINGS),
        **_question("licensed", verdicts.licensed, part, flat=flat),
        **_question("excluded", verdicts.excluded, part, flat=flat),
        "speed": _same(verdicts.speed.value, count),
        "fault_budget": _same(verdicts.fault_budget, count),
        "proof_allowed": _same(verdicts.proof.value, count),
        "fault_units_heard": pa.array(verdicts.units_heard[part], pa.int64()),
        "landmarks_used": pa.array(verdicts.landmarks_used[part], pa.int64()),
        "landmarks_ignored": pa.array(verdicts.landmarks_ignored[part], pa.int64()),
        "rows_outside_window": pa.array(verdicts.rows_outside_window[part], pa.int64()),
        "rows_superseded": pa.array(verdicts.rows_superseded[part], pa.int64()),
        "sessions": pa.nulls(count, pa.int64())
        if verdicts.sessions is None
        else pa.array(verdicts.sessions[part], pa.int64()),
        "assumptions": _assumptions(verdicts, part, flat=flat),
        **_group(
            "assurance",
            {
                "tier": _same(verdicts.assurance.tier, count),
                "reasons": _several(verdicts.assurance.reasons, count, flat=flat),
                "does_not_show": _several(verdicts.assurance.does_not_show, count, flat=flat),
            },
            np.ones(count, bool),
            flat=flat,
        ),
        **_group(
            "border",
            {
                "name": _same(border.name, count),
                "version": _same(border.version, count),
                "viewpoint": _same(border.viewpoint, count),
                "sha256": _same(border.sha256, count),
                "error_m": _same(border.error_m, count),
            },
            np.ones(count, bool),
            flat=flat,
        ),
        "algorithm": _same(verdicts.algorithm, count),
    }
    if verdicts.region_area_km2 is not None:
        area = verdicts.region_area_km2[part]
        region = {
            "area_km2": pa.array(area.astype(np.int64)),
            "equivalent_radius_km": pa.array(np.ceil(equivalent_radius_km(area)).astype(np.int64)),
        }
        columns |= _group("region", region, np.ones(count, bool), flat=flat)
    return pa.table(columns)


def _chunk(verdicts: Verdicts, start: int) -> range:
    return range(start, min(start + CHIPS_AT_A_TIME, len(verdicts)))


def _question(name: str, question: Question, part: slice, *, flat: bool) -> dict[str, pa.Array]:
    asked = question.verdict[part] >= 0
    margin = question.margin_m[part]
    known = asked & np.isfinite(margin)
    columns = {
        "verdict": _words(question.verdict[part], VERDICTS),
        "proof": _words(question.proof[part], PROOFS),
        "margin_m": pa.array(np.where(known, margin, 0).astype(np.int64), mask=~known),
    }
    return _group(name, columns, asked, flat=flat)


def _group(name: str, columns: dict[str, pa.Array], present: NDArray[np.bool_], *, flat: bool) -> dict[str, pa.Array]:
    """Columns that belong together: one nested column, null where absent, or flat ones with the name in front."""
    if flat:
        return {f"{name}_{field}": column for field, column in columns.items()}
    nested = pa.StructArray.from_arrays(list(columns.values()), names=list(columns), mask=pa.array(~present))
    return {name: nested}


def _words(codes: NDArray[np.int8], words: tuple[str, ...]) -> pa.Array:
    """The words that codes stand for; null where a code is negative."""
    indices = pa.array(np.maximum(codes, 0), pa.int8(), mask=codes < 0)
    return pa.DictionaryArray.from_arrays(indices, pa.array([str(word) for word in words])).cast(pa.string())


def _times(instants_ns: NDArray[np.int64] | None, known: NDArray[np.bool_], part: slice) -> pa.Array:
    """RFC 3339 texts in UTC with as many decimals as they need; null where not known."""
    if instants_ns is None:
        return pa.nulls(len(known[part]), pa.string())
    texts = np.datetime_as_string(np.where(known[part], instants_ns[part], 0).astype("datetime64[ns]"))
    trimmed = np.char.rstrip(np.char.rstrip(texts, "0"), ".")
    return pa.array(np.char.add(trimmed, "Z").tolist(), pa.string(), mask=~known[part])


def _same(value: str | float, count: int) -> pa.Array:
    return pa.repeat(pa.scalar(value), count)


def _assumptions(verdicts: Verdicts, part: slice, *, flat: bool) -> pa.Array:
    """The assumptions of each chip: those of all, and one place where its verdicts rest on it."""
    others = [word for word in verdicts.assumptions if word is not Assumption.ONE_KEY_ONE_PLACE]
    either = pa.concat_arrays([_several(words, 1, flat=flat) for words in (others, verdicts.assumptions)])
    return either.take(pa.array(verdicts.rests_on_one_place[part].astype(np.int8)))


def _several(words: Sequence[str], count: int, *, flat: bool) -> pa.Array:
    """The same words for every chip: a list, or one text with spaces where columns are flat."""
    texts = [str(word) for word in words]
    return _same(" ".join(texts), count) if flat else pa.array([texts] * count, pa.list_(pa.string()))
