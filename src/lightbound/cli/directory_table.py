"""What an admission folder says, as a person reads it and as a program does."""

from collections.abc import Sequence
from typing import Any, Final

from rich.markup import escape
from rich.table import Table

from lightbound.cli import terminal
from lightbound.cli.signing_options import shown_instant
from lightbound.cli.terminal import printable
from lightbound.files.showing import FolderSeen
from lightbound.keys.ed25519 import VerifyingKey
from lightbound.ranging.sessions.admitted import Admitted
from lightbound.ranging.statements.admission import DirectoryTrust
from lightbound.units import counted

FORMAT: Final = "lightbound.admission/1"


def signatures_text(signers: Sequence[VerifyingKey], trust: DirectoryTrust) -> str:
    """How many signatures are there, of how many, and how many it takes."""
    there = f"{len(signers)} of {len(trust.keys)} signatures are there, threshold {trust.threshold}"
    return there if len(signers) >= trust.threshold else f"{there}: not enough yet"


def signatures_object(signers: Sequence[VerifyingKey], trust: DirectoryTrust) -> dict[str, Any]:
    """The same, whole."""
    there = {key.key_id for key in signers}
    return {
        "there": len(signers),
        "threshold": trust.threshold,
        "enough": len(signers) >= trust.threshold,
        "parties": [
            {"id": key.key_id.hex(), "key": key.raw.hex(), "signed": key.key_id in there} for key in trust.keys
        ],
    }


def print_folder(seen: FolderSeen, *, now_ns: int) -> None:
    """Print who is let in, what is left out, and how far the directory is signed."""
    console = terminal.console()
    directory = seen.known.directory
    axes = ", ".join(("operator", "owner", *directory.axes))
    console.print(f"directory  {directory.number}, digest {seen.directory.digest.hex()}")
    console.print(f"signed     {signatures_text(seen.signers, seen.trust)}")
    console.print(f"holds      {shown_instant(directory.from_ns)} to {shown_instant(directory.to_ns)}")
    console.print(f"one unit   by {axes}\n")
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("landmark", "operator", "place", "hosting", "fault unit", "until"):
        table.add_column(heading, overflow="fold")
    for landmark, one in sorted(seen.known.by_id.items(), key=lambda each: _name(seen, each[0])):
        table.add_row(*map(_shown, (_name(seen, landmark), one.operator.name)), *_row(one, now_ns))
    console.print(table)
    units = len({one.fault_unit for one in seen.known.by_id.values()})
    console.print(f"\n{counted(len(seen.known.by_id), 'landmark')} in {counted(units, 'fault unit')}")
    if seen.known.missing:
        console.print(f"{counted(seen.known.missing, 'statement')} listed by the directory, and not in the folder")
    for each in seen.left_out:
        console.print(f"left out: {_shown(str(each.path))}: {_shown(each.why)}")


def _row(one: Admitted, now_ns: int) -> tuple[str, str, str, str]:
    position = one.position
    place = f"{position.latitude_e7 / 1e7:.4f} {position.longitude_e7 / 1e7:.4f} ±{position.error_m} m"
    hosting = f"{position.hosting} ({position.jurisdiction})" + (", can pause" if position.can_pause else "")
    until = shown_instant(one.to_ns)[:10] + {"now": "", "later": ", not yet", "over": ", over"}[_when(one, now_ns)]
    return place, _shown(hosting), _shown(one.fault_unit), until


def shown_object(seen: FolderSeen, *, now_ns: int) -> dict[str, Any]:
    """The same, whole."""
    directory = seen.known.directory
    return {
        "format": FORMAT,
        "directory": {
            "digest": seen.directory.digest.hex(),
            "number": directory.number,
            "previous": None if directory.previous is None else directory.previous.hex(),
            "axes": [str(axis) for axis in directory.axes],
            "from": shown_instant(directory.from_ns),
            "to": shown_instant(directory.to_ns),
        },
        "signatures": signatures_object(seen.signers, seen.trust),
        "landmarks": [_object(seen, landmark, one, now_ns) for landmark, one in sorted(seen.known.by_id.items())],
        "missing": seen.known.missing,
        "left_out": [{"file": str(one.path), "why": one.why} for one in seen.left_out],
    }


def _object(seen: FolderSeen, landmark: bytes, one: Admitted, now_ns: int) -> dict[str, Any]:
    address = seen.addresses.get(landmark)
    position = one.position
    return {
        "landmark": landmark.hex(),
        "key": one.key.raw.hex(),
        "name": None if address is None else address.name,
        "url": None if address is None else address.url,
        "operator": one.operator.name,
        "owner": one.operator.owner,
        "latitude": position.latitude_e7 / 1e7,
        "longitude": position.longitude_e7 / 1e7,
        "altitude_m": position.altitude_m,
        "error_m": position.error_m,
        "hosting": position.hosting,
        "jurisdiction": position.jurisdiction,
        "can_pause": position.can_pause,
        "surveyed": position.surveyed,
        "fault_unit": one.fault_unit,
        "position": one.position_digest.hex(),
        "from": shown_instant(one.from_ns),
        "to": shown_instant(one.to_ns),
        "holds": _when(one, now_ns),
    }


def _when(one: Admitted, now_ns: int) -> str:
    if now_ns < one.from_ns:
        return "later"
    return "now" if now_ns <= one.to_ns else "over"


def _name(seen: FolderSeen, landmark: bytes) -> str:
    address = seen.addresses.get(landmark)
    return landmark.hex() if address is None else address.name


def _shown(text: str) -> str:
    return escape(printable(text))
