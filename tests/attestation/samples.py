"""Where the samples of the vendor's wheel lie. Its files are read as data; nothing of it is imported."""

from importlib import metadata
from pathlib import Path
from typing import Final

import pytest

WHEEL: Final = "nv-local-gpu-verifier"


def from_wheel(name: str) -> Path:
    """A file of the wheel, as `verifier/certs/verifier_RIM_root.pem`; skips where it is not installed."""
    for path in files_of_wheel():
        if path.as_posix().endswith(f"/{name}"):
            return path
    pytest.skip(f"{name} is not here: it comes with the wheel {WHEEL}")


def manifests_of_wheel() -> list[Path]:
    """Every reference manifest of the wheel, by name; none where it is not installed."""
    return [path for path in files_of_wheel() if path.suffix == ".swidtag"]


def files_of_wheel() -> list[Path]:
    """Every file of the wheel, by name; none where it is not installed."""
    try:
        files = metadata.files(WHEEL) or []
    except metadata.PackageNotFoundError:
        return []
    return sorted(Path(str(file.locate())) for file in files)
