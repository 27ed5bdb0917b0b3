"""A verifier as far as one agent sees it in one session: it hands out the session, and takes what came of it."""

import queue
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from lightbound.enrolment.delivery import Content, read_delivery
from lightbound.enrolment.requests import read_poll
from lightbound.keys.ed25519 import VerifyingKey
from lightbound.net.http_client import STATEMENT


class Asking(ThreadingHTTPServer):
    """The server of one session. It inherits, because the standard library has no other way."""

    daemon_threads = True

    def __init__(self, listener: socket.socket, session: bytes, agent: VerifyingKey) -> None:
        """Listen where `listener` does already, in whatever network that is."""
        super().__init__(listener.getsockname()[:2], _Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listener
        self.session, self.agent = session, agent
        self.is_asked = False
        self.is_over = threading.Event()
        self.brought: queue.SimpleQueue[Content] = queue.SimpleQueue()


class _Handler(BaseHTTPRequestHandler):
    """POST /v1/poll and POST /v1/sessions/.../result."""

    protocol_version = "HTTP/1.1"
    server: Asking

    def do_POST(self) -> None:
        """Answer."""
        body = self.rfile.read(int(self.headers["content-length"]))
        answer = b""
        if self.path != "/v1/poll":
            self.server.brought.put(read_delivery(body, self.server.agent, now_ns=time.time_ns()))
        else:
            read_poll(body, self.server.agent)
            if self.server.is_asked:
                self.server.is_over.wait()
            else:
                self.server.is_asked, answer = True, self.server.session
        self.send_response(200 if answer else 204)
        if answer:
            self.send_header("content-type", STATEMENT)
            self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as the standard library calls it
        """Say nothing."""


@contextmanager
def asking(listener: socket.socket, session: bytes, agent: VerifyingKey) -> Iterator[Asking]:
    """Serve one session until the block ends."""
    server = Asking(listener, session, agent)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server
    finally:
        server.is_over.set()
        server.shutdown()
        thread.join()
        server.server_close()
