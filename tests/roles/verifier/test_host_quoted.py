"""A session that the host's TPM signed too (tier A2): what it takes, what takes it away, and what it does not stop.

TPMs are of software and chips are simulated; the agent's root of trust asks them through sockets, as in earnest.
"""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from lightbound.keys.purposes import Purpose
from lightbound.net.evidence_socket import Answer, ChipEvidence, HostEvidence, asked, write_answer
from lightbound.roles.agent.attested_root import HOST, AttestedRoot, found_devices
from lightbound.roles.evidence import sources
from lightbound.roles.evidence.answering import Source
from lightbound.roles.evidence.serving import listening
from lightbound.roles.evidence.tpm import HostTpm
from lightbound.roles.verifier.settings import HOUR_NS
from lightbound.sim.devices.foundry import SimulatedDevice
from tests.attestation.tpm.software import Tpm, needs_swtpm, tpm
from tests.ranging.parties import key
from tests.roles.evidence.standing_in import serving
from tests.roles.verifier.hosts import device
from tests.roles.verifier.virtual import Virtual, virtual

pytestmark = needs_swtpm

CHIP = device("one")


@dataclass(frozen=True, slots=True)
class Signing:
    """A simulated chip, as a source of evidence."""

    device: SimulatedDevice

    def evidence(self, nonce: bytes) -> Answer:
        """Its report over the nonce."""
        return ChipEvidence(report=self.device.report(nonce), chain=self.device.chain)


@dataclass(frozen=True, slots=True)
class Relayed:
    """A device that is elsewhere, asked through its own socket there."""

    there: Path

    def evidence(self, nonce: bytes) -> Answer:
        """What it says there."""
        return asked(self.there, nonce).answer


@pytest.fixture
def verifier(tmp_path: Path) -> Iterator[Virtual]:
    with virtual(tmp_path / "verifier") as made:
        yield made


@pytest.fixture
def own() -> Iterator[Tpm]:
    with tpm() as running:
        HostTpm(within_s=60.0, tcti=running.tcti).make_key()
        yield running


@pytest.fixture
def other() -> Iterator[Tpm]:
    with tpm() as running:
        yield running


def of(made: Tpm) -> sources.Host:
    return sources.Host(tpm=HostTpm(within_s=60.0, tcti=made.tcti))


@contextmanager
def served(folder: Path, host: Source | None, chip: Source | None = None) -> Iterator[Path]:
    """The sockets of a host, as the units of systemd would serve them."""
    folder.mkdir(exist_ok=True)
    with ExitStack() as stack:
        stack.enter_context(serving(folder / "chip-0.sock", chip or Signing(CHIP)))
        if host is not None:
            stack.enter_context(serving(folder / HOST, host))
        yield folder


@contextmanager
def replaying(path: Path, quote: bytes) -> Iterator[None]:
    """A socket that answers one question, whatever it is, with this quote."""
    with listening(path) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(32)
                connection.sendall(write_answer(HostEvidence(quote=quote)))

        thread = threading.Thread(target=serve)
        thread.start()
        yield
        thread.join(20)
        assert not thread.is_alive()


def root_of(name: str, folder: Path) -> AttestedRoot:
    """The root of trust of an agent that finds these sockets."""
    return AttestedRoot(key=key(Purpose.ENROLMENT, name), devices=found_devices(folder))


def said(verifier: Virtual) -> tuple[str, str, list[str]]:
    told: dict[str, Any] = verifier.standing_of(CHIP.chip_id)
    return told["standing"], told["tier"], [one["kind"] for one in told["findings"]]


def assurance(verifier: Virtual) -> dict[str, list[str]]:
    told: dict[str, Any] = verifier.standing_of(CHIP.chip_id)
    given: dict[str, list[str]] = told["verdict"]["assurance"]
    return given


def test_a_session_that_the_enrolled_tpm_quoted_is_a2_with_what_that_leaves_open(
    verifier: Virtual, own: Tpm, tmp_path: Path
) -> None:
    with served(tmp_path / "host", of(own)) as folder:
        root = root_of("a", folder)
        verifier.answer(verifier.enrol_with("a", root), host=root)
    assert said(verifier) == ("verified", "A2", [])
    assert assurance(verifier) == {
        "tier": "A2",
        "reasons": ["chip_signed_session", "host_quoted_session", "measurements_match", "simulated_chip"],
        "does_not_show": ["after_window", "genuine_chip", "host_beside_chip", "key_beside_chip", "key_not_copied"],
    }


def test_a_session_that_another_hosts_tpm_quoted_is_a1_and_the_next_of_the_own_is_a2_again(
    verifier: Virtual, own: Tpm, other: Tpm, tmp_path: Path
) -> None:
    HostTpm(within_s=60.0, tcti=other.tcti).make_key()
    with served(tmp_path / "host", of(own)) as folder:
        root = root_of("a", folder)
        agent = verifier.enrol_with("a", root)
    with served(tmp_path / "host", of(other)):
        verifier.answer(agent, host=root)
    assert said(verifier) == ("verified", "A1", ["quote_refused"])
    assert "no_quote" in assurance(verifier)["reasons"]
    assert "which_host" in assurance(verifier)["does_not_show"]
    verifier.later(2 * HOUR_NS)
    with served(tmp_path / "host", of(own)):
        verifier.answer(agent, host=root)
    assert said(verifier) == ("verified", "A2", ["quote_refused"])


def test_an_old_quote_of_the_own_tpm_is_refused(verifier: Virtual, own: Tpm, tmp_path: Path) -> None:
    with served(tmp_path / "host", of(own)) as folder:
        root = root_of("a", folder)
        agent = verifier.enrol_with("a", root)
        old = asked(folder / HOST, bytes(32)).quote
    with served(tmp_path / "host", None), replaying(tmp_path / "host" / HOST, old):
        verifier.answer(agent, host=root)
    assert said(verifier) == ("verified", "A1", ["quote_refused"])


def test_a_host_that_quoted_at_enrolment_and_does_not_in_a_session_is_a1(
    verifier: Virtual, own: Tpm, tmp_path: Path
) -> None:
    with served(tmp_path / "host", of(own)) as folder:
        root = root_of("a", folder)
        agent = verifier.enrol_with("a", root)
        own.stop()
        (silent,) = root.gathered(bytes(32)).silent
        assert "see that the TPM is there" in silent
        verifier.answer(agent, host=root)
    assert said(verifier) == ("verified", "A1", ["quote_missing"])
    assert "no_quote" in assurance(verifier)["reasons"]


def test_a_host_that_enrolled_without_a_quote_gains_nothing_by_bringing_one_later(
    verifier: Virtual, own: Tpm, tmp_path: Path
) -> None:
    """Nothing was pinned that it could be held to: anybody's TPM would do. It enrols anew."""
    with served(tmp_path / "host", None) as folder:
        root = root_of("a", folder)
        agent = verifier.enrol_with("a", root)
        verifier.answer(agent, host=root)
    assert said(verifier) == ("verified", "A1", [])
    verifier.later(2 * HOUR_NS)
    with served(tmp_path / "host", of(own)) as folder:
        quoting = replace(root, devices=replace(root.devices, has_host=True))
        assert quoting.gathered(bytes(32)).evidence.quote is not None
        verifier.answer(agent, host=quoting)
    assert said(verifier) == ("verified", "A1", [])
    assert "no_quote" in assurance(verifier)["reasons"]


def test_a_quote_that_is_relayed_from_abroad_wins(verifier: Virtual, own: Tpm, tmp_path: Path) -> None:
    """What A2 does not stop: chips and TPM stand abroad, and a machine at the licensed site passes the nonces on.

    It has a copy of the agent's key, and answers the landmarks itself as quickly as the site would. Everything that it
    brings is genuine: the quote is by the pinned key, over this session's N0. Only `does_not_show` speaks of it.
    """
    with served(tmp_path / "abroad", of(own)) as abroad:
        agent = verifier.enrol_with("a", root_of("a", abroad))
        with served(tmp_path / "site", Relayed(abroad / HOST), Relayed(abroad / "chip-0.sock")) as site:
            verifier.answer(agent, host=root_of("a", site))
    told: dict[str, Any] = verifier.standing_of(CHIP.chip_id)
    assert said(verifier) == ("verified", "A2", [])
    assert told["verdict"]["licensed"]["verdict"] == "within"
    assert {"host_beside_chip", "key_beside_chip", "key_not_copied"} <= {*assurance(verifier)["does_not_show"]}


def test_a_quote_relayed_from_a_host_that_is_not_the_enrolled_one_does_not_win(
    verifier: Virtual, own: Tpm, other: Tpm, tmp_path: Path
) -> None:
    """The relay needs the enrolled TPM itself: another machine's, however genuine, is told from it."""
    HostTpm(within_s=60.0, tcti=other.tcti).make_key()
    with served(tmp_path / "abroad", of(other)) as abroad, served(tmp_path / "host", of(own)) as folder:
        agent = verifier.enrol_with("a", root_of("a", folder))
        with served(tmp_path / "site", Relayed(abroad / HOST)) as site:
            verifier.answer(agent, host=root_of("a", site))
    assert said(verifier) == ("verified", "A1", ["quote_refused"])
