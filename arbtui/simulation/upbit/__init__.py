"""Upbit as the simulator plays it: won markets of every asset, KRW-USDT, and markets against BTC where they are asked for."""

from arbtui.exchanges.upbit.rules import btc_market, krw_market
from arbtui.model.market import Market
from arbtui.simulation.assets import Asset
from arbtui.simulation.played_venue import PlayedVenue
from arbtui.simulation.upbit.market import UpbitMarket


def _market(asset: Asset) -> Market:
    return krw_market(asset.symbol)


def _cross(asset: Asset, coin: Asset) -> Market:
    return btc_market(asset.symbol)


VENUE = PlayedVenue(
    name="upbit",
    quote="KRW",
    market=UpbitMarket,
    rules=_market,
    trade_share=0.02,
    touch_share=0.0,
    major_spread_bps=0.6,
    depth_usdt=45_000.0,
    depth_exponent=-0.3,
    top_share=0.25,
    opens_after=3,
    cash=("USDT",),
    cross=_cross,
)
