"""Quotes that a TPM made (of software, asked by tpm2-tools as any other), and what passes for one."""

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import pytest

from lightbound.attestation.tpm.quotes import verified_quote, write_quote
from lightbound.attestation.tpm.structures import read_attest
from lightbound.errors import ErrorCode, Malformed, Refused
from tests.attestation.tpm.software import UNRESTRICTED, Tpm, needs_swtpm, tpm

pytestmark = needs_swtpm

NONCE: Final = hashlib.sha256(b"N0").digest()


@pytest.fixture(scope="module")
def shared() -> Iterator[Tpm]:
    """One that no test resets."""
    with tpm() as made:
        yield made


def code_of(document: bytes, *, key: bytes | None, qualifying: bytes = NONCE) -> ErrorCode:
    with pytest.raises((Malformed, Refused)) as caught:
        verified_quote(document, key=key, qualifying=qualifying)
    return caught.value.faults[0].code


@pytest.mark.parametrize(
    "algorithm",
    [
        "ecc256:ecdsa-sha256:null",
        "ecc384:ecdsa-sha384:null",
        "ecc521:ecdsa-sha512:null",
        "rsa2048:rsassa-sha256:null",
        "rsa2048:rsassa-sha384:null",
        "rsa2048:rsapss-sha256:null",
        "rsa2048:rsapss-sha512:null",
        "rsa3072:rsapss-sha384:null",
    ],
)
def test_quotes_of_each_kind_of_key_hold_by_the_name_that_the_tpm_gives_it(shared: Tpm, algorithm: str) -> None:
    name = shared.key("key", algorithm)
    scheme, _, by = algorithm.split(":")[1].partition("-")
    found = verified_quote(shared.document("key", NONCE, "--scheme", scheme, "-g", by), key=name, qualifying=NONCE)
    assert found.key_name == name
    assert [(one.bank.bank, one.indexes) for one in found.selection] == [("sha256", (0, 7))]
    values = shared.registers("sha256:0,7")["sha256"]
    assert found.pcr_digest == hashlib.new(by, values[0] + values[7]).digest()


@pytest.mark.parametrize(("kind", "scheme"), [("ecc", "ecdsa"), ("rsa", "rsassa"), ("rsa", "rsapss")])
def test_a_key_below_an_endorsement_key_quotes_too(shared: Tpm, kind: str, scheme: str) -> None:
    shared.tool("createek", "-Q", "-c", "ek", "-G", kind)
    shared.tool("flushcontext", "-t")
    words = ("-Q", "-C", "ek", "-c", "ak", "-G", kind, "-g", "sha256", "-s", scheme)
    shared.tool("createak", *words, "-u", "ak.public", "-f", "tss", "-n", "ak.name")
    shared.tool("flushcontext", "-t")
    name = shared.read("ak.name")
    document = shared.document("ak", NONCE, "--scheme", scheme, "-g", "sha256")
    assert verified_quote(document, key=name, qualifying=NONCE).key_name == name


def test_an_endorsement_key_is_unfit(shared: Tpm) -> None:
    name = shared.key("key")
    quote = shared.quote("key", NONCE)
    shared.tool("createek", "-Q", "-c", "ek", "-G", "ecc")
    shared.tool("readpublic", "-Q", "-c", "ek", "-f", "tss", "-o", "ek.public")
    shared.tool("flushcontext", "-t")
    document = write_quote(replace(quote, public=shared.read("ek.public")))
    assert code_of(document, key=None) == ErrorCode.KEY_UNFIT
    assert code_of(document, key=name) == ErrorCode.WRONG_KEY


def test_values_of_registers_are_those_that_the_tpm_holds(shared: Tpm) -> None:
    name = shared.key("key")
    for selection in ("sha256:0,7,16", "sha384:0,1,2"):
        quote = shared.quote("key", NONCE, registers=selection)
        pcrs = shared.registers(selection)
        found = verified_quote(write_quote(replace(quote, pcrs=pcrs)), key=name, qualifying=NONCE)
        assert found.pcrs == pcrs
    before = shared.registers("sha256:16")
    shared.tool("pcrextend", "16:sha256=" + "5a" * 32)
    quote = shared.quote("key", NONCE, registers="sha256:16")
    assert code_of(write_quote(replace(quote, pcrs=before)), key=name) == ErrorCode.EVIDENCE_DIFFERS


def test_another_nonce_another_key_and_a_changed_quote_are_refused(shared: Tpm) -> None:
    name = shared.key("key")
    quote = shared.quote("key", NONCE)
    assert code_of(write_quote(quote), key=name, qualifying=bytes(32)) == ErrorCode.NONCE_DIFFERS
    changed = quote.attest[:-1] + bytes([quote.attest[-1] ^ 1])
    assert code_of(write_quote(replace(quote, attest=changed)), key=name) == ErrorCode.SIGNATURE_INVALID
    with tpm() as other:
        theirs = other.key("key")
        foreign = other.quote("key", NONCE)
    assert theirs != name
    assert code_of(write_quote(foreign), key=name) == ErrorCode.WRONG_KEY
    # Under the pinned key's public area, too.
    assert code_of(write_quote(replace(foreign, public=quote.public)), key=name) == ErrorCode.SIGNATURE_INVALID


def test_an_unrestricted_key_signs_a_quote_that_no_tpm_made_and_is_unfit(shared: Tpm) -> None:
    fit = shared.key("key")
    quote = shared.quote("key", bytes(32))
    said = read_attest(quote.attest, "attest")
    at = quote.attest.index(said.extra)
    forged = quote.attest[:at] + NONCE + quote.attest[at + len(NONCE) :]
    (shared.folder / "forged").write_bytes(forged)

    # The attack: any key that signs whatever it is given makes a quote of any nonce, registers and counters.
    unrestricted = shared.key("loose", "ecc256:ecdsa-sha256:null", UNRESTRICTED)
    shared.tool("sign", "-Q", "-c", "loose", "-g", "sha256", "-s", "ecdsa", "-f", "tss", "-o", "signature", "forged")
    shared.tool("flushcontext", "-t")
    loose = replace(quote, public=shared.read("loose.public"), attest=forged, signature=shared.read("signature"))
    assert code_of(write_quote(loose), key=None) == ErrorCode.KEY_UNFIT
    assert code_of(write_quote(loose), key=unrestricted) == ErrorCode.KEY_UNFIT
    assert code_of(write_quote(loose), key=fit) == ErrorCode.WRONG_KEY

    # The signature holds: what is refused is the key, as long as it does not lie. A pinned name ends that, too.
    described = bytearray(loose.public)
    described[7] |= 0x01  # restricted
    lying = write_quote(replace(loose, public=bytes(described)))
    assert verified_quote(lying, key=None, qualifying=NONCE).key_name not in {unrestricted, fit}
    for name in (unrestricted, fit):
        assert code_of(lying, key=name) == ErrorCode.WRONG_KEY

    # A restricted key does not sign it.
    tried = shared.tried("sign", "-Q", "-c", "key", "-g", "sha256", "-s", "ecdsa", "-f", "tss", "-o", "out", "forged")
    assert tried.returncode != 0
    shared.tool("flushcontext", "-t")


def test_what_certifies_a_key_is_no_quote(shared: Tpm) -> None:
    name = shared.key("key")
    quote = shared.quote("key", NONCE)
    shared.tool(
        "gettime", "-Q", "-c", "key", "-q", NONCE.hex(), "--attestation", "attest", "-o", "signature", "-f", "tss"
    )
    shared.tool("flushcontext", "-t")
    time = replace(quote, attest=shared.read("attest"), signature=shared.read("signature"))
    assert code_of(write_quote(time), key=name) == ErrorCode.EVIDENCE_MALFORMED


def test_a_reset_is_seen_in_the_counters_and_the_key_stays() -> None:
    with tpm() as made:
        name = made.key("key")
        before = verified_quote(made.document("key", NONCE), key=name, qualifying=NONCE)
        made.tool("shutdown", "-c")
        made.stop()
        made.start()
        assert made.key("key") == name
        after = verified_quote(made.document("key", NONCE), key=name, qualifying=NONCE)
        assert after.reset_count == before.reset_count + 1
        made.stop()
        made.start()
        assert made.key("key") == name
        unorderly = verified_quote(made.document("key", NONCE), key=name, qualifying=NONCE)
        assert unorderly.reset_count == after.reset_count + 1
        assert not unorderly.is_safe


def test_no_bit_of_a_tpms_own_quote_can_be_flipped(shared: Tpm) -> None:
    for algorithm in ("ecc256:ecdsa-sha256:null", "rsa2048:rsassa-sha256:null", "rsa2048:rsapss-sha256:null"):
        name = shared.key("key", algorithm)
        scheme = algorithm.split(":")[1].partition("-")[0]
        quote = shared.quote("key", NONCE, "--scheme", scheme, "-g", "sha256")
        document = write_quote(replace(quote, pcrs=shared.registers("sha256:0,7")))
        verified_quote(document, key=name, qualifying=NONCE)
        for at in range(8 * len(document)):
            flipped = bytearray(document)
            flipped[at // 8] ^= 1 << at % 8
            with pytest.raises((Malformed, Refused)):
                verified_quote(bytes(flipped), key=name, qualifying=NONCE)
