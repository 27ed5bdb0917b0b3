"""A log's life: its key, its store, its witnesses and its sockets, from its start to a signal."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import structlog

from lightbound.canonical.cbor import MOST_BYTES
from lightbound.errors import ErrorCode, LightboundError, Refused
from lightbound.files.admission import DIRECTORY, read_statement_files
from lightbound.files.directory_trust import FILE, read_directory_trust
from lightbound.files.keys import key_path, read_key
from lightbound.files.toml import read_small
from lightbound.keys.ed25519 import SigningKey
from lightbound.keys.purposes import Purpose
from lightbound.net.http_server import Limits, Tls, serve
from lightbound.net.listening import Listening
from lightbound.roles.log.admitting import Admitting
from lightbound.roles.log.app import log_app
from lightbound.roles.log.feeding import Feeding, WitnessAt
from lightbound.roles.log.meters import Meters
from lightbound.roles.log.sequencing import Sequencer
from lightbound.roles.state import check_own
from lightbound.store.log import Head, LogStore, open_log
from lightbound.tlog.checkpoint import Checkpoint, log_key, sign_checkpoint

STORE: Final = "log.sqlite"

AGAIN_S: Final = 60.0
"""How often the newest checkpoint is shown to the witnesses again, so that one that was down comes to know it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSettings:
    """How a log is run."""

    data: Path
    origin: str
    database: str | None
    """URL of a PostgreSQL server; None: a file in the folder."""
    admission: Path
    """An admission folder: whom to believe about directories, and what is logged of it at once."""
    listen: tuple[Listening, ...]
    witnesses: tuple[WitnessAt, ...]
    witness_wait_s: float
    limits: Limits
    tls: Tls | None


def run_log(settings: LogSettings) -> bool:
    """Run until a signal comes; whether it was SIGINT.

    Several may run over one database, with one key: they make one history.

    Raises:
        Malformed, Refused, Unavailable: a key, the admission folder, an address or the store.
    """
    # With an old copy of the database in its place, the log would fork.
    check_own(settings.data)
    key = read_key(key_path(settings.data, Purpose.LOG), Purpose.LOG)
    trust = read_directory_trust(settings.admission / FILE)
    location = settings.database or str(settings.data / STORE)
    engine = open_log(location, settings.origin)
    try:
        store = LogStore(engine)
        notes = [log_key(settings.origin, key.verifying), *(one.key for one in settings.witnesses)]
        admitting = Admitting(store, trust, notes)
        log_folder(settings.admission, store, admitting, now_ns=time.time_ns())  # noqa: TID251 - the edge asks
        sockets = [one.tcp() for one in settings.listen]
        return asyncio.run(_work(settings, key, store, admitting, sockets))
    finally:
        engine.dispose()


def log_folder(folder: Path, store: LogStore, admitting: Admitting, *, now_ns: int) -> None:
    """Append what an admission folder holds and the log does not: the directory first, then whom it lists.

    A statement that the directory does not list waits for the next one.

    Raises:
        Malformed, Refused: the directory is not to be believed, or is not the next one.
        Unavailable: the folder or the store.
    """
    path = folder / DIRECTORY
    if not path.exists():
        return
    directory = read_small(path, MOST_BYTES)
    admitting.read_roll()
    if store.append([admitting.check(directory, now_ns=now_ns)]) == [None]:
        # Another process was quicker, with other signatures: looked at again, it is the same directory or refused.
        admitting.read_roll()
        store.append([admitting.check(directory, now_ns=now_ns)])
    admitting.read_roll()
    entries = []
    for file in read_statement_files(folder).all:
        try:
            entries.append(admitting.check(file.data, now_ns=now_ns))
        except Refused as error:
            if error.faults[0].code is not ErrorCode.NOT_ADMITTED:
                raise
    store.append(entries)


def signer(origin: str, key: SigningKey) -> Callable[[Head], bytes]:
    """What signs heads for a log of this name."""
    return lambda head: sign_checkpoint(Checkpoint(origin=origin, size=head.size, root=head.root), key)


async def _work(
    settings: LogSettings, key: SigningKey, store: LogStore, admitting: Admitting, sockets: Sequence[Any]
) -> bool:
    log, named = structlog.get_logger(), log_key(settings.origin, key.verifying)
    feeding = Feeding(store=store, log=named, witnesses=settings.witnesses, wait_s=settings.witness_wait_s)
    sequencer, meters = Sequencer(store, signer(settings.origin, key), feeding.witnessed), Meters()
    note = await sequencer.checkpoint()
    meters.size.set(note.size)
    app = log_app(
        store=store,
        key=named,
        admitting=admitting,
        sequencer=sequencer,
        meters=meters,
        limits=settings.limits,
        health=lambda: {
            "ok": sequencer.failure is None,
            "role": "log",
            "origin": settings.origin,
            "key": str(named),
            "witnesses": feeding.told(),
        },
    )
    worker = asyncio.create_task(sequencer.run())
    again = asyncio.create_task(_show_again(sequencer))
    stop = asyncio.Event()
    for task in (worker, again):
        # Neither ends by itself but by a mistake of ours: better no log than one that answers nobody.
        task.add_done_callback(lambda _task: stop.set())
    for one in sockets:
        log.info("listening", address=":".join(map(str, one.getsockname()[:2])), key=str(named), size=note.size)
    try:
        interrupted = await serve(app, sockets, limits=settings.limits, tls=settings.tls, until=stop)
    finally:
        ended = [task for task in (worker, again) if task.done()]
        for task in (worker, again):
            task.cancel()
        await feeding.close()
    for task in ended:
        task.result()
    log.info("stopped")
    return interrupted


async def _show_again(sequencer: Sequencer) -> None:
    while True:
        await asyncio.sleep(AGAIN_S)
        with contextlib.suppress(LightboundError):
            await sequencer.again()
