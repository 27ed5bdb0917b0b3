"""`lightbound demo`: the whole idea in about a minute, as real processes on one machine."""

import importlib
import tempfile
from itertools import count
from pathlib import Path
from typing import Annotated, Final

import typer

from lightbound.cli.exits import ExitCode
from lightbound.errors import ErrorCode, Fault, Unavailable

HELP: Final = """Show the whole idea in about a minute: real processes, distances put in between.

A verifier, 8 landmarks of 5 owners and 12 agents with 8 chips each come up on this machine, and talk to each other over
sockets as they would in earnest. A relay makes every way as long as Microsoft says that it is between its regions. The
verifier's standings appear; then one lot of chips is smuggled, one is smuggled and hides it by delay, and one falls
silent. In the end everything that the verdicts rest on is written to a folder, and decided again from there.

Linux is needed, and no rights. Nothing is sent beyond this machine.

\b
Examples:
  lightbound demo
  lightbound demo --keep --out ./world
"""

FOLDER: Final = "lightbound-demo"


def demo(
    *,
    out: Annotated[
        Path | None,
        typer.Option(
            file_okay=False,
            metavar="DIR",
            help="Write to this folder, which must be new or empty. Default: a new one here, lightbound-demo.",
        ),
    ] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Leave it running afterwards, until Ctrl-C.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object, and nothing else.")] = False,
) -> None:
    """Show the whole idea in about a minute: real processes, distances put in between."""
    # What its processes need is missed here, and not by one of them when it starts.
    for module in ("numpy", "sqlalchemy", "starlette"):
        importlib.import_module(module)
    folder = _folder(out)

    import json
    import signal

    from lightbound.cli.demo_report import as_object, close, keep_running, opening, write_report
    from lightbound.cli.demo_table import audience
    from lightbound.demo.acts import Play
    from lightbound.demo.evidence import gather
    from lightbound.demo.stage import Stage
    from lightbound.demo.story import SMUGGLED

    # Ended by whoever started us, we end like by Ctrl-C: in order.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    world = folder / "world"
    world.mkdir()
    with Stage.empty(world, program="lightbound.cli.app") as stage:
        with audience(as_json=as_json) as shown:
            for line in opening():
                shown.said(line)
            stage.build(shown.said)
            standings = Play(stage=stage, audience=shown).play()
            shown.said("What the verdicts rest on is exported, and decided again from the files alone.")
        evidence = gather(stage, folder, chip=standings[SMUGGLED].chips[0], keep=keep)
        report = write_report(folder, stage, standings, evidence)
        if as_json:
            typer.echo(json.dumps(as_object(standings, stage.truths, evidence, report), ensure_ascii=True))
        else:
            close(standings, stage.truths, evidence, report)
        if not evidence.is_same:
            raise typer.Exit(ExitCode.BUG)
        if keep:
            keep_running(stage, evidence, silently=as_json)


demo.__doc__ = HELP


def _folder(out: Path | None) -> Path:
    """The folder to write to, made if it is not there."""
    try:
        if out is not None:
            out.mkdir(parents=True, exist_ok=True)
            if any(out.iterdir()):
                raise typer.BadParameter(f"{out} is not empty: nothing is overwritten", param_hint="--out")
            return out.resolve()
        return _new_folder().resolve()
    except OSError as error:
        fault = Fault(
            code=ErrorCode.WRITE_FAILED,
            expected="a folder that can be written",
            found=error.strerror or type(error).__name__,
            file=str(out or Path.cwd()),
        )
        raise Unavailable(fault) from error


def _new_folder() -> Path:
    """The first of lightbound-demo, lightbound-demo-2, ... that is new; elsewhere, if nothing can be made here."""
    for number in count(1):
        made = Path.cwd() / (FOLDER if number == 1 else f"{FOLDER}-{number}")
        try:
            made.mkdir()
        except FileExistsError:
            continue
        except OSError:
            break
        return made
    return Path(tempfile.mkdtemp(prefix=f"{FOLDER}-"))
