"""Asking the socket of a device for evidence: 32 bytes out, one map of CBOR back (docs/evidence-socket.md).

What comes back was checked by nobody: whoever serves the socket can say what he likes. That the device itself signed
it, and over this nonce, the verifier finds out.
"""

import os
import socket
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NoReturn, TypeAlias

from lightbound.canonical.cbor import Value, decode, encode
from lightbound.canonical.fields import Fields, is_plain
from lightbound.errors import ErrorCode, Fault, Unavailable, malformed

NONCE_BYTES: Final = 32

MOST_ANSWER_BYTES: Final = 262_144
"""Of an answer. A report has 4 kB and collectors pad it to 16, a chain has 5, a quote some 10 with its log. Smaller: a
host with a long log is silent. Larger: whoever serves the socket fills more of our memory."""

MOST_WORDS: Final = 600
"""Characters of the reason why there is no evidence: one fault and what to do about it."""

WITHIN_S: Final = 15.0
"""For one device to answer. A chip takes one to two seconds; a collector that asks all chips of a host takes longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChipEvidence:
    """What a chip signed."""

    report: bytes
    """SPDM request || response, as the vendor's software gives it."""
    chain: bytes
    """Its certificates as PEM, leaf first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostEvidence:
    """What the host's TPM signed."""

    quote: bytes


Answer: TypeAlias = ChipEvidence | HostEvidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What a socket answered. Whoever asks says what he takes it for, and is refused if it is the other kind."""

    path: str
    answer: Answer

    @property
    def report(self) -> bytes:
        """A chip's report.

        Raises:
            Malformed: a host answered.
        """
        return self._chip().report

    @property
    def chain(self) -> bytes:
        """A chip's certificates.

        Raises:
            Malformed: a host answered.
        """
        return self._chip().chain

    @property
    def quote(self) -> bytes:
        """A host's quote.

        Raises:
            Malformed: a chip answered.
        """
        if not isinstance(self.answer, HostEvidence):
            raise malformed(ErrorCode.EVIDENCE_MALFORMED, "a quote of the host", "a report of a chip", self.path)
        return self.answer.quote

    def _chip(self) -> ChipEvidence:
        if not isinstance(self.answer, ChipEvidence):
            raise malformed(ErrorCode.EVIDENCE_MALFORMED, "a report of a chip", "a quote of the host", self.path)
        return self.answer


def asked(path: Path, nonce: bytes, *, most_bytes: int = MOST_ANSWER_BYTES, within_s: float = WITHIN_S) -> Answered:
    """What the socket at `path` answers to a nonce, of at most so many bytes and within so many seconds in all.

    Raises:
        Unavailable: nobody answers there, or there is no evidence; in the words of whoever serves the socket.
        Malformed: what came is no answer.
    """
    if len(nonce) != NONCE_BYTES:
        # Ours, not the device's: a server that gets another length can only wait for the rest of it.
        raise ValueError(f"a nonce has {NONCE_BYTES} bytes, not {len(nonce)}")
    until_s = time.monotonic() + within_s
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as made:
        try:
            made.settimeout(_left_s(until_s))
            made.connect(os.fspath(path))
            made.sendall(nonce)
            data = _received(made, most_bytes, until_s)
        except TimeoutError:
            _silent(path, f"no answer within {within_s:g} s", "see the log of the unit that serves it")
        except PermissionError:
            _silent(path, "no right to ask", "join the group that the socket belongs to: ls -l shows it")
        except FileNotFoundError:
            _silent(path, "no such socket", "start the unit that serves it: docs/evidence-socket.md")
        except ConnectionRefusedError:
            _silent(path, "nobody who serves it", "start the unit that serves it: docs/evidence-socket.md")
        except ConnectionError:
            _silent(path, "a connection that broke", "see the log of the unit that serves it")
        except OSError as error:
            _silent(path, error.strerror or str(error) or type(error).__name__)
    if not data:
        _silent(path, "a connection closed without an answer", "see the log of the unit that serves it")
    return Answered(path=str(path), answer=read_answer(data, str(path), most_bytes=most_bytes))


def write_answer(said: Answer | str) -> bytes:
    """The bytes of an answer; a text says why there is no evidence, and is made fit to be read."""
    fields: dict[str, Value]
    match said:
        case ChipEvidence():
            fields = {"report": said.report, "chain": said.chain}
        case HostEvidence():
            fields = {"quote": said.quote}
        case str():
            fields = {"error": _plain(said)}
    return encode(fields)


def read_answer(data: bytes, path: str, *, most_bytes: int = MOST_ANSWER_BYTES) -> Answer:
    """What an answer says; nothing of it is believed.

    Raises:
        Malformed: it is none.
        Unavailable: it says why there is no evidence.
    """
    decoded = decode(data, what=path, most_bytes=most_bytes)
    fields = Fields(decoded, path)
    names = set(decoded) if isinstance(decoded, dict) else set()
    if names == {"error"}:
        words = fields.value("error")
        _silent(path, _plain(words) if isinstance(words, str) else "an error that is no text")
    if names == {"quote"}:
        return HostEvidence(quote=_octets(fields, "quote"))
    if names == {"report", "chain"}:
        return ChipEvidence(report=_octets(fields, "report"), chain=_octets(fields, "chain"))
    expected = "report and chain, or quote, or error"
    raise malformed(ErrorCode.EVIDENCE_MALFORMED, expected, f"{len(names)} other fields", path)


def _octets(fields: Fields, name: str) -> bytes:
    value = fields.value(name)
    if type(value) is not bytes or not value:
        raise malformed(ErrorCode.EVIDENCE_MALFORMED, "bytes", "none", f"{fields.path}.{name}")
    return value


def _received(made: socket.socket, most_bytes: int, until_s: float) -> bytes:
    """Everything until the other side closes."""
    data = bytearray()
    while True:
        made.settimeout(_left_s(until_s))
        # One byte more than may come: it shows an answer that is too long.
        taken = made.recv(min(65_536, most_bytes + 1 - len(data)))
        data += taken
        if not taken or len(data) > most_bytes:
            return bytes(data)


def _left_s(until_s: float) -> float:
    left_s = until_s - time.monotonic()
    if left_s <= 0.0:
        raise TimeoutError
    return left_s


def _plain(words: str) -> str:
    """Words of somebody else, cut and made fit for a terminal and a log."""
    kept = "".join(letter if letter == " " or is_plain(letter) else "?" for letter in words)
    return kept.strip(" ")[:MOST_WORDS].strip(" ") or "no reason given"


def _silent(path: Path | str, found: str, next_: str | None = None) -> NoReturn:
    fault = Fault(
        code=ErrorCode.DEVICE_SILENT, expected="evidence of a device", found=found, file=str(path), next=next_
    )
    raise Unavailable(fault)
