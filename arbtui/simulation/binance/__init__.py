"""Binance spot as the simulator plays it: USDT markets of every asset, and markets against BTC where they are asked for.

Those have the price units and the least order of its own list (``exchangeInfo`` of 2023-04-10: ETHBTC 0.0001 BTC at least, LINKBTC moves by
0.0000001, XRPBTC by 0.00000001 in lots of 1); lots are coarser where an order's value had more than eight decimals.
Fees in BNB have eight decimals ("Account trade list", ``commission``).
"""

from decimal import Decimal

from arbtui.exchanges.binance.rules import spot_market
from arbtui.exchanges.venues import VENUES
from arbtui.model.market import Market
from arbtui.simulation.assets import Asset
from arbtui.simulation.binance.market import BinanceMarket
from arbtui.simulation.played_venue import PlayedVenue

_LEAST_IN_COIN = Decimal("0.0001")


def _market(asset: Asset, quote: str = "USDT") -> Market:
    return spot_market(asset.symbol, quote, asset.tick, asset.lot, VENUES["binance"].min_cost)


def _cross(asset: Asset, coin: Asset) -> Market:
    tick = asset.tick_in(coin, 3)
    return spot_market(asset.symbol, coin.symbol, tick, asset.lot_in(tick, asset.lot), _LEAST_IN_COIN)


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
    priced=_market,
    cross=_cross,
    fee_coin=Asset("BNB", 5, 600.0),
)
