"""Whether a host's TPM quoted a nonce of ours, by its attestation key and nothing else: offline, without its maker.

A quote travels as a document, deterministic CBOR, whose SHA-256 stands in the nonce of each chip's report (N1):

    { "kind": "tpm2", "public": TPM2B_PUBLIC, "attest": TPMS_ATTEST, "signature": TPMT_SIGNATURE,
      "pcrs": null, or { bank: { index: digest } } }
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, utils

from lightbound.attestation.tpm.keys import Attribute, PublicArea, Scheme, read_public
from lightbound.attestation.tpm.octets import Hash
from lightbound.attestation.tpm.structures import Attest, Selection, Signature, read_attest, read_signature
from lightbound.canonical.cbor import Value, decode, encode
from lightbound.canonical.fields import Fields, shown
from lightbound.errors import ErrorCode, malformed, refused

NOT_SHOWN: Final = (
    "that a genuine TPM made the key: whoever enrols can bring a key of software that calls itself fixed to one",
    "which machine the TPM is in, or where that is",
    "that nobody passes the quote on: whoever can reach the TPM can ask it for one, over any nonce",
    "that the software which was measured is good: the registers are compared with nothing",
)
"""What no quote shows here. The first would take the maker's endorsement certificate and credential activation; the
name that is pinned at enrolment shows instead that it is the same key as then."""

MOST_QUOTE_BYTES: Final = 16_384
"""Of a document. With RSA of 4,096 bits and the values of all registers of three banks it has below 6,000."""

Registers = Mapping[str, Mapping[int, bytes]]
"""Values of PCRs, by bank (`sha256`) and index."""

_KIND: Final = "tpm2"
_NOT_YET: Final = ("sev-snp", "tdx")
"""Quotes of confidential virtual machines (AMD, Intel): the document has a place for them, and nothing checks them."""

_HASHES: Final[dict[Hash, hashes.HashAlgorithm]] = {
    Hash.SHA256: hashes.SHA256(),
    Hash.SHA384: hashes.SHA384(),
    Hash.SHA512: hashes.SHA512(),
}

_MUST: Final = {
    Attribute.FIXED_TPM: "one that never leaves its TPM (fixedTPM)",
    Attribute.FIXED_PARENT: "one that never leaves its parent (fixedParent)",
    Attribute.SENSITIVE_DATA_ORIGIN: "one that was made in its TPM (sensitiveDataOrigin)",
    Attribute.RESTRICTED: "one that signs no quote which its TPM did not make (restricted)",
    Attribute.SIGN: "one that signs (sign)",
}
_MUST_NOT: Final = {
    Attribute.DECRYPT: "one that only signs (no decrypt)",
    Attribute.X509_SIGN: "one that signs quotes, not certificates (no x509sign)",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """A document as it was read. Nobody has checked it."""

    public: bytes
    """TPM2B_PUBLIC."""
    attest: bytes
    """TPMS_ATTEST: what is signed."""
    signature: bytes
    """TPMT_SIGNATURE."""
    pcrs: Registers | None


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedQuote:
    """A quote over the nonce asked for, by a key that describes itself as one of a TPM."""

    key_name: bytes
    """Of the attestation key: the number of a hash, and a digest. This is what enrolment pins."""
    selection: tuple[Selection, ...]
    pcr_digest: bytes
    firmware: int
    clock_ms: int
    reset_count: int
    restart_count: int
    is_safe: bool
    """Whether the clock surely did not go back."""
    pcrs: Registers | None
    """Values that hash to `pcr_digest`, if there are any in the document."""


def write_quote(quote: Quote) -> bytes:
    """The document."""
    pcrs: Value = None if quote.pcrs is None else {bank: dict(values) for bank, values in quote.pcrs.items()}
    return encode(
        {"kind": _KIND, "public": quote.public, "attest": quote.attest, "signature": quote.signature, "pcrs": pcrs}
    )


def read_quote(document: bytes) -> Quote:
    """What a document holds; the TPM's own structures in it are not looked at yet.

    Raises:
        Malformed: it is none.
        Refused: it is of a kind that is known and not checked yet.
    """
    fields = Fields(decode(document, what="quote", most_bytes=MOST_QUOTE_BYTES), "quote")
    kind = fields.text("kind")
    if kind in _NOT_YET:
        expected = "a quote of a TPM; those of confidential virtual machines are not checked yet"
        raise refused(ErrorCode.UNSUPPORTED, expected, kind, "quote.kind")
    if kind != _KIND:
        raise malformed(ErrorCode.EVIDENCE_MALFORMED, f"{_KIND}, or one of {', '.join(_NOT_YET)}", kind, "quote.kind")
    public, attest, signature = (_octets(fields, name) for name in ("public", "attest", "signature"))
    read = Quote(public=public, attest=attest, signature=signature, pcrs=_registers(fields.value("pcrs")))
    fields.end()
    return read


def verified_quote(document: bytes, *, key: bytes | None, qualifying: bytes) -> VerifiedQuote:
    """What a TPM quoted over `qualifying`, by the key whose name is `key`, or by any key if none was pinned.

    1. The document is read whole, and is of a TPM.
    2. Public area, attestation and signature are read whole, each by its own lengths.
    3. The key has the name that was pinned.
    4. The key never leaves its TPM and signs no quote but one that the TPM made: by its attributes, for which the name
       vouches, and nobody if none was pinned.
    5. The signature is by the one scheme that the key has.
    6. The key signed the attestation.
    7. The attestation is over the bytes that were asked for, all of them and no others.
    8. The values of registers, if there are some, are of those that were quoted, and hash to what was quoted.

    See `NOT_SHOWN` for what does not follow.

    Raises:
        Malformed: no such document.
        Refused: a step that does not hold, each by a code and path of its own.
    """
    quote = read_quote(document)
    public = read_public(quote.public, "quote.public")
    attest, signature = read_attest(quote.attest, "quote.attest"), read_signature(quote.signature, "quote.signature")
    if key is not None and key != public.name:
        raise refused(ErrorCode.WRONG_KEY, f"the key {key.hex()}", public.name.hex(), "quote.public")
    scheme, by = check_may_quote(public)
    if (signature.scheme, signature.hash) != (scheme, by):
        said = f"{signature.scheme.name} with {signature.hash.bank}"
        raise refused(ErrorCode.SIGNATURE_INVALID, f"{scheme.name} with {by.bank}", said, "quote.signature.scheme")
    _check_signature(public, signature, quote.attest)
    if attest.extra != qualifying:
        raise refused(ErrorCode.NONCE_DIFFERS, "a quote over the nonce asked for", "over another", "quote.attest.extra")
    _check_registers(attest, quote.pcrs, by)
    return VerifiedQuote(
        key_name=public.name,
        selection=attest.selection,
        pcr_digest=attest.digest,
        firmware=attest.firmware,
        clock_ms=attest.clock_ms,
        reset_count=attest.reset_count,
        restart_count=attest.restart_count,
        is_safe=attest.is_safe,
        pcrs=quote.pcrs,
    )


def check_may_quote(public: PublicArea) -> tuple[Scheme, Hash]:
    """The scheme of a key that says of itself that only its TPM can make quotes with it.

    Raises:
        Refused: it says otherwise.
    """
    path = "quote.public.attributes"
    for attribute, expected in _MUST.items():
        if not public.attributes & attribute:
            raise refused(ErrorCode.KEY_UNFIT, expected, "another key", path)
    for attribute, expected in _MUST_NOT.items():
        if public.attributes & attribute:
            raise refused(ErrorCode.KEY_UNFIT, expected, "another key", path)
    if public.has_symmetric:
        raise refused(ErrorCode.KEY_UNFIT, "one that wraps no keys", "another key", "quote.public.symmetric")
    if public.scheme is None or public.hash is None:
        # No TPM makes a restricted key without a scheme.
        raise refused(ErrorCode.KEY_UNFIT, "one with a scheme", "one with none", "quote.public.scheme")
    return public.scheme, public.hash


def _check_signature(public: PublicArea, signature: Signature, signed: bytes) -> None:
    by = _HASHES[signature.hash]
    try:
        if isinstance(public.key, ec.EllipticCurvePublicKey):
            r, s = (int.from_bytes(part, "big") for part in signature.parts)
            public.key.verify(utils.encode_dss_signature(r, s), signed, ec.ECDSA(by))
        elif signature.scheme is Scheme.RSAPSS:
            # TPMs salt with as much as fits, or with as much as the hash has.
            pss = padding.PSS(mgf=padding.MGF1(by), salt_length=padding.PSS.AUTO)
            public.key.verify(signature.parts[0], signed, pss, by)
        else:
            public.key.verify(signature.parts[0], signed, padding.PKCS1v15(), by)
    except InvalidSignature:
        expected = "an attestation that the key signed"
        raise refused(ErrorCode.SIGNATURE_INVALID, expected, "one that it did not", "quote.signature") from None


def _check_registers(attest: Attest, pcrs: Registers | None, by: Hash) -> None:
    path = "quote.pcrs"
    if len(attest.digest) != by.length:
        raise refused(ErrorCode.EVIDENCE_DIFFERS, f"{by.length} bytes", f"{len(attest.digest)}", "quote.attest.digest")
    if pcrs is None:
        return
    selected = {one.bank.bank: one.indexes for one in attest.selection if one.indexes}
    if selected != {bank: tuple(sorted(values)) for bank, values in pcrs.items()}:
        raise refused(ErrorCode.EVIDENCE_DIFFERS, "values of the registers that were quoted", "of others", path)
    values = b"".join(pcrs[bank][index] for bank, indexes in selected.items() for index in indexes)
    if by.digest(values) != attest.digest:
        raise refused(ErrorCode.EVIDENCE_DIFFERS, "values that hash to what was quoted", "others", path)


def _octets(fields: Fields, name: str) -> bytes:
    value = fields.value(name)
    if type(value) is not bytes:
        raise malformed(ErrorCode.EVIDENCE_MALFORMED, "bytes", shown(value), f"{fields.path}.{name}")
    return value


def _registers(value: Value) -> Registers | None:
    """Values by bank and index, each of the bank's length; a bank without values is left out by who writes."""
    if value is None:
        return None
    lengths = {one.bank: one.length for one in Hash}
    if not isinstance(value, dict) or not value or not set(value) <= set(lengths):
        raise malformed(
            ErrorCode.EVIDENCE_MALFORMED, f"null, or banks of {', '.join(lengths)}", shown(value), "quote.pcrs"
        )
    read: dict[str, dict[int, bytes]] = {}
    for bank, values in value.items():
        path = f"quote.pcrs.{bank}"
        if not isinstance(values, dict) or not values:
            raise malformed(ErrorCode.EVIDENCE_MALFORMED, "a digest of each register", shown(values), path)
        read[bank] = {}
        for index, digest in values.items():
            if type(index) is not int or type(digest) is not bytes or len(digest) != lengths[bank]:
                raise malformed(
                    ErrorCode.EVIDENCE_MALFORMED, f"{lengths[bank]} bytes", shown(digest), f"{path}.{index}"
                )
            read[bank][index] = digest
    return read
