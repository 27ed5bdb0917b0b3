"""Signed notes (C2SP signed-note): a text, and lines below it by which keys have signed it.

    a text of lines

    — name base64(key id, 4 bytes || signature)

Lines of keys that a reader does not know say nothing to it, and are passed over; a line of a key that it knows must
hold. A key's id depends on its name and its algorithm, so that a signature for one name is none for another.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from lightbound.errors import ErrorCode, Malformed, malformed, refused
from lightbound.keys.ed25519 import SigningKey, VerifyingKey
from lightbound.keys.purposes import Purpose
from lightbound.tlog.base64_text import read_base64, write_base64

MOST_BYTES: Final = 131_072
"""Sixteen signatures of the longest kind fit, and nobody needs more. Longer notes are not even taken apart."""

MOST_SIGNATURES: Final = 100
"""The specification asks readers for a limit of their own: whoever serves notes could otherwise make them long. It must
let 16 signatures pass, and the longest that stand against quantum computers have 5 kB."""

_NAME: Final = re.compile(r"[^\s+]{1,256}")
_LINE: Final = re.compile(r"\u2014 ([^\s+]{1,256}) ([A-Za-z0-9+/]+={0,2})")


class Algorithm(IntEnum):
    """The byte before a key, as the specification numbers them."""

    ED25519 = 0x01
    COSIGNATURE = 0x04
    """Ed25519 over a text with a timestamp before it (tlog-cosignature)."""


PURPOSE: Final = {Algorithm.ED25519: Purpose.LOG, Algorithm.COSIGNATURE: Purpose.WITNESS}
"""What a key of each type is for here, both of Ed25519.

Another type, such as cosignatures by ML-DSA-44 (0x06), joins by a line here, and by what it signs where it is read.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteKey:
    """Whose signature is believed: a name, and the key that goes with it."""

    name: str
    algorithm: Algorithm
    raw: bytes

    @property
    def key_id(self) -> bytes:
        """SHA-256(name || 0x0A || algorithm || key)[:4]: finds a line, and proves nothing."""
        return hashlib.sha256(self.name.encode() + b"\n" + bytes([self.algorithm]) + self.raw).digest()[:4]

    def __str__(self) -> str:
        """The vkey, as it is handed around: name, id and key."""
        return f"{self.name}+{self.key_id.hex()}+{write_base64(bytes([self.algorithm]) + self.raw)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteSignature:
    """A line below a note."""

    name: str
    key_id: bytes
    signature: bytes

    def line(self) -> str:
        """With its line end."""
        return f"\u2014 {self.name} {write_base64(self.key_id + self.signature)}\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedNote:
    """A note taken apart; nothing about its signatures has been believed."""

    text: str
    """With its last line end: what signatures are over."""
    signatures: tuple[NoteSignature, ...]

    def encoded(self) -> bytes:
        """The bytes of the note."""
        return (self.text + "\n" + "".join(one.line() for one in self.signatures)).encode()

    def of(self, key: NoteKey) -> tuple[NoteSignature, ...]:
        """The lines that say that they are by this key."""
        return tuple(one for one in self.signatures if (one.name, one.key_id) == (key.name, key.key_id))


def is_name(text: str) -> bool:
    """Whether a key can have this name: no space, no plus, and it can be printed."""
    return _NAME.fullmatch(text) is not None and text.isprintable()


def read_log_vkey(text: str) -> NoteKey:
    """The key of a log in its vkey.

    Raises:
        Malformed: it is none, its id is another's, or it is the key of a witness.
    """
    return _of_kind(Algorithm.ED25519, "the vkey of a log", read_vkey(text))


def read_witness_vkey(text: str) -> NoteKey:
    """The key of a witness in its vkey.

    Raises:
        Malformed: it is none, its id is another's, or it is the key of a log.
    """
    return _of_kind(Algorithm.COSIGNATURE, "the vkey of a witness", read_vkey(text))


def _of_kind(algorithm: Algorithm, expected: str, key: NoteKey) -> NoteKey:
    if key.algorithm is not algorithm:
        found = f"{key.name}, whose key has type {int(key.algorithm)}"
        raise malformed(ErrorCode.KEY_MALFORMED, f"{expected}, of type {int(algorithm)}", found, "vkey")
    return key


def read_vkey(text: str) -> NoteKey:
    """The key in a vkey, of whatever kind.

    Raises:
        Malformed: it is none, its id is another's, or its algorithm is not known here.
    """
    name, *rest = text.split("+", 2)
    if len(rest) != 2 or not is_name(name) or re.fullmatch("[0-9a-f]{8}", rest[0]) is None:
        raise malformed(ErrorCode.KEY_MALFORMED, "NAME+8 hexadecimal digits+base64", "another text", "vkey")
    data = read_base64(rest[1], "vkey")
    if not data or data[0] not in PURPOSE:
        expected = f"an algorithm of {', '.join(str(int(one)) for one in PURPOSE)} and its key"
        raise malformed(ErrorCode.KEY_MALFORMED, expected, f"{len(data)} other bytes", "vkey")
    key = NoteKey(name=name, algorithm=Algorithm(data[0]), raw=data[1:])
    # Refused here, and not when the first signature comes: a key that is none, or that binds nobody.
    VerifyingKey(purpose=PURPOSE[key.algorithm], raw=key.raw)
    if key.key_id.hex() != rest[0]:
        raise malformed(ErrorCode.KEY_MALFORMED, f"the id {key.key_id.hex()}", rest[0], "vkey")
    return key


def read_note(data: bytes, *, what: str = "note") -> SignedNote:
    """A note taken apart.

    Raises:
        Malformed: it is none, or longer than anybody needs.
    """
    if len(data) > MOST_BYTES:
        raise _note(f"at most {MOST_BYTES} bytes", f"{len(data)}", what)
    try:
        whole = data.decode()
    except UnicodeDecodeError as error:
        raise _note("UTF-8", "other bytes", what) from error
    if any(ord(letter) < 0x20 and letter != "\n" for letter in whole):
        raise _note("no control characters but line ends", "one", what)
    text, gap, lines = whole.rpartition("\n\n")
    if not gap or not lines.endswith("\n"):
        raise _note("a text, an empty line, and lines of signatures", "another shape", what)
    signatures = tuple(_signature(line, what) for line in lines[:-1].split("\n"))
    if len(signatures) > MOST_SIGNATURES:
        raise _note(f"at most {MOST_SIGNATURES} signatures", f"{len(signatures)}", what)
    return SignedNote(text=text + "\n", signatures=signatures)


def write_note(text: str, name: str, key: SigningKey) -> bytes:
    """A text with one Ed25519 signature under a name.

    A signature of this kind is over the bare text: the key must serve for nothing else, which its purpose says.
    """
    if not is_name(name) or not text.endswith("\n") or "\n\n" in text:
        raise ValueError("a note needs a name and a text of lines that are not empty")
    as_key = NoteKey(name=name, algorithm=Algorithm.ED25519, raw=key.verifying.raw)
    signature = NoteSignature(name=name, key_id=as_key.key_id, signature=key.sign(text.encode()))
    return SignedNote(text=text, signatures=(signature,)).encoded()


def with_lines(note: SignedNote, signatures: Sequence[NoteSignature]) -> SignedNote:
    """The same text with more lines below; one that is there already is not added."""
    new = tuple(one for one in signatures if one not in note.signatures)
    return SignedNote(text=note.text, signatures=note.signatures + new)


def read_signature_line(line: str, *, what: str = "signature") -> NoteSignature:
    """One line without its line end.

    Raises:
        Malformed: it is none.
    """
    return _signature(line, what)


def check_single(note: SignedNote, key: NoteKey, what: str) -> NoteSignature:
    """The one line of this key.

    Raises:
        Refused: there is none, or several.
    """
    lines = note.of(key)
    if len(lines) != 1:
        raise refused(ErrorCode.WRONG_KEY, f"one signature of {key.name}", f"{len(lines)}", what)
    return lines[0]


def _signature(line: str, what: str) -> NoteSignature:
    match = _LINE.fullmatch(line)
    data = b"" if match is None else read_base64(match[2], what)
    # The name of a stranger may be anything: whoever wrote it is passed over, and is not to spoil the note.
    if match is None or len(data) <= 4:
        raise _note("a line of a signature", "another", what)
    return NoteSignature(name=match[1], key_id=data[:4], signature=data[4:])


def _note(expected: str, found: str, what: str) -> Malformed:
    return malformed(ErrorCode.STATEMENT_MALFORMED, expected, found, what)
