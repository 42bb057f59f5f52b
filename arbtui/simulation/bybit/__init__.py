"""Bybit spot as the simulator plays it: USDT markets of every asset, and markets against BTC where they are asked for.

Price units and lots are those of its own list (``GET /v5/market/instruments-info`` of 2026-08-09): BTC moves by 0.1 USDT, and lots have a
decimal more than Binance's; ETHBTC moves by 0.000001, and an order there is 0.000065 BTC at least;
lots there are coarser than its own, so that an order's value has eight decimals.
Its books came 6 to 7 times a second in a recording of that day, and best prices only with them.
How many decimals fees in MNT have is told nowhere: eight are played.
"""

import math
from decimal import Decimal

from arbtui.exchanges.bybit.rules import FEE_COIN, spot_market
from arbtui.model.market import Market
from arbtui.simulation.assets import Asset
from arbtui.simulation.bybit.market import BybitMarket
from arbtui.simulation.played_venue import PlayedVenue

_DIGITS = 5  #: of a price unit: a hundred thousandth of the price's first digit at least

_LEAST_IN_COIN = Decimal("0.000065")


def _market(asset: Asset, quote: str = "USDT") -> Market:
    least = Decimal(1).scaleb(math.floor(math.log10(asset.price)) - _DIGITS)
    return spot_market(asset.symbol, quote, max(asset.tick, least), asset.lot.scaleb(-1))


def _cross(asset: Asset, coin: Asset) -> Market:
    tick = asset.tick_in(coin, 4)
    return spot_market(asset.symbol, coin.symbol, tick, asset.lot_in(tick, asset.lot.scaleb(-1)), _LEAST_IN_COIN)


VENUE = PlayedVenue(
    name="bybit",
    quote="USDT",
    market=BybitMarket,
    rules=_market,
    trade_share=0.06,
    touch_share=0.0,
    major_spread_bps=0.0,  # majors have one price unit
    depth_usdt=60_000.0,
    depth_exponent=-0.5,
    pace=0.7,
    cash=("USDC",),
    priced=_market,
    cross=_cross,
    fee_coin=Asset(FEE_COIN, 60, 1.2),
)
