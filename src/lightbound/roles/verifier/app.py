"""The HTTP of a verifier: bytes in, bytes out, each to one method of the desk in a thread of its own."""

import asyncio
import time
from collections.abc import Callable
from typing import Any, Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from lightbound.canonical.cbor import MOST_BYTES
from lightbound.enrolment.delivery import MOST_DELIVERY_BYTES
from lightbound.enrolment.requests import MOST_ENROLMENT_BYTES
from lightbound.net.http_errors import unknown
from lightbound.net.http_server import (
    Limits,
    application,
    body_of,
    comes_from,
    digest_in,
    nothing,
    statement,
    unless_stopped,
)
from lightbound.roles.verifier.desk import Desk

LOOK_S: Final = 1.0
"""A poll that waits looks at least so often whether its agent has gone or polls anew."""


def verifier_app(
    desk: Desk,
    *,
    limits: Limits,
    about: dict[str, Any],
    standings: Callable[[], dict[str, Any]],
    stopping: asyncio.Event,
) -> Starlette:
    """The application; `about` is what GET /health shows besides, `standings` what GET /v1/standings does.

    Once `stopping` is set, polls that wait are answered at once.
    """

    async def trust(_request: Request) -> Response:
        return statement(desk.trust)

    async def enrol(request: Request) -> Response:
        await asyncio.to_thread(desk.enrol, await body_of(request, most_bytes=MOST_ENROLMENT_BYTES))
        return nothing()

    async def poll(request: Request) -> Response:
        agent, said = await asyncio.to_thread(desk.poll, await body_of(request, most_bytes=MOST_BYTES))
        until_s, due_ns = time.monotonic() + said.wait_s, 0
        while True:
            # What is given to nobody would be lost: the agent would be asked again only after it ran out.
            if stopping.is_set() or await request.is_disconnected() or not desk.is_newest(agent, said):
                return nothing()
            now_ns = desk.now_ns()
            if now_ns >= due_ns:
                given, due_ns = await asyncio.to_thread(desk.give, agent)
                if given is not None:
                    return statement(given)
            left_s = until_s - time.monotonic()
            if left_s <= 0.0:
                return nothing()
            wait_s = min(left_s, max(0.001, (due_ns - now_ns) / 1e9), LOOK_S)
            await unless_stopped(stopping, asyncio.sleep(wait_s))

    async def deliver(request: Request) -> Response:
        name = digest_in(request)
        await asyncio.to_thread(desk.deliver, name, await body_of(request, most_bytes=MOST_DELIVERY_BYTES))
        return nothing()

    async def tell_standings(request: Request) -> Response:
        # Who is where is nobody's business but the verifier's; the networks are those that may read its metrics.
        if not comes_from(request, limits.metrics_from):
            raise unknown("standings")
        return JSONResponse(await asyncio.to_thread(standings))

    routes = [
        Route("/v1/trust", trust),
        Route("/v1/enrol", enrol, methods=["POST"]),
        Route("/v1/poll", poll, methods=["POST"]),
        Route("/v1/sessions/{digest}/result", deliver, methods=["POST"]),
        Route("/v1/standings", tell_standings),
    ]
    return application(
        routes, registry=desk.meters.registry, health=lambda: {"ok": desk.check_able(), **about}, limits=limits
    )
