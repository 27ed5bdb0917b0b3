"""Witnesses are shown each checkpoint, and what they cosign is published with it (C2SP tlog-witness).

A witness that is down changes nothing: the others are asked at the same time, nobody is waited for longer than the
deadline, and whoever did not answer is asked again after a pause, beside the work.
"""

import asyncio
import re
import ssl
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

import httpx
import structlog

from lightbound.errors import LightboundError
from lightbound.store.log import LogStore, Note
from lightbound.tlog.checkpoint import Checkpoint, open_checkpoint
from lightbound.tlog.cosignature import read_cosignature
from lightbound.tlog.note import NoteKey, NoteSignature, read_note, read_signature_line, with_lines
from lightbound.tlog.tiles import TiledTree
from lightbound.tlog.witness import AddCheckpoint

MOST_ANSWER_BYTES: Final = 10_000
"""Of a witness: one line of 100 bytes, or several. Without a limit one witness could fill the memory of the log."""

PAUSE_S: Final = 15.0
"""Before a witness that did not answer is asked again. Until then no batch waits for it."""

CONFLICTS: Final = 3
"""A witness says what size it knows, and is asked again from there; it may have been told a newer one meanwhile."""


NOT_COMPRESSED: Final = {"accept-encoding": "identity"}
"""A few bytes could otherwise become many."""

_SIZE: Final = re.compile("[0-9]{1,19}")


@dataclass(frozen=True, slots=True, kw_only=True)
class WitnessAt:
    """A witness and where it is asked."""

    key: NoteKey
    url: str


@dataclass(slots=True, kw_only=True)
class _Known:
    """What is known of one witness. It changes with every answer."""

    at: WitnessAt
    client: httpx.AsyncClient
    size: int = 0
    """Of the checkpoint that it cosigned last."""
    rest_until_s: float = 0.0
    why: str | None = None
    """What its newest answer was, if it was no cosignature."""


@dataclass(slots=True, kw_only=True)
class Feeding:
    """All witnesses of a log. It holds a connection to each."""

    store: LogStore
    log: NoteKey
    witnesses: Sequence[WitnessAt]
    wait_s: float
    """How long a batch waits for cosignatures."""
    _known: list[_Known] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Nothing is sent yet."""
        # The authorities that this machine trusts, as all other clients of ours have it.
        authorities = ssl.create_default_context()
        self._known = [
            _Known(
                at=one,
                client=httpx.AsyncClient(
                    timeout=self.wait_s,
                    trust_env=False,
                    follow_redirects=False,
                    verify=authorities,
                    headers=NOT_COMPRESSED,
                ),
            )
            for one in self.witnesses
        ]

    async def close(self) -> None:
        """Close every connection."""
        for one in self._known:
            await one.client.aclose()

    def told(self) -> dict[str, str]:
        """What each witness answered last, by its name."""
        return {one.at.key.name: one.why or "cosigned" for one in self._known}

    async def witnessed(self, note: Note) -> bytes:
        """The checkpoint with the cosignatures that came in time."""
        checkpoint, signed = open_checkpoint(note.data, self.log)
        awake = [one for one in self._known if one.rest_until_s <= time.monotonic()]
        lines = await asyncio.gather(*(self._ask_in_time(one, checkpoint, note.data) for one in awake))
        return with_lines(signed, [line for line in lines if line is not None]).encoded()

    async def _ask_in_time(self, one: _Known, checkpoint: Checkpoint, data: bytes) -> NoteSignature | None:
        try:
            async with asyncio.timeout(self.wait_s):
                line = await self._ask(one, checkpoint, data)
        except (TimeoutError, httpx.HTTPError, httpx.InvalidURL, OSError, LightboundError) as error:
            why = str(error) or type(error).__name__
            structlog.get_logger().warning("witness", name=one.at.key.name, why=why[:200], size=checkpoint.size)
            one.why, one.rest_until_s = why, time.monotonic() + PAUSE_S
            return None
        one.why = None
        one.size = max(one.size, checkpoint.size)
        return line

    async def _ask(self, one: _Known, checkpoint: Checkpoint, data: bytes) -> NoteSignature | None:
        for _ in range(CONFLICTS):
            old = min(one.size, checkpoint.size)
            body = await asyncio.to_thread(self._request, old, checkpoint, data)
            url = f"{one.at.url.rstrip('/')}/add-checkpoint"
            async with one.client.stream("POST", url, content=body) as response:
                answer = bytearray()
                async for piece in response.aiter_raw():
                    answer += piece
                    if len(answer) > MOST_ANSWER_BYTES:
                        raise httpx.DecodingError("an answer that does not end")
            text = answer.decode("utf-8", "replace")
            if response.status_code == httpx.codes.OK:
                return self._read(one, checkpoint, text)
            if response.status_code != httpx.codes.CONFLICT or _SIZE.fullmatch(text.strip()) is None:
                raise httpx.DecodingError(f"status {response.status_code}: {text[:80]!r}")
            one.size = int(text)
            if one.size > checkpoint.size:
                # Another process of this log was quicker, and shows it the newer one.
                await asyncio.to_thread(self._check_on_disk, one.size)
                return None
        raise httpx.DecodingError("it always knows another size")

    def _request(self, old: int, checkpoint: Checkpoint, data: bytes) -> bytes:
        proof: tuple[bytes, ...] = ()
        if 0 < old < checkpoint.size:
            with self.store.hashes() as read:
                proof = TiledTree(checkpoint.size, read).consistency_proof(old)
        return AddCheckpoint(old=old, proof=proof, checkpoint=data).encoded()

    def _check_on_disk(self, size: int) -> None:
        kept = self.store.head().size
        if size > kept:
            raise httpx.DecodingError(f"it cosigned size {size}, and {kept} are on disk: is this an old copy?")

    def _read(self, one: _Known, checkpoint: Checkpoint, answer: str) -> NoteSignature:
        """The line of this witness among those that it answered; it must hold, or nobody would take the checkpoint."""
        for text in answer.splitlines():
            line = read_signature_line(text)
            if (line.name, line.key_id) == (one.at.key.name, one.at.key.key_id):
                read_cosignature(line, checkpoint.text(), one.at.key)
                return line
        raise httpx.DecodingError("no cosignature of its key")


def count_cosigned(data: bytes, log: NoteKey) -> int:
    """How many lines besides the log's own a published checkpoint has."""
    note = read_note(data)
    return len(note.signatures) - len(note.of(log))


def is_url(text: str) -> bool:
    """Whether a witness can be asked there."""
    parts = urlsplit(text)
    return parts.scheme in {"http", "https"} and bool(parts.hostname)
