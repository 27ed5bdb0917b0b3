"""Breaks in landmarks' sequences are found by counting exactly where they are found by looking at every statement."""

import hashlib
import random
from pathlib import Path

import pytest

from lightbound.ranging.sessions.chain import Breaks, Linked, breaks
from lightbound.ranging.statements.kinds import Kind
from lightbound.ranging.statements.opening import Link
from lightbound.store.sequences import Signed
from tests.ranging.parties import secret
from tests.store.made import agent, enrol, invitation, stores

LANDMARKS = [secret("landmark", number)[:16] for number in range(40)]


def sequence(dice: random.Random, landmark: bytes, number: int) -> list[Signed]:
    """Some statements of a landmark about an agent: whole, or with gaps, forks and wrong links."""
    made: list[Signed] = []
    prev: bytes | None = None
    for seq in range(dice.randrange(1, 6)):
        told = 1 if dice.random() < 0.85 else 2
        here = []
        for fork in range(told):
            named = prev if seq == 0 or dice.random() < 0.9 else secret("nothing", seq)
            data = secret("statement", landmark, number, seq, fork)
            link = Link(landmark=landmark, agent=agent(0).key_id, seq=seq, prev=named)
            here.append(
                Signed(
                    kind=Kind.OPEN, session=bytes(32), landmark=landmark, agent=agent(0).key_id, data=data, link=link
                )
            )
        made += here
        prev = Linked(link=link, digest=_digest(dice.choice(here).data)).digest
    return [one for one in made if dice.random() < 0.85]


def _digest(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


@pytest.mark.parametrize("seed", range(12))
def test_breaks_are_those_that_every_statement_shows(seed: int, tmp_path: Path) -> None:
    dice = random.Random(seed)
    with stores(tmp_path / "db") as kept:
        kept.enrolments.invite(invitation(0))
        kept.enrolments.enrol(enrol(0), b"enrol", now_ns=0)
        expected: dict[bytes, Breaks] = {}
        for number, landmark in enumerate(LANDMARKS):
            said = sequence(dice, landmark, number)
            assert kept.sequences.add(said) == len(said)
            assert kept.sequences.add(said) == 0
            found = breaks(Linked(link=one.link, digest=_digest(one.data)) for one in said if one.link is not None)
            if found:
                expected[landmark] = found
        assert kept.sequences.breaks(patience_ns=None).get(agent(0).key_id, {}) == expected
        assert 0 < len(expected) < len(LANDMARKS)


def test_what_is_missing_is_told_once_it_was_sought_long_enough(tmp_path: Path) -> None:
    with stores(tmp_path / "db") as kept:
        kept.enrolments.invite(invitation(0))
        kept.enrolments.enrol(enrol(0), b"enrol", now_ns=0)
        about = {"session": bytes(32), "landmark": LANDMARKS[0], "agent": agent(0).key_id}
        # 0, 1 and 3, 4 are missing; what comes before 5 is asked for in vain first.
        for seq, prev in ((2, secret("one")), (5, secret("four"))):
            link = Link(landmark=LANDMARKS[0], agent=agent(0).key_id, seq=seq, prev=prev)
            kept.sequences.add([Signed(kind=Kind.OPEN, data=b"%d" % seq, link=link, **about)])

        def missing(patience_ns: int | None = 600) -> tuple[int, ...]:
            found = kept.sequences.breaks(patience_ns=patience_ns).get(agent(0).key_id, {})
            return found[LANDMARKS[0]].missing if found else ()

        assert missing(None) == (0, 1, 3, 4)
        assert missing() == ()
        kept.sequences.in_vain([secret("four"), secret("one")], now_ns=1_000)
        kept.sequences.in_vain([secret("four")], now_ns=1_599)
        assert missing() == ()
        kept.sequences.in_vain([secret("four")], now_ns=1_600)
        kept.sequences.in_vain([secret("four"), secret("one")], now_ns=900)
        assert missing() == (3, 4)
        kept.sequences.in_vain([secret("one")], now_ns=1_700)
        assert missing() == (0, 1, 3, 4)


def test_what_was_never_named_cannot_be_sought_and_is_missing_at_once(tmp_path: Path) -> None:
    with stores(tmp_path / "db") as kept:
        kept.enrolments.invite(invitation(0))
        kept.enrolments.enrol(enrol(0), b"enrol", now_ns=0)
        link = Link(landmark=LANDMARKS[0], agent=agent(0).key_id, seq=2, prev=None)
        said = Signed(
            kind=Kind.OPEN, session=bytes(32), landmark=LANDMARKS[0], agent=agent(0).key_id, data=b"2", link=link
        )
        kept.sequences.add([said])
        found = kept.sequences.breaks(patience_ns=600)[agent(0).key_id][LANDMARKS[0]]
        assert found == Breaks(missing=(0, 1), forked=(), unlinked=(2,))


def test_what_is_named_and_not_here_is_told_the_newest_first(tmp_path: Path) -> None:
    with stores(tmp_path / "db") as kept:
        kept.enrolments.invite(invitation(0))
        kept.enrolments.enrol(enrol(0), b"enrol", now_ns=0)
        about = {"session": bytes(32), "landmark": LANDMARKS[0], "agent": agent(0).key_id}
        for seq, prev in ((0, None), (2, secret(1)), (5, secret(4))):
            link = Link(landmark=LANDMARKS[0], agent=agent(0).key_id, seq=seq, prev=prev)
            kept.sequences.add([Signed(kind=Kind.OPEN, data=b"%d" % seq, link=link, **about)])
        assert kept.sequences.not_here(LANDMARKS[0], agent(0).key_id) == [secret(4), secret(1)]
        assert kept.sequences.of_session(bytes(32)).keys() == {LANDMARKS[0]}
