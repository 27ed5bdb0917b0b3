"""`lightbound landmark`: run a landmark, and prepare one."""

import re
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from lightbound.cli.configuration import ConfigOption, context_settings
from lightbound.cli.landmark_init import landmark_init
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
    hexadecimal,
    limits_of,
    listen_option,
    tls_of,
)

if TYPE_CHECKING:
    from lightbound.roles.landmark.submitting import LogAt

landmark_app = typer.Typer(no_args_is_help=True, help="Run a landmark: a server at a known place that times answers.")

DEFAULT_LISTEN: Final = "127.0.0.1:8471"

RUN_HELP: Final = """Answer verifiers' sessions and time agents, until a signal comes.

Two processes: one answers HTTP and signs, one does nothing but challenge over UDP, by the kernel's time stamps. In its
--data folder stand keys/landmark.pem and position.cose, as `landmark init` and its operator made them; in
landmark.sqlite it keeps every session that it opened and everything that it signed, in numbers without gaps. Whoever
loses that file, or goes back to an old copy, numbers twice, which looks like two stories: make a new key then.

The agent's packets must reach this machine itself: HTTP may pass a proxy, UDP may not, and both must have one address.

\b
Settings come from flags, else LIGHTBOUND_LANDMARK_<KEY>, else --config or /etc/lightbound/landmark.toml:
  listen = ["192.0.2.7:8471", "[2001:db8::7]:8471"]
  verifier = ["5f3c..."]              # keys whose sessions are answered
  tls_certificate = "/etc/lightbound/landmark.crt"
  tls_key = "/etc/lightbound/landmark.key"

\b
Example:
  lightbound landmark run --data /var/lib/lightbound/landmark \\
      --listen 192.0.2.7:8471 --verifier 5f3c...
"""


class StampsChoice(StrEnum):
    """Mirror of `ranging.statements.measurement.Stamps`; a test holds the two together."""

    KERNEL = "kernel"
    USER = "user"


@landmark_app.command("run", help=RUN_HELP, context_settings=context_settings("landmark"))
def run(
    *,
    config: ConfigOption = None,
    data: Annotated[
        Path | None, typer.Option(file_okay=False, metavar="DIR", help="Folder of its key, statements and store.")
    ] = None,
    listen: Annotated[list[str] | None, listen_option(DEFAULT_LISTEN)] = None,
    timed: Annotated[
        list[str] | None,
        typer.Option(metavar="ADDRESS:PORT", help="Where UDP is answered, on one port. Default: as --listen."),
    ] = None,
    verifier: Annotated[
        list[str] | None,
        typer.Option(metavar="HEX", help="Public key of a verifier that is answered, 64 digits. May be repeated."),
    ] = None,
    tls_certificate: CertificateOption = None,
    tls_key: TlsKeyOption = None,
    stamps: Annotated[
        StampsChoice, typer.Option(help="Who stamps packets. user is later by tens of microseconds: 150 m each.")
    ] = StampsChoice.KERNEL,
    stamp_error_ns: Annotated[
        int, typer.Option(min=0, max=1_000_000, metavar="N", help="How far the two clocks may disagree over a round.")
    ] = 2_000,
    rate_error_ppb: Annotated[
        int, typer.Option(min=0, max=10_000_000, metavar="N", help="How wrong a clock's rate may be, in 10^-9.")
    ] = 200_000,
    session_error_ms: Annotated[
        int, typer.Option(min=1, max=1_000, metavar="N", help="Pauses of a session that may go unnoticed, in ms.")
    ] = 20,
    utc_error_ms: Annotated[
        int, typer.Option(min=1, max=10_000, metavar="N", help="How wrong this machine's UTC may be, in ms.")
    ] = 100,
    time_source: Annotated[
        str, typer.Option(metavar="SOURCE", help="The clock outside: own, or ntp:HOST or ntp:HOST:PORT.")
    ] = "own",
    low_latency: Annotated[
        bool,
        typer.Option("--low-latency/--no-low-latency", help="Run the timed process before others, and never doze."),
    ] = False,
    mesh: Annotated[
        Path | None,
        typer.Option(
            file_okay=False,
            metavar="DIR",
            help="Also run the agent of this folder, enrolled with an invitation for this landmark.",
        ),
    ] = None,
    log: Annotated[
        str | None, typer.Option(metavar="URL", help="Have what is said logged there, and keep the receipts.")
    ] = None,
    log_key: Annotated[
        str | None, typer.Option(metavar="VKEY", help="The log's key, as `log init` printed it. Goes with --log.")
    ] = None,
    per_s: PerSOption = 20.0,
    burst: BurstOption = 60.0,
    allow_from: AllowFromOption = None,
    proxy_from: ProxyFromOption = None,
    metrics_from: MetricsFromOption = None,
    log_json: LogJsonOption = False,
) -> None:
    """Answer verifiers' sessions and time agents, until a signal comes."""
    del config

    from lightbound import __version__
    from lightbound.keys.ed25519 import VerifyingKey
    from lightbound.keys.purposes import Purpose
    from lightbound.ranging.timing.clocks import ClockErrors
    from lightbound.roles import logs
    from lightbound.roles.landmark.run import LandmarkSettings, run_landmark
    from lightbound.roles.state import default_folder

    keys = [hexadecimal(text, 32, "--verifier") for text in verifier or []]
    if not keys:
        raise typer.BadParameter("at least one verifier's key is needed: whom else to answer?", param_hint="--verifier")
    logs.set_up(as_json=log_json)
    http = addresses(listen or [DEFAULT_LISTEN])
    packets = addresses(timed) if timed else http
    if len({one.port for one in packets}) > 1:
        raise typer.BadParameter("all UDP addresses must have one port; give --timed", param_hint="--timed")
    settings = LandmarkSettings(
        data=data if data is not None else default_folder("landmark"),
        listen=http,
        timed=packets,
        verifiers=tuple(VerifyingKey(purpose=Purpose.VERIFIER, raw=raw) for raw in keys),
        errors=ClockErrors(stamp_ns=stamp_error_ns, rate_ppb=rate_error_ppb, session_ns=session_error_ms * 1_000_000),
        utc_error_ns=utc_error_ms * 1_000_000,
        ntp=_time_source(time_source),
        kernel_stamps=stamps is StampsChoice.KERNEL,
        low_latency=low_latency,
        limits=limits_of(per_s, burst, allow_from, metrics_from, proxy_from),
        tls=tls_of(tls_certificate, tls_key),
        mesh=mesh,
        log=_log_at(log, log_key),
        software=f"lightbound {__version__}",
    )
    if run_landmark(settings):
        raise KeyboardInterrupt


landmark_app.command("init")(landmark_init)


def _log_at(url: str | None, vkey: str | None) -> "LogAt | None":
    from lightbound.roles.landmark.submitting import LogAt
    from lightbound.tlog.note import read_log_vkey

    if url is None and vkey is None:
        return None
    if url is None or vkey is None:
        raise typer.BadParameter("a log and its key belong together", param_hint="--log-key")
    if not url.startswith(("http://", "https://")):
        raise typer.BadParameter("expected http://HOST or https://HOST", param_hint="--log")
    return LogAt(key=read_log_vkey(vkey), url=url)


_HOST: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9.])?")
_PORT: Final = re.compile("[1-9][0-9]{0,4}")


def _time_source(text: str) -> tuple[str, int] | None:
    if text == "own":
        return None
    kind, _, rest = text.partition(":")
    host, _, port = rest.partition(":")
    if kind != "ntp" or not _HOST.fullmatch(host) or not _PORT.fullmatch(port or "123") or int(port or "123") > 65_535:
        raise typer.BadParameter(
            "expected own, ntp:HOST or ntp:HOST:PORT, HOST a name or an IPv4 address", param_hint="--time-source"
        )
    return host, int(port or "123")
