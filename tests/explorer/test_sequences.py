"""However sessions of one agent overlap at a landmark, what the landmark logs about it is one chain."""

from collections.abc import Iterator

from lightbound.ranging.sessions.chain import Chain, Linked, breaks
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


def chain_of(events: tuple[int, ...], *, is_shared: bool) -> list[Linked]:
    """What a landmark logs in this order; `is_shared` says whether its sessions have one chain, as they must."""
    open_: dict[int, LandmarkSession] = {}
    logged: list[Linked] = []
    for number in events:
        if number not in open_:
            chain = (
                next(iter(open_.values())).chain
                if open_ and is_shared
                else Chain(newest=logged[-1] if logged else None)
            )
            open_[number], _ = LandmarkSession.opened(
                world.session_statement(number, ASKED),
                identity=world.identity(0),
                verifier=world.VERIFIER.verifying,
                chain=chain,
                dice=world.dice(0, number, 0),
                up_since_ns=0,
                now_ns=world.ISSUED_NS,
            )
        else:
            open_[number].abort(Why.STOPPED, now_ns=world.ISSUED_NS)
        newest = open_[number].chain.newest
        assert newest is not None
        logged.append(newest)
    return logged


def test_in_every_order_there_are_neither_gaps_nor_forks() -> None:
    all_orders = list(orders())
    assert len(all_orders) == 90
    for events in all_orders:
        logged = chain_of(events, is_shared=True)
        assert [one.link.seq for one in logged] == list(range(2 * SESSIONS))
        assert not breaks(logged)


def test_a_landmark_whose_sessions_have_chains_of_their_own_forks_in_all_orders_but_one_after_another() -> None:
    whole = [events for events in orders() if not breaks(chain_of(events, is_shared=False))]
    assert sorted(whole) == sorted(events for events in orders() if events[::2] == events[1::2])
