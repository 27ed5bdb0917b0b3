"""The verifier's database as its parts use it: one engine, six subjects."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import Engine

from lightbound.errors import ErrorCode, Fault, Unavailable
from lightbound.files.keys import key_path
from lightbound.keys.purposes import Purpose
from lightbound.store.asked import AskedSessions
from lightbound.store.engine import VERIFIER, empty_store, open_store
from lightbound.store.enrolments import Enrolments
from lightbound.store.findings import Findings
from lightbound.store.judged import Judgements
from lightbound.store.receipts import Receipts
from lightbound.store.sequences import Sequences

FILE: Final = "verifier.sqlite"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """Everything that a verifier keeps."""

    engine: Engine
    enrolments: Enrolments
    asked: AskedSessions
    sequences: Sequences
    judged: Judgements
    findings: Findings
    receipts: Receipts

    def close(self) -> None:
        """Let the file go."""
        self.engine.dispose()


def open_kept(data: Path) -> Kept:
    """What a verifier keeps in its data folder; an empty database, if there is none yet.

    Raises:
        Refused: the file is no database of a verifier, damaged, or of a newer program.
        Unavailable: it cannot be read or written.
    """
    return _kept(open_store(data / FILE, VERIFIER))


def open_kept_to_read(data: Path) -> Kept:
    """The same for who only reads, in one thread: no file is made. A verifier that never ran has kept nothing.

    Raises:
        Refused: as above.
        Unavailable: there is no verifier in the folder, or the file cannot be read.
    """
    if (data / FILE).exists():
        return open_kept(data)
    if key_path(data, Purpose.VERIFIER).exists():
        return _kept(empty_store(VERIFIER))
    fault = Fault(
        code=ErrorCode.READ_FAILED,
        expected="the folder of a verifier",
        found="no key and no database",
        file=str(data),
        next="make one by `lightbound verifier init`, or give another --data",
    )
    raise Unavailable(fault)


def _kept(engine: Engine) -> Kept:
    return Kept(
        engine=engine,
        enrolments=Enrolments(engine),
        asked=AskedSessions(engine),
        sequences=Sequences(engine),
        judged=Judgements(engine),
        findings=Findings(engine),
        receipts=Receipts(engine),
    )
