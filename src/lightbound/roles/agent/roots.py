"""Where an agent's keys and evidence come from: the root of trust of its host and its chips.

Only one exists yet, a key in a file: tier A0. What a GPU or a TPM gives will come by the same interface.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from lightbound.canonical.cbor import encode
from lightbound.keys.ed25519 import SigningKey
from lightbound.ranging.statements.binding import Evidence

SOFTWARE_TIER: Final = "A0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """What attests a host and its chips in one session."""

    evidence: Evidence
    documents: Mapping[bytes, bytes] = field(default_factory=dict)
    """By digest: what the evidence names."""


class RootOfTrust(Protocol):
    """What ties an agent to its host and chips, as strongly as its tier says."""

    @property
    def tier(self) -> str:
        """The assurance tier that it reaches."""
        ...

    @property
    def key(self) -> SigningKey:
        """The enrolment key, which the verifier has pinned."""
        ...

    @property
    def chips(self) -> tuple[bytes, ...]:
        """The ids of the host's chips, 32 bytes each, ascending."""
        ...

    def gathered(self, n0: bytes) -> Gathered:
        """What attests host and chips, made over N0 of this session.

        Raises:
            Unavailable: a device does not answer.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SoftwareRoot:
    """A key in a file, and chips that it names itself. Whoever copies the file is the agent."""

    key: SigningKey
    count: int
    """Of chips."""

    @property
    def tier(self) -> str:
        """A0: it shows where the key is, and nothing about any chip."""
        return SOFTWARE_TIER

    @property
    def chips(self) -> tuple[bytes, ...]:
        """Names that follow from the key."""
        return tuple(sorted(software_chip(self.key.verifying.raw, number) for number in range(self.count)))

    def gathered(self, n0: bytes) -> Gathered:
        """Nothing attests it."""
        del n0
        return Gathered(evidence=Evidence())


def software_chip(enrolment: bytes, number: int) -> bytes:
    """The id of a chip at tier A0, 32 bytes; `enrolment` are those of the enrolment key."""
    return hashlib.sha256(encode(["CLP/1 software chip", enrolment, number])).digest()
