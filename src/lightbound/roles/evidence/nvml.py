"""A chip through NVML, the library that comes with the vendor's driver, in a process of its own.

It asks one chip and no other, which takes a second or two; and where there is no evidence, it can say why.
"""

import sys
import time
from dataclasses import dataclass
from typing import Final

from lightbound.canonical.cbor import Value, decode
from lightbound.errors import ErrorCode, Fault, LightboundError, Unavailable
from lightbound.net.evidence_socket import MOST_ANSWER_BYTES, ChipEvidence
from lightbound.roles.evidence.child import Ended, Ending, asked_of
from lightbound.roles.evidence.collector import MODE_OFF
from lightbound.roles.evidence.nvml_child import NO_FUNCTION, NO_LIBRARY
from lightbound.units import counted

LIBRARY: Final = "libnvidia-ml.so.1"
"""By the name that the loader of the system finds it at."""

HOPPER: Final = 9
BLACKWELL: Final = 10
"""Of nvmlDeviceArchitecture_t."""

_SEE: Final = "nvidia-smi shows whether the driver works"
_RIGHTS: Final = "run this as root, and let its unit reach /dev/nvidia* (DeviceAllow)"
_REMEDIES: Final[dict[int, tuple[str, str]]] = {
    4: ("no rights to ask", _RIGHTS),
    9: ("no NVIDIA driver that is loaded", f"load it: modprobe nvidia; {_SEE}"),
    15: ("a chip that the driver has lost", "look at the kernel's log for Xid 79, and restart the host"),
    16: ("a chip that needs a reset", "nvidia-smi --gpu-reset, when nothing uses it"),
    17: ("a device that the system keeps from us", _RIGHTS),
    18: ("a library of another version than the driver that is loaded", "load the driver anew, or restart the host"),
}
"""Of nvmlReturn_t."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lacking:
    """Why a chip gave nothing."""

    found: str
    next: str
    is_outside: bool = False
    """It would have to be read past the driver: Blackwell, outside of confidential computing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NvmlChip:
    """A chip that a child process of ours reads through the driver."""

    device: int
    """As NVML counts, from 0."""
    within_s: float
    library: str = LIBRARY

    def evidence(self, nonce: bytes) -> ChipEvidence:
        """What the chip signed over these 32 bytes.

        Raises:
            Unavailable: there is none; the message says why.
        """
        said = self.asked(nonce)
        if isinstance(said, Lacking):
            raise silent(self.device, said)
        return said

    def asked(self, nonce: bytes) -> ChipEvidence | Lacking:
        """What the chip signed, or why it did not."""
        # -I: whoever can write where we are started cannot slip in a module.
        program = [sys.executable, "-I", "-B", "-m", "lightbound.roles.evidence.nvml_child"]
        words = [*program, str(self.device), self.library]
        until_s = time.monotonic() + self.within_s
        try:
            ended = asked_of(words, said=nonce, until_s=until_s, most_bytes=MOST_ANSWER_BYTES)
        except OSError as error:
            return Lacking(found=f"no process to ask it with: {error.strerror}", next="free memory or processes")
        if ended.ending is not Ending.ITSELF or ended.code != 0:
            return Lacking(found=_ended(ended, self.within_s), next=_SEE)
        return self._read(ended.out)

    def _read(self, out: bytes) -> ChipEvidence | Lacking:
        try:
            said = decode(out, what="nvml", most_bytes=MOST_ANSWER_BYTES)
        except LightboundError:
            said = None
        if not isinstance(said, dict):
            return Lacking(found="a library that wrote to its process's output", next=_SEE)
        report, chain = said.get("report"), said.get("chain")
        if isinstance(report, bytes) and isinstance(chain, bytes):
            return ChipEvidence(report=report, chain=chain)
        return self._explained(said)

    def _explained(self, said: dict[str, Value]) -> Lacking:
        """Why it gave nothing, by what failed and what is known."""
        code, chips, architecture = (_integer(said, name) for name in ("code", "chips", "architecture"))
        call, words = _text(said, "call"), _text(said, "words")
        driver = _text(said, "driver") or "of a version that it does not tell"
        if code == NO_LIBRARY:
            lacking = Lacking(found=f"no library: {words}", next="install the NVIDIA driver; the library is part of it")
        elif code == NO_FUNCTION:
            found = f"a driver {driver}, without {call}"
            lacking = Lacking(found=found, next="update the driver: chips attest from 550.54.15 on")
        elif chips is not None and self.device >= chips:
            lacking = Lacking(
                found=f"{counted(chips, 'chip')}, counted from 0", next="name one of them; nvidia-smi -L lists them"
            )
        elif code in _REMEDIES:
            found, next_ = _REMEDIES[code]
            lacking = Lacking(found=found, next=next_)
        elif architecture is not None and architecture < HOPPER:
            lacking = Lacking(found="a chip older than Hopper, which signs nothing", next="leave it out: tier A0")
        elif architecture is not None and not said.get("is_confidential") and not said.get("is_protected"):
            found = f"a chip outside of confidential computing ({words or code}, driver {driver})"
            lacking = Lacking(found=found, next=MODE_OFF, is_outside=architecture == BLACKWELL)
        else:
            lacking = Lacking(found=f"{call}: {words or code} (driver {driver})", next=_SEE)
        return lacking


def _integer(said: dict[str, Value], name: str) -> int | None:
    value = said.get(name)
    return value if type(value) is int else None


def _text(said: dict[str, Value], name: str) -> str:
    value = said.get(name)
    return value if isinstance(value, str) else ""


def silent(device: int, said: Lacking) -> Unavailable:
    """Why there is no evidence of a chip, as whoever asks is told."""
    expected = f"evidence of chip {device} through NVML"
    return Unavailable(Fault(code=ErrorCode.DEVICE_SILENT, expected=expected, found=said.found, next=said.next))


def _ended(ended: Ended, within_s: float) -> str:
    """How a child that said nothing useful ended."""
    match ended.ending:
        case Ending.LATE:
            return f"a library that did not answer within {within_s:g} s"
        case Ending.FLOOD:
            return "a library that writes without end"
        case Ending.ITSELF:
            by = f"by signal {-ended.code}" if ended.code is not None and ended.code < 0 else f"with {ended.code}"
            said = f": {ended.last_words}" if ended.last_words else ""
            return f"a process that ended {by}{said}"
