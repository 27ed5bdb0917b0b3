"""The process that every other process of the running example is forked from.

It has loaded the program once, so that thirty processes of it start in the time of two, and share its memory. Each of
them runs one command line of the program, as if a person had typed it, with a log of its own. None outlives it: it
ends when its parent does, however that ends, takes all of them with it, and should it be killed, the kernel does.

`python -m lightbound.demo.nursery`, for `Processes`.
"""

import contextlib
import ctypes
import gc
import importlib
import os
import select
import signal
import sys
import time
from collections.abc import Sequence
from typing import Any, Final, NoReturn

from lightbound.demo.orders import Orders

PR_SET_PDEATHSIG: Final = 1
PR_SET_NAME: Final = 15
"""From <linux/prctl.h>."""

TICK_S: Final = 0.2
"""How often it looks whether its parent still lives, and who has ended."""

GRACE_S: Final = 4.0
"""Whoever has not ended so long after it was asked to is ended."""


class Nursery:
    """Children, by process id."""

    def __init__(self, orders: Orders, program: str, loaded: Sequence[str]) -> None:
        """Load the program: `program` is the module with its `main`, `loaded` what that would load later."""
        self._orders = orders
        self._main = importlib.import_module(program).main
        for module in loaded:
            importlib.import_module(module)
        self._running: set[int] = set()
        self._ended: list[tuple[int, int]] = []
        gc.freeze()

    def run(self) -> None:
        """Until the parent is gone."""
        try:
            while True:
                ready, _, _ = select.select([self._orders.line], [], [], TICK_S)
                self._reap()
                if ready:
                    order, _ = self._orders.next()
                    self._orders.answer(self._done(order))
                else:
                    self._orders.end_without_parent()
        finally:
            self._end_all()

    def _done(self, order: dict[str, Any]) -> Any:
        match order["do"]:
            case "run":
                return self._fork(order["arguments"], order["out"], order["errors"])
            case "signal":
                if order["pid"] in self._running:
                    os.kill(order["pid"], order["signal"])
                return None
            case "ended":
                ended, self._ended = self._ended, []
                return ended
            case _:
                raise AssertionError(order)

    def _fork(self, arguments: list[str], out: str, errors: str) -> int:
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            self._be(arguments, out, errors, parent)
        self._running.add(pid)
        return pid

    def _be(self, arguments: list[str], out: str, errors: str, parent: int) -> NoReturn:
        prctl = ctypes.CDLL(None).prctl
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        prctl(PR_SET_NAME, " ".join(arguments[:2]).encode()[:15], 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)
        code = 1
        try:
            self._orders.line.close()
            _redirect(out, errors)
            self._main(arguments)
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
        except BaseException:  # noqa: BLE001 - told, and then the process ends
            sys.excepthook(*sys.exc_info())
        finally:
            with contextlib.suppress(OSError):
                sys.stdout.flush()
                sys.stderr.flush()
            # Not `sys.exit`: what the parent registered to do at its end is not the child's.
            os._exit(code)

    def _reap(self) -> None:
        while self._running:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            self._running.discard(pid)
            self._ended.append((pid, os.waitstatus_to_exitcode(status)))

    def _end_all(self) -> None:
        give_up = time.monotonic() + GRACE_S
        for how in (signal.SIGTERM, signal.SIGKILL):
            for pid in self._running:
                os.kill(pid, how)
            while self._running and (how is signal.SIGKILL or time.monotonic() < give_up):
                self._reap()
                time.sleep(0.01)


def _redirect(out: str, errors: str) -> None:
    """What it says goes to files; there is nothing to be read."""
    append = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    for path, how, number in ((os.devnull, os.O_RDONLY, 0), (out, append, 1), (errors, append, 2)):
        opened = os.open(path, how, 0o600)
        os.dup2(opened, number)
        os.close(opened)


def main() -> None:
    """Fork for the parent that started this process."""
    for ignored in (signal.SIGINT, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_DFL)
    Nursery(Orders(sys.argv[1:3]), sys.argv[3], sys.argv[4:]).run()


if __name__ == "__main__":
    main()
