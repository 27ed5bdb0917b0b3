"""What a landmark asks its operator to sign: its key, and where and how it is said to stand, as JSON.

It is signed by nobody. The operator compares it with what it knows of the landmark, and what counts is its own
signature under POSITION.
"""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from lightbound.errors import ErrorCode, Fault, Malformed
from lightbound.files.statements import write_text
from lightbound.files.toml import TomlTable, read_small
from lightbound.keys.ed25519 import KEY_BYTES, SigningKey, VerifyingKey
from lightbound.keys.purposes import Purpose
from lightbound.ranging.statements.admission import (
    E7,
    HIGHEST_M,
    LOWEST_M,
    PositionStatement,
    write_position,
)

FORMAT: Final = "lightbound.position-request/1"

MOST_BYTES: Final = 10_000

MOST_ERROR_M: Final = 20_037_508
"""Half of the equator, as in POSITION."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionRequest:
    """The fields of POSITION that a landmark's people know."""

    landmark_key: VerifyingKey
    latitude_e7: int
    longitude_e7: int
    altitude_m: int
    error_m: int
    hosting: str
    jurisdiction: str
    can_pause: bool
    surveyed: str

    def signed(self, operator: SigningKey, *, from_ns: int, to_ns: int) -> bytes:
        """The statement POSITION that says so."""
        fields = {name: getattr(self, name) for name in self.__slots__}
        return write_position(
            PositionStatement(**fields, operator=operator.key_id, from_ns=from_ns, to_ns=to_ns), operator
        )


def write_request(path: Path, request: PositionRequest) -> None:
    """Keep a request in a file.

    Raises:
        Unavailable: it cannot be written.
    """
    fields = {name: getattr(request, name) for name in request.__slots__}
    told = {"format": FORMAT, **fields, "landmark_key": request.landmark_key.raw.hex()}
    write_text(path, json.dumps(told, ensure_ascii=False, indent=2) + "\n")


def read_request(path: Path) -> PositionRequest:
    """The request in a file.

    Raises:
        Unavailable: it cannot be read.
        Malformed: it is of another format, or says what no POSITION can; the error names the key.
    """
    fields = TomlTable(_json(path), path)
    fields.format(FORMAT)
    raw = fields.octets("landmark_key", KEY_BYTES)
    try:
        key = VerifyingKey(purpose=Purpose.LANDMARK, raw=raw)
    except Malformed as error:
        raise fields.wrong("landmark_key", error.faults[0].expected, "another") from error
    request = PositionRequest(
        landmark_key=key,
        latitude_e7=fields.integer("latitude_e7", least=-90 * E7, most=90 * E7),
        longitude_e7=fields.integer("longitude_e7", least=-180 * E7, most=180 * E7),
        altitude_m=fields.integer("altitude_m", least=LOWEST_M, most=HIGHEST_M),
        error_m=fields.integer("error_m", least=1, most=MOST_ERROR_M),
        hosting=fields.text("hosting"),
        jurisdiction=fields.text("jurisdiction", least=2, most=2),
        can_pause=fields.boolean("can_pause"),
        surveyed=fields.text("surveyed"),
    )
    fields.end()
    wrong = nonsense(
        latitude_e7=request.latitude_e7, longitude_e7=request.longitude_e7, jurisdiction=request.jurisdiction
    )
    if wrong is not None:
        raise fields.wrong(*wrong)
    return request


def nonsense(*, latitude_e7: int, longitude_e7: int, jurisdiction: str) -> tuple[str, str, str] | None:
    """What no landmark can mean though its type is right, as key, expected and found; None if nothing is.

    Latitude and longitude of 0 are what programs write that know of no place.
    """
    if latitude_e7 == 0 and longitude_e7 == 0:
        return "latitude_e7", "a place that was surveyed", "latitude 0, longitude 0"
    if re.fullmatch("[A-Z]{2}", jurisdiction) is None:
        return "jurisdiction", "an ISO 3166-1 code of two capital letters, such as DE", "another text"
    return None


def _json(path: Path) -> object:
    data = read_small(path, MOST_BYTES)
    try:
        return json.loads(data.decode(), object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        found = "".join(c if c.isprintable() else "?" for c in str(error))
        raise Malformed(
            Fault(code=ErrorCode.SETTING_MALFORMED, expected="JSON", found=found, file=str(path))
        ) from error


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    read = dict(pairs)
    if len(read) < len(pairs):
        raise ValueError("a key stands there twice")
    return read
