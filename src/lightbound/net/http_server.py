"""What the HTTP servers of all roles have in common: limits, errors told alike, health, metrics, TLS by files.

A role gives its routes; a handler reads its body by `body_of` and raises errors of ours, which one table tells.
"""

import asyncio
import contextlib
import functools
import ipaddress
import resource
import signal
import socket
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar, cast

import prometheus_client
import structlog
import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from lightbound.errors import ErrorCode, Fault, LightboundError, Malformed, Unavailable, malformed
from lightbound.net.connections import LOOPBACK, SHARE, Bounded, Held
from lightbound.net.http_client import STATEMENT
from lightbound.net.http_errors import RATE_LIMITED, TOO_LONG, error_body, status_of
from lightbound.net.rates import Rates

BODY_S: Final = 10.0
"""A body that has not arrived by then is not waited for."""

CBOR: Final = "application/cbor"

SHOWN: Final = 8
"""Characters of what stands in a path that a log shows."""

Handler = Callable[[Request], Awaitable[Response]]
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """Files of a certificate chain and its key, in PEM. Without them the server speaks plain HTTP."""

    certificate: Path
    key: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a server lets anybody do."""

    per_s: float = 20.0
    """Requests a second of one address; an agent makes five of a landmark in a session."""
    burst: float = 60.0
    connections: int = 2_000
    allow_from: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...] = ()
    """Networks that may ask; empty: all."""
    metrics_from: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...] = (
        ipaddress.ip_network("127.0.0.0/8"),
        ipaddress.ip_network("::1/128"),
    )
    """Networks that may read metrics."""
    proxy_from: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...] = (
        ipaddress.ip_network("127.0.0.1/32"),
        ipaddress.ip_network("::1/128"),
    )
    """Networks of proxies: the address that they name in X-Forwarded-For is taken for that of whoever asks. Whoever
    else could name one would choose its own limits."""


async def body_of(request: Request, *, most_bytes: int) -> bytes:
    """The body of a request.

    Raises:
        Malformed: it is longer; nothing more of it is read.
        Unavailable: it did not come in time.
    """
    got = bytearray()
    try:
        async with asyncio.timeout(BODY_S):
            async for piece in request.stream():
                got += piece
                if len(got) > most_bytes:
                    raise TooLong(most_bytes)
    except (TimeoutError, ClientDisconnect) as error:
        fault = Fault(code=ErrorCode.PEER_UNREACHABLE, expected=f"a body within {BODY_S:g} s", found="none")
        raise Unavailable(fault) from error
    return bytes(got)


class TooLong(Malformed):
    """A body that is longer than any that could be meant."""

    def __init__(self, most_bytes: int) -> None:
        """Say how long it may be."""
        fault = Fault(code=ErrorCode.CBOR_MALFORMED, expected=f"at most {most_bytes} bytes", found="more")
        super().__init__(fault)


def digest_in(request: Request) -> bytes:
    """The digest that stands in the path of a request, 32 bytes.

    Raises:
        Malformed: none does.
    """
    text = str(request.path_params["digest"])
    try:
        read = bytes.fromhex(text) if text == text.strip().lower() else b""
    except ValueError:
        read = b""
    if len(read) != 32:
        raise malformed(ErrorCode.VALUE_MALFORMED, "64 hexadecimal digits", "another text", "digest")
    return read


def comes_from(request: Request, networks: Sequence[ipaddress.IPv4Network | ipaddress.IPv6Network]) -> bool:
    """Whether whoever asks is in one of these networks."""
    return _is_of(_host(request), networks)


def statement(data: bytes) -> Response:
    """A statement as an answer."""
    return Response(data, media_type=STATEMENT)


def nothing() -> Response:
    """Done, and there is nothing to say."""
    return Response(status_code=204)


async def unless_stopped(stopping: asyncio.Event, waiting: Coroutine[Any, Any, T]) -> T | None:
    """What a request waits for; None as soon as the server is to end.

    A server that ends waits a second for its answers. What is left then is cancelled, and told as if it were a bug.
    """
    found, ending = asyncio.ensure_future(waiting), asyncio.ensure_future(stopping.wait())
    try:
        await asyncio.wait({found, ending}, return_when=asyncio.FIRST_COMPLETED)
        return found.result() if found.done() else None
    finally:
        found.cancel()
        ending.cancel()


def application(
    routes: Sequence[Route],
    *,
    registry: prometheus_client.CollectorRegistry,
    health: Callable[[], Mapping[str, Any]],
    limits: Limits,
) -> Starlette:
    """The application of a role: its routes, /health and /metrics, limits in front and errors told behind.

    `health` gives what /health shows; its field `ok` decides between 200 and 503.
    """
    rates = Rates(per_s=limits.per_s, burst=limits.burst)
    log = structlog.get_logger()

    async def told(request: Request, error: Exception) -> Response:
        if not isinstance(error, LightboundError):
            raise error
        status = TOO_LONG if isinstance(error, TooLong) else status_of(error)
        if status != RATE_LIMITED:
            # Whoever asks too much would write the log full as well. A path holds digests that give a right to ask.
            log.info("refused", path=_shown(request), status=status, why=str(error.faults[0]), peer=_host(request))
        headers = {"retry-after": "1"} if status == RATE_LIMITED else None
        return Response(error_body(error), status_code=status, media_type="application/json", headers=headers)

    async def tell_health(_request: Request) -> Response:
        found = dict(health())
        return JSONResponse(found, status_code=200 if found.get("ok") else 503)

    async def tell_metrics(request: Request) -> Response:
        if not comes_from(request, limits.metrics_from):
            return Response(status_code=404)
        return Response(
            prometheus_client.generate_latest(registry), media_type="text/plain; version=0.0.4; charset=utf-8"
        )

    def guarded(handler: Handler) -> Handler:
        async def guard(request: Request) -> Response:
            host = _host(request)
            if limits.allow_from and not _is_of(host, limits.allow_from):
                return Response(status_code=403)
            try:
                rates.take(host, now_s=time.monotonic())
                return await handler(request)
            except LightboundError as error:
                return await told(request, error)

        return guard

    return Starlette(
        routes=[
            *(Route(route.path, guarded(route.endpoint), methods=list(route.methods or ["GET"])) for route in routes),
            Route("/health", tell_health),
            Route("/metrics", tell_metrics),
        ]
    )


class _Server(uvicorn.Server):
    """A server that leaves signals to `serve`.

    It inherits, because uvicorn has no other way: it would end the process by the signal that it caught, before the
    role has put away what it holds.
    """

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Nothing: `serve` listens to them."""
        yield


async def serve(
    app: Starlette,
    sockets: Sequence[socket.socket],
    *,
    limits: Limits,
    tls: Tls | None = None,
    until: asyncio.Event | None = None,
) -> bool:
    """Answer at these listening sockets until SIGINT or SIGTERM comes, or `until` is set; whether it was SIGINT.

    Raises:
        Unavailable: the certificate or its key cannot be read.
    """
    _raise_descriptors()
    # A proxy speaks for many, and so may whoever is on this machine.
    held = Held(max(1, limits.connections // SHARE), exempt=(*LOOPBACK, *limits.proxy_from))
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="off",
        # It takes a class, and calls it: whatever makes connections will do.
        http=cast("type[asyncio.Protocol]", functools.partial(Bounded, held=held)),
        ws="none",
        # Said here, so that no variable of the environment says otherwise.
        forwarded_allow_ips=[str(network) for network in limits.proxy_from],
        limit_concurrency=limits.connections,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=1,
        ssl_certfile=None if tls is None else str(tls.certificate),
        ssl_keyfile=None if tls is None else str(tls.key),
    )
    try:
        config.load()
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        file = None if tls is None else str(tls.certificate)
        fault = Fault(code=ErrorCode.READ_FAILED, expected="a certificate and its key", found=str(error), file=file)
        raise Unavailable(fault) from error
    server, stop, caught = _Server(config), until or asyncio.Event(), set[int]()

    def catch(number: int) -> None:
        caught.add(number)
        stop.set()

    async def watch() -> None:
        await stop.wait()
        server.should_exit = True

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, catch, number)
    watcher = asyncio.create_task(watch())
    try:
        await server.serve(sockets=list(sockets))
    finally:
        watcher.cancel()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
    return signal.SIGINT in caught


def _raise_descriptors() -> None:
    """Allow as many open connections as the system does; the usual 1,024 are few beside `connections`."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 65_536) if most > 0 else 65_536, most))


def _shown(request: Request) -> str:
    """The path of a request for the log: of what stands in it only so much that two can be told apart."""
    path = str(request.scope["path"])
    for value in request.path_params.values():
        path = path.replace(str(value), str(value)[:SHOWN] + "...")
    return "".join(letter if letter.isprintable() else "?" for letter in path)


def _host(request: Request) -> str:
    return request.client.host if request.client else ""


def _is_of(host: str, networks: Sequence[ipaddress.IPv4Network | ipaddress.IPv6Network]) -> bool:
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return any(address in network for network in networks)
