"""Evidence read from files: three forms say the same, and any bytes are read or told to be none."""

import base64
import json
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightbound.attestation.chains import MOST_CHAIN_BYTES
from lightbound.attestation.reports import MOST_REPORT_BYTES
from lightbound.errors import ErrorCode, Malformed, Unavailable
from lightbound.files.evidence import MOST_FILE_BYTES, MOST_ITEMS, EvidenceItem, Unread, read_evidence, read_items

REPORT: Final = bytes.fromhex("11e001ff") + bytes(range(200))
CHAIN: Final = b"-----BEGIN CERTIFICATE-----"
ENTRY: Final = {
    "arch": "HOPPER",
    "version": "1.0",
    "evidence": base64.b64encode(REPORT).decode(),
    "certificate": base64.b64encode(CHAIN).decode(),
    "nonce": "ab" * 32,
}


def read(folder: Path, data: bytes | Any) -> tuple[EvidenceItem | Unread, ...]:
    path = folder / "file"
    path.write_bytes(data if isinstance(data, bytes) else json.dumps(data).encode())
    return read_evidence(path)


def unread(folder: Path, data: bytes | Any) -> Unread:
    (one,) = read(folder, data)
    assert isinstance(one, Unread)
    return one


@pytest.mark.parametrize(
    "data",
    [REPORT, REPORT.hex().encode(), REPORT.hex("\n").upper().encode() + b"\r\n", b" 11 " + REPORT[1:].hex().encode()],
)
def test_raw_and_hexadecimal_are_the_same_report(tmp_path: Path, data: bytes) -> None:
    assert read(tmp_path, data) == (EvidenceItem(name=str(tmp_path / "file"), report=REPORT),)


@pytest.mark.parametrize("around", [lambda one: one, lambda one: [one], lambda one: {"evidences": [one], "ok": True}])
def test_json_is_one_item_or_an_array_of_them(tmp_path: Path, around: Any) -> None:
    (item,) = read(tmp_path, around(ENTRY))
    assert item == EvidenceItem(name=str(tmp_path / "file"), report=REPORT, chain=CHAIN, nonce=b"\xab" * 32)


def test_items_of_one_file_are_told_apart_by_their_place(tmp_path: Path) -> None:
    names = [one.name for one in read(tmp_path, [ENTRY, ENTRY])]
    assert names == [f"{tmp_path / 'file'}[0]", f"{tmp_path / 'file'}[1]"]


def test_a_report_alone_is_an_item_and_takes_the_chain_that_is_given(tmp_path: Path) -> None:
    (alone, with_its_own), chain = (tmp_path / name for name in ("alone", "own")), tmp_path / "chain.pem"
    alone.write_bytes(json.dumps({"evidence": ENTRY["evidence"]}).encode())
    with_its_own.write_bytes(json.dumps(ENTRY).encode())
    chain.write_bytes(b"other")
    found = read_items([alone, with_its_own], chain)
    assert [one.chain for one in found if isinstance(one, EvidenceItem)] == [b"other", CHAIN]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("evidence", ""),
        ("evidence", 7),
        ("evidence", "a b="),
        ("evidence", "A" * (2 * MOST_REPORT_BYTES + 4)),
        ("certificate", None),
        ("certificate", "*"),
        ("certificate", "A" * (2 * MOST_CHAIN_BYTES + 4)),
        ("nonce", "ab" * 31),
        ("nonce", "xy" * 32),
        ("nonce", "ab " * 32),
        ("nonce", 1),
    ],
)
def test_a_field_that_is_wrong_is_named_and_the_other_items_stand(tmp_path: Path, field: str, value: object) -> None:
    wrong, right = read(tmp_path, [{**ENTRY, field: value}, ENTRY])
    assert isinstance(wrong, Unread)
    (fault,) = wrong.error.faults
    assert (fault.code, fault.column, fault.file) == (ErrorCode.EVIDENCE_MALFORMED, field, f"{tmp_path / 'file'}[0]")
    assert isinstance(right, EvidenceItem)


@pytest.mark.parametrize(
    "data",
    [
        b"111",
        b"{",
        b"[]",
        b'{"evidences": {}}',
        b"7 x",
        b"null",
        b'"text"',
        b"[" * 200_000,
        b'{"evidence": "EQ==", "evidence": "EQ=="}',
        b"\xff\xfe",
        json.dumps([1] * (MOST_ITEMS + 1)).encode(),
    ],
)
def test_a_file_without_evidence_is_told_as_one(tmp_path: Path, data: bytes) -> None:
    one = unread(tmp_path, data)
    assert isinstance(one.error, Malformed)
    assert [(fault.code, fault.file) for fault in one.error.faults] == [
        (ErrorCode.EVIDENCE_MALFORMED, str(tmp_path / "file"))
    ]


@pytest.mark.parametrize(("data", "code"), [(b" \n", ErrorCode.FILE_EMPTY), (b"", ErrorCode.FILE_EMPTY)])
def test_an_empty_file_is_called_empty(tmp_path: Path, data: bytes, code: ErrorCode) -> None:
    assert unread(tmp_path, data).error.faults[0].code is code


def test_a_file_that_is_too_long_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "long").open("wb") as stream:
        stream.truncate(MOST_FILE_BYTES + 1)
    (one,) = read_evidence(tmp_path / "long")
    assert isinstance(one, Unread)
    assert one.error.faults[0].code is ErrorCode.FILE_FORMAT


def test_a_file_that_cannot_be_read_says_nothing_of_any_chip(tmp_path: Path) -> None:
    (one,) = read_evidence(tmp_path / "nowhere")
    assert isinstance(one, Unread)
    assert isinstance(one.error, Unavailable)
    with pytest.raises(Unavailable):
        read_items([], tmp_path / "nowhere")


VALUES: Final = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from([*ENTRY, "evidences"]), inner),
    max_leaves=12,
)


@given(st.binary() | VALUES.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_are_items_or_told_to_be_none(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    found = read(tmp_path_factory.mktemp("any"), data)
    assert found
    assert all(isinstance(one, EvidenceItem) or isinstance(one.error, Malformed) for one in found)
