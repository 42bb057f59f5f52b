"""TopCheck: compares the depth ladder with the venue's own best prices wherever both are known.

After each depth update the ladder's best price and size on both sides must equal the last bookTicker whose id is not greater than
the update's last id. A bookTicker may come before the update it belongs to or, on USD-M, after it: a place is judged once a newer
bookTicker has shown that no other can belong to it.
"""

from collections import deque
from collections.abc import Sequence
from math import inf

from arbtui.marketdata.counts import ExchangeCounts
from arbtui.marketdata.sync import BookSync
from arbtui.model.book import Level, OrderBook

_Top = tuple[float, float, float, float]  # bid, bid quantity, ask, ask quantity
_KEPT = 10_000  # best prices and places that may wait for each other in one market; older ones are dropped unjudged


class _Market:
    """The best prices and the places of one market that are not yet matched."""

    __slots__ = ("places", "tickers")

    def __init__(self) -> None:
        self.tickers: deque[tuple[int, _Top]] = deque(maxlen=_KEPT)
        self.places: deque[tuple[int, _Top]] = deque(maxlen=_KEPT)


class TopCheck:
    """Counts ``places`` where ladder and bookTicker could be compared, and at how many of them they were ``equal``."""

    def __init__(self) -> None:
        self.places = 0
        self.equal = 0
        self.first_unequal = ""  #: where the first difference was, as text; empty when there is none
        self._markets: dict[OrderBook, _Market] = {}

    def ticker(self, book: OrderBook, update_id: int, top: _Top) -> None:
        """A bookTicker of the book's market came."""
        market = self._market(book)
        if market.tickers and update_id <= market.tickers[-1][0]:
            return
        market.tickers.append((update_id, top))
        while market.places and market.places[0][0] < update_id:
            self._judge(book, market, *market.places.popleft())

    def ladder(self, book: OrderBook) -> None:
        """A depth update was applied to the book."""
        bid, bid_qty = (book.bid_px[-1], book.bid_sz[-1]) if book.bid_px else (0.0, 0.0)
        ask, ask_qty = (-book.ask_key[-1], book.ask_sz[-1]) if book.ask_key else (inf, 0.0)
        market = self._market(book)
        place = (book.update_id, (bid, bid_qty, ask, ask_qty))
        if market.tickers and market.tickers[-1][0] > book.update_id:
            self._judge(book, market, *place)
        else:
            market.places.append(place)

    def finish(self) -> None:
        """End of data: judge the places that still wait."""
        for book, market in self._markets.items():
            while market.places:
                self._judge(book, market, *market.places.popleft())

    def _market(self, book: OrderBook) -> _Market:
        market = self._markets.get(book)
        if market is None:
            market = self._markets[book] = _Market()
        return market

    def _judge(self, book: OrderBook, market: _Market, update_id: int, top: _Top) -> None:
        tickers = market.tickers
        while len(tickers) > 1 and tickers[1][0] <= update_id:
            tickers.popleft()
        if not tickers or tickers[0][0] > update_id:
            return
        self.places += 1
        if tickers[0][1] == top:
            self.equal += 1
        elif not self.first_unequal:
            self.first_unequal = f"{book.exchange}:{book.code} at {update_id}: ladder {top}, bookTicker {tickers[0][1]}"


class WatchedBookSync(BookSync):
    """A BookSync that reports every applied depth update and every bookTicker to a TopCheck."""

    __slots__ = ("_check",)

    def __init__(
        self, book: OrderBook, counts: ExchangeCounts, check: TopCheck, *, usdm: bool, buffer_limit: int, silence_s: float
    ) -> None:
        super().__init__(book, counts, usdm=usdm, buffer_limit=buffer_limit, silence_s=silence_s)
        self._check = check

    def touch(self, update_id: int, touch: tuple[float, float, float, float], now: float) -> bool:
        """Apply a best-price message."""
        self._check.ticker(self.book, update_id, touch)
        return super().touch(update_id, touch, now)

    def _apply(self, last_id: int, bids: Sequence[Level], asks: Sequence[Level]) -> None:
        super()._apply(last_id, bids, asks)
        self._check.ladder(self.book)
