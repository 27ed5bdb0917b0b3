"""`lightbound agent` as a person or a script meets it."""

import json
import secrets
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from lightbound.cli.app import app
from lightbound.enrolment.codes import Code
from lightbound.enrolment.trust import Trust
from lightbound.errors import ErrorCode, LightboundError, Refused, Unavailable
from lightbound.files.keys import key_path, read_key
from lightbound.keys.ed25519 import SigningKey
from lightbound.keys.purposes import Purpose
from lightbound.roles.agent.messages import OUTGOING
from lightbound.roles.agent.status_file import Status
from tests.roles.agent.office import Office, serving

SECOND_NS = 1_000_000_000


@pytest.fixture
def office() -> Iterator[Office]:
    verifier = SigningKey.of_seed(Purpose.VERIFIER, secrets.token_bytes(32))
    trust = Trust(verifier=verifier.verifying, directories=(bytes(32),), landmarks=())
    agent = SigningKey.of_seed(Purpose.ENROLMENT, secrets.token_bytes(32))
    with serving(Office(key=verifier, trust=trust, enrolment=agent)) as made:
        yield made


def agent(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["agent", *map(str, arguments)])


def code_of(office: Office) -> str:
    return Code(secret=secrets.token_bytes(15), verifier=office.key.verifying.key_id).text


def told(result: Result) -> Any:
    return json.loads(result.stdout)


def enrol(office: Office, folder: Path, *more: object) -> Result:
    return agent("enrol", "--verifier", office.url, "--code", code_of(office), "--data", folder, *more)


def failure(result: Result) -> LightboundError:
    assert isinstance(result.exception, LightboundError), result.output
    return result.exception


def test_enrolling_tells_what_was_made(office: Office, tmp_path: Path) -> None:
    said = told(enrol(office, tmp_path / "agent", "--chips", 3, "--json"))
    key = read_key(key_path(tmp_path / "agent", Purpose.ENROLMENT), Purpose.ENROLMENT)
    assert said["format"] == "lightbound.agent/1"
    assert said["key"] == key.verifying.raw.hex()
    assert said["chips"] == [chip.hex() for chip in office.enrols[0].chips]
    assert (len(said["chips"]), said["tier"]) == (3, "A0")


def test_the_code_can_come_from_the_environment(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIGHTBOUND_AGENT_CODE", code_of(office))
    result = agent("enrol", "--verifier", office.url, "--data", tmp_path / "agent")
    assert result.exit_code == 0, result.output
    assert len(office.enrols) == 1


def test_who_passes_for_the_verifier_learns_nothing(office: Office, tmp_path: Path) -> None:
    code = Code(secret=secrets.token_bytes(15), verifier=bytes(16)).text
    error = failure(agent("enrol", "--verifier", office.url, "--code", code, "--data", tmp_path / "agent"))
    assert isinstance(error, Refused)
    assert error.faults[0].code is ErrorCode.WRONG_KEY
    assert [path for _, path, _ in office.asked] == ["/v1/trust"]
    assert not (tmp_path / "agent" / "trust.toml").exists()


def test_an_address_that_is_none_is_told_what_one_is(office: Office, tmp_path: Path) -> None:
    address = office.url.removeprefix("http://")
    error = failure(agent("enrol", "--verifier", address, "--code", code_of(office), "--data", tmp_path / "agent"))
    assert "https:// or http://" in str(error)


def test_an_agent_that_has_not_enrolled_does_not_run(tmp_path: Path) -> None:
    assert failure(agent("run", "--data", tmp_path)).faults[0].code is ErrorCode.NOT_ENROLLED


def test_show_prints_every_message_also_before_enrolment(tmp_path: Path) -> None:
    said = told(agent("show", "--json", "--data", tmp_path))
    assert [one["name"] for one in said["messages"]] == [one.name for one in OUTGOING]
    assert said["hosts"] == []
    text = agent("show", "--data", tmp_path).stdout
    assert all(one.request in text and all(name in text for name in one.fields) for one in OUTGOING)
    assert "  no body; at enrolment" in text
    assert "  a body of at most 430 bytes, and 56 more for each landmark; once" in text


def test_show_has_the_values_of_this_host(office: Office, tmp_path: Path) -> None:
    enrol(office, tmp_path / "agent", "--chips", 2)
    said = told(agent("show", "--json", "--data", tmp_path / "agent"))
    assert [one["url"] for one in said["hosts"]] == [office.url]
    enrolment = next(one["fields"] for one in said["messages"] if one["name"] == "ENROL")
    sent = office.enrols[0]
    assert enrolment["key"] == sent.key.raw.hex()
    assert enrolment["chips"] == ", ".join(chip.hex() for chip in sent.chips)
    assert enrolment["software"] == sent.software
    assert sent.evidence is None
    assert "no evidence (tier A0)" in enrolment["evidence"]
    assert enrolment["verifier"] == sent.verifier.hex()


def test_doctor_of_a_host_that_works_but_for_its_landmarks(office: Office, tmp_path: Path) -> None:
    enrol(office, tmp_path / "agent")
    result = agent("doctor", "--json", "--data", tmp_path / "agent")
    found = {one["what"]: one for one in told(result)["findings"]}
    assert [what for what, one in found.items() if not one["ok"]] == ["landmarks"]
    assert set(found) == {
        *(
            "folder",
            "key",
            "trust.toml",
            "enrolment",
            "verifier's name",
            "verifier",
            "directory",
            "clock",
            "landmarks",
            "tier",
        )
    }
    assert result.exit_code == 5
    assert "NO  landmarks" in agent("doctor", "--data", tmp_path / "agent").stdout


@pytest.mark.parametrize(
    ("broken", "what"),
    [
        (lambda folder: folder.chmod(0o755), "folder"),
        (lambda folder: key_path(folder, Purpose.ENROLMENT).chmod(0o644), "key"),
        (lambda folder: (folder / "trust.toml").write_text("format = 1"), "trust.toml"),
        (lambda folder: (folder / "enrolment.json").write_text("{}"), "enrolment"),
    ],
)
def test_doctor_says_what_is_broken(office: Office, tmp_path: Path, broken: Any, what: str) -> None:
    enrol(office, tmp_path / "agent")
    broken(tmp_path / "agent")
    result = agent("doctor", "--json", "--data", tmp_path / "agent")
    assert what in {one["what"] for one in told(result)["findings"] if not one["ok"]}
    assert result.exit_code == 5


def test_doctor_tells_another_verifier_and_none(office: Office, tmp_path: Path) -> None:
    enrol(office, tmp_path / "agent")
    office.key = SigningKey.of_seed(Purpose.VERIFIER, secrets.token_bytes(32))
    office.trust = replace(office.trust, verifier=office.key.verifying)
    found = {one["what"]: one for one in told(agent("doctor", "--json", "--data", tmp_path / "agent"))["findings"]}
    assert not found["verifier"]["ok"]
    file = tmp_path / "agent" / "trust.toml"
    file.write_text(file.read_text().replace(office.url, "http://127.0.0.1:9"))
    found = {one["what"]: one for one in told(agent("doctor", "--json", "--data", tmp_path / "agent"))["findings"]}
    assert not found["verifier"]["ok"]


def findings(folder: Path) -> dict[str, Any]:
    return {one["what"]: one for one in told(agent("doctor", "--json", "--data", folder))["findings"]}


def test_doctor_says_no_where_the_verifier_let_nobody_in(office: Office, tmp_path: Path) -> None:
    folder = tmp_path / "agent"
    office.set(down={"enrol"})
    assert enrol(office, folder, "--chips", 2).exit_code != 0
    found = findings(folder)["enrolment"]
    assert not found["ok"]
    assert f"lightbound agent enrol --verifier {office.url} --code CODE --data {folder} --chips 2" in found["todo"]


def test_an_agent_that_was_let_in_stays_so_if_a_repetition_fails(office: Office, tmp_path: Path) -> None:
    folder = tmp_path / "agent"
    enrol(office, folder)
    office.set(down={"enrol"})
    enrol(office, folder)
    assert findings(folder)["enrolment"]["ok"]
    enrol(office, folder, "--chips", 2)
    assert not findings(folder)["enrolment"]["ok"]


def test_doctor_says_no_where_the_verifier_has_another_directory(office: Office, tmp_path: Path) -> None:
    folder = tmp_path / "agent"
    enrol(office, folder)
    office.trust = replace(office.trust, directories=(bytes([1]) * 32,))
    found = findings(folder)["directory"]
    assert not found["ok"]
    assert found["todo"].endswith(f"lightbound agent enrol --verifier {office.url} --code CODE --data {folder}")
    file = folder / "trust.toml"
    file.write_text(file.read_text() + "# Asked on Monday.\n")
    assert findings(folder)["directory"]["todo"].endswith("--replace")
    enrol(office, folder, "--replace")
    assert findings(folder)["directory"]["ok"]


def test_status_is_what_the_agent_wrote_last(tmp_path: Path) -> None:
    status = Status(software="x", started_ns=SECOND_NS, polled_ns=2 * SECOND_NS, waiting=3)
    status.failed("poll", "nobody\x1b there", code="peer_unreachable", now_ns=3 * SECOND_NS)
    status.write(tmp_path)
    said = told(agent("status", "--json", "--data", tmp_path))
    assert said["failing"] == {"poll": {"code": "peer_unreachable", "why": "nobody? there"}}
    assert said["failing_since"] == "1970-01-01T00:00:03Z"
    text = agent("status", "--data", tmp_path).stdout
    assert "nobody? there" in text
    assert "deliveries waiting  3" in text


def test_status_of_no_agent_is_told(tmp_path: Path) -> None:
    assert isinstance(failure(agent("status", "--data", tmp_path)), Unavailable)


def test_a_settings_file_is_for_all_commands(office: Office, tmp_path: Path) -> None:
    config, folder = tmp_path / "agent.toml", tmp_path / "agent"
    config.write_text(f'data = "{folder}"\nlog_json = true\n')
    arguments = ["--verifier", office.url, "--code", code_of(office), "--config", config]
    assert agent("enrol", *arguments).exit_code == 0
    assert told(agent("show", "--json", "--config", config))["hosts"] != []
    assert told(agent("doctor", "--json", "--config", config))["findings"][0]["ok"]
    Status(software="x", started_ns=0).write(folder)
    assert told(agent("status", "--json", "--config", config))["software"] == "x"


@pytest.mark.parametrize("command", ["run", "enrol", "show", "doctor", "status"])
def test_every_help_has_an_example(command: str) -> None:
    result = agent(command, "--help")
    assert result.exit_code == 0
    assert "Example:" in result.stdout
