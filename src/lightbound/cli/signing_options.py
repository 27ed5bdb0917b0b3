"""What the commands that make keys and sign statements of admission ask for alike: folders, intervals, texts."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeAlias

import typer

from lightbound.cli.verdict_options import instant_ns

if TYPE_CHECKING:
    from lightbound.keys.ed25519 import SigningKey
    from lightbound.keys.purposes import Purpose

DAY_NS: Final = 86_400 * 10**9

DataOption: TypeAlias = Annotated[
    Path, typer.Option(file_okay=False, metavar="DIR", help="Folder that keeps the key, as keys/<purpose>.pem.")
]
FolderOption: TypeAlias = Annotated[
    Path, typer.Option(exists=True, file_okay=False, metavar="FOLDER", help="The admission folder.")
]
FromOption: TypeAlias = Annotated[
    str | None,
    typer.Option("--from", metavar="TIME", help="Holds from then, RFC 3339. Default: the beginning of today, UTC."),
]
KeepKeyOption: TypeAlias = Annotated[
    bool, typer.Option("--keep-key", help="Use the key that is there, instead of making one.")
]
ProtectOption: TypeAlias = Annotated[
    bool, typer.Option("--protect", help="Put the new key under a passphrase; `lightbound keys protect --help`.")
]
JsonOption: TypeAlias = Annotated[bool, typer.Option("--json", help="Print one JSON object, and nothing else.")]


def now_ns() -> int:
    """Nanoseconds since 1970 UTC, by the clock of this machine."""
    return round(datetime.now(tz=UTC).timestamp()) * 10**9  # noqa: TID251 - a person signs now; the edge asks


def interval_ns(since: str | None, until: str | None, *, days: int) -> tuple[int, int]:
    """From when to when a statement holds.

    It begins with the day rather than now, because the clocks of those who read it differ from this one.

    Raises:
        typer.BadParameter: it is over before it begins, or is over already.
    """
    now = now_ns()
    from_ns = now - now % DAY_NS if since is None else instant_ns(since, "--from")
    to_ns = from_ns + days * DAY_NS if until is None else instant_ns(until, "--to")
    if to_ns <= from_ns:
        raise typer.BadParameter("expected a time after --from", param_hint="--to")
    if to_ns <= now:
        raise typer.BadParameter("expected a time to come: nobody would believe it now", param_hint="--to")
    return from_ns, to_ns


def shown_instant(since_1970_ns: int) -> str:
    """RFC 3339 in UTC, to the second."""
    moment = datetime.fromisoformat("1970-01-01T00:00:00+00:00") + timedelta(seconds=since_1970_ns // 10**9)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def plain_text(value: str, option: str, *, most: int = 256) -> str:
    """A text as statements take it.

    Raises:
        typer.BadParameter: it is empty, too long, or has characters that show nothing.
    """
    from lightbound.canonical.fields import is_plain

    if not 1 <= len(value) <= most or not is_plain(value):
        raise typer.BadParameter(f"expected 1 to {most} printable characters, no space at an end", param_hint=option)
    return value


def check_writable(out: Path, option: str = "--out") -> Path:
    """Where a file is to go, looked at before anything is done that cannot be done again.

    Raises:
        typer.BadParameter: there is no such folder.
    """
    if not out.absolute().parent.is_dir():
        raise typer.BadParameter(f"there is no folder {out.parent}", param_hint=option)
    return out


def own_key(data: Path, purpose: "Purpose", *, keep: bool = False, protect: bool = False) -> "SigningKey":
    """A new key, kept in the folder, under a passphrase if it is to be; or the one that is there.

    Raises:
        Refused: there is one and a new one was asked for, it is readable by others, or the passphrase is another.
        Unavailable: it cannot be read or written.
    """
    import secrets

    from lightbound.files.keys import key_path, read_key, write_new_key
    from lightbound.files.passphrases import asked_twice, passphrase_given
    from lightbound.keys.ed25519 import SigningKey

    path = key_path(data, purpose)
    if keep:
        if protect:
            raise typer.BadParameter("is for a new key; `lightbound keys protect` is for this", param_hint="--protect")
        return read_key(path, purpose)
    key = SigningKey.of_seed(purpose, secrets.token_bytes(32))
    passphrase = (passphrase_given() or asked_twice(path)) if protect else None
    write_new_key(path, key, passphrase)
    return key


def print_json(told: Mapping[str, Any]) -> None:
    """Print one JSON object."""
    import json

    typer.echo(json.dumps(told, ensure_ascii=False, separators=(",", ":"), allow_nan=False))
