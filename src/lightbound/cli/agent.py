"""`lightbound agent`: enrol an agent, run it, and see what it says and how it is."""

from pathlib import Path
from typing import Annotated, Final

import typer

from lightbound.cli.agent_looks import (
    DOCTOR_HELP,
    SHOW_HELP,
    STATUS_HELP,
    DataOption,
    KeepDaysOption,
    LogJsonOption,
    doctor,
    folder_of,
    show,
    software,
    status,
)
from lightbound.cli.configuration import ConfigOption, context_settings
from lightbound.units import counted

agent_app = typer.Typer(no_args_is_help=True, help="Run an agent: software beside the chips that only dials out.")

RUN_HELP: Final = """Ask the verifier what is asked, answer landmarks, bring what came of it, until a signal comes.

It listens on nothing, starts no other program, writes nothing but its --data folder, and sends to the hosts of
trust.toml alone: `lightbound agent show` prints every message. Two processes: one speaks HTTPS, one answers challenges.
No chip is touched, and no privilege is needed.

\b
Settings come from flags, else LIGHTBOUND_AGENT_<KEY>, else --config or /etc/lightbound/agent.toml:
  data = "/var/lib/lightbound/agent"
  keep_days = 30   # 0: what landmarks said is not kept here, and no receipts of a log are asked for
  log_json = true

\b
Example:
  lightbound agent run --data /var/lib/lightbound/agent
"""


@agent_app.command("run", help=RUN_HELP, context_settings=context_settings("agent"))
def run(
    *,
    config: ConfigOption = None,
    data: DataOption = None,
    keep_days: Annotated[
        int,
        typer.Option(min=0, max=3_660, metavar="N", help="Keep what landmarks said, with the log's receipts, so long."),
    ] = 30,
    log_json: Annotated[
        bool, typer.Option("--log-json/--no-log-json", help="Log lines as JSON, for a machine.")
    ] = False,
) -> None:
    """Ask the verifier, answer landmarks, bring what came of it, until a signal comes."""
    del config

    from lightbound.roles import logs
    from lightbound.roles.agent.run import AgentSettings, run_agent

    logs.set_up(as_json=log_json)
    if run_agent(AgentSettings(data=folder_of(data), software=software(), kept_days=keep_days)):
        raise KeyboardInterrupt


ENROL_HELP: Final = """Make a key, take from the verifier whom to believe, and be let in by a one-time code.

The code comes from `lightbound verifier invite`. It names the verifier's key, so that nobody on the way can pass for
it. Whom the agent believes from then on is written to trust.toml in its folder, which you may read and change; one that
you changed is not replaced without --replace. If anything fails or the machine stops, give the same command again.

\b
Example:
  lightbound agent enrol --verifier https://verifier.example:8470 \\
      --code lb1-mfrggzdfmztwq2lknnwg23tp-nbswy3dpfqqho33snrscc4dt --evidence /run/lightbound/evidence
"""


@agent_app.command("enrol", help=ENROL_HELP, context_settings=context_settings("agent"))
def enrol(
    *,
    verifier: Annotated[
        str, typer.Option(metavar="URL", help="Where the verifier answers: https://host:port; also http.")
    ],
    code: Annotated[
        str,
        typer.Option(metavar="CODE", help="The one-time code; LIGHTBOUND_AGENT_CODE keeps it out of process lists."),
    ],
    config: ConfigOption = None,
    data: DataOption = None,
    keep_days: KeepDaysOption = 0,
    log_json: LogJsonOption = False,
    ca: Annotated[
        Path | None,
        typer.Option(dir_okay=False, metavar="FILE", help="Authorities of the verifier's certificate, PEM."),
    ] = None,
    landmark_ca: Annotated[
        Path | None, typer.Option(dir_okay=False, metavar="FILE", help="The same for landmarks' certificates.")
    ] = None,
    chips: Annotated[
        int, typer.Option(min=1, max=1_024, metavar="N", help="Chips of this host that the agent speaks for.")
    ] = 1,
    evidence: Annotated[
        Path | None,
        typer.Option(
            file_okay=False,
            metavar="DIR",
            help="Folder of the sockets at which chips, and the host, give evidence: tier A1, and A2 with host.sock. "
            "The chips are those that answer there, whatever --chips says.",
        ),
    ] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Replace a trust.toml that somebody changed.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object, and nothing else.")] = False,
) -> None:
    """Make a key, take from the verifier whom to believe, and be let in by a one-time code."""
    del config, keep_days, log_json

    import json
    import shlex
    import time

    from lightbound.roles.agent.enrolling import Wanted, enrol
    from lightbound.roles.state import locked

    wanted = Wanted(
        url=verifier,
        code=code,
        ca=None if ca is None else ca.absolute(),
        landmark_ca=None if landmark_ca is None else landmark_ca.absolute(),
        chips=chips,
        replace=replace,
        software=software(),
        evidence=None if evidence is None else evidence.absolute(),
    )
    with locked(folder_of(data)) as folder:
        root, trust = enrol(folder, wanted, now_ns=time.time_ns)  # noqa: TID251 - a command is where the clock is read
    if as_json:
        told = {
            "format": "lightbound.agent/1",
            "agent": root.key.key_id.hex(),
            "key": root.key.verifying.raw.hex(),
            "chips": [chip.hex() for chip in root.chips],
            "tier": root.tier,
            "verifier": trust.verifier.key_id.hex(),
            "landmarks": len(trust.landmarks),
            "data": str(folder),
        }
        typer.echo(json.dumps(told))
    else:
        typer.echo(f"agent    {root.key.key_id.hex()}, {counted(len(root.chips), 'chip')}, tier {root.tier}")
        typer.echo(f"verifier {trust.verifier.key_id.hex()}, {len(trust.landmarks)} landmarks")
        typer.echo(f"in       {folder}")
        where = "" if data is None else f" --data {shlex.quote(str(data))}"
        typer.echo(f"next: `lightbound agent doctor{where}`, then `lightbound agent run{where}`", err=True)


agent_app.command("show", help=SHOW_HELP, context_settings=context_settings("agent"))(show)
agent_app.command("doctor", help=DOCTOR_HELP, context_settings=context_settings("agent"))(doctor)
agent_app.command("status", help=STATUS_HELP, context_settings=context_settings("agent"))(status)
