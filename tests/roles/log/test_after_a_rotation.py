"""A log and a witness with new keys over their old databases: one history, under whichever key it is looked at."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from lightbound.files.keys import key_path, read_key
from lightbound.keys.purposes import Purpose
from lightbound.keys.rotation import read_rotation
from lightbound.tlog.checkpoint import open_checkpoint
from lightbound.tlog.cosignature import cosignatures
from lightbound.tlog.entries import write_entry
from lightbound.tlog.note import read_vkey
from lightbound.tlog.proof import check_proof, read_proof
from tests.roles.landmark.running import free_port, world
from tests.roles.log.running import ORIGIN, looked, new_log
from tests.roles.log.running import running as running_log
from tests.roles.log.test_several import submit
from tests.roles.witness.running import new_witness
from tests.roles.witness.running import running as running_witness

PROGRAM = (str(Path(sys.executable).with_name("lightbound")), "keys", "rotate")


def _rotated(what: Purpose, data: Path, name: str, out: Path) -> dict[str, Any]:
    """What the command tells; the new key being where the old one was, and that one kept."""
    arguments = [what, "--data", data, "--name", name, "--out", out, "--json"]
    done = subprocess.run([*PROGRAM, *map(str, arguments)], capture_output=True, text=True, timeout=60, check=True)
    path = key_path(data, what)
    path.rename(path.with_name(f"{what}.old.pem"))
    path.with_name(f"{what}.next.pem").rename(path)
    told: dict[str, Any] = json.loads(done.stdout)
    assert read_rotation(out.read_bytes()).new.raw.hex() == told["new"]
    return told


@pytest.mark.long
def test_a_log_with_a_new_key_goes_on_with_its_history_and_its_witness(tmp_path: Path) -> None:
    with world(tmp_path, count=1) as made:
        log = new_log(tmp_path / "log", tmp_path / "admission", free_port("127.0.0.1"))
        witness = new_witness(tmp_path / "w", "witness.example/w", free_port("127.0.0.1"), [log.named])
        landmark, old_log = made.landmarks[0], log.named
        log.more = ["--witness-wait-s", "5", "--witness", witness.option]
        with running_witness(witness), running_log(log):
            first, _ = submit(log, landmark, 0)

        told = _rotated(Purpose.LOG, log.data, ORIGIN, tmp_path / "log.cose")
        log.key = read_key(key_path(log.data, Purpose.LOG), Purpose.LOG)
        assert (read_vkey(told["old_vkey"]), read_vkey(told["new_vkey"])) == (old_log, log.named)
        witness.logs = [old_log, log.named]
        with running_witness(witness), running_log(log):
            # The same words, by both keys: whoever has not heard of the new one yet is not shut out at once.
            at_rest = httpx.get(f"{log.url}/checkpoint").content
            assert [open_checkpoint(at_rest, key)[0].size for key in (old_log, log.named)] == [first + 1] * 2
            second, _ = submit(log, landmark, 1)
            after = httpx.get(f"{log.url}/checkpoint").content
            read, note = open_checkpoint(after, log.named)
            assert not note.of(old_log)
            assert (read.size, len(cosignatures(note, (witness.named,)))) == (second + 1, 1)
            assert second == first + 1
            entered = ("submit", log.url, str(tmp_path / "log.cose"), "--log-key", str(log.named), "--json")
            code, output = looked(*entered, "--keep", str(tmp_path / "receipts"))
            assert code == 0, output
            assert [row["entry"] for row in json.loads(output)["submitted"]] == [second + 1]
            receipt = read_proof((tmp_path / "receipts" / "log.tlog-proof").read_bytes())
            check_proof(receipt, write_entry((tmp_path / "log.cose").read_bytes()), log.named)
            code, output = looked("audit", log.url, "--log-key", str(log.named))
            assert code == 0, output
            assert "1 of lightbound.rotation/1" in output

            # Of a key that nobody knows there it is refused, and what goes with it is entered all the same.
            (tmp_path / "others").mkdir()
            _rotated(Purpose.WITNESS, witness.data, "another.example/w", tmp_path / "others" / "witness.cose")
            code, output = looked(*entered[:2], str(tmp_path / "others" / "witness.cose"), *entered[2:])
            assert code == 4, output
            answer, error = output.splitlines()
            assert [row.get("entry", row.get("refused")) for row in json.loads(answer)["submitted"]] == [
                "not_admitted",
                second + 1,
            ]
            assert "witness.cose" in error


@pytest.mark.long
def test_a_witness_with_a_new_key_remembers_what_it_cosigned_with_the_old_one(tmp_path: Path) -> None:
    with world(tmp_path, count=1) as made:
        log = new_log(tmp_path / "log", tmp_path / "admission", free_port("127.0.0.1"))
        witness = new_witness(tmp_path / "w", "witness.example/w", free_port("127.0.0.1"), [log.named])
        landmark, old = made.landmarks[0], witness.named
        log.more = ["--witness-wait-s", "5", "--witness", witness.option]
        with running_witness(witness), running_log(log):
            submit(log, landmark, 0)
        kept = (log.data / "log.sqlite").read_bytes()
        with running_witness(witness), running_log(log):
            submit(log, landmark, 1)

        told = _rotated(Purpose.WITNESS, witness.data, "witness.example/w", tmp_path / "witness.cose")
        witness.named = read_vkey(told["new_vkey"])
        assert read_vkey(told["old_vkey"]) == old
        log.more = ["--witness-wait-s", "5", "--witness", witness.option]
        with running_witness(witness), running_log(log):
            submit(log, landmark, 2)
            _, note = open_checkpoint(httpx.get(f"{log.url}/checkpoint").content, log.named)
            assert len(cosignatures(note, (witness.named,))) == 1
            assert not note.of(old)

        # A log that went back is not cosigned by the new key either.
        (log.data / "log.sqlite").write_bytes(kept)
        for leftover in ("log.sqlite-wal", "log.sqlite-shm"):
            (log.data / leftover).unlink(missing_ok=True)
        with running_witness(witness), running_log(log):
            submit(log, landmark, 7)
            _, note = open_checkpoint(httpx.get(f"{log.url}/checkpoint").content, log.named)
            assert not cosignatures(note, (witness.named,))
