"""The `lightbound` program: its commands put together, and every way it can end.

Commands live in `cli/<group>.py`, each as a function, and are registered here. This module and those import
nothing heavy at their top: numpy alone takes longer than `--help` may.
"""

import errno
import io
import os
import sys
from collections.abc import Sequence
from typing import Annotated, Final, NoReturn

import typer

from lightbound import __version__
from lightbound.cli.adjudicate import adjudicate
from lightbound.cli.agent import agent_app
from lightbound.cli.bundle import bundle_app
from lightbound.cli.check import CHECK_HELP, check
from lightbound.cli.conformance import conformance
from lightbound.cli.demo import demo
from lightbound.cli.directory import directory_app
from lightbound.cli.evaluate import evaluate_app
from lightbound.cli.evidence import evidence_app
from lightbound.cli.exits import ExitCode, exit_code, not_installed
from lightbound.cli.explain import explain
from lightbound.cli.importing import import_app
from lightbound.cli.keys import keys_app
from lightbound.cli.landmark import landmark_app
from lightbound.cli.log import log_app
from lightbound.cli.mapping import borders, draw_map
from lightbound.cli.operator import operator_app
from lightbound.cli.panels import Panel, PanelledGroup
from lightbound.cli.plan import plan
from lightbound.cli.simulate import simulate
from lightbound.cli.terminal import printable
from lightbound.cli.verifier import verifier_app
from lightbound.cli.vet import vet
from lightbound.cli.witness import witness_app
from lightbound.errors import LightboundError

app = typer.Typer(
    name="lightbound",
    cls=PanelledGroup,
    no_args_is_help=True,
    add_completion=False,
    # A traceback of ours is a bug report; Typer's own would print the values of local variables into it.
    pretty_exceptions_enable=False,
    # Help drawn by Rich costs 0.25 s and wraps at the width of whoever looks; plain text goes into manuals and pipes.
    rich_markup_mode=None,
)


OUTPUT_LOST: Final = frozenset({errno.EBADF, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.ENOSPC, errno.EPIPE})
"""Standard output cannot take what we say: its reader has gone, or its disk is full. The world's doing, not a bug."""


def _print_version(wanted: bool) -> None:  # noqa: FBT001 - Typer calls an option's callback with its value alone
    if wanted:
        typer.echo(f"lightbound {__version__}")
        raise typer.Exit


@app.callback()
def lightbound(
    *,
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Verdicts about where AI chips are, from round-trip times, that a stranger can check.

    Exit codes: 0 done, 1 bug, 2 usage, 3 malformed input, 4 refused, 5 unavailable, 6 a standing given with
    --fail-on was found, 130 interrupted.
    """


app.command("demo", short_help="Show the whole idea in about a minute, by real processes.", rich_help_panel=Panel.ALL)(
    demo
)
app.command(
    "adjudicate", short_help="Decide where chips are, and are not, from round trips.", rich_help_panel=Panel.JUDGE
)(adjudicate)
app.command(
    "explain", short_help="Explain the verdicts on one chip, and what would settle it.", rich_help_panel=Panel.JUDGE
)(explain)
app.command("map", short_help="Draw what one chip's verdict rests on.", rich_help_panel=Panel.JUDGE)(draw_map)
app.command("vet", short_help="Find landmarks that cannot stand where they say.", rich_help_panel=Panel.JUDGE)(vet)
app.add_typer(
    import_app,
    name="import",
    short_help="Turn what other tools measured into measurements.",
    rich_help_panel=Panel.JUDGE,
)
app.add_typer(borders, name="borders", short_help="What each country is taken to be.", rich_help_panel=Panel.JUDGE)
app.add_typer(
    verifier_app,
    name="verifier",
    short_help="Let agents in, ask them, decide about their chips.",
    rich_help_panel=Panel.RUN,
)
app.add_typer(
    log_app, name="log", short_help="Keep what was said, in one history; look one over.", rich_help_panel=Panel.RUN
)
app.add_typer(
    witness_app,
    name="witness",
    short_help="Cosign what continues a log's history, nothing else.",
    rich_help_panel=Panel.RUN,
)
app.add_typer(
    operator_app,
    name="operator",
    short_help="Say who runs landmarks, and sign where they stand.",
    rich_help_panel=Panel.RUN,
)
app.add_typer(landmark_app, name="landmark", short_help="Time answers at a known place.", rich_help_panel=Panel.RUN)
app.add_typer(
    directory_app,
    name="directory",
    short_help="Say, k parties of n together, which landmarks count.",
    rich_help_panel=Panel.RUN,
)
app.add_typer(agent_app, name="agent", short_help="Answer for chips; it only dials out.", rich_help_panel=Panel.RUN)
app.add_typer(
    bundle_app,
    name="bundle",
    short_help="Put all that a verdict rests on into one file.",
    rich_help_panel=Panel.EVIDENCE,
)
app.command(
    "check",
    help=CHECK_HELP,
    short_help="Check a bundle as a stranger, without a network.",
    rich_help_panel=Panel.EVIDENCE,
)(check)
app.add_typer(
    evidence_app,
    name="evidence",
    short_help="Collect, look at and check what chips signed.",
    rich_help_panel=Panel.EVIDENCE,
)
app.add_typer(
    keys_app,
    name="keys",
    short_help="Protect keys by a passphrase; let one follow another.",
    rich_help_panel=Panel.EVIDENCE,
)
app.command("plan", short_help="Plan where the next landmarks should stand.", rich_help_panel=Panel.RESEARCH)(plan)
app.add_typer(
    evaluate_app,
    name="evaluate",
    short_help="Measure how good verdicts are where the truth is known.",
    rich_help_panel=Panel.RESEARCH,
)
app.command("simulate", short_help="Simulate a world in which somebody cheats.", rich_help_panel=Panel.RESEARCH)(
    simulate
)
app.command(
    "conformance", short_help="Hold another implementation of CLP/1 against this one.", rich_help_panel=Panel.RESEARCH
)(conformance)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run one command and end the process with its exit code; without `arguments`, those of the process.

    Errors go to standard error, one fault a line. Any other exception is a bug: it is not caught, so that
    Python prints where it happened and ends with 1. A command that meets `OSError` at a file says so as a
    `LightboundError`; what is left here is standard output.
    """
    if sys.stdout is None:
        # Closed by the caller. What is written there is lost, and that must not pass for done: let it meet a pipe
        # that nobody reads.
        reader, writer = os.pipe()
        os.close(reader)
        sys.stdout = os.fdopen(writer, "w")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal or pipe of another encoding shows what it cannot show as an escape, rather than nothing at all.
            stream.reconfigure(errors="backslashreplace")
    try:
        sys.exit(_run(arguments))
    except OSError as error:
        if error.errno not in OUTPUT_LOST:
            raise
        # Python flushes once more while it ends, and would complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if error.errno != errno.EPIPE:
            typer.echo(f"unavailable: standard output cannot be written: {error.strerror}", err=True)
        sys.exit(ExitCode.UNAVAILABLE)


def _run(arguments: Sequence[str] | None) -> int | str | None:
    """Exit code of one command, everything it said being flushed."""
    try:
        app(arguments, prog_name="lightbound")  # ends with SystemExit, also when all went well
    except LightboundError as error:
        typer.echo(complaint(error), err=True)
        return exit_code(error)
    except ModuleNotFoundError as error:
        # The small install has the command line and the agent; other commands say which part they need.
        lacking = not_installed(error)
        if lacking is None:
            raise
        typer.echo(complaint(lacking), err=True)
        return exit_code(lacking)
    except SystemExit as ended:
        # Typer ends with 1 when whoever reads our output has stopped reading. That is no bug; but the answer has
        # not been delivered either, and 0 could pass for "no such standing was found".
        if isinstance(ended.__context__, BrokenPipeError):
            raise ended.__context__ from None
        return ended.code
    finally:
        sys.stdout.flush()
    return ExitCode.DONE


def complaint(error: LightboundError) -> str:
    """What a person is told: one line per fault kept, and how many were not kept.

    What a file holds is shown as text: line breaks and control characters in it are escaped, so that a file
    cannot write to the terminal of whoever reads about it.
    """
    kind = type(error).__name__.lower()
    lines = [f"{kind} ({fault.code}): {printable(str(fault))}" for fault in error.faults]
    if more := error.total - len(error.faults):
        lines.append(f"... and {more} more")
    return "\n".join(lines)
