"""Addresses that a server listens at, as people write them: 192.0.2.7:8471, [2001:db8::7]:8471."""

import errno
import ipaddress
import re
import socket
from dataclasses import dataclass
from typing import Final

from lightbound.errors import ErrorCode, Fault, Unavailable, malformed

BACKLOG: Final = 512

ADVICE: Final = {
    errno.EADDRINUSE: "another process has it: end that one, or give --listen another port",
    errno.EADDRNOTAVAIL: "this machine has no such address: give --listen one of its own",
    errno.EACCES: "ports below 1024 are for root: give --listen another, with a proxy in front",
}
"""What to do about it, by what the system says."""

_TEXT: Final = re.compile(r"(?:\[(?P<six>[0-9a-fA-F:.]+)\]|(?P<four>[0-9.]+)):(?P<port>[0-9]{1,5})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Listening:
    """An address of this machine, and a port; 0 lets the system choose one."""

    host: str
    port: int

    @property
    def is_v6(self) -> bool:
        """Whether the address is IPv6."""
        return ":" in self.host

    def __str__(self) -> str:
        """As it was written."""
        return address_text(self.host, self.port)

    def tcp(self) -> socket.socket:
        """A TCP socket that listens there.

        Raises:
            Unavailable: the address is not of this machine, or the port is taken or not allowed.
        """
        made = self._bound(socket.SOCK_STREAM)
        made.listen(BACKLOG)
        return made

    def udp(self) -> socket.socket:
        """A UDP socket that receives there.

        Raises:
            Unavailable: as for `tcp`.
        """
        return self._bound(socket.SOCK_DGRAM)

    def _bound(self, kind: int) -> socket.socket:
        # The protocol is named for asyncio, which sends an answer's last bytes at once only if it reads "TCP" there.
        protocol = socket.IPPROTO_TCP if kind == socket.SOCK_STREAM else socket.IPPROTO_UDP
        made = socket.socket(socket.AF_INET6 if self.is_v6 else socket.AF_INET, kind, protocol)
        try:
            if self.is_v6:
                # Otherwise [::] takes IPv4 as well, in addresses of a third form.
                made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            if kind == socket.SOCK_STREAM:
                made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            made.bind((self.host, self.port))
        except OSError as error:
            made.close()
            fault = Fault(
                code=ErrorCode.READ_FAILED,
                expected="a free address and port of this machine for --listen",
                found=f"{self}: {error.strerror or type(error).__name__}",
                next=ADVICE.get(error.errno or 0),
            )
            raise Unavailable(fault) from error
        return made


def read_listening(text: str) -> Listening:
    """The address in a text.

    Raises:
        Malformed: it is none.
    """
    match = _TEXT.fullmatch(text)
    expected = "an address and a port, as 127.0.0.1:8471 or [::1]:8471"
    if match is None or int(match["port"]) > 65_535:
        raise malformed(ErrorCode.SETTING_MALFORMED, expected, text, "listen")
    try:
        host = str(ipaddress.ip_address(match["six"] or match["four"]))
    except ValueError as error:
        raise malformed(ErrorCode.SETTING_MALFORMED, expected, text, "listen") from error
    return Listening(host=host, port=int(match["port"]))


def address_text(host: str, port: int) -> str:
    """An address and port as MEASUREMENT commits to them: 192.0.2.7:41000 or [2001:db8::7]:41000."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
