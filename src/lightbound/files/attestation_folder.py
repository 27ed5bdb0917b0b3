"""A folder of what evidence is held against, besides what is built in: device roots, manifests, revocation answers.

roots/*.pem          certificates of device roots
manifests/*          reference manifests, as the vendors sign them
revocations/*        answers about revocation that were fetched, DER
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from lightbound.errors import ErrorCode, Fault, Malformed, Unavailable

ROOTS: Final = "roots"
MANIFESTS: Final = "manifests"
REVOCATIONS: Final = "revocations"

MOST_FILE_BYTES: Final = 4_000_000
"""The vendor's manifests have up to 200 kB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A file that was read."""

    path: Path
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class AttestationFolder:
    """What lies in a folder; only that roots are certificates was looked at."""

    roots: tuple[bytes, ...] = ()
    """DER."""
    manifests: tuple[Named, ...] = ()
    revocations: tuple[Named, ...] = ()


def read_attestation_folder(folder: Path) -> AttestationFolder:
    """What lies in a folder; nothing, if there is no such folder.

    Raises:
        Unavailable: a file cannot be read.
        Malformed: a root is no certificate, or a file is too long.
    """
    return AttestationFolder(
        roots=tuple(der for file in read_folder(folder / ROOTS, "*.pem") for der in certificates(file)),
        manifests=tuple(read_folder(folder / MANIFESTS, "*")),
        revocations=tuple(read_folder(folder / REVOCATIONS, "*")),
    )


def read_folder(folder: Path, pattern: str) -> Iterator[Named]:
    """The files of a folder, in the order of their names; none, if it is not there.

    Raises:
        Unavailable: one cannot be read.
        Malformed: one is too long.
    """
    for path in sorted(folder.glob(pattern)):
        if path.name.startswith(".") or not path.is_file():
            continue
        try:
            with path.open("rb") as stream:
                data = stream.read(MOST_FILE_BYTES + 1)
        except OSError as error:
            why = error.strerror or type(error).__name__
            fault = Fault(code=ErrorCode.READ_FAILED, expected="a file that can be read", found=why, file=str(path))
            raise Unavailable(fault) from error
        if len(data) > MOST_FILE_BYTES:
            fault = Fault(
                code=ErrorCode.FILE_FORMAT, expected=f"at most {MOST_FILE_BYTES} bytes", found="more", file=str(path)
            )
            raise Malformed(fault)
        yield Named(path=path, data=data)


def certificates(file: Named) -> list[bytes]:
    """The certificates of a PEM file, as DER.

    Raises:
        Malformed: there is none in it.
    """
    try:
        return [one.public_bytes(Encoding.DER) for one in x509.load_pem_x509_certificates(file.data)]
    except (ValueError, x509.InvalidVersion) as error:
        fault = Fault(
            code=ErrorCode.CERTIFICATE_MALFORMED, expected="PEM certificates", found="none", file=str(file.path)
        )
        raise Malformed(fault) from error
