"""A code lets in one agent, a chip answers through one, and a poll counts once."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from lightbound.errors import ErrorCode, Refused
from tests.ranging.parties import NOW_NS, SECOND_NS
from tests.store.made import Stores, agent, chips_of, enrol, invitation, poll, stores


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Stores]:
    with stores(tmp_path / "db") as made:
        yield made


def refusal(kept: Stores, number: int, **how: object) -> ErrorCode:
    with pytest.raises(Refused) as caught:
        kept.enrolments.enrol(enrol(number, **how), b"other", now_ns=NOW_NS)  # type: ignore[arg-type]
    return caught.value.faults[0].code


def test_an_agent_is_let_in_by_its_code_once_and_may_ask_again(kept: Stores) -> None:
    kept.enrolments.invite(invitation(1))
    assert kept.enrolments.enrol(enrol(1), b"enrol", now_ns=NOW_NS)
    assert not kept.enrolments.enrol(enrol(1), b"enrol again", now_ns=NOW_NS + 10 * SECOND_NS)
    assert kept.enrolments.has(b"enrol")
    assert kept.enrolments.chips(agent(1).key_id) == list(chips_of(1))
    (found,) = kept.enrolments.agents()
    assert found.key == agent(1).verifying
    assert found.site.name == "hall 3"


def test_an_unknown_code_a_used_one_and_an_old_one_are_refused(kept: Stores) -> None:
    assert refusal(kept, 1) is ErrorCode.CODE_REFUSED
    kept.enrolments.invite(invitation(1))
    kept.enrolments.enrol(enrol(1), b"enrol", now_ns=NOW_NS)
    assert refusal(kept, 2, by=1) is ErrorCode.CODE_REFUSED
    kept.enrolments.invite(invitation(3, valid_ns=-1))
    assert refusal(kept, 3) is ErrorCode.CODE_REFUSED


def test_who_was_let_in_may_ask_again_when_its_code_has_run_out(kept: Stores) -> None:
    kept.enrolments.invite(invitation(1, valid_ns=SECOND_NS))
    kept.enrolments.enrol(enrol(1), b"enrol", now_ns=NOW_NS)
    later_ns = NOW_NS + 365 * 86_400 * SECOND_NS
    kept.enrolments.check_code(enrol(1).secret, now_ns=later_ns)
    assert not kept.enrolments.enrol(enrol(1), b"enrol again", now_ns=later_ns)
    kept.enrolments.invite(invitation(2, valid_ns=SECOND_NS))
    with pytest.raises(Refused):
        kept.enrolments.check_code(enrol(2).secret, now_ns=later_ns)


def test_a_code_for_so_many_chips_takes_no_others(kept: Stores) -> None:
    kept.enrolments.invite(invitation(1, chips=2))
    with pytest.raises(Refused, match="--chips 2"):
        kept.enrolments.enrol(enrol(1), b"enrol", now_ns=NOW_NS)
    assert kept.enrolments.enrol(enrol(1, chips=chips_of(1, 2)), b"enrol", now_ns=NOW_NS)


def test_the_same_agent_with_other_chips_is_refused(kept: Stores) -> None:
    kept.enrolments.invite(invitation(1))
    kept.enrolments.enrol(enrol(1), b"enrol", now_ns=NOW_NS)
    assert refusal(kept, 1, chips=chips_of(2)) is ErrorCode.CODE_REFUSED


def test_a_known_key_with_a_new_code_is_refused(kept: Stores) -> None:
    for number in (1, 2):
        kept.enrolments.invite(invitation(number))
    kept.enrolments.enrol(enrol(1), b"enrol", now_ns=NOW_NS)
    assert refusal(kept, 1, by=2, chips=chips_of(2)) is ErrorCode.CODE_REFUSED


def test_a_chip_that_answers_through_another_agent_is_refused_and_nothing_is_kept(kept: Stores) -> None:
    for number in (1, 2):
        kept.enrolments.invite(invitation(number))
    kept.enrolments.enrol(enrol(1), b"enrol", now_ns=NOW_NS)
    assert refusal(kept, 2, chips=tuple(sorted((*chips_of(2), chips_of(1)[0])))) is ErrorCode.CODE_REFUSED
    assert kept.enrolments.agent(agent(2).key_id) is None
    assert kept.enrolments.enrol(enrol(2), b"enrol", now_ns=NOW_NS)


def test_an_agent_that_replaces_another_takes_over_its_chips_and_the_other_is_gone(kept: Stores) -> None:
    kept.enrolments.invite(invitation(1))
    kept.enrolments.enrol(enrol(1), b"enrol", now_ns=NOW_NS)
    kept.enrolments.invite(invitation(2, replaces=agent(1).key_id))
    kept.enrolments.enrol(enrol(2, chips=chips_of(1)), b"enrol", now_ns=NOW_NS)
    assert kept.enrolments.agent(agent(1).key_id) is None
    assert kept.enrolments.chips(agent(2).key_id) == list(chips_of(1))


def test_an_agent_that_was_replaced_is_not_told_that_it_was_let_in(kept: Stores) -> None:
    kept.enrolments.invite(invitation(1))
    kept.enrolments.enrol(enrol(1), b"first", now_ns=NOW_NS)
    kept.enrolments.invite(invitation(2, replaces=agent(1).key_id))
    kept.enrolments.enrol(enrol(2), b"second", now_ns=NOW_NS)
    with pytest.raises(Refused) as caught:
        kept.enrolments.enrol(enrol(1), b"first again", now_ns=NOW_NS)
    assert caught.value.faults[0].code is ErrorCode.CODE_REFUSED


def test_nobody_replaces_an_agent_that_is_not_there(kept: Stores) -> None:
    with pytest.raises(Refused):
        kept.enrolments.invite(invitation(2, replaces=agent(1).key_id))


def test_of_many_with_one_code_at_once_exactly_one_is_let_in(kept: Stores) -> None:
    kept.enrolments.invite(invitation(0))

    def enrols(number: int) -> bool:
        try:
            return kept.enrolments.enrol(enrol(number, by=0), b"%d" % number, now_ns=NOW_NS)
        except Refused:
            return False

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(enrols, range(1, 17))) == 1
    assert len(kept.enrolments.agents()) == 1


def test_a_poll_counts_once_and_only_after_the_last(kept: Stores) -> None:
    kept.enrolments.invite(invitation(1))
    kept.enrolments.enrol(enrol(1), b"enrol", now_ns=NOW_NS)
    name = agent(1).key_id
    kept.enrolments.polled(name, poll(NOW_NS), now_ns=NOW_NS + 5)
    for at_ns in (NOW_NS, NOW_NS - 1):
        with pytest.raises(Refused):
            kept.enrolments.polled(name, poll(at_ns), now_ns=NOW_NS + 6)
    found = kept.enrolments.agent(name)
    assert found is not None
    assert (found.polled_ns, found.error) == (NOW_NS + 5, "none")


def test_who_is_silent_stays_so_since_then(kept: Stores) -> None:
    kept.enrolments.invite(invitation(1))
    kept.enrolments.enrol(enrol(1), b"enrol", now_ns=NOW_NS)
    for later in (7, 8):
        kept.enrolments.silent([agent(1).key_id], now_ns=NOW_NS + later)
    found = kept.enrolments.agent(agent(1).key_id)
    assert found is not None
    assert found.silent_since_ns == NOW_NS + 7


def test_settings_are_kept_and_replaced(kept: Stores) -> None:
    kept.enrolments.keep_settings({"every_ns": 1, "proof": "alone"})
    kept.enrolments.keep_settings({"every_ns": 2})
    assert kept.enrolments.settings() == {"every_ns": 2, "proof": "alone"}
