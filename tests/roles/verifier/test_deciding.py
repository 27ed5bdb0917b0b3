"""What a verifier says of a chip, over hours of virtual time: proven, lost, silent, and what may not be gamed."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from lightbound.enrolment.delivery import write_delivery
from lightbound.errors import ErrorCode, Refused
from lightbound.keys.signing import digest
from lightbound.roles.verifier.settings import HOUR_NS
from tests.ranging.parties import SECOND_NS
from tests.roles.verifier.virtual import Virtual, far_ns, virtual


@pytest.fixture
def verifier(tmp_path: Path) -> Iterator[Virtual]:
    with virtual(tmp_path / "verifier") as made:
        yield made


def test_a_chip_that_is_near_is_verified_by_proof_alone_and_with_its_tier(verifier: Virtual) -> None:
    agent = verifier.enrol("a")
    assert verifier.standing("a")["standing"] == "undetermined"
    verifier.answer(agent)
    told = verifier.standing("a")
    verdict = told["verdict"]
    assert isinstance(verdict, dict)
    assert (told["standing"], told["tier"], told["lead"]) == ("verified", "A0", None)
    assert verdict["licensed"]["proof"] == "alone"
    assert verdict["proof_allowed"] == "alone"


def test_all_chips_of_a_host_share_what_was_measured(verifier: Virtual) -> None:
    verifier.answer(verifier.enrol("a", chips=3))
    assert {str(verifier.standing("a", number)["standing"]) for number in range(3)} == {"verified"}


def test_answers_that_come_slowly_accuse_nobody_and_lose_the_proof(verifier: Virtual) -> None:
    agent = verifier.enrol("a")
    verifier.answer(agent)
    verifier.later(2 * HOUR_NS)
    verifier.answer(agent, round_trip_ns=far_ns)
    told = verifier.standing("a")
    assert (told["standing"], told["lead"]) == ("undetermined", "lost_proof")
    verifier.later(HOUR_NS)
    verifier.answer(agent)
    assert (verifier.standing("a")["standing"], verifier.standing("a")["lead"]) == ("verified", None)


def test_an_agent_that_answers_without_being_measured_does_not_live_on_what_it_proved(verifier: Virtual) -> None:
    agent = verifier.enrol("a")
    verifier.answer(agent)
    verifier.later(2 * HOUR_NS)
    verifier.fail(agent)
    told = verifier.standing("a")
    assert (told["standing"], told["lead"]) == ("undetermined", "lost_proof")
    newest = told["newest_session"]
    assert isinstance(newest, dict)
    assert newest["failure"] == {"landmark": None, "step": "contrib", "why": "connection refused"}


def test_an_agent_that_never_proved_anything_leads_nowhere(verifier: Virtual) -> None:
    verifier.fail(verifier.enrol("a"))
    assert (verifier.standing("a")["standing"], verifier.standing("a")["lead"]) == ("undetermined", None)


def test_an_agent_that_fetches_a_question_and_never_answers_becomes_silent(verifier: Virtual) -> None:
    agent = verifier.enrol("a")
    verifier.answer(agent)
    verifier.later(2 * HOUR_NS)
    assert verifier.poll(agent) is not None
    verifier.later(HOUR_NS - SECOND_NS)
    assert verifier.standing("a")["standing"] == "verified"
    verifier.later(2 * SECOND_NS)
    assert verifier.standing("a")["standing"] == "silent"


def test_an_agent_that_never_polls_becomes_silent_for_its_question_was_there(verifier: Virtual) -> None:
    verifier.enrol("a")
    verifier.later(3 * HOUR_NS)
    assert verifier.standing("a")["standing"] == "undetermined"
    verifier.later(SECOND_NS)
    told = verifier.standing("a")
    assert (told["standing"], told["last_asked"], told["not_asked"]) == ("silent", None, False)


def test_an_answer_ends_silence(verifier: Virtual) -> None:
    agent = verifier.enrol("a")
    verifier.later(4 * HOUR_NS)
    assert verifier.standing("a")["standing"] == "silent"
    verifier.answer(agent)
    assert (verifier.standing("a")["standing"], verifier.standing("a")["silent_since"]) == ("verified", None)


def test_silence_never_replaces_an_adverse_finding(verifier: Virtual) -> None:
    # Every landmark hears it at once, though they are thousands of kilometres apart: a key in several places.
    verifier.answer(verifier.enrol("a"), round_trip_ns=lambda _landmark: 100_000)
    found = verifier.standing("a")["standing"]
    assert found == "contradiction"
    verifier.later(4 * HOUR_NS)
    told = verifier.standing("a")
    assert (told["standing"], told["silent_since"] is not None) == ("contradiction", True)


def test_answers_held_back_are_as_old_as_their_questions(verifier: Virtual) -> None:
    # Measured at the right place, then moved, and brought one by one: nobody may live on that.
    agent = verifier.enrol("a")
    held = []
    for _ in range(4):
        session = verifier.poll(agent)
        assert session is not None
        held.append(verifier.play(agent, session))
        verifier.later(HOUR_NS)
    assert verifier.standing("a")["standing"] == "silent"
    for content in held:
        verifier.bring(agent, content)
        assert verifier.standing("a")["standing"] == "silent"
        verifier.later(HOUR_NS)
    assert verifier.standing("a")["standing"] == "silent"


def test_while_nobody_could_be_asked_nobody_becomes_silent(verifier: Virtual) -> None:
    agent = verifier.enrol("a")
    verifier.answer(agent)
    admitted_until_ns = min(one.to_ns for one in verifier.desk.asker.landmarks.by_id.values())
    verifier.later(admitted_until_ns + 1 - verifier.clock.ns)
    verifier.later(24 * HOUR_NS)
    assert verifier.standing("a")["standing"] == "verified"
    assert not verifier.desk.check_able()


def test_that_nobody_asked_is_told_as_our_own_failure(verifier: Virtual) -> None:
    agent = verifier.enrol("a")
    verifier.answer(agent)
    admitted_until_ns = min(one.to_ns for one in verifier.desk.asker.landmarks.by_id.values())
    verifier.later(admitted_until_ns + 1 - verifier.clock.ns)
    with pytest.raises(Exception, match="landmarks that are admitted now"):
        verifier.poll(agent)
    assert verifier.standing("a")["not_asked"] is True


def test_a_session_is_asked_for_once_in_each_span(verifier: Virtual) -> None:
    agent = verifier.enrol("a")
    asked = []
    for _ in range(24 * 6):
        session = verifier.poll(agent)
        if session is not None:
            asked.append(verifier.clock.ns)
            verifier.bring(agent, verifier.play(agent, session))
        verifier.later(HOUR_NS // 6)
    assert 24 <= len(asked) <= 25
    assert all(one - other >= HOUR_NS - HOUR_NS // 6 for other, one in itertools.pairwise(asked[1:]))


def test_a_session_that_ran_out_is_told_as_unanswered_and_another_one_is_given(verifier: Virtual) -> None:
    agent = verifier.enrol("a")
    first = verifier.poll(agent)
    assert first is not None
    verifier.clock.ns += SECOND_NS
    assert verifier.poll(agent) == first
    verifier.clock.ns += 30 * SECOND_NS
    assert verifier.poll(agent) is None
    verifier.later(600 * SECOND_NS + 31 * SECOND_NS)
    for asked in verifier.kept.asked.unlooked_at(expired_ns=verifier.clock.ns - 30 * SECOND_NS):
        verifier.work.looked_at(asked.digest)
    newest = verifier.standing("a")["newest_session"]
    assert isinstance(newest, dict)
    assert newest["state"] == "unanswered"
    second = verifier.poll(agent)
    assert second is not None
    assert second != first


def test_a_recorded_poll_is_refused(verifier: Virtual) -> None:
    agent = verifier.enrol("a")
    verifier.poll(agent)
    with pytest.raises(Refused) as caught:
        verifier.poll(agent)
    assert caught.value.faults[0].code is ErrorCode.OUT_OF_ORDER


def test_what_was_brought_and_not_looked_at_is_found_again(verifier: Virtual) -> None:
    agent = verifier.enrol("a")
    session = verifier.poll(agent)
    assert session is not None
    content = verifier.play(agent, session)
    verifier.desk.deliver(content.session, write_delivery(content, agent, now_ns=verifier.clock.ns))
    (left,) = verifier.kept.asked.unlooked_at(expired_ns=verifier.clock.ns)
    verifier.work.looked_at(left.digest)
    assert verifier.standing("a")["standing"] == "verified"
    assert verifier.kept.asked.unlooked_at(expired_ns=verifier.clock.ns) == []
    assert verifier.kept.asked.undecided() == []


def test_looking_again_changes_nothing(verifier: Virtual) -> None:
    agent = verifier.enrol("a")
    session = verifier.answer(agent)
    before = verifier.standing("a")
    verifier.work.looked_at(digest(session))
    assert verifier.standing("a") == before
