"""Sessions of an agent process with landmark processes: who stalls holds up nobody, and none is run twice."""

import json
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from lightbound.enrolment.delivery import Step
from lightbound.keys.signing import digest
from lightbound.ranging.statements.session import read_session, write_session
from tests.roles.agent.office import another_delivery
from tests.roles.agent.running import enrolled, steps, waited
from tests.roles.landmark.running import World, descendants, free_port, is_alive


@contextmanager
def stalling() -> Iterator[str]:
    """A landmark that lets everybody connect, and says nothing; where it is."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@contextmanager
def leaving(behind: str) -> Iterator[str]:
    """A landmark that gives what the one `behind` it gives, once, and is gone; where it is."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                listener.close()
                head, _, body = _read(connection)
                assert head.startswith(b"POST /clp1/sessions ")
                given = httpx.post(f"{behind}/clp1/sessions", content=body, trust_env=False).content
                connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(given) + given)

        thread = threading.Thread(target=serve)
        thread.start()
        yield url
        thread.join()


def _read(connection: socket.socket) -> tuple[bytes, bytes, bytes]:
    data = b""
    while True:
        head, end, body = data.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0] or b"0")
        if end and len(body) >= length:
            return head, end, body
        data += connection.recv(65_536)


def opened(running_world: World, number: int, session: bytes) -> bool:
    url = f"{running_world.landmarks[number].url}/clp1/sessions/{digest(session).hex()}"
    return httpx.get(url, trust_env=False).status_code == 200


def test_an_honest_session_is_believed_as_a_stranger_checks_it(landmarks: World, tmp_path: Path) -> None:
    with enrolled(tmp_path, landmarks) as running:
        session = running.world.session()
        running.office.ask(session)
        running.start()
        content = running.office.delivery()
        assert content.failure is None
        assert steps(running, content) == [None] * 4
        found = running.verified(session, content)
        assert len(found.measurements) == 4
        assert not found.refused
        assert all(one.is_acknowledged for one in found.measurements)
        told = waited(lambda: status if (status := running.status()) and status["deliveries_waiting"] == 0 else None)
        assert told["last_session"]["measured"] == told["last_session"]["landmarks"] == 4
        assert told["failing"] == {}
        assert running.office.polls[-1].error == ""
        assert running.stop() == 0
        stopped = running.status()
        assert stopped is not None
        assert stopped["stopped"] is not None


@pytest.mark.long
def test_landmarks_that_stall_or_are_gone_hold_up_nobody(landmarks: World, tmp_path: Path) -> None:
    down = f"http://127.0.0.1:{free_port('127.0.0.1')}"
    with (
        stalling() as stalled,
        leaving(landmarks.landmarks[3].url) as left,
        enrolled(tmp_path, landmarks, urls={1: stalled, 2: down, 3: left}) as running,
    ):
        session = running.world.session()
        running.office.ask(session)
        running.start()
        content = running.office.delivery()
        assert steps(running, content) == [None, Step.CONTRIB, Step.CONTRIB, Step.BIND]
        whys = [part.failure.why for part in content.landmarks.values() if part.failure is not None]
        assert any("no CONTRIB in time" in why for why in whys)
        assert sum("refused" in why for why in whys) == 2
        found = running.verified(session, content)
        assert [one.landmark.key for one in found.measurements] == [landmarks.landmarks[0].key.verifying]
        told = waited(lambda: status if (status := running.status()) and status["failing"] else None)
        assert set(told["last_session"]["landmark_failures"]) == {"lm-1", "lm-2", "lm-3"}
        assert told["failing"]["session"]["why"] in {
            f"{name}: {why}" for name, why in told["last_session"]["landmark_failures"].items()
        }


def test_a_session_is_run_once(landmarks: World, tmp_path: Path) -> None:
    with enrolled(tmp_path, landmarks) as running:
        session = running.world.session()
        read = read_session(session, landmarks.verifier.verifying)
        of_same_sid = write_session(replace(read, policy=bytes([1] * 32)), landmarks.verifier)
        running.office.ask(session, session, of_same_sid)
        running.start()
        waited(lambda: True if running.log().count("not run again") == 2 else None)
        assert [one.session for one in running.office.brought] == [digest(session)]
        assert not opened(landmarks, 0, of_same_sid)


def test_a_session_that_the_agent_died_in_is_told_as_stopped_and_never_run(landmarks: World, tmp_path: Path) -> None:
    with stalling() as stalled, enrolled(tmp_path, landmarks, urls={3: stalled}) as running:
        session = running.world.session()
        running.office.ask(session)
        running.start()
        waited(lambda: True if opened(landmarks, 0, session) else None)
        assert running.process is not None
        children = descendants(running.process.pid)
        assert len(children) == 1
        running.stop(signal.SIGKILL)
        waited(lambda: True if not any(map(is_alive, children)) else None)
        running.office.ask(session)
        running.start()
        content = running.office.delivery()
        assert content.session == digest(session)
        assert content.failure is not None
        assert (content.failure.step, content.failure.why) == (Step.SESSION, "stopped")
        assert content.bind is None
        waited(lambda: True if "not run again" in running.log() else None)
        assert len(running.office.brought) == 1


def test_an_agent_that_is_told_to_end_writes_down_what_there_is(landmarks: World, tmp_path: Path) -> None:
    with stalling() as stalled, enrolled(tmp_path, landmarks, urls={3: stalled}) as running:
        session = running.world.session()
        running.office.ask(session)
        running.start()
        waited(lambda: True if opened(landmarks, 0, session) else None)
        assert running.stop(signal.SIGINT) == 130
        (begun,) = json.loads((running.folder / "sessions.json").read_bytes())["sessions"].values()
        assert begun["is_over"] is True
        assert len(list((running.folder / "deliveries").iterdir())) == 1


def test_a_delivery_that_cannot_be_brought_waits_also_for_the_next_process(landmarks: World, tmp_path: Path) -> None:
    with enrolled(tmp_path, landmarks) as running:
        running.office.set(down={"result"})
        session = running.world.session()
        running.office.ask(session)
        running.start()
        waited(lambda: True if (status := running.status()) and status["deliveries_waiting"] == 1 else None)
        running.office.wait(lambda: any(path.endswith("/result") for _, path, _ in running.office.asked))
        running.stop(signal.SIGKILL)
        running.office.set(down=set())
        running.start()
        content = running.office.delivery()
        assert len(running.verified(session, content).measurements) == 4
        waited(lambda: True if not list((running.folder / "deliveries").iterdir()) else None)


def test_a_delivery_that_is_refused_is_not_brought_for_ever(landmarks: World, tmp_path: Path) -> None:
    with enrolled(tmp_path, landmarks) as running:
        running.office.refusing = another_delivery()
        running.office.ask(running.world.session())
        running.start()
        told = waited(lambda: status if (status := running.status()) and "delivery" in status["failing"] else None)
        assert told["failing"]["delivery"]["code"] == "duplicate"
        running.office.wait(lambda: running.office.polls[-1].error == told["failing"]["delivery"]["why"])
        assert sum(path.endswith("/result") for _, path, _ in running.office.asked) == 1
        assert not list((running.folder / "deliveries").iterdir())
