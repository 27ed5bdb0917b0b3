"""Histories of a log for tests: leaves, what the log signs over them, and what a witness is asked."""

from collections.abc import Sequence

from lightbound.keys.ed25519 import SigningKey
from lightbound.keys.purposes import Purpose
from lightbound.tlog import merkle
from lightbound.tlog.checkpoint import Checkpoint, log_key, sign_checkpoint
from lightbound.tlog.consistency import consistency_proof
from lightbound.tlog.cosignature import witness_key
from lightbound.tlog.witness import AddCheckpoint, Seen

ORIGIN = "log.example/test"
LOG = SigningKey.of_seed(Purpose.LOG, bytes(31) + b"\x01")
LOG_KEY = log_key(ORIGIN, LOG.verifying)

NAME = "witness.example/w1"
WITNESS = SigningKey.of_seed(Purpose.WITNESS, bytes(31) + b"\x02")
WITNESS_KEY = witness_key(NAME, WITNESS.verifying)


def leaves(count: int, *, of: str = "") -> list[bytes]:
    """The first leaves of a history."""
    return [f"{of} {number}".encode() for number in range(count)]


def branched(at: int, count: int, *, of: str = "other") -> list[bytes]:
    """A history that has the usual leaves up to a number, and others from there."""
    return [*leaves(min(at, count)), *leaves(count, of=of)[at:]]


def seen(history: Sequence[bytes]) -> Seen:
    """What a witness has seen of all of a history."""
    return Seen(size=len(history), root=merkle.root(history))


def checkpoint(history: Sequence[bytes], *, origin: str = ORIGIN) -> Checkpoint:
    """What the log says of all of a history."""
    return Checkpoint(origin=origin, size=len(history), root=merkle.root(history))


def proof(history: Sequence[bytes], old: int) -> tuple[bytes, ...]:
    """That a history continues its first leaves."""
    return consistency_proof(lambda start, end: merkle.root(history[start:end]), old, len(history))


def asked(history: Sequence[bytes], old: int, *, key: SigningKey = LOG) -> AddCheckpoint:
    """The request to cosign all of a history, after its first leaves."""
    steps = proof(history, old) if old <= len(history) else ()
    return AddCheckpoint(old=old, proof=steps, checkpoint=sign_checkpoint(checkpoint(history), key))
