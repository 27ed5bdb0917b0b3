"""A log as everybody can read it: over HTTP, or as files in a folder laid out in the same way."""

import ssl
import time
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import urlsplit

import httpx

from lightbound.errors import ErrorCode, Fault, Unavailable
from lightbound.tlog.merkle import DIGEST_BYTES
from lightbound.tlog.tiles import WIDTH, Tile

MOST_BYTES: Final = WIDTH * 65_537
"""Of a bundle whose entries are as long as they can be."""

ANSWER_S: Final = 30.0
"""For one file. Tiles have 8 kB, bundles of entries 16 MB at the very most."""

TRIES: Final = 8
"""A log that asks for patience is asked again, after twice as long each time."""


class Source(Protocol):
    """Where a log is read."""

    def read(self, path: str) -> bytes:
        """The bytes of a file of it.

        Raises:
            Unavailable: it has none of this name, or cannot be read.
        """


class OverHttp:
    """A log at an address."""

    def __init__(self, url: str) -> None:
        """Nothing is asked yet."""
        self._url = url.rstrip("/")
        # The authorities that this machine trusts, as all other clients of ours have it.
        authorities = ssl.create_default_context()
        self._client = httpx.Client(timeout=ANSWER_S, trust_env=False, follow_redirects=False, verify=authorities)

    def close(self) -> None:
        """Close every connection."""
        self._client.close()

    def read(self, path: str) -> bytes:
        """The bytes that are answered."""
        pause_s = 0.1
        for _ in range(TRIES):
            status, body = self._get(f"{self._url}/{path}")
            if status == httpx.codes.OK:
                return body
            if status not in {httpx.codes.TOO_MANY_REQUESTS, httpx.codes.SERVICE_UNAVAILABLE}:
                break
            time.sleep(pause_s)
            pause_s *= 2
        raise _unavailable(ErrorCode.PEER_UNREACHABLE, f"{self._url}/{path}", f"status {status}")

    def _get(self, url: str) -> tuple[int, bytes]:
        got = bytearray()
        try:
            with self._client.stream("GET", url) as response:
                for piece in response.iter_raw():
                    got += piece
                    if len(got) > MOST_BYTES:
                        raise _unavailable(ErrorCode.PEER_MISBEHAVED, url, f"more than {MOST_BYTES} bytes")
                return response.status_code, bytes(got)
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise _unavailable(ErrorCode.PEER_UNREACHABLE, url, str(error) or type(error).__name__) from error


class InFolder:
    """A copy of a log."""

    def __init__(self, folder: Path) -> None:
        """Nothing is read yet."""
        self._folder = folder

    def close(self) -> None:
        """Nothing is open."""

    def read(self, path: str) -> bytes:
        """The bytes of the file."""
        try:
            with (self._folder / path).open("rb") as file:
                data = file.read(MOST_BYTES + 1)
        except OSError as error:
            found = error.strerror or type(error).__name__
            raise _unavailable(ErrorCode.READ_FAILED, str(self._folder / path), found) from error
        if len(data) > MOST_BYTES:
            raise _unavailable(ErrorCode.READ_FAILED, str(self._folder / path), f"more than {MOST_BYTES} bytes")
        return data


def source_at(place: str) -> OverHttp | InFolder:
    """The log at a URL, or in a folder."""
    return OverHttp(place) if urlsplit(place).scheme in {"http", "https"} else InFolder(Path(place))


def hashes_of(source: Source, tile: Tile) -> bytes:
    """The hashes of a tile; a partial one that is gone is looked for in the full one, as the specification allows.

    Raises:
        Unavailable: neither can be read.
    """
    return _read(source, tile)[: tile.width * DIGEST_BYTES]


def bundle_of(source: Source, bundle: Tile) -> tuple[bytes, int]:
    """A bundle, and how many entries it has: as many as were asked for, or all of the full one.

    Raises:
        Unavailable: neither can be read.
    """
    try:
        return source.read(bundle.path), bundle.width
    except Unavailable:
        if bundle.width == WIDTH:
            raise
    return source.read(Tile(level=bundle.level, number=bundle.number).path), WIDTH


def _read(source: Source, tile: Tile) -> bytes:
    try:
        return source.read(tile.path)
    except Unavailable:
        if tile.width == WIDTH:
            raise
    return source.read(Tile(level=tile.level, number=tile.number).path)


def _unavailable(code: ErrorCode, where: str, found: str) -> Unavailable:
    return Unavailable(Fault(code=code, expected="a file of a log", found=found, file=where))
