"""The process of a relay that carries streams: whole, in order, and about as late as datagrams are.

`python -m` runs it, for `Child`. Nothing is timed by streams, so that this may be an event loop. A handshake is
answered at once, and reaches the target later; all else is as far away as the leg says. While there is an outage
nothing moves, and what was under way goes on after it.
"""

import asyncio
import contextlib
import socket
import struct
import sys
import time
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from lightbound.demo.conditions import Conditions, Counts
from lightbound.demo.orders import Orders
from lightbound.demo.pending import BILLION, IDLE_S

PIECE: Final = 1 << 16

MOST_PIECES: Final = 64
"""Under way on one stream; the sender then waits."""


RESET: Final = struct.pack("ii", 1, 0)
"""Linger for no time at all: a stream that is closed is reset."""


@dataclass(slots=True, kw_only=True)
class _Leg:
    target: tuple[str, int]
    source: str | None
    conditions: Conditions
    counts: Counts = field(default_factory=Counts)
    passable: asyncio.Event = field(default_factory=asyncio.Event)
    """Set while there is no outage."""
    carrying: set[asyncio.Task[None]] = field(default_factory=set)
    """Held here: the event loop holds its tasks weakly, and streams that nobody else holds would be dropped."""

    def connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry a connection from now on."""
        task = asyncio.get_running_loop().create_task(self.connected(reader, writer))
        self.carrying.add(task)
        task.add_done_callback(self.carrying.discard)

    def change(self, conditions: Conditions) -> None:
        """From now on it is like this."""
        self.conditions = conditions
        if conditions.outage:
            self.passable.clear()
        else:
            self.passable.set()

    async def passes(self, *, until_ns: int) -> None:
        """Wait for this instant, and for the end of an outage."""
        await asyncio.sleep((until_ns - time.monotonic_ns()) / BILLION)
        await self.passable.wait()

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one connection to its end."""
        self.counts.connections += 1
        outward: asyncio.StreamWriter | None = None
        try:
            await self.passes(until_ns=time.monotonic_ns() + self.conditions.one_way_ns)
            local = None if self.source is None else (self.source, 0)
            inward, outward = await asyncio.open_connection(*self.target, local_addr=local)
            async with asyncio.TaskGroup() as group:
                group.create_task(self._carry(reader, outward, out=True))
                group.create_task(self._carry(inward, writer, out=False))
        except* OSError:
            # One end is gone, or nobody listens: the other end is to see that, and not a stream that ended well.
            for each in (writer, outward):
                if each is not None:
                    _reset(each)
        finally:
            for each in (writer, outward):
                if each is not None:
                    each.close()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, out: bool) -> None:
        pieces: asyncio.Queue[tuple[int, bytes]] = asyncio.Queue(MOST_PIECES)

        async def read() -> None:
            piece = b"-"
            while piece:
                piece = await reader.read(PIECE)
                await pieces.put((time.monotonic_ns() + self.conditions.one_way_ns, piece))

        async with asyncio.TaskGroup() as group:
            group.create_task(read())
            while True:
                due_ns, piece = await pieces.get()
                await self.passes(until_ns=due_ns)
                if not piece:
                    writer.write_eof()
                    return
                writer.write(piece)
                await writer.drain()
                if out:
                    self.counts.octets_out += len(piece)
                else:
                    self.counts.octets_back += len(piece)


def _reset(writer: asyncio.StreamWriter) -> None:
    # The end that brought the error is closed already.
    with contextlib.suppress(OSError):
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    writer.transport.abort()


class StreamRelay:
    """All legs."""

    def __init__(self, orders: Orders) -> None:
        """No legs yet."""
        self._orders = orders
        self._legs: dict[int, _Leg] = {}
        self._ended = asyncio.Event()

    async def run(self) -> None:
        """Until the parent is gone."""
        asyncio.get_running_loop().add_reader(self._orders.line, self._ordered)
        while not self._ended.is_set():
            try:
                async with asyncio.timeout(IDLE_S):
                    await self._ended.wait()
            except TimeoutError:
                self._orders.end_without_parent()

    def _ordered(self) -> None:
        try:
            order, files = self._orders.next()
        except SystemExit:
            self._ended.set()
            return
        match order["do"]:
            case "add":
                # Its answer is given once the leg is served.
                self._adding = asyncio.ensure_future(self._add(order, socket.socket(fileno=files[0])))
            case "change":
                self._legs[order["leg"]].change(Conditions.from_json(order["conditions"]))
                self._orders.answer(None)
            case "count":
                self._orders.answer(asdict(self._legs[order["leg"]].counts))
            case _:
                raise AssertionError(order)

    async def _add(self, order: dict[str, Any], listener: socket.socket) -> None:
        host, port = order["target"]
        leg = _Leg(target=(host, port), source=order["source"], conditions=Conditions.from_json(order["conditions"]))
        leg.change(leg.conditions)
        self._legs[order["leg"]] = leg
        await asyncio.start_server(leg.connect, sock=listener)
        self._orders.answer(None)


if __name__ == "__main__":
    asyncio.run(StreamRelay(Orders(sys.argv[1:])).run())
