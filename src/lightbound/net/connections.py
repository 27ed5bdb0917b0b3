"""Connections of an HTTP server that nobody holds for nothing: a request has so long to come, an address so many.

uvicorn counts connections, but waits for ever for the first byte of a request and for its last header: whoever opens
as many as are let in, and says nothing, would be the only one who is served.
"""

import asyncio
import ipaddress
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final, TypeAlias

from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from lightbound.net.rates import customer

REQUEST_S: Final = 10.0
"""From the connection, or from the end of the answer before, until all headers are there, once one byte is."""

SHARE: Final = 4
"""One address may hold one in so many of all connections."""

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

LOOPBACK: Final[tuple[Network, ...]] = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128"))


class Held:
    """How many connections each address holds. A proxy on this machine speaks for many, and may hold all."""

    def __init__(self, most: int, *, exempt: Sequence[Network] = LOOPBACK) -> None:
        """At most so many of one address (IPv6: of one /64)."""
        self.most, self._exempt = most, exempt
        self._counts: Counter[str] = Counter()

    def take(self, host: str) -> str | None:
        """The name under which one more is counted; None if it is one too many."""
        name = customer(host)
        if self._counts[name] >= self.most and not self._is_exempt(host):
            return None
        self._counts[name] += 1
        return name

    def give_back(self, name: str) -> None:
        """One has ended."""
        self._counts[name] -= 1
        if not self._counts[name]:
            del self._counts[name]

    def _is_exempt(self, host: str) -> bool:
        try:
            address = ipaddress.ip_address(host.partition("%")[0])
        except ValueError:
            return False
        return any(address in network for network in self._exempt)


class Bounded(H11Protocol):
    """One connection. It inherits, because uvicorn has no other way."""

    def __init__(self, *, held: Held, request_s: float = REQUEST_S, **usual: Any) -> None:
        """`held` is shared by all connections of a server, the rest is uvicorn's."""
        super().__init__(**usual)
        self._held, self._request_s = held, request_s
        self._name: str | None = None
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """Let it in, or not."""
        peer = transport.get_extra_info("peername")
        self._name = self._held.take(str(peer[0]) if peer else "")
        super().connection_made(transport)
        if self._name is None:
            transport.abort()
            return
        self._await_request()

    def connection_lost(self, exc: Exception | None) -> None:
        """It has gone."""
        self._forget_timer()
        if self._name is not None:
            self._held.give_back(self._name)
            self._name = None
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Bytes came; the first of a request start its time, and its last header ends it."""
        if self._timer is None and self._is_idle:
            self._await_request()
        super().data_received(data)
        if not self._is_idle:
            self._forget_timer()

    @property
    def _is_idle(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is None or cycle.response_complete

    def _await_request(self) -> None:
        self._timer = self.loop.call_later(self._request_s, self._give_up)

    def _forget_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _give_up(self) -> None:
        self._timer = None
        if self._is_idle:
            self.transport.abort()
