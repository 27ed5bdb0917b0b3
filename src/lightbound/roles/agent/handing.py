"""What the two processes of an agent hand each other: challenges to be answered, and which were.

The control process asks and the timed one replies, one at a time. What is handed over is what it takes to answer one
landmark in one session: two keys that are of no use after it, and no key that signs.
"""

import threading
from dataclasses import dataclass, field
from typing import Any

from lightbound.canonical.cbor import Value
from lightbound.errors import ErrorCode, Fault, Unavailable
from lightbound.ranging.statements.closing import Answer
from lightbound.ranging.timing.packets import TimedKeys
from lightbound.roles.channel import Channel


@dataclass(frozen=True, slots=True, kw_only=True)
class Begin:
    """Answer this landmark until told to stop, or the session expires."""

    number: int
    """What the control process calls it."""
    keys: TimedKeys
    cookie: bytes
    address: str
    port: int
    expiry_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Tell:
    """Say which challenges were answered, and stop if that is wanted."""

    number: int
    stop: bool


def write_begin(begin: Begin) -> Value:
    """As a message."""
    keys = begin.keys
    return {
        "begin": begin.number,
        "keys": [keys.handle, keys.to_landmark, keys.to_agent],
        "cookie": begin.cookie,
        "address": begin.address,
        "port": begin.port,
        "expiry_ns": begin.expiry_ns,
    }


def read_message(message: Any) -> Begin | Tell:
    """What the control process says."""
    if "tell" in message:
        return Tell(number=message["tell"], stop=message["stop"])
    handle, to_landmark, to_agent = message["keys"]
    return Begin(
        number=message["begin"],
        keys=TimedKeys(handle=handle, to_landmark=to_landmark, to_agent=to_agent),
        cookie=message["cookie"],
        address=message["address"],
        port=message["port"],
        expiry_ns=message["expiry_ns"],
    )


def write_begun(why_not: str | None) -> Value:
    """The reply to `Begin`: it is answered from now on, or why not."""
    return {"begun": why_not}


def write_told(answers: dict[int, Answer], ignored: int) -> Value:
    """The reply to `Tell`."""
    return {"answers": [list(answer) for _, answer in sorted(answers.items())], "ignored": ignored}


@dataclass(slots=True)
class Timed:
    """The timed process, as the control process sees it. Threads may share it."""

    _channel: Channel
    _count: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, keys: TimedKeys, *, cookie: bytes, address: str, port: int, expiry_ns: int) -> int:
        """Have a landmark's challenges answered from now on; the number to ask by.

        Raises:
            Unavailable: no packet can be sent to this address.
            ChannelClosed: the timed process has ended.
        """
        with self._lock:
            self._count += 1
            number = self._count
            begin = Begin(number=number, keys=keys, cookie=cookie, address=address, port=port, expiry_ns=expiry_ns)
            why_not = self._asked(write_begin(begin))["begun"]
        if why_not is not None:
            fault = Fault(
                code=ErrorCode.PEER_UNREACHABLE, expected="a way for UDP", found=why_not, file=f"{address} port {port}"
            )
            raise Unavailable(fault)
        return number

    def answers(self, number: int, *, stop: bool) -> dict[int, Answer]:
        """The challenges answered so far, by round; with `stop` nothing is sent to this landmark any more.

        Raises:
            ChannelClosed: the timed process has ended.
        """
        with self._lock:
            told = self._asked({"tell": number, "stop": stop})
        return {number: Answer(number, nonce, tag) for number, nonce, tag in told["answers"]}

    def _asked(self, message: Value) -> Any:
        self._channel.send(message)
        return self._channel.receive()
