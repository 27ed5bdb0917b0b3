"""Requests to one server: at one address throughout, bounded in time and length, and never redirected.

The timed packets go to the address that CONTRIB was fetched from, so a session looks the host's name up once and keeps
what it found. No proxy of the environment is used for the same reason, unless asked for.
"""

import ipaddress
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self
from urllib.parse import urlsplit

import httpx

from lightbound.errors import ErrorCode, Fault, Unavailable
from lightbound.net.deadlines import BoundedBackend, Until
from lightbound.net.http_errors import read_error

CONNECT_S: Final = 5.0
ANSWER_S: Final = 10.0
"""Beyond what a request itself waits for."""

STATEMENT: Final = "application/cose"
MOST_ANSWER_BYTES: Final = 131_072


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a server answered: a status, 200 or 204 where it is not said otherwise, and the body."""

    status: int
    body: bytes


def looked_up(url: str) -> list[str]:
    """The addresses of the host in an address of a server, best first, as the system sorts them.

    Raises:
        Unavailable: it has none.
    """
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise _unreachable(url, "a host with an address", str(error)) from error
    return list(dict.fromkeys(str(address[4][0]) for address in found))


class Server:
    """One server, spoken to at one of its addresses. Threads may share it."""

    def __init__(
        self,
        url: str,
        *,
        address: str | None = None,
        ca: Path | None = None,
        software: str = "lightbound",
        most_answer_bytes: int = MOST_ANSWER_BYTES,
    ) -> None:
        """Nothing is sent yet. `address` is one of `looked_up(url)`; without it each connection looks for itself.

        Raises:
            Unavailable: `ca` cannot be read, or holds no certificates.
        """
        parts = urlsplit(url)
        self.url, self.address = url, address
        self._most_answer_bytes = most_answer_bytes
        # Not compressed: a few bytes could otherwise become many.
        self._headers: dict[str, str] = {"user-agent": software, "accept": "*/*", "accept-encoding": "identity"}
        self._extensions: dict[str, str] = {}
        base = url
        if address is not None:
            shown = f"[{address}]" if ipaddress.ip_address(address.partition("%")[0]).version == 6 else address
            base = f"{parts.scheme}://{shown}" + (f":{parts.port}" if parts.port else "")
            self._headers["host"] = parts.netloc
            self._extensions["sni_hostname"] = parts.hostname or ""
        transport = httpx.HTTPTransport(
            verify=_context(ca) if parts.scheme == "https" else False,
            trust_env=False,
            limits=httpx.Limits(max_connections=8, max_keepalive_connections=2),
        )
        self._until = Until()
        # httpx has no other way to say how its connections are made.
        transport._pool._network_backend = BoundedBackend(self._until)  # noqa: SLF001
        self._client = httpx.Client(
            base_url=base,
            transport=transport,
            timeout=httpx.Timeout(ANSWER_S, connect=CONNECT_S),
            trust_env=False,
            follow_redirects=False,
        )

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close every connection."""
        self.close()

    def close(self) -> None:
        """Close every connection; what waits for an answer fails."""
        self._client.close()

    def get(self, path: str, *, query: Mapping[str, str] | None = None, wait_s: float = 0.0) -> Answer:
        """The answer to GET. `wait_s` is how long the server was asked to wait before it answers.

        Raises:
            Unavailable: no answer, or none of ours.
            Malformed, Refused: the server said so, of what it was asked.
        """
        return self._well(self.fetch(path, query=query, wait_s=wait_s))

    def fetch(self, path: str, *, query: Mapping[str, str] | None = None, wait_s: float = 0.0) -> Answer:
        """The answer to GET, whatever its status.

        Raises:
            Unavailable: no answer, or a longer one than is taken.
        """
        return self._ask("GET", path, b"", STATEMENT, query, wait_s)

    def post(self, path: str, body: bytes, *, kind: str = STATEMENT, wait_s: float = 0.0) -> Answer:
        """The answer to POST.

        Raises:
            Unavailable, Malformed, Refused: as for `get`.
        """
        return self._well(self._ask("POST", path, body, kind, None, wait_s))

    def _well(self, answer: Answer) -> Answer:
        if answer.status not in {200, 204}:
            raise read_error(answer.status, answer.body, self.url)
        return answer

    def _ask(
        self, method: str, path: str, body: bytes, kind: str, query: Mapping[str, str] | None, wait_s: float
    ) -> Answer:
        headers = dict(self._headers)
        if method == "POST":
            headers["content-type"] = kind
        timeout = httpx.Timeout(ANSWER_S + wait_s, connect=CONNECT_S)
        self._until.s = time.monotonic() + CONNECT_S + ANSWER_S + wait_s
        try:
            with self._client.stream(
                method,
                path,
                content=body if method == "POST" else None,
                params=query,
                headers=headers,
                timeout=timeout,
                extensions={**self._extensions, "timeout": timeout.as_dict()},
            ) as response:
                got = bytearray()
                for piece in response.iter_raw():
                    got += piece
                    if len(got) > self._most_answer_bytes:
                        raise self._misbehaved(f"more than {self._most_answer_bytes} bytes")
                return Answer(status=response.status_code, body=bytes(got))
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            if time.monotonic() > self._until.s:
                raise self._misbehaved("one that never ends") from error
            raise _unreachable(self.url, "an answer", _why(error)) from error

    def _misbehaved(self, found: str) -> Unavailable:
        fault = Fault(code=ErrorCode.PEER_MISBEHAVED, expected="an answer of ours", found=found, file=self.url)
        return Unavailable(fault)


def _context(ca: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=None if ca is None else str(ca))
    except (OSError, ssl.SSLError) as error:
        fault = Fault(code=ErrorCode.READ_FAILED, expected="a file of CA certificates", found=_why(error), file=str(ca))
        raise Unavailable(fault) from error


def _unreachable(peer: str, expected: str, found: str) -> Unavailable:
    return Unavailable(Fault(code=ErrorCode.PEER_UNREACHABLE, expected=expected, found=found, file=peer))


def _why(error: Exception) -> str:
    text = str(error) or type(error).__name__
    return "".join(letter if letter.isprintable() else "?" for letter in text[:200])
