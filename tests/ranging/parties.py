"""A small world of parties: their keys, their places, and a session of theirs run to its end in virtual time.

Every key, nonce and salt is a function of its name, so that the same world comes out each time.
"""

import functools
import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from lightbound.keys.ed25519 import SigningKey
from lightbound.keys.purposes import Purpose
from lightbound.keys.signing import digest
from lightbound.ranging.sessions.admitted import AdmittedLandmarks, admitted
from lightbound.ranging.sessions.agent import AgentSession, AgentTrust
from lightbound.ranging.sessions.chain import Chain
from lightbound.ranging.sessions.draw import drawn
from lightbound.ranging.sessions.landmark import Dice, Identity, LandmarkSession
from lightbound.ranging.sessions.verification import LandmarkStatements, SessionStatements
from lightbound.ranging.statements.admission import (
    E7,
    Axis,
    Directory,
    DirectoryTrust,
    Operator,
    PositionStatement,
    write_directory,
    write_operator,
    write_position,
)
from lightbound.ranging.statements.binding import Evidence
from lightbound.ranging.statements.measurement import Stamps, Why
from lightbound.ranging.statements.session import Draw, Session, chips_root, write_session
from lightbound.ranging.timing.challenger import Challenger
from lightbound.ranging.timing.clocks import ClockErrors, Instant
from lightbound.ranging.timing.responder import Responder

NOW_NS: Final = 1_800_000_000_000_000_000
"""When sessions are asked for: early in 2027."""
SECOND_NS: Final = 1_000_000_000
MS_NS: Final = 1_000_000
LATER_NS: Final = NOW_NS + 366 * 86_400 * SECOND_NS
"""Until when statements of admission hold."""

ADDRESS: Final = "198.51.100.7 port 40001"


def secret(*names: object) -> bytes:
    """32 bytes that are a function of names."""
    return hashlib.sha256(repr(names).encode()).digest()


def key(purpose: Purpose, *names: object) -> SigningKey:
    """The key of whoever bears this name, for this purpose."""
    return SigningKey.of_seed(purpose, secret("key", purpose, *names))


VERIFIER: Final = key(Purpose.VERIFIER)
AGENT: Final = key(Purpose.ENROLMENT)
PARTIES: Final = tuple(key(Purpose.DIRECTORY, number) for number in range(3))
TRUST: Final = DirectoryTrust(keys=tuple(each.verifying for each in PARTIES), threshold=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Who runs landmarks, where they stand, and who let them in."""

    operators: tuple[SigningKey, ...]
    landmarks: tuple[SigningKey, ...]
    operator_statements: tuple[bytes, ...]
    positions: tuple[bytes, ...]
    """In the order of `landmarks`."""
    directory: bytes

    @property
    def admitted(self) -> AdmittedLandmarks:
        """Those who are let in."""
        return admitted(self.directory, operators=self.operator_statements, positions=self.positions, trust=TRUST)

    def landmark(self, landmark: bytes) -> SigningKey:
        """The key of a landmark by its id."""
        (found,) = [each for each in self.landmarks if each.key_id == landmark]
        return found

    def position(self, landmark: bytes) -> bytes:
        """Digest of a landmark's POSITION."""
        (found,) = [
            position for each, position in zip(self.landmarks, self.positions, strict=True) if each.key_id == landmark
        ]
        return digest(found)


def operator(signing: SigningKey, owner: str, *, from_ns: int = 0, to_ns: int = LATER_NS) -> Operator:
    """An operator of an owner."""
    return Operator(
        key=signing.verifying, name=f"{owner} hosting", owner=owner, contact="", from_ns=from_ns, to_ns=to_ns
    )


def position_of(
    landmark: SigningKey, by: SigningKey, *, number: int = 0, hosting: str = "rack", jurisdiction: str = "DE"
) -> PositionStatement:
    """Where a landmark stands: ten degrees of longitude for each number."""
    return PositionStatement(
        landmark_key=landmark.verifying,
        operator=by.key_id,
        latitude_e7=50 * E7,
        longitude_e7=10 * number * E7,
        altitude_m=100,
        error_m=50,
        hosting=hosting,
        jurisdiction=jurisdiction,
        can_pause=False,
        surveyed="GNSS, 2026-11",
        from_ns=0,
        to_ns=LATER_NS,
    )


def directory_of(
    operators: Iterable[bytes], positions: Iterable[bytes], *, axes: Sequence[Axis] = (), to_ns: int = LATER_NS
) -> bytes:
    """A directory that lists these statements, signed by two of the three parties."""
    directory = Directory(
        number=1,
        previous=None,
        axes=tuple(sorted(axes)),
        operators=tuple(sorted(map(digest, operators))),
        positions=tuple(sorted(map(digest, positions))),
        from_ns=0,
        to_ns=to_ns,
    )
    return write_directory(directory, PARTIES[:2])


@functools.cache
def world(*, operators: int = 4, landmarks: int = 6) -> World:
    """A world of so many operators, who run so many landmarks in turn."""
    of_operators = tuple(key(Purpose.OPERATOR, number) for number in range(operators))
    of_landmarks = tuple(key(Purpose.LANDMARK, number) for number in range(landmarks))
    operator_statements = tuple(
        write_operator(operator(each, f"owner {number}"), each) for number, each in enumerate(of_operators)
    )
    positions = tuple(
        write_position(
            position_of(each, of_operators[number % operators], number=number, hosting=f"host {number % operators}"),
            of_operators[number % operators],
        )
        for number, each in enumerate(of_landmarks)
    )
    return World(
        operators=of_operators,
        landmarks=of_landmarks,
        operator_statements=operator_statements,
        positions=positions,
        directory=directory_of(operator_statements, positions, axes=(Axis.HOSTING,)),
    )


def chips(name: object, *, count: int = 8) -> list[tuple[bytes, bytes]]:
    """Ids and salts of the chips of a host."""
    return [(secret("chip", number), secret("salt", name, number)[:16]) for number in range(count)]


def session_of(name: object, *, extras: int = 2) -> Session:
    """What the verifier asks for in the session of this name: two chosen landmarks and some drawn ones."""
    of_world = world()
    chosen = tuple(sorted(each.key_id for each in of_world.landmarks[:2]))
    beacon = secret("beacon", name)
    return Session(
        versions=(1,),
        sid=secret("sid", name)[:16],
        agent=AGENT.verifying,
        chips=chips_root(chips(name)),
        directory=digest(of_world.directory),
        landmarks=drawn(
            [each.key_id for each in of_world.landmarks],
            beacon=beacon,
            agent=AGENT.verifying.raw,
            chosen=chosen,
            extras=extras,
        ),
        draw=Draw(beacon=beacon, beacon_name="beacon 17", chosen=chosen, extras=extras),
        policy=secret("policy"),
        issued_ns=NOW_NS,
        expiry_ns=NOW_NS + 300 * SECOND_NS,
        commitments={"site": secret("site")},
    )


def identity(landmark: SigningKey, *, errors: ClockErrors | None = None) -> Identity:
    """A landmark of the world as it knows itself."""
    return Identity(
        key=landmark,
        position=world().position(landmark.key_id),
        errors=errors or ClockErrors(),
        stamps=Stamps.KERNEL,
        utc_error_ns=MS_NS,
        port=8471,
        software="lightbound 0",
    )


def dice(*names: object) -> Dice:
    """What a landmark draws in the session of these names."""
    return Dice(
        random=secret("random", names),
        x_seed=secret("x of landmark", names),
        cookie=secret("cookie", names)[:16],
        close_random=secret("close", names),
        address_salt=secret("address", names),
    )


def opened(
    data: bytes, landmark: SigningKey, name: object, *, errors: ClockErrors | None = None, now_ns: int = NOW_NS
) -> tuple[LandmarkSession, bytes]:
    """A session that this landmark has just been asked for, with its OPEN."""
    return LandmarkSession.opened(
        data,
        identity=identity(landmark, errors=errors),
        verifier=VERIFIER.verifying,
        chain=Chain(),
        dice=dice(name, landmark.key_id),
        up_since_ns=0,
        now_ns=now_ns,
    )


def trust_of_agent() -> AgentTrust:
    """Whom the agent answers: every landmark of the world."""
    of_world = world()
    return AgentTrust(
        verifier=VERIFIER.verifying,
        directories=frozenset({digest(of_world.directory)}),
        landmarks={each.key_id: each.verifying for each in of_world.landmarks},
    )


def asked(data: bytes, name: object, *, now_ns: int = NOW_NS) -> AgentSession:
    """A session that the agent has just been asked for."""
    return AgentSession.asked(
        data,
        trust=trust_of_agent(),
        enrolment=AGENT,
        s_seed=secret("s", name),
        x_seed=secret("x", name),
        now_ns=now_ns,
    )


def at(ns: int) -> Instant:
    """A moment on clocks that all agree."""
    return Instant(ns=ns, check_ns=ns, utc_ns=ns)


def timed(
    challenger: Challenger,
    responder: Responder,
    *,
    round_trip_ns: Callable[[int], int | None],
    now_ns: int = NOW_NS,
    gap_ns: int = 1_000,
) -> int:
    """Run a timed phase to its end; when it ended. `round_trip_ns` of each round, None where a packet is lost."""
    challenger.datagram_received(responder.ready(), address=ADDRESS, at=at(now_ns))
    while not challenger.is_over(now_ns=now_ns):
        wake_ns = challenger.wake_at_ns()
        assert wake_ns is not None
        now_ns = max(now_ns, wake_ns)
        if not challenger.may_send(now_ns=now_ns):
            continue
        number = challenger.sent
        probe = challenger.challenge(nonce=secret("nonce", number)[:16], gap_ns=gap_ns, at=at(now_ns))
        took_ns = round_trip_ns(number)
        if took_ns is None:
            now_ns += 300 * MS_NS  # what the agent waits for a challenge before it says again that it is ready
            challenger.datagram_received(responder.ready(), address=ADDRESS, at=at(now_ns))
            continue
        reply = responder.datagram_received(probe)
        assert reply is not None
        now_ns += took_ns
        challenger.datagram_received(reply, address=ADDRESS, at=at(now_ns))
    challenger.end(at=at(now_ns))
    return now_ns


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A session, and everything that was said in it."""

    asked_for: Session
    session: bytes
    agent: AgentSession
    landmarks: dict[bytes, LandmarkSession]
    opens: dict[bytes, bytes]
    bind: bytes
    evidence: bytes
    by_landmark: dict[bytes, LandmarkStatements] = field(default_factory=dict)

    def statements(self) -> SessionStatements:
        """What goes to whoever checks."""
        return SessionStatements(
            session=self.session, bind=self.bind, evidence=self.evidence, by_landmark=dict(self.by_landmark)
        )


EVIDENCE: Final = Evidence(quote=secret("quote"), reports=((secret("report"), secret("chain")),))


def bound(name: object, *, absent: int = 0, extras: int = 2, errors: ClockErrors | None = None) -> Told:
    """A session up to BIND, which every landmark has taken but the last `absent`, who never contributed."""
    asked_for = session_of(name, extras=extras)
    data = write_session(asked_for, VERIFIER)
    agent = asked(data, name)
    landmarks: dict[bytes, LandmarkSession] = {}
    opens: dict[bytes, bytes] = {}
    for landmark in asked_for.landmarks[: len(asked_for.landmarks) - absent]:
        landmarks[landmark], opens[landmark] = opened(data, world().landmark(landmark), name, errors=errors)
        agent.contribution(landmark, landmarks[landmark].contrib, now_ns=NOW_NS)
    bind = agent.bind(EVIDENCE)
    for each in landmarks.values():
        each.bind(bind, now_ns=NOW_NS)
    return Told(
        asked_for=asked_for,
        session=data,
        agent=agent,
        landmarks=landmarks,
        opens=opens,
        bind=bind,
        evidence=EVIDENCE.manifest(),
    )


def finished(landmark: bytes, told: Told, *, round_trip_ns: int = 3 * MS_NS) -> None:
    """Bring one landmark's part of a session to its MEASUREMENT."""
    here = told.landmarks[landmark]
    assert here.challenger is not None
    timed(here.challenger, told.agent.responders[landmark], round_trip_ns=lambda number: round_trip_ns + 1_000 * number)
    close = here.close()
    ack = told.agent.close(landmark, close)
    here.acknowledge(ack)
    told.by_landmark[landmark] = LandmarkStatements(
        contrib=here.contrib, close=close, ack=ack, measurement=here.measure()
    )


def run(name: object, *, absent: int = 0, extras: int = 2) -> Told:
    """A session run to its end: every landmark that is there measured, the farther ones longer."""
    told = bound(name, absent=absent, extras=extras)
    for number, landmark in enumerate(sorted(told.landmarks)):
        finished(landmark, told, round_trip_ns=(3 + number) * MS_NS)
    return told


@functools.cache
def told() -> Told:
    """One session run to its end, to be read and not to be changed."""
    return run("told")


@functools.cache
def every_statement() -> dict[str, bytes]:
    """One statement of each type, by the short name of its type."""
    of_world, one = world(), told()
    landmark = min(one.by_landmark)
    said = one.by_landmark[landmark]
    ended = bound("ended").landmarks[landmark]
    given = {
        "operator": of_world.operator_statements[0],
        "position": of_world.positions[0],
        "directory": of_world.directory,
        "session": one.session,
        "open": one.opens[landmark],
        "contrib": said.contrib,
        "bind": one.bind,
        "close": said.close,
        "ack": said.ack,
        "measurement": said.measurement,
        "abort": ended.abort(Why.STOPPED, now_ns=NOW_NS + SECOND_NS),
    }
    return {name: data for name, data in given.items() if data is not None}
