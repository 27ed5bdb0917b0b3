"""An agent whose verifier is away or says what it should not: it goes on, later and later, and tells."""

import secrets
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lightbound.enrolment.delivery import Step
from lightbound.enrolment.trust import Trust
from lightbound.files.keys import key_path, write_new_key
from lightbound.keys.ed25519 import SigningKey
from lightbound.keys.purposes import Purpose
from lightbound.keys.signing import digest
from lightbound.ranging.statements.session import Draw, Session, write_session
from lightbound.roles.agent.handing import Timed
from lightbound.roles.agent.remembered import Deliveries, Sessions
from lightbound.roles.agent.run import FIRST_PAUSE_S, LONGEST_PAUSE_S, Agent, read_agent
from lightbound.roles.agent.session_run import Means
from lightbound.roles.agent.status_file import Status, read_status
from lightbound.roles.agent.trust_file import NAME, trust_text
from lightbound.roles.channel import Channel
from tests.roles.agent.office import Office, serving
from tests.roles.agent.running import waited
from tests.roles.landmark.running import COMMAND


class Patience(threading.Event):
    """An end whose waits pass at once, and are kept; it comes after so many. It is what an agent takes for an end."""

    def __init__(self, most: int) -> None:
        """Not yet."""
        super().__init__()
        self.waits: list[float] = []
        self.most = most
        self.at: dict[int, Callable[[], None]] = {}
        """What happens in the wait of this number."""

    def wait(self, timeout: float | None = None) -> bool:
        """At once."""
        self.waits.append(timeout or 0.0)
        if (happens := self.at.get(len(self.waits))) is not None:
            happens()
        if len(self.waits) >= self.most:
            self.set()
        return self.is_set()


@contextmanager
def office_and_agent(folder: Path, stop: threading.Event) -> Iterator[tuple[Office, Agent]]:
    """An agent of this process; it has nobody who answers challenges, for no session gets so far."""
    verifier = SigningKey.of_seed(Purpose.VERIFIER, secrets.token_bytes(32))
    key = SigningKey.of_seed(Purpose.ENROLMENT, secrets.token_bytes(32))
    trust = Trust(verifier=verifier.verifying, directories=(bytes(32),), landmarks=())
    with serving(Office(key=verifier, trust=trust, enrolment=key)) as office:
        write_new_key(key_path(folder, Purpose.ENROLMENT), key)
        (folder / NAME).write_text(trust_text(trust, url=office.url, ca=None, landmark_ca=None))
        trusted, root = read_agent(folder)
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with ours, theirs:
            means = Means(trusted=trusted, root=root, timed=Timed(Channel(ours)), software="test", stop=stop)
            yield (
                office,
                Agent(
                    folder=folder,
                    means=means,
                    sessions=Sessions.read(folder),
                    deliveries=Deliveries.of(folder),
                    status=Status(software="test", started_ns=time.time_ns()),
                ),
            )


def session(office: Office, *, directory: bytes = bytes(32), landmark: bytes = bytes(16), key: SigningKey) -> bytes:
    now_ns = time.time_ns()
    said = Session(
        versions=(1,),
        sid=secrets.token_bytes(16),
        agent=office.enrolment.verifying,
        chips=bytes(32),
        directory=directory,
        landmarks=(landmark,),
        draw=Draw(beacon=bytes(32), beacon_name="none", chosen=(landmark,), extras=0),
        policy=bytes(32),
        issued_ns=now_ns,
        expiry_ns=now_ns + 60_000_000_000,
        commitments={"site": bytes(32)},
    )
    return write_session(said, key)


def test_it_never_gives_up_and_asks_at_most_five_minutes_apart(tmp_path: Path) -> None:
    stop = Patience(most=40)
    with office_and_agent(tmp_path, stop) as (office, agent):
        office.set(down={"poll"})
        agent.work()
    assert len(office.polls) == 40
    most = FIRST_PAUSE_S
    for wait in stop.waits:
        assert most / 2 <= wait <= most
        most = min(LONGEST_PAUSE_S, 2 * most)
    assert most == LONGEST_PAUSE_S
    # Dates of polls rise, however fast they follow each other.
    dates = [poll.at_ns for poll in office.polls]
    assert dates == sorted(set(dates))


def test_what_went_wrong_last_is_in_the_status_and_in_the_next_poll(tmp_path: Path) -> None:
    stop = Patience(most=3)
    with office_and_agent(tmp_path, stop) as (office, agent):
        office.set(down={"poll"})
        agent.work()
    assert office.polls[0].error == ""
    told = read_status(tmp_path)
    assert told["failing"]["poll"]["code"] == "peer_misbehaved"
    assert told["failing_since"] is not None
    assert told["last_poll"] is None
    assert "503" in told["failing"]["poll"]["why"]
    assert office.polls[-1].error == told["failing"]["poll"]["why"]


def test_a_poll_that_is_answered_ends_the_failing_and_the_long_pauses(tmp_path: Path) -> None:
    stop = Patience(most=6)
    with office_and_agent(tmp_path, stop) as (office, agent):
        office.set(down={"poll"})
        office.is_over = True  # polls that are answered are answered at once
        stop.at = {4: lambda: office.set(down=set()), 5: lambda: office.set(down={"poll"})}
        agent.work()
    assert stop.waits[3] >= 8 * FIRST_PAUSE_S / 2
    assert FIRST_PAUSE_S <= stop.waits[4] <= 2 * FIRST_PAUSE_S
    assert FIRST_PAUSE_S / 2 <= stop.waits[5] <= FIRST_PAUSE_S
    assert [bool(poll.error) for poll in office.polls] == [False, True, True, True, True, False]


@pytest.mark.parametrize("what", ["verifier", "directory", "landmark"])
def test_a_session_of_whom_trust_toml_does_not_name_is_refused(tmp_path: Path, what: str) -> None:
    stop = Patience(most=2)
    with office_and_agent(tmp_path, stop) as (office, agent):
        other = office.key if what != "verifier" else SigningKey.of_seed(Purpose.VERIFIER, bytes(32))
        asked = session(office, key=other, directory=bytes([what == "directory"]) * 32)
        office.ask(asked)
        office.is_over = True
        agent.work()
    if what == "verifier":
        # Nothing is told of it but in POLL: it is nobody's session.
        assert office.brought == []
        assert "key" in office.polls[-1].error
        return
    (content,) = office.brought
    assert content.session == digest(asked)
    assert content.failure is not None
    assert content.failure.step is Step.SESSION
    assert "landmarks that the agent trusts" in content.failure.why
    assert "lightbound agent doctor" in content.failure.why
    assert content.bind is None
    assert content.landmarks == {}
    assert office.polls[-1].error == f"session: {content.failure.why}"


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_an_agent_that_is_told_to_end_while_polls_fail_ends_without_a_word_more(tmp_path: Path, how: int) -> None:
    with office_and_agent(tmp_path, threading.Event()):
        pass
    # Nobody answers any more at the address that it has.
    with (tmp_path / "said").open("wb") as out:
        process = subprocess.Popen([*COMMAND, "agent", "run", "--data", str(tmp_path)], stdout=out, stderr=out)
    waited(lambda: ((tmp_path / "status.json").exists() and read_status(tmp_path)["failing"]) or None)
    process.send_signal(how)
    assert process.wait(timeout=20) == (0 if how == signal.SIGTERM else 130)
    assert "Traceback" not in (tmp_path / "said").read_text()
