"""StreamWatch: detects that an exchange's order book stream sends nothing, and marks its books STALE."""

from collections.abc import Iterable
from math import inf

from arbtui.model.book import BookState, OrderBook

#: Number of updates of which at least one is certainly new.
_TELLING = 5


class StreamWatch:
    """One exchange's stream of order book messages (whole books, diffs and best prices, of any market).

    Trades and answers do not count: a venue that answers but sends no books is unusable. The age of one book is its
    ``ts_init``. A STALE book becomes LIVE again with its own next update, not with its neighbour's.

    Args:
        exchange: whose stream is watched.
        books: the exchange's books.
        silence_s: seconds without a message after which the stream is silent.
    """

    __slots__ = ("_books", "_count", "_least_late", "_silence", "_silenced", "exchange", "last_message")

    def __init__(self, exchange: str, books: Iterable[OrderBook], silence_s: float) -> None:
        self.exchange = exchange
        self.last_message = -inf  #: monotonic seconds, written by the receiver
        self._books = list(books)
        self._silence = silence_s
        self._silenced: set[OrderBook] = set()
        self._least_late = inf
        self._count = 0

    def add_lateness(self, ms: float) -> None:
        """An update's own time was ``late_ms`` before its receipt (negative: after it)."""
        self._count += 1
        if ms < self._least_late:
            self._least_late = ms

    def take_least_late(self) -> float | None:
        """The least lateness since the last call, in ms: clock difference, age of the data, and transit time together.

        None while too few updates came: a single one may be a quiet market's old book.
        """
        if self._count < _TELLING:
            return None
        least, self._least_late, self._count = self._least_late, inf, 0
        return least

    def is_silent(self, now: float) -> bool:
        """True when nothing came for longer than the allowed silence, or since the start."""
        return now - self.last_message > self._silence

    def sweep(self, now: float) -> list[OrderBook]:
        """Mark the LIVE books of a silent stream STALE, except those that the venue confirmed since; returns those that changed.

        Cheap while the stream is not silent.
        """
        if not self.is_silent(now):
            return []
        changed = [book for book in self._books if book.state is BookState.LIVE and now - book.ts_init > self._silence]
        for book in changed:
            book.state = BookState.STALE
        self._silenced.update(changed)
        return changed

    def revive(self, book: OrderBook) -> bool:
        """The venue confirmed ``book``: LIVE again if it was STALE only by silence; returns whether it changed.

        A book that is STALE for another reason (its depth lags behind its best prices) stays STALE.
        """
        silenced = book in self._silenced
        self._silenced.discard(book)
        if not (silenced and book.state is BookState.STALE):
            return False
        book.state = BookState.LIVE
        return True
