"""Who may have something logged: whoever the newest directory in the log lets in, and nobody else."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from lightbound.canonical.cbor import encode
from lightbound.errors import ErrorCode, LightboundError, Malformed, Refused
from lightbound.keys.ed25519 import SigningKey
from lightbound.keys.purposes import Purpose
from lightbound.keys.rotation import write_rotation
from lightbound.keys.signing import digest, sign
from lightbound.ranging.statements.admission import read_directory, write_directory
from lightbound.roles.log.admitting import Admitting
from lightbound.store.log import LogStore
from lightbound.tlog.checkpoint import log_key
from lightbound.tlog.cosignature import witness_key
from lightbound.tlog.entries import Commitment, write_commitment
from tests.ranging.parties import LATER_NS, NOW_NS, PARTIES, TRUST, World, key, secret, world
from tests.store.logs import opened


@pytest.fixture
def store(tmp_path: Path) -> Iterator[LogStore]:
    with opened(str(tmp_path / "log.sqlite")) as (_engine, made):
        yield made


def logged(store: LogStore, admitting: Admitting, *statements: bytes) -> list[int | None]:
    """Each checked and appended as a submission of its own."""
    numbers = list[int | None]()
    for statement in statements:
        admitting.read_roll()
        numbers += store.append([admitting.check(statement, now_ns=NOW_NS)])
    return numbers


def refusal(store: LogStore, admitting: Admitting, statement: bytes, *, now_ns: int = NOW_NS) -> ErrorCode:
    admitting.read_roll()
    with pytest.raises(LightboundError) as caught:
        admitting.check(statement, now_ns=now_ns)
    assert store.head().size == len(store.entries(0, 1_000))
    return caught.value.faults[0].code


def commitment(landmark: SigningKey, number: int = 0) -> bytes:
    said = Commitment(landmark=landmark.key_id, slot=secret("slot", number), commitment=secret("said", number))
    return write_commitment(said, landmark)


def next_directory(places: World, *, landmarks: int) -> bytes:
    """The directory after that of the world, which lets in so many of its landmarks."""
    before = read_directory(places.directory, TRUST)
    after = replace(
        before,
        number=2,
        previous=digest(places.directory),
        positions=tuple(sorted(map(digest, places.positions[:landmarks]))),
    )
    return write_directory(after, PARTIES[1:])


def all_of(places: World) -> tuple[bytes, ...]:
    return (places.directory, *places.operator_statements, *places.positions)


def test_a_directory_comes_first_then_whom_it_lists_then_what_they_say(store: LogStore) -> None:
    places, admitting = world(), Admitting(store, TRUST)
    landmark = places.landmarks[0]
    for early in (commitment(landmark), places.positions[0], places.operator_statements[0]):
        assert refusal(store, admitting, early) is ErrorCode.NOT_ADMITTED
    assert logged(store, admitting, *all_of(places)) == list(range(11))
    assert logged(store, admitting, commitment(landmark), *all_of(places)) == [11, *range(11)]


def test_a_log_that_starts_again_lets_in_the_same(store: LogStore) -> None:
    places = world()
    logged(store, Admitting(store, TRUST), *all_of(places))
    assert logged(store, Admitting(store, TRUST), commitment(places.landmarks[0])) == [11]


def test_the_next_directory_shuts_out_whom_it_does_not_list(store: LogStore) -> None:
    places, admitting = world(), Admitting(store, TRUST)
    logged(store, admitting, *all_of(places), commitment(places.landmarks[5]))
    logged(store, admitting, next_directory(places, landmarks=5))
    assert refusal(store, admitting, commitment(places.landmarks[5], 1)) is ErrorCode.NOT_ADMITTED
    assert logged(store, admitting, commitment(places.landmarks[4], 1)) == [13]


def test_a_directory_that_is_not_the_next_is_refused(store: LogStore) -> None:
    places, admitting = world(), Admitting(store, TRUST)
    logged(store, admitting, *all_of(places))
    second = next_directory(places, landmarks=5)
    read = read_directory(second, TRUST)
    for wrong in (replace(read, number=3), replace(read, previous=bytes(32)), replace(read, number=1, previous=None)):
        assert refusal(store, admitting, write_directory(wrong, PARTIES[:2])) is ErrorCode.OUT_OF_ORDER
    logged(store, admitting, second)
    other = next_directory(places, landmarks=4)
    assert refusal(store, admitting, other) is ErrorCode.OUT_OF_ORDER


def test_two_second_directories_that_were_checked_at_once_do_not_both_stand(store: LogStore) -> None:
    places, one, other = world(), Admitting(store, TRUST), Admitting(store, TRUST)
    logged(store, one, *all_of(places))
    for each in (one, other):
        each.read_roll()
    entries = [
        one.check(next_directory(places, landmarks=5), now_ns=NOW_NS),
        other.check(next_directory(places, landmarks=4), now_ns=NOW_NS),
    ]
    assert store.append(entries) == [11, None]


def test_a_directory_of_other_parties_is_refused(store: LogStore) -> None:
    strangers = [key(Purpose.DIRECTORY, "stranger", number) for number in range(2)]
    forged = write_directory(read_directory(world().directory, TRUST), strangers)
    assert refusal(store, Admitting(store, TRUST), forged) is ErrorCode.WRONG_KEY
    alone = write_directory(read_directory(world().directory, TRUST), PARTIES[:1])
    assert refusal(store, Admitting(store, TRUST), alone) is ErrorCode.WRONG_KEY


def test_a_landmark_whose_time_is_over_is_refused(store: LogStore) -> None:
    places, admitting = world(), Admitting(store, TRUST)
    logged(store, admitting, *all_of(places))
    late = refusal(store, admitting, commitment(places.landmarks[0]), now_ns=LATER_NS + 1)
    assert late is ErrorCode.NOT_VALID_THEN


def test_what_a_landmark_says_is_never_logged_in_clear(store: LogStore) -> None:
    places, admitting = world(), Admitting(store, TRUST)
    logged(store, admitting, *all_of(places))
    for kind in ("lightbound.open/1", "lightbound.measurement/1", "lightbound.abort/1", "lightbound.session/1"):
        assert refusal(store, admitting, sign(kind, b"\xa0", places.landmarks[0])) is ErrorCode.WRONG_TYPE


def test_a_commitment_in_another_landmarks_name_is_refused(store: LogStore) -> None:
    places, admitting = world(), Admitting(store, TRUST)
    logged(store, admitting, *all_of(places))
    one, other = places.landmarks[:2]
    forged = sign("lightbound.commitment/1", _payload(one.key_id), other)
    with pytest.raises((Malformed, Refused)):
        admitting.check(forged, now_ns=NOW_NS)


def _payload(landmark: bytes) -> bytes:
    return encode({"landmark": landmark, "slot": bytes(32), "commitment": bytes(32)})


def rotation(old: SigningKey, new: str, name: str = "log.example/test") -> bytes:
    named = old.key_id.hex() if old.purpose is Purpose.LANDMARK else name
    return write_rotation(named, old, key(old.purpose, new), from_ns=NOW_NS)


def test_a_rotation_is_logged_of_keys_that_the_log_knows_and_of_no_others(store: LogStore) -> None:
    places, log, witness = world(), key(Purpose.LOG), key(Purpose.WITNESS)
    notes = (log_key("log.example/test", log.verifying), witness_key("w.example/w", witness.verifying))
    admitting = Admitting(store, TRUST, notes)
    landmark = places.landmarks[0]
    # No landmark is known before a directory is there.
    assert refusal(store, admitting, rotation(landmark, "new")) is ErrorCode.NOT_ADMITTED
    before = len(logged(store, admitting, places.directory, *places.operator_statements, *places.positions))
    known = (rotation(landmark, "new"), rotation(log, "new"), rotation(witness, "new", "w.example/w"))
    assert logged(store, admitting, *known, *known) == [before, before + 1, before + 2] * 2
    # Also once the new key is the one that is known, and of one key twice: two are the sign of a thief.
    after = write_rotation("log.example/test", key(Purpose.LOG, "old"), log, from_ns=NOW_NS)
    assert logged(store, admitting, after, rotation(log, "newer")) == [before + 3, before + 4]
    for stranger in (
        rotation(key(Purpose.LANDMARK, "stranger"), "new"),
        rotation(key(Purpose.LOG, "stranger"), "new"),
        rotation(log, "new", "another.example/log"),
        rotation(witness, "new", "log.example/test"),
    ):
        assert refusal(store, admitting, stranger) is ErrorCode.NOT_ADMITTED
    forged = bytearray(rotation(log, "newest"))
    forged[-1] ^= 1
    assert refusal(store, admitting, bytes(forged)) is ErrorCode.SIGNATURE_INVALID
