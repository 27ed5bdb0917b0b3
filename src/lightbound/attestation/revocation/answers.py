"""What an archived answer about revocation says of a certificate, as of an instant.

Answers are OCSP responses (RFC 6960) and revocation lists (RFC 5280, 5). Nobody is asked: an answer was fetched and
kept beside the evidence, or it is missing, which says nothing. Whoever hands over evidence chooses which to keep.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Final

from cryptography import x509

from lightbound.attestation.chains import load
from lightbound.attestation.revocation.lists import read_list, said_by_list
from lightbound.attestation.revocation.responses import read_response, said_by_response
from lightbound.attestation.revocation.said import Answer, Said, Status
from lightbound.errors import ErrorCode, LightboundError, malformed

MOST_BYTES: Final = 4_000_000
"""Of an answer; a response has some 2 kB, and lists grow with what is revoked."""


def answered(data: bytes, *, certificate: x509.Certificate, issuer: x509.Certificate, at_ns: int) -> Answer:
    """What an answer says of a certificate, as of an instant, its signature being the issuer's or its delegate's.

    That the issuer issued the certificate is the caller's to know (`chains`). An answer about another certificate, or
    by another issuer, is `OTHER`, and is not looked at further. A delegate's own revocation is not looked at.

    Raises:
        Malformed: neither an OCSP response nor a revocation list.
        Refused: it is about this certificate, and is not signed by who may.
    """
    said = _said(data, certificate, issuer)
    return Answer(serial=certificate.serial_number, said=said, at_ns=at_ns)


def about(data: bytes, chain: Sequence[bytes], *, at_ns: int) -> tuple[Answer, ...]:
    """What an answer says of each certificate of a chain that it is about; `chain` is DER, leaf first, checked before.

    Raises:
        Malformed, Refused: as `answered`.
    """
    certificates = [load(der, f"[{number}]") for number, der in enumerate(chain)]
    said = (
        answered(data, certificate=certificate, issuer=issuer, at_ns=at_ns)
        for certificate, issuer in pairwise(certificates)
    )
    return tuple(answer for answer in said if answer.status is not Status.OTHER)


def notes(files: Iterable[tuple[str, bytes]], chain: Sequence[bytes], *, at_ns: int) -> tuple[str, ...]:
    """What each file says of a chain, in a sentence; `chain` is DER, leaf first, and was checked before.

    A file that is none, or that does not hold, is told as well and stops nothing: anybody can add a file.
    """
    certificates = [load(der, f"[{number}]") for number, der in enumerate(chain)]
    return tuple(note for name, data in files for note in _noted(name, data, certificates, at_ns))


def revocations(files: Iterable[tuple[str, bytes]], chain: Sequence[bytes], *, at_ns: int) -> tuple[str, ...]:
    """Of these files those that say of a certificate of the chain that it is revoked, in a sentence each.

    Files that are none, do not hold, or say anything else are passed over: that nothing is said shows nothing.
    """
    certificates = [load(der, f"[{number}]") for number, der in enumerate(chain)]
    found = []
    for name, data in files:
        for certificate, issuer in pairwise(certificates):
            try:
                answer = answered(data, certificate=certificate, issuer=issuer, at_ns=at_ns)
            except LightboundError:
                break
            if answer.status is Status.REVOKED:
                found.append(f"{name}: {answer}")
    return tuple(found)


def _noted(name: str, data: bytes, chain: Sequence[x509.Certificate], at_ns: int) -> Iterator[str]:
    is_about_one = False
    for certificate, issuer in pairwise(chain):
        try:
            answer = answered(data, certificate=certificate, issuer=issuer, at_ns=at_ns)
        except LightboundError as error:
            yield f"{name}: {error}"
            return
        if answer.status is not Status.OTHER:
            is_about_one = True
            yield f"{name}: {answer}"
    if not is_about_one:
        yield f"{name}: about none of these certificates"


def _said(data: bytes, certificate: x509.Certificate, issuer: x509.Certificate) -> Said | None:
    if len(data) > MOST_BYTES:
        raise malformed(ErrorCode.EVIDENCE_MALFORMED, f"at most {MOST_BYTES} bytes", f"{len(data)}", "revocation")
    response = read_response(data)
    if response is not None:
        return said_by_response(response, certificate, issuer)
    revoked = read_list(data)
    if revoked is not None:
        return said_by_list(revoked, certificate, issuer)
    raise malformed(
        ErrorCode.EVIDENCE_MALFORMED, "an OCSP response or a revocation list, as DER", "something else", "revocation"
    )
