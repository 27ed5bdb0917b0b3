"""The fixed world of the explorer: its keys, its directory, and the sessions of a configuration.

Everything that would be drawn is a hash of its name, so that a run is a function of the tree, and two draws of the same
thing are equal: that is what lets a step be remembered. Different things have different values, as 128 bits would.
"""

import functools
import hashlib
from dataclasses import dataclass
from typing import Final

from lightbound.keys.agreement import AgreementKey
from lightbound.keys.ed25519 import SigningKey
from lightbound.keys.purposes import Purpose
from lightbound.keys.signing import digest
from lightbound.ranging.sessions.admitted import AdmittedLandmarks, admitted
from lightbound.ranging.sessions.agent import AgentTrust
from lightbound.ranging.sessions.landmark import Dice, Identity
from lightbound.ranging.statements.admission import (
    E7,
    Directory,
    DirectoryTrust,
    Operator,
    PositionStatement,
    write_directory,
    write_operator,
    write_position,
)
from lightbound.ranging.statements.binding import Evidence
from lightbound.ranging.statements.measurement import Stamps
from lightbound.ranging.statements.session import Draw, Session, chips_root, write_session
from lightbound.ranging.timing.clocks import ClockErrors

ISSUED_NS: Final = 1_800_000_000_000_000_000
SECOND_NS: Final = 1_000_000_000

EVIL: Final = 2
"""The number of the attacker's landmark: admitted, with a place and an operator, and in a session only where a
configuration says so."""

GUESS: Final = b"guessed 16 bytes"
"""What the attacker takes for a nonce when it guesses; it is none."""

LANDMARKS: Final = 3
AGENTS: Final = 2


def octets(*name: object) -> bytes:
    """The 32 bytes that stand for what would be drawn under this name."""
    return hashlib.sha256(repr(name).encode()).digest()


def signing_key(purpose: Purpose, *name: object) -> SigningKey:
    """The key of this name."""
    return SigningKey.of_seed(purpose, octets("key", purpose, *name))


VERIFIER: Final = signing_key(Purpose.VERIFIER)
LANDMARK: Final = tuple(signing_key(Purpose.LANDMARK, number) for number in range(LANDMARKS))
LANDMARK_ID: Final = tuple(key.key_id for key in LANDMARK)
ENROLMENT: Final = tuple(signing_key(Purpose.ENROLMENT, number) for number in range(AGENTS))

EVIL_VERIFIER: Final = signing_key(Purpose.VERIFIER, "attacker")
EVIL_ENROLMENT: Final = signing_key(Purpose.ENROLMENT, "attacker")
EVIL_SESSION: Final = signing_key(Purpose.SESSION, "attacker")
EVIL_AGREEMENT: Final = AgreementKey.of_seed(octets("x", "attacker"))
EVIL_LANDMARK: Final = LANDMARK[EVIL]

NO_EVIDENCE: Final = Evidence().digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One session of a configuration."""

    agent: int | None
    """None: the attacker's own enrolment."""
    landmarks: tuple[int, ...]
    agent_ends: int = 1
    """Two: the agent was restarted, forgot, and lives the session twice, with new keys."""
    landmark_ends: int = 1
    """Two: each landmark forgot the sid, and opens the session twice, with new dice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """What is explored: who is asked for what, and how many rounds a phase has."""

    sessions: tuple[Asked, ...] = ()
    rounds: int = 3
    """Three is the least that gives a bound."""
    gives_up: bool = True
    """Whether a landmark may give up on a challenge before its answer comes."""
    addresses: int = 1
    """Two: packets reach landmarks from the agent's address and from another one."""
    with_ends: bool = True
    """Whether landmarks may abort, restart, and measure. None of it is ever heard by anybody: `README.md`."""


@functools.cache
def directory() -> AdmittedLandmarks:
    """All three landmarks, each with an operator of its own, let in by one party."""
    party = signing_key(Purpose.DIRECTORY)
    keys = [signing_key(Purpose.OPERATOR, number) for number in range(LANDMARKS)]
    ever = {"from_ns": 0, "to_ns": 2 * ISSUED_NS}
    operators = [
        write_operator(Operator(key=key.verifying, name=f"n{i}", owner=f"o{i}", contact="", **ever), key)
        for i, key in enumerate(keys)
    ]
    positions = [
        write_position(
            PositionStatement(
                landmark_key=LANDMARK[i].verifying,
                operator=key.key_id,
                latitude_e7=10 * i * E7,
                longitude_e7=0,
                altitude_m=0,
                error_m=50,
                hosting=f"h{i}",
                jurisdiction="DE",
                can_pause=False,
                surveyed="",
                **ever,
            ),
            key,
        )
        for i, key in enumerate(keys)
    ]
    said = Directory(
        number=1,
        previous=None,
        axes=(),
        operators=tuple(sorted(map(digest, operators))),
        positions=tuple(sorted(map(digest, positions))),
        **ever,
    )
    trust = DirectoryTrust(keys=(party.verifying,), threshold=1)
    return admitted(write_directory(said, [party]), operators=operators, positions=positions, trust=trust)


def sid(number: int) -> bytes:
    """The id of the session of this number."""
    return octets("sid", number)[:16]


def session(number: int, asked: Asked) -> Session:
    """The content of the SESSION of this number."""
    key = EVIL_ENROLMENT if asked.agent is None else ENROLMENT[asked.agent]
    landmarks = tuple(sorted(LANDMARK_ID[landmark] for landmark in asked.landmarks))
    draw = Draw(beacon=octets("beacon"), beacon_name="b", chosen=landmarks, extras=0)
    return Session(
        versions=(1,),
        sid=sid(number),
        agent=key.verifying,
        chips=chips_root([(octets("chip"), bytes(16))]),
        directory=directory().digest,
        landmarks=landmarks,
        draw=draw,
        policy=octets("policy"),
        issued_ns=ISSUED_NS,
        expiry_ns=ISSUED_NS + 500 * SECOND_NS,
        commitments={"site": octets("site")},
    )


def session_statement(number: int, asked: Asked) -> bytes:
    """SESSION of this number, as the verifier signs it."""
    return write_session(session(number, asked), VERIFIER)


def trust() -> AgentTrust:
    """Whom every agent trusts: the verifier and all landmarks of the directory, the attacker's among them."""
    by_id = {landmark: each.key for landmark, each in directory().by_id.items()}
    return AgentTrust(verifier=VERIFIER.verifying, directories=frozenset({directory().digest}), landmarks=by_id)


def identity(landmark: int) -> Identity:
    """What a landmark says of itself; its clocks are right."""
    return Identity(
        key=LANDMARK[landmark],
        position=directory().by_id[LANDMARK_ID[landmark]].position_digest,
        errors=ClockErrors(),
        stamps=Stamps.KERNEL,
        utc_error_ns=1_000_000,
        port=8471,
        software="explorer",
    )


def dice(landmark: int, number: int, end: int) -> Dice:
    """What a landmark draws for a session; another end of the same session draws anew."""
    name = (landmark, number, end)
    return Dice(
        random=octets("random", *name),
        x_seed=octets("x", *name),
        cookie=octets("cookie", *name)[:16],
        close_random=octets("close random", *name),
        address_salt=octets("salt", *name),
    )
