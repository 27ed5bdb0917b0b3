"""A receipt is kept for what it opens to: none that a landmark gives for something else, though the log holds that."""

from dataclasses import dataclass, replace

import pytest

from lightbound.errors import ErrorCode, Refused
from lightbound.keys.ed25519 import VerifyingKey
from lightbound.keys.signing import digest
from lightbound.roles.verifier.collecting import check_receipt
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

    def code(self, log: NoteKey = LOG_KEY) -> ErrorCode | None:
        """Why the receipt is not kept; None if it is."""
        try:
            check_receipt(self.statement, self.entry, self.proof, landmark=self.landmark, log=log)
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
        found.append(Said(landmark=signer, statement=of.measurement, entry=one.entry, proof=one.proof))
    return tuple(found)


def test_the_receipt_of_a_statement_is_one(said: tuple[Said, ...]) -> None:
    assert {one.code() for one in said} == {None}
    assert said[0].code(replace(WITNESS_KEY, name="another.example")) is ErrorCode.WRONG_KEY


def test_what_another_landmark_logged_is_none(said: tuple[Said, ...]) -> None:
    one, other = said[:2]
    assert replace(one, entry=other.entry, proof=other.proof).code() is ErrorCode.WRONG_KEY


def test_an_entry_that_the_log_does_not_hold_there_is_none(said: tuple[Said, ...]) -> None:
    assert replace(said[0], proof=said[1].proof).code() is ErrorCode.SIGNATURE_INVALID


def test_what_the_same_landmark_logged_of_something_else_is_none(said: tuple[Said, ...]) -> None:
    extra = read_proof(said[0].proof).extra
    assert extra is not None
    opening = read_opening(extra)
    assert said[0].opened_by(replace(opening, salt=bytes(32))).code() is ErrorCode.DISCLOSURE_DIFFERS
    assert said[0].opened_by(replace(opening, before=bytes(32))).code() is ErrorCode.SEQUENCE_BROKEN
    assert said[0].opened_by(None).code() is ErrorCode.DISCLOSURE_DIFFERS
