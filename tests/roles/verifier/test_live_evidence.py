"""A real agent beside a device that turns against it: what its verifier says over real sockets, session by session."""

import os
import signal
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from lightbound.net.evidence_socket import NONCE_BYTES, ChipEvidence, write_answer
from lightbound.sim.devices.foundry import SimulatedDevice
from tests.roles.landmark.running import COMMAND
from tests.roles.verifier.hosts import FOUNDRY, device
from tests.roles.verifier.running import Verifier, command, waited, world

CHIP = device("one")
UPDATED = CHIP.changed(replace(CHIP.facts, firmware="firmware 2", vbios="96.00.A5.00.01"))


@dataclass(slots=True)
class Device:
    """Whatever stands behind the socket of a chip: it answers as it is told to."""

    path: Path
    says: Callable[[bytes], bytes]
    asked: list[bytes] = field(default_factory=list)

    def serve(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection, suppress(OSError):
                nonce = connection.recv(NONCE_BYTES)
                self.asked.append(nonce)
                connection.sendall(self.says(nonce))


def honest(chip: SimulatedDevice) -> Callable[[bytes], bytes]:
    return lambda nonce: write_answer(ChipEvidence(report=chip.report(nonce), chain=chip.chain))


def replayed(chip: SimulatedDevice, nonce: bytes) -> Callable[[bytes], bytes]:
    old = write_answer(ChipEvidence(report=chip.report(nonce), chain=chip.chain))
    return lambda _nonce: old


def garbage(chip: SimulatedDevice) -> Callable[[bytes], bytes]:
    said = write_answer(ChipEvidence(report=b"garbage", chain=chip.chain))
    return lambda _nonce: said


@contextmanager
def served(folder: Path) -> Iterator[Device]:
    folder.mkdir()
    made = Device(folder / "chip-0.sock", honest(CHIP))
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(os.fspath(made.path))
        listener.listen()
        thread = threading.Thread(target=made.serve, args=(listener,), daemon=True)
        thread.start()
        try:
            yield made
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


@contextmanager
def agent(folder: Path, verifier: Verifier, devices: Path) -> Iterator[None]:
    enrol = ("agent", "enrol", "--data", folder, "--verifier", verifier.url, "--evidence", devices)
    command(*enrol, "--code", verifier.invite())
    with (folder.parent / "agent.log").open("wb") as log:
        process = subprocess.Popen([*COMMAND, "agent", "run", "--data", str(folder)], stdout=log, stderr=log)
        try:
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=20)


def said_of(verifier: Verifier, tier: str, standing: str, *kinds: str) -> dict[str, Any]:
    """What is said of the chip, once it is this."""

    def found() -> dict[str, Any] | None:
        (one,) = verifier.standings()
        has = {finding["kind"] for finding in one["findings"]}
        return one if (one["tier"], one["standing"]) == (tier, standing) and has >= {*kinds} else None

    return waited(found, within_s=60)


@pytest.mark.long
def test_what_a_device_says_decides_whether_a_session_is_about_its_chip(tmp_path: Path) -> None:
    options = ("--every", "2s", "--window", "2s", "--silent-after", "600s")
    with (
        world(tmp_path, more=options, device_root=FOUNDRY.root_pem) as there,
        served(tmp_path / "devices") as chip,
        agent(tmp_path / "agent", there.verifier, tmp_path / "devices"),
    ):
        told = said_of(there.verifier, "A1", "verified")
        assert (told["device"]["product"], told["device"]["is_simulated"]) == ("GH100", True)
        assert told["chip_id"] == CHIP.chip_id.hex()

        # Answers from a store: never the chip's word, never an accusation.
        chip.says = replayed(CHIP, chip.asked[-1])
        said_of(there.verifier, "A0", "undetermined", "report_refused")
        chip.says = honest(CHIP)
        said_of(there.verifier, "A1", "verified", "report_refused")

        # Another genuine chip in its place.
        chip.says = honest(device("other"))
        said_of(there.verifier, "A0", "undetermined", "foreign_chip", "report_missing")

        chip.says = garbage(CHIP)
        said_of(there.verifier, "A0", "undetermined", "report_refused")

        # Other firmware is the same chip.
        chip.says = honest(UPDATED)
        told = said_of(there.verifier, "A1", "verified", "firmware_changed")
        assert told["lead"] is None
        assert "tampered" not in {one["standing"] for one in there.verifier.standings()}
        assert len(set(chip.asked)) == len(chip.asked)
