"""The verifier's database as its parts use it: one engine, six subjects."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import Engine

from lightbound.store.asked import AskedSessions
from lightbound.store.engine import VERIFIER, open_store
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
    engine = open_store(data / FILE, VERIFIER)
    return Kept(
        engine=engine,
        enrolments=Enrolments(engine),
        asked=AskedSessions(engine),
        sequences=Sequences(engine),
        judged=Judgements(engine),
        findings=Findings(engine),
        receipts=Receipts(engine),
    )
