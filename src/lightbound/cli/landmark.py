"""`lightbound landmark`: run a landmark, and prepare one."""

import ipaddress
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from lightbound.cli.configuration import ConfigOption, context_settings
from lightbound.cli.landmark_init import landmark_init

if TYPE_CHECKING:
    from lightbound.net.listening import Listening

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
    listen: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ADDRESS:PORT", help=f"Where HTTP is answered. May be repeated. Default {DEFAULT_LISTEN}."
        ),
    ] = None,
    timed: Annotated[
        list[str] | None,
        typer.Option(metavar="ADDRESS:PORT", help="Where UDP is answered, on one port. Default: as --listen."),
    ] = None,
    verifier: Annotated[
        list[str] | None,
        typer.Option(metavar="HEX", help="Public key of a verifier that is answered, 64 digits. May be repeated."),
    ] = None,
    tls_certificate: Annotated[
        Path | None,
        typer.Option(dir_okay=False, metavar="FILE", help="Certificate chain, PEM. Without it: plain HTTP."),
    ] = None,
    tls_key: Annotated[
        Path | None, typer.Option(dir_okay=False, metavar="FILE", help="Key of the certificate, PEM.")
    ] = None,
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
    per_s: Annotated[
        float, typer.Option(min=0.1, max=1e6, metavar="N", help="HTTP requests a second of one address.")
    ] = 20.0,
    burst: Annotated[float, typer.Option(min=1, max=1e6, metavar="N", help="So many at once are let pass.")] = 60.0,
    allow_from: Annotated[
        list[str] | None, typer.Option(metavar="NET", help="Networks that may ask. May be repeated. Default: all.")
    ] = None,
    metrics_from: Annotated[
        list[str] | None, typer.Option(metavar="NET", help="Networks that may read /metrics. Default: this machine.")
    ] = None,
    log_json: Annotated[
        bool, typer.Option("--log-json/--no-log-json", help="Log lines as JSON, for a machine.")
    ] = False,
) -> None:
    """Answer verifiers' sessions and time agents, until a signal comes."""
    del config
    if (tls_certificate is None) is not (tls_key is None):
        raise typer.BadParameter("a certificate and its key belong together", param_hint="--tls-key")

    from lightbound import __version__
    from lightbound.keys.ed25519 import VerifyingKey
    from lightbound.keys.purposes import Purpose
    from lightbound.net.http_server import Limits, Tls
    from lightbound.ranging.timing.clocks import ClockErrors
    from lightbound.roles import logs
    from lightbound.roles.landmark.run import LandmarkSettings, run_landmark
    from lightbound.roles.state import default_folder

    keys = [_octets(text, "--verifier") for text in verifier or []]
    if not keys:
        raise typer.BadParameter("at least one verifier's key is needed: whom else to answer?", param_hint="--verifier")
    logs.set_up(as_json=log_json)
    http = _addresses(listen or [DEFAULT_LISTEN])
    packets = _addresses(timed) if timed else http
    if len({one.port for one in packets}) > 1:
        raise typer.BadParameter("all UDP addresses must have one port; give --timed", param_hint="--timed")
    limits = Limits(per_s=per_s, burst=burst, allow_from=_networks(allow_from or [], "--allow-from"))
    if metrics_from is not None:
        limits = Limits(
            per_s=per_s,
            burst=burst,
            allow_from=limits.allow_from,
            metrics_from=_networks(metrics_from, "--metrics-from"),
        )
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
        limits=limits,
        tls=Tls(certificate=tls_certificate, key=tls_key) if tls_certificate and tls_key else None,
        software=f"lightbound {__version__}",
    )
    if run_landmark(settings):
        raise KeyboardInterrupt


landmark_app.command("init")(landmark_init)


def _octets(text: str, hint: str) -> bytes:
    try:
        read = bytes.fromhex(text)
    except ValueError:
        read = b""
    if len(read) != 32 or len(text) != 64:
        raise typer.BadParameter("expected 64 hexadecimal digits", param_hint=hint)
    return read


def _addresses(texts: list[str]) -> "tuple[Listening, ...]":
    from lightbound.net.listening import read_listening

    return tuple(read_listening(text) for text in texts)


def _networks(texts: list[str], hint: str) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
    try:
        return tuple(ipaddress.ip_network(text) for text in texts)
    except ValueError as error:
        raise typer.BadParameter(f"expected a network as 192.0.2.0/24: {error}", param_hint=hint) from error


def _time_source(text: str) -> tuple[str, int] | None:
    if text == "own":
        return None
    kind, _, rest = text.partition(":")
    host, _, port = rest.partition(":")
    if kind != "ntp" or not host or not (port or "123").isdecimal():
        raise typer.BadParameter("expected own, ntp:HOST or ntp:HOST:PORT", param_hint="--time-source")
    return host, int(port or "123")
