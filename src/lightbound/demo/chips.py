"""Simulated chips beside the agents of the example: each answers at a socket of its own, as a real one's helper does.

Their certificates lead to a root of this run alone. The example's verifier is given it, and no other believes it.
"""

import selectors
import shutil
import socket
import tempfile
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

from lightbound.demo.story import CHIPS_OF_A_LOT, Lot
from lightbound.net.evidence_socket import ChipEvidence
from lightbound.roles.evidence.answering import WITHIN_S, answer
from lightbound.roles.evidence.serving import listening
from lightbound.sim.devices.foundry import Facts, Foundry, SimulatedDevice

MOST_PATH: Final = 70
"""Characters of their folder: the path of a socket has at most 107 bytes, of which a lot and a chip take 30."""


@dataclass(frozen=True, slots=True)
class _Chip:
    """A source of evidence that is no chip."""

    device: SimulatedDevice

    def evidence(self, nonce: bytes) -> ChipEvidence:
        return ChipEvidence(report=self.device.report(nonce), chain=self.device.chain)


@dataclass(slots=True, kw_only=True)
class SimulatedChips:
    """The chips of all lots, answered for by one thread."""

    foundry: Foundry
    folder: Path
    _open: ExitStack = field(default_factory=ExitStack)
    _ready: selectors.BaseSelector = field(default_factory=selectors.DefaultSelector)
    _thread: threading.Thread | None = None
    _wake: tuple[socket.socket, socket.socket] = field(default_factory=socket.socketpair)

    @classmethod
    def of(cls, seed: int, *, beside: Path) -> Self:
        """Chips that nobody answers for yet; their sockets are in a folder beside the rest, if its path is short."""
        folder = beside.absolute() / "chips"
        if len(str(folder)) > MOST_PATH:
            folder = Path(tempfile.mkdtemp(prefix="lightbound-"))
        folder.mkdir(mode=0o700, exist_ok=True)
        return cls(foundry=Foundry.of(seed), folder=folder)

    def sockets_of(self, lot: Lot) -> Path:
        """The folder of a lot's sockets."""
        return self.folder / lot.name

    def add(self, lot: Lot) -> None:
        """Make a lot's chips, and their sockets."""
        folder = self.sockets_of(lot)
        folder.mkdir(mode=0o700)
        for number in range(CHIPS_OF_A_LOT):
            chip = _Chip(self.foundry.device(f"{lot.name} {number}", Facts()))
            made = self._open.enter_context(listening(folder / f"chip-{number}.sock"))
            self._ready.register(made, selectors.EVENT_READ, chip)

    def begin(self) -> None:
        """Answer from now on."""
        self._ready.register(self._wake[0], selectors.EVENT_READ, None)
        self._thread = threading.Thread(target=self._answer, name="chips", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Answer no more, and leave nothing behind."""
        if self._thread is not None:
            self._wake[1].send(b"\0")
            self._thread.join()
        self._open.close()
        self._ready.close()
        for end in self._wake:
            end.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _answer(self) -> None:
        while True:
            for key, _ in self._ready.select():
                if not isinstance(key.data, _Chip) or not isinstance(key.fileobj, socket.socket):
                    return
                connection, _ = key.fileobj.accept()
                answer(connection, key.data, time.monotonic() + WITHIN_S)
