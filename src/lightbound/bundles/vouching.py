"""What only the verifier can say of a chip: by which rules it decides, and what it pinned at enrolment.

    payload = { "chip": id, "pinned": SHA-256(CBOR pinned), "terms": SHA-256(CBOR terms) }

Signed by the verifier. Without it whoever passes a bundle on could put other rules and another host's key into it, and
another verdict with them, each step of which would hold.
"""

import hashlib
from dataclasses import replace
from typing import Final

from lightbound.bundles.contents import Bundle, pinned_fields, terms_fields
from lightbound.canonical.cbor import encode
from lightbound.errors import ErrorCode, refused
from lightbound.keys.ed25519 import SigningKey, VerifyingKey
from lightbound.keys.signing import opened, sign

KIND: Final = "lightbound.vouched/1"


def vouched(bundle: Bundle, verifier: SigningKey) -> Bundle:
    """The same, with the verifier's word for its rules and for what it pinned."""
    return replace(bundle, vouched=sign(KIND, _payload(bundle), verifier))


def check_vouched(bundle: Bundle, verifier: VerifyingKey) -> None:
    """Nothing, if the verifier signed these rules and this pin for this chip.

    Raises:
        Malformed, Refused: it did not.
    """
    if opened(bundle.vouched, KIND, verifier) != _payload(bundle):
        expected = "the rules, and what was pinned of the chip, that the verifier signed"
        raise refused(ErrorCode.DISCLOSURE_DIFFERS, expected, "others", "bundle.vouched")


def _payload(bundle: Bundle) -> bytes:
    pinned = hashlib.sha256(encode(pinned_fields(bundle.pinned))).digest()
    terms = hashlib.sha256(encode(terms_fields(bundle.terms))).digest()
    return encode({"chip": bundle.chip, "pinned": pinned, "terms": terms})
