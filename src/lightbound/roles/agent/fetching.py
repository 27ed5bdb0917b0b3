"""What one landmark hands out about one session, fetched and checked. Nothing is written here.

So whatever is raised here is that landmark's own, also if it says that a disk is full: it chooses what its errors say.
"""

from dataclasses import dataclass
from typing import Final

import structlog

from lightbound.canonical.cbor import decode
from lightbound.errors import ErrorCode, LightboundError, malformed, refused
from lightbound.keys.signing import digest
from lightbound.net.http_client import MOST_ANSWER_BYTES, Server
from lightbound.ranging.sessions.receipts import Numbered, Receipt, check_receipt, read_logged, read_numbered
from lightbound.ranging.statements.kinds import NUMBERED
from lightbound.roles.agent.receipts_file import ToAsk
from lightbound.roles.agent.trust_file import Host
from lightbound.roles.logs import fields

MOST_FILE_BYTES: Final = 8_192
"""Of a statement, and of a receipt. A MEASUREMENT has less than 4,100; a receipt under a log as large as can be, with
thirty witnesses, fits. More would let one landmark fill the disk with lines that nobody has to have signed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A statement of a landmark, by its signature, and the receipt that it gave; checked as far as an agent can."""

    data: bytes
    read: Numbered
    receipt: Receipt


@dataclass(frozen=True, slots=True, kw_only=True)
class Came:
    """What came of asking one landmark about one session."""

    is_left: bool
    """Something of it may still come."""
    said: tuple[Said, ...] = ()
    heard_ns: int = 0
    """The newest instant that the landmark signed."""


def fetched(one: ToAsk, host: Host, *, agent: bytes, software: str) -> Came:
    """What there is. A statement whose receipt does not hold, or is too long, is one that has none yet.

    Raises:
        Unavailable: the landmark does not answer.
        Malformed, Refused: it says so, or says something else than before.
    """
    path = f"/clp1/sessions/{one.session.hex()}"
    with Server(host.url, ca=host.ca, software=software) as server:
        logged = server.get(f"{path}/logged")
        if logged.status == 204:
            # It has no log.
            return Came(is_left=False)
        receipts = read_logged(logged.body, most_bytes=MOST_ANSWER_BYTES)
        told = _told(server.get(path).body, one, host, agent)
    said = []
    for name, (statement, read) in told.items():
        receipt = receipts.get(name)
        if receipt is None:
            continue
        try:
            _check(statement, receipt, host)
        except LightboundError as error:
            log = structlog.get_logger().bind(session=one.session.hex(), landmark=one.landmark.hex())
            log.info("no receipt", asks=one.asks + 1, **fields(error))
        else:
            said.append(Said(data=statement, read=read, receipt=receipt))
    heard_ns = max((read.at_ns for _, read in told.values()), default=0)
    return Came(is_left=len(said) < len(told), said=tuple(said), heard_ns=heard_ns)


def _told(body: bytes, one: ToAsk, host: Host, agent: bytes) -> dict[bytes, tuple[bytes, Numbered]]:
    """The numbered statements of a session, by digest: about this agent, and with the one that it was given."""
    told = decode(body, what="session", most_bytes=MOST_ANSWER_BYTES)
    found = {}
    for kind in NUMBERED:
        statement = told.get(kind.short) if isinstance(told, dict) else None
        if isinstance(statement, bytes):
            read = read_numbered(statement, host.key)
            if (read.session, read.link.landmark, read.link.agent) != (one.session, one.landmark, agent):
                raise refused(ErrorCode.SEQUENCE_BROKEN, "statements of this session", "another", kind.short)
            found[digest(statement)] = statement, read
    if one.ended is not None and one.ended not in found:
        raise refused(ErrorCode.SEQUENCE_BROKEN, f"statement {one.ended.hex()}", "others", "session")
    return found


def _check(statement: bytes, receipt: Receipt, host: Host) -> None:
    """Nothing, if they are worth keeping. Which log it is, the agent is not told: whoever monitors names it.

    Raises:
        Malformed, Refused: they are not.
    """
    for what, data in (("statement", statement), ("receipt", receipt.proof)):
        if len(data) > MOST_FILE_BYTES:
            raise malformed(ErrorCode.STATEMENT_MALFORMED, f"at most {MOST_FILE_BYTES} bytes", f"{len(data)}", what)
    check_receipt(statement, receipt, landmark=host.key, log=None)
