import gzip
import json
from decimal import Decimal
from pathlib import Path

import pytest

from arbtui.model.errors import UsageError
from arbtui.simulation.asset_table import REAL_ASSETS
from arbtui.simulation.assets import UNIVERSE, select, universe
from arbtui.simulation.played_venue import simulated_markets


def test_real_assets_are_listed_on_both_venues(shared_data: Path) -> None:
    """All on Upbit's list of 2026; on Binance's newest list at hand, of 2023, at least those that are older than it."""
    upbit = (shared_data / "markets" / "upbit_krw_markets_2026-08-24_transcribed.txt").read_text().split()
    assert [symbol for symbol, _ in REAL_ASSETS if f"KRW-{symbol}" not in upbit] == []
    old: set[str] = set()
    for name in ("binance_exchangeInfo_2021-10-12.json.gz", "binance_exchangeInfo_2023-04-10_via_binance.me.json.gz"):
        old |= {symbol["symbol"] for symbol in json.loads(gzip.decompress((shared_data / "markets" / name).read_bytes()))["symbols"]}
    assert sum(f"{symbol}USDT" in old for symbol, _ in REAL_ASSETS) >= 90


def test_there_are_a_thousand_different_assets_the_real_ones_first() -> None:
    assets = list(universe().values())
    assert len(assets) == UNIVERSE == 1000
    assert [asset.rank for asset in assets] == list(range(1, 1001))
    assert [asset.symbol for asset in assets[:3]] == ["BTC", "ETH", "XRP"]
    assert assets[-1].symbol == "S1000"
    assert len(REAL_ASSETS) >= 180
    assert all(asset.price > 0 for asset in assets)


def test_orders_of_100_usdt_hold_fifty_lots_or_more_and_ticks_are_fine() -> None:
    for asset in universe().values():
        assert 100 / asset.price / float(asset.lot) >= 50, asset
        assert 1e4 * float(asset.tick) / asset.price < 30, asset
        assert asset.lot <= 1


def test_markets_of_a_selection() -> None:
    markets = simulated_markets(3)
    assert list(markets["upbit"]) == ["KRW-USDT", "KRW-BTC", "KRW-ETH", "KRW-XRP"]
    assert list(markets["binance"]) == ["BTCUSDT", "ETHUSDT", "XRPUSDT"]
    bitcoin = markets["binance"]["BTCUSDT"]
    assert bitcoin.price_units.at(Decimal(98500)) == Decimal("0.01")
    assert bitcoin.refusal(Decimal("98500.01"), Decimal("0.00102")) is None
    assert [asset.symbol for asset in select(["sol", "S1000", "SOL"])] == ["SOL", "S1000"]


@pytest.mark.parametrize("selection", [0, -1, 1001, []])
def test_a_selection_of_nothing_is_refused(selection: int | list[str]) -> None:
    with pytest.raises(UsageError, match=r"the simulator has 1 to 1000|no symbol is named"):
        select(selection)


@pytest.mark.parametrize(("wrong", "near"), [("BTX", "BTC"), ("DOGGE", "DOGE"), ("S10000", "S1000")])
def test_an_unknown_symbol_is_refused_with_the_nearest_one(wrong: str, near: str) -> None:
    with pytest.raises(UsageError, match=f"{wrong}.*nearest is {near}"):
        select(["BTC", wrong])
