"""Statements drawn over the whole range of what may stand in them."""

from typing import Any, Final

from hypothesis import strategies as st

from lightbound.canonical.fields import MOST_NS, MOST_TEXT, is_plain
from lightbound.keys.ed25519 import SigningKey
from lightbound.keys.purposes import Purpose
from lightbound.ranging.statements.admission import (
    E7,
    HIGHEST_M,
    LOWEST_M,
    Axis,
    Directory,
    Operator,
    PositionStatement,
)
from lightbound.ranging.statements.binding import Bind, Contribution, Evidence
from lightbound.ranging.statements.closing import MOST_ROUNDS, Ack, Close
from lightbound.ranging.statements.measurement import ORDER, Abort, Measurement, Stamps, Why
from lightbound.ranging.statements.opening import Contrib, Link, Open
from lightbound.ranging.statements.session import LONGEST_SESSION_NS, Draw, Session
from lightbound.units import LONGEST_ROUND_TRIP_NS
from tests.ranging.statements.every import OPERATOR, S


def octets(length: int) -> st.SearchStrategy[bytes]:
    """Byte strings of one length."""
    return st.binary(min_size=length, max_size=length)


def ascending(items: st.SearchStrategy[Any], *, least: int = 0, most: int = 6) -> st.SearchStrategy[tuple[Any, ...]]:
    """Sets as statements write them."""
    return st.lists(items, min_size=least, max_size=most, unique=True).map(lambda found: tuple(sorted(found)))


def texts(*, least: int = 1) -> st.SearchStrategy[str]:
    """Printable texts without space at their ends."""
    letters = st.characters(categories=("L", "M", "N", "P", "S"), include_characters=" ")
    drawn = st.text(letters, min_size=least, max_size=MOST_TEXT).filter(is_plain)
    return drawn | st.just("x" * MOST_TEXT)


def keys(purpose: Purpose) -> st.SearchStrategy[Any]:
    """Public keys of one purpose."""
    return octets(32).map(lambda seed: SigningKey.of_seed(purpose, seed).verifying)


ids: Final = octets(16)
digests: Final = octets(32)
instants: Final = st.integers(0, MOST_NS)
rounds: Final = st.integers(0, MOST_ROUNDS)
links: Final = st.builds(Link, landmark=ids, agent=ids, seq=st.just(0), prev=st.none()) | st.builds(
    Link, landmark=ids, agent=ids, seq=st.integers(1, 2**63 - 1), prev=digests
)

operators: Final = st.builds(
    Operator,
    key=st.just(OPERATOR.verifying),
    name=texts(),
    owner=texts(),
    contact=texts(least=0),
    from_ns=instants,
    to_ns=instants,
)
positions: Final = st.builds(
    PositionStatement,
    landmark_key=keys(Purpose.LANDMARK),
    operator=st.just(OPERATOR.key_id),
    latitude_e7=st.integers(-90 * E7, 90 * E7),
    longitude_e7=st.integers(-180 * E7, 180 * E7),
    altitude_m=st.integers(LOWEST_M, HIGHEST_M),
    error_m=st.integers(0, 20_037_508),
    hosting=texts(),
    jurisdiction=st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=2, max_size=2),
    can_pause=st.booleans(),
    surveyed=texts(least=0),
    from_ns=instants,
    to_ns=instants,
)


@st.composite
def directories(draw: st.DrawFn) -> Directory:
    """The first one has no predecessor, each other has."""
    number = draw(st.integers(1, 2**63 - 1) | st.just(1))
    return Directory(
        number=number,
        previous=None if number == 1 else draw(digests),
        axes=draw(ascending(st.sampled_from(Axis))),
        operators=draw(ascending(digests)),
        positions=draw(ascending(digests)),
        from_ns=draw(instants),
        to_ns=draw(instants),
    )


@st.composite
def sessions(draw: st.DrawFn) -> Session:
    """Valid for up to ten minutes."""
    issued_ns = draw(st.integers(0, MOST_NS - 1))
    return Session(
        versions=draw(ascending(st.integers(1, 255), least=1, most=16)),
        sid=draw(ids),
        agent=draw(keys(Purpose.ENROLMENT)),
        chips=draw(digests),
        directory=draw(digests),
        landmarks=draw(ascending(ids, least=1)),
        draw=Draw(
            beacon=draw(digests),
            beacon_name=draw(texts()),
            chosen=draw(ascending(ids)),
            extras=draw(st.integers(0, 512)),
        ),
        policy=draw(digests),
        issued_ns=issued_ns,
        expiry_ns=draw(st.integers(issued_ns + 1, min(MOST_NS, issued_ns + LONGEST_SESSION_NS))),
        commitments={"site": draw(digests)},
    )


opens: Final = st.builds(Open, link=links, sid=ids, session=digests, at_ns=instants)
contribs: Final = st.builds(
    Contrib,
    version=st.just(1),
    session=digests,
    landmark=ids,
    position=digests,
    random=digests,
    x=digests,
    cookie=ids,
    port=st.integers(1, 65_535),
    expiry_ns=instants,
)
contributions: Final = st.dictionaries(ids, digests, min_size=1, max_size=6).map(
    lambda found: tuple(Contribution(landmark=landmark, digest=found[landmark]) for landmark in sorted(found))
)
binds: Final = st.builds(
    Bind,
    session=digests,
    s=st.just(S.verifying),
    x=digests,
    contributions=contributions,
    absent=ascending(ids),
    evidence=digests,
)


@st.composite
def _closes(draw: st.DrawFn) -> Close:
    """Whose rounds were sent."""
    accepted = draw(ascending(st.integers(0, MOST_ROUNDS - 1), most=MOST_ROUNDS))
    return Close(
        sid=draw(ids),
        landmark=draw(ids),
        bind=draw(digests),
        rounds_sent=draw(st.integers(max(accepted, default=-1) + 1, MOST_ROUNDS)),
        accepted=accepted,
        transcript=draw(digests),
        random=draw(digests),
    )


closes: Final = _closes()
acks: Final = st.builds(Ack, sid=ids, landmark=ids, close=digests, transcript=digests, answered=rounds)


@st.composite
def measurements(draw: st.DrawFn) -> Measurement:
    """Whose numbers agree with one another."""
    sent = draw(st.integers(ORDER, MOST_ROUNDS))
    valid = draw(st.integers(ORDER, sent))
    smallest = sorted(draw(st.lists(st.integers(1, LONGEST_ROUND_TRIP_NS), min_size=ORDER, max_size=ORDER)))
    median_ns = draw(st.integers(smallest[-1] if valid > 4 else smallest[1], LONGEST_ROUND_TRIP_NS))
    error_ns = draw(st.integers(0, LONGEST_ROUND_TRIP_NS))
    from_ns = draw(instants)
    return Measurement(
        link=draw(links),
        sid=draw(ids),
        session=draw(digests),
        position=draw(digests),
        bind=draw(digests),
        close=draw(digests),
        ack=draw(st.none() | digests),
        transcript=draw(digests),
        rounds_sent=sent,
        rounds_valid=valid,
        rounds_dropped=draw(st.integers(0, sent - valid)),
        smallest_ns=tuple(smallest),
        median_ns=median_ns,
        largest_ns=draw(st.integers(max(median_ns, smallest[-1]), LONGEST_ROUND_TRIP_NS)),
        clock_error_ns=error_ns,
        bound_ns=smallest[-1] + error_ns,
        stamps=draw(st.sampled_from(Stamps)),
        from_ns=from_ns,
        to_ns=draw(st.integers(from_ns, MOST_NS)),
        utc_error_ns=draw(st.integers(0, 10_000_000_000)),
        software=draw(texts()),
        commitments={"address": draw(digests)},
    )


aborts: Final = st.builds(
    Abort,
    link=links,
    sid=ids,
    session=digests,
    why=st.sampled_from(Why),
    rounds_sent=rounds,
    rounds_valid=rounds,
    at_ns=instants,
)
evidences: Final = st.builds(Evidence, quote=st.none() | digests, reports=ascending(st.tuples(digests, digests)))

DRAWN: Final[dict[str, st.SearchStrategy[Any]]] = {
    "operator": operators,
    "position": positions,
    "directory": directories(),
    "session": sessions(),
    "open": opens,
    "contrib": contribs,
    "bind": binds,
    "close": closes,
    "ack": acks,
    "measurement": measurements(),
    "abort": aborts,
}
"""By the short name of the type."""
