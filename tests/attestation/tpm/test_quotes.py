"""What is believed of a quote, step by step. These are by a key of software, so that each step can be wrong alone."""

from contextlib import suppress
from dataclasses import replace
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightbound.attestation.tpm.keys import Attribute, read_public
from lightbound.attestation.tpm.octets import Hash
from lightbound.attestation.tpm.quotes import Quote, VerifiedQuote, read_quote, verified_quote, write_quote
from lightbound.attestation.tpm.structures import Selection, read_attest, read_signature
from lightbound.canonical.cbor import Value, encode
from lightbound.errors import ErrorCode, Malformed, Refused
from tests.attestation.tpm.forging import FIT, NONCE, VALUES, Forged, sized

GENUINE: Final = Forged(pcrs={"sha256": VALUES})


def code_of(document: bytes, *, key: bytes | None = GENUINE.name, qualifying: bytes = NONCE) -> ErrorCode:
    with pytest.raises((Malformed, Refused)) as caught:
        verified_quote(document, key=key, qualifying=qualifying)
    return caught.value.faults[0].code


def test_a_quote_that_holds_says_what_the_tpm_said() -> None:
    for key in (None, GENUINE.name):
        assert verified_quote(GENUINE.document, key=key, qualifying=NONCE) == VerifiedQuote(
            key_name=GENUINE.name,
            selection=(Selection(bank=Hash.SHA256, indexes=(0, 1, 9)),),
            pcr_digest=GENUINE.digest,
            firmware=0x2019,
            clock_ms=123_456,
            reset_count=7,
            restart_count=2,
            is_safe=True,
            pcrs={"sha256": VALUES},
        )


def test_what_is_written_is_read() -> None:
    for quote in (GENUINE.quote, replace(GENUINE.quote, pcrs=None)):
        assert read_quote(write_quote(quote)) == quote
        assert write_quote(read_quote(write_quote(quote))) == write_quote(quote)


@pytest.mark.parametrize(
    "qualifying", [bytes(32), NONCE[:-1], NONCE + b"\0", b""], ids=["other", "shorter", "longer", "none"]
)
def test_a_quote_over_another_nonce_is_refused(qualifying: bytes) -> None:
    assert code_of(GENUINE.document, qualifying=qualifying) == ErrorCode.NONCE_DIFFERS


def test_a_quote_by_another_key_than_the_one_pinned_is_refused() -> None:
    other = Forged(attributes=FIT | Attribute.NO_DA)
    verified_quote(other.document, key=None, qualifying=NONCE)
    assert code_of(other.document) == ErrorCode.WRONG_KEY


@pytest.mark.parametrize(
    "attribute",
    [
        Attribute.FIXED_TPM,
        Attribute.FIXED_PARENT,
        Attribute.SENSITIVE_DATA_ORIGIN,
        Attribute.RESTRICTED,
        Attribute.SIGN,
        Attribute.DECRYPT,
        Attribute.X509_SIGN,
    ],
    ids=lambda attribute: attribute.name,
)
def test_a_key_that_could_sign_any_quote_is_unfit_even_if_it_was_pinned(attribute: Attribute) -> None:
    unfit = Forged(attributes=FIT ^ attribute)
    assert code_of(unfit.document, key=None) == ErrorCode.KEY_UNFIT
    assert code_of(unfit.document, key=unfit.name) == ErrorCode.KEY_UNFIT


@pytest.mark.parametrize("attributes", [FIT | 1, FIT | 1 << 3, FIT | 1 << 12, FIT | 1 << 31])
def test_bits_that_mean_nothing_must_be_zero(attributes: int) -> None:
    assert code_of(Forged(attributes=attributes).document, key=None) == ErrorCode.EVIDENCE_MALFORMED


def test_a_key_that_wraps_others_or_signs_by_any_scheme_is_unfit() -> None:
    for unfit in (Forged(symmetric=b"\x00\x06\x00\x80\x00\x43"), Forged(scheme=b"\x00\x10")):
        assert code_of(unfit.document, key=unfit.name) == ErrorCode.KEY_UNFIT


def test_a_software_key_that_calls_itself_a_tpms_is_believed_only_where_no_key_is_pinned() -> None:
    # What an enrolment cannot tell, and NOT_SHOWN says: every quote of this file is such a one.
    verified_quote(GENUINE.document, key=None, qualifying=NONCE)
    pinned = b"\x00\x0b" + bytes(32)
    assert code_of(GENUINE.document, key=pinned) == ErrorCode.WRONG_KEY


@pytest.mark.parametrize("signed_by", [b"\x00\x18\x00\x0c", b"\x00\x14\x00\x0b"], ids=["SHA-384", "RSASSA"])
def test_the_scheme_is_the_keys_own(signed_by: bytes) -> None:
    forged = Forged(signed_by=signed_by)
    signature = forged.signature if signed_by[1] == 0x18 else signed_by + sized(bytes(256))
    assert code_of(forged.but(signature=signature)) == ErrorCode.SIGNATURE_INVALID


def test_sha1_is_no_hash_of_a_key_a_signature_or_a_bank() -> None:
    sha1 = Forged(selection=b"\x00\x00\x00\x01" + b"\x00\x04\x03\x03\x00\x00")
    for forged in (sha1, Forged(scheme=b"\x00\x18\x00\x04"), Forged(signed_by=b"\x00\x18\x00\x04")):
        assert code_of(forged.document, key=None) == ErrorCode.EVIDENCE_MALFORMED


@pytest.mark.parametrize(
    "wrong",
    [
        Forged(magic=b"\xff\x54\x43\x48"),
        Forged(kind=b"\x80\x17"),
        Forged(safe=b"\x02"),
        Forged(curve=b"\x00\x01"),
        Forged(selection=b"\x00\x00\x00\x02" + b"\x00\x0b\x01\x01" * 2),
        Forged(selection=b"\x00\x00\x00\x04" + b"\x00\x0b\x01\x01" * 4),
        Forged(selection=b"\x00\x00\x00\x01" + b"\x00\x0b\x00"),
    ],
    ids=["magic", "certifies a key", "safe is 2", "curve", "a bank twice", "four banks", "no bitmap"],
)
def test_what_is_no_quote_is_malformed_however_well_it_is_signed(wrong: Forged) -> None:
    assert code_of(wrong.document, key=None) == ErrorCode.EVIDENCE_MALFORMED


@pytest.mark.parametrize(
    "pcrs",
    [
        {"sha256": {**VALUES, 1: bytes(32)}},
        {"sha256": {0: VALUES[0], 1: VALUES[1]}},
        {"sha256": {**VALUES, 2: bytes(32)}},
        {"sha384": {index: bytes(48) for index in VALUES}},
        {"sha256": VALUES, "sha384": {0: bytes(48)}},
    ],
    ids=["another value", "one missing", "one more", "another bank", "a bank more"],
)
def test_values_beside_a_quote_are_those_that_were_quoted(pcrs: Any) -> None:
    assert code_of(Forged(pcrs=pcrs).document) == ErrorCode.EVIDENCE_DIFFERS


def test_the_digest_of_registers_is_by_the_hash_of_the_signature() -> None:
    assert code_of(Forged(digest=bytes(48)).document) == ErrorCode.EVIDENCE_DIFFERS


@pytest.mark.parametrize("kind", ["sev-snp", "tdx"])
def test_a_quote_of_a_confidential_machine_is_refused_as_not_supported_yet(kind: str) -> None:
    document = encode({"kind": kind, "report": bytes(1184)})
    assert code_of(document) == ErrorCode.UNSUPPORTED
    with pytest.raises(Refused, match=f"not checked yet, found {kind}"):
        read_quote(document)


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": "tpm1"},
        {"kind": 2},
        {"public": "text"},
        {"attest": None},
        {"pcrs": {}},
        {"pcrs": []},
        {"pcrs": {"sha1": {0: bytes(20)}}},
        {"pcrs": {"sha256": {}}},
        {"pcrs": {"sha256": {0: bytes(31)}}},
        {"pcrs": {"sha256": {"0": bytes(32)}}},
        {"pcrs": {11: {0: bytes(32)}}},
        {"more": 1},
    ],
    ids=str,
)
def test_a_document_of_another_shape_is_malformed(fields: dict[str, Value]) -> None:
    right: dict[str, Value] = {"kind": "tpm2", "public": b"", "attest": b"", "signature": b"", "pcrs": None}
    read_quote(encode(right))
    with pytest.raises(Malformed):
        read_quote(encode({**right, **fields}))


def test_no_bit_of_a_document_can_be_flipped() -> None:
    document = GENUINE.document
    for at in range(8 * len(document)):
        flipped = bytearray(document)
        flipped[at // 8] ^= 1 << at % 8
        with pytest.raises((Malformed, Refused)):
            verified_quote(bytes(flipped), key=GENUINE.name, qualifying=NONCE)


def test_without_a_pinned_key_a_flipped_bit_is_refused_or_makes_another_key() -> None:
    # The name covers what a key says of itself; without a pinned name only the key's number and the quote are covered.
    for at in range(8 * len(GENUINE.document)):
        flipped = bytearray(GENUINE.document)
        flipped[at // 8] ^= 1 << at % 8
        try:
            found = verified_quote(bytes(flipped), key=None, qualifying=NONCE)
        except (Malformed, Refused):
            continue
        assert found.key_name != GENUINE.name


def test_no_part_can_be_cut_or_made_longer() -> None:
    for name in ("public", "attest", "signature"):
        part: bytes = getattr(GENUINE.quote, name)
        for other in (*(part[:length] for length in range(len(part))), part + b"\0", b"\0" + part):
            assert code_of(GENUINE.but(**{name: other})) == ErrorCode.EVIDENCE_MALFORMED
    for length in range(len(GENUINE.document)):
        assert code_of(GENUINE.document[:length]) == ErrorCode.CBOR_MALFORMED
    code_of(GENUINE.document + b"\0")


def test_lengths_inside_are_held_to_what_is_there() -> None:
    # Every pair of bytes that could be a length, set to lengths that are too small, too large and huge.
    for name in ("public", "attest", "signature"):
        part: bytes = getattr(GENUINE.quote, name)
        for at in range(len(part) - 1):
            for length in (0, 1, 33, 255, 65_535):
                other = part[:at] + length.to_bytes(2, "big") + part[at + 2 :]
                if other != part:
                    code_of(GENUINE.but(**{name: other}))


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_malformed(data: bytes) -> None:
    starts: tuple[tuple[Any, bytes], ...] = (
        (read_public, GENUINE.public[:20]),
        (read_attest, GENUINE.attest[:42]),
        (read_signature, GENUINE.signature[:4]),
    )
    for read, start in starts:
        for given_data in (data, start + data):
            with suppress(Malformed):
                read(given_data, "part")


@given(st.binary(max_size=200), st.binary(max_size=200), st.binary(max_size=200))
def test_any_document_is_refused_or_malformed(public: bytes, attest: bytes, signature: bytes) -> None:
    for document in (
        public,
        write_quote(Quote(public=public, attest=attest, signature=signature, pcrs=None)),
        GENUINE.but(attest=attest),
        GENUINE.but(signature=signature),
        GENUINE.but(signature=b"\x00\x18\x00\x0b" + sized(attest[:66]) + sized(signature[:66])),
    ):
        code_of(document, key=None)


def test_signatures_of_zeros_and_of_the_order_hold_nothing() -> None:
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    for r in (0, 1, order, order - 1, 2**528 - 1):
        for s in (0, 1, order, order - 1, 2**528 - 1):
            parts = [sized(n.to_bytes(66, "big")) for n in (r, s)]
            assert code_of(GENUINE.but(signature=b"\x00\x18\x00\x0b" + b"".join(parts))) == ErrorCode.SIGNATURE_INVALID


def test_a_point_off_the_curve_and_an_even_modulus_are_no_keys() -> None:
    off = GENUINE.public[:-1] + bytes([GENUINE.public[-1] ^ 1])
    assert code_of(GENUINE.but(public=off), key=None) == ErrorCode.EVIDENCE_MALFORMED
    for modulus in (b"\x80" + bytes(255), bytes(256), b"\xff" * 255 + b"\xfe"):
        area = (
            b"\x00\x01\x00\x0b" + int(FIT).to_bytes(4, "big") + b"\x00\x00\x00\x10\x00\x14\x00\x0b\x08\x00" + bytes(4)
        )
        rsa = sized(area + sized(modulus))
        signature = b"\x00\x14\x00\x0b" + sized(bytes(range(256)))
        code_of(GENUINE.but(public=rsa, signature=signature), key=None)
