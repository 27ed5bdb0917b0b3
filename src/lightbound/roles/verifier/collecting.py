"""What a landmark itself says about a session: asked for what the agent did not bring, and for its whole sequence.

An agent that lost an answer, or would rather not show one, changes nothing by it: the landmark has it still.
"""

from collections.abc import Container, Mapping
from pathlib import Path
from threading import Lock
from typing import Final

import structlog

from lightbound.canonical import cose
from lightbound.canonical.cbor import MOST_BYTES, decode
from lightbound.errors import ErrorCode, LightboundError, Unavailable, malformed, refused
from lightbound.files.landmark_addresses import LandmarkAddress
from lightbound.keys.signing import digest
from lightbound.net.http_client import MOST_ANSWER_BYTES, Server
from lightbound.ranging.sessions.admitted import AdmittedLandmarks
from lightbound.ranging.sessions.receipts import check_receipt, read_logged, read_numbered
from lightbound.ranging.statements.closing import read_close
from lightbound.ranging.statements.kinds import NUMBERED, Kind
from lightbound.ranging.statements.opening import read_contrib
from lightbound.roles.logs import fields
from lightbound.roles.verifier.kept import Kept
from lightbound.roles.verifier.settings import SECOND_NS
from lightbound.store.asked import ToAsk
from lightbound.store.sequences import Signed
from lightbound.tlog.note import NoteKey

AGAIN_NS: Final = tuple(seconds * SECOND_NS for seconds in (2, 10, 30, 120, 600, 3_600))
"""How long after each asking that left something open the next one comes; after the last, none."""

MOST_CHASED: Final = 64
"""Statements of one sequence fetched at one time. What is missing still, the next session's asking goes on with."""

PATIENCE_NS: Final = 600 * SECOND_NS
"""A gap in a sequence is told when the landmark did not show what is missing, and again did not so much later: before
that it may be restarting, or not to be reached from here. Longer: gaps are told later, and nothing else is lost."""


class Collector:
    """Asks landmarks. Threads may share it."""

    def __init__(
        self,
        kept: Kept,
        landmarks: AdmittedLandmarks,
        addresses: Mapping[bytes, LandmarkAddress],
        *,
        ca: Path | None,
        software: str,
        log: NoteKey | None = None,
    ) -> None:
        """Of these landmarks; nothing is sent yet. With a log, its receipts are asked for as well."""
        self._kept, self._landmarks, self._addresses = kept, landmarks, addresses
        self._ca, self._software, self._log = ca, software, log
        self._lock = Lock()
        self._servers: dict[bytes, Server] = {}

    def close(self) -> None:
        """Close every connection."""
        for server in self._servers.values():
            server.close()

    def ask(self, one: ToAsk, *, now_ns: int) -> bool:
        """Ask a landmark about a session, and for what its sequence lacks here; whether something new came.

        Raises:
            Unavailable: the database failed, or `ca` cannot be read. What the landmark does wrong is logged, and asked
                for again.
        """
        if one.landmark not in self._addresses:
            # It has left the directory since: nothing that it says is believed.
            self._kept.asked.asked_landmark(one, ask_ns=None)
            return False
        server = self._server(one.landmark)
        new = 0
        # Once it has told all of a session, only receipts of the log are still to come.
        is_done = one.asks > 0 and _is_whole(self._kept.sequences.of_session(one.session).get(one.landmark, {}))
        try:
            signed = [] if is_done else self._about(server, one)
        except LightboundError as error:
            _log("not told by landmark", one, error)
        else:
            new = self._kept.sequences.add(signed)
            is_done = not signed or _is_whole({said.kind for said in signed})
        is_whole = self._chased(server, one, now_ns=now_ns) and self._receipted(server, one)
        again = one.asks < len(AGAIN_NS) and not (is_done and is_whole)
        self._kept.asked.asked_landmark(one, ask_ns=now_ns + AGAIN_NS[one.asks] if again else None)
        return new > 0

    def _about(self, server: Server, one: ToAsk) -> list[Signed]:
        """What a landmark has about a session; nothing, if it says that it never opened it."""
        try:
            answer = server.get(f"/clp1/sessions/{one.session.hex()}")
        except LightboundError as error:
            if error.faults[0].code is ErrorCode.WRONG_SESSION:
                return []
            raise
        told = decode(answer.body, what="session", most_bytes=MOST_ANSWER_BYTES)
        if not isinstance(told, dict):
            raise malformed(ErrorCode.STATEMENT_MALFORMED, "a map of statements", type(told).__name__, "session")
        signed = []
        for kind in (*NUMBERED, Kind.CONTRIB, Kind.CLOSE, Kind.ACK):
            data = told.get(kind.short)
            if isinstance(data, bytes) and 0 < len(data) <= MOST_BYTES:
                said = self._read(kind, data, one)
                if said.session != one.session:
                    raise refused(ErrorCode.WRONG_SESSION, "this session", "another", kind.short)
                signed.append(said)
        return signed

    def _chased(self, server: Server, one: ToAsk, *, now_ns: int) -> bool:
        """Fetch the statements before those that are here; whether none is missing any more.

        One that the landmark does not show is passed over, and kept as asked for in vain.
        """
        tried: set[bytes] = set()
        in_vain: set[bytes] = set()
        for _ in range(MOST_CHASED):
            lacking = [name for name in self._lacking(one) if name not in tried]
            if not lacking:
                break
            tried.add(lacking[0])
            try:
                said = self._statement(server, one, lacking[0])
            except Unavailable as error:
                _log("statements not told by landmark", one, error)
                in_vain.update(lacking)
                break
            except LightboundError as error:
                _log("statement not told by landmark", one, error)
                in_vain.add(lacking[0])
            else:
                self._kept.sequences.add([said])
        lacking = self._lacking(one)
        self._kept.sequences.in_vain([name for name in lacking if name in in_vain], now_ns=now_ns)
        return not lacking

    def _receipted(self, server: Server, one: ToAsk) -> bool:
        """Fetch the receipts of what the landmark said of a session; whether none is missing any more."""
        if self._log is None:
            return True
        lacking = self._kept.receipts.lacking(one.session, one.landmark)
        if not lacking:
            return True
        key = self._landmarks.by_id[one.landmark].key
        try:
            answer = server.get(f"/clp1/sessions/{one.session.hex()}/logged")
            given = {} if answer.status == 204 else read_logged(answer.body, most_bytes=MOST_ANSWER_BYTES)
            for statement in lacking:
                receipt = given.get(digest(statement))
                if receipt is None:
                    return False
                check_receipt(statement, receipt, landmark=key, log=self._log)
                self._kept.receipts.keep(digest(statement), receipt)
        except LightboundError as error:
            _log("no receipt from landmark", one, error)
            return False
        return True

    def _lacking(self, one: ToAsk) -> list[bytes]:
        return self._kept.sequences.not_here(one.landmark, one.agent)

    def _statement(self, server: Server, one: ToAsk, wanted: bytes) -> Signed:
        """The numbered statement of this digest."""
        data = server.get(f"/clp1/statements/{wanted.hex()}").body
        if digest(data) != wanted:
            raise refused(ErrorCode.SEQUENCE_BROKEN, f"statement {wanted.hex()}", digest(data).hex(), "statements")
        kind = cose.read(data, what="statement").kind
        if kind not in NUMBERED:
            raise refused(ErrorCode.WRONG_TYPE, "a numbered statement", kind, "statements")
        return self._read(Kind(kind), data, one)

    def _read(self, kind: Kind, data: bytes, one: ToAsk) -> Signed:
        """A statement of this landmark about this agent; ACK is the agent's own, and checked with the rest."""
        key = self._landmarks.by_id[one.landmark].key
        session, link = one.session, None
        match kind:
            case Kind.OPEN | Kind.MEASUREMENT | Kind.ABORT:
                said = read_numbered(data, key)
                session, link = said.session, said.link
                if (link.landmark, link.agent) != (one.landmark, one.agent):
                    raise refused(ErrorCode.SEQUENCE_BROKEN, "a statement about this agent", "another", kind.short)
            case Kind.CONTRIB:
                session = read_contrib(data, key).session
            case Kind.CLOSE:
                read_close(data, key)
            case _:
                pass
        return Signed(kind=kind, session=session, landmark=one.landmark, agent=one.agent, data=data, link=link)

    def _server(self, landmark: bytes) -> Server:
        with self._lock:
            if landmark not in self._servers:
                url = self._addresses[landmark].url
                self._servers[landmark] = Server(url, ca=self._ca, software=self._software)
            return self._servers[landmark]


def _log(event: str, one: ToAsk, error: LightboundError) -> None:
    structlog.get_logger().info(event, landmark=one.landmark.hex(), session=one.session.hex(), **fields(error))


def _is_whole(kinds: Container[Kind]) -> bool:
    """Whether a landmark's beginning and end of a session are among these."""
    return Kind.OPEN in kinds and (Kind.MEASUREMENT in kinds or Kind.ABORT in kinds)
