"""`lightbound directory`: the parties of a directory say together which landmarks count."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, TypeAlias

import typer

from lightbound.cli.signing_options import (
    DataOption,
    FromOption,
    JsonOption,
    check_writable,
    interval_ns,
    now_ns,
    own_key,
    plain_text,
    print_json,
)

if TYPE_CHECKING:
    from lightbound.files.statements import StatementFile
    from lightbound.keys.ed25519 import VerifyingKey

directory_app = typer.Typer(
    name="directory",
    help="Say, k parties of n together, which landmarks count.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

DAYS: Final = 365
"""How long a directory holds unless said otherwise."""

INIT_HELP = """Make the key of one party of a directory.

Each of the n parties makes its own, on a machine of its own, and gives its public half to the others: k of them
together decide which landmarks count, so that k who collude, or k stolen keys, can let in whom they like. Keep it off
the network, in DIR/keys/directory.pem. A key that is there is never replaced.

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

SIGN_HELP = """Draft a directory over the statements in a folder and sign it as one party, or add a signature.

The draft lists every operators/*.cose and positions/*.cose of the folder, and is refused if one of them does not hold:
move away what is not to be let in. The other parties look at the same folder, with `directory show` and with what they
know, and add their signatures with --cosign: over the same payload, so that all say the same. Every signature changes
the directory's digest, by which sessions name it: give it out once it has all that it is to have.

\b
--axes      what makes two landmarks one fault unit besides operator and owner: hosting, jurisdiction. May be repeated.
--previous  the directory before this one. Its number goes up by one, and it names the other's digest.

\b
A party signs one directory of each number, and keeps what it signed in DIR/signed.

\b
Examples:
  lightbound directory sign --data party-a --folder admission --axes hosting
  lightbound directory sign --data party-b --folder admission --cosign
  lightbound directory sign --data party-a --folder admission --previous admission/directory.cose --axes hosting \\
    --out next.cose
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

FolderOption: TypeAlias = Annotated[
    Path, typer.Option(exists=True, file_okay=False, metavar="FOLDER", help="The admission folder.")
]


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
    as_json: JsonOption = False,
) -> None:
    """Make the key of one party of a directory."""
    from lightbound.files.statements import write_text
    from lightbound.keys.purposes import Purpose

    if out is not None:
        check_writable(out)
    key = own_key(data, Purpose.DIRECTORY).verifying
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
            "expected https://host or https://host:port, in lower case", param_hint="--url"
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


@directory_app.command(help=SIGN_HELP)
def sign(
    *,
    data: DataOption,
    folder: FolderOption,
    cosign: Annotated[bool, typer.Option("--cosign", help="Add a signature to the directory that is there.")] = False,
    number: Annotated[int | None, typer.Option(min=1, metavar="N", help="Default: one more than --previous.")] = None,
    previous: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, metavar="FILE", help="The directory before this one.")
    ] = None,
    axes: Annotated[
        list[str] | None, typer.Option(metavar="AXIS", help="hosting or jurisdiction. May be repeated.")
    ] = None,
    since: FromOption = None,
    until: Annotated[
        str | None,
        typer.Option("--to", metavar="TIME", help="Holds until then, RFC 3339. Default: 365 days after --from."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(dir_okay=False, metavar="FILE", help="Default: FOLDER/directory.cose.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Draft a directory over the statements in a folder and sign it as one party, or add a signature."""
    from lightbound.cli.directory_table import signatures_object, signatures_text
    from lightbound.files import admission, directories, directory_trust, showing
    from lightbound.files.statements import StatementFile, read_statement, write_statement
    from lightbound.keys.purposes import Purpose
    from lightbound.ranging.statements.admission import Axis
    from lightbound.ranging.statements.kinds import Kind

    path = check_writable(folder / admission.DIRECTORY if out is None else out)
    parties = directory_trust.read_directory_trust(folder / directory_trust.FILE)
    key = own_key(data, Purpose.DIRECTORY, keep=True)
    directories.check_party(key.verifying, parties, folder / directory_trust.FILE)
    statements = admission.read_statement_files(folder)
    if cosign:
        if number is not None or previous is not None or axes or since or until:
            raise typer.BadParameter(
                "adds a signature and changes nothing else: no other option goes with it", param_hint="--cosign"
            )
        there = read_statement(path, Kind.DIRECTORY)
        read, _ = showing.read_draft(there, statements, parties)
        signed = directories.cosign_directory(there, statements, parties, key)
    else:
        _refuse_to_replace_directory(path)
        if any(axis not in set(Axis) for axis in axes or ()):
            raise typer.BadParameter(f"expected one of {', '.join(Axis)}", param_hint="--axes")
        number, digest_before = _lineage(number, previous)
        from_ns, to_ns = interval_ns(since, until, days=DAYS)
        read = directories.draft_directory(
            statements,
            number=number,
            previous=digest_before,
            axes=[Axis(axis) for axis in axes or ()],
            from_ns=from_ns,
            to_ns=to_ns,
        )
        signed = directories.sign_directory(read, key)
    directories.remember_signed(data, read.number, signed)
    write_statement(path, signed)
    made = StatementFile(path=path, data=signed)
    signers = showing.signers(made, parties)
    if as_json:
        print_json(
            {
                "format": "lightbound.directory-signed/1",
                "file": str(path),
                "digest": made.digest.hex(),
                "number": read.number,
                "signatures": signatures_object(signers, parties),
            }
        )
        return
    typer.echo(f"Directory {read.number}, {len(read.operators)} operators, {len(read.positions)} positions: {path}")
    typer.echo(signatures_text(signers, parties))
    typer.echo(f"digest {made.digest.hex()}")
    if len(signers) < parties.threshold:
        file = "" if out is None else f" --out {out}"
        typer.echo(
            f"\nNext: another party signs it:\n  lightbound directory sign --data DIR --folder FOLDER{file} --cosign"
        )


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


def _refuse_to_replace_directory(path: Path) -> None:
    if path.exists():
        raise typer.BadParameter(
            f"{path} is there: --cosign adds a signature; --previous {path} --out FILE makes the one after it",
            param_hint="--out",
        )


def _lineage(number: int | None, previous: Path | None) -> tuple[int, bytes | None]:
    """The number of a directory, and the digest of the one before it."""
    from lightbound.files.directories import number_of
    from lightbound.files.statements import read_statement
    from lightbound.ranging.statements.kinds import Kind

    if previous is None:
        if number not in {None, 1}:
            raise typer.BadParameter("all but the first name the one before", param_hint="--previous")
        return 1, None
    before: StatementFile = read_statement(previous, Kind.DIRECTORY)
    after = number_of(before) + 1
    if number not in {None, after}:
        raise typer.BadParameter(f"expected {after}, one more than the one before", param_hint="--number")
    return after, before.digest
