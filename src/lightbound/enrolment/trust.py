"""TRUST: a verifier tells an agent whom to believe: its own key, directories, and landmarks with their addresses.

An agent takes it once, when it enrols, from the verifier whose key its code names, and writes it down for a person to
read and change. It then answers nobody else, and sends to no other host.
"""

import re
from dataclasses import dataclass
from typing import Final

from lightbound.canonical import cose
from lightbound.canonical.cbor import Value, encode
from lightbound.canonical.fields import Fields, octets
from lightbound.enrolment.kinds import Kind, believed, signed
from lightbound.errors import ErrorCode, malformed, refused
from lightbound.keys.ed25519 import SigningKey, VerifyingKey
from lightbound.keys.purposes import Purpose
from lightbound.ranging.statements.session import MOST_LANDMARKS

MOST_DIRECTORIES: Final = 16

_URL: Final = re.compile(r"https?://(\[[0-9a-f:.]+\]|[a-z0-9.-]+)(:[0-9]{1,5})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedLandmark:
    """A landmark that may time the agent, and where it answers."""

    key: VerifyingKey
    name: str
    url: str
    """Scheme, host and port, no path."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """Whom an agent believes."""

    verifier: VerifyingKey
    directories: tuple[bytes, ...]
    """Digests, ascending."""
    landmarks: tuple[TrustedLandmark, ...]
    """In the order of their keys' ids."""


def write_trust(trust: Trust, key: SigningKey) -> bytes:
    """The statement TRUST, signed by the verifier."""
    payload: dict[str, Value] = {
        "verifier": trust.verifier.raw,
        "directories": list(trust.directories),
        "landmarks": [
            {"key": one.key.raw, "name": one.name, "url": one.url}
            for one in sorted(trust.landmarks, key=lambda one: one.key.key_id)
        ],
    }
    return signed(Kind.TRUST, encode(payload), key)


def read_trust(data: bytes, verifier_id: bytes) -> Trust:
    """Whom a verifier says to believe, if its key has this id.

    Raises:
        Malformed, Refused: not such a statement, or by another verifier.
    """
    fields = Fields.of(cose.read(data, what=Kind.TRUST.short).payload, Kind.TRUST.short)
    verifier = VerifyingKey(purpose=Purpose.VERIFIER, raw=fields.octets("verifier", 32))
    if verifier.key_id != verifier_id:
        raise refused(
            ErrorCode.WRONG_KEY, f"verifier {verifier_id.hex()}", verifier.key_id.hex(), f"{fields.path}.verifier"
        )
    believed(data, Kind.TRUST, verifier)
    read = Trust(
        verifier=verifier,
        directories=fields.ascending("directories", octets(32), most=MOST_DIRECTORIES),
        landmarks=fields.items("landmarks", _landmark, most=MOST_LANDMARKS),
    )
    fields.end()
    ids = [landmark.key.key_id for landmark in read.landmarks]
    if ids != sorted(set(ids)):
        path = f"{fields.path}.landmarks"
        raise malformed(ErrorCode.STATEMENT_MALFORMED, "landmarks in the order of their ids, once each", "others", path)
    return read


def check_url(url: str, path: str) -> str:
    """The address of a server, if it is one: scheme, host, port, and nothing after.

    Raises:
        Malformed: it is none.
    """
    match = _URL.fullmatch(url)
    if match is None or (match[2] and not 0 < int(match[2][1:]) < 65_536):
        expected = "https:// or http://, a host in lower case, and perhaps a port, as https://host:8470"
        raise malformed(ErrorCode.STATEMENT_MALFORMED, expected, "another text", path)
    return url


def _landmark(value: Value, path: str) -> TrustedLandmark:
    fields = Fields(value, path)
    read = TrustedLandmark(
        key=VerifyingKey(purpose=Purpose.LANDMARK, raw=fields.octets("key", 32)),
        name=fields.text("name", most=128),
        url=check_url(fields.text("url"), f"{path}.url"),
    )
    fields.end()
    return read
