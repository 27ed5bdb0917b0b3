"""Where evidence of real devices lies that is not shipped."""

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def evidence(shared_data: Path) -> Path:
    """Folder of evidence beside the evaluation data; skipped where it is not, as that is."""
    folder = shared_data.parent / "evidence"
    if not folder.is_dir():
        pytest.skip("needs evidence of real devices that is not shipped; say LIGHTBOUND_SHARED=FOLDER")
    return folder
