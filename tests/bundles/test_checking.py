"""A bundle is checked by a stranger: what a verifier made holds; what is altered in it is refused, each at its step."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from lightbound.bundles import checking
from lightbound.bundles.checking import STEPS, Checked, Trusted
from lightbound.bundles.contents import Bundle, SessionShown, write_bundle
from lightbound.bundles.reading import read_bundle
from lightbound.bundles.recomputed import line_of
from lightbound.bundles.vouching import vouched
from lightbound.canonical.commitments import Disclosure
from lightbound.errors import ErrorCode, Malformed
from lightbound.judging.bundle_check import checked
from lightbound.keys.purposes import Purpose
from lightbound.ranging.statements.admission import DirectoryTrust
from lightbound.sim.devices.foundry import Foundry
from tests.bundles.made import ROOTS, Made, attested, check, revoked, trusted
from tests.ranging.parties import PARTIES, TRUST, VERIFIER, key, world
from tests.roles.verifier.hosts import device
from tests.roles.verifier.virtual import virtual

STRANGERS = revoked("one", Foundry.of(7))
"""An answer about devices of somebody else."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    with attested(tmp_path_factory.mktemp("world") / "verifier") as found:
        yield found


@pytest.fixture(scope="module")
def bundle(made: Made) -> Bundle:
    return made.bundle()


def refused_at(done: Checked) -> tuple[str | None, ErrorCode]:
    assert done.error is not None
    return done.failed, done.error.faults[0].code


def test_what_a_verifier_made_holds_at_every_step(bundle: Bundle) -> None:
    done = check(bundle)
    assert (done.error, [one.what for one in done.steps]) == (None, list(STEPS))
    assert done.steps[4].found == "the chip signed 1 of 1 session, tier A1 at least"
    (verdict,) = done.verdicts
    assert (verdict["standing"], verdict["assurance"]["tier"]) == ("verified", "A1")


def test_a_bundle_is_read_as_it_was_written_and_twice_written_the_same(bundle: Bundle) -> None:
    data = write_bundle(bundle)
    assert read_bundle(data) == bundle
    assert write_bundle(read_bundle(data)) == data
    assert len(data) < 150_000


def test_without_its_site_it_still_verifies_what_it_keeps(made: Made) -> None:
    done = check(made.bundle(with_site=False))
    assert done.error is None
    assert "the site is withheld" in done.steps[3].found


def test_nothing_of_another_chip_of_the_host_is_inside(bundle: Bundle) -> None:
    data, other = write_bundle(bundle), device("two")
    assert other.chip_id not in data
    assert other.chain[:400] not in data
    assert other.serial.encode() not in data
    assert device("one").chain in data


def test_a_chip_at_a0_has_a_bundle_too(tmp_path: Path) -> None:
    with virtual(tmp_path / "verifier") as verifier:
        verifier.answer(verifier.enrol("a"))
        (chip,) = verifier.kept.judged.chips()
        done = check(Made(verifier=verifier, data=tmp_path / "verifier", chip=chip.chip).bundle())
        assert done.error is None
        assert done.verdicts[0]["assurance"]["tier"] == "A0"


def test_answers_about_the_chip_go_in_and_are_told_and_change_no_verdict(made: Made) -> None:
    answers = (revoked("two"), revoked("one"))
    attestor = replace(made.verifier.judge.attestor, revocations=(STRANGERS, b"none", *answers))
    verifier = replace(made.verifier, judge=replace(made.verifier.judge, attestor=attestor))
    bundle = replace(made, verifier=verifier).bundle()
    # A list is about everybody whom its issuer certified.
    assert bundle.revocations == answers
    done = check(bundle)
    assert done.error is None
    assert done.verdicts == check(made.bundle()).verdicts
    assert "Answers about revocation (2): certificate" in done.steps[4].found
    assert "revoked since 2026-01-01" in done.steps[4].found


@pytest.mark.parametrize("data", [STRANGERS, b"none", revoked("one")[:-1] + b"?"], ids=["another's", "none", "forged"])
def test_an_answer_that_says_nothing_of_the_chip_is_refused(bundle: Bundle, data: bytes) -> None:
    done = check(replace(bundle, revocations=(revoked("one"), data)))
    assert done.failed == STEPS[4]
    assert done.error is not None
    assert done.error.faults[0].column == "bundle.revocations[1]"


# -- who is believed -----------------------------------------------------------------------------------------------


def test_another_verifier_than_the_trusted_one_is_refused(bundle: Bundle) -> None:
    stranger = replace(trusted(), verifiers=(key(Purpose.VERIFIER, "stranger").verifying,))
    assert refused_at(check(bundle, stranger)) == (STEPS[0], ErrorCode.WRONG_KEY)


def test_a_directory_by_others_than_the_trusted_parties_is_refused(bundle: Bundle) -> None:
    strangers = tuple(key(Purpose.DIRECTORY, f"stranger {number}").verifying for number in range(3))
    believed = Trusted(verifiers=trusted().verifiers, directory=DirectoryTrust(keys=strangers, threshold=2))
    assert refused_at(check(bundle, believed)) == (STEPS[1], ErrorCode.WRONG_KEY)
    all_three = DirectoryTrust(keys=TRUST.keys, threshold=len(PARTIES))
    assert refused_at(check(bundle, replace(believed, directory=all_three)))[0] == STEPS[1]


# -- what is altered -----------------------------------------------------------------------------------------------

Change = Callable[[Bundle], Bundle]


def of_session(change: Callable[[SessionShown], SessionShown]) -> Change:
    return lambda bundle: replace(bundle, sessions=(change(bundle.sessions[0]), *bundle.sessions[1:]))


def of_verdict(change: Callable[[dict[str, Any]], object]) -> Change:
    def changed(bundle: Bundle) -> Bundle:
        said = json.loads(bundle.verdicts[0].line)
        change(said)
        return replace(bundle, verdicts=(replace(bundle.verdicts[0], line=json.dumps(said, separators=(",", ":"))),))

    return changed


def flipped(data: bytes) -> bytes:
    return data[:-1] + bytes([data[-1] ^ 1])


def signed_anew(bundle: Bundle) -> Bundle:
    """As a verifier would that lies."""
    return vouched(bundle, VERIFIER)


def of_landmark(field: str) -> Change:
    def change(shown: SessionShown) -> SessionShown:
        landmark = min(shown.statements.by_landmark)
        said = shown.statements.by_landmark[landmark]
        other = replace(said, **{field: flipped(getattr(said, field))})
        by_landmark = {**shown.statements.by_landmark, landmark: other}
        return replace(shown, statements=replace(shown.statements, by_landmark=by_landmark))

    return of_session(change)


def of_statements(field: str) -> Change:
    def change(shown: SessionShown) -> SessionShown:
        said: Any = {field: flipped(getattr(shown.statements, field))}
        return replace(shown, statements=replace(shown.statements, **said))

    return of_session(change)


ALTERED: list[tuple[str, Change, int, ErrorCode]] = [
    ("the verifier's key", lambda b: replace(b, verifier=flipped(b.verifier)), 1, ErrorCode.WRONG_KEY),
    (
        "the directory",
        lambda b: replace(b, admission=replace(b.admission, directory=flipped(b.admission.directory))),
        2,
        ErrorCode.SIGNATURE_INVALID,
    ),
    (
        "a position left out",
        lambda b: replace(b, admission=replace(b.admission, positions=b.admission.positions[1:])),
        2,
        ErrorCode.NOT_ADMITTED,
    ),
    ("SESSION", of_statements("session"), 3, ErrorCode.SIGNATURE_INVALID),
    ("BIND", of_statements("bind"), 3, ErrorCode.SIGNATURE_INVALID),
    ("the manifest of evidence", of_statements("evidence"), 3, ErrorCode.EVIDENCE_DIFFERS),
    ("CONTRIB", of_landmark("contrib"), 3, ErrorCode.SIGNATURE_INVALID),
    ("CLOSE", of_landmark("close"), 3, ErrorCode.SIGNATURE_INVALID),
    ("ACK", of_landmark("ack"), 3, ErrorCode.TRANSCRIPT_DIFFERS),
    ("MEASUREMENT", of_landmark("measurement"), 3, ErrorCode.SIGNATURE_INVALID),
    ("the chip", lambda b: signed_anew(replace(b, chip=flipped(b.chip))), 4, ErrorCode.DISCLOSURE_DIFFERS),
    ("the chip, by another", lambda b: replace(b, chip=flipped(b.chip)), 1, ErrorCode.DISCLOSURE_DIFFERS),
    (
        "the chip's salt",
        of_session(lambda s: replace(s, chip=replace(s.chip, salt=flipped(s.chip.salt)))),
        4,
        ErrorCode.DISCLOSURE_DIFFERS,
    ),
    (
        "the site",
        of_session(lambda s: replace(s, site=Disclosure(field="site", salt=bytes(32), value={"name": "elsewhere"}))),
        4,
        ErrorCode.DISCLOSURE_DIFFERS,
    ),
    (
        "the licensed area",
        lambda b: signed_anew(replace(b, terms=replace(b.terms, licensed="circle(50,5,1501)"))),
        4,
        ErrorCode.DISCLOSURE_DIFFERS,
    ),
    (
        "the borders",
        lambda b: signed_anew(replace(b, terms=replace(b.terms, border_sha256="0" * 64))),
        7,
        ErrorCode.BORDERS_CORRUPT,
    ),
    ("the report left out", of_session(lambda s: replace(s, documents=())), 8, ErrorCode.NUMBERS_DIFFER),
    (
        "a report altered",
        of_session(lambda s: replace(s, documents=tuple(map(flipped, s.documents)))),
        5,
        ErrorCode.EVIDENCE_DIFFERS,
    ),
    (
        "that the chip attested itself",
        lambda b: signed_anew(replace(b, pinned=replace(b.pinned, is_attested=False))),
        8,
        ErrorCode.NUMBERS_DIFFER,
    ),
    (
        "the fault budget",
        lambda b: signed_anew(replace(b, terms=replace(b.terms, fault_budget=2))),
        8,
        ErrorCode.NUMBERS_DIFFER,
    ),
    (
        "the border error",
        lambda b: signed_anew(replace(b, terms=replace(b.terms, border_error_m=1))),
        8,
        ErrorCode.NUMBERS_DIFFER,
    ),
    (
        "rules that the verifier did not sign",
        lambda b: replace(b, terms=replace(b.terms, fault_budget=0)),
        1,
        ErrorCode.DISCLOSURE_DIFFERS,
    ),
    (
        "a host's key that it did not sign",
        lambda b: replace(b, pinned=replace(b.pinned, quote_key=bytes(34))),
        1,
        ErrorCode.DISCLOSURE_DIFFERS,
    ),
    ("the verifier's word", lambda b: replace(b, vouched=flipped(b.vouched)), 1, ErrorCode.SIGNATURE_INVALID),
    ("the standing", of_verdict(lambda v: v.update(standing="cleared")), 8, ErrorCode.NUMBERS_DIFFER),
    ("the tier", of_verdict(lambda v: v["assurance"].update(tier="A2")), 8, ErrorCode.NUMBERS_DIFFER),
    ("a margin", of_verdict(lambda v: v["licensed"].update(margin_m=10**9)), 8, ErrorCode.NUMBERS_DIFFER),
    ("a word left out", of_verdict(lambda v: v.pop("algorithm")), 8, ErrorCode.NUMBERS_DIFFER),
    (
        "what the verdict rests on",
        lambda b: replace(b, verdicts=(replace(b.verdicts[0], basis=()),)),
        8,
        ErrorCode.WRONG_SESSION,
    ),
    (
        "a session that is not there",
        lambda b: replace(b, verdicts=(replace(b.verdicts[0], basis=(bytes(32),)),)),
        8,
        ErrorCode.WRONG_SESSION,
    ),
    ("a session twice", lambda b: replace(b, sessions=b.sessions * 2), 3, ErrorCode.WRONG_SESSION),
]


@pytest.mark.parametrize(("_what", "change", "step", "code"), ALTERED, ids=[what for what, *_ in ALTERED])
def test_whatever_is_altered_is_refused_at_its_step(
    bundle: Bundle, _what: str, change: Change, step: int, code: ErrorCode
) -> None:
    assert refused_at(check(change(bundle))) == (STEPS[step - 1], code)


def test_metres_may_differ_by_one_and_words_by_nothing(bundle: Bundle) -> None:
    def moved(by: int) -> Bundle:
        change = of_verdict(lambda said: said["licensed"].update(margin_m=said["licensed"]["margin_m"] + by))
        return signed_anew(change(bundle))

    assert check(moved(1)).error is None
    assert check(moved(-1)).error is None
    assert refused_at(check(moved(2)))[1] is ErrorCode.NUMBERS_DIFFER


def test_an_area_that_names_a_file_of_the_checkers_machine_is_not_read(tmp_path: Path, bundle: Bundle) -> None:
    secret = tmp_path / "secret.geojson"
    secret.write_text("{}", encoding="utf-8")
    withheld = of_session(lambda shown: replace(shown, site=None))(bundle)
    for terms in (
        replace(bundle.terms, licensed=f"@{secret}"),
        replace(bundle.terms, drawings={"../x.geojson": b"{}"}),
    ):
        done = check(signed_anew(replace(withheld, terms=terms)))
        assert refused_at(done) == (STEPS[6], ErrorCode.AREA_MALFORMED)


def test_evidence_against_a_chip_cannot_be_left_out_with_the_verdict_that_then_follows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the carrier of a bundle can do without any key: take out what contradicts, and write the verdict anew."""
    near = {0, 1, 4, 5}
    with virtual(tmp_path / "verifier") as there:
        agent = there.enrol("one")
        there.answer(agent, round_trip_ns=lambda number: (3 if number in near else 10 * number) * 1_000_000)
        (chip,) = there.kept.judged.chips()
        bundle = Made(verifier=there, data=tmp_path / "verifier", chip=chip.chip).bundle()
    assert check(bundle).verdicts[0]["standing"] == "contradiction"
    kept = {world().landmarks[number].key_id for number in (0, 1)}

    def taken_out(shown: SessionShown) -> SessionShown:
        silent = {
            landmark: said if landmark in kept else replace(said, close=None, ack=None, measurement=None)
            for landmark, said in shown.statements.by_landmark.items()
        }
        return replace(shown, statements=replace(shown.statements, by_landmark=silent))

    left = of_session(taken_out)(bundle)
    lines = list[str]()

    def follows(_line: str, again: Mapping[str, Any], _path: str) -> Mapping[str, Any]:
        lines.append(line_of(again))
        return again

    with monkeypatch.context() as patched:
        # The verdict that follows now, in the one way that it is written.
        patched.setattr(checking, "follows", follows)
        check(left)
    assert '"standing":"verified"' in lines[0]
    done = check(replace(left, verdicts=(replace(left.verdicts[0], line=lines[0]),)))
    assert refused_at(done) == (STEPS[8], ErrorCode.EVIDENCE_DIFFERS)
    assert "4 landmarks silent" in done.steps[2].found


def test_what_makes_work_is_not_looked_at_before_somebody_trusted_signed_it(bundle: Bundle) -> None:
    """A drawing of a grid takes minutes, and a manifest is a document of XML."""
    lines = ",".join(f"[[{n},0],[{n}.1,0],[{n}.1,60],[{n},60],[{n},0]]" for n in range(60))
    heavy = f'{{"type":"MultiPolygon","coordinates":[[{lines}]]}}'.encode()
    name = f"drawings/{sha256(heavy).hexdigest()[:32]}.geojson"
    terms = replace(bundle.terms, licensed=f"@{name}", drawings={name: heavy})
    assert refused_at(check(replace(bundle, terms=terms))) == (STEPS[0], ErrorCode.DISCLOSURE_DIFFERS)
    stranger = replace(trusted(), verifiers=(key(Purpose.VERIFIER, "stranger").verifying,))
    done = checked(replace(bundle, manifests=(b"<",)), stranger, roots=ROOTS)
    assert refused_at(done) == (STEPS[0], ErrorCode.WRONG_KEY)


# -- any bytes -----------------------------------------------------------------------------------------------------


def test_another_version_is_told_by_its_name(bundle: Bundle) -> None:
    data = write_bundle(bundle).replace(b"lightbound.bundle/1", b"lightbound.bundle/2")
    with pytest.raises(Malformed) as caught:
        read_bundle(data)
    assert (caught.value.faults[0].code, caught.value.faults[0].found) == (
        ErrorCode.WRONG_VERSION,
        "lightbound.bundle/2",
    )
