"""Keeps one market's book in sync with a stream that brings whole books itself, each followed by numbered changes.

Such a venue answers a subscription with the whole book, and no query over REST counts in the same numbers. So a book that missed an
update is cleared, and its topic is subscribed to anew. A new whole book replaces everything, whatever its number.
"""

from collections.abc import Sequence

from arbtui.marketdata.counts import ExchangeCounts
from arbtui.marketdata.sync import OLD_IN_A_ROW, BookSync
from arbtui.model.book import BookState, Level, OrderBook

#: Updates without a whole book before them, after which it is asked for once more: the messages that asked may have been lost.
_ASK_EVERY = 100


class StreamedBookSync(BookSync):
    """As :class:`BookSync`, without a buffer: what comes before a whole book is of no use.

    An update names the id of the one before it (``prev_id``), or, where that is -1, follows it by one.
    """

    __slots__ = ("_useless",)

    def __init__(self, book: OrderBook, counts: ExchangeCounts, *, silence_s: float) -> None:
        super().__init__(book, counts, usdm=False, buffer_limit=0, silence_s=silence_s)
        self._useless = 0

    def diff(self, first_id: int, last_id: int, prev_id: int, bids: Sequence[Level], asks: Sequence[Level]) -> bool:
        """Apply a depth update; arguments as in :class:`arbtui.exchanges.wire.MarketDataSink`."""
        book = self.book
        state = book.state
        if state is not BookState.LIVE and state is not BookState.STALE:
            self.counts.old += 1
            self._useless += 1
            if self._useless % _ASK_EVERY == 1:
                self._ask()
            return False
        have = book.update_id
        if last_id <= have:
            if prev_id != have:  # sent again, or by both sockets during a replacement
                self.counts.old += 1
                self._old += 1
                return self._old > OLD_IN_A_ROW and self._lose()
            if last_id == have:  # OKX: nothing has changed for a minute
                return False
            self._touch_id = 0  # OKX: after maintenance the numbers begin anew, with an update that names the last one
        if (prev_id if prev_id >= 0 else first_id - 1) != have:
            return self._lose()
        self._old = 0
        self._ahead_since = -1.0
        self._apply(last_id, bids, asks)
        if book.bid >= book.ask:  # no venue's ladder is crossed: a level in it is wrong, and would stay
            return self._lose()
        if self._touch_id > last_id:
            self._touch_again()
        if state is BookState.STALE:
            book.state = BookState.LIVE
        return True

    def snapshot(self, bids: Sequence[Level], asks: Sequence[Level], update_id: int) -> bool:
        """Apply a whole book of the stream."""
        book = self.book
        was_gapped = book.state is BookState.GAPPED
        self.is_cut = self.wants_snapshot = False
        self._old = self._useless = 0
        book.replace(bids, asks)
        book.update_id = update_id
        if book.bid >= book.ask:
            return self._lose()
        book.state = BookState.LIVE
        self._kept = 0
        self._ahead_since = -1.0
        if self._touch_id > update_id:
            book.touch(*self._touch)
        if was_gapped:
            self.counts.resyncs += 1
        return True

    def is_behind(self, update_id: int, ts_event: int) -> bool:
        """Whether a whole book is of before the present one: a new socket begins with one, while the old one still brings updates."""
        book = self.book
        return book.state is BookState.LIVE and 1 < update_id <= book.update_id and ts_event <= book.ts_event

    def _lose(self) -> bool:
        """An update is missing, or wrong: nothing of the book can be trusted."""
        self.counts.gaps += 1
        self.book.clear(BookState.GAPPED)
        self._old = 0
        self._useless = 1  # the next updates ask again only after a while
        self._ask()
        return True
