"""The vendor's collector is a child that answers well, or is done away with and told about."""

import json
import os
import sys
import time
from pathlib import Path

import pytest

from lightbound.errors import LightboundError, Unavailable
from lightbound.net.evidence_socket import ChipEvidence
from lightbound.roles.evidence.collector import CollectedChip, Reading, found_collector
from tests.roles.evidence.standing_in import CHAIN, REQUEST, report

NONCE = bytes(range(32))

WELL = f"""
nonce = bytes.fromhex(sys.argv[sys.argv.index("--nonce") + 1])
def entry(number):
    evidence = {REQUEST!r} + nonce + b"\\0" + b"chip %d" % number
    return {{"arch": "HOPPER", "nonce": nonce.hex(), "version": "1.0",
            "evidence": base64.b64encode(evidence).decode(), "certificate": base64.b64encode({CHAIN!r}).decode()}}
document = {{"evidences": [entry(number) for number in range(3)], "result_code": 0, "result_message": "Ok"}}
"""


def collector(folder: Path, body: str) -> Path:
    """A program that stands in for `nvattest`."""
    path = folder / "nvattest"
    path.write_text(f"#!{sys.executable} -I\nimport base64, json, os, signal, subprocess, sys, time\n{WELL}\n{body}\n")
    path.chmod(0o755)
    return path


def chip(program: Path, device: int = 0, *, within_s: float = 20.0, reading: Reading = Reading.NVML) -> CollectedChip:
    return CollectedChip(device=device, collector=program, reading=reading, within_s=within_s)


def silence(program: Path, device: int = 0, *, within_s: float = 20.0) -> str:
    """Why it gives no evidence."""
    with pytest.raises(Unavailable) as silent:
        chip(program, device, within_s=within_s).evidence(NONCE)
    return str(silent.value.faults[0])


@pytest.mark.parametrize("before", ["", 'print("a line of its log {", flush=True)'])
def test_each_chip_is_the_one_at_its_place(tmp_path: Path, before: str) -> None:
    program = collector(tmp_path, f"{before}\nprint(json.dumps(document, indent=4))")
    for device in range(3):
        expected = ChipEvidence(report=report(NONCE, b"chip %d" % device), chain=CHAIN)
        assert chip(program, device).evidence(NONCE) == expected


def test_it_is_called_as_its_manual_says_and_with_nothing_of_ours(tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    program = collector(
        tmp_path,
        f"""
descriptors = sorted(int(one) for one in os.listdir("/proc/self/fd"))
told = {{"words": sys.argv[1:], "environment": sorted(os.environ), "here": os.getcwd(), "open": descriptors,
        "leads": os.getpid() == os.getsid(0)}}
open({str(seen)!r}, "w").write(json.dumps(told))
print(json.dumps(document))
""",
    )
    os.environ["LIGHTBOUND_OURS"] = "x"
    try:
        chip(program, reading=Reading.CORELIB).evidence(NONCE)
    finally:
        del os.environ["LIGHTBOUND_OURS"]
    told = json.loads(seen.read_text())
    assert told["words"] == [
        *("collect-evidence", "--device", "gpu", "--nonce", NONCE.hex(), "--gpu-evidence-source", "corelib"),
        *("--format", "json", "--log-level", "error", "--gpu-architecture", "blackwell"),
    ]
    # LC_CTYPE is what Python sets for itself where there is no locale.
    assert set(told["environment"]) <= {"LC_CTYPE"}
    assert (told["here"], told["leads"]) == ("/", True)
    assert len(told["open"]) == 4  # the three, and the one that lists them


def test_a_failure_is_told_in_its_own_words_with_what_to_do(tmp_path: Path) -> None:
    program = collector(
        tmp_path,
        """
print("[error] Failed to initialize Corelib", file=sys.stderr)
print(json.dumps({"evidences": None, "result_code": 215, "result_message": "Corelib init failed"}))
sys.exit(215)
""",
    )
    told = silence(program)
    assert "215, Corelib init failed: [error] Failed to initialize Corelib" in told
    assert "libcorelib.so.1" in told


def test_a_mode_that_is_off_is_told_with_how_it_is_turned_on(tmp_path: Path) -> None:
    words = "GPU must be running in CC or PPCIe mode to collect evidence through NVML"
    body = f'print({words!r}, file=sys.stderr)\nprint(json.dumps({{"result_code": 4}}))\nsys.exit(4)'
    told = silence(collector(tmp_path, body))
    assert words in told
    assert "--set-cc-mode=on" in told


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("sys.exit(3)", "no JSON from nvattest, which ended with 3"),
        ("print('sudo!', file=sys.stderr); sys.exit(1)", "ended with 1: sudo!"),
        ("os.kill(os.getpid(), signal.SIGSEGV)", "ended by signal 11"),
        ("print('garbage')", "no JSON"),
        ("print('{' * 100_000)", "no JSON"),
        ("print('{\"evidences\": [')", "no JSON"),
        ("print('[]')", "no JSON"),
        ("print(json.dumps(document)); sys.exit(7)", "nvattest 0, Ok"),
        ("document['evidences'] = {}; print(json.dumps(document))", "without a list"),
        ("document['evidences'] = []; print(json.dumps(document))", "0 chips"),
        ("document['evidences'] = ['x']; print(json.dumps(document))", "without evidence and certificate"),
        ("document['evidences'][0]['evidence'] = '!'; print(json.dumps(document))", "base64"),
        ("document['evidences'][0]['evidence'] = None; print(json.dumps(document))", "without evidence"),
        ("document['evidences'][0]['evidence'] = ''; print(json.dumps(document))", "empty"),
        ("print('x' * 5_000_000)", "more from nvattest than any evidence has"),
        ("print('x' * 5_000_000, file=sys.stderr)", "more from nvattest than any evidence has"),
    ],
)
def test_a_collector_that_gives_no_evidence_is_told_about(tmp_path: Path, body: str, says: str) -> None:
    assert says in silence(collector(tmp_path, body))


def test_a_place_that_no_chip_has_is_told_with_how_many_there_are(tmp_path: Path) -> None:
    assert "found 3 chips, counted from 0" in silence(collector(tmp_path, "print(json.dumps(document))"), 3)


def is_running(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in {"Z", "X"}


def gone(pid: int, within_s: float = 10.0) -> bool:
    """Whether a process ends by then: killed it is at once, but the kernel has its own time."""
    give_up = time.monotonic() + within_s
    while is_running(pid):
        if time.monotonic() > give_up:
            return False
        time.sleep(0.01)
    return True


@pytest.mark.parametrize(
    "conduct",
    [
        "signal.pause()",
        *(
            pytest.param(one, marks=pytest.mark.long)
            for one in (
                "signal.signal(signal.SIGTERM, signal.SIG_IGN); signal.pause()",
                "os.close(1); os.close(2); signal.pause()",
                "while True: os.write(1, b' '); time.sleep(0.01)",
            )
        ),
    ],
)
def test_one_that_hangs_is_gone_at_the_deadline_with_what_it_started(tmp_path: Path, conduct: str) -> None:
    left = tmp_path / "left"
    start = f"other = subprocess.Popen(['/bin/sleep', '600'])\nopen({str(left)!r}, 'w').write(f'{{other.pid}}')"
    begun = time.monotonic()
    told = silence(collector(tmp_path, f"{start}\n{conduct}"), within_s=2.0)
    assert "no answer of nvattest within 2 s" in told
    assert time.monotonic() - begun < 15
    assert gone(int(left.read_text()))


def test_what_a_collector_leaves_behind_neither_delays_its_answer_nor_stays(tmp_path: Path) -> None:
    left = tmp_path / "left"
    program = collector(
        tmp_path,
        f"""
other = subprocess.Popen(["/bin/sleep", "600"])
open({str(left)!r}, "w").write(str(other.pid))
print(json.dumps(document), flush=True)
os._exit(0)
""",
    )
    begun = time.monotonic()
    assert chip(program, within_s=60.0).evidence(NONCE).chain == CHAIN
    assert time.monotonic() - begun < 30
    assert gone(int(left.read_text()))


def test_a_collector_that_others_could_have_changed_is_not_run(tmp_path: Path) -> None:
    program = collector(tmp_path, "")
    assert found_collector(program) == program.resolve()
    for mode, says in ((0o775, "others could have changed"), (0o757, "others"), (0o644, "cannot be run")):
        program.chmod(mode)
        with pytest.raises(LightboundError, match=says):
            found_collector(program)
    link = tmp_path / "link"
    link.symlink_to(program)
    program.chmod(0o777)
    with pytest.raises(LightboundError, match="others"):
        found_collector(link)


def test_a_collector_that_is_missing_is_told_with_its_package(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="package nvattest"):
        found_collector(tmp_path / "nowhere")
    program = collector(tmp_path, "")
    program.write_text("#!/nowhere/interpreter\n")
    assert "cannot be started" in silence(program)
