from decimal import Decimal

from arbtui.simulation.assets import simulated_markets, universe
from arbtui.simulation.config import SimulatorConfig
from arbtui.simulation.funding import starting_balances


def test_every_venue_holds_the_same_stock_of_every_asset_and_its_own_cash() -> None:
    config = SimulatorConfig(stock_value=2000.0, cash={"KRW": 5_000_000.0, "USDT": 3000.0})
    prices = {asset.symbol: asset.price for asset in universe().values()}
    markets = simulated_markets(1000)
    balances = starting_balances(config, markets, prices)
    assert balances["upbit"]["KRW"] == 5_000_000
    assert balances["binance"]["USDT"] == 3000
    assert "USDT" not in balances["upbit"]  # stock of the rate's own asset is nothing to arbitrage
    for symbol, price in prices.items():
        stock = balances["upbit"][symbol]
        assert stock == balances["binance"][symbol]
        assert 1990 < float(stock) * price <= 2000
        assert stock % markets["binance"][f"{symbol}USDT"].lot_step == 0


def test_an_asset_without_a_price_gets_nothing() -> None:
    markets = simulated_markets(["BTC", "ETH"])
    balances = starting_balances(SimulatorConfig(), markets, {"ETH": 3450.0})
    assert "BTC" not in balances["binance"]
    assert balances["binance"]["ETH"] == Decimal("0.5797")
