"""Submissions are cut so that a log takes them, and a false proof spoils none beside it."""

import itertools

from lightbound.canonical.cbor import encode
from lightbound.errors import ErrorCode, Unavailable
from lightbound.keys.purposes import Purpose
from lightbound.keys.signing import sign
from lightbound.net.http_client import Server
from lightbound.net.log_submission import AT_ONCE, submissions, submitted
from lightbound.tlog.proof import LogProof
from lightbound.tlog.submission import MOST_BYTES, write_submission
from tests.net.logs import NAMED, SmallLog, answering
from tests.ranging.parties import key, world


def statement(number: int, length: int = 0) -> bytes:
    return sign("lightbound.operator/1", encode({"number": number, "x": bytes(length)}), key(Purpose.OPERATOR, 1))


def test_a_submission_has_no_more_statements_nor_bytes_than_a_log_takes() -> None:
    for lengths in ([0] * 40, [50_000] * 7, [0, 60_000] * 20, [65_000, 65_000, 65_000, 65_000], [16_200] * 17):
        statements = [statement(number, length) for number, length in enumerate(lengths)]
        parts = list(submissions(statements))
        assert [one for part in parts for one in part] == statements
        assert all(1 <= len(part) <= AT_ONCE and len(write_submission(part)) <= MOST_BYTES for part in parts)
        # None is cut where the next statement would have gone into it.
        for part, after in itertools.pairwise(parts):
            together = [*part, after[0]]
            assert len(together) > AT_ONCE or len(write_submission(together)) > MOST_BYTES - 5 * len(together)


def test_whom_a_directory_lists_is_submitted_after_it() -> None:
    places = world()
    before, after = [statement(1)], [*places.operator_statements[:2], places.positions[0]]
    parts = list(submissions([*before, places.directory, *after]))
    assert parts == [[*before, places.directory], after]


def test_a_proof_that_does_not_hold_is_told_beside_those_that_do() -> None:
    statements = [statement(number) for number in range(3)]
    with answering(SmallLog(is_false=lambda one: one == statements[1])) as log, Server(log.url) as server:
        said = submitted(server, NAMED, statements)
    assert [one.index for one in said if isinstance(one, LogProof)] == [0, 2]
    false = said[1]
    assert isinstance(false, Unavailable)
    assert (false.faults[0].code, false.faults[0].file) == (ErrorCode.PEER_MISBEHAVED, log.url)
