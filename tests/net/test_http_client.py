"""Requests to a server that is what it should be, or slow, endless, somewhere else, or not ours at all."""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import trustme

from lightbound.errors import ErrorCode, LightboundError, Malformed, Refused, Unavailable, malformed, refused
from lightbound.net import http_client
from lightbound.net.http_client import Server, looked_up
from lightbound.net.http_errors import error_body, read_error

Talk = Callable[[socket.socket], None]


@contextmanager
def talking(talk: Talk) -> Iterator[str]:
    """A server that says what it is told to, to whoever connects first; its address."""
    with socket.create_server(("127.0.0.1", 0)) as own:

        def serve() -> None:
            try:
                peer, _ = own.accept()
            except OSError:
                return
            with peer:
                try:
                    peer.recv(65_536)
                    talk(peer)
                except OSError:
                    return

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{own.getsockname()[1]}"
        own.shutdown(socket.SHUT_RDWR)
        thread.join(timeout=5)


def said(status: str, body: bytes = b"", headers: str = "") -> Talk:
    def talk(peer: socket.socket) -> None:
        peer.sendall(f"HTTP/1.1 {status}\r\ncontent-length: {len(body)}\r\n{headers}\r\n".encode() + body)

    return talk


def code(error: LightboundError) -> ErrorCode:
    return error.faults[0].code


def test_an_answer_is_its_status_and_body() -> None:
    with talking(said("200 OK", b"body")) as url, Server(url) as server:
        answer = server.get("/x")
    assert (answer.status, answer.body) == (200, b"body")


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (malformed(ErrorCode.CBOR_MALFORMED, "CBOR", "text", "bind"), "400 Bad Request"),
        (refused(ErrorCode.WRONG_KEY, "a key", "another", "bind.s"), "403 Forbidden"),
    ],
)
def test_an_error_of_ours_comes_through_as_it_was_raised(error: LightboundError, status: str) -> None:
    with talking(said(status, error_body(error))) as url, Server(url) as server:
        with pytest.raises(type(error)) as caught:
            server.post("/x", b"")
        (fault,) = caught.value.faults
    assert (fault.code, fault.expected, fault.found) == tuple(
        getattr(error.faults[0], name) for name in ("code", "expected", "found")
    )
    assert fault.file == url


@pytest.mark.parametrize("status", ["302 Found", "200 Sure but longer", "404 Not Found", "500 Oops", "201 Created"])
def test_a_server_that_is_not_ours_is_unavailable_and_says_nothing_about_anybody(status: str) -> None:
    with talking(said(status, b"<html>", "location: http://127.0.0.1:1/\r\n")) as url, Server(url) as server:
        if status.startswith("200"):
            assert server.get("/x").body == b"<html>"
            return
        with pytest.raises(Unavailable) as caught:
            server.get("/x")
    assert code(caught.value) is ErrorCode.PEER_MISBEHAVED


def test_an_answer_without_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    def talk(peer: socket.socket) -> None:
        peer.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            peer.sendall(bytes(4_096))

    with talking(talk) as url, Server(url) as server, pytest.raises(Unavailable) as caught:
        server.get("/x")
    assert code(caught.value) is ErrorCode.PEER_MISBEHAVED

    monkeypatch.setattr(http_client, "ANSWER_S", 0.5)
    monkeypatch.setattr(http_client, "CONNECT_S", 0.2)
    done = threading.Event()

    def drip(peer: socket.socket) -> None:
        peer.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while not done.wait(0.05):
            peer.sendall(b"x")

    began = time.monotonic()
    with talking(drip) as url, Server(url) as server, pytest.raises(Unavailable):
        server.get("/x")
    done.set()
    assert time.monotonic() - began < 10


def test_an_answer_is_fetched_whatever_its_status_and_no_longer_than_was_said() -> None:
    with talking(said("404 Not Found", b"none")) as url, Server(url) as server:
        answer = server.fetch("x")
    assert (answer.status, answer.body) == (404, b"none")
    for most, taken in ((200_000, True), (199_999, False)):
        with talking(said("200 OK", bytes(200_000))) as url, Server(url, most_answer_bytes=most) as server:
            if taken:
                assert len(server.fetch("x").body) == 200_000
            else:
                with pytest.raises(Unavailable):
                    server.fetch("x")


def test_nobody_there_is_unavailable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as own:
        port = own.getsockname()[1]
    with Server(f"http://127.0.0.1:{port}") as server, pytest.raises(Unavailable) as caught:
        server.get("/x")
    assert code(caught.value) is ErrorCode.PEER_UNREACHABLE


def test_a_host_without_an_address_is_unavailable() -> None:
    with pytest.raises(Unavailable):
        looked_up("http://nowhere.invalid:8471")


def test_a_literal_address_is_looked_up_as_itself() -> None:
    assert looked_up("http://127.0.0.1:8471") == ["127.0.0.1"]
    assert looked_up("https://[::1]:8471") == ["::1"]


def test_a_certificate_is_checked_against_the_host_also_at_a_stated_address(tmp_path: Path) -> None:
    authority, other = trustme.CA(), trustme.CA()
    certificate = authority.issue_cert("lm.example")
    ca, wrong = tmp_path / "ca.pem", tmp_path / "wrong.pem"
    authority.cert_pem.write_to_path(ca)
    other.cert_pem.write_to_path(wrong)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)

    def secured(name: str, trusted: Path) -> bytes:
        with socket.create_server(("127.0.0.1", 0)) as own:

            def serve() -> None:
                try:
                    peer, _ = own.accept()
                    with context.wrap_socket(peer, server_side=True) as wrapped:
                        wrapped.recv(65_536)
                        said("200 OK", b"ours")(wrapped)
                except OSError:
                    return

            thread = threading.Thread(target=serve, daemon=True)
            thread.start()
            url = f"https://{name}:{own.getsockname()[1]}"
            try:
                with Server(url, address="127.0.0.1", ca=trusted) as server:
                    return server.get("/x").body
            finally:
                thread.join(timeout=5)

    assert secured("lm.example", ca) == b"ours"
    for name, trusted in (("lm.example", wrong), ("other.example", ca)):
        with pytest.raises(Unavailable):
            secured(name, trusted)


def test_a_ca_file_that_holds_none_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("nothing")
    with pytest.raises(Unavailable):
        Server("https://127.0.0.1:1", ca=tmp_path / "ca.pem")


@pytest.mark.parametrize(
    "body",
    [b"", b"{}", b"[]", b'{"class":"refused","faults":[]}', b'{"class":"x","faults":[{}]}', b"\xff", b"[" * 9_999],
)
def test_any_body_of_an_error_is_read_as_one(body: bytes) -> None:
    assert isinstance(read_error(500, body, "peer"), Unavailable)
    assert not isinstance(read_error(400, body, "peer"), Malformed | Refused)


@pytest.mark.parametrize("told", [ErrorCode.WRITE_FAILED, ErrorCode.READ_FAILED])
def test_what_a_server_says_of_its_own_files_is_not_said_of_ours(told: ErrorCode) -> None:
    error = read_error(503, error_body(malformed(told, "a file", "none", "x")), "peer")
    assert isinstance(error, Malformed)
    (fault,) = error.faults
    assert (fault.code, fault.expected, fault.file) == (ErrorCode.PEER_MISBEHAVED, "a file", "peer")


@pytest.mark.parametrize("what", [b"HTTP/1.1 100 Continue\r\n\r\n", b"a"], ids=["1xx", "header"])
def test_a_server_that_never_comes_to_its_answer_holds_nobody(what: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CONNECT_S", "ANSWER_S"):
        monkeypatch.setattr(http_client, name, 0.5)
    done = threading.Event()

    def talk(peer: socket.socket) -> None:
        peer.sendall(b"" if what.startswith(b"HTTP") else b"HTTP/1.1 200 OK\r\nx: ")
        while not done.wait(0.01):
            peer.sendall(what)

    with talking(talk) as url, Server(url) as server:
        began = time.monotonic()
        with pytest.raises(Unavailable) as caught:
            server.get("/x")
        took_s = time.monotonic() - began
        done.set()
    assert code(caught.value) is ErrorCode.PEER_MISBEHAVED
    assert took_s < 5.0
