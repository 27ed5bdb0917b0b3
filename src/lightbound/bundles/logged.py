"""That what landmarks measured stands in a log that enough witnesses saw: so it was not written afterwards."""

from collections.abc import Sequence
from dataclasses import dataclass

from lightbound.bundles.contents import Logged
from lightbound.errors import ErrorCode, refused
from lightbound.keys.signing import digest
from lightbound.ranging.sessions.verification import VerifiedMeasurement
from lightbound.tlog.checkpoint import Checkpoint
from lightbound.tlog.entries import check_opening, read_commitment, read_opening, write_entry
from lightbound.tlog.note import NoteKey
from lightbound.tlog.proof import LogProof, check_proof, read_proof


@dataclass(frozen=True, slots=True, kw_only=True)
class LogTrusted:
    """A log that is believed if enough witnesses saw the same of it."""

    key: NoteKey
    witnesses: tuple[NoteKey, ...] = ()
    threshold: int = 0
    """So many of them must have cosigned the checkpoint of each proof."""


def check_logged(
    logged: Sequence[Logged], measured: Sequence[tuple[VerifiedMeasurement, bytes]], log: LogTrusted
) -> str:
    """What was found, if each MEASUREMENT stands in the log; each is given with its bytes.

    1. Its proof leads to the root of a checkpoint that the log signed.
    2. So many witnesses as are enough cosigned that checkpoint.
    3. The landmark signed the COMMITMENT in the entry, and the opening in the proof opens it to this very statement, at
       the place in the landmark's sequence that the statement itself names.
    4. Checkpoints of one size have one root.

    Raises:
        Malformed, Refused: one does not; the path names the statement.
    """
    by_statement = {one.statement: one for one in logged}
    roots: dict[int, bytes] = {}
    for measurement, statement in measured:
        name = digest(statement)
        path = f"bundle.logged.{name.hex()[:16]}"
        found = by_statement.get(name)
        if found is None:
            expected = f"a proof that MEASUREMENT {name.hex()[:16]} stands in the log"
            raise refused(ErrorCode.NOT_LOGGED, expected, "none", "bundle.logged")
        proof = read_proof(found.proof, what=f"{path}.proof")
        checkpoint = _checkpoint(proof, write_entry(found.commitment), log, f"{path}.proof")
        if roots.setdefault(checkpoint.size, checkpoint.root) != checkpoint.root:
            raise refused(ErrorCode.LOG_FORKED, f"one root of size {checkpoint.size}", "two", path)
        commitment = read_commitment(found.commitment, measurement.landmark.key)
        if proof.extra is None:
            raise refused(ErrorCode.DISCLOSURE_DIFFERS, "what opens the commitment", "none", f"{path}.proof.extra")
        link = measurement.measurement.link
        check_opening(commitment, read_opening(proof.extra), statement, agent=link.agent, seq=link.seq)
    sizes = f"checkpoints up to {max(roots)}" if roots else "no checkpoint"
    return f"{len(measured)} measurements in {log.key.name}, {sizes}, {log.threshold} of {len(log.witnesses)} witnesses"


def _checkpoint(proof: LogProof, entry: bytes, log: LogTrusted, path: str) -> Checkpoint:
    checkpoint, seen = check_proof(proof, entry, log.key, log.witnesses, what=path)
    # By their keys: one that was named twice, or under two names, is one witness.
    count = len({one.witness.raw for one in seen})
    if count < log.threshold:
        expected = f"cosignatures of {log.threshold} of the {len(log.witnesses)} trusted witnesses"
        raise refused(ErrorCode.TOO_FEW_WITNESSES, expected, f"{count}", f"{path}.checkpoint")
    return checkpoint
