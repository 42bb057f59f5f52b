"""A wrong symbol is laid at the door of whoever named it: flag, environment, or a line of the profile."""

from pathlib import Path

import pytest

from arbtui.settings.load import load_profile
from arbtui.settings.symbols_source import symbols_source

TEXT = """[exchanges.upbit]
[exchanges.binance]
[universe]
symbols = ["BTC", "NOPE"]
"""


@pytest.fixture
def profile(home: Path) -> Path:
    path = home / "mine.toml"
    path.write_text(TEXT)
    return path


def test_the_profile(profile: Path) -> None:
    assert symbols_source(load_profile(str(profile))) == f"{profile}:4: universe.symbols"


def test_the_flag(profile: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flagged = {"universe": {"symbols": ["NOPE"]}}
    assert symbols_source(load_profile(str(profile), flagged)) == "--symbols"
    monkeypatch.setenv("ARBTUI_UNIVERSE__SYMBOLS", '["BTC", "ELSE"]')
    assert symbols_source(load_profile(str(profile), flagged)) == "--symbols"


def test_the_environment(profile: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARBTUI_UNIVERSE__SYMBOLS", '["NOPE"]')
    assert symbols_source(load_profile(str(profile))) == "ARBTUI_UNIVERSE__SYMBOLS in the environment: universe.symbols"


def test_a_profile_that_has_gone_since(profile: Path) -> None:
    settings = load_profile(str(profile))
    profile.unlink()
    assert symbols_source(settings) == f"{profile}: universe.symbols"
