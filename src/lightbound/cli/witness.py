"""`lightbound witness`: prepare a witness, run one, and show what it has cosigned."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from lightbound.cli.configuration import ConfigOption, context_settings
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
from lightbound.cli.signing_options import JsonOption, own_key, print_json, shown_instant

if TYPE_CHECKING:
    from lightbound.tlog.note import NoteKey

witness_app = typer.Typer(no_args_is_help=True, help="Run a witness: a log that shows two histories is not cosigned.")

DEFAULT_LISTEN: Final = "127.0.0.1:8473"

INIT_HELP: Final = """Make a witness's key and its store, and print what others know the witness by.

The key stays in DIR/keys/witness.pem, and what was seen in DIR/witness.sqlite. They belong together: a key whose store
is lost, or put back from an old copy, cosigns forks, and must be given up.

\b
Example:
  lightbound witness init --data /var/lib/lightbound/witness --name witness.example/w1
"""

RUN_HELP: Final = """Cosign each checkpoint that continues what was seen before, until a signal comes.

What was seen is on disk before a cosignature leaves. Logs ask at http://ADDRESS:PORT/add-checkpoint.

\b
Settings come from flags, else LIGHTBOUND_WITNESS_<KEY>, else --config or /etc/lightbound/witness.toml:
  listen = ["192.0.2.9:8473"]
  log = ["log.example/lightbound+1f3c...+AZ..."]   # as `lightbound log init` printed it

\b
Example:
  lightbound witness run --data /var/lib/lightbound/witness --log log.example/lightbound+1f3c...+AZ...
"""

DataOption = Annotated[Path | None, typer.Option(file_okay=False, metavar="DIR", help="Folder of its key and store.")]


@witness_app.command("init", help=INIT_HELP)
def init(
    *,
    name: Annotated[str, typer.Option(metavar="NAME", help="The witness's name, as witness.example/w1. It stays.")],
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a witness's key and its store, and print what others know the witness by."""
    from lightbound.keys.purposes import Purpose
    from lightbound.roles.state import default_folder
    from lightbound.roles.witness.run import prepare
    from lightbound.tlog.cosignature import witness_key

    folder = default_folder("witness") if data is None else data
    prepare(folder, name).dispose()
    key = own_key(folder, Purpose.WITNESS).verifying
    named = witness_key(name, key)
    if as_json:
        print_json({"format": "lightbound.witness-key/1", "name": name, "vkey": str(named), "key": key.raw.hex()})
        return
    typer.echo(f"name  {name}\nvkey  {named}\n")
    typer.echo("Next: give the vkey to logs and to whoever checks them, and run it:\n")
    typer.echo(f"  lightbound witness run --data {folder} --log VKEY")


@witness_app.command("run", help=RUN_HELP, context_settings=context_settings("witness"))
def run(
    *,
    config: ConfigOption = None,
    log: Annotated[list[str], typer.Option(metavar="VKEY", help="The key of a log to cosign. May be repeated.")],
    data: DataOption = None,
    listen: Annotated[list[str] | None, listen_option(DEFAULT_LISTEN)] = None,
    tls_certificate: CertificateOption = None,
    tls_key: TlsKeyOption = None,
    per_s: PerSOption = 200.0,
    burst: BurstOption = 2_000.0,
    allow_from: AllowFromOption = None,
    proxy_from: ProxyFromOption = None,
    metrics_from: MetricsFromOption = None,
    log_json: LogJsonOption = False,
) -> None:
    """Cosign each checkpoint that continues what was seen before, until a signal comes."""
    del config

    from lightbound.roles import logs
    from lightbound.roles.state import default_folder
    from lightbound.roles.witness.run import WitnessSettings, run_witness

    logs.set_up(as_json=log_json)
    settings = WitnessSettings(
        data=default_folder("witness") if data is None else data,
        logs=tuple(_log(text) for text in log),
        listen=addresses(listen or [DEFAULT_LISTEN]),
        limits=limits_of(per_s, burst, allow_from, metrics_from, proxy_from),
        tls=tls_of(tls_certificate, tls_key),
    )
    if run_witness(settings):
        raise KeyboardInterrupt


@witness_app.command("show")
def show(
    *,
    data: DataOption = None,
    keep: Annotated[
        Path | None,
        typer.Option(
            file_okay=False, metavar="FOLDER", help="Write every refused checkpoint there, and what it contradicts."
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show how far each log was cosigned, and which checkpoints were refused.

    Exit codes: 0 no log was forked, 4 one was.
    """
    from lightbound.roles.state import default_folder
    from lightbound.roles.witness.run import STORE
    from lightbound.roles.witness.showing import check_forks, keep_notes, told
    from lightbound.store.witness import WitnessStore, open_witness

    engine, name = open_witness((default_folder("witness") if data is None else data) / STORE)
    try:
        store = WitnessStore(engine)
        cosigned, refused = store.all_cosigned(), store.all_refused()
    finally:
        engine.dispose()
    if keep is not None:
        keep_notes(keep, refused)
    if as_json:
        print_json(told(name, cosigned, refused))
    else:
        typer.echo(f"witness  {name}")
        for one in cosigned:
            typer.echo(f"cosigned {one.origin}  size {one.seen.size}  {shown_instant(one.at_s * 10**9)}")
            typer.echo(f"         root {one.seen.root.hex()}  cosignatures {one.cosignatures}")
        for other in refused:
            typer.echo(f"{other.why:8} {other.origin}  size {other.seen.size}  {shown_instant(other.at_s * 10**9)}")
            typer.echo(f"         root {other.seen.root.hex()}")
    check_forks(refused)


def _log(text: str) -> "NoteKey":
    from lightbound.tlog.note import read_log_vkey

    return read_log_vkey(text.strip())
