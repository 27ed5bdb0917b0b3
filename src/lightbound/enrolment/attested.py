"""Which chips, and which host, signed a session: its evidence, checked against the nonces that BIND gives.

One report that fails takes no other with it. What fails is told with its reason, and is of two kinds: what a chip of
this agent signed itself, freshly, and everything else, which anybody could have sent and which counts against nobody.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from lightbound.attestation.chains import DeviceRoots
from lightbound.attestation.genuine import GenuineReport, claimed_chip, genuine_report
from lightbound.attestation.tpm.quotes import VerifiedQuote, verified_quote
from lightbound.canonical.cbor import encode
from lightbound.enrolment.documents import MOST_DOCUMENT_BYTES
from lightbound.errors import ErrorCode, Fault, LightboundError, refused
from lightbound.ranging.statements.binding import Evidence, n1


@dataclass(frozen=True, slots=True, kw_only=True)
class NotBelieved:
    """Evidence that shows nothing, and why."""

    what: str
    """`quote`, or `report`."""
    chip: bytes | None
    """Of which chip it claims to be; None if that cannot be told. Nobody vouches for it."""
    fault: Fault


@dataclass(frozen=True, slots=True, kw_only=True)
class HostEvidence:
    """What the evidence of one session, or of an enrolment, shows."""

    reports: Mapping[bytes, GenuineReport]
    """By chip: each fresh, over a nonce that names the session and its keys."""
    quote: VerifiedQuote | None
    not_believed: tuple[NotBelieved, ...]


def enrolment_n0(verifier: bytes, secret: bytes, key: bytes) -> bytes:
    """The nonce of an enrolment, in place of N0, 32 bytes: fresh, because nobody knew the code's secret before.

    `verifier` is the id of its key, `secret` the code's, `key` the enrolment key.
    """
    return hashlib.sha256(encode(["lightbound enrol", verifier, secret, key])).digest()


def host_evidence(
    n0: bytes, evidence: Evidence, documents: Iterable[bytes], *, roots: DeviceRoots, quote_key: bytes | None
) -> HostEvidence:
    """What a manifest's documents show.

    1. Documents are those that the manifest names by their digests; what it does not name is passed over.
    2. The quote is over N0, by the key that was pinned at enrolment, or by any if none was.
    3. Each report is signed by a genuine chip, over N1 of that chip and the quote that the manifest names, whether or
       not that quote holds.
    4. A chip that reports twice is believed once.

    It does not show where any chip is, nor that it is the agent's host which asked it.
    """
    by_digest = {hashlib.sha256(one).digest(): one for one in documents if len(one) <= MOST_DOCUMENT_BYTES}
    not_believed: list[NotBelieved] = []
    quote = None
    if evidence.quote is not None:
        try:
            quote = verified_quote(_named(by_digest, evidence.quote, "quote"), key=quote_key, qualifying=n0)
        except LightboundError as error:
            not_believed.append(NotBelieved(what="quote", chip=None, fault=error.faults[0]))
    reports: dict[bytes, GenuineReport] = {}
    for report, chain in evidence.reports:
        chip = None
        try:
            certificates = _named(by_digest, chain, "chain")
            chip = claimed_chip(certificates)
            nonce = n1(n0, chip, evidence.quote)
            found = genuine_report(_named(by_digest, report, "report"), certificates, roots=roots, nonce=nonce)
        except LightboundError as error:
            not_believed.append(NotBelieved(what="report", chip=chip, fault=error.faults[0]))
        else:
            reports.setdefault(found.device.chip_id, found)
    return HostEvidence(reports=reports, quote=quote, not_believed=tuple(not_believed))


def _named(by_digest: Mapping[bytes, bytes], digest: bytes, what: str) -> bytes:
    found = by_digest.get(digest)
    if found is None:
        raise refused(ErrorCode.EVIDENCE_DIFFERS, f"the {what} that the manifest names", "none", f"evidence.{what}")
    return found
