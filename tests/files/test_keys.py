"""Key files are for their owner alone, are never replaced, and read back as the key that was written."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from lightbound.errors import ErrorCode, LightboundError, Malformed, Refused, Unavailable
from lightbound.files.keys import MADE_BY, key_path, read_key, write_new_key
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


@pytest.mark.parametrize("purpose", [purpose for purpose in Purpose if purpose is not Purpose.SESSION])
def test_the_key_of_a_role_that_is_missing_is_told_with_the_command_that_makes_it(
    tmp_path: Path, purpose: Purpose
) -> None:
    with pytest.raises(Unavailable) as caught:
        read_key(key_path(tmp_path, purpose), purpose)
    (fault,) = caught.value.faults
    assert f"`lightbound {MADE_BY[purpose]}`" in str(fault.next)


def test_a_folder_that_is_none_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("a file")
    with pytest.raises(Unavailable) as caught:
        write_new_key(tmp_path / "keys" / "a.pem", KEY)
    assert caught.value.faults[0].code is ErrorCode.WRITE_FAILED


def test_every_folder_that_is_made_is_for_the_owner_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        write_new_key(tmp_path / "role" / "keys" / "a.pem", KEY)
    finally:
        os.umask(before)
    assert {stat.S_IMODE(folder.stat().st_mode) for folder in (tmp_path / "role", tmp_path / "role" / "keys")} == {
        0o700
    }


def test_a_key_in_a_folder_that_others_may_write_to_is_refused(written: Path) -> None:
    written.parent.chmod(0o777)
    assert _refused(written) == (Refused, ErrorCode.KEY_EXPOSED)


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.pem", 0o600)
    assert _refused(tmp_path / "pipe.pem") == (Refused, ErrorCode.KEY_EXPOSED)


def test_a_key_that_could_not_be_written_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.pem"
    code = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10));"
        "from pathlib import Path; from lightbound.files.keys import write_new_key;"
        "from lightbound.keys.ed25519 import SigningKey; from lightbound.keys.purposes import Purpose;"
        "from lightbound.errors import Unavailable\n"
        "try: write_new_key(Path(sys.argv[1]), SigningKey.of_seed(Purpose.LANDMARK, bytes(32)))\n"
        "except Unavailable: sys.exit(7)"
    )
    assert subprocess.run([sys.executable, "-c", code, path], check=False).returncode == 7
    assert not path.exists()
