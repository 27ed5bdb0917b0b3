"""Key files are for their owner alone, are never replaced, and read back as the key that was written."""

import os
import stat
from pathlib import Path

import pytest

from lightbound.errors import ErrorCode, LightboundError, Malformed, Refused, Unavailable
from lightbound.files.keys import key_path, read_key, write_new_key
from lightbound.keys.ed25519 import SigningKey
from lightbound.keys.purposes import Purpose

KEY = SigningKey.of_seed(Purpose.LANDMARK, bytes(range(32)))


@pytest.fixture
def written(tmp_path: Path) -> Path:
    path = key_path(tmp_path, Purpose.LANDMARK)
    write_new_key(path, KEY)
    return path


def _refused(path: Path) -> tuple[type[LightboundError], ErrorCode]:
    with pytest.raises(LightboundError) as caught:
        read_key(path, Purpose.LANDMARK)
    (fault,) = caught.value.faults
    assert fault.file == str(path)
    return type(caught.value), fault.code


def test_a_key_reads_back(written: Path) -> None:
    assert read_key(written, Purpose.LANDMARK).verifying == KEY.verifying
    assert read_key(written, Purpose.LANDMARK).sign(b"m") == KEY.sign(b"m")


def test_nobody_else_may_read_it_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        path = key_path(tmp_path / "deeper", Purpose.VERIFIER)
        write_new_key(path, KEY)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o601, 0o777])
def test_a_key_that_others_may_read_is_refused(written: Path, mode: int) -> None:
    written.chmod(mode)
    assert _refused(written) == (Refused, ErrorCode.KEY_EXPOSED)


def test_a_key_that_is_there_is_never_replaced(written: Path) -> None:
    before = written.read_bytes()
    with pytest.raises(Refused) as caught:
        write_new_key(written, SigningKey.of_seed(Purpose.LANDMARK, bytes(32)))
    assert caught.value.faults[0].code is ErrorCode.DUPLICATE
    assert written.read_bytes() == before


@pytest.mark.parametrize("content", [b"", b"no key", KEY.pem()[:-30], KEY.pem() + b"x" * 10_000])
def test_a_file_without_a_key_is_malformed(written: Path, content: bytes) -> None:
    written.write_bytes(content)
    assert _refused(written) == (Malformed, ErrorCode.KEY_MALFORMED)


def test_a_missing_file_is_unavailable(tmp_path: Path) -> None:
    assert _refused(tmp_path / "none.pem") == (Unavailable, ErrorCode.READ_FAILED)


def test_a_folder_that_is_none_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("a file")
    with pytest.raises(Unavailable) as caught:
        write_new_key(tmp_path / "keys" / "a.pem", KEY)
    assert caught.value.faults[0].code is ErrorCode.WRITE_FAILED
