"""A log as everybody can read it: over HTTP, or as files in a folder laid out in the same way."""

import time
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import urlsplit

from lightbound.errors import ErrorCode, Fault, Unavailable
from lightbound.net.http_client import Server
from lightbound.tlog.merkle import DIGEST_BYTES
from lightbound.tlog.tiles import WIDTH, Tile

MOST_BYTES: Final = WIDTH * 65_537
"""Of a bundle whose entries are as long as they can be."""

WAIT_S: Final = 20.0
"""For one file, beyond what any request may take. Tiles have 8 kB, bundles of entries 16 MB at the very most."""

TRIES: Final = 8
"""A log that asks for patience is asked again, after twice as long each time."""

OK: Final = 200
PATIENCE: Final = frozenset({429, 503})


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
        self._server = Server(self._url, most_answer_bytes=MOST_BYTES)

    def close(self) -> None:
        """Close every connection."""
        self._server.close()

    def read(self, path: str) -> bytes:
        """The bytes that are answered."""
        pause_s, status = 0.1, 0
        for _ in range(TRIES):
            answer = self._server.fetch(path, wait_s=WAIT_S)
            if answer.status == OK:
                return answer.body
            status = answer.status
            if status not in PATIENCE:
                break
            time.sleep(pause_s)
            pause_s *= 2
        raise _unavailable(ErrorCode.PEER_UNREACHABLE, f"{self._url}/{path}", f"status {status}")


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
    """The hashes of a tile.

    Raises:
        Unavailable: it cannot be read.
    """
    data, _ = _read(source, tile)
    return data[: tile.width * DIGEST_BYTES]


def bundle_of(source: Source, bundle: Tile) -> tuple[bytes, int]:
    """A bundle, and how many entries it has: as many as were asked for, or all of the full one.

    Raises:
        Unavailable: it cannot be read.
    """
    return _read(source, bundle)


def _read(source: Source, tile: Tile) -> tuple[bytes, int]:
    """A tile and its width; a partial one that is gone is looked for in the full one, as the specification allows."""
    try:
        return source.read(tile.path), tile.width
    except Unavailable:
        if tile.width == WIDTH:
            raise
    return source.read(Tile(level=tile.level, number=tile.number).path), WIDTH


def _unavailable(code: ErrorCode, where: str, found: str) -> Unavailable:
    return Unavailable(Fault(code=code, expected="a file of a log", found=found, file=where))
