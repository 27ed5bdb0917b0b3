"""What the files say after a kill, read as a stranger would: with SQLite and the statements' own signatures.

Every function gives what is wrong, as lines; an empty list is what is wanted.
"""

import shutil
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from lightbound.errors import LightboundError
from lightbound.files.admission import AdmissionFolder
from lightbound.keys.ed25519 import VerifyingKey
from lightbound.keys.signing import digest
from lightbound.ranging.sessions.chain import Linked, breaks
from lightbound.ranging.statements.closing import read_close
from lightbound.ranging.statements.kinds import Kind
from lightbound.ranging.statements.measurement import Why, read_abort, read_measurement
from lightbound.ranging.statements.opening import Link, read_contrib, read_open
from lightbound.roles.verifier.checking import Concluded, concluded
from lightbound.roles.verifier.kept import Kept
from lightbound.store.asked import CHECKED, FAILED
from lightbound.store.engine import LANDMARK, VERIFIER, Schema, open_store

ENDS: Final = {Kind.MEASUREMENT, Kind.ABORT}

FILES: Final = {
    "landmark": {"keys/landmark.pem", "position.cose", "landmark.sqlite", "lock", "log"},
    "verifier": {"keys/verifier.pem", "verifier.sqlite", "lock", "log"},
    "agent": {
        "keys/enrolment.pem", "trust.toml", "enrolment.json", "sessions.json", "receipts.json", "status.json", "lock",
        "log",
    },
}  # fmt: skip
"""All that a role ever has in its folder, once it has ended well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A statement that a landmark kept, and that holds."""

    kind: Kind
    session: bytes
    agent: bytes
    link: Link | None
    bind: bytes | None = None
    why: Why | None = None


@dataclass(slots=True, kw_only=True)
class Ledger:
    """Everything that one landmark has kept, as far as it was read. Each statement is verified once."""

    name: str
    key: VerifyingKey
    said: dict[bytes, Said] = field(default_factory=dict)
    stopped: set[bytes] = field(default_factory=set)
    """Sessions that were open when it was killed."""
    _row: int = 0

    def read(self, file: Path) -> list[str]:
        """Take what is new; nothing that was there may be gone."""
        wrong = []
        with closing(sqlite3.connect(file, timeout=10)) as database:
            query = "SELECT rowid, session_digest, kind, agent_id, seq, digest, data FROM statements WHERE rowid > ?"
            for row, session, kind, agent, seq, name, data in database.execute(query, (self._row,)).fetchall():
                self._row = max(row, self._row)
                try:
                    one = _said(Kind(kind), data, self.key, session=session, agent=agent)
                except (LightboundError, ValueError) as error:
                    wrong.append(f"{self.name}: {kind} is not whole: {error}")
                    continue
                link = one.link
                if digest(data) != name or seq != (None if link is None else link.seq):
                    wrong.append(f"{self.name}: the columns of {kind} are not its own")
                self.said[name] = one
            (count,) = database.execute("SELECT count(*) FROM statements WHERE rowid <= ?", (self._row,)).fetchone()
            if count != len(self.said):
                wrong.append(f"{self.name}: {len(self.said) - count} statements that were kept are gone")
        return wrong

    def wrong(self, *, is_over: bool) -> list[str]:
        """What is wrong with all that was said. Is it over, every session has ended."""
        wrong = []
        for session, kinds in self._kinds().items():
            if kinds[Kind.OPEN] != 1 or kinds[Kind.MEASUREMENT] + kinds[Kind.ABORT] > 1:
                wrong.append(f"{self.name}: session {session.hex()}: {kinds}")
            if is_over and not ENDS & kinds.keys():
                wrong.append(f"{self.name}: session {session.hex()} has no end")
        linked: defaultdict[bytes, list[Linked]] = defaultdict(list)
        for name, one in self.said.items():
            if one.link is not None:
                linked[one.agent].append(Linked(link=one.link, digest=name))
        wrong += [
            f"{self.name}: {agent.hex()}: {found}" for agent, all_of in linked.items() if (found := breaks(all_of))
        ]
        ends = {one.session: one for one in self.said.values() if one.kind in ENDS}
        for session in self.stopped:
            if session not in ends or ends[session].why is not Why.STOPPED:
                wrong.append(f"{self.name}: session {session.hex()} was open when it was killed: {ends.get(session)}")
        return wrong

    def end_of(self, session: bytes) -> str:
        """How a session ended."""
        ends = [one for one in self.said.values() if one.session == session and one.kind in ENDS]
        return "not ended" if not ends else "measured" if ends[0].why is None else f"aborted ({ends[0].why})"

    def ends(self) -> Counter[str]:
        """How its sessions ended."""
        return Counter(
            "measured" if one.why is None else f"abort {one.why}" for one in self.said.values() if one.kind in ENDS
        )

    def binds(self) -> Iterator[tuple[bytes, bytes]]:
        """Session and BIND of each measurement."""
        for one in self.said.values():
            if one.bind is not None:
                yield one.session, one.bind

    def _kinds(self) -> Mapping[bytes, Counter[Kind]]:
        kinds: defaultdict[bytes, Counter[Kind]] = defaultdict(Counter)
        for one in self.said.values():
            kinds[one.session][one.kind] += 1
        return kinds


def database_wrong(file: Path) -> list[str]:
    """What SQLite itself finds wrong with a database."""
    with closing(sqlite3.connect(file, timeout=10)) as database:
        wrong = [f"{file}: {one}" for (one,) in database.execute("PRAGMA integrity_check") if one != "ok"]
        return wrong + [f"{file}: {row}" for row in database.execute("PRAGMA foreign_key_check")]


def as_left(folder: Path, name: str, copies: Path) -> Path:
    """A copy of a database as a killed process left it, with its log of what is not in it yet.

    The database itself is recovered by the program, and not by whoever looks at it here.
    """
    copy = copies / name
    for suffix in ("", "-wal", "-shm"):
        left = folder / f"{name}{suffix}"
        Path(f"{copy}{suffix}").unlink(missing_ok=True)
        if left.exists() and suffix != "-shm":
            shutil.copyfile(left, f"{copy}{suffix}")
    open_store(copy, _SCHEMAS[name]).dispose()
    return copy


_SCHEMAS: Final[Mapping[str, Schema]] = {"landmark.sqlite": LANDMARK, "verifier.sqlite": VERIFIER}


def folder_wrong(folder: Path, role: str) -> list[str]:
    """Files in the folder of a role that has ended, and that do not belong there; deliveries are another matter."""
    found = {str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()}
    return [f"{folder}: {name}" for name in found - FILES[role] if not name.startswith("deliveries/01")]


@dataclass(slots=True, kw_only=True)
class VerifierLedger:
    """What a verifier has of landmarks, and what it finds that it lacks."""

    keys: Mapping[bytes, VerifyingKey]
    """By landmark id."""
    numbers: defaultdict[tuple[bytes, bytes], dict[int, bytes]] = field(default_factory=lambda: defaultdict(dict))
    """Digests by number, by agent and landmark."""
    lacked: set[tuple[bytes, bytes, int]] = field(default_factory=set)
    """Numbers that it ever found missing."""
    _row: int = 0

    def read(self, file: Path) -> list[str]:
        """Take what is new."""
        wrong = []
        with closing(sqlite3.connect(file, timeout=10)) as database:
            query = "SELECT rowid, landmark_id, agent_id, session_digest, kind, data FROM statements WHERE rowid > ?"
            for row, landmark, agent, session, kind, data in database.execute(query, (self._row,)).fetchall():
                self._row = max(row, self._row)
                try:
                    one = _said(Kind(kind), data, self.keys[landmark], session=session, agent=agent)
                except (LightboundError, ValueError) as error:
                    wrong.append(f"verifier: {kind} is not whole: {error}")
                    continue
                if one.link is not None:
                    before = self.numbers[agent, landmark].setdefault(one.link.seq, digest(data))
                    if before != digest(data):
                        wrong.append(f"verifier: two statements {one.link.seq} of {landmark.hex()}")
        return wrong

    def missing(self) -> set[tuple[bytes, bytes, int]]:
        """Numbers below the newest that are not here."""
        return {
            (agent, landmark, seq)
            for (agent, landmark), here in self.numbers.items()
            for seq in range(max(here))
            if seq not in here
        }

    def compared(self, file: Path, ask: Callable[[], set[tuple[bytes, bytes, int]]]) -> list[str]:
        """What is wrong with the gaps that it reckons to have, given what is in its database before and after.

        Statements come meanwhile: what lacked before and after, it must find; what was here before, it must not.
        """
        wrong = self.read(file)
        missing = self.missing()
        here = {(*name, seq) for name, numbers in self.numbers.items() for seq in numbers}
        told = ask()
        wrong += self.read(file)
        self.lacked |= told
        wrong += [f"verifier: missing, and not found: {one}" for one in (missing & self.missing()) - told]
        return wrong + [f"verifier: found missing, and here: {one}" for one in told & here]

    def unknown_to(self, ledgers: Mapping[bytes, Ledger]) -> list[str]:
        """Statements that it has and their landmark does not. Read the landmarks after the verifier."""
        return [
            f"verifier: statement {name.hex()}, which {ledgers[landmark].name} does not have"
            for (_, landmark), here in self.numbers.items()
            for name in here.values()
            if name not in ledgers[landmark].said
        ]


def believed_wrong(
    kept: Kept, ledgers: Mapping[bytes, Ledger], *, verifier: VerifyingKey, admission: AdmissionFolder
) -> tuple[list[str], dict[bytes, Concluded]]:
    """What is wrong with what a verifier believes, everything checked again; and what each session came to."""
    wrong, found = [], {}
    for agent in kept.enrolments.agents():
        for asked in kept.asked.delivered(agent.key.key_id):
            fetched = kept.sequences.of_session(asked.digest)
            came = concluded(asked, fetched, agent=agent.key, verifier=verifier, landmarks=admission.admitted)
            found[asked.digest] = came
            if came.state not in {CHECKED, FAILED} or asked.decided_ns is None:
                wrong.append(f"session {asked.digest.hex()}: {came.state}, decided {asked.decided_ns}")
            if came.verified is None:
                continue
            ends: list[tuple[bytes, Kind]] = [
                (one.landmark.key.key_id, Kind.MEASUREMENT) for one in came.verified.measurements
            ]
            ends += [(landmark, Kind.ABORT) for landmark in came.verified.aborts]
            for landmark, kind in ends:
                own = {one.kind for one in ledgers[landmark].said.values() if one.session == asked.digest}
                if own & ENDS != {kind}:
                    wrong.append(f"session {asked.digest.hex()}: believed {kind} of {ledgers[landmark].name}: {own}")
            wrong += [f"session {asked.digest.hex()}: {error}" for error in came.verified.refused.values()]
    return wrong, found


def binds_wrong(ledgers: Mapping[bytes, Ledger]) -> list[str]:
    """Sessions that landmarks measured under more than one BIND: the agent ran it twice."""
    binds: defaultdict[bytes, set[bytes]] = defaultdict(set)
    for ledger in ledgers.values():
        for session, bind in ledger.binds():
            binds[session].add(bind)
    return [f"session {session.hex()}: {len(all_of)} BINDs" for session, all_of in binds.items() if len(all_of) > 1]


def asked_and_not_answered(file: Path) -> dict[bytes, int]:
    """Sessions that nothing was brought of, and when they were asked for."""
    with closing(sqlite3.connect(file, timeout=10)) as database:
        query = "SELECT session_digest, issued_ns FROM sessions WHERE delivery IS NULL"
        return dict(database.execute(query).fetchall())


def _said(kind: Kind, data: bytes, key: VerifyingKey, *, session: bytes, agent: bytes) -> Said:
    """A statement, read strictly and verified.

    Raises:
        Malformed, Refused: it is not whole, or not by this landmark.
        ValueError: it is of another session or about another agent than stands beside it.
    """
    bind, why, link, of = None, None, None, session
    match kind:
        case Kind.OPEN:
            opened = read_open(data, key)
            link, of = opened.link, opened.session
        case Kind.MEASUREMENT:
            measured = read_measurement(data, key)
            link, of, bind = measured.link, measured.session, measured.bind
        case Kind.ABORT:
            aborted = read_abort(data, key)
            link, of, why = aborted.link, aborted.session, aborted.why
        case Kind.CONTRIB:
            of = read_contrib(data, key).session
        case Kind.CLOSE:
            read_close(data, key)
        case _:
            pass
    if of != session or (link is not None and link.agent != agent):
        raise ValueError("another session, or another agent")
    return Said(kind=kind, session=session, agent=agent, link=link, bind=bind, why=why)
