"""A host's TPM makes its key once and quotes every nonce with it; where it cannot, the reason is told exactly."""

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from lightbound.attestation.tpm.quotes import verified_quote
from lightbound.errors import ErrorCode, Malformed, Unavailable
from lightbound.net.evidence_socket import asked
from lightbound.roles.evidence import sources
from lightbound.roles.evidence.tpm import HANDLE, REGISTERS, HostTpm
from tests.attestation.tpm.software import UNRESTRICTED, Tpm, needs_swtpm, tpm
from tests.roles.evidence.standing_in import serving

NONCE: Final = hashlib.sha256(b"N0").digest()


@pytest.fixture
def made() -> Iterator[Tpm]:
    with tpm() as running:
        yield running


def host(made: Tpm, registers: str = REGISTERS) -> HostTpm:
    return HostTpm(within_s=60.0, tcti=made.tcti, registers=registers)


def program(folder: Path, name: str, script: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


@contextmanager
def _nobody() -> Iterator[None]:
    """What access(2) asks about is the real user: somebody else, where it is root, who may open everything."""
    real, effective, saved = os.getresuid()
    os.setresuid(real or 65_534, effective, saved)
    try:
        yield
    finally:
        os.setresuid(real, effective, saved)


@needs_swtpm
def test_a_host_quotes_with_the_key_that_it_made(made: Tpm) -> None:
    name = host(made).make_key()
    found = verified_quote(host(made).quote(NONCE), key=name, qualifying=NONCE)
    assert found.pcrs == made.registers(REGISTERS)
    assert [(one.bank.bank, one.indexes) for one in found.selection] == [("sha256", tuple(range(8)))]


@needs_swtpm
def test_registers_of_two_banks_are_each_told(made: Tpm) -> None:
    made.tool("pcrextend", "16:sha256=" + "5a" * 32 + ",sha384=" + "a5" * 48)
    name = host(made).make_key()
    for registers in ("sha256:0,16+sha384:7,16", "sha384:16+sha256:0,1,2"):
        found = verified_quote(host(made, registers).quote(NONCE), key=name, qualifying=NONCE)
        one, _, other = registers.partition("+")
        assert found.pcrs == {**made.registers(one), **made.registers(other)}


@needs_swtpm
def test_the_key_is_made_once_and_is_the_same_after_a_reset_and_after_it_was_cleared(made: Tpm) -> None:
    name = host(made).make_key()
    assert host(made).make_key() == name
    made.stop()
    made.start()
    assert verified_quote(host(made).quote(NONCE), key=name, qualifying=NONCE).reset_count == 2
    made.tool("clear", "-c", "p")
    with pytest.raises(Unavailable, match="no key at 0x81014c42"):
        host(made).quote(NONCE)
    assert host(made).make_key() == name


@needs_swtpm
def test_nothing_is_left_in_a_tpm_without_a_resource_manager(made: Tpm) -> None:
    host(made).make_key()
    for _ in range(5):  # it has room for three keys
        host(made).quote(NONCE)
    assert made.tool("getcap", "handles-transient") == b""
    assert made.tool("getcap", "handles-persistent").split() == [b"-", f"{HANDLE:#X}".replace("X", "x").encode()]


@needs_swtpm
def test_a_tpm_locked_by_wrong_passwords_still_quotes(made: Tpm) -> None:
    name = host(made).make_key()
    made.tool("dictionarylockout", "-s", "-n", "1", "-t", "1000", "-l", "1000")
    guarded = UNRESTRICTED.replace("|noda", "")
    made.tool("createprimary", "-Q", "-C", "o", "-G", "ecc256", "-a", guarded, "-p", "right", "-c", "guarded")
    made.tool("flushcontext", "-t")
    for _ in range(2):
        (made.folder / "data").write_bytes(b"data")
        tried = made.tried("sign", "-c", "guarded", "-p", "wrong", "-g", "sha256", "-o", "out", "data")
        made.tool("flushcontext", "-t")
    assert b"lockout" in tried.stderr
    assert verified_quote(host(made).quote(NONCE), key=name, qualifying=NONCE)  # type: ignore[truthy-bool]


@needs_swtpm
def test_a_host_without_a_key_says_so(made: Tpm) -> None:
    with pytest.raises(Unavailable, match=r"no key at 0x81014c42; make the host's key first"):
        host(made).quote(NONCE)


@needs_swtpm
def test_a_number_that_another_key_has_is_not_used(made: Tpm) -> None:
    made.key("loose", attributes=UNRESTRICTED)
    made.tool("evictcontrol", "-Q", "-C", "o", "-c", "loose", f"{HANDLE:#x}")
    made.tool("flushcontext", "-t")
    for ask in (host(made).make_key, lambda: host(made).quote(NONCE)):
        with pytest.raises(Unavailable, match="name another handle"):
            ask()


@needs_swtpm
def test_an_owner_with_a_password_is_told_that_he_makes_the_key_and_nothing_is_left(made: Tpm) -> None:
    made.tool("changeauth", "-c", "owner", "secret")
    with pytest.raises(Unavailable, match="has a password; whoever set it makes the key"):
        host(made).make_key()
    assert made.tool("getcap", "handles-transient") == b""


@needs_swtpm
def test_a_host_answers_on_its_socket_with_what_the_verifier_believes(made: Tpm, tmp_path: Path) -> None:
    name = host(made).make_key()
    with serving(tmp_path / "host", sources.Host(tpm=host(made))):
        document = asked(tmp_path / "host", NONCE).quote
    assert verified_quote(document, key=name, qualifying=NONCE).key_name == name


@needs_swtpm
def test_a_tpm_that_is_off_is_told(made: Tpm) -> None:
    made.stop()
    with pytest.raises(Unavailable, match=r"Could not load tcti.*see that the TPM is there"):
        host(made).quote(NONCE)


def test_a_host_without_tpm2_tools_says_which_package_to_install(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=f"no {tmp_path}/tpm2_readpublic; install the package tpm2-tools"):
        HostTpm(within_s=5.0, tcti="swtpm:path=/nowhere", tools=tmp_path).quote(NONCE)


def test_a_host_without_a_tpm_says_so(tmp_path: Path) -> None:
    device = tmp_path / "tpmrm0"
    with pytest.raises(Unavailable, match=f"no {device}; turn the TPM on"):
        HostTpm(within_s=5.0, tcti=f"device:{device}").quote(NONCE)


def test_a_host_that_may_not_open_its_tpm_says_so(tmp_path: Path) -> None:
    device = tmp_path / "tpmrm0"
    device.touch(mode=0)
    with (
        _nobody(),
        pytest.raises(Unavailable, match=f"no right to open {device}; run this as root, or in the group tss"),
    ):
        HostTpm(within_s=5.0, tcti=f"device:{device}").quote(NONCE)


def test_a_tool_that_says_nothing_is_ended_in_time(tmp_path: Path) -> None:
    program(tmp_path, "tpm2_readpublic", "exec sleep 600")
    with pytest.raises(Unavailable, match=r"no answer of tpm2_readpublic within 0\.2 s"):
        HostTpm(within_s=0.2, tcti="swtpm:path=/nowhere", tools=tmp_path).quote(NONCE)


@pytest.mark.parametrize("ask", [HostTpm.make_key, lambda host: host.quote(NONCE)], ids=["make_key", "quote"])
def test_a_host_without_room_for_temporary_files_says_so(
    ask: Callable[[HostTpm], bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    with pytest.raises(Unavailable, match="no folder for what the tools write: No such file or directory"):
        ask(HostTpm(within_s=5.0, tcti="swtpm:path=/nowhere"))


def test_a_tool_that_others_could_have_changed_is_not_run(tmp_path: Path) -> None:
    program(tmp_path, "tpm2_readpublic", "exit 0")
    (tmp_path / "tpm2_readpublic").chmod(0o777)
    with pytest.raises(Unavailable, match="that others could have changed; chown root"):
        HostTpm(within_s=5.0, tcti="swtpm:path=/nowhere", tools=tmp_path).quote(NONCE)


def test_tools_that_write_no_quote_give_none(tmp_path: Path) -> None:
    program(tmp_path, "tpm2_readpublic", "exit 0")
    with pytest.raises(Unavailable, match="no output of tpm2_readpublic"):
        HostTpm(within_s=5.0, tcti="swtpm:path=/nowhere", tools=tmp_path).quote(NONCE)
    program(tmp_path, "tpm2_readpublic", 'while [ "$1" != -o ]; do shift; done; echo public > "$2"')
    program(tmp_path, "tpm2_quote", "while [ $# -gt 1 ]; do case $1 in -m|-s|-o) echo x > $2;; esac; shift; done")
    with pytest.raises(Unavailable, match="a quote that does not hold"):
        HostTpm(within_s=5.0, tcti="swtpm:path=/nowhere", tools=tmp_path).quote(NONCE)


@pytest.mark.parametrize(
    "registers",
    ["", "sha1:0", "sha256", "sha256:", "sha256:24", "sha256:1,0", "sha256:1,1", "sha256:0+sha256:1", "sha256:all"],
)
def test_a_selection_that_could_be_read_in_two_ways_is_no_setting(registers: str) -> None:
    with pytest.raises(Malformed) as caught:
        HostTpm(within_s=5.0, registers=registers)
    assert caught.value.faults[0].code == ErrorCode.SETTING_MALFORMED
