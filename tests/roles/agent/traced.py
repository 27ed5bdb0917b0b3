"""What a process and its children asked of the kernel: system calls as strace writes them, read back."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

CALLS: Final = (
    "%network", "%file", "%process", "write", "writev", "pwrite64", "pwritev", "pwritev2", "sendfile", "splice", "tee",
    "vmsplice", "copy_file_range", "ftruncate", "fallocate", "io_uring_setup", "ptrace", "process_vm_writev",
)  # fmt: skip
"""All that could send, write, listen or start a program."""

_CALL: Final = re.compile(r"([a-z_0-9]+)\((.*)\)\s+= (.*)", re.DOTALL)
_TEXT: Final = re.compile(r'"((?:\\x[0-9a-f]{2})*)"(\.\.\.)?')
_DESCRIPTOR: Final = re.compile(r"(-?\d+|AT_FDCWD)<(.*?)>(?=[,)]|$)")


@dataclass(frozen=True, slots=True)
class Call:
    """A system call that has ended, or that its process ended in."""

    name: str
    arguments: str
    result: str

    @property
    def succeeded(self) -> bool:
        """Whether the kernel did it. What it is still about to do counts as done."""
        return not self.result.startswith("-1") or "EINPROGRESS" in self.result

    def texts(self) -> list[bytes]:
        """The texts among the arguments, whole."""
        found = []
        for text, cut in _TEXT.findall(self.arguments):
            assert not cut, self
            found.append(bytes.fromhex(text.replace("\\x", "")))
        return found

    def descriptor(self) -> str:
        """What the first argument, a descriptor, stands for: a path, or ends of a socket."""
        match = _DESCRIPTOR.match(self.arguments)
        assert match is not None, self
        return plain(match[2])


@contextmanager
def traced(command: Sequence[str], out: Path, *, log: Path) -> "Iterator[subprocess.Popen[bytes]]":
    """A program that runs under strace, which writes a file for each of its threads; gone when the block ends."""
    strace = shutil.which("strace")
    assert strace is not None
    arguments = [strace, "-ff", "-qq", "-yy", "-xx", "-s", "4000000", "-e", "signal=none"]
    arguments += ["-e", f"trace={','.join(CALLS)}", "-o", str(out / "trace")]
    # Compiled modules belong to whoever installs, not to the agent.
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    with log.open("ab") as written:
        process = subprocess.Popen(
            [*arguments, *command], stdout=written, stderr=written, stdin=subprocess.DEVNULL, env=environment
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            end(process, signal.SIGKILL)


def end(process: "subprocess.Popen[bytes]", how: int = signal.SIGTERM) -> int:
    """End the program that is traced, and wait for it and for strace; its exit code."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text(encoding="ascii").split()
    os.kill(int(children[0]), how)
    return process.wait(timeout=30)


def calls(out: Path) -> Iterator[Call]:
    """Every call, thread by thread in its order."""
    files = sorted(out.glob("trace.*"))
    assert files
    for file in files:
        for line in file.read_text(encoding="ascii").splitlines():
            match = _CALL.fullmatch(line)
            if match is None:
                # A thread ends in a call, or is ended in one.
                name, _, rest = line.partition("(")
                assert rest.endswith(("= ?", "<unfinished ...>")) or line.startswith("+++"), line
                yield Call(name, rest, "?")
            else:
                yield Call(match[1], match[2], match[3])


def plain(text: str) -> str:
    """A path or an address as it is: strace writes each byte in hexadecimal."""
    if not text.startswith("\\x"):
        return text
    return bytes.fromhex(text.replace("\\x", "")).decode()


def python(code: str, *arguments: str) -> list[str]:
    """A program that runs this before the command line of lightbound."""
    return [sys.executable, "-c", f"{code}\nfrom lightbound.cli.app import main\nmain()", *arguments]
