"""However sessions of one agent overlap at a landmark, what the landmark logs about it is one sequence."""

from collections.abc import Iterator

from lightbound.ranging.sessions.chain import Linked, breaks
from lightbound.ranging.sessions.landmark import LandmarkSession
from lightbound.ranging.statements.measurement import Why
from tests.explorer import world
from tests.explorer.world import Asked

SESSIONS = 3
ASKED = Asked(agent=0, landmarks=(0,))


def orders(events: tuple[int, ...] = ()) -> Iterator[tuple[int, ...]]:
    """Every order in which sessions can begin and end: the first time that a session is named it begins."""
    if len(events) == 2 * SESSIONS:
        yield events
    for number in range(SESSIONS):
        if events.count(number) < 2:
            yield from orders((*events, number))


def sequence(events: tuple[int, ...], *, is_told: bool) -> list[Linked]:
    """What a landmark logs in this order; `is_told` says whether a session learns what others have logged."""
    open_: dict[int, LandmarkSession] = {}
    logged: list[Linked] = []
    for number in events:
        newest = (logged[-1].link, logged[-1].digest) if logged else None
        if number not in open_:
            open_[number], _ = LandmarkSession.opened(
                world.session_statement(number, ASKED),
                identity=world.identity(0),
                verifier=world.VERIFIER.verifying,
                previous=newest,
                dice=world.dice(0, number, 0),
                up_since_ns=0,
                now_ns=world.ISSUED_NS,
            )
        else:
            open_[number].abort(Why.STOPPED, now_ns=world.ISSUED_NS, newest=newest if is_told else None)
        logged.append(Linked(link=open_[number].link, digest=open_[number].link_digest))
    return logged


def test_in_every_order_there_are_neither_gaps_nor_forks() -> None:
    all_orders = list(orders())
    assert len(all_orders) == 90
    for events in all_orders:
        logged = sequence(events, is_told=True)
        assert [one.link.seq for one in logged] == list(range(2 * SESSIONS))
        assert not breaks(logged)


def test_a_landmark_that_does_not_tell_its_sessions_of_one_another_forks_in_all_orders_but_one_after_another() -> None:
    whole = [events for events in orders() if not breaks(sequence(events, is_told=False))]
    assert sorted(whole) == sorted(events for events in orders() if events[::2] == events[1::2])
