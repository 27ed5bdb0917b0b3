"""Which way a device is read: by what was asked for, or by what this host has."""

import time
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from lightbound.errors import Unavailable
from lightbound.net.evidence_socket import ChipEvidence, HostEvidence
from lightbound.roles.evidence.answering import Source
from lightbound.roles.evidence.collector import CollectedChip, Reading
from lightbound.roles.evidence.nvml import LIBRARY, Lacking, NvmlChip, silent


class By(StrEnum):
    """Ways to read a chip."""

    AUTO = "auto"
    """NVML; for Blackwell outside of confidential computing the collector with Corelib."""
    NVML = "nvml"
    NVATTEST = "nvattest"
    CORELIB = "corelib"


def chip(device: int, by: By, *, within_s: float, collector: Path | None = None, library: str = LIBRARY) -> Source:
    """The chip as it is to be read; nothing is touched before it is asked."""
    direct = NvmlChip(device=device, within_s=within_s, library=library)
    if by is By.NVML:
        return direct
    reading = Reading.NVML if by is By.NVATTEST else Reading.CORELIB
    collected = CollectedChip(device=device, reading=reading, within_s=within_s, collector=collector)
    return _Either(direct=direct, past=collected) if by is By.AUTO else collected


@dataclass(frozen=True, slots=True, kw_only=True)
class _Either:
    """Through the driver; past it where the driver cannot and the collector can."""

    direct: NvmlChip
    past: CollectedChip

    def evidence(self, nonce: bytes) -> ChipEvidence:
        """What the chip signed over these 32 bytes.

        Raises:
            Unavailable: there is none; the message says why.
        """
        until_s = time.monotonic() + self.direct.within_s
        said = self.direct.asked(nonce)
        if not isinstance(said, Lacking):
            return said
        lacking = silent(self.direct.device, said)
        if not said.is_outside:
            raise lacking
        left_s = max(0.1, until_s - time.monotonic())
        try:
            return replace(self.past, within_s=left_s).evidence(nonce)
        except Unavailable as error:
            # Both ways, in the order in which they were tried.
            raise Unavailable((*error.faults, *lacking.faults)) from error


class Quoting(Protocol):
    """A TPM that quotes, such as the host's own."""

    def quote(self, n0: bytes) -> bytes:
        """The document of a quote with these 32 bytes as qualifying data.

        Raises:
            Unavailable: it does not quote; the message says why.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """The host, as a source of evidence: what its TPM quotes."""

    tpm: Quoting

    def evidence(self, nonce: bytes) -> HostEvidence:
        """A quote over these 32 bytes.

        Raises:
            Unavailable: there is none; the message says why.
        """
        return HostEvidence(quote=self.tpm.quote(nonce))
