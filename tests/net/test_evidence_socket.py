"""Whoever asks a device's socket gets evidence, the server's own words, or a plain no; never more, and never later."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightbound.canonical.cbor import encode
from lightbound.canonical.fields import is_plain
from lightbound.errors import ErrorCode, LightboundError, Malformed, Unavailable
from lightbound.net.evidence_socket import (
    MOST_ANSWER_BYTES,
    Answer,
    ChipEvidence,
    HostEvidence,
    asked,
    read_answer,
    write_answer,
)

NONCE = bytes(range(32))
CHIP = ChipEvidence(report=b"report", chain=b"chain")
HOST = HostEvidence(quote=b"quote")


@contextmanager
def served(path: Path, conduct: Callable[[socket.socket], None]) -> Iterator[None]:
    """One connection, met by `conduct`, and closed."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(path))
        listener.listen(1)
        listener.settimeout(10)

        def meet() -> None:
            connection, _ = listener.accept()
            with connection:
                conduct(connection)

        thread = threading.Thread(target=meet)
        thread.start()
        try:
            yield
        finally:
            thread.join(10)
            assert not thread.is_alive()


def saying(data: bytes) -> Callable[[socket.socket], None]:
    def conduct(connection: socket.socket) -> None:
        connection.recv(32, socket.MSG_WAITALL)
        connection.sendall(data)

    return conduct


@pytest.mark.parametrize("said", [CHIP, HOST])
def test_what_a_device_gives_arrives(tmp_path: Path, said: Answer) -> None:
    heard: list[bytes] = []

    def conduct(connection: socket.socket) -> None:
        heard.append(connection.recv(4096))
        for octet in write_answer(said):
            connection.sendall(bytes([octet]))

    with served(tmp_path / "chip", conduct):
        assert asked(tmp_path / "chip", NONCE).answer == said
    assert heard == [NONCE]


def test_a_chip_is_not_taken_for_a_host_nor_a_host_for_a_chip(tmp_path: Path) -> None:
    with served(tmp_path / "chip", saying(write_answer(CHIP))):
        chip = asked(tmp_path / "chip", NONCE)
    with served(tmp_path / "host", saying(write_answer(HOST))):
        host = asked(tmp_path / "host", NONCE)
    assert (chip.report, chip.chain, host.quote) == (b"report", b"chain", b"quote")
    wrong: list[Callable[[], bytes]] = [lambda: chip.quote, lambda: host.report, lambda: host.chain]
    for take in wrong:
        with pytest.raises(Malformed, match=r"of the host|of a chip"):
            take()


def test_the_words_of_the_server_reach_whoever_asks_fit_for_a_terminal(tmp_path: Path) -> None:
    words = "no driver\x1b[2J\nnvidia\u202e" + "x" * 5000
    with served(tmp_path / "chip", saying(encode({"error": words}))), pytest.raises(Unavailable) as silent:
        asked(tmp_path / "chip", NONCE)
    fault = silent.value.faults[0]
    assert fault.code is ErrorCode.DEVICE_SILENT
    assert fault.found.startswith("no driver?[2J?nvidia?xxx")
    assert len(fault.found) <= 600
    assert fault.file == str(tmp_path / "chip")


@pytest.mark.parametrize(
    "data",
    [
        b"no CBOR",
        encode({}),
        encode([]),
        encode({"report": b"x"}),
        encode({"report": b"x", "chain": b"y", "quote": b"z"}),
        encode({"report": b"x", "chain": "y"}),
        encode({"quote": b""}),
        encode({1: b""}),
        b"\xa1\x65quote\x58\x01x",  # a length in more bytes than it needs
        write_answer(CHIP) + b"\0",
        write_answer(CHIP)[:-1],
    ],
)
def test_what_is_no_answer_is_refused(tmp_path: Path, data: bytes) -> None:
    with served(tmp_path / "chip", saying(data)), pytest.raises(Malformed):
        asked(tmp_path / "chip", NONCE)


def test_an_answer_that_does_not_end_is_cut_off(tmp_path: Path) -> None:
    gone = threading.Event()

    def conduct(connection: socket.socket) -> None:
        connection.recv(32, socket.MSG_WAITALL)
        try:
            while True:
                connection.sendall(bytes(65_536))
        except (BrokenPipeError, ConnectionResetError):
            gone.set()

    with served(tmp_path / "chip", conduct), pytest.raises(Malformed, match="at most"):
        asked(tmp_path / "chip", NONCE, most_bytes=100_000)
    assert gone.is_set()


def test_an_answer_of_exactly_the_most_bytes_arrives(tmp_path: Path) -> None:
    frame = len(write_answer(HostEvidence(quote=bytes(70_000)))) - 70_000
    said = HostEvidence(quote=bytes(MOST_ANSWER_BYTES - frame))
    assert len(write_answer(said)) == MOST_ANSWER_BYTES
    with served(tmp_path / "host", saying(write_answer(said))):
        assert asked(tmp_path / "host", NONCE).answer == said


@pytest.mark.parametrize("octets_first", [0, 1])
def test_a_server_that_dawdles_is_left_in_time(tmp_path: Path, octets_first: int) -> None:
    done = threading.Event()

    def conduct(connection: socket.socket) -> None:
        while not done.wait(0.05):
            connection.sendall(bytes(octets_first))

    begun = time.monotonic()
    with served(tmp_path / "chip", conduct):
        try:
            with pytest.raises(Unavailable, match=r"no answer within 0\.5 s"):
                asked(tmp_path / "chip", NONCE, within_s=0.5)
        finally:
            done.set()
    assert time.monotonic() - begun < 5


def test_a_socket_that_nobody_serves_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=r"no such socket.*start the unit"):
        asked(tmp_path / "nowhere", NONCE)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as left:
        left.bind(str(tmp_path / "left"))
    with pytest.raises(Unavailable, match="nobody who serves it"):
        asked(tmp_path / "left", NONCE)
    with pytest.raises(Unavailable, match="too long"):
        asked(tmp_path / ("x" * 200), NONCE)
    with served(tmp_path / "mute", lambda _: None), pytest.raises(Unavailable):
        asked(tmp_path / "mute", NONCE)


def test_a_nonce_of_another_length_is_a_mistake_of_ours(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        asked(tmp_path / "chip", b"short")


@given(st.binary(max_size=300))
def test_any_bytes_are_an_answer_or_an_error_of_ours(data: bytes) -> None:
    try:
        read = read_answer(data, "path")
    except LightboundError:
        return
    assert write_answer(read) == data


@given(st.builds(ChipEvidence, report=st.binary(min_size=1), chain=st.binary(min_size=1)))
def test_an_answer_reads_back_as_it_was_written(said: ChipEvidence) -> None:
    assert read_answer(write_answer(said), "path") == said


@given(st.text())
def test_a_reason_can_always_be_written_and_is_always_fit_to_be_read(words: str) -> None:
    with pytest.raises(Unavailable) as silent:
        read_answer(write_answer(words), "path")
    assert is_plain(silent.value.faults[0].found)
