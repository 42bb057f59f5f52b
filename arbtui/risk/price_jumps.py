"""Prices that moved too far within seconds: one of them is wrong, or there is news that others know."""

from collections import deque
from collections.abc import Iterable
from math import isfinite

from arbtui.model.book import BookState, OrderBook

_LONG = 10  #: samples back: one a second


class PriceJumps:
    """The mid of each book once a second, for the last ten seconds."""

    def __init__(self) -> None:
        self._mids: dict[OrderBook, deque[float]] = {}

    def sample(self, books: Iterable[OrderBook]) -> None:
        """A second has passed. A book that nobody may trade on begins anew: what it was before says nothing of what it is after."""
        for book in books:
            mid = book.mid if book.state is BookState.LIVE else 0.0
            if isfinite(mid) and mid > 0.0:
                self._mids.setdefault(book, deque(maxlen=_LONG)).append(mid)
            else:
                self._mids.pop(book, None)

    def moved_bps(self, book: OrderBook) -> tuple[float, float]:
        """How far the mid is from the last sample, at most a second old, and from any of the last ten; 0 without samples."""
        mids = self._mids.get(book)
        if not mids:
            return 0.0, 0.0
        mid = book.mid
        return abs(mid / mids[-1] - 1.0) * 1e4, max(abs(mid / min(mids) - 1.0), abs(mid / max(mids) - 1.0)) * 1e4
