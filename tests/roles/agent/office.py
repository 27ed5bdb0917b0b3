"""A verifier as agents see it, in this process: it hands out what a test gives it, and fails when told to."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from lightbound.enrolment.delivery import Content, read_delivery
from lightbound.enrolment.requests import Enrol, Poll, read_enrol, read_enrolment, read_poll
from lightbound.enrolment.trust import Trust, write_trust
from lightbound.errors import ErrorCode, Refused, refused
from lightbound.keys.ed25519 import SigningKey
from lightbound.net.http_client import STATEMENT
from lightbound.net.http_errors import error_body, status_of

LONGEST_WAIT_S = 60.0


class Silence(Exception):
    """The connection is to be closed without an answer."""


@dataclass(slots=True, kw_only=True)
class Office:
    """What the verifier has and keeps. Threads share it; `changed` is told of whatever comes."""

    key: SigningKey
    trust: Trust
    enrolment: SigningKey
    """Of the only agent there is."""
    to_ask: list[bytes] = field(default_factory=list)
    down: set[str] = field(default_factory=set)
    """What fails: poll, result, enrol (503), or `silent enrol`, which is taken and not answered."""
    refusing: Refused | None = None
    """What every delivery is refused with."""
    asked: list[tuple[str, str, int]] = field(default_factory=list)
    """Method, path and length of every request."""
    enrols: list[Enrol] = field(default_factory=list)
    polls: list[Poll] = field(default_factory=list)
    brought: list[Content] = field(default_factory=list)
    is_over: bool = False
    changed: threading.Condition = field(default_factory=threading.Condition)
    port: int = 0

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    def ask(self, *sessions: bytes) -> None:
        """Hand these out, one a poll."""
        with self.changed:
            self.to_ask += sessions
            self.changed.notify_all()

    def set(self, *, down: set[str]) -> None:
        """From now on these fail."""
        with self.changed:
            self.down = down
            self.changed.notify_all()

    def delivery(self, count: int = 1, *, within_s: float = 30.0) -> Content:
        """The delivery of this number, once it has come."""
        self.wait(lambda: len(self.brought) >= count, within_s)
        return self.brought[count - 1]

    def wait(self, holds: Callable[[], bool], within_s: float = 30.0) -> None:
        """Until it holds."""
        with self.changed:
            assert self.changed.wait_for(holds, within_s), self.asked

    def answer(self, method: str, path: str, body: bytes) -> bytes:
        """What a request gets; empty for 204."""
        with self.changed:
            self.asked.append((method, path, len(body)))
            self.changed.notify_all()
        match method, path:
            case "GET", "/v1/trust":
                return write_trust(self.trust, self.key)
            case "POST", "/v1/enrol":
                self._check_up("enrol")
                self.enrols.append(read_enrol(read_enrolment(body).enrol))
                if "silent enrol" in self.down:
                    raise Silence
                return b""
            case "POST", "/v1/poll":
                return self._poll(read_poll(body, self.enrolment.verifying))
            case "POST", _ if path.startswith("/v1/sessions/") and path.endswith("/result"):
                self._check_up("result")
                content = read_delivery(body, self.enrolment.verifying, now_ns=time.time_ns())
                if self.refusing is not None:
                    raise self.refusing
                with self.changed:
                    self.brought.append(content)
                    self.changed.notify_all()
                return b""
            case _:
                raise AssertionError((method, path))

    def _poll(self, poll: Poll) -> bytes:
        with self.changed:
            self.polls.append(poll)
            self.changed.notify_all()
            self._check_up("poll")
            number = len(self.polls)
            self.changed.wait_for(
                lambda: bool(self.to_ask) or self.is_over or "poll" in self.down or len(self.polls) > number,
                poll.wait_s,
            )
            # A poll that a newer one has replaced is given nothing: its agent may be dead.
            return self.to_ask.pop(0) if self.to_ask and len(self.polls) == number else b""

    def _check_up(self, what: str) -> None:
        if what in self.down:
            raise Down


class Down(Exception):
    """503, in the words of some proxy."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    office: Office


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        """Answer."""
        self._answer(b"")

    def do_POST(self) -> None:
        """Answer."""
        self._answer(self.rfile.read(int(self.headers["content-length"])))

    def _answer(self, body: bytes) -> None:
        try:
            answer = self.server.office.answer(self.command, self.path, body)
            status = 200 if answer else 204
        except Silence:
            self.close_connection = True
            return
        except Down:
            status, answer = 503, b"<html>nobody is here</html>"
        except Refused as error:
            status, answer = status_of(error), error_body(error)
        self.send_response(status)
        if status != 204:
            self.send_header("content-type", STATEMENT)
            self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as the standard library calls it
        """Say nothing."""


@contextmanager
def serving(office: Office) -> Iterator[Office]:
    """The office answers until the block ends."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = _Server(listener.getsockname()[:2], _Handler, bind_and_activate=False)
        server.socket.close()
        server.socket, server.office, office.port = listener, office, listener.getsockname()[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield office
        finally:
            with office.changed:
                office.is_over = True
                office.changed.notify_all()
            server.shutdown()
            thread.join()


def another_delivery() -> Refused:
    """What a verifier says that has taken another."""
    return refused(ErrorCode.DUPLICATE, "one delivery a session", "another", "delivery")
