"""What lifecycle tests share: an empty home, and a state folder in it."""

from pathlib import Path

import pytest

from tests.lifecycle.state import State


@pytest.fixture
def state(home: Path) -> State:
    """A state folder that nobody has used yet."""
    return State(home / "state")
