"""Bithumb as the simulator plays it: won markets of every asset, KRW-USDT, and markets against BTC where they are asked for.

Spread and depth as recorded in April 2024 (KRW-BTC 1.1 bps in the mean, five levels of a side 22 to 28 million won; KRW-ETC 15 to 22),
books and trades as counted in September 2026 (8.8 to 11.3 and 0.7 to 0.8 a second of KRW-BTC, two books of five like the one before).
"""

from arbtui.exchanges.bithumb.rules import EXCHANGE, QUOTE, btc_market, krw_market
from arbtui.model.market import Market
from arbtui.simulation.assets import Asset
from arbtui.simulation.bithumb.market import BithumbMarket
from arbtui.simulation.played_venue import PlayedVenue


def _market(asset: Asset) -> Market:
    return krw_market(asset.symbol)


def _cross(asset: Asset, coin: Asset) -> Market:
    return btc_market(asset.symbol)


VENUE = PlayedVenue(
    name=EXCHANGE,
    quote=QUOTE,
    market=BithumbMarket,
    rules=_market,
    trade_share=0.02,
    touch_share=0.0,
    major_spread_bps=1.1,
    depth_usdt=18_000.0,
    depth_exponent=-0.15,
    top_share=0.25,
    pace=0.55,  # of books that differ: repeats come on top
    opens_after=4,
    cash=("USDT",),
    cross=_cross,
)
