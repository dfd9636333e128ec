"""One forge for all tests that kill: code and rules are loaded once."""

from collections.abc import Iterator

import pytest

from crash.workshop import Forge


@pytest.fixture(scope="session")
def forge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forge]:
    """A process that forks mailbots."""
    with Forge(folder=tmp_path_factory.mktemp("forge")) as made:
        yield made
