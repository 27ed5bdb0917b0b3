"""What strangers post is refused before it is made, if it is more than anybody needs: a byte can be an empty array."""

from collections.abc import Callable

import pytest

from lightbound.enrolment.delivery import MOST_DELIVERY_BYTES, deliverer
from lightbound.enrolment.documents import MOST_VALUES
from lightbound.enrolment.requests import MOST_ENROLMENT_BYTES, read_enrolment
from lightbound.errors import Malformed


@pytest.mark.parametrize(
    ("read", "most"),
    [(deliverer, MOST_DELIVERY_BYTES), (read_enrolment, MOST_ENROLMENT_BYTES)],
    ids=["delivery", "enrol"],
)
@pytest.mark.parametrize("empty", [b"\x80", b"\xa0"])
def test_a_posting_of_millions_of_values_is_refused_before_they_are_made(
    read: Callable[[bytes], object], most: int, empty: bytes
) -> None:
    with pytest.raises(Malformed, match=f"at most {MOST_VALUES} values, found more"):
        read(b"\x9a" + (most - 5).to_bytes(4, "big") + empty * (most - 5))
    with pytest.raises(Malformed, match=f"at most {most} bytes"):
        read(b"\x5a" + most.to_bytes(4, "big") + bytes(most))
