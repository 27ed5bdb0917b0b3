"""How an agent comes to be known, also when it dies in the middle, and whose trust.toml is whose."""

import secrets
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from lightbound.enrolment.codes import Code
from lightbound.enrolment.trust import Trust, TrustedLandmark
from lightbound.errors import ErrorCode, LightboundError, Malformed, Refused, Unavailable
from lightbound.files.keys import key_path, read_key
from lightbound.keys.ed25519 import SigningKey
from lightbound.keys.purposes import Purpose
from lightbound.roles.agent.enrolling import Wanted, enrol, read_enrolled
from lightbound.roles.agent.trust_file import NAME, read_trusted
from lightbound.roles.state import locked
from tests.house import tree
from tests.roles.agent.office import Office, serving


@pytest.fixture
def office() -> Iterator[Office]:
    verifier = SigningKey.of_seed(Purpose.VERIFIER, secrets.token_bytes(32))
    made = Office(
        key=verifier,
        trust=Trust(verifier=verifier.verifying, directories=(bytes(32),), landmarks=(landmark(),)),
        enrolment=SigningKey.of_seed(Purpose.ENROLMENT, secrets.token_bytes(32)),
    )
    with serving(made):
        yield made


def landmark() -> TrustedLandmark:
    key = SigningKey.of_seed(Purpose.LANDMARK, secrets.token_bytes(32)).verifying
    return TrustedLandmark(key=key, name='a "name" \\ of sorts', url="https://lm.example:8471")


def code_of(office: Office) -> str:
    return Code(secret=secrets.token_bytes(15), verifier=office.key.verifying.key_id).text


def enrolled(folder: Path, office: Office, *, code: str | None = None, replacing: bool = False, chips: int = 2) -> None:
    wanted = Wanted(
        url=office.url,
        code=code or code_of(office),
        ca=None,
        landmark_ca=Path('/etc/some "ca".pem'),
        chips=chips,
        replace=replacing,
        software="test",
    )
    with locked(folder):
        enrol(folder, wanted, now_ns=time.time_ns)


def test_enrolment_can_be_repeated_after_a_crash_at_any_point(office: Office, tmp_path: Path) -> None:
    program = [sys.executable, "-m", "tests.roles.agent.dying", str(tmp_path), office.url, code_of(office)]
    done = subprocess.run(program, cwd=tree.ROOT, capture_output=True, text=True, timeout=60, check=True)
    lines = done.stdout.splitlines()
    assert [line.split()[1] for line in lines] == ["killed"] * (len(lines) - 1) + ["whole"]
    assert len(lines) > 8
    keys = {one.key.raw for one in office.enrols}
    for number, line in enumerate(lines):
        folder = tmp_path / str(number)
        assert line.endswith("enrolled")
        enrolment = read_enrolled(folder)
        assert enrolment is not None
        assert enrolment.is_done
        assert read_trusted(folder).landmarks.keys() == {one.key.key_id for one in office.trust.landmarks}
        assert read_key(key_path(folder, Purpose.ENROLMENT), Purpose.ENROLMENT).verifying.raw in keys
    # A key that the verifier has seen is never replaced by another.
    assert len(keys) == len(lines)


@pytest.mark.parametrize("down", ["enrol", "silent enrol"])
def test_who_got_no_answer_asks_again_with_the_same_key(office: Office, tmp_path: Path, down: str) -> None:
    code = code_of(office)
    office.set(down={down})
    with pytest.raises(Unavailable):
        enrolled(tmp_path, office, code=code)
    enrolment = read_enrolled(tmp_path)
    assert enrolment is not None
    assert not enrolment.is_done
    key = read_key(key_path(tmp_path, Purpose.ENROLMENT), Purpose.ENROLMENT).verifying
    office.set(down=set())
    enrolled(tmp_path, office, code=code)
    assert {one.key for one in office.enrols} == {key}


def test_a_trust_file_that_a_person_changed_is_not_replaced_unless_they_say_so(office: Office, tmp_path: Path) -> None:
    enrolled(tmp_path, office)
    file = tmp_path / NAME
    first = file.read_text()
    changed = first + "# Asked on Monday.\n"
    file.write_text(changed)
    for _ in range(2):
        with pytest.raises(Refused) as refusal:
            enrolled(tmp_path, office)
        assert refusal.value.faults[0].next is not None
        assert "--replace" in refusal.value.faults[0].next
        assert file.read_text() == changed
    assert len(office.enrols) == 1
    enrolled(tmp_path, office, replacing=True)
    assert file.read_text() == first


def test_a_trust_file_that_nobody_changed_follows_the_verifier(office: Office, tmp_path: Path) -> None:
    enrolled(tmp_path, office)
    office.trust = replace(office.trust, landmarks=(landmark(),))
    enrolled(tmp_path, office)
    (one,) = office.trust.landmarks
    (found,) = read_trusted(tmp_path).landmarks.values()
    assert (found.key, found.name, found.url) == (one.key, one.name, one.url)
    assert found.ca == Path('/etc/some "ca".pem')


def test_the_state_folder_is_for_its_owner_alone(office: Office, tmp_path: Path) -> None:
    folder = tmp_path / "agent"
    enrolled(folder, office)

    def mode(path: Path) -> int:
        return stat.S_IMODE(path.stat().st_mode)

    assert (mode(folder), mode(folder / "keys")) == (0o700, 0o700)
    assert mode(key_path(folder, Purpose.ENROLMENT)) == 0o600
    key_path(folder, Purpose.ENROLMENT).chmod(0o640)
    with pytest.raises(Refused) as refusal:
        enrolled(folder, office)
    assert refusal.value.faults[0].code is ErrorCode.KEY_EXPOSED


KEY = "5f" * 32
GOOD = f"""\
format = "lightbound.agent-trust/1"
directories = ["{KEY}"]
[verifier]
url = "https://verifier.example:8470"
key = "{KEY}"
[[landmark]]
name = "sin-1"
url = "https://sin-1.example:8471"
key = "{KEY}"
"""


def test_a_good_trust_file_is_read(tmp_path: Path) -> None:
    (tmp_path / NAME).write_text(GOOD)
    assert len(read_trusted(tmp_path).landmarks) == 1


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("lightbound.agent-trust/1", "lightbound.agent-trust/2", "format"),
        (f'["{KEY}"]', f'["{KEY[2:]}"]', "directories[0]"),
        (f'["{KEY}"]', f'"{KEY}"', "directories"),
        ("[verifier]", "[verifer]", "verifier"),
        ("https://verifier.example:8470", "ftp://verifier.example", "verifier.url"),
        ("https://verifier.example:8470", "https://verifier.example:8470/path", "verifier.url"),
        (f'key = "{KEY}"\n[[', f'key = "{KEY.upper()}"\n[[', "verifier.key"),
        (f'key = "{KEY}"\n[[', f'key = "{KEY}"\nca = 1\n[[', "verifier.ca"),
        ('name = "sin-1"', 'nome = "sin-1"', "landmark[0].name"),
        ('name = "sin-1"', "name = 1", "landmark[0].name"),
        ('name = "sin-1"', 'name = "sin-1"\nport = 1', "landmark[0].port"),
        ("https://sin-1.example:8471", "https://sin-1.example:0", "landmark[0].url"),
        (
            'name = "sin-1"',
            f'name = "x"\nurl = "https://x"\nkey = "{KEY}"\n[[landmark]]\nname = "y"',
            "landmark[1].key",
        ),
        ("directories = ", "others = 1\ndirectories = ", "others"),
        ('format = "', "format = ", None),
    ],
)
def test_each_way_a_trust_file_is_wrong_names_file_and_key(tmp_path: Path, old: str, new: str, key: str | None) -> None:
    assert old in GOOD
    (tmp_path / NAME).write_text(GOOD.replace(old, new))
    with pytest.raises(Malformed) as malformed:
        read_trusted(tmp_path)
    fault = malformed.value.faults[0]
    assert fault.file == str(tmp_path / NAME)
    assert fault.column == key


def test_no_trust_file_is_told_as_not_enrolled(tmp_path: Path) -> None:
    with pytest.raises(LightboundError) as error:
        read_trusted(tmp_path)
    assert error.value.faults[0].code is ErrorCode.NOT_ENROLLED
