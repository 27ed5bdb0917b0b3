"""A landmark has everything numbered that it says logged, as commitments, and keeps the receipts.

A thread of its own, beside the sessions: what is said waits for nothing here, and a log that is down is asked again
later, with the same entries in the same order. What the log refuses is published by the landmark with what it said.
"""

import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Final

import structlog

from lightbound.errors import Fault, LightboundError, Unavailable
from lightbound.net.http_client import Server
from lightbound.net.log_submission import AT_ONCE, submitted
from lightbound.store.logged import LoggedStatements
from lightbound.tlog.entries import SALT_BYTES
from lightbound.tlog.note import NoteKey
from lightbound.tlog.proof import LogProof

LOOK_S: Final = 1.0
"""How often it is looked for something new to log. An entry is late by so much at most."""

SHORTEST_PAUSE_S: Final = 1.0
LONGEST_PAUSE_S: Final = 60.0
"""Before a log that did not answer is asked again: twice as long each time."""

STOP_S: Final = 1.0
"""At the end, a submission that is under way is waited for so long. It is sent again at the next start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogAt:
    """A log and where it is asked."""

    key: NoteKey
    url: str


@dataclass(slots=True, kw_only=True, eq=False)
class Submitting:
    """Submits for one landmark."""

    store: LoggedStatements
    log: LogAt
    software: str
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin, in a thread of its own. What the log refused at other times is asked again."""
        self._thread = threading.Thread(target=self._run, name="submitting", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End: what the log is being asked now may be answered to nobody, and is asked again at the next start."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=STOP_S)

    def _run(self) -> None:
        pause_s, again = SHORTEST_PAUSE_S, True
        with Server(self.log.url, software=self.software) as server:
            while not self._stop.is_set():
                try:
                    if again:
                        self.store.ask_again()
                        again = False
                    more = self.submit(server)
                except LightboundError as error:
                    structlog.get_logger().warning("not logged", why=str(error.faults[0]))
                    self._stop.wait(pause_s)
                    pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
                else:
                    pause_s = SHORTEST_PAUSE_S
                    if not more:
                        self._stop.wait(LOOK_S)

    def submit(self, server: Server) -> bool:
        """Have the oldest entries logged; whether there were as many as one submission has.

        Raises:
            Unavailable: the log or the store did not answer, or the log not as one should. What has no receipt then
                is asked again later.
            Malformed, Refused: the log took none of it for a submission.
        """
        waiting = self.store.prepare(AT_ONCE, lambda: secrets.token_bytes(SALT_BYTES))
        if not waiting:
            return False
        received, unproven = list[tuple[bytes, bytes]](), list[Fault]()
        for one, said in zip(waiting, submitted(server, self.log.key, [one.entry for one in waiting]), strict=True):
            if isinstance(said, LogProof):
                # With the opening in it: whoever is handed this receipt needs nothing else.
                received.append((one.digest, replace(said, extra=one.opening.encoded()).encoded()))
            elif isinstance(said, Unavailable):
                unproven += said.faults
            else:
                structlog.get_logger().error("refused by the log", code=said.code)
                self.store.refused(one.digest, f"{said.code}: {said.expected}, {said.found}")
        self.store.received(received)
        if unproven:
            raise Unavailable(unproven)
        return len(waiting) == AT_ONCE


@contextmanager
def running(submitting: Submitting | None) -> Iterator[None]:
    """It runs, if there is one, until the block ends."""
    if submitting is not None:
        submitting.start()
    try:
        yield
    finally:
        if submitting is not None:
            submitting.stop()
