"""A socket answers one question with evidence or with the reason why not, and survives whoever asks badly."""

import os
import socket
import stat
import threading
import time
from pathlib import Path

import pytest
import structlog

from lightbound.errors import ErrorCode, Refused, Unavailable
from lightbound.net.evidence_socket import ChipEvidence, HostEvidence, asked, read_answer
from lightbound.roles.evidence import sources
from lightbound.roles.evidence.answering import Source, answer
from lightbound.roles.evidence.serving import listening
from tests.roles.evidence.standing_in import CHAIN, Chip, Host, Mute, Store, report, serving

NONCE = bytes(range(32))


def connected(path: Path) -> socket.socket:
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    made.settimeout(10)
    made.connect(str(path))
    return made


def received(connection: socket.socket) -> bytes:
    data = b""
    while taken := connection.recv(65_536):
        data += taken
    return data


def test_a_chip_and_a_host_answer_over_the_nonce_that_was_asked(tmp_path: Path) -> None:
    with serving(tmp_path / "chip", Chip()), serving(tmp_path / "host", Host()):
        for nonce in (NONCE, bytes(32)):
            assert asked(tmp_path / "chip", nonce).answer == ChipEvidence(report=report(nonce), chain=CHAIN)
            assert asked(tmp_path / "host", nonce).answer == HostEvidence(quote=b"quote over " + nonce)


def test_a_tpm_that_quotes_is_a_host_that_answers(tmp_path: Path) -> None:
    class Tpm:
        """Quotes as a TPM does."""

        def quote(self, n0: bytes) -> bytes:
            """A document that holds the nonce."""
            return b"document" + n0

    with serving(tmp_path / "host", sources.Host(tpm=Tpm())):
        assert asked(tmp_path / "host", NONCE).quote == b"document" + NONCE


def test_a_large_answer_arrives_whole(tmp_path: Path) -> None:
    tail = os.urandom(200_000)
    with serving(tmp_path / "chip", Chip(tail=tail)):
        assert asked(tmp_path / "chip", NONCE).report == report(NONCE, tail)


def test_the_reason_why_there_is_no_evidence_reaches_whoever_asks(tmp_path: Path) -> None:
    with serving(tmp_path / "chip", Mute()), pytest.raises(Unavailable, match="no NVIDIA driver; load the module"):
        asked(tmp_path / "chip", NONCE)


def test_evidence_over_another_nonce_is_not_passed_on(tmp_path: Path) -> None:
    with serving(tmp_path / "chip", Store()), pytest.raises(Unavailable, match="over another"):
        asked(tmp_path / "chip", NONCE)


@pytest.mark.parametrize("sent", [b"", b"half a nonce"])
def test_half_a_question_is_told_so_and_the_next_one_is_answered(tmp_path: Path, sent: bytes) -> None:
    with serving(tmp_path / "chip", Chip()):
        with connected(tmp_path / "chip") as one:
            one.sendall(sent)
            one.shutdown(socket.SHUT_WR)
            with pytest.raises(Unavailable, match=f"found {len(sent)} and the end"):
                read_answer(received(one), "chip")
        assert asked(tmp_path / "chip", NONCE).report == report(NONCE)


@pytest.mark.parametrize("sent", [b"", bytes(32)])
def test_whoever_goes_without_listening_is_left_and_the_next_one_is_answered(tmp_path: Path, sent: bytes) -> None:
    with serving(tmp_path / "chip", Chip(tail=bytes(1_000_000))):
        for _ in range(5):
            with connected(tmp_path / "chip") as one:
                one.sendall(sent)
        assert len(asked(tmp_path / "chip", NONCE, most_bytes=2_000_000).report) > 1_000_000


def test_whoever_says_nothing_or_never_listens_holds_the_socket_for_a_bounded_time(tmp_path: Path) -> None:
    with (
        serving(tmp_path / "chip", Chip(tail=bytes(1_000_000)), within_s=0.2),
        connected(tmp_path / "chip"),
        connected(tmp_path / "chip") as deaf,
    ):
        deaf.sendall(NONCE)
        begun = time.monotonic()
        assert asked(tmp_path / "chip", NONCE, most_bytes=2_000_000).report
        assert time.monotonic() - begun < 10


def test_what_comes_after_the_nonce_changes_nothing(tmp_path: Path) -> None:
    with serving(tmp_path / "chip", Chip()), connected(tmp_path / "chip") as one:
        one.sendall(NONCE + b"; and now a command")
        assert read_answer(received_or_reset(one), "chip") == ChipEvidence(report=report(NONCE), chain=CHAIN)


def received_or_reset(connection: socket.socket) -> bytes:
    """What came; the kernel says "reset" at the end where the other side closed on bytes that it never read."""
    data = b""
    while True:
        try:
            taken = connection.recv(65_536)
        except ConnectionResetError:
            return data
        if not taken:
            return data
        data += taken


@pytest.mark.parametrize(("source", "event"), [(Chip(), "evidence given"), (Mute(), "no evidence")])
def test_who_asked_is_logged_and_no_nonce_and_no_evidence(source: Source, event: str) -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    with structlog.testing.capture_logs() as lines, theirs:
        theirs.sendall(NONCE)
        answer(ours, source, time.monotonic() + 5)
        assert received(theirs)
    assert [line["event"] for line in lines] == [event]
    assert (lines[0]["pid"], lines[0]["uid"], lines[0]["gid"]) == (os.getpid(), os.getuid(), os.getgid())
    assert NONCE.hex() not in str(lines)
    assert str(NONCE) not in str(lines)


def test_only_owner_and_group_may_ask_from_the_first_moment(tmp_path: Path) -> None:
    with serving(tmp_path / "chip", Chip()):
        assert stat.S_IMODE((tmp_path / "chip").stat().st_mode) == 0o660
    with listening(tmp_path / "other", mode=0o600):
        assert stat.S_IMODE((tmp_path / "other").stat().st_mode) == 0o600


def test_a_socket_in_use_is_not_taken_away_and_one_left_over_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "chip"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as left:
        left.bind(str(path))
    with serving(path, Chip()):
        with pytest.raises(Refused, match="a socket in use") as refused, listening(path):
            pass
        assert refused.value.faults[0].code is ErrorCode.ALREADY_RUNNING
        assert asked(path, NONCE).report == report(NONCE)
    assert not path.exists()


def test_a_file_that_is_no_socket_stays(tmp_path: Path) -> None:
    path = tmp_path / "chip"
    path.write_text("mine")
    with pytest.raises(Refused, match="no socket"), listening(path):
        pass
    assert path.read_text() == "mine"
    with pytest.raises(Unavailable), listening(tmp_path / "nowhere" / "chip"):
        pass


def test_many_at_once_are_answered_one_after_the_other(tmp_path: Path) -> None:
    given: list[bytes] = []
    with serving(tmp_path / "chip", Chip()):

        def ask(number: int) -> None:
            nonce = bytes([number]) * 32
            given.append(asked(tmp_path / "chip", nonce).report[4:36])

        threads = [threading.Thread(target=ask, args=(number,)) for number in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
    assert sorted(given) == [bytes([number]) * 32 for number in range(12)]
