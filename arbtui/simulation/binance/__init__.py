"""Binance spot as the simulator plays it: USDT markets of every asset.

Fees in BNB have eight decimals ("Account trade list", ``commission``).
"""

from arbtui.exchanges.binance.rules import spot_market
from arbtui.exchanges.venues import VENUES
from arbtui.model.market import Market
from arbtui.simulation.assets import Asset
from arbtui.simulation.binance.market import BinanceMarket
from arbtui.simulation.played_venue import PlayedVenue


def _market(asset: Asset) -> Market:
    return spot_market(asset.symbol, "USDT", asset.tick, asset.lot, VENUES["binance"].min_cost)


VENUE = PlayedVenue(
    name="binance",
    quote="USDT",
    market=BinanceMarket,
    rules=_market,
    trade_share=0.06,
    touch_share=1.0,
    major_spread_bps=0.0,  # majors have one price unit
    depth_usdt=150_000.0,
    depth_exponent=-0.5,
    cash=("USDC",),
    fee_coin=Asset("BNB", 5, 600.0),
)
