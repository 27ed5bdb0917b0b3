"""Bytes as base64 in a line of text, in the one way that is taken (RFC 4648, 4): padded, and with nothing besides."""

import base64
import binascii

from lightbound.errors import ErrorCode, malformed


def write_base64(data: bytes) -> str:
    """The text of some bytes."""
    return base64.b64encode(data).decode()


def read_base64(text: str, what: str) -> bytes:
    """The bytes of a text: every other text is of other bytes, or of none.

    Raises:
        Malformed: it is no base64, or not the one that these bytes are written as.
    """
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise malformed(ErrorCode.STATEMENT_MALFORMED, "base64", "another text", what) from error
    if write_base64(data) != text:
        raise malformed(ErrorCode.STATEMENT_MALFORMED, "the one base64 of some bytes", "another", what)
    return data
