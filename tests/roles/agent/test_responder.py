"""The timed process of an agent, over real sockets: it answers one landmark a session, until then, and nobody else."""

import os
import secrets
import select
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from lightbound.ranging.timing.packets import (
    HANDLE_BYTES,
    NONCE_BYTES,
    PACKET_BYTES,
    PacketType,
    TimedKeys,
    is_genuine,
    read_packet,
    write_packet,
)
from lightbound.ranging.timing.responder import READY_AGAIN_NS
from lightbound.roles.agent.handing import Timed
from lightbound.roles.agent.responder import run_timed
from lightbound.roles.channel import ChannelClosed, Child, fork

SECOND_NS = 1_000_000_000


@pytest.fixture
def child() -> Iterator[Child]:
    made = fork(run_timed)
    yield made
    made.channel.close()
    made.wait()


@dataclass(slots=True, kw_only=True)
class Landmark:
    """A landmark's end of one timed phase."""

    own: socket.socket
    keys: TimedKeys = field(
        default_factory=lambda: TimedKeys(
            handle=secrets.token_bytes(HANDLE_BYTES),
            to_landmark=secrets.token_bytes(32),
            to_agent=secrets.token_bytes(32),
        )
    )
    cookie: bytes = field(default_factory=lambda: secrets.token_bytes(NONCE_BYTES))

    def begun(self, timed: Timed, *, for_s: float = 60.0) -> int:
        """Have it answered by the agent."""
        host, port = self.own.getsockname()[:2]
        expiry_ns = time.time_ns() + round(for_s * SECOND_NS)
        return timed.begin(self.keys, cookie=self.cookie, address=host, port=port, expiry_ns=expiry_ns)

    def ready(self, within_s: float = 5.0) -> tuple[str, int]:
        """Where the next packet comes from, which is READY."""
        self.own.settimeout(within_s)
        data, address = self.own.recvfrom(PACKET_BYTES + 1)
        packet = read_packet(data)
        assert packet.type is PacketType.READY
        assert packet.nonce == self.cookie
        assert is_genuine(packet, self.keys.to_landmark)
        where: tuple[str, int] = address
        return where

    def probe(self, number: int) -> bytes:
        """A challenge."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return write_packet(
            PacketType.PROBE, self.keys.to_agent, handle=self.keys.handle, round_number=number, nonce=nonce
        )

    def reply(self, within_s: float = 5.0) -> bytes | None:
        """The next REPLY; None if nothing but READY comes."""
        give_up = time.monotonic() + within_s
        while (left_s := give_up - time.monotonic()) > 0:
            if not select.select([self.own], [], [], left_s)[0]:
                break
            data = self.own.recv(PACKET_BYTES + 1)
            if read_packet(data).type is PacketType.REPLY:
                return data
        return None


@contextmanager
def landmark(host: str = "127.0.0.1") -> Iterator[Landmark]:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM) as own:
        own.bind((host, 0))
        yield Landmark(own=own)


def test_challenges_are_answered_and_the_answers_told(child: Child) -> None:
    timed = Timed(child.channel)
    with landmark() as one, landmark() as other:
        numbers = [one.begun(timed), other.begun(timed)]
        places = [one.ready(), other.ready()]
        for count in range(64):
            for peer, place in zip([one, other], places, strict=True):
                peer.own.sendto(peer.probe(count), place)
                reply = peer.reply()
                assert reply is not None
                packet = read_packet(reply)
                assert packet.round == count
                assert is_genuine(packet, peer.keys.to_landmark)
        answers = [timed.answers(number, stop=False) for number in numbers]
        assert [sorted(one_answers) for one_answers in answers] == [list(range(64))] * 2
        assert answers[0] != answers[1]
        assert timed.answers(numbers[0], stop=True) == answers[0]


def test_over_ipv6_too(child: Child) -> None:
    with landmark("::1") as one:
        one.begun(Timed(child.channel))
        one.own.sendto(one.probe(0), one.ready())
        assert one.reply() is not None


def test_ready_is_sent_again_while_no_challenge_comes_and_not_sooner(child: Child) -> None:
    with landmark() as one:
        one.begun(Timed(child.channel))
        one.ready()
        before_ns = time.monotonic_ns()
        for _ in range(3):
            one.ready()
        took_ns = time.monotonic_ns() - before_ns
        # The first of the three was due so long after one that this process may have taken late.
        assert took_ns > 2 * READY_AGAIN_NS
        place = one.ready()
        one.own.sendto(one.probe(0), place)
        assert one.reply() is not None
        before_ns = time.monotonic_ns()
        one.ready()
        assert time.monotonic_ns() - before_ns > READY_AGAIN_NS // 2


def test_nothing_is_sent_once_the_session_has_expired(child: Child) -> None:
    timed = Timed(child.channel)
    with landmark() as one:
        number = one.begun(timed, for_s=0.5)
        place = one.ready()
        one.own.sendto(one.probe(0), place)
        assert one.reply() is not None
        # A process that did not run for a while, as on a machine that slept, finds the challenge waiting.
        os.kill(child.pid, signal.SIGSTOP)
        one.own.sendto(one.probe(1), place)
        select.select([], [], [], 0.6)
        os.kill(child.pid, signal.SIGCONT)
        assert one.reply(within_s=0.5) is None
        assert sorted(timed.answers(number, stop=True)) in ([0], [0, 1])
        assert one.reply(within_s=0.4) is None


def test_nothing_is_sent_once_it_was_told_to_stop(child: Child) -> None:
    timed = Timed(child.channel)
    with landmark() as one:
        number = one.begun(timed)
        place = one.ready()
        timed.answers(number, stop=True)
        while select.select([one.own], [], [], 0)[0]:
            one.own.recv(100)
        one.own.sendto(one.probe(0), place)
        assert select.select([one.own], [], [], 2 * READY_AGAIN_NS / 1e9)[0] == []
        assert timed.answers(number, stop=True) == {}


def test_a_challenge_from_another_address_is_not_answered(child: Child) -> None:
    timed = Timed(child.channel)
    with landmark() as one, landmark() as thief:
        number = one.begun(timed)
        place = one.ready()
        # It has the keys, and is elsewhere: the kernel does not pass it on.
        thief.own.sendto(one.probe(0), place)
        assert not select.select([thief.own], [], [], 0.3)[0]
        assert timed.answers(number, stop=False) == {}


def test_a_landmark_whose_port_nobody_listens_at_yet_is_answered_once_somebody_does(child: Child) -> None:
    timed = Timed(child.channel)
    with landmark() as one:
        address = one.own.getsockname()
        one.own.close()
        host, port = address
        timed.begin(one.keys, cookie=one.cookie, address=host, port=port, expiry_ns=time.time_ns() + 60 * SECOND_NS)
        # READY is refused now, and again.
        select.select([], [], [], 2 * READY_AGAIN_NS / 1e9)
        one.own = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        with one.own:
            one.own.bind(address)
            one.own.sendto(one.probe(0), one.ready())
            assert one.reply() is not None


def test_it_ends_with_the_control_process_and_sleeps_while_no_session_runs(child: Child) -> None:
    timed = Timed(child.channel)
    with landmark() as one:
        number = one.begun(timed)
        one.ready()
        timed.answers(number, stop=True)
    before = _switches(child.pid)
    select.select([], [], [], 1.0)
    assert _switches(child.pid) - before <= 1
    os.kill(child.pid, signal.SIGKILL)
    with pytest.raises(ChannelClosed):
        timed.answers(number, stop=True)


def _switches(pid: int) -> int:
    """How often a process has gone to sleep."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("voluntary_ctxt_switches"))
