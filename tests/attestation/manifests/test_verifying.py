"""A manifest counts if its signer stands under a pinned root and signed what is read: the vendor's, and ours."""

import datetime as dt
import re
from pathlib import Path
from typing import Final

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID
from signxml.algorithms import DigestAlgorithm

from lightbound.attestation.manifests.reading import read_manifest
from lightbound.attestation.manifests.verifying import VENDOR_ROOTS, claimed_span_ns, verified_manifest
from lightbound.attestation.reports import read_report
from lightbound.errors import ErrorCode, Malformed, Refused
from tests.attestation.holders import FROM, TO, holder
from tests.attestation.manifests.signing import unsigned, vendor
from tests.attestation.samples import from_wheel, manifests_of_wheel

OURS: Final = vendor()
ROOTS: Final = (OURS.root.root,)
DIGESTS: Final = {0: [bytes(48)], 1: [b"a" * 48, b"b" * 48], 2: [b"c" * 48]}
NS: Final = 1_000_000_000


def ns(instant: dt.datetime) -> int:
    return int(instant.timestamp()) * NS


@pytest.mark.parametrize("path", manifests_of_wheel(), ids=lambda path: path.name)
def test_a_manifest_of_the_vendor_is_verified_and_says_what_the_file_says(path: Path) -> None:
    data = path.read_bytes()
    found = verified_manifest(data)
    assert found.said == read_manifest(data)
    assert (found.from_ns, found.to_ns) == claimed_span_ns(data)
    assert found.said.product == "GH100"
    assert [one.index for one in found.said.measurements] == list(range(64))
    active = {int(index) for index in re.findall(rb'index="(\d+)" active="True"', data)}
    assert set(found.reference(path.name).measurements) == active


def test_the_pinned_root_is_the_one_that_the_vendor_ships() -> None:
    root = x509.load_pem_x509_certificate(from_wheel("verifier/certs/verifier_RIM_root.pem").read_bytes())
    assert [one.digest for one in VENDOR_ROOTS] == [root.fingerprint(hashes.SHA256())]


def test_every_collected_manifest_is_verified(evidence: Path) -> None:
    paths = sorted((evidence / "h100-rims").iterdir())
    assert paths
    for path in paths:
        assert verified_manifest(path.read_bytes()).said.maker == "NVIDIA Corporation"


@pytest.mark.parametrize(
    ("name", "where"),
    [
        ("incorrect_signature_driver_rim.xml", "manifest.signature.SignatureValue"),
        ("incorrect_cert_chain_driver_rim.xml", "manifest[1]"),
        ("NV_GPU_DRIVER_GH100_535.86.09_measurement_mismatch.xml", "manifest.signature.DigestValue"),
        ("NV_GPU_DRIVER_GH100_570.124.03_expired.xml", "manifest.signature.DigestValue"),
    ],
)
def test_each_broken_manifest_is_refused_for_its_own_reason(evidence: Path, name: str, where: str) -> None:
    with pytest.raises(Refused) as refusal:
        verified_manifest((evidence / "negative" / name).read_bytes())
    (fault,) = refusal.value.faults
    assert (fault.code, fault.column) == (ErrorCode.MANIFEST_REFUSED, where)


def test_what_an_altered_manifest_says_is_shown_with_the_span_that_it_claims(evidence: Path) -> None:
    data = (evidence / "negative" / "NV_GPU_DRIVER_GH100_570.124.03_expired.xml").read_bytes()
    assert (read_manifest(data).product, read_manifest(data).version) == ("GH100", "570.124.03")
    day = dt.datetime(2025, 1, 1, tzinfo=dt.UTC)
    assert claimed_span_ns(data) == (ns(day), ns(day + dt.timedelta(days=1)))


def test_the_vbios_of_one_chip_agrees_with_its_manifests_in_all_but_one_measurement(evidence: Path) -> None:
    for firmware, report, manifest in (
        ("old-firmware", "hopperAttestationReportExpired.txt", "1010_0205_862_96005E0004_PROD.swidtag"),
        ("new-firmware", "hopperAttestationReport.txt", "1010_0205_862_9600740020_PROD.swidtag"),
    ):
        said = read_report(bytes.fromhex((evidence / "same-chip" / firmware / report).read_text().strip()))
        reference = verified_manifest((evidence / "h100-rims" / manifest).read_bytes()).reference(manifest)
        assert said.opaque.vbios == reference.version
        assert len(reference.measurements) == 12
        assert [at for at, right in reference.measurements.items() if said.measurements[at] not in right] == [9]


def test_a_signer_whose_time_is_over_or_has_not_come_is_told_and_not_refused() -> None:
    found = verified_manifest(OURS.signs(unsigned("1", DIGESTS)), roots=ROOTS)
    assert [found.is_current(at) for at in (ns(FROM) - 1, ns(FROM), ns(TO), ns(TO) + 1)] == [False, True, True, False]


def test_the_shortest_of_the_chain_says_when_a_signer_is_valid() -> None:
    day = dt.timedelta(days=1)
    short = vendor(span=(FROM + day, TO - day))
    found = verified_manifest(short.signs(unsigned("1", DIGESTS)), roots=[short.root.root])
    assert (found.from_ns, found.to_ns) == (ns(FROM + day), ns(TO - day))


def test_only_active_measurements_are_compared_and_any_alternative_counts() -> None:
    data = OURS.signs(unsigned("1", DIGESTS, inactive=frozenset({0})))
    reference = verified_manifest(data, roots=ROOTS).reference("m")
    assert reference.measurements == {1: {b"a" * 48, b"b" * 48}, 2: {b"c" * 48}}


def test_a_signer_under_another_root_is_refused() -> None:
    with pytest.raises(Refused, match="a signer under NVIDIA"):
        verified_manifest(OURS.signs(unsigned("1", DIGESTS)))


def test_a_root_that_is_only_appended_vouches_for_nobody() -> None:
    stranger = vendor()
    chained = stranger.signs(unsigned("1", DIGESTS))
    forged = chained.replace(_pem_body(stranger.root.der), _pem_body(OURS.root.der))
    assert forged != chained
    with pytest.raises(Refused, match="a certificate that the next one in the chain signed"):
        verified_manifest(forged, roots=ROOTS)


def test_a_key_that_answers_about_revocation_signs_no_manifest() -> None:
    responder = holder("responder", OURS.issuer, may_issue=False, purposes=(ExtendedKeyUsageOID.OCSP_SIGNING,))
    with pytest.raises(Refused, match="a responder's key"):
        verified_manifest(OURS.signed_by(responder, unsigned("1", DIGESTS)), roots=ROOTS)


def test_a_key_that_may_issue_signs_no_manifest() -> None:
    other = holder("issues", OURS.issuer)
    with pytest.raises(Refused, match="whose key may sign"):
        verified_manifest(OURS.signed_by(other, unsigned("1", DIGESTS)), roots=ROOTS)


def test_an_issuer_that_may_have_none_below_it_has_none() -> None:
    deeper = holder("deeper", OURS.issuer)
    signer = holder("signer", deeper, may_issue=False)
    data = OURS.signed_by(signer, unsigned("1", DIGESTS))
    # The chain is put together by hand: the certificate between stands after the signer's.
    first_end = data.index(b"</ds:X509Certificate>") + len(b"</ds:X509Certificate>")
    between = b"<ds:X509Certificate>" + _pem_body(deeper.der) + b"</ds:X509Certificate>"
    with pytest.raises(Refused, match="at most 0 issuers below"):
        verified_manifest(data[:first_end] + between + data[first_end:], roots=ROOTS)


def test_a_weaker_digest_is_refused_though_its_signature_holds() -> None:
    with pytest.raises(Refused, match="ECDSA with SHA-384"):
        verified_manifest(OURS.signs(unsigned("1", DIGESTS), digest=DigestAlgorithm.SHA224), roots=ROOTS)


def test_a_signed_manifest_that_is_none_is_malformed() -> None:
    for broken in (
        unsigned("1", {}),
        unsigned("1", {255: [bytes(48)]}),
        unsigned("1", {1: [bytes(47)]}),
        unsigned("1", {1: []}),
        unsigned("1", DIGESTS).replace(b'index="2"', b'index="1"'),
        unsigned("1", DIGESTS).replace(b'alternatives="2"', b'alternatives="1"'),
        unsigned("1", DIGESTS).replace(b'active="True"', b'active="true"', 1),
        unsigned("1", DIGESTS).replace(b'size="48"', b'size="32"', 1),
        unsigned("1", DIGESTS).replace(b"<Payload>", b"<Payload><Other/>"),
        unsigned("1", DIGESTS).replace(b"<Entity ", b"<Payload/><Entity "),
        unsigned("", DIGESTS),
    ):
        with pytest.raises(Malformed) as error:
            verified_manifest(OURS.signs(broken), roots=ROOTS)
        assert error.value.faults[0].code is ErrorCode.MANIFEST_MALFORMED


def _pem_body(der: bytes) -> bytes:
    lines = x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM).splitlines()
    return b"\n".join(lines[1:-1])
