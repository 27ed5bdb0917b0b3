"""trust.toml: whom this agent believes and talks to. Made at enrolment, and then a person's to read and to change."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lightbound.enrolment.trust import MOST_DIRECTORIES, Trust, check_url
from lightbound.errors import ErrorCode, Fault, LightboundError, Refused, Unavailable
from lightbound.files.toml import MOST_BYTES, TomlTable, of_file, quoted, read_small
from lightbound.files.whole import whole_file
from lightbound.keys.ed25519 import VerifyingKey
from lightbound.keys.purposes import Purpose
from lightbound.ranging.sessions.agent import AgentTrust
from lightbound.ranging.statements.session import MOST_LANDMARKS

NAME: Final = "trust.toml"
FORMAT: Final = "lightbound.agent-trust/1"

HEAD: Final = """\
# Whom this agent believes, and the only hosts that it sends anything to. It answers no session that names others.
# Made by `lightbound agent enrol`; change it as you see fit, and start the agent again.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """A server that the agent may talk to."""

    key: VerifyingKey
    name: str
    url: str
    ca: Path | None = None
    """A file of CA certificates that its certificate is checked against; None: those of the system."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trusted:
    """What trust.toml says."""

    verifier: Host
    directories: frozenset[bytes]
    landmarks: Mapping[bytes, Host]
    """By id."""

    def trust(self) -> AgentTrust:
        """As sessions are checked against it."""
        return AgentTrust(
            verifier=self.verifier.key,
            directories=self.directories,
            landmarks={name: host.key for name, host in self.landmarks.items()},
        )


def read_trusted(folder: Path) -> Trusted:
    """Whom the agent of a folder believes.

    Raises:
        Refused: it has not enrolled.
        Unavailable: the file cannot be read.
        Malformed: it is not such a file; the error names the key.
    """
    path = folder / NAME
    if not path.exists():
        fault = Fault(
            code=ErrorCode.NOT_ENROLLED,
            expected="an agent that has enrolled",
            found="no trust.toml",
            file=str(folder),
            next="lightbound agent enrol, or another --data",
        )
        raise Refused(fault)
    try:
        return _read(TomlTable.read(path))
    except LightboundError as error:
        raise of_file(error, path) from error


def trust_text(trust: Trust, *, url: str, ca: Path | None, landmark_ca: Path | None) -> str:
    """What a verifier offered, as a file for a person."""
    directories = ", ".join(f'"{one.hex()}"' for one in trust.directories)
    parts = [
        HEAD,
        f'format = "{FORMAT}"\n',
        f"directories = [{directories}]\n",
        f'\n[verifier]\nurl = {quoted(url)}\nkey = "{trust.verifier.raw.hex()}"\n{_authority(ca)}',
    ]
    parts += [
        f"\n[[landmark]]\nname = {quoted(one.name)}\nurl = {quoted(one.url)}\n"
        f'key = "{one.key.raw.hex()}"\n{_authority(landmark_ca)}'
        for one in trust.landmarks
    ]
    return "".join(parts)


def write_trusted(folder: Path, text: str, *, ours: Sequence[bytes], replace: bool) -> None:
    """Write trust.toml, unless somebody has changed the one that is there.

    `ours` are the digests of what was written before by us.

    Raises:
        Refused: somebody has, and `replace` is off.
        Unavailable: it cannot be read or written.
    """
    path = folder / NAME
    try:
        found = read_small(path, MOST_BYTES)
    except Unavailable:
        if path.exists():
            raise
    else:
        if found == text.encode():
            return
        if hashlib.sha256(found).digest() not in ours and not replace:
            fault = Fault(
                code=ErrorCode.DUPLICATE,
                expected="no trust.toml, or one that nobody has changed",
                found="one that somebody has",
                file=str(path),
                next="compare the two, and give --replace to have it made anew",
            )
            raise Refused(fault)
    with whole_file(path) as file:
        file.write(text.encode())


def _read(top: TomlTable) -> Trusted:
    top.format(FORMAT)
    directories = top.octets_array("directories", 32, most=MOST_DIRECTORIES)
    verifier = _host(top.table("verifier"), Purpose.VERIFIER, "verifier")
    landmarks: dict[bytes, Host] = {}
    for table in top.tables("landmark", most=MOST_LANDMARKS):
        host = _host(table, Purpose.LANDMARK, table.text("name", most=128))
        if host.key.key_id in landmarks:
            raise table.wrong("key", "a key that stands once", "one twice")
        landmarks[host.key.key_id] = host
    top.end()
    return Trusted(verifier=verifier, directories=frozenset(directories), landmarks=landmarks)


def _host(table: TomlTable, purpose: Purpose, name: str) -> Host:
    key = VerifyingKey(purpose=purpose, raw=table.octets("key", 32))
    url = check_url(table.text("url"), f"{table.path}.url")
    ca = table.text_or_none("ca", most=4_096)
    table.end()
    return Host(key=key, name=name, url=url, ca=None if ca is None else Path(ca))


def _authority(ca: Path | None) -> str:
    return "" if ca is None else f"ca = {quoted(str(ca))}\n"
