"""ENROL, POLL, TRUST and deliveries: read as written, and refused from anybody else, at another time, to another."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightbound.canonical.cbor import Value, decode, encode
from lightbound.enrolment.codes import Code, read_code
from lightbound.enrolment.delivery import Content, Failure, Part, Step, deliverer, read_delivery, write_delivery
from lightbound.enrolment.kinds import Kind
from lightbound.enrolment.requests import (
    MOST_AGE_NS,
    MOST_ERROR,
    Enrol,
    Poll,
    check_fresh,
    check_meant,
    read_enrol,
    read_poll,
    signer,
    told,
    write_enrol,
    write_poll,
)
from lightbound.enrolment.trust import Trust, TrustedLandmark, check_url, read_trust, write_trust
from lightbound.errors import LightboundError, Malformed, Refused
from lightbound.keys.ed25519 import SigningKey
from lightbound.keys.purposes import Purpose
from lightbound.ranging.sessions.verification import LandmarkStatements

VERIFIER = SigningKey.of_seed(Purpose.VERIFIER, bytes([1]) * 32)
AGENT = SigningKey.of_seed(Purpose.ENROLMENT, bytes([2]) * 32)
OTHER = SigningKey.of_seed(Purpose.ENROLMENT, bytes([3]) * 32)
LANDMARKS = tuple(SigningKey.of_seed(Purpose.LANDMARK, bytes([i]) * 32).verifying for i in range(10, 14))
NOW_NS = 1_800_000_000_000_000_000

ENROL = Enrol(
    verifier=VERIFIER.key_id,
    secret=bytes(15),
    key=AGENT.verifying,
    chips=(bytes([1]) * 32, bytes([2]) * 32),
    evidence=None,
    software="lightbound 0",
    at_ns=NOW_NS,
)
POLL = Poll(verifier=VERIFIER.key_id, wait_s=25, software="lightbound 0", error="", at_ns=NOW_NS)
CONTENT = Content(
    session=bytes(32),
    bind=b"bind",
    evidence=b"evidence",
    landmarks={
        LANDMARKS[0].key_id: Part(statements=LandmarkStatements(contrib=b"c", close=b"x", ack=b"a", measurement=b"m")),
        LANDMARKS[1].key_id: Part(
            statements=LandmarkStatements(), failure=Failure(step=Step.CONTRIB, why="connection refused")
        ),
    },
)


@given(secret=st.binary(min_size=15, max_size=15), verifier=st.binary(min_size=16, max_size=16))
def test_a_code_is_read_as_written_in_capitals_or_not(secret: bytes, verifier: bytes) -> None:
    code = Code(secret=secret, verifier=verifier)
    assert read_code(code.text) == code
    assert read_code(f" {code.text.upper()}\n") == code


@given(text=st.text(max_size=80) | st.from_regex(r"lb1-[a-z2-7]{24}-[a-z2-7]{26}", fullmatch=True))
def test_any_text_is_a_code_as_it_was_written_or_malformed(text: str) -> None:
    try:
        code = read_code(text)
    except Malformed:
        return
    assert code.text == text.strip().lower()


def test_a_code_does_not_show_its_secret() -> None:
    assert "aaaa" not in repr(Code(secret=b"a" * 15, verifier=bytes(16)))


def test_enrol_and_poll_are_read_as_written() -> None:
    assert read_enrol(write_enrol(ENROL, AGENT)) == ENROL
    assert read_poll(write_poll(POLL, AGENT), AGENT.verifying) == POLL
    assert signer(write_poll(POLL, AGENT), Kind.POLL) == AGENT.key_id


def test_enrol_signed_by_another_key_than_it_names_is_refused() -> None:
    with pytest.raises(Refused):
        read_enrol(write_enrol(ENROL, OTHER))


def test_a_poll_by_another_agent_is_refused() -> None:
    with pytest.raises(Refused):
        read_poll(write_poll(POLL, OTHER), AGENT.verifying)


def test_a_statement_of_one_kind_does_not_pass_for_another() -> None:
    with pytest.raises(Refused):
        read_poll(write_enrol(ENROL, AGENT), AGENT.verifying)
    with pytest.raises(Refused):
        signer(write_enrol(ENROL, AGENT), Kind.POLL)


@pytest.mark.parametrize("sign", [1, -1])
def test_what_was_made_five_minutes_ago_or_in_five_minutes_is_taken_and_no_more(sign: int) -> None:
    check_fresh(NOW_NS + sign * MOST_AGE_NS, now_ns=NOW_NS, path="poll")
    with pytest.raises(Refused):
        check_fresh(NOW_NS + sign * (MOST_AGE_NS + 1), now_ns=NOW_NS, path="poll")


def test_what_is_meant_for_another_verifier_is_refused() -> None:
    check_meant(VERIFIER.key_id, VERIFIER.verifying, "poll")
    with pytest.raises(Refused):
        check_meant(bytes(16), VERIFIER.verifying, "poll")


@given(error=st.text(max_size=600))
def test_any_error_can_be_told(error: str) -> None:
    poll = replace(POLL, error=told(error))
    assert read_poll(write_poll(poll, AGENT), AGENT.verifying) == poll
    assert len(poll.error) <= MOST_ERROR


def _trust() -> Trust:
    landmarks = [
        TrustedLandmark(key=key, name=f"lm-{i}", url=f"https://lm{i}.example:8471") for i, key in enumerate(LANDMARKS)
    ]
    ordered = tuple(sorted(landmarks, key=lambda one: one.key.key_id))
    return Trust(verifier=VERIFIER.verifying, directories=(bytes(32),), landmarks=ordered)


def test_trust_is_read_as_written_by_the_verifier_whose_key_the_code_names() -> None:
    assert read_trust(write_trust(_trust(), VERIFIER), VERIFIER.key_id) == _trust()


def test_trust_of_another_verifier_is_refused() -> None:
    with pytest.raises(Refused):
        read_trust(write_trust(_trust(), VERIFIER), bytes(16))
    forger = SigningKey.of_seed(Purpose.VERIFIER, bytes([9]) * 32)
    with pytest.raises(Refused):
        read_trust(write_trust(_trust(), forger), VERIFIER.key_id)


@pytest.mark.parametrize(
    "url", ["ftp://a", "https://", "https://a/b", "https://a?b", "https://u@a", "https://a:0", "https://a:70000", "a"]
)
def test_an_address_with_more_than_host_and_port_is_malformed(url: str) -> None:
    with pytest.raises(Malformed):
        check_url(url, "url")


@pytest.mark.parametrize("url", ["https://a.example", "http://127.0.0.1:8471", "https://[::1]:8471"])
def test_an_address_of_a_server_is_taken(url: str) -> None:
    assert check_url(url, "url") == url


def test_a_delivery_is_read_as_written() -> None:
    data = write_delivery(CONTENT, AGENT, now_ns=NOW_NS)
    assert deliverer(data) == AGENT.key_id
    assert read_delivery(data, AGENT.verifying, now_ns=NOW_NS) == CONTENT


def test_a_delivery_by_another_agent_or_with_other_content_is_refused() -> None:
    data = write_delivery(CONTENT, AGENT, now_ns=NOW_NS)
    with pytest.raises(Refused):
        read_delivery(data, OTHER.verifying, now_ns=NOW_NS)
    other = write_delivery(replace(CONTENT, bind=None), AGENT, now_ns=NOW_NS)
    mixed = encode({"delivery": _inside(data)["delivery"], "content": _inside(other)["content"]})
    with pytest.raises(Refused):
        read_delivery(mixed, AGENT.verifying, now_ns=NOW_NS)


def _inside(data: bytes) -> dict[str, Value]:
    value = decode(data, what="test", most_bytes=10_000)
    assert isinstance(value, dict)
    return value


@given(data=st.binary(max_size=200), at=st.integers(0, 300))
def test_any_bytes_are_a_delivery_of_this_agent_or_an_error(data: bytes, at: int) -> None:
    good = write_delivery(CONTENT, AGENT, now_ns=NOW_NS)
    for tried in (data, good[:at] + data + good[at + len(data) :]):
        try:
            read = read_delivery(tried, AGENT.verifying, now_ns=NOW_NS)
        except LightboundError:
            continue
        assert read == CONTENT
