"""The HTTP of a landmark: bytes in, bytes out, each to one method of the desk."""

import asyncio
from typing import Any, Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from lightbound.canonical.cbor import MOST_BYTES, encode
from lightbound.errors import ErrorCode, malformed
from lightbound.keys.signing import digest
from lightbound.net.http_server import (
    CBOR,
    Limits,
    application,
    body_of,
    digest_in,
    nothing,
    statement,
    unless_stopped,
)
from lightbound.ranging.statements.kinds import NUMBERED, Kind
from lightbound.roles.landmark.desk import Desk
from lightbound.store.logged import LoggedStatements

LONGEST_WAIT_S: Final = 25.0
"""Below what proxies on the way give up after."""

MOST_UNLOGGED: Final = 200
"""Entries that the log refused, the newest: they fit into an answer."""

TOLD: Final = (Kind.OPEN, Kind.CONTRIB, Kind.CLOSE, Kind.ACK, Kind.MEASUREMENT, Kind.ABORT)


def landmark_app(
    desk: Desk,
    *,
    limits: Limits,
    about: dict[str, Any],
    stopping: asyncio.Event,
    logged: LoggedStatements | None = None,
) -> Starlette:
    """The application; `about` is what GET /clp1/landmark shows. `logged` are the receipts, if there is a log.

    Once `stopping` is set it is not well, and whoever waits for CLOSE is answered at once.
    """

    async def open_session(request: Request) -> Response:
        return statement(desk.open(await body_of(request, most_bytes=MOST_BYTES)))

    async def bind(request: Request) -> Response:
        await desk.bind(digest_in(request), await body_of(request, most_bytes=MOST_BYTES))
        return nothing()

    async def close(request: Request) -> Response:
        try:
            wait_s = float(request.query_params.get("wait_s", "0"))
        except ValueError:
            wait_s = -1.0
        if not 0.0 <= wait_s <= LONGEST_WAIT_S:
            raise malformed(ErrorCode.VALUE_MALFORMED, f"0 to {LONGEST_WAIT_S:g} seconds", "another", "wait_s")
        said = await unless_stopped(stopping, desk.close(digest_in(request), wait_s=wait_s))
        return nothing() if said is None else statement(said)

    async def acknowledge(request: Request) -> Response:
        return statement(desk.acknowledge(digest_in(request), await body_of(request, most_bytes=MOST_BYTES)))

    async def tell_session(request: Request) -> Response:
        kept = desk.statements(digest_in(request))
        return Response(encode({kind.short: kept.get(kind) for kind in TOLD}), media_type=CBOR)

    async def tell_statement(request: Request) -> Response:
        return statement(desk.statement(digest_in(request)))

    async def tell_about(_request: Request) -> Response:
        return JSONResponse(about)

    routes = [
        Route("/clp1/sessions", open_session, methods=["POST"]),
        Route("/clp1/sessions/{digest}", tell_session),
        Route("/clp1/sessions/{digest}/bind", bind, methods=["POST"]),
        Route("/clp1/sessions/{digest}/close", close),
        Route("/clp1/sessions/{digest}/ack", acknowledge, methods=["POST"]),
        Route("/clp1/statements/{digest}", tell_statement),
        *_about_the_log(desk, logged),
        Route("/clp1/landmark", tell_about),
    ]
    return application(
        routes, registry=desk.meters.registry, health=lambda: {"ok": not stopping.is_set(), **about}, limits=limits
    )


def _about_the_log(desk: Desk, logged: LoggedStatements | None) -> list[Route]:
    """What became of statements in the log."""

    async def tell_receipt(request: Request) -> Response:
        wanted = digest_in(request)
        desk.statement(wanted)
        receipt = None if logged is None else logged.receipt(wanted)
        # It is there, and its receipt is not yet: whoever asks comes again.
        return nothing() if receipt is None else Response(receipt, media_type="text/plain; charset=utf-8")

    async def tell_logged(request: Request) -> Response:
        kept = desk.statements(digest_in(request))
        if logged is None:
            # Nothing is logged, and nothing will be.
            return nothing()
        found = logged.of([digest(kept[kind]) for kind in NUMBERED if kind in kept])
        return Response(encode([[name, entry, receipt] for name, entry, receipt in found]), media_type=CBOR)

    async def tell_unlogged(_request: Request) -> Response:
        refused = [] if logged is None else logged.not_logged(MOST_UNLOGGED)
        return Response(encode([[one.entry, one.why] for one in refused]), media_type=CBOR)

    return [
        Route("/clp1/receipts/{digest}", tell_receipt),
        Route("/clp1/sessions/{digest}/logged", tell_logged),
        Route("/clp1/unlogged", tell_unlogged),
    ]
