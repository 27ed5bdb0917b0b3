"""The delay line between real network stacks: never early, behind a real translation, and nothing of it stays."""

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from scipy import stats

from lightbound.demo.conditions import Behaviour, Counts
from lightbound.demo.delay_line import AGENT_4, AGENT_6, ROUTER_4, ROUTER_6, DelayLine, missing
from lightbound.demo.namespaces import Namespace
from lightbound.errors import Unavailable
from tests.demo.ends import bound, echoing, round_trips_ns, taken, wait_until
from tests.demo.processes import is_alive, networks_in_use

pytestmark = pytest.mark.skipif(missing() is not None, reason=f"a delay line needs {missing()}")

MS = 1_000_000
NEAR, MIDDLE, FAR, BAD = "198.18.1.1", "198.18.1.2", "198.18.1.3", "198.18.1.4"
NEAR_6, FAR_6 = "fd98:1::1", "fd98:1::2"
ROUND_TRIPS_NS = {NEAR: 0, MIDDLE: 999_999, FAR: 7 * MS, BAD: 0, NEAR_6: 1, FAR_6: 7 * MS}

ALPHA = 1e-9
"""For each interval: how often one would fail of a line that keeps its shares, were the seeds drawn anew."""


@pytest.fixture(scope="module")
def line() -> Iterator[DelayLine]:
    with DelayLine(ROUND_TRIPS_NS, seed=5) as made:
        yield made


@pytest.fixture
def agent(line: DelayLine) -> Iterator[socket.socket]:
    with line.agents.inside(lambda: bound(AGENT_4)) as made:
        yield made


@pytest.mark.parametrize("jitter_ns", [0, 200_000])
@pytest.mark.parametrize("landmark", [NEAR, MIDDLE, FAR, NEAR_6, FAR_6])
def test_no_packet_is_early_and_the_third_is_hardly_late(line: DelayLine, landmark: str, jitter_ns: int) -> None:
    line.change(landmark, jitter_ns=jitter_ns)
    inside = line.agents.inside(lambda: bound(AGENT_6 if ":" in landmark else AGENT_4))
    with echoing(landmark, line.landmarks) as target, inside as client:
        found = round_trips_ns(client, target, 64)
    line.change(landmark, jitter_ns=0)
    assert found[0] >= ROUND_TRIPS_NS[landmark]
    # On an idle machine 0.3 ms; this machine may be busy with other tests.
    assert found[2] < ROUND_TRIPS_NS[landmark] + 10 * MS


@pytest.mark.parametrize(("landmark", "inner", "outer"), [(NEAR, AGENT_4, ROUTER_4), (NEAR_6, AGENT_6, ROUTER_6)])
def test_the_landmark_sees_the_router_and_its_answer_is_let_in(
    line: DelayLine, landmark: str, inner: str, outer: str
) -> None:
    target = line.landmarks.inside(lambda: bound(landmark))
    one, other = line.agents.inside(lambda: (bound(inner), bound(inner)))
    with target, one, other:
        for client in (one, other):
            client.sendto(b"x", target.getsockname())
            _, seen = target.recvfrom(100)
            assert seen[0] == outer
            target.sendto(b"for %d" % client.getsockname()[1], seen)
        for client in (one, other):
            assert client.recvfrom(100) == (b"for %d" % client.getsockname()[1], target.getsockname())


def test_whoever_was_not_asked_is_not_let_in(line: DelayLine, agent: socket.socket) -> None:
    target, stranger = line.landmarks.inside(lambda: (bound(NEAR), bound(MIDDLE)))
    with target, stranger:
        agent.sendto(b"x", target.getsockname())
        _, seen = target.recvfrom(100)
        stranger.sendto(b"from another address", seen)
        stranger.sendto(b"to the inside", agent.getsockname())
        wait_until(lambda: _settled(line.counts(MIDDLE)))
        target.sendto(b"asked", seen)
        assert taken(agent) == [b"asked"]


def test_streams_of_the_kernel_pass(line: DelayLine) -> None:
    sent = os.urandom(300_000)
    listener = line.landmarks.inside(lambda: socket.create_server((FAR, 0)))
    came = bytearray()

    def take() -> None:
        stream, address = listener.accept()
        assert address[0] == ROUTER_4
        with stream:
            while piece := stream.recv(1 << 16):
                came.extend(piece)

    thread = threading.Thread(target=take)
    with listener:
        thread.start()
        with line.agents.inside(lambda: socket.create_connection(listener.getsockname(), timeout=10)) as stream:
            stream.sendall(sent)
        thread.join()
    assert bytes(came) == sent


def test_shares_are_kept_and_of_the_bad_landmark_alone(line: DelayLine, agent: socket.socket) -> None:
    count, loss, duplicate = 1_500, 0.2, 0.3
    before = line.counts(BAD)
    line.change(BAD, loss=loss, duplicate=duplicate)
    bad, good = line.landmarks.inside(lambda: (bound(BAD), bound(NEAR)))
    with bad, good:
        came = _through(line, agent, bad, count)
        assert len(_through(line, agent, good, 200)) == 200
    line.change(BAD, loss=0.0, duplicate=0.0)
    counts, arrived = line.counts(BAD), len(set(came))
    assert counts.received_out - before.received_out == count
    assert counts.lost - before.lost == count - arrived
    assert counts.duplicated - before.duplicated == len(came) - arrived
    assert counts.carried_out - before.carried_out == len(came)
    assert _is_binomial(count - arrived, count, loss)
    assert _is_binomial(len(came) - arrived, arrived, duplicate)


def test_order_is_kept_unless_it_is_to_be_lost(line: DelayLine, agent: socket.socket) -> None:
    with line.landmarks.inside(lambda: bound(BAD)) as bad:
        came = _through(line, agent, bad, 100)
        assert came == sorted(came)
        line.change(BAD, reorder=0.3)
        came = _through(line, agent, bad, 100)
        assert came != sorted(came)
        assert len(came) == 100
    line.change(BAD, reorder=0.0)


def test_nothing_passes_in_an_outage_and_all_after_it(line: DelayLine, agent: socket.socket) -> None:
    with echoing(BAD, line.landmarks) as target:
        line.change(BAD, outage=True)
        lost = line.counts(BAD).lost
        agent.sendto(b"lost", target)
        wait_until(lambda: line.counts(BAD).lost == lost + 1)
        line.change(BAD, outage=False, round_trip_ns=30 * MS)
        assert round_trips_ns(agent, target, 3)[0] >= 30 * MS
        assert taken(agent) == []
    line.change(BAD, round_trip_ns=0)


def test_a_line_only_carries(line: DelayLine) -> None:
    with pytest.raises(ValueError, match="only carries"):
        line.change(NEAR, behaviour=Behaviour.CORRUPTING)


def test_a_process_can_be_started_inside(line: DelayLine) -> None:
    seen = line.agents.start(["ip", "-o", "address"], stdout=subprocess.PIPE, text=True)
    told, _ = seen.communicate(timeout=10)
    assert AGENT_4 in told
    assert ROUTER_4 not in told
    assert ROUTER_4 in line.router.run("ip", "-o", "address")


def test_what_fails_inside_says_what_it_was() -> None:
    with Namespace() as namespace:
        with pytest.raises(Unavailable, match=r"`ip link set nothing up` to work, found .*nothing"):
            namespace.run("ip", "link", "set", "nothing", "up")
        with pytest.raises(Unavailable, match="expected the command no-such-command"):
            namespace.run("no-such-command")


def test_closing_leaves_no_process_and_no_namespace() -> None:
    before = networks_in_use()
    with DelayLine({NEAR: MS}) as line:
        made = {Path(each.path).stat().st_ino for each in (line.agents, line.router, line.landmarks)}
        assert made <= networks_in_use() - before
        pid = line.pid
    line.close()
    assert not is_alive(pid)
    assert not made & networks_in_use()


def test_failing_leaves_nothing_either() -> None:
    before = networks_in_use()
    with pytest.raises(Unavailable, match="address add fd98:1:0::1 dev lo nodad` to work"):
        DelayLine({NEAR_6: MS, "fd98:1:0::1": 0})
    assert networks_in_use() <= before


def test_it_ends_with_its_parent_however_that_ends() -> None:
    script = (
        "import os, sys\n"
        "from lightbound.demo.delay_line import DelayLine\n"
        "with DelayLine({'198.18.1.1': 1}) as line:\n"
        "    made = (line.agents, line.router, line.landmarks)\n"
        "    print(line.pid, *(os.stat(each.path).st_ino for each in made), flush=True)\n"
        "    sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        pid, *made = (int(number) for number in parent.stdout.readline().split())
        assert is_alive(pid)
        assert set(made) <= networks_in_use()
        parent.send_signal(signal.SIGKILL)
    wait_until(lambda: not is_alive(pid))
    assert not set(made) & networks_in_use()


# -- what the tests above do -------------------------------------------------------------------------------------


def _through(line: DelayLine, agent: socket.socket, target: socket.socket, count: int) -> list[bytes]:
    """What comes of so many numbered packets, in the order in which it comes."""
    landmark = target.getsockname()[0]
    before = line.counts(landmark).received_out
    came = []
    for number in range(1, count + 1):
        agent.sendto(number.to_bytes(4, "big"), target.getsockname())
        if number % 50 == 0 or number == count:
            _wait_received(line, landmark, before + number)
            came += taken(target, 0.025)
    return came


def _wait_received(line: DelayLine, landmark: str, count: int) -> None:
    wait_until(lambda: line.counts(landmark).received_out == count)


def _settled(counts: Counts) -> bool:
    return counts.received_back == counts.carried_back + counts.lost >= 2


def _is_binomial(count: int, of: int, share: float) -> bool:
    low, high = stats.binom.interval(1 - ALPHA, of, share)
    return bool(low <= count <= high)
