"""Landmarks that all tests of agents share: they take longer to start than most tests to run."""

from collections.abc import Iterator

import pytest

from tests.roles.landmark.running import World, world


@pytest.fixture(scope="session")
def landmarks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Four that run."""
    with world(tmp_path_factory.mktemp("world"), count=4) as made:
        yield made
