"""A run's symbols hold nothing that is quarantined, and say what they leave out."""

from pathlib import Path
from typing import Any

import pytest

from arbtui.exchanges.assets import Quarantine, SignOff
from arbtui.model.errors import UsageError
from arbtui.runtime.tradable import tradable_symbols
from arbtui.settings.load import load_profile
from arbtui.settings.profile import Settings
from arbtui.settings.sign_offs import SignOffs

LISTED = {"upbit": ["XRP", "MNT", "BTC", "TON", "ETH", "BORA"], "binance": ["BTC", "ETH", "XRP", "MNT", "TON"]}


def _settings(home: Path, **universe: Any) -> Settings:
    return load_profile("upbit-binance", {"universe": universe})


def test_a_number_takes_the_first_that_may_be_traded(home: Path, tmp_path: Path) -> None:
    assert list(tradable_symbols(_settings(home, symbols=2), tmp_path, LISTED)) == ["XRP", "BTC"]
    assert list(tradable_symbols(_settings(home, symbols=20, exclude=["BTC"]), tmp_path, LISTED)) == ["XRP", "ETH"]
    assert {one.symbol: one.reason for one in SignOffs(tmp_path).quarantined()} == {"MNT": Quarantine.UNKNOWN, "TON": Quarantine.CLASH}


def test_a_coin_that_a_notice_has_listed_is_taken_by_no_number(home: Path, tmp_path: Path) -> None:
    """It is traded where somebody names it, or has signed for it."""
    many, named = _settings(home, symbols=20), _settings(home, symbols=["XRP", "ETH"])
    assert list(tradable_symbols(many, tmp_path, LISTED, new_coins={"ETH"})) == ["XRP", "BTC"]
    assert list(tradable_symbols(named, tmp_path, LISTED, new_coins={"ETH"})) == ["XRP", "ETH"]
    SignOffs(tmp_path).sign(SignOff("ETH", "ann", 0, "looked at"))
    assert list(tradable_symbols(many, tmp_path, LISTED, new_coins={"ETH"})) == ["XRP", "BTC", "ETH"]


def test_a_signature_counts_from_the_next_start_on(home: Path, tmp_path: Path) -> None:
    SignOffs(tmp_path).sign(SignOff("MNT", "ann", 0, "same contract"))
    assert list(tradable_symbols(_settings(home, symbols=20), tmp_path, LISTED)) == ["XRP", "MNT", "BTC", "ETH"]


@pytest.mark.parametrize(
    ("named", "why"),
    [("MNT", "quarantined, UNKNOWN"), ("TON", "quarantined, CLASH"), ("BORA", "not listed at both upbit and binance")],
)
def test_a_named_symbol_that_may_not_be_traded_is_an_error_not_an_omission(home: Path, tmp_path: Path, named: str, why: str) -> None:
    with pytest.raises(UsageError, match=rf"{named} \({why}"):
        tradable_symbols(_settings(home, symbols=["BTC", named]), tmp_path, LISTED)


def test_named_symbols_keep_their_order(home: Path, tmp_path: Path) -> None:
    assert list(tradable_symbols(_settings(home, symbols=["ETH", "XRP"]), tmp_path, LISTED)) == ["ETH", "XRP"]


def test_nothing_left_is_an_error(home: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="arbtui assets"):
        tradable_symbols(_settings(home, symbols=5), tmp_path, {"upbit": ["TON"], "binance": ["TON"]})


def test_prices_outside_the_band_are_left_out(home: Path, tmp_path: Path) -> None:
    prices = {"upbit": {"BTC": 1.0, "XRP": 110.0, "ETH": 1.0}, "binance": {"BTC": 1.0, "XRP": 1.0, "ETH": 1.1}}
    assert list(tradable_symbols(_settings(home, symbols=20), tmp_path, LISTED, prices)) == ["BTC", "ETH"]


def test_the_sandbox_s_invented_assets_need_no_signature_and_real_venues_still_do(home: Path, tmp_path: Path) -> None:
    """`--symbols 1000` against the sandbox really trades 1,000; a ticker of the same name at real venues proves nothing."""
    listed = {"upbit": ["BTC", "S0999", "MNT"], "binance": ["BTC", "S0999", "MNT"]}
    urls = {"rest": "http://127.0.0.1:1", "stream": "ws://127.0.0.1:1", "private": "ws://127.0.0.1:1"}
    local = load_profile("upbit-binance", {"exchanges": {"upbit": {"urls": urls}, "binance": {"urls": urls}}, "universe": {"symbols": 20}})
    assert local.is_sandbox
    assert list(tradable_symbols(local, tmp_path, listed)) == ["BTC", "S0999"]
    assert list(tradable_symbols(_settings(home, symbols=20), tmp_path, listed)) == ["BTC"]


def test_fewer_than_asked_for_is_said(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tradable_symbols(_settings(home, symbols=3), tmp_path, LISTED)
    assert capsys.readouterr().err == ""
    tradable_symbols(_settings(home, symbols=20), tmp_path, LISTED)
    assert "3 symbols are traded, not 20" in capsys.readouterr().err


def test_a_signature_is_about_the_venues_that_the_profile_had_then(home: Path, tmp_path: Path) -> None:
    """One that names none is from a time of two venues, and says nothing of a third."""
    listed = {name: ["MNT"] for name in ("upbit", "bithumb", "binance")}
    path = home / "three.toml"
    path.write_text("".join(f"[exchanges.{name}]\n" for name in listed))
    three = load_profile(str(path), {"universe": {"pairs": [["upbit", "binance"], ["bithumb", "binance"]]}})
    SignOffs(tmp_path).sign(SignOff("MNT", "ann", 0, "same contract"))
    with pytest.raises(UsageError, match="no symbol is left"):
        tradable_symbols(three, tmp_path, listed)
    SignOffs(tmp_path).sign(SignOff("MNT", "ann", 0, "same contract", ("upbit", "binance")))
    assert tradable_symbols(three, tmp_path, listed) == {"MNT": [("upbit", "binance")]}
    SignOffs(tmp_path).sign(SignOff("MNT", "ann", 0, "same contract", ("upbit", "bithumb", "binance")))
    assert tradable_symbols(three, tmp_path, listed) == {"MNT": [("upbit", "binance"), ("bithumb", "binance")]}
