"""What a witness tells of what it has cosigned, and how it hands out the proof that a log was forked."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lightbound.errors import ErrorCode, Fault, Refused, Unavailable
from lightbound.files.whole import whole_file
from lightbound.store.witness import Cosigned, NotCosigned


def told(name: str, cosigned: Sequence[Cosigned], refused: Sequence[NotCosigned]) -> dict[str, Any]:
    """All of it as one JSON object."""
    return {
        "format": "lightbound.witness/1",
        "name": name,
        "cosigned": [
            {
                "origin": one.origin,
                "size": one.seen.size,
                "root": one.seen.root.hex(),
                "at_s": one.at_s,
                "cosignatures": one.cosignatures,
            }
            for one in cosigned
        ],
        "refused": [
            {
                "why": one.why,
                "origin": one.origin,
                "size": one.seen.size,
                "root": one.seen.root.hex(),
                "at_s": one.at_s,
                "note": one.note.decode(),
                "beside": None if one.beside is None else one.beside.decode(),
            }
            for one in refused
        ],
    }


def keep_notes(folder: Path, refused: Sequence[NotCosigned]) -> None:
    """Write each refused checkpoint, and beside it what had been cosigned, as the log signed them.

    Raises:
        Unavailable: the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        expected, found = "a folder that can be written", error.strerror or type(error).__name__
        fault = Fault(code=ErrorCode.WRITE_FAILED, expected=expected, found=found, file=str(folder))
        raise Unavailable(fault) from error
    for number, one in enumerate(refused, 1):
        with whole_file(folder / f"{one.why}-{number}") as file:
            file.write(one.note)
        if one.beside is not None:
            with whole_file(folder / f"{one.why}-{number}.cosigned") as file:
                file.write(one.beside)


def check_forks(refused: Sequence[NotCosigned]) -> None:
    """Nothing, if no log signed two roots for one size.

    Raises:
        Refused: one did; both roots are named.
    """
    faults = [
        Fault(
            code=ErrorCode.LOG_FORKED,
            expected=f"one root of {one.origin} for size {one.seen.size}",
            found=f"{one.seen.root.hex()} beside what was cosigned",
            next="keep both checkpoints: the two signatures are the proof",
        )
        for one in refused
        if one.why == "forked"
    ]
    if faults:
        raise Refused(faults)
