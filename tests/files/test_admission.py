"""An admission folder is read as its directory means it, and whatever is wrong with it names the file."""

import json
import random
import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightbound.canonical import cose
from lightbound.demo.admission import DemoLandmark, make_admission
from lightbound.errors import ErrorCode, LightboundError, Malformed, Refused, Unavailable
from lightbound.files.admission import read_admission, read_statement_files
from lightbound.files.directories import (
    cosign_directory,
    draft_directory,
    number_of,
    remember_signed,
    sign_directory,
)
from lightbound.files.directory_trust import read_directory_trust, write_directory_trust
from lightbound.files.landmark_addresses import LandmarkAddress, read_addresses, write_addresses
from lightbound.files.position_requests import PositionRequest, read_request, write_request
from lightbound.files.showing import look_at
from lightbound.files.statements import StatementFile, write_statement
from lightbound.keys.ed25519 import SigningKey
from lightbound.keys.purposes import Purpose
from lightbound.keys.signing import cosign, digest
from lightbound.ranging.statements.admission import (
    Axis,
    DirectoryTrust,
    Operator,
    read_directory,
    read_position,
    write_operator,
)
from lightbound.ranging.statements.kinds import Kind

YEAR_NS = 31_557_600 * 10**9
FROM_NS, TO_NS = 50 * YEAR_NS, 60 * YEAR_NS
PARTIES = [SigningKey.of_seed(Purpose.DIRECTORY, bytes([number]) * 32) for number in (1, 2, 3)]
TRUST = DirectoryTrust(keys=tuple(key.verifying for key in PARTIES), threshold=2)
OPERATOR = SigningKey.of_seed(Purpose.OPERATOR, bytes([7]) * 32)
LANDMARK = SigningKey.of_seed(Purpose.LANDMARK, bytes([8]) * 32)
REQUEST = PositionRequest(
    landmark_key=LANDMARK.verifying,
    latitude_e7=12_966_000,
    longitude_e7=1_037_764_000,
    altitude_m=20,
    error_m=100,
    hosting='Hall "1" \\ ü',
    jurisdiction="SG",
    can_pause=True,
    surveyed="GNSS",
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An admission folder of three landmarks of two operators, which reads."""
    landmarks = [
        DemoLandmark(
            name=f"lm-{number}",
            latitude=10.0 * number + 1,
            longitude=20.0 * number,
            error_m=50,
            operator=f"op-{number % 2}",
            owner=f"owner {number % 2}",
            hosting="hall",
            jurisdiction="SG",
            url=f"http://lm-{number}.example:8471",
            data=tmp_path / f"lm-{number}",
        )
        for number in range(3)
    ]
    made = tmp_path / "admission"
    make_admission(made, landmarks, seed=random.Random(1).randbytes, from_ns=FROM_NS, to_ns=TO_NS, axes=())
    assert len(read_admission(made).admitted.by_id) == 3
    return made


def _wrong(of: Callable[[], object]) -> tuple[type[LightboundError], ErrorCode, str | None, str | None]:
    with pytest.raises(LightboundError) as caught:
        of()
    (fault,) = caught.value.faults
    return type(caught.value), fault.code, None if fault.file is None else Path(fault.file).name, fault.column


def _drafted(folder: Path, key: SigningKey = PARTIES[0], number: int = 1, previous: bytes | None = None) -> bytes:
    statements = read_statement_files(folder)
    draft = draft_directory(
        statements, number=number, previous=previous, axes=[Axis.HOSTING], from_ns=FROM_NS, to_ns=TO_NS
    )
    return sign_directory(draft, key)


def test_what_is_read_shows_a_stranger_who_is_admitted(folder: Path) -> None:
    read = read_admission(folder)
    assert read.admitted.digest == digest(read.directory) == digest((folder / "directory.cose").read_bytes())
    assert sorted(map(digest, read.operators)) == list(read.admitted.directory.operators)
    assert sorted(map(digest, read.positions)) == list(read.admitted.directory.positions)
    assert read_directory(read.directory, read.trust) == read.admitted.directory
    assert {one.url for one in read.addresses.values()} == {f"http://lm-{number}.example:8471" for number in range(3)}


@pytest.mark.parametrize("name", ["directory.cose", "directory-trust.toml", "landmarks.toml"])
def test_a_file_that_is_missing_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    assert _wrong(lambda: read_admission(folder)) == (Unavailable, ErrorCode.READ_FAILED, name, None)


@pytest.mark.parametrize("reader", [read_admission, look_at])
def test_who_lacks_a_directory_is_told_the_command_that_makes_one(
    folder: Path, reader: Callable[[Path], object]
) -> None:
    (folder / "directory.cose").unlink()
    with pytest.raises(Unavailable, match="lightbound directory sign"):
        reader(folder)


@pytest.mark.parametrize(
    ("name", "old", "new", "key"),
    [
        ("directory-trust.toml", "lightbound.directory-trust/1", "lightbound.directory-trust/2", "format"),
        ("directory-trust.toml", "threshold = 2", "threshold = 0", "threshold"),
        ("directory-trust.toml", "threshold = 2", "threshold = 4", "threshold"),
        ("directory-trust.toml", "threshold = 2", "threshold = 2.0", "threshold"),
        ("directory-trust.toml", "threshold = 2", "", "threshold"),
        ("directory-trust.toml", "threshold = 2", "threshold = 2\nmore = 1", "more"),
        ("directory-trust.toml", "keys = [", 'keys = ["00",', "keys[0]"),
        ("directory-trust.toml", "keys = [", f'keys = ["{"0" * 64}",', "keys[0]"),
        ("directory-trust.toml", "keys = [", f'keys = ["{"ab" * 32}", "{"ab" * 32}",', "keys"),
        ("landmarks.toml", "lightbound.landmarks/1", "other", "format"),
        ("landmarks.toml", 'name = "lm-0"', 'name = "lm-1"', "landmark[1].name"),
        ("landmarks.toml", 'name = "lm-0"', 'name = ""', "landmark[0].name"),
        ("landmarks.toml", 'name = "lm-0"', "", "landmark[0].name"),
        ("landmarks.toml", 'name = "lm-0"', 'name = "lm-0"\nport = 1', "landmark[0].port"),
        ("landmarks.toml", 'key = "', 'key = "00', "landmark[0].key"),
        ("landmarks.toml", "lm-0.example:8471", "lm-1.example:8471", "landmark[1].url"),
        *(
            ("landmarks.toml", "http://lm-0.example:8471", url, "landmark[0].url")
            for url in (
                "lm-0.example",
                "ftp://lm-0.example",
                "http://lm-0.example/",
                "http://lm-0.example:0",
                "http://lm-0.example:65536",
                "http://me@lm-0.example",
                "http://lm-0.example?a",
                "http://lm-0.example#a",
                "http://",
            )
        ),
    ],
)
def test_what_is_wrong_in_a_file_names_file_and_key(folder: Path, name: str, old: str, new: str, key: str) -> None:
    text = (folder / name).read_text()
    assert old in text
    (folder / name).write_text(text.replace(old, new, 1))
    assert _wrong(lambda: read_admission(folder)) == (Malformed, ErrorCode.SETTING_MALFORMED, name, key)


def test_a_landmark_without_an_address_is_named(folder: Path) -> None:
    addresses = read_addresses(folder / "landmarks.toml")
    gone = min(addresses)
    write_addresses(folder / "landmarks.toml", {key: one for key, one in addresses.items() if key != gone})
    with pytest.raises(Malformed, match=gone.hex()):
        read_admission(folder)


@pytest.mark.parametrize("statement", ["operators/op-0.cose", "positions/lm-1.cose"])
def test_a_statement_that_is_listed_and_missing_is_refused_and_told(folder: Path, statement: str) -> None:
    (folder / statement).unlink()
    assert _wrong(lambda: read_admission(folder))[:3] == (Refused, ErrorCode.NOT_ADMITTED, "directory.cose")
    assert look_at(folder).known.missing == 1


def test_a_folder_of_statements_that_is_missing_holds_none(folder: Path) -> None:
    shutil.rmtree(folder / "positions")
    with pytest.raises(Refused, match="3 of 3 missing"):
        read_admission(folder)


@pytest.mark.parametrize("statement", ["operators/op-0.cose", "positions/lm-1.cose", "directory.cose"])
def test_a_file_that_is_no_statement_or_another_is_named(folder: Path, statement: str) -> None:
    (folder / statement).write_bytes(b"no statement")
    name = Path(statement).name
    assert _wrong(lambda: read_admission(folder))[:3] == (Malformed, ErrorCode.COSE_MALFORMED, name)
    other = "operators/op-1.cose" if "op-0" not in statement else "positions/lm-0.cose"
    (folder / statement).write_bytes((folder / other).read_bytes())
    assert _wrong(lambda: read_admission(folder))[:3] == (Refused, ErrorCode.WRONG_TYPE, name)
    (folder / statement).write_bytes(bytes(70_000))
    assert _wrong(lambda: read_admission(folder))[:3] == (Malformed, ErrorCode.COSE_MALFORMED, name)


def test_a_directory_signed_by_too_few_or_by_a_stranger_is_refused(folder: Path) -> None:
    write_directory_trust(folder / "directory-trust.toml", TRUST)
    alone = _drafted(folder)
    write_statement(folder / "directory.cose", alone)
    assert _wrong(lambda: read_admission(folder))[:3] == (Refused, ErrorCode.WRONG_KEY, "directory.cose")
    assert [key.key_id for key in look_at(folder).signers] == [PARTIES[0].key_id]
    stranger = SigningKey.of_seed(Purpose.DIRECTORY, bytes([9]) * 32)
    both = cosign(Kind.DIRECTORY, cose.read(alone).payload, [PARTIES[0], stranger])
    write_statement(folder / "directory.cose", both)
    assert _wrong(lambda: read_admission(folder))[:3] == (Refused, ErrorCode.WRONG_KEY, "directory.cose")
    with pytest.raises(Refused):
        look_at(folder)


def test_a_statement_that_is_not_listed_waits_for_the_next_directory(folder: Path) -> None:
    said = Operator(key=OPERATOR.verifying, name="new", owner="new", contact="", from_ns=FROM_NS, to_ns=TO_NS)
    write_statement(folder / "operators" / "new.cose", write_operator(said, OPERATOR))
    assert len(read_admission(folder).operators) == 2
    (left_out,) = look_at(folder).left_out
    assert (left_out.path.name, left_out.why) == ("new.cose", "the directory does not list it")


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_signatures_added_one_after_another_make_a_directory_that_is_believed(
    folder: Path, order: tuple[int, ...]
) -> None:
    path = folder / "directory.cose"
    statements = read_statement_files(folder)
    first = data = _drafted(folder, PARTIES[order[0]])
    for place in order[1:]:
        data = cosign_directory(StatementFile(path=path, data=data), statements, TRUST, PARTIES[place])
        assert cose.read(data).payload == cose.read(first).payload
    assert read_directory(data, replace(TRUST, threshold=3)).number == 1
    write_directory_trust(folder / "directory-trust.toml", replace(TRUST, threshold=3))
    write_statement(path, data)
    assert len(read_admission(folder).admitted.by_id) == 3
    assert _wrong(lambda: cosign_directory(StatementFile(path=path, data=data), statements, TRUST, PARTIES[0]))[:3] == (
        Refused,
        ErrorCode.DUPLICATE,
        "directory.cose",
    )


def test_nobody_cosigns_what_is_not_in_its_own_folder(folder: Path) -> None:
    draft = StatementFile(path=folder / "directory.cose", data=_drafted(folder))
    (folder / "positions" / "lm-2.cose").unlink()
    assert _wrong(lambda: cosign_directory(draft, read_statement_files(folder), TRUST, PARTIES[1]))[:3] == (
        Refused,
        ErrorCode.NOT_ADMITTED,
        "directory.cose",
    )


def test_a_draft_is_refused_over_a_statement_that_lets_nobody_in(folder: Path) -> None:
    operators, positions = folder / "operators", folder / "positions"
    stray = REQUEST.signed(OPERATOR, from_ns=FROM_NS, to_ns=TO_NS)
    write_statement(positions / "stray.cose", stray)
    assert _wrong(lambda: _drafted(folder))[:3] == (Refused, ErrorCode.NOT_ADMITTED, "stray.cose")
    said = Operator(key=OPERATOR.verifying, name="new", owner="new", contact="", from_ns=FROM_NS, to_ns=TO_NS)
    write_statement(operators / "new.cose", write_operator(said, OPERATOR))
    assert len(read_directory(_drafted(folder), replace(TRUST, threshold=1)).positions) == 4
    write_statement(operators / "twice.cose", write_operator(replace(said, name="newer"), OPERATOR))
    assert _wrong(lambda: _drafted(folder))[:3] == (Refused, ErrorCode.NOT_ADMITTED, "twice.cose")
    (operators / "twice.cose").unlink()
    write_statement(positions / "twice.cose", REQUEST.signed(OPERATOR, from_ns=FROM_NS, to_ns=TO_NS - 1))
    assert _wrong(lambda: _drafted(folder))[:3] == (Refused, ErrorCode.NOT_ADMITTED, "twice.cose")
    (positions / "twice.cose").unlink()
    write_statement(positions / "stray.cose", REQUEST.signed(OPERATOR, from_ns=1, to_ns=FROM_NS - 1))
    assert _wrong(lambda: _drafted(folder))[:3] == (Refused, ErrorCode.NOT_VALID_THEN, "stray.cose")
    write_statement(positions / "stray.cose", stray[:-1] + bytes([stray[-1] ^ 1]))
    assert _wrong(lambda: _drafted(folder))[:3] == (Refused, ErrorCode.SIGNATURE_INVALID, "stray.cose")


def test_a_party_signs_one_directory_of_each_number(folder: Path, tmp_path: Path) -> None:
    first = _drafted(folder)
    remember_signed(tmp_path, 1, first)
    remember_signed(tmp_path, 1, cosign(Kind.DIRECTORY, cose.read(first).payload, PARTIES[:2]))
    (folder / "positions" / "lm-2.cose").unlink()
    other = _drafted(folder)
    assert _wrong(lambda: remember_signed(tmp_path, 1, other))[:3] == (
        Refused,
        ErrorCode.DUPLICATE,
        "directory-1.cose",
    )
    second = _drafted(folder, number=2, previous=digest(first))
    remember_signed(tmp_path, 2, second)
    assert number_of(StatementFile(path=folder, data=second)) == 2


def test_a_request_reads_back_and_is_signed_as_it_stands(tmp_path: Path) -> None:
    path = tmp_path / "request.json"
    write_request(path, REQUEST)
    assert read_request(path) == REQUEST
    said = read_position(read_request(path).signed(OPERATOR, from_ns=1, to_ns=2), OPERATOR.verifying)
    assert {name: getattr(said, name) for name in REQUEST.__slots__} == {
        name: getattr(REQUEST, name) for name in REQUEST.__slots__
    }


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"latitude_e7": 900_000_001}, "latitude_e7"),
        ({"longitude_e7": 1.5}, "longitude_e7"),
        ({"latitude_e7": 0, "longitude_e7": 0}, "latitude_e7"),
        ({"altitude_m": 9_000}, "altitude_m"),
        ({"error_m": 0}, "error_m"),
        ({"hosting": ""}, "hosting"),
        ({"jurisdiction": "sg"}, "jurisdiction"),
        ({"can_pause": 1}, "can_pause"),
        ({"surveyed": "a\x1b[2J"}, "surveyed"),
        ({"landmark_key": "00"}, "landmark_key"),
        ({"landmark_key": "0" * 64}, "landmark_key"),
        ({"format": "lightbound.position-request/2"}, "format"),
        ({"more": 1}, "more"),
    ],
)
def test_a_request_that_cannot_be_meant_names_file_and_key(
    tmp_path: Path, change: Mapping[str, object], key: str
) -> None:
    path = tmp_path / "request.json"
    write_request(path, REQUEST)
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    assert _wrong(lambda: read_request(path)) == (Malformed, ErrorCode.SETTING_MALFORMED, "request.json", key)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"a": 1, "a": 1}', "[" * 9_000, "1" * 9_000, "\xff"])
def test_a_request_that_is_no_json_names_the_file(tmp_path: Path, text: str) -> None:
    path = tmp_path / "request.json"
    path.write_bytes(text.encode("latin-1"))
    assert _wrong(lambda: read_request(path))[:3] == (Malformed, ErrorCode.SETTING_MALFORMED, "request.json")


@given(seeds=st.sets(st.binary(min_size=32, max_size=32), min_size=1, max_size=8), data=st.data())
def test_trust_and_addresses_that_are_written_read_back(
    tmp_path_factory: pytest.TempPathFactory, seeds: set[bytes], data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("written")
    parties = tuple(SigningKey.of_seed(Purpose.DIRECTORY, seed).verifying for seed in seeds)
    trust = DirectoryTrust(keys=parties, threshold=data.draw(st.integers(1, len(parties))))
    write_directory_trust(folder / "trust.toml", trust)
    assert read_directory_trust(folder / "trust.toml") == trust
    keys = [SigningKey.of_seed(Purpose.LANDMARK, seed).verifying for seed in seeds]
    letters = st.characters(min_codepoint=33, max_codepoint=126)
    names = data.draw(st.lists(st.text(letters, min_size=1, max_size=20), min_size=8, max_size=8, unique=True))
    addresses = {
        key.key_id: LandmarkAddress(key=key, name=name, url=f"https://lm-{place}.example")
        for place, (key, name) in enumerate(zip(keys, names, strict=False))
    }
    write_addresses(folder / "landmarks.toml", addresses)
    assert read_addresses(folder / "landmarks.toml") == addresses
