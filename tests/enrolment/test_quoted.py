"""A host's quote in a session: believed by the key that was pinned; one that does not hold is told, not raised."""

import hashlib
from typing import Final

import pytest

from lightbound.attestation.chains import DeviceRoots
from lightbound.canonical.cbor import encode
from lightbound.enrolment.attested import HostEvidence, host_evidence
from lightbound.errors import ErrorCode
from lightbound.ranging.statements.binding import Evidence
from tests.attestation.tpm.forging import NONCE, Forged

QUOTED: Final = Forged()


def found(document: bytes, *, n0: bytes = NONCE, key: bytes | None = QUOTED.name) -> HostEvidence:
    evidence = Evidence(quote=hashlib.sha256(document).digest())
    return host_evidence(n0, evidence, [document], roots=DeviceRoots(pinned=()), quote_key=key)


def test_the_name_of_the_key_that_quoted_at_enrolment_is_what_later_quotes_are_held_to() -> None:
    enrolled = found(QUOTED.document, key=None).quote
    assert enrolled is not None
    later = found(QUOTED.document, key=enrolled.key_name)
    assert later.quote == enrolled
    assert later.not_believed == ()


@pytest.mark.parametrize(
    ("document", "n0", "key", "code"),
    [
        (QUOTED.document, bytes(32), QUOTED.name, ErrorCode.NONCE_DIFFERS),
        (QUOTED.document, NONCE, b"\x00\x0b" + bytes(32), ErrorCode.WRONG_KEY),
        (QUOTED.document[:-1], NONCE, QUOTED.name, ErrorCode.CBOR_MALFORMED),
        (encode({"kind": "tdx"}), NONCE, QUOTED.name, ErrorCode.UNSUPPORTED),
    ],
    ids=["another session", "another host", "cut", "a confidential machine"],
)
def test_a_quote_that_does_not_hold_is_told_with_its_reason(
    document: bytes, n0: bytes, key: bytes, code: ErrorCode
) -> None:
    told = found(document, n0=n0, key=key)
    assert told.quote is None
    assert [(one.what, one.fault.code) for one in told.not_believed] == [("quote", code)]
