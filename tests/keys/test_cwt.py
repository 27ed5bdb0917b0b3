"""Another implementation of COSE, written by others, reads what we sign, and we read what it signs."""

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import pytest

from lightbound.canonical import cose
from lightbound.canonical.cbor import encode
from lightbound.errors import LightboundError
from lightbound.keys.ed25519 import SigningKey, VerifyingKey
from lightbound.keys.purposes import Purpose
from lightbound.keys.signing import cosign, opened, opened_by_all, sign
from lightbound.ranging.statements.kinds import SIGNED_BY, Kind

ROOT: Final = Path(__file__).resolve().parents[2]
PEER: Final = ROOT / ".cwt" / "bin" / "python"
PAYLOADS: Final = (encode({}), encode({"sid": bytes(16), "note": "x", "times": [1, 2**63 - 1, -1]}), bytes(40_000))
SEEDS: Final = {purpose: bytes([number + 1]) * 32 for number, purpose in enumerate(Purpose)}
KEYS: Final = {purpose: SigningKey.of_seed(purpose, seed) for purpose, seed in SEEDS.items()}
SINGLE: Final = [kind for kind in Kind if kind not in {Kind.BIND, Kind.DIRECTORY}]


def asked(questions: Sequence[dict[str, Any]]) -> list[str | None]:
    """What the other implementation says to each question."""
    if not PEER.exists():
        pytest.skip("needs the other implementation of COSE: `make .cwt/.stamp` installs it")
    done = subprocess.run(
        [PEER, Path(__file__).with_name("cwt_peer.py")],
        input=json.dumps(questions),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answers: list[str | None] = json.loads(done.stdout)
    return answers


def verify(statement: bytes, key: VerifyingKey) -> dict[str, Any]:
    return {"do": "verify", "statement": statement.hex(), "raw": key.raw.hex(), "key_id": key.key_id.hex()}


def signer(key: SigningKey, protected: bytes) -> dict[str, Any]:
    return {
        "raw": key.verifying.raw.hex(),
        "key_id": key.key_id.hex(),
        "seed": SEEDS[key.purpose].hex(),
        "protected": protected.hex(),
    }


def key_of(kind: Kind) -> SigningKey:
    return KEYS[SIGNED_BY[kind][0]]


def tampered(statement: bytes) -> list[bytes]:
    """The statement with one byte of the payload, of a protected header, or of a signature changed."""
    envelope = cose.read(statement)
    places = [statement.index(envelope.signatures[0].signature) + 7, statement.index(b"lightbound.") + 3]
    if envelope.payload:
        places.append(statement.index(envelope.payload) + len(envelope.payload) - 1)
    return [statement[:at] + bytes([statement[at] ^ 1]) + statement[at + 1 :] for at in places]


def test_the_other_implementation_verifies_what_we_sign_with_one_key() -> None:
    made = [(sign(kind, payload, key_of(kind)), payload, key_of(kind)) for kind in SINGLE for payload in PAYLOADS]
    answers = asked([verify(statement, key.verifying) for statement, _, key in made])
    assert answers == [payload.hex() for _, payload, _ in made]


def test_the_other_implementation_verifies_each_of_several_signatures_of_ours() -> None:
    pair = (KEYS[Purpose.ENROLMENT], KEYS[Purpose.SESSION])
    made = [(cosign(Kind.BIND, payload, pair), payload) for payload in PAYLOADS]
    answers = asked([verify(statement, key.verifying) for statement, _ in made for key in pair])
    assert answers == [payload.hex() for _, payload in made for _ in pair]


def test_what_the_other_implementation_signs_is_ours_to_the_byte() -> None:
    """Ed25519 rolls no dice, so that two who agree on every byte that is signed make the same signature."""
    questions = [
        {
            "do": "sign",
            "payload": payload.hex(),
            "signers": [
                signer(key_of(kind), cose.sign1_headers(kind, key_of(kind).key_id, key_of(kind).purpose)),
            ],
        }
        for kind in SINGLE
        for payload in PAYLOADS
    ]
    answers = asked(questions)
    ours = [sign(kind, payload, key_of(kind)).hex() for kind in SINGLE for payload in PAYLOADS]
    assert answers == ours
    for statement, (kind, payload) in zip(
        ours, [(kind, payload) for kind in SINGLE for payload in PAYLOADS], strict=True
    ):
        assert opened(bytes.fromhex(statement), kind, key_of(kind).verifying) == payload


def test_what_the_other_implementation_signs_with_several_keys_is_ours_to_the_byte() -> None:
    pair = sorted((KEYS[Purpose.ENROLMENT], KEYS[Purpose.SESSION]), key=lambda key: key.key_id)
    questions = [
        {
            "do": "cosign",
            "payload": payload.hex(),
            "protected": cose.body_headers(Kind.BIND).hex(),
            "signers": [signer(key, cose.signer_headers(key.key_id, key.purpose)) for key in pair],
        }
        for payload in PAYLOADS
    ]
    for statement, payload in zip(asked(questions), PAYLOADS, strict=True):
        assert statement == cosign(Kind.BIND, payload, pair).hex()
        assert opened_by_all(bytes.fromhex(statement), Kind.BIND, [key.verifying for key in pair]) == payload


def test_both_refuse_what_was_tampered_with() -> None:
    single = [(bent, key_of(kind)) for kind in SINGLE for bent in tampered(sign(kind, PAYLOADS[1], key_of(kind)))]
    pair = (KEYS[Purpose.ENROLMENT], KEYS[Purpose.SESSION])
    answers = asked([verify(bent, key.verifying) for bent, key in single])
    assert answers == [None] * len(single)
    for bent, key in single:
        for kind in SINGLE:
            with pytest.raises(LightboundError):
                opened(bent, kind, key.verifying)
    several = tampered(cosign(Kind.BIND, PAYLOADS[1], pair))
    first = min(pair, key=lambda key: key.key_id)  # whose signature was changed
    assert asked([verify(bent, first.verifying) for bent in several]) == [None] * len(several)
    for bent in several:
        with pytest.raises(LightboundError):
            opened_by_all(bent, Kind.BIND, [key.verifying for key in pair])


def test_both_refuse_the_signature_of_another_key() -> None:
    statement = sign(Kind.SESSION, PAYLOADS[1], KEYS[Purpose.VERIFIER])
    stranger = KEYS[Purpose.LANDMARK].verifying
    posing = {**verify(statement, stranger), "key_id": KEYS[Purpose.VERIFIER].key_id.hex()}
    assert asked([verify(statement, stranger), posing]) == [None, None]
    with pytest.raises(LightboundError):
        opened(statement, Kind.SESSION, stranger)
