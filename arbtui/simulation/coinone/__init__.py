"""Coinone as the simulator plays it: won markets of every asset, and KRW-USDT.

Books and trades as counted on 2026-09-23 (nemanull/arbitrage-observatory, docs/venues/coinone: 4.2 and about 1.1 a second of KRW-BTC);
spread and depth as of the books captured there (one or three price units of KRW-BTC, five levels of a side some ten million won).
"""

from arbtui.exchanges.coinone.rules import EXCHANGE, QUOTE, krw_market
from arbtui.model.market import Market
from arbtui.simulation.assets import Asset
from arbtui.simulation.coinone.market import CoinoneMarket
from arbtui.simulation.played_venue import PlayedVenue


def _market(asset: Asset) -> Market:
    return krw_market(asset.symbol)


VENUE = PlayedVenue(
    name=EXCHANGE,
    quote=QUOTE,
    market=CoinoneMarket,
    rules=_market,
    trade_share=0.04,
    touch_share=0.0,
    major_spread_bps=1.8,
    depth_usdt=9_000.0,
    depth_exponent=-0.15,
    top_share=0.25,
    pace=0.4,
    opens_after=5,
    cash=("USDT",),
)
