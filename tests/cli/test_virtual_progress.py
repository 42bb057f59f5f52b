"""A long run on the virtual clock shows how far it is, on a terminal alone."""

import io
from pathlib import Path

import pytest

from arbtui.runtime.simulate.play import StoryOptions
from arbtui.runtime.simulate.simulate import SimulateOptions, run_simulate
from tests.cli.command import Here

_RUN = ("--profile", "upbit-binance", "--headless", "--speed", "max", "--symbols", "2", "--max-runtime", "120")


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def always(monkeypatch: pytest.MonkeyPatch) -> None:
    """No wait between two lines, whatever the machine makes of two virtual minutes."""
    monkeypatch.setattr("arbtui.runtime.virtual_progress._EVERY_S", 0.0)


def test_a_headless_run_at_full_speed_tells_how_far_it_is(
    always: None, arbtui: Here, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr("sys.stderr", terminal := _Terminal())
        assert arbtui(*_RUN, "--state-dir", str(tmp_path / "a")).code in (0, 3)
    told = terminal.getvalue().split("\r\x1b[K")
    assert any(line.startswith("1.0 of 2.0 virtual minutes, about ") for line in told)
    assert "virtual minutes" not in told[-1]  # the line is taken away
    assert "virtual minutes" not in arbtui(*_RUN, "--state-dir", str(tmp_path / "b")).err


@pytest.mark.parametrize("is_terminal", [True, False])
def test_one_long_story_tells_how_far_it_is(always: None, is_terminal: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    options = SimulateOptions(StoryOptions(1, 1.0, 2, (), None, "upbit-binance"), range(1, 2), None, 1, False, False, "none")
    with monkeypatch.context() as patched:
        patched.setattr("sys.stderr", screen := _Terminal() if is_terminal else io.StringIO())
        assert run_simulate(options) == 0
    assert ("seed 1: 0.5 of 1.0 virtual minutes, about " in screen.getvalue()) is is_terminal
