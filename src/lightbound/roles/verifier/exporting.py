"""What the verdicts rest on, as the files that `lightbound adjudicate` reads: anybody can decide again.

The measurements are those of the sessions that each chip's newest decision rests on, and no others, so that the same
settings give the same verdicts, byte for byte.
"""

import csv
import io
import itertools
import json
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from lightbound.attestation.tiers import UNATTESTED
from lightbound.enrolment.pinned import Pin, Pins
from lightbound.errors import ErrorCode, Fault, Unavailable
from lightbound.files.held import write_held
from lightbound.files.vetting import write_landmarks
from lightbound.files.whole import whole_file
from lightbound.judging.deciding import chips_asked, chips_of
from lightbound.ranging.readings import Landmark, Readings
from lightbound.ranging.sessions.measured import landmarks_of, readings_of
from lightbound.roles.verifier.areas import DRAWINGS
from lightbound.roles.verifier.judging import Believed, Judge
from lightbound.roles.verifier.kept import Kept
from lightbound.roles.verifier.settings import SECOND_NS
from lightbound.roles.verifier.standings import instant
from lightbound.store.enrolments import Agent, Site
from lightbound.store.judged import ChipKept

FORMAT: Final = "lightbound.export/1"


TRIES: Final = 20
TRY_AGAIN_S: Final = 0.25
"""A statement of a landmark may arrive between a decision and the next, which it brings about: soon both agree."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """What was written."""

    chips: int
    rows: int
    mesh_rows: int
    differs: int
    """Chips about which the files say something else than was decided: the directory is another one since then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """What is to be written: chips about which something was decided, and what that rests on."""

    chips: list[ChipKept]
    agents: Mapping[bytes, Agent]
    believed: list[Believed]
    pins: dict[bytes, Pin]
    """Of all chips that attested themselves."""
    differs: list[str]

    @property
    def names(self) -> list[str]:
        return [chip.chip.hex() for chip in self.chips]

    @property
    def sites(self) -> list[Site]:
        return [self.agents[chip.agent].site for chip in self.chips]


def export(judge: Judge, out: Path, *, now_ns: int, data: Path, mesh: bool) -> Exported:
    """Write the folder: each file appears whole or not at all, `export.json` last.

    Chips about which nothing was decided yet are left out.

    Raises:
        Unavailable: the database failed, or a file cannot be written.
    """
    told = _gathered(judge)
    for _ in range(TRIES):
        if not told.differs:
            break
        time.sleep(TRY_AGAIN_S)
        told = _gathered(judge)
    landmarks = landmarks_of(judge.landmarks)
    readings = readings_of(
        [one.session for one in told.believed],
        chips_of=chips_of([one.heard for one in told.believed], told.pins),
        landmarks=landmarks,
        chips=chips_asked(told.names, [(site.licensed, site.excluded) for site in told.sites]),
    )
    _folder(out)
    _copy_drawings(data, out, told.sites)
    write_rows(readings, landmarks, told.names, out / "measurements.parquet")
    write_landmarks(landmarks, out / "landmarks.csv")
    _write(out / "chips.csv", _chips_csv(told.names, told.sites))
    _write(out / "verdicts.jsonl", "".join(f"{chip.line}\n" for chip in told.chips))
    mesh_rows = 0
    if mesh:
        rows = _mesh_rows(told.believed, {name: one.site for name, one in told.agents.items()})
        mesh_rows = len(rows)
        header = ("landmark_id", "chip_id", "round_trip_ns", "clock_error_ns", "measured_at")
        _write(out / "mesh.csv", _csv(header, rows))
    command = _command(judge)
    said = {
        "format": FORMAT,
        "at": instant(now_ns),
        "verifier": judge.verifier.raw.hex(),
        "directory": judge.landmarks.digest.hex(),
        "policy": judge.policy.fields(),
        "command": command,
        "chips": len(told.chips),
        "rows": len(readings),
        "sessions": [one.asked.digest.hex() for one in told.believed],
        "differs": told.differs,
        "mesh_command": "lightbound vet mesh.csv --landmarks landmarks.csv" if mesh else None,
        "does_not_show": list(UNATTESTED.does_not_show),
    }
    _write(out / "README.txt", _readme(command))
    _write(out / "export.json", json.dumps(said, indent=2, ensure_ascii=True) + "\n")
    return Exported(chips=len(told.chips), rows=len(readings), mesh_rows=mesh_rows, differs=len(told.differs))


def export_held(kept: Kept, out: Path) -> int:
    """Write what landmarks numbered and the log gave receipts for, as a holder keeps it; how many.

    Raises:
        Unavailable: the database failed, or a file cannot be written.
    """
    _folder(out)
    count = 0
    for statement, receipt in kept.receipts.held():
        write_held(out, statement, receipt.proof)
        count += 1
    return count


def _gathered(judge: Judge) -> _Told:
    kept = judge.kept
    agents = {agent.key.key_id: agent for agent in kept.enrolments.agents()}
    chips = [chip for chip in kept.judged.chips() if chip.line is not None and chip.agent in agents]
    believed: dict[bytes, Believed] = {}
    differs: list[str] = []
    for (name, basis), of_agent in itertools.groupby(chips, key=lambda chip: (chip.agent, chip.basis)):
        own, agent = list(of_agent), agents[name]
        pins = kept.enrolments.pins(name)
        found = _basis(judge, agent, pins, basis)
        believed.update((one.asked.digest, one) for one in found)
        again = {one.chip: one.line for one in judge.decided([chip.chip for chip in own], agent.site, found, pins)}
        differs += [chip.chip.hex() for chip in own if again[chip.chip] != chip.line]
    pins_of_all = kept.enrolments.all_pins()
    return _Told(chips=chips, agents=agents, believed=list(believed.values()), pins=pins_of_all, differs=differs)


def _basis(judge: Judge, agent: Agent, pins: Pins, names: Sequence[bytes]) -> list[Believed]:
    """The sessions that a decision about an agent's chips rests on, as far as they hold today."""
    # A chip that came from another agent, and about which nothing was decided since, rests on sessions of that one.
    kept = map(judge.kept.asked.session, names)
    asked = [one for one in kept if one is not None and one.agent == agent.key.key_id]
    return [found for one in asked if (found := judge.believed(one, agent.key, pins)) is not None]


def write_rows(readings: Readings, landmarks: Sequence[Landmark], chips: Sequence[str], path: Path) -> None:
    """Measurements as docs/formats.md has them."""
    if readings.measured_at_ns is None or readings.clock_error_ns is None or readings.session is None:
        raise TypeError("readings of sessions have instants, errors and sessions")
    table = pa.table(
        {
            "landmark_id": pa.array([landmarks[i].landmark_id for i in readings.landmark.tolist()], pa.string()),
            "chip_id": pa.array([chips[i] for i in readings.chip.tolist()], pa.string()),
            "round_trip_ns": pa.array(readings.round_trip_ns, pa.int64()),
            "measured_at": pa.array(readings.measured_at_ns, pa.int64()).cast(pa.timestamp("ns", tz="UTC")),
            "clock_error_ns": pa.array(readings.clock_error_ns, pa.int64()),
            "session_id": pa.array([readings.session_ids[i] for i in readings.session.tolist()], pa.string()),
        }
    )
    with whole_file(path) as stream:
        pq.write_table(table, stream, compression="zstd")


def _mesh_rows(believed: Iterable[Believed], sites: dict[bytes, Site]) -> list[tuple[str, str, int, int, str]]:
    """Landmarks measured by one another, from the sessions of agents that stand at one."""
    rows = []
    for session in believed:
        stands = sites[session.asked.agent].landmark
        for one in session.session.measurements:
            measured_by, said = one.landmark.key.key_id, one.measurement
            if stands is not None and measured_by != stands:
                at = instant(said.to_ns) or ""
                rows.append((measured_by.hex(), stands.hex(), said.smallest_ns[-1], said.clock_error_ns, at))
    return rows


def _command(judge: Judge) -> str:
    policy = judge.policy
    window = (
        f"{policy.window_ns / SECOND_NS:g}s" if policy.window_ns % SECOND_NS else f"{policy.window_ns // SECOND_NS}s"
    )
    return (
        "lightbound adjudicate measurements.parquet --landmarks landmarks.csv --chips chips.csv"
        f" --speed vacuum --fault-budget {policy.fault_budget} --proof {policy.proof} --window {window}"
        f" --border-error-m {policy.border_error_m} --json"
    )


def _readme(command: str) -> str:
    return (
        "What the verdicts in verdicts.jsonl rest on. In this folder,\n\n"
        f"    {command}\n\n"
        "prints the same lines. measurements.parquet holds the third smallest round trip of each landmark in each\n"
        "session that counts, landmarks.csv where the landmarks stand, chips.csv the areas asked about.\n\n"
        "`adjudicate` reads no evidence of chips: its assurance is that of tier A0, and it never says tampered.\n"
        "Of a chip that attested itself these are the verifier's; all else is the same, byte for byte.\n\n"
        "At tier A0 this places keys in software. It does not show that no key was copied, that a chip is beside it,\n"
        "that the chip is genuine, or where it was at any other time. export.json says the same to a program.\n"
    )


def _chips_csv(names: Sequence[str], sites: Sequence[Site]) -> str:
    rows = [(name, site.licensed, site.excluded) for name, site in zip(names, sites, strict=True)]
    return _csv(("chip_id", "licensed_area", "excluded_area"), rows)


def _csv(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()


def _copy_drawings(data: Path, out: Path, sites: Sequence[Site]) -> None:
    source = data / DRAWINGS
    if not any(f"@{DRAWINGS}/" in text for site in sites for text in (site.licensed, site.excluded)):
        return
    _folder(out / DRAWINGS)
    for drawing in sorted(source.glob("*.geojson")):
        with whole_file(out / DRAWINGS / drawing.name) as file:
            file.write(drawing.read_bytes())


def _folder(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        found = error.strerror or type(error).__name__
        fault = Fault(code=ErrorCode.WRITE_FAILED, expected="a folder that can be made", found=found, file=str(path))
        raise Unavailable(fault) from error


def _write(path: Path, text: str) -> None:
    with whole_file(path) as file:
        file.write(text.encode())
