"""`lightbound agent show`, `doctor` and `status`: what an agent says, whether it could, and how it is."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeAlias

import typer

from lightbound.cli.configuration import ConfigOption
from lightbound.cli.exits import ExitCode
from lightbound.cli.terminal import printable

if TYPE_CHECKING:
    from lightbound.roles.agent.messages import Known

SHOW_HELP: Final = """Print every message that the agent ever sends, and every field in it.

With the values of this host where they are known already; nothing is sent, and nothing needs to be enrolled. What is
not printed here never leaves the machine: a test holds an enrolment and a session to this list, call by call.

\b
Example:
  lightbound agent show --data /var/lib/lightbound/agent
  lightbound agent show --json | jq '.messages[] | select(.to == "verifier")'
"""

DOCTOR_HELP: Final = """Look at everything that the agent needs, one line each: its folder, key, clock, names, servers.

Lines begin with `ok`, with `--` (missing, and it works without) or with `NO` (missing, and needed); exit code 5 if
there is a NO. It asks the verifier for GET /v1/trust, each landmark for GET /clp1/landmark, and sends nothing else.

\b
Example:
  lightbound agent doctor --data /var/lib/lightbound/agent
"""

STATUS_HELP: Final = """Print how the agent is, as it last wrote it down: its last poll, its last session, what fails.

Nothing is sent. The last poll of an agent that works is at most half a minute old.

\b
Example:
  lightbound agent status --json | jq .failing
"""

DataOption: TypeAlias = Annotated[
    Path | None,
    typer.Option(file_okay=False, metavar="DIR", help="Folder of its key, trust.toml, and what it must remember."),
]
LogJsonOption: TypeAlias = Annotated[
    bool, typer.Option("--log-json/--no-log-json", hidden=True, help="Of `run`; the settings file may have it.")
]
KeepDaysOption: TypeAlias = Annotated[
    int, typer.Option(hidden=True, min=0, max=3_660, help="Of `run`; the settings file may have it.")
]
JsonOption: TypeAlias = Annotated[bool, typer.Option("--json", help="Print one JSON object, and nothing else.")]


def show(
    *,
    config: ConfigOption = None,
    data: DataOption = None,
    keep_days: KeepDaysOption = 0,
    log_json: LogJsonOption = False,
    as_json: JsonOption = False,
) -> None:
    """Print every message that the agent ever sends, and every field in it."""
    del config, keep_days, log_json

    from lightbound.errors import Refused
    from lightbound.roles.agent.messages import HEADERS, MOST_HEAD_BYTES, OUTGOING
    from lightbound.roles.agent.trust_file import read_trusted

    folder = folder_of(data)
    try:
        trusted = read_trusted(folder)
    except Refused:
        hosts = []
    else:
        hosts = [{"role": "verifier", "name": "verifier", "url": trusted.verifier.url}]
        hosts += [{"role": "landmark", "name": one.name, "url": one.url} for one in trusted.landmarks.values()]
    known = _known(folder)
    messages: list[dict[str, Any]] = [
        {
            "name": one.name,
            "to": one.to,
            "request": one.request,
            "most_bytes": str(one.size),
            "when": one.when,
            "fields": {name: says if isinstance(says, str) else says(known) for name, says in one.fields.items()},
        }
        for one in OUTGOING
    ]
    head = {"fields": list(HEADERS), "most_bytes": MOST_HEAD_BYTES}
    told: dict[str, Any] = {
        "format": "lightbound.agent-messages/1",
        "hosts": hosts,
        "head_of_requests": head,
        "messages": messages,
    }
    if as_json:
        typer.echo(json.dumps(told))
        return
    typer.echo("It sends to these hosts, asks the system for their addresses, and sends to nobody else:")
    for host in hosts:
        typer.echo(f"  {host['role']:8}  {host['url']}  {printable(host['name'])}")
    if not hosts:
        typer.echo(f"  none yet: no agent has enrolled in {folder}")
    typer.echo(f"Each request begins with at most {MOST_HEAD_BYTES} bytes: method, path, {', '.join(HEADERS)}.")
    for message, size in zip(messages, (one.size for one in OUTGOING), strict=True):
        typer.echo(f"\n{message['name']} to the {message['to']}: {message['request']}")
        typer.echo(f"  {size.in_words()}; {message['when']}")
        for name, says in message["fields"].items():
            typer.echo(f"    {name:13}  {printable(says) if says is not None else 'not known before it has enrolled'}")


def doctor(
    *,
    config: ConfigOption = None,
    data: DataOption = None,
    keep_days: KeepDaysOption = 0,
    log_json: LogJsonOption = False,
    as_json: JsonOption = False,
) -> None:
    """Look at everything that the agent needs, one line each."""
    del config, keep_days, log_json

    import dataclasses
    import time

    from lightbound.roles.agent.doctor import examined, tier_of

    findings = []
    for one in examined(folder_of(data), software=software(), now_s=time.time):  # noqa: TID251 - a command reads the clock
        findings.append(one)
        if not as_json:
            mark = "ok" if one.ok else "NO" if one.needed else "--"
            typer.echo(f"{mark}  {printable(one.what):16}  {printable(one.found)}")
            if one.todo:
                typer.echo(f"      {printable(one.todo)}")
    lacks = any(one.needed and not one.ok for one in findings)
    if as_json:
        told = {
            "format": "lightbound.agent-doctor/1",
            "ok": not lacks,
            "tier": tier_of(folder_of(data)),
            "findings": [dataclasses.asdict(one) for one in findings],
        }
        typer.echo(json.dumps(told))
    if lacks:
        raise typer.Exit(ExitCode.UNAVAILABLE)


def status(
    *,
    config: ConfigOption = None,
    data: DataOption = None,
    keep_days: KeepDaysOption = 0,
    log_json: LogJsonOption = False,
    as_json: JsonOption = False,
) -> None:
    """Print how the agent is, as it last wrote it down."""
    del config, keep_days, log_json

    from lightbound.roles.agent.status_file import read_status

    told = read_status(folder_of(data))
    if as_json:
        typer.echo(json.dumps(told))
        return
    for name in ("software", "started", "stopped", "last_poll", "deliveries_waiting", "receipts_waiting"):
        typer.echo(
            f"{name.replace('_', ' '):19} {printable(str(told.get(name) if told.get(name) is not None else '-'))}"
        )
    session = told.get("last_session")
    if session:
        measured = f"{session['measured']} of {session['landmarks']} landmarks measured"
        typer.echo(f"{'last session':19} {session['began']} to {session['ended']}, {measured}")
        for name, why in session["landmark_failures"].items():
            typer.echo(f"  {printable(name):17} {printable(why)}")
    if not told["failing"]:
        typer.echo(f"{'failing':19} nothing")
    for name, trouble in told["failing"].items():
        typer.echo(f"{'failing':19} {printable(name)}, since {told['failing_since']}: {printable(trouble['why'])}")


def folder_of(data: Path | None) -> Path:
    """The folder of the agent that is meant."""
    from lightbound.roles.state import default_folder

    return data if data is not None else default_folder("agent")


def software() -> str:
    """What the agent calls itself."""
    from lightbound import __version__

    return f"lightbound {__version__}"


def _known(folder: Path) -> "Known":
    """What this host would say now; whatever cannot be read is not known."""
    from lightbound.errors import LightboundError
    from lightbound.roles.agent.messages import Known
    from lightbound.roles.agent.run import read_agent
    from lightbound.roles.agent.status_file import read_status

    try:
        trusted, root = read_agent(folder)
    except LightboundError:
        return Known(software=software())
    try:
        failing = read_status(folder)["failing"]
        error = next(reversed(failing.values()))["why"] if failing else ""
    except LightboundError:
        error = ""
    return Known(
        software=software(),
        agent=root.key.key_id.hex(),
        key=root.key.verifying.raw.hex(),
        verifier=trusted.verifier.key.key_id.hex(),
        chips=tuple(chip.hex() for chip in root.chips),
        tier=root.tier,
        error=error,
    )
