"""Distance between real network stacks: namespaces with a translating router and a delay line in between. Root only.

    agents ── veth ── router ── TUN ── the delay line, a process of ours ── TUN ── landmarks

Agents share one address towards the outside, that of the router, which lets in answers alone. Landmarks have an address
each, and the line is as long for a packet as its landmark is far away. All that the kernels do is real: ports that are
translated, connections that are tracked, sums, fragments, timeouts. Nothing can be faster than the line says.
"""

import dataclasses
import fcntl
import ipaddress
import os
import shutil
import struct
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from io import FileIO
from pathlib import Path
from typing import Final, Self, Unpack

from lightbound.demo.conditions import Behaviour, Changes, Conditions, Counts
from lightbound.demo.namespaces import Namespace
from lightbound.demo.orders import Child
from lightbound.errors import ErrorCode, Fault, Unavailable

TUN: Final = Path("/dev/net/tun")
TUNSETIFF: Final = 0x400454CA
IFF_TUN: Final = 0x0001
IFF_NO_PI: Final = 0x1000
"""From <linux/if_tun.h>: packets as they are, with nothing before them."""

AGENT_4: Final = "10.66.0.2"
AGENT_6: Final = "fd66::2"
"""Inside, which the landmarks never see."""

ROUTER_4: Final = "198.18.0.1"
ROUTER_6: Final = "fd98::1"
"""What the landmarks see of all agents. 198.18.0.0/15 is for such set-ups (RFC 2544)."""

_AGENT_ROUTE: Final = {4: ("10.66.0.1", "10.66.0.1/30", f"{AGENT_4}/30"), 6: ("fd66::1", "fd66::1/64", f"{AGENT_6}/64")}
"""By version: the router as agents see it, its address there, and theirs."""

_TRANSLATION: Final = """
table inet lightbound {
    chain out { type nat hook postrouting priority srcnat; oifname "line" masquerade; }
    chain through {
        type filter hook forward priority filter; policy drop;
        ct state established,related accept
        iifname "agents" accept
    }
}
"""


def missing() -> str | None:
    """What a delay line needs and this machine does not have; None if it can be made."""
    if os.geteuid() != 0:
        return "root"
    for command in ("ip", "nft"):
        if shutil.which(command) is None:
            return f"the command {command}"
    if not TUN.exists():
        return str(TUN)
    try:
        Namespace().close()
    except Unavailable:
        return "the right to make network namespaces"
    return None


class DelayLine:
    """Three namespaces and the line between two of them; all gone when it is closed, or its process ends."""

    agents: Namespace
    router: Namespace
    landmarks: Namespace

    def __init__(self, landmarks: Mapping[str, int], *, seed: int = 1) -> None:
        """`landmarks` are the round trips, in nanoseconds, to addresses of IPv4 or IPv6. The dice come from `seed`.

        Raises:
            Unavailable: this machine lacks something, or does not let us.
        """
        lacks = missing()
        if lacks is not None:
            fault = Fault(
                code=ErrorCode.PEER_UNREACHABLE,
                expected="a machine that can have a delay line",
                found=f"one without {lacks}",
            )
            raise Unavailable(fault)
        self._conditions = {address: Conditions(round_trip_ns=each) for address, each in landmarks.items()}
        with ExitStack() as undo:
            self.agents = undo.enter_context(Namespace())
            self.router = undo.enter_context(Namespace())
            self.landmarks = undo.enter_context(Namespace())
            outer = undo.enter_context(self.router.inside(_tun))
            inner = undo.enter_context(self.landmarks.inside(_tun))
            self._wire()
            self._child = Child("lightbound.demo.delay_process")
            undo.callback(self._child.close)
            conditions = {address: each.as_json() for address, each in self._conditions.items()}
            order = {"do": "add", "seed": seed, "conditions": conditions}
            self._child.order(order, (outer.fileno(), inner.fileno()))
            self._undo = undo.pop_all()

    @property
    def pid(self) -> int:
        """Of the process that is the line."""
        return self._child.pid

    def change(self, landmark: str, **changes: Unpack[Changes]) -> None:
        """Packets from and to this address go by the new conditions, those under way by the old ones."""
        now = dataclasses.replace(self._conditions[landmark], **changes)
        if now.behaviour is not Behaviour.HONEST:
            raise ValueError("a delay line only carries; a relay can do worse")
        self._conditions[landmark] = now
        self._child.order({"do": "change", "landmark": landmark, "conditions": now.as_json()})

    def counts(self, landmark: str) -> Counts:
        """Packets from and to this address so far."""
        return Counts(**self._child.order({"do": "count", "landmark": landmark}))

    def close(self) -> None:
        """Let everything go. Closing again does nothing."""
        self._undo.close()

    def __enter__(self) -> Self:
        """It is there already."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it, however the block ended."""
        self.close()

    def _wire(self) -> None:
        """Addresses, routes and the translation."""
        peer = ("type", "veth", "peer", "name", "outside", "netns", self.agents.path)
        self.router.run("ip", "link", "add", "agents", *peer)
        for namespace, device in ((self.router, "agents"), (self.agents, "outside")):
            namespace.run("ip", "link", "set", device, "up")
        for namespace in (self.router, self.landmarks):
            namespace.run("ip", "link", "set", "line", "up")
        for version in _versions(self._conditions):
            self._wire_version(version)
        self.router.run("nft", "-f", "-", told=_TRANSLATION)

    def _wire_version(self, version: int) -> None:
        gateway, of_router, of_agents = _AGENT_ROUTE[version]
        ip = ("ip", f"-{version}")
        # Without a check for duplicates, which an address of IPv6 would otherwise wait for.
        nodad = ("nodad",) if version == 6 else ()
        self.router.run(*ip, "address", "add", of_router, "dev", "agents", *nodad)
        self.agents.run(*ip, "address", "add", of_agents, "dev", "outside", *nodad)
        self.agents.run(*ip, "route", "add", "default", "via", gateway)
        self.router.run(*ip, "address", "add", ROUTER_6 if version == 6 else ROUTER_4, "dev", "line", *nodad)
        self.router.run(*ip, "route", "add", "default", "dev", "line")
        self.landmarks.run(*ip, "route", "add", "default", "dev", "line")
        for address in self._conditions:
            if ipaddress.ip_address(address).version == version:
                self.landmarks.run(*ip, "address", "add", address, "dev", "lo", *nodad)
        name = "ipv6/conf/all/forwarding" if version == 6 else "ipv4/ip_forward"
        self.router.inside(lambda: Path(f"/proc/sys/net/{name}").write_text("1", encoding="ascii"))


def _versions(addresses: Iterable[str]) -> list[int]:
    return sorted({ipaddress.ip_address(address).version for address in addresses})


def _tun() -> FileIO:
    """A device `line` in the namespace of the thread, whose packets are read from and written to this file."""
    file = FileIO(os.open(TUN, os.O_RDWR | os.O_CLOEXEC | os.O_NONBLOCK), "r+")
    try:
        fcntl.ioctl(file, TUNSETIFF, struct.pack("16sH22x", b"line", IFF_TUN | IFF_NO_PI))
    except OSError as error:
        file.close()
        found = str(error)
        raise Unavailable(Fault(code=ErrorCode.PEER_UNREACHABLE, expected="a TUN device", found=found)) from error
    return file
