"""Which landmarks are chosen for a site, and when an agent is due: functions of what they are given, and of no dice."""

from dataclasses import replace
from pathlib import Path

import pytest

from lightbound.errors import ErrorCode, Unavailable
from lightbound.roles.verifier.areas import Areas
from lightbound.roles.verifier.choosing import Choosing, beacon
from lightbound.roles.verifier.schedule import LONGEST_NS, SHORTEST_NS, begun_ns, due_ns, valid_ns
from lightbound.roles.verifier.settings import HOUR_NS, Policy
from lightbound.store.asked import CHECKED, UNANSWERED
from lightbound.store.enrolments import Site
from tests.ranging.parties import LATER_NS, NOW_NS, SECOND_NS, secret, world
from tests.store.made import session

# Six landmarks at 50 N, ten degrees apart; numbers 0 and 4 are one fault unit, and so are 1 and 5.
SITE = Site(name="west", licensed="circle(50,0,100)", excluded="")


def chosen(tmp_path: Path, site: Site = SITE, *, count: int = 6, now_ns: int = NOW_NS) -> list[int]:
    """Numbers of the landmarks chosen for a site."""
    areas = Areas(tmp_path, border_error_m=2_000)
    numbers = {each.key_id: number for number, each in enumerate(world().landmarks)}
    found = Choosing(world().admitted, areas).chosen(site, count=count, now_ns=now_ns)
    assert found == tuple(sorted(found))
    return sorted(numbers[name] for name in found)


def test_the_nearest_of_each_fault_unit_come_before_the_second_of_any(tmp_path: Path) -> None:
    assert chosen(tmp_path, count=3) == [0, 1, 2]
    east = replace(SITE, licensed="circle(50,50,100)")
    # Numbers 4 and 5 are nearest; 0 and 1 are of their units and come after 3 and 2.
    assert chosen(tmp_path, east, count=4) == [2, 3, 4, 5]
    assert chosen(tmp_path, east, count=5) == [1, 2, 3, 4, 5]


def test_a_country_is_as_near_as_its_nearest_ground(tmp_path: Path) -> None:
    # Number 1 stands in Germany.
    assert chosen(tmp_path, replace(SITE, licensed="DE"), count=1) == [1]


def test_a_place_that_is_named_comes_before_the_licensed_area(tmp_path: Path) -> None:
    near = replace(SITE, near_e7=(500_000_000, 300_000_000))
    assert chosen(tmp_path, near, count=1) == [3]


def test_landmarks_that_would_not_be_believed_are_left_out_unless_there_are_no_others(tmp_path: Path) -> None:
    without = replace(SITE, excluded="circle(50,0,300)")
    assert chosen(tmp_path, without) == [1, 2, 3, 4, 5]
    # All of them say that they are under German jurisdiction.
    assert chosen(tmp_path, replace(SITE, excluded="DE")) == [0, 1, 2, 3, 4, 5]


def test_a_landmark_does_not_measure_its_own_agent(tmp_path: Path) -> None:
    own = replace(SITE, landmark=world().landmarks[0].key_id)
    assert chosen(tmp_path, own, count=2) == [1, 2]


def test_where_no_landmark_is_admitted_any_more_nobody_can_be_asked(tmp_path: Path) -> None:
    with pytest.raises(Unavailable) as caught:
        chosen(tmp_path, now_ns=LATER_NS + 1)
    assert caught.value.faults[0].code is ErrorCode.NOT_ADMITTED


def test_the_beacon_is_one_value_an_hour_and_says_what_it_is_worth() -> None:
    first, name = beacon(bytes(32), now_ns=0)
    assert beacon(bytes(32), now_ns=HOUR_NS - 1) == (first, name)
    assert beacon(bytes(32), now_ns=HOUR_NS)[0] != first
    assert beacon(secret("other directory"), now_ns=0)[0] != first
    assert "foreseeable" in name


def test_every_setting_of_a_policy_is_in_its_digest() -> None:
    policy = Policy()
    others = [
        replace(policy, **{name: "joint" if name == "proof" else int(value) + 1})  # type: ignore[arg-type]
        for name, value in policy.fields().items()
    ]
    assert len({one.digest() for one in (policy, *others)}) == len(others) + 1


@pytest.mark.parametrize("number", range(20))
def test_spans_follow_one_another_and_begin_at_a_moment_of_the_agents_own(number: int) -> None:
    agent = secret("agent", number)[:16]
    begun = begun_ns(agent, every_ns=HOUR_NS, now_ns=NOW_NS)
    assert begun <= NOW_NS < begun + HOUR_NS
    assert begun % HOUR_NS == int.from_bytes(agent) % HOUR_NS
    assert begun_ns(agent, every_ns=HOUR_NS, now_ns=begun + HOUR_NS) == begun + HOUR_NS
    assert begun_ns(agent, every_ns=HOUR_NS, now_ns=begun + HOUR_NS - 1) == begun


def test_agents_are_due_at_different_moments() -> None:
    begun = {begun_ns(secret(number)[:16], every_ns=HOUR_NS, now_ns=NOW_NS) for number in range(100)}
    assert len(begun) == 100


def test_who_was_never_asked_is_due_at_once_and_who_answered_in_the_next_span() -> None:
    asked = session(1, issued_ns=NOW_NS)
    when = {"agent": asked.agent, "every_ns": HOUR_NS, "enrolled_ns": NOW_NS - 5}
    assert due_ns(None, **when) == NOW_NS - 5  # type: ignore[arg-type]
    next_ns = due_ns(replace(asked, state=CHECKED), **when)  # type: ignore[arg-type]
    assert NOW_NS < next_ns <= NOW_NS + HOUR_NS
    for state in ("asked", UNANSWERED):
        assert due_ns(replace(asked, state=state), **when) == asked.expiry_ns + 1  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("every_ns", "expected_ns"),
    [(SECOND_NS, SHORTEST_NS), (600 * SECOND_NS, 300 * SECOND_NS), (HOUR_NS, LONGEST_NS), (24 * HOUR_NS, LONGEST_NS)],
)
def test_a_session_is_valid_for_half_the_span_within_limits(every_ns: int, expected_ns: int) -> None:
    assert valid_ns(every_ns) == expected_ns
