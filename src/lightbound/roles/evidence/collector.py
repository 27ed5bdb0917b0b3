"""A chip through `nvattest`, the vendor's collector of evidence (NVIDIA Attestation SDK, 1.1 or later).

    nvattest collect-evidence --device gpu --nonce HEX --gpu-evidence-source nvml|corelib --format json

It asks every chip of the host at once, over one nonce, and writes one JSON object: `result_code`, `result_message` and
`evidences`, an array with `evidence` (the report) and `certificate` (the chain), both in base64. Which chip is ours is
its place there.
"""

import binascii
import json
import os
import re
import stat
import time
from base64 import b64decode
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, NoReturn

from lightbound.errors import ErrorCode, Fault, Unavailable
from lightbound.net.evidence_socket import ChipEvidence
from lightbound.roles.evidence.child import Ended, Ending, asked_of
from lightbound.units import counted

PLACES: Final = (Path("/usr/bin/nvattest"), Path("/usr/local/bin/nvattest"))
"""Where packages and builds put it. Not PATH: what is run here has rights that whoever set PATH may not have."""

MOST_OUTPUT: Final = 4_194_304
"""Bytes of JSON: 64 chips have two million. Larger: a collector gone mad fills more of our memory."""

_DOCUMENT: Final = re.compile(rb"^\{", re.MULTILINE)
"""Where its JSON begins; log lines may stand before it."""


class Reading(StrEnum):
    """How the collector reads a chip."""

    NVML = "nvml"
    """Through the driver: Hopper and later, in confidential computing or protected-PCIe mode."""
    CORELIB = "corelib"
    """By the vendor's Corelib, past the driver and outside of confidential computing: Blackwell. Needs root."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectedChip:
    """A chip that a child process of ours, the vendor's, reads."""

    device: int
    """Its place among the chips that the collector lists, from 0."""
    reading: Reading
    within_s: float
    collector: Path | None = None
    """Where it is; None where its packages put it."""

    def evidence(self, nonce: bytes) -> ChipEvidence:
        """What the chip signed over these 32 bytes.

        Raises:
            Unavailable: there is none; the message says why.
        """
        program = found_collector(self.collector)
        words = [str(program), "collect-evidence", "--device", "gpu", "--nonce", nonce.hex()]
        words += ["--gpu-evidence-source", str(self.reading), "--format", "json", "--log-level", "error"]
        if self.reading is Reading.CORELIB:
            words += ["--gpu-architecture", "blackwell"]
        try:
            ended = asked_of(words, until_s=time.monotonic() + self.within_s, most_bytes=MOST_OUTPUT)
        except OSError as error:
            self._silent(f"{program} that cannot be started: {error.strerror}", _INSTALL)
        if ended.ending is Ending.LATE:
            self._silent(f"no answer of nvattest within {self.within_s:g} s", _BY_HAND)
        if ended.ending is Ending.FLOOD:
            self._silent("more from nvattest than any evidence has", _BY_HAND)
        return self._chosen(self._evidences(ended))

    def _evidences(self, ended: Ended) -> list[Any]:
        """The chips that it lists."""
        document = _read_document(ended.out)
        if document is None:
            by = f"by signal {-ended.code}" if ended.code is not None and ended.code < 0 else f"with {ended.code}"
            said = f": {ended.last_words}" if ended.last_words else ""
            self._silent(f"no JSON from nvattest, which ended {by}{said}", _BY_HAND)
        code, evidences = document.get("result_code"), document.get("evidences")
        if code != 0 or ended.code != 0:
            message = document.get("result_message")
            said = f": {ended.last_words}" if ended.last_words else ""
            self._silent(f"nvattest {code}, {message}{said}", self._remedy(f"{message}{said}"))
        if type(evidences) is not list:
            self._silent("JSON of nvattest without a list of evidences", _BY_HAND)
        return evidences

    def _chosen(self, evidences: list[Any]) -> ChipEvidence:
        if self.device >= len(evidences):
            self._silent(
                f"{counted(len(evidences), 'chip')}, counted from 0",
                "name one of them; nvidia-smi lists those there are",
            )
        one = evidences[self.device]
        texts = (one.get("evidence"), one.get("certificate")) if isinstance(one, dict) else (None, None)
        try:
            report, chain = (b64decode(text, validate=True) for text in texts if isinstance(text, str))
        except (ValueError, binascii.Error):
            self._silent("an entry of nvattest without evidence and certificate in base64", _BY_HAND)
        if not report or not chain:
            self._silent("an empty entry of nvattest", _BY_HAND)
        return ChipEvidence(report=report, chain=chain)

    def _remedy(self, said: str) -> str:
        """What to do about a failure that it names."""
        lower = said.lower()
        if "corelib" in lower:
            return "install Corelib (libcorelib.so.1) of the vendor's attestation downloads, and run this as root"
        if "mode" in lower:
            return MODE_OFF
        return _BY_HAND

    def _silent(self, found: str, next_: str) -> NoReturn:
        expected = f"evidence of chip {self.device} from nvattest"
        raise Unavailable(Fault(code=ErrorCode.DEVICE_SILENT, expected=expected, found=found, next=next_))


_INSTALL: Final = "install the package nvattest, 1.1 or later, of the vendor's attestation downloads"
_BY_HAND: Final = "try the same by hand, as root: nvattest collect-evidence --device gpu --log-level debug"
MODE_OFF: Final = (
    "Hopper signs only in confidential computing (nvidia_gpu_tools.py --set-cc-mode=on --reset-after-cc-mode-switch of "
    "the vendor's gpu-admin-tools) or protected-PCIe mode; Blackwell outside of it too, with --by corelib"
)


def found_collector(named: Path | None = None) -> Path:
    """The collector, where its packages put it or at the path named; one that only root and we may change.

    Raises:
        Unavailable: there is none, or others than root and we could have changed it.
    """
    for path in (named,) if named is not None else PLACES:
        try:
            real = path.resolve(strict=True)
            about = real.stat()
        except (OSError, RuntimeError):
            continue
        if about.st_uid not in {0, os.geteuid()} or about.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            found, next_ = "one that others could have changed", f"chown root {real} && chmod go-w {real}"
        elif not stat.S_ISREG(about.st_mode) or not os.access(real, os.X_OK):
            found, next_ = "a file that cannot be run", _INSTALL
        else:
            return real
        fault = Fault(code=ErrorCode.DEVICE_SILENT, expected="nvattest", found=found, file=str(real), next=next_)
        raise Unavailable(fault)
    places = ", ".join(map(str, (named,) if named is not None else PLACES))
    raise Unavailable(
        Fault(code=ErrorCode.DEVICE_SILENT, expected=f"nvattest at {places}", found="nothing", next=_INSTALL)
    )


def _read_document(out: bytes) -> dict[str, Any] | None:
    begin = _DOCUMENT.search(out)
    if begin is None:
        return None
    try:
        read = json.loads(out[begin.start() :])
    except (ValueError, RecursionError):
        return None
    return read if isinstance(read, dict) else None
