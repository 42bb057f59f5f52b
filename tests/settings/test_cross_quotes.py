"""Coins that a venue's other markets are priced in: what a profile may say, and what makes no sense."""

from pathlib import Path

import pytest

from arbtui.model.errors import UsageError
from arbtui.settings.load import load_profile

TWO = "[exchanges.{first}]\ncross_quotes = {here}\n[exchanges.binance]\ncross_quotes = {there}\n[universe]\n{universe}\n"


def profile(folder: Path, *, first: str = "upbit", here: str = "[]", there: str = "[]", universe: str = "symbols = 5") -> str:
    path = folder / "desk.toml"
    path.write_text(TWO.format(first=first, here=here, there=there, universe=universe))
    return str(path)


def test_they_are_no_settlement_currencies(tmp_path: Path) -> None:
    settings = load_profile(profile(tmp_path, here='["BTC"]'))
    assert settings.cross_quotes == {"upbit": ("BTC",)}
    assert settings.settlement == ("KRW", "USDT")
    assert load_profile(profile(tmp_path)).cross_quotes == {}


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"here": '["ETH"]'}, r"upbit\.cross_quotes: no markets of upbit against ETH are built: expected BTC"),
        (
            {"first": "coinone", "here": '["BTC"]'},
            r"coinone\.cross_quotes: no markets of coinone against BTC are built: it trades against KRW only",
        ),
        ({"here": '["USDT"]'}, r"upbit\.cross_quotes: USDT is a settlement currency of this profile"),
        ({"here": '["BTC", "BTC"]'}, r"upbit\.cross_quotes: BTC, BTC names one twice"),
        ({"here": '["BTC"]', "universe": 'symbols = ["ETH"]'}, r"upbit\.cross_quotes: BTC itself is not traded"),
        ({"there": '["BTC"]', "universe": 'exclude = ["BTC"]'}, r"binance\.cross_quotes: BTC itself is not traded"),
        ({"here": '"BTC"'}, r'desk\.toml:2: exchanges\.upbit\.cross_quotes = "BTC": expected a list of texts'),
    ],
)
def test_what_makes_no_sense_is_told_in_a_sentence(tmp_path: Path, given: dict[str, str], sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence) as caught:
        load_profile(profile(tmp_path, **given))
    assert "\n" not in str(caught.value).strip()


@pytest.mark.parametrize(
    ("gap", "sentence"),
    [
        ("upbit:BTC-ETH 80 at 3 for 1", "is no gap; expected such as 'upbit:BTC-ETH"),
        ("upbit:BTC-ETH +9000 bps at 3 s for 1 s", "9000 bps is no gap"),
        ("upbit:BTC-ETH +80 bps at 3 s for 0 s", "shorter than 0.01 s"),
    ],
)
def test_a_gap_that_cannot_be_planted_is_told_with_its_line(tmp_path: Path, gap: str, sentence: str) -> None:
    path = Path(profile(tmp_path, here='["BTC"]'))
    path.write_text(path.read_text() + f'[simulator]\nplant = ["{gap}"]\n')
    with pytest.raises(UsageError, match=sentence) as caught:
        load_profile(str(path))
    assert "desk.toml:8: simulator.plant" in str(caught.value)
