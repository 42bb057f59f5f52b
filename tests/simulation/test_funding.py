from decimal import Decimal

from arbtui.simulation.assets import universe
from arbtui.simulation.config import SimulatorConfig
from arbtui.simulation.funding import starting_balances
from arbtui.simulation.played_venue import simulated_markets


def test_every_venue_holds_the_same_stock_of_every_asset_and_its_own_cash() -> None:
    config = SimulatorConfig(stock_value=2000.0, cash={"KRW": 5_000_000.0, "USDT": 3000.0}, usdt_share=0.0)
    prices = {asset.symbol: asset.price for asset in universe().values()}
    markets = simulated_markets(1000)
    balances = starting_balances(config, markets, prices)
    assert balances["upbit"]["KRW"] == 5_000_000
    assert balances["binance"]["USDT"] == 3000
    assert balances["upbit"]["USDT"] == 0
    for symbol, price in prices.items():
        stock = balances["upbit"][symbol]
        assert stock == balances["binance"][symbol]
        assert 1990 < float(stock) * price <= 2000
        assert stock % markets["binance"][f"{symbol}USDT"].lot_step == 0


def test_a_won_venue_holds_a_share_of_its_cash_in_usdt_to_trade_open_won_back_with() -> None:
    config = SimulatorConfig(cash={"KRW": 5_000_000.0, "USDT": 3000.0})
    balances = starting_balances(config, simulated_markets(["BTC"]), {"BTC": 100_000.0}, 1450.0)
    assert balances["upbit"]["KRW"] == 4_000_000
    assert balances["upbit"]["USDT"] == Decimal("689.65")
    assert balances["binance"]["USDT"] == 3000
    own = starting_balances(SimulatorConfig(cash={"KRW": 5_000_000.0}), simulated_markets(["BTC"]), {})
    assert own["upbit"] == {"KRW": 5_000_000}  # USDT is no cash there: nothing is set aside for it


def test_an_asset_without_a_price_gets_nothing() -> None:
    markets = simulated_markets(["BTC", "ETH"])
    balances = starting_balances(SimulatorConfig(), markets, {"ETH": 3450.0})
    assert "BTC" not in balances["binance"]
    assert balances["binance"]["ETH"] == Decimal("0.5797")
