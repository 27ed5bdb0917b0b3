"""Somebody else's implementation, asked over its standard input and output: one line a question, one line an answer.

Whatever it does instead of answering in time with a line that is an answer (ends, stalls, says something else) is
`Unavailable`: then nothing is known about what it would have said. What it says on standard error goes where ours goes.
"""

import contextlib
import json
import os
import selectors
import shlex
import signal
import subprocess
import time
from types import TracebackType
from typing import IO, Final, Self

from lightbound.conformance.arguments import MOST_INSIDE, Json, object_of
from lightbound.errors import ErrorCode, Fault, Unavailable

LONGEST_ANSWER: Final = 4_194_304
"""Bytes of a line. The longest right answer has some 30,000."""

GRACE_S: Final = 2.0
"""How long a command may take to end once there are no more questions."""

_SHOWN: Final = 80
_CHUNK: Final = 65_536


class Command:
    """A running adapter. Use it as a context, which ends the process whatever happens."""

    def __init__(self, command: str, *, timeout_s: float) -> None:
        """Start it, without a shell.

        Raises:
            Unavailable: it cannot be started.
        """
        self._name = command
        self._timeout_s = timeout_s
        self._asked = 0
        self._unread = b""
        try:
            words = shlex.split(command)
            # A group of its own: what it starts ends with it, and Ctrl-C comes to us first.
            self._process = subprocess.Popen(  # noqa: S603 - the person who runs us named it
                words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
            )
        except (OSError, ValueError, IndexError) as error:
            raise _unavailable("a command that can be run", f"{command!r}: {error}") from error
        self._stdin, self._stdout = _pipe(self._process.stdin), _pipe(self._process.stdout)
        for pipe in (self._stdin, self._stdout):
            os.set_blocking(pipe.fileno(), False)

    def __enter__(self) -> Self:
        """Begin to ask."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the process: by itself if it went well, at once if it did not."""
        try:
            with contextlib.suppress(subprocess.TimeoutExpired, OSError):
                self._stdin.close()
                if error is None:
                    self._process.wait(GRACE_S)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._stdout.close()

    def ask(self, operation: Json) -> Json:
        """The answer to one operation, without its id.

        Raises:
            Unavailable: none came in time, or the line that came is none.
        """
        self._asked += 1
        line = json.dumps({"id": self._asked, **operation}, separators=(",", ":")).encode() + b"\n"
        answered = self._exchange(line)
        answer = object_of(answered)
        if answer is None:
            expected = f"a line with a JSON object, at most {MOST_INSIDE} deep"
            raise _unavailable(expected, repr(answered[:_SHOWN])[1:])
        if type(answer.get("id")) is not int or answer["id"] != self._asked:
            raise _unavailable(f"the answer to question {self._asked}", f"one with id {answer.get('id')!r:.{_SHOWN}}")
        del answer["id"]
        return answer

    def _exchange(self, line: bytes) -> bytes:
        """The next line that it says, the given one being written meanwhile."""
        deadline = time.monotonic() + self._timeout_s
        with selectors.DefaultSelector() as selector:
            selector.register(self._stdin, selectors.EVENT_WRITE)
            selector.register(self._stdout, selectors.EVENT_READ)
            while b"\n" not in self._unread:
                left_s = deadline - time.monotonic()
                ready = selector.select(max(0.0, left_s))
                if left_s <= 0 or not ready:
                    raise _unavailable(f"an answer within {self._timeout_s:g} s", "none")
                for key, _ in ready:
                    if key.fileobj is self._stdin:
                        line = self._write(line)
                        if not line:
                            selector.unregister(self._stdin)
                    else:
                        self._read()
        answered, _, self._unread = self._unread.partition(b"\n")
        return answered

    def _write(self, line: bytes) -> bytes:
        try:
            return line[os.write(self._stdin.fileno(), line[:_CHUNK]) :]
        except BlockingIOError:
            return line
        except BrokenPipeError:
            return b""  # it reads no more; what it still says decides

    def _read(self) -> None:
        try:
            read = os.read(self._stdout.fileno(), _CHUNK)
        except BlockingIOError:
            return
        if not read:
            raise _unavailable("an answer", self._how_it_ended())
        self._unread += read
        if len(self._unread) > LONGEST_ANSWER:
            raise _unavailable(f"a line of at most {LONGEST_ANSWER} bytes", "a longer one")

    def _how_it_ended(self) -> str:
        try:
            code = self._process.wait(min(GRACE_S, self._timeout_s))
        except subprocess.TimeoutExpired:
            return "the end of what it says"
        return f"that it was ended by signal {-code}" if code < 0 else f"that it ended with exit code {code}"


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:
        raise ValueError("a process without pipes")
    return pipe


def _unavailable(expected: str, found: str) -> Unavailable:
    return Unavailable(Fault(code=ErrorCode.READ_FAILED, expected=expected, found=found))
