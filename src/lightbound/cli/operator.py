"""`lightbound operator`: whoever runs landmarks says who it is, and where they stand."""

from pathlib import Path
from typing import Annotated, Final, TypeAlias

import typer

from lightbound.cli.signing_options import (
    DataOption,
    FromOption,
    JsonOption,
    KeepKeyOption,
    ProtectOption,
    check_writable,
    interval_ns,
    own_key,
    plain_text,
    print_json,
    shown_instant,
)
from lightbound.cli.terminal import printable, refuse_to_replace

operator_app = typer.Typer(
    name="operator",
    help="Say who runs landmarks, and where they stand.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

DAYS: Final = 730
"""How long a statement holds unless said otherwise."""

INIT_HELP = """Make an operator's key, and the statement that says who the operator is.

The key signs this and where each landmark stands, and nothing else. Keep it off the network, in DIR/keys/operator.pem:
whoever has it can place landmarks wherever it likes, for as long as a directory lists them. A key that is there is
never replaced; --keep-key signs a new statement with it, before the old one runs out. With --protect a passphrase is
needed besides, each time.

\b
--owner is who controls the operator in the end. Operators of one owner count as one; to name a false owner is to
claim independence that is not there, which no signature can show and the parties of a directory must find out.

\b
Example:
  lightbound operator init --data operator --name "Example Landmarks" --owner "Example Foundation" \\
    --contact landmarks@example.org --out operator.cose
"""

SIGN_HELP = """Sign where a landmark stands, after showing it.

REQUEST is what `lightbound landmark init` wrote. Compare what is shown with what you know of that machine: the place,
the error, who hosts it, whether it is a virtual machine, and its id, which came to you by another way. --check only
shows it. The statement goes back to the landmark, and to the parties of the directory.

\b
Example:
  lightbound operator sign request.json --data operator --landmark 4be0...01a7 --out position.cose
"""

UntilOption: TypeAlias = Annotated[
    str | None, typer.Option("--to", metavar="TIME", help="Holds until then, RFC 3339. Default: 730 days after --from.")
]


@operator_app.callback()
def operator() -> None:
    """Say who runs landmarks, and where they stand."""


@operator_app.command(help=INIT_HELP)
def init(
    *,
    data: DataOption,
    name: Annotated[str, typer.Option(metavar="TEXT", help="What the operator is called.")],
    owner: Annotated[str, typer.Option(metavar="TEXT", help="Who controls it in the end.")],
    out: Annotated[Path, typer.Option(dir_okay=False, metavar="FILE", help="Write the statement there.")],
    contact: Annotated[str, typer.Option(metavar="TEXT", help="Where it can be asked.")] = "",
    since: FromOption = None,
    until: UntilOption = None,
    keep_key: KeepKeyOption = False,
    protect: ProtectOption = False,
    as_json: JsonOption = False,
) -> None:
    """Make an operator's key, and the statement that says who the operator is."""
    from lightbound.files.statements import write_statement
    from lightbound.keys.purposes import Purpose
    from lightbound.ranging.statements.admission import Operator, write_operator

    check_writable(out)
    plain_text(name, "--name")
    plain_text(owner, "--owner")
    if contact:
        plain_text(contact, "--contact")
    from_ns, to_ns = interval_ns(since, until, days=DAYS)
    key = own_key(data, Purpose.OPERATOR, keep=keep_key, protect=protect)
    said = Operator(key=key.verifying, name=name, owner=owner, contact=contact, from_ns=from_ns, to_ns=to_ns)
    write_statement(out, write_operator(said, key))
    if as_json:
        raw = key.verifying.raw.hex()
        print_json({"format": "lightbound.key/1", "key": raw, "id": key.key_id.hex(), "out": str(out)})
        return
    typer.echo(f"operator   {key.key_id.hex()}\nkey        {key.verifying.raw.hex()}")
    typer.echo(f"name       {name}\nowner      {owner}\ncontact    {contact or '-'}")
    typer.echo(f"holds      {shown_instant(from_ns)} to {shown_instant(to_ns)}\nstatement  {out}\n")
    typer.echo(
        "Next: give the statement to the parties of the directory, and tell them the id by another way.\n"
        f"Keep {data} off the network; it is needed again for each landmark."
    )


@operator_app.command(help=SIGN_HELP)
def sign(
    request: Annotated[
        Path,
        typer.Argument(exists=True, dir_okay=False, metavar="REQUEST", help="What the landmark asks to be signed."),
    ],
    *,
    data: DataOption,
    out: Annotated[Path | None, typer.Option(dir_okay=False, metavar="FILE", help="Write the statement there.")] = None,
    landmark: Annotated[
        str | None, typer.Option(metavar="ID", help="Refuse a request of any landmark but this.")
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Only show what would be signed.")] = False,
    since: FromOption = None,
    until: UntilOption = None,
) -> None:
    """Sign where a landmark stands, after showing it."""
    if check is not (out is None):
        raise typer.BadParameter("expected a file to write, or --check", param_hint="--out")

    from lightbound.errors import ErrorCode, Fault, Refused
    from lightbound.files.position_requests import read_request
    from lightbound.files.statements import write_statement
    from lightbound.keys.purposes import Purpose
    from lightbound.ranging.statements.admission import E7

    from_ns, to_ns = interval_ns(since, until, days=DAYS)
    asked = read_request(request)
    shown = {
        "landmark": asked.landmark_key.key_id.hex(),
        "key": asked.landmark_key.raw.hex(),
        "latitude": f"{asked.latitude_e7 / E7:.7f}",
        "longitude": f"{asked.longitude_e7 / E7:.7f}",
        "error": f"{asked.error_m} m",
        "altitude": f"{asked.altitude_m} m",
        "hosting": asked.hosting,
        "jurisdiction": asked.jurisdiction,
        "can pause": "yes, a virtual machine" if asked.can_pause else "no, a real machine",
        "surveyed": asked.surveyed,
        "holds": f"{shown_instant(from_ns)} to {shown_instant(to_ns)}",
    }
    for name, text in shown.items():
        typer.echo(f"{name:<13} {printable(text)}")
    if landmark is not None and landmark.lower() != shown["landmark"]:
        raise Refused(
            Fault(
                code=ErrorCode.WRONG_LANDMARK,
                expected=f"a request of landmark {landmark.lower()[:64]}",
                found=f"one of {shown['landmark']}",
                file=str(request),
                next="ask whoever sent it; nothing was signed",
            )
        )
    if out is None:
        typer.echo("\nNothing was signed.")
        return
    refuse_to_replace(out, (request,))
    check_writable(out)
    key = own_key(data, Purpose.OPERATOR, keep=True)
    write_statement(out, asked.signed(key, from_ns=from_ns, to_ns=to_ns))
    typer.echo(f"\nSigned by operator {key.key_id.hex()}: {out}\n")
    typer.echo(
        "Next: give it to the landmark, as position.cose in its folder of data, and to the parties of the directory."
    )
