"""The relay over real sockets: never early, as bad as it is told to be, and gone when it is to be gone."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from scipy import stats

from lightbound.demo.conditions import Behaviour, Counts
from lightbound.demo.relay import Leg, Relay
from lightbound.demo.relay_datagrams import MOST_CLIENTS
from lightbound.demo.tampering import FLOOD
from lightbound.errors import Unavailable
from lightbound.ranging.timing.packets import PacketType, write_packet
from tests.demo.ends import bound, echoing, round_trips_ns, taken, wait_until
from tests.demo.processes import is_alive

MS = 1_000_000
FAR = ("127.1.0.1", 9)
"""Nobody is there, and nobody needs to be."""

ALPHA = 1e-9
"""For each interval: how often one would fail of a relay that keeps its shares, were the seeds drawn anew."""

DATAGRAMS = 2_000


@pytest.fixture(scope="module")
def relay() -> Iterator[Relay]:
    with Relay(seed=7) as made:
        yield made


@pytest.mark.parametrize("host", ["127.1.0.1", "::1"])
@pytest.mark.parametrize("round_trip_ns", [0, 1, 999_999, 7 * MS])
@pytest.mark.parametrize("jitter_ns", [0, 200_000])
def test_no_datagram_is_early_and_the_third_is_hardly_late(
    relay: Relay, host: str, round_trip_ns: int, jitter_ns: int
) -> None:
    near = "::1" if host == "::1" else "127.2.0.1"
    with echoing(host) as target, bound(host) as client:
        leg = relay.add(listen=(near, 0), target=target, round_trip_ns=round_trip_ns, jitter_ns=jitter_ns)
        found = round_trips_ns(client, leg.listen, 64)
    assert found[0] >= round_trip_ns
    # On an idle machine 0.3 ms; this machine may be busy with other tests.
    assert found[2] < round_trip_ns + 10 * MS


def test_answers_find_the_client_that_they_are_for(relay: Relay) -> None:
    with bound("127.1.0.1") as target, bound("127.0.0.1") as one, bound("127.0.0.1") as other:
        leg = relay.add(listen=("127.2.0.2", 0), target=target.getsockname(), round_trip_ns=MS)
        one.sendto(b"of one", leg.listen)
        data, seen_one = target.recvfrom(100)
        other.sendto(b"of other", leg.listen)
        _, seen_other = target.recvfrom(100)
        assert data == b"of one"
        assert seen_one[0] == seen_other[0] == "127.2.0.2"
        assert seen_one[1] != seen_other[1]
        target.sendto(b"for other", seen_other)
        target.sendto(b"for one", seen_one)
        assert other.recvfrom(100) == (b"for other", leg.listen)
        assert one.recvfrom(100) == (b"for one", leg.listen)


def test_only_the_target_can_answer(relay: Relay) -> None:
    with bound("127.1.0.1") as target, bound("127.0.0.1") as client, bound("127.1.0.2") as stranger:
        leg = relay.add(listen=("127.2.0.3", 0), target=target.getsockname())
        client.sendto(b"x", leg.listen)
        _, seen = target.recvfrom(100)
        stranger.sendto(b"not from the target", seen)
        target.sendto(b"from the target", seen)
        assert taken(client) == [b"from the target"]


def test_the_target_sees_the_address_that_was_asked_for(relay: Relay) -> None:
    with bound("127.1.0.1") as target, bound("127.0.0.1") as client:
        leg = relay.add(listen=("127.2.0.4", 0), target=target.getsockname(), source="127.55.0.1")
        client.sendto(b"x", leg.listen)
        assert target.recvfrom(100)[1][0] == "127.55.0.1"


@pytest.mark.parametrize("round_trip_ns", [0, 2 * MS])
def test_shares_are_kept(round_trip_ns: int) -> None:
    loss, duplicate = 0.2, 0.3
    with Relay(seed=11) as relay, bound("127.1.0.1") as target, bound("127.0.0.1") as client:
        leg = relay.add(
            listen=("127.2.0.5", 0),
            target=target.getsockname(),
            round_trip_ns=round_trip_ns,
            loss=loss,
            duplicate=duplicate,
        )
        came = _through(relay, leg, client, target, DATAGRAMS)
        counts = relay.counts(leg)
    arrived = len(set(came))
    assert counts.received_out == DATAGRAMS
    assert counts.lost == DATAGRAMS - arrived
    assert counts.duplicated == len(came) - arrived
    assert counts.carried_out == len(came)
    assert _is_binomial(counts.lost, DATAGRAMS, loss)
    assert _is_binomial(counts.duplicated, arrived, duplicate)


def test_the_way_back_loses_its_own_share(relay: Relay) -> None:
    with echoing("127.1.0.1") as target, bound("127.0.0.1") as client:
        leg = relay.add(listen=("127.2.0.6", 0), target=target, loss=0.5)
        for number in range(400):
            client.sendto(bytes(4), leg.listen)
            _wait_received(relay, leg, number + 1)
        wait_until(lambda: _is_settled(relay.counts(leg)))
        counts = relay.counts(leg)
        assert _is_binomial(counts.received_back, 400, 0.5)
        assert _is_binomial(counts.carried_back, counts.received_back, 0.5)
        assert len(taken(client)) == counts.carried_back


def test_the_same_seed_loses_the_same_datagrams() -> None:
    def lost() -> set[bytes]:
        with Relay(seed=3) as relay, bound("127.1.0.1") as target, bound("127.0.0.1") as client:
            leg = relay.add(listen=("127.2.0.7", 0), target=target.getsockname(), loss=0.5)
            return set(_through(relay, leg, client, target, 200))

    assert lost() == lost()


def test_order_is_kept_unless_it_is_to_be_lost(relay: Relay) -> None:
    with bound("127.1.0.1") as target, bound("127.0.0.1") as client:
        leg = relay.add(listen=("127.2.0.8", 0), target=target.getsockname(), round_trip_ns=MS)
        came = _through(relay, leg, client, target, 300)
        assert came == sorted(came)
        relay.change(leg, reorder=0.3)
        came = _through(relay, leg, client, target, 300)
        assert came != sorted(came)
        assert len(came) == 300


def test_nothing_passes_in_an_outage_and_all_after_it(relay: Relay) -> None:
    with echoing("127.1.0.1") as target, bound("127.0.0.1") as client:
        leg = relay.add(listen=("127.2.0.9", 0), target=target, outage=True)
        client.sendto(b"lost", leg.listen)
        wait_until(lambda: relay.counts(leg).lost == 1)
        relay.change(leg, outage=False)
        client.sendto(b"not lost", leg.listen)
        assert client.recv(100) == b"not lost"
        assert taken(client) == []


def test_a_change_holds_when_it_has_returned(relay: Relay) -> None:
    with echoing("127.1.0.1") as target, bound("127.0.0.1") as client:
        leg = relay.add(listen=("127.2.0.10", 0), target=target, round_trip_ns=MS)
        assert round_trips_ns(client, leg.listen, 8)[0] < 20 * MS
        for round_trip_ns in (30 * MS, 0, 21 * MS):
            relay.change(leg, round_trip_ns=round_trip_ns)
            assert round_trips_ns(client, leg.listen, 3)[0] >= round_trip_ns
        assert relay.conditions(leg).round_trip_ns == 21 * MS


def test_threads_may_share_a_relay(relay: Relay) -> None:
    with echoing("127.1.0.1") as target, bound("127.0.0.1") as client:
        leg = relay.add(listen=("127.2.0.11", 0), target=target)

        def change() -> None:
            for _ in range(50):
                relay.change(leg, loss=0.0)
                relay.counts(leg)

        threads = [threading.Thread(target=change) for _ in range(4)]
        for thread in threads:
            thread.start()
        round_trips_ns(client, leg.listen, 50)
        for thread in threads:
            thread.join()
        assert relay.counts(leg) == Counts(received_out=50, received_back=50, carried_out=50, carried_back=50)


def test_a_target_that_comes_up_later_is_reached(relay: Relay) -> None:
    with bound("127.1.0.1") as once:
        address = once.getsockname()
    with bound("127.0.0.1") as client:
        leg = relay.add(listen=("127.2.0.12", 0), target=address)
        for sent in range(1, 4):
            client.sendto(b"too early", leg.listen)
            _wait_received(relay, leg, sent)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as target:
            target.bind(address)
            # The first may meet the news that nobody was there.
            wait_until(lambda: bool(client.sendto(b"now", leg.listen)) and b"now" in taken(target, 0.05))


def test_clients_without_end_do_not_use_up_its_files() -> None:
    with Relay() as relay, bound("127.1.0.1") as target, bound("127.0.0.1") as kept:
        leg = relay.add(listen=("127.2.0.13", 0), target=target.getsockname())
        for batch in range(MOST_CLIENTS // 50 + 2):
            kept.sendto(b"x", leg.listen)
            for _ in range(49):
                with bound("127.0.0.1") as client:
                    client.sendto(b"x", leg.listen)
            _wait_received(relay, leg, 50 * (batch + 1))
        assert len(list(Path(f"/proc/{relay.pids[0]}/fd").iterdir())) < MOST_CLIENTS + 50
        taken(target, 0.01)
        kept.sendto(b"still", leg.listen)
        assert target.recv(100) == b"still"


# -- streams -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["127.1.0.1", "::1"])
def test_a_stream_comes_whole_and_not_early(relay: Relay, host: str) -> None:
    near = "::1" if host == "::1" else "127.2.1.1"
    sent = os.urandom(3_000_000)
    with _answering(host) as target:
        leg = relay.add(listen=(near, 0), target=target, round_trip_ns=20 * MS)
        since_ns = time.monotonic_ns()
        with socket.create_connection(leg.listen, timeout=10) as stream:
            stream.sendall(b"?")
            assert stream.recv(1) == b"?"
            assert time.monotonic_ns() - since_ns >= 20 * MS
            sender = threading.Thread(target=_send_all, args=(stream, sent))
            sender.start()
            assert _read_all(stream) == sent
            sender.join()
    wait_until(lambda: relay.counts(leg).octets_back == len(sent) + 1)
    assert relay.counts(leg).octets_out == len(sent) + 1
    assert relay.counts(leg).connections == 1


def test_a_stream_stands_still_in_an_outage_and_goes_on_after_it(relay: Relay) -> None:
    with _answering("127.1.0.1") as target:
        leg = relay.add(listen=("127.2.1.2", 0), target=target)
        with socket.create_connection(leg.listen, timeout=10) as stream:
            stream.sendall(b"1")
            assert stream.recv(1) == b"1"
            relay.change(leg, outage=True)
            stream.sendall(b"2")
            stream.settimeout(0.2)
            with pytest.raises(TimeoutError):
                stream.recv(1)
            stream.settimeout(10)
            relay.change(leg, outage=False)
            assert stream.recv(1) == b"2"


def test_where_nobody_listens_a_stream_is_reset(relay: Relay) -> None:
    leg = relay.add(listen=("127.2.1.3", 0), target=FAR)
    # Where a round trip is short, the reset may come before the call that connects has returned.
    with pytest.raises(ConnectionError), socket.create_connection(leg.listen, timeout=10) as stream:
        _read_all(stream)


# -- dishonest carriers ------------------------------------------------------------------------------------------


def test_a_carrier_may_corrupt(relay: Relay) -> None:
    with bound("127.1.0.1") as target, bound("127.0.0.1") as client:
        leg = relay.add(listen=("127.2.2.1", 0), target=target.getsockname(), behaviour=Behaviour.CORRUPTING)
        came = _through(relay, leg, client, target, 500)
        assert _is_binomial(relay.counts(leg).altered, 500, 0.3)
        assert sum(each != sent for each, sent in zip(came, _numbered(500), strict=True)) == relay.counts(leg).altered


def test_a_carrier_may_replay_what_passed_on_other_legs(relay: Relay) -> None:
    with bound("127.1.0.1") as target, bound("127.0.0.1") as client:
        earlier = relay.add(listen=("127.2.2.2", 0), target=FAR, behaviour=Behaviour.REPLAYING)
        leg = relay.add(listen=("127.2.2.3", 0), target=target.getsockname(), behaviour=Behaviour.REPLAYING)
        client.sendto(b"of an earlier session", earlier.listen)
        wait_until(lambda: relay.counts(earlier).received_out == 1)
        client.sendto(b"now", leg.listen)
        assert taken(target) == [b"of an earlier session", b"of an earlier session", b"now", b"now"]
        assert relay.counts(leg).forged == 3


@pytest.mark.parametrize("behaviour", [Behaviour.SPOOFING, Behaviour.SPOOFING_FIRST])
def test_a_carrier_may_copy_ready_from_another_address(relay: Relay, behaviour: Behaviour) -> None:
    ready = _packet(PacketType.READY)
    with bound("127.1.0.1") as target, bound("127.0.0.1") as client:
        leg = relay.add(listen=("127.2.2.4", 0), target=target.getsockname(), round_trip_ns=MS, behaviour=behaviour)
        client.sendto(ready, leg.listen)
        client.sendto(_packet(PacketType.REPLY), leg.listen)
        came = [target.recvfrom(100) for _ in range(3)]
        copy = 0 if behaviour is Behaviour.SPOOFING_FIRST else 1
        assert [data for data, _ in came] == [ready, ready, _packet(PacketType.REPLY)]
        assert [address[0] == "127.2.2.4" for _, address in came] == [number != copy for number in range(3)]
        target.sendto(b"to whom?", came[copy][1])
        wait_until(lambda: relay.counts(leg).astray == 1)
        assert taken(client) == []


@pytest.mark.parametrize("host", ["127.1.0.1", "::1"])
def test_a_carrier_may_flood(relay: Relay, host: str) -> None:
    near = "::1" if host == "::1" else "127.2.2.5"
    with bound(host) as target, bound(host) as client:
        leg = relay.add(listen=(near, 0), target=target.getsockname()[:2], behaviour=Behaviour.FLOODING)
        client.sendto(_packet(PacketType.REPLY), leg.listen)
        came = [target.recvfrom(100) for _ in range(FLOOD + 1)]
        assert came[-1][0] == _packet(PacketType.REPLY)
        assert sum(address == came[-1][1] for _, address in came) == FLOOD // 2 + 1
        target.sendto(b"an answer", came[-1][1])
        assert client.recv(100) == b"an answer"


# -- its end -----------------------------------------------------------------------------------------------------


def test_closing_leaves_no_process_and_no_socket() -> None:
    with echoing("127.1.0.1") as target, bound("127.0.0.1") as client:
        with Relay() as relay:
            leg = relay.add(listen=("127.2.3.1", 0), target=target)
            round_trips_ns(client, leg.listen, 1)
            pids = relay.pids
        relay.close()
        assert not any(map(is_alive, pids))
        with Relay() as again:
            again.add(listen=leg.listen, target=target)
            round_trips_ns(client, leg.listen, 1)


def test_it_ends_with_its_parent_however_that_ends() -> None:
    script = (
        "import sys\n"
        "from lightbound.demo.relay import Relay\n"
        "with Relay() as relay:\n"
        "    relay.add(listen=('127.2.3.2', 0), target=('127.1.0.1', 9), round_trip_ns=1)\n"
        "    print(*relay.pids, flush=True)\n"
        "    sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        pids = [int(pid) for pid in parent.stdout.readline().split()]
        assert all(map(is_alive, pids))
        parent.send_signal(signal.SIGKILL)
    wait_until(lambda: not any(map(is_alive, pids)))


def test_an_address_in_use_is_said_to_be_and_the_others_go_on(relay: Relay) -> None:
    with echoing("127.1.0.1") as target, bound("127.0.0.1") as client:
        leg = relay.add(listen=("127.2.3.3", 0), target=target)
        with pytest.raises(OSError, match="in use"):
            relay.add(listen=leg.listen, target=target)
        round_trips_ns(client, leg.listen, 1)


def test_a_relay_whose_process_is_gone_says_so() -> None:
    with Relay() as relay:
        leg = relay.add(listen=("127.2.3.4", 0), target=FAR)
        os.kill(relay.pids[0], signal.SIGKILL)
        with pytest.raises(Unavailable, match="expected the process that carries packets"):
            relay.change(leg, loss=0.5)


# -- what the tests above do -------------------------------------------------------------------------------------


def _numbered(count: int) -> list[bytes]:
    return [number.to_bytes(4, "big") for number in range(count)]


def _through(relay: Relay, leg: Leg, client: socket.socket, target: socket.socket, count: int) -> list[bytes]:
    """What comes of so many numbered datagrams, in the order in which it comes."""
    before, came = relay.counts(leg).received_out, []
    for number, data in enumerate(_numbered(count), start=1):
        client.sendto(data, leg.listen)
        if number % 50 == 0 or number == count:
            _wait_received(relay, leg, before + number)
            came += taken(target, 0.025)
    return came


def _wait_received(relay: Relay, leg: Leg, count: int) -> None:
    wait_until(lambda: relay.counts(leg).received_out == count)


def _is_settled(counts: Counts) -> bool:
    arrived = counts.carried_out + counts.carried_back + counts.lost + counts.undeliverable
    return arrived == counts.received_out + counts.received_back + counts.duplicated and (
        counts.received_back == counts.carried_out
    )


def _is_binomial(count: int, of: int, share: float) -> bool:
    low, high = stats.binom.interval(1 - ALPHA, of, share)
    return bool(low <= count <= high)


def _packet(kind: PacketType) -> bytes:
    return write_packet(kind, bytes(32), handle=bytes(8), round_number=0, nonce=bytes(16))


def _send_all(stream: socket.socket, data: bytes) -> None:
    stream.sendall(data)
    stream.shutdown(socket.SHUT_WR)


def _read_all(stream: socket.socket) -> bytes:
    found = bytearray()
    while piece := stream.recv(1 << 16):
        found += piece
    return bytes(found)


def _answering(host: str) -> "_Answering":
    return _Answering(host)


class _Answering:
    """Sends the bytes of one stream back, and ends it when the other side has."""

    def __init__(self, host: str) -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.create_server((host, 0), family=family)
        self._thread = threading.Thread(target=self._answer)

    def _answer(self) -> None:
        stream, _ = self._listener.accept()
        with stream:
            while piece := stream.recv(1 << 16):
                stream.sendall(piece)

    def __enter__(self) -> tuple[str, int]:
        self._thread.start()
        host, port = self._listener.getsockname()[:2]
        return host, port

    def __exit__(self, *_: object) -> None:
        self._thread.join()
        self._listener.close()
