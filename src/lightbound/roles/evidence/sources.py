"""Which way a device is read: by what was asked for, or by what this host has."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from lightbound.errors import LightboundError
from lightbound.net.evidence_socket import ChipEvidence
from lightbound.roles.evidence.answering import Source
from lightbound.roles.evidence.collector import CollectedChip, Reading, found_collector
from lightbound.roles.evidence.nvml import LIBRARY, Lacking, NvmlChip, silent


class By(StrEnum):
    """Ways to read a chip."""

    AUTO = "auto"
    """NVML; for Blackwell outside of confidential computing the collector with Corelib."""
    NVML = "nvml"
    NVATTEST = "nvattest"
    CORELIB = "corelib"


def chip(device: int, by: By, *, within_s: float, collector: Path | None = None, library: str = LIBRARY) -> Source:
    """The chip as it is to be read, nothing of it being touched yet.

    Raises:
        Unavailable: it is to be read by the collector, which is not there.
    """
    direct = NvmlChip(device=device, within_s=within_s, library=library)
    match by:
        case By.AUTO:
            return _Either(direct=direct, collector=collector, within_s=within_s)
        case By.NVML:
            return direct
        case By.NVATTEST | By.CORELIB:
            reading = Reading.NVML if by is By.NVATTEST else Reading.CORELIB
            program = found_collector(collector)
            return CollectedChip(device=device, program=program, reading=reading, within_s=within_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Either:
    """Through the driver; past it where the driver cannot and the collector can."""

    direct: NvmlChip
    collector: Path | None
    within_s: float

    def evidence(self, nonce: bytes) -> ChipEvidence:
        """What the chip signed over these 32 bytes.

        Raises:
            Unavailable: there is none; the message says why.
        """
        said = self.direct.asked(nonce)
        if not isinstance(said, Lacking):
            return said
        if not said.is_outside:
            raise silent(self.direct.device, said)
        try:
            program = found_collector(self.collector)
        except LightboundError as error:
            found = f"{said.found}, and {error.faults[0].found} for nvattest"
            raise silent(self.direct.device, Lacking(found=found, next=error.faults[0].next or said.next)) from error
        device = self.direct.device
        past = CollectedChip(device=device, program=program, reading=Reading.CORELIB, within_s=self.within_s)
        return past.evidence(nonce)
