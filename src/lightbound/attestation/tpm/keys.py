"""The public area of an attestation key, TPMT_PUBLIC (TCG TPM 2.0 Library, part 2), and the key's name.

    public  = type 2 | name hash 2 | attributes 4 | policy TPM2B | symmetric | scheme | parameters | unique
    name    = name hash 2 | digest of the public area by it

What is read here says what kind of key it is, and nobody has signed it: a name that was pinned, or nothing, vouches
for it.
"""

from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from lightbound.attestation.tpm.octets import Hash, Octets


class Attribute(IntFlag):
    """TPMA_OBJECT: what a key may do, and what may be done with it."""

    FIXED_TPM = 1 << 1
    """It never leaves its TPM."""
    ST_CLEAR = 1 << 2
    FIXED_PARENT = 1 << 4
    SENSITIVE_DATA_ORIGIN = 1 << 5
    """Its secret was made in the TPM."""
    USER_WITH_AUTH = 1 << 6
    ADMIN_WITH_POLICY = 1 << 7
    FIRMWARE_LIMITED = 1 << 8
    SVN_LIMITED = 1 << 9
    NO_DA = 1 << 10
    ENCRYPTED_DUPLICATION = 1 << 11
    RESTRICTED = 1 << 16
    """It signs only what its TPM made, or what does not pass for it."""
    DECRYPT = 1 << 17
    SIGN = 1 << 18
    X509_SIGN = 1 << 19


_RESERVED: Final = 0xFFFF_FFFF - sum(Attribute)
"""Bits without a meaning, which must be zero."""


class Scheme(IntEnum):
    """How a quote is signed, by TPM_ALG_ID."""

    RSASSA = 0x0014
    RSAPSS = 0x0016
    ECDSA = 0x0018


SCHEMES: Final = {int(scheme): scheme for scheme in Scheme}

_RSA: Final = 0x0001
_ECC: Final = 0x0023
_NULL: Final = 0x0010
_RSA_BITS: Final = (2048, 3072, 4096)
"""Smaller ones are too weak for signatures (NIST SP 800-131A)."""
_EXPONENT: Final = 65_537
"""Written as 0 by whoever takes the default."""
_CURVES: Final[dict[int, ec.EllipticCurve]] = {0x0003: ec.SECP256R1(), 0x0004: ec.SECP384R1(), 0x0005: ec.SECP521R1()}
"""By TPM_ECC_CURVE."""

MOST_PUBLIC_BYTES: Final = 1_024
"""Of a public area: RSA of 4,096 bits has some 600."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicArea:
    """An attestation key as its TPM describes it."""

    name: bytes
    """Its hash's number and digest: what is pinned at enrolment."""
    attributes: Attribute
    has_symmetric: bool
    """Whether it wraps other keys."""
    scheme: Scheme | None
    """The one scheme it signs by; None if whoever asks may choose."""
    hash: Hash | None
    key: rsa.RSAPublicKey | ec.EllipticCurvePublicKey


def read_public(data: bytes, path: str) -> PublicArea:
    """A TPM2B_PUBLIC, as `tpm2_readpublic -f tss` writes it.

    Raises:
        Malformed: it is none, or has a kind, size, curve or hash of key that is not read here.
    """
    outer = Octets(data, path)
    area = outer.sized("size", least=1, most=MOST_PUBLIC_BYTES)
    outer.end()
    octets = Octets(area, path)
    kind = octets.integer(2, "type")
    if kind not in {_RSA, _ECC}:
        raise octets.wrong("an RSA or ECC key", f"algorithm {kind:#06x}", "type")
    name_hash = octets.hash("name_hash")
    bits = octets.integer(4, "attributes")
    if bits & _RESERVED:
        raise octets.wrong("zero where nothing is defined", f"{bits:#010x}", "attributes")
    policy = octets.sized("policy", most=name_hash.length)
    if len(policy) not in {0, name_hash.length}:
        raise octets.wrong(f"no policy, or {name_hash.length} bytes", f"{len(policy)}", "policy")
    has_symmetric = octets.integer(2, "symmetric") != _NULL
    if has_symmetric:
        octets.take(4, "symmetric")  # bits of key, and mode
    scheme, scheme_hash = _read_scheme(octets)
    if scheme is not None and (scheme is Scheme.ECDSA) is not (kind == _ECC):
        raise octets.wrong("a scheme of this kind of key", scheme.name, "scheme")
    key = _read_rsa(octets) if kind == _RSA else _read_ecc(octets)
    octets.end()
    return PublicArea(
        name=name_hash.to_bytes(2, "big") + name_hash.digest(area),
        attributes=Attribute(bits),
        has_symmetric=has_symmetric,
        scheme=scheme,
        hash=scheme_hash,
        key=key,
    )


def _read_scheme(octets: Octets) -> tuple[Scheme | None, Hash | None]:
    number = octets.integer(2, "scheme")
    if number == _NULL:
        return None, None
    if number not in SCHEMES:
        raise octets.wrong("RSASSA, RSAPSS or ECDSA", f"algorithm {number:#06x}", "scheme")
    return SCHEMES[number], octets.hash("scheme")


def _read_rsa(octets: Octets) -> rsa.RSAPublicKey:
    bits = octets.integer(2, "bits")
    if bits not in _RSA_BITS:
        raise octets.wrong("2048, 3072 or 4096 bits", f"{bits}", "bits")
    exponent = octets.integer(4, "exponent") or _EXPONENT
    if exponent != _EXPONENT:
        raise octets.wrong(f"exponent {_EXPONENT}", f"{exponent}", "exponent")
    modulus = int.from_bytes(octets.sized("modulus", least=bits // 8, most=bits // 8), "big")
    if modulus.bit_length() != bits or modulus % 2 == 0:
        raise octets.wrong(f"an odd modulus of {bits} bits", f"another, of {modulus.bit_length()}", "modulus")
    try:
        return rsa.RSAPublicNumbers(exponent, modulus).public_key()
    except (ValueError, UnsupportedAlgorithm):
        raise octets.wrong("a modulus", "a number that is none", "modulus") from None


def _read_ecc(octets: Octets) -> ec.EllipticCurvePublicKey:
    number = octets.integer(2, "curve")
    curve = _CURVES.get(number)
    if curve is None:
        raise octets.wrong("P-256, P-384 or P-521", f"curve {number:#06x}", "curve")
    kdf = octets.integer(2, "kdf")
    if kdf != _NULL:
        raise octets.wrong("no key derivation", f"algorithm {kdf:#06x}", "kdf")
    most = (curve.key_size + 7) // 8
    x, y = (int.from_bytes(octets.sized(name, least=1, most=most), "big") for name in ("x", "y"))
    try:
        return ec.EllipticCurvePublicNumbers(x, y, curve).public_key()
    except (ValueError, UnsupportedAlgorithm):
        raise octets.wrong("a point of the curve", "another", "x") from None
