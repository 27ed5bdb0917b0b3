"""A landmark as a process: honest sessions are believed, all else is refused, and it comes back after a crash."""

import json
import os
import secrets
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lightbound.canonical.cbor import Value
from lightbound.canonical.fields import Fields
from lightbound.errors import ErrorCode, LightboundError, Malformed, Refused
from lightbound.keys.ed25519 import SigningKey
from lightbound.keys.purposes import Purpose
from lightbound.keys.signing import digest
from lightbound.net.http_client import Server
from lightbound.ranging.sessions.chain import Linked, breaks
from lightbound.ranging.sessions.verification import verified_session
from lightbound.ranging.statements.binding import Evidence
from lightbound.ranging.statements.measurement import Stamps, Why, read_abort, read_measurement
from lightbound.ranging.statements.opening import read_open
from tests.roles.landmark.running import SECOND_NS, World, answer_phase, descendants, is_alive, world


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("world"), count=2) as made:
        yield made


def refusal(error: LightboundError) -> ErrorCode:
    return error.faults[0].code


def kept(running: World, number: int, session: bytes) -> dict[str, bytes | None]:
    with Server(running.landmarks[number].url) as server:
        fields = Fields.of(server.get(f"/clp1/sessions/{digest(session).hex()}").body, "kept")
    return {name: _octets_or_none(fields.value(name)) for name in ("open", "close", "ack", "measurement", "abort")}


def _octets_or_none(value: Value) -> bytes | None:
    assert value is None or isinstance(value, bytes)
    return value


def test_an_honest_session_is_believed_as_a_stranger_checks_it(running: World) -> None:
    statements = running.whole_session()
    found = verified_session(statements, verifier=running.verifier.verifying, landmarks=running.admission.admitted)
    assert [one.landmark.key for one in found.measurements] == sorted(
        (landmark.key.verifying for landmark in running.landmarks), key=lambda key: key.key_id
    )
    assert all(one.is_acknowledged for one in found.measurements)
    assert all(one.measurement.stamps is Stamps.KERNEL for one in found.measurements)
    assert all(one.measurement.bound_ns < 5_000_000 for one in found.measurements)
    assert not found.refused


def test_everything_said_in_a_session_can_be_had_by_who_knows_its_digest(running: World) -> None:
    statements = running.whole_session()
    said = kept(running, 0, statements.session)
    of_landmark = statements.by_landmark[running.landmarks[0].key.key_id]
    assert said["measurement"] == of_landmark.measurement
    assert said["close"] == of_landmark.close
    assert said["ack"] == of_landmark.ack
    assert said["abort"] is None
    assert isinstance(said["open"], bytes)
    opened = read_open(said["open"], running.landmarks[0].key.verifying)
    assert of_landmark.measurement is not None
    measured = read_measurement(of_landmark.measurement, running.landmarks[0].key.verifying)
    assert measured.link.seq == opened.link.seq + 1
    assert measured.link.prev == digest(said["open"])
    with Server(running.landmarks[0].url) as server:
        assert server.get(f"/clp1/statements/{digest(said['open']).hex()}").body == said["open"]


def test_messages_that_come_again_are_answered_as_the_first_time(running: World) -> None:
    session = running.session()
    name, agent, landmark = digest(session).hex(), running.agent(session), running.landmarks[0]
    with Server(landmark.url) as server:
        first, again = (server.post("/clp1/sessions", session).body for _ in range(2))
        assert first == again
        agent.contribution(landmark.key.key_id, first, now_ns=time.time_ns())
        bind = agent.bind(Evidence())
        for _ in range(2):
            assert server.post(f"/clp1/sessions/{name}/bind", bind).status == 204
        with pytest.raises(Refused):
            server.post("/clp1/sessions", session)
        answer_phase(agent, landmark)
        closings = {server.get(f"/clp1/sessions/{name}/close", query={"wait_s": "9"}, wait_s=9).body for _ in range(2)}
        assert len(closings) == 1
        ack = agent.close(landmark.key.key_id, closings.pop())
        assert len({server.post(f"/clp1/sessions/{name}/ack", ack).body for _ in range(2)}) == 1


def test_a_session_of_a_verifier_that_is_not_answered_is_refused(running: World) -> None:
    stranger = SigningKey.of_seed(Purpose.VERIFIER, secrets.token_bytes(32))
    mine, running.verifier = running.verifier, stranger
    try:
        session = running.session()
    finally:
        running.verifier = mine
    with Server(running.landmarks[0].url) as server, pytest.raises(LightboundError) as caught:
        server.post("/clp1/sessions", session)
    assert refusal(caught.value) is ErrorCode.WRONG_KEY


def test_a_bind_that_counts_the_landmark_absent_ends_its_session(running: World) -> None:
    session = running.session()
    agent, (first, second) = running.agent(session), running.landmarks
    with Server(first.url) as one, Server(second.url) as other:
        agent.contribution(first.key.key_id, one.post("/clp1/sessions", session).body, now_ns=time.time_ns())
        other.post("/clp1/sessions", session)
        bind = agent.bind(Evidence())
        with pytest.raises(LightboundError):
            other.post(f"/clp1/sessions/{digest(session).hex()}/bind", bind)
    abort = kept(running, 1, session)["abort"]
    assert abort is not None
    assert read_abort(abort, second.key.verifying).why is Why.NOT_BOUND_TO


@pytest.mark.parametrize("body", [b"", b"garbage", bytes(70_000)])
def test_garbage_is_malformed_and_what_is_too_long_is_not_read(running: World, body: bytes) -> None:
    with Server(running.landmarks[0].url) as server, pytest.raises(LightboundError) as caught:
        server.post("/clp1/sessions", body)
    assert isinstance(caught.value, Malformed)


def test_a_session_that_nobody_knows_is_refused(running: World) -> None:
    with Server(running.landmarks[0].url) as server:
        for path in ("/clp1/sessions/" + "00" * 32, "/clp1/statements/" + "00" * 32):
            with pytest.raises(LightboundError) as caught:
                server.get(path)
            assert refusal(caught.value) is ErrorCode.WRONG_SESSION


def test_health_and_metrics_tell_how_it_is_and_of_no_agent(running: World) -> None:
    running.whole_session()
    with Server(running.landmarks[0].url) as server:
        health = json.loads(server.get("/health").body)
        metrics = server.get("/metrics").body.decode()
    assert health["ok"] is True
    assert 'lightbound_sessions_ended_total{end="measurement"}' in metrics
    assert running.enrolment.key_id.hex() not in metrics


@pytest.mark.long
def test_an_agent_that_never_answers_leaves_an_abort(tmp_path: Path) -> None:
    with world(tmp_path) as made:
        session = made.session()
        agent, (landmark,) = made.agent(session), made.landmarks
        with Server(landmark.url) as server:
            agent.contribution(landmark.key.key_id, server.post("/clp1/sessions", session).body, now_ns=time.time_ns())
            server.post(f"/clp1/sessions/{digest(session).hex()}/bind", agent.bind(Evidence()))
        # Told to stop, it does not wait for READY.
        assert landmark.stop() == 0
        landmark.start()
        abort = kept(made, 0, session)["abort"]
    assert abort is not None
    assert read_abort(abort, landmark.key.verifying).why is Why.STOPPED


def test_a_landmark_that_was_killed_aborts_what_it_had_opened_and_goes_on(tmp_path: Path) -> None:
    with world(tmp_path) as made:
        (landmark,) = made.landmarks
        first = made.whole_session()
        session = made.session()
        with Server(landmark.url) as server:
            server.post("/clp1/sessions", session)
        assert landmark.process is not None
        (timed,) = descendants(landmark.process.pid)
        landmark.stop(signal.SIGKILL)
        landmark.start()
        assert not is_alive(timed)
        with Server(landmark.url) as server, pytest.raises(LightboundError):
            server.post("/clp1/sessions", session)
        second = made.whole_session()
        verified_session(second, verifier=made.verifier.verifying, landmarks=made.admission.admitted)
        said = [kept(made, 0, one) for one in (first.session, session, second.session)]
    key = landmark.key.verifying
    links = []
    for statements in said:
        assert statements["open"] is not None
        links.append(Linked(link=read_open(statements["open"], key).link, digest=digest(statements["open"])))
        for name, read in (("measurement", read_measurement), ("abort", read_abort)):
            data = statements[name]
            if data is not None:
                links.append(Linked(link=read(data, key).link, digest=digest(data)))
    assert [one.link.seq for one in links] == list(range(6))
    assert not breaks(links)


def test_who_waits_for_a_close_is_answered_at_once_when_it_ends(tmp_path: Path) -> None:
    with world(tmp_path) as made:
        (landmark,) = made.landmarks
        session = made.session()
        with Server(landmark.url) as server:
            server.post("/clp1/sessions", session)
        with socket.create_connection((landmark.host, landmark.port), timeout=20) as waiting:
            path = f"/clp1/sessions/{digest(session).hex()}/close?wait_s=20"
            waiting.sendall(f"GET {path} HTTP/1.1\r\nhost: here\r\n\r\n".encode())
            with Server(landmark.url) as server:
                # It has read the first before it answers the second.
                server.get("/health")
            assert landmark.stop() == 0
            assert waiting.recv(100).startswith(b"HTTP/1.1 204")
        assert "Traceback" not in (landmark.data / "log").read_text(encoding="utf-8")


def test_a_session_issued_before_the_landmark_came_up_is_refused(tmp_path: Path) -> None:
    with world(tmp_path) as made:
        session = made.session(issued_ns=time.time_ns() - 60 * SECOND_NS)
        with Server(made.landmarks[0].url) as server, pytest.raises(LightboundError) as caught:
            server.post("/clp1/sessions", session)
    assert refusal(caught.value) is ErrorCode.NOT_VALID_THEN


def test_if_the_timed_process_dies_the_landmark_ends_and_says_so(tmp_path: Path) -> None:
    with world(tmp_path) as made:
        (landmark,) = made.landmarks
        assert landmark.process is not None
        (timed,) = descendants(landmark.process.pid)
        os.kill(timed, signal.SIGKILL)
        assert landmark.process.wait(timeout=20) == 5
        assert "timed process" in (landmark.data / "log").read_text(encoding="utf-8")


def test_a_second_process_of_one_folder_is_refused(tmp_path: Path) -> None:
    with world(tmp_path) as made:
        (landmark,) = made.landmarks
        other = type(landmark)(
            name="other",
            key=landmark.key,
            host="127.0.0.2",
            port=landmark.port,
            data=landmark.data,
            verifier=made.verifier,
        )
        with pytest.raises(AssertionError, match="already_running"):
            other.start()


def test_it_speaks_ipv6(tmp_path: Path) -> None:
    with world(tmp_path, host="::1") as made:
        found = verified_session(
            made.whole_session(), verifier=made.verifier.verifying, landmarks=made.admission.admitted
        )
    assert len(found.measurements) == 1
