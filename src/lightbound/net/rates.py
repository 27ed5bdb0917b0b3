"""How often somebody may ask: a bucket of tokens for each address, refilled steadily, none kept for ever."""

import ipaddress
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Final

from lightbound.errors import ErrorCode, Fault, Unavailable

MOST_BUCKETS: Final = 65_536
"""The least recently seen is forgotten, and with it how much it had asked. 10 MB."""

V6_PREFIX: Final = 64
"""Bits of an IPv6 address that stand for one customer; whoever has one has 2^64 addresses."""


@dataclass(slots=True, kw_only=True)
class Rates:
    """Buckets by address. One thread uses it; the instant is an argument."""

    per_s: float
    burst: float
    refused: int = 0
    _buckets: OrderedDict[str, tuple[float, float]] = field(default_factory=OrderedDict)
    """Tokens left, and when that was."""

    def take(self, host: str, *, now_s: float) -> None:
        """One request of this address.

        Raises:
            Unavailable: too many; it says when to come again.
        """
        name = customer(host)
        left, then_s = self._buckets.pop(name, (self.burst, now_s))
        left = min(self.burst, left + max(0.0, now_s - then_s) * self.per_s)
        if left < 1.0:
            self._buckets[name] = (left, now_s)
            self.refused += 1
            wait_s = (1.0 - left) / self.per_s
            fault = Fault(
                code=ErrorCode.RATE_LIMITED,
                expected=f"at most {self.per_s:g} requests a second",
                found="more",
                next=f"come again in {int(wait_s) + 1} s",
            )
            raise Unavailable(fault)
        self._buckets[name] = (left - 1.0, now_s)
        if len(self._buckets) > MOST_BUCKETS:
            self._buckets.popitem(last=False)


def customer(host: str) -> str:
    """The name under which an address is counted."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host
    if address.version == 6:
        return str(ipaddress.ip_network((address, V6_PREFIX), strict=False))
    return str(address)
