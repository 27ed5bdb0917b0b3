"""OCSP responses (RFC 6960): what a responder said of one certificate."""

from collections.abc import Iterator
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

from lightbound.attestation.chains import validity_ns
from lightbound.attestation.revocation.said import Said
from lightbound.attestation.revocation.signed import LATE, check_extensions, is_signed, not_signed, ns, unread
from lightbound.errors import ErrorCode, malformed

MOST_ANSWERS: Final = 64
"""In a response; real ones have one. Each costs two hashes to tell which certificate it is about."""
MOST_RESPONDERS: Final = 4
"""Certificates in a response. Each can cost two checks of a signature."""

_ID_HASHES: Final = (hashes.SHA1, hashes.SHA256, hashes.SHA384, hashes.SHA512)
"""That name an issuer. They are compared with an issuer that is known already, and nothing rests on them."""


def read_response(data: bytes) -> ocsp.OCSPResponse | None:
    """An OCSP response; None if it is none. Nothing is checked."""
    try:
        return ocsp.load_der_ocsp_response(data)
    except LATE:
        return None


def said_by_response(
    response: ocsp.OCSPResponse, certificate: x509.Certificate, issuer: x509.Certificate
) -> Said | None:
    """What a response says of a certificate; None if it is about others.

    1. The responder answered at all. If not, which nobody signs, nothing is known.
    2. One answer in it is about this serial of this issuer.
    3. The issuer signed it, or a responder that the issuer's key made for answering, valid when it answered
       (RFC 6960, 4.2.2.2).

    Raises:
        Malformed: a part of it is none, or it answers twice.
        Refused: it is signed by somebody else.
    """
    try:
        if response.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
            return Said(is_known=False)
        answer = _answer(response, certificate, issuer)
        if answer is None:
            return None
        check_extensions(response.extensions, "a response")
        if len(list(response.responses)) == 1:
            # The library shows those of an answer only where it is the only one.
            check_extensions(response.single_extensions, "an answer")
        if not _is_signed(response, issuer):
            raise not_signed("a response")
        revoked, reason = answer.revocation_time_utc, answer.revocation_reason
        return Said(
            is_known=answer.certificate_status is not ocsp.OCSPCertStatus.UNKNOWN,
            revoked_ns=None if revoked is None else ns(revoked),
            reason=None if reason is None else reason.value,
            from_ns=ns(answer.this_update_utc),
            to_ns=None if answer.next_update_utc is None else ns(answer.next_update_utc),
        )
    except LATE:
        raise unread("OCSP response") from None


def _answer(
    response: ocsp.OCSPResponse, certificate: x509.Certificate, issuer: x509.Certificate
) -> ocsp.OCSPSingleResponse | None:
    answers = list(response.responses)
    if len(answers) > MOST_ANSWERS:
        raise malformed(
            ErrorCode.EVIDENCE_MALFORMED, f"at most {MOST_ANSWERS} answers", f"{len(answers)}", "revocation"
        )
    found = [answer for answer in answers if _is_about(answer, certificate, issuer)]
    if len(found) > 1:
        raise malformed(ErrorCode.EVIDENCE_MALFORMED, "one answer for a certificate", f"{len(found)}", "revocation")
    return found[0] if found else None


def _is_about(answer: ocsp.OCSPSingleResponse, certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    if answer.serial_number != certificate.serial_number or not isinstance(answer.hash_algorithm, _ID_HASHES):
        return False
    asked = ocsp.OCSPRequestBuilder().add_certificate(certificate, issuer, answer.hash_algorithm).build()
    return (asked.issuer_name_hash, asked.issuer_key_hash) == (answer.issuer_name_hash, answer.issuer_key_hash)


def _is_signed(response: ocsp.OCSPResponse, issuer: x509.Certificate) -> bool:
    signature, data, algorithm = response.signature, response.tbs_response_bytes, response.signature_hash_algorithm
    return any(is_signed(one, signature, data, algorithm) for one in _who_may_answer(response, issuer))


def _who_may_answer(response: ocsp.OCSPResponse, issuer: x509.Certificate) -> Iterator[x509.Certificate]:
    yield issuer
    answered_ns = ns(response.produced_at_utc)
    for responder in response.certificates[:MOST_RESPONDERS]:
        from_ns, to_ns = validity_ns(responder)
        if (
            responder.issuer == issuer.subject
            and from_ns <= answered_ns <= to_ns
            and _is_for_answering(responder)
            and is_signed(
                issuer, responder.signature, responder.tbs_certificate_bytes, responder.signature_hash_algorithm
            )
        ):
            yield responder


def _is_for_answering(responder: x509.Certificate) -> bool:
    try:
        purposes = responder.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return False
    return ExtendedKeyUsageOID.OCSP_SIGNING in purposes
