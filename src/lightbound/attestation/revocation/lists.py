"""Revocation lists (RFC 5280, 5): what an issuer had revoked when it made the list."""

from cryptography import x509

from lightbound.attestation.revocation.said import Said
from lightbound.attestation.revocation.signed import LATE, check_extensions, is_signed, not_signed, ns, unread


def read_list(data: bytes) -> x509.CertificateRevocationList | None:
    """A revocation list; None if it is none. Nothing is checked."""
    try:
        return x509.load_der_x509_crl(data)
    except LATE:
        return None


def said_by_list(
    revoked: x509.CertificateRevocationList, certificate: x509.Certificate, issuer: x509.Certificate
) -> Said | None:
    """What a list says of a certificate; None if it is another issuer's.

    1. It names the issuer.
    2. It is of everything that the issuer made: lists for some certificates, or of changes, are not read.
    3. The issuer signed it, and may sign lists. Lists by others in its name are not read.

    A certificate that is not on it was not revoked when it was made.

    Raises:
        Malformed: a part of it is none.
        Refused: it is of another kind, or signed by somebody else.
    """
    try:
        if revoked.issuer != issuer.subject:
            return None
        check_extensions(revoked.extensions, "a list")
        signature, data = revoked.signature, revoked.tbs_certlist_bytes
        if not _may_sign_lists(issuer) or not is_signed(issuer, signature, data, revoked.signature_hash_algorithm):
            raise not_signed("a list")
        entry = revoked.get_revoked_certificate_by_serial_number(certificate.serial_number)
        if entry is not None:
            check_extensions(entry.extensions, "an entry")
        return Said(
            revoked_ns=None if entry is None else ns(entry.revocation_date_utc),
            reason=None if entry is None else _reason(entry),
            from_ns=ns(revoked.last_update_utc),
            to_ns=None if revoked.next_update_utc is None else ns(revoked.next_update_utc),
        )
    except LATE:
        raise unread("revocation list") from None


def _may_sign_lists(issuer: x509.Certificate) -> bool:
    try:
        return issuer.extensions.get_extension_for_class(x509.KeyUsage).value.crl_sign
    except x509.ExtensionNotFound:
        return False


def _reason(entry: x509.RevokedCertificate) -> str | None:
    try:
        return entry.extensions.get_extension_for_class(x509.CRLReason).value.reason.value
    except x509.ExtensionNotFound:
        return None
