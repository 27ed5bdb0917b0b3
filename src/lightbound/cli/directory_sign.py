"""`lightbound directory sign`: one party drafts a directory and signs it, the others add their signatures."""

from pathlib import Path
from typing import Annotated, Final

import typer

from lightbound.cli.signing_options import (
    DataOption,
    FolderOption,
    FromOption,
    JsonOption,
    check_writable,
    interval_ns,
    own_key,
    print_json,
)

DAYS: Final = 365
"""How long a directory holds unless said otherwise."""

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
    before = read_statement(previous, Kind.DIRECTORY)
    after = number_of(before) + 1
    if number not in {None, after}:
        raise typer.BadParameter(f"expected {after}, one more than the one before", param_hint="--number")
    return after, before.digest
