"""`lightbound directory`: the parties of a directory say together which landmarks count."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lightbound.cli.directory_sign import SIGN_HELP, sign
from lightbound.cli.signing_options import (
    DataOption,
    FolderOption,
    JsonOption,
    ProtectOption,
    check_writable,
    now_ns,
    own_key,
    plain_text,
    print_json,
)

if TYPE_CHECKING:
    from lightbound.keys.ed25519 import VerifyingKey

directory_app = typer.Typer(
    name="directory",
    help="Say, k parties of n together, which landmarks count.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

INIT_HELP = """Make the key of one party of a directory.

Each of the n parties makes its own, on a machine of its own, and gives its public half to the others: k of them
together decide which landmarks count, so that k who collude, or k stolen keys, can let in whom they like. Keep it off
the network, in DIR/keys/directory.pem. A key that is there is never replaced. With --protect a passphrase is needed
besides, each time.

\b
Example:
  lightbound directory init --data party-a --out party-a.key
"""

TRUST_HELP = """Write down whose word on landmarks is taken: FOLDER/directory-trust.toml.

Keys are added to those that are there. To take one out, edit the file. Everybody who believes a directory has such a
file, and is to have the keys from the parties themselves, not from who brings the directory.

\b
Example:
  lightbound directory trust --folder admission --key 3d40...660c --key fc51...8025 --key e6c8...3a5b --threshold 2
"""

ADDRESS_HELP = """Write down what a landmark is called and where it answers: FOLDER/landmarks.toml.

Addresses are signed by nobody and can change without a new directory. A landmark proves with its key who it is.

\b
Example:
  lightbound directory address admission/positions/sin-1.cose --folder admission --name sin-1 \\
    --url https://sin-1.example.org:8471
"""

SHOW_HELP = """Show whom an admission folder lets in, where they stand, which fail together, and what is wrong.

Shown are the signatures that are there and how many it takes, every landmark with its place, fault unit and time, and
every statement that lets nobody in, with the reason. A directory that has too few signatures yet is shown as well.

\b
Exit code 3, 4 or 5 if nobody would take landmarks from this folder: too few signatures, a statement that is missing,
a landmark without an address, a file that cannot be read.

\b
Examples:
  lightbound directory show --folder admission
  lightbound directory show --folder admission --directory next.cose --json
"""


@directory_app.callback()
def directory() -> None:
    """Say, k parties of n together, which landmarks count."""


@directory_app.command(help=INIT_HELP)
def init(
    *,
    data: DataOption,
    out: Annotated[
        Path | None, typer.Option(dir_okay=False, metavar="FILE", help="Write the public key there, as 64 digits.")
    ] = None,
    protect: ProtectOption = False,
    as_json: JsonOption = False,
) -> None:
    """Make the key of one party of a directory."""
    from lightbound.files.statements import write_text
    from lightbound.keys.purposes import Purpose

    if out is not None:
        check_writable(out)
    key = own_key(data, Purpose.DIRECTORY, protect=protect).verifying
    if out is not None:
        write_text(out, f"{key.raw.hex()}\n")
    if as_json:
        print_json({"format": "lightbound.key/1", "key": key.raw.hex(), "id": key.key_id.hex()})
        return
    typer.echo(f"party  {key.key_id.hex()}\nkey    {key.raw.hex()}\n")
    typer.echo(
        "Next: give the key to the other parties, and to everybody who is to believe them, who write down:\n"
        f"  lightbound directory trust --folder FOLDER --key {key.raw.hex()} ... --threshold K"
    )


@directory_app.command(help=TRUST_HELP)
def trust(
    *,
    folder: FolderOption,
    key: Annotated[list[str], typer.Option(metavar="HEX", help="Public key of a party, 64 digits. May be repeated.")],
    threshold: Annotated[int | None, typer.Option(min=1, metavar="K", help="So many together are enough.")] = None,
    lower: Annotated[
        bool, typer.Option("--lower", help="Let fewer be enough than the file says that is there already.")
    ] = False,
) -> None:
    """Write down whose word on landmarks is taken."""
    from lightbound.files import directory_trust
    from lightbound.ranging.statements.admission import DirectoryTrust

    path = folder / directory_trust.FILE
    before = directory_trust.read_directory_trust(path) if path.exists() else None
    keys = {} if before is None else {one.raw: one for one in before.keys}
    keys |= {one.raw: one for one in map(_party, key)}
    least = threshold if threshold is not None else before.threshold if before is not None else None
    if least is None or least > len(keys):
        raise typer.BadParameter(
            f"expected a number from 1 to {len(keys)}, the keys there are", param_hint="--threshold"
        )
    if before is not None and least < before.threshold and not lower:
        raise typer.BadParameter(
            f"{path} asks for {before.threshold}: expected as many, or --lower", param_hint="--threshold"
        )
    directory_trust.write_directory_trust(path, DirectoryTrust(keys=tuple(keys.values()), threshold=least))
    typer.echo(f"{path}: {least} of {len(keys)} parties are enough.")
    if 2 * least <= len(keys):
        typer.echo("note: less than half; two groups of parties could sign two directories.", err=True)


@directory_app.command(help=ADDRESS_HELP)
def address(
    position: Annotated[
        Path,
        typer.Argument(exists=True, dir_okay=False, metavar="POSITION", help="What the landmark's operator signed."),
    ],
    *,
    folder: FolderOption,
    name: Annotated[str, typer.Option(metavar="TEXT", help="What people call the landmark.")],
    url: Annotated[str, typer.Option(metavar="URL", help="https://host or https://host:port; also http.")],
) -> None:
    """Write down what a landmark is called and where it answers."""
    from lightbound.enrolment.trust import check_url
    from lightbound.errors import LightboundError
    from lightbound.files import landmark_addresses
    from lightbound.files.statements import read_statement
    from lightbound.files.toml import of_file
    from lightbound.ranging.statements.admission import position_said
    from lightbound.ranging.statements.kinds import Kind

    plain_text(name, "--name", most=landmark_addresses.MOST_NAME)
    try:
        check_url(url, "url")
    except LightboundError as error:
        raise typer.BadParameter(
            "expected https://host or https://host:port, or http, in lower case", param_hint="--url"
        ) from error
    file = read_statement(position, Kind.POSITION)
    try:
        key = position_said(file.data).landmark_key
    except LightboundError as error:
        raise of_file(error, position) from error
    path = folder / landmark_addresses.FILE
    known = landmark_addresses.read_addresses(path) if path.exists() else {}
    known.pop(key.key_id, None)
    for one in known.values():
        if name == one.name or url == one.url:
            option = "--name" if name == one.name else "--url"
            raise typer.BadParameter(f"landmark {one.key.key_id.hex()} has it", param_hint=option)
    known[key.key_id] = landmark_addresses.LandmarkAddress(key=key, name=name, url=url)
    landmark_addresses.write_addresses(path, known)
    typer.echo(f"{path}: landmark {key.key_id.hex()} is {name}, at {url}")


directory_app.command("sign", help=SIGN_HELP)(sign)


@directory_app.command(help=SHOW_HELP)
def show(
    *,
    folder: FolderOption,
    file: Annotated[
        Path | None,
        typer.Option(
            "--directory", exists=True, dir_okay=False, metavar="FILE", help="Default: FOLDER/directory.cose."
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show whom an admission folder lets in, where they stand, which fail together, and what is wrong."""
    from lightbound.cli.directory_table import print_folder, shown_object
    from lightbound.files.admission import read_admission
    from lightbound.files.showing import look_at

    seen = look_at(folder, file)
    print_json(shown_object(seen, now_ns=now_ns())) if as_json else print_folder(seen, now_ns=now_ns())
    read_admission(folder, directory=file)


def _party(text: str) -> "VerifyingKey":
    from lightbound.errors import Malformed
    from lightbound.keys.ed25519 import VerifyingKey
    from lightbound.keys.purposes import Purpose

    try:
        return VerifyingKey(purpose=Purpose.DIRECTORY, raw=bytes.fromhex(text))
    except (ValueError, Malformed) as error:
        raise typer.BadParameter("expected a public key, 64 hexadecimal digits", param_hint="--key") from error
