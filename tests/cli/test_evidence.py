"""`lightbound evidence show` and `verify`, over the vendor's real evidence and over that of simulated devices."""

import base64
import json
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from lightbound.attestation.appraisal import Reference, wanted
from lightbound.attestation.chains import DeviceRoots
from lightbound.attestation.genuine import genuine_report
from lightbound.attestation.results import Lacking, Result
from lightbound.cli.app import main
from lightbound.cli.exits import ExitCode
from lightbound.files import evidence_showing
from lightbound.files.evidence import read_items
from lightbound.judging import evidence_files
from lightbound.judging.evidence_files import judge
from lightbound.sim.devices.foundry import Foundry, SimulatedDevice
from tests.conftest import ROOT
from tests.house import tree
from tests.house.test_small_install import BLOCKED, HEAVY

REAL = ROOT.parent / "shared/evidence"
needs_real = pytest.mark.skipif(not REAL.is_dir(), reason="needs the vendor's evidence, which is not carried here")

H100 = "h100/hopperAttestationReport.txt", "h100/hopperCertChain.txt"
GB100 = "gb100/blackwellAttestationReport.txt", "gb100/blackwellCertChain.txt"
OLD = tuple(f"same-chip/old-firmware/hopper{name}Expired.txt" for name in ("AttestationReport", "CertChain"))
NEW = tuple(f"same-chip/new-firmware/hopper{name}.txt" for name in ("AttestationReport", "CertChain"))
BROKEN = "negative/hopperAttestationReportInvalidSignature.txt", "negative/hopperCertChain.txt"
GPUS, SWITCHES = REAL / "node8/gpu_evidence.json", REAL / "node8/switch_evidence.json"
NODE_NONCE = "4760e30534a0621357d458b1a7936551b5dc4cd1e69718adf7ed9fb0252a537e"
H100_NONCE = "931d8dd0add203ac3d8b4fbde75e115278eefcdceac5b87671a748f32364dfcb"

NONCE = bytes(range(32))
FOUNDRY = Foundry.of(5)
AT_NS = 1_763_942_400_000_000_000

Run = Callable[..., tuple[int, Any]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command of the group with --json; returns its exit code and what it told."""

    def on(*arguments: object) -> tuple[int, Any]:
        code, out, _ = ended(capsys, *arguments, "--json")
        return code, json.loads(out)

    return on


def ended(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of a command of the group."""
    with pytest.raises(SystemExit) as end:
        main(["evidence", *(str(one) for one in arguments)])
    said = capsys.readouterr()
    return int(end.value.code or 0), said.out, said.err


def entry(device: SimulatedDevice, nonce: bytes = NONCE) -> dict[str, str]:
    """A device's evidence as collectors write it."""
    return {
        "arch": "HOPPER",
        "nonce": nonce.hex(),
        "evidence": base64.b64encode(device.report(nonce)).decode(),
        "certificate": base64.b64encode(device.chain).decode(),
    }


def written(folder: Path, told: object, name: str = "evidence.json") -> Path:
    """A file of JSON."""
    path = folder / name
    path.write_text(json.dumps(told), encoding="utf-8")
    return path


@pytest.fixture
def roots(tmp_path: Path) -> Path:
    """A folder with the root of the simulated devices."""
    folder = tmp_path / "roots"
    folder.mkdir()
    (folder / "simulated.pem").write_bytes(FOUNDRY.root_pem)
    return folder


def only(told: Any) -> dict[str, Any]:
    (item,) = told["items"]
    return dict(item)


@needs_real
@pytest.mark.parametrize(
    ("files", "product", "driver", "vbios", "wanted"),
    [
        (H100, "GH100", "550.90.07", "96.00.9F.00.01", ("GH100_550.90.07", "1010_0200_882_96009F0001")),
        (GB100, "GB100", "575.32", "97.00.88.00.0F", ("GB100_575.32", "G525_0220_886_970088000F")),
        (OLD, "GH100", "570.124.03", "96.00.5E.00.04", ("GH100_570.124.03", "1010_0205_862_96005E0004")),
        (NEW, "GH100", "580.159.03", "96.00.74.00.20", ("GH100_580.159.03", "1010_0205_862_9600740020")),
    ],
)
def test_a_real_chip_without_manifests_is_unappraised_and_the_manifests_it_needs_are_named(
    run: Run, files: tuple[str, str], product: str, driver: str, vbios: str, wanted: tuple[str, str]
) -> None:
    code, told = run("verify", REAL / files[0], "--chain", REAL / files[1])
    item = only(told)
    assert (code, item["result"]) == (ExitCode.DONE, "unappraised")
    device = item["device"]
    assert (device["product"], device["driver"], device["vbios"]) == (product, driver, vbios)
    assert (device["root"], device["is_simulated"], device["is_fresh"]) == ("NVIDIA Device Identity CA", False, False)
    assert [one["lacking"] for one in item["reasons"]] == ["manifest", "manifest"]
    named = [one["next"].rpartition(" ")[2] for one in item["reasons"]]
    assert named == [f"NV_GPU_DRIVER_{wanted[0]}", f"NV_GPU_VBIOS_{wanted[1]}"]
    assert told["does_not_show"][0] == "where the device is, or was"


@needs_real
def test_a_chip_is_the_same_under_two_firmwares(run: Run) -> None:
    ids = {
        run("verify", REAL / one[0], "--chain", REAL / one[1])[1]["items"][0]["device"]["chip_id"] for one in (OLD, NEW)
    }
    assert len(ids) == 1


@needs_real
def test_a_broken_signature_is_refused_and_held_against_nobody(run: Run) -> None:
    code, told = run("verify", REAL / BROKEN[0], "--chain", REAL / BROKEN[1])
    item = only(told)
    assert (code, item["result"], item["device"], item["is_authenticated"]) == (
        ExitCode.REFUSED,
        "refused",
        None,
        False,
    )
    assert [(one["code"], one["at"]) for one in item["faults"]] == [("signature_invalid", "response.signature")]


@needs_real
def test_a_whole_node_closes(run: Run) -> None:
    code, told = run("verify", GPUS, SWITCHES, "--nonce", NODE_NONCE)
    assert (code, {one["result"] for one in told["items"]}) == (ExitCode.DONE, {"unappraised"})
    assert (told["node"]["result"], len(told["node"]["gpus"]), len(told["node"]["switches"])) == ("verified", 8, 4)
    assert all(one["device"]["is_fresh"] and not one["notes"] for one in told["items"])


@needs_real
def test_a_node_whose_switches_were_not_asked_is_unappraised_and_each_is_named(run: Run) -> None:
    code, told = run("verify", GPUS)
    assert (code, told["node"]["result"]) == (ExitCode.DONE, "unappraised")
    assert len(told["node"]["reasons"]) == 4
    assert all("is missing" in one["why"] for one in told["node"]["reasons"])


@needs_real
def test_a_chip_of_another_host_is_foreign(run: Run) -> None:
    code, told = run("verify", GPUS, SWITCHES, REAL / H100[0], "--chain", REAL / H100[1])
    assert (code, told["node"]["result"]) == (ExitCode.REFUSED, "refused")
    (fault,) = told["node"]["faults"]
    assert fault["code"] == "topology_open"
    assert "is foreign" in fault["found"]


@needs_real
def test_another_nonce_is_refused_and_the_right_one_makes_it_fresh(run: Run) -> None:
    file = (REAL / H100[0], "--chain", REAL / H100[1])
    code, told = run("verify", *file, "--nonce", H100_NONCE)
    assert (code, only(told)["device"]["is_fresh"], only(told)["notes"]) == (ExitCode.DONE, True, [])
    code, told = run("verify", *file, "--nonce", NODE_NONCE)
    assert (code, only(told)["faults"][0]["code"]) == (ExitCode.REFUSED, "nonce_differs")


@needs_real
def test_before_its_certificates_a_chip_is_refused_and_it_is_not_held_against_it(run: Run) -> None:
    code, told = run("verify", REAL / H100[0], "--chain", REAL / H100[1], "--as-of", "2019-01-01T00:00:00Z")
    item = only(told)
    assert (code, item["faults"][0]["code"], item["is_authenticated"]) == (ExitCode.REFUSED, "not_valid_then", False)


@needs_real
def test_every_measurement_and_field_of_a_real_report_is_shown_as_not_checked(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    code, told = run("show", REAL / BROKEN[0], "--chain", REAL / BROKEN[1])
    assert (code, told["format"], told["is_checked"]) == (ExitCode.DONE, evidence_showing.FORMAT, False)
    report = only(told)["report"]
    assert (len(report["measurements"]), report["driver"]) == (64, "560.00")
    assert [one["certificate"] for one in only(told)["chain"]["certificates"]][:2] == ["leaf", "device"]
    code, out, _ = ended(capsys, "show", REAL / BROKEN[0])
    assert code == ExitCode.DONE
    assert "(not checked)" in out
    assert "anybody can write evidence that says this" in out


@needs_real
@pytest.mark.parametrize("files", [OLD, NEW])
def test_both_reports_of_one_chip_differ_at_9_from_the_vendor_s_own_manifests_which_is_held_against_nobody(
    run: Run, files: tuple[str, str]
) -> None:
    options = ("--chain", REAL / files[1], "--manifests", REAL / "h100-rims", "--as-of", "2024-06-01T00:00:00Z")
    code, told = run("verify", REAL / files[0], *options)
    item = only(told)
    assert (code, item["result"], item["faults"]) == (ExitCode.DONE, "unappraised", [])
    assert [one["lacking"] for one in item["reasons"]] == ["manifest", "measurement"]
    assert "measurement 9 is not what the manifest" in item["reasons"][1]["why"]
    assert told["manifests_left_out"] == []


@needs_real
def test_a_manifest_whose_signer_has_run_out_refuses_nothing(run: Run) -> None:
    options = ("--chain", REAL / NEW[1], "--manifests", REAL / "h100-rims", "--as-of", "2026-11-23T12:00:00Z")
    code, told = run("verify", REAL / NEW[0], *options)
    item = only(told)
    assert (code, item["result"]) == (ExitCode.DONE, "unappraised")
    assert {one["lacking"] for one in item["reasons"]} == {"manifest", "signer_current"}
    assert any("measurements 9 differ from it" in note for note in item["notes"])


@needs_real
def test_manifests_that_their_maker_did_not_sign_are_named_and_left_out(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ("verify", REAL / OLD[0], "--chain", REAL / OLD[1], "--manifests", REAL / "negative")
    code, told = run(*command)
    item = only(told)
    assert (code, item["result"], {one["lacking"] for one in item["reasons"]}) == (
        ExitCode.DONE,
        "unappraised",
        {"manifest"},
    )
    why = {one["name"]: one["faults"][0]["code"] for one in told["manifests_left_out"]}
    manifests = sorted(path.name for path in (REAL / "negative").glob("*.xml"))
    assert [why[name] for name in manifests] == ["manifest_refused"] * 4
    assert {code for name, code in why.items() if name not in manifests} == {"manifest_malformed"}
    _, out, _ = ended(capsys, *command)
    assert all(f"manifest left out: {name}" in out for name in manifests)


def test_a_device_that_agrees_with_its_manifests_is_verified_and_one_that_does_not_is_refused(tmp_path: Path) -> None:
    device = FOUNDRY.device("a")
    trusted = DeviceRoots.of([FOUNDRY.root.certificate.public_bytes(Encoding.DER)], with_vendors=False)
    items = read_items([written(tmp_path, entry(device))], None)
    known = genuine_report(device.report(NONCE), device.chain, roots=trusted, nonce=NONCE)
    right = [
        Reference(
            name=one.file_id,
            product=one.product,
            version=one.version,
            measurements={0: frozenset({known.report.measurements[0]})},
            from_ns=0,
            to_ns=2**62,
        )
        for one in wanted(known)
    ]
    wrong = [right[0], replace(right[1], measurements={0: frozenset({bytes(48)})})]
    for references, word in ((right, "verified"), (wrong, "refused"), ([], "unappraised")):
        judged = judge(items, roots=trusted, nonce=NONCE, references=references, at_ns=AT_NS)
        assert judged.words == {word}


def test_a_device_whose_measurements_differ_counts_as_absent_from_its_host(tmp_path: Path) -> None:
    gpu, switch = FOUNDRY.node("small", gpus=1, switches=1)
    trusted = DeviceRoots.of([FOUNDRY.root.certificate.public_bytes(Encoding.DER)], with_vendors=False)
    items = read_items([written(tmp_path, [entry(gpu), entry(switch)])], None)
    driver = wanted(genuine_report(gpu.report(NONCE), gpu.chain, roots=trusted, nonce=NONCE))[0]
    wrong = Reference(
        name=driver.file_id,
        product=driver.product,
        version=driver.version,
        measurements={0: frozenset({bytes(48)})},
        from_ns=0,
        to_ns=2**62,
    )
    node = judge(items, roots=trusted, nonce=NONCE, references=[], at_ns=AT_NS).node
    assert node is not None
    assert node.appraisal.result is Result.VERIFIED
    node = judge(items, roots=trusted, nonce=NONCE, references=[wrong], at_ns=AT_NS).node
    assert node is not None
    assert (node.appraisal.result, node.topology.gpus) == (Result.UNAPPRAISED, ())
    assert [one.lacking for one in node.appraisal.reasons] == [Lacking.DEVICE]


def test_manifests_need_the_part_judge_and_it_is_named(tmp_path: Path) -> None:
    arguments = ["evidence", "verify", str(written(tmp_path, [])), "--manifests", str(tmp_path)]
    code = BLOCKED.format(names=HEAVY, arguments=arguments)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == ExitCode.UNAVAILABLE, done.stderr
    assert "lightbound[judge]" in done.stderr


def test_a_simulated_device_is_refused_until_its_root_is_given_and_then_called_simulated(
    tmp_path: Path, roots: Path, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    file = written(tmp_path, entry(FOUNDRY.device("a")))
    code, told = run("verify", file)
    assert (code, only(told)["faults"][0]["code"]) == (ExitCode.REFUSED, "chain_refused")
    code, told = run("verify", file, "--roots", roots)
    assert (code, only(told)["device"]["is_simulated"]) == (ExitCode.DONE, True)
    assert told["format"] == evidence_files.FORMAT
    code, out, err = ended(capsys, "verify", file, "--roots", roots)
    assert code == ExitCode.DONE
    assert ", SIMULATED (" in out
    assert "SIMULATED" in err


def test_every_item_is_judged_whatever_the_others_came_to(tmp_path: Path, roots: Path, run: Run) -> None:
    devices = [FOUNDRY.device(name) for name in "abc"]
    report = bytearray(devices[1].report(NONCE))
    report[-1] ^= 1
    forged = {**entry(devices[1]), "evidence": base64.b64encode(report).decode()}
    items = [entry(devices[0]), forged, {"evidence": "?"}, 7, entry(devices[2])]
    code, told = run("verify", written(tmp_path, {"evidences": items}), "--roots", roots)
    assert code == ExitCode.REFUSED
    words = ["unappraised", "refused", "malformed", "malformed", "unappraised"]
    assert [one["result"] for one in told["items"]] == words
    assert [one["name"].rpartition("evidence.json")[2] for one in told["items"]] == [f"[{place}]" for place in range(5)]
    # Without the refusal, what is malformed decides.
    code, _ = run("verify", written(tmp_path, [items[0], *items[2:]]), "--roots", roots)
    assert code == ExitCode.MALFORMED
    code, told = run("show", written(tmp_path, items))
    assert (code, [bool(one["errors"]) for one in told["items"]]) == (
        ExitCode.MALFORMED,
        [False, False, True, True, False],
    )


def test_a_nonce_in_a_file_is_compared_and_makes_nothing_fresh(tmp_path: Path, roots: Path, run: Run) -> None:
    device = FOUNDRY.device("a")
    _, told = run("verify", written(tmp_path, entry(device)), "--roots", roots)
    assert only(told)["device"]["is_fresh"] is False
    code, told = run("verify", written(tmp_path, {**entry(device), "nonce": "00" * 32}), "--roots", roots)
    assert (code, only(told)["faults"][0]["at"]) == (ExitCode.REFUSED, "nonce")
    assert only(told)["device"] is None


def test_a_report_without_its_chain_proves_nothing(tmp_path: Path, roots: Path, run: Run) -> None:
    device = FOUNDRY.device("a")
    (tmp_path / "report.bin").write_bytes(device.report(NONCE))
    (tmp_path / "chain.pem").write_bytes(device.chain)
    code, told = run("verify", tmp_path / "report.bin", "--roots", roots)
    assert (code, only(told)["faults"][0]["code"]) == (ExitCode.REFUSED, "chain_refused")
    assert "--chain" in only(told)["faults"][0]["next"]
    code, told = run("verify", tmp_path / "report.bin", "--roots", roots, "--chain", tmp_path / "chain.pem")
    assert (code, only(told)["result"]) == (ExitCode.DONE, "unappraised")


def test_what_a_refused_device_says_of_its_host_is_not_believed(tmp_path: Path, roots: Path, run: Run) -> None:
    node = FOUNDRY.node("host", gpus=2, switches=1)
    items = [entry(one) for one in node]
    code, told = run("verify", written(tmp_path, items), "--roots", roots)
    assert (code, told["node"]["result"]) == (ExitCode.DONE, "verified")
    code, told = run("verify", written(tmp_path, [*items[:2], {**items[2], "nonce": "00" * 32}]), "--roots", roots)
    assert (code, told["node"]["result"], told["node"]["switches"]) == (ExitCode.REFUSED, "unappraised", [])
    assert told["node"]["is_authenticated"] is False


def test_what_a_chip_calls_itself_cannot_write_to_the_terminal(
    tmp_path: Path, roots: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    device = FOUNDRY.device("a")
    odd = device.changed(replace(device.facts, driver="\x1b[2J\u202e"))
    file = written(tmp_path, entry(odd), "\x1b[31mred.json")
    for command in (("show", file), ("verify", file, "--roots", roots)):
        _, out, _ = ended(capsys, *command)
        assert "\x1b" not in out
        assert "\u202e" not in out


@pytest.mark.parametrize("options", [("--nonce", "00"), ("--as-of", "2026-01-01"), ("--roots", ".")])
def test_an_option_that_cannot_be_meant_is_a_mistake_of_usage(
    tmp_path: Path, options: tuple[str, str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, _, err = ended(capsys, "verify", written(tmp_path, []), *options)
    assert code == ExitCode.USAGE
    assert options[0] in err


@pytest.mark.parametrize("command", ["show", "verify"])
def test_it_runs_on_the_small_install(tmp_path: Path, roots: Path, command: str) -> None:
    arguments = ["evidence", command, str(written(tmp_path, entry(FOUNDRY.device("a")))), "--json"]
    if command == "verify":
        arguments += ["--roots", str(roots)]
    code = BLOCKED.format(names=HEAVY, arguments=arguments)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["items"]


def listed(heading: str) -> tuple[set[str], set[str], dict[str, set[str]]]:
    """The fields that the page of formats lists: of the object, of an item, and of what stands in either."""
    rows = [(row[0], row[1]) for row in tree.table("docs/formats.md", heading)]
    within = {
        re.sub(r"[^a-z_]", "", name): set(re.findall("[a-z_0-9]+", braces[1]))
        for name, told in rows
        if (braces := re.match(r"`\{([^}]*)\}`", told))
    }
    of_item, of_object = (
        {re.sub(r"[^a-z_]", "", name) for name, _ in rows if name.startswith("...") == inner} for inner in (True, False)
    )
    return of_object, of_item, within


def test_the_page_of_formats_lists_exactly_what_is_told(tmp_path: Path, roots: Path, run: Run) -> None:
    file = written(tmp_path, [*(entry(one) for one in FOUNDRY.node("host", gpus=1, switches=2)[:2]), {"evidence": "?"}])
    _, told = run("show", file)
    of_object, of_item, within = listed(f"## Evidence: `{evidence_showing.FORMAT}`")
    item = told["items"][0]
    assert (of_object, of_item) == (set(told), set(item))
    assert within == {name: set(item[name]) for name in ("report", "chain")}
    _, told = run("verify", file, "--roots", roots, "--manifests", roots)  # a root is no manifest: it is left out
    of_object, of_item, within = listed(f"## What evidence came to: `{evidence_files.FORMAT}`")
    item = told["items"][0]
    assert (of_object, of_item) == (set(told), set(item))
    assert within == {
        "device": set(item["device"]),
        "node": set(told["node"]),
        "reasons": set(item["reasons"][0]),
        "faults": set(told["items"][2]["faults"][0]),
        "manifests_left_out": set(told["manifests_left_out"][0]),
    }


def test_the_page_explains_every_word_and_every_reason() -> None:
    words = [row[0].strip("`") for row in tree.table("docs/evidence.md", "## Checking it")]
    assert words == [*Result, "malformed", "unavailable"]
    (row,) = [
        row
        for row in tree.table("docs/formats.md", f"## What evidence came to: `{evidence_files.FORMAT}`")
        if "`reasons`" in row[0]
    ]
    assert re.findall("`([a-z_]+)`", row[1].partition("`lacking`")[2]) == list(Lacking)


@pytest.mark.parametrize("command", ["show", "verify", "collect", "serve", "answer"])
def test_help_teaches_with_an_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = ended(capsys, command, "--help")
    assert code == ExitCode.DONE
    assert "Example" in out
    assert f"lightbound evidence {command}" in out
