"""The agent's own copy of what landmarks said about it, each statement with the log's receipt, for whoever owns it.

Verifier and landmarks have all of it as well; this is so that the owner of the chips can hold both to their word, with
`lightbound log monitor`. A thread of its own: neither polls nor sessions wait for it. Logging takes a landmark some
seconds, so receipts are asked for a little after a session, and again if they are not there yet.

Whatever goes wrong in asking is that landmark's own, and costs it one of its askings. Only what this host cannot write
holds up the others, and it is told from the rest by where it happens, for a landmark chooses what its errors say.
"""

import queue
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import structlog

from lightbound.errors import ErrorCode, Fault, LightboundError, Unavailable
from lightbound.files.held import forget_held, is_held, write_held
from lightbound.files.whole import forget_parts
from lightbound.keys.signing import digest
from lightbound.ranging.statements.kinds import Kind
from lightbound.roles.agent.fetching import Came, Said, fetched
from lightbound.roles.agent.receipts_file import NAME, ToAsk, read_waiting, write_waiting
from lightbound.roles.agent.trust_file import Trusted
from lightbound.roles.logs import fields

FOLDER: Final = "held"

KEPT_DAYS: Final = 30
"""Of statements and receipts, unless told otherwise: six landmarks each hour make 70 MB of small files."""

ASKS_S: Final = (5, 30, 120, 600, 3_600, 21_600, 86_400)
"""How long after a session a landmark is asked, and after each asking that was in vain. A log that was down for longer
than all of them leaves a gap in what is held here, which a monitor shows."""

MOST_WAITING: Final = 4_096
"""Sessions with one landmark whose receipts are not here; of more, the oldest are given up."""

MOST_STORIES: Final = 2
"""OPENs held of one session and landmark, and ends of it: one is what there should be, and a second shows that the
landmark says two things. A third would show nothing more."""

DAY_S: Final = 86_400
FORGETS_S: Final = 3_600
"""Between two looks for what is too old."""


@dataclass(slots=True, kw_only=True, eq=False)
class Receipts:
    """Fetches and keeps. `add`, `count` and `trouble` are for any thread."""

    data: Path
    trusted: Trusted
    agent: bytes
    """Id of the enrolment key."""
    software: str
    kept_days: int = KEPT_DAYS
    _waiting: dict[tuple[bytes, bytes], ToAsk] = field(default_factory=dict)
    """The thread's own, once it runs; the oldest first."""
    _new: "queue.SimpleQueue[ToAsk]" = field(default_factory=queue.SimpleQueue)
    _heard_s: float = 0.0
    """The newest instant that a landmark signed, of those that were not ahead of the clock when they came."""
    _forget_at_s: float = 0.0
    """When it looks for what is too old, by a clock that nobody sets."""
    _troubles: dict[str, tuple[str, str]] = field(default_factory=dict)
    """What fails on this host, by what it is that does: a code, and words."""

    def start(self) -> None:
        """Begin, in a thread of its own, with what a process before was still to ask.

        Raises:
            Unavailable: the folder cannot be made or read.
            Malformed: the list is not as it was written.
        """
        self.prepare()
        threading.Thread(target=self._run, name="receipts", daemon=True).start()

    def prepare(self) -> None:
        """What `start` does before there is a thread.

        Raises:
            Unavailable, Malformed: as for `start`.
        """
        held = self.data / FOLDER
        try:
            held.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise _unwritable(held, error) from error
        forget_parts(held)
        waiting, self._heard_s = read_waiting(self.data / NAME)
        self._waiting = {one.key: one for one in waiting}

    def add(self, session: bytes, ended: Mapping[bytes, bytes | None], *, now_s: float, after_s: float = 0.0) -> None:
        """Ask landmarks about a session: by id, the digest of what ended it, if that came. The newest asking counts."""
        for landmark, said in ended.items():
            at_s = now_s + after_s + ASKS_S[0]
            self._new.put(ToAsk(session=session, landmark=landmark, ended=said, at_s=at_s))

    def count(self) -> int:
        """How many sessions with one landmark are waited for."""
        return len(self._waiting) + self._new.qsize()

    def trouble(self) -> tuple[str, str] | None:
        """What fails on this host: a code, and words. None if nothing does; what landmarks do wrong is none."""
        return next(iter(tuple(self._troubles.values())), None)

    def turn(self, *, now_s: float, running_s: float) -> None:
        """Forget what is old if it is time, then ask what is due, or else wait until something is.

        One thread calls it. `running_s` is of a clock that nobody sets.
        """
        if running_s >= self._forget_at_s:
            # Before anything is written, and whatever comes of that: it is what frees a full disk.
            self._tried("forget", self._forget, now_s)
            self._forget_at_s = running_s + FORGETS_S
        self._come_nearer(now_s)
        due_s = min((one.at_s - now_s for one in self._waiting.values()), default=FORGETS_S)
        if due_s <= 0:
            went_well = self._tried("ask", self._ask, now_s)
        else:
            went_well = self._tried("take", self._take, min(due_s, self._forget_at_s - running_s))
        if not went_well:
            # It may be that a landmark was heard since, by which more is old.
            self._forget_at_s = running_s
            for key, one in self._waiting.items():
                self._waiting[key] = replace(one, at_s=max(one.at_s, now_s + ASKS_S[1]))

    def _run(self) -> None:
        while True:
            self.turn(now_s=time.time(), running_s=time.monotonic())  # noqa: TID251 - the clock of a role

    def _tried(self, what: str, step: Callable[[float], None], argument: float) -> bool:
        """Do one step; whether it went well. If not, that is logged, and stands in the status until it does."""
        try:
            step(argument)
        except LightboundError as error:
            # A full disk.
            self._troubles[what] = str(error.faults[0].code), str(error.faults[0])
            structlog.get_logger().warning("receipts not kept", step=what, **fields(error))
        except Exception as error:  # noqa: BLE001 - else a mistake of ours ends the thread, and nothing is kept any more
            kind = type(error).__name__
            self._troubles[what] = "bug", f"expected receipts to be kept, found {kind}; the log says where"
            # Without the words of the error: there may be something in them that a landmark sent.
            where = "".join(traceback.format_tb(error.__traceback__))
            structlog.get_logger().error("bug in receipts", step=what, kind=kind, where=where)
        else:
            self._troubles.pop(what, None)
            return True
        return False

    def _forget(self, now_s: float) -> None:
        """Delete what is too old, by the clock and by the newest statement heard: neither alone can be wrong for it.

        A clock that is ahead for a moment deletes nothing, and neither does a landmark that signs what is to come.

        Raises:
            Unavailable: something cannot be deleted.
        """
        forget_held(self.data / FOLDER, before_s=min(now_s, self._heard_s) - DAY_S * self.kept_days)

    def _come_nearer(self, now_s: float) -> None:
        """Let nothing wait for longer than the longest wait: a clock that was ahead put it there."""
        latest_s = now_s + max(ASKS_S)
        for key, one in self._waiting.items():
            if one.at_s > latest_s:
                self._waiting[key] = replace(one, at_s=latest_s)

    def _take(self, wait_s: float) -> None:
        """Wait for something new to ask, so long at most, and take all that there is.

        Raises:
            Unavailable: what is to ask cannot be written. It is asked all the same, by this process.
        """
        try:
            new = [self._new.get(timeout=wait_s)]
        except queue.Empty:
            return
        while not self._new.empty():
            new.append(self._new.get())
        for one in new:
            before = self._waiting.pop(one.key, one)
            self._waiting[one.key] = replace(one, opens=before.opens, ends=before.ends)
        for key in list(self._waiting)[:-MOST_WAITING]:
            del self._waiting[key]
        self._write()

    def _ask(self, now_s: float) -> None:
        """Ask every landmark whose time has come, once.

        Raises:
            Unavailable: what came, or what is left to ask, cannot be written.
        """
        bug = None
        for one in [one for one in self._waiting.values() if one.at_s <= now_s]:
            try:
                came = self._came(one)
            except Exception as error:  # noqa: BLE001 - what one landmark sends must not keep the others from being asked
                bug, came = error, Came(is_left=True)
            self._heard_s = max(self._heard_s, min(came.heard_ns / 1e9, now_s))
            asked = replace(self._hold(one, came.said, now_s=now_s), asks=one.asks + 1)
            if not came.is_left:
                del self._waiting[one.key]
            elif asked.asks < len(ASKS_S):
                self._waiting[one.key] = replace(asked, at_s=now_s + ASKS_S[asked.asks])
            else:
                _log(one).warning("no receipts: given up")
                del self._waiting[one.key]
        self._write()
        if bug is not None:
            raise bug

    def _came(self, one: ToAsk) -> Came:
        """Ask one landmark about one session. Whatever is wrong with the answer, it is as if less had come."""
        host = self.trusted.landmarks.get(one.landmark)
        if host is None:
            # Not trusted any more, so not spoken to.
            return Came(is_left=False)
        try:
            return fetched(one, host, agent=self.agent, software=self.software)
        except LightboundError as error:
            _log(one).info("no receipts", asks=one.asks + 1, **fields(error))
            # One that never opened the session says so.
            return Came(is_left=error.faults[0].code is not ErrorCode.WRONG_SESSION)

    def _hold(self, one: ToAsk, said: tuple[Said, ...], *, now_s: float) -> ToAsk:
        """Keep what came and is not held; the same with what is held now.

        Files bear the time of what they hold, so that what is forgotten is the beginning of a sequence, also where a
        receipt came late. A landmark's word for it is taken as far as receipts are asked for.

        A receipt that is held is never replaced. The agent cannot tell which of two the log signed, and a landmark
        that gave a true one could else put one in its place that nobody signed.

        Raises:
            Unavailable: a file cannot be written.
        """
        folder = self.data / FOLDER
        for each in said:
            name, is_open = digest(each.data), each.read.kind is Kind.OPEN
            held = one.opens if is_open else one.ends
            if name in held:
                continue
            if not is_held(folder, each.data):
                if len(held) >= MOST_STORIES:
                    continue
                at_s = min(now_s, max(each.read.at_ns / 1e9, now_s - sum(ASKS_S)))
                write_held(folder, each.data, each.receipt.proof, at_s=at_s)
            if held:
                _log(one).warning("says two things of one session", kind=each.read.kind.short)
            one = replace(one, opens=(*held, name)) if is_open else replace(one, ends=(*held, name))
            # At once: what is written of a landmark counts also if the next write fails.
            self._waiting[one.key] = one
        return one

    def _write(self) -> None:
        write_waiting(self.data / NAME, self._waiting.values(), heard_s=self._heard_s)


def _log(one: ToAsk) -> Any:
    return structlog.get_logger().bind(session=one.session.hex(), landmark=one.landmark.hex())


def _unwritable(path: Path, error: OSError) -> Unavailable:
    found = error.strerror or type(error).__name__
    fault = Fault(code=ErrorCode.WRITE_FAILED, expected="a folder that can be written", found=found, file=str(path))
    return Unavailable(fault)
