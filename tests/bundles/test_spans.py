"""A span of one chip's verdicts in one bundle: each session once, nothing of the other chip, and all of it follows."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lightbound.bundles.contents import write_bundle
from lightbound.bundles.reading import read_bundle
from lightbound.cli.app import app
from lightbound.errors import ErrorCode, Refused
from lightbound.roles.verifier.settings import HOUR_NS, Policy
from tests.bundles.made import Made, attested, check, trusted, written
from tests.ranging.parties import AGENT, NOW_NS, key
from tests.roles.verifier.hosts import Host, device
from tests.roles.verifier.virtual import virtual

HOURS = 6


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    """A chip that was asked every half hour."""
    host = Host(devices=(device("one"), device("two")))
    policy = Policy(every_ns=HOUR_NS // 2)
    with attested(tmp_path_factory.mktemp("world") / "verifier", policy=policy) as found:
        agent = key(AGENT.purpose, "a")
        for _ in range(2 * HOURS):
            found.verifier.later(HOUR_NS // 2)
            found.verifier.answer(agent, host=host)
        yield found


def test_every_verdict_of_a_span_is_inside_with_each_of_its_sessions_once(made: Made) -> None:
    bundle = made.bundle(span_ns=(0, 2 * NOW_NS))
    assert len(bundle.verdicts) >= HOURS
    assert len(bundle.sessions) == len({one.statements.session for one in bundle.sessions})
    assert sum(len(one.basis) for one in bundle.verdicts) > len(bundle.sessions)
    data = write_bundle(bundle)
    assert read_bundle(data) == bundle
    assert device("two").chip_id not in data
    done = check(bundle)
    assert done.error is None
    assert len(done.verdicts) == len(bundle.verdicts)


def test_each_verdict_is_told_with_the_time_that_it_is_about(tmp_path: Path) -> None:
    with virtual(tmp_path / "verifier") as there:
        agent = there.enrol("one")
        for _ in range(3):
            there.answer(agent)
            there.later(HOUR_NS)
        (chip,) = there.kept.judged.chips()
        bundle = Made(verifier=there, data=tmp_path / "verifier", chip=chip.chip).bundle(span_ns=(0, 2 * NOW_NS))
    files = written(tmp_path, bundle, trusted())
    told = CliRunner().invoke(app, ["check", *files.arguments()]).output
    windows = re.findall(r"^standing  verified \(A\d\), (\S+)Z to (\S+)Z$", told, re.MULTILINE)
    assert len(windows) == len(set(windows)) == len(bundle.verdicts) == 3


def test_a_part_of_a_span_holds_what_was_decided_then(made: Made) -> None:
    whole = made.bundle(span_ns=(0, 2 * NOW_NS))
    middle_ns = NOW_NS + HOURS * HOUR_NS // 2
    parts = [made.bundle(span_ns=span_ns) for span_ns in ((0, middle_ns), (middle_ns, 2 * NOW_NS))]
    assert {one for part in parts for one in part.verdicts} == {*whole.verdicts}
    assert all(check(part).error is None for part in parts)
    with pytest.raises(Refused, match="not decided then"):
        made.bundle(span_ns=(2 * NOW_NS, 3 * NOW_NS))


def test_a_session_on_which_no_verdict_rests_is_refused(made: Made) -> None:
    bundle = made.bundle(span_ns=(0, 2 * NOW_NS))
    newest = {name for one in bundle.verdicts[-1:] for name in one.basis}
    assert len(newest) < len(bundle.sessions)
    done = check(replace(bundle, verdicts=bundle.verdicts[-1:]))
    assert done.error is not None
    assert done.error.faults[0].code is ErrorCode.WRONG_SESSION


def test_a_session_costs_the_same_in_a_long_bundle_as_in_a_short_one(made: Made) -> None:
    one, all_of_them = made.bundle(), made.bundle(span_ns=(0, 2 * NOW_NS))
    each = len(write_bundle(all_of_them)) / len(all_of_them.sessions)
    assert each < len(write_bundle(one)) / len(one.sessions)


def test_a_session_of_another_directory_is_told_with_its_time_and_what_to_do(made: Made) -> None:
    judge = made.verifier.judge
    other = replace(judge.landmarks, digest=bytes(32))
    verifier = replace(made.verifier, judge=replace(judge, landmarks=other))
    with pytest.raises(Refused, match=r"asked for at 20\d\d-.*each part needs its own bundle"):
        replace(made, verifier=verifier).bundle(span_ns=(0, 2 * NOW_NS))
