"""`lightbound verifier`: let agents in, ask them, decide about their chips."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, TypeAlias

import typer

from lightbound.cli.configuration import ConfigOption, context_settings
from lightbound.cli.serving import (
    AllowFromOption,
    BurstOption,
    CertificateOption,
    LogJsonOption,
    PerSOption,
    ProxyFromOption,
    TlsKeyOption,
    addresses,
    hexadecimal,
    limits_of,
    listen_option,
    tls_of,
)
from lightbound.cli.verdict_options import FaultBudgetOption, ProofChoice, duration_ns
from lightbound.cli.witness_options import WitnessOption, WitnessThresholdOption, believed
from lightbound.units import counted

if TYPE_CHECKING:
    from lightbound.bundles.logged import LogTrusted

verifier_app = typer.Typer(
    no_args_is_help=True, help="Run a verifier: let agents in, ask them, decide about their chips."
)

DEFAULT_LISTEN: Final = "127.0.0.1:8470"

RUN_HELP: Final = """Ask enrolled agents, collect what they and the landmarks bring, and decide, until a signal comes.

Whom it believes about landmarks stands in the --admission folder, which `lightbound directory` commands make. Each
agent is asked once every --every; of the landmarks that could prove its site the nearest are chosen, and more are
drawn. Decisions use vacuum speed, and by default only proofs that stand alone.

\b
Settings come from flags, else LIGHTBOUND_VERIFIER_<KEY>, else --config or /etc/lightbound/verifier.toml:
  admission = "/etc/lightbound/admission"
  listen = ["192.0.2.10:8470"]
  every = "1h"

\b
Example:
  lightbound verifier run --data /var/lib/lightbound/verifier --admission ./admission
"""

INVITE_HELP: Final = """Print a one-time code that lets one agent in, for a site.

An area is as `lightbound adjudicate` has it. A licensed area that is surely inside the excluded one is refused. An
agent that stands at a landmark (--landmark) is measured by the others, so that they can be vetted.

\b
Examples:
  lightbound verifier invite --site hall3 --licensed "circle(1.35,103.82,25)" --excluded CN+HK+MO
  lightbound verifier invite --landmark 9f86d081884c7d659a2feaa0c55ad015
"""

DataOption: TypeAlias = Annotated[
    Path | None, typer.Option(file_okay=False, metavar="DIR", help="Folder of its key and database.")
]
AdmissionOption: TypeAlias = Annotated[
    Path | None,
    typer.Option(file_okay=False, metavar="DIR", help="Who is admitted as a landmark. Default: DATA/admission."),
]
JsonOption: TypeAlias = Annotated[bool, typer.Option("--json", help="Print one JSON object, and nothing else.")]


@verifier_app.command()
def init(*, data: DataOption = None, as_json: JsonOption = False) -> None:
    """Make a verifier's key, and print it for landmarks to answer to."""
    import json
    import os

    from lightbound.files.keys import key_path, write_new_key
    from lightbound.keys.ed25519 import SigningKey
    from lightbound.keys.purposes import Purpose

    folder = _folder(data)
    key = SigningKey.of_seed(Purpose.VERIFIER, os.urandom(32))
    write_new_key(key_path(folder, Purpose.VERIFIER), key)
    told = {
        "format": "lightbound.verifier/1",
        "key": key.verifying.raw.hex(),
        "id": key.key_id.hex(),
        "data": str(folder),
    }
    if as_json:
        typer.echo(json.dumps(told))
    else:
        typer.echo(f"key {told['key']}\nid  {told['id']}\nin  {folder}\n")
        typer.echo("Next: give the key to landmarks (`landmark run --verifier`), and run it:\n")
        typer.echo(f"  lightbound verifier run --data {folder} --admission FOLDER --log-key VKEY --witness VKEY")


@verifier_app.command(help=INVITE_HELP)
def invite(
    *,
    data: DataOption = None,
    admission: AdmissionOption = None,
    site: Annotated[str, typer.Option("--site", "--label", metavar="NAME", help="What people call the site.")] = "",
    licensed: Annotated[str, typer.Option(metavar="AREA", help="Where its chips may be.")] = "",
    excluded: Annotated[str, typer.Option(metavar="AREA", help="Where they must not be.")] = "",
    near: Annotated[
        str | None,
        typer.Option(metavar="LAT,LON", help="Choose landmarks near this place, and not near the licensed area."),
    ] = None,
    landmark: Annotated[
        str | None, typer.Option(metavar="ID", help="The agent stands at this landmark, 32 hexadecimal digits.")
    ] = None,
    chips: Annotated[
        int | None, typer.Option(min=1, max=1_024, metavar="N", help="The agent must bring so many chips.")
    ] = None,
    replaces: Annotated[
        str | None, typer.Option(metavar="ID", help="It takes over the chips of this agent, which is let go.")
    ] = None,
    valid: Annotated[str, typer.Option(metavar="DURATION", help="The code can be used for so long.")] = "7d",
    border_error_m: Annotated[
        int, typer.Option(min=0, max=1_000_000, metavar="N", help="How far borders may be wrong, in metres.")
    ] = 2_000,
    as_json: JsonOption = False,
) -> None:
    """Print a one-time code that lets one agent in, for a site."""
    valid_ns = _duration(valid, "--valid")
    near_e7 = None if near is None else _place(near)
    stands = None if landmark is None else hexadecimal(landmark, 16, "--landmark")
    old = None if replaces is None else hexadecimal(replaces, 16, "--replaces")

    import json
    import secrets
    import time

    from lightbound.enrolment.codes import SECRET_BYTES
    from lightbound.roles.verifier.areas import Areas
    from lightbound.roles.verifier.inviting import Wanted, invite, site_of
    from lightbound.roles.verifier.kept import open_kept
    from lightbound.roles.verifier.run import admission_of, verifier_key
    from lightbound.roles.verifier.standings import instant

    folder = _folder(data)
    key = verifier_key(folder)
    wanted = Wanted(
        name=site or (f"landmark {landmark}" if landmark else "site"),
        licensed=licensed,
        excluded=excluded,
        near_e7=near_e7,
        landmark=stands,
        chips=chips,
        replaces=old,
    )
    landmarks = None if stands is None else admission_of(folder, admission).admitted
    areas = Areas(folder, border_error_m=border_error_m)
    placed, note = site_of(wanted, areas, landmarks=landmarks, beside=Path.cwd())
    kept = open_kept(folder)
    try:
        code = invite(
            kept.enrolments,
            placed,
            wanted,
            verifier=key.key_id,
            secret=secrets.token_bytes(SECRET_BYTES),
            now_ns=time.time_ns(),  # noqa: TID251 - a command is where the clock is read
            valid_ns=valid_ns,
        )
        until = instant(time.time_ns() + valid_ns)  # noqa: TID251 - see above
    finally:
        kept.close()
    if note:
        typer.echo(f"note: licensed area {note}", err=True)
    if as_json:
        told = {"format": "lightbound.invitation/1", "code": code.text, "site": placed.name, "valid_until": until}
        typer.echo(json.dumps(told))
    else:
        typer.echo(code.text)
        typer.echo(f"for {placed.name}, once, until {until}; it is shown only now", err=True)


@verifier_app.command(help=RUN_HELP, context_settings=context_settings("verifier"))
def run(
    *,
    config: ConfigOption = None,
    data: DataOption = None,
    admission: AdmissionOption = None,
    listen: Annotated[list[str] | None, listen_option(DEFAULT_LISTEN)] = None,
    tls_certificate: CertificateOption = None,
    tls_key: TlsKeyOption = None,
    ca: Annotated[
        Path | None, typer.Option(dir_okay=False, metavar="FILE", help="Authorities of landmarks' certificates, PEM.")
    ] = None,
    every: Annotated[str, typer.Option(metavar="DURATION", help="Each agent is asked once in this time.")] = "1h",
    silent_after: Annotated[
        str | None, typer.Option(metavar="DURATION", help="Without an answer for so long: silent. Default: 3 x every.")
    ] = None,
    nearest: Annotated[
        int,
        typer.Option(min=1, max=256, metavar="N", help="Landmarks chosen for a site, of each unit the nearest first."),
    ] = 6,
    extras: Annotated[int, typer.Option(min=0, max=256, metavar="N", help="Landmarks drawn besides.")] = 2,
    window: Annotated[str, typer.Option(metavar="DURATION", help="Sessions combined in one decision.")] = "1h",
    proof: Annotated[
        ProofChoice, typer.Option(help="joint also combines bounds, taking one key to be in one place.")
    ] = ProofChoice.ALONE,
    fault_budget: FaultBudgetOption = 1,
    border_error_m: Annotated[
        int, typer.Option(min=0, max=1_000_000, metavar="N", help="How far borders may be wrong, in metres.")
    ] = 2_000,
    per_s: PerSOption = 20.0,
    burst: BurstOption = 60.0,
    allow_from: AllowFromOption = None,
    proxy_from: ProxyFromOption = None,
    metrics_from: Annotated[
        list[str] | None,
        typer.Option(metavar="NET", help="Networks that may read /metrics and /v1/standings. Default: this machine."),
    ] = None,
    log_key: Annotated[
        str | None,
        typer.Option(metavar="VKEY", help="The log in which landmarks have what they say; receipts go into bundles."),
    ] = None,
    witness: WitnessOption = None,
    witness_threshold: WitnessThresholdOption = None,
    log_json: LogJsonOption = False,
) -> None:
    """Ask enrolled agents, collect what they and the landmarks bring, and decide, until a signal comes."""
    del config
    every_ns, window_ns = _duration(every, "--every"), _duration(window, "--window")
    silent_after_ns = 3 * every_ns if silent_after is None else _duration(silent_after, "--silent-after")

    from lightbound import __version__
    from lightbound.roles import logs
    from lightbound.roles.verifier.run import ADMISSION, run_verifier
    from lightbound.roles.verifier.settings import Policy, VerifierSettings

    logs.set_up(as_json=log_json)
    folder = _folder(data)
    settings = VerifierSettings(
        data=folder,
        admission=admission or folder / ADMISSION,
        listen=addresses(listen or [DEFAULT_LISTEN]),
        policy=Policy(
            every_ns=every_ns,
            nearest=nearest,
            extras=extras,
            window_ns=window_ns,
            fault_budget=fault_budget,
            proof=str(proof),
            border_error_m=border_error_m,
        ),
        silent_after_ns=silent_after_ns,
        limits=limits_of(per_s, burst, allow_from, metrics_from, proxy_from),
        tls=tls_of(tls_certificate, tls_key),
        ca=ca,
        software=f"lightbound {__version__}",
        log=_log(log_key, witness or [], witness_threshold),
    )
    if run_verifier(settings):
        raise KeyboardInterrupt


@verifier_app.command()
def export(
    *,
    out: Annotated[Path, typer.Option(file_okay=False, metavar="DIR", help="Folder to write to.")],
    data: DataOption = None,
    admission: AdmissionOption = None,
    mesh: Annotated[
        bool,
        typer.Option("--mesh", help="Also mesh.csv, in which landmarks measure one another, for `lightbound vet`."),
    ] = False,
    held: Annotated[
        bool,
        typer.Option(
            "--held", help="Also held/: what landmarks said, with receipts of the log, for `lightbound log monitor`."
        ),
    ] = False,
) -> None:
    """Write what the newest decisions rest on, as files that `lightbound adjudicate` reads."""
    import time

    from lightbound.roles.verifier.exporting import export as write
    from lightbound.roles.verifier.exporting import export_held
    from lightbound.roles.verifier.kept import open_kept_to_read
    from lightbound.roles.verifier.run import admission_of, judge_of, verifier_key
    from lightbound.roles.verifier.settings import policy_told

    folder = _folder(data)
    key = verifier_key(folder)
    admitted = admission_of(folder, admission)
    kept = open_kept_to_read(folder)
    try:
        judge = judge_of(kept, key, admitted, folder, policy_told(kept.enrolments.settings()))
        now_ns = time.time_ns()  # noqa: TID251 - a command is where the clock is read
        written = write(judge, out, now_ns=now_ns, data=folder, mesh=mesh)
        kept_here = export_held(kept, out / "held") if held else None
    finally:
        kept.close()
    told = f"{out}: {counted(written.chips, 'chip')}, {counted(written.rows, 'row')}"
    if written.differs:
        typer.echo(
            f"note: {counted(written.differs, 'chip')} decided otherwise, of another directory: see export.json",
            err=True,
        )
    told += f", {counted(written.mesh_rows, 'row')} of the mesh" if mesh else ""
    typer.echo(told if kept_here is None else f"{told}, {counted(kept_here, 'statement')} with receipts", err=True)


@verifier_app.command()
def status(*, data: DataOption = None, as_json: JsonOption = False) -> None:
    """Print the standing of every chip, one line each, whether or not the verifier runs."""
    import json
    import time

    from lightbound.cli.verifier_table import print_standings
    from lightbound.roles.verifier.kept import open_kept_to_read
    from lightbound.roles.verifier.standings import standings

    kept = open_kept_to_read(_folder(data))
    try:
        told = standings(kept, now_ns=time.time_ns())  # noqa: TID251 - a command is where the clock is read
    finally:
        kept.close()
    if as_json:
        sys.stdout.write(json.dumps(told, ensure_ascii=True) + "\n")
    else:
        print_standings(told)


def _folder(data: Path | None) -> Path:
    from lightbound.roles.state import default_folder

    return data if data is not None else default_folder("verifier")


def _duration(text: str, hint: str) -> int:
    try:
        return duration_ns(text)
    except typer.BadParameter as error:
        raise typer.BadParameter(error.message, param_hint=hint) from error


def _place(text: str) -> tuple[int, int]:
    try:
        latitude, longitude = (float(part) for part in text.split(","))
    except ValueError:
        latitude, longitude = float("nan"), 0.0
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        raise typer.BadParameter("expected latitude and longitude in degrees, as 1.35,103.82", param_hint="--near")
    return round(latitude * 1e7), round(longitude * 1e7)


def _log(key: str | None, witnesses: list[str], threshold: int | None) -> "LogTrusted | None":
    """The log that is believed, and which witnesses."""
    if key is None:
        if witnesses or threshold is not None:
            raise typer.BadParameter("witnesses are of a log: name it", param_hint="--log-key")
        return None

    from lightbound.bundles.logged import LogTrusted
    from lightbound.tlog.note import read_log_vkey

    keys, so_many = believed(witnesses, threshold)
    return LogTrusted(key=read_log_vkey(key), witnesses=keys, threshold=so_many)
