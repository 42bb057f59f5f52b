"""A simulated Coinone market's frames: books of 16 levels a side, asks worst first, and trades, in format DEFAULT."""

from collections.abc import Iterable

from arbtui.simulation.ladder import LadderSide
from arbtui.simulation.whole_book_market import WholeBookMarket

LEVELS = 16  #: of a side of a book frame
#: ms by which the timestamp of a book that answers a subscription is older than its id, as probed.
STALE_MS = 10_150


class CoinoneMarket(WholeBookMarket):
    """See :class:`WholeBookMarket`."""

    __slots__ = ("_book_head", "_id", "_trade_head")

    levels = LEVELS

    def prepare(self) -> None:
        """See :meth:`WholeBookMarket.prepare`."""
        pair = f'"quote_currency":"{self.market.quote}","target_currency":"{self.market.base}"'
        self._book_head = f'{{"response_type":"DATA","channel":"ORDERBOOK","data":{{{pair},"timestamp":'
        self._trade_head = f'{{"response_type":"DATA","channel":"TRADE","data":{{{pair},"id":"'
        self._id = 0

    def book_frame(self, snapshot: bool, empty: bool) -> bytes:
        """See :meth:`WholeBookMarket.book_frame`."""
        bids, asks = self.bids_sent, self.asks_sent
        sold = bought = ""
        if not empty:
            sold = _levels(zip(reversed(asks.prices), reversed(asks.sizes), strict=True))
            bought = _levels(zip(bids.prices, bids.sizes, strict=True))
        stale_ms = STALE_MS if snapshot else 0
        text = f'{self._book_head}{self.scheduler.ts_ms - stale_ms},"id":"{self._next_id()}","asks":[{sold}],"bids":[{bought}]}}}}'
        return text.encode()

    def trade_frame(self, side: LadderSide, qty: float, bought: bool) -> bytes:
        """See :meth:`WholeBookMarket.trade_frame`."""
        text = (
            f'{self._trade_head}{self._next_id()}","timestamp":{self.scheduler.ts_ms},"price":"{side.prices[0]}","qty":"{qty:.8f}",'
            f'"is_seller_maker":{"true" if bought else "false"}}}}}'
        )
        return text.encode()

    def _next_id(self) -> int:
        """The time in ms and three digits more: always greater than the last one."""
        self._id = max(self.scheduler.ts_ms * 1000 + 1, self._id + 1)
        return self._id


def _levels(rows: Iterable[tuple[str, str]]) -> str:
    return ",".join([f'{{"price":"{price}","qty":"{size}"}}' for price, size in rows])
