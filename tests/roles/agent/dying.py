"""Enrolments that are killed at each point at which something reaches the disk, and are then repeated.

`python -m tests.roles.agent.dying FOLDER URL CODE` enrols in FOLDER/0, FOLDER/1 and so on; the process of the N-th is
killed before its N-th call of fsync or replace. It prints, of each, whether it was killed and how repeating it ended.
"""

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lightbound.errors import LightboundError
from lightbound.roles.agent.enrolling import Wanted, enrol


def _killed_at(number: int) -> None:
    """From now on, the call of this number is the last."""
    left = number

    def dying(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **more: Any) -> Any:
            nonlocal left
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            left -= 1
            return real(*arguments, **more)

        return call

    vars(os).update(fsync=dying(os.fsync), replace=dying(os.replace))


def _enrol(folder: Path, url: str, code: str) -> None:
    folder.mkdir(mode=0o700, exist_ok=True)
    wanted = Wanted(url=url, code=code, ca=None, landmark_ca=None, chips=2, replace=False, software="test")
    enrol(folder, wanted, now_ns=time.time_ns)


def main(folder: str, url: str, code: str) -> None:
    """Print a line for each."""
    number, died = 0, True
    while died:
        own = Path(folder, str(number))
        pid = os.fork()
        if pid == 0:
            _killed_at(number)
            _enrol(own, url, code)
            os._exit(0)
        died = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGKILL
        try:
            _enrol(own, url, code)
            ended = "enrolled"
        except LightboundError as error:
            ended = str(error.faults[0])
        print(number, "killed" if died else "whole", ended, flush=True)  # noqa: T201 - what its caller reads
        number += 1


if __name__ == "__main__":
    main(*sys.argv[1:])
