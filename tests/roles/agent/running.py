"""An agent as the process that it is in earnest, beside real landmarks and a verifier of the test's."""

import json
import secrets
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from lightbound.enrolment.delivery import Content
from lightbound.enrolment.trust import Trust, TrustedLandmark
from lightbound.files.keys import key_path, write_new_key
from lightbound.keys.ed25519 import SigningKey
from lightbound.keys.purposes import Purpose
from lightbound.ranging.sessions.verification import SessionStatements, VerifiedSession, verified_session
from lightbound.roles.agent.trust_file import NAME, trust_text
from tests.roles.agent.office import Office, serving
from tests.roles.landmark.running import COMMAND, World

T = TypeVar("T")
SOFTWARE = "lightbound"


def waited(found: Callable[[], T | None], *, within_s: float = 20.0) -> T:
    """What `found` finds, once it finds something."""
    give_up = time.monotonic() + within_s
    while (value := found()) is None:
        assert time.monotonic() < give_up, "it never came"
        time.sleep(0.02)
    return value


@dataclass(slots=True, kw_only=True)
class Running:
    """An agent that has enrolled, the office of its verifier, and the landmarks."""

    folder: Path
    world: World
    office: Office
    more: Sequence[str] = ()
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it."""
        with (self.folder.parent / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [*COMMAND, "agent", "run", "--data", str(self.folder), *self.more],
                stderr=log,
                stdout=log,
                stdin=subprocess.DEVNULL,
            )

    def stop(self, how: int = signal.SIGTERM) -> int:
        """End it, and wait; its exit code."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(how)
        return self.process.wait(timeout=20)

    def status(self) -> dict[str, Any] | None:
        """What it says of itself."""
        try:
            told: dict[str, Any] = json.loads((self.folder / "status.json").read_bytes())
        except FileNotFoundError:
            return None
        return told

    def log(self) -> str:
        """What it wrote to its log."""
        return (self.folder.parent / "log").read_text(encoding="utf-8")

    def id_of(self, number: int) -> bytes:
        """Of a landmark."""
        return self.world.landmarks[number].key.key_id

    def verified(self, session: bytes, content: Content) -> VerifiedSession:
        """A delivery as a stranger checks it."""
        assert content.bind is not None
        assert content.evidence is not None
        statements = SessionStatements(
            session=session,
            bind=content.bind,
            evidence=content.evidence,
            by_landmark={name: part.statements for name, part in content.landmarks.items()},
        )
        return verified_session(
            statements, verifier=self.world.verifier.verifying, landmarks=self.world.admission.admitted
        )


def trust_of(world: World, urls: Mapping[int, str] | None = None) -> Trust:
    """Everybody of a world, some at other addresses."""
    others = urls or {}
    trusted = [
        TrustedLandmark(key=one.key.verifying, name=one.name, url=others.get(number, one.url))
        for number, one in enumerate(world.landmarks)
    ]
    return Trust(
        verifier=world.verifier.verifying,
        directories=(world.admission.admitted.digest,),
        landmarks=tuple(sorted(trusted, key=lambda one: one.key.key_id)),
    )


@contextmanager
def office_of(world: World, urls: Mapping[int, str] | None = None) -> Iterator[tuple[World, Office]]:
    """The verifier of a world, and the world with an agent's key that nobody had before."""
    own = replace(world, enrolment=SigningKey.of_seed(Purpose.ENROLMENT, secrets.token_bytes(32)))
    office = Office(key=world.verifier, trust=trust_of(world, urls), enrolment=own.enrolment)
    with serving(office):
        yield own, office


@contextmanager
def enrolled(folder: Path, world: World, *, urls: Mapping[int, str] | None = None) -> Iterator[Running]:
    """An agent that has enrolled, in `folder`/agent; it is not started."""
    with office_of(world, urls) as (own, office):
        data = folder / "agent"
        write_new_key(key_path(data, Purpose.ENROLMENT), own.enrolment)
        text = trust_text(office.trust, url=office.url, ca=None, landmark_ca=None)
        (data / NAME).write_text(text, encoding="utf-8")
        made = Running(folder=data, world=own, office=office)
        try:
            yield made
        finally:
            if made.process is not None and made.process.poll() is None:
                made.stop(signal.SIGKILL)


def command(*arguments: object, code: int = 0, env: Mapping[str, str] | None = None) -> str:
    """Standard output of one command, which must end with this code."""
    done = subprocess.run(
        [*COMMAND, *map(str, arguments)], capture_output=True, text=True, timeout=60, check=False, env=env
    )
    assert done.returncode == code, done.stderr
    return done.stdout


def steps(running: Running, content: Content) -> Sequence[str | None]:
    """The step that failed with each landmark, in the order of the world."""
    return [
        None if (failure := content.landmarks[one.key.key_id].failure) is None else str(failure.step)
        for one in running.world.landmarks
    ]
