"""Reports and chains that were tampered with, thousands of kinds from seeded dice, and what must come of each.

Whatever is accepted says exactly what the device signed. Whatever is not raises Malformed or Refused, with a code and
a path, and nothing else is ever raised.
"""

import base64
import struct
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Final

from cryptography import x509

from lightbound.attestation.chains import DeviceRoots
from lightbound.attestation.genuine import genuine_report
from lightbound.attestation.reports import Report, read_report
from lightbound.errors import ErrorCode, Malformed, Refused
from tests.attestation.real import Sample

ORDER: Final = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973
"""Of P-384 (SEC 2, 2.5.1)."""

BLOCKS: Final = 45
"""Where the measurement record begins: request 37, response 4, number of blocks 1, length 3."""
BLOCK: Final = 55
CODES: Final = frozenset(
    {
        ErrorCode.EVIDENCE_MALFORMED,
        ErrorCode.CERTIFICATE_MALFORMED,
        ErrorCode.CHAIN_REFUSED,
        ErrorCode.SIGNATURE_INVALID,
        ErrorCode.FIRMWARE_DIFFERS,
    }
)
"""Every way in which something that was tampered with is refused, where nobody said which nonce was asked for."""


@dataclass(slots=True, kw_only=True)
class Tally:
    """How many cases there were, and what came of them."""

    accepted: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    """By code and path."""
    kinds: Counter[str] = field(default_factory=Counter)

    @property
    def count(self) -> int:
        """All cases."""
        return self.accepted + self.refused.total()

    def __str__(self) -> str:
        """A few lines."""
        codes = "\n".join(f"    {count:9,}  {code}" for code, count in sorted(self.refused.items()))
        return f"{self.count:,} cases of {len(self.kinds)} kinds, {self.accepted:,} accepted; refused:\n{codes}"


def parsed(samples: Sequence[Sample], *, seed: int, count: int) -> Tally:
    """What comes of reading so many reports that were tampered with: what is read, written again, is what was read."""
    dice, tally = Random(seed), Tally()
    for number in range(count):
        whole = samples[number % len(samples)].report
        kind = dice.choice(REPORT_KINDS)
        data = kind(dice, whole)
        tally.kinds[kind.__name__] += 1
        try:
            report = read_report(data)
        except (Malformed, Refused) as error:
            _count(tally, error)
            continue
        assert written(report) == data[: len(data) - report.padding], (seed, number, kind.__name__)
        tally.accepted += 1
    return tally


def verified(samples: Sequence[Sample], roots: DeviceRoots, *, seed: int, count: int) -> Tally:
    """What comes of checking so many of which the report, the chain or both were tampered with.

    One is accepted only if everything that is signed in it is a sample's own, byte for byte.
    """
    dice, tally = Random(seed), Tally()
    chains = [base64_blocks(one.chain) for one in samples]
    genuine = {(read_report(one.report).signed, *_signed(one.chain)) for one in samples}
    for number in range(count):
        place = number % len(samples)
        report, chain = samples[place].report, samples[place].chain
        touches_chain, touches_report = dice.choice(((True, False), (False, True), (True, True)))
        kinds = []
        if touches_report:
            one = dice.choice(REPORT_KINDS)
            report = one(dice, report)
            kinds.append(one.__name__)
        if touches_chain:
            other = dice.choice(CHAIN_KINDS)
            chain = other(dice, chains[place], chains)
            kinds.append(other.__name__)
        tally.kinds[" and ".join(kinds)] += 1
        try:
            found = genuine_report(report, chain, roots=roots, nonce=None)
        except (Malformed, Refused) as error:
            _count(tally, error)
            continue
        assert (found.report.signed, *_signed(chain)) in genuine, (seed, number, kinds)
        tally.accepted += 1
    return tally


def written(report: Report) -> bytes:
    """A report as its bytes, without padding: by the layout alone, so that it shares nothing with the reader."""
    blocks = b"".join(
        struct.pack("<BBHBH", number, 1, 51, kind, 48) + digest
        for number, (kind, digest) in enumerate(zip(report.types, report.measurements, strict=True), 1)
    )
    opaque = b"".join(struct.pack("<HH", kind, len(value)) + value for kind, value in report.opaque.fields.items())
    return b"".join(
        (
            b"\x11\xe0\x01\xff",
            report.nonce,
            bytes([report.slot, 0x11, 0x60, *report.params, len(report.measurements)]),
            len(blocks).to_bytes(3, "little"),
            blocks,
            report.responder_nonce,
            len(opaque).to_bytes(2, "little"),
            opaque,
            report.signature,
        )
    )


def other_signature(report: bytes) -> bytes:
    """The report with n - s in place of s: another valid signature of the same bytes, which anybody can compute."""
    read = read_report(report)
    end = len(report) - read.padding
    s = int.from_bytes(read.signature[48:], "big")
    return report[: end - 48] + (ORDER - s).to_bytes(48, "big") + report[end:]


# -- reports -----------------------------------------------------------------------------------------------------


def _flipped(dice: Random, data: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(dice.choice((1, 1, 1, 2, 5))):
        changed[dice.randrange(len(changed))] ^= 1 << dice.randrange(8)
    return bytes(changed)


def _flipped_in_a_length(dice: Random, data: bytes) -> bytes:
    at, size = dice.choice(lengths(data))
    value = int.from_bytes(data[at : at + size], "little")
    top = (1 << 8 * size) - 1
    new = dice.choice((0, top, value + 1, value - 1, value ^ (1 << dice.randrange(8 * size)), dice.randrange(top + 1)))
    return data[:at] + (new & top).to_bytes(size, "little") + data[at + size :]


def _cut(dice: Random, data: bytes) -> bytes:
    return data[: dice.randrange(len(data))]


def _longer(dice: Random, data: bytes) -> bytes:
    return data + dice.randbytes(dice.choice((1, 2, 55, 96, 4000)))


def _without_some(dice: Random, data: bytes) -> bytes:
    at = dice.randrange(len(data))
    return data[:at] + data[at + dice.choice((1, 2, 4, 48, 55)) :]


def _with_more_inside(dice: Random, data: bytes) -> bytes:
    at = dice.randrange(len(data))
    return data[:at] + dice.randbytes(dice.choice((1, 2, 4, 48, 55))) + data[at:]


def _overwritten(dice: Random, data: bytes) -> bytes:
    at, size = dice.randrange(len(data)), dice.choice((1, 2, 8, 48))
    return data[:at] + dice.randbytes(len(data[at : at + size])) + data[at + size :]


def _blocks_moved(dice: Random, data: bytes) -> bytes:
    """Blocks change places, are doubled or dropped; number and length say so, or do not."""
    blocks = [data[at : at + BLOCK] for at in range(BLOCKS, BLOCKS + data[41] * BLOCK, BLOCK)]
    end = BLOCKS + len(blocks) * BLOCK
    one, other = dice.randrange(len(blocks)), dice.randrange(len(blocks))
    how = dice.randrange(4)
    if how == 0:
        blocks[one], blocks[other] = blocks[other], blocks[one]
    elif how == 1:
        blocks[one] = blocks[one][:7] + blocks[other][7:]
    elif how == 2:
        blocks.insert(other, blocks[one])
    else:
        del blocks[one]
    if dice.random() < 0.7:
        blocks = [bytes([number]) + block[1:] for number, block in enumerate(blocks, 1)]
    record = b"".join(blocks)
    head = bytes([len(blocks)]) + len(record).to_bytes(3, "little") if dice.random() < 0.8 else data[41:BLOCKS]
    return data[:41] + head + record + data[end:]


def _fields_moved(dice: Random, data: bytes) -> bytes:
    """Fields of the opaque part change places, types or values, are doubled or dropped; the length says so, or not."""
    at = _opaque_at(data)
    fields = opaque_fields(data)
    end = at + 2 + int.from_bytes(data[at : at + 2], "little")
    one, other = dice.randrange(len(fields)), dice.randrange(len(fields))
    kind, value = fields[one]
    how = dice.randrange(5)
    if how == 0:
        fields[one], fields[other] = fields[other], fields[one]
    elif how == 1:
        fields.insert(other, fields[one])
    elif how == 2:
        del fields[one]
    elif how == 3:
        fields[one] = dice.choice((fields[other][0], dice.randrange(1 << 16))), value
    else:
        fields[one] = kind, dice.randbytes(dice.choice((len(value), 0, 1, 300)))
    opaque = b"".join(struct.pack("<HH", kind, len(value)) + value for kind, value in fields)
    length = len(opaque).to_bytes(2, "little") if dice.random() < 0.8 else data[at : at + 2]
    return data[:at] + length + opaque + data[end:]


def _another_nonce(dice: Random, data: bytes) -> bytes:
    return data[:4] + dice.randbytes(32) + data[36:]


def _signature_changed(dice: Random, data: bytes) -> bytes:
    end = len(data) - read_report(data).padding
    r, s = (int.from_bytes(data[at : at + 48], "big") for at in (end - 96, end - 48))
    top = (1 << 384) - 1
    any_one = dice.randrange(1, ORDER)
    wrong = [(0, s), (r, 0), (0, 0), (1, 1), (ORDER, s), (r, ORDER), (top, top), (s, r), (ORDER - r, s)]
    r, s = dice.choice([*wrong, (any_one, s), (r, any_one), (r, ORDER - s)])
    return data[: end - 96] + r.to_bytes(48, "big") + s.to_bytes(48, "big") + data[end:]


def _untouched(_: Random, data: bytes) -> bytes:
    return data


REPORT_KINDS: Final[tuple[Callable[[Random, bytes], bytes], ...]] = (
    _flipped, _flipped_in_a_length, _cut, _longer, _without_some, _with_more_inside, _overwritten, _blocks_moved,
    _fields_moved, _another_nonce, _signature_changed, _untouched,
)  # fmt: skip


def lengths(data: bytes) -> list[tuple[int, int]]:
    """Where every number stands by which a report is read, and how many bytes it has."""
    opaque = _opaque_at(data)
    found = [(41, 1), (42, 3), (opaque, 2)]
    for number in range(data[41]):
        at = BLOCKS + number * BLOCK
        found += [(at, 1), (at + 2, 2), (at + 5, 2)]
    at = opaque + 2
    for _, value in opaque_fields(data):
        found += [(at, 2), (at + 2, 2)]
        at += 4 + len(value)
    return found


def opaque_fields(data: bytes) -> list[tuple[int, bytes]]:
    """Type and value of the fields of the opaque part, in their order."""
    return list(read_report(data).opaque.fields.items())


def _opaque_at(data: bytes) -> int:
    return BLOCKS + int.from_bytes(data[42:BLOCKS], "little") + 32


# -- chains ------------------------------------------------------------------------------------------------------

Blocks = list[bytes]


def base64_blocks(chain: bytes) -> Blocks:
    """The certificates of a chain as DER."""
    parts = chain.split(b"-----BEGIN CERTIFICATE-----")[1:]
    return [base64.b64decode(part.split(b"-----END")[0]) for part in parts]


def pem(certificates: Sequence[bytes]) -> bytes:
    """The certificates as PEM."""
    return b"".join(
        b"-----BEGIN CERTIFICATE-----\n" + base64.encodebytes(one) + b"-----END CERTIFICATE-----\n"
        for one in certificates
    )


def _another_order(dice: Random, chain: Blocks, _: list[Blocks]) -> bytes:
    return pem(dice.sample(chain, len(chain)))


def _more_or_fewer(dice: Random, chain: Blocks, others: list[Blocks]) -> bytes:
    changed = list(chain)
    if dice.random() < 0.5:
        del changed[dice.randrange(5)]
    else:
        changed.insert(dice.randrange(6), dice.choice(dice.choice(others)))
    return pem(changed)


def _one_of_another_chain(dice: Random, chain: Blocks, others: list[Blocks]) -> bytes:
    changed, other = list(chain), dice.choice(others)
    changed[dice.randrange(5)] = other[dice.randrange(5)]
    return pem(changed)


def _several_of_another_chain(dice: Random, chain: Blocks, others: list[Blocks]) -> bytes:
    other, at = dice.choice(others), dice.randrange(1, 5)
    return pem([*other[:at], *chain[at:]])


def _certificate_tampered(dice: Random, chain: Blocks, _: list[Blocks]) -> bytes:
    changed, place = list(chain), dice.randrange(5)
    change = dice.choice((_flipped, _flipped, _flipped, _cut, _longer, _without_some, _with_more_inside, _overwritten))
    changed[place] = change(dice, changed[place])
    return pem(changed)


def _text_tampered(dice: Random, chain: Blocks, _: list[Blocks]) -> bytes:
    change = dice.choice((_flipped, _cut, _without_some, _with_more_inside, _overwritten))
    return change(dice, pem(chain))


def _other_space(dice: Random, chain: Blocks, _: list[Blocks]) -> bytes:
    """The same certificates, with other white space between and within them."""
    text = pem(chain)
    return text.replace(b"\n", b"\r\n") if dice.random() < 0.5 else b"\n  " + text.replace(b"-\n-", b"-\n\n\t-")


CHAIN_KINDS: Final[tuple[Callable[[Random, Blocks, list[Blocks]], bytes], ...]] = (
    _another_order, _more_or_fewer, _one_of_another_chain, _several_of_another_chain, _certificate_tampered,
    _text_tampered, _other_space,
)  # fmt: skip


def _signed(chain: bytes) -> tuple[bytes, ...]:
    """What is signed of each certificate."""
    return tuple(x509.load_der_x509_certificate(one).tbs_certificate_bytes for one in base64_blocks(chain))


def _count(tally: Tally, error: Malformed | Refused) -> None:
    for fault in error.faults:
        assert fault.code in CODES
        assert fault.column
        tally.refused[f"{fault.code} {_place(fault.column)}"] += 1


def _place(path: str) -> str:
    """A path without its numbers."""
    head = path.partition("[")[0]
    return ".".join(part for part in head.split(".") if not part.isdecimal())
