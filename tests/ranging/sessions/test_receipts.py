"""A receipt is kept for what it opens to: none that a landmark gives for something else, though the log holds that."""

from dataclasses import dataclass, replace

import pytest

from lightbound.canonical.cbor import Value, encode
from lightbound.errors import ErrorCode, Malformed, Refused
from lightbound.keys.ed25519 import VerifyingKey
from lightbound.keys.signing import digest
from lightbound.ranging.sessions.receipts import Receipt, check_receipt, read_logged, read_numbered
from lightbound.tlog.entries import Opening, read_opening
from lightbound.tlog.note import NoteKey
from lightbound.tlog.proof import read_proof
from tests.bundles.made import attested, logged
from tests.ranging.parties import world
from tests.tlog.histories import LOG_KEY, WITNESS_KEY


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A measurement, and what a landmark gives as its receipt."""

    landmark: VerifyingKey
    statement: bytes
    entry: bytes
    proof: bytes

    def code(self, log: NoteKey | None = LOG_KEY) -> ErrorCode | None:
        """Why the receipt is not kept; None if it is."""
        receipt = Receipt(commitment=self.entry, proof=self.proof)
        try:
            check_receipt(self.statement, receipt, landmark=self.landmark, log=log)
        except Refused as error:
            return error.faults[0].code
        return None

    def opened_by(self, opening: Opening | None) -> "Said":
        """The same with another opening."""
        extra = None if opening is None else opening.encoded()
        return replace(self, proof=replace(read_proof(self.proof), extra=extra).encoded())


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> tuple[Said, ...]:
    with attested(tmp_path_factory.mktemp("world") / "verifier") as made:
        bundle, _ = logged(made.bundle())
    by_digest = {one.statement: one for one in bundle.logged}
    found = []
    for landmark, of in bundle.sessions[0].statements.by_landmark.items():
        assert of.measurement is not None
        one = by_digest[digest(of.measurement)]
        signer = world().landmark(landmark).verifying
        found.append(Said(landmark=signer, statement=of.measurement, entry=one.commitment, proof=one.proof))
    return tuple(found)


def test_the_receipt_of_a_statement_is_one(said: tuple[Said, ...]) -> None:
    assert {one.code() for one in said} == {one.code(None) for one in said} == {None}
    assert said[0].code(replace(WITNESS_KEY, name="another.example")) is ErrorCode.WRONG_KEY


def test_what_another_landmark_logged_is_none(said: tuple[Said, ...]) -> None:
    one, other = said[:2]
    assert replace(one, entry=other.entry, proof=other.proof).code() is ErrorCode.WRONG_KEY


def test_an_entry_that_the_log_does_not_hold_there_is_none(said: tuple[Said, ...]) -> None:
    swapped = replace(said[0], proof=said[1].proof)
    assert swapped.code() is swapped.code(None) is ErrorCode.SIGNATURE_INVALID


def test_who_does_not_know_the_log_takes_a_checkpoint_that_nobody_signed_for_what_it_shows(
    said: tuple[Said, ...],
) -> None:
    proof = read_proof(said[0].proof)
    unsigned = proof.checkpoint.partition(b"\n\n")[0] + "\n\n\u2014 nobody.example AAAAAAAA\n".encode()
    forged = replace(said[0], proof=replace(proof, checkpoint=unsigned).encoded())
    assert forged.code() is ErrorCode.WRONG_KEY
    assert forged.code(None) is None


def test_what_the_same_landmark_logged_of_something_else_is_none(said: tuple[Said, ...]) -> None:
    extra = read_proof(said[0].proof).extra
    assert extra is not None
    opening = read_opening(extra)
    assert said[0].opened_by(replace(opening, salt=bytes(32))).code() is ErrorCode.DISCLOSURE_DIFFERS
    assert said[0].opened_by(replace(opening, before=bytes(32))).code() is ErrorCode.SEQUENCE_BROKEN
    assert said[0].opened_by(None).code() is ErrorCode.DISCLOSURE_DIFFERS


def test_only_what_a_landmark_numbers_is_read(said: tuple[Said, ...]) -> None:
    read = read_numbered(said[0].statement, said[0].landmark)
    assert read.link.landmark == said[0].landmark.key_id
    with pytest.raises(Refused) as caught:
        read_numbered(said[0].entry, said[0].landmark)
    assert caught.value.faults[0].code is ErrorCode.WRONG_TYPE
    with pytest.raises(Refused):
        read_numbered(said[0].statement, said[1].landmark)


@pytest.mark.parametrize("told", [None, {}, [[b"a", b"b"]], [[b"a", b"b", "c"]], [b"abc"]])
def test_what_is_no_list_of_receipts_is_refused(told: Value) -> None:
    assert read_logged(encode([[b"a", b"b", b"c"]]), most_bytes=100) == {b"a": Receipt(commitment=b"b", proof=b"c")}
    with pytest.raises(Malformed):
        read_logged(encode(told), most_bytes=100)
    with pytest.raises(Malformed):
        read_logged(encode([[b"a", b"b", b"c"]]), most_bytes=3)
