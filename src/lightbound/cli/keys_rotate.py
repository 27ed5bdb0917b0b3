"""`lightbound keys rotate`: a landmark's, a log's or a witness's next key, and the statement that it follows."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from lightbound.cli.signing_options import JsonOption, check_writable, now_ns, print_json, shown_instant
from lightbound.cli.terminal import printable, refuse_to_replace
from lightbound.cli.verdict_options import instant_ns

if TYPE_CHECKING:
    from lightbound.keys.rotation import Rotation

ROTATE_HELP: Final = """Make the next key of a landmark, log or witness, and the ROTATION that both keys sign.

WHAT is landmark, log or witness. The key that is there stays as it is and in use; the new one stands beside it, as
DIR/keys/WHAT.next.pem, or where --new says, and is made if it is not there. If the old key is under a passphrase, the
new one is made under the same.

\b
Then, with what runs stopped:
  log, witness  move keys/WHAT.pem away and keys/WHAT.next.pem to its place; start it again. The database stays.
                Give the new vkey and the ROTATION to everybody who has the old vkey.
  landmark      its key is its name, so the new one is a new landmark to everybody: make it with `landmark init`
                in a folder of its own, name its key with --new, and have its POSITION signed and a directory let it in.

A ROTATION shows that whoever had the old key wanted the new one to follow. It does not show that the old key had not
been stolen before: if it may have been, make a new key and tell everybody yourself.

\b
Examples:
  lightbound keys rotate log --data /var/lib/lightbound/log --name log.example/lightbound --out rotation.cose
  lightbound keys rotate landmark --data landmark --new landmark-2/keys/landmark.pem --out rotation.cose
"""


class What(StrEnum):
    """Whose key is rotated."""

    LANDMARK = "landmark"
    LOG = "log"
    WITNESS = "witness"


def rotate(
    what: Annotated[What, typer.Argument(metavar="WHAT", help="landmark, log or witness.")],
    *,
    data: Annotated[
        Path | None, typer.Option(file_okay=False, metavar="DIR", help="Its folder. Default: as the role's `run`.")
    ] = None,
    name: Annotated[
        str | None, typer.Option(metavar="NAME", help="The origin of the log, or the name of the witness.")
    ] = None,
    new: Annotated[
        Path | None, typer.Option(dir_okay=False, metavar="FILE", help="The new key. Default: DIR/keys/WHAT.next.pem.")
    ] = None,
    since: Annotated[
        str | None, typer.Option("--from", metavar="TIME", help="Used from then, RFC 3339. Default: now.")
    ] = None,
    out: Annotated[Path, typer.Option(dir_okay=False, metavar="FILE", help="Write the ROTATION there, as NAME.cose.")],
    as_json: JsonOption = False,
) -> None:
    """Make the next key of a landmark, log or witness, and the ROTATION that both keys sign."""
    import secrets

    from lightbound.files.keys import key_path, read_key, read_key_and_passphrase, write_new_key
    from lightbound.files.statements import write_statement
    from lightbound.keys.ed25519 import SigningKey
    from lightbound.keys.purposes import Purpose
    from lightbound.keys.rotation import read_rotation, write_rotation
    from lightbound.roles.state import default_folder

    if out.suffix != ".cose":
        raise typer.BadParameter("expected a name that ends in .cose", param_hint="--out")
    _check_name(what, name)
    check_writable(out)
    purpose = Purpose(what.value)
    path = key_path(default_folder(what.value) if data is None else data, purpose)
    next_path = path.with_name(f"{what.value}.next.pem") if new is None else new
    refuse_to_replace(out, (path, next_path))
    if next_path.exists() and next_path.samefile(path):
        raise typer.BadParameter("expected another file than that of the old key", param_hint="--new")
    from_ns = now_ns() if since is None else instant_ns(since, "--from")
    old, passphrase = read_key_and_passphrase(path, purpose)
    if next_path.exists():
        following = read_key(next_path, purpose)
    else:
        following = SigningKey.of_seed(purpose, secrets.token_bytes(32))
        write_new_key(next_path, following, passphrase)
    if following.key_id == old.key_id:
        raise typer.BadParameter("expected another key than the old one", param_hint="--new")
    statement = write_rotation(name or old.key_id.hex(), old, following, from_ns=from_ns)
    write_statement(out, statement)
    _tell(read_rotation(statement), as_json=as_json)
    if not as_json:
        typer.echo(f"new key  {next_path}\nsaid in  {out}\n")
        typer.echo("Next: `lightbound keys rotate --help` says how it is put to use.")


def tell_rotation(file: Path, *, as_json: bool) -> None:
    """Show what a ROTATION says, both of its signatures being checked."""
    from lightbound.canonical.cbor import MOST_BYTES
    from lightbound.errors import ErrorCode, LightboundError
    from lightbound.files.toml import of_file, read_small
    from lightbound.keys.rotation import read_rotation

    data = read_small(file, MOST_BYTES, ErrorCode.COSE_MALFORMED)
    try:
        read = read_rotation(data)
    except LightboundError as error:
        raise of_file(error, file) from error
    _tell(read, as_json=as_json)
    if not as_json:
        typer.echo("\nBoth keys signed it. Compare the old one with the key that you know; whether it had been stolen")
        typer.echo("before, no signature shows.")


def _check_name(what: What, name: str | None) -> None:
    from lightbound.tlog.note import is_name

    if what is What.LANDMARK:
        if name is not None:
            raise typer.BadParameter("a landmark has none: it is known by its key", param_hint="--name")
    elif name is None or not is_name(name):
        raise typer.BadParameter("expected the name that stands in its vkey", param_hint="--name")


def _vkey(read: "Rotation", *, new: bool) -> str | None:
    """As notes know the key; a landmark signs none."""
    from lightbound.keys.purposes import Purpose
    from lightbound.tlog.checkpoint import log_key
    from lightbound.tlog.cosignature import witness_key

    if read.what is Purpose.LANDMARK:
        return None
    named = log_key if read.what is Purpose.LOG else witness_key
    return str(named(read.name, read.new if new else read.old))


def _tell(read: "Rotation", *, as_json: bool) -> None:
    old, new, since = read.old.raw.hex(), read.new.raw.hex(), shown_instant(read.from_ns)
    vkeys = {"old_vkey": _vkey(read, new=False), "new_vkey": _vkey(read, new=True)}
    if as_json:
        told = {"what": str(read.what), "name": read.name, "old": old, "new": new, "from": since, **vkeys}
        print_json({"format": "lightbound.rotation/1", **told})
        return
    typer.echo(
        f"what     {read.what}\nname     {printable(read.name)}\nold      {old}\nnew      {new}\nfrom     {since}"
    )
    if vkeys["new_vkey"] is not None:
        typer.echo(f"vkeys    {vkeys['old_vkey']}\n         {vkeys['new_vkey']}")
