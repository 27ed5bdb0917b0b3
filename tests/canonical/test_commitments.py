"""A private field can be shown later or left out; the signature stands either way."""

from dataclasses import replace

import pytest

from lightbound.canonical.commitments import SALT_BYTES, Disclosure, disclosed
from lightbound.errors import ErrorCode, Refused

HONEST = Disclosure(field="site", salt=bytes(range(SALT_BYTES)), value={"latitude_e7": 1, "name": "Berlin"})
DIGESTS = {"site": HONEST.digest(), "other": bytes(32)}


def test_what_was_committed_to_can_be_shown() -> None:
    assert disclosed(HONEST, DIGESTS) == HONEST.value


@pytest.mark.parametrize(
    "other",
    [
        replace(HONEST, value={"latitude_e7": 2, "name": "Berlin"}),
        replace(HONEST, value=None),
        replace(HONEST, salt=bytes(SALT_BYTES)),
        replace(HONEST, field="other"),
        replace(HONEST, field="address"),
    ],
)
def test_another_value_salt_or_field_is_refused(other: Disclosure) -> None:
    with pytest.raises(Refused) as caught:
        disclosed(other, DIGESTS)
    assert caught.value.faults[0].code is ErrorCode.DISCLOSURE_DIFFERS
    assert caught.value.faults[0].column == other.field


@pytest.mark.parametrize("length", [0, SALT_BYTES - 1, SALT_BYTES + 1])
def test_a_salt_of_another_length_is_refused_even_where_the_digest_is_right(length: int) -> None:
    short = replace(HONEST, salt=bytes(length))
    with pytest.raises(Refused):
        disclosed(short, {"site": short.digest()})


def test_equal_values_have_unequal_digests_under_unequal_salts() -> None:
    assert HONEST.digest() != replace(HONEST, salt=bytes(SALT_BYTES)).digest()


def test_no_part_can_be_moved_into_its_neighbour() -> None:
    """The digest is over an array, so that the end of one part and the start of the next cannot be confused."""
    one = Disclosure(field="ab", salt=bytes(SALT_BYTES), value="c")
    other = Disclosure(field="a", salt=bytes(SALT_BYTES), value="bc")
    assert one.digest() != other.digest()
