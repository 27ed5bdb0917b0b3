"""What a landmark that runs is asked: sequences come to be whole, and a gap is told only of what it does not show."""

import secrets
import signal
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from lightbound.canonical.cose import read as read_cose
from lightbound.enrolment.codes import secret_digest
from lightbound.enrolment.requests import Enrol
from lightbound.keys.ed25519 import SigningKey
from lightbound.keys.purposes import Purpose
from lightbound.keys.signing import digest
from lightbound.ranging.statements.kinds import Kind
from lightbound.ranging.statements.measurement import read_measurement
from lightbound.roles.verifier.collecting import PATIENCE_NS, Collector
from lightbound.roles.verifier.kept import Kept, open_kept
from lightbound.store.asked import ToAsk
from lightbound.store.enrolments import Invitation, Site
from lightbound.store.sequences import Signed
from tests.roles.landmark.running import SECOND_NS, Landmark, World, world

SITE = Site(name="hall 3", licensed="", excluded="")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("world")) as made:
        yield made


@dataclass(slots=True, kw_only=True)
class Asking:
    """A verifier that asks one landmark about one agent; `now_ns` is the time that it takes it to be."""

    world: World
    kept: Kept
    collector: Collector
    now_ns: int

    @property
    def landmark(self) -> Landmark:
        """The landmark."""
        return self.world.landmarks[0]

    @property
    def agent(self) -> bytes:
        """Id of the agent's key."""
        return self.world.enrolment.key_id

    def session(self) -> bytes:
        """A whole session that this verifier hears nothing of."""
        return digest(self.world.whole_session().session)

    def brought(self) -> bytes:
        """A whole session of which the agent brings MEASUREMENT, and with it nothing of what came before."""
        said = self.world.whole_session()
        data = said.by_landmark[self.landmark.key.key_id].measurement
        assert data is not None
        link = read_measurement(data, self.landmark.key.verifying).link
        self.kept.sequences.add(
            [
                Signed(
                    kind=Kind.MEASUREMENT,
                    session=digest(said.session),
                    landmark=self.landmark.key.key_id,
                    agent=self.agent,
                    data=data,
                    link=link,
                )
            ]
        )
        return digest(said.session)

    def ask(self, session: bytes) -> bool:
        """Ask about a session."""
        one = ToAsk(session=session, agent=self.agent, landmark=self.landmark.key.key_id, outcome="measured", asks=0)
        return self.collector.ask(one, now_ns=self.now_ns)

    def missing(self, *, patience_ns: int | None = PATIENCE_NS) -> tuple[int, ...]:
        """Which numbers are told as missing."""
        found = self.kept.sequences.breaks(patience_ns=patience_ns).get(self.agent)
        return found[self.landmark.key.key_id].missing if found else ()

    def kinds(self, session: bytes) -> set[Kind]:
        """Which statements of a session are here."""
        return set(self.kept.sequences.of_session(session).get(self.landmark.key.key_id, {}))


@pytest.fixture
def asking(running: World, tmp_path: Path) -> Iterator[Asking]:
    # An agent of its own for each test: a sequence of its own.
    mine = replace(running, enrolment=SigningKey.of_seed(Purpose.ENROLMENT, secrets.token_bytes(32)))
    kept, code, now_ns = open_kept(tmp_path), secrets.token_bytes(15), time.time_ns()
    kept.enrolments.invite(
        Invitation(
            secret_digest=secret_digest(code),
            site=SITE,
            chips_expected=None,
            replaces=None,
            made_ns=now_ns,
            expires_ns=now_ns + SECOND_NS,
        )
    )
    said = Enrol(
        verifier=mine.verifier.key_id,
        secret=code,
        key=mine.enrolment.verifying,
        chips=(secrets.token_bytes(32),),
        evidence=None,
        software="test agent",
        at_ns=now_ns,
    )
    kept.enrolments.enrol(said, b"enrol", now_ns=now_ns)
    folder = mine.admission
    collector = Collector(kept, folder.admitted, folder.addresses, ca=None, software="test")
    try:
        yield Asking(world=mine, kept=kept, collector=collector, now_ns=now_ns)
    finally:
        collector.close()
        kept.close()


def test_one_asking_after_a_session_makes_the_whole_sequence_known(asking: Asking) -> None:
    unheard, session = asking.session(), asking.brought()
    assert asking.missing(patience_ns=None) == (0, 1, 2)
    assert asking.missing() == ()
    assert asking.ask(session)
    assert asking.missing(patience_ns=None) == ()
    assert asking.kinds(session) >= {Kind.OPEN, Kind.MEASUREMENT}
    assert asking.kinds(unheard) == {Kind.OPEN, Kind.MEASUREMENT}
    assert not asking.ask(session)


def test_a_landmark_that_is_down_lacks_nothing_until_it_was_for_a_while(asking: Asking) -> None:
    session = asking.brought()
    asking.landmark.stop(signal.SIGKILL)
    asking.ask(session)
    assert asking.missing() == ()
    asking.now_ns += PATIENCE_NS
    asking.ask(session)
    assert asking.missing() == (0,)
    asking.landmark.start()
    assert asking.ask(session)
    assert asking.missing(patience_ns=None) == ()


def test_what_a_landmark_will_not_show_is_told_and_nothing_else(asking: Asking) -> None:
    first, _, third = asking.brought(), asking.session(), asking.brought()
    hidden = hide(asking, seq=2)
    asking.ask(first)
    asking.ask(third)
    assert asking.missing(patience_ns=None) == (2,)
    assert asking.missing() == ()
    asking.now_ns += PATIENCE_NS
    asking.ask(third)
    assert asking.missing() == (2,)
    assert asking.kept.sequences.not_here(asking.landmark.key.key_id, asking.agent) == [digest(hidden)]
    assert read_cose(hidden, what="statement").kind == Kind.OPEN


def hide(asking: Asking, *, seq: int) -> bytes:
    """Make the landmark forget a statement about the agent; the statement."""
    asking.landmark.stop()
    with closing(sqlite3.connect(asking.landmark.data / "landmark.sqlite")) as connection:
        where = "FROM statements WHERE agent_id = ? AND seq = ?", (asking.agent, seq)
        (found,) = connection.execute(f"SELECT data {where[0]}", where[1]).fetchone()
        connection.execute(f"DELETE {where[0]}", where[1])
        connection.commit()
    asking.landmark.start()
    return bytes(found)


def test_a_landmark_that_left_the_directory_is_asked_nothing(asking: Asking) -> None:
    session = asking.brought()
    collector = Collector(asking.kept, asking.world.admission.admitted, {}, ca=None, software="test")
    one = ToAsk(session=session, agent=asking.agent, landmark=asking.landmark.key.key_id, outcome="measured", asks=0)
    assert not collector.ask(one, now_ns=asking.now_ns)
    assert asking.kinds(session) == {Kind.MEASUREMENT}
