"""ROTATION: that one key follows another, in the words of both.

    what     landmark, log or witness
    name     the origin of a log, the name of a witness, the id of a landmark's old key in hex
    old      the key before, 32 bytes
    new      the key after it, 32 bytes
    from_ns  since when the new one is to be used

It shows that whoever had the old key wanted this one to follow, and that whoever has the new key agreed. It does not
show that the old key had not been stolen before: a thief can sign it as well, and two that name different new keys are
the sign of one. Nor does it say what anybody is to believe: directories, policies and trust files do.
"""

from dataclasses import dataclass
from typing import Final

from lightbound.canonical import cose
from lightbound.canonical.cbor import encode
from lightbound.canonical.fields import Fields, is_plain
from lightbound.errors import ErrorCode, malformed
from lightbound.keys.ed25519 import SigningKey, VerifyingKey
from lightbound.keys.purposes import Purpose
from lightbound.keys.signing import cosign, opened_by_all

ROTATION: Final = "lightbound.rotation/1"

ROTATED: Final = (Purpose.LANDMARK, Purpose.LOG, Purpose.WITNESS)
"""Keys of those that others know by their key for years. The other keys change by the ways there are for them."""

_PATH: Final = "rotation"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotation:
    """One key after another."""

    name: str
    """By what the holder is known, whichever key it has; the id of a landmark is that of its key, so the old one's."""
    old: VerifyingKey
    new: VerifyingKey
    from_ns: int

    @property
    def what(self) -> Purpose:
        """Whose keys they are."""
        return self.old.purpose


def write_rotation(name: str, old: SigningKey, new: SigningKey, *, from_ns: int) -> bytes:
    """The statement ROTATION, signed by both keys; keys that cannot follow each other are a mistake of the caller."""
    if old.purpose not in ROTATED or old.purpose is not new.purpose or old.key_id == new.key_id:
        raise ValueError(f"a {new.purpose} key does not follow a {old.purpose} key")
    if not _is_name(name, old.verifying):
        raise ValueError(f"{name!r} is no name of this {old.purpose}")
    payload = encode(
        {
            "what": str(old.purpose),
            "name": name,
            "old": old.verifying.raw,
            "new": new.verifying.raw,
            "from_ns": from_ns,
        }
    )
    return cosign(ROTATION, payload, (old, new))


def read_rotation(data: bytes) -> Rotation:
    """Which key follows which, signed by both. Whose the old one is, the reader must know from elsewhere.

    Raises:
        Malformed, Refused: not such a statement, or not signed by the two keys that it names.
    """
    fields = Fields.of(cose.read(data, what=ROTATION).payload, _PATH)
    purpose = _purpose(fields.text("what"))
    old = VerifyingKey(purpose=purpose, raw=fields.octets("old", 32))
    new = VerifyingKey(purpose=purpose, raw=fields.octets("new", 32))
    if old.key_id == new.key_id:
        raise malformed(ErrorCode.STATEMENT_MALFORMED, "two keys", "the same twice", f"{_PATH}.new")
    opened_by_all(data, ROTATION, (old, new))
    name = fields.text("name")
    if not _is_name(name, old):
        expected = "the id of the old key, in hex" if purpose is Purpose.LANDMARK else "a name without spaces and plus"
        raise malformed(ErrorCode.STATEMENT_MALFORMED, expected, "another text", f"{_PATH}.name")
    read = Rotation(name=name, old=old, new=new, from_ns=fields.instant_ns("from_ns"))
    fields.end()
    return read


def _is_name(name: str, old: VerifyingKey) -> bool:
    """As notes have names; a landmark is named by its key."""
    if old.purpose is Purpose.LANDMARK:
        return name == old.key_id.hex()
    return is_plain(name) and not {" ", "+"} & set(name)


def _purpose(what: str) -> Purpose:
    if what not in ROTATED:
        expected = f"one of {', '.join(ROTATED)}"
        raise malformed(ErrorCode.STATEMENT_MALFORMED, expected, "another word", f"{_PATH}.what")
    return Purpose(what)
