"""`lightbound evidence collect`, `answer` and `serve`, with sockets and processes."""

import base64
import json
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lightbound.attestation.chains import DeviceRoots
from lightbound.attestation.genuine import genuine_report
from lightbound.attestation.tpm.quotes import verified_quote
from lightbound.cli import evidence_host, evidence_serving
from lightbound.cli.evidence_device import ByChoice
from lightbound.errors import ErrorCode, LightboundError, Malformed, Unavailable
from lightbound.net.evidence_socket import asked
from lightbound.roles.agent import attested_root
from lightbound.roles.evidence import answering, tpm
from lightbound.roles.evidence.sources import By
from tests.attestation.tpm.software import needs_swtpm
from tests.attestation.tpm.software import tpm as software_tpm
from tests.conftest import ROOT
from tests.roles.evidence.program import app
from tests.roles.evidence.standing_in import CHAIN, Chip, Host, Mute, report, serving
from tests.roles.evidence.test_collector import collector
from tests.roles.evidence.test_nvml import GCC, library

NONCE = bytes(range(32))
NODE = ROOT.parent / "shared/evidence/node8/gpu_evidence.json"
ACTIVATE = shutil.which("systemd-socket-activate")
PROGRAM = [sys.executable, "-m", "tests.roles.evidence.program"]

needs_gcc = pytest.mark.skipif(GCC is None, reason="needs gcc, to make a library that stands in for the driver's")


def told(*arguments: object) -> tuple[int, str, LightboundError | None]:
    """Exit code, output and error of ours of one command."""
    result = CliRunner().invoke(app, [str(one) for one in arguments])
    assert result.exception is None or isinstance(result.exception, LightboundError | SystemExit), result.exception
    error = result.exception if isinstance(result.exception, LightboundError) else None
    return result.exit_code, result.output, error


def test_the_mirrors_are_true() -> None:
    assert [one.value for one in ByChoice] == [one.value for one in By]
    assert evidence_serving.WITHIN_S == answering.WITHIN_S
    assert evidence_serving.HOST == attested_root.HOST
    host = tpm.HostTpm(within_s=1.0)
    assert f"{host.handle:#x}" == evidence_host.HANDLE
    assert (host.tcti, host.registers) == (evidence_host.TCTI, evidence_host.REGISTERS)


def test_chips_are_collected_from_their_sockets_in_the_shape_of_the_vendor(tmp_path: Path) -> None:
    out = tmp_path / "evidence.json"
    with serving(tmp_path / "a", Chip(tail=b"a")), serving(tmp_path / "b", Chip(tail=b"b")):
        code, output, _ = told(
            *("collect", "--socket", tmp_path / "b", "--socket", tmp_path / "a", "--nonce", NONCE.hex(), "--out", out)
        )
    assert code == 0
    assert f"2 chips signed {NONCE.hex()}" in output
    assert f"evidence verify {out} --nonce {NONCE.hex()}" in output
    assert json.loads(out.read_text()) == [
        {
            "version": "1.0",
            "arch": "UNKNOWN",
            "nonce": NONCE.hex(),
            "evidence": base64.b64encode(report(NONCE, tail)).decode(),
            "certificate": base64.b64encode(CHAIN).decode(),
        }
        for tail in (b"b", b"a")
    ]


def test_without_a_nonce_each_collection_has_its_own(tmp_path: Path) -> None:
    outs = [tmp_path / "one.json", tmp_path / "other.json"]
    with serving(tmp_path / "chip", Chip()):
        assert [told("collect", "--socket", tmp_path / "chip", "--out", out)[0] for out in outs] == [0, 0]
    nonces = [json.loads(out.read_text())[0]["nonce"] for out in outs]
    assert len(set(nonces)) == 2
    assert all(len(nonce) == 64 for nonce in nonces)


def test_all_chips_give_evidence_or_nothing_is_written(tmp_path: Path) -> None:
    out = tmp_path / "evidence.json"
    with serving(tmp_path / "chip", Chip()), serving(tmp_path / "mute", Mute()):
        sockets = [word for name in ("chip", "mute", "nowhere") for word in ("--socket", tmp_path / name)]
        _, _, error = told("collect", *sockets, "--out", out)
    assert isinstance(error, Unavailable)
    assert ["no NVIDIA driver" in str(fault) for fault in error.faults] == [True, False]
    assert "no such socket" in str(error.faults[1])
    assert not out.exists()


def test_a_host_is_no_chip(tmp_path: Path) -> None:
    with serving(tmp_path / "host", Host()):
        _, _, error = told("collect", "--socket", tmp_path / "host")
    assert isinstance(error, Malformed)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["collect", "--nonce", "00"], "64 hexadecimal digits"),
        (["collect", "--socket", "x", "--device", "0"], "not both"),
        (["collect", "--device", "-1"], "greater than or equal to 0"),
        (["collect", "--out", "/nowhere/file"], "there is no folder"),
        (["answer"], "standard input is no connection"),
        (["serve", "--socket", "x"], "neither chip-N.sock nor host.sock"),
        (["serve", "--socket", "chip-1024.sock"], "--device"),
        (["serve", "--socket", "/x/host.sock", "--device", "0"], "no chip answers there"),
        (["serve", "--socket", "/x/host.sock", "--handle", "0x80000001"], "from 0x81000000 to 0x817fffff"),
        (["host-key", "--handle", "one"], "from 0x81000000 to 0x817fffff"),
    ],
)
def test_a_wrong_use_is_told_with_what_was_expected(arguments: list[str], says: str) -> None:
    code, output, _ = told(*arguments)
    assert code == 2
    assert says in output


def test_a_host_without_sockets_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("lightbound.cli.evidence_collect.FOLDER", tmp_path)
    _, _, error = told("collect")
    assert error is not None
    assert error.faults[0].code is ErrorCode.DEVICE_SILENT
    assert "--device 0" in str(error.faults[0])


@needs_gcc
def test_chips_are_asked_themselves(tmp_path: Path) -> None:
    words = ["collect", "--device", 1, "--device", 0, "--nonce", NONCE.hex(), "--library", library(tmp_path)]
    _, output, _ = told(*words)
    reports = [base64.b64decode(one["evidence"]) for one in json.loads(output)]
    assert [one[:38] for one in reports] == [report(NONCE, b"\1"), report(NONCE, b"\0")]


def test_a_collector_that_answers_from_a_store_is_found_out(tmp_path: Path) -> None:
    program = collector(tmp_path, "nonce = bytes(32); document['evidences'] = [entry(0)]; print(json.dumps(document))")
    _, _, error = told("collect", "--device", 0, "--by", "nvattest", "--collector", program)
    assert error is not None
    assert "evidence over another" in str(error.faults[0])


@pytest.mark.skipif(not NODE.is_file(), reason="needs the vendor's samples of a node, shared/evidence/node8")
def test_what_a_real_chip_signed_comes_through_socket_and_file_as_it_was(tmp_path: Path) -> None:
    node = json.loads(NODE.read_text())
    body = f"document['evidences'] = json.load(open({str(NODE)!r})); print(json.dumps(document))"
    program = collector(tmp_path, body)
    nonce = bytes.fromhex(node[3]["nonce"])
    with served(tmp_path / "chip-3.sock", "--device", "3", "--by", "nvattest", "--collector", str(program)):
        code, output, _ = told("collect", "--socket", tmp_path / "chip-3.sock", "--nonce", nonce.hex())
    assert code == 0
    (entry,) = json.loads(output)
    assert entry == {name: node[3][name] for name in ("version", "arch", "nonce", "evidence", "certificate")}
    genuine = genuine_report(
        base64.b64decode(entry["evidence"]),
        base64.b64decode(entry["certificate"]),
        roots=DeviceRoots.of((), with_vendors=True),
        nonce=nonce,
    )
    assert genuine.is_fresh
    assert genuine.device.product == "GH100"


def wait_for(path: Path, within_s: float = 30.0) -> None:
    """Return once somebody listens at a path; a socket is there before it is listened on."""
    give_up = time.monotonic() + within_s
    while True:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as made:
            try:
                made.connect(str(path))
            except (FileNotFoundError, ConnectionRefusedError):
                assert time.monotonic() < give_up, path
            else:
                return
        time.sleep(0.02)


@contextmanager
def served(path: Path, *arguments: str, ends_by: int = signal.SIGTERM, code: int = 0) -> Iterator[None]:
    """`evidence serve` as a process, until a signal."""
    words = [*PROGRAM, "serve", "--socket", str(path), *arguments]
    with subprocess.Popen(words, cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        try:
            wait_for(path)
            yield
            process.send_signal(ends_by)
            assert process.wait(30) == code
        finally:
            process.kill()


@needs_gcc
@pytest.mark.parametrize(("ends_by", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_a_socket_is_served_until_a_signal_and_taken_away(tmp_path: Path, ends_by: int, code: int) -> None:
    path = tmp_path / "chip.sock"
    with served(path, "--device", "1", "--library", library(tmp_path), ends_by=ends_by, code=code):
        for nonce in (NONCE, bytes(32)):
            answered = asked(path, nonce)
            assert answered.report[:38] == report(nonce, b"\1")
            assert answered.chain == b"chain 1"
    assert not path.exists()


@needs_gcc
@pytest.mark.skipif(ACTIVATE is None, reason="needs systemd-socket-activate, which starts a process for a connection")
@pytest.mark.parametrize("device", [0, 1])
def test_a_process_for_one_connection_knows_its_chip_by_the_name_of_the_socket(tmp_path: Path, device: int) -> None:
    assert ACTIVATE is not None
    path = tmp_path / f"chip-{device}.sock"
    words = [ACTIVATE, f"--listen={path}", "--accept", "--inetd", "--setenv=PYTHONPATH=" + str(ROOT), *PROGRAM]
    with subprocess.Popen([*words, "answer", "--library", library(tmp_path)], cwd=ROOT) as process:
        try:
            wait_for(path)
            for nonce in (NONCE, bytes(32)):
                answered = asked(path, nonce)
                assert answered.report[:38] == report(nonce, bytes([device]))
                assert answered.chain == b"chain %d" % device
        finally:
            process.terminate()
            process.wait(30)


# -- the host, by its TPM ------------------------------------------------------------------------------------------


@needs_swtpm
def test_the_key_that_a_command_makes_is_the_one_that_the_hosts_socket_quotes_with(tmp_path: Path) -> None:
    path = tmp_path / "host.sock"
    with software_tpm() as made:
        words = ["host-key", "--tcti", made.tcti, "--registers", "sha256:0,7"]
        first, again = told(*words), told(*words, "--json")
        assert (first[0], again[0]) == (0, 0)
        name = json.loads(again[1])["name"]
        assert f"kept by its TPM at 0x81014c42: {name}\n" in first[1]
        with served(path, "--tcti", made.tcti, "--registers", "sha256:0,7"):
            for nonce in (NONCE, bytes(32)):
                quote = verified_quote(asked(path, nonce).quote, key=bytes.fromhex(name), qualifying=nonce)
                assert [(one.bank.bank, one.indexes) for one in quote.selection] == [("sha256", (0, 7))]
        assert not path.exists()


@needs_swtpm
@pytest.mark.skipif(ACTIVATE is None, reason="needs systemd-socket-activate, which starts a process for a connection")
def test_a_process_for_one_connection_knows_by_the_name_of_the_socket_that_it_is_the_host(tmp_path: Path) -> None:
    """With the settings from the environment, where a unit has them."""
    assert ACTIVATE is not None
    path = tmp_path / "host.sock"
    with software_tpm() as made:
        code, output, _ = told("host-key", "--tcti", made.tcti, "--handle", "0x81010009", "--json")
        assert code == 0
        # The number is where it is kept, and no part of what it is.
        assert json.loads(told("host-key", "--tcti", made.tcti, "--json")[1])["name"] == json.loads(output)["name"]
        settings = {"TCTI": made.tcti, "HANDLE": "0x81010009", "REGISTERS": "sha256:0"}
        given = [f"--setenv=LIGHTBOUND_EVIDENCE_{name}={value}" for name, value in settings.items()]
        words = [ACTIVATE, f"--listen={path}", "--accept", "--inetd", "--setenv=PYTHONPATH=" + str(ROOT), *given]
        with subprocess.Popen([*words, *PROGRAM, "answer"], cwd=ROOT) as process:
            try:
                wait_for(path)
                name = bytes.fromhex(json.loads(output)["name"])
                quote = verified_quote(asked(path, NONCE).quote, key=name, qualifying=NONCE)
                assert [(one.bank.bank, one.indexes) for one in quote.selection] == [("sha256", (0,))]
            finally:
                process.terminate()
                process.wait(30)


@needs_swtpm
def test_whoever_asks_a_host_without_a_key_is_told_the_command_that_makes_it(tmp_path: Path) -> None:
    path = tmp_path / "host.sock"
    with (
        software_tpm() as made,
        served(path, "--tcti", made.tcti),
        pytest.raises(Unavailable, match=r"no key at 0x81014c42; .* `lightbound evidence host-key`"),
    ):
        asked(path, NONCE)


@needs_swtpm
def test_a_bank_that_is_turned_off_is_found_out_when_the_key_is_made() -> None:
    with software_tpm() as made:
        made.tool("pcrallocate", "-Q", "sha256:all+sha1:none+sha384:none+sha512:none")
        made.stop()
        made.start()
        _, _, error = told("host-key", "--tcti", made.tcti, "--registers", "sha384:0,7")
    assert isinstance(error, Unavailable)
    assert "name registers of a bank that the firmware has turned on" in str(error.faults[0])


def test_registers_that_are_none_are_told_before_anything_is_asked() -> None:
    for words in (["host-key"], ["serve", "--socket", "host.sock"]):
        _, _, error = told(*words, "--registers", "sha1:0")
        assert isinstance(error, Malformed)
        assert error.faults[0].code is ErrorCode.SETTING_MALFORMED
