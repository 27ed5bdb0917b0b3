"""Options that every role with a server has: where it listens, its certificate, who may ask and how often, its log."""

import ipaddress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

if TYPE_CHECKING:
    from lightbound.net.http_server import Limits, Tls
    from lightbound.net.listening import Listening

CertificateOption: TypeAlias = Annotated[
    Path | None, typer.Option(dir_okay=False, metavar="FILE", help="Certificate chain, PEM. Without it: plain HTTP.")
]
TlsKeyOption: TypeAlias = Annotated[
    Path | None, typer.Option(dir_okay=False, metavar="FILE", help="Key of the certificate, PEM.")
]
PerSOption: TypeAlias = Annotated[
    float, typer.Option(min=0.1, max=1e6, metavar="N", help="HTTP requests a second of one address.")
]
BurstOption: TypeAlias = Annotated[
    float, typer.Option(min=1, max=1e6, metavar="N", help="So many at once are let pass.")
]
AllowFromOption: TypeAlias = Annotated[
    list[str] | None, typer.Option(metavar="NET", help="Networks that may ask. May be repeated. Default: all.")
]
MetricsFromOption: TypeAlias = Annotated[
    list[str] | None, typer.Option(metavar="NET", help="Networks that may read /metrics. Default: this machine.")
]
ProxyFromOption: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NET",
        help="Networks of proxies whose X-Forwarded-For is believed, besides this machine. May be repeated.",
    ),
]
LogJsonOption: TypeAlias = Annotated[
    bool, typer.Option("--log-json/--no-log-json", help="Log lines as JSON, for a machine.")
]

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network


def listen_option(default: str) -> Any:
    """`--listen` of a role that listens there unless it is told otherwise."""
    return typer.Option(metavar="ADDRESS:PORT", help=f"Where HTTP is answered. May be repeated. Default {default}.")


def addresses(texts: list[str]) -> "tuple[Listening, ...]":
    """Where a server listens.

    Raises:
        Malformed: one is no address.
    """
    from lightbound.net.listening import read_listening

    return tuple(read_listening(text) for text in texts)


def limits_of(
    per_s: float,
    burst: float,
    allow_from: list[str] | None,
    metrics_from: list[str] | None,
    proxy_from: list[str] | None,
) -> "Limits":
    """What a server lets anybody do.

    Raises:
        typer.BadParameter: one is no network.
    """
    from lightbound.net.http_server import Limits

    usual = Limits()
    return Limits(
        per_s=per_s,
        burst=burst,
        allow_from=_networks(allow_from or [], "--allow-from"),
        metrics_from=usual.metrics_from if metrics_from is None else _networks(metrics_from, "--metrics-from"),
        proxy_from=(*usual.proxy_from, *_networks(proxy_from or [], "--proxy-from")),
    )


def tls_of(certificate: Path | None, key: Path | None) -> "Tls | None":
    """The certificate of a server, if it has one.

    Raises:
        typer.BadParameter: one of the two files is missing.
    """
    from lightbound.net.http_server import Tls

    if certificate is None and key is None:
        return None
    if certificate is None or key is None:
        raise typer.BadParameter("a certificate and its key belong together", param_hint="--tls-key")
    return Tls(certificate=certificate, key=key)


def hexadecimal(text: str, count: int, hint: str, *, advice: str = "") -> bytes:
    """So many bytes, as hexadecimal digits; `advice` is where a person finds them.

    Raises:
        typer.BadParameter: they are none.
    """
    try:
        read = bytes.fromhex(text)
    except ValueError:
        read = b""
    if len(read) != count or len(text) != 2 * count:
        raise typer.BadParameter(f"expected {2 * count} hexadecimal digits{advice and ', '}{advice}", param_hint=hint)
    return read


def _networks(texts: list[str], hint: str) -> tuple[Network, ...]:
    try:
        return tuple(ipaddress.ip_network(text) for text in texts)
    except ValueError as error:
        raise typer.BadParameter(f"expected a network as 192.0.2.0/24: {error}", param_hint=hint) from error
