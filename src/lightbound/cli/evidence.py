"""`lightbound evidence`: what chips signed is collected, looked at and checked."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, TypeAlias

import typer

from lightbound.cli.evidence_collect import COLLECT_HELP, collect
from lightbound.cli.evidence_host import HOST_KEY_HELP, host_key
from lightbound.cli.evidence_serving import ANSWER_HELP, SERVE_HELP, answer, serve
from lightbound.cli.exits import ExitCode
from lightbound.cli.serving import hexadecimal
from lightbound.cli.signing_options import JsonOption, print_json, shown_instant
from lightbound.cli.verdict_options import instant_ns

if TYPE_CHECKING:
    from lightbound.attestation.appraisal import Reference
    from lightbound.files.evidence_manifests import LeftOut

evidence_app = typer.Typer(
    name="evidence",
    help="Collect, look at and check what chips signed.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

SHOW_HELP: Final = """Show what evidence says, with nothing of it checked.

FILE holds a report in raw or hexadecimal form, or JSON as the vendor's collectors and `lightbound evidence collect`
write it. Anybody can write a report that says the same: whether a chip signed it, `lightbound evidence verify` tells.

Ends with 3 if a part could not be read, with 5 if a file could not; what could be is shown all the same.

\b
Examples:
  lightbound evidence show evidence.json
  lightbound evidence show report.bin --chain chain.pem --json
"""

VERIFY_HELP: Final = """Check which chip signed, offline, and say it in one word for each.

\b
verified     the chip is genuine, and what it measured is what its maker released
unappraised  the chip is genuine; something lacks to judge what it measured, and is named
refused      a rule does not hold, and is named
malformed    there is nothing to judge

A chip is genuine if its certificates lead to a root of its maker, which is built in, or to one in --roots, and its key
signed the report. The vendor is not asked. --manifests gives its signed reference manifests, which have to be fetched
before; a signer's certificate counts as of --as-of. Files in it that are no manifests of
the vendor are told, and left out. It needs the part judge.

Without --nonce a report may be an old one, and a note says so; a nonce that stands in the file shows nothing. Give the
evidence of one host at a time: its GPUs and switches may name one another, and then one that is missing makes the host
unappraised, and one that is foreign refused.

Ends with 0 if all are verified or unappraised; with 4 if any is refused, whatever else; else with 3 if any is
malformed, or with 5 if a file cannot be read. Every one is judged, also after a refusal.

Answers about revocation that were fetched (--revocations: OCSP responses and lists, DER) are told in notes, and change
no word: an answer that is left out shows nothing.

No report shows where a chip is, or which host asked it.

\b
Examples:
  lightbound evidence verify evidence.json --nonce 4760e305...2a537e
  lightbound evidence verify report.txt --chain chain.pem --manifests manifests --as-of 2026-11-23T12:00:00Z
"""

FilesArgument: TypeAlias = Annotated[
    list[Path], typer.Argument(exists=True, dir_okay=False, metavar="FILE...", help="Evidence.")
]
ChainOption: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        exists=True, dir_okay=False, metavar="FILE", help="Certificate chain, PEM, for files that are a report alone."
    ),
]


def show(files: FilesArgument, *, chain: ChainOption = None, as_json: JsonOption = False) -> None:
    """Show what evidence says, with nothing of it checked."""
    from lightbound.cli.evidence_table import print_shown
    from lightbound.files.evidence import read_items
    from lightbound.files.evidence_showing import shown_errors, shown_object

    found = read_items(files, chain)
    told = shown_object(found)
    if as_json:
        print_json(told)
    else:
        print_shown(told)
    _end({type(error).__name__.lower() for error in shown_errors(found)})


def verify(
    files: FilesArgument,
    *,
    chain: ChainOption = None,
    nonce: Annotated[
        str | None, typer.Option(metavar="HEX", help="What was to be signed: 64 digits. Without it: not compared.")
    ] = None,
    roots: Annotated[
        Path | None,
        typer.Option(
            exists=True, file_okay=False, metavar="DIR", help="Believe the device roots in DIR/*.pem besides."
        ),
    ] = None,
    manifests: Annotated[
        Path | None,
        typer.Option(exists=True, file_okay=False, metavar="DIR", help="Hold measurements against manifests in DIR."),
    ] = None,
    revocations: Annotated[
        Path | None,
        typer.Option(
            exists=True, file_okay=False, metavar="DIR", help="Tell what the answers about revocation in DIR say, DER."
        ),
    ] = None,
    as_of: Annotated[str | None, typer.Option(metavar="TIME", help="Judge as of then, RFC 3339. Default: now.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Check which chip signed, offline, and say it in one word for each."""
    import time

    from lightbound.attestation.chains import DeviceRoots
    from lightbound.cli.evidence_table import print_judgement
    from lightbound.files.attestation_folder import certificates, read_folder
    from lightbound.files.evidence import read_items
    from lightbound.judging.evidence_files import judge, judgement_object

    asked = None if nonce is None else hexadecimal(nonce, 32, "--nonce")
    at_ns = time.time_ns() if as_of is None else instant_ns(as_of)  # noqa: TID251 - a command is where the clock is read
    given = [] if roots is None else [der for file in read_folder(roots, "*.pem") for der in certificates(file)]
    if roots is not None and not given:
        raise typer.BadParameter(f"no *.pem in {roots}", param_hint="--roots")
    references: tuple[Reference, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    if manifests is not None:
        from lightbound.files.evidence_manifests import read_references

        references, left_out = read_references(manifests)
    answers = [] if revocations is None else [(one.path.name, one.data) for one in read_folder(revocations, "*")]
    judgement = judge(
        read_items(files, chain),
        roots=DeviceRoots.of(given, with_vendors=True),
        nonce=asked,
        references=references,
        at_ns=at_ns,
        answers=answers,
    )
    told = judgement_object(judgement, as_of=shown_instant(at_ns), nonce=asked, left_out=left_out)
    if as_json:
        print_json(told)
    else:
        print_judgement(told)
    _end(judgement.words)


def _end(words: "set[str] | frozenset[str]") -> None:
    """End with the first of these that was met: a refusal is not hidden by a file beside it that cannot be read."""
    for code in (ExitCode.REFUSED, ExitCode.MALFORMED, ExitCode.UNAVAILABLE):
        if code.name.lower() in words:
            raise typer.Exit(code)


evidence_app.command("collect", help=COLLECT_HELP)(collect)
evidence_app.command("show", help=SHOW_HELP)(show)
evidence_app.command("verify", help=VERIFY_HELP)(verify)
evidence_app.command("serve", help=SERVE_HELP)(serve)
evidence_app.command("answer", help=ANSWER_HELP)(answer)
evidence_app.command("host-key", help=HOST_KEY_HELP)(host_key)
