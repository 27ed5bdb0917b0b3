"""`lightbound import`: measurements as other tools write them, turned into the project's own."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, BinaryIO, Final

import typer

from lightbound.cli.import_summary import summary_of, tell
from lightbound.cli.terminal import refuse_to_replace
from lightbound.cli.verdict_options import duration_ns, instant_ns

import_app = typer.Typer(
    name="import",
    help="Turn what other tools measured into measurements and landmarks.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

ENDINGS: Final = (".csv", ".csv.gz", ".parquet")
BLUR_M: Final = 1000.0
"""RIPE Atlas publishes positions blurred by up to so much."""

ATLAS_HELP = """Import ping results of RIPE Atlas.

\b
FILES are what the public API and its archives give, also packed by gzip
or bzip2, - being standard input:
  a JSON array     .../measurements/1001/results/
  JSON lines       .../measurements/1001/results/?format=txt, daily dumps
  stream messages  ["atlas_result", {...}], one a line
Of each result the least round trip becomes a row: landmark_id, chip_id,
round_trip_ns, measured_at, samples; ids are probe:6771 and
target:193.0.14.129. What is left out is counted by reason, and the first
malformed results are shown with file, line or number, and field.

\b
--landmarks-are says whose place is known:
  probes   (default) the probe is the landmark, its target the chip
  targets  the target is the landmark, the probe the chip; the chip then
           times itself, which is a study and never proof

\b
--probes FILE gives places: probes or anchors as the API or the daily
archive give them; may be repeated, and of two entries for one probe the
first counts. With it, --landmarks-out writes the landmarks that were
heard, and results of landmarks without a place are left out. Hosts type
those places in, and RIPE Atlas blurs them by up to 1 km: how far off they
may be is for you to say, by --position-error-m.

\b
None of this is evidence against anybody who cheats: echo requests can be
answered by others and before they arrive. It is for planning and research.

\b
Examples:
  lightbound import ripe-atlas results.json --out rtt.csv
  lightbound import ripe-atlas day-*.json.gz --probes 20260301.json.bz2 \\
      --position-error-m 5000 --landmarks-out landmarks.csv \\
      --out rtt.parquet
"""

PING_HELP = """Import what ping or fping printed, or CSV of others.

\b
FILE, or - for standard input, is read line by line, also if packed by
gzip or bzip2:
  ping   of iputils, in English: with or without -D, -O, -q; IPv4 and IPv6
  fping  -C, -c, -e, with or without -D, -q
  CSV    with --map: which of its columns is what
One row per target with its quickest answer, or with --every one row per
answer. What is left out is counted by reason, and the first malformed
lines are shown.

\b
The output of ping and fping does not say who measured: --landmark does.
The chip is target:ADDRESS, unless --chip says otherwise. Both tools round
to the digits they print (145 ms can have been 145.5 ms, or 75 km), so half
of the last digit is added.

\b
--map OURS=THEIRS,... for a CSV with a header; OURS is one of
  landmark_id, chip_id    or --landmark, --chip for all rows
  round_trip_ns, round_trip_us, round_trip_ms, round_trip_s
  measured_at             RFC 3339, with its offset from UTC
  measured_at_unix_s      seconds since 1970 UTC
  samples                 how many answers the row is the least of
--add-ms N is added to each round trip: half a unit, say, where THEIRS are
rounded to whole milliseconds.

\b
None of this is evidence against anybody who cheats: echo requests can be
answered by others and before they arrive. It is for planning and research.

\b
Examples:
  ping -D -c 20 192.0.2.7 | lightbound import ping - --landmark fra1
  fping -C 20 -q -f hosts.txt 2>out; \\
      lightbound import ping out --landmark fra1 --out rtt.csv
  lightbound import ping mesh.csv.gz --out rtt.parquet \\
      --map landmark_id=source,chip_id=target,round_trip_ms=rtt_ms
"""


class LandmarksAreChoice(StrEnum):
    """Mirror of `files.importing.atlas.LandmarksAre`, which is behind numpy; a test holds the two together."""

    PROBES = "probes"
    TARGETS = "targets"


class TargetsByChoice(StrEnum):
    """Mirror of `files.importing.atlas.TargetsBy`."""

    ADDRESS = "address"
    NAME = "name"


class FaultUnitsChoice(StrEnum):
    """Mirror of `files.importing.atlas_places.FaultUnits`."""

    ASN = "asn"
    COUNTRY = "country"
    PROBE = "probe"


OutOption = Annotated[
    Path | None,
    typer.Option(
        dir_okay=False, metavar="FILE", help="Write to FILE.csv, .csv.gz or .parquet. Default: CSV on standard output."
    ),
]
JsonOption = Annotated[
    bool, typer.Option("--json", help="Print the summary as JSON on standard output; only with --out.")
]
StrictOption = Annotated[
    bool, typer.Option("--strict", help="If anything is malformed, write nothing and end with exit code 3.")
]


@import_app.command("ripe-atlas", help=ATLAS_HELP)
def ripe_atlas(
    files: Annotated[
        list[Path],
        typer.Argument(dir_okay=False, metavar="FILES...", help="Results of pings."),
    ],
    *,
    landmarks_are: Annotated[
        LandmarksAreChoice, typer.Option(help="Which end of a measurement is the landmark.")
    ] = LandmarksAreChoice.PROBES,
    targets_by: Annotated[
        TargetsByChoice, typer.Option(help="What a target is called by in its id.")
    ] = TargetsByChoice.ADDRESS,
    synced_within: Annotated[
        str | None,
        typer.Option(metavar="DURATION", help="Leave out results of probes whose clock was not found right so lately."),
    ] = None,
    probes: Annotated[
        list[Path] | None,
        typer.Option(exists=True, dir_okay=False, metavar="FILE", help="Places of probes or anchors. May be repeated."),
    ] = None,
    anchors_only: Annotated[
        bool, typer.Option("--anchors-only", help="Only landmarks that are anchors. Needs --probes.")
    ] = False,
    landmarks_out: Annotated[
        Path | None,
        typer.Option(dir_okay=False, metavar="FILE", help="Write the landmarks heard to FILE, named like --out."),
    ] = None,
    position_error_m: Annotated[
        float | None,
        typer.Option(min=0, max=20_037_508, metavar="N", help="How far off the places may be. For --landmarks-out."),
    ] = None,
    fault_units: Annotated[
        FaultUnitsChoice, typer.Option(help="Which landmarks fail together, for --landmarks-out.")
    ] = FaultUnitsChoice.ASN,
    out: OutOption = None,
    as_json: JsonOption = False,
    strict: StrictOption = False,
) -> None:
    """Import ping results of RIPE Atlas."""
    _check_in(files)
    for output in (out, landmarks_out):
        refuse_to_replace(output, (*files, *(probes or [])))
    _check_out(out, as_json=as_json)
    if landmarks_out is not None:
        if not probes or position_error_m is None:
            raise typer.BadParameter("--landmarks-out needs --probes and --position-error-m")
        _check_ending(landmarks_out)
        if out is not None and out.resolve() == landmarks_out.resolve():
            raise typer.BadParameter("--out and --landmarks-out name the same file")
    if anchors_only and not probes:
        raise typer.BadParameter("--anchors-only needs --probes")
    synced_within_s = None if synced_within is None else duration_ns(synced_within) // 1_000_000_000

    from lightbound.cli.progress import progress
    from lightbound.files.importing.atlas import AtlasSettings, LandmarksAre, TargetsBy, places_by_landmark
    from lightbound.files.importing.atlas_places import FaultUnits, read_places
    from lightbound.files.importing.dropped import Tally
    from lightbound.files.importing.runs import LandmarksOut, import_atlas

    tally = Tally()
    notes = []
    with progress() as steps, _standard_output_whole(out) as target:
        places = None
        if probes:
            places, ambiguous = places_by_landmark(
                read_places(probes, tally, steps("reading places", _bytes(probes))),
                LandmarksAre(landmarks_are),
                TargetsBy(targets_by),
            )
            tally.items = 0  # places are not what was imported; malformed ones stay counted
            if ambiguous:
                notes.append(f"{len(ambiguous):,} addresses are those of several probes, and so no landmark's")
        written = import_atlas(
            files,
            target,
            AtlasSettings(
                landmarks_are=LandmarksAre(landmarks_are),
                targets_by=TargetsBy(targets_by),
                synced_within_s=synced_within_s,
                places=places,
                anchors_only=anchors_only,
            ),
            tally,
            landmarks_out=None
            if landmarks_out is None or position_error_m is None
            else LandmarksOut(
                path=landmarks_out, position_error_m=position_error_m, fault_units=FaultUnits(fault_units)
            ),
            strict=strict,
            progress=steps("reading results", _bytes(files)),
        )
    if landmarks_are is LandmarksAreChoice.TARGETS:
        notes.append("the chips timed themselves, and can have said anything: no verdict from these rows is proof")
    if landmarks_out is not None and position_error_m is not None and position_error_m < BLUR_M:
        notes.append(f"RIPE Atlas blurs places by up to {BLUR_M:g} m, which is more than --position-error-m")
    tell(tally, written, files=[*files, *(probes or [])], out=out, landmarks_out=landmarks_out, notes=notes)
    if as_json:
        summary = summary_of(
            "ripe-atlas", tally, written, files=files, out=out, landmarks_out=landmarks_out, notes=notes
        )
        typer.echo(json.dumps(summary))


@import_app.command("ping", help=PING_HELP)
def ping(
    file: Annotated[
        Path,
        typer.Argument(dir_okay=False, metavar="FILE", help="What a tool printed, or CSV."),
    ],
    *,
    landmark: Annotated[str | None, typer.Option(metavar="ID", help="Who measured.")] = None,
    chip: Annotated[str | None, typer.Option(metavar="ID", help="Who answered, whatever its address.")] = None,
    every: Annotated[bool, typer.Option("--every", help="One row per answer instead of the quickest.")] = False,
    measured_at: Annotated[
        str | None, typer.Option(metavar="TIME", help="When, RFC 3339, for answers that carry no time.")
    ] = None,
    mapped: Annotated[
        list[str] | None,
        typer.Option("--map", metavar="OURS=THEIRS,...", help="FILE is CSV with these columns. May be repeated."),
    ] = None,
    separator: Annotated[
        str, typer.Option(metavar="CHAR", help="What separates the values of the CSV; `tab` for a tab.")
    ] = ",",
    add_ms: Annotated[
        float, typer.Option(min=0, max=60_000, metavar="N", help="Added to each round trip of the CSV.")
    ] = 0.0,
    out: OutOption = None,
    as_json: JsonOption = False,
    strict: StrictOption = False,
) -> None:
    """Import what ping or fping printed, or CSV of others."""
    _check_in([file])
    refuse_to_replace(out, (file,))
    _check_out(out, as_json=as_json)
    untimed_at_ns = None if measured_at is None else instant_ns(measured_at)
    columns = _columns(mapped or [])

    from lightbound.cli.progress import progress
    from lightbound.files.columns import is_id
    from lightbound.files.importing.dropped import Tally
    from lightbound.files.importing.mapped_csv import TIMES, CsvMap
    from lightbound.files.importing.ping_output import PingOutput
    from lightbound.files.importing.runs import import_ping

    for name, given in (("--landmark", landmark), ("--chip", chip)):
        if given is not None and not is_id(given):
            raise typer.BadParameter(f"{name}: expected printable text of 1 to 128 characters, found {given!r}")
    tally = Tally()
    how: CsvMap | PingOutput
    if columns:
        _check_columns(columns, landmark=landmark, chip=chip)
        separator = "\t" if separator == "tab" else separator
        if len(separator) != 1 or separator in '"\r\n':
            raise typer.BadParameter(f"--separator: expected one character, or tab, found {separator!r}")
        if measured_at is not None and set(TIMES) & set(columns):
            raise typer.BadParameter("--measured-at and a column of times exclude each other")
        how = CsvMap(
            columns=columns,
            landmark=landmark,
            chip=chip,
            separator=separator,
            add_ns=round(add_ms * 1_000_000),
            untimed_at_ns=untimed_at_ns,
        )
    else:
        if landmark is None:
            raise typer.BadParameter("--landmark is needed: ping and fping do not say who measured")
        if add_ms or separator != ",":
            raise typer.BadParameter("--add-ms and --separator are for CSV, which --map says FILE is")
        how = PingOutput(tally, landmark=landmark, chip=chip, untimed_at_ns=untimed_at_ns)
    with progress() as steps, _standard_output_whole(out) as target:
        written = import_ping(
            file, target, how, tally, every=every, strict=strict, progress=steps("reading", _bytes([file]))
        )
    tell(tally, written, files=[file], out=out, landmarks_out=None, notes=[])
    if as_json:
        typer.echo(json.dumps(summary_of("ping", tally, written, files=[file], out=out, landmarks_out=None, notes=[])))


def _check_in(files: list[Path]) -> None:
    """What `exists=True` of a parameter would check, which does not know that - is standard input."""
    for file in files:
        if str(file) != "-" and not file.exists():
            raise typer.BadParameter(f"file {str(file)!r} does not exist")


def _check_out(out: Path | None, *, as_json: bool) -> None:
    if out is not None:
        _check_ending(out)
    elif as_json:
        raise typer.BadParameter("--json needs --out: without it the rows go to standard output")


def _check_ending(path: Path) -> None:
    if not path.name.lower().endswith(ENDINGS):
        raise typer.BadParameter(f"expected a file ending in {', '.join(ENDINGS)}, found {path.name!r}")


def _columns(mapped: list[str]) -> dict[str, str]:
    """Their column by ours."""
    columns: dict[str, str] = {}
    for pair in (pair for text in mapped for pair in text.split(",")):
        ours, separator, theirs = pair.partition("=")
        if not separator or not theirs:
            raise typer.BadParameter(f"--map: expected OURS=THEIRS, found {pair!r}")
        if columns.setdefault(ours, theirs) != theirs:
            raise typer.BadParameter(f"--map: {ours} is mapped twice")
    return columns


def _check_columns(columns: dict[str, str], *, landmark: str | None, chip: str | None) -> None:
    from lightbound.files.importing.mapped_csv import COLUMNS, NS_PER, TIMES

    for ours in columns:
        if ours not in COLUMNS:
            raise typer.BadParameter(f"--map: expected one of {', '.join(COLUMNS)}, found {ours!r}")
    if len(set(NS_PER) & set(columns)) != 1:
        raise typer.BadParameter(f"--map: expected exactly one of {', '.join(NS_PER)}")
    if set(TIMES) <= set(columns):
        raise typer.BadParameter(f"--map: expected at most one of {', '.join(TIMES)}")
    for ours, option, given in (("landmark_id", "--landmark", landmark), ("chip_id", "--chip", chip)):
        if (ours in columns) == (given is not None):
            raise typer.BadParameter(f"expected either a column {ours} in --map or {option}")


def _bytes(paths: list[Path]) -> int:
    """Size of all files; 0, which is not known, if one has none."""
    sizes = [path.stat().st_size if path.is_file() else 0 for path in paths]
    return sum(sizes) if all(sizes) else 0


@contextmanager
def _standard_output_whole(out: Path | None) -> Iterator[Path | BinaryIO]:
    """Where to write: the file; or one that is copied to standard output when everything has gone well."""
    if out is not None:
        yield out
        return
    from shutil import copyfileobj
    from tempfile import TemporaryFile

    with TemporaryFile() as held:
        yield held
        held.seek(0)
        copyfileobj(held, sys.stdout.buffer)
