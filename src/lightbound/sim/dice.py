"""Seeded dice: the same seed and names give the same throws on every machine, whatever else was drawn before."""

import hashlib
from typing import TypeAlias

import numpy as np

Dice: TypeAlias = np.random.Generator  # noqa: TID251 - the one place where the simulated world gets its dice


def rolls(seed: int, *names: str | int) -> Dice:
    """A stream of throws of its own for these names."""
    return np.random.default_rng(int.from_bytes(octets(seed, *names), "big"))  # noqa: TID251 - seeded, see above


def octets(seed: int, *names: str | int, length: int = 32) -> bytes:
    """Up to 32 bytes that look random; keys and nonces of the simulated world, which need no secrecy."""
    return hashlib.sha256("\x1f".join(map(repr, (seed, *names))).encode()).digest()[:length]


def share(seed: int, *names: str | int) -> float:
    """A number from 0 up to 1."""
    return (int.from_bytes(octets(seed, *names, length=8), "big") >> 11) / 2.0**53
