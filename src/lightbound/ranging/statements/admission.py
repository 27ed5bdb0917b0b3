"""OPERATOR, POSITION and DIRECTORY: who runs landmarks, where they stand, and who lets them in.

An operator signs for itself and for its landmarks with one offline key. A directory is signed by k of n parties and
lists the hashes of the statements that it lets in, so that nobody joins a draw after its dice were cast.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from lightbound.canonical import cose
from lightbound.canonical.cbor import Value, encode
from lightbound.canonical.fields import Fields, octets, shown
from lightbound.errors import ErrorCode, malformed, refused
from lightbound.keys.ed25519 import SigningKey, VerifyingKey
from lightbound.keys.purposes import Purpose
from lightbound.keys.signing import cosign, opened_by_enough
from lightbound.ranging.statements.kinds import Kind, believed, signed

if TYPE_CHECKING:
    from lightbound.geo.earth import Position

E7: Final = 10_000_000
"""Positions are written in units of 1e-7 degree, 11 mm along a meridian: integers, so that they have one encoding."""

LOWEST_M, HIGHEST_M = -500, 5_000
"""Altitudes that the slack of a bound covers (`geo.earth.ALTITUDE_SLACK_M`)."""

MOST_OPERATORS: Final = 512
MOST_POSITIONS: Final = 1_024
"""What fits into a statement."""


class Axis(StrEnum):
    """What landmarks can have in common besides their owner, so that they fail together."""

    HOSTING = "hosting"
    JURISDICTION = "jurisdiction"


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """Somebody who runs landmarks, in its own words."""

    key: VerifyingKey
    name: str
    owner: str
    """Who controls it in the end. Operators of one owner are one fault unit."""
    contact: str
    from_ns: int
    to_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionStatement:
    """Where a landmark stands, in its operator's words."""

    landmark_key: VerifyingKey
    operator: bytes
    """Id of the operator's key."""
    latitude_e7: int
    longitude_e7: int
    altitude_m: int
    error_m: int
    """The landmark's antenna or network card is within this geodesic distance."""
    hosting: str
    """Who could move or unplug it, or copy its key: the provider of its room, rack or virtual machine."""
    jurisdiction: str
    """ISO 3166-1 code of the country whose authority reaches it."""
    can_pause: bool
    """On a virtual machine, which can be stopped with all its clocks."""
    surveyed: str
    from_ns: int
    to_ns: int

    @property
    def position(self) -> "Position":
        """In degrees."""
        from lightbound.geo.earth import Position  # noqa: PLC0415 - behind numpy, which nobody needs who only signs

        return Position(self.latitude_e7 / E7, self.longitude_e7 / E7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Directory:
    """Whom k of n parties let in, from when to when."""

    number: int
    previous: bytes | None
    """Digest of the directory before this one; None for the first."""
    axes: tuple[Axis, ...]
    """What makes two landmarks one fault unit, besides a common owner."""
    operators: tuple[bytes, ...]
    positions: tuple[bytes, ...]
    """Digests of the statements let in, ascending."""
    from_ns: int
    to_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectoryTrust:
    """The n parties whose word on operators is taken, and how many of them it takes."""

    keys: tuple[VerifyingKey, ...]
    threshold: int


def write_operator(operator: Operator, key: SigningKey) -> bytes:
    """The statement OPERATOR, signed by the operator itself."""
    payload: dict[str, Value] = {
        "key": operator.key.raw,
        "name": operator.name,
        "owner": operator.owner,
        "contact": operator.contact,
        "from_ns": operator.from_ns,
        "to_ns": operator.to_ns,
    }
    return signed(Kind.OPERATOR, encode(payload), key)


def read_operator(data: bytes) -> Operator:
    """What an operator says of itself, signed by the key that it names. Whether to believe it, a directory says.

    Raises:
        Malformed, Refused: not such a statement, or signed by another key than it names.
    """
    fields = Fields.of(cose.read(data, what=Kind.OPERATOR).payload, Kind.OPERATOR.short)
    key = VerifyingKey(purpose=Purpose.OPERATOR, raw=fields.octets("key", 32))
    believed(data, Kind.OPERATOR, key)
    read = Operator(
        key=key,
        name=fields.text("name"),
        owner=fields.text("owner"),
        contact=fields.text("contact", least=0),
        from_ns=fields.instant_ns("from_ns"),
        to_ns=fields.instant_ns("to_ns"),
    )
    fields.end()
    return read


def write_position(position: PositionStatement, key: SigningKey) -> bytes:
    """The statement POSITION, signed by the landmark's operator."""
    payload: dict[str, Value] = {
        "landmark_key": position.landmark_key.raw,
        "operator": position.operator,
        "latitude_e7": position.latitude_e7,
        "longitude_e7": position.longitude_e7,
        "altitude_m": position.altitude_m,
        "error_m": position.error_m,
        "hosting": position.hosting,
        "jurisdiction": position.jurisdiction,
        "can_pause": position.can_pause,
        "surveyed": position.surveyed,
        "from_ns": position.from_ns,
        "to_ns": position.to_ns,
    }
    return signed(Kind.POSITION, encode(payload), key)


def read_position(data: bytes, operator: VerifyingKey) -> PositionStatement:
    """Where a landmark stands according to its operator, checked against the operator's key.

    Raises:
        Malformed, Refused: not such a statement, or not by this key.
    """
    read = _position(believed(data, Kind.POSITION, operator))
    if read.operator != operator.key_id:
        path = f"{Kind.POSITION.short}.operator"
        raise refused(ErrorCode.WRONG_KEY, "the id of the key that signed", read.operator.hex(), path)
    return read


def position_said(data: bytes) -> PositionStatement:
    """What a POSITION says, whoever signed it: for the landmark that it is about, which has to keep to it.

    Raises:
        Malformed, Refused: not such a statement.
    """
    envelope = cose.read(data, what=Kind.POSITION.short)
    if envelope.kind != Kind.POSITION:
        raise refused(ErrorCode.WRONG_TYPE, Kind.POSITION, envelope.kind, Kind.POSITION.short)
    return _position(envelope.payload)


def _position(payload: bytes) -> PositionStatement:
    fields = Fields.of(payload, Kind.POSITION.short)
    read = PositionStatement(
        landmark_key=VerifyingKey(purpose=Purpose.LANDMARK, raw=fields.octets("landmark_key", 32)),
        operator=fields.octets("operator", 16),
        latitude_e7=fields.integer("latitude_e7", least=-90 * E7, most=90 * E7),
        longitude_e7=fields.integer("longitude_e7", least=-180 * E7, most=180 * E7),
        altitude_m=fields.integer("altitude_m", least=LOWEST_M, most=HIGHEST_M),
        error_m=fields.integer("error_m", most=20_037_508),
        hosting=fields.text("hosting"),
        jurisdiction=_country(fields),
        can_pause=fields.boolean("can_pause"),
        surveyed=fields.text("surveyed", least=0),
        from_ns=fields.instant_ns("from_ns"),
        to_ns=fields.instant_ns("to_ns"),
    )
    fields.end()
    return read


def write_directory(directory: Directory, keys: Sequence[SigningKey]) -> bytes:
    """The statement DIRECTORY, signed by some of the parties."""
    payload: dict[str, Value] = {
        "number": directory.number,
        "previous": directory.previous,
        "axes": [str(axis) for axis in directory.axes],
        "operators": list(directory.operators),
        "positions": list(directory.positions),
        "from_ns": directory.from_ns,
        "to_ns": directory.to_ns,
    }
    return cosign(Kind.DIRECTORY, encode(payload), keys)


def read_directory(data: bytes, trust: DirectoryTrust) -> Directory:
    """Whom enough of the trusted parties let in.

    Raises:
        Malformed, Refused: not such a statement, or not by enough of these parties.
    """
    return _directory(opened_by_enough(data, Kind.DIRECTORY, trust.keys, trust.threshold))


def directory_said(data: bytes) -> Directory:
    """What a DIRECTORY says, whoever signed it: for whoever has nobody's keys, and looks at how one follows another.

    Raises:
        Malformed, Refused: not such a statement.
    """
    envelope = cose.read(data, what=Kind.DIRECTORY.short)
    if envelope.kind != Kind.DIRECTORY or envelope.single:
        expected = f"{Kind.DIRECTORY} with several signatures (COSE_Sign)"
        raise refused(ErrorCode.WRONG_TYPE, expected, envelope.kind, Kind.DIRECTORY.short)
    return _directory(envelope.payload)


def _directory(payload: bytes) -> Directory:
    fields = Fields.of(payload, Kind.DIRECTORY.short)
    read = Directory(
        number=fields.integer("number", least=1),
        previous=fields.octets_or_none("previous", 32),
        axes=fields.ascending("axes", _axis, most=len(Axis)),
        operators=fields.ascending("operators", octets(32), most=MOST_OPERATORS),
        positions=fields.ascending("positions", octets(32), most=MOST_POSITIONS),
        from_ns=fields.instant_ns("from_ns"),
        to_ns=fields.instant_ns("to_ns"),
    )
    fields.end()
    if (read.number == 1) is not (read.previous is None):
        raise malformed(ErrorCode.STATEMENT_MALFORMED, "previous, in all but the first", "the other", fields.path)
    return read


def _axis(value: Value, path: str) -> Axis:
    if not isinstance(value, str) or value not in set(Axis):
        raise malformed(ErrorCode.STATEMENT_MALFORMED, f"one of {', '.join(Axis)}", shown(value), path)
    return Axis(value)


def _country(fields: Fields) -> str:
    code = fields.text("jurisdiction", least=2, most=2)
    if not (code.isascii() and code.isalpha() and code.isupper()):
        raise malformed(
            ErrorCode.STATEMENT_MALFORMED, "an ISO 3166-1 code", "another text", f"{fields.path}.jurisdiction"
        )
    return code
