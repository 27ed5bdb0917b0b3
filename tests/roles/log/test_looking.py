"""Logs that cheat, made by hand: what an audit and a monitor say of each."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest

from lightbound.errors import ErrorCode, Fault, Refused, Unavailable
from lightbound.keys.ed25519 import SigningKey
from lightbound.keys.purposes import Purpose
from lightbound.keys.rotation import write_rotation
from lightbound.keys.signing import digest, sign
from lightbound.ranging.statements.admission import directory_said, write_directory
from lightbound.ranging.statements.kinds import Kind
from lightbound.roles.log_reader.auditing import Audited, Faulty, audit_log
from lightbound.roles.log_reader.findings import MOST_OF_A_CODE
from lightbound.roles.log_reader.following import Followed, follow
from lightbound.roles.log_reader.holding import Held
from lightbound.roles.log_reader.monitoring import (
    Unaccounted,
    check_receipts,
    unaccounted,
)
from lightbound.tlog import merkle
from lightbound.tlog.checkpoint import Checkpoint, log_key, sign_checkpoint
from lightbound.tlog.entries import Commitment, Opening, write_commitment, write_entry
from lightbound.tlog.policy import policy_of
from lightbound.tlog.tiles import bundles_of, tiles_of, write_bundle
from tests.ranging.parties import PARTIES, directory_of, key, secret, world

ORIGIN = "log.example/test"
LOG = key(Purpose.LOG)
NAMED = log_key(ORIGIN, LOG.verifying)
NOBODY = policy_of((NAMED,), (), 0)
PLACES = world()
LANDMARK = PLACES.landmarks[0]
AGENT = secret("agent")[:16]
CLEAR = tuple(map(write_entry, (PLACES.directory, *PLACES.operator_statements, *PLACES.positions)))


@dataclass(frozen=True, slots=True)
class Files:
    """A log as its files."""

    by_path: dict[str, bytes]

    def read(self, path: str) -> bytes:
        """A file of it."""
        if path not in self.by_path:
            raise Unavailable(Fault(code=ErrorCode.READ_FAILED, expected="a file", found="none", file=path))
        return self.by_path[path]


def files(entries: Sequence[bytes]) -> Files:
    """The files that these entries make, whatever they are."""
    size = len(entries)
    rows = [[merkle.leaf_hash(entry) for entry in entries]]
    while len(rows[-1]) >= 256:
        below = rows[-1]
        rows.append([_over(below[at : at + 256]) for at in range(0, len(below) // 256 * 256, 256)])
    checkpoint = Checkpoint(origin=ORIGIN, size=size, root=merkle.root(entries))
    by_path = {"checkpoint": sign_checkpoint(checkpoint, LOG)}
    for tile in tiles_of(size):
        row = rows[tile.level or 0]
        by_path[tile.path] = b"".join(row[tile.number * 256 : tile.number * 256 + tile.width])
    for bundle in bundles_of(size):
        by_path[bundle.path] = write_bundle(entries[bundle.number * 256 : bundle.number * 256 + bundle.width])
    return Files(by_path)


def _over(row: Sequence[bytes]) -> bytes:
    while len(row) > 1:
        row = [merkle.node_hash(row[at], row[at + 1]) for at in range(0, len(row), 2)]
    return row[0]


def sequence(count: int, *, label: str = "") -> list[Held]:
    """What a landmark said about an agent, as a holder has it."""
    held = list[Held]()
    before = None
    for seq in range(count):
        opening = Opening(salt=secret(label, "salt", seq), before=before)
        statement = b"%s statement %d" % (label.encode(), seq)
        held.append(Held(landmark=LANDMARK.key_id, agent=AGENT, seq=seq, statement=statement, opening=opening))
        before = opening.link()
    return held


def entry_of(held: Held, *, by: SigningKey = LANDMARK, **changed: bytes) -> bytes:
    """The entry of a statement."""
    said = {"slot": held.slot, "commitment": held.opening.commitment(held.statement), **changed}
    return write_entry(write_commitment(Commitment(landmark=by.key_id, **said), by))


def rotation(new: str, *, from_ns: int = 1) -> bytes:
    """The entry of a ROTATION of the log's key."""
    return write_entry(write_rotation(ORIGIN, LOG, key(Purpose.LOG, new), from_ns=from_ns))


def next_directory(before: bytes | None, *, by: Sequence[SigningKey] = PARTIES[:2], to_ns: int | None = None) -> bytes:
    """The directory that follows this one, of the same landmarks; or the first one again."""
    of_world = directory_said(PLACES.directory)
    number = 1 if before is None else directory_said(before).number + 1
    previous = None if before is None else digest(before)
    said = replace(of_world, number=number, previous=previous, to_ns=of_world.to_ns if to_ns is None else to_ns)
    return write_directory(said, by)


def audited(entries: Sequence[bytes]) -> list[ErrorCode]:
    """The codes of what an audit finds."""
    return codes_of(audit_log(files(entries), NAMED, NOBODY))


def codes_of(read: Audited | Faulty) -> list[ErrorCode]:
    """The codes of what is wrong."""
    return [fault.code for fault in read.found.told] if isinstance(read, Faulty) else []


def whole(entries: Sequence[bytes]) -> Audited:
    """What an audit says of a log in which nothing is wrong."""
    read = audit_log(files(entries), NAMED, NOBODY)
    assert isinstance(read, Audited), read
    return read


def test_an_honest_log_of_two_levels_is_found_whole() -> None:
    entries = [*CLEAR, *map(entry_of, sequence(600))]
    found = whole(entries)
    assert found.checkpoint.size == 611
    assert found.notes.total == 0
    assert found.kinds["lightbound.commitment/1"] == 600


def test_one_key_after_another_is_nothing_wrong_however_often_it_is_said() -> None:
    assert whole([*CLEAR, rotation("one"), rotation("one", from_ns=2)]).notes.total == 0


def test_two_keys_after_one_are_noted_once_of_each_key_and_not_held_against_the_log() -> None:
    notes = whole([*CLEAR, rotation("one"), rotation("other"), rotation("third")]).notes
    assert [(fault.code, fault.column) for fault in notes.told] == [(ErrorCode.ROTATED_TWICE, "entry 12")]


def test_many_findings_of_one_code_hide_no_other_and_no_note() -> None:
    said = sequence(MOST_OF_A_CODE + 5)
    strangers = [entry_of(one, by=key(Purpose.LANDMARK, "stranger")) for one in said]
    read = audit_log(files([*CLEAR, rotation("one"), rotation("other"), *strangers, b"junk"]), NAMED, NOBODY)
    assert isinstance(read, Faulty)
    codes = codes_of(read)
    assert codes.count(ErrorCode.NOT_ADMITTED) == MOST_OF_A_CODE
    assert ErrorCode.CBOR_MALFORMED in codes
    assert read.found.total == len(said) + 1
    assert read.notes.total == 1


@pytest.mark.parametrize(
    ("more", "codes"),
    [
        ([CLEAR[0]], [ErrorCode.DUPLICATE]),
        ([entry_of(sequence(1)[0]), entry_of(sequence(1)[0], commitment=bytes(32))], [ErrorCode.SEQUENCE_BROKEN]),
        ([entry_of(sequence(1)[0], by=key(Purpose.LANDMARK, "stranger"))], [ErrorCode.NOT_ADMITTED]),
        ([b"junk"], [ErrorCode.CBOR_MALFORMED]),
        ([write_entry(sign("lightbound.open/1", b"\xa0", LANDMARK))], [ErrorCode.WRONG_TYPE]),
        ([rotation("one")[:-1] + b"?"], [ErrorCode.SIGNATURE_INVALID]),
    ],
    ids=["an entry twice", "a slot twice", "a stranger's", "no entry", "another type", "a false one"],
)
def test_what_a_log_should_never_have_taken_is_found(more: list[bytes], codes: list[ErrorCode]) -> None:
    assert audited([*CLEAR, *more]) == codes


def test_a_position_that_its_operator_did_not_sign_is_found_before_and_after_the_operator() -> None:
    forged = PLACES.positions[-1][:-1] + bytes([PLACES.positions[-1][-1] ^ 1])
    directory = directory_of(PLACES.operator_statements, [*PLACES.positions[:-1], forged])
    others = list(map(write_entry, (directory, *PLACES.operator_statements, *PLACES.positions[:-1])))
    assert audited([*others, write_entry(forged)]) == [ErrorCode.SIGNATURE_INVALID]
    assert audited([write_entry(forged), *others]) == [ErrorCode.SIGNATURE_INVALID]


@pytest.mark.parametrize("at", [1, 5], ids=["an operator", "a position"])
def test_what_no_directory_lists_is_found(at: int) -> None:
    lists = [*PLACES.operator_statements, *PLACES.positions]
    del lists[at]
    directory = directory_of(lists[:4] if at > 3 else lists[:3], lists[4:] if at > 3 else lists[3:])
    assert audited([write_entry(directory), *CLEAR[1:]]) == [ErrorCode.NOT_ADMITTED]
    assert audited([*CLEAR[1:], write_entry(directory)]) == [ErrorCode.NOT_ADMITTED]


def test_directories_follow_one_another_also_where_one_stands_with_several_sets_of_signatures() -> None:
    first, again = PLACES.directory, next_directory(None, by=PARTIES[1:])
    second, third = next_directory(again), next_directory(next_directory(again))
    for order in ([first, again, second, third], [again, first, second, third], [second, third]):
        assert audited([*map(write_entry, order), *CLEAR[1:]]) == []


def test_directories_that_admission_never_let_in_are_found() -> None:
    first = PLACES.directory
    strangers = [key(Purpose.DIRECTORY, "stranger", number) for number in range(3)]
    second = next_directory(first)
    third = next_directory(second)
    cases = {
        next_directory(None, by=strangers, to_ns=1): [ErrorCode.DUPLICATE],
        next_directory(next_directory(None, by=strangers)): [ErrorCode.OUT_OF_ORDER],
        third: [ErrorCode.OUT_OF_ORDER],
        sign(Kind.DIRECTORY, b"\xa0", PARTIES[0]): [ErrorCode.WRONG_TYPE],
    }
    for more, codes in cases.items():
        assert audited([*CLEAR, write_entry(more)]) == codes
    # One that came too early is told, and not told again by the one that follows it.
    assert audited([*CLEAR, write_entry(third), write_entry(next_directory(third))]) == [ErrorCode.OUT_OF_ORDER]
    assert audited([write_entry(second), *CLEAR]) == [ErrorCode.OUT_OF_ORDER]


def test_a_commitment_that_the_landmark_did_not_sign_is_found_before_and_after_its_position() -> None:
    forged = bytearray(entry_of(sequence(1)[0]))
    forged[-1] ^= 1
    assert audited([*CLEAR, bytes(forged)]) == [ErrorCode.SIGNATURE_INVALID]
    assert audited([bytes(forged), *CLEAR]) == [ErrorCode.SIGNATURE_INVALID]


def test_an_earlier_checkpoint_of_every_size_is_continued() -> None:
    entries = [*CLEAR, *map(entry_of, sequence(300))]
    for size in (0, 1, 11, 255, 256, 257, 311):
        since = sign_checkpoint(Checkpoint(origin=ORIGIN, size=size, root=merkle.root(entries[:size])), LOG)
        assert codes_of(audit_log(files(entries), NAMED, NOBODY, since=since)) == []
        forked = sign_checkpoint(Checkpoint(origin=ORIGIN, size=size, root=secret("other")), LOG)
        assert codes_of(audit_log(files(entries), NAMED, NOBODY, since=forked)) == [ErrorCode.LOG_FORKED]


def test_an_older_copy_of_an_honest_log_is_called_behind_and_not_forked() -> None:
    entries = [*CLEAR, *map(entry_of, sequence(3))]
    since = files(entries).by_path["checkpoint"]
    read = audit_log(files(entries[:-1]), NAMED, NOBODY, since=since)
    assert codes_of(read) == [ErrorCode.LOG_BEHIND]
    followed = Followed()
    follow(files(entries), NAMED, followed, {LANDMARK.key_id})
    with pytest.raises(Refused) as caught:
        follow(files(entries[:-1]), NAMED, followed, {LANDMARK.key_id})
    assert caught.value.faults[0].code is ErrorCode.LOG_BEHIND
    assert followed.checkpoint == since


def test_a_copy_whose_files_were_changed_is_no_fork_of_what_the_log_signed() -> None:
    entries = [*CLEAR, *map(entry_of, sequence(3))]
    since = files(entries[:12]).by_path["checkpoint"]
    source, other = files(entries), files([*CLEAR, *map(entry_of, sequence(3, label="other"))])
    source.by_path.update({path: data for path, data in other.by_path.items() if path != "checkpoint"})
    assert set(codes_of(audit_log(source, NAMED, NOBODY, since=since))) == {ErrorCode.LOG_DIFFERS}
    followed = Followed(checkpoint=since)
    with pytest.raises(Refused) as caught:
        follow(source, NAMED, followed, ())
    assert caught.value.faults[0].code is ErrorCode.LOG_DIFFERS


def test_a_monitor_finds_what_came_after_it_looked_last() -> None:
    held, followed = sequence(4), Followed()
    for count in (1, 2, 4):
        follow(files([*CLEAR, *map(entry_of, held[:count])]), NAMED, followed, {LANDMARK.key_id})
        assert unaccounted(held[:count], followed.commitments) == []
        (found,) = unaccounted(held[: count - 1], followed.commitments) if count > 1 else [None]
        assert found is None or (found.what, found.seq) == (Unaccounted.UNOPENED, count - 1)


def test_a_monitor_that_comes_to_hold_more_landmarks_looks_from_the_beginning() -> None:
    held, followed = sequence(2), Followed()
    source = files([*CLEAR, *map(entry_of, held)])
    follow(source, NAMED, followed, ())
    assert followed.commitments == {}
    follow(source, NAMED, followed, {LANDMARK.key_id})
    assert unaccounted(held, followed.commitments) == []


def test_a_receipt_without_its_entry_is_found() -> None:
    held, followed = sequence(3), Followed()
    follow(files([*CLEAR, entry_of(held[0])]), NAMED, followed, {LANDMARK.key_id})
    assert [(one.what, one.seq) for one in unaccounted(held, followed.commitments)] == [
        (Unaccounted.MISSING, 1),
        (Unaccounted.MISSING, 2),
    ]


def test_a_receipt_leads_to_this_history_or_shows_that_there_are_two() -> None:
    entries = [*CLEAR, *map(entry_of, sequence(3))]
    source = files(entries)
    now = follow(source, NAMED, Followed(), {LANDMARK.key_id})
    (held,) = sequence(1)

    def code(note: bytes) -> ErrorCode | None:
        wrong = check_receipts(source, NAMED, now, [replace(held, checkpoint=note)])
        return wrong[note].code if wrong else None

    for size in (1, 12, 14):
        seen = Checkpoint(origin=ORIGIN, size=size, root=merkle.root(entries[:size]))
        assert code(sign_checkpoint(seen, LOG)) is None
        assert code(sign_checkpoint(seen, key(Purpose.LOG, "stranger"))) is ErrorCode.WRONG_KEY
        assert code(sign_checkpoint(replace(seen, root=secret("other")), LOG)) is ErrorCode.LOG_FORKED
    assert code(sign_checkpoint(replace(seen, size=15), LOG)) is ErrorCode.LOG_BEHIND
    assert code(sign_checkpoint(Checkpoint(origin=ORIGIN, size=0, root=secret("other")), LOG)) is ErrorCode.LOG_FORKED


@pytest.mark.parametrize("since", [0, 11, 12])
def test_an_entry_that_the_landmark_did_not_sign_is_not_followed_whenever_it_came(since: int) -> None:
    held, followed = sequence(2), Followed()
    forged = bytearray(entry_of(held[1]))
    forged[-1] ^= 1
    entries = [*CLEAR, entry_of(held[0]), bytes(forged)]
    follow(files(entries[:since]), NAMED, followed, {LANDMARK.key_id})
    seen = followed.checkpoint
    with pytest.raises(Refused) as caught:
        follow(files(entries), NAMED, followed, {LANDMARK.key_id})
    assert (caught.value.faults[0].code, caught.value.faults[0].column) == (ErrorCode.SIGNATURE_INVALID, "entry 12")
    assert followed.checkpoint == seen


def test_a_landmark_without_a_position_in_the_log_is_not_followed() -> None:
    with pytest.raises(Refused) as caught:
        follow(files([entry_of(sequence(1)[0])]), NAMED, Followed(), {LANDMARK.key_id})
    assert caught.value.faults[0].code is ErrorCode.NOT_ADMITTED


def test_a_log_that_took_a_slot_twice_is_not_followed_and_nothing_is_remembered() -> None:
    (held,), followed = sequence(1), Followed()
    source = files([*CLEAR, entry_of(held), entry_of(held, commitment=bytes(32))])
    with pytest.raises(Refused) as caught:
        follow(source, NAMED, followed, {LANDMARK.key_id})
    assert caught.value.faults[0].code is ErrorCode.SEQUENCE_BROKEN
    assert followed == Followed()


@pytest.mark.parametrize("size", [11, 12, 13])
def test_a_log_that_does_not_continue_what_was_seen_is_not_followed(size: int) -> None:
    held, followed = sequence(2, label="one"), Followed()
    follow(files([*CLEAR, entry_of(held[0])]), NAMED, followed, {LANDMARK.key_id})
    seen = followed.checkpoint
    other = [*CLEAR, *map(entry_of, sequence(2, label="other"))][:size]
    with pytest.raises(Refused) as caught:
        follow(files(other), NAMED, followed, {LANDMARK.key_id})
    assert caught.value.faults[0].code is (ErrorCode.LOG_BEHIND if size == 11 else ErrorCode.LOG_FORKED)
    assert followed.checkpoint == seen


def test_an_entry_that_is_not_under_the_root_is_not_believed() -> None:
    held = sequence(2)
    source = files([*CLEAR, *map(entry_of, held)])
    other = files([*CLEAR, entry_of(held[0]), entry_of(held[1], commitment=bytes(32))])
    path = next(bundles_of(13)).path
    source.by_path[path] = other.by_path[path]
    with pytest.raises(Refused) as caught:
        follow(source, NAMED, Followed(), {LANDMARK.key_id})
    assert caught.value.faults[0].code is ErrorCode.LOG_DIFFERS


def test_a_log_that_signs_for_more_than_anybody_could_hold_lacks_what_it_signed_for() -> None:
    source = files(CLEAR)
    source.by_path["checkpoint"] = sign_checkpoint(Checkpoint(origin=ORIGIN, size=2**63 - 1, root=bytes(32)), LOG)
    with pytest.raises(Unavailable):
        audit_log(source, NAMED, NOBODY)
    with pytest.raises(Unavailable):
        follow(source, NAMED, Followed(), {LANDMARK.key_id})
