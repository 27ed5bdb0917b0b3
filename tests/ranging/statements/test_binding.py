"""BIND ties the keys of a session to everything known before it, and evidence to BIND."""

import hashlib
from dataclasses import replace

import pytest

from lightbound.canonical.cbor import Value, encode
from lightbound.errors import ErrorCode, LightboundError, Malformed, Refused
from lightbound.keys.purposes import Purpose
from lightbound.keys.signing import cosign, sign
from lightbound.ranging.statements.binding import (
    Bind,
    Contribution,
    Evidence,
    check_parties,
    n1,
    n2,
    read_bind,
    read_evidence,
    write_bind,
)
from lightbound.ranging.statements.kinds import Kind
from lightbound.ranging.statements.session import MOST_CHIPS
from lightbound.tlog import merkle
from tests.ranging.parties import AGENT, every_statement, key, secret, session_of
from tests.ranging.statements.every import EVERY, S

SESSION = session_of("told")
BIND = read_bind(every_statement()["bind"], AGENT.verifying)


def code(error: pytest.ExceptionInfo[LightboundError]) -> ErrorCode:
    (fault,) = error.value.faults
    return fault.code


def test_the_nonces_are_hashes_of_what_they_tie_together() -> None:
    contributions: list[Value] = [[each.landmark, each.digest] for each in BIND.contributions]
    expected: list[Value] = ["CLP/1 bind", BIND.session, BIND.s.raw, BIND.x, contributions, list(BIND.absent)]
    assert BIND.n0() == hashlib.sha256(encode(expected)).digest()
    chip_id, quote = secret("chip"), secret("quote")
    for given in (quote, None):
        assert n1(BIND.n0(), chip_id, given) == (
            hashlib.sha256(encode(["CLP/1 chip", BIND.n0(), chip_id, given])).digest()
        )
    transcripts, randoms = [secret("t", 1), secret("t", 2)], [secret("r", 1), secret("r", 2)]
    closed: list[Value] = [
        "CLP/1 close", secret("n1"), merkle.root(transcripts), hashlib.sha256(encode([*randoms])).digest(),
    ]  # fmt: skip
    assert n2(secret("n1"), transcripts, randoms) == hashlib.sha256(encode(closed)).digest()


def test_what_a_quote_carries_depends_on_everything_but_the_evidence() -> None:
    """The evidence carries n0 itself, so that n0 cannot depend on it."""
    assert replace(BIND, evidence=bytes(32)).n0() == BIND.n0()
    others = (
        replace(BIND, session=bytes(32)),
        replace(BIND, s=key(Purpose.SESSION, "other").verifying),
        replace(BIND, x=bytes(32)),
        replace(BIND, contributions=BIND.contributions[1:]),
        replace(BIND, contributions=(replace(BIND.contributions[0], digest=bytes(32)), *BIND.contributions[1:])),
        replace(BIND, absent=(bytes(16),)),
    )
    assert len({other.n0() for other in (BIND, *others)}) == len(others) + 1


def test_bind_is_signed_by_both_of_its_keys() -> None:
    payload = encode(EVERY["bind"].fields())
    stranger = key(Purpose.SESSION, "stranger")
    for keys in ((AGENT,), (S,), (AGENT, stranger), (key(Purpose.ENROLMENT, "other"), S), (AGENT, S, stranger)):
        with pytest.raises(Refused) as caught:
            read_bind(cosign(Kind.BIND, payload, keys), AGENT.verifying)
        assert code(caught) is ErrorCode.WRONG_KEY
    with pytest.raises(Refused) as caught:
        read_bind(sign(Kind.BIND, payload, AGENT), AGENT.verifying)
    assert code(caught) is ErrorCode.WRONG_TYPE


def test_the_session_key_that_bind_names_is_the_one_that_signed() -> None:
    with pytest.raises(Refused) as caught:
        read_bind(write_bind(replace(BIND, s=key(Purpose.SESSION, "named").verifying), AGENT, S), AGENT.verifying)
    assert code(caught) is ErrorCode.WRONG_KEY


def test_the_enrolment_key_cannot_pass_for_a_session_key() -> None:
    same = type(S).of_pem(Purpose.SESSION, AGENT.pem())
    with pytest.raises(Malformed):
        read_bind(write_bind(replace(BIND, s=same.verifying), AGENT, same), AGENT.verifying)


@pytest.mark.parametrize(
    "wrong",
    [
        replace(BIND, contributions=()),
        replace(BIND, contributions=BIND.contributions[::-1]),
        replace(BIND, contributions=(BIND.contributions[0], replace(BIND.contributions[0], digest=bytes(32)))),
        replace(BIND, contributions=(Contribution(landmark=bytes(15), digest=bytes(32)),)),
        replace(BIND, contributions=(Contribution(landmark=bytes(16), digest=bytes(31)),)),
        replace(BIND, absent=(b"b" * 16, b"a" * 16)),
        replace(BIND, absent=(b"a" * 16, b"a" * 16)),
    ],
)
def test_bind_names_somebody_and_each_landmark_once(wrong: Bind) -> None:
    with pytest.raises(Malformed):
        read_bind(write_bind(wrong, AGENT, S), AGENT.verifying)


def test_every_landmark_of_the_session_contributed_or_is_absent_and_nobody_else_is_named() -> None:
    check_parties(BIND, SESSION)
    first, *rest = BIND.contributions
    check_parties(replace(BIND, contributions=tuple(rest), absent=(first.landmark,)), SESSION)
    for wrong in (
        replace(BIND, contributions=tuple(rest)),
        replace(BIND, absent=(first.landmark,)),
        replace(BIND, absent=(bytes(16),)),
        replace(BIND, contributions=(replace(first, landmark=bytes(16)), *rest)),
    ):
        with pytest.raises(Refused) as caught:
            check_parties(wrong, SESSION)
        assert code(caught) is ErrorCode.BIND_DIFFERS


def test_without_attestation_the_manifest_is_empty_and_still_one() -> None:
    assert read_evidence(Evidence().manifest()) == Evidence()
    assert Evidence().manifest() == encode({"quote": None, "reports": []})
    assert Evidence().digest() == hashlib.sha256(Evidence().manifest()).digest()


def test_a_manifest_can_hold_a_report_of_every_chip_of_the_largest_host() -> None:
    reports = tuple((number.to_bytes(32, "big"), bytes(32)) for number in range(MOST_CHIPS))
    assert read_evidence(Evidence(quote=bytes(32), reports=reports).manifest()).reports == reports
    with pytest.raises(Malformed):
        read_evidence(Evidence(reports=(*reports, (b"\xff" * 32, bytes(32)))).manifest())


@pytest.mark.parametrize(
    "manifest",
    [
        encode({}),
        encode({"quote": None}),
        encode({"quote": bytes(31), "reports": []}),
        encode({"quote": None, "reports": [], "more": 1}),
        encode({"quote": None, "reports": [[bytes(32)]]}),
        encode({"quote": None, "reports": [[bytes(32), bytes(31)]]}),
        encode({"quote": None, "reports": [[bytes(32), bytes(32)]] * 2}),
        encode({"quote": None, "reports": [[b"b" * 32, bytes(32)], [b"a" * 32, bytes(32)]]}),
        encode([]),
        b"",
        bytes(200_000),
    ],
)
def test_a_manifest_of_another_shape_is_malformed(manifest: bytes) -> None:
    with pytest.raises(Malformed):
        read_evidence(manifest)
