"""An output file is there whole or not at all."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lightbound.errors import ErrorCode, Unavailable
from lightbound.files.whole import forget_parts, whole_file


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def write(path: Path, content: bytes) -> None:
    with whole_file(path) as file:
        file.write(content)


def write_half(path: Path, error: BaseException) -> None:
    with whole_file(path) as file:
        file.write(b"new")
        raise error


def test_the_file_appears_when_the_block_ends_and_not_before(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    with whole_file(path) as file:
        file.write(b"whole")
        file.flush()
        assert not path.exists()
    assert path.read_bytes() == b"whole"
    assert names(tmp_path) == ["out.csv"]


def test_an_error_inside_the_block_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    write(path, b"old")
    for error in (ValueError("broken"), KeyboardInterrupt()):
        with pytest.raises(type(error)):
            write_half(path, error)
        assert path.read_bytes() == b"old"
        assert names(tmp_path) == ["out.csv"]


def test_the_mode_is_what_the_umask_leaves(tmp_path: Path) -> None:
    previous = os.umask(0o027)
    try:
        write(tmp_path / "out", b"")
    finally:
        os.umask(previous)
    assert (tmp_path / "out").stat().st_mode & 0o777 == 0o640


def test_a_link_is_followed_and_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real" / "out")
    write(tmp_path / "link", b"one")
    write(tmp_path / "link", b"two")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real" / "out").read_bytes() == b"two"


@pytest.mark.parametrize("name", ["missing/out", "file/out", "folder", "fifo", "a" * 300])
def test_a_place_that_cannot_be_written_to_is_unavailable_and_unchanged(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "fifo")
    before = names(tmp_path)
    with pytest.raises(Unavailable) as refusal, whole_file(tmp_path / name):
        raise AssertionError("the block must not be entered")
    (fault,) = refusal.value.faults
    assert (fault.code, fault.file) == (ErrorCode.WRITE_FAILED, str(tmp_path / name))
    assert names(tmp_path) == before


def run(program: str, path: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", f"import sys\nfrom pathlib import Path\npath = Path(sys.argv[1])\n{program}", str(path)],
        capture_output=True,
        text=True,
        check=False,
    )


FULL_DISK = """
import resource, signal
from lightbound.errors import Unavailable
from lightbound.files.whole import whole_file
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
try:
    with whole_file(path) as file:
        file.write(bytes(1 << 20))
except Unavailable as error:
    print(error.faults[0].code, error.faults[0].file)
"""


def test_a_disk_that_takes_no_more_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "out"
    done = run(FULL_DISK, path)
    assert done.stdout == f"write_failed {path}\n", done.stderr
    assert names(tmp_path) == []


KILLED = """
import os, signal
from lightbound.files.whole import whole_file
with whole_file(path) as file:
    file.write(b"half")
    file.flush()
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_process_killed_while_writing_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "out"
    write(path, b"old")
    assert run(KILLED, path).returncode == -9
    assert path.read_bytes() == b"old"
    (part,) = set(names(tmp_path)) - {"out"}
    assert part.startswith(".lightbound-")
    assert part.endswith(".part")


def test_what_killed_processes_left_is_deleted_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "out"
    write(path, b"old")
    others = [tmp_path / ".lightbound-notes", tmp_path / "enrolment.pem.part"]
    for other in others:
        other.write_bytes(b"")
    for _ in range(3):
        run(KILLED, path)
    assert len(names(tmp_path)) == 6
    forget_parts(tmp_path)
    assert names(tmp_path) == sorted(["out", *(other.name for other in others)])
    assert path.read_bytes() == b"old"
