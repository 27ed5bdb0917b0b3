"""Connections that say nothing, or too slowly, are ended; one address does not take the place of all others."""

import asyncio
import functools
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from lightbound.net.connections import Bounded, Held
from lightbound.net.listening import Listening

REQUEST_S = 0.3
GET = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"


@asynccontextmanager
async def served(held: Held) -> AsyncIterator[tuple[str, int]]:
    """A server that says yes, after as long as it is asked to wait."""

    async def yes(request: Request) -> Response:
        await asyncio.sleep(float(request.query_params.get("wait_s", "0")))
        return Response(b"yes")

    made = functools.partial(Bounded, held=held, request_s=REQUEST_S)
    config = uvicorn.Config(
        Starlette(routes=[Route("/", yes)]),
        http=made,  # type: ignore[arg-type]
        ws="none",
        log_config=None,
        lifespan="off",
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as own:
        task = asyncio.create_task(server._serve([own]))  # noqa: SLF001 - without its signals
        try:
            yield "127.0.0.1", own.getsockname()[1]
        finally:
            server.should_exit = True
            await task


async def read_to_end(reader: asyncio.StreamReader) -> bytes:
    try:
        return await asyncio.wait_for(reader.read(), timeout=10)
    except ConnectionResetError:
        return b""


def test_answers_leave_at_once() -> None:
    """Asyncio looks at the protocol of the listening socket; without it each answer waits 40 ms for an ACK."""

    async def ask() -> list[int]:
        told: list[int] = []

        class Seen(asyncio.Protocol):
            def connection_made(self, transport: asyncio.BaseTransport) -> None:
                own = transport.get_extra_info("socket")
                told.append(own.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))

        with Listening(host="127.0.0.1", port=0).tcp() as own:
            server = await asyncio.get_running_loop().create_server(Seen, sock=own)
            reader, writer = await asyncio.open_connection(*own.getsockname())
            server.close()
            await server.wait_closed()
            writer.close()
            del reader
        return told

    assert asyncio.run(ask()) == [1]


@pytest.mark.parametrize("said", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nhost: a\r\nx: "])
def test_a_request_that_does_not_come_is_not_waited_for(said: bytes) -> None:
    async def ask() -> tuple[bytes, float]:
        async with served(Held(10)) as (host, port):
            reader, writer = await asyncio.open_connection(host, port)
            began = time.monotonic()
            writer.write(said)
            got = await read_to_end(reader)
            writer.close()
            return got, time.monotonic() - began

    got, took_s = asyncio.run(ask())
    assert (got, took_s >= REQUEST_S) == (b"", True)


def test_headers_that_drip_after_an_answer_are_not_waited_for_either() -> None:
    async def ask() -> tuple[bytes, bytes]:
        async with served(Held(10)) as (host, port):
            reader, writer = await asyncio.open_connection(host, port)
            writer.write(GET)
            answer = await reader.readuntil(b"yes")
            writer.write(GET[:-4])
            drip = asyncio.create_task(dripping(writer))
            rest = await read_to_end(reader)
            drip.cancel()
            writer.close()
            return answer, rest

    async def dripping(writer: asyncio.StreamWriter) -> None:
        while True:
            await asyncio.sleep(REQUEST_S / 10)
            writer.write(b"a")

    answer, rest = asyncio.run(ask())
    assert (answer.startswith(b"HTTP/1.1 200"), rest) == (True, b"")


def test_an_answer_that_takes_longer_than_a_request_may_comes_through() -> None:
    async def ask() -> bytes:
        async with served(Held(10)) as (host, port):
            reader, writer = await asyncio.open_connection(host, port)
            writer.write(GET.replace(b"/ ", f"/?wait_s={3 * REQUEST_S} ".encode(), 1))
            answer = await reader.readuntil(b"yes")
            writer.close()
            return answer

    assert asyncio.run(ask()).startswith(b"HTTP/1.1 200")


def test_one_address_holds_so_many_connections_and_gets_them_back() -> None:
    async def ask() -> list[bytes]:
        async with served(Held(2, exempt=())) as (host, port):
            first = [await asyncio.open_connection(host, port) for _ in range(2)]
            told = [await asked(host, port)]
            for reader, writer in first:
                # The server has seen it go before it closes its own end.
                writer.write_eof()
                await read_to_end(reader)
                writer.close()
                await writer.wait_closed()
            told.append(await asked(host, port))
            return told

    async def asked(host: str, port: int) -> bytes:
        reader, writer = await asyncio.open_connection(host, port)
        writer.write(GET.replace(b"a\r\n", b"a\r\nconnection: close\r\n", 1))
        got = await read_to_end(reader)
        writer.close()
        return got[:12]

    assert asyncio.run(ask()) == [b"", b"HTTP/1.1 200"]


def test_one_customer_of_ipv6_is_one_address_and_a_proxy_here_speaks_for_many() -> None:
    held = Held(1)
    assert held.take("2001:db8::1") is not None
    assert held.take("2001:db8::2") is None
    assert held.take("2001:db8:0:1::1") is not None
    assert all(held.take("127.0.0.1") for _ in range(5))
