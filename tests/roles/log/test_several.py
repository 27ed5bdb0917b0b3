"""Several log processes over one server, witnesses that go and come back, and landmarks that a log does not know."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from lightbound.canonical.cbor import decode, encode
from lightbound.net.http_client import Server
from lightbound.tlog.checkpoint import open_checkpoint
from lightbound.tlog.cosignature import cosignatures
from lightbound.tlog.entries import Commitment, commitment_said, write_commitment, write_entry
from lightbound.tlog.note import read_note
from lightbound.tlog.proof import check_proof, read_proof
from tests.ranging.parties import secret
from tests.roles.landmark.running import Landmark, free_port, world
from tests.roles.log.running import Log, Witness, answering, looked, new_log, running, until
from tests.store.logs import new_database, postgres_server


def submit(log: Log, landmark: Landmark, number: int) -> tuple[int, int]:
    """The number of an entry, and the size of the checkpoint that it was proven against."""
    said = Commitment(landmark=landmark.key.key_id, slot=secret("slot", number), commitment=secret(number))
    statement = write_commitment(said, landmark.key)
    answer = httpx.post(f"{log.url}/log/v1/entries", content=encode([statement]), timeout=30)
    assert answer.status_code == 200, answer.text
    told: Any = decode(answer.content, what="answer")
    proof = read_proof(told["entries"][0]["proof"])
    read, _ = check_proof(proof, write_entry(statement), log.named)
    return proof.index, read.size


@pytest.mark.long
def test_two_processes_over_one_server_make_one_history(tmp_path: Path) -> None:
    with postgres_server() as server, new_database(server) as url, world(tmp_path, count=1) as made:
        one = new_log(tmp_path / "log", tmp_path / "admission", free_port("127.0.0.1"), ["--database", url])
        other = Log(key=one.key, port=free_port("127.0.0.1"), data=one.data, admission=one.admission, more=one.more)
        with running(one), running(other), ThreadPoolExecutor(8) as pool:
            logs = [one, other]
            done = list(pool.map(lambda at: submit(logs[at % 2], made.landmarks[0], at // 2), range(120)))
            # Each was given to both, and has one number.
            assert all(done[at][0] == done[at + 1][0] for at in range(0, 120, 2))
            assert len({number for number, _ in done}) == 60
            for log in logs:
                code, output = looked("audit", log.url, "--log-key", str(one.named), "--json")
                assert code == 0, output


@pytest.mark.long
def test_a_witness_that_was_away_is_shown_what_it_missed(tmp_path: Path) -> None:
    with world(tmp_path, count=1) as made:
        log = new_log(tmp_path / "log", tmp_path / "admission", free_port("127.0.0.1"))
        witness = Witness(name="witness.example", log=log.named, port=free_port("127.0.0.1"))
        log.more = ["--witness", witness.option, "--witness-wait-s", "2"]
        with answering(witness, witness.port), running(log):
            submit(log, made.landmarks[0], 0)
        assert witness.size == 4
        with running(log):
            submit(log, made.landmarks[0], 1)
            submit(log, made.landmarks[0], 2)
        with answering(witness, witness.port), running(log):
            submit(log, made.landmarks[0], 3)
            note = httpx.get(f"{log.url}/checkpoint").content
        read, _ = open_checkpoint(note, log.named)
        assert len(cosignatures(read_note(note), (witness.named,))) == 1
        assert (witness.size, witness.refused) == (read.size, 0) == (7, 0)


@pytest.mark.long
def test_a_log_that_was_put_back_to_an_old_copy_finds_no_witness_for_its_other_history(tmp_path: Path) -> None:
    with world(tmp_path, count=1) as made:
        log = new_log(tmp_path / "log", tmp_path / "admission", free_port("127.0.0.1"))
        witness = Witness(name="witness.example", log=log.named)
        with answering(witness):
            log.more = ["--witness", witness.option, "--witness-wait-s", "2"]
            with running(log):
                submit(log, made.landmarks[0], 0)
            kept = (log.data / "log.sqlite").read_bytes()
            with running(log):
                for number in range(1, 4):
                    submit(log, made.landmarks[0], number)
                checkpoint = tmp_path / "checkpoint"
                checkpoint.write_bytes(httpx.get(f"{log.url}/checkpoint").content)
            (log.data / "log.sqlite").write_bytes(kept)
            for leftover in ("log.sqlite-wal", "log.sqlite-shm"):
                (log.data / leftover).unlink(missing_ok=True)
            with running(log):
                for number in range(10, 16):
                    submit(log, made.landmarks[0], number)
                note = read_note(httpx.get(f"{log.url}/checkpoint").content)
                assert cosignatures(note, (witness.named,)) == []
                arguments = [log.url, "--log-key", str(log.named), "--since", str(checkpoint)]
                code, output = looked("audit", *arguments)
        assert code == 4
        assert "log_forked" in output


@pytest.mark.long
def test_what_a_log_refuses_is_published_by_the_landmark_with_why(tmp_path: Path) -> None:
    """The landmark is of another directory than the log."""
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    with world(theirs, count=1):
        log = new_log(tmp_path / "log", theirs / "admission", free_port("127.0.0.1"))
        more = ["--log", log.url, "--log-key", str(log.named)]
        with running(log), world(ours, count=1, more=more) as made:
            made.whole_session()

            def published() -> list[list[object]]:
                with Server(made.landmarks[0].url) as server:
                    told = decode(server.get("/clp1/unlogged").body, what="unlogged")
                assert isinstance(told, list)
                return told  # type: ignore[return-value]

            until(lambda: len(published()) == 2)
            for entry, why in published():
                assert isinstance(entry, bytes)
                assert isinstance(why, str)
                assert commitment_said(entry).landmark == made.landmarks[0].key.key_id
                assert why.startswith("not_admitted")


@pytest.mark.long
def test_a_witness_that_answers_nonsense_changes_nothing(tmp_path: Path) -> None:
    answers = iter([(409, b"9" * 5_000), (200, b"x" * 20_000), (200, b"\xff\n"), (500, b""), (204, b"")])

    class Nonsense(Witness):
        """Says something else each time."""

        def add(self, body: bytes) -> tuple[int, bytes]:
            """Whatever comes next."""
            self.asked += 1
            return next(answers, (409, str(len(body)).encode()))

    with world(tmp_path, count=1) as made:
        log = new_log(tmp_path / "log", tmp_path / "admission", free_port("127.0.0.1"))
        for _ in range(6):
            # A new process each time: one that was told nonsense does not ask again soon.
            with answering(Nonsense(name="witness.example", log=log.named)) as witness:
                log.more = ["--witness", witness.option, "--witness-wait-s", "2"]
                with running(log):
                    submit(log, made.landmarks[0], witness.port)
                    told = httpx.get(f"{log.url}/health").json()
                assert witness.asked >= 1
                assert told["ok"] is True
                assert told["witnesses"]["witness.example"] != "cosigned"
