"""A landmark's life: two processes, their sockets and their store, from its start to a signal."""

import asyncio
import contextlib
import errno
import os
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import structlog

from lightbound.canonical.cbor import MOST_BYTES
from lightbound.errors import ErrorCode, Fault, Refused, Unavailable
from lightbound.files.keys import key_path, read_key
from lightbound.files.toml import read_small
from lightbound.keys.ed25519 import SigningKey, VerifyingKey
from lightbound.keys.purposes import Purpose
from lightbound.keys.signing import digest
from lightbound.net.clocks import MachineClocks
from lightbound.net.http_server import Limits, Tls, serve
from lightbound.net.listening import Listening
from lightbound.net.outside import NtpClock, OutsideClock, OwnClock
from lightbound.net.udp import TimedSocket
from lightbound.ranging.sessions.landmark import Identity
from lightbound.ranging.statements.admission import PositionStatement, position_said
from lightbound.ranging.statements.measurement import Stamps
from lightbound.ranging.timing.clocks import ClockErrors
from lightbound.roles.channel import Channel, ChannelClosed, Child, fork
from lightbound.roles.landmark.app import landmark_app
from lightbound.roles.landmark.desk import Desk
from lightbound.roles.landmark.mesh import end_mesh, fork_mesh
from lightbound.roles.landmark.meters import Meters
from lightbound.roles.landmark.phases import Phases
from lightbound.roles.landmark.submitting import LogAt, Submitting, running
from lightbound.roles.state import locked
from lightbound.store.engine import LANDMARK, open_store
from lightbound.store.landmark import LandmarkStore
from lightbound.store.logged import LoggedStatements

POSITION: Final = "position.cose"
"""In its folder: where its operator says that it stands."""

BIND_AGAIN_S: Final = 3.0
"""A process that was killed may hold its ports for a moment, until its other half has seen it go."""

ERRORS_OF_SESSION: Final = 4
"""Each reading of the clock outside must be right within a quarter of what a session may hide (CLP/1, clocks)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LandmarkSettings:
    """How a landmark is run."""

    data: Path
    listen: tuple[Listening, ...]
    timed: tuple[Listening, ...]
    """Addresses of the UDP sockets, of one port."""
    verifiers: tuple[VerifyingKey, ...]
    errors: ClockErrors
    """`can_pause` is taken from POSITION."""
    utc_error_ns: int
    ntp: tuple[str, int] | None
    """The server that is the clock outside; None: this machine's own clock."""
    kernel_stamps: bool
    low_latency: bool
    limits: Limits
    tls: Tls | None
    software: str
    mesh: Path | None = None
    """The state folder of an enrolled agent that is to run beside it, so that other landmarks can time this one."""
    log: LogAt | None = None
    """The log that everything numbered is submitted to."""


def run_landmark(settings: LandmarkSettings) -> bool:
    """Run until a signal comes; whether it was SIGINT.

    Raises:
        Malformed, Refused, Unavailable: a key, a statement, an address or the store.
    """
    key = read_key(key_path(settings.data, Purpose.LANDMARK), Purpose.LANDMARK)
    position_bytes = _position(settings.data / POSITION)
    position = position_said(position_bytes)
    _check_place(position, key.verifying, settings)
    # First of all, so that it holds no end of what comes after.
    mesh = None if settings.mesh is None else fork_mesh(settings.mesh, software=settings.software)
    try:
        return _run(settings, key, position_bytes, position, mesh)
    finally:
        if mesh is not None:
            end_mesh(mesh)


def _run(
    settings: LandmarkSettings, key: SigningKey, position_bytes: bytes, position: PositionStatement, mesh: Child | None
) -> bool:
    timed = [TimedSocket.of(_patiently(one.udp), stamping=settings.kernel_stamps) for one in settings.timed]
    port = timed[0].bound.getsockname()[1]

    def be_timed(channel: Channel) -> None:
        if settings.low_latency:
            _be_quick()
        Phases(channel=channel, sockets=timed, clocks=MachineClocks()).run()

    # Before anything that has threads, and before the lock is held: the timed process shares neither.
    child = fork(be_timed)
    try:
        with locked(settings.data):
            stamps = Stamps.KERNEL if all(one.is_stamping for one in timed) else Stamps.USER
            for one in timed:
                one.bound.close()
            engine = open_store(settings.data / "landmark.sqlite", LANDMARK)
            errors = ClockErrors(
                stamp_ns=settings.errors.stamp_ns,
                rate_ppb=settings.errors.rate_ppb,
                session_ns=settings.errors.session_ns,
                can_pause=position.can_pause,
            )
            identity = Identity(
                key=key,
                position=digest(position_bytes),
                errors=errors,
                stamps=stamps,
                utc_error_ns=settings.utc_error_ns,
                port=port,
                software=settings.software,
            )
            desk = Desk(
                identity=identity,
                verifiers={one.key_id: one for one in settings.verifiers},
                store=LandmarkStore(engine, key.key_id),
                channel=child.channel,
                outside=_outside(settings),
                meters=Meters(),
            )
            desk.begin()
            submitting = None
            if settings.log is not None:
                logged = LoggedStatements(engine, key)
                submitting = Submitting(store=logged, log=settings.log, software=settings.software)
            sockets = [_patiently(one.tcp) for one in settings.listen]
            try:
                return asyncio.run(_work(desk, child, mesh, submitting, sockets, settings))
            finally:
                engine.dispose()
    finally:
        child.end()


async def _work(
    desk: Desk,
    child: Child,
    mesh: Child | None,
    submitting: Submitting | None,
    sockets: Sequence[socket.socket],
    settings: LandmarkSettings,
) -> bool:
    log, stop = structlog.get_logger(), asyncio.Event()
    ended: list[str] = []
    loop = asyncio.get_running_loop()

    def readable() -> None:
        try:
            desk.answered()
        except ChannelClosed:
            loop.remove_reader(child.channel.fileno())
            ended.append("the timed process")
            stop.set()

    async def sweep() -> None:
        try:
            await desk.sweep()
        except ChannelClosed:
            stop.set()

    def mesh_ended() -> None:
        # It says nothing: what can be read is that it has gone. The landmark goes on without it.
        if mesh is not None:
            loop.remove_reader(mesh.channel.fileno())
            about["mesh"] = False
            log.warning("the agent of the mesh has ended", data=str(settings.mesh))

    loop.add_reader(child.channel.fileno(), readable)
    if mesh is not None:
        loop.add_reader(mesh.channel.fileno(), mesh_ended)
    sweeper = asyncio.create_task(sweep())
    sweeper.add_done_callback(lambda _task: stop.set())
    identity = desk.identity
    about: dict[str, Any] = {
        "format": "lightbound.landmark/1",
        "key": identity.key.verifying.raw.hex(),
        "landmark": identity.key.key_id.hex(),
        "position": identity.position.hex(),
        "software": identity.software,
        "port": identity.port,
        "stamps": str(identity.stamps),
        "mesh": mesh is not None,
        "log": None if settings.log is None else str(settings.log.key),
    }
    app = landmark_app(
        desk,
        limits=settings.limits,
        about=about,
        stopping=stop,
        logged=None if submitting is None else submitting.store,
    )
    log.info(
        "listening",
        landmark=about["landmark"],
        http=[str(one) for one in settings.listen],
        udp_port=about["port"],
        mesh=None if settings.mesh is None else str(settings.mesh),
    )
    try:
        with running(submitting):
            interrupted = await serve(app, sockets, limits=settings.limits, tls=settings.tls, until=stop)
    finally:
        sweeper.cancel()
        loop.remove_reader(child.channel.fileno())
        if mesh is not None:
            loop.remove_reader(mesh.channel.fileno())
        desk.stop()
    if ended:
        raise Unavailable(Fault(code=ErrorCode.READ_FAILED, expected="the timed process to run", found="it ended"))
    if sweeper.done() and not sweeper.cancelled() and (error := sweeper.exception()) is not None:
        raise error
    log.info("stopped")
    return interrupted


def _position(path: Path) -> bytes:
    """Where the operator says that it stands, signed."""
    try:
        return read_small(path, MOST_BYTES)
    except Unavailable as error:
        advice = "have its operator sign it by `lightbound operator sign`, and put it there"
        raise Unavailable(replace(error.faults[0], next=None if path.exists() else advice)) from error


def _check_place(position: PositionStatement, key: VerifyingKey, settings: LandmarkSettings) -> None:
    file = str(settings.data / POSITION)
    if position.landmark_key != key:
        fault = Fault(
            code=ErrorCode.WRONG_KEY,
            expected=f"a position of the landmark with key {key.raw.hex()}",
            found=f"of {position.landmark_key.raw.hex()}",
            file=file,
        )
        raise Refused(fault)
    if position.can_pause and settings.ntp is None:
        fault = Fault(
            code=ErrorCode.SETTING_MALFORMED,
            expected="a clock outside, for a machine that can pause stops its own",
            found="its own",
            file=file,
            next="give --time-source ntp:HOST",
        )
        raise Refused(fault)


def _outside(settings: LandmarkSettings) -> OutsideClock:
    if settings.ntp is None:
        return OwnClock(error_ns=settings.utc_error_ns)
    host, port = settings.ntp
    most_error_ns = settings.errors.session_ns // ERRORS_OF_SESSION
    return NtpClock(host=host, port=port, most_error_ns=most_error_ns, clocks=MachineClocks())


def _patiently(make: Callable[[], socket.socket]) -> socket.socket:
    """A socket, once the port is free; a port that stays taken is told.

    Raises:
        Unavailable: it cannot be had.
    """
    give_up = time.monotonic() + BIND_AGAIN_S
    while True:
        try:
            return make()
        except Unavailable as error:
            cause = error.__cause__
            taken = isinstance(cause, OSError) and cause.errno == errno.EADDRINUSE
            if not taken or time.monotonic() > give_up:
                raise
            time.sleep(0.05)


def _be_quick() -> None:
    """Ask the system to run this process before others and never to doze, as far as it lets us."""
    with contextlib.suppress(OSError):
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(10))
    with contextlib.suppress(OSError):
        # Held while the descriptor is open, that is, as long as this process lives (Linux, power/pm_qos_interface).
        descriptor = os.open("/dev/cpu_dma_latency", os.O_WRONLY | os.O_CLOEXEC)
        os.write(descriptor, bytes(4))
