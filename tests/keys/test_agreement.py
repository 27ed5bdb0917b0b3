"""Two parties come to share keys that nobody else has, or the agreement is refused."""

import pytest

from lightbound.errors import ErrorCode, Refused
from lightbound.keys.agreement import AgreementKey, derived_key
from tests.keys import curve

ONE = AgreementKey.of_seed(bytes(range(32)))
OTHER = AgreementKey.of_seed(bytes(range(1, 33)))


def test_agreement_is_that_of_rfc_7748() -> None:
    """Section 6.1."""
    alice = AgreementKey.of_seed(bytes.fromhex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a"))
    bob = AgreementKey.of_seed(bytes.fromhex("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb"))
    assert alice.public.hex() == "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a"
    shared = "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742"
    assert alice.agree(bob.public).hex() == bob.agree(alice.public).hex() == shared


def test_derived_keys_are_those_of_rfc_5869() -> None:
    """Appendix A.3, its first 32 bytes: without salt and info."""
    assert derived_key(b"\x0b" * 22, b"").hex() == "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d"


def test_both_ends_derive_the_same_keys_and_others_for_other_uses() -> None:
    one, other = ONE.agree(OTHER.public), OTHER.agree(ONE.public)
    assert derived_key(one, b"a") == derived_key(other, b"a")
    assert derived_key(one, b"a") != derived_key(one, b"b")


def _small() -> list[int]:
    """Every u, below 2^255, whose eightfold is at infinity, on the curve or on its twist."""
    on_curve = [
        (1 + y) * pow(1 - y, -1, curve.P) % curve.P for y in {y for _, y in curve.small_order_points()} if y != 1
    ]
    small = {*on_curve, curve.P - 1}
    return sorted({u + more for u in small for more in (0, curve.P) if u + more < 2**255})


def test_there_are_seven_numbers_of_small_order() -> None:
    small = _small()
    assert len(small) == 7
    assert all(curve.ladder(8, u % curve.P) is None for u in small)
    assert curve.ladder(8, 9) is not None


@pytest.mark.parametrize("u", _small())
def test_a_key_of_small_order_is_refused_in_every_encoding(u: int) -> None:
    """The top bit is not looked at (RFC 7748, 5)."""
    for raw in (u, u | 1 << 255):
        with pytest.raises(Refused) as caught:
            ONE.agree(raw.to_bytes(32, "little"))
        assert caught.value.faults[0].code is ErrorCode.WRONG_KEY


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_key_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(Refused):
        ONE.agree(bytes([9]) * length)


def test_a_private_key_does_not_show_when_it_is_printed() -> None:
    assert "private" not in repr(ONE).lower()
    assert repr(ONE.public) in repr(ONE)
