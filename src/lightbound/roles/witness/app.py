"""The HTTP of a witness (C2SP tlog-witness).

POST /add-checkpoint      old size, consistency proof and checkpoint; answers with the line of the cosignature
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Final, assert_never

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from lightbound.errors import LightboundError
from lightbound.net.http_errors import UNKNOWN
from lightbound.net.http_server import Limits, application, body_of
from lightbound.roles.witness.cosigning import Answer, Line, Unknown, Witness
from lightbound.roles.witness.meters import Meters
from lightbound.tlog.witness import MOST_REQUEST_BYTES, Elsewhere, Forked, Unproven

CONFLICT: Final = 409
UNPROVEN: Final = 422

TEXT: Final = "text/plain; charset=utf-8"
SIZE: Final = "text/x.tlog.size"


def witness_app(
    witness: Witness, *, meters: Meters, limits: Limits, health: Callable[[], Mapping[str, Any]]
) -> Starlette:
    """The application of a witness."""

    async def add_checkpoint(request: Request) -> Response:
        body = await body_of(request, most_bytes=MOST_REQUEST_BYTES)
        try:
            answer = await asyncio.to_thread(witness.add, body)
        except LightboundError as error:
            meters.asked.labels(type(error).__name__.lower()).inc()
            raise
        meters.asked.labels(type(answer).__name__.lower()).inc()
        if isinstance(answer, Line):
            meters.size.labels(answer.origin).set(answer.size)
        return _response(answer)

    return application(
        [Route("/add-checkpoint", add_checkpoint, methods=["POST"])],
        registry=meters.registry,
        health=health,
        limits=limits,
    )


def _response(answer: Answer) -> Response:
    match answer:
        case Line(text=text):
            return Response(text, media_type=TEXT)
        case Unknown():
            return Response("no log of this name is known here\n", status_code=UNKNOWN, media_type=TEXT)
        case Elsewhere(size=size):
            return Response(f"{size}\n", status_code=CONFLICT, headers={"content-type": SIZE})
        case Forked(seen=seen):
            return Response(f"{seen.size}\n", status_code=CONFLICT, headers={"content-type": SIZE})
        case Unproven():
            return Response("the proof does not lead there\n", status_code=UNPROVEN, media_type=TEXT)
        case _:
            assert_never(answer)
