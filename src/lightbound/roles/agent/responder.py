"""The agent's timed process: it answers challenges, and nothing sits between a challenge and its answer.

One socket a landmark, connected, so that packets of others never arrive. Blocking calls in one thread; when no session
runs it waits for the control process and uses no time at all. It holds no key but the timed ones of the session.
"""

import contextlib
import gc
import select
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass

from lightbound.ranging.timing.packets import PACKET_BYTES
from lightbound.ranging.timing.responder import READY_AGAIN_NS, Responder
from lightbound.roles.agent.handing import Begin, Tell, read_message, write_begun, write_told
from lightbound.roles.channel import Channel


@dataclass(slots=True, kw_only=True, eq=False)
class _Phase:
    """One landmark's phase."""

    number: int
    responder: Responder
    own: socket.socket
    until_ns: int
    """When it ends, on the monotonic clock."""
    expiry_ns: int
    """The same in UTC: nothing is answered after either, also if the machine slept in between, or the clock was set."""
    ready_ns: int
    """When READY is due again."""


def run_timed(channel: Channel) -> None:
    """Do what the control process says, until it has gone."""
    # What it makes is not cyclic, and looking for garbage would hold an answer up.
    gc.disable()
    poll = select.poll()
    poll.register(channel.fileno(), select.POLLIN)
    phases: dict[int, _Phase] = {}
    """By descriptor of the socket; one that was told to stop or has expired keeps its answers in `past`."""
    past: dict[int, Responder] = {}
    now_ns = time.time_ns  # noqa: TID251 - a role is where the clock is read
    while True:
        for descriptor, _ in poll.poll(_wait_ms(phases)):
            phase = phases.get(descriptor)
            if phase is None:
                if descriptor == channel.fileno():
                    _told(channel, phases, past, poll)
                continue
            # From here to `send` every call costs metres.
            try:
                reply = phase.responder.datagram_received(phase.own.recv(PACKET_BYTES + 1))
            except OSError:
                # Nobody listens there any more, or not yet, or a packet came damaged. READY will tell.
                continue
            if reply is not None and now_ns() <= phase.expiry_ns:
                _send(phase.own, reply)
                phase.ready_ns = time.monotonic_ns() + READY_AGAIN_NS
        if phases:
            _due(phases, past, poll)


def _wait_ms(phases: Mapping[int, _Phase]) -> int | None:
    if not phases:
        return None
    next_ns = min(min(phase.ready_ns, phase.until_ns) for phase in phases.values())
    return max(0, -(-(next_ns - time.monotonic_ns()) // 1_000_000))


def _due(phases: dict[int, _Phase], past: dict[int, Responder], poll: select.poll) -> None:
    """Send READY where it is due, and end what has expired."""
    now_ns, utc_ns = time.monotonic_ns(), time.time_ns()  # noqa: TID251 - a role is where the clock is read
    for descriptor, phase in list(phases.items()):
        if now_ns >= phase.until_ns or utc_ns > phase.expiry_ns:
            _end(descriptor, phases, past, poll)
        elif now_ns >= phase.ready_ns:
            _ready(phase)


def _ready(phase: _Phase) -> None:
    phase.ready_ns = time.monotonic_ns() + READY_AGAIN_NS
    _send(phase.own, phase.responder.ready())


def _send(own: socket.socket, data: bytes) -> None:
    """Send a packet. What a connected socket met with an earlier one it tells in place of sending this: hence twice."""
    try:
        own.send(data)
    except OSError:
        with contextlib.suppress(OSError):
            own.send(data)


def _end(descriptor: int, phases: dict[int, _Phase], past: dict[int, Responder], poll: select.poll) -> None:
    poll.unregister(descriptor)
    phase = phases.pop(descriptor)
    phase.own.close()
    past[phase.number] = phase.responder


def _told(channel: Channel, phases: dict[int, _Phase], past: dict[int, Responder], poll: select.poll) -> None:
    """Take one message of the control process, and reply."""
    match read_message(channel.receive()):
        case Begin() as begin:
            try:
                phase = _begun(begin)
            except OSError as error:
                channel.send(write_begun(error.strerror or type(error).__name__))
                return
            phases[phase.own.fileno()] = phase
            poll.register(phase.own.fileno(), select.POLLIN)
            channel.send(write_begun(None))
            _ready(phase)
        case Tell(number=number, stop=stop):
            for descriptor, phase in list(phases.items()):
                if phase.number == number and stop:
                    _end(descriptor, phases, past, poll)
            running = next((phase.responder for phase in phases.values() if phase.number == number), None)
            responder = past.pop(number, None) if stop else running or past.get(number)
            if responder is None:
                channel.send(write_told({}, 0))
            else:
                channel.send(write_told(responder.answers, responder.ignored))


def _begun(begin: Begin) -> _Phase:
    own = socket.socket(socket.AF_INET6 if ":" in begin.address else socket.AF_INET, socket.SOCK_DGRAM)
    try:
        own.setblocking(False)
        own.connect((begin.address, begin.port))
    except OSError:
        own.close()
        raise
    now_ns = time.monotonic_ns()
    left_ns = max(0, begin.expiry_ns - time.time_ns())  # noqa: TID251 - a role is where the clock is read
    return _Phase(
        number=begin.number,
        responder=Responder.begin(begin.keys, cookie=begin.cookie),
        own=own,
        until_ns=now_ns + left_ns,
        expiry_ns=begin.expiry_ns,
        ready_ns=now_ns,
    )
