"""Bitget as the simulator plays it: USDT markets of every asset, and markets against BTC where they are asked for.

ETHBTC moves by 0.000001 (``products`` of 2022-04-07); lots are such that an order's value has eight decimals.
The least order there is told in USDT, as everywhere at Bitget.
Fees in BGB have twelve decimals ("Get Fills", ``totalFee`` of its example).
"""

from decimal import Decimal

from arbtui.exchanges.bitget.rules import MIN_COST, spot_market
from arbtui.model.market import Market
from arbtui.model.money import decimal_of
from arbtui.simulation.assets import Asset
from arbtui.simulation.bitget.market import BitgetMarket
from arbtui.simulation.played_venue import PlayedVenue

_STEP = Decimal("0.00000001")


def _market(asset: Asset, quote: str = "USDT") -> Market:
    return spot_market(asset.symbol, quote, asset.tick, asset.lot)


def _cross(asset: Asset, coin: Asset) -> Market:
    least = decimal_of(float(MIN_COST) / coin.price).quantize(_STEP)
    tick = asset.tick_in(coin, 4)
    return spot_market(asset.symbol, coin.symbol, tick, asset.lot_in(tick, asset.lot), least)


VENUE = PlayedVenue(
    name="bitget",
    quote="USDT",
    market=BitgetMarket,
    rules=_market,
    trade_share=0.05,
    touch_share=1.0,
    major_spread_bps=0.0,  # majors have one price unit
    depth_usdt=80_000.0,
    depth_exponent=-0.5,
    top_share=0.5,
    pace=0.5,  # whole books come every 200 ms at most, which are half of the simulator's slots
    opens_after=2,
    cash=("USDC",),
    priced=_market,
    cross=_cross,
    fee_coin=Asset("BGB", 60, 4.0),
    fee_coin_step=Decimal("0.000000000001"),
)
