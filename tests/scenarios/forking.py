"""A process that forks others as it is told, line by line, so that what all of them need is loaded once."""

import ctypes
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final, NoReturn

from lightbound.demo.namespaces import Namespace

ROOT: Final = Path(__file__).resolve().parent.parent.parent

PR_SET_PDEATHSIG: Final = 1
"""From <linux/prctl.h>."""

PATIENCE_S: Final = 20.0


class Forking:
    """Such a process, and what it has forked; threads may share it."""

    def __init__(self, module: str, inside: Namespace) -> None:
        """Start it in a network."""
        self._lock = threading.Lock()
        self._process = inside.start(
            [sys.executable, "-m", module], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
        )

    def fork(self, line: str) -> int:
        """Order a process; its id."""
        told, answers = self._process.stdin, self._process.stdout
        assert told is not None
        assert answers is not None
        with self._lock:
            told.write(line)
            told.flush()
            return int(answers.readline())

    def close(self) -> None:
        """End it, and all that it has forked."""
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()
        self._process.wait(timeout=PATIENCE_S)


def serve_orders(be: Callable[[str], None]) -> None:
    """Fork a process for each line of the standard input, and end them all with it."""
    children = []
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            _be(be, line)
        children.append(pid)
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()
    for pid in children:
        # Nobody else waits for them, so that an id stays theirs until it is waited for here.
        os.kill(pid, signal.SIGTERM)
    for pid in children:
        os.waitpid(pid, 0)


def _be(be: Callable[[str], None], line: str) -> NoReturn:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    code = 1
    try:
        be(line)
        code = 0
    except BaseException:
        sys.excepthook(*sys.exc_info())
        raise
    finally:
        sys.stderr.flush()
        os._exit(code)
