"""An adapter in front of a second landmark, which was written from docs/spec/clp1.md alone.

Neither this nor `second/` imports anything of the package, nor its CBOR library: what both got from one place, both
could have got wrong. Run it as

    lightbound conformance --role landmark --command "python tests/conformance/independent.py"
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # where `tests` is, when this is run by its path

from tests.conformance.second.encoding import Json, Refused, h
from tests.conformance.second.keys import agreed, key_id, public_key, timed_keys
from tests.conformance.second.landmark import Landmark
from tests.conformance.second.statements import commitment, read_ack, read_bind, read_session, signed
from tests.conformance.second.timing import (
    TYPES,
    TimedPhase,
    clock_error,
    packet,
    phase_counts,
    round_counts,
    tag_of,
    transcript,
    unpacked,
)


def b(value: Json) -> Any:
    """Bytes of a field that is hexadecimal, or null."""
    return None if value is None else bytes.fromhex(value)


def hexed(value: Any) -> Json:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict):
        return {key: hexed(item) for key, item in value.items()}
    return [hexed(item) for item in value] if isinstance(value, list) else value


WORDS: Final = {"stamps", "software", "why"}


def written(asked: Json) -> Json:
    fields = {
        name: {"address": b(value["address"])} if name == "commitments"
        else b(value) if (value is None or isinstance(value, str)) and name not in WORDS else value
        for name, value in asked["fields"].items()
    }  # fmt: skip
    return {"data": signed(asked["statement"], fields, bytes.fromhex(asked["seeds"][0])).hex()}


def read(asked: Json) -> Json:
    readers = {"session": read_session, "bind": read_bind, "ack": read_ack}
    data = bytes.fromhex(asked["data"])
    return {
        "fields": hexed(readers[asked["statement"]](data, public_key(b(asked["keys"][0])))),
        "digest": h(data).hex(),
    }


def bound(asked: Json) -> Json:
    phase, now_ns = TimedPhase((bytes(32), bytes(32)), bytes(8), bytes(16), asked["errors"]), 0
    phase.first_ready_ns, phase.began = 0, {"ns": 0, "utc_ns": 0}
    for r in asked["round_trips_ns"]:
        phase.valid.append(([], r))
        now_ns += r
    phase.end({"ns": now_ns, "utc_ns": now_ns})
    third, error = phase.bound()
    return {"third_ns": third, "clock_error_ns": error, "bound_ns": third + error}


def derived(asked: Json) -> Json:
    shared = agreed(b(asked["seed"]), b(asked["peer"]))
    to_landmark, to_agent = timed_keys(shared, b(asked["sid"]), b(asked["landmark"]), b(asked["bind"]))
    return {"handle": asked["sid"][:16], "to_landmark": to_landmark.hex(), "to_agent": to_agent.hex()}


def taken_apart(asked: Json) -> Json:
    data = bytes.fromhex(asked["data"])
    kind, handle, number, nonce = unpacked(data)
    name = next(name for name, each in TYPES.items() if each == kind)
    genuine = data[32:48] == tag_of(data[:32], b(asked["key"]))
    return {"type": name, "handle": handle.hex(), "round": number, "nonce": nonce.hex(), "genuine": genuine}


def put_together(asked: Json) -> Json:
    made = packet(TYPES[asked["type"]], b(asked["handle"]), asked["round"], b(asked["nonce"]), b(asked["key"]))
    return {"data": made.hex()}


def of_answers(asked: Json) -> Json:
    answers = [[each["round"], b(each["nonce"]), b(each["tag"])] for each in asked["answers"]]
    return {"transcript": transcript(b(asked["sid"]), b(asked["landmark"]), b(asked["bind"]), answers).hex()}


def told(of: Callable[[Json], Json], asked: Json) -> Json:
    try:
        return {"result": of(asked)}
    except Refused as why:
        return {"refusal": why.told}


def landmark_session(asked: Json) -> Json:
    landmark = Landmark(asked)
    return {"moves": [told(landmark.move, move) for move in asked["moves"]]}


OPERATIONS: Final[dict[str, Callable[[Json], Json]]] = {
    "read": read,
    "write": written,
    "read_packet": taken_apart,
    "write_packet": put_together,
    "timed_keys": derived,
    "key_id": lambda asked: {"id": key_id(b(asked["key"])).hex()},
    "transcript": of_answers,
    "commit": lambda asked: {"digest": commitment(asked["field"], b(asked["salt"]), asked["value"]).hex()},
    "clock_error": lambda asked: {"clock_error_ns": clock_error(asked["errors"], asked["round_trip_ns"])},
    "round_counts": lambda asked: {"counts": round_counts(asked["errors"], asked["sent"], asked["received"])},
    "session_counts": lambda asked: {"counts": phase_counts(asked["errors"], asked["began"], asked["ended"])},
    "bound": bound,
    "landmark_session": landmark_session,
}


def main() -> None:
    for line in sys.stdin:
        asked = json.loads(line)
        of = OPERATIONS.get(asked["do"])
        said = told(of, asked) if of else {"unsupported": asked["do"]}
        sys.stdout.write(json.dumps({"id": asked["id"], **said}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
