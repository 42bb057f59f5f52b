from decimal import Decimal

from arbtui.exchanges.binance.rules import spot_market
from arbtui.exchanges.okx.rules import spot_market as okx_market
from arbtui.exchanges.upbit.rules import krw_market
from arbtui.model.market import Market
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
    balances = starting_balances(config, simulated_markets(["BTC"]), {"BTC": 100_000.0}, {"KRW": 1450.0, "USDT": 1.0})
    assert balances["upbit"]["KRW"] == 4_000_000
    assert balances["upbit"]["USDT"] == Decimal("689.65")
    assert balances["binance"]["USDT"] == 3000
    own = starting_balances(SimulatorConfig(cash={"KRW": 5_000_000.0}), simulated_markets(["BTC"]), {})
    assert own["upbit"] == {"KRW": 5_000_000}  # USDT is no cash there: nothing is set aside for it


def usdc_markets() -> dict[str, dict[str, Market]]:
    """A won venue, a USDT venue that trades USDC for it, and one of USDC."""
    listed = {
        "upbit": [krw_market("USDT"), krw_market("BTC")],
        "binance": [spot_market(base, "USDT", Decimal("0.0001"), Decimal("0.0001"), Decimal(5)) for base in ("USDC", "BTC")],
        "okx": [okx_market("BTC", "USDC", Decimal("0.1"), Decimal("0.0001"), Decimal("0.0001"))],
    }
    return {name: {market.code: market for market in markets} for name, markets in listed.items()}


def test_dollar_coins_are_changed_at_their_own_rate_and_not_at_that_of_the_won() -> None:
    config = SimulatorConfig(cash={"KRW": 14_000_000.0, "USDT": 10_000.0, "USDC": 8_000.0})
    balances = starting_balances(config, usdc_markets(), {"BTC": 100_000.0}, {"KRW": 1400.0, "USDT": 1.0, "USDC": 0.8})
    assert {name: {asset: held for asset, held in its.items() if asset != "BTC"} for name, its in balances.items()} == {
        "upbit": {"KRW": 11_200_000, "USDT": 2_000},
        "binance": {"USDT": 8_000, "USDC": 1_600},  # a fifth of 10,000 USDT at 0.8 USDC each
        "okx": {"USDC": 8_000},
    }


def test_a_settlement_currency_that_cash_does_not_name_is_held_for_as_much_as_the_stocks_own() -> None:
    balances = starting_balances(SimulatorConfig(), usdc_markets(), {"BTC": 100_000.0})
    held = [balances["okx"]["USDC"], balances["binance"]["USDC"], balances["binance"]["USDT"]]
    assert held == [70_000, 14_000, 56_000]
    assert balances["upbit"]["USDT"] == Decimal("14285.71")


def test_of_several_other_currencies_each_has_its_part_and_the_cash_is_spent_once() -> None:
    markets = usdc_markets()
    usdc = krw_market("USDC")
    balances = starting_balances(SimulatorConfig(), {**markets, "upbit": {**markets["upbit"], usdc.code: usdc}}, {})
    assert balances["upbit"] == {"KRW": 80_000_000, "USDT": Decimal("7142.85"), "USDC": Decimal("7142.85")}


def test_where_a_rate_is_not_known_nothing_is_changed() -> None:
    balances = starting_balances(SimulatorConfig(), simulated_markets(["BTC"]), {}, {"KRW": 0.0, "USDT": 1.0})
    assert balances["upbit"] == {"KRW": 100_000_000}


def test_an_asset_without_a_price_gets_nothing() -> None:
    markets = simulated_markets(["BTC", "ETH"])
    balances = starting_balances(SimulatorConfig(), markets, {"ETH": 3450.0})
    assert "BTC" not in balances["binance"]
    assert balances["binance"]["ETH"] == Decimal("0.5797")
