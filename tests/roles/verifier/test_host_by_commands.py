"""Tier A2 by the commands that its owner gives: a key, a socket, an enrolment; and what takes it away while it runs."""

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from lightbound.roles.agent.attested_root import HOST
from tests.attestation.tpm.software import Tpm, needs_swtpm, tpm
from tests.roles.evidence.standing_in import serving
from tests.roles.landmark.running import COMMAND
from tests.roles.verifier.hosts import FOUNDRY
from tests.roles.verifier.running import Verifier, command, waited, world
from tests.roles.verifier.test_host_quoted import CHIP, Signing

pytestmark = needs_swtpm


@contextmanager
def process(folder: Path, *arguments: object) -> Iterator[None]:
    """A command that runs until the block ends, and then ends well."""
    with (folder / "log").open("ab") as log:
        started = subprocess.Popen([*COMMAND, *map(str, arguments)], stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    try:
        yield
        started.send_signal(signal.SIGTERM)
        assert started.wait(timeout=20) == 0, (folder / "log").read_text()
    finally:
        if started.poll() is None:
            started.kill()
            started.wait()


@contextmanager
def host_served(sockets: Path, made: Tpm) -> Iterator[None]:
    """`evidence serve` for the host, once it is there."""
    path = sockets / HOST
    with process(sockets.parent, "evidence", "serve", "--socket", path, "--tcti", made.tcti):
        waited(lambda: path.exists() or None)
        yield


def said(verifier: Verifier, tier: str, *kinds: str) -> dict[str, Any]:
    """What the verifier says of the chip, once the tier is this and such findings were made."""

    def found() -> dict[str, Any] | None:
        (one,) = verifier.standings()
        return one if one["tier"] == tier and {each["kind"] for each in one["findings"]} >= {*kinds} else None

    return waited(found, within_s=60.0)


@pytest.mark.long
def test_a_host_reaches_a2_by_the_commands_of_the_manual_and_loses_it_with_its_tpm(tmp_path: Path) -> None:
    sockets, agent = tmp_path / "sockets", tmp_path / "agent"
    sockets.mkdir()
    options = ("--every", "2s", "--window", "2s", "--silent-after", "600s")
    with (
        tpm() as own,
        tpm() as other,
        world(tmp_path, more=options, device_root=FOUNDRY.root_pem) as there,
        serving(sockets / "chip-0.sock", Signing(CHIP)),
    ):
        enrol = ("agent", "enrol", "--data", agent, "--verifier", there.verifier.url, "--evidence", sockets)
        code = there.verifier.invite()
        with host_served(sockets, own):
            # Nobody enrols as if there were no TPM: the key would be missing from what is pinned for good.
            refused = subprocess.run(
                [*COMMAND, *map(str, enrol), "--code", code], capture_output=True, text=True, timeout=60, check=False
            )
            assert refused.returncode == 5
            assert "no key at 0x81014c42" in refused.stderr
            assert "`lightbound evidence host-key`" in refused.stderr
            command("evidence", "host-key", "--tcti", own.tcti)
            command(*enrol, "--code", code)
            assert "A2: the chips sign each session, and so does the host's TPM" in command(
                "agent", "doctor", "--data", agent
            )
            with process(tmp_path, "agent", "run", "--data", agent):
                told = said(there.verifier, "A2")
                assert (told["standing"], told["findings"]) == ("verified", [])
                assert "host_quoted_session" in told["verdict"]["assurance"]["reasons"]
        with process(tmp_path, "agent", "run", "--data", agent):
            told = said(there.verifier, "A1", "quote_missing")
            assert told["standing"] == "verified"
            command("evidence", "host-key", "--tcti", other.tcti)
            with host_served(sockets, other):
                assert said(there.verifier, "A1", "quote_refused")["standing"] == "verified"
            with host_served(sockets, own):
                assert said(there.verifier, "A2")["standing"] == "verified"
