"""`lightbound log`: prepare a log, run one, and look one over."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from lightbound.cli.configuration import ConfigOption, context_settings
from lightbound.cli.log_looks import audit, monitor
from lightbound.cli.log_submit import SUBMIT_HELP, submit
from lightbound.cli.serving import (
    AllowFromOption,
    BurstOption,
    CertificateOption,
    LogJsonOption,
    MetricsFromOption,
    PerSOption,
    ProxyFromOption,
    TlsKeyOption,
    addresses,
    limits_of,
    listen_option,
    tls_of,
)
from lightbound.cli.signing_options import JsonOption, KeepKeyOption, own_key, print_json
from lightbound.tlog.submission import LONGEST_WITNESS_WAIT_S

if TYPE_CHECKING:
    from lightbound.roles.log.feeding import WitnessAt

log_app = typer.Typer(no_args_is_help=True, help="Run a log: what was said is kept, in one history for everybody.")

DEFAULT_LISTEN: Final = "127.0.0.1:8472"

INIT_HELP: Final = """Make a log's key, and print what others know the log by.

The key stays in DIR/keys/log.pem, the name in DIR/origin. Whoever has a copy of the key can sign another history:
witnesses would refuse it, and whoever asks none would not see. A key that is there is never replaced.

\b
Example:
  lightbound log init --data /var/lib/lightbound/log --origin log.example/lightbound
"""

RUN_HELP: Final = """Take entries, number them, and show them to everybody, until a signal comes.

What it signs is on disk before. Several processes may run over one database with one key: they make one history.
Whoever goes back to an old copy of the database makes two, which witnesses refuse to sign: make a new log then.

\b
Settings come from flags, else LIGHTBOUND_LOG_<KEY>, else --config or /etc/lightbound/log.toml:
  listen = ["192.0.2.9:8472"]
  admission = "/etc/lightbound/admission"       # directory, parties, operators, positions
  database = "postgresql://log@db.example/log"  # default: log.sqlite in --data
  witness = ["w1.example+1f3c...+BA... https://w1.example"]

\b
Example:
  lightbound log run --data /var/lib/lightbound/log --admission admission/
"""

OriginOption = Annotated[
    str, typer.Option(metavar="NAME", help="The log's name, as log.example/lightbound. It never changes.")
]


@log_app.command("init", help=INIT_HELP)
def init(
    *,
    origin: OriginOption,
    data: Annotated[
        Path | None, typer.Option(file_okay=False, metavar="DIR", help="The log's folder. Default: as `log run`.")
    ] = None,
    keep_key: KeepKeyOption = False,
    as_json: JsonOption = False,
) -> None:
    """Make a log's key, and print what others know the log by."""
    from lightbound.keys.purposes import Purpose
    from lightbound.roles.log.origin import keep_origin, origin_of
    from lightbound.roles.state import default_folder
    from lightbound.tlog.checkpoint import log_key

    folder = default_folder("log") if data is None else data
    origin_of(folder, origin)
    key = own_key(folder, Purpose.LOG, keep=keep_key).verifying
    # Killed before this line: `run` asks for the name, as it does of a log that was made before names were kept.
    keep_origin(folder, origin)
    named = log_key(origin, key)
    if as_json:
        print_json({"format": "lightbound.log-key/1", "origin": origin, "vkey": str(named), "key": key.raw.hex()})
        return
    typer.echo(f"origin  {origin}\nvkey    {named}\n")
    typer.echo("Next: give the vkey to witnesses and landmarks, and run it:\n")
    typer.echo(f"  lightbound log run --data {folder} --admission FOLDER")


@log_app.command("run", help=RUN_HELP, context_settings=context_settings("log"))
def run(
    *,
    config: ConfigOption = None,
    admission: Annotated[
        Path,
        typer.Option(exists=True, file_okay=False, metavar="FOLDER", help="Whose landmarks may submit, and is logged."),
    ],
    data: Annotated[
        Path | None, typer.Option(file_okay=False, metavar="DIR", help="Folder of its key and store.")
    ] = None,
    origin: Annotated[
        str | None, typer.Option(metavar="NAME", help="The log's name. Default: that of `init`; another is refused.")
    ] = None,
    database: Annotated[
        str | None, typer.Option(metavar="URL", help="A PostgreSQL server. Default: a file in --data.")
    ] = None,
    listen: Annotated[list[str] | None, listen_option(DEFAULT_LISTEN)] = None,
    witness: Annotated[
        list[str] | None, typer.Option(metavar="'VKEY URL'", help="A witness and where it is. May be repeated.")
    ] = None,
    witness_wait_s: Annotated[
        float,
        typer.Option(min=0.1, max=LONGEST_WITNESS_WAIT_S, metavar="S", help="How long a batch waits for cosignatures."),
    ] = 2.0,
    tls_certificate: CertificateOption = None,
    tls_key: TlsKeyOption = None,
    per_s: PerSOption = 200.0,
    burst: BurstOption = 2_000.0,
    allow_from: AllowFromOption = None,
    proxy_from: ProxyFromOption = None,
    metrics_from: MetricsFromOption = None,
    log_json: LogJsonOption = False,
) -> None:
    """Take entries, number them, and show them to everybody, until a signal comes."""
    del config

    from lightbound.roles import logs
    from lightbound.roles.log.origin import origin_of
    from lightbound.roles.log.run import LogSettings, run_log
    from lightbound.roles.state import default_folder

    folder = default_folder("log") if data is None else data
    named = origin_of(folder, origin)
    if named is None:
        raise typer.BadParameter(f"no name is kept in {folder}: give the one of `log init`", param_hint="--origin")
    logs.set_up(as_json=log_json)
    settings = LogSettings(
        data=folder,
        origin=named,
        database=database,
        admission=admission,
        listen=addresses(listen or [DEFAULT_LISTEN]),
        witnesses=tuple(_witness(text) for text in witness or []),
        witness_wait_s=witness_wait_s,
        limits=limits_of(per_s, burst, allow_from, metrics_from, proxy_from),
        tls=tls_of(tls_certificate, tls_key),
    )
    if run_log(settings):
        raise KeyboardInterrupt


log_app.command("submit", help=SUBMIT_HELP)(submit)
log_app.command("audit")(audit)
log_app.command("monitor")(monitor)


def _witness(text: str) -> "WitnessAt":
    from lightbound.roles.log.feeding import WitnessAt, is_url
    from lightbound.tlog.note import read_witness_vkey

    vkey, _, url = text.strip().partition(" ")
    if not is_url(url.strip()):
        raise typer.BadParameter("expected a witness's vkey, a space and its URL", param_hint="--witness")
    return WitnessAt(key=read_witness_vkey(vkey), url=url.strip())
