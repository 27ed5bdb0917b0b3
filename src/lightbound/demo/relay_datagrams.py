"""The process of a relay that carries datagrams: sockets, a heap, and a loop that does nothing else.

`python -m` runs it, for `Child`. A datagram's time runs from when it was read here, which is after it was sent, so that
the way is never too short.
"""

import functools
import gc
import resource
import socket
import sys
from collections import deque
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from lightbound.demo.conditions import Conditions, Counts, Dice
from lightbound.demo.machine import be_prompt
from lightbound.demo.orders import Orders
from lightbound.demo.pending import Pending, Readable
from lightbound.demo.tampering import REMEMBERED, STRANGERS, carried

LARGEST: Final = 65_535

AT_ONCE: Final = 64
"""Datagrams read from one socket before the others have their turn."""

MOST_CLIENTS: Final = 2_000
"""Who was silent longest is forgotten first: a flood from many addresses must not use up the files of a process."""


@dataclass(slots=True, kw_only=True)
class _Client:
    """Somebody who sent to a leg; answers to `outward` are for him."""

    leg: "_Leg"
    address: Any
    outward: socket.socket


@dataclass(slots=True, kw_only=True)
class _Leg:
    number: int
    listener: socket.socket
    target: Any
    source: str | None
    conditions: Conditions
    dice_out: Dice
    dice_back: Dice
    """Two, so that what becomes of one direction does not depend on when the other's datagrams came."""
    counts: Counts = field(default_factory=Counts)
    clients: dict[Any, _Client] = field(default_factory=dict)
    strangers: list[socket.socket] = field(default_factory=list)


class DatagramRelay:
    """All legs, and what is under way on them."""

    def __init__(self, orders: Orders) -> None:
        """No legs yet."""
        self._orders = orders
        self._legs: dict[int, _Leg] = {}
        self._pending: Pending[tuple[_Client, int | None, bool, bytes]] = Pending()
        self._readable = Readable()
        self._clients: dict[tuple[int, Any], _Client] = {}
        """By leg and address; who was heard last, last."""
        self._memory: dict[bool, deque[bytes]] = {out: deque(maxlen=REMEMBERED) for out in (True, False)}
        """Of all legs: whoever replays has seen other sessions, too."""
        self._readable.watch(orders.line, self._ordered)

    def run(self) -> None:
        """Until the parent is gone, which ends the process."""
        while True:
            self._readable.wait(self._pending.wait_ns())
            for client, stranger, out, data in self._pending.due():
                self._send(client, stranger, data, out=out)
            self._orders.end_without_parent()

    def _ordered(self) -> None:
        order, files = self._orders.next()
        leg = self._legs.get(order["leg"])
        match order["do"]:
            case "add":
                self._add(order, socket.socket(fileno=files[0]))
                self._orders.answer(None)
            case "change" if leg is not None:
                leg.conditions = Conditions.from_json(order["conditions"])
                self._orders.answer(None)
            case "count" if leg is not None:
                self._orders.answer(asdict(leg.counts))
            case _:
                raise AssertionError(order)

    def _add(self, order: dict[str, Any], listener: socket.socket) -> None:
        listener.setblocking(False)
        number = order["leg"]
        leg = _Leg(
            number=number,
            listener=listener,
            target=tuple(order["target"]),
            source=order["source"],
            conditions=Conditions.from_json(order["conditions"]),
            dice_out=Dice(f"{order['seed']} {number} out"),
            dice_back=Dice(f"{order['seed']} {number} back"),
        )
        self._legs[number] = leg
        self._readable.watch(listener, functools.partial(self._from_clients, leg))

    def _from_clients(self, leg: _Leg) -> None:
        for _ in range(AT_ONCE):
            try:
                data, address = leg.listener.recvfrom(LARGEST)
            except OSError:
                return
            leg.counts.received_out += 1
            self._carry(self._client(leg, address), data, out=True)

    def _from_target(self, client: _Client) -> None:
        for _ in range(AT_ONCE):
            try:
                data = client.outward.recv(LARGEST)
            except OSError:
                return  # nothing more, or nobody listens at the target; it may come up
            client.leg.counts.received_back += 1
            self._carry(client, data, out=False)

    def _carry(self, client: _Client, data: bytes, *, out: bool) -> None:
        """Put on its way what becomes of a datagram that has come."""
        leg = client.leg
        counts, dice = leg.counts, leg.dice_out if out else leg.dice_back
        for copy in carried(leg.conditions.behaviour, data, out=out, memory=self._memory[out], dice=dice):
            counts.forged += copy.forged
            counts.altered += not copy.forged and copy.data is not data
            takes_ns = leg.conditions.copies_ns(dice)
            counts.lost += not takes_ns
            counts.duplicated += len(takes_ns) == 2
            for each_ns in takes_ns:
                self._pending.put(each_ns, (client, copy.stranger, out, copy.data))

    def _send(self, client: _Client, stranger: int | None, data: bytes, *, out: bool) -> None:
        leg = client.leg
        try:
            if not out:
                leg.listener.sendto(data, client.address)
                leg.counts.carried_back += 1
                return
            sender = client.outward if stranger is None else self._stranger(leg, stranger)
            sender.send(data)
            leg.counts.carried_out += 1
        except OSError:
            # Its buffer is full, nobody listens, or the client was forgotten meanwhile.
            leg.counts.undeliverable += 1

    def _client(self, leg: _Leg, address: Any) -> _Client:
        key = (leg.number, address)
        client = self._clients.pop(key, None)
        if client is None:
            if len(self._clients) >= MOST_CLIENTS:
                forgotten = self._clients.pop(next(iter(self._clients)))
                self._readable.forget(forgotten.outward)
                forgotten.outward.close()
            client = _Client(leg=leg, address=address, outward=_towards(leg.target, leg.source))
            self._readable.watch(client.outward, functools.partial(self._from_target, client))
        self._clients[key] = client
        return client

    def _stranger(self, leg: _Leg, number: int) -> socket.socket:
        """A socket of somebody else's: on IPv4 another address, on IPv6 another port."""
        while len(leg.strangers) < STRANGERS:
            is_six = ":" in leg.target[0]
            source = None if is_six else f"127.66.{leg.number % 250}.{len(leg.strangers) + 1}"
            made = _towards(leg.target, source)
            leg.strangers.append(made)
            self._readable.watch(made, functools.partial(self._astray, leg, made))
        return leg.strangers[number]

    def _astray(self, leg: _Leg, stranger: socket.socket) -> None:
        for _ in range(AT_ONCE):
            try:
                stranger.recv(LARGEST)
            except OSError:
                return
            leg.counts.astray += 1


def _towards(target: Any, source: str | None) -> socket.socket:
    """A socket that sends to the target, and takes what comes from there alone."""
    made = socket.socket(socket.AF_INET6 if ":" in target[0] else socket.AF_INET, socket.SOCK_DGRAM)
    made.setblocking(False)
    if source is not None:
        made.bind((source, 0))
    made.connect(target)
    return made


def main() -> None:
    """Carry datagrams for the parent that started this process."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_CLIENTS + 1_000
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(
            resource.RLIMIT_NOFILE, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard)
        )
    be_prompt()
    gc.freeze()
    DatagramRelay(Orders(sys.argv[1:])).run()


if __name__ == "__main__":
    main()
