"""Sessions, deliveries and decisions: each once, whoever asks again, and however many ask at once."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from lightbound.errors import Refused
from lightbound.store.asked import CHECKED, FAILED, UNANSWERED, Asked, PartKept, Times
from lightbound.store.judged import Decision
from tests.ranging.parties import NOW_NS, SECOND_NS, secret
from tests.store.made import Stores, agent, chips_of, enrol, invitation, session, stores

HOUR_NS = 3_600 * SECOND_NS


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Stores]:
    with stores(tmp_path / "db") as made:
        made.enrolments.invite(invitation(0))
        made.enrolments.enrol(enrol(0), b"enrol", now_ns=NOW_NS)
        yield made


def given(kept: Stores, number: int, *, issued_ns: int = NOW_NS) -> Asked:
    made = session(number, issued_ns=issued_ns)
    assert kept.asked.give(agent(0).key_id, lambda _newest: made) == made.statement
    return made


def delivered(kept: Stores, number: int, *, issued_ns: int = NOW_NS, at_ns: int | None = None) -> Asked:
    made = given(kept, number, issued_ns=issued_ns)
    then_ns = issued_ns if at_ns is None else at_ns
    kept.asked.deliver(made.digest, b"delivery", content=bytes(32), now_ns=then_ns, in_time_ns=then_ns)
    return made


def concluded(kept: Stores, made: Asked, state: str = CHECKED) -> None:
    parts = [PartKept(landmark=bytes(16), outcome="measured")]
    kept.asked.conclude(made.digest, state=state, step=None, why=None, parts=parts, evidence=b"\xa0", ask_ns=NOW_NS)


def test_a_session_is_read_as_it_was_kept(kept: Stores) -> None:
    made = given(kept, 1)
    assert kept.asked.session(made.digest) == made
    assert kept.asked.newest(agent(0).key_id) == made
    assert kept.asked.session(bytes(32)) is None


def test_whoever_decides_what_to_give_sees_the_newest_session(kept: Stores) -> None:
    first, second = given(kept, 1), given(kept, 2, issued_ns=NOW_NS + 1)
    seen: list[Asked | None] = []

    def nothing(newest: Asked | None) -> None:
        seen.append(newest)

    assert kept.asked.give(agent(0).key_id, nothing) is None
    assert seen == [second] != [first]


def test_of_many_polls_at_once_one_makes_a_session_and_the_others_see_it(kept: Stores) -> None:
    def polls(number: int) -> bytes | None:
        def choose(newest: Asked | None) -> Asked | bytes:
            return session(number) if newest is None else newest.statement

        return kept.asked.give(agent(0).key_id, choose)

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(polls, range(16)))) == 1


def test_a_delivery_is_kept_once_and_the_same_content_may_come_again(kept: Stores) -> None:
    made = given(kept, 1)

    def brings(content: bytes) -> bool:
        return kept.asked.deliver(made.digest, b"delivery", content=content, now_ns=NOW_NS, in_time_ns=NOW_NS)

    assert brings(bytes(32))
    assert not brings(bytes(32))
    with pytest.raises(Refused):
        brings(secret("other content"))


def test_of_two_deliveries_at_once_one_is_kept(kept: Stores) -> None:
    made = given(kept, 1)

    def brings(number: int) -> bool:
        try:
            return kept.asked.deliver(
                made.digest, b"%d" % number, content=secret(number), now_ns=NOW_NS, in_time_ns=NOW_NS
            )
        except Refused:
            return False

    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(brings, range(16)))
    found = kept.asked.session(made.digest)
    assert found is not None
    assert sum(taken) == 1
    assert found.delivery == b"%d" % taken.index(True)


def test_an_answer_in_time_ends_silence_and_a_late_one_does_not(kept: Stores) -> None:
    name = agent(0).key_id
    kept.enrolments.silent([name], now_ns=NOW_NS)
    late = given(kept, 1, issued_ns=NOW_NS - HOUR_NS)
    kept.asked.deliver(late.digest, b"late", content=bytes(32), now_ns=NOW_NS, in_time_ns=NOW_NS)
    found = kept.enrolments.agent(name)
    assert found is not None
    assert found.silent_since_ns == NOW_NS
    delivered(kept, 2)
    found = kept.enrolments.agent(name)
    assert found is not None
    assert found.silent_since_ns is None


def test_times_tell_when_the_newest_answered_question_was_asked(kept: Stores) -> None:
    delivered(kept, 1, issued_ns=NOW_NS, at_ns=NOW_NS + HOUR_NS)
    given(kept, 2, issued_ns=NOW_NS + 2)
    assert kept.asked.times() == {
        agent(0).key_id: Times(asked_ns=NOW_NS + 2, answered_ns=NOW_NS + HOUR_NS, heard_ns=NOW_NS)
    }


def test_what_is_left_to_look_at_is_what_was_brought_and_what_ran_out(kept: Stores) -> None:
    brought, waits, ran_out = delivered(kept, 1), given(kept, 2), given(kept, 3, issued_ns=NOW_NS - HOUR_NS)
    left = kept.asked.unlooked_at(expired_ns=NOW_NS)
    assert [one.digest for one in left] == [ran_out.digest, brought.digest]
    assert waits.digest not in [one.digest for one in left]
    concluded(kept, brought)
    concluded(kept, ran_out, UNANSWERED)
    assert kept.asked.unlooked_at(expired_ns=NOW_NS) == []
    assert [one.digest for one in kept.asked.undecided()] == [brought.digest]


def test_landmarks_are_to_be_asked_until_they_were(kept: Stores) -> None:
    made = delivered(kept, 1)
    concluded(kept, made)
    (one,) = kept.asked.to_ask(now_ns=NOW_NS, most=10, of_each=2)
    assert (one.session, one.agent, one.landmark, one.asks) == (made.digest, agent(0).key_id, bytes(16), 0)
    assert kept.asked.to_ask(now_ns=NOW_NS - 1, most=10, of_each=2) == []
    kept.asked.asked_landmark(one, ask_ns=NOW_NS + 5)
    assert kept.asked.to_ask(now_ns=NOW_NS, most=10, of_each=2) == []
    concluded(kept, made)  # looking again does not ask again
    assert kept.asked.to_ask(now_ns=NOW_NS, most=10, of_each=2) == []
    (again,) = kept.asked.to_ask(now_ns=NOW_NS + 5, most=10, of_each=2)
    assert again.asks == 1
    kept.asked.asked_landmark(again, ask_ns=None)
    assert kept.asked.to_ask(now_ns=NOW_NS + HOUR_NS, most=10, of_each=2) == []


def test_a_landmark_that_is_asked_about_much_leaves_room_for_others(kept: Stores) -> None:
    made = [delivered(kept, number) for number in range(4)]
    for number, one in enumerate(made):
        parts = [PartKept(landmark=bytes(16), outcome="silent")]
        if number == 3:
            parts.append(PartKept(landmark=bytes([1] * 16), outcome="silent"))
        kept.asked.conclude(
            one.digest, state=CHECKED, step=None, why=None, parts=parts, evidence=None, ask_ns=NOW_NS + number
        )
    found = kept.asked.to_ask(now_ns=NOW_NS + 10, most=3, of_each=2)
    assert [(one.session, one.landmark) for one in found] == [
        (made[0].digest, bytes(16)),
        (made[1].digest, bytes(16)),
        (made[3].digest, bytes([1] * 16)),
    ]
    assert len(kept.asked.to_ask(now_ns=NOW_NS + 10, most=1, of_each=2)) == 1


def test_sessions_of_a_window_are_those_issued_in_it_and_answered(kept: Stores) -> None:
    made = [delivered(kept, number, issued_ns=NOW_NS + number * HOUR_NS) for number in range(4)]
    for one in made[:3]:
        concluded(kept, one, FAILED if one is made[1] else CHECKED)
    found = kept.asked.delivered(agent(0).key_id, issued_after_ns=NOW_NS)
    assert [one.digest for one in found] == [made[1].digest, made[2].digest]
    newest = kept.asked.newest_delivered(agent(0).key_id)
    assert newest is not None
    assert newest.digest == made[2].digest


def test_a_decision_keeps_since_when_it_holds_and_when_it_was_last_a_proof(kept: Stores) -> None:
    chip = chips_of(0)[0]
    for later, standing in ((1, "verified"), (2, "verified"), (3, "undetermined")):
        made = delivered(kept, later, issued_ns=NOW_NS + later)
        concluded(kept, made)
        kept.judged.decide(
            [Decision(chip=chip, standing=standing, line=f'"{later}"')],
            basis=[made.digest],
            looked_at=[made.digest],
            now_ns=NOW_NS + later,
        )
    (found,) = [one for one in kept.judged.chips() if one.chip == chip]
    assert (found.standing, found.line, found.basis) == ("undetermined", '"3"', (made.digest,))
    assert (found.standing_since_ns, found.proven_ns, found.decided_ns) == (NOW_NS + 3, NOW_NS + 2, NOW_NS + 3)
    assert kept.asked.undecided() == []
    undecided = [one for one in kept.judged.chips() if one.chip != chip]
    assert {one.standing for one in undecided} == {None}
