"""What a verifier makes of chips that sign sessions, of chips that do not, and of whatever is brought in their name."""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from lightbound.attestation.chains import DeviceRoots
from lightbound.attestation.genuine import genuine_report
from lightbound.enrolment.attested import enrolment_n0
from lightbound.enrolment.pinned import FindingKind
from lightbound.errors import ErrorCode, LightboundError, Refused
from lightbound.judging.appraising import appraiser_of
from lightbound.keys.purposes import Purpose
from lightbound.ranging.statements.binding import n1
from lightbound.roles.verifier.settings import HOUR_NS
from lightbound.sim.devices.foundry import Foundry
from tests.ranging.parties import VERIFIER, key
from tests.roles.verifier.hosts import FOUNDRY, Host, attestor, device
from tests.roles.verifier.virtual import Virtual, virtual


@pytest.fixture
def verifier(tmp_path: Path) -> Iterator[Virtual]:
    with virtual(tmp_path / "verifier") as made:
        yield made


def kinds(told: dict[str, Any]) -> list[str]:
    return sorted(one["kind"] for one in told["findings"])


def words(verifier: Virtual, chip_id: bytes) -> tuple[str, str, list[str]]:
    told: dict[str, Any] = verifier.standing_of(chip_id)
    return told["standing"], told["tier"], kinds(told)


def refusal(verifier: Virtual, data: bytes) -> ErrorCode:
    with pytest.raises(LightboundError) as caught:
        verifier.desk.enrol(data)
    return caught.value.faults[0].code


# -- what is as it should be ---------------------------------------------------------------------------------------


def test_a_chip_that_signs_its_sessions_is_verified_at_a1_with_what_that_leaves_open(verifier: Virtual) -> None:
    chip = device("one")
    agent = verifier.enrol_with("a", Host(devices=(chip,)))
    verifier.answer(agent, host=Host(devices=(chip,)))
    told: dict[str, Any] = verifier.standing_of(chip.chip_id)
    assert (told["standing"], told["tier"], told["findings"]) == ("verified", "A1", [])
    assert told["verdict"]["assurance"] == {
        "tier": "A1",
        "reasons": ["chip_signed_session", "measurements_match", "no_quote", "simulated_chip"],
        "does_not_show": ["after_window", "genuine_chip", "key_beside_chip", "key_not_copied", "which_host"],
    }
    assert told["device"] == {
        "product": "GH100",
        "serial": f"41{chip.serial}",
        "board": "1010-0200-882",
        "vbios": "96.00.9F.00.01",
        "driver": "550.90.07",
        "firmware_id": chip.facts.firmware_id.hex(),
        "root": "Lightbound simulated device root 20261125",
        "is_simulated": True,
    }


def test_a_chip_whose_firmware_nobody_can_appraise_is_known_all_the_same(verifier: Virtual) -> None:
    chip = device("one", vbios="96.00.00.00.00")
    agent = verifier.enrol_with("a", Host(devices=(chip,)))
    verifier.answer(agent, host=Host(devices=(chip,)))
    told: dict[str, Any] = verifier.standing_of(chip.chip_id)
    assert (told["standing"], told["tier"], kinds(told)) == ("verified", "A1", [])
    assert "measurements_unappraised" in told["verdict"]["assurance"]["reasons"]
    assert "released_firmware" in told["verdict"]["assurance"]["does_not_show"]


def test_a_host_whose_gpus_and_switches_name_one_another_has_no_findings(verifier: Virtual) -> None:
    node = Host(devices=FOUNDRY.node("n", gpus=3, switches=2))
    agent = verifier.enrol_with("a", node)
    verifier.answer(agent, host=node)
    assert [words(verifier, one.chip_id) for one in node.devices] == [("verified", "A1", [])] * 5


def test_a_session_of_the_same_bytes_is_decided_to_the_same_bytes(verifier: Virtual) -> None:
    chip = device("one")
    agent = verifier.enrol_with("a", Host(devices=(chip,)))
    verifier.answer(agent, host=Host(devices=(chip,)))
    line = [one.line for one in verifier.kept.judged.chips()]
    known = verifier.kept.enrolments.agent(agent.key_id)
    assert known is not None
    again = verifier.judge.judge(known, now_ns=verifier.clock.ns)
    assert [one.line for one in again] == line


# -- what changes, and is no guilt ---------------------------------------------------------------------------------


def test_other_firmware_is_the_same_chip_and_a_finding(verifier: Virtual) -> None:
    chip = device("one")
    agent = verifier.enrol_with("a", Host(devices=(chip,)))
    updated = chip.changed(replace(chip.facts, firmware="firmware 2", vbios="96.00.A5.00.01"))
    assert (updated.chip_id, updated.leaf.spki) != (chip.chip_id, chip.leaf.spki)
    verifier.answer(agent, host=Host(devices=(updated,)))
    assert words(verifier, chip.chip_id) == ("verified", "A1", ["firmware_changed"])


def test_another_board_under_the_same_chip_is_a_finding(verifier: Virtual) -> None:
    chip = device("one")
    agent = verifier.enrol_with("a", Host(devices=(chip,)))
    moved = chip.changed(replace(chip.facts, board=("G520", "0200", "885")))
    verifier.answer(agent, host=Host(devices=(moved,)))
    assert words(verifier, chip.chip_id) == ("verified", "A1", ["board_changed"])


def test_a_chip_that_gives_no_report_keeps_nothing_of_the_session_and_is_not_accused(verifier: Virtual) -> None:
    chips = (device("one"), device("two"))
    agent = verifier.enrol_with("a", Host(devices=chips))
    verifier.answer(agent, host=Host(devices=chips))
    verifier.later(2 * HOUR_NS)
    verifier.answer(agent, host=Host(devices=chips[:1]))
    assert words(verifier, chips[0].chip_id) == ("verified", "A1", [])
    assert words(verifier, chips[1].chip_id) == ("undetermined", "A0", ["report_missing"])
    assert verifier.standing_of(chips[1].chip_id)["lead"] == "lost_proof"


def test_a_gpu_that_is_missing_from_its_host_is_named(verifier: Virtual) -> None:
    node = FOUNDRY.node("n", gpus=3, switches=2)
    agent = verifier.enrol_with("a", Host(devices=node))
    verifier.answer(agent, host=Host(devices=node[1:]))
    told: dict[str, Any] = verifier.standing_of(node[1].chip_id)
    assert (told["standing"], kinds(told)) == ("verified", ["topology_open"])
    assert f"GPU {node[0].serial} is missing" in told["findings"][0]["detail"]


def test_a_finding_is_listed_once_with_how_often_it_was_made(verifier: Virtual) -> None:
    chip = device("one")
    agent = verifier.enrol_with("a", Host(devices=(chip,)))
    updated = Host(devices=(chip.changed(replace(chip.facts, driver="560.1")),))
    for _ in range(3):
        session = verifier.answer(agent, host=updated)
        verifier.work.looked_at(verifier.kept.asked.newest(agent.key_id).digest)  # type: ignore[union-attr] # just asked
        verifier.later(2 * HOUR_NS)
    (finding,) = verifier.kept.findings.all()
    assert (finding.kind, finding.times, finding.chip) == ("firmware_changed", 3, chip.chip_id)
    assert finding.last_ns - finding.first_ns == 4 * HOUR_NS
    assert session


def test_a_revoked_chip_is_told_and_nothing_follows_by_itself(verifier: Virtual) -> None:
    chip = device("one")
    provisioner = FOUNDRY.above[0]
    since = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    entry = x509.RevokedCertificateBuilder().serial_number(chip.device.certificate.serial_number).revocation_date(since)
    listed = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(provisioner.certificate.subject)
        .last_update(since)
        .next_update(since + dt.timedelta(days=900))
        .add_revoked_certificate(entry.build())
        .add_extension(x509.CRLNumber(1), critical=False)
        .sign(provisioner.key, hashes.SHA384())
    )
    told = appraiser_of((), [("list.der", listed.public_bytes(Encoding.DER))])
    verifier.work.judge = replace(verifier.judge, attestor=replace(attestor(), appraise=told))
    agent = verifier.enrol_with("a", Host(devices=(chip,)))
    verifier.answer(agent, host=Host(devices=(chip,)))
    assert words(verifier, chip.chip_id) == ("verified", "A1", ["noted"])
    said: dict[str, Any] = verifier.standing_of(chip.chip_id)
    assert "revoked since 2026-01-01" in said["findings"][0]["detail"]


# -- what is brought in a chip's name ------------------------------------------------------------------------------


def refused_hosts() -> Sequence[tuple[str, Host]]:
    """What somebody who answers for the agent could bring in place of the chip's word."""
    chip, other = device("one"), device("other")
    old = chip.report(n1(bytes(32), chip.chip_id, None))
    flipped = bytearray(old)
    flipped[200] ^= 1
    stranger = Foundry.of(7).device("one")
    return [
        ("an old report", Host(devices=(), more=((old, chip.chain),))),
        ("a report over no nonce of ours", Host(devices=(chip,), nonce=lambda _one, _n0: bytes(32))),
        ("a report over N0 alone", Host(devices=(chip,), nonce=lambda _one, n0: n0)),
        (
            "a report over another chip's nonce",
            Host(devices=(chip,), nonce=lambda _one, n0: n1(n0, other.chip_id, None)),
        ),
        ("garbage under its chain", Host(devices=(), more=((b"garbage", chip.chain),))),
        ("a report that somebody changed", Host(devices=(), more=((bytes(flipped), chip.chain),))),
        ("another chip's report under its chain", Host(devices=(), more=((other.report(bytes(32)), chip.chain),))),
        ("a chain of nobody", Host(devices=(), more=((old, b"garbage"),))),
        ("a chip of another foundry", Host(devices=(stranger,))),
        ("nothing but digests", Host(devices=(chip,), withheld=frozenset({chip.chip_id}))),
    ]


@pytest.mark.parametrize(("_what", "host"), refused_hosts(), ids=[what for what, _ in refused_hosts()])
def test_what_anybody_could_have_sent_is_never_tampered_and_never_proves(
    verifier: Virtual, _what: str, host: Host
) -> None:
    chip = device("one")
    agent = verifier.enrol_with("a", Host(devices=(chip,)))
    verifier.answer(agent, host=host)
    standing, tier, found = words(verifier, chip.chip_id)
    assert (standing, tier) == ("undetermined", "A0")
    assert set(found) <= {FindingKind.REPORT_REFUSED, FindingKind.REPORT_MISSING}
    assert found


def test_garbage_beside_a_genuine_report_takes_nothing_from_it(verifier: Virtual) -> None:
    chip = device("one")
    agent = verifier.enrol_with("a", Host(devices=(chip,)))
    verifier.answer(agent, host=Host(devices=(chip,), more=((b"garbage", chip.chain), (b"x", b"y"))))
    assert words(verifier, chip.chip_id) == ("verified", "A1", ["report_refused"])


def test_the_report_of_another_genuine_chip_is_a_finding_and_proves_nothing_of_either(verifier: Virtual) -> None:
    chip, other = device("one"), device("other")
    agent = verifier.enrol_with("a", Host(devices=(chip,)))
    verifier.enrol_with("b", Host(devices=(other,)))
    verifier.answer(agent, host=Host(devices=(other,)))
    assert words(verifier, chip.chip_id) == ("undetermined", "A0", ["foreign_chip", "report_missing"])
    assert words(verifier, other.chip_id) == ("undetermined", "A0", ["foreign_chip"])


def test_a_chip_whose_device_key_is_new_is_another_chip(verifier: Virtual) -> None:
    chip, exchanged = device("one"), device("one, with another device key")
    agent = verifier.enrol_with("a", Host(devices=(chip,)))
    verifier.answer(agent, host=Host(devices=(exchanged,)))
    assert words(verifier, chip.chip_id) == ("undetermined", "A0", ["foreign_chip", "report_missing"])


def test_only_what_the_chip_itself_signs_against_its_makers_word_is_tampered(verifier: Virtual) -> None:
    chip = device("one")
    agent = verifier.enrol_with("a", Host(devices=(chip,)))
    bad = chip.changed(replace(chip.facts, measured={0: bytes(48)}))
    verifier.answer(agent, host=Host(devices=(bad,)))
    told: dict[str, Any] = verifier.standing_of(chip.chip_id)
    assert (told["standing"], told["tier"], kinds(told)) == ("tampered", "A1", ["measurements_differ"])
    assert told["verdict"]["licensed"]["verdict"] == "within"
    verifier.later(2 * HOUR_NS)
    verifier.answer(agent, host=Host(devices=(chip,)))
    assert words(verifier, chip.chip_id) == ("verified", "A1", ["measurements_differ"])


def test_a_bad_measurement_in_an_old_report_is_not_tampered(verifier: Virtual) -> None:
    chip = device("one")
    agent = verifier.enrol_with("a", Host(devices=(chip,)))
    bad = chip.changed(replace(chip.facts, measured={0: bytes(48)}))
    verifier.answer(agent, host=Host(devices=(bad,), nonce=lambda _one, _n0: bytes(32)))
    assert words(verifier, chip.chip_id) == ("undetermined", "A0", ["report_refused"])


def test_a_report_that_is_relayed_from_abroad_wins(verifier: Virtual) -> None:
    """What no tier here stops: the agent stands at the site, and has the chip sign from anywhere."""
    chip = device("one")
    agent = verifier.enrol_with("a", Host(devices=(chip,)))
    verifier.answer(agent, host=Host(devices=(chip,)))
    told: dict[str, Any] = verifier.standing_of(chip.chip_id)
    assert told["standing"] == "verified"
    assert {"key_beside_chip", "key_not_copied"} <= {*told["verdict"]["assurance"]["does_not_show"]}


def test_one_key_at_two_places_is_what_it_was_without_evidence(verifier: Virtual) -> None:
    chip = device("one")
    agent = verifier.enrol_with("a", Host(devices=(chip,)))
    verifier.answer(agent, host=Host(devices=(chip,)), round_trip_ns=lambda _landmark: 1_000_000)
    assert words(verifier, chip.chip_id) == ("contradiction", "A1", [])


def test_gpus_whose_switches_give_no_reports_are_not_asked_to_close(verifier: Virtual) -> None:
    gpus = Host(devices=FOUNDRY.node("n", gpus=3, switches=2)[:3])
    agent = verifier.enrol_with("a", gpus)
    verifier.answer(agent, host=gpus)
    assert [words(verifier, one.chip_id) for one in gpus.devices] == [("verified", "A1", [])] * 3


# -- enrolment -----------------------------------------------------------------------------------------------------


def enrolment(verifier: Virtual, name: str, host: Host) -> bytes:
    return verifier.attested_enrolment(key(Purpose.ENROLMENT, name), verifier.code(), host)


def test_who_enrols_with_evidence_that_does_not_hold_is_not_let_in(verifier: Virtual) -> None:
    chip, other = device("one"), device("other")
    stale = Host(devices=(chip,), nonce=lambda _one, _n0: bytes(32))
    assert refusal(verifier, enrolment(verifier, "a", stale)) is ErrorCode.NONCE_DIFFERS
    extra = Host(devices=(chip,), more=((other.report(bytes(32)), other.chain),))
    assert refusal(verifier, enrolment(verifier, "b", extra)) is ErrorCode.NONCE_DIFFERS
    nothing = Host(devices=(chip,), withheld=frozenset({chip.chip_id}))
    assert refusal(verifier, enrolment(verifier, "c", nothing)) is ErrorCode.EVIDENCE_DIFFERS
    stranger = Host(devices=(Foundry.of(7).device("one"),))
    assert refusal(verifier, enrolment(verifier, "d", stranger)) is ErrorCode.CHAIN_REFUSED
    assert verifier.kept.judged.chips() == []


def test_evidence_of_one_enrolment_is_of_no_use_for_another(verifier: Virtual) -> None:
    chip, code = device("one"), verifier.code()
    first = key(Purpose.ENROLMENT, "first")
    recorded = chip.report(n1(enrolment_n0(VERIFIER.key_id, code, first.verifying.raw), chip.chip_id, None))
    replayed = Host(devices=(chip,), nonce=lambda _one, _n0: recorded[4:36])
    assert refusal(verifier, enrolment(verifier, "second", replayed)) is ErrorCode.NONCE_DIFFERS


def test_a_chip_enrolled_twice_is_refused_and_a_finding_on_the_first(verifier: Virtual) -> None:
    chip = device("one")
    verifier.enrol_with("a", Host(devices=(chip,)))
    assert refusal(verifier, enrolment(verifier, "b", Host(devices=(chip,)))) is ErrorCode.CODE_REFUSED
    assert words(verifier, chip.chip_id)[2] == ["enrolled_twice"]


def test_a_claim_to_a_chip_does_not_stand_in_the_way_of_a_proof(verifier: Virtual) -> None:
    chip = device("one")
    squatter = key(Purpose.ENROLMENT, "squatter")
    claim = verifier.enrol_statement(squatter, verifier.code(), (chip.chip_id,))
    verifier.desk.enrol(claim)
    agent = verifier.enrol_with("a", Host(devices=(chip,)))
    assert verifier.standing_of(chip.chip_id)["agent"] == agent.key_id.hex()


def test_an_agent_that_takes_over_from_the_one_before_is_no_second_one(verifier: Virtual) -> None:
    chip = device("one")
    old = verifier.enrol_with("a", Host(devices=(chip,)))
    new = key(Purpose.ENROLMENT, "new")
    code = verifier.code(replaces=old.key_id)
    verifier.desk.enrol(verifier.attested_enrolment(new, code, Host(devices=(chip,))))
    verifier.answer(new, host=Host(devices=(chip,)))
    assert words(verifier, chip.chip_id) == ("verified", "A1", [])


def test_an_agent_whose_chips_have_gone_is_asked_for_nothing(verifier: Virtual) -> None:
    chip = device("one")
    squatter = key(Purpose.ENROLMENT, "squatter")
    verifier.desk.enrol(verifier.enrol_statement(squatter, verifier.code(), (chip.chip_id,)))
    verifier.enrol_with("a", Host(devices=(chip,)))
    assert verifier.poll(squatter) is None


def test_a_claim_to_a_chip_that_attested_itself_is_refused(verifier: Virtual) -> None:
    chip = device("one")
    verifier.enrol_with("a", Host(devices=(chip,)))
    squatter = key(Purpose.ENROLMENT, "squatter")
    claim = verifier.enrol_statement(squatter, verifier.code(), (chip.chip_id,))
    assert refusal(verifier, claim) is ErrorCode.CODE_REFUSED


def test_a_stranger_without_a_code_has_nobody_check_signatures(verifier: Virtual) -> None:
    data = verifier.attested_enrolment(key(Purpose.ENROLMENT, "a"), bytes(15), Host(devices=(device("one"),)))
    assert refusal(verifier, data) is ErrorCode.CODE_REFUSED


# -- what is believed outside of tests -----------------------------------------------------------------------------


def test_a_product_believes_no_simulated_chip() -> None:
    chip = device("one")
    with pytest.raises(Refused) as caught:
        genuine_report(chip.report(bytes(32)), chip.chain, roots=DeviceRoots.of([], with_vendors=True), nonce=bytes(32))
    assert caught.value.faults[0].code is ErrorCode.CHAIN_REFUSED
