"""`lightbound check` and `bundle make` as a person meets them: what they print, and with which code they end."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lightbound.bundles.checking import STEPS, Trusted
from lightbound.bundles.contents import Bundle
from lightbound.bundles.logged import LogTrusted
from lightbound.bundles.vouching import vouched
from lightbound.cli.app import app
from lightbound.cli.exits import ExitCode, exit_code
from lightbound.errors import ErrorCode, LightboundError, Refused
from lightbound.files.check_trust import write_check_trust
from lightbound.files.directory_trust import write_directory_trust
from lightbound.files.keys import key_path, write_new_key
from lightbound.files.landmark_addresses import LandmarkAddress, write_addresses
from lightbound.keys.purposes import Purpose
from lightbound.keys.signing import digest
from lightbound.ranging.sessions.agent import AgentSession
from lightbound.ranging.statements.admission import Axis, DirectoryTrust
from lightbound.ranging.statements.session import write_session
from lightbound.tlog.cosignature import witness_key
from tests.bundles.made import Files, Made, logged, trusted, unattested, written
from tests.ranging.parties import (
    AGENT,
    EVIDENCE,
    NOW_NS,
    SECOND_NS,
    TRUST,
    VERIFIER,
    Told,
    directory_of,
    finished,
    key,
    opened,
    secret,
    session_of,
    trust_of_agent,
)
from tests.ranging.parties import world as parties


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    with unattested(tmp_path_factory.mktemp("world") / "verifier") as found:
        yield found


@pytest.fixture(scope="module")
def bundle(made: Made) -> Bundle:
    return made.bundle()


@pytest.fixture
def files(bundle: Bundle, tmp_path: Path) -> Files:
    return written(tmp_path, bundle, trusted())


def ended(files: Files) -> tuple[ExitCode, ErrorCode, str]:
    """How a check that does not hold ends: its exit code, the code of its error, and what it says."""
    result = CliRunner().invoke(app, ["check", *files.arguments()])
    assert isinstance(result.exception, LightboundError), result.output
    fault = result.exception.faults[0]
    return exit_code(result.exception), fault.code, str(fault)


def believing(files: Files, believed: Trusted) -> Files:
    files.trust.write_text(write_check_trust(believed, roots=None), encoding="utf-8")
    return files


def test_a_bundle_that_holds_ends_with_0_and_tells_each_step(files: Files) -> None:
    result = CliRunner().invoke(app, ["check", *files.arguments()])
    assert result.exit_code == ExitCode.DONE, result.output
    assert [line[:5] for line in result.output.splitlines()[: len(STEPS)]] == [f"{n}  ok" for n in range(1, 10)]
    assert "standing  verified (A0)" in result.output


def test_a_step_that_does_not_hold_is_the_last_and_named(files: Files, bundle: Bundle) -> None:
    elsewhere = vouched(replace(bundle, terms=replace(bundle.terms, border_sha256="0" * 64)), VERIFIER)
    written(files.bundle.parent, elsewhere, trusted())
    result = CliRunner().invoke(app, ["check", *files.arguments(), "--json"])
    told = json.loads(result.stdout)
    assert (told["holds"], told["failed"]["step"], told["verdicts"]) == (False, STEPS[6], [])
    assert [one["number"] for one in told["steps"]] == [1, 2, 3, 4, 5, 6]
    assert ended(files)[:2] == (ExitCode.REFUSED, ErrorCode.BORDERS_CORRUPT)


def test_another_verifier_than_the_one_believed(files: Files) -> None:
    stranger = replace(trusted(), verifiers=(key(Purpose.VERIFIER, "stranger").verifying,))
    code, error, said = ended(believing(files, stranger))
    assert (code, error) == (ExitCode.REFUSED, ErrorCode.WRONG_KEY)
    assert "expected a verifier that is trusted" in said


def test_a_directory_of_other_parties_or_of_too_few_of_them(files: Files) -> None:
    strangers = tuple(key(Purpose.DIRECTORY, f"stranger {number}").verifying for number in range(3))
    for keys, threshold in ((strangers, 2), (TRUST.keys, 3)):
        believed = replace(trusted(), directory=DirectoryTrust(keys=keys, threshold=threshold))
        code, error, said = ended(believing(files, believed))
        assert (code, error) == (ExitCode.REFUSED, ErrorCode.WRONG_KEY)
        assert "directory" in said


def test_a_directory_that_had_expired_when_landmarks_measured(files: Files, bundle: Bundle) -> None:
    everybody, name = parties(), "expired"
    expired = directory_of(
        everybody.operator_statements, everybody.positions, axes=(Axis.HOSTING,), to_ns=NOW_NS - SECOND_NS
    )
    session = write_session(replace(session_of(name), directory=digest(expired)), VERIFIER)
    agent = AgentSession.asked(
        session,
        trust=replace(trust_of_agent(), directories=frozenset({digest(expired)})),
        enrolment=AGENT,
        s_seed=secret("s", name),
        x_seed=secret("x", name),
        now_ns=NOW_NS,
    )
    said = Told(asked_for=agent.session, session=session, agent=agent, landmarks={}, opens={}, bind=b"", evidence=b"")
    for landmark in agent.session.landmarks:
        said.landmarks[landmark], _ = opened(session, everybody.landmark(landmark), name)
        agent.contribution(landmark, said.landmarks[landmark].contrib, now_ns=NOW_NS)
    said = replace(said, bind=agent.bind(EVIDENCE), evidence=EVIDENCE.manifest())
    for landmark, here in said.landmarks.items():
        here.bind(said.bind, now_ns=NOW_NS)
        finished(landmark, said)
    shown = replace(bundle.sessions[0], statements=said.statements(), documents=())
    admission = replace(bundle.admission, directory=expired)
    code, error, told = ended(
        written(files.bundle.parent, replace(bundle, admission=admission, sessions=(shown,)), trusted())
    )
    assert (code, error) == (ExitCode.REFUSED, ErrorCode.NOT_VALID_THEN)
    assert "expected rounds while the landmark was admitted" in told


def test_too_few_witnesses_and_no_log_at_all(files: Files, bundle: Bundle) -> None:
    with_log, log = logged(bundle)
    third = witness_key("witness.example/w3", key(Purpose.WITNESS, "third").verifying)
    more = LogTrusted(key=log.key, witnesses=(*log.witnesses, third), threshold=3)
    code, error, said = ended(written(files.bundle.parent, with_log, trusted(more)))
    assert (code, error) == (ExitCode.REFUSED, ErrorCode.TOO_FEW_WITNESSES)
    assert "expected cosignatures of 3 of the 3 trusted witnesses, found 2" in said
    code, error, _ = ended(written(files.bundle.parent, bundle, trusted(log)))
    assert (code, error) == (ExitCode.REFUSED, ErrorCode.NOT_LOGGED)


@pytest.mark.parametrize("version", [b"lightbound.bundle/2", b"lightbound.bandle/1"])
def test_a_version_that_is_not_known_is_named(files: Files, version: bytes) -> None:
    files.bundle.write_bytes(files.bundle.read_bytes().replace(b"lightbound.bundle/1", version))
    code, error, said = ended(files)
    assert (code, error) == (ExitCode.MALFORMED, ErrorCode.WRONG_VERSION)
    assert version.decode() in said
    assert "expected lightbound.bundle/1" in said


@pytest.mark.parametrize("data", [b"", b"\xa0", b"PK\x03\x04", b"\x9f" * 1_000, b"\xbb" + b"\xff" * 8])
def test_another_file_is_no_bundle(files: Files, data: bytes) -> None:
    files.bundle.write_bytes(data)
    code, error, said = ended(files)
    assert code is ExitCode.MALFORMED
    assert error in {ErrorCode.CBOR_MALFORMED, ErrorCode.STATEMENT_MALFORMED}
    assert str(files.bundle) in said


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("", "format"),
        ('format = "lightbound.check-trust/2"\n', "format"),
        ('format = "lightbound.check-trust/1"\nverifiers = []\n', "verifiers"),
        ('format = "lightbound.check-trust/1"\nverifiers = ["00"]\n', "verifiers"),
        ("format = ", None),
    ],
)
def test_a_trust_file_that_is_none_is_told_with_its_place(files: Files, text: str, column: str | None) -> None:
    files.trust.write_text(text, encoding="utf-8")
    code, _, said = ended(files)
    assert code is ExitCode.MALFORMED
    assert str(files.trust) in said
    assert column is None or column in said


def test_a_file_that_is_not_there_says_nothing_about_the_chip(files: Files) -> None:
    files.bundle.unlink()
    assert ended(files)[:2] == (ExitCode.UNAVAILABLE, ErrorCode.READ_FAILED)


def test_another_file_than_the_trust_file_is_not_there_either(files: Files) -> None:
    files.trust.unlink()
    assert ended(files)[:2] == (ExitCode.UNAVAILABLE, ErrorCode.READ_FAILED)


# -- making one ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def kept(made: Made) -> list[str]:
    """Arguments that name the folders of a verifier which decided about one chip."""
    admission, everybody = made.data / "admission", parties()
    write_new_key(key_path(made.data, Purpose.VERIFIER), VERIFIER)
    for name, statements in (
        ("operators", everybody.operator_statements),
        ("positions", everybody.positions),
    ):
        (admission / name).mkdir(parents=True)
        for number, statement in enumerate(statements):
            (admission / name / f"{number}.cose").write_bytes(statement)
    (admission / "directory.cose").write_bytes(everybody.directory)
    write_directory_trust(admission / "directory-trust.toml", TRUST)
    write_addresses(
        admission / "landmarks.toml",
        {
            each.key_id: LandmarkAddress(key=each.verifying, name=f"l{number}", url=f"https://l{number}.example")
            for number, each in enumerate(everybody.landmarks)
        },
    )
    return ["--data", str(made.data), "--chip", made.chip.hex()]


def test_what_is_made_is_accepted_with_the_trust_file_that_is_made_beside_it(kept: list[str], tmp_path: Path) -> None:
    files = Files(bundle=tmp_path / "chip.bundle", trust=tmp_path / "trust.toml")
    arguments = ["bundle", "make", *kept, "--out", str(files.bundle), "--trust-out", str(files.trust)]
    assert CliRunner().invoke(app, arguments).exit_code == ExitCode.DONE
    result = CliRunner().invoke(app, ["check", *files.arguments()])
    assert result.exit_code == ExitCode.DONE, result.output


def test_a_span_is_made_and_accepted_and_one_without_a_verdict_is_refused(kept: list[str], tmp_path: Path) -> None:
    files = Files(bundle=tmp_path / "chip.bundle", trust=tmp_path / "trust.toml")
    arguments = ["bundle", "make", *kept, "--out", str(files.bundle), "--trust-out", str(files.trust)]
    year = ["--since", "2027-01-01T00:00:00Z", "--until", "2028-01-01T00:00:00Z"]
    result = CliRunner().invoke(app, [*arguments, *year])
    assert result.exit_code == ExitCode.DONE, result.output
    assert "1 verdict on 1 session" in result.output
    assert CliRunner().invoke(app, ["check", *files.arguments()]).exit_code == ExitCode.DONE
    before = CliRunner().invoke(app, [*arguments, "--since", "2026-01-01T00:00:00Z", "--until", "2027-01-01T00:00:00Z"])
    assert isinstance(before.exception, Refused)
    assert "not decided then" in str(before.exception)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--until", "2028-01-01T00:00:00Z"], "--since"),
        (["--since", "yesterday"], "expected a time such as"),
        (["--since", "2027-01-01"], "with its offset"),
    ],
)
def test_a_span_that_is_none_is_a_wrong_use(kept: list[str], tmp_path: Path, arguments: list[str], says: str) -> None:
    out = tmp_path / "chip.bundle"
    result = CliRunner().invoke(app, ["bundle", "make", *kept, "--out", str(out), *arguments])
    assert result.exit_code == ExitCode.USAGE
    assert says in result.output
    assert not out.exists()
