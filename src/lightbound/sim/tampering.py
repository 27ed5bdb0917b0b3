"""Cheats of the timed phase: what a dishonest agent answers, and what a dishonest network delivers.

They know everything that their part would: an agent its keys and every challenge that has reached it, a network every
packet that has passed. None knows a nonce before it was sent.
"""

from collections import deque
from collections.abc import Callable
from typing import Final

from lightbound.ranging.statements.closing import MOST_ROUNDS
from lightbound.ranging.timing.packets import PacketType, read_packet, write_packet
from lightbound.ranging.timing.responder import Responder
from lightbound.sim.dice import Dice
from lightbound.sim.scenario import NetworkKind
from lightbound.sim.timed_phase import AGENT, Answers, Tampering

KEPT: Final = 200
"""Packets that somebody who replays them remembers."""


def prompt(responder: Responder, *, later_ns: int) -> Answers:
    """Answers each challenge, some fixed time later: an honest agent, or one that delays."""

    def answers(data: bytes, _at_ns: int) -> list[tuple[int, bytes]]:
        reply = responder.datagram_received(data)
        return [] if reply is None else [(later_ns, reply)]

    return answers


def guessing(responder: Responder, dice: Dice) -> Answers:
    """Answers, and at once also the next challenge, whose nonce is guessed."""

    def answers(data: bytes, _at_ns: int) -> list[tuple[int, bytes]]:
        reply = responder.datagram_received(data)
        if reply is None:
            return []
        following = min(read_packet(data).round + 1, MOST_ROUNDS - 1)
        guess = write_packet(
            PacketType.REPLY,
            responder.keys.to_landmark,
            handle=responder.keys.handle,
            round_number=following,
            nonce=dice.bytes(16),
        )
        return [(0, reply), (0, guess)]

    return answers


def replaying(responder: Responder, earlier: deque[bytes]) -> Answers:
    """Answers, and sends old answers again, of this session and of earlier ones."""

    def answers(data: bytes, _at_ns: int) -> list[tuple[int, bytes]]:
        reply = responder.datagram_received(data)
        old = [(0, each) for each in list(earlier)[-3:]]
        if reply is None:
            return old
        earlier.append(reply)
        return [*old, (0, reply)]

    return answers


def network(kind: NetworkKind, dice: Dice, earlier: deque[bytes]) -> Tampering | None:
    """What the network does to each packet; None if it only carries them. `earlier` are packets of earlier sessions."""
    made: dict[NetworkKind, Callable[[], Tampering]] = {
        NetworkKind.CORRUPTING: lambda: _corrupting(dice),
        NetworkKind.REPLAYING: lambda: _replaying(dice, earlier),
        NetworkKind.SPOOFING: lambda: _spoofing,
        NetworkKind.FLOODING: lambda: _flooding(dice),
    }
    return made[kind]() if kind in made else None


def _corrupting(dice: Dice) -> Tampering:
    def tamper(data: bytes, _to_landmark: bool) -> list[tuple[str, bytes]]:  # noqa: FBT001 - as the type says
        if dice.random() < 0.3:
            bit = int(dice.integers(8 * len(data)))
            changed = bytearray(data)
            changed[bit // 8] ^= 1 << bit % 8
            return [(AGENT, bytes(changed))]
        return [(AGENT, data)]

    return tamper


def _replaying(dice: Dice, earlier: deque[bytes]) -> Tampering:
    def tamper(data: bytes, to_landmark: bool) -> list[tuple[str, bytes]]:  # noqa: FBT001 - as the type says
        again = [earlier[int(dice.integers(len(earlier)))] for _ in range(2) if earlier]
        if to_landmark:
            earlier.append(data)
        return [*((AGENT, old) for old in again), (AGENT, data), (AGENT, data)]

    return tamper


def _spoofing(data: bytes, to_landmark: bool) -> list[tuple[str, bytes]]:  # noqa: FBT001 - as the type says
    """A copy of READY follows each, from another address: its own, or that of somebody to be flooded."""
    if to_landmark and data[3] == PacketType.READY:
        return [(AGENT, data), ("somebody else", data)]
    return [(AGENT, data)]


def _flooding(dice: Dice) -> Tampering:
    def tamper(data: bytes, to_landmark: bool) -> list[tuple[str, bytes]]:  # noqa: FBT001 - as the type says
        if not to_landmark:
            return [(AGENT, data)]
        # Garbage with a right beginning, and some of it from the agent's own address.
        garbage = [(AGENT if i % 2 else f"flood-{i}", data[:16] + dice.bytes(48)) for i in range(4)]
        return [*garbage, (AGENT, data)]

    return tamper
