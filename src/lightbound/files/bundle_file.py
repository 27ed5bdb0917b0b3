"""A bundle in a file."""

from pathlib import Path

from lightbound.bundles.contents import Bundle
from lightbound.bundles.reading import MOST_BUNDLE_BYTES, read_bundle
from lightbound.errors import ErrorCode, Fault, LightboundError, Unavailable
from lightbound.files.toml import of_file


def read_bundle_file(path: Path) -> Bundle:
    """What a file holds; nothing of it is checked.

    Raises:
        Unavailable: it cannot be read.
        Malformed: it is no bundle; the path names the field.
    """
    try:
        with path.open("rb") as stream:
            data = stream.read(MOST_BUNDLE_BYTES + 1)
    except OSError as error:
        why = error.strerror or type(error).__name__
        fault = Fault(code=ErrorCode.READ_FAILED, expected="a file that can be read", found=why, file=str(path))
        raise Unavailable(fault) from error
    try:
        return read_bundle(data)
    except LightboundError as error:
        raise of_file(error, path) from error
