"""X25519 (RFC 7748) and HKDF-SHA256 (RFC 5869): how two parties of a session come to share keys."""

from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from lightbound.errors import ErrorCode, Fault, Refused


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementKey:
    """A private X25519 key, used in one session."""

    public: bytes
    """32 bytes."""
    _private: X25519PrivateKey = field(repr=False)

    @classmethod
    def of_seed(cls, seed: bytes) -> "AgreementKey":
        """The key of 32 secret bytes, from the dice of whoever asks."""
        private = X25519PrivateKey.from_private_bytes(seed)
        return cls(public=private.public_key().public_bytes_raw(), _private=private)

    def agree(self, peer: bytes) -> bytes:
        """The 32 bytes shared with the holder of the other key.

        Raises:
            Refused: the other key is of small order, so that anybody would share them.
        """
        try:
            return self._private.exchange(X25519PublicKey.from_public_bytes(peer))
        except ValueError as error:
            fault = Fault(code=ErrorCode.WRONG_KEY, expected="an X25519 key of full order", found="another")
            raise Refused(fault) from error


def derived_key(shared: bytes, info: bytes) -> bytes:
    """32 bytes that only who has the shared ones can derive, different for each `info` (HKDF-SHA256, no salt)."""
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(shared)
