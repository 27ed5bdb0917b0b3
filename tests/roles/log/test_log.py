"""A log as a process: landmarks submit to it, everybody reads it, and an audit sees what was done to it."""

import json
import shutil
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import pytest

from lightbound.canonical.cbor import decode, encode
from lightbound.canonical.fields import Fields
from lightbound.keys.ed25519 import SigningKey
from lightbound.keys.purposes import Purpose
from lightbound.keys.signing import digest
from lightbound.net.http_client import Server
from lightbound.ranging.statements.opening import read_open, write_open
from lightbound.roles.log_reader.holding import read_held
from lightbound.roles.log_reader.source import OverHttp
from lightbound.tlog.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from lightbound.tlog.entries import (
    Commitment,
    Opening,
    Sequel,
    check_opening,
    read_commitment,
    read_entry,
    write_commitment,
)
from lightbound.tlog.proof import check_proof, read_proof
from lightbound.tlog.tiles import bundles_of, read_bundle, tiles_of
from tests.ranging.parties import secret
from tests.roles.landmark.running import World, free_port, world
from tests.roles.log.running import Log, Witness, answering, looked, new_log, running, until


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A log, two landmarks that submit to it, a witness that is there and one that is not."""

    log: Log
    world: World
    witness: Witness
    said: tuple[bytes, ...]
    """Every numbered statement of one landmark about one agent."""
    sessions: tuple[bytes, ...]
    """Digests of the sessions that they are of."""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("log")
    with ExitStack() as stack:
        log = new_log(folder / "log", folder / "admission", free_port("127.0.0.1"))
        more = ["--log", log.url, "--log-key", str(log.named)]
        made = stack.enter_context(world(folder, count=2, more=more))
        # The landmarks have begun to submit, and there is no log yet.
        first = made.whole_session()
        witness = stack.enter_context(answering(Witness(name="witness.example", log=log.named)))
        absent = Witness(name="absent.example", log=log.named)
        absent.port = free_port("127.0.0.1")
        log.more = ["--witness", witness.option, "--witness", absent.option, "--witness-wait-s", "1"]
        stack.enter_context(running(log))
        second = made.whole_session()
        sessions = [digest(one.session) for one in (first, second)]
        said, other = (said_in(landmark.url, sessions) for landmark in made.landmarks)
        until(lambda: all(receipt_of(made.landmarks[0].url, one) for one in said))
        until(lambda: all(receipt_of(made.landmarks[1].url, one) for one in other))
        yield Place(log=log, world=made, witness=witness, said=said, sessions=tuple(sessions))


def said_in(url: str, sessions: list[bytes]) -> tuple[bytes, ...]:
    """Every numbered statement of a landmark in these sessions."""
    said: list[bytes] = []
    with Server(url) as server:
        for session in sessions:
            kept = Fields.of(server.get(f"/clp1/sessions/{session.hex()}").body, "kept")
            numbered = [kept.value("open"), kept.value("measurement")]
            said += [one for one in numbered if isinstance(one, bytes)]
    assert len(said) == 2 * len(sessions)
    return tuple(said)


def receipt_of(url: str, statement: bytes) -> bytes:
    with Server(url) as server:
        return server.get(f"/clp1/receipts/{digest(statement).hex()}").body


def published(log: Log) -> Checkpoint:
    return open_checkpoint(httpx.get(f"{log.url}/checkpoint").content, log.named)[0]


def entries_of(log: Log) -> list[bytes]:
    source = OverHttp(log.url)
    entries = [
        entry
        for bundle in bundles_of(published(log).size)
        for entry in read_bundle(source.read(bundle.path), bundle.width)
    ]
    source.close()
    return entries


def copied(log: Log, folder: Path) -> Path:
    """The files of a log, as they are served."""
    source, size = OverHttp(log.url), published(log).size
    folder.mkdir()
    (folder / "checkpoint").write_bytes(source.read("checkpoint"))
    for tile in [*tiles_of(size), *bundles_of(size)]:
        path = folder / tile.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(source.read(tile.path))
    source.close()
    return folder


def submitted(log: Log, *statements: bytes) -> list[dict[str, object]]:
    answer = httpx.post(f"{log.url}/log/v1/entries", content=encode(list(statements)), timeout=20)
    assert answer.status_code == 200, answer.text
    told = decode(answer.content, what="answer")
    assert isinstance(told, dict)
    return told["entries"]  # type: ignore[return-value]


def holding(place: Place, folder: Path, statements: tuple[bytes, ...]) -> Path:
    """What a holder has of them."""
    folder.mkdir()
    for one in statements:
        name = digest(one).hex()
        (folder / f"{name}.cose").write_bytes(one)
        (folder / f"{name}.tlog-proof").write_bytes(receipt_of(place.world.landmarks[0].url, one))
    return folder


def test_what_a_landmark_said_is_logged_also_when_the_log_came_later(place: Place) -> None:
    landmark = place.world.landmarks[0]
    for seq, statement in enumerate(place.said):
        proof = read_proof(receipt_of(landmark.url, statement))
        held = read_held(statement, proof.encoded())
        assert held.seq == seq
        entry = entries_of(place.log)[proof.index]
        check_proof(proof, entry, place.log.named)
        said = read_commitment(read_entry(entry)[1], landmark.key.verifying)
        check_opening(said, held.opening, statement, agent=place.world.enrolment.key_id, seq=seq)


def test_the_newest_checkpoint_is_cosigned_by_whoever_is_there(place: Place) -> None:
    proof = read_proof(receipt_of(place.world.landmarks[0].url, place.said[-1]))
    entry = entries_of(place.log)[proof.index]
    _, seen = check_proof(proof, entry, place.log.named, (place.witness.named,))
    assert [one.witness for one in seen] == [place.witness.named]
    assert place.witness.refused == 0
    assert place.witness.asked > 1


def test_the_log_shows_no_chip_no_agent_and_no_session(place: Place) -> None:
    everything = b"".join(entries_of(place.log))
    agent = place.world.enrolment
    for hidden in (agent.key_id, agent.verifying.raw, *map(digest, place.said), *place.sessions, bytes(32)):
        assert hidden not in everything
    assert not any(statement in everything for statement in place.said)


def test_files_are_served_with_how_long_they_hold(place: Place) -> None:
    size = published(place.log).size
    tiles = [*tiles_of(size), *bundles_of(size)]
    for tile in tiles:
        assert "immutable" in httpx.get(f"{place.log.url}/{tile.path}").headers["cache-control"]
    assert httpx.get(f"{place.log.url}/checkpoint").headers["cache-control"] == "no-cache"
    for path in ("tile/0/001", f"tile/0/000.p/{size + 1}", "tile/0/0", "tile/entries/000", "tile/1/000.p/1"):
        assert httpx.get(f"{place.log.url}/{path}").status_code == 404
    assert httpx.get(f"{place.log.url}/health").json()["ok"] is True
    assert f"lightbound_log_size {float(size)}" in httpx.get(f"{place.log.url}/metrics").text


def test_whoever_is_not_admitted_has_nothing_logged(place: Place) -> None:
    before = published(place.log).size
    stranger = SigningKey.of_seed(Purpose.LANDMARK, secret("stranger"))
    said = Commitment(landmark=stranger.key_id, slot=bytes(32), commitment=bytes(32))
    of_landmark = Commitment(landmark=place.world.landmarks[0].key.key_id, slot=bytes(32), commitment=bytes(32))
    honest = write_commitment(of_landmark, place.world.landmarks[0].key)
    answers = submitted(
        place.log, write_commitment(said, stranger), honest[:-1] + bytes([honest[-1] ^ 1]), place.said[0], b"junk"
    )
    codes = [one["refused"]["code"] for one in answers]  # type: ignore[index]
    assert codes == ["not_admitted", "signature_invalid", "wrong_type", "cose_malformed"]
    assert published(place.log).size == before
    assert httpx.post(f"{place.log.url}/log/v1/entries", content=b"junk").status_code == 400
    assert httpx.post(f"{place.log.url}/log/v1/entries", content=bytes(300_000)).status_code == 413


def test_the_same_again_has_its_number_and_another_at_its_place_is_refused(place: Place) -> None:
    landmark = place.world.landmarks[0]
    proof = read_proof(receipt_of(landmark.url, place.said[0]))
    before = entries_of(place.log)
    statement = read_entry(before[proof.index])[1]
    said = read_commitment(statement, landmark.key.verifying)
    other = write_commitment(Commitment(landmark=said.landmark, slot=said.slot, commitment=bytes(32)), landmark.key)
    answers = submitted(place.log, statement, other)
    assert answers[0]["number"] == proof.index
    assert answers[1]["refused"]["code"] == "sequence_broken"  # type: ignore[index]
    assert entries_of(place.log) == before


def test_an_audit_finds_nothing_wrong_and_keeps_the_checkpoint(place: Place, tmp_path: Path) -> None:
    kept = tmp_path / "checkpoint"
    arguments = [place.log.url, "--log-key", str(place.log.named), "--witness", str(place.witness.named)]
    code, output = looked("audit", *arguments, "--witness-threshold", "1", "--keep", str(kept), "--json")
    assert code == 0, output
    told = json.loads(output)
    assert told["size"] == published(place.log).size
    assert told["cosigned"] == ["witness.example"]
    assert told["kinds"]["lightbound.position/1"] == 2
    assert looked("audit", *arguments, "--since", str(kept))[0] == 0
    assert looked("audit", str(copied(place.log, tmp_path / "copy")), *arguments[1:])[0] == 0
    code, output = looked("audit", place.log.url, "--log-key", str(place.witness.named))
    assert code == 3
    assert "the vkey of a log" in output


def test_an_audit_finds_whatever_file_was_changed(place: Place, tmp_path: Path) -> None:
    whole = copied(place.log, tmp_path / "copy")
    for number, path in enumerate(sorted(one for one in whole.rglob("*") if one.is_file())):
        changed = tmp_path / f"changed {number}"
        shutil.copytree(whole, changed)
        data = bytearray((changed / path.relative_to(whole)).read_bytes())
        data[len(data) // 2] ^= 1
        (changed / path.relative_to(whole)).write_bytes(data)
        code, output = looked("audit", str(changed), "--log-key", str(place.log.named))
        assert code in {3, 4}, (path, output)
        shutil.rmtree(changed)


def test_an_audit_asks_for_as_many_witnesses_as_it_is_told(place: Place) -> None:
    absent = Witness(name="absent.example", log=place.log.named)
    arguments = ["--witness", str(place.witness.named), "--witness", str(absent.named)]
    for threshold in ((), ("--witness-threshold", "2")):
        code, output = looked("audit", place.log.url, "--log-key", str(place.log.named), *arguments, *threshold)
        assert code == 4
        assert "too_few_witnesses" in output
    told = looked("audit", place.log.url, "--log-key", str(place.log.named), *arguments, "--witness-threshold", "1")
    assert told[0] == 0


def test_an_audit_takes_its_witnesses_from_a_policy(place: Place, tmp_path: Path) -> None:
    absent = Witness(name="absent.example", log=place.log.named)
    names = f"witness a {place.witness.named}\nwitness b {absent.named}\n"
    for quorum, code in (("any", 0), ("all", 4)):
        (tmp_path / quorum).write_text(f"{names}group g {quorum} a b\nquorum g\n")
        arguments = [place.log.url, "--log-key", str(place.log.named), "--policy", str(tmp_path / quorum)]
        assert looked("audit", *arguments)[0] == code
    assert looked("audit", *arguments, "--witness", str(absent.named))[0] == 2


def test_a_fork_is_shown_with_both_checkpoints(place: Place, tmp_path: Path) -> None:
    now = published(place.log)
    other = Checkpoint(origin=now.origin, size=now.size - 1, root=secret("another history"))
    (tmp_path / "earlier").write_bytes(sign_checkpoint(other, place.log.key))
    arguments = ["--log-key", str(place.log.named), "--since", str(tmp_path / "earlier")]
    code, output = looked("audit", place.log.url, *arguments)
    assert code == 4
    assert "log_forked" in output
    assert other.root.hex() in output
    assert now.root.hex() in output


def test_a_holder_of_everything_finds_everything_accounted_for(place: Place, tmp_path: Path) -> None:
    held = holding(place, tmp_path / "held", place.said)
    arguments = [place.log.url, "--log-key", str(place.log.named), "--held", str(held)]
    for _ in range(2):
        code, output = looked("monitor", *arguments, "--state", str(tmp_path / "state"))
        assert code == 0, output


@pytest.mark.parametrize(("lacking", "what"), [(-1, "unopened"), (1, "gap"), (0, "gap")])
def test_an_entry_that_a_holder_has_no_opening_for_is_found(
    place: Place, tmp_path: Path, lacking: int, what: str
) -> None:
    statements = [*place.said]
    del statements[lacking]
    held = holding(place, tmp_path / "held", tuple(statements))
    arguments = [place.log.url, "--log-key", str(place.log.named), "--held", str(held), "--json"]
    code, output = looked("monitor", *arguments, "--state", str(tmp_path / "state"))
    assert code == 4
    (found,) = json.loads(output.splitlines()[0])["found"]
    assert (found["what"], found["seq"]) == (what, lacking % len(place.said))
    assert (found["entry"] is None) is (lacking == 0)


def test_a_statement_that_is_not_the_one_that_was_logged_is_found(place: Place, tmp_path: Path) -> None:
    held, landmark = holding(place, tmp_path / "held", place.said), place.world.landmarks[0].key
    said = read_open(place.said[2], landmark.verifying)
    other = write_open(replace(said, at_ns=said.at_ns + 1), landmark)
    (held / f"{digest(place.said[2]).hex()}.cose").write_bytes(other)
    arguments = [place.log.url, "--log-key", str(place.log.named), "--held", str(held), "--json"]
    code, output = looked("monitor", *arguments, "--state", str(tmp_path / "state"))
    assert code == 4
    assert [one["what"] for one in json.loads(output.splitlines()[0])["found"]] == ["altered"]


def test_what_its_landmark_did_not_sign_is_told_with_its_file_and_does_not_count_as_held(
    place: Place, tmp_path: Path
) -> None:
    held = holding(place, tmp_path / "held", place.said)
    file = held / f"{digest(place.said[1]).hex()}.cose"
    file.write_bytes(place.said[1][:-1] + bytes([place.said[1][-1] ^ 1]))
    arguments = [place.log.url, "--log-key", str(place.log.named), "--held", str(held), "--json"]
    code, output = looked("monitor", *arguments, "--state", str(tmp_path / "state"))
    assert code == 4
    assert "signature_invalid" in output
    found = [(one["what"], one["seq"], one["files"]) for one in json.loads(output.splitlines()[0])["found"]]
    assert found == [("unsigned", 1, [str(file)]), ("gap", 1, [])]


def test_a_monitor_that_saw_another_history_says_so(place: Place, tmp_path: Path) -> None:
    held, state = holding(place, tmp_path / "held", place.said), tmp_path / "state"
    arguments = [place.log.url, "--log-key", str(place.log.named), "--held", str(held), "--state", str(state)]
    assert looked("monitor", *arguments)[0] == 0
    kept = json.loads(state.read_text())
    size = published(place.log).size
    other = Checkpoint(origin=published(place.log).origin, size=size - 1, root=secret("another history"))
    kept["checkpoint"] = sign_checkpoint(other, place.log.key).decode()
    state.write_text(json.dumps(kept))
    code, output = looked("monitor", *arguments)
    assert code == 4
    assert "log_forked" in output
    state.write_text("{}")
    assert looked("monitor", *arguments)[0] == 3


def test_a_log_that_is_killed_goes_on_with_the_same_history(place: Place, tmp_path: Path) -> None:
    kept = tmp_path / "checkpoint"
    arguments = [place.log.url, "--log-key", str(place.log.named)]
    assert looked("audit", *arguments, "--keep", str(kept))[0] == 0
    before = entries_of(place.log)
    place.log.stop(signal.SIGKILL)
    place.log.start()
    assert entries_of(place.log)[: len(before)] == before
    assert looked("audit", *arguments, "--since", str(kept))[0] == 0


def test_slots_say_nothing_to_whoever_lacks_the_opening_before() -> None:
    one = Sequel(landmark=bytes(16), agent=bytes(16), seq=1, before=Opening(salt=secret("a"), before=None).link())
    other = Sequel(landmark=bytes(16), agent=bytes(16), seq=1, before=Opening(salt=secret("b"), before=None).link())
    assert one.slot() != other.slot()
