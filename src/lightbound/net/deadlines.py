"""A moment by which a whole request is over, whatever its server sends.

The timeouts of httpx are between bytes: a server that sends one byte of a header now and then, or says `100 Continue`
without end, would hold a thread for days. Here each read and write of a connection looks at the clock.
"""

import threading
import time
from collections.abc import Iterable
from ssl import SSLContext
from typing import Any

import httpcore


class Until(threading.local):
    """By when the request of this thread is over, on the monotonic clock. A request keeps to one thread."""

    s: float = float("inf")

    def left_s(self, timeout_s: float | None, late: type[Exception]) -> float:
        """A timeout that is over by then.

        Raises:
            Exception: of type `late`, if it is over already.
        """
        left_s = self.s - time.monotonic()
        if left_s <= 0.0:
            raise late("an answer that never ends")
        return left_s if timeout_s is None else min(timeout_s, left_s)


class BoundedBackend(httpcore.NetworkBackend):
    """Makes connections as httpcore itself does, that end on time."""

    def __init__(self, until: Until) -> None:
        """By this moment."""
        self._until, self._plain = until, httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """A connection to a host."""
        left_s = self._until.left_s(timeout, httpcore.ConnectTimeout)
        made = self._plain.connect_tcp(host, port, left_s, local_address, socket_options)
        return _BoundedStream(made, self._until)

    def sleep(self, seconds: float) -> None:
        """Wait, before a connection is tried again."""
        self._plain.sleep(min(seconds, max(0.0, self._until.s - time.monotonic())))


class _BoundedStream(httpcore.NetworkStream):
    def __init__(self, plain: httpcore.NetworkStream, until: Until) -> None:
        self._plain, self._until = plain, until

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._plain.read(max_bytes, self._until.left_s(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._plain.write(buffer, self._until.left_s(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        self._plain.close()

    def start_tls(
        self, ssl_context: SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        left_s = self._until.left_s(timeout, httpcore.ConnectTimeout)
        return _BoundedStream(self._plain.start_tls(ssl_context, server_hostname, left_s), self._until)

    def get_extra_info(self, info: str) -> Any:
        return self._plain.get_extra_info(info)
