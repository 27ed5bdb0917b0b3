"""Where an agent's keys and evidence come from: the root of trust of its host and its chips.

Here is the weakest, a key in a file that nothing attests: tier A0. What chips and a TPM sign comes by the same
interface (`attested_root`).
"""

from dataclasses import dataclass
from typing import Protocol

from lightbound.attestation.tiers import Tier
from lightbound.enrolment.requests import software_chips
from lightbound.keys.ed25519 import SigningKey
from lightbound.ranging.statements.binding import Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """What attests a host and its chips in one session."""

    evidence: Evidence
    documents: tuple[bytes, ...] = ()
    """What the evidence names."""
    silent: tuple[str, ...] = ()
    """Why devices gave nothing, one text each."""


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
        """What attests host and chips, made over N0 of this session; devices that give nothing are left out."""
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
        return Tier.A0

    @property
    def chips(self) -> tuple[bytes, ...]:
        """Names that follow from the key."""
        return software_chips(self.key.verifying, self.count)

    def gathered(self, n0: bytes) -> Gathered:
        """Nothing attests it."""
        del n0
        return Gathered(evidence=Evidence())
