"""A key in a file, beside chips and a TPM that sign what the agent binds itself to: tier A1, and A2 with the TPM.

The agent holds no device and starts nothing: it asks a socket for each, which is what gives evidence on this host
(docs/evidence-socket.md). It sends 32 bytes and reads what comes.
"""

import hashlib
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from lightbound.attestation.genuine import claimed_chip
from lightbound.attestation.tiers import Tier
from lightbound.errors import ErrorCode, Fault, LightboundError, Unavailable
from lightbound.keys.ed25519 import SigningKey
from lightbound.net.evidence_socket import Answered, asked
from lightbound.ranging.statements.binding import Evidence, n1
from lightbound.roles.agent.roots import Gathered

T = TypeVar("T")

HOST: Final = "host.sock"
CHIPS: Final = "chip-*.sock"

WITHIN_S: Final = 15.0
"""For a device to answer. A landmark takes BIND for a minute after CONTRIB, and three questions may follow."""

AT_ONCE: Final = 16
"""Devices asked at one time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Devices:
    """The devices of a host as they were when the agent enrolled."""

    folder: Path
    """Where their sockets are."""
    chips: tuple[tuple[str, bytes], ...]
    """Name of each chip's socket, and its id."""
    has_host: bool
    """Whether the host quotes too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttestedRoot:
    """A key in a file, and devices. Whoever copies the file still needs the chips to sign for him."""

    key: SigningKey
    devices: Devices

    @property
    def tier(self) -> str:
        """What it can reach; the verifier says what it did."""
        return Tier.A2 if self.devices.has_host else Tier.A1

    @property
    def chips(self) -> tuple[bytes, ...]:
        """Ids of the chips, by their certificates."""
        return tuple(sorted({chip for _, chip in self.devices.chips}))

    def gathered(self, n0: bytes) -> Gathered:
        """A quote over N0, and a report of each chip over its N1; devices that give nothing are left out."""
        silent: list[str] = []
        folder = self.devices.folder
        quote = _told(silent, HOST, lambda: _quoted(folder, n0)) if self.devices.has_host else None
        digest = None if quote is None else hashlib.sha256(quote).digest()

        def reported(name: str, chip: bytes) -> tuple[bytes, bytes] | None:
            return _told(silent, name, lambda: _reported(folder / name, n0, chip, digest))

        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="evidence") as askers:
            answers = [one for one in askers.map(lambda one: reported(*one), self.devices.chips) if one is not None]
        named = {(hashlib.sha256(report).digest(), hashlib.sha256(chain).digest()) for report, chain in answers}
        documents = {document for pair in answers for document in pair} | ({quote} if quote is not None else set())
        return Gathered(
            evidence=Evidence(quote=digest, reports=tuple(sorted(named))),
            documents=tuple(sorted(documents)),
            silent=tuple(silent),
        )


def found_devices(folder: Path) -> Devices:
    """The devices whose sockets are in a folder, each asked once who it is.

    Raises:
        Unavailable: there is none, or one does not answer.
        Malformed: one gives no certificates.
    """
    names = sorted(path.name for path in folder.glob(CHIPS))
    if not names:
        fault = Fault(
            code=ErrorCode.DEVICE_SILENT,
            expected=f"sockets {CHIPS}",
            found="none",
            file=str(folder),
            next="start the units that give evidence, or enrol without --evidence at tier A0",
        )
        raise Unavailable(fault)
    chips = [(name, claimed_chip(answer_of(folder / name, secrets.token_bytes(32)).chain)) for name in names]
    return Devices(folder=folder, chips=tuple(chips), has_host=(folder / HOST).exists())


def _quoted(folder: Path, n0: bytes) -> bytes:
    return answer_of(folder / HOST, n0).quote


def _reported(path: Path, n0: bytes, chip: bytes, quote: bytes | None) -> tuple[bytes, bytes]:
    """Report and chain of the chip at a socket, over the nonce of whichever chip is there now."""
    answer = answer_of(path, n1(n0, chip, quote))
    there = claimed_chip(answer.chain)
    if there != chip:
        # Another chip than at enrolment: the verifier is told, by that chip's own word.
        answer = answer_of(path, n1(n0, there, quote))
    return answer.report, answer.chain


def answer_of(path: Path, nonce: bytes) -> Answered:
    """What the device at a socket gives over a nonce.

    Raises:
        Unavailable: nothing; it says why.
        Malformed: no answer of the form.
    """
    return asked(path, nonce, within_s=WITHIN_S)


def _told(silent: list[str], name: str, ask: Callable[[], T]) -> T | None:
    try:
        return ask()
    except LightboundError as error:
        silent.append(f"{name}: {error.faults[0]}")
        return None
