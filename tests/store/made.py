"""Rows for the stores of a verifier: agents, codes and sessions as functions of a number."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine

from lightbound.canonical.commitments import Disclosure
from lightbound.enrolment.codes import secret_digest
from lightbound.enrolment.requests import Enrol, Poll
from lightbound.keys.ed25519 import SigningKey
from lightbound.keys.purposes import Purpose
from lightbound.store.asked import Asked, AskedSessions
from lightbound.store.engine import VERIFIER, open_store
from lightbound.store.enrolments import Enrolments, Invitation, Site
from lightbound.store.judged import Judgements
from lightbound.store.sequences import Sequences
from tests.ranging.parties import NOW_NS, SECOND_NS, key, secret

SITE = Site(name="hall 3", licensed="circle(1.35,103.82,25.0)", excluded="CN")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stores:
    """The stores over one database."""

    engine: Engine
    enrolments: Enrolments
    asked: AskedSessions
    sequences: Sequences
    judged: Judgements


@contextmanager
def stores(path: Path) -> Iterator[Stores]:
    """The stores over the database in a file, until the block ends."""
    engine = open_store(path, VERIFIER)
    try:
        yield Stores(
            engine=engine,
            enrolments=Enrolments(engine),
            asked=AskedSessions(engine),
            sequences=Sequences(engine),
            judged=Judgements(engine),
        )
    finally:
        engine.dispose()


def agent(number: int) -> SigningKey:
    """The enrolment key of an agent."""
    return key(Purpose.ENROLMENT, "of the store", number)


def code(number: int) -> bytes:
    """The secret of a code."""
    return secret("code", number)[:15]


def invitation(
    number: int, *, chips: int | None = None, replaces: bytes | None = None, valid_ns: int = SECOND_NS
) -> Invitation:
    """A code that was given out just now."""
    return Invitation(
        secret_digest=secret_digest(code(number)),
        site=SITE,
        chips_expected=chips,
        replaces=replaces,
        made_ns=NOW_NS,
        expires_ns=NOW_NS + valid_ns,
    )


def enrol(number: int, *, by: int | None = None, chips: tuple[bytes, ...] | None = None) -> Enrol:
    """What an agent says that asks to be let in, by its own code or that of another."""
    return Enrol(
        verifier=bytes(16),
        secret=code(number if by is None else by),
        key=agent(number).verifying,
        chips=chips_of(number) if chips is None else chips,
        evidence=None,
        software="test",
        at_ns=NOW_NS,
    )


def chips_of(number: int, count: int = 3) -> tuple[bytes, ...]:
    """Chips of an agent."""
    return tuple(sorted(secret("chip", number, place) for place in range(count)))


def poll(at_ns: int) -> Poll:
    """A poll of this instant."""
    return Poll(verifier=bytes(16), wait_s=0, software="test", error="none", at_ns=at_ns)


def session(number: int, *, of: int = 0, issued_ns: int = NOW_NS) -> Asked:
    """A session of an agent; its statement is no real one, for stores do not look into it."""
    return Asked(
        statement=secret("statement", number),
        sid=secret("sid", number)[:16],
        agent=agent(of).key_id,
        chips=tuple((chip, secret("salt", chip)[:16]) for chip in chips_of(of)),
        site=Disclosure(field="site", salt=secret("site"), value={"name": "hall 3"}),
        issued_ns=issued_ns,
        expiry_ns=issued_ns + 600 * SECOND_NS,
    )
