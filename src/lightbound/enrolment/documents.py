"""Bytes beside a statement, read with their limits: they are signed by somebody else, or by nobody."""

from typing import Final

from lightbound.canonical.amount import check_amount
from lightbound.canonical.cbor import MOST_BYTES, decode
from lightbound.canonical.fields import Fields, shown
from lightbound.errors import ErrorCode, malformed
from lightbound.ranging.statements.session import MOST_CHIPS

MOST_DOCUMENT_BYTES: Final = 65_536
"""Of one report, chain or quote."""

MOST_DOCUMENTS_BYTES: Final = 2_000_000
"""Of all that one host brings: 9 kB for a chip, so some 200 chips; hosts have 8 or 16. Who enrols is a stranger until
all of it has been read."""

MOST_VALUES: Final = 100_000
"""Of what an agent posts, which with 512 landmarks holds some 20,000. A stranger can post six million empty arrays,
which take 450 MB to be read."""


def fields_of(data: bytes, what: str, most_bytes: int) -> Fields:
    """The map that an agent posts, whoever that is.

    Raises:
        Malformed: none, or one of more bytes or values than it takes.
    """
    if len(data) > MOST_VALUES:
        check_amount(data[: most_bytes + 1], most=MOST_VALUES, what=what)
    return Fields(decode(data, what=what, most_bytes=most_bytes), what)


def read_octets(fields: Fields, name: str, most: int) -> bytes:
    """A byte string of at most so many bytes.

    Raises:
        Malformed: none.
    """
    value = fields.value(name)
    if type(value) is not bytes or len(value) > most:
        raise malformed(ErrorCode.STATEMENT_MALFORMED, f"at most {most} bytes", shown(value), f"{fields.path}.{name}")
    return value


def read_octets_or_none(fields: Fields, name: str, most: int = MOST_BYTES) -> bytes | None:
    """A byte string of at most so many bytes, or null.

    Raises:
        Malformed: neither.
    """
    value = fields.value(name)
    if value is not None and (type(value) is not bytes or len(value) > most):
        expected = f"at most {most} bytes, or null"
        raise malformed(ErrorCode.STATEMENT_MALFORMED, expected, shown(value), f"{fields.path}.{name}")
    return value


def read_documents(fields: Fields) -> tuple[bytes, ...]:
    """What a manifest of evidence names: reports, chains, a quote.

    Raises:
        Malformed: anything else, too many, or too long.
    """
    path = f"{fields.path}.documents"
    value = fields.value("documents")
    most = 2 * MOST_CHIPS + 1
    if type(value) is not list or len(value) > most:
        raise malformed(ErrorCode.STATEMENT_MALFORMED, f"an array of at most {most}", shown(value), path)
    read = []
    for one in value:
        if type(one) is not bytes or len(one) > MOST_DOCUMENT_BYTES:
            expected = f"at most {MOST_DOCUMENT_BYTES} bytes each"
            raise malformed(ErrorCode.STATEMENT_MALFORMED, expected, shown(one), path)
        read.append(one)
    if sum(map(len, read)) > MOST_DOCUMENTS_BYTES:
        raise malformed(ErrorCode.STATEMENT_MALFORMED, f"at most {MOST_DOCUMENTS_BYTES} bytes", "more", path)
    return tuple(read)
