"""What a verifier asks for, when it may be asked, and for which chips."""

import hashlib
from dataclasses import replace

import numpy as np
import pytest

from lightbound.canonical.cbor import encode
from lightbound.errors import ErrorCode, Malformed, Refused
from lightbound.ranging.statements.session import (
    LONGEST_SESSION_NS,
    MOST_CHIPS,
    Session,
    asked_for,
    check_askable,
    chip_proof,
    chips_root,
    read_session,
    write_session,
)
from lightbound.tlog import merkle
from tests.ranging.parties import VERIFIER, chips, session_of

SESSION = session_of("statement")


def read_again(session: Session) -> Session:
    return read_session(write_session(session, VERIFIER), VERIFIER.verifying)


@pytest.mark.parametrize("length_ns", [0, -1, LONGEST_SESSION_NS + 1])
def test_a_session_ends_after_it_begins_and_within_ten_minutes(length_ns: int) -> None:
    with pytest.raises(Malformed):
        read_again(replace(SESSION, expiry_ns=SESSION.issued_ns + length_ns))


def test_ten_minutes_to_the_nanosecond_are_allowed() -> None:
    longest = replace(SESSION, expiry_ns=SESSION.issued_ns + LONGEST_SESSION_NS)
    assert read_again(longest) == longest


@pytest.mark.parametrize(
    "wrong",
    [
        replace(SESSION, versions=()),
        replace(SESSION, versions=(2, 1)),
        replace(SESSION, versions=(0, 1)),
        replace(SESSION, versions=(256,)),
        replace(SESSION, landmarks=()),
        replace(SESSION, landmarks=SESSION.landmarks[::-1]),
        replace(SESSION, landmarks=(SESSION.landmarks[0],) * 2),
        replace(SESSION, landmarks=(bytes(15),)),
        replace(SESSION, draw=replace(SESSION.draw, chosen=SESSION.draw.chosen[::-1])),
        replace(SESSION, draw=replace(SESSION.draw, extras=-1)),
        replace(SESSION, draw=replace(SESSION.draw, extras=513)),
        replace(SESSION, draw=replace(SESSION.draw, beacon=bytes(31))),
        replace(SESSION, draw=replace(SESSION.draw, beacon_name="")),
        replace(SESSION, commitments={}),
        replace(SESSION, commitments={"site": bytes(32), "more": bytes(32)}),
    ],
)
def test_what_no_session_may_say_is_malformed(wrong: Session) -> None:
    with pytest.raises(Malformed):
        read_again(wrong)


def test_a_session_is_valid_from_issue_to_expiry_both_included() -> None:
    for now_ns in (SESSION.issued_ns, SESSION.expiry_ns):
        check_askable(SESSION, now_ns=now_ns)
    for now_ns in (SESSION.issued_ns - 1, SESSION.expiry_ns + 1):
        with pytest.raises(Refused) as caught:
            check_askable(SESSION, now_ns=now_ns)
        assert caught.value.faults[0].code is ErrorCode.NOT_VALID_THEN


def test_a_session_that_leaves_out_our_version_is_refused_and_one_that_adds_others_is_not() -> None:
    check_askable(replace(SESSION, versions=(1, 2, 9)), now_ns=SESSION.issued_ns)
    with pytest.raises(Refused) as caught:
        check_askable(replace(SESSION, versions=(2, 3)), now_ns=SESSION.issued_ns)
    assert caught.value.faults[0].code is ErrorCode.WRONG_VERSION


def test_the_root_of_chips_is_a_hash_of_their_count_and_tree() -> None:
    listed = chips("root", count=3)
    tree = merkle.root([salt + chip_id for chip_id, salt in listed])
    assert chips_root(listed) == hashlib.sha256(encode(["CLP/1 chips", 3, tree])).digest()


@pytest.mark.parametrize("count", [1, 2, 3, 8, 13])
def test_each_chip_can_be_shown_to_have_been_asked_for_and_no_other(count: int) -> None:
    listed, others = chips("these", count=count), chips("those", count=count)
    root = chips_root(listed)
    for index in range(count):
        proof = chip_proof(listed, index)
        assert asked_for(proof, root)
        assert not asked_for(proof, chips_root(others))
        assert not asked_for(replace(proof, chip_id=bytes(32)), root)
        assert not asked_for(replace(proof, salt=bytes(16)), root)
        assert not asked_for(replace(proof, index=(index + 1) % (count + 1)), root)
        assert not asked_for(replace(proof, path=(*proof.path, bytes(32))), root)


def test_a_proof_tells_the_true_count() -> None:
    """A tree of five and a tree of six can share paths; the count is in the root."""
    listed = chips("count", count=5)
    proof = chip_proof(listed, 0)
    assert not any(asked_for(replace(proof, count=count), chips_root(listed)) for count in range(70) if count != 5)


def test_bytes_cannot_be_moved_between_salt_and_id() -> None:
    listed = chips("moved", count=4)
    proof = chip_proof(listed, 1)
    both = proof.salt + proof.chip_id
    assert not asked_for(replace(proof, salt=both[:15], chip_id=both[15:]), chips_root(listed))
    assert not asked_for(replace(proof, salt=both[:17], chip_id=both[17:]), chips_root(listed))


def test_more_chips_than_a_host_may_have_are_never_asked_for() -> None:
    listed = [(number.to_bytes(32, "big"), bytes(16)) for number in range(MOST_CHIPS + 1)]
    assert not asked_for(chip_proof(listed, 0), chips_root(listed))
    assert asked_for(chip_proof(listed[:-1], 7), chips_root(listed[:-1]))


def test_without_salts_nobody_can_tell_which_chips_a_root_stands_for() -> None:
    """Salts differ from session to session, and so do roots over the same chips."""
    dice = np.random.default_rng(3)
    ids = [chip_id for chip_id, _ in chips("same")]
    roots = {chips_root([(chip_id, dice.bytes(16)) for chip_id in ids]) for _ in range(100)}
    assert len(roots) == 100
