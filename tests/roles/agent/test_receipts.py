"""What an agent keeps for whoever owns it: what landmarks said about it, with receipts that a monitor takes."""

import json
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from lightbound.canonical.cose import read as read_cose
from lightbound.keys.signing import digest
from lightbound.net.http_client import MOST_ANSWER_BYTES, Server
from lightbound.ranging.sessions.receipts import Numbered, read_logged, read_numbered
from lightbound.roles.agent.receipts import FOLDER
from lightbound.roles.agent.receipts_file import NAME
from tests.roles.agent.running import Running, enrolled, waited
from tests.roles.landmark.running import World, free_port, world
from tests.roles.log.running import Log, looked, new_log, running


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Two landmarks that submit to a log, which a test starts."""

    log: Log
    world: World


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("logged")
    with ExitStack() as stack:
        log = new_log(folder / "log", folder / "admission", free_port("127.0.0.1"))
        made = stack.enter_context(world(folder, count=2, more=["--log", log.url, "--log-key", str(log.named)]))
        yield Place(log=log, world=made)


@contextmanager
def after_a_session(folder: Path, made: World) -> Iterator[tuple[Running, bytes]]:
    """An agent that runs and has brought a session, and that session's digest."""
    with enrolled(folder, made) as agent:
        session = agent.world.session()
        agent.office.ask(session)
        agent.start()
        content = agent.office.delivery()
        assert all(part.statements.measurement for part in content.landmarks.values())
        yield agent, digest(session)


def held(agent: Running, ending: str = "cose") -> list[Path]:
    return sorted((agent.folder / FOLDER).glob(f"*.{ending}"))


def numbered(path: Path, made: World) -> Numbered:
    """What is held, as its landmark signed it."""
    statement = path.read_bytes()
    assert path.stem == digest(statement).hex()
    signer = read_cose(statement, what="statement").signatures[0].key_id
    (key,) = [one.key.verifying for one in made.landmarks if one.key.key_id == signer]
    return read_numbered(statement, key)


def is_logged(url: str, session: bytes) -> bool:
    """Whether the landmark has receipts of all of a session."""
    with Server(url) as server:
        logged = server.get(f"/clp1/sessions/{session.hex()}/logged").body
    return len(read_logged(logged, most_bytes=MOST_ANSWER_BYTES)) == 2


def left_to_ask(agent: Running) -> int:
    return len(json.loads((agent.folder / NAME).read_bytes())["waiting"])


def waits_for(agent: Running, count: int) -> bool | None:
    """Whether it waits for the receipts of so many landmarks; None if not."""
    return ((agent.folder / NAME).exists() and left_to_ask(agent) == count) or None


def asked_now(agent: Running) -> None:
    """Have what is waited for asked when the agent starts again, and not when it would."""
    file = agent.folder / NAME
    told = json.loads(file.read_bytes())
    for one in told["waiting"]:
        one["at_s"] = 0
    file.write_text(json.dumps(told))


def test_what_landmarks_said_is_held_with_receipts_and_a_monitor_accounts_for_all_of_it(
    place: Place, tmp_path: Path
) -> None:
    monitor = ("monitor", place.log.url, "--log-key", str(place.log.named), "--state", str(tmp_path / "state.json"))
    with after_a_session(tmp_path, place.world) as (agent, session):
        # There is no log yet: nothing is held, and nothing given up.
        waited(lambda: waits_for(agent, 2))
        assert not held(agent)
        agent.stop()
        asked_now(agent)
        with running(place.log):
            waited(lambda: all(is_logged(one.url, session) for one in place.world.landmarks) or None)
            agent.start()
            waited(lambda: waits_for(agent, 0))
            assert len(held(agent)) == len(held(agent, "tlog-proof")) == 4
            said = [numbered(path, place.world) for path in held(agent)]
            assert {one.session for one in said} == {session}
            assert sorted(one.kind.short for one in said) == ["measurement", "measurement", "open", "open"]
            code, output = looked(*monitor, "--held", str(agent.folder / FOLDER))
            assert (code, "unaccounted  0" in output) == (0, True), output

            # The first that it held is gone, as after --keep-days: it is missed unless told not to be.
            for path in held(agent):
                if numbered(path, place.world).link.seq == 0:
                    path.unlink()
            code, output = looked(*monitor, "--held", str(agent.folder / FOLDER))
            assert code == 4
            assert output.count("gap: number 0") == 2
            code, output = looked(*monitor, "--held", str(agent.folder / FOLDER), "--from-first-held")
            assert code == 0, output


def test_what_is_old_is_forgotten(landmarks: World, tmp_path: Path) -> None:
    with after_a_session(tmp_path, landmarks) as (agent, _):
        waited(lambda: waits_for(agent, 4))
        agent.stop()
        file = agent.folder / NAME
        # Landmarks without a log are not heard of: as if one had been.
        file.write_text(json.dumps({**json.loads(file.read_bytes()), "heard_s": time.time()}))
        old = agent.folder / FOLDER / f"{bytes(32).hex()}.cose"
        old.write_bytes(b"")
        os.utime(old, (time.time() - 31 * 86_400,) * 2)
        kept = old.with_suffix(".tlog-proof")
        kept.write_bytes(b"")
        os.utime(kept, (time.time() - 29 * 86_400,) * 2)
        agent.start()
        waited(lambda: not old.exists() or None)
        assert kept.exists()


def test_a_disk_that_takes_no_receipts_stands_in_the_status(landmarks: World, tmp_path: Path) -> None:
    with enrolled(tmp_path, landmarks) as agent:
        agent.start()
        waited(agent.status)
        # No file is written where a folder is.
        (agent.folder / NAME).mkdir()
        agent.office.ask(agent.world.session())
        agent.office.delivery()
        told = waited(lambda: status if (status := agent.status()) and status["failing"] else None)
        assert told["failing"]["receipts"]["code"] == "write_failed"


def test_an_agent_that_keeps_nothing_asks_for_nothing(landmarks: World, tmp_path: Path) -> None:
    with enrolled(tmp_path, landmarks) as agent:
        agent.more = ["--keep-days", "0"]
        agent.office.ask(agent.world.session())
        agent.start()
        agent.office.delivery()
        waited(lambda: status if (status := agent.status()) and status["deliveries_waiting"] == 0 else None)
        assert not (agent.folder / NAME).exists()
        assert not (agent.folder / FOLDER).exists()


@pytest.mark.long
def test_landmarks_without_a_log_are_asked_once(landmarks: World, tmp_path: Path) -> None:
    with after_a_session(tmp_path, landmarks) as (agent, _):
        waited(lambda: waits_for(agent, 4))
        waited(lambda: waits_for(agent, 0))
        assert not held(agent)
        told = waited(lambda: status if (status := agent.status()) and status["last_session"] else None)
        assert told["failing"] == {}


def test_what_another_process_wrote_there_is_named(landmarks: World, tmp_path: Path) -> None:
    with enrolled(tmp_path, landmarks) as agent:
        (agent.folder / NAME).write_text('{"format": "lightbound.agent-receipts/2", "waiting": []}')
        agent.start()
        assert agent.process is not None
        assert agent.process.wait(timeout=20) == 3
        assert f"{agent.folder / NAME}; delete it" in agent.log()
