"""What the other implementation of COSE says; run with its own interpreter, for it does not go with our libraries.

It reads a list of questions as JSON and answers each: `verify` with the payload or with null, `sign` and `cosign` with
the statement. Bytes travel in hexadecimal, headers as CBOR.
"""

import json
import sys
from typing import Any

import cbor2
from cwt import COSE, COSEKey, Signer  # type: ignore[import-not-found] # it is in an environment of its own

ED25519 = -19


def key(raw: str, *, key_id: str, seed: str | None = None) -> COSEKey:
    """An OKP key (RFC 9053, 7.2); private where there is a seed."""
    parameters: dict[int, Any] = {1: 1, 2: bytes.fromhex(key_id), 3: ED25519, -1: 6, -2: bytes.fromhex(raw)}
    if seed is not None:
        parameters[-4] = bytes.fromhex(seed)
    return COSEKey.new(parameters)


def headers(encoded: str) -> dict[int, Any]:
    """Protected headers as they were asked for."""
    read: dict[int, Any] = cbor2.loads(bytes.fromhex(encoded))
    return read


def verify(asked: dict[str, Any]) -> str | None:
    """The payload of a statement, if the signature by this key holds."""
    try:
        payload: bytes = COSE.new().decode(
            bytes.fromhex(asked["statement"]), keys=[key(asked["raw"], key_id=asked["key_id"])]
        )
    except Exception:  # noqa: BLE001 - it raises what it likes for a statement that it refuses
        return None
    return payload.hex()


def sign(asked: dict[str, Any]) -> str:
    """A COSE_Sign1 by one key."""
    (signer,) = asked["signers"]
    signed: bytes = COSE.new().encode_and_sign(
        bytes.fromhex(asked["payload"]),
        key(signer["raw"], key_id=signer["key_id"], seed=signer["seed"]),
        protected=headers(signer["protected"]),
    )
    return signed.hex()


def cosign(asked: dict[str, Any]) -> str:
    """A COSE_Sign by several keys."""
    signed: bytes = COSE.new().encode_and_sign(
        bytes.fromhex(asked["payload"]),
        protected=headers(asked["protected"]),
        signers=[
            Signer.new(
                key(signer["raw"], key_id=signer["key_id"], seed=signer["seed"]),
                protected=headers(signer["protected"]),
            )
            for signer in asked["signers"]
        ],
    )
    return signed.hex()


if __name__ == "__main__":
    does = {"verify": verify, "sign": sign, "cosign": cosign}
    sys.stdout.write(json.dumps([does[asked["do"]](asked) for asked in json.load(sys.stdin)]))
