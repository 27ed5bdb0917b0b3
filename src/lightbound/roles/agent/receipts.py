"""The agent's own copy of what landmarks said about it, each statement with the log's receipt, for whoever owns it.

Verifier and landmarks have all of it as well; this is so that the owner of the chips can hold both to their word, with
`lightbound log monitor`. A thread of its own: neither polls nor sessions wait for it. Logging takes a landmark some
seconds, so receipts are asked for a little after a session, and again if they are not there yet.
"""

import json
import queue
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import structlog

from lightbound.canonical.cbor import decode
from lightbound.errors import ErrorCode, Fault, LightboundError, Malformed, Unavailable, refused
from lightbound.files.held import forget_held, write_held
from lightbound.files.whole import forget_parts, whole_file
from lightbound.keys.signing import digest
from lightbound.net.http_client import MOST_ANSWER_BYTES, Server
from lightbound.ranging.sessions.receipts import Receipt, check_receipt, read_logged, read_numbered
from lightbound.ranging.statements.kinds import NUMBERED
from lightbound.roles.agent.trust_file import Host, Trusted
from lightbound.roles.logs import fields

FOLDER: Final = "held"
NAME: Final = "receipts.json"
FORMAT: Final = "lightbound.agent-receipts/1"

KEPT_DAYS: Final = 30
"""Of statements and receipts, unless told otherwise: six landmarks each hour make 70 MB of small files."""

ASKS_S: Final = (5, 30, 120, 600, 3_600, 21_600, 86_400)
"""How long after a session a landmark is asked, and after each asking that was in vain. A log that was down for longer
than all of them leaves a gap in what is held here, which a monitor shows."""

MOST_WAITING: Final = 4_096
"""Sessions with one landmark whose receipts are not here; of more, the oldest are given up."""

DAY_S: Final = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class ToAsk:
    """What a landmark said in one session, which it is asked the receipts of."""

    session: bytes
    """Digest of SESSION."""
    landmark: bytes
    ended: bytes | None
    """Digest of the MEASUREMENT or ABORT that the agent was given; None if it was given none."""
    at_s: float
    """When it is asked, in seconds since 1970 UTC."""
    asks: int = 0

    @property
    def key(self) -> tuple[bytes, bytes]:
        """What is asked once at a time."""
        return self.session, self.landmark


@dataclass(slots=True, kw_only=True, eq=False)
class Receipts:
    """Fetches and keeps. `add` and `count` are for any thread."""

    data: Path
    trusted: Trusted
    agent: bytes
    """Id of the enrolment key."""
    software: str
    kept_days: int = KEPT_DAYS
    _waiting: dict[tuple[bytes, bytes], ToAsk] = field(default_factory=dict)
    """The thread's own, once it runs; the oldest first."""
    _new: "queue.SimpleQueue[ToAsk]" = field(default_factory=queue.SimpleQueue)

    def start(self) -> None:
        """Begin, in a thread of its own, with what a process before was still to ask.

        Raises:
            Unavailable: the folder cannot be made or read.
            Malformed: the list is not as it was written.
        """
        held = self.data / FOLDER
        try:
            held.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise _unwritable(held, error) from error
        forget_parts(held)
        self._waiting = {one.key: one for one in _read(self.data / NAME)}
        threading.Thread(target=self._run, name="receipts", daemon=True).start()

    def add(self, session: bytes, ended: Mapping[bytes, bytes | None], *, now_s: float, after_s: float = 0.0) -> None:
        """Ask landmarks about a session: by id, the digest of what ended it, if that came. The newest asking counts."""
        for landmark, said in ended.items():
            at_s = now_s + after_s + ASKS_S[0]
            self._new.put(ToAsk(session=session, landmark=landmark, ended=said, at_s=at_s))

    def count(self) -> int:
        """How many sessions with one landmark are waited for."""
        return len(self._waiting) + self._new.qsize()

    def _run(self) -> None:
        while True:
            now_s = time.time()  # noqa: TID251 - the clock of a role
            due_s = min((one.at_s for one in self._waiting.values()), default=None)
            try:
                if due_s is None or due_s > now_s:
                    self._take(None if due_s is None else due_s - now_s)
                else:
                    self._ask(now_s)
                    forget_held(self.data / FOLDER, before_s=now_s - DAY_S * self.kept_days)
            except LightboundError as error:
                # A full disk: what is waited for is asked again, a little later.
                structlog.get_logger().warning("receipts not kept", **fields(error))
                for key, one in self._waiting.items():
                    self._waiting[key] = replace(one, at_s=max(one.at_s, now_s + ASKS_S[1]))

    def _take(self, wait_s: float | None) -> None:
        """Wait for something new to ask, so long at most, and take all that there is."""
        try:
            new = [self._new.get(timeout=wait_s)]
        except queue.Empty:
            return
        while not self._new.empty():
            new.append(self._new.get())
        for one in new:
            self._waiting.pop(one.key, None)
            self._waiting[one.key] = one
        for key in list(self._waiting)[:-MOST_WAITING]:
            del self._waiting[key]
        self._write()

    def _ask(self, now_s: float) -> None:
        """Ask every landmark whose time has come, once.

        Raises:
            Unavailable: what came, or what is left to ask, cannot be written.
        """
        for one in [one for one in self._waiting.values() if one.at_s <= now_s]:
            asks = one.asks + 1
            if not self._is_left(one):
                del self._waiting[one.key]
            elif asks < len(ASKS_S):
                self._waiting[one.key] = replace(one, asks=asks, at_s=now_s + ASKS_S[asks])
            else:
                _log(one).warning("no receipts: given up")
                del self._waiting[one.key]
        self._write()

    def _is_left(self, one: ToAsk) -> bool:
        """Ask one landmark about one session; whether something of it is still to come."""
        host = self.trusted.landmarks.get(one.landmark)
        if host is None:
            # Not trusted any more, so not spoken to.
            return False
        try:
            return self._fetched(one, host)
        except LightboundError as error:
            if error.faults[0].code is ErrorCode.WRITE_FAILED:
                raise
            _log(one).info("no receipts", asks=one.asks + 1, **fields(error))
            # One that never opened the session says so.
            return error.faults[0].code is not ErrorCode.WRONG_SESSION

    def _fetched(self, one: ToAsk, host: Host) -> bool:
        """Fetch and keep what there is; whether something of it is still to come.

        Raises:
            Unavailable: the landmark does not answer, or a file cannot be written.
            Malformed, Refused: it says something else than before, or its receipts do not hold.
        """
        path = f"/clp1/sessions/{one.session.hex()}"
        with Server(host.url, ca=host.ca, software=self.software) as server:
            logged = server.get(f"{path}/logged")
            if logged.status == 204:
                # It has no log.
                return False
            receipts = read_logged(logged.body, most_bytes=MOST_ANSWER_BYTES)
            said = self._said(server.get(path).body, one, host)
        for name, statement in said.items():
            receipt = receipts.get(name)
            if receipt is not None:
                self._hold(statement, receipt, host)
        return not said.keys() <= receipts.keys()

    def _said(self, body: bytes, one: ToAsk, host: Host) -> dict[bytes, bytes]:
        """The numbered statements of a session, by digest: about this agent, and with the one that it was given."""
        told = decode(body, what="session", most_bytes=MOST_ANSWER_BYTES)
        found = {}
        for kind in NUMBERED:
            statement = told.get(kind.short) if isinstance(told, dict) else None
            if isinstance(statement, bytes):
                read = read_numbered(statement, host.key)
                if (read.session, read.link.landmark, read.link.agent) != (one.session, one.landmark, self.agent):
                    raise refused(ErrorCode.SEQUENCE_BROKEN, "statements of this session", "another", kind.short)
                found[digest(statement)] = statement
        if one.ended is not None and one.ended not in found:
            raise refused(ErrorCode.SEQUENCE_BROKEN, f"statement {one.ended.hex()}", "others", "session")
        return found

    def _hold(self, statement: bytes, receipt: Receipt, host: Host) -> None:
        # Which log it is, the agent is not told: whoever monitors names it, and its signature is looked at then.
        check_receipt(statement, receipt, landmark=host.key, log=None)
        write_held(self.data / FOLDER, statement, receipt.proof)

    def _write(self) -> None:
        """Keep what is still to ask. Dying before it is written: some is asked again, or not at all."""
        told = [
            {
                "session": one.session.hex(),
                "landmark": one.landmark.hex(),
                "ended": None if one.ended is None else one.ended.hex(),
                "at_s": one.at_s,
                "asks": one.asks,
            }
            for one in self._waiting.values()
        ]
        with whole_file(self.data / NAME) as out:
            out.write(json.dumps({"format": FORMAT, "waiting": told}, indent=1).encode())


def _read(file: Path) -> list[ToAsk]:
    try:
        told: Any = json.loads(file.read_bytes())
        return [
            ToAsk(
                session=bytes.fromhex(one["session"]),
                landmark=bytes.fromhex(one["landmark"]),
                ended=None if one["ended"] is None else bytes.fromhex(one["ended"]),
                at_s=float(one["at_s"]),
                asks=int(one["asks"]),
            )
            # What is of another format has no key of this name.
            for one in {FORMAT: told["waiting"]}[told["format"]]
        ]
    except FileNotFoundError:
        return []
    except OSError as error:
        found = error.strerror or type(error).__name__
        fault = Fault(code=ErrorCode.READ_FAILED, expected="a file that can be read", found=found, file=str(file))
        raise Unavailable(fault) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        fault = Fault(
            code=ErrorCode.FILE_FORMAT,
            expected="what is waited for, as it was written",
            found="other bytes",
            file=str(file),
            next="delete it: receipts that were waited for are then not asked for again",
        )
        raise Malformed(fault) from error


def _log(one: ToAsk) -> Any:
    return structlog.get_logger().bind(session=one.session.hex(), landmark=one.landmark.hex())


def _unwritable(path: Path, error: OSError) -> Unavailable:
    found = error.strerror or type(error).__name__
    fault = Fault(code=ErrorCode.WRITE_FAILED, expected="a folder that can be written", found=found, file=str(path))
    return Unavailable(fault)
