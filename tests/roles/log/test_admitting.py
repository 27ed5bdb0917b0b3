"""Who may have something logged: whoever the newest directory in the log lets in, and nobody else."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from lightbound.canonical import cose
from lightbound.canonical.cbor import encode
from lightbound.errors import ErrorCode, LightboundError, Malformed, Refused
from lightbound.keys.ed25519 import SigningKey
from lightbound.keys.purposes import Purpose
from lightbound.keys.rotation import write_rotation
from lightbound.keys.signing import digest, sign
from lightbound.ranging.statements.admission import DirectoryTrust, read_directory, write_directory
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


def signed_by(directory: bytes, *parties: int) -> bytes:
    """The same with the signatures of these only, in the order of their ids: anybody can cut the others off."""
    envelope = cose.read(directory, what="directory")
    return cose.write(replace(envelope, signatures=tuple(envelope.signatures[at] for at in parties)))


def second_directory(places: World, *, landmarks: int = 5) -> bytes:
    """The directory after that of the world, signed by more parties than it takes."""
    return write_directory(read_directory(next_directory(places, landmarks=landmarks), TRUST), PARTIES)


def third_directory(places: World, previous: bytes) -> bytes:
    second = read_directory(second_directory(places), TRUST)
    return write_directory(replace(second, number=3, previous=digest(previous)), PARTIES)


def test_whoever_cuts_a_signature_off_a_directory_and_is_first_locks_nobody_out(store: LogStore) -> None:
    places, admitting = world(), Admitting(store, TRUST)
    logged(store, admitting, *all_of(places))
    official = second_directory(places)
    trimmed = signed_by(official, 0, 1)
    assert logged(store, admitting, trimmed, official, trimmed, official) == [11, 12, 11, 12]
    assert refusal(store, admitting, second_directory(places, landmarks=4)) is ErrorCode.OUT_OF_ORDER
    assert logged(store, admitting, third_directory(places, official)) == [13]


def test_the_next_directory_may_name_any_that_is_here_and_no_other(store: LogStore) -> None:
    places, admitting = world(), Admitting(store, TRUST)
    logged(store, admitting, *all_of(places))
    official = second_directory(places)
    trimmed = signed_by(official, 0, 2)
    logged(store, admitting, official, trimmed)
    absent = third_directory(places, signed_by(official, 1, 2))
    assert refusal(store, admitting, absent) is ErrorCode.OUT_OF_ORDER
    assert logged(store, admitting, third_directory(places, trimmed)) == [13]


def test_an_older_directory_that_comes_with_other_signatures_lets_nobody_in_again(store: LogStore) -> None:
    places, admitting = world(), Admitting(store, TRUST)
    first = write_directory(read_directory(places.directory, TRUST), PARTIES)
    after = replace(read_directory(next_directory(places, landmarks=5), TRUST), previous=digest(first))
    logged(store, admitting, first, *places.operator_statements, *places.positions, write_directory(after, PARTIES))
    assert logged(store, admitting, signed_by(first, 0, 1)) == [12]
    for again in (admitting, Admitting(store, TRUST)):
        assert refusal(store, again, commitment(places.landmarks[5])) is ErrorCode.NOT_ADMITTED
        again.check(commitment(places.landmarks[4]), now_ns=NOW_NS)


def test_two_of_one_number_that_were_checked_at_once_are_both_here_only_if_they_say_the_same(store: LogStore) -> None:
    places, one, other = world(), Admitting(store, TRUST), Admitting(store, TRUST)
    logged(store, one, *all_of(places))
    official, different = second_directory(places), second_directory(places, landmarks=4)
    trimmed = signed_by(official, 0, 1)
    for each in (one, other):
        each.read_roll()
    at_once = [(one, trimmed), (other, official), (other, different)]
    assert store.append([each.check(it, now_ns=NOW_NS) for each, it in at_once]) == [11, None, None]
    assert logged(store, other, official) == [12]
    assert refusal(store, other, different) is ErrorCode.OUT_OF_ORDER


def test_a_log_that_asks_for_more_parties_than_before_reads_the_directory_that_has_them(store: LogStore) -> None:
    places = world()
    official = write_directory(read_directory(places.directory, TRUST), PARTIES)
    logged(store, Admitting(store, TRUST), signed_by(official, 0, 1), official)
    logged(store, Admitting(store, TRUST), *places.operator_statements, *places.positions)
    stricter = Admitting(store, replace(TRUST, threshold=3))
    assert logged(store, stricter, commitment(places.landmarks[0])) == [12]


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


def rotated_to(new: SigningKey, old: str) -> bytes:
    """From a key that nobody knows to a landmark's."""
    before = key(Purpose.LANDMARK, old)
    return write_rotation(before.key_id.hex(), before, new, from_ns=NOW_NS)


def test_a_rotation_of_a_landmark_is_taken_only_while_it_is_admitted(store: LogStore) -> None:
    places, admitting = world(), Admitting(store, TRUST)
    landmark = places.landmarks[0]
    first = rotation(landmark, "new")
    size = len(logged(store, admitting, *all_of(places), first))
    for late in (rotation(landmark, "newer"), rotated_to(landmark, "before")):
        assert refusal(store, admitting, late, now_ns=LATER_NS + 1) is ErrorCode.NOT_VALID_THEN
    # One that is here has its number, whenever it is asked for.
    assert store.append([admitting.check(first, now_ns=LATER_NS + 1)]) == [size - 1]


def test_of_one_key_two_successors_are_taken_and_no_third(store: LogStore) -> None:
    places, log = world(), key(Purpose.LOG)
    admitting = Admitting(store, TRUST, [log_key("log.example/test", log.verifying)])
    size = len(logged(store, admitting, *all_of(places)))
    for old in (places.landmarks[0], log):
        first, second = rotation(old, "thief's"), rotation(old, "owner's")
        assert logged(store, admitting, first, second, first) == [size, size + 1, size]
        assert refusal(store, admitting, rotation(old, "third")) is ErrorCode.ROTATED_TWICE
        size += 2


def test_a_thief_does_not_keep_the_owners_rotation_out_by_saying_his_own_twice(store: LogStore) -> None:
    places, admitting = world(), Admitting(store, TRUST)
    size, old, thief = len(logged(store, admitting, *all_of(places))), places.landmarks[0], key(Purpose.LANDMARK, "t")
    said = [write_rotation(old.key_id.hex(), old, thief, from_ns=NOW_NS + at) for at in range(2)]
    assert logged(store, admitting, said[0]) == [size]
    assert refusal(store, admitting, said[1]) is ErrorCode.DUPLICATE
    assert logged(store, admitting, rotation(old, "owner's")) == [size + 1]


def test_of_a_known_key_two_that_it_follows_are_taken_and_no_third(store: LogStore) -> None:
    places, admitting = world(), Admitting(store, TRUST)
    size, (new, other) = len(logged(store, admitting, *all_of(places))), places.landmarks[:2]
    assert logged(store, admitting, rotated_to(new, "a"), rotated_to(new, "b")) == [size, size + 1]
    assert refusal(store, admitting, rotated_to(new, "c")) is ErrorCode.NOT_ADMITTED
    # Of a key that is known itself it is one of its own two.
    known = write_rotation(other.key_id.hex(), other, new, from_ns=NOW_NS)
    assert logged(store, admitting, known) == [size + 2]


def test_rotations_that_are_checked_at_once_are_no_more_than_one_after_the_other(store: LogStore) -> None:
    places, admitting = world(), Admitting(store, TRUST)
    size, landmark = len(logged(store, admitting, *all_of(places))), places.landmarks[0]
    for rotations in (
        [rotation(landmark, str(at)) for at in range(8)],
        [rotated_to(landmark, str(at)) for at in range(8)],
    ):
        assert store.append([admitting.check(one, now_ns=NOW_NS) for one in rotations]) == [size] + [None] * 7
        size += 1


def test_a_party_with_another_key_does_not_lock_the_log_out_of_the_next_directory(tmp_path: Path) -> None:
    """All three signed the present one, the key of the third is another now, and two are enough."""
    parties = [*PARTIES[:2], key(Purpose.DIRECTORY, "replacement")]
    trust = DirectoryTrust(keys=tuple(one.verifying for one in parties), threshold=2)
    with opened(str(tmp_path / "log.sqlite")) as (_engine, store):
        said = read_directory(world().directory, TRUST)
        present = write_directory(said, PARTIES)
        logged(store, Admitting(store, TRUST), present)
        admitting = Admitting(store, trust)
        admitting.read_roll()
        with pytest.raises(Refused):
            admitting.check(world().positions[0], now_ns=NOW_NS)
        logged(store, admitting, write_directory(replace(said, number=2, previous=digest(present)), parties))
        admitting.read_roll()
        admitting.check(world().positions[0], now_ns=NOW_NS)
