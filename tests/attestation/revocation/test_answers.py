"""An archived answer about revocation says what its issuer said, of whom, and for when; and stops nothing."""

import contextlib
import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import given
from hypothesis import strategies as st

from lightbound.attestation.revocation.answers import MOST_BYTES, answered, notes
from lightbound.attestation.revocation.said import Answer, Status
from lightbound.errors import ErrorCode, LightboundError, Malformed, Refused
from tests.attestation.holders import FROM, Holder, holder

DAY: Final = dt.timedelta(days=1)
MADE: Final = FROM + 100 * DAY
NEXT: Final = MADE + 7 * DAY
ROOT: Final = holder("root")
ISSUER: Final = holder("issuer", ROOT)
FOR_EVER: Final = (FROM, dt.datetime(9999, 12, 31, tzinfo=dt.UTC))
"""Of who signs responses: the library that makes them here dates them by the clock, whatever they say."""
LEAF: Final = holder("leaf", ISSUER, may_issue=False, span=FOR_EVER)
SIBLING: Final = holder("sibling", ISSUER, may_issue=False, span=FOR_EVER)
STRANGER: Final = holder("issuer")
"""Of the issuer's name, with a key of its own."""
RESPONDER: Final = holder(
    "responder", ISSUER, may_issue=False, purposes=(ExtendedKeyUsageOID.OCSP_SIGNING,), span=FOR_EVER
)
NAMED_WITH: Final = hashes.SHA1()  # noqa: S303 # as RFC 6960 has it
"""How real responders name an issuer; nothing rests on it."""


def ns(instant: dt.datetime) -> int:
    return int(instant.timestamp()) * 1_000_000_000


def response(
    of: Holder = LEAF,
    by: Holder = ISSUER,
    *,
    issuer: Holder = ISSUER,
    status: ocsp.OCSPCertStatus = ocsp.OCSPCertStatus.GOOD,
    revoked: dt.datetime | None = None,
    reason: x509.ReasonFlags | None = None,
    end: dt.datetime | None = NEXT,
    certificates: Sequence[Holder] = (),
    extension: x509.ExtensionType | None = None,
    signed_with: hashes.SHA384 | hashes.SHA224 | None = None,
) -> bytes:
    """What a responder says of a certificate."""
    builder = ocsp.OCSPResponseBuilder().add_response(
        cert=of.certificate,
        issuer=issuer.certificate,
        algorithm=NAMED_WITH,
        cert_status=status,
        this_update=MADE,
        next_update=end,
        revocation_time=revoked,
        revocation_reason=reason,
    )
    builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, by.certificate)
    if certificates:
        builder = builder.certificates([one.certificate for one in certificates])
    if extension is not None:
        builder = builder.add_extension(extension, critical=True)
    return builder.sign(by.key, signed_with or hashes.SHA384()).public_bytes(Encoding.DER)


def revoked_response(since: dt.datetime) -> bytes:
    return response(status=ocsp.OCSPCertStatus.REVOKED, revoked=since, reason=x509.ReasonFlags.key_compromise)


def listed(
    *revoked: Holder,
    by: Holder = ISSUER,
    extension: x509.ExtensionType | None = None,
    reason: x509.ReasonFlags | None = None,
) -> bytes:
    """A list with these on it."""
    builder = x509.CertificateRevocationListBuilder().issuer_name(by.certificate.subject)
    builder = builder.last_update(MADE).next_update(NEXT)
    for one in revoked:
        entry = x509.RevokedCertificateBuilder().serial_number(one.certificate.serial_number)
        entry = entry.revocation_date(MADE - 2 * DAY)
        if reason is not None:
            entry = entry.add_extension(x509.CRLReason(reason), critical=False)
        builder = builder.add_revoked_certificate(entry.build())
    if extension is not None:
        builder = builder.add_extension(extension, critical=True)
    return builder.sign(by.key, hashes.SHA384()).public_bytes(Encoding.DER)


SINGLE_RESPONSE: Final = (1, 0, 1, 0, 0, 2, 0)
"""Where the first answer stands in a response: which element of which (RFC 6960, 4.2.1)."""


def changed(der: bytes, path: Sequence[int], change: Callable[[bytes], bytes]) -> bytes:
    """DER with the element at a path changed, and all lengths around it."""
    if not path:
        return change(der)
    elements = elements_of(der)
    elements[path[0]] = changed(elements[path[0]], path[1:], change)
    return element(der[:1], b"".join(elements))


def element(tag: bytes, body: bytes) -> bytes:
    """DER of a body, its length as short as it can be."""
    if len(body) < 0x80:
        return tag + bytes([len(body)]) + body
    length = len(body).to_bytes((len(body).bit_length() + 7) // 8, "big")
    return tag + bytes([0x80 | len(length)]) + length + body


def elements_of(der: bytes) -> list[bytes]:
    """What stands in a DER element."""
    found, at = [], start_of(der)
    while at < len(der):
        start = start_of(der[at:])
        length = der[at + 1] if start == 2 else int.from_bytes(der[at + 2 : at + start], "big")
        found.append(der[at : at + start + length])
        at += start + length
    return found


def start_of(der: bytes) -> int:
    """How long tag and length of a DER element are."""
    return 2 if der[1] < 0x80 else 2 + (der[1] & 0x7F)


def asked(data: bytes, at: dt.datetime = MADE + DAY) -> Answer:
    return answered(data, certificate=LEAF.certificate, issuer=ISSUER.certificate, at_ns=ns(at))


@pytest.mark.parametrize("data", [response(), listed(), listed(SIBLING)], ids=["response", "list", "list of another"])
@pytest.mark.parametrize(
    ("at", "status"),
    [
        (MADE - DAY, Status.LATER),
        (MADE, Status.GOOD),
        (NEXT, Status.GOOD),
        (NEXT + dt.timedelta(seconds=1), Status.STALE),
    ],
)
def test_an_answer_that_nothing_is_wrong_holds_for_its_own_time(data: bytes, at: dt.datetime, status: Status) -> None:
    assert asked(data, at).status is status


def test_an_answer_without_an_end_holds_for_its_instant_alone() -> None:
    data = response(end=None)
    assert [asked(data, at).status for at in (MADE, MADE + DAY)] == [Status.GOOD, Status.STALE]


@pytest.mark.parametrize("at", [MADE - 5 * DAY, MADE, NEXT + 400 * DAY])
def test_what_is_revoked_stays_so_whenever_it_is_asked(at: dt.datetime) -> None:
    for data in (revoked_response(MADE - 2 * DAY), listed(LEAF, SIBLING, reason=x509.ReasonFlags.key_compromise)):
        answer = asked(data, at)
        assert answer.status is Status.REVOKED
        assert answer.said is not None
        assert (answer.said.revoked_ns, answer.said.reason) == (ns(MADE - 2 * DAY), "keyCompromise")


def test_a_sentence_says_whether_it_was_revoked_before_or_after() -> None:
    data = revoked_response(MADE - 2 * DAY)
    serial = f"{LEAF.certificate.serial_number:x}"
    since = "revoked since 2024-04-08T00:00:00Z (keyCompromise)"
    assert str(asked(data)) == f"certificate {serial}: {since}"
    assert str(asked(data, MADE - 3 * DAY)) == f"certificate {serial}: {since}, which is after the time judged"
    assert "not revoked from 2024-04-10T00:00:00Z to 2024-04-17T00:00:00Z, which is before" in str(
        asked(response(), NEXT + DAY)
    )


def test_a_certificate_that_the_responder_does_not_know_is_unknown() -> None:
    assert asked(response(status=ocsp.OCSPCertStatus.UNKNOWN)).status is Status.UNKNOWN


def test_a_responder_that_did_not_answer_says_nothing() -> None:
    busy = ocsp.OCSPResponseBuilder.build_unsuccessful(ocsp.OCSPResponseStatus.TRY_LATER).public_bytes(Encoding.DER)
    assert asked(busy).status is Status.UNKNOWN


@pytest.mark.parametrize(
    "data",
    [response(SIBLING), response(LEAF, ROOT, issuer=ROOT), response(LEAF, STRANGER, issuer=STRANGER), listed(by=ROOT)],
)
def test_an_answer_about_another_certificate_says_nothing_of_this_one(data: bytes) -> None:
    answer = asked(data)
    assert answer.status is Status.OTHER
    assert answer.said is None


def test_a_responder_that_the_issuer_made_for_it_answers() -> None:
    assert asked(response(by=RESPONDER, certificates=[RESPONDER])).status is Status.GOOD


OUTDATED: Final = holder(
    "responder", ISSUER, may_issue=False, purposes=(ExtendedKeyUsageOID.OCSP_SIGNING,), span=(FROM, MADE - DAY)
)
OF_ANOTHER: Final = holder(
    "responder", STRANGER, may_issue=False, purposes=(ExtendedKeyUsageOID.OCSP_SIGNING,), span=FOR_EVER
)

MISNAMED: Final = holder(
    "responder",
    replace(ROOT, key=ISSUER.key),
    may_issue=False,
    purposes=(ExtendedKeyUsageOID.OCSP_SIGNING,),
    span=FOR_EVER,
)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(response(by=MISNAMED, certificates=[MISNAMED]), id="a responder that names another issuer"),
        pytest.param(response(by=STRANGER), id="a stranger"),
        pytest.param(response(by=STRANGER, certificates=[STRANGER]), id="a stranger of the issuer's name"),
        pytest.param(response(by=SIBLING, certificates=[SIBLING]), id="a certificate for something else"),
        pytest.param(response(by=LEAF, certificates=[LEAF]), id="the certificate itself"),
        pytest.param(response(by=OF_ANOTHER, certificates=[OF_ANOTHER]), id="a responder of another issuer"),
        pytest.param(response(by=OUTDATED, certificates=[OUTDATED]), id="a responder whose time was over"),
        pytest.param(response(by=RESPONDER), id="a responder without its certificate"),
        pytest.param(response(signed_with=hashes.SHA224()), id="a weaker digest"),
        pytest.param(listed(by=STRANGER), id="a list by a stranger of the issuer's name"),
    ],
)
def test_an_answer_by_who_may_not_is_refused(data: bytes) -> None:
    with pytest.raises(Refused) as error:
        asked(data)
    assert error.value.faults[0].code is ErrorCode.SIGNATURE_INVALID


def test_an_issuer_that_may_sign_no_lists_signs_none() -> None:
    leafy = holder("leafy", ISSUER, may_issue=False)
    data = listed(by=leafy)
    with pytest.raises(Refused):
        answered(data, certificate=LEAF.certificate, issuer=leafy.certificate, at_ns=ns(MADE))


def test_a_list_of_changes_or_of_some_is_not_taken_for_the_whole() -> None:
    some = x509.IssuingDistributionPoint(None, None, True, False, None, False, False)
    for data in (
        listed(extension=x509.DeltaCRLIndicator(1)),
        listed(extension=some),
        response(extension=x509.OCSPNonce(b"nonce")),
    ):
        with pytest.raises(Refused) as error:
            asked(data)
        assert error.value.faults[0].code is ErrorCode.UNSUPPORTED


def test_two_answers_for_one_certificate_are_malformed() -> None:
    twice = changed(response(), SINGLE_RESPONSE, lambda single: single + single)
    with pytest.raises(Malformed, match="one answer for a certificate"):
        asked(twice)


def test_an_answer_with_something_critical_that_nobody_looks_at_is_refused() -> None:
    critical = bytes.fromhex("a10f300d300b06022a030101ff04020500")
    said = changed(
        response(), SINGLE_RESPONSE, lambda single: element(single[:1], b"".join(elements_of(single)) + critical)
    )
    with pytest.raises(Refused, match=r"a critical extension 1\.2\.3"):
        asked(said)


def test_a_folder_is_told_file_by_file_and_nothing_in_it_stops_anything() -> None:
    chain = [one.der for one in (LEAF, ISSUER, ROOT)]
    files = [
        ("good", response()),
        ("revoked", response(ISSUER, ROOT, issuer=ROOT, status=ocsp.OCSPCertStatus.REVOKED, revoked=MADE - DAY)),
        ("sibling", response(SIBLING)),
        ("forged", response(by=STRANGER)),
        ("noise", b"noise"),
    ]
    said = notes(files, chain, at_ns=ns(MADE))
    assert [one.split(": ")[0] for one in said] == [name for name, _ in files]
    for note, told in zip(
        said,
        ("not revoked", "revoked since", "about none of these", "signed otherwise", "an OCSP response or a revocation"),
        strict=True,
    ):
        assert told in note


def test_an_answer_that_is_too_long_is_malformed() -> None:
    with pytest.raises(Malformed):
        asked(response() + b"\x00" * MOST_BYTES)


WHOLE: Final = (response(), revoked_response(MADE), response(by=RESPONDER, certificates=[RESPONDER]), listed(LEAF))


@given(st.sampled_from(WHOLE), st.data())
def test_a_changed_answer_is_an_answer_or_refused_and_never_another_about_this_certificate(
    data: bytes, draw: st.DataObject
) -> None:
    at = draw.draw(st.integers(0, len(data) - 1))
    other = data[:at] + bytes([draw.draw(st.integers(0, 255))]) + data[at + 1 :]
    with contextlib.suppress(LightboundError):
        answer = asked(other)
        assert answer.said == asked(data).said or answer.status in {Status.OTHER, Status.UNKNOWN}


@given(st.sampled_from(WHOLE), st.data())
def test_a_cut_answer_is_malformed(data: bytes, draw: st.DataObject) -> None:
    with pytest.raises(Malformed):
        asked(data[: draw.draw(st.integers(0, len(data) - 1))])


@given(st.binary())
def test_any_bytes_are_an_answer_or_malformed(data: bytes) -> None:
    with contextlib.suppress(Malformed, Refused):
        asked(data)
