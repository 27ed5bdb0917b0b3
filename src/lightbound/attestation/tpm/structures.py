"""What a TPM signs when it quotes, TPMS_ATTEST, and its signature, TPMT_SIGNATURE (TCG TPM 2.0 Library, part 2).

    attest    = FF 54 43 47 | 80 18 | qualified signer TPM2B | extra data TPM2B | clock 8 | resets 4 | restarts 4
                | safe 1 | firmware 8 | selection | digest TPM2B
    selection = count 4, and so many of: hash 2 | length 1 | bitmap
    signature = scheme 2 | hash 2 | TPM2B, or for ECDSA TPM2B r, TPM2B s

All integers are big-endian. What is read here was not checked: anybody can write it; `quotes` tells who did.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from lightbound.attestation.tpm.keys import SCHEMES, Scheme
from lightbound.attestation.tpm.octets import Hash, Octets

MAGIC: Final = bytes.fromhex("ff544347")
"""TPM_GENERATED_VALUE: what begins so, a restricted key signs only if its TPM made it."""
QUOTE: Final = bytes.fromhex("8018")
"""TPM_ST_ATTEST_QUOTE; other kinds certify keys, times and memory."""

_MOST_BITMAP: Final = 4
"""Bytes of a bitmap: a TPM of a PC has 24 registers, which are 3."""
_MOST_SIGNATURE: Final = 512
"""Bytes of an RSA signature, of 4,096 bits."""
_MOST_SCALAR: Final = 66
"""Bytes of r and of s, over P-521."""
_SIGNER_BYTES: Final = {2 + one.length: one for one in Hash}


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which platform configuration registers (PCR) of one bank."""

    bank: Hash
    indexes: tuple[int, ...]
    """Ascending, from 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attest:
    """What a TPM says in a quote."""

    signer: bytes
    """The qualified name of the key, which takes in the names of all its parents. They are not here, so that it can
    be compared with nothing."""
    extra: bytes
    """What whoever asked gave: the nonce."""
    clock_ms: int
    """How long the TPM was on since it was last cleared."""
    reset_count: int
    """How often it was reset since then: a start of the host."""
    restart_count: int
    """How often it slept or was restarted since its reset."""
    is_safe: bool
    """False: the clock may have gone back, by what it ran between being stored and power being lost."""
    firmware: int
    """Its version, as the maker counts."""
    selection: tuple[Selection, ...]
    digest: bytes
    """Of the values of the registers that are selected, one after the other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """Who signed, by which scheme; it has not been checked."""

    scheme: Scheme
    hash: Hash
    parts: tuple[bytes, ...]
    """One for RSA; r and s for ECDSA."""


def read_attest(data: bytes, path: str) -> Attest:
    """A quote's TPMS_ATTEST, as `tpm2_quote -m` writes it.

    Raises:
        Malformed: it is none.
    """
    octets = Octets(data, path)
    for expected, name in ((MAGIC, "magic"), (QUOTE, "type")):
        found = octets.take(len(expected), name)
        if found != expected:
            raise octets.wrong(expected.hex(" "), found.hex(" "), name)
    signer = octets.sized("signer", most=max(_SIGNER_BYTES))
    if len(signer) not in _SIGNER_BYTES or int.from_bytes(signer[:2], "big") != _SIGNER_BYTES[len(signer)]:
        raise octets.wrong("a name by SHA-256, SHA-384 or SHA-512", f"{len(signer)} other bytes", "signer")
    extra = octets.sized("extra", most=2 + max(one.length for one in Hash))
    clock_ms, reset_count, restart_count = (
        octets.integer(8, "clock"),
        octets.integer(4, "resets"),
        octets.integer(4, "restarts"),
    )
    safe = octets.integer(1, "safe")
    if safe not in {0, 1}:
        raise octets.wrong("0 or 1", f"{safe}", "safe")
    firmware = octets.integer(8, "firmware")
    selection = tuple(_read_selection(octets))
    digest = octets.sized("digest", least=min(one.length for one in Hash), most=max(one.length for one in Hash))
    octets.end()
    return Attest(
        signer=signer,
        extra=extra,
        clock_ms=clock_ms,
        reset_count=reset_count,
        restart_count=restart_count,
        is_safe=bool(safe),
        firmware=firmware,
        selection=selection,
        digest=digest,
    )


def _read_selection(octets: Octets) -> Iterator[Selection]:
    count = octets.integer(4, "selection")
    if count > len(Hash):
        raise octets.wrong(f"at most {len(Hash)} banks", f"{count}", "selection")
    seen: set[Hash] = set()
    for _ in range(count):
        bank = octets.hash("selection.bank")
        if bank in seen:
            raise octets.wrong("each bank once", f"{bank.bank} twice", "selection.bank")
        seen.add(bank)
        length = octets.integer(1, "selection.length")
        if not 1 <= length <= _MOST_BITMAP:
            raise octets.wrong(f"1 to {_MOST_BITMAP} bytes", f"{length}", "selection.length")
        # Register 0 is the lowest bit of the first byte.
        bitmap = int.from_bytes(octets.take(length, "selection.bitmap"), "little")
        yield Selection(bank=bank, indexes=tuple(at for at in range(8 * length) if bitmap >> at & 1))


def read_signature(data: bytes, path: str) -> Signature:
    """A TPMT_SIGNATURE, as `tpm2_quote -s` writes it.

    Raises:
        Malformed: it is none, or by a scheme or hash that is not read here.
    """
    octets = Octets(data, path)
    number = octets.integer(2, "scheme")
    if number not in SCHEMES:
        raise octets.wrong("RSASSA, RSAPSS or ECDSA", f"algorithm {number:#06x}", "scheme")
    scheme, by = SCHEMES[number], octets.hash("hash")
    names, most = (("r", "s"), _MOST_SCALAR) if scheme is Scheme.ECDSA else (("value",), _MOST_SIGNATURE)
    parts = tuple([octets.sized(name, least=1, most=most) for name in names])
    octets.end()
    return Signature(scheme=scheme, hash=by, parts=parts)
