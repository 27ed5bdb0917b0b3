"""What a dishonest carrier makes of each packet. It sees whatever passes, and has no key.

The cheats of the simulated world's network, for packets of real sockets; `Behaviour` names them.
"""

from collections import deque
from typing import Final, NamedTuple

from lightbound.demo.conditions import Behaviour, Dice

REMEMBERED: Final = 200
"""Packets that a carrier who replays them remembers, each way."""

STRANGERS: Final = 4
"""Addresses that are somebody else's, which copies and garbage come from."""

FLOOD: Final = 16
"""Packets of garbage before each packet."""

TYPE_AT: Final = 3
READY: Final = 1
"""Where a timed packet says what it is, and which is READY."""

SAME: Final = None
"""The address that the packet itself comes from."""


class Copy(NamedTuple):
    """A packet as it goes on."""

    stranger: int | None
    """Whose address it comes from: the same one, or that of stranger 0, 1, ..."""
    data: bytes
    forged: bool
    """Whether the carrier made it, or made it once more."""


def carried(behaviour: Behaviour, data: bytes, *, out: bool, memory: deque[bytes], dice: Dice) -> list[Copy]:
    """What goes on in place of the packet, in this order; `out` is to the landmark. `memory` is of this direction."""
    honest = Copy(SAME, data, forged=False)
    copies = [honest]
    match behaviour:
        case Behaviour.CORRUPTING if dice.random() < 0.3:
            copies = [Copy(SAME, _flipped(data, dice), forged=False)]
        case Behaviour.REPLAYING:
            old = [dice.choice(memory) for _ in range(2) if memory]
            memory.append(data)
            copies = [*(Copy(SAME, each, forged=True) for each in old), honest, Copy(SAME, data, forged=True)]
        case Behaviour.SPOOFING | Behaviour.SPOOFING_FIRST if out and is_ready(data):
            copy = Copy(dice.randrange(STRANGERS), data, forged=True)
            copies = [copy, honest] if behaviour is Behaviour.SPOOFING_FIRST else [honest, copy]
        case Behaviour.FLOODING if out:
            garbage = (data[:16] + dice.randbytes(48) for _ in range(FLOOD))
            copies = [Copy(i % STRANGERS if i % 2 else SAME, each, forged=True) for i, each in enumerate(garbage)]
            copies.append(honest)
        case _:
            pass
    return copies


def is_ready(data: bytes) -> bool:
    """Whether it says that it is READY."""
    return len(data) > TYPE_AT and data[TYPE_AT] == READY


def _flipped(data: bytes, dice: Dice) -> bytes:
    if not data:
        return data
    bit = dice.randrange(8 * len(data))
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)
