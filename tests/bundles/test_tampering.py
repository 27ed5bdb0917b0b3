"""Every byte of a bundle is one that a step looks at, or one of a few that say nothing: altered at random, it shows."""

import json
import re
import resource
import secrets
from collections.abc import Callable, Iterator
from collections.abc import Set as AbstractSet
from copy import deepcopy
from dataclasses import dataclass, replace
from random import Random
from typing import Any

import pytest

from lightbound.bundles.checking import Checked, Trusted
from lightbound.bundles.contents import write_bundle
from lightbound.bundles.reading import read_bundle
from lightbound.canonical.amount import check_amount
from lightbound.canonical.cbor import encode
from lightbound.errors import ErrorCode, Malformed, Refused
from lightbound.keys.signing import digest
from tests.bundles.made import attested, check, logged, revoked, trusted
from tests.bundles.mutating import altered_bytes, altered_value, regions, told

READING = frozenset(
    {ErrorCode.CBOR_MALFORMED, ErrorCode.CBOR_NOT_DETERMINISTIC, ErrorCode.STATEMENT_MALFORMED, ErrorCode.WRONG_VERSION}
)
"""What a byte that no longer makes a bundle is refused with."""

SIGNED = frozenset({ErrorCode.SIGNATURE_INVALID, ErrorCode.WRONG_KEY, ErrorCode.WRONG_TYPE, ErrorCode.COSE_MALFORMED})
"""What a byte of a signed statement is refused with: of what was signed, or of the envelope around it."""

AREAS = frozenset({ErrorCode.AREA_MALFORMED, ErrorCode.GEOJSON_INVALID})

VOUCHED = frozenset({ErrorCode.DISCLOSURE_DIFFERS, *AREAS})
"""What a byte of the rules, or of what was pinned, is refused with: the verifier signed others."""

OWN: dict[str, AbstractSet[ErrorCode]] = {
    "admission.directory": SIGNED,
    "admission.operators[]": {ErrorCode.NOT_ADMITTED},
    "admission.positions[]": {ErrorCode.NOT_ADMITTED},
    "chip": {ErrorCode.DISCLOSURE_DIFFERS},
    "format": frozenset(),
    "logged[].commitment": SIGNED,
    "logged[].proof": {
        ErrorCode.SEQUENCE_BROKEN,
        ErrorCode.SIGNATURE_INVALID,
        ErrorCode.WRONG_KEY,
        ErrorCode.TOO_FEW_WITNESSES,
        ErrorCode.DISCLOSURE_DIFFERS,
    },
    "logged[].statement": {ErrorCode.WRONG_SESSION},
    "manifests": frozenset(),
    "pinned.is_attested": VOUCHED,
    "pinned.quote_key": VOUCHED,
    "revocations[]": {
        ErrorCode.EVIDENCE_MALFORMED,
        ErrorCode.CERTIFICATE_MALFORMED,
        ErrorCode.EVIDENCE_DIFFERS,
        ErrorCode.SIGNATURE_INVALID,
    },
    "made_ns": {ErrorCode.EVIDENCE_DIFFERS},
    "software": {ErrorCode.EVIDENCE_DIFFERS},
    "sessions[].bind": SIGNED,
    "sessions[].chip.count": {ErrorCode.DISCLOSURE_DIFFERS},
    "sessions[].chip.index": {ErrorCode.DISCLOSURE_DIFFERS},
    "sessions[].chip.path[]": {ErrorCode.DISCLOSURE_DIFFERS},
    "sessions[].chip.salt": {ErrorCode.DISCLOSURE_DIFFERS},
    "sessions[].documents[]": {ErrorCode.EVIDENCE_DIFFERS},
    "sessions[].evidence": {ErrorCode.EVIDENCE_DIFFERS},
    "sessions[].landmarks[].abort": frozenset(),
    "sessions[].landmarks[].ack": {ErrorCode.TRANSCRIPT_DIFFERS},
    "sessions[].landmarks[].close": SIGNED,
    "sessions[].landmarks[].contrib": SIGNED,
    "sessions[].landmarks[].landmark": {ErrorCode.WRONG_LANDMARK},
    "sessions[].landmarks[].measurement": SIGNED,
    "sessions[].session": SIGNED,
    "sessions[].site.salt": {ErrorCode.DISCLOSURE_DIFFERS},
    "sessions[].site.value.excluded": {ErrorCode.DISCLOSURE_DIFFERS},
    "sessions[].site.value.licensed": {ErrorCode.DISCLOSURE_DIFFERS},
    "sessions[].site.value.name": {ErrorCode.DISCLOSURE_DIFFERS},
    "sessions[].site.value.near_e7[]": {ErrorCode.DISCLOSURE_DIFFERS},
    "terms.border_error_m": VOUCHED,
    "terms.border_sha256": VOUCHED,
    "terms.drawings.*": VOUCHED,
    "terms.excluded": VOUCHED,
    "terms.fault_budget": VOUCHED,
    "terms.licensed": VOUCHED,
    "terms.proof": VOUCHED,
    "terms.window_ns": VOUCHED,
    "verdicts[].basis[]": {ErrorCode.WRONG_SESSION},
    "verdicts[].line": {ErrorCode.NUMBERS_DIFFER, ErrorCode.EVIDENCE_DIFFERS},
    "verifier": {ErrorCode.WRONG_KEY},
    "vouched": SIGNED,
}
"""What each region is refused with, besides what a byte that makes no bundle is."""

LEFT_OUT = frozenset({"sessions[].site"})
"""What may be left out: the rest still holds, and step 4 says that it is not shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A bundle with a drawing, evidence of the chip, and proofs of a log; and who believes all of it."""

    data: bytes
    said: Any
    believed: Trusted

    def outcome(self, data: bytes) -> ErrorCode | None:
        """What altered bytes are refused with; None if every step holds, and then only what may differ does.

        Any other error than those two fails the test: that is the claim.
        """
        try:
            read = read_bundle(data)
            done = check(read, self.believed)
        except (Malformed, Refused) as error:
            return error.faults[0].code
        if done.error is not None:
            assert isinstance(done.error, Malformed | Refused)
            return done.error.faults[0].code
        assert write_bundle(read) == data
        differing = {*differences(self.said, told(data))}
        may = {f"{name} is null" for name in LEFT_OUT}
        assert differing <= may, f"accepted, and differs in {differing - may}"
        return None


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Target:
    with attested(tmp_path_factory.mktemp("world") / "verifier", is_drawn=True) as made:
        bundle, log = logged(replace(made.bundle(), revocations=(revoked("one"),)))
    data = write_bundle(bundle)
    found = Target(data=data, said=told(data), believed=trusted(log))
    assert found.outcome(data) is None
    return found


def differences(was: Any, now: Any, path: str = "") -> Iterator[str]:
    """The paths at which two values differ, numbers of items left out; a verdict's line is looked into."""
    if path.endswith(".line") and isinstance(was, str) and isinstance(now, str):
        was, now = json.loads(was), json.loads(now)
    if now is None and was is not None:
        yield f"{path} is null"
    elif isinstance(was, dict) and isinstance(now, dict):
        for name in {*was, *now}:
            yield from differences(was.get(name), now.get(name), f"{path}.{name}".lstrip("."))
    elif isinstance(was, list) and isinstance(now, list) and len(was) == len(now):
        for one, other in zip(was, now, strict=True):
            yield from differences(one, other, f"{path}[]")
    elif was != now:
        yield path


def region(path: str) -> str:
    """The kind of a region: which item it is of, or which drawing, does not matter."""
    return re.sub(r"drawings\..*", "drawings.*", re.sub(r"\[\d+\]", "[]", path))


def seed_of(campaign: str) -> Random:
    """Dice for a campaign; their seed is shown where it fails."""
    seed = secrets.token_hex(8)
    print(f"\n{campaign}: seed {seed}")  # noqa: T201 - so that it can be played again
    return Random(seed)


def flip_regions(target: Target, dice: Random, times: int) -> None:
    """One bit of each region, so many times: refused with a reason of that region, or it says nothing."""
    found: dict[str, set[ErrorCode | None]] = {}
    for path, start, end in regions(target.data):
        for _ in range(times):
            at = dice.randrange(start, end)
            data = target.data[:at] + bytes([target.data[at] ^ (1 << dice.randrange(8))]) + target.data[at + 1 :]
            found.setdefault(region(path), set()).add(target.outcome(data))
    assert {*found} == {*OWN}
    for kind, codes in found.items():
        may: set[ErrorCode | None] = {*READING, *OWN.get(kind, ())}
        assert codes <= may, f"{kind}: {codes - may}"


def mutate(target: Target, dice: Random, times: int) -> int:
    """So many mutations through the full check, in bytes and in what they say; how many were accepted."""
    accepted = 0
    for number in range(times):
        data = altered_bytes(target.data, dice) if number % 2 else altered_value(target.said, dice)
        if data != target.data:
            accepted += target.outcome(data) is None
    return accepted


def mutate_reading(target: Target, dice: Random, times: int) -> int:
    """So many through reading and hashing alone; how many were read. What is read is written as the same bytes."""
    read = 0
    for number in range(times):
        data = altered_bytes(target.data, dice) if number % 2 else altered_value(target.said, dice)
        try:
            bundle = read_bundle(data)
        except Malformed:
            continue
        assert write_bundle(bundle) == data
        assert all(len(digest(one.statements.session)) == 32 for one in bundle.sessions)
        read += 1
    return read


def test_a_bit_of_any_region_is_refused_with_a_reason_of_that_region(target: Target) -> None:
    flip_regions(target, Random(1), 6)


def test_no_mutation_crashes_the_check_and_none_is_accepted_with_another_meaning(target: Target) -> None:
    assert mutate(target, Random(2), 1_000) < 50


def test_any_mutation_is_read_to_the_same_bytes_or_is_no_bundle(target: Target) -> None:
    assert 0 < mutate_reading(target, Random(3), 5_000) < 5_000


def test_whoever_passes_it_on_may_take_out_the_site_and_nothing_else(target: Target) -> None:
    read = read_bundle(target.data)
    assert check(read, target.believed).steps[2].found == "1 session with 6 measurements, 6 acknowledged by the agent"

    def left(change: Callable[[Any], None]) -> Checked:
        said = deepcopy(target.said)
        change(said)
        return check(read_bundle(encode(said)), target.believed)

    done = left(lambda said: said["sessions"][0].update(site=None))
    assert done.error is None
    assert "the site is withheld" in done.steps[3].found

    def landmarks(said: Any) -> Any:
        return said["sessions"][0]["landmarks"]

    silent = {"close": None, "ack": None, "measurement": None}
    for change in (
        lambda said: landmarks(said)[0].update(ack=None),
        lambda said: landmarks(said).pop(),
        lambda said: landmarks(said)[0].update(silent),
        lambda said: said["sessions"][0].update(documents=[]),
        lambda said: said.update(software="another"),
        lambda said: said.update(revocations=[]),
    ):
        done = left(change)
        assert done.error is not None


def test_more_values_than_anybody_needs_are_refused_before_they_are_made(target: Target) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for filler in (b"\x80", b"\xa0", b"\x00", b"\x40"):
        count = 30_000_000
        data = b"\xa1\x61x\x9a" + count.to_bytes(4) + filler * count
        assert target.outcome(data) is ErrorCode.CBOR_MALFORMED
    # The bytes themselves, twice, and not the two gigabytes that so many arrays take.
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000


def test_values_are_counted_as_cbor_has_them(target: Target) -> None:
    def values(value: Any) -> int:
        if isinstance(value, dict):
            return 1 + sum(1 + values(part) for part in value.values())
        return 1 + sum(map(values, value)) if isinstance(value, list) else 1

    exactly = values(target.said)
    check_amount(target.data, most=exactly, what="bundle")
    with pytest.raises(Malformed):
        check_amount(target.data, most=exactly - 1, what="bundle")


def test_brackets_and_digits_without_end_are_no_verdict(target: Target) -> None:
    line = target.said["verdicts"][0]["line"]
    for other in ("[" * 60_000, "{" + '"a":{' * 8_000, "1" * 60_000, '{"a":1e999}', line.replace(":1,", ":NaN,", 1)):
        assert target.outcome(_with_line(target, other)) is ErrorCode.NUMBERS_DIFFER, other[:20]


def test_a_verdict_that_says_a_thing_twice_is_refused(target: Target) -> None:
    line = target.said["verdicts"][0]["line"]
    assert '"standing":"verified"' in line
    twice = line.replace('"standing":"verified"', '"standing":"cleared","standing":"verified"')
    assert target.outcome(_with_line(target, twice)) is ErrorCode.NUMBERS_DIFFER
    assert target.outcome(_with_line(target, line.replace(",", ", ", 1))) is ErrorCode.NUMBERS_DIFFER


@pytest.mark.parametrize("margin", ["true", "1.0", '"4"', "null", "1e3", "-0"])
def test_a_margin_that_is_no_whole_number_is_refused(target: Target, margin: str) -> None:
    line = re.sub(r'"margin_m":\d+', f'"margin_m":{margin}', target.said["verdicts"][0]["line"], count=1)
    assert target.outcome(_with_line(target, line)) is ErrorCode.NUMBERS_DIFFER


def _with_line(target: Target, line: str) -> bytes:
    said = {**target.said, "verdicts": [{**target.said["verdicts"][0], "line": line}]}
    return encode(said)


@pytest.mark.soak
def test_every_region_many_times(target: Target) -> None:
    flip_regions(target, seed_of("regions"), 200)


@pytest.mark.soak
def test_a_hundred_thousand_mutations_are_read_and_two_thousand_checked(target: Target) -> None:
    read = mutate_reading(target, seed_of("reading"), 100_000)
    accepted = mutate(target, seed_of("checking"), 20_000)
    told_of = f"{read} of 100,000 mutations are still bundles, {accepted} of 20,000 hold, none with another meaning"
    print(told_of)  # noqa: T201 - the campaign's result
