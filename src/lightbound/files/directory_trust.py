"""`directory-trust.toml`: the n parties whose word on landmarks is taken, and how many of them it takes."""

from pathlib import Path
from typing import Final

from lightbound.canonical.cose import MOST_SIGNERS
from lightbound.errors import Malformed
from lightbound.files.statements import write_text
from lightbound.files.toml import TomlTable, array
from lightbound.keys.ed25519 import KEY_BYTES, VerifyingKey
from lightbound.keys.purposes import Purpose
from lightbound.ranging.statements.admission import DirectoryTrust

FORMAT: Final = "lightbound.directory-trust/1"
FILE: Final = "directory-trust.toml"


def read_directory_trust(path: Path) -> DirectoryTrust:
    """Whom a file names.

    Raises:
        Unavailable: it cannot be read.
        Malformed: it names no parties, one twice, or a threshold that they cannot reach.
    """
    table = TomlTable.read(path)
    table.format(FORMAT)
    keys = [
        directory_key(raw, table, f"keys[{i}]")
        for i, raw in enumerate(table.octets_array("keys", KEY_BYTES, least=1, most=MOST_SIGNERS))
    ]
    if len({key.raw for key in keys}) < len(keys):
        raise table.wrong("keys", "each key once", "one twice")
    threshold = table.integer("threshold", least=1, most=len(keys))
    table.end()
    return DirectoryTrust(keys=tuple(keys), threshold=threshold)


def write_directory_trust(path: Path, trust: DirectoryTrust) -> None:
    """Keep them in a file.

    Raises:
        Unavailable: it cannot be written.
    """
    keys = array([key.raw.hex() for key in trust.keys])
    comment = "# Of these keys, so many together say which landmarks count."
    write_text(path, f'{comment}\nformat = "{FORMAT}"\nkeys = {keys}\nthreshold = {trust.threshold}\n')


def directory_key(raw: bytes, table: TomlTable, key: str) -> VerifyingKey:
    """The key of a party, from what stands under a key of a table.

    Raises:
        Malformed: it is none that could bind its holder.
    """
    try:
        return VerifyingKey(purpose=Purpose.DIRECTORY, raw=raw)
    except Malformed as error:
        raise table.wrong(key, error.faults[0].expected, "another") from error
