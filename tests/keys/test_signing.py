"""A payload is given out only after its type, its signer's key and purpose, and the signature were looked at."""

from dataclasses import replace

import pytest

from lightbound.canonical import cose
from lightbound.errors import ErrorCode, LightboundError, Malformed, Refused
from lightbound.keys.ed25519 import SigningKey
from lightbound.keys.purposes import Purpose
from lightbound.keys.signing import cosign, cosigned, digest, opened, opened_by_all, opened_by_enough, sign

KIND, OTHER_KIND = "lightbound.session/1", "lightbound.open/1"
ONE, TWO, THREE = (SigningKey.of_seed(Purpose.DIRECTORY, bytes([number]) * 32) for number in (1, 2, 3))
STRANGER = SigningKey.of_seed(Purpose.DIRECTORY, bytes([9]) * 32)
KEYS = (ONE.verifying, TWO.verifying, THREE.verifying)
SINGLE = sign(KIND, b"payload", ONE)
BOTH = cosign(KIND, b"payload", (ONE, TWO))


def code(error: pytest.ExceptionInfo[LightboundError]) -> ErrorCode:
    (fault,) = error.value.faults
    return fault.code


def test_what_a_key_signed_is_opened_with_it() -> None:
    assert opened(SINGLE, KIND, ONE.verifying) == b"payload"
    assert opened_by_all(BOTH, KIND, (TWO.verifying, ONE.verifying)) == b"payload"
    assert opened_by_enough(BOTH, KIND, KEYS, 2) == b"payload"


def test_signing_is_a_function_of_payload_and_keys() -> None:
    assert sign(KIND, b"payload", ONE) == SINGLE
    assert cosign(KIND, b"payload", (TWO, ONE)) == BOTH


def test_a_digest_is_over_every_byte_of_a_statement() -> None:
    assert digest(SINGLE) != digest(sign(KIND, b"payload", TWO))
    assert len(digest(SINGLE)) == 32


def test_another_type_is_refused() -> None:
    with pytest.raises(Refused) as caught:
        opened(SINGLE, OTHER_KIND, ONE.verifying)
    assert code(caught) is ErrorCode.WRONG_TYPE


def test_another_shape_is_refused() -> None:
    with pytest.raises(Refused) as caught:
        opened(BOTH, KIND, ONE.verifying)
    assert code(caught) is ErrorCode.WRONG_TYPE
    with pytest.raises(Refused) as caught:
        opened_by_all(SINGLE, KIND, (ONE.verifying,))
    assert code(caught) is ErrorCode.WRONG_TYPE
    with pytest.raises(Refused) as caught:
        opened_by_enough(SINGLE, KIND, KEYS, 1)
    assert code(caught) is ErrorCode.WRONG_TYPE


def test_another_key_is_refused() -> None:
    with pytest.raises(Refused) as caught:
        opened(SINGLE, KIND, TWO.verifying)
    assert code(caught) is ErrorCode.WRONG_KEY


def test_the_same_key_for_another_purpose_is_refused() -> None:
    pinned = SigningKey.of_seed(Purpose.LANDMARK, bytes([1]) * 32).verifying
    assert pinned.key_id == ONE.key_id
    with pytest.raises(Refused) as caught:
        opened(SINGLE, KIND, pinned)
    assert code(caught) is ErrorCode.WRONG_KEY


@pytest.mark.parametrize("part", ["payload", "type", "purpose"])
def test_a_signature_is_over_payload_type_and_purpose(part: str) -> None:
    envelope = cose.read(SINGLE)
    (signature,) = envelope.signatures
    if part == "payload":
        bent = replace(envelope, payload=b"Payload")
    else:
        kind = OTHER_KIND if part == "type" else KIND
        purpose = Purpose.LANDMARK if part == "purpose" else Purpose.DIRECTORY
        headers = cose.sign1_headers(kind, ONE.key_id, purpose)
        bent = replace(envelope, body_protected=headers, signatures=(replace(signature, protected=headers),))
    key = replace(ONE.verifying, purpose=Purpose.LANDMARK) if part == "purpose" else ONE.verifying
    with pytest.raises(Refused) as caught:
        opened(cose.write(bent), OTHER_KIND if part == "type" else KIND, key)
    assert code(caught) is ErrorCode.SIGNATURE_INVALID


def test_a_signature_of_one_statement_does_not_fit_another_shape() -> None:
    """One of a COSE_Sign put into a COSE_Sign1 and the other way round."""
    alone = cosign(KIND, b"payload", (ONE,))
    single, several = cose.read(SINGLE), cose.read(alone)
    moved = replace(single, signatures=(replace(single.signatures[0], signature=several.signatures[0].signature),))
    with pytest.raises(Refused) as caught:
        opened(cose.write(moved), KIND, ONE.verifying)
    assert code(caught) is ErrorCode.SIGNATURE_INVALID


def test_all_means_exactly_these_keys() -> None:
    for keys, expected in (
        ((ONE.verifying,), ErrorCode.WRONG_KEY),
        ((TWO.verifying,), ErrorCode.WRONG_KEY),
        ((), ErrorCode.WRONG_KEY),
        (KEYS, ErrorCode.WRONG_KEY),
        ((ONE.verifying, THREE.verifying), ErrorCode.WRONG_KEY),
    ):
        with pytest.raises(Refused) as caught:
            opened_by_all(BOTH, KIND, keys)
        assert code(caught) is expected


def test_enough_means_k_of_n_and_no_stranger() -> None:
    assert opened_by_enough(cosign(KIND, b"payload", (ONE,)), KIND, KEYS, 1) == b"payload"
    assert opened_by_enough(cosign(KIND, b"payload", (ONE, TWO, THREE)), KIND, KEYS, 3) == b"payload"
    assert opened_by_enough(cosign(KIND, b"payload", (ONE, TWO, THREE)), KIND, KEYS, 2) == b"payload"
    with pytest.raises(Refused) as caught:
        opened_by_enough(BOTH, KIND, KEYS, 3)
    assert code(caught) is ErrorCode.WRONG_KEY
    with pytest.raises(Refused) as caught:
        opened_by_enough(cosign(KIND, b"payload", (ONE, TWO, STRANGER)), KIND, KEYS, 2)
    assert code(caught) is ErrorCode.WRONG_KEY


def test_one_signature_that_does_not_hold_spoils_enough_that_do() -> None:
    three = cose.read(cosign(KIND, b"payload", (ONE, TWO, THREE)))
    for number in range(3):
        signatures = list(three.signatures)
        signatures[number] = replace(signatures[number], signature=bytes(64))
        with pytest.raises(Refused) as caught:
            opened_by_enough(cose.write(replace(three, signatures=tuple(signatures))), KIND, KEYS, 2)
        assert code(caught) is ErrorCode.SIGNATURE_INVALID


def test_one_party_does_not_count_twice() -> None:
    two = cose.read(BOTH)
    doubled = replace(two, signatures=(two.signatures[0], two.signatures[0]))
    with pytest.raises(Malformed):
        opened_by_enough(cose.write(doubled), KIND, KEYS, 2)


@pytest.mark.parametrize("threshold", [0, -1, 4])
def test_a_threshold_that_cannot_be_meant_is_the_callers_mistake(threshold: int) -> None:
    with pytest.raises(ValueError, match="a threshold from 1 to 3"):
        opened_by_enough(BOTH, KIND, KEYS, threshold)


@pytest.mark.parametrize("order", [(ONE, TWO, THREE), (THREE, TWO, ONE), (TWO, THREE, ONE)])
def test_signatures_added_one_after_another_make_what_all_sign_at_once(order: tuple[SigningKey, ...]) -> None:
    data = cosign(KIND, b"payload", order[:1])
    for key in order[1:]:
        data = cosigned(data, KIND, key)
    assert data == cosign(KIND, b"payload", order)
    assert opened_by_enough(data, KIND, KEYS, 3) == b"payload"


def test_nobody_signs_twice_and_nothing_else_is_signed_along() -> None:
    with pytest.raises(Refused) as caught:
        cosigned(BOTH, KIND, TWO)
    assert code(caught) is ErrorCode.DUPLICATE
    for data, kind in ((BOTH, OTHER_KIND), (SINGLE, KIND)):
        with pytest.raises(Refused) as caught:
            cosigned(data, kind, THREE)
        assert code(caught) is ErrorCode.WRONG_TYPE


def test_bytes_that_are_no_statement_are_malformed() -> None:
    for data in (b"", b"\xd2", SINGLE[:-1], BOTH + b"\x00"):
        with pytest.raises(Malformed):
            opened(data, KIND, ONE.verifying)
        with pytest.raises(Malformed):
            opened_by_all(data, KIND, KEYS)
