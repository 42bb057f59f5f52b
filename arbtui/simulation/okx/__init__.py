"""OKX spot as the simulator plays it: USDT markets of every asset, and markets against BTC where they are asked for.

Price units, lots and least quantities are as in its own list (``GET /api/v5/public/instruments`` of 2022-05-13): BTC moves by 0.1 USDT,
lots are a thousandth of the least quantity, and ETH-BTC moves by 0.00001. In a recording of that day BTC-USDT's book
changed 9 times a second, its best prices 7 times.
"""

import math
from decimal import Decimal

from arbtui.exchanges.okx.rules import spot_market
from arbtui.model.market import Market
from arbtui.simulation.assets import Asset
from arbtui.simulation.okx.market import OkxMarket
from arbtui.simulation.played_venue import PlayedVenue

_DIGITS = 5  #: of a price unit: a hundred thousandth of the price's first digit at least
_FINEST = Decimal("0.00000001")
_CHEAP = 0.001  #: USDT; coins below are traded in whole pieces at least


def _market(asset: Asset, quote: str = "USDT") -> Market:
    least = Decimal(1).scaleb(math.floor(math.log10(asset.price)) - _DIGITS)
    return spot_market(asset.symbol, quote, max(asset.tick, least), *_lots(asset))


def _cross(asset: Asset, coin: Asset) -> Market:
    tick, (lot, least) = asset.tick_in(coin, 3), _lots(asset)
    lot = asset.lot_in(tick, lot)
    return spot_market(asset.symbol, coin.symbol, tick, lot, max(lot, least))


def _lots(asset: Asset) -> tuple[Decimal, Decimal]:
    """Lot and least quantity."""
    lot = max(asset.lot.scaleb(-3), Decimal(1) if asset.price < _CHEAP else _FINEST)
    return lot, max(asset.lot, lot)


VENUE = PlayedVenue(
    name="okx",
    quote="USDT",
    market=OkxMarket,
    rules=_market,
    trade_share=0.05,
    touch_share=0.3,
    major_spread_bps=0.0,  # majors have one price unit
    depth_usdt=50_000.0,
    depth_exponent=-0.5,
    top_share=0.6,
    pace=0.7,
    cash=("USDC",),
    priced=_market,
    cross=_cross,
)
