"""Ed25519, X25519 and the keys of the timed phase: "Parties and keys" of the page."""

from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from tests.conformance.second.encoding import cbor, check, h, refuse

P: Final = 2**255 - 19
Y8: Final = 0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7


def public_key(raw: bytes) -> bytes:
    y = int.from_bytes(raw, "little") & 2**255 - 1
    check(len(raw) == 32 and y not in (0, 1, P - 1, P, P + 1, Y8, P - Y8), "key_malformed")
    return raw


def key_id(raw: bytes) -> bytes:
    return h(bytes.fromhex("302a300506032b6570032100") + public_key(raw))[:16]


def public_of(seed: bytes) -> bytes:
    return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()


def agreed(seed: bytes, peer: bytes) -> bytes:
    try:
        return X25519PrivateKey.from_private_bytes(seed).exchange(X25519PublicKey.from_public_bytes(peer))
    except ValueError:
        refuse("wrong_key")


def timed_keys(shared: bytes, sid: bytes, landmark: bytes, bind: bytes) -> tuple[bytes, bytes]:
    """To the landmark, and to the agent."""

    def derived(direction: str) -> bytes:
        info = cbor(["CLP/1 timed", direction, sid, landmark, bind])
        return HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(shared)

    return derived("to landmark"), derived("to agent")
