"""Who times a session: the chosen, and extras that nobody could pick."""

from typing import Any, Final

from hypothesis import given
from hypothesis import strategies as st

from lightbound.ranging.sessions.draw import drawn
from tests.ranging.parties import secret

AGENT: Final = secret("agent")
ids = st.binary(min_size=16, max_size=16)


@st.composite
def directories(draw: st.DrawFn) -> tuple[list[bytes], list[bytes]]:
    """Landmarks, and which of them are chosen."""
    landmarks = draw(st.lists(ids, min_size=1, max_size=30, unique=True))
    return landmarks, draw(st.lists(st.sampled_from(landmarks), max_size=10, unique=True))


@given(found=directories(), extras=st.integers(0, 40), beacon=st.binary(min_size=32, max_size=32))
def test_a_draw_is_the_chosen_and_as_many_extras_as_there_are(
    found: tuple[list[bytes], list[bytes]], extras: int, beacon: bytes
) -> None:
    landmarks, chosen = found
    session = drawn(landmarks, beacon=beacon, agent=AGENT, chosen=chosen, extras=extras)
    assert list(session) == sorted(set(session))
    assert set(chosen) <= set(session) <= set(landmarks)
    assert len(session) == len(chosen) + min(extras, len(landmarks) - len(chosen))


@given(
    found=directories(),
    extras=st.integers(0, 40),
    beacon=st.binary(min_size=32, max_size=32),
    dice=st.randoms(use_true_random=False),
)
def test_the_order_in_which_landmarks_are_listed_is_irrelevant(
    found: tuple[list[bytes], list[bytes]], extras: int, beacon: bytes, dice: Any
) -> None:
    landmarks, chosen = found
    one = drawn(landmarks, beacon=beacon, agent=AGENT, chosen=chosen, extras=extras)
    shuffled = list(landmarks)
    dice.shuffle(shuffled)
    assert drawn(shuffled * 2, beacon=beacon, agent=AGENT, chosen=chosen[::-1], extras=extras) == one


@given(found=directories(), extras=st.integers(0, 40), beacon=st.binary(min_size=32, max_size=32))
def test_more_extras_keep_those_that_were_drawn(
    found: tuple[list[bytes], list[bytes]], extras: int, beacon: bytes
) -> None:
    landmarks, chosen = found
    fewer = drawn(landmarks, beacon=beacon, agent=AGENT, chosen=chosen, extras=extras)
    more = drawn(landmarks, beacon=beacon, agent=AGENT, chosen=chosen, extras=extras + 1)
    assert set(fewer) <= set(more)


@given(found=directories(), extras=st.integers(0, 40), beacon=st.binary(min_size=32, max_size=32), new=ids)
def test_a_landmark_more_displaces_at_most_one(
    found: tuple[list[bytes], list[bytes]], extras: int, beacon: bytes, new: bytes
) -> None:
    landmarks, chosen = found
    before = set(drawn(landmarks, beacon=beacon, agent=AGENT, chosen=chosen, extras=extras))
    after = set(drawn([*landmarks, new], beacon=beacon, agent=AGENT, chosen=chosen, extras=extras))
    assert len(before - after) <= 1
    assert after - before <= {new}


@given(found=directories(), extras=st.integers(0, 40), beacon=st.binary(min_size=32, max_size=32))
def test_choosing_somebody_who_would_have_been_drawn_lets_in_one_more(
    found: tuple[list[bytes], list[bytes]], extras: int, beacon: bytes
) -> None:
    """So that a choice cannot push out whom the beacon named."""
    landmarks, chosen = found
    before = drawn(landmarks, beacon=beacon, agent=AGENT, chosen=chosen, extras=extras)
    for landmark in before:
        after = drawn(landmarks, beacon=beacon, agent=AGENT, chosen=[*chosen, landmark], extras=extras)
        assert set(before) <= set(after)
        assert len(after) <= len(before) + 1


def test_the_extras_depend_on_the_beacon_and_on_the_agent() -> None:
    landmarks = [secret("landmark", number)[:16] for number in range(40)]
    by_beacon = {drawn(landmarks, beacon=secret(n), agent=AGENT, chosen=(), extras=5) for n in range(50)}
    by_agent = {drawn(landmarks, beacon=bytes(32), agent=secret(n), chosen=(), extras=5) for n in range(50)}
    assert len(by_beacon) == len(by_agent) == 50


def test_every_landmark_is_drawn_about_equally_often() -> None:
    """Of 2,000 draws of 5 of 20, each is in 500 on average; 100 fewer or more is over five standard deviations."""
    landmarks = [secret("landmark", number)[:16] for number in range(20)]
    counts = dict.fromkeys(landmarks, 0)
    for number in range(2_000):
        for landmark in drawn(landmarks, beacon=secret("beacon", number), agent=AGENT, chosen=(), extras=5):
            counts[landmark] += 1
    assert all(400 < count < 600 for count in counts.values())
