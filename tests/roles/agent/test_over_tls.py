"""Landmarks behind TLS, by name: each name is looked up once, and certificates are believed by the authority given."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from lightbound.enrolment.delivery import Step
from lightbound.roles.agent.trust_file import NAME
from tests.roles.agent.running import Running, enrolled, steps
from tests.roles.landmark.running import World, world


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for localhost, its key, and who issued it."""
    made = tmp_path_factory.mktemp("tls")
    authority, other = trustme.CA(), trustme.CA()
    certificate = authority.issue_cert("localhost")
    certificate.cert_chain_pems[0].write_to_path(made / "certificate.pem")
    certificate.private_key_pem.write_to_path(made / "key.pem")
    authority.cert_pem.write_to_path(made / "ca.pem")
    other.cert_pem.write_to_path(made / "other.pem")
    return made


@pytest.fixture(scope="module")
def landmarks(tmp_path_factory: pytest.TempPathFactory, folder: Path) -> Iterator[World]:
    tls = ["--tls-certificate", str(folder / "certificate.pem"), "--tls-key", str(folder / "key.pem")]
    with world(tmp_path_factory.mktemp("world"), count=2, more=tls) as made:
        yield made


@pytest.fixture
def running(landmarks: World, tmp_path: Path) -> Iterator[Running]:
    urls = {number: f"https://localhost:{one.port}" for number, one in enumerate(landmarks.landmarks)}
    with enrolled(tmp_path, landmarks, urls=urls) as made:
        yield made


def believing(running: Running, authorities: list[Path]) -> None:
    """Have each landmark's certificate believed by one of these."""
    file = running.folder / NAME
    first, *others = file.read_text(encoding="utf-8").split("[[landmark]]\n")
    assert len(others) == len(authorities)
    tables = [f'[[landmark]]\nca = "{ca}"\n{table}' for ca, table in zip(authorities, others, strict=True)]
    file.write_text(first + "".join(tables), encoding="utf-8")


def test_a_session_over_tls_by_name_is_believed(running: Running, folder: Path) -> None:
    believing(running, [folder / "ca.pem"] * 2)
    session = running.world.session()
    running.office.ask(session)
    running.start()
    content = running.office.delivery()
    assert steps(running, content) == [None, None]
    assert len(running.verified(session, content).measurements) == 2


def test_a_certificate_of_another_authority_is_not_believed(running: Running, folder: Path) -> None:
    believing(running, [folder / "ca.pem", folder / "other.pem"])
    running.office.ask(running.world.session())
    running.start()
    content = running.office.delivery()
    assert sorted(map(str, steps(running, content))) == ["None", str(Step.CONTRIB)]
    (why,) = [part.failure.why for part in content.landmarks.values() if part.failure is not None]
    assert "CERTIFICATE_VERIFY_FAILED" in why
