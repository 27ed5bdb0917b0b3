"""`landmarks.toml`: what people call the landmarks of a directory, and where they answer.

Addresses are signed by nobody: a landmark proves who it is with its key, and a wrong address reaches nobody.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lightbound.enrolment.trust import check_url
from lightbound.errors import Malformed
from lightbound.files.statements import write_text
from lightbound.files.toml import TomlTable, quoted
from lightbound.keys.ed25519 import KEY_BYTES, VerifyingKey
from lightbound.keys.purposes import Purpose
from lightbound.ranging.statements.admission import MOST_POSITIONS

FORMAT: Final = "lightbound.landmarks/1"
FILE: Final = "landmarks.toml"

MOST_NAME: Final = 128
"""Characters; what TRUST takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LandmarkAddress:
    """Where one landmark answers."""

    key: VerifyingKey
    name: str
    url: str
    """Scheme, host and port, no path."""


def read_addresses(path: Path) -> dict[bytes, LandmarkAddress]:
    """The addresses in a file, by landmark id.

    Raises:
        Unavailable: it cannot be read.
        Malformed: it is of another format, an address is none, or a key, name or address stands there twice.
    """
    table = TomlTable.read(path)
    table.format(FORMAT)
    read: dict[bytes, LandmarkAddress] = {}
    seen: set[tuple[str, object]] = set()
    for entry in table.tables("landmark", most=MOST_POSITIONS):
        address = _address(entry)
        for key, value in (("key", address.key.raw), ("name", address.name), ("url", address.url)):
            if (key, value) in seen:
                raise entry.wrong(key, "one that no other landmark has", "the same")
            seen.add((key, value))
        read[address.key.key_id] = address
    table.end()
    return read


def write_addresses(path: Path, addresses: Mapping[bytes, LandmarkAddress]) -> None:
    """Keep them in a file, in the order of their names.

    Raises:
        Unavailable: it cannot be written.
    """
    entries = [
        f'\n[[landmark]]\nkey = "{one.key.raw.hex()}"\nname = {quoted(one.name)}\nurl = {quoted(one.url)}\n'
        for one in sorted(addresses.values(), key=lambda one: one.name)
    ]
    write_text(path, "".join([f'format = "{FORMAT}"\n', *entries]))


def _address(entry: TomlTable) -> LandmarkAddress:
    raw = entry.octets("key", KEY_BYTES)
    try:
        key = VerifyingKey(purpose=Purpose.LANDMARK, raw=raw)
    except Malformed as error:
        raise entry.wrong("key", error.faults[0].expected, "another") from error
    name = entry.text("name", most=MOST_NAME)
    url = entry.text("url")
    try:
        check_url(url, "url")
    except Malformed as error:
        raise entry.wrong("url", error.faults[0].expected, error.faults[0].found) from error
    entry.end()
    return LandmarkAddress(key=key, name=name, url=url)
