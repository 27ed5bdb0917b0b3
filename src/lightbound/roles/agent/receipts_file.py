"""What an agent is still to ask landmarks for, and how far it has heard them: `receipts.json`."""

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from lightbound.errors import ErrorCode, Fault, Malformed, Unavailable
from lightbound.files.whole import whole_file

NAME: Final = "receipts.json"
FORMAT: Final = "lightbound.agent-receipts/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class ToAsk:
    """What a landmark said in one session, which it is asked the receipts of."""

    session: bytes
    """Digest of SESSION."""
    landmark: bytes
    ended: bytes | None
    """Digest of the MEASUREMENT or ABORT that the agent was given; None if it was given none."""
    at_s: float
    """When it is asked, in seconds since 1970 UTC."""
    asks: int = 0
    opens: tuple[bytes, ...] = ()
    """Digests of the OPENs of it that are held with their receipts."""
    ends: tuple[bytes, ...] = ()
    """Likewise of MEASUREMENTs and ABORTs."""

    @property
    def key(self) -> tuple[bytes, bytes]:
        """What is asked once at a time."""
        return self.session, self.landmark


def write_waiting(file: Path, waiting: Iterable[ToAsk], *, heard_s: float) -> None:
    """Keep what is still to ask. Dying before it is written: some is asked again, or not at all.

    Raises:
        Unavailable: it cannot be written.
    """
    told = [
        {
            "session": one.session.hex(),
            "landmark": one.landmark.hex(),
            "ended": None if one.ended is None else one.ended.hex(),
            "at_s": one.at_s,
            "asks": one.asks,
            "opens": [name.hex() for name in one.opens],
            "ends": [name.hex() for name in one.ends],
        }
        for one in waiting
    ]
    with whole_file(file) as out:
        out.write(json.dumps({"format": FORMAT, "heard_s": heard_s, "waiting": told}, indent=1).encode())


def read_waiting(file: Path) -> tuple[list[ToAsk], float]:
    """What is still to ask, and the newest instant heard of landmarks; nothing, and 1970, if there is no file.

    Files without `heard_s`, `opens` and `ends`, as they were first written, are read.

    Raises:
        Unavailable: it cannot be read.
        Malformed: it is not as it was written.
    """
    try:
        told: Any = json.loads(file.read_bytes())
        waiting = [
            ToAsk(
                session=bytes.fromhex(one["session"]),
                landmark=bytes.fromhex(one["landmark"]),
                ended=None if one["ended"] is None else bytes.fromhex(one["ended"]),
                at_s=_finite(one["at_s"]),
                asks=int(one["asks"]),
                opens=tuple(bytes.fromhex(name) for name in one.get("opens", ())),
                ends=tuple(bytes.fromhex(name) for name in one.get("ends", ())),
            )
            # What is of another format has no key of this name.
            for one in {FORMAT: told["waiting"]}[told["format"]]
        ]
        return waiting, _finite(told.get("heard_s", 0.0))
    except FileNotFoundError:
        return [], 0.0
    except OSError as error:
        found = error.strerror or type(error).__name__
        fault = Fault(code=ErrorCode.READ_FAILED, expected="a file that can be read", found=found, file=str(file))
        raise Unavailable(fault) from error
    except (ValueError, OverflowError, RecursionError, KeyError, TypeError, AttributeError) as error:
        fault = Fault(
            code=ErrorCode.FILE_FORMAT,
            expected="what is waited for, as it was written",
            found="other bytes",
            file=str(file),
            next="delete it: receipts that were waited for are then not asked for again",
        )
        raise Malformed(fault) from error


def _finite(value: Any) -> float:
    """An instant. NaN, which JSON of Python lets in, would never be due, and nothing behind it either."""
    read = float(value)
    if not math.isfinite(read):
        raise ValueError
    return read
