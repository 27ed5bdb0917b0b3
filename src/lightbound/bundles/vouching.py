"""What only the verifier can say of a chip: by which rules it decides, what it pinned at enrolment, and what it heard.

    payload = { "all": SHA-256 of all that is inside, "chip": id, "pinned": SHA-256(CBOR pinned),
                "terms": SHA-256(CBOR terms) }

Signed by the verifier. Without it whoever passes a bundle on could put other rules and another host's key into it, or
leave out what speaks against the chip, and put in the verdict that follows, each step of which would hold. Sites are
not in the digest of all: whoever has the bundle may take them out.
"""

import hashlib
from dataclasses import replace
from typing import Final

from lightbound.bundles.contents import Bundle, digest_of_all, pinned_fields, terms_fields
from lightbound.canonical.cbor import encode
from lightbound.canonical.fields import Fields
from lightbound.errors import ErrorCode, refused
from lightbound.keys.ed25519 import SigningKey, VerifyingKey
from lightbound.keys.signing import opened, sign

KIND: Final = "lightbound.vouched/1"


def vouched(bundle: Bundle, verifier: SigningKey) -> Bundle:
    """The same, with the verifier's word for its rules, for what it pinned, and for all that is inside."""
    payload = encode({**_rules(bundle), "all": digest_of_all(bundle)})
    return replace(bundle, vouched=sign(KIND, payload, verifier))


def check_vouched(bundle: Bundle, verifier: VerifyingKey) -> bytes:
    """The digest of all that was inside, if the verifier signed these rules and this pin for this chip.

    Raises:
        Malformed, Refused: it did not.
    """
    fields = Fields.of(opened(bundle.vouched, KIND, verifier), "vouched")
    of_all = fields.octets("all", 32)
    said = {name: fields.octets(name, 32) for name in ("chip", "pinned", "terms")}
    fields.end()
    if said != _rules(bundle):
        expected = "the rules, and what was pinned of the chip, that the verifier signed"
        raise refused(ErrorCode.DISCLOSURE_DIFFERS, expected, "others", "bundle.vouched")
    return of_all


def check_all_there(bundle: Bundle, of_all: bytes) -> str:
    """What was found, if nothing was taken out or put in since the verifier signed, but sites.

    Raises:
        Refused: something was.
    """
    if digest_of_all(bundle) != of_all:
        expected = "all that the verifier put in, and nothing else"
        raise refused(ErrorCode.EVIDENCE_DIFFERS, expected, "something taken out, put in or altered", "bundle")
    return "all is inside that the verifier put in, and nothing else"


def _rules(bundle: Bundle) -> dict[str, bytes]:
    return {
        "chip": bundle.chip,
        "pinned": hashlib.sha256(encode(pinned_fields(bundle.pinned))).digest(),
        "terms": hashlib.sha256(encode(terms_fields(bundle.terms))).digest(),
    }
