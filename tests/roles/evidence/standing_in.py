"""Devices that are none, and a thread that serves one."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from lightbound.errors import ErrorCode, Fault, Unavailable
from lightbound.net.evidence_socket import Answer, ChipEvidence, HostEvidence
from lightbound.roles.evidence.answering import WITHIN_S, Source
from lightbound.roles.evidence.serving import listening, serve, stop

REQUEST = bytes.fromhex("11e001ff")
CHAIN = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"


def report(nonce: bytes, tail: bytes = b"signed by nobody") -> bytes:
    """What begins as a report does."""
    return REQUEST + nonce + b"\0" + tail


@dataclass(frozen=True, slots=True)
class Chip:
    """Answers as a chip does."""

    tail: bytes = b"signed by nobody"

    def evidence(self, nonce: bytes) -> Answer:
        """A report over the nonce."""
        return ChipEvidence(report=report(nonce, self.tail), chain=CHAIN)


@dataclass(frozen=True, slots=True)
class Host:
    """Answers as a host does."""

    def evidence(self, nonce: bytes) -> Answer:
        """A quote over the nonce."""
        return HostEvidence(quote=b"quote over " + nonce)


@dataclass(frozen=True, slots=True)
class Store:
    """Answers with what it has, whatever is asked."""

    def evidence(self, nonce: bytes) -> Answer:
        """A report over another nonce."""
        return ChipEvidence(report=report(bytes(octet ^ 1 for octet in nonce)), chain=CHAIN)


@dataclass(frozen=True, slots=True)
class Mute:
    """Has a reason."""

    def evidence(self, nonce: bytes) -> Answer:
        """None."""
        del nonce
        found, then = "no NVIDIA driver", "load the module nvidia"
        raise Unavailable(Fault(code=ErrorCode.DEVICE_SILENT, expected="a report of device 0", found=found, next=then))


@contextmanager
def serving(path: Path, source: Source, *, within_s: float = WITHIN_S) -> Iterator[socket.socket]:
    """A thread that serves a socket until the block ends."""
    with listening(path) as listener:
        thread = threading.Thread(target=serve, args=(listener, source), kwargs={"within_s": within_s})
        thread.start()
        try:
            yield listener
        finally:
            stop(listener)
            thread.join(20)
            assert not thread.is_alive()
