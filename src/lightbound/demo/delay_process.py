"""The process that is a delay line: packets come in at one end and go out of the other, no earlier than they may.

`python -m` runs it, for `Child`. A packet's time runs from when it was read here, which is after it was sent.
"""

import gc
import ipaddress
import sys
from dataclasses import asdict, dataclass, field
from io import FileIO
from typing import Any, Final

from lightbound.demo.conditions import Conditions, Counts, Dice
from lightbound.demo.machine import be_prompt
from lightbound.demo.orders import Orders
from lightbound.demo.pending import Pending, Readable

LARGEST: Final = 65_535

AT_ONCE: Final = 64
"""Packets read from one end before the other has its turn."""


@dataclass(slots=True, kw_only=True)
class _Way:
    """To one landmark and back."""

    conditions: Conditions
    dice_out: Dice
    dice_back: Dice
    counts: Counts = field(default_factory=Counts)


class Line:
    """Both ends, and what is under way between them."""

    def __init__(self, orders: Orders) -> None:
        """No ends yet."""
        self._orders = orders
        self._ways: dict[bytes, _Way] = {}
        """By the landmark's address as it stands in packets."""
        self._pending: Pending[tuple[_Way, FileIO, bool, bytes]] = Pending()
        self._readable = Readable()
        self._readable.watch(orders.line, self._ordered)

    def run(self) -> None:
        """Until the parent is gone, which ends the process."""
        while True:
            self._readable.wait(self._pending.wait_ns())
            for way, end, out, packet in self._pending.due():
                _send(way, end, packet, out=out)
            self._orders.end_without_parent()

    def _ordered(self) -> None:
        order, files = self._orders.next()
        match order["do"]:
            case "add":
                self._add(order, *(FileIO(file, "r+") for file in files))
                self._orders.answer(None)
            case "change":
                self._ways[_octets(order["landmark"])].conditions = Conditions.from_json(order["conditions"])
                self._orders.answer(None)
            case "count":
                self._orders.answer(asdict(self._ways[_octets(order["landmark"])].counts))
            case _:
                raise AssertionError(order)

    def _add(self, order: dict[str, Any], outer: FileIO, inner: FileIO) -> None:
        for address, conditions in order["conditions"].items():
            self._ways[_octets(address)] = _Way(
                conditions=Conditions.from_json(conditions),
                dice_out=Dice(f"{order['seed']} {address} out"),
                dice_back=Dice(f"{order['seed']} {address} back"),
            )
        self._readable.watch(outer, lambda: self._came(outer, inner, out=True))
        self._readable.watch(inner, lambda: self._came(inner, outer, out=False))

    def _came(self, at: FileIO, other: FileIO, *, out: bool) -> None:
        for _ in range(AT_ONCE):
            packet = at.read(LARGEST)
            if not packet:
                return
            way = self._ways.get(_landmark_of(packet, out=out))
            if way is None:
                continue  # the kernel looking for neighbours, or somebody for an address that nobody has
            counts, dice = way.counts, way.dice_out if out else way.dice_back
            if out:
                counts.received_out += 1
            else:
                counts.received_back += 1
            takes_ns = way.conditions.copies_ns(dice)
            counts.lost += not takes_ns
            counts.duplicated += len(takes_ns) == 2
            for each_ns in takes_ns:
                self._pending.put(each_ns, (way, other, out, packet))


def _send(way: _Way, end: FileIO, packet: bytes, *, out: bool) -> None:
    try:
        end.write(packet)
    except OSError:
        way.counts.undeliverable += 1
        return
    if out:
        way.counts.carried_out += 1
    else:
        way.counts.carried_back += 1


def _landmark_of(packet: bytes, *, out: bool) -> bytes:
    """The address at the landmark's end: where it goes on the way out, where it is from on the way back."""
    if packet[0] >> 4 == 4:
        return packet[16:20] if out else packet[12:16]
    return packet[24:40] if out else packet[8:24]


def _octets(address: str) -> bytes:
    return ipaddress.ip_address(address).packed


if __name__ == "__main__":
    be_prompt()
    gc.freeze()
    Line(Orders(sys.argv[1:])).run()
