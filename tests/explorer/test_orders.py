"""No order of messages breaks a property, and the explorer has been everywhere.

The numbers of states and transitions are exact: an explorer that looks at less, or a core that lets happen more, shows.
A change of the core that is meant changes them; then they are looked at and written anew.
"""

import pytest

from tests.explorer.search import Explored, explored
from tests.explorer.splices import spliced
from tests.explorer.tables import Tables, tables_of
from tests.explorer.world import EVIL, Asked, Configuration

ONE, OTHER = Asked(agent=0, landmarks=(0,)), Asked(agent=1, landmarks=(0,))
WIDE, OTHER_WIDE = Asked(agent=0, landmarks=(0, 1)), Asked(agent=1, landmarks=(0, 1))
EVIL_AGENT, EVIL_AGENT_WIDE = Asked(agent=None, landmarks=(0,)), Asked(agent=None, landmarks=(0, 1))
EVIL_LANDMARK = Asked(agent=0, landmarks=(0, EVIL))
RESTARTED_AGENT = Asked(agent=0, landmarks=(0,), agent_ends=2)
FORGETFUL_LANDMARK = Asked(agent=0, landmarks=(0,), landmark_ends=2)
BOTH_TWICE = Asked(agent=0, landmarks=(0,), agent_ends=2, landmark_ends=2)

NARROW_STATES, NARROW_TRANSITIONS = 338, 669
"""Of a session with one landmark."""

WIDE_STATES, WIDE_TRANSITIONS = 109_610, 433_109
"""Of a session with two landmarks."""


def orders(tables: Tables, *only: int) -> Explored:
    """All orders of these ends' messages, or of all ends': nothing is wrong in any, and one is the honest run."""
    found = explored(tables, only=only or None)
    assert tables.alarms == []
    assert found.violation == ()
    assert found.honest
    return found


def tell(tables: Tables, found: Explored) -> None:
    """What `README.md` has in its table."""
    print(  # noqa: T201 - the exploration's result
        f"\n{found.states:,} states, {found.transitions:,} transitions, {found.pairs:,} pairs;"
        f" {tables.states:,} local states, {len(tables.messages):,} messages,"
        f" {tables.executed:,} runs of the core, {tables.refused:,} of them refused"
    )


def is_square(found: Explored, states: int, transitions: int) -> bool:
    """Whether two sessions did nothing to one another: any state of one with any of the other, and no other steps."""
    return found.states == states**2 and found.transitions == 2 * states * transitions


@pytest.mark.parametrize(
    ("configuration", "states", "transitions", "least_runs"),
    [
        pytest.param(Configuration(sessions=(ONE,)), NARROW_STATES, NARROW_TRANSITIONS, 20_000, id="one by one"),
        pytest.param(Configuration(sessions=(ONE,), rounds=4), 1_145, 2_503, 150_000, id="a round too many"),
        pytest.param(Configuration(sessions=(ONE,), addresses=2), 1_890, 4_266, 100_000, id="two addresses"),
        pytest.param(Configuration(sessions=(RESTARTED_AGENT,)), 2_644, 7_248, 80_000, id="an agent twice"),
        pytest.param(Configuration(sessions=(FORGETFUL_LANDMARK,)), 2_672, 7_316, 80_000, id="a landmark twice"),
        pytest.param(Configuration(sessions=(EVIL_AGENT, ONE)), 44_921, 142_970, 80_000, id="attacker as agent"),
        pytest.param(
            Configuration(sessions=(EVIL_LANDMARK,), gives_up=False, with_ends=False),
            455,
            802,
            400_000,
            id="attacker as landmark",
        ),
    ],
)
def test_no_order_of_messages_breaks_a_property(
    configuration: Configuration, states: int, transitions: int, least_runs: int
) -> None:
    tables = tables_of(configuration)
    found = orders(tables)
    tell(tables, found)
    assert (found.states, found.transitions) == (states, transitions)
    assert tables.executed >= least_runs
    assert tables.refused > tables.executed * 0.99


@pytest.mark.long
@pytest.mark.parametrize(
    "second",
    [pytest.param(OTHER, id="of two agents"), pytest.param(ONE, id="of one agent", marks=pytest.mark.soak)],
)
def test_two_sessions_at_one_landmark_do_nothing_to_one_another(second: Asked) -> None:
    tables = tables_of(Configuration(sessions=(ONE, second)))
    found = orders(tables)
    tell(tables, found)
    assert is_square(found, NARROW_STATES, NARROW_TRANSITIONS)
    assert [len(met) for met in found.met] == [len(table.locals) for table in tables.tables]


@pytest.mark.long
def test_everything_that_was_ever_said_in_another_session_is_of_no_use_in_this_one() -> None:
    tables = tables_of(Configuration(sessions=(WIDE, OTHER)))
    found = orders(tables, 0, 1, 2)
    tell(tables, found)
    assert (found.states, found.transitions) == (WIDE_STATES, WIDE_TRANSITIONS)
    assert tables.executed >= 1_000_000


@pytest.mark.parametrize(
    "sessions",
    [
        pytest.param((ONE, OTHER), id="two agents"),
        pytest.param((ONE, ONE), id="one agent"),
        pytest.param((RESTARTED_AGENT,), id="an agent twice"),
        pytest.param((EVIL_AGENT, ONE), id="attacker as agent"),
    ],
)
def test_a_measurement_is_believed_beside_its_own_statements_alone(sessions: tuple[Asked, ...]) -> None:
    found = spliced(tables_of(Configuration(sessions=sessions, gives_up=False)).messages)
    assert found.wrong == ()
    assert found.combinations >= 300
    # Of each BIND that a landmark can take: measured with ACK and without, the former to be believed with it.
    assert (found.believed, found.acknowledged) == (4, 2)


@pytest.mark.soak
@pytest.mark.parametrize(
    "second", [pytest.param(OTHER_WIDE, id="of two agents"), pytest.param(WIDE, id="of one agent")]
)
def test_two_sessions_at_two_landmarks_with_the_attacker_asked_as_well(second: Asked) -> None:
    tables = tables_of(Configuration(sessions=(WIDE, second, EVIL_AGENT)))
    for session in (0, 1):
        found = orders(tables, *(3 * session + part for part in range(3)))
        tell(tables, found)
        # Each step of a session's needs its own messages alone, or there would be an alarm. So every state of one can
        # meet every state of the other, and these are all: 12 thousand million in which nothing is wrong.
        assert (found.states, found.transitions) == (WIDE_STATES, WIDE_TRANSITIONS)
    tell(tables, orders(tables, 6))
    assert spliced(tables.messages).wrong == ()


@pytest.mark.soak
def test_measurements_under_two_binds_of_one_session_are_never_believed_together() -> None:
    twice = Asked(agent=0, landmarks=(0, 1), agent_ends=2)
    tables = tables_of(Configuration(sessions=(twice,), gives_up=False))
    found, believed = orders(tables), spliced(tables.messages)
    tell(tables, found)
    assert (found.states, found.transitions) == (162_916, 553_540)
    assert believed.wrong == ()
    assert believed.believed == 16


@pytest.mark.soak
def test_two_sessions_at_two_landmarks_searched_as_one() -> None:
    sessions = WIDE, OTHER_WIDE
    tables = tables_of(Configuration(sessions=sessions, gives_up=False, with_ends=False))
    alone, together = orders(tables, 0, 1, 2), orders(tables)
    tell(tables, together)
    assert alone.states == 850
    assert is_square(together, alone.states, alone.transitions)


@pytest.mark.soak
@pytest.mark.parametrize(
    ("configuration", "states", "transitions"),
    [
        pytest.param(Configuration(sessions=(BOTH_TWICE,)), 238_888, 943_568, id="both twice"),
        pytest.param(Configuration(sessions=(EVIL_AGENT_WIDE, ONE)), 5_970_203, 26_185_879, id="two-faced BIND"),
        pytest.param(Configuration(sessions=(EVIL_LANDMARK,)), 6_015, 16_990, id="attacker as landmark"),
    ],
)
def test_no_order_of_messages_breaks_a_property_at_length(
    configuration: Configuration, states: int, transitions: int
) -> None:
    tables = tables_of(configuration)
    found = orders(tables)
    tell(tables, found)
    assert (found.states, found.transitions) == (states, transitions)
