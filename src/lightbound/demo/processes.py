"""The processes of the running example: started, watched, and gone in the end, however the end comes."""

import shlex
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

from lightbound.demo.orders import Child
from lightbound.errors import ErrorCode, Fault, Unavailable

LOOK_AGAIN_S: Final = 0.05

MOST_LOG: Final = 2_000
"""Characters of the log that are told of a process that ended."""


LOADED: Final = (
    "lightbound.adjudication.explaining",
    "lightbound.drawing.page",
    "lightbound.files.dossier",
    "lightbound.roles.agent.run",
    "lightbound.roles.landmark.run",
    "lightbound.roles.verifier.run",
)
"""What its children would each load for themselves otherwise; nothing of it starts a thread."""


@dataclass(slots=True, kw_only=True, eq=False)
class Process:
    """One command line of the program that runs, or ran."""

    name: str
    arguments: tuple[str, ...]
    pid: int
    log: Path
    code: int | None = None
    """How it ended, as a shell counts; None while it runs."""
    may_end: bool = False

    @property
    def command(self) -> str:
        """As a person would type it."""
        return shlex.join(("lightbound", *self.arguments))


@dataclass(slots=True)
class Processes:
    """Every process of the program; the relay has its own. Ends with the process that made it."""

    program: str
    """The module whose `main` takes a command line."""
    loaded: tuple[str, ...] = LOADED
    _running: dict[int, Process] = field(default_factory=dict)
    _nursery: Child = field(init=False)

    def __post_init__(self) -> None:
        """Start the process that the others are forked from."""
        self._nursery = Child("lightbound.demo.nursery", self.program, *self.loaded)

    @property
    def pids(self) -> list[int]:
        """Of the process that forks, and of all that run."""
        return [self._nursery.pid, *self._running]

    def start(self, name: str, *arguments: str | Path, log: Path, out: Path | None = None) -> Process:
        """Start a command line that is to run until it is stopped.

        Raises:
            Unavailable: the process that forks is gone.
        """
        told = tuple(map(str, arguments))
        order = {"do": "run", "arguments": told, "out": str(out or log), "errors": str(log)}
        process = Process(name=name, arguments=told, pid=self._nursery.order(order), log=log)
        self._running[process.pid] = process
        return process

    def run(self, name: str, *arguments: str | Path, log: Path, out: Path | None = None, within_s: float) -> None:
        """Run a command line to its end.

        Raises:
            Unavailable: it failed, or took too long.
        """
        self.finish([self.begin(name, *arguments, log=log, out=out)], within_s=within_s)

    def begin(self, name: str, *arguments: str | Path, log: Path, out: Path | None = None) -> Process:
        """Start a command line that ends by itself, for `finish` to wait for."""
        process = self.start(name, *arguments, log=log, out=out)
        process.may_end = True
        return process

    def finish(self, processes: Sequence[Process], *, within_s: float) -> None:
        """Wait until each of them has ended well.

        Raises:
            Unavailable: one failed or took too long; or one that should run has ended.
        """
        give_up = time.monotonic() + within_s
        while any(one.code is None for one in processes):
            self.check()
            if time.monotonic() > give_up:
                late = next(one for one in processes if one.code is None)
                raise _failed(late, "it took too long")
            time.sleep(LOOK_AGAIN_S)
        for one in processes:
            if one.code != 0:
                raise _failed(one, f"it ended with {one.code}")

    def check(self) -> None:
        """Nothing, while everything runs that should.

        Raises:
            Unavailable: a process ended that nobody asked to.
        """
        for pid, code in self._nursery.order({"do": "ended"}):
            process = self._running.pop(pid)
            process.code = code
            if not process.may_end:
                raise _failed(process, f"it ended with {code}")

    def stop(self, process: Process, *, within_s: float) -> None:
        """Ask a process to end, and wait until it has.

        Raises:
            Unavailable: it does not end; or one that should run has ended.
        """
        self._ask_to_end(process)
        give_up = time.monotonic() + within_s
        while process.code is None:
            self.check()
            if time.monotonic() > give_up:
                raise _failed(process, "it does not end")
            time.sleep(LOOK_AGAIN_S)

    def let_go(self) -> None:
        """Ask all to end, and go on: what they take of the machine is wanted for something else."""
        for process in list(self._running.values()):
            self._ask_to_end(process)

    def _ask_to_end(self, process: Process) -> None:
        process.may_end = True
        self._nursery.order({"do": "signal", "pid": process.pid, "signal": int(signal.SIGTERM)})

    def close(self) -> None:
        """End all of them, and wait until they have. Closing again does nothing."""
        self._nursery.close()

    def __enter__(self) -> Self:
        """It runs already."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it, however the block ended."""
        self.close()


def _failed(process: Process, found: str) -> Unavailable:
    try:
        said = process.log.read_text(encoding="utf-8", errors="replace")[-MOST_LOG:].strip()
    except OSError:
        said = ""
    fault = Fault(
        code=ErrorCode.PEER_UNREACHABLE,
        expected=f"{process.name} to run",
        found=f"{found}; it said: {said}" if said else f"{found}, and said nothing",
        file=str(process.log),
    )
    return Unavailable(fault)
