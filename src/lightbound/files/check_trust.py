"""`check-trust.toml`: whom somebody believes who checks a bundle. Everything else is in the bundle, and signed.

format = "lightbound.check-trust/1"
verifiers = ["hex of 32 bytes"]
[directory]
keys = ["hex of 32 bytes"]
threshold = 1
[devices]                          only if other roots than the vendors' are believed
roots = "folder of *.pem"
[log]                              only if statements have to stand in one
key = "vkey of the log"
witnesses = ["vkey", ...]
threshold = 1
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lightbound.bundles.checking import Trusted
from lightbound.bundles.logged import LogTrusted
from lightbound.canonical.cose import MOST_SIGNERS
from lightbound.errors import Malformed
from lightbound.files.attestation_folder import certificates, read_folder
from lightbound.files.directory_trust import directory_key
from lightbound.files.toml import TomlTable, array, quoted
from lightbound.keys.ed25519 import KEY_BYTES, VerifyingKey
from lightbound.keys.purposes import Purpose
from lightbound.ranging.statements.admission import DirectoryTrust
from lightbound.tlog.note import NoteKey, read_log_vkey, read_witness_vkey

FORMAT: Final = "lightbound.check-trust/1"

MOST: Final = 256
"""Keys of one kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckTrust:
    """Whom a file names."""

    trusted: Trusted
    device_roots: tuple[bytes, ...]
    """DER, besides the vendors'."""


def read_check_trust(path: Path) -> CheckTrust:
    """Whom a file names.

    Raises:
        Unavailable: it, or a root that it names, cannot be read.
        Malformed: it is no such file.
    """
    table = TomlTable.read(path)
    table.format(FORMAT)
    verifiers = tuple(
        VerifyingKey(purpose=Purpose.VERIFIER, raw=raw)
        for raw in table.octets_array("verifiers", KEY_BYTES, least=1, most=MOST)
    )
    parties = table.table("directory")
    keys = [
        directory_key(raw, parties, f"keys[{i}]")
        for i, raw in enumerate(parties.octets_array("keys", KEY_BYTES, least=1, most=MOST_SIGNERS))
    ]
    directory = DirectoryTrust(keys=tuple(keys), threshold=parties.integer("threshold", least=1, most=len(keys)))
    parties.end()
    devices = table.table("devices") if table.has("devices") else None
    log = table.table("log") if table.has("log") else None
    roots: tuple[bytes, ...] = ()
    if devices is not None:
        folder = path.parent / devices.text("roots", most=4_096)
        roots = tuple(der for file in read_folder(folder, "*.pem") for der in certificates(file))
        if not roots:
            raise devices.wrong("roots", "a folder with certificates, *.pem", "none")
        devices.end()
    read = Trusted(verifiers=verifiers, directory=directory, log=None if log is None else _log(log))
    table.end()
    return CheckTrust(trusted=read, device_roots=roots)


def write_check_trust(trusted: Trusted, *, roots: str | None) -> str:
    """The text of such a file; `roots` is the path of a folder of device roots, beside it."""
    directory = trusted.directory
    lines = [
        "# Whom you believe about a bundle. Get the keys from their owners, not from whoever sent the bundle.",
        f'format = "{FORMAT}"',
        f"verifiers = {array([key.raw.hex() for key in trusted.verifiers])}",
        "",
        "[directory]",
        f"keys = {array([key.raw.hex() for key in directory.keys])}",
        f"threshold = {directory.threshold}",
    ]
    if roots is not None:
        lines += ["", "[devices]", f"roots = {quoted(roots)}"]
    if trusted.log is not None:
        log = trusted.log
        lines += ["", "[log]", f'key = "{log.key}"']
        lines += [f"witnesses = {array([str(key) for key in log.witnesses])}", f"threshold = {log.threshold}"]
    return "\n".join((*lines, ""))


def _log(table: TomlTable) -> LogTrusted:
    key = _vkey(table, "key", table.text("key", most=1_024), read_log_vkey)
    witnesses = tuple(
        _vkey(table, f"witnesses[{number}]", text, read_witness_vkey)
        for number, text in enumerate(table.texts("witnesses", most=MOST))
    )
    # Under another name it is the same key, and would count twice.
    if len({one.raw for one in witnesses}) < len(witnesses):
        raise table.wrong("witnesses", "keys of witnesses, each once", "one twice")
    read = LogTrusted(key=key, witnesses=witnesses, threshold=table.integer("threshold", least=0, most=len(witnesses)))
    table.end()
    return read


def _vkey(table: TomlTable, key: str, text: str, read: Callable[[str], NoteKey]) -> NoteKey:
    try:
        return read(text)
    except Malformed as error:
        raise table.wrong(key, error.faults[0].expected, "another text") from error
