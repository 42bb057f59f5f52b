"""The command line, with an empty home."""

from pathlib import Path

import pytest

from tests.cli.command import Here


@pytest.fixture
def arbtui(home: Path, capsys: pytest.CaptureFixture[str]) -> Here:
    return Here(capsys)
