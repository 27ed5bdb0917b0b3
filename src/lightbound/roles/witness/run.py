"""A witness's life: its key, its store and its sockets, from its start to a signal."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import structlog
from sqlalchemy import Engine

from lightbound.errors import ErrorCode, Fault, Refused, Unavailable
from lightbound.files.keys import key_path, read_key
from lightbound.keys.purposes import Purpose
from lightbound.net.http_server import Limits, Tls, serve
from lightbound.net.listening import Listening
from lightbound.roles.state import check_own
from lightbound.roles.witness.app import witness_app
from lightbound.roles.witness.cosigning import Witness
from lightbound.roles.witness.meters import Meters
from lightbound.store.witness import WitnessStore, make_witness, open_witness
from lightbound.tlog.cosignature import witness_key
from lightbound.tlog.note import NoteKey, is_name

STORE: Final = "witness.sqlite"


@dataclass(frozen=True, slots=True, kw_only=True)
class WitnessSettings:
    """How a witness is run."""

    data: Path
    logs: tuple[NoteKey, ...]
    """Keys of logs, each believed for the log of its name."""
    listen: tuple[Listening, ...]
    limits: Limits
    tls: Tls | None


def prepare(data: Path, name: str) -> Engine:
    """The store of a witness that has no key yet; a key is made after it, and never without it.

    Raises:
        Refused: no witness can have this name, there is a key already, or a store of another name.
        Unavailable: the folder cannot be written.
    """
    if not is_name(name):
        expected = "a name as witness.example/w1, without spaces and plus signs"
        raise Refused(Fault(code=ErrorCode.SETTING_MALFORMED, expected=expected, found="another text"))
    key = key_path(data, Purpose.WITNESS)
    if key.exists():
        expected, advice = "a folder without a key", "a key that has cosigned must not begin again with nothing seen"
        raise Refused(Fault(code=ErrorCode.WRITE_FAILED, expected=expected, found="a key", file=str(key), next=advice))
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        expected, found = "a folder that can be written", error.strerror or type(error).__name__
        fault = Fault(code=ErrorCode.WRITE_FAILED, expected=expected, found=found, file=str(data))
        raise Unavailable(fault) from error
    return make_witness(data / STORE, name)


def run_witness(settings: WitnessSettings) -> bool:
    """Run until a signal comes; whether it was SIGINT.

    Several may run over one folder.

    Raises:
        Malformed, Refused, Unavailable: a key, an address or the store.
    """
    # With an old copy of the store in its place, a fork would be cosigned.
    check_own(settings.data)
    key = read_key(key_path(settings.data, Purpose.WITNESS), Purpose.WITNESS)
    engine, name = open_witness(settings.data / STORE)
    try:
        store = WitnessStore(engine)
        witness = Witness(name, key, settings.logs, store, lambda: time.time_ns() // 10**9)  # noqa: TID251 - the edge asks
        sockets = [one.tcp() for one in settings.listen]
        return asyncio.run(_work(settings, witness, store, str(witness_key(name, key.verifying)), sockets))
    finally:
        engine.dispose()


async def _work(
    settings: WitnessSettings, witness: Witness, store: WitnessStore, named: str, sockets: Sequence[Any]
) -> bool:
    log, meters = structlog.get_logger(), Meters()
    for one in store.all_cosigned():
        meters.size.labels(one.origin).set(one.seen.size)
    about = {"role": "witness", "key": named, "logs": sorted({key.name for key in settings.logs})}
    app = witness_app(
        witness, meters=meters, limits=settings.limits, health=lambda: {"ok": not witness.is_failing, **about}
    )
    for one_socket in sockets:
        log.info("listening", address=":".join(map(str, one_socket.getsockname()[:2])), key=named)
    interrupted = await serve(app, sockets, limits=settings.limits, tls=settings.tls)
    log.info("stopped")
    return interrupted
