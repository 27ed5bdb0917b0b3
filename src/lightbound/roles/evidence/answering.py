"""One connection, one question: 32 bytes are read, the device is asked, one answer is written.

The protocol stands in docs/evidence-socket.md. Who may ask, the file's mode says; which device is asked, its path says.
A client has no word in either, and there is nothing else that it could say: this runs with rights that the agent must
not have.
"""

import socket
import struct
import time
from contextlib import suppress
from typing import Final, Protocol

import structlog

from lightbound.errors import ErrorCode, Fault, LightboundError, Malformed, Unavailable
from lightbound.net.evidence_socket import NONCE_BYTES, Answer, ChipEvidence, HostEvidence, write_answer
from lightbound.roles import logs

WITHIN_S: Final = 12.0
"""For a question and its answer, less than the 15 s that a client waits: what went wrong is told, not guessed."""

ASKED_WITHIN_S: Final = 3.0
"""For the 32 bytes of a nonce to come. Whoever connects and says nothing holds a place of the socket's few."""

_CREDENTIALS: Final = struct.Struct("3i")
"""pid, uid and gid of whoever connected, as the kernel knows them (unix(7), SO_PEERCRED)."""


class Source(Protocol):
    """A device that signs: a chip or the host's TPM."""

    def evidence(self, nonce: bytes) -> Answer:
        """What the device signs over these 32 bytes, and nothing over other ones.

        Raises:
            Unavailable: it gives none; the message says why and what to do.
        """


def answer(connection: socket.socket, source: Source, deadline: float) -> None:
    """Answer one question, and close; `deadline` is on the monotonic clock.

    Whatever the device lacks is told to whoever asks. A client that has gone or asks nothing is logged, and left.
    """
    log = structlog.get_logger().bind(**_peer(connection))
    with connection:
        try:
            nonce = _nonce(connection, min(deadline, time.monotonic() + ASKED_WITHIN_S))
        except (OSError, Malformed) as error:
            log.warning("no question", why=_why(error))
            with suppress(OSError):
                _send(connection, write_answer(f"expected {NONCE_BYTES} bytes, found {_why(error)}"), deadline)
            return
        begun = time.monotonic()
        said: Answer | str
        try:
            said = over_nonce(source.evidence(nonce), nonce)
        except LightboundError as error:
            said = "; also ".join(map(str, error.faults))
            log.warning("no evidence", **logs.fields(error))
        data = write_answer(said)
        try:
            _send(connection, data, deadline)
        except OSError as error:
            log.warning("not told", why=_why(error))
            return
        if not isinstance(said, str):
            log.info("evidence given", bytes=len(data), took_ms=round((time.monotonic() - begun) * 1e3))


def over_nonce(given: Answer, nonce: bytes) -> Answer:
    """The evidence, if it can be over this nonce at all: a store of old reports is found out here, not at the verifier.

    Whether the device signed it is the verifier's to find out.

    Raises:
        Unavailable: it is over another.
    """
    match given:
        case ChipEvidence():
            # SPDM 1.1, GET_MEASUREMENTS: four bytes, and the nonce.
            is_asked = given.report[4 : 4 + NONCE_BYTES] == nonce
        case HostEvidence():
            # TPMS_ATTEST has it somewhere among fields whose place depends on those before.
            is_asked = nonce in given.quote
    if not is_asked:
        fault = Fault(
            code=ErrorCode.DEVICE_SILENT,
            expected="evidence over the nonce that was asked for",
            found="evidence over another",
            next="somebody answers from a store, or the collector is another than the one we know",
        )
        raise Unavailable(fault)
    return given


def _nonce(connection: socket.socket, until_s: float) -> bytes:
    data = b""
    while len(data) < NONCE_BYTES:
        connection.settimeout(max(0.001, until_s - time.monotonic()))
        taken = connection.recv(NONCE_BYTES - len(data))
        if not taken:
            raise Malformed(
                Fault(
                    code=ErrorCode.EVIDENCE_MALFORMED,
                    expected=f"{NONCE_BYTES} bytes",
                    found=f"{len(data)} and the end",
                )
            )
        data += taken
    return data


def _send(connection: socket.socket, data: bytes, deadline: float) -> None:
    # A second at least: an answer that came at the last moment, and a reason above all, shall still be told.
    connection.settimeout(max(1.0, deadline - time.monotonic()))
    connection.sendall(data)


def _peer(connection: socket.socket) -> dict[str, int]:
    """Who asks: process, user and group."""
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    pid, uid, gid = _CREDENTIALS.unpack(raw)
    return {"pid": pid, "uid": uid, "gid": gid}


def _why(error: OSError | Malformed) -> str:
    if isinstance(error, Malformed):
        return error.faults[0].found
    return "silence" if isinstance(error, TimeoutError) else error.strerror or type(error).__name__
