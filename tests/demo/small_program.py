"""A program for `Processes`: its one word says what it does."""

import os
import signal
import sys
from collections.abc import Sequence
from typing import NoReturn


def main(arguments: Sequence[str]) -> NoReturn:
    """Wait, with a child or deaf to SIGTERM or not; or say something, and end well or not."""
    match arguments[0]:
        case "wait":
            signal.pause()
        case "wait-deaf":
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            sys.stdout.write("deaf\n")
            sys.stdout.flush()
            while True:
                signal.pause()
        case "fail":
            sys.stderr.write("no such luck\n")
            sys.exit(3)
        case "bug":
            raise ValueError("a bug")
        case _:
            sys.stdout.write(f"{' '.join(arguments)} {os.getpid()}\n")
    sys.exit(0)
