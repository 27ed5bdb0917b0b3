"""What one landmark said about one agent, in order: gaps and forks show."""

from hypothesis import given
from hypothesis import strategies as st

from lightbound.ranging.sessions.chain import Breaks, Linked, breaks
from lightbound.ranging.statements.opening import Link
from tests.ranging.parties import secret

LANDMARK, AGENT = bytes(16), bytes(16)


def linked(seq: int, *, story: str = "", prev: bytes | None = None) -> Linked:
    before = (secret(seq - 1, "") if seq else None) if prev is None else prev
    link = Link(landmark=LANDMARK, agent=AGENT, seq=seq, prev=before)
    return Linked(link=link, digest=secret(seq, story))


def chain(length: int) -> list[Linked]:
    return [linked(seq) for seq in range(length)]


def test_a_whole_chain_has_no_breaks() -> None:
    for length in (0, 1, 2, 50):
        assert breaks(chain(length)) == Breaks(missing=(), forked=(), unlinked=())
        assert not breaks(chain(length))


@given(st.integers(0, 30).flatmap(lambda n: st.tuples(st.just(n), st.sets(st.integers(0, max(0, n - 1))))))
def test_exactly_the_numbers_that_are_left_out_below_the_newest_are_missing(given_: tuple[int, set[int]]) -> None:
    length, left_out = given_
    shown = [one for one in chain(length) if one.link.seq not in left_out]
    newest = max((one.link.seq for one in shown), default=-1)
    found = breaks(shown)
    assert set(found.missing) == {seq for seq in left_out if seq < newest}
    assert found.forked == found.unlinked == ()


@given(st.permutations(range(12)), st.lists(st.integers(0, 11), max_size=10))
def test_order_and_repetition_are_irrelevant(order: list[int], again: list[int]) -> None:
    whole = chain(12)
    whole[7] = linked(7, prev=bytes(32))
    shown = [whole[seq] for seq in (*order, *again)]
    assert breaks(shown) == breaks(whole)


def test_two_stories_under_one_number_are_a_fork() -> None:
    found = breaks([*chain(5), linked(3, story="another")])
    assert found.forked == (3,)
    assert found.unlinked == ()
    assert found


def test_a_story_that_continues_either_side_of_a_fork_is_linked() -> None:
    other = linked(3, story="another")
    assert breaks([*chain(4), other, linked(4, prev=other.digest)]) == Breaks(missing=(), forked=(3,), unlinked=())


def test_a_statement_that_does_not_name_the_one_before_is_unlinked() -> None:
    whole = chain(5)
    whole[2] = linked(2, prev=bytes(32))
    assert breaks(whole) == Breaks(missing=(), forked=(), unlinked=(2,))


def test_whichever_of_the_three_it_is_something_is_wrong() -> None:
    for broken in (
        Breaks(missing=(1,), forked=(), unlinked=()),
        Breaks(missing=(), forked=(1,), unlinked=()),
        Breaks(missing=(), forked=(), unlinked=(1,)),
    ):
        assert broken


def test_the_first_names_nothing_and_every_other_something() -> None:
    assert breaks([linked(0, prev=bytes(32))]).unlinked == (0,)
    nothing = Linked(link=Link(landmark=LANDMARK, agent=AGENT, seq=1, prev=None), digest=secret("x"))
    assert breaks([linked(0), nothing]).unlinked == (1,)
    assert breaks([nothing]) == Breaks(missing=(0,), forked=(), unlinked=(1,))


def test_what_the_one_before_was_cannot_be_told_while_it_is_missing() -> None:
    assert breaks([linked(0), linked(2, prev=bytes(32))]) == Breaks(missing=(1,), forked=(), unlinked=())


def test_a_number_that_a_landmark_made_up_costs_nothing() -> None:
    found = breaks([linked(0), linked(2**63 - 1, prev=bytes(32))])
    assert found.missing == tuple(range(1, 1_001))
    assert len(breaks([linked(500), linked(5_000_000), linked(2**62)]).missing) == 1_000
