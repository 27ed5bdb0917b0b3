"""Code that nobody here wrote opens our checkpoints and proves over our tiles: Go's sumdb, as Debian packages it."""

import base64
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from lightbound.tlog import merkle
from lightbound.tlog.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from lightbound.tlog.cosignature import cosign_text
from lightbound.tlog.note import NoteKey, read_note, read_vkey, with_lines
from lightbound.tlog.tiles import WIDTH, Tile, TiledTree, bundles_of, tiles_of, write_bundle
from tests.tlog.histories import LOG, LOG_KEY, NAME, ORIGIN, WITNESS, leaves

GOPATH = Path("/usr/share/gocode")
SIZE = 70_000
"""Three levels of tiles, each ending in a partial one: the example of tlog-tiles."""

INDEXES = (0, 1, 255, 256, 257, 12_345, 65_535, 65_536, 69_887, 69_888, 69_999)
OLD_SIZES = (1, 2, 255, 256, 257, 512, 40_000, 65_535, 65_536, 65_537, 69_999, 70_000)


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    go = shutil.which("go")
    if go is None or not (GOPATH / "src/golang.org/x/mod/sumdb/tlog").is_dir():
        pytest.skip("no Go with golang.org/x/mod here; Debian: golang-go and golang-golang-x-mod-dev")
    built = tmp_path_factory.mktemp("go") / "tiles"
    settings = {"GO111MODULE": "off", "GOPATH": str(GOPATH), "GOPROXY": "off", "GOFLAGS": "", "CGO_ENABLED": "0"}
    command = [go, "build", "-o", str(built), str(Path(__file__).with_name("tiles") / "main.go")]
    subprocess.run(command, env=os.environ | settings, check=True, timeout=500)
    return built


def levels(entries: Sequence[bytes]) -> list[list[bytes]]:
    """The hashes of each level of tiles, by the definition."""
    rows = [[merkle.leaf_hash(entry) for entry in entries]]
    while len(rows[-1]) >= WIDTH:
        row = rows[-1]
        rows.append([over(row[at : at + WIDTH]) for at in range(0, len(row) - WIDTH + 1, WIDTH)])
    return rows


def over(row: list[bytes]) -> bytes:
    """The root over 256 hashes."""
    while len(row) > 1:
        row = [merkle.node_hash(row[at], row[at + 1]) for at in range(0, len(row), 2)]
    return row[0]


class Files:
    """The files of a log of ours."""

    def __init__(self, folder: Path, entries: Sequence[bytes]) -> None:
        """Written into a folder; the checkpoint has a cosignature below the signature of the log."""
        self.folder, rows = folder, levels(entries)
        self.pieces = {
            tile: b"".join(rows[tile.level or 0][tile.number * WIDTH : tile.number * WIDTH + tile.width])
            for tile in tiles_of(len(entries))
        }
        self.tree = TiledTree(len(entries), self.pieces.__getitem__)
        bundles = {
            tile: write_bundle(entries[tile.number * WIDTH : tile.number * WIDTH + tile.width])
            for tile in bundles_of(len(entries))
        }
        for tile, data in (self.pieces | bundles).items():
            path = folder / tile.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        self.checkpoint = Checkpoint(origin=ORIGIN, size=len(entries), root=self.tree.root())
        note = read_note(sign_checkpoint(self.checkpoint, LOG))
        cosigned = with_lines(note, [cosign_text(note.text, NAME, WITNESS, at_s=1_700_000_000)])
        (folder / "checkpoint").write_bytes(cosigned.encoded())


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    return Files(tmp_path_factory.mktemp("log"), leaves(SIZE))


def words(hashes: Sequence[bytes]) -> str:
    return " ".join(base64.b64encode(one).decode() for one in hashes)


def opened(program: Path, folder: Path, key: NoteKey, requests: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """What the program says about a log."""
    text = "".join(f"{request}\n" for request in requests)
    command = [str(program), "open", str(key), str(folder)]
    return subprocess.run(command, input=text, capture_output=True, text=True, timeout=60, check=False)


def test_go_opens_our_checkpoint_and_passes_over_the_line_of_the_witness(program: Path, files: Files) -> None:
    done = opened(program, files.folder, LOG_KEY, [])
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["checkpoint", ORIGIN, str(SIZE), words([files.checkpoint.root]), "1", "1"]


def test_go_verifies_our_cosignature(program: Path, files: Files) -> None:
    key = WITNESS.verifying.raw
    other = bytes([key[0] ^ 1]) + key[1:]
    for named, raw, found in ((NAME, key, "2 0"), (NAME, other, "1 1"), ("witness.example/w9", key, "1 1")):
        command = [str(program), "witness", str(LOG_KEY), named, raw.hex(), str(files.folder)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
        assert done.stdout.strip() == found


def test_go_verifies_our_proofs_and_makes_the_same_ones_over_our_tiles(program: Path, files: Files) -> None:
    old_roots = {old: files.tree.subtree(0, old) for old in OLD_SIZES}
    requests = [f"record {index} {words(files.tree.inclusion_proof(index))}" for index in INDEXES]
    requests += [f"tree {old} {words([root, *files.tree.consistency_proof(old)])}" for old, root in old_roots.items()]
    done = opened(program, files.folder, LOG_KEY, requests)
    assert done.returncode == 0, done.stderr
    # What it answers is what it was asked: the same roots, the same proofs, hash by hash.
    assert [line.split() for line in done.stdout.splitlines()[1:]] == [request.split() for request in requests]


def test_go_refuses_what_we_refuse(program: Path, files: Files, tmp_path: Path) -> None:
    proof = list(files.tree.inclusion_proof(12_345))
    wrong = opened(program, files.folder, LOG_KEY, [f"record 12345 {words([*proof[1:], proof[0]])}"])
    assert wrong.returncode == 1
    assert opened(program, files.folder, LOG_KEY, [f"record 12346 {words(proof)}"]).returncode == 1
    changed = tmp_path / "changed"
    shutil.copytree(files.folder, changed)
    path = changed / Tile(level=0, number=48).path
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    # In some versions the tile itself is found out, in others the proof that is made with it.
    assert opened(program, changed, LOG_KEY, [f"record 12345 {words(proof)}"]).returncode == 1
    text = (changed / "checkpoint").read_text()
    (changed / "checkpoint").write_text(text.replace(str(SIZE), str(SIZE - 1)))
    assert "invalid signature" in opened(program, changed, LOG_KEY, []).stderr


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 600])
def test_go_reads_logs_of_every_shape(program: Path, tmp_path: Path, size: int) -> None:
    made = Files(tmp_path, leaves(size))
    requests = [f"record {index} {words(made.tree.inclusion_proof(index))}".strip() for index in range(size)]
    requests += [
        f"tree {old} {words([made.tree.subtree(0, old), *made.tree.consistency_proof(old)])}"
        for old in range(1, size + 1)
    ]
    done = opened(program, tmp_path, LOG_KEY, requests)
    assert done.returncode == 0, done.stderr
    assert [line.split() for line in done.stdout.splitlines()[1:]] == [request.split() for request in requests]


def test_we_open_what_go_signs(program: Path, files: Files) -> None:
    done = subprocess.run(
        [str(program), "sign", ORIGIN], input=files.checkpoint.text(), capture_output=True, text=True, check=True
    )
    vkey, note = done.stdout.split()
    read, _ = open_checkpoint(base64.b64decode(note), read_vkey(vkey))
    assert read == files.checkpoint
