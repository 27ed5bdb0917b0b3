"""The HTTP of a log: submissions in, receipts out; and what everybody may read, as files that never change.

POST /log/v1/entries      CBOR [statement, ...]; answers once all are published, with a proof for each
GET  /checkpoint          the newest one that is published
GET  /tile/...            hashes and entries (C2SP tlog-tiles)
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from lightbound.errors import ErrorCode, LightboundError, Malformed, refused
from lightbound.net.http_errors import UNKNOWN
from lightbound.net.http_server import CBOR, Limits, application, body_of
from lightbound.roles.log.admitting import Admitting
from lightbound.roles.log.entering import Ended, Entering
from lightbound.roles.log.feeding import count_cosigned
from lightbound.roles.log.meters import Meters
from lightbound.roles.log.sequencing import Sequencer
from lightbound.store.log import LogStore, Note
from lightbound.tlog.checkpoint import open_checkpoint
from lightbound.tlog.note import NoteKey
from lightbound.tlog.proof import LogProof
from lightbound.tlog.submission import (
    MOST_BYTES,
    PATH,
    Entered,
    NotEntered,
    read_submission,
    write_answers,
)
from lightbound.tlog.tiles import Tile, TiledTree, read_path, write_bundle

FOR_EVER: Final = "public, max-age=31536000, immutable"
"""A tile or bundle of some width is the same for ever."""

FOR_NOW: Final = "no-cache"
"""A checkpoint may be kept, and is asked after each time."""


def log_app(
    *,
    store: LogStore,
    key: NoteKey,
    admitting: Admitting,
    sequencer: Sequencer,
    meters: Meters,
    limits: Limits,
    health: Callable[[], Mapping[str, Any]],
    now_ns: Callable[[], int] = time.time_ns,  # noqa: TID251 - a role is where the clock is read
) -> Starlette:
    """The application of a log."""
    entering = Entering(admitting=admitting, sequencer=sequencer, now_ns=now_ns)

    async def submit(request: Request) -> Response:
        statements = read_submission(await body_of(request, most_bytes=MOST_BYTES))
        ended, note = await entering.enter(statements)
        numbers = [one for one in ended if isinstance(one, int)]
        meters.submitted.labels("refused").inc(len([one for one in ended if isinstance(one, LightboundError)]))
        if note is None:
            return Response(write_answers(_answers(ended, []), cosigned=0), media_type=CBOR)
        proofs = await asyncio.to_thread(_proofs, store, key, numbers, note)
        cosigned = count_cosigned(note.data, key)
        meters.submitted.labels("logged").inc(len(numbers))
        meters.size.set(note.size)
        meters.cosigned.set(cosigned)
        return Response(write_answers(_answers(ended, proofs), cosigned=cosigned), media_type=CBOR)

    async def checkpoint(_request: Request) -> Response:
        note = await asyncio.to_thread(store.published)
        if note is None:
            return Response(status_code=UNKNOWN)
        return Response(note.data, media_type="text/plain; charset=utf-8", headers={"cache-control": FOR_NOW})

    async def tile(request: Request) -> Response:
        try:
            wanted = read_path(request.url.path.removeprefix("/"))
        except Malformed:
            return Response(status_code=UNKNOWN)
        data = await asyncio.to_thread(read_tile, store, wanted)
        if data is None:
            return Response(status_code=UNKNOWN)
        return Response(data, media_type="application/octet-stream", headers={"cache-control": FOR_EVER})

    routes = [
        Route(PATH, submit, methods=["POST"]),
        Route("/checkpoint", checkpoint),
        Route("/tile/{path:path}", tile),
    ]
    return application(routes, registry=meters.registry, health=health, limits=limits)


def read_tile(store: LogStore, wanted: Tile) -> bytes | None:
    """A tile or bundle of what is published; None if it has none of this width.

    What is on disk and not published yet is nobody's business: it is not signed for.
    """
    note = store.published()
    covered = 0 if note is None else note.size >> (8 * (wanted.level or 0))
    if wanted.number * 256 + wanted.width > covered:
        return None
    if wanted.level is None:
        return write_bundle(store.entries(wanted.number * 256, wanted.number * 256 + wanted.width))
    with store.hashes() as read:
        return read(wanted)


def _proofs(store: LogStore, key: NoteKey, numbers: Sequence[int], note: Note) -> list[LogProof]:
    size = open_checkpoint(note.data, key)[0].size
    with store.hashes() as read:
        tree = TiledTree(size, read)
        paths = [tree.inclusion_proof(number) for number in numbers]
    return [
        LogProof(index=number, hashes=path, checkpoint=note.data) for number, path in zip(numbers, paths, strict=True)
    ]


def _answers(ended: Sequence[Ended], proofs: Sequence[LogProof]) -> list[Entered | NotEntered]:
    answers, left = list[Entered | NotEntered](), list(proofs)
    for one in ended:
        if isinstance(one, int):
            answers.append(Entered(number=one, proof=left.pop(0).encoded()))
            continue
        # Whoever sent it has said two things at one place of its sequence.
        error = one or refused(ErrorCode.SEQUENCE_BROKEN, "a place that is free", "one taken", "its place")
        fault = error.faults[0]
        answers.append(NotEntered(code=str(fault.code), expected=fault.expected, found=fault.found))
    return answers
