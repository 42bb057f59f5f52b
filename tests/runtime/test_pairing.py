"""From listings to what a run trades: pairs of the profile's venues, rates between their currencies, markets only where they are needed."""

import dataclasses
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from arbtui.exchanges.binance.rules import spot_market
from arbtui.exchanges.ccxt_adapter import Listing
from arbtui.exchanges.upbit.rules import btc_market, krw_market
from arbtui.model.book import OrderBook
from arbtui.model.errors import UsageError
from arbtui.risk.config import MONEY_LIMITS
from arbtui.runtime.pairing import pair
from arbtui.runtime.rates import rate_book_of
from arbtui.runtime.venues import with_fees
from arbtui.settings.load import load_profile
from arbtui.settings.profile import Settings
from arbtui.settings.sign_offs import SignOffs

_WON = ("upbit", "bithumb")
_DOLLARS = {"XRP": 2.0, "BTC": 90_000.0, "SOL": 200.0, "USDT": 1.0}


def _settings(home: Path, pairs: list[list[str]], symbols: Any = 20, **tables: Any) -> Settings:
    names = dict.fromkeys(name for pair in pairs for name in pair)
    path = home / "many.toml"
    path.write_text("".join(f"[exchanges.{name}]\n" for name in names))
    return load_profile(str(path), {"universe": {"symbols": symbols, "pairs": pairs}, **tables})


def _listing(exchange: str, base: str, dear: float = 1.0) -> Listing:
    if exchange in _WON:
        market = dataclasses.replace(krw_market(base), exchange=exchange)
        return Listing(market, _DOLLARS[base] * 1400.0 * dear)
    market = spot_market(base, "USDT", Decimal("0.0001"), Decimal("0.1"), Decimal(5))
    return Listing(dataclasses.replace(market, exchange=exchange), _DOLLARS[base] * dear)


def _listings(**venues: str) -> dict[str, Mapping[str, Listing]]:
    """Of each venue, by code."""
    listed = {name: [_listing(name, base) for base in bases.split()] for name, bases in venues.items()}
    return {name: {one.market.code: one for one in rows} for name, rows in listed.items()}


def test_a_symbol_is_traded_where_both_of_a_pair_list_it_and_its_markets_are_taken_there_alone(home: Path, tmp_path: Path) -> None:
    settings = _settings(home, [["upbit", "binance"], ["bithumb", "binance"]])
    found = pair(settings, tmp_path, _listings(upbit="USDT BTC XRP", bithumb="BTC SOL", binance="BTC XRP"))
    assert found.between == {"BTC": [("upbit", "binance"), ("bithumb", "binance")], "XRP": [("upbit", "binance")]}
    assert found.codes == {"upbit": ["KRW-BTC", "KRW-XRP", "KRW-USDT"], "binance": ["BTCUSDT", "XRPUSDT"], "bithumb": ["KRW-BTC"]}
    assert found.prices == pytest.approx({"BTC": 90_000.0, "XRP": 2.0})
    assert found.rates == pytest.approx({"KRW": 1400.0, "USDT": 1.0})


def test_every_venue_s_market_of_a_rate_is_taken(home: Path, tmp_path: Path) -> None:
    settings = _settings(home, [["upbit", "binance"], ["bithumb", "binance"]])
    found = pair(settings, tmp_path, _listings(upbit="USDT BTC", bithumb="USDT BTC", binance="BTC"))
    assert "KRW-USDT" in found.codes["upbit"]
    assert "KRW-USDT" in found.codes["bithumb"]


_IN_WON = {
    "execution": {"order_value": 1e5},
    "risk": {"global": dict.fromkeys(MONEY_LIMITS, 1e6)},
}


def test_venues_of_one_currency_need_no_rate(home: Path, tmp_path: Path) -> None:
    settings = _settings(home, [["upbit", "bithumb"]], **_IN_WON)
    assert (settings.desk.currency, settings.settlement) == ("KRW", ("KRW",))
    found = pair(settings, tmp_path, _listings(upbit="BTC XRP", bithumb="BTC XRP"))
    assert list(found.between) == ["BTC", "XRP"]
    assert found.codes == {"upbit": ["KRW-BTC", "KRW-XRP"], "bithumb": ["KRW-BTC", "KRW-XRP"]}
    assert found.prices["XRP"] == pytest.approx(2.0, rel=0.1)  # only play money's stock is worth that
    assert found.rates == pytest.approx({"KRW": 1400.0, "USDT": 1.0}, rel=0.1)
    with_rate = pair(settings, tmp_path, _listings(upbit="USDT BTC", bithumb="BTC"))
    assert with_rate.codes["upbit"] == ["KRW-BTC"]  # listed, and nobody needs it


def test_a_rate_that_is_needed_and_not_told_is_an_error_with_its_market(home: Path, tmp_path: Path) -> None:
    settings = _settings(home, [["upbit", "binance"]])
    with pytest.raises(
        UsageError, match=r"^no venue of this profile trades KRW for USDT: without it there is no rate between KRW and USDT$"
    ):
        pair(settings, tmp_path, _listings(upbit="BTC", binance="BTC"))
    listings = _listings(upbit="USDT BTC", binance="BTC")
    silent = {**listings["upbit"], "KRW-USDT": dataclasses.replace(listings["upbit"]["KRW-USDT"], price=0.0)}
    with pytest.raises(UsageError, match=r"^upbit tells no price of KRW-USDT now"):
        pair(settings, tmp_path, {**listings, "upbit": silent})


def test_a_symbol_that_is_out_of_its_band_at_one_pair_is_traded_at_the_other(home: Path, tmp_path: Path) -> None:
    settings = _settings(home, [["upbit", "binance"], ["bithumb", "binance"]])
    listings = _listings(upbit="USDT BTC XRP", bithumb="BTC XRP", binance="BTC XRP")
    odd = {**listings["bithumb"], "KRW-XRP": _listing("bithumb", "XRP", dear=10.0)}
    found = pair(settings, tmp_path, {**listings, "bithumb": odd})
    assert found.between["XRP"] == [("upbit", "binance")]
    assert found.codes["bithumb"] == ["KRW-BTC"]
    (quarantined,) = SignOffs(tmp_path).quarantined()
    assert (quarantined.symbol, quarantined.reason) == ("XRP", "PRICE_RATIO")


def test_a_named_symbol_must_be_at_both_ends_of_one_pair(home: Path, tmp_path: Path) -> None:
    settings = _settings(home, [["upbit", "binance"], ["bithumb", "binance"]], ["BTC", "SOL"])
    with pytest.raises(UsageError, match=r"SOL \(not listed at both venues of one of universe\.pairs\)"):
        pair(settings, tmp_path, _listings(upbit="USDT BTC SOL", bithumb="BTC SOL", binance="BTC"))


def _cross(exchange: str, base: str, price: float) -> Listing:
    return Listing(dataclasses.replace(btc_market(base), exchange=exchange), price)


def test_markets_against_a_coin_are_taken_of_what_is_traded_there_and_are_no_rate(home: Path, tmp_path: Path) -> None:
    crossed = {"exchanges": {"upbit": {"cross_quotes": ["BTC"]}}}
    settings = _settings(home, [["upbit", "binance"]], **crossed)
    listings = _listings(upbit="USDT BTC XRP SOL", binance="BTC XRP")
    listings["upbit"] = {**listings["upbit"], **{one.market.code: one for one in (_cross("upbit", base, 1e-5) for base in ("XRP", "SOL"))}}
    found = pair(settings, tmp_path, listings)
    assert found.codes == {"upbit": ["KRW-BTC", "KRW-XRP", "BTC-XRP", "KRW-USDT"], "binance": ["BTCUSDT", "XRPUSDT"]}
    assert found.codes_of("XRP") == {"upbit": "KRW-XRP", "binance": "XRPUSDT"}
    assert found.between == {"BTC": [("upbit", "binance")], "XRP": [("upbit", "binance")]}
    assert found.prices == pytest.approx({"BTC": 90_000.0, "XRP": 2.0})
    every = [market for listed in found.markets.values() for market in listed.values()]
    books = {(market.exchange, market.code): OrderBook(market.exchange, market.code) for market in every}
    assert [rate.name for rate in rate_book_of(settings, every, books).markets] == ["upbit:KRW-USDT"]
    without = pair(_settings(home, [["upbit", "binance"]]), tmp_path, listings)
    assert "BTC-XRP" not in without.codes["upbit"]


def test_a_coin_that_is_not_traded_itself_prices_nothing(home: Path, tmp_path: Path) -> None:
    settings = _settings(home, [["upbit", "binance"]], **{"exchanges": {"upbit": {"cross_quotes": ["BTC"]}}})
    with pytest.raises(UsageError, match=r"exchanges\.upbit\.cross_quotes: BTC itself is not traded there"):
        pair(settings, tmp_path, _listings(upbit="USDT XRP", binance="BTC XRP"))


def test_the_profile_s_taker_fee_is_that_of_the_venue_s_own_currency(home: Path) -> None:
    settings = _settings(home, [["upbit", "binance"]], **{"exchanges": {"upbit": {"cross_quotes": ["BTC"], "taker_bps": 4.0}}})
    made = with_fees({market.code: market for market in (krw_market("XRP"), btc_market("XRP"))}, settings.exchanges["upbit"])
    assert {code: market.fees.taker for code, market in made.items()} == {"KRW-XRP": Decimal("0.0004"), "BTC-XRP": Decimal("0.0025")}
