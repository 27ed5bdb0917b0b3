"""What a way may be like, and that no copy of a packet is ever early."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightbound.demo.conditions import LONGEST_NS, REORDERED_NS, Behaviour, Changes, Conditions
from lightbound.demo.tampering import READY, TYPE_AT
from lightbound.ranging.timing.packets import PacketType, write_packet
from lightbound.sim.scenario import NetworkKind

SHARES = st.floats(0, 1)
CONDITIONS = st.builds(
    Conditions,
    round_trip_ns=st.integers(0, LONGEST_NS),
    jitter_ns=st.integers(0, LONGEST_NS),
    loss=SHARES,
    duplicate=SHARES,
    reorder=SHARES,
    outage=st.booleans(),
    behaviour=st.sampled_from(Behaviour),
)


@given(conditions=CONDITIONS, seed=st.integers(0, 1000))
def test_both_ways_together_are_never_shorter_than_the_round_trip(conditions: Conditions, seed: int) -> None:
    dice = random.Random(seed)
    out_ns, back_ns = conditions.copies_ns(dice), conditions.copies_ns(dice)
    assert len(out_ns) <= 2
    assert all(one + other >= conditions.round_trip_ns for one in out_ns for other in back_ns)


@given(conditions=CONDITIONS)
def test_nothing_passes_in_an_outage(conditions: Conditions) -> None:
    assert not (conditions.outage and conditions.copies_ns(random.Random(1)))


def test_a_perfect_way_takes_half_its_round_trip_and_a_reordered_packet_so_much_longer() -> None:
    dice = random.Random(1)
    assert Conditions(round_trip_ns=5).copies_ns(dice) == [3]
    assert Conditions(round_trip_ns=5, duplicate=1.0).copies_ns(dice) == [3, 3]
    assert Conditions(round_trip_ns=4, reorder=1.0).copies_ns(dice) == [2 + REORDERED_NS]
    assert Conditions(loss=1.0).copies_ns(dice) == []


@given(conditions=CONDITIONS)
def test_conditions_survive_the_way_to_another_process(conditions: Conditions) -> None:
    assert Conditions.from_json(conditions.as_json()) == conditions


@pytest.mark.parametrize(
    "changes",
    [{"round_trip_ns": -1}, {"jitter_ns": LONGEST_NS + 1}, {"loss": 1.1}, {"duplicate": -0.1}, {"reorder": 2.0}],
)
def test_what_no_way_is_like_is_refused(changes: Changes) -> None:
    with pytest.raises(ValueError, match=r"^a (way|share)"):
        Conditions(**changes)


def test_dishonest_carriers_have_the_words_of_the_simulated_world() -> None:
    assert {str(kind) for kind in NetworkKind} == {str(behaviour) for behaviour in Behaviour} - {"spoofing_first"}


def test_a_carrier_knows_ready_when_it_sees_it() -> None:
    for kind in PacketType:
        packet = write_packet(kind, bytes(32), handle=bytes(8), round_number=0, nonce=bytes(16))
        assert (packet[TYPE_AT] == READY) == (kind is PacketType.READY)
