"""Reference manifests of a folder, those that hold; the others are told, and left out. Needs the part `judge`."""

from dataclasses import dataclass
from pathlib import Path

from lightbound.attestation.appraisal import Reference
from lightbound.attestation.manifests.verifying import verified_manifest
from lightbound.errors import Fault, LightboundError
from lightbound.files.attestation_folder import read_folder


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A file that was to be a manifest, and is none that its maker signed."""

    name: str
    faults: tuple[Fault, ...]


def read_references(folder: Path) -> tuple[tuple[Reference, ...], tuple[LeftOut, ...]]:
    """What reports are held against, and the files that are no manifests of their maker.

    One that does not hold takes nothing from the others: whose it is, nobody knows.

    Raises:
        Unavailable, Malformed: a file cannot be read, or is too long.
    """
    found: list[Reference] = []
    left_out: list[LeftOut] = []
    for file in read_folder(folder, "*"):
        name = file.path.name
        try:
            found.append(verified_manifest(file.data).reference(name))
        except LightboundError as error:
            left_out.append(LeftOut(name=name, faults=tuple(error.faults)))
    return tuple(found), tuple(left_out)
