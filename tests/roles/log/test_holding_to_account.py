"""Statements that a holder has, and logs that do not hold them as they should: what is said of which file."""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from lightbound.errors import ErrorCode
from lightbound.keys.ed25519 import SigningKey
from lightbound.keys.purposes import Purpose
from lightbound.keys.signing import digest
from lightbound.ranging.statements.opening import Link, Open, write_open
from lightbound.roles.log_reader.findings import MOST_OF_A_CODE
from lightbound.roles.log_reader.following import Followed, cosigned_by_too_few, follow
from lightbound.roles.log_reader.holding import Held
from lightbound.roles.log_reader.monitoring import Found, Monitored, Unaccounted, faults_of, monitored
from lightbound.tlog import merkle
from lightbound.tlog.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from lightbound.tlog.cosignature import cosign_text, witness_key
from lightbound.tlog.entries import Opening
from lightbound.tlog.policy import policy_of
from lightbound.tlog.proof import LogProof
from tests.ranging.parties import NOW_NS, key, secret
from tests.roles.log.running import looked as run
from tests.roles.log.test_looking import AGENT, CLEAR, LANDMARK, LOG, NAMED, ORIGIN, PLACES, entry_of, files, rotation

OTHER = PLACES.landmarks[1]
STRANGER = key(Purpose.LANDMARK, "stranger")


def said(by: SigningKey, seq: int, label: str = "") -> bytes:
    """An OPEN that a landmark signed."""
    link = Link(landmark=by.key_id, agent=AGENT, seq=seq, prev=None if seq == 0 else secret("prev", seq))
    session = secret("session", label, seq)
    return write_open(Open(link=link, sid=session[:16], session=session, at_ns=NOW_NS), by)


def holding(count: int, *, by: SigningKey = LANDMARK) -> list[Held]:
    """What a landmark said about the agent, in order; without the checkpoints of receipts."""
    held, before = list[Held](), None
    for seq in range(count):
        opening = Opening(salt=secret(by.key_id, seq), before=before)
        held.append(
            Held(
                landmark=by.key_id,
                agent=AGENT,
                seq=seq,
                statement=said(by, seq),
                opening=opening,
                file=f"{by.key_id.hex()[:4]}-{seq}.cose",
            )
        )
        before = opening.link()
    return held


def note(entries: Sequence[bytes], *, by: SigningKey = LOG, origin: str = ORIGIN) -> bytes:
    """The checkpoint of a log with these entries."""
    return sign_checkpoint(Checkpoint(origin=origin, size=len(entries), root=merkle.root(entries)), by)


def under(held: Sequence[Held], checkpoint: bytes) -> list[Held]:
    """The same with receipts that lead there."""
    return [replace(one, checkpoint=checkpoint) for one in held]


def looked(entries: Sequence[bytes], held: Sequence[Held]) -> Monitored:
    """What a monitor says of such a log, which it has not seen before."""
    source, followed = files(entries), Followed()
    now = follow(source, NAMED, followed, {one.landmark for one in held})
    return monitored(source, NAMED, now, held, followed, from_the_first=True)


def told(found: Sequence[Found]) -> list[tuple[Unaccounted, tuple[str, ...]]]:
    """What, and of which files."""
    return [(one.what, one.files) for one in found]


MINE, THEIRS = holding(2), holding(1, by=OTHER)
WHOLE = [*CLEAR, *(entry_of(one) for one in MINE), entry_of(THEIRS[0], by=OTHER)]
HONEST = under([*MINE, *THEIRS], note(WHOLE))


def test_an_honest_log_holds_all_that_is_held() -> None:
    assert looked(WHOLE, HONEST) == Monitored(found=[], by_other_keys=())


@pytest.mark.parametrize("first", [True, False], ids=["before", "after"])
def test_two_statements_of_one_number_are_found_whichever_is_read_last(*, first: bool) -> None:
    other = replace(HONEST[1], statement=said(LANDMARK, 1, "other"), file="other.cose")
    held = [other, *HONEST] if first else [*HONEST, other]
    found = looked(WHOLE, held).found
    both = ("other.cose", HONEST[1].file) if first else (HONEST[1].file, "other.cose")
    assert told(found) == [(Unaccounted.TWO_STORIES, both), (Unaccounted.ALTERED, ("other.cose",))]
    fault = faults_of(found).told[0]
    assert (fault.code, fault.file) == (ErrorCode.SEQUENCE_BROKEN, ", ".join(both))


def test_one_statement_that_is_held_twice_is_one_story() -> None:
    assert looked(WHOLE, [*HONEST, replace(HONEST[1], file="again.cose")]).found == []


def test_two_numbers_of_two_stories_hide_no_entry_that_comes_after() -> None:
    """The story that was never logged leads nowhere; the one that was does."""
    opening = Opening(salt=secret("another"), before=HONEST[0].opening.link())
    other = replace(HONEST[0], statement=said(LANDMARK, 0, "other"), opening=replace(opening, before=None))
    found = looked(WHOLE, [HONEST[0], replace(other, file="other.cose")]).found
    assert {one.what for one in found} == {Unaccounted.TWO_STORIES, Unaccounted.ALTERED, Unaccounted.UNOPENED}


def test_a_story_that_goes_on_from_nowhere_is_unlinked_and_what_it_hides_is_found() -> None:
    """The landmark logs 0, 1, 2 and gives the agent 0 and another 1 and 2, which do not follow from it."""
    held = holding(3)

    def other(seq: int, before: bytes) -> Held:
        return replace(
            held[seq], statement=said(LANDMARK, seq, "other"), opening=Opening(salt=secret("other", seq), before=before)
        )

    one = other(1, secret("nowhere"))
    two = other(2, one.opening.link())
    entries = [*CLEAR, *map(entry_of, [*held, one, two])]
    found = looked(entries, under([held[0], one, two], note(entries))).found
    assert [(each.what, each.seq) for each in found] == [(Unaccounted.UNLINKED, 1), (Unaccounted.UNOPENED, 1)]
    assert looked(entries, under(held, note(entries))).found == []


def test_another_history_with_the_same_entry_is_a_fork() -> None:
    turned = [*CLEAR, entry_of(THEIRS[0], by=OTHER), entry_of(MINE[0]), entry_of(MINE[1])]
    held = [*under(MINE, note(turned)), *under(THEIRS, note(WHOLE))]
    found = looked(WHOLE, held).found
    assert told(found) == [(Unaccounted.FORKED, (one.file,)) for one in MINE]
    assert found[0].landmark == LANDMARK.key_id
    fault = faults_of(found).told[0]
    assert (fault.code, fault.file) == (ErrorCode.LOG_FORKED, MINE[0].file)
    assert merkle.root(turned).hex() in fault.expected


def test_a_stale_copy_is_behind_the_receipts_and_lacks_nothing_that_it_is_blamed_for() -> None:
    found = looked(WHOLE[:-2], HONEST).found
    assert told(found) == [(Unaccounted.BEHIND, (one.file,)) for one in HONEST]
    assert {fault.code for fault in faults_of(found).told} == {ErrorCode.LOG_BEHIND}


def test_a_receipt_of_another_log_hides_nothing_else() -> None:
    altered = replace(HONEST[2], statement=said(OTHER, 0, "other"))
    poisoned = replace(holding(1, by=PLACES.landmarks[2])[0], checkpoint=note([b"x"], by=key(Purpose.LOG, "none")))
    found = looked(WHOLE, [*HONEST[:2], altered, poisoned]).found
    assert told(found) == [
        (Unaccounted.FALSE_RECEIPT, (poisoned.file,)),
        (Unaccounted.ALTERED, (altered.file,)),
    ]
    assert [(one.code, one.file) for one in faults_of(found).told] == [
        (ErrorCode.WRONG_KEY, poisoned.file),
        (ErrorCode.DISCLOSURE_DIFFERS, altered.file),
    ]


@pytest.mark.parametrize("junk", [b"", b"junk", note(WHOLE)[:-4] + b"AA==\n"], ids=["none", "junk", "forged"])
def test_a_receipt_that_nobody_signed_is_told_with_its_file(junk: bytes) -> None:
    found = looked(WHOLE, [*HONEST[:2], replace(HONEST[2], checkpoint=junk)]).found
    assert told(found) == [(Unaccounted.FALSE_RECEIPT, (HONEST[2].file,))]


def test_a_receipt_under_a_key_that_the_log_had_before_is_counted_and_nothing_wrong() -> None:
    held = [*HONEST[1:], replace(HONEST[0], checkpoint=note(WHOLE, by=key(Purpose.LOG, "before")))]
    assert looked(WHOLE, held) == Monitored(found=[], by_other_keys=(held[-1],))


def test_a_landmark_without_a_position_hides_nothing_else() -> None:
    stranger = replace(holding(1, by=STRANGER)[0], checkpoint=note(WHOLE))
    altered = replace(HONEST[2], statement=said(OTHER, 0, "other"))
    found = looked(WHOLE, [stranger, *HONEST[:2], altered]).found
    assert told(found) == [(Unaccounted.NOT_ADMITTED, (stranger.file,)), (Unaccounted.ALTERED, (altered.file,))]
    assert found[0].landmark == STRANGER.key_id


def test_a_statement_that_its_landmark_did_not_sign_hides_nothing_else() -> None:
    forged = replace(HONEST[1], statement=HONEST[1].statement[:-1] + b"?")
    altered = replace(HONEST[2], statement=said(OTHER, 0, "other"))
    found = looked(WHOLE, [HONEST[0], forged, altered]).found
    assert (Unaccounted.UNSIGNED, (forged.file,)) in told(found)
    assert (Unaccounted.ALTERED, (altered.file,)) in told(found)


def test_many_findings_of_one_code_hide_no_other() -> None:
    many = [replace(HONEST[0], checkpoint=b"%d" % number) for number in range(MOST_OF_A_CODE + 5)]
    altered = replace(HONEST[2], statement=said(OTHER, 0, "other"))
    findings = faults_of(looked(WHOLE, [*many, HONEST[1], altered]).found)
    assert ErrorCode.DISCLOSURE_DIFFERS in {fault.code for fault in findings.told}
    assert (len(findings.told), findings.total) == (MOST_OF_A_CODE + 1, MOST_OF_A_CODE + 6)


def test_the_newest_checkpoint_must_be_cosigned_by_whom_the_holder_names() -> None:
    signing = key(Purpose.WITNESS)
    witness, source = witness_key("witness.example", signing.verifying), files(WHOLE)
    policy = policy_of((NAMED,), (witness,), 1)

    def lacking() -> ErrorCode | None:
        followed = Followed()
        follow(source, NAMED, followed, ())
        fault = cosigned_by_too_few(followed, NAMED, policy)
        return None if fault is None else fault.code

    assert lacking() is ErrorCode.TOO_FEW_WITNESSES
    signed = source.by_path["checkpoint"]
    _, read = open_checkpoint(signed, NAMED)
    line = cosign_text(read.text, "witness.example", signing, at_s=1).line().encode()
    source.by_path["checkpoint"] = signed + line
    assert lacking() is None
    other = cosign_text(f"{read.text}x\n", "witness.example", signing, at_s=1).line().encode()
    source.by_path["checkpoint"] = signed + other
    assert lacking() is ErrorCode.SIGNATURE_INVALID


@dataclass(frozen=True, slots=True)
class Folder:
    """A copy of a log, and what is held, as a command finds them."""

    place: Path

    def log(self, entries: Sequence[bytes]) -> None:
        """Put the files of a log there."""
        for path, data in files(entries).by_path.items():
            file = self.place / "log" / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)

    def hold(self, held: Held, entries: Sequence[bytes], index: int) -> Path:
        """Keep a statement with its receipt; where."""
        file = self.place / "held" / f"{digest(held.statement).hex()}.cose"
        file.parent.mkdir(exist_ok=True)
        proof = LogProof(
            index=index,
            hashes=merkle.inclusion_proof(entries, index),
            checkpoint=held.checkpoint,
            extra=held.opening.encoded(),
        )
        file.write_bytes(held.statement)
        file.with_suffix(".tlog-proof").write_bytes(proof.encoded())
        return file

    def monitor(self, *more: str) -> tuple[int, str]:
        """Exit code and output."""
        (self.place / "held").mkdir(exist_ok=True)
        where = [str(self.place / "log"), "--held", str(self.place / "held"), "--state", str(self.place / "state")]
        return run("monitor", *where, "--log-key", str(NAMED), *more)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """A copy of the log, and all that is held."""
    made = Folder(tmp_path)
    made.log(WHOLE)
    for number, one in enumerate(HONEST):
        made.hold(one, WHOLE, len(CLEAR) + number)
    return made


def test_a_monitor_takes_no_checkpoint_that_too_few_have_cosigned_for_seen(folder: Folder) -> None:
    code, output = folder.monitor()
    assert (code, "unaccounted  0" in output) == (0, True), output
    witness = witness_key("witness.example", key(Purpose.WITNESS).verifying)
    (folder.place / "state").unlink()
    code, output = folder.monitor("--witness", str(witness), "--json")
    assert (code, "too_few_witnesses" in output, json.loads(output.splitlines()[0])["cosigned"]) == (4, True, False)
    assert not (folder.place / "state").exists()
    policy = folder.place / "policy"
    policy.write_text(f"witness w {witness}\nquorum w\n")
    assert folder.monitor("--policy", str(policy))[0] == 4
    assert folder.monitor("--policy", str(policy), "--witness", str(witness))[0] == 2


@pytest.mark.parametrize(
    "change",
    [
        lambda _whole: b"",
        lambda _whole: b"[" * 100_000,
        lambda whole: whole[: len(whole) // 2],
        lambda whole: whole.replace(b'"commitments":[[', b'"commitments":[["x",'),
        lambda whole: re.sub(rb'"commitments":\[\[\d+', b'"commitments":[[Infinity', whole),
        lambda whole: re.sub(rb'"commitments":\[\[\d+', b'"commitments":[[NaN', whole),
    ],
    ids=["empty", "brackets", "half", "another shape", "infinite", "no number"],
)
def test_a_state_that_is_none_is_malformed_and_kept(change: Callable[[bytes], bytes], folder: Folder) -> None:
    assert folder.monitor()[0] == 0
    state = folder.place / "state"
    wrong = change(state.read_bytes())
    assert wrong != state.read_bytes()
    state.write_bytes(wrong)
    code, output = folder.monitor()
    assert code == 3
    assert str(state) in "".join(output.split("\n"))
    assert state.read_bytes() == wrong


def test_files_that_are_wrong_are_named_and_hide_nothing(folder: Folder) -> None:
    held = folder.place / "held"
    (held / "junk.cose").write_bytes(b"junk")
    (held / "junk.tlog-proof").write_bytes(b"junk")
    (held / "gone.cose").symlink_to("nowhere")
    (held / "gone.tlog-proof").write_bytes(b"")
    (held / "long.cose").write_bytes(bytes(200_001))
    (held / "long.tlog-proof").write_bytes(b"")
    stranger = folder.hold(replace(holding(1, by=STRANGER)[0], checkpoint=note(WHOLE)), WHOLE, 0)
    other = folder.hold(replace(HONEST[1], statement=said(LANDMARK, 1, "other")), WHOLE, 0)
    code, output = folder.monitor("--json")
    assert code == 4
    told = json.loads(output.splitlines()[0])
    assert told["format"] == "lightbound.log-findings/2"
    by_what = {one["what"]: one for one in told["found"]}
    assert [one["what"] for one in told["found"]].count("unreadable") == 3
    assert by_what["not_admitted"]["files"] == [str(stranger)]
    assert by_what["not_admitted"]["landmark"] == STRANGER.key_id.hex()
    assert by_what["altered"]["files"] == [str(other)]
    assert str(other) in by_what["two_stories"]["files"]
    assert len(by_what["two_stories"]["files"]) == 2
    for name in ("junk.cose", "long.cose", stranger.name, other.name):
        assert name in output.split("\n", 1)[1]


def test_statements_without_receipts_are_counted_and_nothing_held_is_refused(folder: Folder) -> None:
    receipts = sorted((folder.place / "held").glob("*.tlog-proof"))
    receipts[0].unlink()
    _, output = folder.monitor("--json", "--from-first-held")
    assert json.loads(output.splitlines()[0])["without_receipt"] == 1
    assert "note: 1 statement without a receipt" in output
    for receipt in receipts[1:]:
        receipt.unlink()
    code, output = folder.monitor()
    assert (code, "3 without a receipt" in output) == (4, True), output
    for statement in (folder.place / "held").iterdir():
        statement.unlink()
    code, output = folder.monitor()
    assert (code, "file_empty" in output) == (4, True), output


def test_receipts_under_another_key_are_noted_with_their_files(folder: Folder) -> None:
    file = folder.hold(replace(HONEST[0], checkpoint=note(WHOLE, by=key(Purpose.LOG, "before"))), WHOLE, len(CLEAR))
    code, output = folder.monitor("--json")
    assert code == 0
    assert json.loads(output.splitlines()[0])["receipts_by_other_keys"] == [str(file)]
    assert (
        f"note: 1 receipt under checkpoints that --log-key did not sign, of statements that the log holds ({file}"
        in output
    )


def test_an_audit_notes_a_key_with_two_successors_and_is_done(folder: Folder) -> None:
    twice = [*WHOLE, rotation("one"), rotation("other")]
    folder.log(twice)
    kept = folder.place / "checkpoint"
    arguments = (str(folder.place / "log"), "--log-key", str(NAMED), "--keep", str(kept))
    code, output = run("audit", *arguments, "--json")
    assert code == 0
    assert [one["code"] for one in json.loads(output.splitlines()[0])["notes"]] == ["rotated_twice"]
    assert "note: rotated_twice" in output
    assert kept.exists()
    folder.log([*twice, CLEAR[0]])
    code, output = run("audit", *arguments)
    assert (code, "note: rotated_twice" in output, "refused (duplicate)" in output) == (4, True, True), output
    assert "refused (rotated_twice)" not in output
