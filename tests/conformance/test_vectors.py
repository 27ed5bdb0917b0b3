"""The packaged vectors: they are answered by our own core, and they cover what they should."""

import re

import pytest

from lightbound.conformance.checking import checked
from lightbound.conformance.comparison import is_refusal
from lightbound.conformance.on_scripts import AGENT_MOVES, LANDMARK_MOVES
from lightbound.conformance.reference import OPERATIONS, answer
from lightbound.conformance.vectors import SUBJECTS, Role, Vector, of_file, read_vectors, wanted
from lightbound.errors import ErrorCode
from lightbound.ranging.statements.kinds import Kind

VECTORS = read_vectors()
BY_NAME = {vector.name: vector for vector in VECTORS}
STATEMENTS = [kind.short for kind in Kind]
OF_FILES_AND_COMMANDS = {
    ErrorCode.FILE_EMPTY, ErrorCode.FILE_FORMAT, ErrorCode.COLUMN_MISSING, ErrorCode.COLUMN_UNKNOWN,
    ErrorCode.COLUMN_CONFLICT, ErrorCode.ROW_SHAPE, ErrorCode.VALUE_MISSING, ErrorCode.VALUE_MALFORMED,
    ErrorCode.VALUE_OUT_OF_RANGE, ErrorCode.DUPLICATE, ErrorCode.UNKNOWN_LANDMARK, ErrorCode.UNKNOWN_COUNTRY,
    ErrorCode.AREA_MALFORMED, ErrorCode.GEOJSON_MALFORMED, ErrorCode.GEOJSON_INVALID, ErrorCode.BORDERS_CORRUPT,
    ErrorCode.LICENSED_INSIDE_EXCLUDED, ErrorCode.READ_FAILED, ErrorCode.WRITE_FAILED, ErrorCode.KEY_EXPOSED,
    ErrorCode.SCENARIO_MALFORMED, ErrorCode.SETTING_MALFORMED, ErrorCode.CODE_REFUSED, ErrorCode.NOT_ENROLLED,
    ErrorCode.PEER_UNREACHABLE, ErrorCode.PEER_MISBEHAVED, ErrorCode.RATE_LIMITED, ErrorCode.ALREADY_RUNNING,
    ErrorCode.STORE_BROKEN, ErrorCode.NOT_INSTALLED, ErrorCode.EVIDENCE_MALFORMED, ErrorCode.CERTIFICATE_MALFORMED,
    ErrorCode.MANIFEST_MALFORMED, ErrorCode.CHAIN_REFUSED, ErrorCode.NONCE_DIFFERS, ErrorCode.KEY_UNFIT,
    ErrorCode.FIRMWARE_DIFFERS, ErrorCode.MANIFEST_REFUSED, ErrorCode.MEASUREMENT_DIFFERS, ErrorCode.TOPOLOGY_OPEN,
    ErrorCode.UNSUPPORTED, ErrorCode.DEVICE_SILENT, ErrorCode.LOG_FORKED, ErrorCode.LOG_DIFFERS,
    ErrorCode.TOO_FEW_WITNESSES, ErrorCode.ENTRY_MISSING, ErrorCode.ENTRY_UNOPENED, ErrorCode.NOT_LOGGED,
    ErrorCode.PASSPHRASE_REFUSED, ErrorCode.ROTATED_TWICE, ErrorCode.LOG_BEHIND,
}  # fmt: skip
"""No statement, packet or session is refused for these."""


@pytest.mark.parametrize("subject", SUBJECTS)
def test_our_own_core_answers_every_vector(subject: str) -> None:
    of_subject = [vector for vector in VECTORS if vector.subject == subject]
    assert of_subject
    assert [(one.vector.name, one.difference) for one in checked(of_subject, answer) if one.difference] == []


def test_every_vector_has_a_name_of_its_own_and_says_what_it_shows() -> None:
    assert len(BY_NAME) == len(VECTORS)
    assert [vector.name for vector in VECTORS if not re.fullmatch("[a-z0-9]+(-[a-z0-9]+)*", vector.name)] == []
    assert [vector.name for vector in VECTORS if not vector.about] == []


@pytest.mark.parametrize("name", [*STATEMENTS, "ready", "probe", "reply", "evidence"])
def test_there_is_a_plain_good_example_of_everything_that_is_sent(name: str) -> None:
    vector = BY_NAME[name]
    assert not vector.is_refused
    assert vector.operation["data"]


def test_every_accepted_statement_is_written_again_to_the_same_bytes() -> None:
    accepted = [vector for vector in VECTORS if vector.operation["do"] in ("read", "read_packet")]
    accepted = [vector for vector in accepted if vector.subject == "statements"]
    assert {vector.operation["statement"] for vector in accepted} == {*STATEMENTS, "evidence"}
    for vector in accepted:
        again = BY_NAME[f"{vector.name}-written"]
        assert again.operation["fields"] == vector.expect["result"]["fields"]
        assert answer(again.operation) == {"result": {"data": vector.operation["data"]}}, vector.name


@pytest.mark.parametrize("statement", STATEMENTS)
def test_every_statement_is_refused_for_each_of_the_usual_faults(statement: str) -> None:
    one_or_several = (
        ("flipped-first", "flipped-last", "signers-unsorted", "signers-twice")
        if statement in ("bind", "directory")
        else ("flipped-signature", "wrong-kid", "forged")
    )
    usual = (
        "trailing-byte", "untagged", "unprotected-header", "payload-trailing-byte", "payload-empty", "duplicate-key",
        "unsorted-keys", "long-length", "indefinite-map", "wrong-purpose", "unknown-field", "no-map", *one_or_several,
    )  # fmt: skip
    missing = [fault for fault in usual if f"{statement}-{fault}" not in BY_NAME]
    assert missing == []
    fields = BY_NAME[statement].expect["result"]["fields"]
    missing = [field for field in fields if f"{statement}-{field.replace('_', '-')}-missing" not in BY_NAME]
    assert missing == []
    assert all(BY_NAME[f"{statement}-{fault}"].is_refused for fault in usual)


def _refusals(told: object) -> list[tuple[str, str]]:
    """Class and code of every refusal in an answer, also of single moves and of single landmarks."""
    if is_refusal(told):
        return [(told["class"], code) for code in told["codes"]]
    items = told.values() if isinstance(told, dict) else told if isinstance(told, list) else ()
    return [found for item in items for found in _refusals(item)]


def test_every_reason_of_the_protocol_is_given_by_some_vector() -> None:
    told = {code for vector in VECTORS for _, code in _refusals(vector.expect)}
    assert told == {str(code) for code in ErrorCode if code not in OF_FILES_AND_COMMANDS}


def test_the_class_of_a_refusal_follows_from_its_code() -> None:
    classes = {found for vector in VECTORS for found in _refusals(vector.expect)}
    for told, code in classes:
        malformed = code.endswith("_malformed") or code == "cbor_not_deterministic"
        assert told == ("malformed" if malformed else "refused"), code


def test_every_operation_and_every_move_is_asked_for() -> None:
    assert {vector.operation["do"] for vector in VECTORS} == OPERATIONS.keys()
    for operation, moves in (("landmark_session", LANDMARK_MOVES), ("agent_session", AGENT_MOVES)):
        scripts = [vector.operation["moves"] for vector in VECTORS if vector.operation["do"] == operation]
        assert {move["move"] for script in scripts for move in script} == set(moves)


def _asked(role: Role) -> set[tuple[str, str | None]]:
    return {(one.operation["do"], one.operation.get("statement")) for one in wanted(VECTORS, role=role)}


def test_a_role_is_asked_for_what_that_party_reads_and_writes() -> None:
    both = {("read_packet", None), ("write_packet", None), ("timed_keys", None), ("transcript", None), ("key_id", None)}
    assert _asked(Role.LANDMARK) == both | {
        *(("read", statement) for statement in ("session", "bind", "ack")),
        *(("write", statement) for statement in ("open", "contrib", "close", "measurement", "abort")),
        *((clock, None) for clock in ("clock_error", "round_counts", "session_counts", "bound")),
        ("commit", None),
        ("landmark_session", None),
    }
    assert _asked(Role.AGENT) == both | {
        *(("read", statement) for statement in ("session", "contrib", "close")),
        *(("write", statement) for statement in ("bind", "ack", "evidence")),
        *((number, None) for number in ("n0", "n1", "n2")),
        ("agent_session", None),
    }
    reads = {statement for do, statement in _asked(Role.CHECKER) if do == "read"}
    assert reads == {*STATEMENTS, "evidence"}
    assert not any(do == "write" for do, _ in _asked(Role.CHECKER))


def test_vectors_are_asked_for_by_name_pattern_and_role() -> None:
    assert [one.name for one in wanted(VECTORS, only=["session"])] == ["session"]
    some = wanted(VECTORS, only=["session-*", "ack"], role=Role.AGENT)
    assert {one.name.partition("-")[0] for one in some} == {"session"}
    assert wanted(VECTORS, only=["nothing"]) == ()


def test_a_file_of_another_format_is_not_read() -> None:
    with pytest.raises(ValueError, match=r"lightbound\.vectors/2"):
        of_file({"format": "lightbound.vectors/2", "subject": "x", "vectors": []})


def test_a_vector_is_a_function_of_its_operation() -> None:
    def twice(vector: Vector) -> bool:
        return answer(vector.operation) == answer(vector.operation)

    assert all(twice(vector) for vector in wanted(VECTORS, only=["*-session*", "phase-*"]))
