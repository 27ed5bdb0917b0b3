"""X-Forwarded-For counts from this machine and from proxies that were named, and from nobody else."""

import asyncio
import ipaddress
import socket

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from lightbound.net.http_server import Limits, serve

NAMED = "198.51.100.7"
USUAL = Limits().proxy_from


async def host(request: Request) -> Response:
    return Response(request.client.host if request.client else "")


async def told(limits: Limits, source: str, forwarded: str) -> str:
    """Whom a server takes a request for that comes from an address, and names another."""
    with socket.create_server(("127.0.0.1", 0)) as own:
        until, port = asyncio.Event(), own.getsockname()[1]
        server = asyncio.create_task(serve(Starlette(routes=[Route("/", host)]), [own], limits=limits, until=until))
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(source, 0))
            writer.write(
                f"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\nx-forwarded-for: {forwarded}\r\n\r\n".encode()
            )
            answer = await asyncio.wait_for(reader.read(), timeout=10)
            writer.close()
        finally:
            until.set()
            await server
    return answer.rpartition(b"\r\n\r\n")[2].decode()


@pytest.mark.parametrize(
    ("source", "more", "forwarded", "taken_for"),
    [
        ("127.0.0.1", None, NAMED, NAMED),
        ("127.0.0.2", None, NAMED, "127.0.0.2"),
        ("127.0.0.2", "127.0.0.2/32", NAMED, NAMED),
        ("127.0.0.3", "127.0.0.2/31", NAMED, NAMED),
        ("127.0.0.3", "127.0.0.2/32", NAMED, "127.0.0.3"),
        # What a client made up stands left of what the proxy saw.
        ("127.0.0.2", "127.0.0.2/32", f"192.0.2.1, {NAMED}", NAMED),
    ],
)
def test_whom_a_request_is_taken_for(source: str, more: str | None, forwarded: str, taken_for: str) -> None:
    limits = Limits(proxy_from=(*USUAL, ipaddress.ip_network(more)) if more else USUAL)
    assert asyncio.run(told(limits, source, forwarded)) == taken_for
