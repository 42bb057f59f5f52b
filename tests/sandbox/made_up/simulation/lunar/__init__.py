"""How the made-up venue is played: won markets, whole books, a rhythm of its own."""

import json

from arbtui.exchanges.upbit.rules import krw_market
from arbtui.model.market import Market
from arbtui.simulation.assets import Asset
from arbtui.simulation.ladder import LadderSide
from arbtui.simulation.played_venue import PlayedVenue
from arbtui.simulation.whole_book_market import WholeBookMarket


class LunarMarket(WholeBookMarket):
    __slots__ = ()
    levels = 5

    def book_frame(self, snapshot: bool, empty: bool) -> bytes:
        bids, asks = ([] if empty else list(side.levels()) for side in (self.bids_sent, self.asks_sent))
        return json.dumps({"book": self.code, "n": self.update_id, "bids": bids, "asks": asks, "t": self.scheduler.ts_ms}).encode()

    def trade_frame(self, side: LadderSide, qty: float, bought: bool) -> bytes:
        return json.dumps({"trade": self.code, "id": self.trade_id, "price": float(side.prices[0]), "qty": qty}).encode()


def _market(asset: Asset) -> Market:
    from dataclasses import replace

    return replace(krw_market(asset.symbol), exchange="lunar", code=f"{asset.symbol}_KRW")


VENUE = PlayedVenue(
    name="lunar",
    quote="KRW",
    market=LunarMarket,
    rules=_market,
    trade_share=0.01,
    touch_share=0.0,
    major_spread_bps=1.0,
    depth_usdt=10_000.0,
    depth_exponent=-0.3,
    pace=0.5,
    opens_after=5,
    cash=("USDT",),
)
