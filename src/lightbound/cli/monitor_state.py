"""What `lightbound log monitor` remembers of a log between two looks, as a file."""

import json
from pathlib import Path
from typing import Final

from lightbound.errors import ErrorCode, Fault, Malformed
from lightbound.keys.ed25519 import VerifyingKey
from lightbound.keys.purposes import Purpose
from lightbound.roles.log_reader.following import Followed
from lightbound.tlog.entries import Commitment

STATE_FORMAT: Final = "lightbound.log-monitor/2"


def read_state(path: Path, log_key: str) -> Followed:
    """What was remembered of this log; nothing, if there is no such file.

    Raises:
        Malformed: it is no such file, or of another log.
    """
    if not path.exists():
        return Followed()
    try:
        read = {"format": "", "log": "", **json.loads(path.read_bytes())}
    except (ValueError, TypeError, RecursionError, OSError) as error:
        raise _not_ours(path) from error
    if (read["format"], read["log"]) != (STATE_FORMAT, log_key):
        raise _not_ours(path)
    try:
        commitments = {}
        for number, landmark, slot, commitment in read["commitments"]:
            said = Commitment(
                landmark=bytes.fromhex(landmark), slot=bytes.fromhex(slot), commitment=bytes.fromhex(commitment)
            )
            commitments[said.landmark + said.slot] = int(number), said
        keys = [VerifyingKey(purpose=Purpose.LANDMARK, raw=bytes.fromhex(one)) for one in read["keys"]]
        return Followed(
            keys={one.key_id: one for one in keys},
            checkpoint=read["checkpoint"].encode(),
            landmarks={bytes.fromhex(one) for one in read["landmarks"]},
            commitments=commitments,
        )
    except (ValueError, OverflowError, KeyError, TypeError, AttributeError, Malformed) as error:
        raise _not_ours(path) from error


def _not_ours(path: Path) -> Malformed:
    expected, next_step = "what a monitor of this log wrote", "name another, or delete it: all is read again then"
    return Malformed(
        Fault(code=ErrorCode.FILE_FORMAT, expected=expected, found="other", file=str(path), next=next_step)
    )


def state_of(followed: Followed, log_key: str) -> bytes:
    """What is remembered of this log, as the file has it."""
    rows = [
        [number, said.landmark.hex(), said.slot.hex(), said.commitment.hex()]
        for number, said in sorted(followed.commitments.values(), key=lambda one: one[0])
    ]
    told = {
        "format": STATE_FORMAT,
        "log": log_key,
        "checkpoint": (followed.checkpoint or b"").decode(),
        "landmarks": sorted(one.hex() for one in followed.landmarks),
        "keys": sorted(one.raw.hex() for one in followed.keys.values()),
        "commitments": rows,
    }
    return json.dumps(told, separators=(",", ":")).encode()
