"""A verifier as a process, with landmarks as processes: what agents get, what is fetched, that files decide alike."""

import base64
import concurrent.futures
import csv
import json
import secrets
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from lightbound.enrolment.delivery import Content, Failure, Part, Step, write_delivery
from lightbound.errors import ErrorCode, LightboundError, Malformed, Refused
from lightbound.keys.ed25519 import SigningKey
from lightbound.keys.purposes import Purpose
from lightbound.keys.signing import digest
from lightbound.net.http_client import Server
from lightbound.ranging.sessions.verification import LandmarkStatements
from lightbound.ranging.statements.session import read_session
from tests.roles.landmark.running import COMMAND, SECOND_NS
from tests.roles.verifier.running import Agent, World, command, waited, world


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    # One landmark is in the directory and never there.
    with world(tmp_path_factory.mktemp("world"), count=4, running=3) as made:
        yield made


def refusal(error: LightboundError) -> ErrorCode:
    return error.faults[0].code


def asked(agent: Agent) -> bytes:
    session = agent.poll()
    assert session is not None
    return session


def test_an_honest_chip_is_verified_and_the_export_decides_alike(running: World, tmp_path: Path) -> None:
    agent = running.agent(chips=2)
    agent.deliver(agent.measured(asked(agent), running.landmarks[:3]))
    told = running.verifier.decided(agent.chips[1])
    assert told["standing"] == "verified"
    out = tmp_path / "out"
    command(
        "verifier", "export", "--data", running.verifier.data, "--admission", running.verifier.admission, "--out", out
    )
    written = json.loads((out / "export.json").read_text())
    assert written["format"] == "lightbound.export/1"
    program, *arguments = written["command"].split()
    assert program == "lightbound"
    again = subprocess.run([*COMMAND, *arguments], cwd=out, capture_output=True, text=True, timeout=120, check=True)
    lines = (out / "verdicts.jsonl").read_text()
    assert again.stdout == lines
    assert json.loads(lines.splitlines()[0])["format"] == "lightbound.verdict/1"
    kept = {one["chip_id"]: one["verdict"] for one in running.verifier.standings() if one["verdict"]}
    assert {verdict["chip_id"]: verdict for verdict in map(json.loads, lines.splitlines())} == kept


@pytest.mark.long
def test_status_says_what_the_running_verifier_says(running: World) -> None:
    agent = running.agent()
    agent.deliver(agent.measured(asked(agent), running.landmarks[:3]))
    running.verifier.decided(agent.chips[0])
    told = json.loads(command("verifier", "status", "--data", running.verifier.data, "--json"))
    assert [one["chip_id"] for one in told["standings"]] == [one["chip_id"] for one in running.verifier.standings()]
    (line,) = [
        line
        for line in command("verifier", "status", "--data", running.verifier.data).splitlines()
        if line.startswith(agent.chips[0].hex()[:16])
    ]
    assert "  hall 3            verified (A0)  " in line
    assert "contrib: " in line  # one landmark is never there
    assert "sequence" not in line
    assert "not shown" not in line


def test_who_is_not_there_is_told_with_the_step_that_failed(running: World) -> None:
    agent = running.agent()
    agent.deliver(agent.measured(asked(agent), running.landmarks[:3]))
    newest = running.verifier.decided(agent.chips[0])["newest_session"]
    assert newest["landmarks"] == {"absent": 1, "measured": 3}
    assert newest["failure"]["step"] == "contrib"


def test_what_the_agent_did_not_bring_is_fetched_from_the_landmark(running: World) -> None:
    agent = running.agent()
    content = agent.measured(asked(agent), running.landmarks[:3])
    # Everything but what cannot be had elsewhere: BIND and the CONTRIBs that it names.
    poor = {
        name: Part(statements=LandmarkStatements(contrib=part.statements.contrib))
        for name, part in content.landmarks.items()
    }
    agent.deliver(replace(content, landmarks=poor))

    def verified() -> bool | None:
        (one,) = [one for one in running.verifier.standings() if one["chip_id"] == agent.chips[0].hex()]
        measured = (one["newest_session"] or {}).get("landmarks", {}).get("measured")
        return True if one["standing"] == "verified" and measured == 3 else None

    assert waited(verified)


def test_what_the_agent_made_up_is_replaced_by_what_the_landmark_says(running: World) -> None:
    agent = running.agent()
    content = agent.measured(asked(agent), running.landmarks[:3])
    (one, two, three) = content.landmarks
    crossed = {
        one: content.landmarks[two],
        two: Part(statements=replace(content.landmarks[two].statements, measurement=b"nothing")),
        three: content.landmarks[three],
    }
    agent.deliver(replace(content, landmarks=crossed))

    def replaced() -> dict[str, int] | None:
        (told,) = [told for told in running.verifier.standings() if told["chip_id"] == agent.chips[0].hex()]
        found: dict[str, int] = (told["newest_session"] or {}).get("landmarks", {})
        # The CONTRIB of the first is lost: landmarks do not keep it once a session is over.
        return found if found.get("measured", 0) >= 2 else None

    assert waited(replaced)["measured"] >= 2


def test_sequences_of_landmarks_come_to_be_whole_and_no_gap_is_told_before(running: World) -> None:
    agent = running.agent()
    agent.deliver(agent.measured(asked(agent), running.landmarks[:3]))
    running.verifier.decided(agent.chips[0])

    def whole() -> bool | None:
        (told,) = [told for told in running.verifier.standings() if told["chip_id"] == agent.chips[0].hex()]
        assert told["sequence_breaks"] == []
        return None if agent.key.key_id in running.verifier.gaps() else True

    assert waited(whole)


def test_an_agent_that_could_not_be_measured_says_why(running: World) -> None:
    agent = running.agent()
    session = asked(agent)
    failure = Failure(step=Step.CONTRIB, why="no route to host")
    agent.deliver(Content(session=digest(session), failure=failure))
    told = running.verifier.decided(agent.chips[0])
    assert told["standing"] == "undetermined"
    assert told["newest_session"]["state"] == "failed"
    assert told["newest_session"]["failure"] == {"landmark": None, "step": "contrib", "why": "no route to host"}


def test_the_landmarks_of_a_session_are_those_of_the_policy_and_the_draw(running: World) -> None:
    agent = running.agent()
    session = read_session(asked(agent), running.verifier.key.verifying)
    assert set(session.landmarks) == {landmark.key.key_id for landmark in running.landmarks}
    assert "foreseeable" in session.draw.beacon_name
    assert session.agent == agent.key.verifying
    assert session.expiry_ns - session.issued_ns == 600 * SECOND_NS
    assert abs(session.issued_ns - time.time_ns()) < 10 * SECOND_NS


def test_a_session_is_given_again_to_who_lost_it_and_not_after_it_was_answered(running: World) -> None:
    agent = running.agent()
    session = asked(agent)
    assert agent.poll() == session
    agent.deliver(Content(session=digest(session), failure=Failure(step=Step.BIND, why="")))
    assert agent.poll() is None


def test_two_polls_at_once_get_one_session_or_none(running: World) -> None:
    agent = running.agent()
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _number: polled(agent), range(4)))
    assert len({answer for answer in answers if isinstance(answer, bytes)}) == 1


def polled(agent: Agent) -> bytes | ErrorCode | None:
    try:
        return agent.poll()
    except LightboundError as error:
        return refusal(error)  # a later one was taken before it


def test_a_long_poll_waits_and_does_not_block_others(running: World) -> None:
    agent = running.agent()
    agent.deliver(Content(session=digest(asked(agent)), failure=Failure(step=Step.BIND, why="")))
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        began = time.monotonic()
        waiting = pool.submit(agent.poll, wait_s=3)
        with Server(running.verifier.url) as server:
            assert server.get("/health").status == 200
        assert time.monotonic() - began < 2.5
        assert waiting.result(timeout=20) is None
        assert time.monotonic() - began >= 2.9


def test_a_later_poll_takes_the_place_of_one_that_waits(running: World) -> None:
    agent = running.agent()
    agent.deliver(Content(session=digest(asked(agent)), failure=Failure(step=Step.BIND, why="")))
    before = last_polled(running, agent)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        began = time.monotonic()
        waiting = pool.submit(agent.poll, wait_s=20)
        waited(lambda: last_polled(running, agent) != before or None)
        assert agent.poll() is None
        assert waiting.result(timeout=20) is None
    assert time.monotonic() - began < 15


def test_polls_that_wait_are_answered_at_once_when_it_ends(tmp_path: Path) -> None:
    with world(tmp_path, count=1, running=0) as made:
        agent = made.agent()
        agent.deliver(Content(session=digest(asked(agent)), failure=Failure(step=Step.BIND, why="")))
        before = last_polled(made, agent)
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(agent.poll, wait_s=20)
            waited(lambda: last_polled(made, agent) != before or None)
            assert made.verifier.stop() == 0
            assert waiting.result(timeout=20) is None
        assert "Traceback" not in made.verifier.log()
        assert "stopped" in made.verifier.log().splitlines()[-1]


def last_polled(running: World, agent: Agent) -> str:
    (told,) = [told for told in running.verifier.standings() if told["chip_id"] == agent.chips[0].hex()]
    return str(told["last_polled"])


def test_a_code_lets_in_one_agent_and_that_one_as_often_as_it_asks(running: World) -> None:
    code = running.verifier.invite(name="hall 4")
    agent, other = Agent(verifier=running.verifier), Agent(verifier=running.verifier)
    agent.enrol(code)
    agent.enrol(code)
    with pytest.raises(Refused) as caught:
        other.enrol(code)
    assert refusal(caught.value) is ErrorCode.CODE_REFUSED


def test_one_code_used_by_many_at_once_lets_in_exactly_one(running: World) -> None:
    code = running.verifier.invite(name="hall 4")
    agents = [Agent(verifier=running.verifier) for _ in range(8)]

    def enrols(agent: Agent) -> ErrorCode | None:
        try:
            agent.enrol(code)
        except Refused as error:
            return refusal(error)
        return None

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        found = list(pool.map(enrols, agents))
    assert sorted(map(str, found)) == sorted(["None", *7 * [ErrorCode.CODE_REFUSED]])


def test_two_deliveries_at_once_are_one_and_the_other_is_refused(running: World) -> None:
    agent = running.agent()
    session = asked(agent)
    different = [
        write_delivery(
            Content(session=digest(session), failure=Failure(step=Step.BIND, why=f"way {number}")),
            agent.key,
            now_ns=time.time_ns(),
        )
        for number in range(6)
    ]

    def brings(data: bytes) -> ErrorCode | None:
        try:
            with agent.server() as server:
                server.post(f"/v1/sessions/{digest(session).hex()}/result", data)
        except Refused as error:
            return refusal(error)
        return None

    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        found = list(pool.map(brings, different))
    assert sorted(map(str, found)) == sorted(["None", *5 * [ErrorCode.OUT_OF_ORDER]])
    assert brings(different[found.index(None)]) is None


def test_the_same_content_signed_anew_is_taken_as_the_same(running: World) -> None:
    agent = running.agent()
    content = Content(session=digest(asked(agent)), failure=Failure(step=Step.BIND, why=""))
    first = agent.deliver(content)
    assert agent.deliver(content) != first


@pytest.mark.parametrize(
    ("path", "code"),
    [("/v1/enrol", ErrorCode.STATEMENT_MALFORMED), ("/v1/poll", ErrorCode.COSE_MALFORMED)],
)
def test_what_is_no_statement_is_refused(running: World, path: str, code: ErrorCode) -> None:
    with Server(running.verifier.url) as server, pytest.raises(Malformed) as caught:
        server.post(path, b"\xa0")
    assert refusal(caught.value) is code


def test_who_has_not_enrolled_is_asked_nothing(running: World) -> None:
    stranger = Agent(verifier=running.verifier)
    with pytest.raises(Refused) as caught:
        stranger.poll()
    assert refusal(caught.value) is ErrorCode.NOT_ENROLLED


def test_a_recorded_poll_is_refused_and_an_old_one_too(running: World) -> None:
    agent = running.agent()
    poll = agent.poll_statement()
    with agent.server() as server:
        server.post("/v1/poll", poll)
        with pytest.raises(Refused) as again:
            server.post("/v1/poll", poll)
        with pytest.raises(Refused) as old:
            server.post("/v1/poll", agent.poll_statement(at_ns=time.time_ns() - 400 * SECOND_NS))
    assert refusal(again.value) is ErrorCode.OUT_OF_ORDER
    assert refusal(old.value) is ErrorCode.NOT_VALID_THEN


def test_nobody_else_brings_a_result(running: World) -> None:
    agent, other = running.agent(), running.agent()
    session = asked(agent)
    content = Content(session=digest(session), failure=Failure(step=Step.BIND, why="forged"))
    path = f"/v1/sessions/{digest(session).hex()}/result"
    strangers = SigningKey.of_seed(Purpose.ENROLMENT, secrets.token_bytes(32))
    with agent.server() as server:
        for key, code in ((other.key, ErrorCode.WRONG_KEY), (strangers, ErrorCode.NOT_ENROLLED)):
            with pytest.raises(Refused) as caught:
                server.post(path, write_delivery(content, key, now_ns=time.time_ns()))
            assert refusal(caught.value) is code
    agent.deliver(content)


def test_a_result_of_no_session_of_ours_is_refused(running: World) -> None:
    agent = running.agent()
    content = Content(session=bytes(32), failure=Failure(step=Step.BIND, why=""))
    with pytest.raises(Refused) as caught:
        agent.deliver(content)
    assert refusal(caught.value) is ErrorCode.WRONG_SESSION


def test_an_agent_that_polls_without_end_is_told_to_wait(running: World) -> None:
    agent = running.agent()
    assert ErrorCode.RATE_LIMITED in [polled(agent) for _ in range(40)]


def test_what_is_stored_outlives_a_kill_and_what_was_left_is_done(running: World) -> None:
    agent = running.agent()
    session = asked(agent)
    content = agent.measured(session, running.landmarks[:3])
    agent.deliver(content)
    running.verifier.stop(signal.SIGKILL)
    running.verifier.start()
    assert running.verifier.decided(agent.chips[0])["standing"] == "verified"
    assert agent.poll() is None


@pytest.mark.parametrize(("count", "more", "warnings"), [(1, (), 1), (2, (), 0), (2, ("--fault-budget=2",), 1)])
def test_it_warns_when_there_are_too_few_fault_units_to_prove_anything(
    tmp_path: Path, count: int, more: Sequence[str], warnings: int
) -> None:
    with world(tmp_path, count=count, running=0, more=more) as made:
        made.verifier.stop()
        told = [line for line in made.verifier.log().splitlines() if "nothing can be proven" in line]
    assert len(told) == warnings
    assert all(f"fault_units={count} needed={count + 1}" in line for line in told)


def test_a_second_process_is_kept_out_of_the_folder(running: World) -> None:
    verifier = running.verifier
    done = subprocess.run(
        [*COMMAND, "verifier", "run", "--data", verifier.data, "--admission", verifier.admission,
         "--listen", "127.0.0.1:0"],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 4
    assert "already_running" in done.stderr


@pytest.mark.long
def test_landmarks_measure_one_another_through_agents_that_stand_at_them(running: World, tmp_path: Path) -> None:
    stands = running.landmarks[0].key.key_id
    agent = Agent(verifier=running.verifier)
    agent.enrol(running.verifier.invite(landmark=stands))
    session = read_session(polls := asked(agent), running.verifier.key.verifying)
    assert stands not in session.draw.chosen
    agent.deliver(agent.measured(polls, running.landmarks[:3]))
    running.verifier.decided(agent.chips[0])
    out = tmp_path / "mesh"
    data, admission = running.verifier.data, running.verifier.admission
    command("verifier", "export", "--data", data, "--admission", admission, "--out", out, "--mesh")
    rows = list(csv.DictReader((out / "mesh.csv").read_text(encoding="utf-8").splitlines()))
    assert {row["chip_id"] for row in rows} == {stands.hex()}
    assert {row["landmark_id"] for row in rows} == {one.key.key_id.hex() for one in running.landmarks[1:3]}
    vetted = json.loads(command("vet", out / "mesh.csv", "--landmarks", out / "landmarks.csv", "--json"))
    assert vetted["pairs_measured"] == 2
    assert vetted["contradictions"] == []


@pytest.mark.long
def test_a_drawing_is_taken_into_the_folder_and_goes_with_the_export(running: World, tmp_path: Path) -> None:
    ring = [[90, -10], [115, -10], [115, 15], [90, 15], [90, -10]]
    drawing = {
        "type": "Feature",
        "properties": {"name": "hall"},
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    }
    (tmp_path / "sites.geojson").write_text(json.dumps(drawing), encoding="utf-8")
    agent = Agent(verifier=running.verifier)
    agent.enrol(running.verifier.invite(licensed=f"@{tmp_path}/sites.geojson#hall", excluded=""))
    (tmp_path / "sites.geojson").unlink()
    agent.deliver(agent.measured(asked(agent), running.landmarks[:3]))
    assert running.verifier.decided(agent.chips[0])["standing"] == "verified"
    out = tmp_path / "out"
    data, admission = running.verifier.data, running.verifier.admission
    command("verifier", "export", "--data", data, "--admission", admission, "--out", out)
    arguments = json.loads((out / "export.json").read_text())["command"].split()[1:]
    again = subprocess.run([*COMMAND, *arguments], cwd=out, capture_output=True, text=True, timeout=120, check=True)
    assert again.stdout == (out / "verdicts.jsonl").read_text()


def test_counts_and_health_are_told(running: World) -> None:
    with Server(running.verifier.url) as server:
        assert json.loads(server.get("/health").body)["ok"] is True
        assert b"lightbound_sessions_asked_total" in server.get("/metrics").body


def test_no_secret_stands_in_the_log_or_the_database(running: World) -> None:
    code = running.verifier.invite(name="hall 5")
    Agent(verifier=running.verifier).enrol(code)
    secret = code.split("-")[1]
    files = [path.read_bytes() for path in running.verifier.data.glob("verifier.sqlite*")]
    assert secret.encode() not in b"".join(files) + running.verifier.log().encode()
    assert base64.b32decode(secret.upper()) not in running.verifier.log().encode()
