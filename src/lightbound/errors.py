"""What went wrong, by who must act next.

`Malformed`: the bytes are not of the format, and nothing was believed. `Refused`: well-formed, but it
cannot be what it claims. `Unavailable`: the world did not answer, which says nothing about any chip.
Nothing here prints, logs or exits: the command line maps classes to exit codes, in one table of its own.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class ErrorCode(StrEnum):
    """The closed list of error codes; `docs/errors.md` explains each and a test holds the two together."""

    FILE_EMPTY = "file_empty"
    FILE_FORMAT = "file_format"
    COLUMN_MISSING = "column_missing"
    COLUMN_UNKNOWN = "column_unknown"
    COLUMN_CONFLICT = "column_conflict"
    ROW_SHAPE = "row_shape"
    VALUE_MISSING = "value_missing"
    VALUE_MALFORMED = "value_malformed"
    VALUE_OUT_OF_RANGE = "value_out_of_range"
    DUPLICATE = "duplicate"
    UNKNOWN_LANDMARK = "unknown_landmark"
    UNKNOWN_COUNTRY = "unknown_country"
    AREA_MALFORMED = "area_malformed"
    GEOJSON_MALFORMED = "geojson_malformed"
    GEOJSON_INVALID = "geojson_invalid"
    BORDERS_CORRUPT = "borders_corrupt"
    LICENSED_INSIDE_EXCLUDED = "licensed_inside_excluded"
    READ_FAILED = "read_failed"
    WRITE_FAILED = "write_failed"
    CBOR_MALFORMED = "cbor_malformed"
    CBOR_NOT_DETERMINISTIC = "cbor_not_deterministic"
    COSE_MALFORMED = "cose_malformed"
    STATEMENT_MALFORMED = "statement_malformed"
    PACKET_MALFORMED = "packet_malformed"
    KEY_MALFORMED = "key_malformed"
    SIGNATURE_INVALID = "signature_invalid"
    WRONG_KEY = "wrong_key"
    WRONG_TYPE = "wrong_type"
    WRONG_VERSION = "wrong_version"
    WRONG_SESSION = "wrong_session"
    WRONG_LANDMARK = "wrong_landmark"
    NOT_ADMITTED = "not_admitted"
    NOT_VALID_THEN = "not_valid_then"
    OUT_OF_ORDER = "out_of_order"
    DRAW_DIFFERS = "draw_differs"
    BIND_DIFFERS = "bind_differs"
    EVIDENCE_DIFFERS = "evidence_differs"
    TRANSCRIPT_DIFFERS = "transcript_differs"
    NUMBERS_DIFFER = "numbers_differ"
    SEQUENCE_BROKEN = "sequence_broken"
    DISCLOSURE_DIFFERS = "disclosure_differs"
    TOO_FEW_ANSWERS = "too_few_answers"
    CLOCK_DISAGREES = "clock_disagrees"
    KEY_EXPOSED = "key_exposed"
    PASSPHRASE_REFUSED = "passphrase_refused"  # noqa: S105 - the name of an error
    SCENARIO_MALFORMED = "scenario_malformed"
    SETTING_MALFORMED = "setting_malformed"
    CODE_REFUSED = "code_refused"
    NOT_ENROLLED = "not_enrolled"
    PEER_UNREACHABLE = "peer_unreachable"
    PEER_MISBEHAVED = "peer_misbehaved"
    RATE_LIMITED = "rate_limited"
    ALREADY_RUNNING = "already_running"
    STORE_BROKEN = "store_broken"
    NOT_INSTALLED = "not_installed"
    EVIDENCE_MALFORMED = "evidence_malformed"
    CERTIFICATE_MALFORMED = "certificate_malformed"
    MANIFEST_MALFORMED = "manifest_malformed"
    CHAIN_REFUSED = "chain_refused"
    NONCE_DIFFERS = "nonce_differs"
    KEY_UNFIT = "key_unfit"
    FIRMWARE_DIFFERS = "firmware_differs"
    MANIFEST_REFUSED = "manifest_refused"
    MEASUREMENT_DIFFERS = "measurement_differs"
    TOPOLOGY_OPEN = "topology_open"
    UNSUPPORTED = "unsupported"
    DEVICE_SILENT = "device_silent"
    LOG_FORKED = "log_forked"
    LOG_BEHIND = "log_behind"
    LOG_DIFFERS = "log_differs"
    TOO_FEW_WITNESSES = "too_few_witnesses"
    ENTRY_MISSING = "entry_missing"
    ENTRY_UNOPENED = "entry_unopened"
    NOT_LOGGED = "not_logged"
    ROTATED_TWICE = "rotated_twice"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing wrong with one input: where it stands, what was expected, what was found, what to do next."""

    code: ErrorCode
    expected: str
    found: str
    file: str | None = None
    line: int | None = None
    """Line of a text file, counted from 1, the header being line 1; for Parquet the row, counted from 1."""
    column: str | None = None
    next: str | None = None

    def __str__(self) -> str:
        """One sentence: expected X, found Y at FILE line N, column C."""
        places = [self.file] if self.file else []
        if self.line is not None:
            places.append(f"line {self.line}")
        where = " ".join(places)
        if self.column is not None:
            where += f"{', ' if where else ''}column {self.column}"
        sentence = f"expected {self.expected}, found {self.found}"
        if where:
            sentence += f" at {where}"
        return f"{sentence}; {self.next}" if self.next else sentence


class LightboundError(Exception):
    """Something that a person can act on: every fault found, and how many there were in all."""

    def __init__(self, faults: Fault | Iterable[Fault], *, total: int | None = None) -> None:
        """Keep `faults`; `total` counts also those past a cap, which were not kept."""
        self.faults: Sequence[Fault] = (faults,) if isinstance(faults, Fault) else tuple(faults)
        self.total = len(self.faults) if total is None else total
        super().__init__("\n".join(str(fault) for fault in self.faults))


class Malformed(LightboundError):
    """The bytes are not of the format; nothing was believed."""


class Refused(LightboundError):
    """Well-formed, but it does not prove, or cannot be, what it claims."""


class Unavailable(LightboundError):
    """The world did not answer; says nothing about any chip."""


MOST_TOLD: Final = 100
"""Characters of what was found, or of where, in an error about bytes that somebody else made."""


def malformed(code: ErrorCode, expected: str, found: str, path: str) -> Malformed:
    """What is wrong with a statement; `path` says where, as `session.draw.beacon`.

    A path can hold a key that somebody else wrote, and what was found a library's words about it: both are cut and
    made printable.
    """
    return Malformed(Fault(code=code, expected=expected, found=_told(found), column=_told(path)))


def refused(code: ErrorCode, expected: str, found: str, path: str) -> Refused:
    """Why a well-formed statement is not believed; `path` says which statement or field, and is cut as above."""
    return Refused(Fault(code=code, expected=expected, found=_told(found), column=_told(path)))


def _told(text: str) -> str:
    cut = text if len(text) <= MOST_TOLD else f"{text[: MOST_TOLD - 3]}..."
    return cut if cut.isprintable() else "".join(letter if letter.isprintable() else "?" for letter in cut)
