"""Where passphrases come from, whom their files may be readable by, and that a key is rewritten whole or not at all."""

import os
import signal
import stat
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from lightbound.errors import ErrorCode, LightboundError, Malformed, Refused, Unavailable
from lightbound.files.keys import key_path, read_key, read_key_and_passphrase, replace_key, write_new_key
from lightbound.files.passphrases import IN_ENVIRONMENT, IN_FILE, passphrase_given, read_passphrase
from lightbound.keys.ed25519 import SigningKey
from lightbound.keys.purposes import Purpose

KEY = SigningKey.of_seed(Purpose.OPERATOR, bytes(range(32)))
WORD = b"correct horse"


@pytest.fixture(autouse=True)
def _nothing_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(IN_FILE, raising=False)
    monkeypatch.delenv(IN_ENVIRONMENT, raising=False)


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """A key under the passphrase."""
    path = key_path(tmp_path / "op", Purpose.OPERATOR)
    write_new_key(path, KEY, WORD)
    return path


@pytest.fixture
def word_file(tmp_path: Path) -> Path:
    path = tmp_path / "word"
    path.write_bytes(WORD + b"\n")
    path.chmod(0o600)
    return path


def _fault(path: Path) -> tuple[type[LightboundError], ErrorCode, str | None]:
    with pytest.raises(LightboundError) as caught:
        read_key(path, Purpose.OPERATOR)
    (fault,) = caught.value.faults
    return type(caught.value), fault.code, fault.file


def test_a_protected_key_is_written_for_its_owner_alone_and_without_the_key(kept: Path) -> None:
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert KEY.pem().splitlines()[1] not in kept.read_bytes()


def test_the_passphrase_comes_from_the_file_that_is_named(
    kept: Path, word_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(IN_FILE, str(word_file))
    key, passphrase = read_key_and_passphrase(kept, Purpose.OPERATOR)
    assert (key.verifying, passphrase) == (KEY.verifying, WORD)


def test_the_passphrase_comes_from_the_environment(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(IN_ENVIRONMENT, WORD.decode())
    assert read_key(kept, Purpose.OPERATOR).verifying == KEY.verifying


def test_another_passphrase_is_refused_and_the_key_file_named(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(IN_ENVIRONMENT, "wrong")
    assert _fault(kept) == (Refused, ErrorCode.PASSPHRASE_REFUSED, str(kept))


def test_no_passphrase_is_asked_for_a_key_that_is_under_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_new_key(tmp_path / "keys" / "a.pem", KEY)
    monkeypatch.setenv(IN_FILE, str(tmp_path / "nowhere"))
    key, under = read_key_and_passphrase(tmp_path / "keys" / "a.pem", Purpose.OPERATOR)
    assert (key.verifying, under) == (KEY.verifying, None)


def test_a_passphrase_given_twice_is_a_mistake(kept: Path, word_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(IN_FILE, str(word_file))
    monkeypatch.setenv(IN_ENVIRONMENT, WORD.decode())
    assert _fault(kept)[:2] == (Malformed, ErrorCode.SETTING_MALFORMED)


def test_an_empty_passphrase_is_none(word_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for content in (b"", b"\n", b"\r\n", b"x" * 1_001):
        word_file.write_bytes(content)
        with pytest.raises(Refused) as caught:
            read_passphrase(word_file)
        assert (caught.value.faults[0].code, caught.value.faults[0].file) == (
            ErrorCode.PASSPHRASE_REFUSED,
            str(word_file),
        )
    monkeypatch.setenv(IN_ENVIRONMENT, "")
    with pytest.raises(Refused):
        passphrase_given()


@pytest.mark.parametrize("content", [b" two words ", b"\xff\x00", b"one\n\ntwo", b"x" * 1_000])
@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
def test_a_passphrase_is_every_byte_of_its_file_but_a_lines_end(word_file: Path, content: bytes, end: bytes) -> None:
    word_file.write_bytes(content + end)
    assert read_passphrase(word_file) == content


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o440, 0o610])
def test_a_passphrase_that_others_may_read_is_refused(word_file: Path, mode: int) -> None:
    word_file.chmod(mode)
    with pytest.raises(Refused) as caught:
        read_passphrase(word_file)
    assert (caught.value.faults[0].code, caught.value.faults[0].file) == (ErrorCode.KEY_EXPOSED, str(word_file))


def test_a_passphrase_that_is_not_there_is_unavailable(
    kept: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(IN_FILE, str(tmp_path / "nowhere"))
    assert _fault(kept) == (Unavailable, ErrorCode.READ_FAILED, str(tmp_path / "nowhere"))


def _access_list(*entries: tuple[int, int, int]) -> bytes:
    """As Linux keeps one: a version, then tag, permissions and id of each entry."""
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)


NOBODY = 2**32 - 1
OWNER, GROUP, MASK, OTHER = (0x01, 4, NOBODY), (0x04, 0, NOBODY), (0x10, 4, NOBODY), (0x20, 0, NOBODY)


def _lists(path: Path, *entries: tuple[int, int, int]) -> None:
    path.chmod(0o400)
    try:
        os.setxattr(path, "system.posix_acl_access", _access_list(*entries))
    except OSError:
        pytest.skip("this file system keeps no access lists")
    assert stat.S_IMODE(path.stat().st_mode) == 0o440


def test_a_credential_of_systemd_is_read_by_the_service_that_it_is_for(word_file: Path) -> None:
    """Mode 0440, because the group's bits are the upper bound of a list that names one user."""
    _lists(word_file, OWNER, (0x02, 4, os.geteuid()), GROUP, MASK, OTHER)
    assert read_passphrase(word_file) == WORD


@pytest.mark.parametrize(
    "more",
    [
        ((0x02, 4, os.geteuid()), (0x02, 4, os.geteuid() + 1), GROUP),
        ((0x02, 4, os.geteuid() + 1), GROUP),
        ((0x02, 4, os.geteuid()), (0x04, 4, NOBODY)),
        ((0x02, 4, os.geteuid()), GROUP, (0x08, 4, 7)),
    ],
)
def test_a_list_that_lets_in_anybody_else_is_refused(word_file: Path, more: tuple[tuple[int, int, int], ...]) -> None:
    _lists(word_file, OWNER, *more, MASK, OTHER)
    with pytest.raises(Refused) as caught:
        read_passphrase(word_file)
    assert caught.value.faults[0].code is ErrorCode.KEY_EXPOSED


def test_a_process_without_terminal_is_refused_and_told_what_to_do(kept: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from lightbound.errors import Refused;"
        "from lightbound.files.keys import read_key; from lightbound.keys.purposes import Purpose\n"
        "try: read_key(Path(sys.argv[1]), Purpose.OPERATOR)\n"
        "except Refused as error: sys.exit(str(error))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, kept], start_new_session=True, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert IN_FILE in done.stderr
    assert str(kept) in done.stderr


@pytest.mark.parametrize("passphrase", [None, b"another"])
def test_the_same_key_is_kept_anew_whatever_the_umask(
    kept: Path, passphrase: bytes | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = os.umask(0)
    try:
        replace_key(kept, KEY, passphrase)
    finally:
        os.umask(before)
    monkeypatch.setenv(IN_ENVIRONMENT, "another")
    key, under = read_key_and_passphrase(kept, Purpose.OPERATOR)
    assert (key.verifying, under) == (KEY.verifying, passphrase)
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert [path.name for path in kept.parent.iterdir()] == [kept.name]


def test_the_file_stays_with_whose_it_is(kept: Path) -> None:
    if os.geteuid() == 0:  # who else can give files away does not rewrite those of others
        os.chown(kept, 4_711, 4_712)
    before = kept.stat()
    replace_key(kept, KEY, None)
    assert (kept.stat().st_uid, kept.stat().st_gid) == (before.st_uid, before.st_gid)


REPLACE = (
    "import sys; from pathlib import Path; from lightbound.errors import Unavailable;"
    "from lightbound.files.keys import replace_key; from lightbound.keys.ed25519 import SigningKey;"
    "from lightbound.keys.purposes import Purpose\n"
    "key = SigningKey.of_seed(Purpose.OPERATOR, bytes(range(32)))\n"
)


def test_a_full_disk_leaves_the_key_as_it_was(kept: Path) -> None:
    before = kept.read_bytes()
    code = REPLACE + (
        "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))\n"
        "try: replace_key(Path(sys.argv[1]), key, None)\n"
        "except Unavailable: sys.exit(7)"
    )
    assert subprocess.run([sys.executable, "-c", code, kept], check=False).returncode == 7
    assert kept.read_bytes() == before
    assert [path.name for path in kept.parent.iterdir()] == [kept.name]


@pytest.mark.long
def test_killed_while_it_is_rewritten_a_key_is_there_whole(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed in every call that names, fills or syncs the file, the key under the name is the old file or the new."""
    monkeypatch.setenv(IN_ENVIRONMENT, WORD.decode())
    code = REPLACE + (
        "import os, signal\n"
        "left = int(sys.argv[2])\n"
        "def trace(event, arguments):\n"
        "    global left\n"
        "    if event in {'open', 'os.rename', 'os.chmod', 'os.chown'}:\n"
        "        left -= 1\n"
        "        if left < 0: os.kill(os.getpid(), signal.SIGKILL)\n"
        "sys.addaudithook(trace)\n"
        "replace_key(Path(sys.argv[1]), key, b'correct horse')"
    )
    ended, files = [], set()
    for left in range(20):
        done = subprocess.run([sys.executable, "-c", code, kept, str(left)], check=False)
        ended.append(done.returncode)
        files.add(kept.read_bytes())
        assert read_key(kept, Purpose.OPERATOR).verifying == KEY.verifying
        if done.returncode == 0:
            break
    assert ended[-1] == 0
    assert set(ended[:-1]) == {-signal.SIGKILL}
    assert len(ended) >= 4  # the part made, its rights, the name taken, the folder synced
    assert len(files) >= 2
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in kept.parent.iterdir())
