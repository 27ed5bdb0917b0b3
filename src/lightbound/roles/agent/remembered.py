"""What an agent must not forget when it dies: which sessions it has begun, and what it has not brought yet.

A SESSION is run once. It is on disk as begun before anything is sent, so that an agent that dies in the middle of one
does not answer it a second time, from another place perhaps: it says that it was stopped.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from lightbound.errors import ErrorCode, Fault, Malformed, Unavailable
from lightbound.files.whole import whole_file

FORMAT: Final = "lightbound.agent-sessions/1"
NAME: Final = "sessions.json"
FOLDER: Final = "deliveries"

MOST_KEPT: Final = 64
"""Deliveries that wait for a verifier: the newest. One takes a few kilobytes for each landmark."""
KEPT_FOR_NS: Final = 3_600_000_000_000
"""After so long nobody can do anything with one: its session ran out ten minutes after it was asked, at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """A session that was begun."""

    sid: bytes
    expiry_ns: int
    is_over: bool = False
    """Its delivery is written. If not: the agent died in the middle."""


@dataclass(slots=True)
class Sessions:
    """Sessions begun, until they expire."""

    _file: Path
    _begun: dict[bytes, Begun] = field(default_factory=dict)

    @classmethod
    def read(cls, folder: Path) -> "Sessions":
        """Those that a process before has begun.

        Raises:
            Malformed: the file is not as it was written. To be deleted by a person, when no session runs.
            Unavailable: it cannot be read.
        """
        file = folder / NAME
        try:
            told: Any = json.loads(file.read_bytes())
            # What is of another format has no key of this name.
            begun = {
                bytes.fromhex(name): Begun(
                    sid=bytes.fromhex(one["sid"]), expiry_ns=int(one["expiry_ns"]), is_over=bool(one["is_over"])
                )
                for name, one in {FORMAT: told["sessions"]}[told["format"]].items()
            }
        except FileNotFoundError:
            begun = {}
        except OSError as error:
            raise Unavailable(_fault(ErrorCode.READ_FAILED, file, "a file that can be read", error)) from error
        except (ValueError, OverflowError, RecursionError, KeyError, TypeError, AttributeError) as error:
            fault = Fault(
                code=ErrorCode.FILE_FORMAT,
                expected="sessions as they were written",
                found="other bytes",
                file=str(file),
                next="delete it, ten minutes after the last session began",
            )
            raise Malformed(fault) from error
        return cls(file, begun)

    def has(self, name: bytes, sid: bytes) -> bool:
        """Whether a session of this digest, or another of this sid, was begun."""
        return name in self._begun or any(one.sid == sid for one in self._begun.values())

    def unended(self) -> list[bytes]:
        """Digests of the sessions in the middle of which the agent died."""
        return [name for name, one in self._begun.items() if not one.is_over]

    def begin(self, name: bytes, *, sid: bytes, expiry_ns: int, now_ns: int) -> None:
        """Keep that a session begins; those that have expired are forgotten. It is on disk when this returns.

        Raises:
            Unavailable: it cannot be written. The session must not be begun.
        """
        kept = {other: one for other, one in self._begun.items() if one.expiry_ns >= now_ns or not one.is_over}
        kept[name] = Begun(sid=sid, expiry_ns=expiry_ns)
        self._write(kept)

    def end(self, name: bytes) -> None:
        """Keep that a session is over, and its delivery written.

        Raises:
            Unavailable: it cannot be written.
        """
        one = self._begun[name]
        self._write({**self._begun, name: Begun(sid=one.sid, expiry_ns=one.expiry_ns, is_over=True)})

    def _write(self, begun: dict[bytes, Begun]) -> None:
        sessions = {
            name.hex(): {"sid": one.sid.hex(), "expiry_ns": one.expiry_ns, "is_over": one.is_over}
            for name, one in begun.items()
        }
        with whole_file(self._file) as out:
            out.write(json.dumps({"format": FORMAT, "sessions": sessions}, indent=1).encode())
        self._begun = begun


@dataclass(frozen=True, slots=True)
class Deliveries:
    """What waits to be brought, as files of a folder, by when it was written and the session's digest."""

    _folder: Path

    @classmethod
    def of(cls, folder: Path) -> "Deliveries":
        """Those in the folder of an agent.

        Raises:
            Unavailable: there is no room for them.
        """
        kept = folder / FOLDER
        try:
            kept.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise Unavailable(_fault(ErrorCode.WRITE_FAILED, kept, "a folder that can be written", error)) from error
        return cls(kept)

    def keep(self, name: bytes, data: bytes, *, now_ns: int) -> None:
        """Keep what is to be brought of a session; it is on disk when this returns. Of too many the oldest are lost.

        What was kept of a session before stays: a verifier takes one delivery of it.

        Raises:
            Unavailable: it cannot be written.
        """
        if any(file.stem.endswith(name.hex()) for file in self._files()):
            return
        with whole_file(self._folder / f"{now_ns:020d}-{name.hex()}.cbor") as out:
            out.write(data)
        self._forget(now_ns)

    def waiting(self, *, now_ns: int) -> Iterator[tuple[bytes, bytes]]:
        """Digest of the session and what is to be brought of it, the oldest first.

        Raises:
            Unavailable: one cannot be read.
        """
        self._forget(now_ns)
        for file in self._files():
            try:
                data = file.read_bytes()
            except OSError as error:
                raise Unavailable(_fault(ErrorCode.READ_FAILED, file, "a file that can be read", error)) from error
            yield bytes.fromhex(file.stem.partition("-")[2]), data

    def brought(self, name: bytes) -> None:
        """Forget what was to be brought of a session. Dying before it is forgotten, it is brought again."""
        for file in self._files():
            if file.stem.endswith(name.hex()):
                _remove(file)

    def count(self) -> int:
        """How many wait."""
        return len(self._files())

    def _forget(self, now_ns: int) -> None:
        files = self._files()
        old = [file for file in files if int(file.stem.partition("-")[0]) < now_ns - KEPT_FOR_NS]
        for file in {*files[:-MOST_KEPT], *old}:
            _remove(file)

    def _files(self) -> list[Path]:
        return sorted(self._folder.glob("[0-9]*-[0-9a-f]*.cbor"))


def _remove(file: Path) -> None:
    try:
        file.unlink()
    except FileNotFoundError:
        return
    except OSError as error:
        raise Unavailable(_fault(ErrorCode.WRITE_FAILED, file, "a file that can be deleted", error)) from error


def _fault(code: ErrorCode, file: Path, expected: str, error: OSError) -> Fault:
    return Fault(code=code, expected=expected, found=error.strerror or type(error).__name__, file=str(file))
