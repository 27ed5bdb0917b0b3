"""Files of a log are read as they were written, also where what stands before the log would do something to them."""

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from lightbound.errors import ErrorCode, Fault, Unavailable
from lightbound.roles.log_reader import source
from lightbound.roles.log_reader.source import OverHttp, bundle_of, hashes_of
from lightbound.tlog.tiles import Tile

CHECKPOINT = b"log.example/test\n1\n" + bytes(40)


class Compressing(BaseHTTPRequestHandler):
    """As a proxy before a log: it compresses for whoever says that this is welcome, and asks for patience at first."""

    asked: list[str] = []  # noqa: RUF012 - of the one server of a test

    def do_GET(self) -> None:
        self.asked.append(self.path)
        if self.path.endswith("gone"):
            self.send_error(404)
            return
        if self.path.endswith("busy") and self.asked.count(self.path) < 3:
            self.send_error(503)
            return
        body, welcome = CHECKPOINT, "gzip" in self.headers.get("accept-encoding", "")
        self.send_response(200)
        if welcome:
            body = gzip.compress(body)
            self.send_header("content-encoding", "gzip")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing."""


@contextmanager
def proxied() -> Iterator[OverHttp]:
    Compressing.asked.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), Compressing) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        there = OverHttp(f"http://127.0.0.1:{server.server_port}/at/a/path/")
        try:
            yield there
        finally:
            there.close()
            server.shutdown()
            thread.join()


def test_nothing_is_compressed_on_its_way() -> None:
    with proxied() as there:
        assert there.read("checkpoint") == CHECKPOINT
        assert Compressing.asked == ["/at/a/path/checkpoint"]


def test_a_log_that_asks_for_patience_is_asked_again_and_one_that_has_it_not_is_not() -> None:
    with proxied() as there:
        assert there.read("busy") == CHECKPOINT
        with pytest.raises(Unavailable) as caught:
            there.read("gone")
        assert caught.value.faults[0].found == "status 404"
        assert Compressing.asked == ["/at/a/path/busy"] * 3 + ["/at/a/path/gone"]


def test_a_log_that_drips_holds_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lightbound.net.http_client.CONNECT_S", 0.1)
    monkeypatch.setattr("lightbound.net.http_client.ANSWER_S", 0.1)
    monkeypatch.setattr(source, "WAIT_S", 0.1)
    done = threading.Event()

    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        while not done.wait(0.02):
            handler.wfile.write(b"x")

    monkeypatch.setattr(Compressing, "do_GET", drip)
    with proxied() as there:
        with pytest.raises(Unavailable):
            there.read("checkpoint")
        done.set()


class Kept:
    """The full tile alone."""

    def read(self, path: str) -> bytes:
        if path.endswith(".p/3"):
            raise Unavailable(Fault(code=ErrorCode.READ_FAILED, expected="a file of a log", found="none", file=path))
        return bytes(256 * 32)


def test_a_partial_tile_that_is_gone_is_read_from_the_full_one() -> None:
    assert hashes_of(Kept(), Tile(level=0, number=1, width=3)) == bytes(3 * 32)
    assert bundle_of(Kept(), Tile(level=-1, number=1, width=3)) == (bytes(256 * 32), 256)
