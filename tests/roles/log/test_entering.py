"""Submissions: what is here already costs nobody anything; what comes at once is as if one came after the other."""

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from lightbound.errors import ErrorCode, LightboundError
from lightbound.roles.log.admitting import Admitting
from lightbound.roles.log.entering import Entering
from lightbound.roles.log.sequencing import Sequencer
from lightbound.store.log import LogStore, Note
from lightbound.tlog.entries import Commitment, write_commitment
from tests.ranging.parties import NOW_NS, TRUST, secret, world
from tests.roles.log.test_admitting import (
    all_of,
    commitment,
    logged,
    refusal,
    rotation,
    second_directory,
    signed_by,
)
from tests.store.logs import opened, signed


class Place:
    """A log that knows the world, how many batches it made, and how often its witnesses were asked."""

    def __init__(self, store: LogStore) -> None:
        """Nothing was submitted yet."""
        self.store, self.asked, self.batches, self.places = store, 0, 0, world()
        self.admitting = Admitting(store, TRUST)
        logged(store, self.admitting, *all_of(self.places))

    async def _witnessed(self, note: Note) -> bytes:
        self.asked += 1
        return note.data

    def enter(self, statements: Sequence[bytes], *, also: Sequence[bytes] = ()) -> list[int | ErrorCode | None]:
        """What became of each, `also` being another submission at the same time."""

        async def work() -> list[int | ErrorCode | None]:
            sequencer = Sequencer(self.store, signed, self._witnessed)
            entering = Entering(admitting=self.admitting, sequencer=sequencer, now_ns=lambda: NOW_NS)
            runs = asyncio.create_task(sequencer.run())
            both = [entering.enter(one) for one in (statements, also) if one]
            ended = [one for part, _ in await asyncio.gather(*both) for one in part]
            runs.cancel()
            self.batches += sequencer.batches
            return [one.faults[0].code if isinstance(one, LightboundError) else one for one in ended]

        return asyncio.run(work())


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with opened(str(tmp_path / "log.sqlite")) as (_engine, store):
        yield Place(store)


def test_what_is_in_the_log_can_be_submitted_again_and_no_witness_hears_of_it(place: Place) -> None:
    statements = [*all_of(place.places), commitment(place.places.landmarks[0])]
    assert place.enter(statements) == list(range(12))
    assert (place.batches, place.asked) == (1, 1)
    for _ in range(5):
        assert place.enter(statements) == list(range(12))
    assert (place.batches, place.asked) == (1, 1)


def test_one_directory_with_two_sets_of_signatures_is_entered_also_when_both_come_at_once(place: Place) -> None:
    official = second_directory(place.places)
    trimmed = signed_by(official, 0, 1)
    assert place.enter([trimmed, official]) == [11, 12]
    other = signed_by(official, 1, 2)
    assert place.enter([other], also=[official]) == [13, 12]
    different = second_directory(place.places, landmarks=4)
    assert refusal(place.store, place.admitting, different) is ErrorCode.OUT_OF_ORDER


def test_of_two_directories_of_one_number_that_come_at_once_one_is_refused(place: Place) -> None:
    one, other = (second_directory(place.places, landmarks=count) for count in (5, 4))
    assert sorted(map(str, place.enter([one], also=[other]))) == ["11", "out_of_order"]
    assert place.enter([one, other]).count(11) == 1


def test_the_second_rotation_of_a_key_is_entered_beside_the_first_and_the_third_is_refused(place: Place) -> None:
    rotations = [rotation(place.places.landmarks[0], name) for name in ("thief", "owner", "third")]
    assert place.enter(rotations) == [11, 12, ErrorCode.ROTATED_TWICE]


def test_two_commitments_at_one_place_are_not_looked_at_again(place: Place) -> None:
    landmark = place.places.landmarks[0]
    said = Commitment(landmark=landmark.key_id, slot=secret("slot", 0), commitment=secret("another"))
    assert place.enter([commitment(landmark), write_commitment(said, landmark)]) == [11, None]
    assert place.asked == 1
