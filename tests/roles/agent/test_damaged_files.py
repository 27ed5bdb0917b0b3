"""What an agent keeps for itself is read as it was written, or is malformed: no bytes end it by a bug."""

from collections.abc import Callable
from pathlib import Path

import pytest

from lightbound.errors import ErrorCode, Malformed
from lightbound.roles.agent import enrolling, receipts_file, remembered, status_file

READERS: dict[str, Callable[[Path], object]] = {
    enrolling.NAME: enrolling.read_enrolled,
    receipts_file.NAME: lambda folder: receipts_file.read_waiting(folder / receipts_file.NAME),
    remembered.NAME: remembered.Sessions.read,
    status_file.NAME: status_file.read_status,
}

INFINITE = {
    enrolling.NAME: '{"format":"lightbound.agent-enrolment/1","chips":Infinity,"trust":[],"is_done":true}',
    receipts_file.NAME: (
        '{"format":"lightbound.agent-receipts/1","waiting":[{"session":"00","landmark":"00","ended":null,"at_s":1,'
        '"asks":Infinity}]}'
    ),
    remembered.NAME: (
        '{"format":"lightbound.agent-sessions/1","sessions":{"00":{"sid":"00","expiry_ns":Infinity,"is_over":true}}}'
    ),
}


@pytest.mark.parametrize("content", [b"", b"null", b"[]", b"\xff", b"[" * 100_000, b'{"format":'])
@pytest.mark.parametrize("name", READERS)
def test_a_file_that_is_something_else_is_malformed(name: str, content: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(Malformed) as caught:
        READERS[name](tmp_path)
    assert caught.value.faults[0].code is ErrorCode.FILE_FORMAT
    assert (tmp_path / name).read_bytes() == content


@pytest.mark.parametrize("name", INFINITE)
def test_a_number_without_end_is_malformed(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(INFINITE[name])
    with pytest.raises(Malformed):
        READERS[name](tmp_path)
